# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Allocation (include/linux/slab.h, Linux 7.2.13), modelled: accounting, poison, failures.

Every live object of a kernel is in `live`, so a leak can be named when the kernel is left. kfree()
empties the object: a later read is a fault, and the reference cycles that every list head makes are
gone at once. An object of a SLAB_TYPESAFE_BY_RCU cache is emptied a grace period after it is freed,
as with CONFIG_SLUB_RCU_DEBUG. The check `memory` hooks the allocating functions, release() and
invalid_free() (`kport.linux.kasan`). With `fail_nth(n)` the n-th allocation of the calling thread
from then on returns NULL, as /proc/self/fail-nth does, so each -ENOMEM path can be walked.

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
array_type: type[list[Any]] = list  # a class of its own while memory is watched
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
    return Counter(kind(obj) for obj in list(live.values()))


def kind(obj: Any) -> str:
    """The type of an object by name, as `leaks()` counts it."""
    if isinstance(obj, list):
        return f"{kind(obj[0])}[]" if obj and obj[0] is not None else "pointer[]"
    return type(obj).__name__


def kzalloc_obj(type_: type[T]) -> T | None:
    """A zeroed struct, or NULL."""
    if _failing and should_failslab():
        return None
    obj = type_()
    live[id(obj)] = obj
    return obj


def kmalloc_obj(type_: type[T]) -> T | None:
    """A struct, or NULL; zeroed, too."""
    return kzalloc_obj(type_)


def kzalloc_objs(type_: Any, n: int) -> list[Any] | None:
    """A zeroed array of `n` structs, or of `n` NULL pointers for `pointer`; or NULL."""
    if not n:
        return ZERO_SIZE_PTR
    if _failing and should_failslab():
        return None
    array: list[Any] = [None] * n if array_type is list else array_type([None] * n)
    if type_ is not pointer:
        array[:] = [type_(array) for _ in range(n)]
    live[id(array)] = array
    return array


def kmalloc_objs(type_: Any, n: int) -> list[Any] | None:
    """An array of `n` structs, or of `n` pointers for `pointer`; or NULL. Zeroed, too."""
    return kzalloc_objs(type_, n)


kvmalloc_objs = kmalloc_objs


def kzalloc_flex(type_: type[T], member: str, item: type[Any], n: int) -> T | None:
    """A zeroed struct whose last member is an array of `n` structs, or NULL."""
    obj = kzalloc_obj(type_)
    if obj is not None:
        setattr(obj, member, _flexible(obj, member, item, n))
    return obj


def _flexible(obj: Any, member: str, item: type[Any], n: int) -> list[Any]:
    if array_type is list:
        return [item() for _ in range(n)]
    array: Any = array_type()
    array._container, array._member = obj, member
    array[:] = [item(array) for _ in range(n)]
    return array


def krealloc_array(p: list[Any] | None, n: int) -> list[Any] | None:
    """An array of pointers grown to `n`, keeping what is in it; NULL, and `p` stays, on failure.

    What grows moves: the old array is freed.
    """
    if p is not None and n <= len(p):
        return p
    new = kzalloc_objs(pointer, n)
    if new is not None and p is not None:
        new[: len(p)] = p
        kfree(p)
    return new


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
    if live.pop(id(obj), None) is None:
        if obj is ZERO_SIZE_PTR:
            return
        obj = _around(obj)
    release(obj)


kvfree = kfree


def _around(obj: Any) -> Any:
    """The live object that begins with `obj`, no longer live: freeing one frees the other."""
    at = obj
    while _is_first(at):
        at = at._container
        if live.pop(id(at), None) is not None:
            return at
    invalid_free(obj)
    return obj


def _is_first(obj: Any) -> bool:
    # The first member of a struct has the struct's address.
    if not isinstance(obj, struct) or is_freed(obj) or obj._container is None:
        return False
    outer = type(obj._container)
    return bool(getattr(outer, "_fields", None)) and outer._fields[0] == obj._member


def is_freed(obj: Any) -> bool:
    """True for an object that KASAN has poisoned."""
    return getattr(type(obj), "_freed", False)


def invalid_free(obj: Any, s: kmem_cache | None = None) -> None:
    """Somebody frees what is not allocated, or not from the cache `s`: a BUG."""
    if s is not None:
        raise KernelBug(f"BUG: invalid or double free into cache {s.name}")
    what = repr(obj) if isinstance(obj, list) and not obj else kind(obj)
    raise KernelBug(f"BUG: invalid or double free of {what}")


def release(obj: Any) -> None:
    """Empty an object, so that every later use of it is a fault."""
    if is_freed(obj):
        return
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


def kmem_cache_alloc(s: kmem_cache, flags: int) -> Any:
    """An object, or NULL; zeroed, too."""
    return kmem_cache_zalloc(s, flags)


def kmem_cache_free(s: kmem_cache, obj: Any) -> None:
    """Give an object back to its cache. Freeing twice is a BUG."""
    if s.objects.pop(id(obj), None) is not obj:
        invalid_free(obj, s)
        return
    live.pop(id(obj), None)
    if s.flags & SLAB_TYPESAFE_BY_RCU:
        from kport.linux.rcupdate import release_rcu  # which needs this module to be loaded

        release_rcu(obj)
    else:
        release(obj)


def kmem_cache_destroy(s: kmem_cache) -> None:
    """Drop a cache; objects still in it are reported and stay allocated."""
    if s is None:
        return
    if s.flags & SLAB_TYPESAFE_BY_RCU:
        from kport.linux.rcupdate import rcu_barrier

        rcu_barrier()
    WARN(
        len(s.objects) != 0,
        "kmem_cache_destroy %s: Slab cache still has objects when called\n",
        s.name,
    )
