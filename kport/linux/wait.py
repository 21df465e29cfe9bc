# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from kernel/sched/wait.c and include/linux/wait.h,
# Linux 7.2.13, on 2026-11-20.
"""Wait queues. Non-exclusive waiters stand at the head, exclusive ones at the tail.

A wake-up calls the waiters' functions from the head on, until it has woken its number of exclusive
ones. The macros wait_event*() take their condition as a function, and evaluate it as often as C.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.asm import smp_mb
from kport.linux.barrier import smp_store_mb
from kport.linux.cleanup import goto, guard, labels
from kport.linux.err import EBUSY, ERESTARTSYS
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add,
    list_add_tail,
    list_del,
    list_del_init,
    list_del_init_careful,
    list_empty,
    list_empty_careful,
    list_first_entry,
    list_for_each_entry,
    list_for_each_entry_safe_from,
    list_head,
)
from kport.linux.lockdep import lockdep_assert_held
from kport.linux.module import EXPORT_SYMBOL, EXPORT_SYMBOL_GPL
from kport.linux.sched import (
    TASK_INTERRUPTIBLE,
    TASK_KILLABLE,
    TASK_NORMAL,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    TASK_WAKEKILL,
    __set_current_state,
    current,
    might_sleep,
    schedule,
    schedule_timeout,
    set_current_state,
    signal_pending,
    signal_pending_state,
    try_to_wake_up,
)
from kport.linux.spinlock import (
    spin_lock,
    spin_lock_init,
    spin_lock_irq,
    spin_lock_irqsave,
    spin_unlock,
    spin_unlock_irq,
    spin_unlock_irqrestore,
    spinlock_t,
)
from kport.linux.struct import struct

WQ_FLAG_EXCLUSIVE = 0x01
WQ_FLAG_WOKEN = 0x02
WQ_FLAG_PRIORITY = 0x10

WF_SYNC = 0x10
WF_CURRENT_CPU = 0x40


class wait_queue_head(struct):
    """The queue."""

    lock: spinlock_t
    head: list_head


class wait_queue_entry(struct):
    """One waiter: the task in `private`, and the function that a wake-up calls."""

    flags: int
    private: Any
    func: Callable[[wait_queue_entry, int, int, Any], int] | None
    entry: list_head


wait_queue_head_t = wait_queue_head
wait_queue_entry_t = wait_queue_entry


def waitqueue_active(wq_head: wait_queue_head) -> bool:
    """True if somebody waits; a hint, unless the caller orders it.

    include/linux/wait.h:125-128, Linux 7.2.13
    """
    return not list_empty(wq_head.head)


def __add_wait_queue(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """Insert behind the priority waiters and before all others; the queue is locked.

    include/linux/wait.h:171-182, Linux 7.2.13
    """
    head = wq_head.head

    for wq in list_for_each_entry(wq_head.head, wait_queue_entry, "entry"):
        if not (wq.flags & WQ_FLAG_PRIORITY):
            break
        head = wq.entry
    list_add(wq_entry.entry, head)


def __add_wait_queue_entry_tail(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """Insert at the end; the queue is locked.

    include/linux/wait.h:194-197, Linux 7.2.13
    """
    list_add_tail(wq_entry.entry, wq_head.head)


def __remove_wait_queue(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """Take the waiter out; the queue is locked.

    include/linux/wait.h:206-210, Linux 7.2.13
    """
    list_del(wq_entry.entry)


def __init_waitqueue_head(wq_head: wait_queue_head, name: str) -> None:  # kport: model
    """Make the queue empty; `name` is the lock's in reports.

    kernel/sched/wait.c:10-15, Linux 7.2.13
    """
    spin_lock_init(wq_head.lock, name)  # kport: model
    INIT_LIST_HEAD(wq_head.head)


EXPORT_SYMBOL(__init_waitqueue_head)


def init_waitqueue_head(wq_head: wait_queue_head) -> None:
    """Make the queue empty.

    include/linux/wait.h:64-69, Linux 7.2.13
    """
    __init_waitqueue_head(wq_head, "&wq_head->lock")  # kport: model


def add_wait_queue(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """Queue a non-exclusive waiter.

    kernel/sched/wait.c:19-27, Linux 7.2.13
    """
    wq_entry.flags &= ~WQ_FLAG_EXCLUSIVE
    flags = spin_lock_irqsave(wq_head.lock)
    __add_wait_queue(wq_head, wq_entry)
    spin_unlock_irqrestore(wq_head.lock, flags)


EXPORT_SYMBOL(add_wait_queue)


def add_wait_queue_exclusive(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """Queue an exclusive waiter.

    kernel/sched/wait.c:30-38, Linux 7.2.13
    """
    wq_entry.flags |= WQ_FLAG_EXCLUSIVE
    flags = spin_lock_irqsave(wq_head.lock)
    __add_wait_queue_entry_tail(wq_head, wq_entry)
    spin_unlock_irqrestore(wq_head.lock, flags)


EXPORT_SYMBOL(add_wait_queue_exclusive)


def add_wait_queue_priority(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """Queue a waiter that is called before all others.

    kernel/sched/wait.c:41-49, Linux 7.2.13
    """
    wq_entry.flags |= WQ_FLAG_PRIORITY
    flags = spin_lock_irqsave(wq_head.lock)
    __add_wait_queue(wq_head, wq_entry)
    spin_unlock_irqrestore(wq_head.lock, flags)


EXPORT_SYMBOL_GPL(add_wait_queue_priority)


def add_wait_queue_priority_exclusive(
    wq_head: wait_queue_head, wq_entry: wait_queue_entry
) -> int:
    """Queue the one waiter that gets every event; -EBUSY if there is one already.

    kernel/sched/wait.c:52-67, Linux 7.2.13
    """
    head = wq_head.head

    wq_entry.flags |= WQ_FLAG_EXCLUSIVE | WQ_FLAG_PRIORITY

    with guard("spinlock_irqsave", wq_head.lock):
        if (
            not list_empty(head)
            and list_first_entry(head, wait_queue_entry, "entry").flags & WQ_FLAG_PRIORITY
        ):
            return -EBUSY

        list_add(wq_entry.entry, head)
        return 0


EXPORT_SYMBOL_GPL(add_wait_queue_priority_exclusive)


def remove_wait_queue(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """Take the waiter out.

    kernel/sched/wait.c:70-77, Linux 7.2.13
    """
    flags = spin_lock_irqsave(wq_head.lock)
    __remove_wait_queue(wq_head, wq_entry)
    spin_unlock_irqrestore(wq_head.lock, flags)


EXPORT_SYMBOL(remove_wait_queue)


def __wake_up_common(
    wq_head: wait_queue_head, mode: int, nr_exclusive: int, wake_flags: int, key: Any
) -> int:
    """Call the waiters; returns how many exclusive ones are still wanted.

    kernel/sched/wait.c:93-117, Linux 7.2.13
    """
    lockdep_assert_held(wq_head.lock)

    if list_empty(wq_head.head):  # kport: cursor
        return nr_exclusive  # kport: cursor

    curr = list_first_entry(wq_head.head, wait_queue_entry_t, "entry")

    # kport: cursor
    for curr, next in list_for_each_entry_safe_from(
        curr, wq_head.head, wait_queue_entry_t, "entry"
    ):
        flags = curr.flags

        ret = curr.func(curr, mode, wake_flags, key)
        if ret < 0:
            break
        if ret and flags & WQ_FLAG_EXCLUSIVE:
            nr_exclusive -= 1  # kport: side-effect
            if not nr_exclusive:
                break

    return nr_exclusive


def __wake_up_common_lock(
    wq_head: wait_queue_head, mode: int, nr_exclusive: int, wake_flags: int, key: Any
) -> int:
    """Lock the queue and call the waiters; returns how many exclusive ones were woken.

    kernel/sched/wait.c:119-131, Linux 7.2.13
    """
    flags = spin_lock_irqsave(wq_head.lock)
    remaining = __wake_up_common(wq_head, mode, nr_exclusive, wake_flags, key)
    spin_unlock_irqrestore(wq_head.lock, flags)

    return nr_exclusive - remaining


def __wake_up(wq_head: wait_queue_head, mode: int, nr_exclusive: int, key: Any) -> int:
    """Wake all non-exclusive waiters and `nr_exclusive` others (0: all).

    kernel/sched/wait.c:144-148, Linux 7.2.13
    """
    return __wake_up_common_lock(wq_head, mode, nr_exclusive, 0, key)


EXPORT_SYMBOL(__wake_up)


def __wake_up_on_current_cpu(wq_head: wait_queue_head, mode: int, key: Any) -> None:
    """Wake one, to run here.

    kernel/sched/wait.c:151-154, Linux 7.2.13
    """
    __wake_up_common_lock(wq_head, mode, 1, WF_CURRENT_CPU, key)


def __wake_up_locked(wq_head: wait_queue_head, mode: int, nr: int) -> None:
    """__wake_up() with the queue locked by the caller.

    kernel/sched/wait.c:159-162, Linux 7.2.13
    """
    __wake_up_common(wq_head, mode, nr, 0, None)


EXPORT_SYMBOL_GPL(__wake_up_locked)


def __wake_up_locked_key(wq_head: wait_queue_head, mode: int, key: Any) -> None:
    """Wake one with a key; the queue is locked by the caller.

    kernel/sched/wait.c:165-168, Linux 7.2.13
    """
    __wake_up_common(wq_head, mode, 1, 0, key)


EXPORT_SYMBOL_GPL(__wake_up_locked_key)


def __wake_up_sync_key(wq_head: wait_queue_head, mode: int, key: Any) -> None:
    """Wake one; the waker is about to sleep.

    kernel/sched/wait.c:187-194, Linux 7.2.13
    """
    if not wq_head:
        return

    __wake_up_common_lock(wq_head, mode, 1, WF_SYNC, key)


EXPORT_SYMBOL_GPL(__wake_up_sync_key)


def __wake_up_locked_sync_key(wq_head: wait_queue_head, mode: int, key: Any) -> None:
    """__wake_up_sync_key() with the queue locked by the caller.

    kernel/sched/wait.c:213-217, Linux 7.2.13
    """
    __wake_up_common(wq_head, mode, 1, WF_SYNC, key)


EXPORT_SYMBOL_GPL(__wake_up_locked_sync_key)


def __wake_up_sync(wq_head: wait_queue_head, mode: int) -> None:
    """Wake one without a key; the waker is about to sleep.

    kernel/sched/wait.c:223-226, Linux 7.2.13
    """
    __wake_up_sync_key(wq_head, mode, None)


EXPORT_SYMBOL_GPL(__wake_up_sync)


def prepare_to_wait(
    wq_head: wait_queue_head, wq_entry: wait_queue_entry, state: int
) -> None:
    """Queue a non-exclusive waiter that is not queued yet, and set the task's state.

    kernel/sched/wait.c:249-260, Linux 7.2.13
    """
    wq_entry.flags &= ~WQ_FLAG_EXCLUSIVE
    flags = spin_lock_irqsave(wq_head.lock)
    if list_empty(wq_entry.entry):
        __add_wait_queue(wq_head, wq_entry)
    set_current_state(state)
    spin_unlock_irqrestore(wq_head.lock, flags)


EXPORT_SYMBOL(prepare_to_wait)


def prepare_to_wait_exclusive(
    wq_head: wait_queue_head, wq_entry: wait_queue_entry, state: int
) -> bool:
    """Queue an exclusive waiter, set the task's state; True if the queue was empty.

    kernel/sched/wait.c:264-279, Linux 7.2.13
    """
    was_empty = False

    wq_entry.flags |= WQ_FLAG_EXCLUSIVE
    flags = spin_lock_irqsave(wq_head.lock)
    if list_empty(wq_entry.entry):
        was_empty = list_empty(wq_head.head)
        __add_wait_queue_entry_tail(wq_head, wq_entry)
    set_current_state(state)
    spin_unlock_irqrestore(wq_head.lock, flags)
    return was_empty


EXPORT_SYMBOL(prepare_to_wait_exclusive)


def init_wait_entry(wq_entry: wait_queue_entry, flags: int) -> None:
    """Prepare a waiter for the running task that leaves the queue when it is woken.

    kernel/sched/wait.c:282-288, Linux 7.2.13
    """
    wq_entry.flags = flags
    wq_entry.private = current()
    wq_entry.func = autoremove_wake_function
    INIT_LIST_HEAD(wq_entry.entry)


EXPORT_SYMBOL(init_wait_entry)


def prepare_to_wait_event(
    wq_head: wait_queue_head, wq_entry: wait_queue_entry, state: int
) -> int:
    """Queue the waiter and set the state; or take it out and return -ERESTARTSYS on a signal.

    kernel/sched/wait.c:291-324, Linux 7.2.13
    """
    ret = 0

    flags = spin_lock_irqsave(wq_head.lock)
    if signal_pending_state(state, current()):
        list_del_init(wq_entry.entry)
        ret = -ERESTARTSYS
    else:
        if list_empty(wq_entry.entry):
            if wq_entry.flags & WQ_FLAG_EXCLUSIVE:
                __add_wait_queue_entry_tail(wq_head, wq_entry)
            else:
                __add_wait_queue(wq_head, wq_entry)
        set_current_state(state)
    spin_unlock_irqrestore(wq_head.lock, flags)

    return ret


EXPORT_SYMBOL(prepare_to_wait_event)


def do_wait_intr(wq: wait_queue_head_t, wait: wait_queue_entry_t) -> int:
    """One interruptible sleep with the queue locked around it; -ERESTARTSYS on a signal.

    kernel/sched/wait.c:334-348, Linux 7.2.13
    """
    if list_empty(wait.entry):
        __add_wait_queue_entry_tail(wq, wait)

    set_current_state(TASK_INTERRUPTIBLE)
    if signal_pending(current()):
        return -ERESTARTSYS

    spin_unlock(wq.lock)
    schedule()
    spin_lock(wq.lock)

    return 0


EXPORT_SYMBOL(do_wait_intr)


def do_wait_intr_irq(wq: wait_queue_head_t, wait: wait_queue_entry_t) -> int:
    """do_wait_intr() with interrupts off under the lock.

    kernel/sched/wait.c:351-365, Linux 7.2.13
    """
    if list_empty(wait.entry):
        __add_wait_queue_entry_tail(wq, wait)

    set_current_state(TASK_INTERRUPTIBLE)
    if signal_pending(current()):
        return -ERESTARTSYS

    spin_unlock_irq(wq.lock)
    schedule()
    spin_lock_irq(wq.lock)

    return 0


EXPORT_SYMBOL(do_wait_intr_irq)


def finish_wait(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """The wait is over: running, and out of the queue.

    kernel/sched/wait.c:377-400, Linux 7.2.13
    """
    __set_current_state(TASK_RUNNING)
    if not list_empty_careful(wq_entry.entry):
        flags = spin_lock_irqsave(wq_head.lock)
        list_del_init(wq_entry.entry)
        spin_unlock_irqrestore(wq_head.lock, flags)


EXPORT_SYMBOL(finish_wait)


def autoremove_wake_function(
    wq_entry: wait_queue_entry, mode: int, sync: int, key: Any
) -> int:
    """Wake the task and, if that worked, leave the queue.

    kernel/sched/wait.c:403-411, Linux 7.2.13
    """
    ret = default_wake_function(wq_entry, mode, sync, key)

    if ret:
        list_del_init_careful(wq_entry.entry)

    return ret


EXPORT_SYMBOL(autoremove_wake_function)


def default_wake_function(curr: wait_queue_entry, mode: int, wake_flags: int, key: Any) -> int:
    """Wake the waiter's task; 1 if it was asleep (kernel/sched/core.c)."""
    return try_to_wake_up(curr.private, mode, wake_flags)


EXPORT_SYMBOL(default_wake_function)


def wait_woken(wq_entry: wait_queue_entry, mode: int, timeout: int) -> int:
    """Sleep unless woken_wake_function() has been here since the last call; ticks left.

    kernel/sched/wait.c:434-456, Linux 7.2.13
    """
    set_current_state(mode)
    if not (wq_entry.flags & WQ_FLAG_WOKEN) and not kthread_should_stop_or_park():
        timeout = schedule_timeout(timeout)
    __set_current_state(TASK_RUNNING)

    smp_store_mb(wq_entry, "flags", wq_entry.flags & ~WQ_FLAG_WOKEN)

    return timeout


EXPORT_SYMBOL(wait_woken)


def woken_wake_function(
    wq_entry: wait_queue_entry, mode: int, sync: int, key: Any
) -> int:
    """Note the wake-up for wait_woken() and wake the task.

    kernel/sched/wait.c:459-466, Linux 7.2.13
    """
    smp_mb()
    wq_entry.flags |= WQ_FLAG_WOKEN

    return default_wake_function(wq_entry, mode, sync, key)


EXPORT_SYMBOL(woken_wake_function)


# -- the macros of wait.h ----------------------------------------------------------------------

Condition = Callable[[], Any]


def wake_up(x: wait_queue_head) -> int:
    """Wake all non-exclusive waiters and one exclusive.

    include/linux/wait.h:221, Linux 7.2.13
    """
    return __wake_up(x, TASK_NORMAL, 1, None)


def wake_up_nr(x: wait_queue_head, nr: int) -> int:
    """Wake all non-exclusive waiters and `nr` exclusive ones.

    include/linux/wait.h:222, Linux 7.2.13
    """
    return __wake_up(x, TASK_NORMAL, nr, None)


def wake_up_all(x: wait_queue_head) -> int:
    """Wake everybody.

    include/linux/wait.h:223, Linux 7.2.13
    """
    return __wake_up(x, TASK_NORMAL, 0, None)


def wake_up_interruptible(x: wait_queue_head) -> int:
    """wake_up() for interruptible sleepers only.

    include/linux/wait.h:228, Linux 7.2.13
    """
    return __wake_up(x, TASK_INTERRUPTIBLE, 1, None)


def wake_up_interruptible_all(x: wait_queue_head) -> int:
    """wake_up_all() for interruptible sleepers only.

    include/linux/wait.h:230, Linux 7.2.13
    """
    return __wake_up(x, TASK_INTERRUPTIBLE, 0, None)


def ___wait_is_interruptible(state: int) -> int:
    """Non-zero if a signal may end the wait.

    include/linux/wait.h:284-286, Linux 7.2.13
    """
    return state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)  # kport: annotation


def ___wait_event(
    wq_head: wait_queue_head,
    condition: Condition,
    state: int,
    exclusive: int,
    ret: int,
    cmd: Callable[[int], int],
) -> int:
    """The loop under all wait_event macros. `cmd(ret)` sleeps and gives the new ret.

    include/linux/wait.h:302-327, Linux 7.2.13
    """
    __wq_entry = wait_queue_entry()
    __ret = ret

    init_wait_entry(__wq_entry, WQ_FLAG_EXCLUSIVE if exclusive else 0)
    with labels("__out"):
        while True:
            __int = prepare_to_wait_event(wq_head, __wq_entry, state)

            if condition():
                break

            if ___wait_is_interruptible(state) and __int:
                __ret = __int
                raise goto("__out")

            __ret = cmd(__ret)  # kport: condition

            if condition():
                break
        finish_wait(wq_head, __wq_entry)
    return __ret


def _schedule(ret: int) -> int:
    schedule()
    return ret


def __wait_event(wq_head: wait_queue_head, condition: Condition) -> None:
    """wait_event() after the first look.

    include/linux/wait.h:329-331, Linux 7.2.13
    """
    ___wait_event(  # kport: condition
        wq_head, condition, TASK_UNINTERRUPTIBLE, 0, 0, _schedule
    )


def wait_event(wq_head: wait_queue_head, condition: Condition) -> None:
    """Sleep until the condition holds.

    include/linux/wait.h:345-351, Linux 7.2.13
    """
    might_sleep()
    if condition():
        return
    __wait_event(wq_head, condition)


def wait_event_timeout(wq_head: wait_queue_head, condition: Condition, timeout: int) -> int:
    """Sleep at most `timeout` ticks: ticks left (at least 1) if the condition holds, else 0.

    include/linux/wait.h:417-424, Linux 7.2.13
    """
    # kport: condition
    might_sleep()
    return _wait_timeout(  # kport: condition
        wq_head, condition, timeout, TASK_UNINTERRUPTIBLE
    )


def __wait_event_interruptible(wq_head: wait_queue_head, condition: Condition) -> int:
    """wait_event_interruptible() after the first look.

    include/linux/wait.h:482-484, Linux 7.2.13
    """
    return ___wait_event(  # kport: condition
        wq_head, condition, TASK_INTERRUPTIBLE, 0, 0, _schedule
    )


def wait_event_interruptible(wq_head: wait_queue_head, condition: Condition) -> int:
    """Sleep until the condition holds (0) or a signal comes (-ERESTARTSYS).

    include/linux/wait.h:501-508, Linux 7.2.13
    """
    __ret = 0
    might_sleep()
    if not condition():
        __ret = __wait_event_interruptible(wq_head, condition)
    return __ret


def wait_event_interruptible_timeout(
    wq_head: wait_queue_head, condition: Condition, timeout: int
) -> int:
    """wait_event_timeout(), or -ERESTARTSYS if a signal comes first.

    include/linux/wait.h:535-543, Linux 7.2.13
    """
    # kport: condition
    might_sleep()
    return _wait_timeout(wq_head, condition, timeout, TASK_INTERRUPTIBLE)  # kport: condition


def __wait_event_interruptible_exclusive(wq: wait_queue_head, condition: Condition) -> int:
    """wait_event_interruptible_exclusive() after the first look.

    include/linux/wait.h:622-624, Linux 7.2.13
    """
    return ___wait_event(  # kport: condition
        wq, condition, TASK_INTERRUPTIBLE, 1, 0, _schedule
    )


def wait_event_interruptible_exclusive(wq: wait_queue_head, condition: Condition) -> int:
    """wait_event_interruptible() as an exclusive waiter.

    include/linux/wait.h:626-633, Linux 7.2.13
    """
    __ret = 0
    might_sleep()
    if not condition():
        __ret = __wait_event_interruptible_exclusive(wq, condition)
    return __ret


def __wait_event_killable(wq: wait_queue_head, condition: Condition) -> int:
    """wait_event_killable() after the first look.

    include/linux/wait.h:913-914, Linux 7.2.13
    """
    return ___wait_event(  # kport: condition
        wq, condition, TASK_KILLABLE, 0, 0, _schedule
    )


def wait_event_killable(wq_head: wait_queue_head, condition: Condition) -> int:
    """Sleep until the condition holds (0) or the task is killed (-ERESTARTSYS).

    include/linux/wait.h:931-938, Linux 7.2.13
    """
    __ret = 0
    might_sleep()
    if not condition():
        __ret = __wait_event_killable(wq_head, condition)
    return __ret


def _wait_timeout(
    wq_head: wait_queue_head, condition: Condition, timeout: int, state: int
) -> int:
    """The shared body of the timeout macros; ___wait_cond_timeout() is the inner function."""
    left = timeout

    def cond_timeout() -> bool:
        nonlocal left
        cond = bool(condition())
        if cond and not left:
            left = 1
        return cond or not left

    def sleep(ret: int) -> int:
        nonlocal left
        left = schedule_timeout(left)
        return left

    if cond_timeout():
        return left
    error = ___wait_event(wq_head, cond_timeout, state, 0, timeout, sleep)
    return error if error < 0 else left


# extern
from kport.linux.kthread import kthread_should_stop_or_park
