# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Which accesses to a member nothing orders: the loads and stores of `virt`, each against the last.

Of each watched member an object keeps two records: its last load and its last store, by epoch and
by place in the code. When loads of several threads are unordered, all of them are kept. The
properties that see the plain accesses are text (`kport.linux.field`), because millions of them must
pass in a second. What they find goes to `LIST.tell`.

`STRIDE` slots for each member, and at the end what was left for whoever loads the member, by name:

    0 load, 1 store                       the epochs
    2 code, 3 instruction                 where it was loaded
    4 code, 5 instruction, 6 old value    where it was stored, and the number that was there

Two slots are a place, because a tuple for each access is work for the garbage collector; a `Place`
is made of them for a report. An instruction that is a tuple has the place of the caller with it. A
code that is a `Place` is all of it. Of a record that stands for several the epoch is `MANY` and the
code a dict of them.

A store that does not change the value conflicts with nothing but assertions: KCSAN's default, with
which a reader cannot have noticed. (It is on record where it hides an unordered store of another:
what the thread loads then is its own.) A plain store is taken to be whole, as KCSAN does, unless
`strict`: then two stores of which one is plain, or a marked load and a plain store, conflict too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from sys import _getframe as frame
from types import CodeType, FrameType
from typing import Any, NamedTuple

from kport.arch.virt_asm import CPU, NoKernel
from kport.check.races_clock import MASK, NEVER, Clock, before, join, now
from kport.linux.field import RAW, Watcher, covers, raw_get

MANY = 1 << 61  # the epoch of a record that stands for several, of no thread
STRIDE = 7
LOADED, STORED, OLD = 2, 4, 6
MARKED = "marked"  # the old value, if the store was marked
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
    epoch: int
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
        self.inline: Callable[[type], bool] = lambda cls: False


LIST = Listener()

# The properties are short, and what they call is the same for all members: there are hundreds of
# them, and code that is everywhere is not in the processor's cache.
_READ = """\
try:
    if self._epochs[7 * INDEX] is not _race_cpu.ti.clock[0]:
        LOAD(self, FIELD, 7 * INDEX)
except (AttributeError, TypeError, RuntimeError):
    _race_first(self, FIELD, "read", _race_frame(1), None)
"""
_WRITE = """\
try:
    STORE(self, FIELD, 7 * INDEX, value, self.RAW)
except (AttributeError, TypeError, RuntimeError):
    _race_first(self, FIELD, "write", _race_frame(1), value)
"""
_READ_WHOLE = "_race_first(self, FIELD, 'read', _race_frame(1), None)\n"
_WRITE_WHOLE = "_race_first(self, FIELD, 'write', _race_frame(1), value)\n"


def watchers(only: Callable[[type], bool], inline: Callable[[type], bool]) -> list[Watcher]:
    """Who sees the plain accesses to the classes of `only`.

    `inline` says which of them are worked on in small functions that C compiles into their
    callers: there the caller is kept, too.
    """
    names = {
        "_race_cpu": CPU,
        "_race_frame": sys._getframe,
        "_race_first": first,
        "_race_load": load_alone,
        "_race_load_inline": load_inline,
        "_race_store": store_alone,
        "_race_store_inline": store_inline,
    }
    LIST.inline = inline
    made = []
    for which, end in zip(_which(only, inline), ("", "_inline"), strict=True):
        read, write = _READ, _WRITE
        if LIST.strict or LIST.stacks or not LIST.value_change_only:
            read, write = _READ_WHOLE, _WRITE_WHOLE
        read = read.replace("LOAD", "_race_load" + end)
        write = write.replace("STORE", "_race_store" + end)
        made.append(Watcher(read, write, names, only=which, blank=_begin_with))
    return made


def load_alone(obj: Any, name: str, at: int) -> None:
    """A plain load in a thread's new epoch. Called by a property."""
    s = obj._epochs
    c = CPU.ti.clock
    w = s[at + 1]
    if c[1].get(w & MASK, -1) < w:
        raced_load(obj, name, s, at, c, "read", frame(2))
    r = s[at]
    if c[1].get(r & MASK, -1) >= r:
        f = frame(2)
        s[at + 2] = f.f_code
        s[at + 3] = f.f_lasti
        s[at] = c[0]
    else:
        share(obj, s, at, c, "read", frame(2))


def load_inline(obj: Any, name: str, at: int) -> None:
    """load_alone() with the place of the caller."""
    s = obj._epochs
    c = CPU.ti.clock
    w = s[at + 1]
    if c[1].get(w & MASK, -1) < w:
        raced_load(obj, name, s, at, c, "read", frame(2))
    r = s[at]
    if c[1].get(r & MASK, -1) >= r:
        f = frame(2)
        s[at + 2] = f.f_code
        s[at + 3] = lasti_outer(f)
        s[at] = c[0]
    else:
        share(obj, s, at, c, "read", frame(2))


def store_alone(obj: Any, name: str, at: int, value: Any, old: Any) -> None:
    """A plain store. Called by a property."""
    s = obj._epochs
    c = CPU.ti.clock
    r = s[at]
    if c[1].get(r & MASK, -1) < r:
        raced_store(obj, name, s, at, c, "write", frame(2), value, old)
    w = s[at + 1]
    e = c[0]
    if w is not e and (value is not old or c[1].get(w & MASK, -1) < w):
        f = frame(2)
        s[at + 4] = f.f_code
        s[at + 5] = f.f_lasti
        s[at + 6] = old if old.__class__ is int else None
        s[at + 1] = e


def store_inline(obj: Any, name: str, at: int, value: Any, old: Any) -> None:
    """store_alone() with the place of the caller."""
    s = obj._epochs
    c = CPU.ti.clock
    r = s[at]
    if c[1].get(r & MASK, -1) < r:
        raced_store(obj, name, s, at, c, "write", frame(2), value, old)
    w = s[at + 1]
    e = c[0]
    if w is not e and (value is not old or c[1].get(w & MASK, -1) < w):
        f = frame(2)
        s[at + 4] = f.f_code
        s[at + 5] = lasti_outer(f)
        s[at + 6] = old if old.__class__ is int else None
        s[at + 1] = e


def lasti_outer(frame: FrameType) -> Any:
    """The instruction of a frame, and with it the first place outward that is in another file."""
    here = frame.f_globals
    at = frame.f_back
    while at is not None and at.f_globals is here:
        at = at.f_back
    return (frame.f_lasti, at.f_code, at.f_lasti) if at is not None else frame.f_lasti


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


def place(obj: Any, frame: FrameType, kind: str, old: Any = None) -> Place:
    """The place of an access to an object."""
    number = old if old.__class__ is int else None
    if LIST.stacks:
        around = callers(frame)
    else:
        around = outer(frame) if LIST.inline(type(obj)) else ()
    return frame.f_code, frame.f_lasti, kind, number, around


def loaded(s: list[Any], at: int) -> Place:
    """Where the load on record is."""
    return _place(s[at + LOADED], s[at + LOADED + 1], "read", None)


def stored(s: list[Any], at: int) -> Place:
    """Where the store on record is."""
    old = s[at + OLD]
    if old is MARKED:
        return _place(s[at + STORED], s[at + STORED + 1], "write (marked)", None)
    return _place(s[at + STORED], s[at + STORED + 1], "write", old)


def _place(code: Any, lasti: Any, kind: str, old: int | None) -> Place:
    if code.__class__ is tuple:
        whole: Place = code
        return whole if old is None else (*whole[:3], old, whole[4])
    if lasti.__class__ is tuple:
        return code, lasti[0], kind, old, ((lasti[1], lasti[2]),)
    return code, lasti, kind, old, ()


# -- records of one object -----------------------------------------------------------------------

_positions: dict[type, dict[str, int]] = {}
_inline: set[type] = set()
_blank: dict[type, list[Any]] = {}  # the records of an object that nobody has accessed


def _begin_with(cls: Any) -> list[Any]:
    """The records of an object that nobody has accessed."""
    return [NEVER, NEVER, *[None] * (STRIDE - 2)] * len(cls._plain) + [None]


def forget() -> None:
    """Other classes may be watched now."""
    _positions.clear()
    _inline.clear()
    _blank.clear()


def position(cls: Any, name: str) -> int | None:
    """Where the records of a member begin; None for what is no struct's member."""
    known = _positions.get(cls)
    if known is None:
        members = cls._plain if covers(cls) else ()
        if LIST.inline(cls):
            _inline.add(cls)
        known = _positions[cls] = {member: STRIDE * at for at, member in enumerate(members)}
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


def share(
    obj: Any, s: list[Any], at: int, c: Clock, kind: str, frame: FrameType, mask: int = 0
) -> None:
    """A load that is not ordered behind the one on record: keep both."""
    r = s[at]
    e = c[0]
    if r != MANY:
        if kind == "read" and before(r, c):  # of another execution
            s[at] = e
            s[at + LOADED] = place(obj, frame, kind)
            return
        s[at + LOADED] = {} if r == NEVER else {r & MASK: (r, loaded(s, at), 0)}
        s[at] = MANY
    kept = s[at + LOADED]
    key = e & MASK if kind == "read" else (e & MASK, kind)
    known = kept.get(key)
    if known is None or known[0] != e:
        kept[key] = (e, place(obj, frame, kind), mask)


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
    s, c = records(obj), now()
    if not before(s[at + 1], c):
        raced_load(obj, name, s, at, c, kind, frame)
    if before(s[at], c):
        s[at] = c[0]
        s[at + LOADED] = place(obj, frame, kind)
    else:
        share(obj, s, at, c, kind, frame)


def marked_store(obj: Any, name: str, value: Any) -> None:
    """store() of a marked store, by the short way if there is nothing to say."""
    known = _positions.get(type(obj))
    if known is None or LIST.strict or LIST.stacks or not LIST.value_change_only:
        store(obj, name, "write (marked)", sys._getframe(2), value)
        return
    at = known.get(name)
    if at is None:
        return
    c = CPU.ti.clock
    s = getattr(obj, "_epochs", None)
    if c is None or s is None:
        store(obj, name, "write (marked)", sys._getframe(2), value)
        return
    e = c[0]
    r = s[at]
    if r is not e and c[1].get(r & MASK, -1) < r:
        store(obj, name, "write (marked)", sys._getframe(2), value)
    elif s[at + 1] is not e and value is not getattr(obj, RAW[name], None):
        f = sys._getframe(2)
        s[at + 4] = f.f_code
        if type(obj) in _inline:
            s[at + 5] = lasti_outer(f)
        else:
            s[at + 5] = f.f_lasti
        s[at + 6] = MARKED
        s[at + 1] = e


def store(
    obj: Any, name: str, kind: str, frame: FrameType, value: Any, old: Any = UNKNOWN
) -> None:
    """A store: against the loads on record and, if that is strict, the last store; on record."""
    at = position(type(obj), name)
    if at is None:
        return
    s, c = records(obj), now()
    if old is UNKNOWN:
        old = _value(obj, name)
    if not before(s[at], c):
        raced_store(obj, name, s, at, c, kind, frame, value, old)
    if LIST.strict and not before(s[at + 1], c):
        raced_stores(obj, name, s, at, c, kind, frame, value, old)
    hides = kind == "write" and not before(s[at + 1], c)
    if old is not value or hides or not LIST.value_change_only:
        s[at + 1] = c[0]
        s[at + STORED] = place(obj, frame, kind, old)
        s[at + OLD] = None


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
    obj: Any, name: str, s: list[Any], at: int, c: Clock, kind: str, frame: FrameType
) -> None:
    """A load, and a store on record that seems not to come before it."""
    w = s[at + 1]
    if w == MANY:  # assertions that nobody accesses the member
        for epoch, place_, mask in list(s[at + STORED].values()):
            if not before(epoch, c):
                LIST.tell(Race(obj, name, epoch, place_, kind, frame, None, None, mask))
        return
    if before(w, c):
        s[at + 1] = NEVER  # it was of another execution
        return
    where = stored(s, at)
    new = _value(obj, name)
    follow(s, name, new, c)
    if LIST.value_change_only and where[3] is not None and not _changes(where[3], new):
        return
    if "marked" in kind and ("marked" in where[2] or not LIST.strict):
        return
    LIST.tell(Race(obj, name, w, where, kind, frame, where[3], new))


def follow(s: list[Any], name: str, value: Any, c: Clock) -> None:
    """What is reached through a pointer whose plain load races is no second race.

    The pointer was published as it should be, and its load lacks a mark: that is told once.
    """
    if s[-1] is not None and not isinstance(value, int | None):
        found = s[-1].get(name)
        if found is not None:
            join(c, found)


def raced_store(
    obj: Any,
    name: str,
    s: list[Any],
    at: int,
    c: Clock,
    kind: str,
    frame: FrameType,
    value: Any,
    old: Any,
) -> None:
    """A store, and a load on record that seems not to come before it."""
    r = s[at]
    changes = not LIST.value_change_only or _changes(old, value) or _rcu(frame)
    if r != MANY:
        if before(r, c):
            s[at] = NEVER  # it was of another execution
        elif changes:
            where = loaded(s, at)
            if not ("marked" in kind and "marked" in where[2]):
                LIST.tell(Race(obj, name, r, where, kind, frame, old, value))
        return
    for epoch, where, mask in list(s[at + LOADED].values()):
        if before(epoch, c):
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
    c: Clock,
    kind: str,
    frame: FrameType,
    value: Any,
    old: Any,
) -> None:
    """A store, and a store on record that seems not to come before it; one of them is plain."""
    w = s[at + 1]
    if w == MANY or before(w, c):
        return
    where = stored(s, at)
    if "marked" in kind and "marked" in where[2]:
        return
    if LIST.value_change_only and not _changes(old, value):
        return
    LIST.tell(Race(obj, name, w, where, kind, frame, old, value))
