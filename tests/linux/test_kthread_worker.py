# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""kthread_worker: one thread, one queue, in order; flush, cancel, delayed work, destroy."""

from __future__ import annotations

import pytest

from kport.arch.asm import current
from kport.linux.completion import DECLARE_COMPLETION_ONSTACK, complete, wait_for_completion
from kport.linux.err import ENOMEM, ERR_PTR
from kport.linux.jiffies import jiffies
from kport.linux.kthread import (
    kthread_cancel_delayed_work_sync,
    kthread_cancel_work_sync,
    kthread_create_worker,
    kthread_delayed_work,
    kthread_destroy_worker,
    kthread_flush_work,
    kthread_flush_worker,
    kthread_init_delayed_work,
    kthread_init_work,
    kthread_init_worker,
    kthread_mod_delayed_work,
    kthread_queue_delayed_work,
    kthread_queue_work,
    kthread_run,
    kthread_run_worker,
    kthread_stop,
    kthread_work,
    kthread_worker,
    kthread_worker_fn,
    to_kthread,
)
from kport.linux.list import list_empty
from kport.linux.sched import TASK_UNINTERRUPTIBLE, wake_up_process
from kport.linux.slab import fail_nth
from tests.support import Gate, Thread, eventually, never, take_warnings, together


@pytest.fixture
def worker(kernel):
    made = kthread_run_worker(0, "worker/%d", 1)
    yield made
    kthread_destroy_worker(made)


def work(function) -> kthread_work:
    made = kthread_work()
    kthread_init_work(made, function)
    return made


def delayed(function) -> kthread_delayed_work:
    made = kthread_delayed_work()
    kthread_init_delayed_work(made, function)
    return made


def test_work_runs_in_the_workers_thread(worker):
    seen = []
    w = work(lambda w: seen.append((w, current())))
    assert kthread_queue_work(worker, w) is True
    kthread_flush_work(w)
    assert seen == [(w, worker.task)]
    assert worker.task.comm == "worker/1"


def test_work_runs_in_the_order_it_was_queued_one_at_a_time(worker):
    order, inside, worst = [], [], []

    def run(w: kthread_work) -> None:
        inside.append(1)
        worst.append(len(inside))
        order.append(items.index(w))
        inside.pop()

    items = [work(run) for _ in range(50)]
    for w in items:
        kthread_queue_work(worker, w)
    kthread_flush_worker(worker)
    assert order == list(range(50))
    assert set(worst) == {1}


def test_nothing_runs_beside_a_piece_of_work_that_sleeps(worker):
    gate, ran = Gate(), []
    kthread_queue_work(worker, work(lambda w: gate.enter()))
    kthread_queue_work(worker, work(lambda w: ran.append(1)))
    gate.arrived()
    never(lambda: ran, msecs=10)
    gate.open()
    kthread_flush_worker(worker)
    assert ran == [1]


def test_queueing_queued_work_says_false_and_changes_nothing(worker):
    gate, order = Gate(), []
    blocker = work(lambda w: gate.enter())
    first, second = work(lambda w: order.append(1)), work(lambda w: order.append(2))
    kthread_queue_work(worker, blocker)
    gate.arrived()
    assert kthread_queue_work(worker, first) is True
    assert kthread_queue_work(worker, second) is True
    assert kthread_queue_work(worker, first) is False
    gate.open()
    kthread_flush_worker(worker)
    assert order == [1, 2]


def test_running_work_can_be_queued_again_even_by_itself(worker):
    runs = []

    def run(w: kthread_work) -> None:
        runs.append(1)
        if len(runs) < 5:
            assert kthread_queue_work(worker, w) is True

    w = work(run)
    kthread_queue_work(worker, w)
    eventually(lambda: len(runs) == 5)
    kthread_flush_worker(worker)
    assert len(runs) == 5


# -- flush -----------------------------------------------------------------------------------------


def test_flush_of_idle_work_returns_at_once(worker):
    w = work(lambda w: None)
    kthread_flush_work(w)
    kthread_queue_work(worker, w)
    kthread_flush_work(w)
    kthread_flush_work(w)


def test_flush_waits_for_running_work_but_not_for_what_is_behind_it(worker):
    gate, behind = Gate(), Gate()
    w, later = work(lambda w: gate.enter()), work(lambda w: behind.enter())
    kthread_queue_work(worker, w)
    gate.arrived()
    kthread_queue_work(worker, later)
    flusher = Thread(kthread_flush_work, w)
    never(lambda: flusher.done)
    gate.open()
    flusher.join()
    behind.arrived()
    behind.open()


def test_flush_waits_for_queued_work(worker):
    gate, ran = Gate(), []
    kthread_queue_work(worker, work(lambda w: gate.enter()))
    gate.arrived()
    w = work(lambda w: ran.append(1))
    kthread_queue_work(worker, w)
    flusher = Thread(lambda: (kthread_flush_work(w), list(ran)))
    never(lambda: flusher.done)
    gate.open()
    assert flusher.join() == (None, [1])


def test_flush_of_queued_work_does_not_wait_for_what_is_behind_it(worker):
    gate, behind = Gate(), Gate()
    kthread_queue_work(worker, work(lambda w: gate.enter()))
    gate.arrived()
    w = work(lambda w: None)
    kthread_queue_work(worker, w)
    kthread_queue_work(worker, work(lambda w: behind.enter()))
    flusher = Thread(kthread_flush_work, w)
    eventually(lambda: flusher.task._state == TASK_UNINTERRUPTIBLE)
    gate.open()
    behind.arrived()
    flusher.join()
    behind.open()


def test_flush_of_the_worker_waits_for_everything_before_it(worker):
    ran = []
    for n in range(20):
        kthread_queue_work(worker, work(lambda w, n=n: ran.append(n)))
    kthread_flush_worker(worker)
    assert ran == list(range(20))


# -- cancel ----------------------------------------------------------------------------------------


def test_cancelled_work_does_not_run(worker):
    gate, ran = Gate(), []
    kthread_queue_work(worker, work(lambda w: gate.enter()))
    gate.arrived()
    w = work(lambda w: ran.append(1))
    kthread_queue_work(worker, w)
    assert kthread_cancel_work_sync(w) is True
    assert kthread_cancel_work_sync(w) is False
    assert list_empty(w.node)
    gate.open()
    kthread_flush_worker(worker)
    assert ran == []


def test_cancel_of_work_that_was_never_queued(kernel):
    assert kthread_cancel_work_sync(work(lambda w: None)) is False


def test_cancel_waits_for_running_work_and_refuses_to_have_it_queued_again(worker):
    gate, refused, runs = Gate(), [], []

    def run(w: kthread_work) -> None:
        runs.append(1)
        if len(runs) == 1:
            gate.enter()
            refused.append(kthread_queue_work(worker, w))

    w = work(run)
    kthread_queue_work(worker, w)
    gate.arrived()
    canceller = Thread(kthread_cancel_work_sync, w)
    eventually(lambda: w.canceling)
    never(lambda: canceller.done, msecs=5)
    gate.open()
    assert canceller.join() is False
    assert refused == [False]
    assert kthread_queue_work(worker, w) is True, "afterwards it can be queued again"
    kthread_flush_work(w)
    assert len(runs) == 2


# -- delayed work ----------------------------------------------------------------------------------


def test_delayed_work_runs_when_its_time_has_come(worker):
    ran = []
    w = delayed(lambda w: ran.append(jiffies()))
    due = jiffies() + 3
    assert kthread_queue_delayed_work(worker, w, 3) is True
    assert w.timer.expires >= due
    assert not list_empty(worker.delayed_work_list)
    assert kthread_queue_delayed_work(worker, w, 0) is False, "it is queued already"
    eventually(lambda: ran)
    assert ran[0] >= due
    kthread_flush_worker(worker)
    assert list_empty(worker.delayed_work_list)


def test_without_delay_it_is_queued_at_once(worker):
    ran = []
    w = delayed(lambda w: ran.append(1))
    assert kthread_queue_delayed_work(worker, w, 0) is True
    kthread_flush_work(w.work)
    assert ran == [1]


def test_mod_queues_what_is_idle_and_moves_what_is_pending(worker):
    ran = []
    w = delayed(lambda w: ran.append(jiffies()))
    assert kthread_mod_delayed_work(worker, w, 100_000) is False
    assert kthread_mod_delayed_work(worker, w, 100_000) is True
    due = jiffies() + 2
    assert kthread_mod_delayed_work(worker, w, 2) is True
    eventually(lambda: ran)
    assert ran[0] >= due
    kthread_flush_worker(worker)
    assert len(ran) == 1
    assert kthread_mod_delayed_work(worker, w, 0) is False
    kthread_flush_work(w.work)
    assert len(ran) == 2


def test_cancel_stops_the_timer(worker):
    ran = []
    w = delayed(lambda w: ran.append(1))
    kthread_queue_delayed_work(worker, w, 3)
    assert kthread_cancel_delayed_work_sync(w) is True
    assert kthread_cancel_delayed_work_sync(w) is False
    never(lambda: ran, msecs=25)
    assert list_empty(worker.delayed_work_list)


def test_mod_and_cancel_from_many_threads(worker):
    ran = []
    w = delayed(lambda w: ran.append(1))

    def mess(n: int) -> None:
        for i in range(60):
            if (i + n) % 3 == 0:
                kthread_cancel_delayed_work_sync(w)
            else:
                kthread_mod_delayed_work(worker, w, (i + n) % 2)

    together(*[lambda n=n: mess(n) for n in range(4)])
    kthread_cancel_delayed_work_sync(w)
    settled = len(ran)
    never(lambda: len(ran) > settled, msecs=20)
    kthread_flush_worker(worker)
    assert list_empty(worker.work_list)
    assert list_empty(worker.delayed_work_list)


# -- workers ---------------------------------------------------------------------------------------


def test_destroy_runs_what_is_queued_first(kernel):
    worker = kthread_run_worker(0, "w")
    ran = []
    for n in range(10):
        kthread_queue_work(worker, work(lambda w, n=n: ran.append(n)))
    kthread_destroy_worker(worker)
    assert ran == list(range(10))


def test_a_created_worker_starts_when_it_is_woken(kernel):
    worker = kthread_create_worker(0, "w")
    ran = []
    never(lambda: to_kthread(worker.task).started, msecs=5)
    kthread_queue_work(worker, work(lambda w: ran.append(1)))
    wake_up_process(worker.task)
    kthread_flush_worker(worker)
    assert ran == [1]
    kthread_destroy_worker(worker)


@pytest.mark.parametrize("nth", [1, 2])
def test_without_memory_there_is_no_worker(kernel, nth):
    kthread_destroy_worker(kthread_run_worker(0, "w"))
    fail_nth(nth)
    assert kthread_run_worker(0, "w") is ERR_PTR(-ENOMEM)


def test_a_worker_of_ones_own_thread(kernel):
    worker = kthread_worker()
    kthread_init_worker(worker)
    task = kthread_run(kthread_worker_fn, worker, "mine")
    ran = []
    w = work(lambda w: ran.append(current()))
    kthread_queue_work(worker, w)
    kthread_flush_worker(worker)
    assert ran == [task]
    assert kthread_stop(task) == 0
    assert worker.task is None


def test_destroying_a_worker_without_a_thread_is_a_warning(kernel):
    worker = kthread_worker()
    kthread_init_worker(worker)
    kthread_destroy_worker(worker)
    assert len(take_warnings(kernel)) == 1


def test_work_on_two_workers_at_once_is_a_warning(kernel, worker):
    other = kthread_run_worker(0, "other")
    w = work(lambda w: None)
    kthread_queue_work(worker, w)
    kthread_flush_work(w)
    assert kernel.warnings() == []
    kthread_queue_work(other, w)
    kthread_flush_worker(other)
    assert len(take_warnings(kernel)) == 1
    kthread_destroy_worker(other)


def test_producers_and_one_worker_lose_nothing(worker):
    ran = []
    done = DECLARE_COMPLETION_ONSTACK()
    items = [work(lambda w: (ran.append(w), complete(done))) for _ in range(200)]

    def produce(part: list[kthread_work]) -> None:
        for w in part:
            assert kthread_queue_work(worker, w)

    together(*[lambda k=k: produce(items[k::4]) for k in range(4)])
    for _ in items:
        wait_for_completion(done)
    assert len(ran) == len(set(ran)) == 200
