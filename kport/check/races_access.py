# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Which accesses to a member nothing orders: the loads and stores of `virt`, each against the last.

Of each watched member an object keeps two records: its last load and its last store, by epoch and
by place in the code. When loads of several threads are unordered, all of them are kept. The
properties that see the plain accesses are text (`kport.linux.field`), because millions of them must
pass in a second. What they find goes to `LIST.tell`.

    [load, store, where loaded, where stored] for each member, and at the end what was left for
    whoever loads the member, by name

A store that does not change the value conflicts with nothing but assertions: KCSAN's default, with
which a reader cannot have noticed. (It is on record where it hides an unordered store of another:
what the thread loads then is its own.) A plain store is taken to be whole, as KCSAN does, unless
`strict`: then two stores of which one is plain, or a marked load and a plain store, conflict too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from types import CodeType, FrameType
from typing import Any, NamedTuple

from kport.arch.virt_asm import CPU, NoKernel
from kport.check.races_clock import NEVER, Epoch, before, join, now
from kport.linux.field import RAW, Watcher, covers, raw_get

MANY = -7  # the thread number of a record that stands for several
FOREVER = 1 << 62
UNKNOWN = object()
DEPTH = 5

# Where an access was, and what: code, instruction, kind, the number it replaced, callers.
Place = tuple[CodeType, int, str, int | None, tuple[tuple[CodeType, int], ...]]


class Race(NamedTuple):
    """Two accesses that nothing orders; `frame` is where the second one is.

    `mask` is of an assertion about some bits, or 0.
    """

    obj: Any
    member: str
    epoch: Epoch
    place: Place
    kind: str
    frame: FrameType
    old: Any
    new: Any
    mask: int = 0


class Listener:
    """Where races go, which pairs are races beyond a plain load and a store, what is kept.

    With `stacks` the callers of each access are kept, which takes as long as all else together.
    """

    def __init__(self) -> None:
        self.tell: Callable[[Race], None] = lambda race: None
        self.strict = False
        self.value_change_only = True
        self.marked_loads = False
        self.stacks = False


LIST = Listener()

_READ = """\
try:
    e = _race_cpu.ti.clock
    s = self._epochs
    if s[4 * INDEX] is not e:
        w = s[4 * INDEX + 1]
        if w[0] != e[0] and e[2].get(w[0], -1) < w[1]:
            _race_load(self, FIELD, s, 4 * INDEX, e, "read", _race_frame(1))
        r = s[4 * INDEX]
        if r[0] == e[0] or e[2].get(r[0], -1) >= r[1]:
            s[4 * INDEX] = e
            f = _race_frame(1)
            s[4 * INDEX + 2] = (f.f_code, f.f_lasti, "read", None, CALLERS)
        else:
            _race_share(s, 4 * INDEX, e, "read", _race_frame(1))
except (AttributeError, TypeError, RuntimeError):
    _race_first(self, FIELD, "read", _race_frame(1), None)
"""

_WRITE = """\
try:
    old = self.RAW
    e = _race_cpu.ti.clock
    s = self._epochs
    r = s[4 * INDEX]
    if r[0] != e[0] and e[2].get(r[0], -1) < r[1]:
        _race_store(self, FIELD, s, 4 * INDEX, e, "write", _race_frame(1), value, old)
    w = s[4 * INDEX + 1]
    if w is not e and (
        value is not old or (w[0] != e[0] and e[2].get(w[0], -1) < w[1])
    ):
        f = _race_frame(1)
        s[4 * INDEX + 3] = (
            f.f_code, f.f_lasti, "write", old if old.__class__ is int else None, CALLERS
        )
        s[4 * INDEX + 1] = e
except (AttributeError, TypeError, RuntimeError):
    _race_first(self, FIELD, "write", _race_frame(1), value)
"""

_RECORD = "    w = s[4 * INDEX + 1]\n    if w is not e"
_STRICT = """\
    w = s[4 * INDEX + 1]
    if w[0] != e[0] and e[2].get(w[0], -1) < w[1]:
        _race_store_store(self, FIELD, s, 4 * INDEX, e, "write", _race_frame(1), value, old)
"""


def watchers(only: Callable[[type], bool], inline: Callable[[type], bool]) -> list[Watcher]:
    """Who sees the plain accesses to the classes of `only`.

    `inline` says which of them are worked on in small functions that C compiles into their
    callers: there the caller is kept, too.
    """
    names = {
        "_race_cpu": CPU,
        "_race_frame": sys._getframe,
        "_race_load": raced_load,
        "_race_store": raced_store,
        "_race_store_store": raced_stores,
        "_race_share": share,
        "_race_first": first,
        "_race_callers": callers,
        "_race_outer": outer,
    }
    write = _WRITE
    if LIST.strict:
        write = write.replace(_RECORD, _STRICT + _RECORD)
    if not LIST.value_change_only:
        write = write.replace("value is not old or", "True or")
    kept = ("_race_callers(f)", "_race_callers(f)") if LIST.stacks else ("()", "_race_outer(f)")
    which = _which(only, inline)
    return [
        Watcher(
            _READ.replace("CALLERS", text),
            write.replace("CALLERS", text),
            names,
            only=some,
            blank=_begin_with,
        )
        for text, some in zip(kept, which, strict=True)
    ]


@cache
def _which(
    only: Callable[[type], bool], inline: Callable[[type], bool]
) -> tuple[Callable[[type], bool], Callable[[type], bool]]:
    """The classes that are not inline, and those that are: the same functions at each boot.

    Equal watchers share what is compiled for a member (`kport.linux.field`).
    """
    return (lambda c: only(c) and not inline(c), lambda c: only(c) and inline(c))


def outer(frame: FrameType) -> tuple[tuple[CodeType, int], ...]:
    """The first frame outward of `frame` that is in another file."""
    here = frame.f_globals
    at = frame.f_back
    while at is not None and at.f_globals is here:
        at = at.f_back
    return ((at.f_code, at.f_lasti),) if at is not None else ()


def callers(frame: FrameType) -> tuple[tuple[CodeType, int], ...]:
    """Some frames outward of `frame`."""
    found: list[tuple[CodeType, int]] = []
    at = frame.f_back
    while at is not None and len(found) < DEPTH:
        found.append((at.f_code, at.f_lasti))
        at = at.f_back
    return tuple(found)


def place(frame: FrameType, kind: str, old: Any = None) -> Place:
    """The place of an access."""
    number = old if old.__class__ is int else None
    around = callers(frame) if LIST.stacks else outer(frame)
    return frame.f_code, frame.f_lasti, kind, number, around


# -- records of one object -----------------------------------------------------------------------

_positions: dict[type, dict[str, int]] = {}
_blank: dict[type, list[Any]] = {}  # the records of an object that nobody has accessed


def _begin_with(cls: Any) -> list[Any]:
    """The records of an object that nobody has accessed."""
    return [NEVER, NEVER, None, None] * len(cls._plain) + [None]


def forget() -> None:
    """Other classes may be watched now."""
    _positions.clear()
    _blank.clear()


def position(cls: Any, name: str) -> int | None:
    """Where the records of a member begin; None for what is no struct's member."""
    known = _positions.get(cls)
    if known is None:
        members = cls._plain if covers(cls) else ()
        known = _positions[cls] = {member: 4 * at for at, member in enumerate(members)}
    return known.get(name)


def records(obj: Any) -> list[Any]:
    """The records of an object, made when it is accessed for the first time."""
    try:
        found: list[Any] = obj._epochs
    except AttributeError:
        made = _blank.get(type(obj))
        if made is None:
            made = _blank[type(obj)] = _begin_with(type(obj))
        found = obj._epochs = made.copy()
    return found


def share(s: list[Any], at: int, e: Epoch, kind: str, frame: FrameType, mask: int = 0) -> None:
    """A load that is not ordered behind the one on record: keep both."""
    r = s[at]
    if r[0] != MANY:
        kept = {} if r is NEVER else {r[0]: (r, s[at + 2], 0)}
        r = s[at] = [MANY, FOREVER, kept, None]
    key = e[0] if kind == "read" else (e[0], kind)
    known = r[2].get(key)
    if known is None or known[0] is not e:
        r[2][key] = (e, (frame.f_code, frame.f_lasti, kind, None, outer(frame)), mask)


def first(obj: Any, name: str, kind: str, frame: FrameType, value: Any) -> None:
    """An access to an object without records, or of a thread that has no epoch yet."""
    if isinstance(CPU.machine, NoKernel):
        return
    if kind.startswith("read"):
        load(obj, name, kind, frame)
    else:
        store(obj, name, kind, frame, value)


def load(obj: Any, name: str, kind: str, frame: FrameType) -> None:
    """A load: against the last store, and on record."""
    at = position(type(obj), name)
    if at is None:
        return
    s, e = records(obj), now()
    if not before(s[at + 1], e):
        raced_load(obj, name, s, at, e, kind, frame)
    r = s[at]
    if r[0] != MANY and before(r, e):
        s[at] = e
        s[at + 2] = place(frame, kind)
    else:
        share(s, at, e, kind, frame)


def marked_store(obj: Any, name: str, value: Any) -> None:
    """store() of a marked store, by the short way if there is nothing to say."""
    known = _positions.get(type(obj))
    if known is None or LIST.strict or not LIST.value_change_only:
        store(obj, name, "write (marked)", sys._getframe(3), value)
        return
    at = known.get(name)
    if at is None:
        return
    e = CPU.ti.clock
    if e is None:
        e = now()
    s = getattr(obj, "_epochs", None)
    if s is None:
        s = records(obj)
    else:
        r = s[at]
        if r[0] != e[0] and e[2].get(r[0], -1) < r[1]:
            store(obj, name, "write (marked)", sys._getframe(3), value)
            return
        if s[at + 1] is e:
            return
    if value is not getattr(obj, RAW[name], None):
        f = sys._getframe(3)
        s[at + 3] = (f.f_code, f.f_lasti, "write (marked)", None, outer(f))
        s[at + 1] = e


def store(
    obj: Any, name: str, kind: str, frame: FrameType, value: Any, old: Any = UNKNOWN
) -> None:
    """A store: against the loads on record and, if that is strict, the last store; on record."""
    at = position(type(obj), name)
    if at is None:
        return
    s, e = records(obj), now()
    if old is UNKNOWN:
        old = _value(obj, name)
    r = s[at]
    if r[0] == MANY or not before(r, e):
        raced_store(obj, name, s, at, e, kind, frame, value, old)
    if LIST.strict and not before(s[at + 1], e):
        raced_stores(obj, name, s, at, e, kind, frame, value, old)
    if old is not value or not LIST.value_change_only:
        s[at + 1] = e
        s[at + 3] = place(frame, kind, old)


def _value(obj: Any, name: str) -> Any:
    """What a member holds; None for a freed one."""
    try:
        return raw_get(obj, name)
    except AttributeError:
        return None


def _changes(old: Any, new: Any) -> bool:
    if old is new:
        return False
    return not (isinstance(old, int) and isinstance(new, int) and old == new)


# -- conflicts -----------------------------------------------------------------------------------


def raced_load(
    obj: Any, name: str, s: list[Any], at: int, e: Epoch, kind: str, frame: FrameType
) -> None:
    """A load, and a store on record that seems not to come before it."""
    w, where = s[at + 1], s[at + 3]
    if w[0] == MANY:  # assertions that nobody accesses the member
        for epoch, place_, mask in list(w[2].values()):
            if not before(epoch, e):
                LIST.tell(Race(obj, name, epoch, place_, kind, frame, None, None, mask))
        return
    if before(w, e):
        return
    new = _value(obj, name)
    follow(s, name, new, e)
    if LIST.value_change_only and where[3] is not None and not _changes(where[3], new):
        return
    if "marked" in kind and ("marked" in where[2] or not LIST.strict):
        return
    LIST.tell(Race(obj, name, w, where, kind, frame, where[3], new))


def follow(s: list[Any], name: str, value: Any, e: Epoch) -> None:
    """What is reached through a pointer whose plain load races is no second race.

    The pointer was published as it should be, and its load lacks a mark: that is told once.
    """
    if s[-1] is not None and not isinstance(value, int | None):
        found = s[-1].get(name)
        if found is not None:
            join(e, found)


def raced_store(
    obj: Any,
    name: str,
    s: list[Any],
    at: int,
    e: Epoch,
    kind: str,
    frame: FrameType,
    value: Any,
    old: Any,
) -> None:
    """A store, and a load on record that seems not to come before it."""
    r = s[at]
    changes = not LIST.value_change_only or _changes(old, value) or _rcu(frame)
    if r[0] != MANY:
        both_marked = "marked" in kind and "marked" in s[at + 2][2] if r is not NEVER else True
        if changes and not both_marked and not before(r, e):
            LIST.tell(Race(obj, name, r, s[at + 2], kind, frame, old, value))
        return
    for epoch, where, mask in list(r[2].values()):
        if before(epoch, e):
            continue
        if where[2].startswith("assert"):
            if mask and not (int(old) ^ int(value)) & mask:
                continue
        elif not changes or ("marked" in kind and "marked" in where[2]):
            continue
        elif "marked" in where[2] and not LIST.strict:
            continue
        LIST.tell(Race(obj, name, epoch, where, kind, frame, old, value, mask))


def _rcu(frame: FrameType) -> bool:
    """True in functions that are told of stores of the same value, too."""
    name = frame.f_code.co_name
    return "rcu_" in name or "_rcu" in name


def raced_stores(
    obj: Any,
    name: str,
    s: list[Any],
    at: int,
    e: Epoch,
    kind: str,
    frame: FrameType,
    value: Any,
    old: Any,
) -> None:
    """A store, and a store on record that seems not to come before it; one of them is plain."""
    w, where = s[at + 1], s[at + 3]
    if w[0] == MANY or before(w, e) or ("marked" in kind and "marked" in where[2]):
        return
    if LIST.value_change_only and not _changes(old, value):
        return
    LIST.tell(Race(obj, name, w, where, kind, frame, old, value))
