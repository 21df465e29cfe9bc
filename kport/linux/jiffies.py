# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Ticks (include/linux/jiffies.h, Linux 7.2.13): HZ per second, beginning at minus five minutes.

jiffies is computed from the clock, never counted, so no tick is lost. As in the kernel the first
value is INITIAL_JIFFIES, an unsigned 32-bit minus five minutes, so that code which compares ticks
without the macros breaks within five minutes of a boot and not after 49 days.
"""

from __future__ import annotations

from kport.arch.asm import ktime_get
from kport.linux.kconfig import HZ
from kport.linux.types import LONG_MAX, s64, u32, u64

TICK_NSEC = 1_000_000_000 // HZ
INITIAL_JIFFIES = u32(-300 * HZ)
MAX_JIFFY_OFFSET = (LONG_MAX >> 1) - 1


def jiffies() -> int:
    """The tick now, as an unsigned long."""
    return INITIAL_JIFFIES + ktime_get() // TICK_NSEC


def get_jiffies_64() -> int:
    """The tick now."""
    return jiffies()


def jiffies_to_ktime(j: int) -> int:
    """The time in ns at which jiffies() becomes `j`, however far away that is."""
    return (j - INITIAL_JIFFIES) * TICK_NSEC


def time_after(a: int, b: int) -> bool:
    """True if tick a is later than tick b; right across a wrap."""
    return s64(b - a) < 0


def time_before(a: int, b: int) -> bool:
    """True if tick a is earlier than tick b."""
    return s64(a - b) < 0


def time_after_eq(a: int, b: int) -> bool:
    """True if tick a is not earlier than tick b."""
    return s64(a - b) >= 0


def time_before_eq(a: int, b: int) -> bool:
    """True if tick a is not later than tick b."""
    return s64(b - a) >= 0


def msecs_to_jiffies(m: int) -> int:
    """Ticks that cover `m` ms; negative means as long as possible."""
    if m < 0:
        return MAX_JIFFY_OFFSET
    return -(-m * HZ // 1000)


def usecs_to_jiffies(u: int) -> int:
    """Ticks that cover `u` us."""
    return -(-u * HZ // 1_000_000)


def nsecs_to_jiffies64(n: int) -> int:
    """Whole ticks in `n` ns."""
    return u64(n) // TICK_NSEC


def nsecs_to_jiffies(n: int) -> int:
    """Whole ticks in `n` ns."""
    return nsecs_to_jiffies64(n)


def jiffies_to_msecs(j: int) -> int:
    """Milliseconds in `j` ticks."""
    return j * 1000 // HZ


def jiffies_to_usecs(j: int) -> int:
    """Microseconds in `j` ticks."""
    return j * 1_000_000 // HZ
