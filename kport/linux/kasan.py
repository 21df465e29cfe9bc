# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""KASAN, the kernel's detector of uses after free (mm/kasan of Linux 7.2.13), modelled.

Every allocation is noted with its stack; every freed object is poisoned and remembers who freed it
(`kport.linux.kasan_poison`). An access to it is a report and then a fault: C would go on with
whatever lies there, here is nothing to go on with. As in the kernel only the first is reported;
whatever comes later may be its consequence, and faults.

`poison(obj)` declares an object dead that was never allocated by itself, or whose owner is done
with it (a scheduler after drm_sched_fini()); `unpoison(obj)` calls it back, freeing it is fine.

The functions named kasan_* are hooks: `kport.check.memory` puts them around the allocator.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from kport.arch.asm import current_thread_info, ktime_get
from kport.linux import kasan_poison, slab
from kport.linux.bug import KernelBug
from kport.linux.facility import splat
from kport.linux.kasan_bury import bury, revive, where
from kport.linux.kasan_poison import Grave, is_dead
from kport.linux.kasan_report import Found, Track, headline_of, lines_of, locate, wrote
from kport.linux.slab import ZERO_SIZE_PTR
from kport.linux.stackdepot import Stack
from kport.linux.struct import struct

NAME = "kasan"
DEPTH = 10  # frames of the stacks of an allocation, of a free, of what was queued

# Asked with the stack of an access and who freed the object: is that a known fault of the kernel?
known: list[Callable[[Stack, Track | None], str]] = []

tracks: dict[int, Any] = {}  # who allocated each live object, by id
_works: dict[int, Any] = {}  # what was last queued with a live object, by id
_said: dict[str, object] = {}
_running: list[None] = []
_multi_shot = False


def kasan_init() -> None:
    """A kernel begins: nothing is allocated, nothing was reported."""
    tracks.clear()
    _works.clear()
    kasan_rearm()
    kasan_poison.on_access = _access
    _running.append(None)
    slab.array_type = kasan_poison.slab_array


def kasan_rearm() -> None:
    """Report again, also if there was a report: a new execution begins."""
    _said.clear()


def kasan_exit() -> None:
    """The kernel is gone. What is poisoned stays so."""
    _running.clear()
    slab.array_type = list
    tracks.clear()
    _works.clear()


def kasan_save_multi_shot() -> bool:
    """From now on report each access and not the first only; returns how it was."""
    global _multi_shot
    before, _multi_shot = _multi_shot, True
    return before


def kasan_restore_multi_shot(enabled: bool) -> None:
    """Undo kasan_save_multi_shot()."""
    global _multi_shot
    _multi_shot = enabled


def _track(skip: int, cache: str = "") -> tuple[int, str, int, tuple[Any, ...], str]:
    """What a Track is made of when somebody wants to see it; the stack is flat."""
    ti = current_thread_info()
    task = ti.task
    stack: list[Any] = []
    frame: FrameType | None = sys._getframe(skip + 1)
    left = DEPTH
    while frame is not None and left:
        stack += (frame.f_code, frame.f_lasti)
        frame = frame.f_back
        left -= 1
    return task.pid if task is not None else 0, ti.name, ktime_get(), tuple(stack), cache


# -- hooks -------------------------------------------------------------------------------------


def kasan_kmalloc(obj: Any, *args: Any) -> None:
    """An object was allocated, or not."""
    if obj is not None and obj is not ZERO_SIZE_PTR:
        tracks[id(obj)] = _track(2)


def kasan_slab_alloc(obj: Any, s: slab.kmem_cache, flags: int) -> None:
    """An object was allocated from a cache, or not."""
    if obj is not None:
        tracks[id(obj)] = _track(2, s.name)


def kasan_slab_free(obj: Any) -> None:
    """An object is about to be emptied: poison it."""
    if is_dead(obj):
        grave = where(obj)[2]
        if grave is None or not grave.declared:
            _bad_free("double-free", obj)
        revive(obj)
    came = tracks.pop(id(obj), None)
    work = _works.pop(id(obj), None)
    bury(obj, Grave(obj, False, came, _track(2), work), True)


def kasan_invalid_free(obj: Any, s: Any = None) -> None:
    """Somebody frees what is not allocated."""
    _bad_free("double-free" if is_dead(obj) else "invalid-free", obj)


def kasan_record_aux_stack(obj: Any) -> None:
    """A callback or a work item that is embedded in an object is queued: keep who did it."""
    if obj is None or is_dead(obj):
        return
    at = obj
    while isinstance(at, struct) and (outer := at._container) is not None:
        at = outer
    if id(at) in tracks:
        _works[id(at)] = _track(2)


# -- declared dead -----------------------------------------------------------------------------


def poison(obj: Any) -> None:
    """Declare a struct dead, whoever owns its memory: from now on every access is reported.

    Its contents stay for `unpoison()`; freeing it is not an access. Embedded structs die with it.
    ValueError if it is dead already, RuntimeError without the check `memory`.
    """
    if not _running:
        raise RuntimeError('poison() needs a kernel booted with check="memory"')
    if is_dead(obj):
        raise ValueError(f"{obj!r} is dead already")
    bury(obj, Grave(obj, True, tracks.get(id(obj)), _track(1), None), False)


def unpoison(obj: Any) -> None:
    """Call back a struct that was declared dead. ValueError if it was not, or has been freed."""
    outer, _, grave = where(obj)
    if outer is not obj or grave is None or not grave.declared:
        raise ValueError(f"{obj!r} was not declared dead")
    revive(obj)


# -- observers ---------------------------------------------------------------------------------
# Whoever draws a picture of a running kernel takes no locks and counts on meeting what is gone: he
# is told so by an AttributeError and it is no report.

_OBSERVERS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "drivers", "observe")


def observed(frame: FrameType | None) -> bool:
    """True for the frame of an observer, or of what an observer called."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_OBSERVERS):
            return True
        frame = frame.f_back
    return False


# -- reports -----------------------------------------------------------------------------------


def _once() -> bool:
    """True for the report that is to be printed."""
    mine = object()
    return _multi_shot or _said.setdefault("", mine) is mine


def track_of(kept: Any) -> Track | None:
    """A track as it was kept, with names; None for none."""
    if kept is None:
        return None
    pid, comm, time, flat, cache = kept
    stack: Stack = tuple(zip(flat[::2], flat[1::2], strict=True))
    return Track(pid, comm, time, stack, cache)


def _print(head: str, what: str, found: Found) -> None:
    grave, outer = found.grave, id(found.outer)
    came = grave.came if grave is not None else tracks.get(outer)
    work = grave.work if grave is not None else _works.get(outer)
    went = grave.went if grave is not None else None
    tracks_of = [track_of(kept) for kept in (came, work, went)]
    lines = lines_of(head, what, found, *tracks_of)
    lines += [f" known: {text}" for tell in known if (text := tell(found.stack, tracks_of[2]))]
    splat(NAME, head, lines)


def _access(obj: Any, member: str, write: bool) -> NoReturn:
    """A dead object was used."""
    if not _running:
        raise KernelBug(f"BUG: KASAN: use of {obj!r}, which is as dead as its kernel")
    found = locate(obj, member)
    if any(code.co_filename.startswith(_OBSERVERS) for code, _ in found.stack):
        raise AttributeError("the object is gone")
    declared = found.grave is not None and found.grave.declared
    bug = "use-after-poison" if declared else "slab-use-after-free"
    head = headline_of(f"BUG: KASAN: {bug}", found.stack)
    if _once():
        kind = "Write" if wrote(found.stack, write or member == "_zero") else "Read"
        _print(head, f"{kind} of size {found.size} at addr", found)
    raise KernelBug(head)


def _bad_free(bug: str, obj: Any) -> NoReturn:
    """Something was freed that is not allocated."""
    found = locate(obj, "")
    head = headline_of(f"BUG: KASAN: {bug}", found.stack)
    if _once():
        _print(head, "Free of addr", found)
    raise KernelBug(head)
