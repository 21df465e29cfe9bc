# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Ticks: they begin five minutes before they wrap, and convert as the kernel's do."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kport.linux.delay import fsleep, msleep, usleep_range
from kport.linux.jiffies import (
    INITIAL_JIFFIES,
    MAX_JIFFY_OFFSET,
    TICK_NSEC,
    get_jiffies_64,
    jiffies,
    jiffies_to_ktime,
    jiffies_to_msecs,
    jiffies_to_usecs,
    msecs_to_jiffies,
    nsecs_to_jiffies,
    nsecs_to_jiffies64,
    time_after,
    time_after_eq,
    time_before,
    time_before_eq,
    usecs_to_jiffies,
)
from kport.linux.kconfig import HZ
from kport.linux.ktime import ktime_get
from kport.linux.types import ULONG_MAX, u32, u64
from tests.support import MS


def test_ticks_begin_at_minus_five_minutes(kernel):
    assert u32(-300 * HZ) == INITIAL_JIFFIES
    assert INITIAL_JIFFIES <= jiffies() < INITIAL_JIFFIES + 10 * HZ
    assert get_jiffies_64() - jiffies() in (0, 1)


def test_within_five_minutes_of_a_boot_32_bits_wrap():
    assert u32(INITIAL_JIFFIES + 300 * HZ) == 0


def test_a_tick_begins_where_jiffies_to_ktime_says(kernel):
    for _ in range(50):
        now = jiffies()
        assert jiffies_to_ktime(now) <= ktime_get()
        assert jiffies_to_ktime(jiffies() + 1) > ktime_get() - TICK_NSEC
    assert jiffies_to_ktime(INITIAL_JIFFIES) == 0
    assert jiffies_to_ktime(INITIAL_JIFFIES + HZ) == 1_000_000_000


ticks = st.integers(0, ULONG_MAX)
distances = st.integers(1, 2**63 - 1)


@given(ticks | st.integers(ULONG_MAX - 1000, ULONG_MAX), distances)
@example(ULONG_MAX, 1)
def test_comparisons_are_right_across_a_wrap(a, distance):
    b = u64(a + distance)
    assert time_after(b, a)
    assert time_before(a, b)
    assert time_after_eq(b, a)
    assert time_before_eq(a, b)
    assert not time_after(a, b)
    assert not time_before(b, a)
    assert not time_after_eq(a, b)
    assert not time_before_eq(b, a)


@given(ticks)
def test_a_tick_is_neither_before_nor_after_itself(a):
    assert not time_after(a, a)
    assert not time_before(a, a)
    assert time_after_eq(a, a)
    assert time_before_eq(a, a)


@pytest.mark.parametrize(
    ("msecs", "expected"), [(0, 0), (1, 1), (4, 1), (5, 2), (100, 25), (1000, HZ), (1001, HZ + 1)]
)
def test_milliseconds_round_up(msecs, expected):
    assert msecs_to_jiffies(msecs) == expected


def test_negative_milliseconds_are_for_ever():
    assert msecs_to_jiffies(-1) == MAX_JIFFY_OFFSET


@pytest.mark.parametrize(("usecs", "expected"), [(0, 0), (1, 1), (4000, 1), (4001, 2)])
def test_microseconds_round_up(usecs, expected):
    assert usecs_to_jiffies(usecs) == expected


@pytest.mark.parametrize("convert", [nsecs_to_jiffies, nsecs_to_jiffies64])
def test_nanoseconds_round_down(convert):
    assert [convert(n) for n in (0, TICK_NSEC - 1, TICK_NSEC, 5 * 10**9)] == [0, 0, 1, 5 * HZ]


def test_ticks_to_time():
    assert jiffies_to_msecs(3) == 12
    assert jiffies_to_usecs(3) == 12_000


@pytest.mark.parametrize("msecs", [0, 1, 5, 13])
def test_msleep_is_never_short(kernel, msecs):
    began = ktime_get()
    msleep(msecs)
    assert ktime_get() - began >= msecs * MS


@pytest.mark.parametrize("usecs", [0, 10, 300, 2000])
def test_usleep_is_never_short_and_does_not_wait_for_a_tick(kernel, usecs):
    best = 10**12
    for _ in range(8):
        began = ktime_get()
        usleep_range(usecs, usecs + 50)
        spent = ktime_get() - began
        assert spent >= usecs * 1000
        best = min(best, spent - usecs * 1000)
    assert best < TICK_NSEC
    began = ktime_get()
    fsleep(usecs)
    assert ktime_get() - began >= usecs * 1000
