# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""ktime_t: signed 64-bit nanoseconds (include/linux/ktime.h, Linux 7.2.13)."""

from __future__ import annotations

from operator import gt, lt
from typing import NamedTuple

from kport.arch.asm import ktime_get
from kport.linux.types import s64

__all__ = ["KTIME_MAX", "NSEC_PER_MSEC", "NSEC_PER_SEC", "NSEC_PER_USEC", "ktime_get", "ktime_t"]

ktime_t = int

NSEC_PER_USEC = 1_000
NSEC_PER_MSEC = 1_000_000
NSEC_PER_SEC = 1_000_000_000
USEC_PER_MSEC = 1_000
USEC_PER_SEC = 1_000_000
MSEC_PER_SEC = 1_000
KTIME_MAX = 0x7FFFFFFFFFFFFFFF


def ktime_sub(lhs: ktime_t, rhs: ktime_t) -> ktime_t:
    """lhs - rhs."""
    return s64(lhs - rhs)


def ktime_add(lhs: ktime_t, rhs: ktime_t) -> ktime_t:
    """lhs + rhs."""
    return s64(lhs + rhs)


def ktime_add_ns(kt: ktime_t, nsval: int) -> ktime_t:
    """Later by `nsval` ns."""
    return s64(kt + nsval)


def ktime_add_us(kt: ktime_t, usec: int) -> ktime_t:
    """Later by `usec` us."""
    return s64(kt + usec * NSEC_PER_USEC)


def ktime_add_ms(kt: ktime_t, msec: int) -> ktime_t:
    """Later by `msec` ms."""
    return s64(kt + msec * NSEC_PER_MSEC)


ktime_before = lt  # True if the first is earlier
ktime_after = gt  # True if the first is later


def ktime_compare(cmp1: ktime_t, cmp2: ktime_t) -> int:
    """-1, 0 or 1."""
    return (cmp1 > cmp2) - (cmp1 < cmp2)


def ktime_to_ns(kt: ktime_t) -> int:
    """Nanoseconds."""
    return kt


def _truncate(ns: int, per: int) -> int:
    # C divides towards zero, // towards minus infinity.
    return ns // per if ns >= 0 else -(-ns // per)


def ktime_to_us(kt: ktime_t) -> int:
    """Microseconds, towards zero."""
    return kt // NSEC_PER_USEC if kt >= 0 else -(-kt // NSEC_PER_USEC)


def ktime_to_ms(kt: ktime_t) -> int:
    """Milliseconds, towards zero."""
    return _truncate(kt, NSEC_PER_MSEC)


def ktime_us_delta(later: ktime_t, earlier: ktime_t) -> int:
    """Microseconds from `earlier` to `later`."""
    return ktime_to_us(ktime_sub(later, earlier))


def ktime_ms_delta(later: ktime_t, earlier: ktime_t) -> int:
    """Milliseconds from `earlier` to `later`."""
    return ktime_to_ms(ktime_sub(later, earlier))


def ns_to_ktime(ns: int) -> ktime_t:
    """From nanoseconds."""
    return s64(ns)


class timespec64(NamedTuple):
    """A time in two numbers."""

    tv_sec: int
    tv_nsec: int


def ktime_to_timespec64(kt: ktime_t) -> timespec64:
    """Seconds, rounded down, and the nanoseconds left."""
    return timespec64(*divmod(kt, NSEC_PER_SEC))


def us_to_ktime(us: int) -> ktime_t:
    """From microseconds."""
    return s64(us * NSEC_PER_USEC)


def ms_to_ktime(ms: int) -> ktime_t:
    """From milliseconds."""
    return s64(ms * NSEC_PER_MSEC)


def ktime_set(secs: int, nsecs: int) -> ktime_t:
    """From seconds and nanoseconds."""
    return s64(secs * NSEC_PER_SEC + nsecs)
