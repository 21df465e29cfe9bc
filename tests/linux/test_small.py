# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The headers that are a handful of lines: formats, errors, numbers, sizes, sinks, maps."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.linux import err, types
from kport.linux.barrier import mb, rmb, wmb
from kport.linux.lockdep import (
    LOCK_STATE_UNKNOWN,
    lock_acquire,
    lock_class_key,
    lock_is_held_type,
    lock_map_acquire,
    lock_map_release,
    lock_release,
    lockdep_assert_irqs_enabled,
    lockdep_assert_none_held_once,
    lockdep_is_held,
    lockdep_map,
    lockdep_set_class,
)
from kport.linux.mm import (
    address_space,
    address_space_init_once,
    fs_reclaim_acquire,
    fs_reclaim_release,
    i_mmap_lock_write,
    i_mmap_unlock_write,
    mm_alloc,
    mmap_read_lock,
    mmap_read_unlock,
    mmput,
)
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock
from kport.linux.overflow import check_sub_overflow, kmalloc_size_roundup
from kport.linux.preempt import local_irq_restore, local_irq_save
from kport.linux.seq_file import seq_file, seq_printf, seq_puts
from kport.linux.slab import fail_nth
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock, spinlock_t
from kport.linux.struct import struct
from kport.linux.vsprintf import sprintf
from tests.support import take_warnings

pytestmark = pytest.mark.usefixtures("kernel")


class thing(struct):
    """Something to print."""

    n: int


# -- vsprintf --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fmt", "args", "text"),
    [
        ("plain", (), "plain"),
        ("100%%", (), "100%"),
        ("%d%% of %s", (5, "x"), "5% of x"),
        ("%u %i %d", (1, 2, -3), "1 2 -3"),
        ("%lu %llu %ld %lld %zu %hhu", (1, 2, 3, 4, 5, 6), "1 2 3 4 5 6"),
        ("%llx %#x %08x %X", (255, 255, 255, 255), "ff 0xff 000000ff FF"),
        ("%5d|%-5d|%05d|%+d", (1, 2, 3, 4), "    1|2    |00003|+4"),
        ("%s|%5s|%-5s|%.2s", ("a", "b", "c", "defg"), "a|    b|c    |de"),
        ("%*d", (4, 7), "   7"),
        ("%c%c", ("o", "k"), "ok"),
        ("%ps %pS", ("my_function", "other"), "my_function other"),
    ],
)
def test_formats(fmt, args, text):
    assert sprintf(fmt, *args) == text


def test_a_pointer_prints_the_type_and_never_an_address():
    assert sprintf("%p %px %pK", thing(), thing(), None) == "<struct thing> <struct thing> None"


# -- err -------------------------------------------------------------------------------------------


def test_error_pointers_are_true_interned_and_told_from_null_and_objects():
    e = err.ERR_PTR(-err.ENOMEM)
    assert e
    assert e is err.ERR_PTR(-err.ENOMEM)
    assert e is not err.ERR_PTR(-err.EINVAL)
    assert err.IS_ERR(e)
    assert not err.IS_ERR(None)
    assert not err.IS_ERR(thing())
    assert err.IS_ERR_OR_NULL(e)
    assert err.IS_ERR_OR_NULL(None)
    assert not err.IS_ERR_OR_NULL(thing())
    assert err.PTR_ERR(e) == -err.ENOMEM
    assert err.ERR_CAST(e) is e
    assert err.PTR_ERR_OR_ZERO(e) == -err.ENOMEM
    assert err.PTR_ERR_OR_ZERO(thing()) == 0
    assert repr(e) == "ERR_PTR(-12)"


def test_every_error_number_has_a_pointer_and_a_name():
    for number in (1, err.ENOSPC, err.ERESTARTSYS, err.MAX_ERRNO):
        assert err.PTR_ERR(err.ERR_PTR(-number)) == -number
    assert err.ERRNO_NAMES[err.ECANCELED] == "ECANCELED"
    with pytest.raises(IndexError):
        err.ERR_PTR(-err.MAX_ERRNO - 1)


# -- types -----------------------------------------------------------------------------------------


@given(st.integers(-(2**70), 2**70))
def test_casts_are_cs(x):
    assert types.u8(x) == ctypes.c_uint8(x).value
    assert types.u32(x) == ctypes.c_uint32(x).value
    assert types.s32(x) == ctypes.c_int32(x).value
    assert types.u64(x) == types.unsigned_long(x) == ctypes.c_uint64(x).value
    assert types.s64(x) == types.long(x) == ctypes.c_int64(x).value
    assert types.lower_32_bits(x) == x & 0xFFFFFFFF


def test_powers_and_bounds():
    assert [types.ilog2(n) for n in (1, 2, 3, 4, 1023, 1024)] == [0, 1, 1, 2, 9, 10]
    assert [types.roundup_pow_of_two(n) for n in (1, 2, 3, 5, 1025)] == [1, 2, 4, 8, 2048]
    assert types.BIT(5) == 32
    assert types.max_t(types.s32, 0xFFFFFFFF, 3) == 3
    assert types.max_t(types.u32, -1, 3) == 0xFFFFFFFF
    assert types.min_t(types.u32, -1, 3) == 3


def test_checked_subtraction_of_a_u32():
    assert check_sub_overflow(5, 3) == (False, 2)
    assert check_sub_overflow(5, 5) == (False, 0)
    assert check_sub_overflow(3, 5) == (True, 0xFFFFFFFE)


@pytest.mark.parametrize(
    ("size", "bucket"),
    [
        (0, 0),
        (1, 8),
        (8, 8),
        (33, 64),
        (65, 96),
        (97, 128),
        (129, 192),
        (193, 256),
        (4097, 8192),
        (8192, 8192),
        (8193, 16384),
        (12288, 16384),
        (16385, 32768),
        (100_000, 131072),
    ],
)
def test_allocations_round_up_to_their_bucket(size, bucket):
    assert kmalloc_size_roundup(size) == bucket


# -- sinks, barriers, maps -------------------------------------------------------------------------


def test_a_seq_file_is_text():
    m = seq_file()
    seq_puts(m, "a ")
    seq_printf(m, "%d%s\n", 5, "b")
    assert m.text == "a 5b\n"


def test_barriers_can_be_called():
    for barrier in (mb, rmb, wmb):
        barrier()


@pytest.mark.boot(check="")  # a fact of a kernel without it
def test_the_validator_is_off_and_does_not_know_whether_maps_are_held(kernel):
    held = lockdep_map()
    lock_acquire(held, 0, 1, 1, 1, None, 0)
    lock_release(held, 0)
    lock_map_acquire(held)
    lock_map_release(held)
    lockdep_set_class(spinlock_t(), lock_class_key())
    lockdep_assert_none_held_once()
    assert lock_is_held_type(held, 1) == LOCK_STATE_UNKNOWN != 0
    assert kernel.warnings() == []


def test_locks_with_an_owner_are_known_to_be_held(kernel):
    lock, sleeping = spinlock_t(), mutex()
    spin_lock_init(lock)
    mutex_init(sleeping)
    assert not lockdep_is_held(lock)
    assert not lockdep_is_held(sleeping)
    mutex_lock(sleeping)
    spin_lock(lock)
    assert lockdep_is_held(lock)
    assert lockdep_is_held(sleeping)
    spin_unlock(lock)
    mutex_unlock(sleeping)


def test_an_assertion_about_interrupts(kernel):
    lockdep_assert_irqs_enabled()
    assert kernel.warnings() == []
    flags = local_irq_save()
    lockdep_assert_irqs_enabled()
    local_irq_restore(flags)
    assert len(take_warnings(kernel)) == 1


def test_the_locks_that_a_reservation_is_primed_with():
    mm, mapping = mm_alloc(), address_space()
    address_space_init_once(mapping)
    mmap_read_lock(mm)
    assert mm.mmap_lock.count == 1
    i_mmap_lock_write(mapping)
    assert mapping.i_mmap_rwsem.count == -1
    fs_reclaim_acquire(0)
    fs_reclaim_release(0)
    i_mmap_unlock_write(mapping)
    mmap_read_unlock(mm)
    assert (mm.mmap_lock.count, mapping.i_mmap_rwsem.count) == (0, 0)
    mmput(mm)
    fail_nth(1)
    assert mm_alloc() is None
