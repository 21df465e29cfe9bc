# SPDX-FileCopyrightText: 2006 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After lib/locking-selftest.c, Linux 7.2.13, on 2026-11-20.
"""The cases about ww_mutexes.

A lock that another task holds is played by the task itself: it takes the lock, tells the validator
that it has released it, and gives the lock a context that is older than its own.
"""

from __future__ import annotations

from typing import Any

from kport.kunit.locking.selftest_locks import (
    L,
    U,
    lock,
    o,
    o2,
    o3,
    t,
    t2,
    ww_lockdep,
)
from kport.kunit.locking.selftest_order import case
from kport.linux.bug import WARN_ON
from kport.linux.err import EALREADY, EDEADLK
from kport.linux.lockdep import _THIS_IP_, lock_acquire, lock_release
from kport.linux.lockdep_state import DEBUG_LOCKS_WARN_ON
from kport.linux.mutex import (
    mutex_lock,
    mutex_lock_interruptible,
    mutex_lock_killable,
    mutex_lock_nest_lock,
    mutex_trylock,
    mutex_unlock,
)
from kport.linux.spinlock import spin_lock, spin_lock_nest_lock, spin_unlock
from kport.linux.ww_mutex import (
    ww_acquire_ctx,
    ww_acquire_done,
    ww_acquire_fini,
    ww_acquire_init,
    ww_mutex,
    ww_mutex_lock,
    ww_mutex_lock_slow,
    ww_mutex_trylock,
    ww_mutex_unlock,
)

OTHER: Any = ww_acquire_ctx()  # a context that is nobody's


def WWAI(x: ww_acquire_ctx) -> None:
    """Begin a context."""
    ww_acquire_init(x, ww_lockdep)


def WWL(x: ww_mutex, c: ww_acquire_ctx | None) -> int:
    """Take a ww_mutex with a context."""
    return ww_mutex_lock(x, c)


def WWL1(x: ww_mutex) -> int:
    """Take a ww_mutex without a context."""
    return ww_mutex_lock(x, None)


def WWT(x: ww_mutex) -> int:
    """Try to take a ww_mutex."""
    return ww_mutex_trylock(x, None)


def WWU(x: ww_mutex) -> None:
    """Release a ww_mutex."""
    ww_mutex_unlock(x)


def assign(to: ww_acquire_ctx, source: ww_acquire_ctx) -> None:
    """`*to = *source`."""
    for field in source._fields:
        setattr(to, field, getattr(source, field))


@case
def ww_test_fail_acquire() -> None:
    """A context that has the lock, one that is younger, and none."""
    WWAI(t)
    t.stamp += 1

    ret = WWL(o, t)

    if WARN_ON(not o.ctx) or WARN_ON(ret):
        return

    ret = WWL(o, t)
    WARN_ON(ret != -EALREADY)

    ret = WWT(o)
    WARN_ON(ret)

    assign(t2, t)
    t2.stamp += 1
    ret = WWL(o, t2)
    WARN_ON(ret != -EDEADLK)
    WWU(o)

    if WWT(o):
        WWU(o)
    else:
        DEBUG_LOCKS_WARN_ON(1)


@case
def ww_test_normal() -> None:
    """The mutex below a ww_mutex leaves the context alone."""
    o.ctx = OTHER
    mutex_lock(o.base)
    mutex_unlock(o.base)
    WARN_ON(o.ctx is not OTHER)

    for take in (mutex_lock_interruptible, mutex_lock_killable):
        o.ctx = OTHER
        ret = take(o.base)
        if not ret:
            mutex_unlock(o.base)
        else:
            WARN_ON(1)
        WARN_ON(o.ctx is not OTHER)

    o.ctx = OTHER
    taken = mutex_trylock(o.base)
    WARN_ON(not taken)
    if taken:
        mutex_unlock(o.base)
    else:
        WARN_ON(1)
    WARN_ON(o.ctx is not OTHER)

    o.ctx = OTHER
    mutex_lock(o.base)
    WARN_ON(mutex_trylock(o.base))
    mutex_unlock(o.base)
    WARN_ON(o.ctx is not OTHER)

    WWAI(t)
    o.ctx = OTHER
    mutex_lock_nest_lock(o.base, t)
    mutex_unlock(o.base)
    WARN_ON(o.ctx is not OTHER)


@case
def ww_test_two_contexts() -> None:
    """A task has one context."""
    WWAI(t)
    WWAI(t2)


@case
def ww_test_diff_class() -> None:
    """The lock is of the context's class."""
    WWAI(t)
    t.ww_class = None
    WWL(o, t)


@case
def ww_test_context_done_twice() -> None:
    """A context is done once."""
    WWAI(t)
    ww_acquire_done(t)
    ww_acquire_done(t)
    ww_acquire_fini(t)


@case
def ww_test_context_unlock_twice() -> None:
    """A context ends once."""
    WWAI(t)
    ww_acquire_done(t)
    ww_acquire_fini(t)
    ww_acquire_fini(t)


@case
def ww_test_context_fini_early() -> None:
    """A context ends with nothing locked."""
    WWAI(t)
    WWL(o, t)
    ww_acquire_done(t)
    ww_acquire_fini(t)


@case
def ww_test_context_lock_after_done() -> None:
    """A context that is done takes nothing."""
    WWAI(t)
    ww_acquire_done(t)
    WWL(o, t)


@case
def ww_test_object_unlock_twice() -> None:
    """A lock is released once."""
    WWL1(o)
    WWU(o)
    WWU(o)


@case
def ww_test_object_lock_unbalanced() -> None:
    """The context counts its locks."""
    WWAI(t)
    WWL(o, t)
    t.acquired = 0
    WWU(o)
    ww_acquire_fini(t)


@case
def ww_test_object_lock_stale_context() -> None:
    """A free lock has no context."""
    WWAI(t)
    o.ctx = t2
    WWL(o, t)


def _older(*held: ww_mutex) -> None:
    """Somebody older holds these locks; this task's context begins and takes the first lock."""
    for w in held:
        mutex_lock(w.base)
        w.ctx = t2
        lock_release(w.base, _THIS_IP_)

    WWAI(t)
    assign(t2, t)
    t2.stamp -= 1

    ret = WWL(o, t)
    WARN_ON(ret)

    ret = WWL(o2, t)
    WARN_ON(ret != -EDEADLK)


def _given_back() -> None:
    """Who held the second lock has released it."""
    o2.ctx = None
    lock_acquire(o2.base, 0, 1, 0, 1, None, _THIS_IP_)
    mutex_unlock(o2.base)


@case
def ww_test_edeadlk_normal() -> None:
    """Back off, and take the contended lock."""
    _older(o2)
    _given_back()
    WWU(o)
    WWL(o2, t)


@case
def ww_test_edeadlk_normal_slow() -> None:
    """The same with the slow function."""
    _older(o2)
    _given_back()
    WWU(o)
    ww_mutex_lock_slow(o2, t)


@case
def ww_test_edeadlk_no_unlock() -> None:
    """Who must back off releases what he has."""
    _older(o2)
    _given_back()
    WWL(o2, t)


@case
def ww_test_edeadlk_no_unlock_slow() -> None:
    """The same with the slow function."""
    _older(o2)
    _given_back()
    ww_mutex_lock_slow(o2, t)


@case
def ww_test_edeadlk_acquire_more() -> None:
    """Who must back off takes nothing else."""
    _older(o2)
    WWL(o3, t)


@case
def ww_test_edeadlk_acquire_more_slow() -> None:
    """The same with the slow function."""
    _older(o2)
    ww_mutex_lock_slow(o3, t)


@case
def ww_test_edeadlk_acquire_more_edeadlk() -> None:
    """Who must back off is not told twice."""
    _older(o2, o3)
    ret = WWL(o3, t)
    WARN_ON(ret != -EDEADLK)


@case
def ww_test_edeadlk_acquire_more_edeadlk_slow() -> None:
    """The same with the slow function."""
    _older(o2, o3)
    ww_mutex_lock_slow(o3, t)


@case
def ww_test_edeadlk_acquire_wrong() -> None:
    """After a back-off the contended lock is next."""
    _older(o2)
    WWU(o)
    WWL(o3, t)


@case
def ww_test_edeadlk_acquire_wrong_slow() -> None:
    """The same with the slow function."""
    _older(o2)
    WWU(o)
    ww_mutex_lock_slow(o3, t)


@case
def ww_test_spin_nest_unlocked() -> None:
    """The lock around is held."""
    spin_lock_nest_lock(lock["A"], o.base)
    U("A")


@case
def ww_test_spin_nest_lock() -> None:
    """Under a lock around, locks of a class are taken together."""
    spin_lock(lock["X1"])
    spin_lock_nest_lock(lock["Y1"], lock["X1"])
    spin_lock(lock["A"])
    spin_lock_nest_lock(lock["Y2"], lock["X1"])
    spin_unlock(lock["A"])
    spin_unlock(lock["Y2"])
    spin_unlock(lock["Y1"])
    spin_unlock(lock["X1"])


@case
def ww_test_unneeded_slow() -> None:
    """The slow function comes after a back-off."""
    WWAI(t)
    ww_mutex_lock_slow(o, t)


@case
def ww_test_context_block() -> None:
    """With a context, then without."""
    WWAI(t)
    WARN_ON(WWL(o, t))
    WWL1(o2)


@case
def ww_test_context_try() -> None:
    """With a context, then a try."""
    WWAI(t)
    WARN_ON(WWL(o, t))
    WARN_ON(not WWT(o2))
    WWU(o2)
    WWU(o)


@case
def ww_test_context_context() -> None:
    """Twice with a context."""
    WWAI(t)
    WARN_ON(WWL(o, t))
    WARN_ON(WWL(o2, t))
    WWU(o2)
    WWU(o)


@case
def ww_test_try_block() -> None:
    """A try, then without a context."""
    WARN_ON(not WWT(o))
    WWL1(o2)
    WWU(o2)
    WWU(o)


@case
def ww_test_try_try() -> None:
    """Two tries."""
    WARN_ON(not WWT(o))
    WARN_ON(not WWT(o2))
    WWU(o2)
    WWU(o)


@case
def ww_test_try_context() -> None:
    """A try, then with a context."""
    WARN_ON(not WWT(o))
    WWAI(t)
    WARN_ON(WWL(o2, t))


@case
def ww_test_block_block() -> None:
    """Twice without a context."""
    WWL1(o)
    WWL1(o2)


@case
def ww_test_block_try() -> None:
    """Without a context, then a try."""
    WWL1(o)
    WARN_ON(not WWT(o2))


@case
def ww_test_block_context() -> None:
    """Without a context, then with one."""
    WWL1(o)
    WWAI(t)
    WARN_ON(WWL(o2, t))


@case
def ww_test_spin_block() -> None:
    """Inside a spin lock without a context."""
    L("A")
    U("A")
    WWL1(o)
    L("A")
    U("A")
    WWU(o)
    L("A")
    WWL1(o)
    WWU(o)
    U("A")


@case
def ww_test_spin_try() -> None:
    """Inside a spin lock a try."""
    L("A")
    U("A")
    WARN_ON(not WWT(o))
    L("A")
    U("A")
    WWU(o)
    L("A")
    WARN_ON(not WWT(o))
    WWU(o)
    U("A")


@case
def ww_test_spin_context() -> None:
    """Inside a spin lock with a context."""
    L("A")
    U("A")
    WWAI(t)
    WARN_ON(WWL(o, t))
    L("A")
    U("A")
    WWU(o)
    L("A")
    WARN_ON(WWL(o, t))
    WWU(o)
    U("A")
