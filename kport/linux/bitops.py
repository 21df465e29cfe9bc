# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Bit operations on an `unsigned long` (include/linux/bitops.h). The word is a `bitmap`."""

from __future__ import annotations

from kport.arch.asm import (
    clear_bit,
    set_bit,
    test_and_clear_bit,
    test_and_set_bit,
    test_bit,
)
from kport.arch.types import bitmap
from kport.linux.types import BIT

__all__ = [
    "__set_bit",
    "BIT",
    "bitmap",
    "clear_bit",
    "set_bit",
    "test_and_change_bit",
    "test_and_clear_bit",
    "test_and_set_bit",
    "test_bit",
]


def __set_bit(nr: int, addr: bitmap) -> None:
    """Set the bit; the caller makes sure that nobody else stores to the word meanwhile."""
    set_bit(nr, addr)


def test_and_change_bit(nr: int, addr: bitmap) -> int:
    """Invert the bit; returns what it was."""
    while True:
        if not test_and_set_bit(nr, addr):
            return 0
        if test_and_clear_bit(nr, addr):
            return 1
