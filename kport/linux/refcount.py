# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from include/linux/refcount.h and lib/refcount.c,
# Linux 7.2.13, on 2026-11-20.
"""Reference counters that saturate and complain instead of wrapping.

A value outside 1..INT_MAX is an error: the counter goes to REFCOUNT_SATURATED, the object leaks,
and one warning per kernel and kind says so.
"""

from __future__ import annotations

import sys
from typing import Any

from kport.linux.atomic import (
    atomic_fetch_add_relaxed,
    atomic_fetch_sub_release,
    atomic_read,
    atomic_set,
    atomic_t,
    atomic_try_cmpxchg_relaxed,
    atomic_try_cmpxchg_release,
    smp_acquire__after_ctrl_dep,
)
from kport.linux.bug import WARN_ONCE, report
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.printk import first_time
from kport.linux.spinlock import (
    spin_lock,
    spin_lock_irqsave,
    spin_unlock,
    spin_unlock_irqrestore,
    spinlock_t,
)
from kport.linux.types import INT_MAX, INT_MIN, s32, u32

REFCOUNT_MAX = INT_MAX
REFCOUNT_SATURATED = INT_MIN // 2



class refcount_saturation_type:
    """What went wrong with a counter."""

    REFCOUNT_ADD_NOT_ZERO_OVF = 0
    REFCOUNT_ADD_OVF = 1
    REFCOUNT_ADD_UAF = 2
    REFCOUNT_SUB_UAF = 3
    REFCOUNT_DEC_LEAK = 4


class refcount_t(atomic_t):
    """The counter (include/linux/refcount_types.h).

    `refs` is its only member and so has its address: the two are one object here.
    """

    __slots__ = ("refs",)
    _knots: tuple[str, ...] = ("refs",)

    def __init__(self) -> None:
        self.counter = 0
        self.lock: list[None] = [None]
        self.refs: atomic_t = self

    def _free(self) -> None:
        del self.refs, self.counter


def REFCOUNT_INIT(n: int) -> refcount_t:  # kport: initialiser
    """A new counter with a value; C initialises one where it is declared.

    include/linux/refcount.h:113, Linux 7.2.13
    """
    r = refcount_t()  # kport: initialiser
    r.counter = n  # kport: initialiser
    return r  # kport: initialiser


def refcount_set(r: refcount_t, n: int) -> None:
    """Store a value; only while nobody else sees the object.

    include/linux/refcount.h:132-135, Linux 7.2.13
    """
    atomic_set(r.refs, n)


def refcount_read(r: refcount_t) -> int:
    """The value now, as an unsigned int.

    include/linux/refcount.h:168-171, Linux 7.2.13
    """
    return u32(atomic_read(r.refs))  # kport: implicit-cast


def refcount_add_not_zero(i: int, r: refcount_t) -> bool:
    """Add unless the counter is 0; False if it is.

    include/linux/refcount.h:210-213, Linux 7.2.13
    """
    old = refcount_read(r)

    while True:
        if not old:
            break
        ok, old = atomic_try_cmpxchg_relaxed(r.refs, old, s32(old + i))  # kport: out-param
        if ok:
            break

    if old < 0 or s32(old + i) < 0:  # kport: wrap
        refcount_warn_saturate(r, refcount_saturation_type.REFCOUNT_ADD_NOT_ZERO_OVF)

    return bool(old)


def refcount_add(i: int, r: refcount_t) -> None:
    """Add to a counter that is not 0.

    include/linux/refcount.h:310-313, Linux 7.2.13
    """
    old = atomic_fetch_add_relaxed(i, r.refs)

    if not old:
        refcount_warn_saturate(r, refcount_saturation_type.REFCOUNT_ADD_UAF)
    elif old < 0 or s32(old + i) < 0:  # kport: wrap
        refcount_warn_saturate(r, refcount_saturation_type.REFCOUNT_ADD_OVF)


def refcount_inc_not_zero(r: refcount_t) -> bool:
    """Add 1 unless the counter is 0; False if it is.

    include/linux/refcount.h:333-336, Linux 7.2.13
    """
    return refcount_add_not_zero(1, r)  # kport: folded


def refcount_inc(r: refcount_t) -> None:
    """Add 1 to a counter that is not 0.

    include/linux/refcount.h:381-384, Linux 7.2.13
    """
    old = atomic_fetch_add_relaxed(1, r.refs)

    if not old:
        refcount_warn_saturate(r, refcount_saturation_type.REFCOUNT_ADD_UAF)
    elif old < 0 or old == INT_MAX:  # kport: wrap
        refcount_warn_saturate(r, refcount_saturation_type.REFCOUNT_ADD_OVF)


def refcount_sub_and_test(i: int, r: refcount_t) -> bool:
    """Subtract; True if that was the last of it.

    include/linux/refcount.h:425-428, Linux 7.2.13
    """
    old = atomic_fetch_sub_release(i, r.refs)

    if old > 0 and old == i:
        smp_acquire__after_ctrl_dep()
        return True

    if old <= 0 or s32(old - i) < 0:  # kport: wrap
        refcount_warn_saturate(r, refcount_saturation_type.REFCOUNT_SUB_UAF)

    return False


def refcount_dec_and_test(r: refcount_t) -> bool:
    """Subtract 1; True if the counter is 0 now.

    include/linux/refcount.h:448-451, Linux 7.2.13
    """
    old = atomic_fetch_sub_release(1, r.refs)

    if old == 1:  # kport: folded
        smp_acquire__after_ctrl_dep()
        return True

    if old <= 0:  # kport: wrap
        refcount_warn_saturate(r, refcount_saturation_type.REFCOUNT_SUB_UAF)

    return False


def refcount_dec(r: refcount_t) -> None:
    """Subtract 1 from a counter that stays above 0.

    include/linux/refcount.h:474-477, Linux 7.2.13
    """
    old = atomic_fetch_sub_release(1, r.refs)

    if old <= 1:
        refcount_warn_saturate(r, refcount_saturation_type.REFCOUNT_DEC_LEAK)


def REFCOUNT_WARN(str: str) -> None:
    """Report what happened to a counter; a macro in C, so each place says it once per kernel.

    lib/refcount.c:11, Linux 7.2.13
    """
    frame = sys._getframe(1)  # kport: inlined
    if first_time((frame.f_code.co_filename, frame.f_lineno)):  # kport: inlined
        report("refcount_t: " + str + ".\n", frame)  # kport: inlined


def refcount_warn_saturate(r: refcount_t, t: int) -> None:
    """Saturate the counter and say why (REFCOUNT_ADD_OVF ...).

    lib/refcount.c:13-36, Linux 7.2.13
    """
    refcount_set(r, REFCOUNT_SATURATED)

    match t:
        case refcount_saturation_type.REFCOUNT_ADD_NOT_ZERO_OVF:
            REFCOUNT_WARN("saturated; leaking memory")
        case refcount_saturation_type.REFCOUNT_ADD_OVF:
            REFCOUNT_WARN("saturated; leaking memory")
        case refcount_saturation_type.REFCOUNT_ADD_UAF:
            REFCOUNT_WARN("addition on 0; use-after-free")
        case refcount_saturation_type.REFCOUNT_SUB_UAF:
            REFCOUNT_WARN("underflow; use-after-free")
        case refcount_saturation_type.REFCOUNT_DEC_LEAK:
            REFCOUNT_WARN("decrement hit 0; leaking memory")
        case _:
            REFCOUNT_WARN("unknown saturation event!?")


EXPORT_SYMBOL(refcount_warn_saturate)


def refcount_dec_if_one(r: refcount_t) -> bool:
    """1 to 0, else nothing; True if it was 1.

    lib/refcount.c:55-60, Linux 7.2.13
    """
    val = 1

    ok, val = atomic_try_cmpxchg_release(r.refs, val, 0)  # kport: out-param
    return ok


EXPORT_SYMBOL(refcount_dec_if_one)


def refcount_dec_not_one(r: refcount_t) -> bool:
    """Subtract 1 unless the counter is 1; False if it is.

    lib/refcount.c:74-94, Linux 7.2.13
    """
    val = u32(atomic_read(r.refs))  # kport: implicit-cast

    while True:
        if val == u32(REFCOUNT_SATURATED):  # kport: implicit-cast
            return True

        if val == 1:
            return False

        new = u32(val - 1)  # kport: wrap
        if new > val:
            WARN_ONCE(new > val, "refcount_t: underflow; use-after-free.\n")
            return True

        ok, was = atomic_try_cmpxchg_release(r.refs, s32(val), s32(new))  # kport: out-param
        val = u32(was)  # kport: implicit-cast
        if ok:
            break

    return True


EXPORT_SYMBOL(refcount_dec_not_one)


def refcount_dec_and_mutex_lock(r: refcount_t, lock: Any) -> bool:
    """Subtract 1; True, with the mutex held, if the counter is 0 now.

    lib/refcount.c:113-125, Linux 7.2.13
    """
    if refcount_dec_not_one(r):
        return False

    mutex_lock(lock)
    if not refcount_dec_and_test(r):
        mutex_unlock(lock)
        return False

    return True


EXPORT_SYMBOL(refcount_dec_and_mutex_lock)


def refcount_dec_and_lock(r: refcount_t, lock: spinlock_t) -> bool:
    """Subtract 1; True, with the spin lock held, if the counter is 0 now.

    lib/refcount.c:144-156, Linux 7.2.13
    """
    if refcount_dec_not_one(r):
        return False

    spin_lock(lock)
    if not refcount_dec_and_test(r):
        spin_unlock(lock)
        return False

    return True


EXPORT_SYMBOL(refcount_dec_and_lock)


def refcount_dec_and_lock_irqsave(r: refcount_t, lock: spinlock_t) -> tuple[bool, int]:
    """As refcount_dec_and_lock() with interrupts off; also returns `flags`.

    lib/refcount.c:172-185, Linux 7.2.13
    """
    flags = 0  # kport: out-param
    if refcount_dec_not_one(r):
        return False, flags  # kport: out-param

    flags = spin_lock_irqsave(lock)
    if not refcount_dec_and_test(r):
        spin_unlock_irqrestore(lock, flags)
        return False, flags  # kport: out-param

    return True, flags  # kport: out-param


EXPORT_SYMBOL(refcount_dec_and_lock_irqsave)

# extern
from kport.linux.mutex import mutex_lock, mutex_unlock
