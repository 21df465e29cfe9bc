# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Workqueues: PENDING, non-reentrancy, order, max_active, concurrency, destroying."""

from __future__ import annotations

import re

import pytest

import kport
from kport.arch.asm import current, preempt_disable, rcu_read_lock
from kport.linux import workqueue
from kport.linux.kthread import get_kthread_comm
from kport.linux.lockdep import lockdep_map
from kport.linux.sched import PF_KTHREAD, PF_WQ_WORKER
from kport.linux.slab import fail_nth, kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock, spinlock_t
from kport.linux.workqueue import (
    INIT_WORK,
    WORK_BUSY_PENDING,
    WORK_BUSY_RUNNING,
    WQ_DFL_ACTIVE,
    WQ_FREEZABLE,
    WQ_HIGHPRI,
    WQ_MAX_ACTIVE,
    WQ_MEM_RECLAIM,
    WQ_PERCPU,
    WQ_UNBOUND,
    alloc_ordered_workqueue,
    alloc_ordered_workqueue_lockdep_map,
    alloc_workqueue,
    cancel_work,
    cancel_work_sync,
    current_work,
    destroy_workqueue,
    flush_work,
    flush_workqueue,
    freeze_workqueues_begin,
    queue_work,
    queue_work_on,
    schedule_work,
    system_dfl_wq,
    system_highpri_wq,
    system_percpu_wq,
    system_unbound_wq,
    system_wq,
    thaw_workqueues,
    work_busy,
    work_pending,
    work_struct,
    workqueue_struct,
)
from tests.support import (
    Gate,
    Thread,
    eventually,
    messages,
    never,
    sleep_ms,
    spin_until,
    together,
)


def work(function) -> work_struct:
    made = work_struct()
    INIT_WORK(made, function)
    return made


@pytest.fixture
def ordered(kernel):
    wq = alloc_ordered_workqueue("ordered-%d", 0, 1)
    yield wq
    destroy_workqueue(wq)


@pytest.fixture
def unbound(kernel):
    wq = alloc_workqueue("unbound", WQ_UNBOUND, 0)
    yield wq
    destroy_workqueue(wq)


# -- one item --------------------------------------------------------------------------------------


def test_a_work_item_runs_in_a_worker(kernel, ordered):
    seen = []
    w = work(lambda w: seen.append((w, current_work(), current())))
    assert current_work() is None
    assert queue_work(ordered, w) is True
    flush_work(w)
    ((got, now, task),) = seen
    assert got is now is w
    assert task.flags & PF_KTHREAD
    assert task.flags & PF_WQ_WORKER
    assert get_kthread_comm(task).startswith("kworker/u")
    assert ordered.name == "ordered-1"


def test_pending_is_cleared_just_before_the_function_runs(ordered):
    gate, seen = Gate(), []
    queue_work(ordered, work(lambda w: gate.enter()))
    gate.arrived()
    w = work(lambda w: seen.append((work_pending(w), work_busy(w))))
    assert not work_pending(w)
    assert work_busy(w) == 0
    queue_work(ordered, w)
    assert work_pending(w)
    assert work_busy(w) == WORK_BUSY_PENDING
    gate.open()
    flush_work(w)
    assert seen == [(0, WORK_BUSY_RUNNING)]
    assert work_busy(w) == 0


def test_queueing_a_pending_item_says_false_and_it_runs_once(ordered):
    gate, runs = Gate(), []
    queue_work(ordered, work(lambda w: gate.enter()))
    gate.arrived()
    w = work(lambda w: runs.append(1))
    assert queue_work(ordered, w) is True
    assert queue_work(ordered, w) is False
    assert queue_work_on(3, system_percpu_wq, w) is False, "on no other queue either"
    gate.open()
    flush_work(w)
    assert runs == [1]


def test_an_item_may_queue_itself_while_it_runs_and_then_runs_again(ordered):
    runs = []

    def again(w: work_struct) -> None:
        runs.append(1)
        if len(runs) < 5:
            assert queue_work(ordered, w) is True
            assert work_pending(w)
            assert queue_work(ordered, w) is False

    w = work(again)
    queue_work(ordered, w)
    eventually(lambda: len(runs) == 5)
    flush_workqueue(ordered)
    assert len(runs) == 5


def test_an_item_queued_while_it_runs_runs_after_it_not_beside_it(unbound):
    gate, inside, worst, runs = Gate(), [], [], []

    def run(w: work_struct) -> None:
        inside.append(1)
        worst.append(len(inside))
        runs.append(current())
        if len(runs) == 1:
            gate.enter()
        inside.pop()

    w = work(run)
    queue_work(unbound, w)
    gate.arrived()
    assert queue_work(unbound, w) is True
    never(lambda: len(runs) > 1)
    gate.open()
    flush_work(w)
    assert len(runs) == 2
    assert runs[0] is runs[1], "it goes behind the instance that runs, to the same worker"
    assert set(worst) == {1}


def test_an_item_is_not_reentrant_whatever_queues_it_goes_through(kernel):
    """Moved to another queue while it runs, it must not run on two workers at once."""
    queues = [
        alloc_workqueue("a", WQ_UNBOUND, 0),
        alloc_workqueue("b", WQ_UNBOUND, 0),
        alloc_workqueue("c", WQ_UNBOUND | WQ_HIGHPRI, 0),
    ]
    inside, worst = [], []

    def run(w: work_struct) -> None:
        inside.append(1)
        worst.append(len(inside))
        sleep_ms(0.1)
        inside.pop()

    w = work(run)

    def push(wq: workqueue_struct) -> None:
        for _ in range(60):
            queue_work(wq, w)
            sleep_ms(0.05)

    together(*[lambda wq=wq: push(wq) for wq in queues[:2]])
    for wq in queues:
        flush_workqueue(wq)
        destroy_workqueue(wq)
    assert len(worst) > 1
    assert set(worst) == {1}


def test_no_run_is_lost_between_queueing_and_running(unbound):
    """After queue_work() returned, true or false, a run begins that sees what was stored before."""
    value, seen = [0], [0]
    w = work(lambda w: seen.__setitem__(0, value[0]))
    for n in range(1, 400):
        value[0] = n
        queue_work(unbound, w)
    flush_work(w)
    assert seen == [399]


def test_many_producers_and_one_item(unbound):
    stored, taken = [], []

    def run(w: work_struct) -> None:
        while stored:
            taken.append(stored.pop())

    w = work(run)

    def produce(k: int) -> None:
        for n in range(100):
            stored.append((k, n))
            queue_work(unbound, w)

    together(*[lambda k=k: produce(k) for k in range(5)])
    flush_work(w)
    assert len(taken) == len(set(taken)) == 500


def test_an_item_may_be_freed_by_its_function(ordered):
    """process_one_work() must not look at an item after its function began."""
    w = kzalloc_obj(work_struct)
    INIT_WORK(w, kfree)
    queue_work(ordered, w)
    flush_workqueue(ordered)


# -- ordered queues --------------------------------------------------------------------------------


def test_an_ordered_queue_runs_one_at_a_time_in_the_order_of_queueing(ordered):
    order, inside, worst = [], [], []

    def run(w: work_struct) -> None:
        inside.append(1)
        worst.append(len(inside))
        if len(order) % 7 == 0:
            sleep_ms(0.1)
        order.append(items.index(w))
        inside.pop()

    items = [work(run) for _ in range(60)]
    for w in items:
        queue_work(ordered, w)
    flush_workqueue(ordered)
    assert order == list(range(60))
    assert set(worst) == {1}


def test_an_item_that_sleeps_holds_up_its_ordered_queue_only(ordered, unbound):
    gate, ran = Gate(), []
    queue_work(ordered, work(lambda w: gate.enter()))
    behind = work(lambda w: ran.append("behind"))
    queue_work(ordered, behind)
    gate.arrived()
    other = work(lambda w: ran.append("other"))
    queue_work(unbound, other)
    flush_work(other)
    assert ran == ["other"]
    gate.open()
    flush_work(behind)
    assert ran == ["other", "behind"]


def test_several_producers_keep_their_own_order_on_an_ordered_queue(ordered):
    order = []
    items = {
        (k, n): work(lambda w, k=k, n=n: order.append((k, n))) for k in range(4) for n in range(40)
    }

    def produce(k: int) -> None:
        for n in range(40):
            queue_work(ordered, items[k, n])

    together(*[lambda k=k: produce(k) for k in range(4)])
    flush_workqueue(ordered)
    assert len(order) == 160
    for k in range(4):
        assert [n for kk, n in order if kk == k] == list(range(40))


# -- max_active ------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_no_more_than_max_active_items_run_and_the_rest_follow_in_order(kernel, limit):
    wq = alloc_workqueue("limited", WQ_UNBOUND, limit)
    gate, started = Gate(), []

    def run(w: work_struct) -> None:
        started.append(items.index(w))
        gate.enter()

    items = [work(run) for _ in range(limit + 4)]
    for w in items:
        queue_work(wq, w)
    for _ in range(limit):
        gate.arrived()
    never(lambda: len(started) > limit, msecs=10)
    assert sorted(started) == list(range(limit))
    gate.open()
    flush_workqueue(wq)
    assert len(started) == limit + 4
    if limit == 1:
        assert started == sorted(started)
    destroy_workqueue(wq)


def test_each_item_that_has_run_lets_one_follow(kernel):
    wq = alloc_workqueue("limited", WQ_UNBOUND, 2)
    gates = [Gate() for _ in range(4)]
    items = [work(lambda w, gate=gate: gate.enter()) for gate in gates]
    for w in items:
        queue_work(wq, w)
    gates[0].arrived()
    gates[1].arrived()
    gates[1].open()
    gates[2].arrived()
    eventually(lambda: not work_busy(items[1]))
    assert [work_busy(w) for w in items[2:]] == [WORK_BUSY_RUNNING, WORK_BUSY_PENDING]
    gates[0].open()
    gates[3].arrived()
    gates[2].open()
    gates[3].open()
    destroy_workqueue(wq)


def test_max_active_defaults_and_bounds(kernel):
    limits = []
    for asked in (0, 1, 7, WQ_MAX_ACTIVE, WQ_MAX_ACTIVE + 1):
        wq = alloc_workqueue("q", WQ_UNBOUND, asked)
        limits.append(wq.max_active)
        destroy_workqueue(wq)
    assert limits == [WQ_DFL_ACTIVE, 1, 7, WQ_MAX_ACTIVE, WQ_MAX_ACTIVE]
    assert (WQ_DFL_ACTIVE, WQ_MAX_ACTIVE) == (1024, 2048)


# -- freezing --------------------------------------------------------------------------------------


def test_a_frozen_queue_keeps_its_items_in_order_until_it_is_thawed(kernel):
    wq = alloc_ordered_workqueue("frozen", WQ_FREEZABLE)
    other = alloc_ordered_workqueue("other", 0)
    ran = []
    items = [work(lambda w: ran.append(items.index(w))) for _ in range(4)]
    freeze_workqueues_begin()
    for w in items[:3]:
        queue_work(wq, w)
    queue_work(other, items[3])
    flush_workqueue(other)
    assert ran == [3]
    assert [work_pending(w) for w in items] == [1, 1, 1, 0]
    assert cancel_work_sync(items[1])
    thaw_workqueues()
    flush_workqueue(wq)
    assert ran == [3, 0, 2]
    destroy_workqueue(wq)
    destroy_workqueue(other)


def test_what_runs_when_a_queue_is_frozen_goes_on_but_nothing_follows_it(kernel):
    wq = alloc_ordered_workqueue("frozen", WQ_FREEZABLE)
    gate, ran = Gate(), []

    def first(w: work_struct) -> None:
        gate.enter()
        ran.append(w)

    items = [work(first), work(ran.append)]
    for w in items:
        queue_work(wq, w)
    gate.arrived()
    freeze_workqueues_begin()
    gate.open()
    flush_work(items[0])
    never(lambda: len(ran) > 1, msecs=5)
    thaw_workqueues()
    flush_work(items[1])
    assert ran == items
    destroy_workqueue(wq)


def test_a_queue_made_while_others_are_frozen_is_frozen(kernel):
    freeze_workqueues_begin()
    wq = alloc_ordered_workqueue("late", WQ_FREEZABLE)
    ran = []
    w = work(lambda w: ran.append(w))
    queue_work(wq, w)
    never(lambda: ran, msecs=5)
    thaw_workqueues()
    thaw_workqueues()
    flush_work(w)
    assert ran == [w]
    destroy_workqueue(wq)


# -- concurrency -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["system_percpu_wq", "system_dfl_wq", "system_highpri_wq", "unbound"]
)
def test_items_that_sleep_make_room_for_others(kernel, name):
    """Eight items are inside their function at once, each waiting for the others."""
    queue = getattr(workqueue, name, None) or alloc_workqueue("unbound", WQ_UNBOUND, 0)
    gate, inside = Gate(), []
    items = [work(lambda w: (inside.append(1), gate.enter())) for _ in range(8)]
    for w in items:
        queue_work(queue, w)
    eventually(lambda: len(inside) == 8)
    gate.open()
    for w in items:
        flush_work(w)
    if name == "unbound":
        destroy_workqueue(queue)


@pytest.mark.boot(cpus=2)
def test_items_that_do_not_sleep_share_the_cpus_of_a_bound_pool(kernel):
    """Concurrency management: as many at once as there are CPUs, no more."""
    stop, inside, worst = [], [], []

    def spin(w: work_struct) -> None:
        inside.append(1)
        worst.append(len(inside))
        spin_until(lambda: stop)
        inside.pop()

    items = [work(spin) for _ in range(5)]
    for w in items:
        schedule_work(w)
    eventually(lambda: len(inside) == 2)
    never(lambda: len(inside) > 2, msecs=5)
    stop.append(1)
    for w in items:
        flush_work(w)
    assert max(worst) == 2


@pytest.mark.boot(cpus=2)
def test_a_worker_that_falls_asleep_lets_the_next_item_run(kernel):
    """Nobody else queues or ends at that moment: it is the sleep that wakes another worker."""
    gate, inside, stop = Gate(), [], []

    def spin_and_sleep(w: work_struct) -> None:
        inside.append(w)
        spin_until(lambda: stop)
        gate.enter()

    items = [work(spin_and_sleep), work(spin_and_sleep), work(inside.append)]
    for w in items:
        schedule_work(w)
    eventually(lambda: len(inside) == 2)
    never(lambda: len(inside) > 2, msecs=5)
    stop.append(1)
    eventually(lambda: len(inside) == 3)
    gate.open()
    for w in items:
        flush_work(w)


def test_different_items_of_the_system_queue_overlap_and_overtake(kernel):
    """What made the scheduler ask for ordered queues: here both would be wrong, there not."""
    gate, order = Gate(), []
    first = work(lambda w: (gate.enter(), order.append("first")))
    second = work(lambda w: (order.append("second"), gate.open()))
    queue_work(system_percpu_wq, first)
    gate.arrived()
    queue_work(system_percpu_wq, second)
    flush_work(first)
    assert order == ["second", "first"]


def test_schedule_work_is_the_per_cpu_system_queue(kernel):
    seen = []
    w = work(lambda w: seen.append(get_kthread_comm(current())))
    schedule_work(w)
    flush_work(w)
    assert re.fullmatch(r"kworker/0:\d", seen[0])
    assert (system_percpu_wq.name, system_dfl_wq.name, system_highpri_wq.name) == (
        "events",
        "events_unbound",
        "events_highpri",
    )


def test_workers_have_the_kernels_names(kernel):
    seen = {}
    for name in ("system_percpu_wq", "system_highpri_wq", "system_dfl_wq"):
        w = work(lambda w, name=name: seen.__setitem__(name, get_kthread_comm(current())))
        queue_work(getattr(workqueue, name), w)
        flush_work(w)
    assert re.fullmatch(r"kworker/0:\d", seen["system_percpu_wq"])
    assert re.fullmatch(r"kworker/0:\dH", seen["system_highpri_wq"])
    assert re.fullmatch(rf"kworker/u{kernel.machine.cpus}:\d", seen["system_dfl_wq"])


def test_the_deprecated_system_queues_say_so_once(kernel):
    ran = []
    for queue in (system_wq, system_unbound_wq, system_wq):
        w = work(lambda w: ran.append(1))
        queue_work(queue, w)
        flush_work(w)
    assert len(ran) == 3
    told = [line for line in messages(kernel) if "deprecated workqueue" in line]
    assert len(told) == 1
    assert told[0].endswith("Use system_{percpu|dfl}_wq instead.")
    assert told[0].startswith("workqueue: work func <lambda> enqueued on deprecated workqueue.")


@pytest.mark.parametrize("queue", [system_wq, system_unbound_wq], ids=["bound", "unbound"])
def test_each_of_them_is_deprecated(kernel, queue):
    w = work(lambda w: None)
    queue_work(queue, w)
    flush_work(w)
    assert len([line for line in messages(kernel) if "deprecated workqueue" in line]) == 1


@pytest.mark.parametrize("name", ["system_percpu_wq", "system_highpri_wq", "system_dfl_wq"])
def test_the_other_system_queues_are_not(kernel, name):
    w = work(lambda w: None)
    queue_work(getattr(workqueue, name), w)
    flush_work(w)
    assert not [line for line in messages(kernel) if "deprecated workqueue" in line]


# -- taking an item back ---------------------------------------------------------------------------


def test_cancel_takes_a_queued_item_back(ordered):
    gate, ran = Gate(), []
    queue_work(ordered, work(lambda w: gate.enter()))
    gate.arrived()
    w, behind = work(lambda w: ran.append("w")), work(lambda w: ran.append("behind"))
    queue_work(ordered, w)
    queue_work(ordered, behind)
    assert cancel_work(w) is True
    assert cancel_work(w) is False
    assert not work_pending(w)
    gate.open()
    flush_workqueue(ordered)
    assert ran == ["behind"]
    assert queue_work(ordered, w) is True
    flush_work(w)
    assert ran == ["behind", "w"]


def test_cancel_does_not_wait_for_a_running_instance(unbound):
    gate = Gate()
    w = work(lambda w: gate.enter())
    queue_work(unbound, w)
    gate.arrived()
    assert cancel_work(w) is False
    assert work_busy(w) == WORK_BUSY_RUNNING
    gate.open()
    flush_work(w)


# -- making and destroying -------------------------------------------------------------------------


@pytest.mark.boot(check="")  # it looks at what was freed
def test_destroy_runs_what_is_queued_and_frees_the_queue(kernel):
    wq = alloc_ordered_workqueue("q", WQ_MEM_RECLAIM)
    ran = []
    for n in range(20):
        queue_work(wq, work(lambda w, n=n: ran.append(n)))
    destroy_workqueue(wq)
    assert ran == list(range(20))
    with pytest.raises(AttributeError):
        assert wq.flags
    assert not any(q.name == "q" for q in workqueue.workqueues.values())


def test_destroy_waits_for_what_runs(kernel):
    wq = alloc_ordered_workqueue("q", 0)
    gate = Gate()
    queue_work(wq, work(lambda w: gate.enter()))
    gate.arrived()
    destroyer = Thread(destroy_workqueue, wq)
    never(lambda: destroyer.done, msecs=10)
    gate.open()
    destroyer.join()


def test_destroy_takes_chained_work_along(kernel):
    wq = alloc_ordered_workqueue("q", 0)
    ran = []

    def chain(w: work_struct) -> None:
        ran.append(1)
        if len(ran) < 10:
            assert queue_work(wq, w)

    queue_work(wq, work(chain))
    destroy_workqueue(wq)
    assert len(ran) == 10


@pytest.mark.parametrize("nth", [1, 2])
def test_without_memory_there_is_no_queue_and_no_leak(kernel, nth):
    """The queue itself, and its rescuer, need memory."""
    fail_nth(nth)
    assert alloc_ordered_workqueue("q", WQ_MEM_RECLAIM) is None
    assert not any(wq.name == "q" for wq in workqueue.workqueues.values())


def test_a_queue_without_a_rescuer_needs_one_allocation(kernel):
    fail_nth(2)
    wq = alloc_ordered_workqueue("q", 0)
    fail_nth(0)
    destroy_workqueue(wq)


def test_workers_are_not_made_with_the_memory_of_who_queues(kernel):
    w = work(lambda w: None)
    fail_nth(1)
    schedule_work(w)
    flush_work(w)
    assert kzalloc_obj(work_struct) is None, "the injected failure is still there"


def test_an_ordered_queue_with_a_lockdep_map(kernel):
    key = lockdep_map()
    wq = alloc_ordered_workqueue_lockdep_map("q-%s", 0, key, "x")
    assert wq.lockdep_map is key
    assert wq.name == "q-x"
    destroy_workqueue(wq)


def test_queues_share_pools(kernel):
    a, b = alloc_workqueue("a", WQ_UNBOUND, 0), alloc_ordered_workqueue("b", 0)
    c = alloc_workqueue("c", WQ_PERCPU, 0)
    assert a.pwq.pool is b.pwq.pool
    assert c.pwq.pool is system_percpu_wq.pwq.pool
    for wq in (a, b, c):
        destroy_workqueue(wq)


# -- what must not be left behind ------------------------------------------------------------------


def leak_a_preempt_count(w: work_struct) -> None:
    preempt_disable()


def leak_a_lock(w: work_struct) -> None:
    lock = spinlock_t()
    spin_lock_init(lock)
    spin_lock(lock)


def leak_a_read_side_section(w: work_struct) -> None:
    rcu_read_lock()


@pytest.mark.parametrize("leak", [leak_a_preempt_count, leak_a_lock, leak_a_read_side_section])
def test_a_function_that_leaves_atomic_context_behind_is_a_bug(boot, leak):
    with pytest.raises(kport.KernelOops, match="workqueue leaked atomic, lock or RCU"):
        with boot() as kernel:
            schedule_work(work(leak))
            eventually(lambda: False)
    assert kernel.oopses


def test_spinning_work_and_locks_do_not_disturb_each_other(unbound):
    lock = spinlock_t()
    spin_lock_init(lock, "L")
    total = []

    def run(w: work_struct) -> None:
        for _ in range(30):
            spin_lock(lock)
            total.append(1)
            spin_unlock(lock)

    items = [work(run) for _ in range(10)]
    for w in items:
        queue_work(unbound, w)
    flush_workqueue(unbound)
    assert len(total) == 300


def test_work_queued_from_threads_and_works_all_runs(unbound, ordered):
    ran = []

    def leaf(w: work_struct) -> None:
        ran.append(1)

    def node(w: work_struct) -> None:
        ran.append(1)
        queue_work(unbound, work(leaf))
        queue_work(ordered, work(leaf))

    def produce() -> None:
        for n in range(30):
            queue_work(ordered if n % 2 else unbound, work(node))

    together(produce, produce, produce)
    eventually(lambda: len(ran) == 270)
    assert Thread(lambda: len(ran)).join() == 270
