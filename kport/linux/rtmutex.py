# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Real-time mutexes (include/linux/rtmutex.h of Linux 7.2.13), modelled.

The waiter of the highest priority gets the lock next, the one that came first among equals. The
owner is not boosted: the machines know no priorities, so there is nothing for him to wait behind.
"""

from __future__ import annotations

from typing import Any

from kport.linux.bug import WARN_ON, KernelBug
from kport.linux.err import EINTR
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add_tail,
    list_del,
    list_empty,
    list_first_entry,
    list_for_each_entry,
    list_head,
)
from kport.linux.sched import (
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    __set_current_state,
    current,
    might_sleep,
    schedule,
    set_current_state,
    signal_pending_state,
    task_struct,
    wake_up_process,
)
from kport.linux.spinlock import (
    raw_spin_lock_init,
    raw_spin_lock_irqsave,
    raw_spin_unlock_irqrestore,
    raw_spinlock_t,
)
from kport.linux.struct import struct


class rt_mutex(struct):
    """The lock; its waiters in the order in which they get it. `dep_map` is the validator's."""

    wait_lock: raw_spinlock_t
    waiters: list_head
    owner: task_struct | None
    dep_map: Any


class rt_mutex_waiter(struct):
    """One waiter."""

    entry: list_head
    task: task_struct | None


def rt_mutex_init(lock: rt_mutex) -> None:
    """Make the lock free."""
    lock.owner = None
    raw_spin_lock_init(lock.wait_lock, "&lock->wait_lock")
    INIT_LIST_HEAD(lock.waiters)


def _enqueue(lock: rt_mutex, waiter: rt_mutex_waiter) -> None:
    """Queue a waiter behind those of its priority. The wait lock is held."""
    for other in list_for_each_entry(lock.waiters, rt_mutex_waiter, "entry"):
        if other.task.rt_priority < waiter.task.rt_priority:
            list_add_tail(waiter.entry, other.entry)
            return
    list_add_tail(waiter.entry, lock.waiters)


def _lock(lock: rt_mutex, state: int) -> int:
    might_sleep()
    me = current()
    if lock.owner is me:
        raise KernelBug(f"BUG: deadlock: {me.comm} takes an rt_mutex it already owns")
    flags = raw_spin_lock_irqsave(lock.wait_lock)
    if lock.owner is None and list_empty(lock.waiters):
        lock.owner = me
        raw_spin_unlock_irqrestore(lock.wait_lock, flags)
        return 0
    waiter = rt_mutex_waiter()
    waiter.task = me
    _enqueue(lock, waiter)
    ret = 0
    while lock.owner is not me:
        if _first(lock) is me:
            lock.owner = me
            break
        if signal_pending_state(state, me):
            ret = -EINTR
            break
        set_current_state(state)
        raw_spin_unlock_irqrestore(lock.wait_lock, flags)
        schedule()
        flags = raw_spin_lock_irqsave(lock.wait_lock)
    __set_current_state(TASK_RUNNING)
    list_del(waiter.entry)
    next_waiter = _first(lock) if ret else None
    raw_spin_unlock_irqrestore(lock.wait_lock, flags)
    if next_waiter is not None:
        wake_up_process(next_waiter)
    return ret


def _first(lock: rt_mutex) -> task_struct | None:
    """The task to wake: the first waiter of a free lock. The wait lock is held."""
    if lock.owner is not None or list_empty(lock.waiters):
        return None
    return list_first_entry(lock.waiters, rt_mutex_waiter, "entry").task


def rt_mutex_lock(lock: rt_mutex) -> None:
    """Take the lock."""
    _lock(lock, TASK_UNINTERRUPTIBLE)


def rt_mutex_lock_interruptible(lock: rt_mutex) -> int:
    """Take the lock, or -EINTR if a signal comes first."""
    return _lock(lock, TASK_INTERRUPTIBLE)


def rt_mutex_trylock(lock: rt_mutex) -> int:
    """Take the lock if it is free; 1 if taken."""
    flags = raw_spin_lock_irqsave(lock.wait_lock)
    taken = lock.owner is None and list_empty(lock.waiters)
    if taken:
        lock.owner = current()
    raw_spin_unlock_irqrestore(lock.wait_lock, flags)
    return int(taken)


def rt_mutex_unlock(lock: rt_mutex) -> None:
    """Release the lock; the waiter of the highest priority may take it."""
    if WARN_ON(lock.owner is not current()):
        return
    flags = raw_spin_lock_irqsave(lock.wait_lock)
    lock.owner = None
    waiter = _first(lock)
    raw_spin_unlock_irqrestore(lock.wait_lock, flags)
    if waiter is not None:
        wake_up_process(waiter)
