# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Sizes and offsets of the members of a struct, for reports about memory.

A struct has no bytes here. A report that names the bytes lays the members out one behind the other
as a compiler for a 64-bit machine would: numbers by the width of their type, pointers in 8 bytes,
embedded structs whole, each at a multiple of its alignment. Where C unites or omits members the
numbers are not those of a kernel; they tell one member from another, and are always the same.
"""

from __future__ import annotations

from inspect import get_annotations
from typing import Any

from kport.arch.types import atomic64_t, atomic_long_t, atomic_t, bitmap, spinlock_t
from kport.linux.struct import array, struct

_NUMBERS = {"bool": 1, "u8": 1, "int": 4, "u32": 4, "s32": 4, "float": 4}
_WORDS = ((atomic64_t, 8), (atomic_long_t, 8), (atomic_t, 4), (bitmap, 8), (spinlock_t, 4))

POINTER = 8


def kind_of(cls: type[Any], number: int) -> type[Any] | None:
    """The class of the embedded member at index `number` of a struct class, None for others."""
    kind = cls.__init__.__globals__.get(f"_k{number}")
    find = getattr(kind, "_actual", None)
    return find() if find is not None else kind


def members(cls: type[Any]) -> list[tuple[str, int, int]]:
    """(name, offset, size) of each member of a struct class."""
    at, found = 0, []
    annotations = get_annotations(cls)
    for number, field in enumerate(cls._fields):
        kind = kind_of(cls, number)
        if kind is None:
            size = _NUMBERS.get(str(annotations.get(field, "")).strip(), POINTER)
        else:
            size = size_of(kind)
        align = size if size in (1, 2, 4) else 8
        at = -(-at // align) * align
        found.append((field, at, size))
        at += size
    return found


def size_of(cls: type[Any]) -> int:
    """The bytes of an object of a class: a struct, an array in a struct, a machine word."""
    for word, size in _WORDS:
        if issubclass(cls, word):
            return size
    if issubclass(cls, array):
        return max(1, cls._size) * size_of(cls._of)
    if not issubclass(cls, struct) or cls is struct:
        return POINTER
    last = members(cls)[-1:]
    end = sum(last[0][1:]) if last else 1
    return -(-end // 8) * 8 if end > 4 else end


def offset_of(cls: type[Any], member: str) -> tuple[int, int]:
    """(offset, size) of a member of a struct class; (0, 8) for what is no member of it."""
    if issubclass(cls, array):
        size = size_of(cls._of)
        return int(member.strip("[]")) * size, size
    for field, at, size in members(cls) if issubclass(cls, struct) else ():
        if field == member:
            return at, size
    return 0, POINTER


_CACHES = (8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)


def kmalloc_cache(size: int) -> tuple[str, int]:
    """(name, object size) of the cache that serves allocations of `size` bytes."""
    for bytes_ in _CACHES:
        if size <= bytes_:
            name = f"kmalloc-{bytes_}" if bytes_ < 1024 else f"kmalloc-{bytes_ // 1024}k"
            return name, bytes_
    return "kmalloc-large", -(-size // 4096) * 4096
