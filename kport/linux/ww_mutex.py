# SPDX-FileCopyrightText: 2013 Canonical Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from kernel/locking/ww_mutex.h and include/linux/ww_mutex.h,
# Linux 7.2.13, on 2026-11-20.
"""Wound/wait and wait/die mutexes: many locks in any order, deadlocks broken by age.

A context takes a stamp when it begins; the smaller one is older. In a wait-die class a younger
context that would wait for an older one gets -EDEADLK; in a wound-wait class the older one wounds
the younger, which gets -EDEADLK at its next sleep. Whoever gets it must unlock everything and then
take the contended lock with ww_mutex_lock_slow(). Config: DEBUG_WW_MUTEXES, not PREEMPT_RT.
"""

from __future__ import annotations

from typing import Any

from kport.arch.asm import READ_ONCE, preempt_disable, preempt_enable, smp_mb
from kport.linux.atomic import atomic64_inc_return, atomic64_t
from kport.linux.err import EDEADLK
from kport.linux.list import (
    list_add_tail,
    list_entry,
    list_head,
    list_is_first,
    list_is_last,
)
from kport.linux.lockdep import lock_class_key, lockdep_assert_held
from kport.linux.lockdep_state import DEBUG_LOCKS_WARN_ON
from kport.linux.module import boot_data
from kport.linux.sched import (
    TASK_INTERRUPTIBLE,
    TASK_UNINTERRUPTIBLE,
    current,
    task_struct,
)
from kport.linux.spinlock import raw_spin_lock_irqsave, raw_spin_unlock_irqrestore
from kport.linux.struct import container_of, struct
from kport.linux.types import s64


class ww_class(struct):  # kport: model
    """A class of locks that may be taken together; its stamps order the contexts."""

    stamp: atomic64_t
    acquire_key: lock_class_key
    mutex_key: lock_class_key
    name: str
    is_wait_die: bool


class ww_acquire_ctx(struct):  # kport: model
    """One attempt to take a set of locks. `dep_map` and `first_lock` are the validator's."""

    task: task_struct | None
    stamp: int
    acquired: int
    wounded: int
    is_wait_die: bool
    done_acquire: int
    ww_class: ww_class | None
    contending_lock: ww_mutex | None
    dep_map: Any
    first_lock: Any


_classes: list[ww_class] = []


@boot_data
def _reset_stamps() -> None:
    for entry in _classes:
        entry.stamp._zero()


def _define(name: str, is_wait_die: bool) -> ww_class:
    classname = ww_class()
    classname.name = name
    classname.is_wait_die = is_wait_die
    _classes.append(classname)
    return classname


def DEFINE_WD_CLASS(classname: str) -> ww_class:  # kport: initialiser
    """A wait-die class.

    include/linux/ww_mutex.h:92-93, Linux 7.2.13
    """
    return _define(classname, True)  # kport: initialiser


def DEFINE_WW_CLASS(classname: str) -> ww_class:  # kport: initialiser
    """A wound-wait class.

    include/linux/ww_mutex.h:95-96, Linux 7.2.13
    """
    return _define(classname, False)  # kport: initialiser


# -- kernel/locking/ww_mutex.h -----------------------------------------------------------------


def __ww_waiter_first(lock: mutex) -> mutex_waiter | None:
    """The first waiter.

    kernel/locking/ww_mutex.h:22-27, Linux 7.2.13
    """
    w = None  # kport: model
    if _waits(lock):  # kport: model
        w = list_entry(lock.wait_list.next, mutex_waiter, "list")  # kport: model
    return w  # kport: model


def _waits(lock: mutex) -> bool:
    head: list_head = lock.wait_list
    return head.next is not head


def __ww_waiter_next(lock: mutex, w: mutex_waiter) -> mutex_waiter | None:
    """The waiter behind `w`.

    kernel/locking/ww_mutex.h:34-47, Linux 7.2.13
    """
    if list_is_last(w.list, lock.wait_list):  # kport: model
        return None

    return list_entry(w.list.next, mutex_waiter, "list")  # kport: model


def __ww_waiter_prev(lock: mutex, w: mutex_waiter) -> mutex_waiter | None:
    """The waiter before `w`.

    kernel/locking/ww_mutex.h:54-66, Linux 7.2.13
    """
    if list_is_first(w.list, lock.wait_list):  # kport: model
        return None

    return list_entry(w.list.prev, mutex_waiter, "list")  # kport: model


def __ww_waiter_last(lock: mutex) -> mutex_waiter | None:
    """The last waiter.

    kernel/locking/ww_mutex.h:68-77, Linux 7.2.13
    """
    w = None  # kport: model
    if _waits(lock):  # kport: model
        w = list_entry(lock.wait_list.prev, mutex_waiter, "list")  # kport: model
    return w


def __ww_waiter_add(lock: mutex, waiter: mutex_waiter, pos: mutex_waiter | None) -> None:
    """Queue the waiter before `pos`, or at the end.

    kernel/locking/ww_mutex.h:79-84, Linux 7.2.13
    """
    p = lock.wait_list  # kport: model

    if pos:  # kport: model
        p = pos.list  # kport: model
    list_add_tail(waiter.list, p)  # kport: model


def __ww_mutex_owner(lock: mutex) -> task_struct | None:
    """The task that owns the lock.

    kernel/locking/ww_mutex.h:86-90, Linux 7.2.13
    """
    return __mutex_owner(lock)


def __ww_mutex_has_waiters(lock: mutex) -> bool:
    """True if somebody waits.

    kernel/locking/ww_mutex.h:92-96, Linux 7.2.13
    """
    return _waits(lock)  # kport: model


def lockdep_assert_wait_lock_held(lock: mutex) -> None:
    """Warn unless the wait lock is held.

    kernel/locking/ww_mutex.h:110-114, Linux 7.2.13
    """
    lockdep_assert_held(lock.wait_lock)


def ww_mutex_lock_acquired(ww: ww_mutex, ww_ctx: ww_acquire_ctx) -> None:
    """Account a lock to its context, and check how it came by it.

    kernel/locking/ww_mutex.h:215-254, Linux 7.2.13
    """
    DEBUG_LOCKS_WARN_ON(ww.ctx)

    DEBUG_LOCKS_WARN_ON(ww_ctx.done_acquire)

    if ww_ctx.contending_lock:
        DEBUG_LOCKS_WARN_ON(ww_ctx.contending_lock is not ww)

        DEBUG_LOCKS_WARN_ON(ww_ctx.acquired > 0)
        ww_ctx.contending_lock = None

    DEBUG_LOCKS_WARN_ON(ww_ctx.ww_class is not ww.ww_class)
    ww_ctx.acquired += 1
    ww.ctx = ww_ctx


def __ww_ctx_less(a: ww_acquire_ctx, b: ww_acquire_ctx) -> bool:
    """True if `a` is younger than `b`.

    kernel/locking/ww_mutex.h:262-301, Linux 7.2.13
    """
    return s64(a.stamp - b.stamp) > 0


def __ww_mutex_die(
    lock: mutex, waiter: mutex_waiter, ww_ctx: ww_acquire_ctx, wake_q: WakeQ
) -> bool:
    """Wait-die: wake a younger waiter that holds locks, so that it gives up.

    kernel/locking/ww_mutex.h:311-332, Linux 7.2.13
    """
    if not ww_ctx.is_wait_die:
        return False

    if waiter.ww_ctx.acquired > 0 and __ww_ctx_less(waiter.ww_ctx, ww_ctx):
        wake_q.append(waiter.task)  # kport: model

    return True


def __ww_mutex_wound(
    lock: mutex,
    ww_ctx: ww_acquire_ctx,
    hold_ctx: ww_acquire_ctx | None,
    wake_q: WakeQ,
) -> bool:
    """Wound-wait: mark a younger holder, and wake it so that it sees.

    kernel/locking/ww_mutex.h:341-393, Linux 7.2.13
    """
    owner = __ww_mutex_owner(lock)

    lockdep_assert_wait_lock_held(lock)

    if not hold_ctx:
        return False

    if not owner:
        return False

    if ww_ctx.acquired > 0 and __ww_ctx_less(hold_ctx, ww_ctx):
        hold_ctx.wounded = 1

        if owner is not current():
            wake_q.append(owner)  # kport: model
        return True

    return False


def __ww_mutex_check_waiters(lock: mutex, ww_ctx: ww_acquire_ctx, wake_q: WakeQ) -> None:
    """A context has the lock now: the waiters behind it may have to die, or wound it.

    kernel/locking/ww_mutex.h:407-426, Linux 7.2.13
    """
    lockdep_assert_wait_lock_held(lock)

    cur = __ww_waiter_first(lock)
    while cur:
        if not cur.ww_ctx:
            cur = __ww_waiter_next(lock, cur)
            continue

        if __ww_mutex_die(lock, cur, ww_ctx, wake_q) or __ww_mutex_wound(
            lock, cur.ww_ctx, ww_ctx, wake_q
        ):
            break
        cur = __ww_waiter_next(lock, cur)


def ww_mutex_set_context_fastpath(lock: ww_mutex, ctx: ww_acquire_ctx) -> None:
    """The lock was free: account it, and look after waiters that came meanwhile.

    kernel/locking/ww_mutex.h:432-473, Linux 7.2.13
    """
    wake_q: WakeQ = []  # kport: model

    ww_mutex_lock_acquired(lock, ctx)

    smp_mb()

    has_waiters = __ww_mutex_has_waiters(lock.base)
    if not has_waiters:
        return

    flags = raw_spin_lock_irqsave(lock.base.wait_lock)  # kport: inlined
    __ww_mutex_check_waiters(lock.base, ctx, wake_q)
    preempt_disable()
    raw_spin_unlock_irqrestore(lock.base.wait_lock, flags)  # kport: inlined
    wake_up_q(wake_q)
    preempt_enable()


def __ww_mutex_kill(lock: mutex, ww_ctx: ww_acquire_ctx) -> int:
    """-EDEADLK if the context holds locks, else it may go on waiting.

    kernel/locking/ww_mutex.h:475-490, Linux 7.2.13
    """
    if ww_ctx.acquired > 0:
        ww = container_of(lock, ww_mutex, "base")
        DEBUG_LOCKS_WARN_ON(ww_ctx.contending_lock)
        ww_ctx.contending_lock = ww
        return -EDEADLK

    return 0


def __ww_mutex_check_kill(lock: mutex, waiter: mutex_waiter, ctx: ww_acquire_ctx) -> int:
    """Whether a context that waits must give up: -EDEADLK, or 0.

    kernel/locking/ww_mutex.h:503-539, Linux 7.2.13
    """
    ww = container_of(lock, ww_mutex, "base")
    hold_ctx = READ_ONCE(ww, "ctx")

    if ctx.acquired == 0:
        return 0

    if not ctx.is_wait_die:
        if ctx.wounded:
            return __ww_mutex_kill(lock, ctx)

        return 0

    if hold_ctx and __ww_ctx_less(ctx, hold_ctx):
        return __ww_mutex_kill(lock, ctx)

    cur = __ww_waiter_prev(lock, waiter)
    while cur:
        if not cur.ww_ctx:
            cur = __ww_waiter_prev(lock, cur)
            continue

        return __ww_mutex_kill(lock, ctx)

    return 0


def __ww_mutex_add_waiter(
    waiter: mutex_waiter, lock: mutex, ww_ctx: ww_acquire_ctx | None, wake_q: WakeQ
) -> int:
    """Queue a waiter by age; -EDEADLK if it must not wait here.

    kernel/locking/ww_mutex.h:552-623, Linux 7.2.13
    """
    pos = None

    if not ww_ctx:
        __ww_waiter_add(lock, waiter, None)
        return 0

    is_wait_die = ww_ctx.is_wait_die

    cur = __ww_waiter_last(lock)
    while cur:
        if not cur.ww_ctx:
            cur = __ww_waiter_prev(lock, cur)
            continue

        if __ww_ctx_less(ww_ctx, cur.ww_ctx):
            if is_wait_die:
                ret = __ww_mutex_kill(lock, ww_ctx)

                if ret:
                    return ret

            break

        pos = cur

        __ww_mutex_die(lock, cur, ww_ctx, wake_q)
        cur = __ww_waiter_prev(lock, cur)

    __ww_waiter_add(lock, waiter, pos)

    if not is_wait_die:
        ww = container_of(lock, ww_mutex, "base")

        smp_mb()
        __ww_mutex_wound(lock, ww_ctx, ww.ctx, wake_q)

    return 0


def __ww_mutex_unlock(lock: ww_mutex) -> None:
    """Take the lock off its context's account.

    kernel/locking/ww_mutex.h:625-635, Linux 7.2.13
    """
    if lock.ctx:
        DEBUG_LOCKS_WARN_ON(not lock.ctx.acquired)
        if lock.ctx.acquired > 0:
            lock.ctx.acquired -= 1
        lock.ctx = None


# -- include/linux/ww_mutex.h ------------------------------------------------------------------


def ww_mutex_init(lock: ww_mutex, ww_class: ww_class) -> None:
    """Make the lock free.

    include/linux/ww_mutex.h:109-117, Linux 7.2.13
    """
    mutex_init(lock.base, ww_class.name)  # kport: model
    lock.ctx = None
    lock.ww_class = ww_class


def ww_acquire_init(ctx: ww_acquire_ctx, ww_class: ww_class) -> None:
    """Begin a context: it gets its age now.

    include/linux/ww_mutex.h:143-170, Linux 7.2.13
    """
    ctx.task = current()
    ctx.stamp = atomic64_inc_return(ww_class.stamp)  # kport: model
    ctx.acquired = 0
    ctx.wounded = False
    ctx.is_wait_die = ww_class.is_wait_die
    ctx.ww_class = ww_class
    ctx.done_acquire = 0
    ctx.contending_lock = None


def ww_acquire_done(ctx: ww_acquire_ctx) -> None:
    """No more locks will be taken.

    include/linux/ww_mutex.h:183-192, Linux 7.2.13
    """
    # kport: annotation
    DEBUG_LOCKS_WARN_ON(ctx.done_acquire)
    ctx.done_acquire = 1


def ww_acquire_fini(ctx: ww_acquire_ctx) -> None:
    """End a context; it must hold nothing.

    include/linux/ww_mutex.h:201-221, Linux 7.2.13
    """
    DEBUG_LOCKS_WARN_ON(ctx.acquired)
    ctx.done_acquire = 1
    ctx.acquired = ~0


def ww_mutex_lock(lock: ww_mutex, ctx: ww_acquire_ctx | None) -> int:
    """Take the lock: 0, -EALREADY if the context has it, -EDEADLK if it must back off."""
    return __mutex_lock_common(lock.base, TASK_UNINTERRUPTIBLE, ctx, True)


def ww_mutex_lock_interruptible(lock: ww_mutex, ctx: ww_acquire_ctx | None) -> int:
    """ww_mutex_lock(), or -EINTR if a signal comes first."""
    return __mutex_lock_common(lock.base, TASK_INTERRUPTIBLE, ctx, True)


def ww_mutex_lock_slow(lock: ww_mutex, ctx: ww_acquire_ctx) -> None:
    """Take the contended lock after a back-off; the context must hold nothing.

    include/linux/ww_mutex.h:312-322, Linux 7.2.13
    """
    DEBUG_LOCKS_WARN_ON(not ctx.contending_lock)
    ret = ww_mutex_lock(lock, ctx)


def ww_mutex_lock_slow_interruptible(lock: ww_mutex, ctx: ww_acquire_ctx) -> int:
    """ww_mutex_lock_slow(), or -EINTR if a signal comes first.

    include/linux/ww_mutex.h:349-358, Linux 7.2.13
    """
    DEBUG_LOCKS_WARN_ON(not ctx.contending_lock)
    return ww_mutex_lock_interruptible(lock, ctx)


def ww_mutex_trylock(ww: ww_mutex, ww_ctx: ww_acquire_ctx | None) -> int:
    """Take the lock if it is free; 1 if taken."""
    if not ww_ctx:
        return int(mutex_trylock(ww.base))

    if ww_ctx.acquired == 0:
        ww_ctx.wounded = 0

    if mutex_trylock(ww.base):
        ww_mutex_set_context_fastpath(ww, ww_ctx)
        return 1

    return 0


def ww_mutex_unlock(lock: ww_mutex) -> None:
    """Release the lock."""
    __ww_mutex_unlock(lock)
    mutex_unlock(lock.base)


def ww_mutex_destroy(lock: ww_mutex) -> None:
    """The lock is not used any more; it must be free.

    include/linux/ww_mutex.h:374-380, Linux 7.2.13
    """
    mutex_destroy(lock.base)


def ww_mutex_is_locked(lock: ww_mutex) -> bool:
    """True while anybody owns it.

    include/linux/ww_mutex.h:388-391, Linux 7.2.13
    """
    return mutex_is_locked(lock.base)  # kport: model


# extern
from kport.linux.mutex import (
    WakeQ,
    __mutex_lock_common,
    __mutex_owner,
    mutex,
    mutex_destroy,
    mutex_init,
    mutex_is_locked,
    mutex_trylock,
    mutex_unlock,
    mutex_waiter,
    wake_up_q,
)


class ww_mutex(struct):
    """A mutex that knows the context that holds it."""

    base: mutex
    ctx: ww_acquire_ctx | None
    ww_class: ww_class | None
