# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Workqueues: flushing, draining, cancelling and disabling with waiting; deadlock reports."""

from __future__ import annotations

import pytest

import kport
from kport.linux import workqueue
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock
from kport.linux.sched import PF_MEMALLOC, TASK_UNINTERRUPTIBLE, current
from kport.linux.workqueue import (
    __WQ_DRAINING,
    INIT_WORK,
    WORK_BUSY_PENDING,
    WORK_BUSY_RUNNING,
    WQ_MEM_RECLAIM,
    WQ_UNBOUND,
    alloc_ordered_workqueue,
    alloc_workqueue,
    cancel_work,
    cancel_work_sync,
    destroy_workqueue,
    disable_work,
    disable_work_sync,
    drain_workqueue,
    enable_work,
    flush_work,
    flush_workqueue,
    queue_work,
    schedule_work,
    system_percpu_wq,
    work_busy,
    work_pending,
    work_struct,
)
from tests.support import (
    Gate,
    Thread,
    eventually,
    never,
    sleep_ms,
    spin_until,
    take_warnings,
    together,
)


def work(function) -> work_struct:
    made = work_struct()
    INIT_WORK(made, function)
    return made


@pytest.fixture
def ordered(kernel):
    wq = alloc_ordered_workqueue("ordered", 0)
    yield wq
    destroy_workqueue(wq)


@pytest.fixture
def unbound(kernel):
    wq = alloc_workqueue("unbound", WQ_UNBOUND, 0)
    yield wq
    destroy_workqueue(wq)


# -- flush_work ------------------------------------------------------------------------------------


def test_flush_of_an_idle_item_is_false(ordered):
    w = work(lambda w: None)
    assert flush_work(w) is False
    queue_work(ordered, w)
    flush_work(w)
    assert flush_work(w) is False


def test_flush_waits_for_a_running_item(unbound):
    gate = Gate()
    w = work(lambda w: gate.enter())
    queue_work(unbound, w)
    gate.arrived()
    flusher = Thread(flush_work, w)
    eventually(lambda: flusher.task._state == TASK_UNINTERRUPTIBLE)
    never(lambda: flusher.done)
    gate.open()
    assert flusher.join() is True


def test_flush_waits_for_a_queued_item(ordered):
    gate, ran = Gate(), []
    queue_work(ordered, work(lambda w: gate.enter()))
    gate.arrived()
    w = work(lambda w: ran.append(1))
    queue_work(ordered, w)
    flusher = Thread(lambda: (flush_work(w), len(ran)))
    eventually(lambda: flusher.task._state == TASK_UNINTERRUPTIBLE)
    never(lambda: flusher.done)
    gate.open()
    assert flusher.join() == (True, 1)


def test_flush_waits_for_an_item_held_back_by_max_active(kernel):
    wq = alloc_workqueue("one", WQ_UNBOUND, 1)
    gate, ran = Gate(), []
    queue_work(wq, work(lambda w: gate.enter()))
    gate.arrived()
    w = work(lambda w: ran.append(1))
    queue_work(wq, w)
    assert w.inactive
    flusher = Thread(lambda: (flush_work(w), len(ran)))
    eventually(lambda: flusher.task._state == TASK_UNINTERRUPTIBLE)
    never(lambda: flusher.done)
    gate.open()
    assert flusher.join() == (True, 1)
    destroy_workqueue(wq)


def test_flush_waits_for_the_instance_queued_last(unbound):
    gates, runs = [Gate(), Gate()], []

    def run(w: work_struct) -> None:
        runs.append(1)
        gates[len(runs) - 1].enter()

    w = work(run)
    queue_work(unbound, w)
    gates[0].arrived()
    queue_work(unbound, w)
    flusher = Thread(flush_work, w)
    eventually(lambda: flusher.task._state == TASK_UNINTERRUPTIBLE)
    gates[0].open()
    gates[1].arrived()
    never(lambda: flusher.done)
    gates[1].open()
    assert flusher.join() is True
    assert len(runs) == 2


def test_flush_does_not_wait_for_instances_queued_after_it(ordered):
    gates = [Gate(), Gate()]
    runs = []

    def run(w: work_struct) -> None:
        runs.append(1)
        if len(runs) == 1:
            queue_work(ordered, w)
        gates[len(runs) - 1].enter()

    w = work(run)
    queue_work(ordered, w)
    gates[0].arrived()
    cancel_work(w)
    flusher = Thread(flush_work, w)
    eventually(lambda: flusher.task._state == TASK_UNINTERRUPTIBLE)
    queue_work(ordered, w)
    gates[0].open()
    flusher.join()
    gates[1].arrived()
    gates[1].open()


def test_flush_does_not_wait_for_what_is_queued_behind_the_item(ordered):
    gate, behind = Gate(), Gate()
    queue_work(ordered, work(lambda w: gate.enter()))
    gate.arrived()
    w = work(lambda w: None)
    queue_work(ordered, w)
    queue_work(ordered, work(lambda w: behind.enter()))
    flusher = Thread(flush_work, w)
    eventually(lambda: flusher.task._state == TASK_UNINTERRUPTIBLE)
    gate.open()
    behind.arrived()
    assert flusher.join() is True
    behind.open()


@pytest.mark.boot(cpus=2)
def test_no_other_worker_overtakes_the_item_that_is_flushed(kernel):
    """Two workers become free at once: they must not take the item and the flush behind it."""
    gate, inside, stop = Gate(), [], []

    def spin(w: work_struct) -> None:
        inside.append(1)
        spin_until(lambda: stop)

    spinners = [work(spin), work(spin)]
    w = work(lambda w: gate.enter())
    for item in (*spinners, w):
        schedule_work(item)
    eventually(lambda: len(inside) == 2)
    flusher = Thread(flush_work, w)
    eventually(lambda: flusher.task._state == TASK_UNINTERRUPTIBLE)
    stop.append(1)
    gate.arrived()
    never(lambda: flusher.done, msecs=10)
    gate.open()
    assert flusher.join() is True
    for item in spinners:
        flush_work(item)


def test_several_may_flush_one_item(unbound):
    gate = Gate()
    w = work(lambda w: gate.enter())
    queue_work(unbound, w)
    gate.arrived()
    flushers = [Thread(flush_work, w) for _ in range(4)]
    never(lambda: any(f.done for f in flushers))
    gate.open()
    assert [f.join() for f in flushers] == [True] * 4


def test_an_item_may_flush_another_of_its_queue(unbound):
    order = []
    inner = work(lambda w: (sleep_ms(2), order.append("inner")))

    def outer(w: work_struct) -> None:
        queue_work(unbound, inner)
        flush_work(inner)
        order.append("outer")

    w = work(outer)
    queue_work(unbound, w)
    flush_work(w)
    assert order == ["inner", "outer"]


# -- flush_workqueue -------------------------------------------------------------------------------


def test_flush_of_an_empty_queue_returns(ordered):
    flush_workqueue(ordered)
    queue_work(ordered, work(lambda w: None))
    flush_workqueue(ordered)
    flush_workqueue(ordered)


def test_flush_waits_for_everything_queued_before_it_and_nothing_after(unbound):
    early, late = Gate(), Gate()
    ran = []
    for _ in range(5):
        queue_work(unbound, work(lambda w: (early.enter(), ran.append("early"))))
    for _ in range(5):
        early.arrived()
    flusher = Thread(lambda: (flush_workqueue(unbound), len(ran)))
    eventually(lambda: unbound.pwq.flushers)
    queue_work(unbound, work(lambda w: late.enter()))
    late.arrived()
    never(lambda: flusher.done)
    early.open()
    assert flusher.join() == (None, 5)
    late.open()


def test_flushes_at_different_times_end_in_their_order(ordered):
    gates = [Gate() for _ in range(3)]
    flushers = []
    for n, gate in enumerate(gates):
        queue_work(ordered, work(lambda w, gate=gate: gate.enter()))
        flushers.append(Thread(flush_workqueue, ordered))
        eventually(lambda n=n: len(ordered.pwq.flushers) == n + 1)
    for n, gate in enumerate(gates):
        gate.arrived()
        never(lambda n=n: flushers[n].done, msecs=5)
        gate.open()
        flushers[n].join()


def test_an_item_that_queues_itself_again_does_not_keep_a_flush(ordered):
    stop, runs = [], []

    def again(w: work_struct) -> None:
        runs.append(1)
        sleep_ms(0.1)
        if not stop:
            queue_work(ordered, w)

    w = work(again)
    queue_work(ordered, w)
    eventually(lambda: runs)
    flush_workqueue(ordered)
    flush_work(w)
    stop.append(1)
    flush_work(w)


def test_concurrent_flushes_and_producers(unbound):
    ran, queued = [], []

    def produce(k: int) -> None:
        for n in range(60):
            queue_work(unbound, work(lambda w, k=k, n=n: ran.append((k, n))))
            queued.append((k, n))

    def flush() -> None:
        for _ in range(30):
            before = set(queued)
            flush_workqueue(unbound)
            assert before <= set(ran)

    together(lambda: produce(0), flush, lambda: produce(1), flush, lambda: produce(2))
    flush_workqueue(unbound)
    assert len(ran) == 180


# -- cancel_work_sync ------------------------------------------------------------------------------


def test_cancel_sync_takes_a_queued_item_back(ordered):
    gate, ran = Gate(), []
    queue_work(ordered, work(lambda w: gate.enter()))
    gate.arrived()
    w = work(lambda w: ran.append(1))
    queue_work(ordered, w)
    assert cancel_work_sync(w) is True
    assert cancel_work_sync(w) is False
    gate.open()
    flush_workqueue(ordered)
    assert ran == []


def test_cancel_sync_waits_for_a_running_item(unbound):
    gate, left = Gate(), []
    w = work(lambda w: (gate.enter(), left.append(1)))
    queue_work(unbound, w)
    gate.arrived()
    canceller = Thread(lambda: (cancel_work_sync(w), len(left)))
    never(lambda: canceller.done)
    gate.open()
    assert canceller.join() == (False, 1)


def test_while_cancel_sync_waits_the_item_cannot_be_queued_not_even_by_itself(unbound):
    gate, refused, runs = Gate(), [], []

    def run(w: work_struct) -> None:
        runs.append(1)
        if len(runs) == 1:
            gate.enter()
            refused.append(queue_work(unbound, w))

    w = work(run)
    queue_work(unbound, w)
    gate.arrived()
    canceller = Thread(cancel_work_sync, w)
    eventually(lambda: w.disable)
    refused.append(queue_work(unbound, w))
    refused.append(queue_work(system_percpu_wq, w))
    assert not work_pending(w)
    gate.open()
    canceller.join()
    assert refused == [False, False, False]
    assert queue_work(unbound, w) is True, "afterwards it can"
    flush_work(w)
    assert len(runs) == 2


def test_cancel_sync_ends_an_item_that_always_queues_itself(unbound):
    for _ in range(20):
        w = work(lambda w: queue_work(unbound, w))
        queue_work(unbound, w)
        cancel_work_sync(w)
        assert not work_pending(w)
        assert work_busy(w) == 0


def test_cancelling_an_item_that_others_flush(ordered):
    """A barrier behind an item that is taken back must still be reached."""
    gate = Gate()
    queue_work(ordered, work(lambda w: gate.enter()))
    gate.arrived()
    w = work(lambda w: None)
    queue_work(ordered, w)
    flusher = Thread(flush_work, w)
    eventually(lambda: w.linked)
    assert cancel_work_sync(w) is True
    gate.open()
    assert flusher.join() is True


def test_cancelling_an_item_held_back_that_others_flush(kernel):
    wq = alloc_workqueue("one", WQ_UNBOUND, 1)
    gate = Gate()
    queue_work(wq, work(lambda w: gate.enter()))
    gate.arrived()
    first, second = work(lambda w: None), work(lambda w: None)
    queue_work(wq, first)
    queue_work(wq, second)
    flushers = [Thread(flush_work, second), Thread(flush_work, first)]
    eventually(lambda: first.linked and second.linked)
    assert cancel_work(second) is True
    assert cancel_work(first) is True
    gate.open()
    for flusher in flushers:
        flusher.join()
    destroy_workqueue(wq)


def test_queue_cancel_and_flush_from_many_threads(unbound):
    inside, worst, runs = [], [], []

    def run(w: work_struct) -> None:
        inside.append(1)
        worst.append(len(inside))
        runs.append(1)
        inside.pop()

    w = work(run)

    def mess(k: int) -> int:
        taken = 0
        for n in range(80):
            choice = (n + k) % 4
            if choice < 2:
                taken += queue_work(unbound, w)
            elif choice == 2:
                taken -= cancel_work_sync(w)
            else:
                flush_work(w)
        return taken

    accepted = sum(together(*[lambda k=k: mess(k) for k in range(4)]))
    accepted -= cancel_work_sync(w)
    assert len(runs) == accepted, "every accepted queueing, less what was cancelled, ran"
    assert set(worst) <= {1}


# -- disable and enable ----------------------------------------------------------------------------


def test_a_disabled_item_is_refused_until_it_is_enabled_as_often(ordered):
    ran = []
    w = work(lambda w: ran.append(1))
    assert disable_work(w) is False
    assert queue_work(ordered, w) is False
    assert not work_pending(w)
    assert disable_work(w) is False
    assert enable_work(w) is False
    assert queue_work(ordered, w) is False
    assert enable_work(w) is True
    assert ran == [], "enabling does not queue what was refused"
    assert queue_work(ordered, w) is True
    flush_work(w)
    assert ran == [1]


def test_disabling_takes_a_queued_item_back(ordered):
    gate, ran = Gate(), []
    queue_work(ordered, work(lambda w: gate.enter()))
    gate.arrived()
    w = work(lambda w: ran.append(1))
    queue_work(ordered, w)
    assert disable_work(w) is True
    gate.open()
    flush_workqueue(ordered)
    assert ran == []
    assert enable_work(w) is True
    assert not work_pending(w)
    never(lambda: ran, msecs=5)


def test_disable_does_not_wait_and_disable_sync_does(unbound):
    gate = Gate()
    w = work(lambda w: gate.enter())
    queue_work(unbound, w)
    gate.arrived()
    assert disable_work(w) is False
    assert work_busy(w) == WORK_BUSY_RUNNING
    waiter = Thread(disable_work_sync, w)
    never(lambda: waiter.done)
    gate.open()
    assert waiter.join() is False
    assert enable_work(w) is False
    assert enable_work(w) is True


def test_cancel_sync_of_a_disabled_item_leaves_it_disabled(ordered):
    w = work(lambda w: None)
    disable_work(w)
    assert cancel_work_sync(w) is False
    assert queue_work(ordered, w) is False
    assert enable_work(w) is True


def test_enabling_too_often_is_a_warning(kernel, ordered):
    w = work(lambda w: None)
    assert enable_work(w) is True
    (text,) = take_warnings(kernel)
    assert "workqueue: work disable count underflowed" in text


# -- drain -----------------------------------------------------------------------------------------


def test_drain_runs_chained_work_to_its_end(ordered):
    runs = []

    def chain(w: work_struct) -> None:
        runs.append(1)
        if len(runs) < 25:
            assert queue_work(ordered, w)

    queue_work(ordered, work(chain))
    drain_workqueue(ordered)
    assert len(runs) == 25
    assert queue_work(ordered, work(lambda w: runs.append(1))), "open again after the drain"
    flush_workqueue(ordered)
    assert len(runs) == 26


def test_drain_waits_for_the_last_of_a_chain(ordered):
    first, last, runs = Gate(), Gate(), []

    def chain(w: work_struct) -> None:
        runs.append(1)
        if len(runs) == 1:
            first.enter()
        if len(runs) < 5:
            queue_work(ordered, w)
        else:
            last.enter()

    queue_work(ordered, work(chain))
    first.arrived()
    drainer = Thread(drain_workqueue, ordered)
    eventually(lambda: drainer.task._state == TASK_UNINTERRUPTIBLE)
    first.open()
    last.arrived()
    never(lambda: drainer.done, msecs=10)
    last.open()
    drainer.join()


def test_a_queue_is_open_again_when_its_last_drain_has_ended(ordered, monkeypatch):
    gate = Gate()
    flush = workqueue.flush_workqueue
    monkeypatch.setattr(workqueue, "flush_workqueue", lambda wq: (gate.enter(), flush(wq)))
    drainer = Thread(drain_workqueue, ordered)
    gate.arrived()
    monkeypatch.undo()
    drain_workqueue(ordered)
    assert ordered.flags & __WQ_DRAINING
    gate.open()
    drainer.join()
    assert not ordered.flags & __WQ_DRAINING


def test_while_it_drains_foreign_work_is_refused_with_a_warning(kernel, ordered):
    gate = Gate()
    queue_work(ordered, work(lambda w: gate.enter()))
    gate.arrived()
    drainer = Thread(drain_workqueue, ordered)
    eventually(lambda: ordered.nr_drainers)
    ran = []

    def foreign(w: work_struct) -> None:
        ran.append(1)

    w = work(foreign)
    assert queue_work(ordered, w) is True, "as in C: it took the item and dropped it"
    assert not work_pending(w), "with PENDING cleared"
    (text,) = take_warnings(kernel)
    assert "workqueue: cannot queue foreign on wq ordered" in text
    other = work(lambda w: queue_work(ordered, work(foreign)))
    schedule_work(other)
    flush_work(other)
    assert kernel.warnings() == [], "said once"
    gate.open()
    drainer.join()
    assert ran == []
    assert queue_work(ordered, w) is True
    flush_work(w)
    assert ran == [1]


def test_two_may_drain_at_once(ordered):
    gate = Gate()
    queue_work(ordered, work(lambda w: gate.enter()))
    gate.arrived()
    drainers = [Thread(drain_workqueue, ordered) for _ in range(2)]
    eventually(lambda: ordered.nr_drainers == 2)
    gate.open()
    for drainer in drainers:
        drainer.join()
    assert ordered.nr_drainers == 0
    assert queue_work(ordered, work(lambda w: None)) is True


def test_queueing_on_a_queue_that_is_being_destroyed_is_a_warning(kernel):
    wq = alloc_ordered_workqueue("going", 0)
    gate = Gate()
    queue_work(wq, work(lambda w: gate.enter()))
    gate.arrived()
    destroyer = Thread(destroy_workqueue, wq)
    eventually(lambda: wq.nr_drainers)
    queue_work(wq, work(lambda w: None))
    (text,) = take_warnings(kernel)
    assert "workqueue: cannot queue <lambda> on wq going" in text
    gate.open()
    destroyer.join()


# -- deadlocks and dependencies --------------------------------------------------------------------


@pytest.mark.parametrize("wait", [flush_work, cancel_work_sync, disable_work_sync])
def test_an_item_that_waits_for_itself_is_a_deadlock_report(boot, wait):
    def selfish(w: work_struct) -> None:
        wait(w)

    with pytest.raises(kport.KernelOops, match="BUG: deadlock: selfish waits for itself"):
        with boot():
            schedule_work(work(selfish))
            eventually(lambda: False)


@pytest.mark.parametrize("wait", [flush_workqueue, drain_workqueue])
def test_an_item_that_flushes_its_own_queue_is_a_deadlock_report(boot, wait):
    def selfish(w: work_struct) -> None:
        wait(queue[0])

    queue = []
    with pytest.raises(kport.KernelOops, match="BUG: deadlock: selfish flushes its own queue"):
        with boot():
            queue.append(alloc_ordered_workqueue("q", 0))
            queue_work(queue[0], work(selfish))
            eventually(lambda: False)


def test_a_lock_held_by_who_cancels_and_wanted_by_the_item_ends_with_the_kernel(boot):
    """A real deadlock: nobody can resolve it, but leaving the kernel ends it."""
    lock = mutex()
    with boot() as kernel:
        mutex_init(lock)
        w = work(lambda w: (mutex_lock(lock), mutex_unlock(lock)))
        mutex_lock(lock)
        schedule_work(w)
        eventually(lambda: work_busy(w) == WORK_BUSY_RUNNING)
        canceller = Thread(cancel_work_sync, w)
        never(lambda: canceller.done)
        mutex_unlock(lock)
        canceller.join()
    assert not kernel.leaks


def test_a_queue_that_must_make_progress_may_not_wait_for_one_that_need_not(kernel):
    reclaim = alloc_workqueue("reclaim", WQ_MEM_RECLAIM | WQ_UNBOUND, 0)
    other = alloc_workqueue("other", WQ_UNBOUND, 0)
    inner = work(lambda w: sleep_ms(1))

    def outer(w: work_struct) -> None:
        queue_work(other, inner)
        flush_work(inner)

    w = work(outer)
    queue_work(reclaim, w)
    flush_work(w)
    (text,) = take_warnings(kernel)
    assert "workqueue: WQ_MEM_RECLAIM reclaim:outer is flushing !WQ_MEM_RECLAIM other:" in text
    destroy_workqueue(reclaim)
    destroy_workqueue(other)


def test_a_task_that_frees_memory_may_not_wait_for_a_queue_without_rescuer(kernel):
    def reclaimer() -> None:
        current().flags |= PF_MEMALLOC
        gate = Gate()
        w = work(lambda w: gate.enter())
        schedule_work(w)
        gate.arrived()
        opener = Thread(lambda: (sleep_ms(2), gate.open()))
        flush_work(w)
        opener.join()

    Thread(reclaimer, name="kswapd0").join()
    (text,) = take_warnings(kernel)
    assert "workqueue: PF_MEMALLOC task" in text
    assert "(kswapd0) is flushing !WQ_MEM_RECLAIM events:<lambda>" in text


def test_cancelling_across_that_border_is_allowed(kernel):
    reclaim = alloc_workqueue("reclaim", WQ_MEM_RECLAIM | WQ_UNBOUND, 0)
    gate = Gate()
    inner = work(lambda w: gate.enter())

    def outer(w: work_struct) -> None:
        gate.open()
        cancel_work_sync(inner)

    schedule_work(inner)
    gate.arrived()
    w = work(outer)
    queue_work(reclaim, w)
    flush_work(w)
    assert kernel.warnings() == []
    destroy_workqueue(reclaim)


def test_flushing_an_item_that_was_never_initialised_is_a_warning(kernel):
    assert flush_work(work_struct()) is False
    assert len(take_warnings(kernel)) == 1


def test_busy_is_pending_and_running_at_once_for_an_item_queued_while_it_runs(unbound):
    gate = Gate()
    w = work(lambda w: gate.enter())
    queue_work(unbound, w)
    gate.arrived()
    queue_work(unbound, w)
    assert work_busy(w) == WORK_BUSY_PENDING | WORK_BUSY_RUNNING
    gate.open()
    flush_work(w)
