# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Marked accesses on `virt`: READ_ONCE() and its like, as accesses and as order.

As an access, a marked store conflicts with plain loads. A marked load conflicts with a plain store
only when that is strict, and with an assertion. As order, a store leaves for whoever loads the
member what the thread has released: all of it (smp_store_release(), rcu_assign_pointer(),
exchanges) or what came before its last fence.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from kport.arch.hook import Hook, Lines
from kport.arch.virt_asm import CPU
from kport.check.races_access import LIST, MARKED_STORE, load, records, store
from kport.check.races_clock import MASK, MIXED, Epoch, join, now, relaxed_load, release
from kport.linux import mutex

_SCALARS = frozenset((int, bool, str, float, type(None)))


def _left(o: Any, f: str) -> Epoch | None:
    """What the store that a load of this member sees has left, if anything."""
    try:
        left: dict[str, Epoch] | None = o._epochs[-1]
    except AttributeError:
        return None
    return None if left is None else left.get(f)


def _leave(o: Any, f: str, e: Epoch | None) -> None:
    try:
        s = o._epochs
    except AttributeError:
        if e is None or not hasattr(type(o), "_plain"):
            return
        s = records(o)
    left = s[-1]
    if left is not None:
        left[f] = e
    elif e is not None:
        s[-1] = {f: e}


def _load(o: Any, f: str) -> None:
    if LIST.marked_loads:
        load(o, f, "read (marked)", sys._getframe(2))


def _found(result: Any, found: Epoch) -> None:
    """A load has found what a store has left: order, if what it loaded is a pointer."""
    c = now()
    number = found[0] & MASK
    if number < len(c[1]) and c[1][number] >= found[0] and found[2] != MIXED:
        return
    if result.__class__ in _SCALARS:
        relaxed_load(found)
    else:
        join(c, found)


def _loaded_scalar(result: Any, o: Any, f: str) -> None:
    relaxed_load(_left(o, f))


def _acquired(result: Any, o: Any, f: str) -> None:
    found = _left(o, f)
    if found is not None:
        join(now(), found)


def _released(_: Any, o: Any, f: str, v: Any) -> None:
    _leave(o, f, release())


def _exchange(o: Any, f: str) -> None:
    found = _left(o, f)
    if found is not None:
        join(now(), found)
    _leave(o, f, release())


def _exchanged(old: Any, o: Any, f: str, v: Any) -> None:
    store(o, f, "read-write (marked)", sys._getframe(2), v, old)
    _exchange(o, f)


def _compared(was: Any, o: Any, f: str, old: Any, new: Any) -> None:
    if was is old or was == old:
        store(o, f, "read-write (marked)", sys._getframe(2), new, was)
        _exchange(o, f)
    else:
        relaxed_load(_left(o, f))


def _mutex_unlocking(lock: Any) -> None:
    # In C the owner is cleared with a release; the model does it under the wait lock.
    _leave(lock, "owner", release())


# What nearly every marked access does is text in the instruction (`kport.arch.hook`).
_LOAD = Lines("""
if _race_list.marked_loads:
    _race_marked_load($0, $1)
""", _race_list=LIST, _race_marked_load=_load)
_LOADED = Lines("""
try:
    _left = $0._epochs[-1]
except AttributeError:
    _left = None
if _left is not None:
    _left = _left.get($1)
    if _left is not None:
        _race_found(_result, _left)
""", _race_found=_found)
_STORED = Lines("""
_c = _race_cpu.ti.clock
if _c is not None:
    _fence = _c[2].fence
    try:
        _s = $0._epochs
        _left = _s[-1]
        if _left is not None:
            _left[$1] = _fence
        elif _fence is not None:
            _s[-1] = {$1: _fence}
    except AttributeError:
        if _fence is not None:
            _race_leave($0, $1, _fence)
""", _race_cpu=CPU, _race_leave=_leave)

ACCESSES: dict[str | Callable[..., Any], Hook] = {
    "READ_ONCE": Hook(_LOAD, _LOADED),
    "rcu_access_pointer": Hook(_LOAD, _loaded_scalar),
    "smp_load_acquire": Hook(_LOAD, _acquired),
    "WRITE_ONCE": Hook(MARKED_STORE, _STORED),
    "smp_store_release": Hook(MARKED_STORE, _released),
    "xchg": Hook(None, _exchanged),
    "cmpxchg": Hook(None, _compared),
    mutex.mutex_unlock: Hook(_mutex_unlocking),
}
