# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The command words of the fake GPU.

A packet is a header word, opcode in the high half and the number of words that follow in the low
half, and those words:

    NOP
    EXECUTE    address of a batch, number of the address space it runs in
    FENCE      address of a memory cell, sequence number, flags
    COND_EXEC  address of a memory cell, number of words that are skipped if it holds 0

What a COND_EXEC covers can be preempted; a preempted engine writes the number of the fence that it
did not reach into the second cell behind the fence's own.
"""

from __future__ import annotations

NOP = 0x0000
EXECUTE = 0x0001
FENCE = 0x0002
COND_EXEC = 0x0003

FENCE_INTERRUPT = 1 << 1  # raise the ring's line behind the write

PREEMPTED = 2  # from a fence's cell to the one for the number that a preemption left unwritten


def header(opcode: int, words: int) -> int:
    """The header of a packet with `words` words behind it."""
    return opcode << 16 | words


def opcode(word: int) -> int:
    """The opcode of a header."""
    return word >> 16


def length(word: int) -> int:
    """The number of words behind a header."""
    return word & 0xFFFF
