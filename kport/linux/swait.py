# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from kernel/sched/swait.c and include/linux/swait.h,
# Linux 7.2.13, on 2026-11-20.
"""Simple wait queues: FIFO, no callbacks, wake one or all. Completions are made of them."""

from __future__ import annotations

from kport.linux.err import ERESTARTSYS
from kport.linux.list import (
    INIT_LIST_HEAD,
    LIST_HEAD,
    list_add_tail,
    list_del_init,
    list_empty,
    list_empty_careful,
    list_first_entry,
    list_head,
    list_splice_init,
)
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.sched import (
    TASK_NORMAL,
    TASK_RUNNING,
    __set_current_state,
    current,
    set_current_state,
    signal_pending_state,
    task_struct,
    try_to_wake_up,
    wake_up_state,
)
from kport.linux.spinlock import (
    raw_spin_lock_init,
    raw_spin_lock_irq,
    raw_spin_lock_irqsave,
    raw_spin_unlock_irq,
    raw_spin_unlock_irqrestore,
    raw_spinlock_t,
)
from kport.linux.struct import struct


class swait_queue_head(struct):
    """The queue."""

    lock: raw_spinlock_t
    task_list: list_head


class swait_queue(struct):
    """One waiter."""

    task: task_struct | None
    task_list: list_head


def DECLARE_SWAITQUEUE() -> swait_queue:
    """A waiter for the running task, on no queue.

    include/linux/swait.h:58-59, Linux 7.2.13
    """
    name = swait_queue()  # kport: initialiser
    name.task = current()  # kport: initialiser
    INIT_LIST_HEAD(name.task_list)  # kport: initialiser
    return name  # kport: initialiser


def __init_swait_queue_head(q: swait_queue_head, name: str) -> None:  # kport: model
    """Make the queue empty; `name` is the lock's in reports.

    kernel/sched/swait.c:7-13, Linux 7.2.13
    """
    raw_spin_lock_init(q.lock, name)  # kport: model
    INIT_LIST_HEAD(q.task_list)


EXPORT_SYMBOL(__init_swait_queue_head)


def init_swait_queue_head(q: swait_queue_head) -> None:
    """Make the queue empty.

    include/linux/swait.h:72-76, Linux 7.2.13
    """
    __init_swait_queue_head(q, "&q->lock")  # kport: model


def swake_up_locked(q: swait_queue_head, wake_flags: int) -> None:
    """Wake the first waiter and take it off; the queue is locked.

    kernel/sched/swait.c:22-32, Linux 7.2.13
    """
    if list_empty(q.task_list):
        return

    curr = list_first_entry(q.task_list, swait_queue, "task_list")
    try_to_wake_up(curr.task, TASK_NORMAL, wake_flags)
    list_del_init(curr.task_list)


EXPORT_SYMBOL(swake_up_locked)


def swake_up_all_locked(q: swait_queue_head) -> None:
    """Wake everybody; the queue is locked.

    kernel/sched/swait.c:42-46, Linux 7.2.13
    """
    while not list_empty(q.task_list):
        swake_up_locked(q, 0)


def swake_up_one(q: swait_queue_head) -> None:
    """Wake the first waiter.

    kernel/sched/swait.c:48-55, Linux 7.2.13
    """
    flags = raw_spin_lock_irqsave(q.lock)
    swake_up_locked(q, 0)
    raw_spin_unlock_irqrestore(q.lock, flags)


EXPORT_SYMBOL(swake_up_one)


def swake_up_all(q: swait_queue_head) -> None:
    """Wake everybody who waits now, opening the lock between two; not from interrupts.

    kernel/sched/swait.c:62-82, Linux 7.2.13
    """
    tmp = LIST_HEAD()

    raw_spin_lock_irq(q.lock)
    list_splice_init(q.task_list, tmp)
    while not list_empty(tmp):
        curr = list_first_entry(tmp, swait_queue, "task_list")

        wake_up_state(curr.task, TASK_NORMAL)
        list_del_init(curr.task_list)

        if list_empty(tmp):
            break

        raw_spin_unlock_irq(q.lock)
        raw_spin_lock_irq(q.lock)
    raw_spin_unlock_irq(q.lock)


EXPORT_SYMBOL(swake_up_all)


def __prepare_to_swait(q: swait_queue_head, wait: swait_queue) -> None:
    """Put the running task at the end; the queue is locked.

    kernel/sched/swait.c:85-90, Linux 7.2.13
    """
    wait.task = current()
    if list_empty(wait.task_list):
        list_add_tail(wait.task_list, q.task_list)


def prepare_to_swait_exclusive(q: swait_queue_head, wait: swait_queue, state: int) -> None:
    """Queue the running task and set its state.

    kernel/sched/swait.c:92-100, Linux 7.2.13
    """
    flags = raw_spin_lock_irqsave(q.lock)
    __prepare_to_swait(q, wait)
    set_current_state(state)
    raw_spin_unlock_irqrestore(q.lock, flags)


EXPORT_SYMBOL(prepare_to_swait_exclusive)


def prepare_to_swait_event(q: swait_queue_head, wait: swait_queue, state: int) -> int:
    """Queue the running task, or take it off and return -ERESTARTSYS if a signal waits.

    kernel/sched/swait.c:103-123, Linux 7.2.13
    """
    ret = 0

    flags = raw_spin_lock_irqsave(q.lock)
    if signal_pending_state(state, current()):
        list_del_init(wait.task_list)
        ret = -ERESTARTSYS
    else:
        __prepare_to_swait(q, wait)
        set_current_state(state)
    raw_spin_unlock_irqrestore(q.lock, flags)

    return ret


EXPORT_SYMBOL(prepare_to_swait_event)


def __finish_swait(q: swait_queue_head, wait: swait_queue) -> None:
    """The wait is over; the queue is locked.

    kernel/sched/swait.c:126-131, Linux 7.2.13
    """
    __set_current_state(TASK_RUNNING)
    if not list_empty(wait.task_list):
        list_del_init(wait.task_list)


def finish_swait(q: swait_queue_head, wait: swait_queue) -> None:
    """The wait is over.

    kernel/sched/swait.c:133-144, Linux 7.2.13
    """
    __set_current_state(TASK_RUNNING)

    if not list_empty_careful(wait.task_list):
        flags = raw_spin_lock_irqsave(q.lock)
        list_del_init(wait.task_list)
        raw_spin_unlock_irqrestore(q.lock, flags)


EXPORT_SYMBOL(finish_swait)
