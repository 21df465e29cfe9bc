# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Waiting for fences: one, any of several, with timeouts and signals."""

from __future__ import annotations

import pytest

from kport.arch.asm import current
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_default_wait,
    dma_fence_enable_sw_signaling,
    dma_fence_get_rcu,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_test_signaled_any,
    dma_fence_wait,
    dma_fence_wait_any_timeout,
    dma_fence_wait_timeout,
)
from kport.linux.err import EINVAL, ENOMEM, ERESTARTSYS
from kport.linux.jiffies import jiffies
from kport.linux.list import list_empty
from kport.linux.preempt import preempt_disable, preempt_enable
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT, TASK_RUNNING, send_sig
from kport.linux.slab import fail_nth
from tests.dma_buf.fences import drop, new, ops_with, references
from tests.support import Thread, eventually, never, sleep_ms, take_warnings, together

pytestmark = pytest.mark.usefixtures("kernel")

LONG = 10_000  # ticks


# -- one fence -------------------------------------------------------------------------------------


def test_waiting_for_a_signalled_fence_returns_at_once():
    fence = new()
    dma_fence_signal(fence)
    assert dma_fence_wait(fence, False) == 0
    assert dma_fence_wait_timeout(fence, False, 7) == 7
    assert dma_fence_wait_timeout(fence, False, 0) == 1
    assert dma_fence_wait_timeout(fence, True, MAX_SCHEDULE_TIMEOUT) == MAX_SCHEDULE_TIMEOUT
    dma_fence_put(fence)


@pytest.mark.parametrize("intr", [False, True])
def test_a_timeout_that_runs_out_is_0_and_not_early(intr):
    fence = new()
    assert dma_fence_wait_timeout(fence, intr, 0) == 0
    began = jiffies()
    assert dma_fence_wait_timeout(fence, intr, 3) == 0
    assert jiffies() - began >= 3
    assert list_empty(fence.cb_list)
    assert current()._state == TASK_RUNNING
    drop(fence)


@pytest.mark.parametrize("intr", [False, True])
def test_a_signalled_fence_wakes_its_waiters_with_what_is_left(intr):
    fence = new()
    waiters = [Thread(dma_fence_wait_timeout, fence, intr, LONG) for _ in range(3)]
    waiters.append(Thread(dma_fence_wait, fence, intr))
    never(lambda: any(w.done for w in waiters))
    dma_fence_signal(fence)
    *left, forever = [w.join() for w in waiters]
    assert all(0 < n <= LONG for n in left)
    assert forever == 0
    dma_fence_put(fence)


@pytest.mark.boot(check="")  # it looks at a list that is a timestamp by then
def test_an_interruptible_wait_ends_with_a_signal_and_the_other_does_not():
    fence = new()
    light, deep = Thread(dma_fence_wait, fence, True), Thread(dma_fence_wait, fence, False)
    eventually(lambda: light.task._state and deep.task._state)
    send_sig(15, light.task)
    send_sig(15, deep.task)
    assert light.join() == -ERESTARTSYS
    never(lambda: deep.done)
    dma_fence_signal(fence)
    assert deep.join() == 0
    assert list_empty(fence.cb_list) or fence.ops is None
    dma_fence_put(fence)


def test_a_pending_signal_prevents_an_interruptible_wait_but_not_success():
    signalled, waiting = new(), new()
    dma_fence_signal(signalled)

    def run() -> tuple[int, int, int]:
        send_sig(15, current())
        return (
            dma_fence_wait(signalled, True),
            dma_fence_wait(waiting, True),
            dma_fence_wait_timeout(waiting, True, 5),
        )

    assert Thread(run).join() == (0, -ERESTARTSYS, -ERESTARTSYS)
    dma_fence_put(signalled)
    drop(waiting)


def test_a_negative_timeout_is_einval_with_a_warning(kernel):
    fence = new()
    assert dma_fence_wait_timeout(fence, False, -1) == -EINVAL
    assert len(take_warnings(kernel)) == 1
    drop(fence)


@pytest.mark.boot(check="")  # wrong on purpose
def test_waiting_in_atomic_context_is_reported(kernel):
    fence = new()
    dma_fence_signal(fence)
    preempt_disable()
    dma_fence_wait(fence, False)
    preempt_enable()
    assert "sleeping function called from invalid context" in take_warnings(kernel)[0]
    dma_fence_put(fence)


def test_waiting_asks_the_issuer_to_signal():
    asked = []
    fence = new(ops=ops_with(enable_signaling=lambda f: asked.append(1) or True))
    assert dma_fence_wait_timeout(fence, False, 1) == 0
    assert asked == [1]
    drop(fence)


def test_an_issuer_with_a_wait_of_its_own():
    waited = []

    def wait(f: dma_fence, intr: bool, timeout: int) -> int:
        waited.append((intr, timeout))
        return dma_fence_default_wait(f, intr, timeout)

    fence = new(ops=ops_with(wait=wait))
    assert dma_fence_wait_timeout(fence, True, 2) == 0
    dma_fence_signal(fence)
    assert dma_fence_wait_timeout(fence, False, 9) == 9
    assert waited == [(True, 2), (False, 9)], "and keeps its ops for it"
    dma_fence_put(fence)


def test_no_wake_up_is_lost_between_two_threads():
    for _ in range(60):
        fence = new()
        results = together(
            lambda f=fence: dma_fence_wait_timeout(f, False, LONG),
            lambda f=fence: dma_fence_wait_timeout(f, True, LONG),
            lambda f=fence: dma_fence_signal(f),
        )
        assert results[0] > 0
        assert results[1] > 0
        dma_fence_put(fence)


# -- any of several --------------------------------------------------------------------------------


def three() -> list[dma_fence]:
    return [new() for _ in range(3)]


def test_the_first_signalled_one_is_named():
    fences = three()
    assert dma_fence_test_signaled_any(fences, 3) == (False, None)
    dma_fence_signal(fences[2])
    dma_fence_signal(fences[1])
    assert dma_fence_test_signaled_any(fences, 3) == (True, 1)
    assert dma_fence_test_signaled_any(fences, 1) == (False, None)
    assert dma_fence_wait_any_timeout(fences, 3, False, 50) == (50, 1)
    assert dma_fence_wait_any_timeout(fences, 3, False, 0) == (1, 1)
    drop(*fences)


def test_nothing_signalled_in_time():
    fences = three()
    assert dma_fence_wait_any_timeout(fences, 3, False, 0) == (0, None)
    began = jiffies()
    assert dma_fence_wait_any_timeout(fences, 3, False, 3) == (0, None)
    assert jiffies() - began >= 3
    for fence in fences:
        assert list_empty(fence.cb_list), "no callback stays behind"
    drop(*fences)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_any_one_wakes_and_the_others_are_left(which):
    fences = three()
    waiter = Thread(dma_fence_wait_any_timeout, fences, 3, False, LONG)
    eventually(lambda: waiter.task._state)
    sleep_ms(5)
    dma_fence_signal(fences[which])
    left, index = waiter.join()
    assert index == which
    assert 0 < left <= LONG
    for n, fence in enumerate(fences):
        assert n == which or list_empty(fence.cb_list)
    drop(*fences)


def test_one_that_signals_while_the_callbacks_are_added():
    fences = three()
    fences[1].ops = ops_with(enable_signaling=lambda f: False)
    assert dma_fence_wait_any_timeout(fences, 3, False, 20) == (20, 1)
    assert list_empty(fences[0].cb_list), "the callbacks added before it are taken back"
    drop(*fences)


def test_a_signal_ends_an_interruptible_wait_for_any():
    fences = three()
    waiter = Thread(dma_fence_wait_any_timeout, fences, 3, True, LONG)
    eventually(lambda: waiter.task._state)
    send_sig(15, waiter.task)
    assert waiter.join() == (-ERESTARTSYS, None)
    for fence in fences:
        assert list_empty(fence.cb_list)
    drop(*fences)


def test_bad_arguments_of_a_wait_for_any(kernel):
    fences = three()
    assert dma_fence_wait_any_timeout(None, 1, False, 1) == (-EINVAL, None)
    assert dma_fence_wait_any_timeout(fences, 0, False, 1) == (-EINVAL, None)
    assert dma_fence_wait_any_timeout(fences, 3, False, -1) == (-EINVAL, None)
    assert len(take_warnings(kernel)) == 3
    fail_nth(1)
    assert dma_fence_wait_any_timeout(fences, 3, False, 5) == (-ENOMEM, None)
    drop(*fences)


def test_a_timeout_of_0_asks_the_issuers():
    passed = []
    fences = [new(), new(ops=ops_with(signaled=lambda f: bool(passed)))]
    assert dma_fence_wait_any_timeout(fences, 2, False, 0) == (0, None)
    passed.append(1)
    assert dma_fence_wait_any_timeout(fences, 2, False, 0) == (1, 1)
    drop(*fences)


def test_waiters_for_any_and_signallers_in_a_crowd():
    for _ in range(10):
        fences = three()
        results = together(
            lambda f=fences: dma_fence_wait_any_timeout(f, 3, False, LONG),
            lambda f=fences: dma_fence_wait_any_timeout(f, 3, True, LONG),
            lambda f=fences: dma_fence_signal(f[1]),
            lambda f=fences: dma_fence_signal(f[2]),
        )
        for left, index in results[:2]:
            assert left > 0
            assert index in (1, 2)
        assert dma_fence_get_rcu(fences[0])
        dma_fence_put(fences[0])
        dma_fence_enable_sw_signaling(fences[0])
        assert references(fences[0]) == 1
        drop(*fences)
