# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from include/trace/events/dma_fence.h, Linux 7.2.13, on 2026-11-20.
"""The trace events of dma_fence. Context and seqno are recorded as 32 bits, as in the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kport.linux.tracepoint import DECLARE_EVENT_CLASS, DEFINE_EVENT, trace_enabled
from kport.linux.types import u32

if TYPE_CHECKING:
    from kport.dma_buf.dma_fence import dma_fence

TRACE_SYSTEM = "dma_fence"

_FIELDS = ("driver", "timeline", "context", "seqno")
_PRINTK = "driver=%s timeline=%s context=%u seqno=%u"


def _assign(fence: dma_fence) -> tuple[Any, ...]:
    return (
        dma_fence_driver_name(fence),
        dma_fence_timeline_name(fence),
        u32(fence.context),
        u32(fence.seqno),
    )


def _assign_ops(fence: dma_fence) -> tuple[Any, ...]:
    # Only where the fence cannot be signalled meanwhile: its ops are still there.
    return (
        fence.ops.get_driver_name(fence),
        fence.ops.get_timeline_name(fence),
        u32(fence.context),
        u32(fence.seqno),
    )


_dma_fence = DECLARE_EVENT_CLASS(_FIELDS, _assign, _PRINTK)
_dma_fence_ops = DECLARE_EVENT_CLASS(_FIELDS, _assign_ops, _PRINTK)

trace_dma_fence_emit = DEFINE_EVENT(TRACE_SYSTEM, "dma_fence_emit", 1, _dma_fence)
trace_dma_fence_init = DEFINE_EVENT(TRACE_SYSTEM, "dma_fence_init", 1, _dma_fence_ops)
trace_dma_fence_destroy = DEFINE_EVENT(TRACE_SYSTEM, "dma_fence_destroy", 1, _dma_fence)
trace_dma_fence_enable_signal = DEFINE_EVENT(
    TRACE_SYSTEM, "dma_fence_enable_signal", 1, _dma_fence_ops
)
trace_dma_fence_signaled = DEFINE_EVENT(TRACE_SYSTEM, "dma_fence_signaled", 1, _dma_fence_ops)
trace_dma_fence_wait_start = DEFINE_EVENT(TRACE_SYSTEM, "dma_fence_wait_start", 1, _dma_fence)
trace_dma_fence_wait_end = DEFINE_EVENT(TRACE_SYSTEM, "dma_fence_wait_end", 1, _dma_fence)
trace_dma_fence_wait_end_enabled = trace_enabled("dma_fence_wait_end")

# extern
from kport.dma_buf.dma_fence import dma_fence_driver_name, dma_fence_timeline_name
