# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Simple wait queues: first come, first woken; a waiter that was woken is off the queue."""

from __future__ import annotations

import pytest

from kport.arch.asm import current
from kport.linux import swait
from kport.linux.err import ERESTARTSYS
from kport.linux.list import list_count_nodes, list_empty, list_first_entry
from kport.linux.sched import (
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    schedule,
    send_sig,
    task_struct,
    wake_up_state,
)
from kport.linux.spinlock import raw_spin_lock_irqsave, raw_spin_unlock_irqrestore
from kport.linux.swait import (
    DECLARE_SWAITQUEUE,
    __prepare_to_swait,
    finish_swait,
    init_swait_queue_head,
    prepare_to_swait_event,
    prepare_to_swait_exclusive,
    swait_queue,
    swait_queue_head,
    swake_up_all,
    swake_up_all_locked,
    swake_up_locked,
    swake_up_one,
)
from tests.support import Thread, eventually, never


@pytest.fixture
def q(kernel):
    made = swait_queue_head()
    init_swait_queue_head(made)
    return made


def sleepers(q: swait_queue_head, n: int, order: list[int]) -> list[Thread]:
    def sleep(number: int) -> None:
        wait = DECLARE_SWAITQUEUE()
        prepare_to_swait_exclusive(q, wait, TASK_UNINTERRUPTIBLE)
        schedule()
        flags = raw_spin_lock_irqsave(q.lock)
        assert list_empty(wait.task_list), "who was woken is off the queue"
        raw_spin_unlock_irqrestore(q.lock, flags)
        order.append(number)
        finish_swait(q, wait)

    threads = []
    for number in range(n):
        threads.append(Thread(sleep, number))
        eventually(lambda number=number: list_count_nodes(q.task_list) == number + 1)
    return threads


def test_one_wake_up_wakes_the_one_that_came_first(q):
    order: list[int] = []
    threads = sleepers(q, 3, order)
    for number in range(3):
        swake_up_one(q)
        threads[number].join()
        assert order == list(range(number + 1))
    swake_up_one(q)


@pytest.mark.parametrize("locked", [False, True])
def test_waking_all(q, locked):
    order: list[int] = []
    threads = sleepers(q, 4, order)
    if locked:
        flags = raw_spin_lock_irqsave(q.lock)
        swake_up_all_locked(q)
        raw_spin_unlock_irqrestore(q.lock, flags)
    else:
        swake_up_all(q)
    for thread in threads:
        thread.join()
    assert sorted(order) == [0, 1, 2, 3]
    assert list_empty(q.task_list)


def test_waking_all_does_not_wake_who_comes_meanwhile(q):
    order: list[int] = []
    threads = sleepers(q, 2, order)
    swake_up_all(q)
    for thread in threads:
        thread.join()
    late = sleepers(q, 1, order)
    never(lambda: late[0].done)
    swake_up_one(q)
    late[0].join()


def test_who_queues_while_all_are_woken_is_left_alone(q, monkeypatch):
    """The lock is opened between two wake-ups; who comes then, comes after."""
    order: list[int] = []
    threads = sleepers(q, 2, order)
    late = DECLARE_SWAITQUEUE()

    def wake_and_queue(task: task_struct, state: int) -> int:
        __prepare_to_swait(q, late)
        return wake_up_state(task, state)

    monkeypatch.setattr(swait, "wake_up_state", wake_and_queue)
    swake_up_all(q)
    assert list_first_entry(q.task_list, swait_queue, "task_list") is late
    assert list_count_nodes(q.task_list) == 1
    finish_swait(q, late)
    for thread in threads:
        thread.join()


def test_waking_one_while_locked(q):
    order: list[int] = []
    threads = sleepers(q, 2, order)
    flags = raw_spin_lock_irqsave(q.lock)
    swake_up_locked(q, 0)
    raw_spin_unlock_irqrestore(q.lock, flags)
    threads[0].join()
    never(lambda: threads[1].done)
    swake_up_one(q)
    threads[1].join()


def test_an_event_wait_is_queued_once_and_leaves_on_a_signal(q):
    def wait_and_see() -> list[object]:
        wait = DECLARE_SWAITQUEUE()
        seen: list[object] = [prepare_to_swait_event(q, wait, TASK_INTERRUPTIBLE)]
        seen.append(prepare_to_swait_event(q, wait, TASK_INTERRUPTIBLE))
        seen.append((list_count_nodes(q.task_list), current()._state))
        send_sig(15, current())
        seen.append(prepare_to_swait_event(q, wait, TASK_INTERRUPTIBLE))
        seen.append(list_count_nodes(q.task_list))
        finish_swait(q, wait)
        seen.append(current()._state)
        return seen

    assert Thread(wait_and_see).join() == [
        0,
        0,
        (1, TASK_INTERRUPTIBLE),
        -ERESTARTSYS,
        0,
        TASK_RUNNING,
    ]


def test_finish_takes_a_waiter_off_that_nobody_woke(q):
    wait = DECLARE_SWAITQUEUE()
    prepare_to_swait_exclusive(q, wait, TASK_UNINTERRUPTIBLE)
    finish_swait(q, wait)
    assert list_empty(q.task_list)
    assert current()._state == TASK_RUNNING
