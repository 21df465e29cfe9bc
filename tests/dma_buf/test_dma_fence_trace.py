# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The dma_fence trace events: what is recorded, in which order, and its text."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence_enable_sw_signaling,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_wait_timeout,
)
from kport.dma_buf.dma_fence_trace import trace_dma_fence_emit
from kport.linux.rcupdate import rcu_read_lock, rcu_read_unlock
from kport.linux.tracepoint import (
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)
from tests.dma_buf.fences import drop, new, ops_with

EVENTS = (
    "dma_fence_emit",
    "dma_fence_init",
    "dma_fence_destroy",
    "dma_fence_enable_signal",
    "dma_fence_signaled",
    "dma_fence_wait_start",
    "dma_fence_wait_end",
)


@pytest.fixture
def log(kernel):
    """(event, text) of every dma_fence event."""
    found: list[tuple[str, str]] = []

    def probe(tp, ti, ts, values) -> None:
        found.append((tp.name, tp.text(values)))

    for name in EVENTS:
        assert tracepoints[name].system == "dma_fence"
        tracepoint_probe_register(tracepoints[name], probe)
    yield found
    for name in EVENTS:
        tracepoint_probe_unregister(tracepoints[name], probe)


def test_the_life_of_a_fence(log):
    fence = new(7, 9, ops_with(enable_signaling=lambda f: True))
    dma_fence_enable_sw_signaling(fence)
    dma_fence_wait_timeout(fence, False, 1)
    dma_fence_signal(fence)
    dma_fence_signal(fence)
    dma_fence_put(fence)
    live = "driver=test-driver timeline=test-timeline context=7 seqno=9"
    dead = "driver=detached-driver timeline=signaled-timeline context=7 seqno=9"
    assert log == [
        ("dma_fence_init", live),
        ("dma_fence_enable_signal", live),
        ("dma_fence_wait_start", live),
        ("dma_fence_wait_end", live),
        ("dma_fence_signaled", live),
        ("dma_fence_destroy", dead),
    ]


def test_numbers_are_recorded_as_32_bits(log):
    drop(new(0x1_0000_0005, 0x2_0000_0006, wide=True))
    assert log[0][1].endswith("context=5 seqno=6")


def test_emit_is_for_drivers(log):
    fence = new(1, 2)
    rcu_read_lock()  # the names it records are protected by it
    trace_dma_fence_emit(fence)
    rcu_read_unlock()
    assert log[-1][0] == "dma_fence_emit"
    drop(fence)


def test_enabling_what_has_no_function_for_it_is_no_event(log):
    fence = new()
    dma_fence_enable_sw_signaling(fence)
    assert [name for name, _ in log] == ["dma_fence_init"]
    drop(fence)
