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
from kport.linux.sched import PF_MEMALLOC, current
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.struct import struct


GFP_NOFS = 0xC40
GFP_DIRECT_RECLAIM = 0x400
GFP_FS = 0x80
PF_MEMALLOC_NOFS = 0x00040000


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


def current_gfp_context(flags: int) -> int:
    """What is left of the flags where the task may not enter file systems.

    include/linux/sched/mm.h:243-271, Linux 7.2.13
    """
    if current().flags & PF_MEMALLOC_NOFS:
        flags &= ~GFP_FS
    return flags


def _need_reclaim(gfp_mask: int) -> bool:
    # mm/page_alloc.c:4223-4241, Linux 7.2.13
    if not gfp_mask & GFP_DIRECT_RECLAIM:
        return False
    if current().flags & PF_MEMALLOC:
        return False
    return True


def fs_reclaim_acquire(gfp_mask: int) -> None:
    """Tell the validator that reclaim may happen here.

    mm/page_alloc.c:4253-4268, Linux 7.2.13
    """
    gfp_mask = current_gfp_context(gfp_mask)
    if _need_reclaim(gfp_mask) and gfp_mask & GFP_FS:
        lock_map_acquire(_fs_reclaim_map)


def fs_reclaim_release(gfp_mask: int) -> None:
    """Tell the validator that reclaim cannot happen any more.

    mm/page_alloc.c:4271-4279, Linux 7.2.13
    """
    gfp_mask = current_gfp_context(gfp_mask)
    if _need_reclaim(gfp_mask) and gfp_mask & GFP_FS:
        lock_map_release(_fs_reclaim_map)


def might_alloc(gfp_mask: int) -> None:
    """Memory may be allocated with these flags here.

    include/linux/sched/mm.h:312-321, Linux 7.2.13
    """
    fs_reclaim_acquire(gfp_mask)
    fs_reclaim_release(gfp_mask)


def memalloc_nofs_save() -> int:
    """The task may not enter file systems to free memory; returns what to restore."""
    task = current()
    flags = task.flags & PF_MEMALLOC_NOFS
    task.flags |= PF_MEMALLOC_NOFS
    return int(flags)


def memalloc_nofs_restore(flags: int) -> None:
    """Undo memalloc_nofs_save()."""
    task = current()
    task.flags = task.flags & ~PF_MEMALLOC_NOFS | flags
