# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The atomic operations that are made of others (include/linux/atomic/*.h, Linux 7.2.13).

Ordering suffixes (_relaxed, _acquire, _release) name the same operation, except where the machine
has one of its own for them (`virt` with a weak memory: kport.arch.virt_weak_asm).
"""

from __future__ import annotations


from kport.arch.asm import (
    atomic64_fetch_add,
    atomic_add,
    atomic_cmpxchg,
    atomic_dec,
    atomic_dec_and_test,
    atomic_fetch_add,
    atomic_fetch_sub,
    atomic_inc,
    atomic_inc_return,
    atomic_read,
    atomic_set,
    atomic_sub,
    atomic_xchg,
    smp_mb,
    smp_rmb,
)
from kport.arch.types import atomic64_t, atomic_long_t, atomic_t
from kport.linux.types import s32

__all__ = [
    "ATOMIC64_INIT",
    "ATOMIC_INIT",
    "atomic64_fetch_add",
    "atomic64_t",
    "atomic_add",
    "atomic_cmpxchg",
    "atomic_dec",
    "atomic_dec_and_test",
    "atomic_fetch_add",
    "atomic_fetch_sub",
    "atomic_inc",
    "atomic_inc_return",
    "atomic_long_t",
    "atomic_read",
    "atomic_set",
    "atomic_sub",
    "atomic_t",
    "atomic_xchg",
]


def ATOMIC_INIT(i: int) -> atomic_t:
    """A counter that begins at `i`."""
    return atomic_t(i)


def ATOMIC64_INIT(i: int) -> atomic64_t:
    """A 64-bit counter that begins at `i`."""
    return atomic64_t(i)


def atomic_add_return(i: int, v: atomic_t) -> int:
    """Add; returns the value after."""
    return s32(atomic_fetch_add(i, v) + i)


def atomic_sub_return(i: int, v: atomic_t) -> int:
    """Subtract; returns the value after."""
    return s32(atomic_fetch_add(-i, v) - i)


def atomic_dec_return(v: atomic_t) -> int:
    """Subtract 1; returns the value after."""
    return s32(atomic_fetch_add(-1, v) - 1)


def atomic_fetch_inc(v: atomic_t) -> int:
    """Add 1; returns the value before."""
    return atomic_fetch_add(1, v)


def atomic_inc_and_test(v: atomic_t) -> bool:
    """Add 1; True if the result is 0."""
    return atomic_fetch_add(1, v) == -1


def atomic_sub_and_test(i: int, v: atomic_t) -> bool:
    """Subtract; True if the result is 0."""
    return atomic_fetch_add(-i, v) == i


def atomic_fetch_or(i: int, v: atomic_t) -> int:
    """Or; returns the value before."""
    while True:
        old = atomic_read(v)
        if atomic_cmpxchg(v, old, old | i) == old:
            return old


def atomic_fetch_andnot(i: int, v: atomic_t) -> int:
    """Clear bits; returns the value before."""
    while True:
        old = atomic_read(v)
        if atomic_cmpxchg(v, old, old & ~i) == old:
            return old


def atomic_add_unless(v: atomic_t, a: int, u: int) -> bool:
    """Add `a` unless the value is `u`; True if it was added."""
    while True:
        old = atomic_read(v)
        if old == u:
            return False
        if atomic_cmpxchg(v, old, s32(old + a)) == old:
            return True


def atomic_inc_not_zero(v: atomic_t) -> bool:
    """Add 1 unless the value is 0; True if it was added."""
    return atomic_add_unless(v, 1, 0)


def atomic_try_cmpxchg(v: atomic_t, old: int, new: int) -> tuple[bool, int]:
    """Replace `old` by `new`: (True, old), or (False, the value found)."""
    was = atomic_cmpxchg(v, old, new)
    return was == old, was


atomic_read_acquire = atomic_read
atomic_set_release = atomic_set
atomic_fetch_add_relaxed = atomic_fetch_add
atomic_fetch_sub_release = atomic_fetch_sub
atomic_try_cmpxchg_relaxed = atomic_try_cmpxchg
atomic_try_cmpxchg_release = atomic_try_cmpxchg

atomic64_read = atomic_read
atomic64_set = atomic_set


def atomic64_inc_return(v: atomic64_t) -> int:
    """Add 1; returns the value after."""
    return atomic64_fetch_add(1, v) + 1


def atomic64_add(i: int, v: atomic64_t) -> None:
    """Add."""
    atomic64_fetch_add(i, v)


def atomic64_inc(v: atomic64_t) -> None:
    """Add 1."""
    atomic64_fetch_add(1, v)


atomic_long_read = atomic_read
atomic_long_set = atomic_set
atomic_long_xchg = atomic_xchg
atomic_long_cmpxchg = atomic_cmpxchg


def smp_mb__after_atomic() -> None:
    """Full barrier behind an atomic that returns nothing."""
    smp_mb()


def smp_mb__before_atomic() -> None:
    """Full barrier before an atomic that returns nothing."""
    smp_mb()


def smp_acquire__after_ctrl_dep() -> None:
    """Turn the control dependency on an atomic's result into an acquire."""
    smp_rmb()
