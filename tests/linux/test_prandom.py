# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Pseudo-random numbers are those of the kernel's generator, compiled from its C."""

from __future__ import annotations

import pytest

from kport.linux.prandom import prandom_seed_state, prandom_u32_state, rnd_state

# (seed, the first four numbers, the thousandth)
NUMBERS = [
    (3141592653589793238, [864658644, 4269580756, 3377341751, 4160522366], 811978350),
    (0, [1574944, 268744, 1109394980, 8552980], 936917385),
    (1, [276959246, 18909696, 2298495022, 9442690], 407835537),
    (2**64 - 1, [260173829, 14711295, 2030026778, 7343233], 4156886671),
]


@pytest.mark.parametrize(("seed", "first", "thousandth"), NUMBERS)
def test_a_seed_gives_the_numbers_of_c(seed, first, thousandth):
    state = rnd_state()
    prandom_seed_state(state, seed)
    numbers = [prandom_u32_state(state) for _ in range(1000)]
    assert numbers[:4] == first
    assert numbers[-1] == thousandth


def test_two_states_do_not_disturb_each_other():
    a, b = rnd_state(), rnd_state()
    prandom_seed_state(a, 7)
    prandom_seed_state(b, 7)
    for _ in range(10):
        prandom_u32_state(b)
    prandom_seed_state(b, 7)
    assert [prandom_u32_state(a) for _ in range(5)] == [prandom_u32_state(b) for _ in range(5)]
