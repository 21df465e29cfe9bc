# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Delayed work: queue leaves a running timer alone, mod never does; cancel, flush, disable."""

from __future__ import annotations

import pytest

from kport.linux.jiffies import jiffies
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.timer import timer_pending
from kport.linux.workqueue import (
    INIT_DELAYED_WORK,
    INIT_WORK,
    WQ_UNBOUND,
    alloc_ordered_workqueue,
    alloc_workqueue,
    cancel_delayed_work,
    cancel_delayed_work_sync,
    current_wq_worker,
    delayed_work,
    delayed_work_pending,
    destroy_workqueue,
    disable_delayed_work,
    disable_delayed_work_sync,
    enable_delayed_work,
    flush_delayed_work,
    flush_work,
    mod_delayed_work,
    mod_delayed_work_on,
    queue_delayed_work,
    queue_delayed_work_on,
    queue_work,
    schedule_delayed_work,
    system_percpu_wq,
    to_delayed_work,
    work_pending,
    work_struct,
)
from tests.support import Gate, Thread, eventually, never, sleep_ms, together

LATER = 100_000  # ticks


@pytest.fixture
def wq(kernel):
    made = alloc_workqueue("delayed", WQ_UNBOUND, 0)
    yield made
    destroy_workqueue(made)


@pytest.fixture
def runs(kernel):
    return []


@pytest.fixture
def dwork(runs):
    made = delayed_work()
    INIT_DELAYED_WORK(made, lambda w: runs.append(jiffies()))
    yield made
    cancel_delayed_work_sync(made)


def test_it_runs_once_when_its_time_has_come(wq, dwork, runs):
    for delay in (1, 2, 5):
        runs.clear()
        due = jiffies() + delay
        assert queue_delayed_work(wq, dwork, delay) is True
        assert dwork.timer.expires >= due
        assert delayed_work_pending(dwork)
        eventually(lambda: runs)
        assert runs[0] >= due
        never(lambda: len(runs) > 1, msecs=10)
        assert not delayed_work_pending(dwork)


def test_without_delay_it_is_queued_at_once_without_a_timer(wq, dwork, runs):
    assert queue_delayed_work(wq, dwork, 0) is True
    flush_work(dwork.work)
    assert len(runs) == 1
    assert dwork.timer.expires == 0


def test_the_function_gets_the_work_item_in_it(wq, kernel):
    seen = []
    d = delayed_work()
    INIT_DELAYED_WORK(d, lambda w: seen.append(to_delayed_work(w)))
    queue_delayed_work(wq, d, 0)
    flush_work(d.work)
    assert seen == [d]


def test_queueing_what_is_pending_is_false_and_does_not_move_the_timer(wq, dwork, runs):
    assert queue_delayed_work(wq, dwork, LATER) is True
    expires = dwork.timer.expires
    sleep_ms(8)
    assert queue_delayed_work(wq, dwork, 1) is False
    assert queue_delayed_work(wq, dwork, 0) is False
    assert queue_delayed_work_on(0, system_percpu_wq, dwork, 0) is False
    assert schedule_delayed_work(dwork, 0) is False
    assert queue_work(wq, dwork.work) is False
    assert dwork.timer.expires == expires
    never(lambda: runs, msecs=10)


def test_mod_always_moves_the_timer_and_says_whether_it_was_pending(wq, dwork, runs):
    assert mod_delayed_work(wq, dwork, LATER) is False
    first = dwork.timer.expires
    sleep_ms(8)
    assert mod_delayed_work(wq, dwork, LATER) is True
    assert dwork.timer.expires > first
    due = jiffies() + 2
    assert mod_delayed_work_on(0, wq, dwork, 2) is True
    assert dwork.timer.expires >= due
    eventually(lambda: runs)
    assert runs[0] >= due
    assert mod_delayed_work(wq, dwork, 0) is False
    flush_work(dwork.work)
    assert len(runs) == 2


def test_mod_without_delay_queues_at_once(wq, dwork, runs):
    queue_delayed_work(wq, dwork, LATER)
    assert mod_delayed_work(wq, dwork, 0) is True
    flush_work(dwork.work)
    assert len(runs) == 1


def test_mod_takes_an_item_off_its_queue_and_puts_it_under_the_timer(kernel, dwork, runs):
    ordered = alloc_ordered_workqueue("ordered", 0)
    gate, blocker = Gate(), work_struct()
    INIT_WORK(blocker, lambda w: gate.enter())
    queue_work(ordered, blocker)
    gate.arrived()
    queue_delayed_work(ordered, dwork, 0)
    assert mod_delayed_work(ordered, dwork, LATER) is True
    gate.open()
    flush_work(blocker)
    assert runs == []
    assert delayed_work_pending(dwork)
    assert cancel_delayed_work(dwork) is True
    destroy_workqueue(ordered)


def test_a_pushed_out_timer_fires_once_at_the_last_time(wq, dwork, runs):
    """What the job timeout does: every job moves it."""
    for _ in range(200):
        mod_delayed_work(wq, dwork, 4)
    due = dwork.timer.expires
    eventually(lambda: runs)
    assert runs[0] >= due
    never(lambda: len(runs) > 1, msecs=10)


def test_as_far_away_as_can_be(wq, dwork, runs):
    sleep_ms(10)
    queue_delayed_work(wq, dwork, MAX_SCHEDULE_TIMEOUT)
    assert dwork.timer.expires >= MAX_SCHEDULE_TIMEOUT
    never(lambda: runs)
    assert mod_delayed_work(wq, dwork, 0) is True
    flush_work(dwork.work)
    assert len(runs) == 1


# -- cancel, flush, disable ------------------------------------------------------------------------


@pytest.mark.parametrize("cancel", [cancel_delayed_work, cancel_delayed_work_sync])
def test_cancel_stops_the_timer(wq, dwork, runs, cancel):
    assert cancel(dwork) is False
    queue_delayed_work(wq, dwork, 2)
    assert cancel(dwork) is True
    assert cancel(dwork) is False
    never(lambda: runs, msecs=20)
    assert queue_delayed_work(wq, dwork, 0) is True
    flush_work(dwork.work)
    assert len(runs) == 1


@pytest.mark.parametrize("cancel", [cancel_delayed_work, cancel_delayed_work_sync])
def test_cancel_takes_an_item_off_its_queue(kernel, dwork, runs, cancel):
    ordered = alloc_ordered_workqueue("ordered", 0)
    gate, blocker = Gate(), work_struct()
    INIT_WORK(blocker, lambda w: gate.enter())
    queue_work(ordered, blocker)
    gate.arrived()
    queue_delayed_work(ordered, dwork, 1)
    eventually(lambda: dwork.work.queued)
    assert cancel(dwork) is True
    gate.open()
    flush_work(blocker)
    assert runs == []
    destroy_workqueue(ordered)


def test_cancel_does_not_wait_for_a_running_instance_and_cancel_sync_does(wq, kernel):
    gate = Gate()
    d = delayed_work()
    INIT_DELAYED_WORK(d, lambda w: gate.enter())
    queue_delayed_work(wq, d, 0)
    gate.arrived()
    assert cancel_delayed_work(d) is False
    waiter = Thread(cancel_delayed_work_sync, d)
    never(lambda: waiter.done)
    gate.open()
    assert waiter.join() is False


def test_while_cancel_sync_waits_it_cannot_be_queued_or_modified(wq, kernel):
    gate, results, runs = Gate(), [], []

    def run(w: work_struct) -> None:
        runs.append(1)
        if len(runs) > 1:
            return
        gate.enter()
        results.append(queue_delayed_work(wq, d, 1))
        results.append(mod_delayed_work(wq, d, 1))
        results.append(delayed_work_pending(d))

    d = delayed_work()
    INIT_DELAYED_WORK(d, run)
    queue_delayed_work(wq, d, 0)
    gate.arrived()
    canceller = Thread(cancel_delayed_work_sync, d)
    eventually(lambda: d.work.disable)
    gate.open()
    canceller.join()
    assert results == [False, False, 0]
    never(lambda: len(runs) > 1, msecs=12)
    assert queue_delayed_work(wq, d, 0) is True
    flush_work(d.work)
    assert len(runs) == 2


def test_an_item_that_rearms_itself_is_stopped_by_cancel_sync(wq, kernel):
    runs = []
    d = delayed_work()
    INIT_DELAYED_WORK(d, lambda w: (runs.append(1), queue_delayed_work(wq, d, 1)))
    queue_delayed_work(wq, d, 0)
    eventually(lambda: len(runs) > 3)
    cancel_delayed_work_sync(d)
    settled = len(runs)
    never(lambda: len(runs) > settled, msecs=20)


def test_flush_runs_a_waiting_item_now(wq, dwork, runs):
    assert flush_delayed_work(dwork) is False
    queue_delayed_work(wq, dwork, LATER)
    flush_delayed_work(dwork)  # False if a worker was so quick that there was nothing to wait for
    assert len(runs) == 1
    assert not delayed_work_pending(dwork)


def test_flush_of_a_waiting_item_is_true_if_it_waited(kernel, dwork, runs):
    ordered = alloc_ordered_workqueue("ordered", 0)
    gate, before = Gate(), work_struct()
    INIT_WORK(before, lambda w: gate.enter())
    queue_work(ordered, before)
    gate.arrived()
    queue_delayed_work(ordered, dwork, LATER)
    flusher = Thread(flush_delayed_work, dwork)
    eventually(lambda: dwork.work.linked)  # with the barrier that the flusher waits for
    never(lambda: runs or flusher.done)
    assert not timer_pending(dwork.timer)
    gate.open()
    assert flusher.join() is True
    assert len(runs) == 1
    destroy_workqueue(ordered)


def test_disabled_delayed_work_is_refused(wq, dwork, runs):
    queue_delayed_work(wq, dwork, LATER)
    assert disable_delayed_work(dwork) is True
    assert disable_delayed_work_sync(dwork) is False
    assert queue_delayed_work(wq, dwork, 0) is False
    assert mod_delayed_work(wq, dwork, 0) is False
    assert not work_pending(dwork.work)
    assert enable_delayed_work(dwork) is False
    assert enable_delayed_work(dwork) is True
    assert mod_delayed_work(wq, dwork, 0) is False
    flush_work(dwork.work)
    assert len(runs) == 1


def test_the_timer_may_move_it_to_another_queue(kernel, wq, dwork, runs):
    other = alloc_workqueue("other", WQ_UNBOUND, 0)
    queue_delayed_work(wq, dwork, LATER)
    mod_delayed_work(other, dwork, 1)
    eventually(lambda: runs)
    flush_work(dwork.work)
    destroy_workqueue(other)


def test_the_timer_queues_it_where_the_last_call_said(kernel, wq):
    other = alloc_workqueue("other", WQ_UNBOUND, 0)
    seen = []
    d = delayed_work()
    INIT_DELAYED_WORK(d, lambda w: seen.append(current_wq_worker().current_pwq.wq))
    queue_delayed_work(wq, d, LATER)
    mod_delayed_work(other, d, 1)
    eventually(lambda: seen)
    assert seen == [other]
    flush_work(d.work)
    destroy_workqueue(other)


def test_timer_queue_and_cancel_race(wq, kernel):
    """Each accepted arming runs once or is cancelled once."""
    runs = []
    d = delayed_work()
    INIT_DELAYED_WORK(d, lambda w: runs.append(1))

    def mess(k: int) -> int:
        accepted = 0
        for n in range(70):
            choice = (n * 7 + k) % 3
            if choice == 0:
                accepted += queue_delayed_work(wq, d, n % 2)
            elif choice == 1:
                accepted += not mod_delayed_work(wq, d, n % 2)
            else:
                accepted -= cancel_delayed_work(d)
            sleep_ms(0.1)
        return accepted

    accepted = sum(together(*[lambda k=k: mess(k) for k in range(3)]))
    accepted -= cancel_delayed_work_sync(d)
    assert len(runs) == accepted
