# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The report of KASAN (mm/kasan/report.c of Linux 7.2.13), modelled.

The lines are the kernel's, in its order. Addresses are made up: each object that a report or a
trace names gets the next 64 kB, so two runs of the same events print the same text, and offsets are
those of `kport.linux.kasan_layout`. One line is not the kernel's: it names the member.
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from kport.arch.api import INSTRUCTIONS
from kport.arch.asm import current_thread_info
from kport.linux.kasan_bury import where
from kport.linux.kasan_layout import POINTER, kmalloc_cache, offset_of, size_of
from kport.linux.kasan_poison import Grave, live_class
from kport.linux.stackdepot import (
    Stack,
    entry,
    foreign,
    kernel_frames,
    stack_depot_lines,
    stack_depot_save,
)
from kport.linux.struct import array
from kport.linux.vsprintf import pointer

RULE = "=" * 66
BASE = 0xFFFF888000000000
ROWS = 2
ROW = 128
GRANULE = 8
DEEP = 64

_LOADS = ("atomic_read", "READ_ONCE", "smp_load_acquire", "test_bit", "spin_is_locked")
_STORES = frozenset(INSTRUCTIONS) - frozenset(_LOADS)


class Track(NamedTuple):
    """Who did something to an object: allocated it, freed it, queued a callback in it.

    `time` is in ns since boot; `cache` the name of the object's cache, "" for kmalloc().
    """

    pid: int
    comm: str
    time: int
    stack: Stack
    cache: str = ""


def address_of(obj: Any) -> int:
    """The made-up address of an object, the same for the same object."""
    pointer(obj)
    return BASE + (int(obj._address[1]) << 16)


def task() -> tuple[str, int]:
    """(name, pid) of the running task."""
    ti = current_thread_info()
    return ti.name, ti.task.pid if ti.task is not None else 0


class Found(NamedTuple):
    """An access: to which object, where in it, how many bytes, and the stack it came from."""

    outer: Any
    type: type[Any]
    grave: Grave | None
    offset: int
    size: int
    member: str
    stack: Stack


def locate(obj: Any, member: str) -> Found:
    """Find out what the access of the calling code to `member` of a dead object was."""
    outer, path, grave = where(obj)
    cls = live_class(type(obj))
    at = sum(offset_of(kind, name)[0] for kind, name in path if not issubclass(kind, list) or name)
    size = size_of(cls)
    names = [name for _, name in path]
    fields = getattr(cls, "_fields", ())
    if member in fields:
        inner, size = offset_of(cls, member)
        size = min(size, POINTER)
        at += inner
        names.append(member)
    elif member.startswith("["):
        kind = cls._of if issubclass(cls, array) else grave.item if grave is not None else None
        size = size_of(kind) if kind else POINTER
        at += int(member[1:-1]) * size
        names.append(member)
    elif member in ("_container", "_member"):
        size = POINTER
    name = live_class(type(outer)).__name__
    if isinstance(outer, list) and grave is not None:
        name = f"{grave.item.__name__ if grave.item else 'pointer'}[{grave.length}]"
    text = ".".join([f"struct {name}", *names]).replace(".[", "[")
    stack = stack_depot_save(sys._getframe(1), DEEP)
    return Found(outer, live_class(type(outer)), grave, at, size, text, stack)


def wrote(stack: Stack, write: bool) -> bool:
    """True for a store. An instruction says by its name whether it is one."""
    for code, _ in stack:
        if code.co_name in _STORES and foreign(code):
            return True
        if code.co_name in _LOADS and foreign(code):
            return False
        if not foreign(code):
            break
    return write


def bytes_of(found: Found) -> int:
    """The size of the whole object."""
    grave = found.grave
    if grave is not None and grave.length >= 0:
        return max(1, grave.length) * (size_of(grave.item) if grave.item else POINTER)
    return size_of(found.type)


def headline_of(what: str, stack: Stack) -> str:
    """The first line: what it is, and where."""
    frames = kernel_frames(stack)
    return f"{what} in {entry(*frames[0]) if frames else '(unknown)'}"


def lines_of(
    head: str, what: str, found: Found, came: Track | None, work: Track | None, went: Track | None
) -> list[str]:
    """The whole report. `what` is how the access begins: "Read of size 8 at addr"."""
    comm, pid = task()
    address = address_of(found.outer)
    spot = address + found.offset
    lines = [
        RULE,
        head,
        f"{what} {spot:016x} by task {comm}/{pid}",
        "",
        f"CPU: {current_thread_info().cpu} PID: {pid} Comm: {comm}",
        "Call Trace:",
        *stack_depot_lines(found.stack),
        "",
    ]
    grave = found.grave
    if came is not None:
        lines += [f"Allocated by task {came.pid}:", *stack_depot_lines(came.stack), ""]
    if grave is not None:
        done = "Poisoned" if grave.declared else "Freed"
        if went is not None:
            lines += [f"{done} by task {went.pid}:", *stack_depot_lines(went.stack), ""]
    if work is not None:
        lines += ["Last potentially related work creation:", *stack_depot_lines(work.stack), ""]
    size = bytes_of(found)
    cache, room = kmalloc_cache(size)
    if came is not None and came.cache:
        cache, room = came.cache, size
    if came is not None:
        lines += [
            f"The buggy address belongs to the object at {address:016x}",
            f" which belongs to the cache {cache} of size {room}",
        ]
    state = "" if grave is None or grave.declared else "freed "
    lines += [
        f"The buggy address is located {found.offset} bytes inside of",
        f" {state}{size}-byte region [{address:016x}, {address + size:016x})",
        f"The member is {found.member}",
        "",
        "Memory state around the buggy address:",
        *_state(address, size, spot, grave),
        RULE,
    ]
    return lines


def _state(address: int, size: int, spot: int, grave: Grave | None) -> list[str]:
    """Rows of shadow bytes, a byte for 8: 00 live, fa and fb freed, fc no object's."""
    lines = []
    first = spot // ROW * ROW
    for row in range(first - ROWS * ROW, first + (ROWS + 1) * ROW, ROW):
        shadow = [_shadow(at, address, size, grave) for at in range(row, row + ROW, GRANULE)]
        mark = ">" if row == first else " "
        lines.append(f"{mark}{row:016x}: {' '.join(shadow)}")
        if row == first:
            lines.append(" " * (18 + (spot - row) // GRANULE * 3) + " ^")
    return lines


def _shadow(at: int, address: int, size: int, grave: Grave | None) -> str:
    if not address <= at < address + size:
        return "fc"
    if grave is None:
        return "00"
    return "fa" if at == address and not grave.declared else "fb"
