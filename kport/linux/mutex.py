# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After include/linux/mutex.h and kernel/locking/mutex.c, Linux 7.2.13, on 2026-11-20.
"""Sleeping locks, modelled: FIFO waiters, hand-off to a waiter that was overtaken once, an owner.

The optimistic spinning and the flag bits in the owner word are not here; what a caller sees is: the
waiter that came first gets the lock next (ww contexts order by age), interruptible and killable
forms return -EINTR, only the owner unlocks. `__mutex_lock_common()` keeps the kernel's order of
steps, because the ww_mutex rules are woven into it.
"""

from __future__ import annotations

from typing import Any

from kport.arch.asm import cmpxchg, preempt_disable, preempt_enable
from kport.linux.bug import WARN_ON, KernelBug
from kport.linux.err import EALREADY, EINTR
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add_tail,
    list_del,
    list_empty,
    list_first_entry,
    list_head,
)
from kport.linux.sched import (
    TASK_INTERRUPTIBLE,
    TASK_KILLABLE,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    __set_current_state,
    current,
    might_sleep,
    schedule_preempt_disabled,
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

WakeQ = list[task_struct]


class mutex(struct):
    """The lock. `handoff`: the next unlock gives it to the first waiter, nobody may overtake.

    `dep_map` is set by the lock validator only.
    """

    owner: task_struct | None
    wait_lock: raw_spinlock_t
    wait_list: list_head
    handoff: bool
    dep_map: Any


class mutex_waiter(struct):
    """One waiter; `ww_ctx` is its acquire context, if it has one."""

    list: list_head
    task: task_struct | None
    ww_ctx: Any


def mutex_init(lock: mutex, name: str = "lock") -> None:
    """Make the lock free."""
    lock.owner = None
    lock.handoff = False
    raw_spin_lock_init(lock.wait_lock, "&lock->wait_lock")
    INIT_LIST_HEAD(lock.wait_list)


def mutex_is_locked(lock: mutex) -> bool:
    """True while anybody owns it."""
    return lock.owner is not None


def mutex_destroy(lock: mutex) -> None:
    """The lock is not used any more; it must be free."""
    WARN_ON(mutex_is_locked(lock))


def __mutex_owner(lock: mutex) -> task_struct | None:
    """The task that owns it."""
    return lock.owner


def __mutex_trylock(lock: mutex) -> bool:
    """Take the lock if it is free, or if it was handed to the running task."""
    me = current()
    owner = cmpxchg(lock, "owner", None, me)
    return owner is None or (owner is me and lock.handoff)


def __mutex_waiter_is_first(lock: mutex, waiter: mutex_waiter) -> bool:
    """True for the waiter at the head; the wait lock is held."""
    return list_first_entry(lock.wait_list, mutex_waiter, "list") is waiter


def __mutex_remove_waiter(lock: mutex, waiter: mutex_waiter) -> None:
    """Take the waiter out; the wait lock is held.

    A hand-off ends when it has happened, or with the last waiter; one who gives up leaves alone
    what was promised to another.
    """
    list_del(waiter.list)
    if lock.owner is waiter.task or list_empty(lock.wait_list):
        lock.handoff = False


def wake_up_q(head: WakeQ) -> None:
    """Wake the tasks that were gathered while a lock was held."""
    for task in head:
        wake_up_process(task)
    head.clear()


def __mutex_lock_common(lock: mutex, state: int, ww_ctx: Any, use_ww_ctx: bool) -> int:
    """Take the lock, sleeping in `state`: 0, -EINTR, and with a context -EALREADY or -EDEADLK."""
    wake_q: WakeQ = []

    might_sleep()
    ww = lock._container
    if ww_ctx:
        if ww_ctx is ww.ctx:
            return -EALREADY
        if ww_ctx.acquired == 0:
            ww_ctx.wounded = 0
    elif lock.owner is current():
        raise KernelBug(f"BUG: deadlock: {current().comm} takes a mutex it already owns")

    preempt_disable()
    if list_empty(lock.wait_list) and __mutex_trylock(lock):
        if ww_ctx:
            ww_mutex_set_context_fastpath(ww, ww_ctx)
        preempt_enable()
        return 0

    flags = raw_spin_lock_irqsave(lock.wait_lock)
    if not lock.handoff and __mutex_trylock(lock):
        if ww_ctx:
            __ww_mutex_check_waiters(lock, ww_ctx, wake_q)
            ww_mutex_lock_acquired(ww, ww_ctx)
        return _locked(lock, flags, wake_q, 0)

    waiter = mutex_waiter()
    waiter.task = current()
    if not use_ww_ctx:
        list_add_tail(waiter.list, lock.wait_list)
    else:
        waiter.ww_ctx = ww_ctx
        ret = __ww_mutex_add_waiter(waiter, lock, ww_ctx, wake_q)
        if ret:
            return _locked(lock, flags, wake_q, ret)

    set_current_state(state)
    while True:
        if __mutex_trylock(lock):
            ret = 0
            break
        ret = -EINTR if signal_pending_state(state, current()) else 0
        if not ret and ww_ctx:
            ret = __ww_mutex_check_kill(lock, waiter, ww_ctx)
        if ret:
            break
        raw_spin_unlock_irqrestore(lock.wait_lock, flags)
        wake_up_q(wake_q)
        schedule_preempt_disabled()
        flags = raw_spin_lock_irqsave(lock.wait_lock)
        set_current_state(state)
        if lock.owner is not current() and __mutex_waiter_is_first(lock, waiter):
            if __mutex_trylock(lock):
                ret = 0
                break
            lock.handoff = True

    __set_current_state(TASK_RUNNING)
    if not ret and ww_ctx:
        if not ww_ctx.is_wait_die and not __mutex_waiter_is_first(lock, waiter):
            __ww_mutex_check_waiters(lock, ww_ctx, wake_q)
    __mutex_remove_waiter(lock, waiter)
    if not ret and ww_ctx:
        ww_mutex_lock_acquired(ww, ww_ctx)
    return _locked(lock, flags, wake_q, ret)


def _locked(lock: mutex, flags: int, wake_q: WakeQ, ret: int) -> int:
    # The common way out of the slow path.
    raw_spin_unlock_irqrestore(lock.wait_lock, flags)
    wake_up_q(wake_q)
    preempt_enable()
    return ret


def mutex_lock(lock: mutex) -> None:
    """Take the lock."""
    __mutex_lock_common(lock, TASK_UNINTERRUPTIBLE, None, False)


def mutex_lock_nested(lock: mutex, subclass: int) -> None:
    """Take the lock inside another of its class."""
    __mutex_lock_common(lock, TASK_UNINTERRUPTIBLE, None, False)


def mutex_lock_nest_lock(lock: mutex, nest_lock: Any) -> None:
    """Take the lock inside others of its class, all of whose takers hold `nest_lock`."""
    __mutex_lock_common(lock, TASK_UNINTERRUPTIBLE, None, False)


def mutex_lock_interruptible(lock: mutex) -> int:
    """Take the lock, or -EINTR if a signal comes first."""
    return __mutex_lock_common(lock, TASK_INTERRUPTIBLE, None, False)


def mutex_lock_killable(lock: mutex) -> int:
    """Take the lock, or -EINTR if the task is killed first."""
    return __mutex_lock_common(lock, TASK_KILLABLE, None, False)


def mutex_trylock(lock: mutex) -> bool:
    """Take the lock if it is free; False if not."""
    return not lock.handoff and cmpxchg(lock, "owner", None, current()) is None


def mutex_unlock(lock: mutex) -> None:
    """Release the lock; it goes to the first waiter if that was overtaken before."""
    if WARN_ON(lock.owner is not current()):
        return
    flags = raw_spin_lock_irqsave(lock.wait_lock)
    task = None
    if not list_empty(lock.wait_list):
        task = list_first_entry(lock.wait_list, mutex_waiter, "list").task
    lock.owner = task if lock.handoff else None
    raw_spin_unlock_irqrestore(lock.wait_lock, flags)
    if task is not None:
        wake_up_process(task)


# extern
from kport.linux.ww_mutex import (
    __ww_mutex_add_waiter,
    __ww_mutex_check_kill,
    __ww_mutex_check_waiters,
    ww_mutex_lock_acquired,
    ww_mutex_set_context_fastpath,
)
