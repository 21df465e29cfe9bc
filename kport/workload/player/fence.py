# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Stand-alone fences, which user space makes and signals, as those of sw_sync.

Each has a context of its own: a scheduler keeps only the latest dependency of a context, and these
may be signalled in any order.
"""

from __future__ import annotations

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_init,
    dma_fence_ops,
)
from kport.linux.slab import kzalloc_obj


def _driver_name(fence: dma_fence) -> str:
    return "sw_sync"


def _timeline_name(fence: dma_fence) -> str:
    return "wsim"


_ops = dma_fence_ops(get_driver_name=_driver_name, get_timeline_name=_timeline_name)


def new_fence() -> dma_fence:
    """A fence with one reference, for dma_fence_signal(). Raises MemoryError."""
    fence = kzalloc_obj(dma_fence)
    if fence is None:
        raise MemoryError("no memory for a fence")
    dma_fence_init(fence, _ops, None, dma_fence_context_alloc(1), 1)
    return fence
