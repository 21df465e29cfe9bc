# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""ASSERT_EXCLUSIVE_*() on `virt`: accesses that others must be ordered with.

An assertion stands among the records of its member as a load that even marked stores conflict
with, and one about all accesses also as a store that every load conflicts with. A scope is an
assertion where it begins, and at its end a look at who stored meanwhile without having been ordered
before the beginning.

What it cannot see: an earlier store of the value that was there already, which is not on record.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from kport.arch.hook import Hook
from kport.check.races_access import (
    LIST,
    LOADED,
    MANY,
    STORED,
    Place,
    Race,
    loaded,
    place,
    position,
    records,
    share,
    stored,
)
from kport.check.races_clock import MASK, NEVER, before, now
from kport.linux import kcsan

WRITES, ACCESSES = "assert no writes", "assert no accesses"


def _assert(o: Any, f: str, kind: str, frame: FrameType, mask: int = 0) -> None:
    at = position(type(o), f)
    if at is None:
        return
    LIST.marked_loads = True
    s, c = records(o), now()
    for epoch, where in _stores(s, at):
        if not before(epoch, c) and not mask:
            LIST.tell(Race(o, f, epoch, where, kind, frame, None, None, mask))
    if kind == ACCESSES:
        for epoch, where in _loads(s, at):
            if not before(epoch, c):
                LIST.tell(Race(o, f, epoch, where, kind, frame, None, None, mask))
    share(o, s, at, c, kind, frame, mask)
    if kind == ACCESSES:
        w = s[at + 1]
        if w != MANY:
            where = stored(s, at)
            s[at + STORED] = {} if w == NEVER else {(w & MASK, where[2]): (w, where, 0)}
            s[at + 1] = MANY
        s[at + STORED][c[0] & MASK, kind] = (c[0], place(o, frame, kind), mask)


def _stores(s: list[Any], at: int) -> list[tuple[int, Place]]:
    w = s[at + 1]
    if w == MANY:
        return [(epoch, where) for epoch, where, _ in s[at + STORED].values()]
    return [] if w == NEVER else [(w, stored(s, at))]


def _loads(s: list[Any], at: int) -> list[tuple[int, Place]]:
    r = s[at]
    if r == MANY:
        found = [(epoch, where) for epoch, where, _ in s[at + LOADED].values()]
        return [(epoch, where) for epoch, where in found if not where[2].startswith("assert")]
    return [] if r == NEVER else [(r, loaded(s, at))]


def _writer(o: Any, f: str) -> None:
    _assert(o, f, WRITES, sys._getframe(2))


def _access(o: Any, f: str) -> None:
    _assert(o, f, ACCESSES, sys._getframe(2))


def _bits(o: Any, f: str, mask: int) -> None:
    _assert(o, f, WRITES, sys._getframe(2), mask)


def _scope_begins(scope: Any, o: Any, f: str, access: bool) -> None:
    frame = _outside(sys._getframe(2))
    _assert(o, f, (ACCESSES if access else WRITES) + " (reordered)", frame)
    c = now()
    c[2].scopes.append(c[1])


_BETWEEN = (contextlib.__file__, kcsan.__file__)


def _outside(frame: FrameType) -> FrameType:
    """The frame that entered the scope, not what is between."""
    at: FrameType | None = frame
    while at is not None and at.f_code.co_filename in _BETWEEN:
        at = at.f_back
    return at if at is not None else frame


def _scope_ends(scope: Any, o: Any, f: str, access: bool) -> None:
    at = position(type(o), f)
    seen = now()[2].scopes.pop()
    if at is None:
        return
    frame = _outside(sys._getframe(2))
    kind = (ACCESSES if access else WRITES) + " (reordered)"
    s = records(o)
    others = _stores(s, at) + (_loads(s, at) if access else [])
    for epoch, where in others:
        # What another thread did that was not over when the scope was entered.
        if where[2].startswith("assert") or before(epoch, [0, seen]):
            continue
        LIST.tell(Race(o, f, epoch, where, kind, frame, None, None))


ASSERTIONS: dict[str | Callable[..., Any], Hook] = {
    kcsan.ASSERT_EXCLUSIVE_WRITER: Hook(_writer),
    kcsan.ASSERT_EXCLUSIVE_ACCESS: Hook(_access),
    kcsan.ASSERT_EXCLUSIVE_BITS: Hook(_bits),
    kcsan.kcsan_begin_scoped_access: Hook(None, _scope_begins),
    kcsan.kcsan_end_scoped_access: Hook(_scope_ends),
}
