# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The command words of the fake GPU.

A packet is a header word, opcode in the high half and the number of words that follow in the low
half, and those words:

    NOP
    EXECUTE  address of a batch
    FENCE    address of a memory cell, sequence number, flags
"""

from __future__ import annotations

NOP = 0x0000
EXECUTE = 0x0001
FENCE = 0x0002

FENCE_INTERRUPT = 1 << 1  # raise the ring's line behind the write


def header(opcode: int, words: int) -> int:
    """The header of a packet with `words` words behind it."""
    return opcode << 16 | words


def opcode(word: int) -> int:
    """The opcode of a header."""
    return word >> 16


def length(word: int) -> int:
    """The number of words behind a header."""
    return word & 0xFFFF
