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
    FOREVER,
    LIST,
    MANY,
    Place,
    Race,
    place,
    position,
    records,
    share,
)
from kport.check.races_clock import NEVER, Epoch, before, now
from kport.linux import kcsan

WRITES, ACCESSES = "assert no writes", "assert no accesses"


def _assert(o: Any, f: str, kind: str, frame: FrameType, mask: int = 0) -> None:
    at = position(type(o), f)
    if at is None:
        return
    LIST.marked_loads = True
    s, e = records(o), now()
    w = s[at + 1]
    for epoch, where in _stores(s, at):
        if not before(epoch, e) and not mask:
            LIST.tell(Race(o, f, epoch, where, kind, frame, None, None, mask))
    if kind == ACCESSES:
        for epoch, where in _loads(s, at):
            if not before(epoch, e):
                LIST.tell(Race(o, f, epoch, where, kind, frame, None, None, mask))
    share(s, at, e, kind, frame, mask)
    if kind == ACCESSES:
        if w[0] != MANY:
            kept = {} if w is NEVER else {(w[0], s[at + 3][2]): (w, s[at + 3], 0)}
            w = s[at + 1] = [MANY, FOREVER, kept, None]
        w[2][e[0], kind] = (e, place(frame, kind), mask)


def _stores(s: list[Any], at: int) -> list[tuple[Epoch, Place]]:
    w = s[at + 1]
    if w[0] == MANY:
        return [(epoch, where) for epoch, where, _ in w[2].values()]
    return [] if w is NEVER else [(w, s[at + 3])]


def _loads(s: list[Any], at: int) -> list[tuple[Epoch, Place]]:
    r = s[at]
    if r[0] == MANY:
        found = [(epoch, where) for epoch, where, _ in r[2].values()]
        return [(epoch, where) for epoch, where in found if not where[2].startswith("assert")]
    return [] if r is NEVER else [(r, s[at + 2])]


def _writer(o: Any, f: str) -> None:
    _assert(o, f, WRITES, sys._getframe(2))


def _access(o: Any, f: str) -> None:
    _assert(o, f, ACCESSES, sys._getframe(2))


def _bits(o: Any, f: str, mask: int) -> None:
    _assert(o, f, WRITES, sys._getframe(2), mask)


def _scope_begins(scope: Any, o: Any, f: str, access: bool) -> None:
    frame = _outside(sys._getframe(2))
    _assert(o, f, (ACCESSES if access else WRITES) + " (reordered)", frame)
    e = now()
    e[3].scopes.append((e[0], e[1], dict(e[2]), place(frame, "")))


_BETWEEN = (contextlib.__file__, kcsan.__file__)


def _outside(frame: FrameType) -> FrameType:
    """The frame that entered the scope, not what is between."""
    at: FrameType | None = frame
    while at is not None and at.f_code.co_filename in _BETWEEN:
        at = at.f_back
    return at if at is not None else frame


def _scope_ends(scope: Any, o: Any, f: str, access: bool) -> None:
    at = position(type(o), f)
    e = now()
    begin = e[3].scopes.pop()
    if at is None:
        return
    frame = _outside(sys._getframe(2))
    kind = (ACCESSES if access else WRITES) + " (reordered)"
    s = records(o)
    others = _stores(s, at) + (_loads(s, at) if access else [])
    for epoch, where in others:
        # What another thread did that was not over when the scope was entered.
        if where[2].startswith("assert") or before(epoch, [begin[0], begin[1], begin[2], None]):
            continue
        LIST.tell(Race(o, f, epoch, where, kind, frame, None, None))


ASSERTIONS: dict[str | Callable[..., Any], Hook] = {
    kcsan.ASSERT_EXCLUSIVE_WRITER: Hook(_writer),
    kcsan.ASSERT_EXCLUSIVE_ACCESS: Hook(_access),
    kcsan.ASSERT_EXCLUSIVE_BITS: Hook(_bits),
    kcsan.kcsan_begin_scoped_access: Hook(None, _scope_begins),
    kcsan.kcsan_end_scoped_access: Hook(_scope_ends),
}
