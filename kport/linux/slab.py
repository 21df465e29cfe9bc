# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Allocation (include/linux/slab.h, Linux 7.2.13), modelled: accounting, poison, failures.

Every live object of a kernel is in `live`, so a leak can be named when the kernel is left. kfree()
empties the object: a later read is a fault, and the reference cycles that every list head makes are
gone at once. With `fail_nth(n)` the n-th allocation of the calling thread from then on returns
NULL, as /proc/self/fail-nth does, so each -ENOMEM path can be walked.

An array is a Python list of what C would put there: structs, or NULL pointers for `pointer`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from kport.arch.asm import current_thread_info
from kport.linux.bug import WARN, KernelBug
from kport.linux.module import boot_data
from kport.linux.struct import sizeof, struct

T = TypeVar("T")

GFP_KERNEL = 0xCC0
GFP_ATOMIC = 0x820
GFP_NOWAIT = 0x2800
SLAB_HWCACHE_ALIGN = 0x2000
SLAB_PANIC = 0x40000
SLAB_TYPESAFE_BY_RCU = 0x80000

pointer: Any = None


class _zero_size(list[Any]):
    """What an array of nothing is: no memory, but no NULL either, so it is true."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


ZERO_SIZE_PTR = _zero_size()

live: dict[int, Any] = {}
_failing: dict[Any, int] = {}


@boot_data
def _reset_slab() -> None:
    live.clear()
    _failing.clear()


def fail_nth(n: int) -> None:
    """Make the n-th allocation of this thread from now on fail; 0 takes it back."""
    ti = current_thread_info()
    if n:
        _failing[ti] = n
    else:
        _failing.pop(ti, None)


@contextmanager
def no_failures() -> Iterator[None]:
    """Allocations of this thread in the block neither fail nor count (__GFP_NOFAIL)."""
    ti = current_thread_info()
    left = _failing.pop(ti, None)
    try:
        yield
    finally:
        if left is not None:
            _failing[ti] = left


def should_failslab() -> bool:
    """True if this allocation is the one that shall fail."""
    ti = current_thread_info()
    left = _failing.get(ti)
    if left is None:
        return False
    if left > 1:
        _failing[ti] = left - 1
        return False
    del _failing[ti]
    return True


def leaks() -> Counter[str]:
    """How many objects of each type are allocated now."""
    return Counter(_kind(obj) for obj in list(live.values()))


def _kind(obj: Any) -> str:
    if isinstance(obj, list):
        return f"{_kind(obj[0])}[]" if obj and obj[0] is not None else "pointer[]"
    return type(obj).__name__


def kzalloc_obj(type_: type[T]) -> T | None:
    """A zeroed struct, or NULL."""
    if _failing and should_failslab():
        return None
    obj = type_()
    live[id(obj)] = obj
    return obj


kmalloc_obj = kzalloc_obj


def kzalloc_objs(type_: Any, n: int) -> list[Any] | None:
    """A zeroed array of `n` structs, or of `n` NULL pointers for `pointer`; or NULL."""
    if not n:
        return ZERO_SIZE_PTR
    if _failing and should_failslab():
        return None
    array: list[Any] = [None] * n
    if type_ is not pointer:
        array[:] = [type_(array) for _ in range(n)]
    live[id(array)] = array
    return array


kmalloc_objs = kzalloc_objs
kvmalloc_objs = kzalloc_objs


def kzalloc_flex(type_: type[T], member: str, item: type[Any], n: int) -> T | None:
    """A zeroed struct whose last member is an array of `n` structs, or NULL."""
    obj = kzalloc_obj(type_)
    if obj is not None:
        setattr(obj, member, [item() for _ in range(n)])
    return obj


def krealloc_array(p: list[Any] | None, n: int) -> list[Any] | None:
    """An array of pointers grown to `n`, keeping what is in it; NULL, and `p` stays, on failure."""
    if p is None:
        return kzalloc_objs(pointer, n)
    if _failing and should_failslab():
        return None
    p.extend([None] * (n - len(p)))
    return p


def kvmalloc_array(n: int, size: int, flags: int) -> list[Any] | None:
    """An array of `n` NULL pointers, or NULL; `size` is that of a pointer."""
    return kzalloc_objs(pointer, n)


def kvrealloc(p: list[Any] | None, size: int, flags: int) -> list[Any] | None:
    """An array of pointers grown to `size` bytes; NULL, and `p` stays, on failure."""
    return krealloc_array(p, size // sizeof(pointer))


def kfree(obj: Any) -> None:
    """Free an object or an array; NULL is fine. Freeing twice is a BUG."""
    if obj is None:
        return
    while id(obj) not in live and _is_first(obj):
        obj = obj._container
    if live.pop(id(obj), None) is not obj:
        if obj is ZERO_SIZE_PTR:
            return
        what = _kind(obj) if _readable(obj) else repr(obj)
        raise KernelBug(f"BUG: invalid or double free of {what}")
    release(obj)


kvfree = kfree


def _is_first(obj: Any) -> bool:
    # The first member of a struct has the struct's address: freeing one frees the other.
    if not isinstance(obj, struct) or obj._container is None:
        return False
    return bool(type(obj._container)._fields[0] == obj._member)


def _readable(obj: Any) -> bool:
    return not isinstance(obj, list) or bool(obj)


def release(obj: Any) -> None:
    """Empty an object, so that every later use of it is a fault."""
    if isinstance(obj, list):
        for item in obj:
            if isinstance(item, struct) and item._container is obj:
                item._free()
        obj.clear()
    else:
        obj._free()


class kmem_cache(struct):
    """A cache of one type of object."""

    name: str
    type: Any
    ctor: Callable[[Any], None] | None
    flags: int
    objects: dict[int, Any]


def kmem_cache_create(
    name: str, type_: type[Any], flags: int, ctor: Callable[[Any], None] | None
) -> kmem_cache | None:
    """A new, empty cache for objects of `type_`, or NULL."""
    if _failing and should_failslab():
        return None
    s = kmem_cache()
    s.name = name
    s.type = type_
    s.ctor = ctor
    s.flags = flags
    s.objects = {}
    return s


def KMEM_CACHE(type_: type[Any], flags: int) -> kmem_cache | None:
    """A new cache named after its type."""
    return kmem_cache_create(type_.__name__, type_, flags, None)


def kmem_cache_zalloc(s: kmem_cache, flags: int) -> Any:
    """A zeroed object, or NULL."""
    if _failing and should_failslab():
        return None
    obj = s.type()
    s.objects[id(obj)] = obj
    live[id(obj)] = obj
    if s.ctor is not None:
        s.ctor(obj)
    return obj


kmem_cache_alloc = kmem_cache_zalloc


def kmem_cache_free(s: kmem_cache, obj: Any) -> None:
    """Give an object back to its cache. Freeing twice is a BUG."""
    if s.objects.pop(id(obj), None) is not obj:
        raise KernelBug(f"BUG: invalid or double free into cache {s.name}")
    live.pop(id(obj), None)
    release(obj)


def kmem_cache_destroy(s: kmem_cache) -> None:
    """Drop a cache; objects still in it are reported and stay allocated."""
    if s is None:
        return
    WARN(
        len(s.objects) != 0,
        "kmem_cache_destroy %s: Slab cache still has objects when called\n",
        s.name,
    )
