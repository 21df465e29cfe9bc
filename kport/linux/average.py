# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from include/linux/average.h, Linux 7.2.13, on 2026-11-20.
"""Exponentially weighted moving averages in integers, on `unsigned long` that wraps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.asm import READ_ONCE, WRITE_ONCE
from kport.linux.bug import BUILD_BUG_ON
from kport.linux.struct import struct
from kport.linux.types import ilog2, unsigned_long


class ewma(struct):
    """The state of one average: the value shifted left by the precision."""

    internal: unsigned_long


def DECLARE_EWMA(  # kport: generator
    _precision: int, _weight_rcp: int
) -> tuple[Callable[[Any], None], Callable[[Any], int], Callable[[Any, int], None]]:
    """The functions init, read and add of an average with `_precision` fraction bits.

    A new value counts 1/`_weight_rcp` (a power of two); the first one is taken as it is.

    include/linux/average.h:28-36, Linux 7.2.13
    """
    BUILD_BUG_ON(_precision > 30)
    BUILD_BUG_ON(_weight_rcp & (_weight_rcp - 1) != 0)
    weight_rcp = ilog2(_weight_rcp)
    precision = _precision

    def init(e: ewma) -> None:
        e.internal = 0

    def read(e: ewma) -> int:
        return e.internal >> precision

    def add(e: ewma, val: int) -> None:
        internal = READ_ONCE(e, "internal")
        val = unsigned_long(val)

        WRITE_ONCE(
            e,
            "internal",
            unsigned_long((internal << weight_rcp) - internal + (val << precision)) >> weight_rcp
            if internal
            else unsigned_long(val << precision),
        )

    return init, read, add
