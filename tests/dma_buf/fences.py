# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Fences for tests: made with their own lock, signalled by hand, freed by the last reference."""

from __future__ import annotations

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_free,
    dma_fence_init,
    dma_fence_init64,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_signal,
)
from kport.linux.kref import kref_read
from kport.linux.slab import kzalloc_obj


def driver_name(fence: dma_fence) -> str:
    """The driver."""
    return "test-driver"


def timeline_name(fence: dma_fence) -> str:
    """The timeline."""
    return "test-timeline"


plain_ops = dma_fence_ops(get_driver_name=driver_name, get_timeline_name=timeline_name)
# A fence with a release function keeps its ops when it signals.
kept_ops = dma_fence_ops(
    get_driver_name=driver_name, get_timeline_name=timeline_name, release=dma_fence_free
)


def new(
    context: int = 0, seqno: int = 1, ops: dma_fence_ops = plain_ops, wide: bool = False
) -> dma_fence:
    """A new fence with one reference; a context of its own unless one is given."""
    fence = kzalloc_obj(dma_fence)
    init = dma_fence_init64 if wide else dma_fence_init
    init(fence, ops, None, context or dma_fence_context_alloc(1), seqno)
    return fence


def ops_with(**callbacks: object) -> dma_fence_ops:
    """The plain ops and these."""
    return dma_fence_ops(get_driver_name=driver_name, get_timeline_name=timeline_name, **callbacks)


def drop(*fences: dma_fence) -> None:
    """Signal what has not, and drop a reference to each."""
    for fence in fences:
        dma_fence_signal(fence)
        dma_fence_put(fence)


def references(fence: dma_fence) -> int:
    """How many references there are."""
    return kref_read(fence.refcount)
