# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The machine words as numbers: bitmaps behave like the C word."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.arch.api import KernelBug
from kport.arch.threads import Threads
from kport.arch.types import atomic64_t, atomic_long_t, atomic_t, bitmap, spinlock_t

words = st.integers(0, 2**64 - 1)

# Taken here: the names in a module are the linker's.
CODE = SimpleNamespace(**Threads().table)


@given(words, words)
def test_a_bitmap_is_the_word_it_was_assigned(value, mask):
    flags = bitmap()
    flags.assign(value)
    assert int(flags) == value
    assert flags & mask == value & mask
    assert flags | mask == value | mask


@given(words, words)
def test_or_into_a_bitmap_sets_bits_and_clears_none(value, mask):
    flags = bitmap()
    flags.assign(value)
    same = flags
    flags |= mask
    assert flags is same
    assert int(flags) == value | mask


@given(st.lists(st.tuples(st.sampled_from(("set", "clear", "tas", "tac")), st.integers(0, 63))))
def test_bit_instructions_against_a_number(steps):
    flags, model = bitmap(), 0
    for what, nr in steps:
        was = model >> nr & 1
        assert CODE.test_bit(nr, flags) == was
        if what == "set":
            CODE.set_bit(nr, flags)
        elif what == "clear":
            CODE.clear_bit(nr, flags)
        elif what == "tas":
            assert CODE.test_and_set_bit(nr, flags) == was
        else:
            assert CODE.test_and_clear_bit(nr, flags) == was
        model = model | 1 << nr if what in ("set", "tas") else model & ~(1 << nr)
        assert int(flags) == model


def test_zeroing_a_word():
    for word in (atomic_t(5), atomic64_t(5), atomic_long_t(5)):
        word._zero()
        assert word.counter == 0
    flags = bitmap()
    flags.assign(0xFFFF)
    flags._zero()
    assert int(flags) == 0


def test_a_freed_word_is_a_fault():
    word = atomic_t()
    word._free()
    with pytest.raises(AttributeError):
        CODE.atomic_read(word)


def test_a_zeroed_lock_is_bad_magic_again():
    lock = spinlock_t()
    CODE.spin_lock_init(lock, "lock")
    lock._zero()
    with pytest.raises(KernelBug, match="bad magic"):
        CODE.spin_trylock(lock)
    with pytest.raises(KernelBug, match="bad magic"):
        lock.raw.append(None)
