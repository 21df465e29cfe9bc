# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random numbers (include/linux/random.h of Linux 7.2.13), modelled.

They must be the same in every run of the same kernel, so they are not random: splitmix64, which
needs no more state than a counter, from the same beginning at each boot.
"""

from __future__ import annotations

from kport.linux.atomic import ATOMIC64_INIT, atomic64_fetch_add
from kport.linux.module import boot_data
from kport.linux.types import s64, u64

_GAMMA = s64(0x9E3779B97F4A7C15)
_counter = ATOMIC64_INIT(0)


@boot_data
def _reset_random() -> None:
    _counter.counter = 0


def get_random_u64() -> int:
    """A number of 64 bits."""
    z = u64(atomic64_fetch_add(_GAMMA, _counter) + _GAMMA)
    z = u64((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9)
    z = u64((z ^ (z >> 27)) * 0x94D049BB133111EB)
    return z ^ (z >> 31)


def get_random_u32() -> int:
    """A number of 32 bits."""
    return get_random_u64() >> 32


def get_random_u32_below(ceil: int) -> int:
    """A number from 0 to `ceil` - 1."""
    return get_random_u32() * ceil >> 32


def get_random_u32_inclusive(floor: int, ceil: int) -> int:
    """A number from `floor` to `ceil`."""
    return floor + get_random_u32_below(ceil - floor + 1)
