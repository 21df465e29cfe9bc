# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Arrays of pointers (include/linux/xarray.h of Linux 7.2.13), modelled on a dict and a bound.

Kept exactly: NULL stands for absent; storing NULL erases; `xa_alloc()` takes the lowest free index
of its range and gives -EBUSY when there is none; a loop may erase what it visits and sees the rest
in order of index; every operation takes the array's lock. Marks, multi-index entries and the
advanced cursor API are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from kport.arch.asm import (
    spin_lock,
    spin_lock_init,
    spin_lock_irq,
    spin_lock_irqsave,
    spin_unlock,
    spin_unlock_irq,
    spin_unlock_irqrestore,
)
from kport.arch.types import spinlock_t
from kport.linux import slab
from kport.linux.err import EBUSY, EINVAL, ENOMEM, ERR_PTR, IS_ERR, PTR_ERR
from kport.linux.struct import struct
from kport.linux.types import U32_MAX

XA_FLAGS_TRACK_FREE = 0x1
XA_FLAGS_ZERO_BUSY = 0x2
XA_FLAGS_ALLOC = XA_FLAGS_TRACK_FREE
XA_FLAGS_ALLOC1 = XA_FLAGS_TRACK_FREE | XA_FLAGS_ZERO_BUSY

XA_ZERO_ENTRY: Any = object()


class xa_limit(NamedTuple):
    """A range of indices, both ends included."""

    min: int
    max: int


xa_limit_32b = xa_limit(0, U32_MAX)
xa_limit_31b = xa_limit(0, 0x7FFFFFFF)
xa_limit_16b = xa_limit(0, 0xFFFF)


def XA_LIMIT(min: int, max: int) -> xa_limit:
    """A range of indices."""
    return xa_limit(min, max)


class xarray(struct):
    """The array. `hint`: no index below it is free. `changes`: how often the set of indices did."""

    xa_lock: spinlock_t
    xa_flags: int
    entries: dict[int, Any]
    hint: int
    changes: int


def xa_init_flags(xa: xarray, flags: int) -> None:
    """Make the array empty."""
    spin_lock_init(xa.xa_lock, "&xa->xa_lock")
    xa.xa_flags = flags
    xa.entries = {}
    xa.hint = 1 if flags & XA_FLAGS_ZERO_BUSY else 0


def xa_init(xa: xarray) -> None:
    """Make the array empty."""
    xa_init_flags(xa, 0)


def xa_lock(xa: xarray) -> None:
    """Take the array's lock."""
    spin_lock(xa.xa_lock)


def xa_unlock(xa: xarray) -> None:
    """Release the array's lock."""
    spin_unlock(xa.xa_lock)


def xa_lock_irq(xa: xarray) -> None:
    """Take the array's lock with interrupts off."""
    spin_lock_irq(xa.xa_lock)


def xa_unlock_irq(xa: xarray) -> None:
    """Release the array's lock, interrupts on."""
    spin_unlock_irq(xa.xa_lock)


def xa_empty(xa: xarray) -> bool:
    """True if nothing is stored; a reserved index counts as stored."""
    return not xa.entries


def xa_is_err(entry: Any) -> bool:
    """True for an error returned instead of an entry."""
    return IS_ERR(entry)


def xa_err(entry: Any) -> int:
    """The error of what an operation returned, 0 if it is an entry."""
    return PTR_ERR(entry) if IS_ERR(entry) else 0


def _shown(entry: Any) -> Any:
    return None if entry is XA_ZERO_ENTRY else entry


def xa_load(xa: xarray, index: int) -> Any:
    """The entry, or NULL; without the lock."""
    return _shown(xa.entries.get(index))


def __xa_store(xa: xarray, index: int, entry: Any, gfp: int) -> Any:
    """xa_store() with the lock held."""
    entries = xa.entries
    old = entries.get(index)
    if entry is None:
        return __xa_erase(xa, index)
    if old is None and slab._failing and slab.should_failslab():
        return ERR_PTR(-ENOMEM)
    entries[index] = entry
    if old is None:
        xa.changes += 1
    return _shown(old)


def xa_store(xa: xarray, index: int, entry: Any, gfp: int) -> Any:
    """Store an entry; returns the old one or ERR_PTR(-ENOMEM). NULL erases."""
    flags = spin_lock_irqsave(xa.xa_lock)
    old = __xa_store(xa, index, entry, gfp)
    spin_unlock_irqrestore(xa.xa_lock, flags)
    return old


def __xa_erase(xa: xarray, index: int) -> Any:
    """xa_erase() with the lock held."""
    old = xa.entries.pop(index, None)
    if old is not None:
        xa.changes += 1
        if index < xa.hint:
            xa.hint = index
    return _shown(old)


def xa_erase(xa: xarray, index: int) -> Any:
    """Take an entry out and return it, or NULL."""
    flags = spin_lock_irqsave(xa.xa_lock)
    old = __xa_erase(xa, index)
    spin_unlock_irqrestore(xa.xa_lock, flags)
    return old


def xa_insert(xa: xarray, index: int, entry: Any, gfp: int) -> int:
    """Store in a free index: 0, -EBUSY or -ENOMEM. NULL reserves the index."""
    flags = spin_lock_irqsave(xa.xa_lock)
    if index in xa.entries:
        ret = -EBUSY
    else:
        ret = xa_err(__xa_store(xa, index, XA_ZERO_ENTRY if entry is None else entry, gfp))
    spin_unlock_irqrestore(xa.xa_lock, flags)
    return ret


def xa_reserve(xa: xarray, index: int, gfp: int) -> int:
    """Make sure that a later store cannot fail: 0 or -ENOMEM."""
    ret = xa_insert(xa, index, None, gfp)
    return 0 if ret == -EBUSY else ret


def xa_release(xa: xarray, index: int) -> None:
    """Give a reserved index back; one that holds an entry stays."""
    flags = spin_lock_irqsave(xa.xa_lock)
    if xa.entries.get(index) is XA_ZERO_ENTRY:
        __xa_erase(xa, index)
    spin_unlock_irqrestore(xa.xa_lock, flags)


def xa_cmpxchg(xa: xarray, index: int, old: Any, entry: Any, gfp: int) -> Any:
    """Replace `old` by `entry`; returns what was there, or ERR_PTR(-ENOMEM)."""
    flags = spin_lock_irqsave(xa.xa_lock)
    curr = _shown(xa.entries.get(index))
    if curr is old:
        ret = __xa_store(xa, index, entry, gfp)
        curr = ret if IS_ERR(ret) else curr
    spin_unlock_irqrestore(xa.xa_lock, flags)
    return curr


def __xa_alloc(xa: xarray, entry: Any, limit: xa_limit, gfp: int) -> tuple[int, int]:
    """xa_alloc() with the lock held."""
    if not xa.xa_flags & XA_FLAGS_TRACK_FREE:
        return -EINVAL, 0
    entries = xa.entries
    low = max(limit.min, 1 if xa.xa_flags & XA_FLAGS_ZERO_BUSY else 0)
    id = max(low, xa.hint)
    while id in entries:
        id += 1
    if id > limit.max:
        return -EBUSY, 0
    ret = xa_err(__xa_store(xa, id, XA_ZERO_ENTRY if entry is None else entry, gfp))
    if ret:
        return ret, 0
    if low <= xa.hint:
        xa.hint = id + 1
    return 0, id


def xa_alloc(xa: xarray, entry: Any, limit: xa_limit, gfp: int) -> tuple[int, int]:
    """Store in the lowest free index of the range: (0, index), or (-EBUSY or -ENOMEM, 0).

    Only for arrays made with XA_FLAGS_ALLOC or _ALLOC1; else -EINVAL.
    """
    flags = spin_lock_irqsave(xa.xa_lock)
    ret = __xa_alloc(xa, entry, limit, gfp)
    spin_unlock_irqrestore(xa.xa_lock, flags)
    return ret


def xa_find(xa: xarray, index: int, max: int) -> tuple[int, Any]:
    """The first entry at `index` or behind it, up to `max`: (index, entry), or (index, NULL)."""
    found = min((i for i in list(xa.entries) if index <= i <= max), default=None)
    while found is not None:
        entry = xa_load(xa, found)
        if entry is not None:
            return found, entry
        found = min((i for i in list(xa.entries) if found < i <= max), default=None)
    return index, None


def xa_for_each(xa: xarray) -> Iterator[tuple[int, Any]]:
    """Each (index, entry) in order; entries may be erased and stored meanwhile.

    Every step looks for the next index that is there then, so one stored ahead is visited.
    """
    index = -1
    while True:
        seen = xa.changes
        above = sorted(i for i in list(xa.entries) if i > index)
        if not above:
            return
        for index in above:
            entry = xa_load(xa, index)
            if entry is not None:
                yield index, entry
            if xa.changes != seen:
                break


def xa_destroy(xa: xarray) -> None:
    """Forget all entries; what they point to is not freed."""
    flags = spin_lock_irqsave(xa.xa_lock)
    xa.entries = {}
    xa.hint = 1 if xa.xa_flags & XA_FLAGS_ZERO_BUSY else 0
    xa.changes += 1
    spin_unlock_irqrestore(xa.xa_lock, flags)
