# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/dma-buf/sync_trace.h, Linux 7.2.13, on 2026-11-21.
"""The trace event of sw_sync: a timeline is about to move on; the value is the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kport.linux.tracepoint import DECLARE_EVENT_CLASS, DEFINE_EVENT

if TYPE_CHECKING:
    from kport.dma_buf.sync_debug import sync_timeline

TRACE_SYSTEM = "sync_trace"


def _assign(timeline: sync_timeline) -> tuple[Any, ...]:
    return (timeline.name, timeline.value)


_sync_timeline = DECLARE_EVENT_CLASS(("name", "value"), _assign, "name=%s value=%d")

trace_sync_timeline = DEFINE_EVENT(TRACE_SYSTEM, "sync_timeline", 1, _sync_timeline)
