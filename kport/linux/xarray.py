# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Arrays of pointers (include/linux/xarray.h of Linux 7.2.13), modelled on a dict and a bound.

Kept exactly: NULL stands for absent; storing NULL erases, or reserves in an array that allocates;
`xa_alloc()` takes the lowest free index of its range and gives -EBUSY when there is none; a loop
may erase what it visits and sees the rest in order of index; marks go with their entry; every
operation that writes takes the array's lock. Multi-index entries and the advanced API, which works
on states and nodes, are left out. An array that allocates has no mark 0 of its own.
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
from kport.linux.module import boot_data
from kport.linux.struct import struct
from kport.linux.types import U32_MAX, u32

XA_FLAGS_TRACK_FREE = 0x4
XA_FLAGS_ZERO_BUSY = 0x8
XA_FLAGS_ALLOC_WRAPPED = 0x10
XA_FLAGS_ALLOC = XA_FLAGS_TRACK_FREE
XA_FLAGS_ALLOC1 = XA_FLAGS_TRACK_FREE | XA_FLAGS_ZERO_BUSY

XA_ZERO_ENTRY: Any = object()

XA_CHUNK_SIZE = 64
XA_MAX_MARKS = 3
XA_MARK_0, XA_MARK_1, XA_MARK_2 = range(XA_MAX_MARKS)
XA_PRESENT = 8


class xa_value:
    """An integer that is stored in place of a pointer; there is one object per integer."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"xa_mk_value({self.value})"


_values: dict[int, xa_value] = {}


@boot_data
def _reset_values() -> None:
    _values.clear()


def xa_mk_value(v: int) -> xa_value:
    """The entry that stands for an integer from 0 to LONG_MAX."""
    return _values.get(v) or _values.setdefault(v, xa_value(v))


def xa_to_value(entry: Any) -> int:
    """The integer that an entry stands for."""
    return entry.value


def xa_is_value(entry: Any) -> bool:
    """True for an entry that stands for an integer."""
    return type(entry) is xa_value


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
    """The array. `hint`: no index below it is free. `changes`: how often the set of indices did.

    `marks` has one bit for each mark, by index.
    """

    xa_lock: spinlock_t
    xa_flags: int
    entries: dict[int, Any]
    marks: dict[int, int]
    hint: int
    changes: int


def xa_init_flags(xa: xarray, flags: int) -> None:
    """Make the array empty."""
    spin_lock_init(xa.xa_lock, "&xa->xa_lock")
    xa.xa_flags = flags
    xa.entries = {}
    xa.marks = {}
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
        if not xa.xa_flags & XA_FLAGS_TRACK_FREE:
            return __xa_erase(xa, index)
        entry = XA_ZERO_ENTRY
    if old is None and slab._failing and slab.should_failslab():
        return ERR_PTR(-ENOMEM)
    entries[index] = entry
    if old is None:
        xa.changes += 1
    return _shown(old)


def xa_store(xa: xarray, index: int, entry: Any, gfp: int) -> Any:
    """Store an entry; returns the old one or ERR_PTR(-ENOMEM).

    NULL erases, but in an array that allocates it reserves the index.
    """
    flags = spin_lock_irqsave(xa.xa_lock)
    old = __xa_store(xa, index, entry, gfp)
    spin_unlock_irqrestore(xa.xa_lock, flags)
    return old


def __xa_erase(xa: xarray, index: int) -> Any:
    """xa_erase() with the lock held."""
    old = xa.entries.pop(index, None)
    if old is not None:
        xa.changes += 1
        if xa.marks:
            xa.marks.pop(index, None)
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
    """Replace `old` by `entry`; returns what was there, or ERR_PTR(-ENOMEM).

    A reserved index is no NULL here: its `old` is XA_ZERO_ENTRY.
    """
    flags = spin_lock_irqsave(xa.xa_lock)
    curr = xa.entries.get(index)
    if curr is old:
        ret = __xa_erase(xa, index) if entry is None else __xa_store(xa, index, entry, gfp)
        curr = ret if IS_ERR(ret) else curr
    spin_unlock_irqrestore(xa.xa_lock, flags)
    return _shown(curr)


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


def __xa_alloc_cyclic(
    xa: xarray, id: int, entry: Any, limit: xa_limit, next: int, gfp: int
) -> tuple[int, int, int]:
    """xa_alloc_cyclic() with the lock held; 1 instead of 0 if the search began anew."""
    start = max(limit.min, next)
    ret, found = __xa_alloc(xa, entry, xa_limit(start, limit.max), gfp)
    if xa.xa_flags & XA_FLAGS_ALLOC_WRAPPED and ret == 0:
        xa.xa_flags &= ~XA_FLAGS_ALLOC_WRAPPED
        ret = 1
    if ret < 0 and start > limit.min:
        ret, found = __xa_alloc(xa, entry, limit, gfp)
        if ret == 0:
            ret = 1
    if ret >= 0:
        id = found
        next = u32(id + 1)
        if next == 0:
            xa.xa_flags |= XA_FLAGS_ALLOC_WRAPPED
    return ret, id, next


def xa_alloc_cyclic(
    xa: xarray, id: int, entry: Any, limit: xa_limit, next: int, gfp: int
) -> tuple[int, int, int]:
    """As xa_alloc(), from `next` on and then from the beginning: (0 or an error, index, next)."""
    flags = spin_lock_irqsave(xa.xa_lock)
    ret, id, next = __xa_alloc_cyclic(xa, id, entry, limit, next, gfp)
    spin_unlock_irqrestore(xa.xa_lock, flags)
    return min(ret, 0), id, next


def xa_get_mark(xa: xarray, index: int, mark: int) -> bool:
    """True if the entry has the mark; without the lock."""
    return bool(xa.marks.get(index, 0) & 1 << mark)


def xa_set_mark(xa: xarray, index: int, mark: int) -> None:
    """Mark an entry; an index without one stays as it is."""
    flags = spin_lock_irqsave(xa.xa_lock)
    if index in xa.entries:
        xa.marks[index] = xa.marks.get(index, 0) | 1 << mark
    spin_unlock_irqrestore(xa.xa_lock, flags)


def xa_clear_mark(xa: xarray, index: int, mark: int) -> None:
    """Take a mark from an entry."""
    flags = spin_lock_irqsave(xa.xa_lock)
    if index in xa.marks:
        xa.marks[index] &= ~(1 << mark)
    spin_unlock_irqrestore(xa.xa_lock, flags)


def xa_marked(xa: xarray, mark: int) -> bool:
    """True if any entry has the mark."""
    return any(bits & 1 << mark for bits in list(xa.marks.values()))


def xa_find(xa: xarray, index: int, max: int, filter: int) -> tuple[Any, int]:
    """The first entry at `index` or behind it, up to `max`: (entry, its index) or (NULL, index).

    `filter` is XA_PRESENT, or the mark that the entry must have.
    """
    for found in sorted(i for i in list(xa.entries) if index <= i <= max):
        entry = xa_load(xa, found)
        if entry is not None and (filter == XA_PRESENT or xa_get_mark(xa, found, filter)):
            return entry, found
    return None, index


def xa_find_after(xa: xarray, index: int, max: int, filter: int) -> tuple[Any, int]:
    """As xa_find() for what is behind `index`."""
    entry, found = xa_find(xa, index + 1, max, filter)
    return (entry, found) if entry is not None else (None, index)


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
    xa.marks = {}
    xa.hint = 1 if xa.xa_flags & XA_FLAGS_ZERO_BUSY else 0
    xa.changes += 1
    spin_unlock_irqrestore(xa.xa_lock, flags)
