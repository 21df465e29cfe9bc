# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Fences of a replay: each on its own timeline, relays, and calls when one is signalled."""

from __future__ import annotations

from kport.dma_buf.dma_fence import (
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_signal,
)
from kport.linux.kref import kref_read
from kport.linux.sched import PF_WQ_WORKER, current
from kport.linux.workqueue import flush_workqueue, system_percpu_wq
from kport.workload.rec_fence import call_after, new_fence, new_relay, signal_after


def put(*fences):
    for fence in fences:
        dma_fence_put(fence)


def test_each_fence_has_a_context_of_its_own(kernel):
    one, two = new_fence(), new_fence()
    assert one.context != two.context
    assert not dma_fence_is_signaled(one)
    dma_fence_signal(one)
    assert dma_fence_is_signaled(one)
    assert not dma_fence_is_signaled(two)
    dma_fence_signal(two)
    put(one, two)


def test_a_relay_is_signalled_with_the_other(kernel):
    earlier, relay = new_fence(), new_relay()
    signal_after(relay, earlier)
    assert kref_read(relay.refcount) == 2
    assert not dma_fence_is_signaled(relay)
    dma_fence_signal(earlier)
    assert dma_fence_is_signaled(relay)
    assert kref_read(relay.refcount) == 1
    put(earlier, relay)


def test_a_relay_of_a_signalled_fence_is_signalled_at_once(kernel):
    earlier, relay = new_fence(), new_relay()
    dma_fence_signal(earlier)
    signal_after(relay, earlier)
    assert dma_fence_is_signaled(relay)
    put(earlier, relay)


def test_a_call_comes_from_a_work_item(kernel):
    fence = new_fence()
    calls = []
    call_after(fence, lambda: calls.append(current().flags & PF_WQ_WORKER))
    assert calls == []
    dma_fence_signal(fence)
    flush_workqueue(system_percpu_wq)
    assert calls == [PF_WQ_WORKER]
    put(fence)


def test_a_call_after_a_signalled_fence_comes_now(kernel):
    fence = new_fence()
    dma_fence_signal(fence)
    calls = []
    call_after(fence, lambda: calls.append(1))
    assert calls == [1]
    put(fence)
