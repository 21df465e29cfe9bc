# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Rescuers: a WQ_MEM_RECLAIM queue makes progress when no worker can be made."""

from __future__ import annotations

import pytest

from kport.arch.asm import current
from kport.linux import sched, workqueue
from kport.linux.kthread import get_kthread_comm
from kport.linux.workqueue import (
    INIT_WORK,
    WQ_MEM_RECLAIM,
    WQ_UNBOUND,
    alloc_ordered_workqueue,
    alloc_workqueue,
    current_work,
    destroy_workqueue,
    flush_work,
    flush_workqueue,
    queue_work,
    work_struct,
)
from tests.support import Gate, eventually, messages, never, sleep_ms


def work(function) -> work_struct:
    made = work_struct()
    INIT_WORK(made, function)
    return made


def threads(wq) -> list[str]:
    return [get_kthread_comm(wq.rescuer.task)] if wq.rescuer else []


def test_only_queues_that_free_memory_have_a_rescuer(kernel):
    plain = alloc_ordered_workqueue("plain", 0)
    safe = alloc_ordered_workqueue("safe", WQ_MEM_RECLAIM)
    assert threads(plain) == []
    assert threads(safe) == ["kworker/R-safe"]
    destroy_workqueue(plain)
    destroy_workqueue(safe)


def test_with_workers_the_rescuer_does_nothing(kernel):
    wq = alloc_ordered_workqueue("safe", WQ_MEM_RECLAIM)
    seen = []
    for _ in range(20):
        queue_work(wq, work(lambda w: seen.append(get_kthread_comm(current()))))
    flush_workqueue(wq)
    assert "kworker/R-safe" not in seen
    destroy_workqueue(wq)


@pytest.mark.parametrize("n", [1, 12])
def test_without_any_worker_the_rescuer_runs_the_items_in_order(kernel, n):
    wq = alloc_ordered_workqueue("safe", WQ_MEM_RECLAIM)
    workqueue.creation_failures = 10**6
    seen = []
    items = [
        work(lambda w, k=k: seen.append((k, get_kthread_comm(current()), current_work() is w)))
        for k in range(n)
    ]
    for w in items:
        queue_work(wq, w)
    flush_work(items[-1])
    assert seen == [(k, "kworker/R-safe", True) for k in range(n)]
    workqueue.creation_failures = 0
    destroy_workqueue(wq)


def test_a_queue_without_rescuer_waits_until_a_worker_can_be_made(kernel):
    wq = alloc_workqueue("plain", WQ_UNBOUND, 0)
    workqueue.creation_failures = 10**6
    ran = []
    w = work(lambda w: ran.append(1))
    queue_work(wq, w)
    never(lambda: ran, msecs=40)
    workqueue.creation_failures = 0
    flush_work(w)
    assert ran == [1]
    destroy_workqueue(wq)


def test_the_rescuer_serves_its_own_queue_only(kernel):
    safe = alloc_ordered_workqueue("safe", WQ_MEM_RECLAIM)
    plain = alloc_workqueue("plain", WQ_UNBOUND, 0)
    workqueue.creation_failures = 10**6
    ran = []
    first, second, third = (work(lambda w, k=k: ran.append(k)) for k in ("p", "s", "p2"))
    queue_work(plain, first)
    queue_work(safe, second)
    queue_work(plain, third)
    flush_work(second)
    assert ran == ["s"]
    workqueue.creation_failures = 0
    flush_work(first)
    flush_work(third)
    assert ran == ["s", "p", "p2"]
    destroy_workqueue(safe)
    destroy_workqueue(plain)


def test_each_safe_queue_is_rescued_by_its_own(kernel):
    queues = [alloc_ordered_workqueue("safe%d", WQ_MEM_RECLAIM, n) for n in range(3)]
    workqueue.creation_failures = 10**6
    seen = {}
    items = []
    for wq in queues:
        w = work(lambda w, wq=wq: seen.__setitem__(wq.name, get_kthread_comm(current())))
        items.append(w)
        queue_work(wq, w)
    for w in items:
        flush_work(w)
    assert seen == {f"safe{n}": f"kworker/R-safe{n}" for n in range(3)}
    workqueue.creation_failures = 0
    for wq in queues:
        destroy_workqueue(wq)


def test_a_pool_whose_workers_all_sleep_is_rescued_when_no_further_one_can_be_made(kernel):
    """The last idle worker may not leave before it has made another; when that fails, mayday."""
    safe = alloc_ordered_workqueue("safe", WQ_MEM_RECLAIM)
    hog = alloc_workqueue("hog", WQ_UNBOUND, 0)
    gate = Gate()
    blocked = [work(lambda w: gate.enter()) for _ in range(3)]
    for w in blocked:
        queue_work(hog, w)
        gate.arrived()
    workqueue.creation_failures = 10**6
    stuck = [work(lambda w: gate.enter()) for _ in range(2)]
    for w in stuck:
        queue_work(hog, w)
    ran = []
    w = work(lambda w: ran.append(get_kthread_comm(current())))
    queue_work(safe, w)
    flush_work(w)
    assert ran
    workqueue.creation_failures = 0
    gate.open()
    for item in (*blocked, *stuck):
        flush_work(item)
    destroy_workqueue(safe)
    destroy_workqueue(hog)


def test_failing_to_make_a_worker_is_in_the_log_and_is_tried_again(kernel):
    wq = alloc_workqueue("plain", WQ_UNBOUND, 0)
    first = Gate()
    a, b = work(lambda w: first.enter()), work(lambda w: None)
    queue_work(wq, a)
    first.arrived()
    workqueue.creation_failures = 1
    # The idle worker that wakes for b finds nobody idle behind it and must make one.
    queue_work(wq, b)
    eventually(lambda: workqueue.creation_failures == 0)
    eventually(lambda: any("Failed to create a worker thread" in line for line in messages(kernel)))
    first.open()
    flush_work(a)
    flush_work(b)
    destroy_workqueue(wq)


def test_destroy_stops_the_rescuer(kernel):
    wq = alloc_ordered_workqueue("safe", WQ_MEM_RECLAIM)
    task = wq.rescuer.task
    destroy_workqueue(wq)
    assert task.pid not in sched.tasks


def test_the_rescuer_waits_for_an_item_that_still_runs_elsewhere(kernel):
    """Non-reentrancy holds for rescuers too: the item goes to the worker that runs it."""
    wq = alloc_workqueue("safe", WQ_MEM_RECLAIM | WQ_UNBOUND, 0)
    gate, inside, worst, runs = Gate(), [], [], []

    def run(w: work_struct) -> None:
        inside.append(1)
        worst.append(len(inside))
        runs.append(1)
        if len(runs) == 1:
            gate.enter()
        inside.pop()

    w = work(run)
    queue_work(wq, w)
    gate.arrived()
    workqueue.creation_failures = 10**6
    queue_work(wq, w)
    sleep_ms(30)
    assert len(runs) == 1
    gate.open()
    eventually(lambda: len(runs) == 2)
    flush_work(w)
    assert set(worst) == {1}
    workqueue.creation_failures = 0
    destroy_workqueue(wq)
