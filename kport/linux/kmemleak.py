# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""kmemleak: allocated objects that nobody points to (mm/kmemleak.c of Linux 7.2.13), modelled.

As in the kernel the roots are the static data, here the globals of the loaded files, and whatever
can be reached from there is in use: through members, embedded structs (a pointer into an object
keeps the object), arrays, queues and closures. The stacks of tasks are no roots: when a kernel is
left, nobody is to come back. What the scan leaves white was leaked.

The allocator's own tables and those of debug options are not looked at; they know every object.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import FunctionType, MethodType, ModuleType
from typing import Any

from kport.arch.types import atomic_long_t
from kport.linux import kasan, slab
from kport.linux.jiffies import nsecs_to_jiffies
from kport.linux.kasan_layout import POINTER, size_of
from kport.linux.kasan_poison import container_of_any, is_dead, slot_of
from kport.linux.kasan_report import address_of
from kport.linux.kthread import struct_kthread
from kport.linux.stackdepot import stack_depot_lines
from kport.linux.struct import array, struct
from kport.linux.timerqueue import TimerQueue

_KERNEL = ("kport.linux.", "kport.dma_buf.", "kport.drm.", "kport.drivers.", "kport.kunit.")
# Tables of objects, and of modules.
_BLIND = ("kport.linux.slab", "kport.linux.kasan", "kport.linux.facility", "kport.linux.module")
_CONTAINERS = (list, tuple, deque, set, frozenset)


def _roots() -> Iterator[Any]:
    for name, module in sorted(sys.modules.items()):
        if not name.startswith(_KERNEL) or name.startswith(_BLIND):
            continue
        for symbol, what in list(vars(module).items()):
            if symbol.startswith(("__", "@")):
                continue  # the importer's, and through it half of the process
            if not isinstance(what, (ModuleType, type, FunctionType)):
                yield what


def _referents(obj: Any) -> Iterable[Any]:
    """What an object points to, as far as it can lead to something allocated."""
    if isinstance(obj, slab.kmem_cache):
        return ()
    if isinstance(obj, struct):
        cls = type(obj)
        return (obj._container, *(slot_of(cls, name).__get__(obj) for name in cls._fields))
    if isinstance(obj, dict):
        return (*obj.keys(), *obj.values())
    if isinstance(obj, _CONTAINERS):
        return (*obj, getattr(obj, "_container", None))
    if isinstance(obj, atomic_long_t):
        return (obj.counter,)
    if isinstance(obj, TimerQueue):
        return obj._heap
    if isinstance(obj, MethodType):
        return (obj.__self__,)
    if isinstance(obj, FunctionType):
        return _closure(obj)
    if type(obj).__module__.startswith("kport.arch."):
        return ()  # the machine's: it stands for no memory, or for no kernel at all
    return (getattr(obj, "_container", None), *_attributes(obj))


def _closure(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # it is empty
            yield cell.cell_contents


def _attributes(obj: Any) -> Iterator[Any]:
    """The attributes of an object of our own, or of a machine word."""
    yield from getattr(obj, "__dict__", {}).values()
    for cls in type(obj).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            yield getattr(obj, name, None)


_LEAVES = (type, ModuleType, str, bytes, int, float, bool, type(None))


def _suspects() -> list[tuple[int, Any]]:
    """What is allocated, but for the halves of tasks: whoever leaks a task is told of the task."""
    return [(key, obj) for key, obj in list(slab.live.items()) if type(obj) is not struct_kthread]


def scan() -> list[Any]:
    """Everything that is allocated and cannot be reached, in order of allocation."""
    white = dict(_suspects())
    if not white:
        return []
    seen: set[int] = set()
    gray = list(_roots())
    kept = []  # what was made for this walk: its id must not come up again
    while gray and white:
        obj = gray.pop()
        if isinstance(obj, _LEAVES) or id(obj) in seen or is_dead(obj):
            continue
        seen.add(id(obj))
        white.pop(id(obj), None)
        kept.append(obj)
        gray.extend(_referents(obj))
    return list(white.values())


def _size(obj: Any) -> int:
    if isinstance(obj, list) and not isinstance(obj, array):
        structs = bool(obj) and isinstance(obj[0], struct) and container_of_any(obj[0]) is obj
        return len(obj) * (size_of(type(obj[0])) if structs else POINTER)
    return size_of(type(obj))


def describe(obj: Any) -> list[str]:
    """The lines of one leaked object."""
    track = kasan.track_of(kasan.tracks.get(id(obj)))
    lines = [f"unreferenced object 0x{address_of(obj):08x} (size {_size(obj)}):"]
    if track is not None:
        ticks = nsecs_to_jiffies(track.time)
        lines.append(f'  comm "{track.comm}", pid {track.pid}, jiffies {ticks}')
    lines.append(f"  struct {slab.kind(obj)}")
    if track is not None:
        lines += ["  backtrace:", *stack_depot_lines(track.stack, "    ")]
    return lines


def traces() -> dict[str, list[str]]:
    """For each kind of object that is allocated, who allocated how many: lines of text."""
    counts: dict[str, Counter[tuple[str, ...]]] = {}
    for _, obj in _suspects():
        track = kasan.track_of(kasan.tracks.get(id(obj)))
        if track is not None:
            stack = stack_depot_lines(track.stack, "    ")
            where = (f"allocated by task {track.comm}/{track.pid}:", *stack)
            counts.setdefault(slab.kind(obj), Counter())[where] += 1
    return {
        kind: [line for (who, *stack), n in places.items() for line in (f"  {n} x {who}", *stack)]
        for kind, places in counts.items()
    }
