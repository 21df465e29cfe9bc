# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Bits: of many threads that want one, exactly one gets it."""

from __future__ import annotations

import pytest

from kport.linux.bitops import (
    BIT,
    bitmap,
    clear_bit,
    set_bit,
    test_and_change_bit,
    test_and_clear_bit,
    test_and_set_bit,
    test_bit,
)
from tests.support import together

# pytest would take kernel functions for tests.
for _function in (test_and_change_bit, test_and_clear_bit, test_and_set_bit, test_bit):
    _function.__test__ = False

pytestmark = pytest.mark.usefixtures("kernel")

BITS = (0, 1, 7, 8, 31, 32, 63)


@pytest.mark.parametrize("nr", BITS)
def test_one_bit(nr):
    flags = bitmap()
    assert test_bit(nr, flags) == 0
    clear_bit(nr, flags)
    set_bit(nr, flags)
    assert test_bit(nr, flags) == 1
    assert int(flags) == BIT(nr)
    assert test_and_set_bit(nr, flags) == 1
    assert test_and_clear_bit(nr, flags) == 1
    assert test_and_clear_bit(nr, flags) == 0
    assert test_and_set_bit(nr, flags) == 0
    assert test_and_change_bit(nr, flags) == 1
    assert test_and_change_bit(nr, flags) == 0
    assert int(flags) == BIT(nr)


@pytest.mark.parametrize("nr", BITS)
def test_exactly_one_of_many_sets_a_bit(nr):
    for _ in range(10):
        flags = bitmap()
        was = together(*[lambda f=flags: test_and_set_bit(nr, f)] * 8)
        assert sorted(was) == [0] + [1] * 7
        was = together(*[lambda f=flags: test_and_clear_bit(nr, f)] * 8)
        assert sorted(was) == [0] * 7 + [1]


def test_a_bit_is_a_lock():
    flags = bitmap()
    inside, worst, turns = [], [], [0]

    def critical() -> None:
        for _ in range(200):
            while test_and_set_bit(3, flags):
                pass
            inside.append(1)
            worst.append(len(inside))
            turns[0] += 1
            inside.pop()
            clear_bit(3, flags)

    together(critical, critical, critical)
    assert turns == [600]
    assert set(worst) == {1}


def test_neighbours_in_a_word_do_not_disturb_each_other():
    flags = bitmap()

    def own(nr: int) -> int:
        wrong = 0
        for _ in range(300):
            set_bit(nr, flags)
            wrong += test_bit(nr, flags) != 1
            wrong += test_and_clear_bit(nr, flags) != 1
            wrong += test_and_set_bit(nr, flags) != 0
            clear_bit(nr, flags)
            wrong += test_bit(nr, flags) != 0
        return wrong

    assert together(*[lambda nr=nr: own(nr) for nr in BITS]) == [0] * len(BITS)
    assert int(flags) == 0


def test_change_alternates_under_contention():
    flags = bitmap()
    was = together(*[lambda: [test_and_change_bit(2, flags) for _ in range(200)]] * 4)
    assert sum(sum(values) for values in was) == 400
    assert test_bit(2, flags) == 0
