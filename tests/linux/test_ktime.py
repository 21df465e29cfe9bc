# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Times in nanoseconds: 64 bits, and division towards zero as in C."""

from __future__ import annotations

import pytest

from kport.linux import ktime as k


def test_making_and_taking_apart():
    assert k.ktime_set(2, 5) == 2_000_000_005
    assert k.ns_to_ktime(7) == k.ktime_to_ns(7) == 7
    assert k.us_to_ktime(3) == 3_000
    assert k.ms_to_ktime(3) == 3_000_000


def test_arithmetic():
    assert k.ktime_add(5, 7) == 12
    assert k.ktime_sub(5, 7) == -2
    assert k.ktime_add_ns(5, 7) == 12
    assert k.ktime_add_us(5, 2) == 2_005
    assert k.ktime_add_ms(5, 2) == 2_000_005
    assert k.ktime_us_delta(5_000, 1_000) == 4
    assert k.ktime_ms_delta(5_000_000, 1_000_000) == 4


@pytest.mark.parametrize(
    ("ns", "us"), [(0, 0), (999, 0), (1000, 1), (1999, 1), (-1, 0), (-999, 0), (-1000, -1)]
)
def test_microseconds_round_towards_zero(ns, us):
    assert k.ktime_to_us(ns) == us
    assert k.ktime_to_ms(ns * 1000) == us


def test_64_bits_wrap():
    assert k.ktime_add(k.KTIME_MAX, 1) == -k.KTIME_MAX - 1
    assert k.ktime_sub(-k.KTIME_MAX - 1, 1) == k.KTIME_MAX


def test_order():
    assert k.ktime_before(1, 2)
    assert not k.ktime_before(2, 2)
    assert k.ktime_after(3, 2)
    assert not k.ktime_after(2, 2)
    assert [k.ktime_compare(1, n) for n in (0, 1, 2)] == [1, 0, -1]
