# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from include/linux/prandom.h and lib/random32.c, Linux 7.2.13, on 2026-11-20.
"""Pseudo-random numbers with a state of one's own (Tausworthe); the numbers are the kernel's."""

from __future__ import annotations

from kport.linux.module import EXPORT_SYMBOL
from kport.linux.struct import struct
from kport.linux.types import u32


class rnd_state(struct):
    """The state of one sequence."""

    s1: u32
    s2: u32
    s3: u32
    s4: u32


def __seed(x: int, m: int) -> int:
    """At least `m`, as the generator wants of each part.

    include/linux/prandom.h:30-33, Linux 7.2.13
    """
    return x + m if x < m else x


def prandom_seed_state(state: rnd_state, seed: int) -> None:
    """Begin the sequence of a 64-bit `seed`.

    include/linux/prandom.h:40-48, Linux 7.2.13
    """
    i = ((seed >> 32) ^ (seed << 10) ^ seed) & 0xFFFFFFFF

    state.s1 = __seed(i, 2)
    state.s2 = __seed(i, 8)
    state.s3 = __seed(i, 16)
    state.s4 = __seed(i, 128)


def TAUSWORTHE(s: int, a: int, b: int, c: int, d: int) -> int:
    """One of the four parts, one step on.

    lib/random32.c:54, Linux 7.2.13
    """
    return u32((s & c) << d) ^ u32((s << a) ^ s) >> b  # kport: wrap


def prandom_u32_state(state: rnd_state) -> int:
    """The next 32 bits.

    lib/random32.c:52-61, Linux 7.2.13
    """
    state.s1 = TAUSWORTHE(state.s1, 6, 13, 0xFFFFFFFE, 18)
    state.s2 = TAUSWORTHE(state.s2, 2, 27, 0xFFFFFFF8, 2)
    state.s3 = TAUSWORTHE(state.s3, 13, 21, 0xFFFFFFF0, 7)
    state.s4 = TAUSWORTHE(state.s4, 3, 12, 0xFFFFFF80, 13)

    return state.s1 ^ state.s2 ^ state.s3 ^ state.s4


EXPORT_SYMBOL(prandom_u32_state)
