# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The locks of memory management that dma_resv primes the validator with (include/linux/mm.h).

There is no memory management here: an mm is its mmap lock, a mapping its i_mmap lock, and reclaim
a map of the validator.
"""

from __future__ import annotations

from kport.linux.lockdep import lock_map_acquire, lock_map_release, lockdep_map
from kport.linux.rwsem import (
    down_read,
    down_write,
    init_rwsem,
    rw_semaphore,
    up_read,
    up_write,
)
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.struct import struct


class mm_struct(struct):
    """An address space: its lock."""

    mmap_lock: rw_semaphore


class address_space(struct):
    """A mapping: its lock."""

    i_mmap_rwsem: rw_semaphore


_fs_reclaim_map = lockdep_map()
_fs_reclaim_map.name = "fs_reclaim"


def mm_alloc() -> mm_struct | None:
    """A new mm, or NULL."""
    mm = kzalloc_obj(mm_struct)
    if mm:
        init_rwsem(mm.mmap_lock)
    return mm


def mmput(mm: mm_struct) -> None:
    """Drop the only reference."""
    kfree(mm)


def mmap_read_lock(mm: mm_struct) -> None:
    """Take the mmap lock for reading."""
    down_read(mm.mmap_lock)


def mmap_read_unlock(mm: mm_struct) -> None:
    """Release the mmap lock."""
    up_read(mm.mmap_lock)


def address_space_init_once(mapping: address_space) -> None:
    """Initialise a mapping."""
    init_rwsem(mapping.i_mmap_rwsem)


def i_mmap_lock_write(mapping: address_space) -> None:
    """Take the mapping's lock."""
    down_write(mapping.i_mmap_rwsem)


def i_mmap_unlock_write(mapping: address_space) -> None:
    """Release the mapping's lock."""
    up_write(mapping.i_mmap_rwsem)


def fs_reclaim_acquire(gfp_mask: int) -> None:
    """Tell the validator that reclaim may happen here."""
    lock_map_acquire(_fs_reclaim_map)


def fs_reclaim_release(gfp_mask: int) -> None:
    """Tell the validator that reclaim cannot happen any more."""
    lock_map_release(_fs_reclaim_map)
