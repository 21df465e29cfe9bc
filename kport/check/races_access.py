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

from kport.arch.hook import Lines
from kport.arch.virt_asm import CPU, NoKernel
from kport.check.races_clock import MASK, NEVER, Clock, before, join, knows, now
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
        self.short = True  # nothing is wanted but what the short ways do
        self.inline: Callable[[type], bool] = lambda cls: False


LIST = Listener()

# What happens nearly always is in the properties themselves: a call for each access would take a
# third of its time. A first access, and what may be a race, is for the functions. An IndexError is
# a thread that this one has not heard of.
_READ = """\
try:
    _s = self._epochs
    _c = _race_cpu.ti.clock
    _e = _c[0]
    _r = _s[7 * INDEX]
    if _r is not _e:
        _n = _c[1]
        _w = _s[7 * INDEX + 1]
        if _n[_w & 1048575] >= _w and _n[_r & 1048575] >= _r:
            _f = _race_frame(1)
            _s[7 * INDEX + 2] = _f.f_code
            _s[7 * INDEX + 3] = LASTI
            _s[7 * INDEX] = _e
        else:
            _race_load(self, FIELD, 7 * INDEX)
except IndexError:
    _race_load(self, FIELD, 7 * INDEX)
except (AttributeError, TypeError, RuntimeError):
    _race_first(self, FIELD, "read", _race_frame(1), None)
"""
_WRITE = """\
try:
    _s = self._epochs
    _c = _race_cpu.ti.clock
    _n = _c[1]
    _r = _s[7 * INDEX]
    _o = self.RAW
    if _n[_r & 1048575] >= _r:
        _w = _s[7 * INDEX + 1]
        _e = _c[0]
        if _w is not _e and (value is not _o or _n[_w & 1048575] < _w):
            _f = _race_frame(1)
            _s[7 * INDEX + 4] = _f.f_code
            _s[7 * INDEX + 5] = LASTI
            _s[7 * INDEX + 6] = _o if _o.__class__ is int else None
            _s[7 * INDEX + 1] = _e
    else:
        _race_store(self, FIELD, 7 * INDEX, value, _o)
except IndexError:
    _race_store(self, FIELD, 7 * INDEX, value, _o)
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
        "_race_lasti": lasti_outer,
        "_race_load": load_doubtful,
        "_race_store": store_doubtful,
    }
    LIST.inline = inline
    LIST.short = not (LIST.strict or LIST.stacks) and LIST.value_change_only
    made = []
    for which, lasti in zip(_which(only, inline), ("_f.f_lasti", "_race_lasti(_f)"), strict=True):
        read, write = _READ, _WRITE
        if not LIST.short:
            read, write = _READ_WHOLE, _WRITE_WHOLE
        read = read.replace("LASTI", lasti)
        write = write.replace("LASTI", lasti)
        made.append(Watcher(read, write, names, only=which, blank=_begin_with))
    return made


def load_doubtful(obj: Any, name: str, at: int) -> None:
    """A plain load that a store, or the load on record, may not come before. From a property."""
    f = frame(2)
    s, c = obj._epochs, CPU.ti.clock
    if not knows(c[1], s[at + 1]):
        raced_load(obj, name, s, at, c, "read", f)
    if knows(c[1], s[at]):
        _put(obj, s, at, at + LOADED, c, f)
    else:
        share(obj, s, at, c, "read", f)


def store_doubtful(obj: Any, name: str, at: int, value: Any, old: Any) -> None:
    """A plain store that an access on record may not come before. Called by a property."""
    f = frame(2)
    s, c = obj._epochs, CPU.ti.clock
    if not knows(c[1], s[at]):
        raced_store(obj, name, s, at, c, "write", f, value, old)
    w = s[at + 1]
    if w is not c[0] and (value is not old or not knows(c[1], w)):
        s[at + OLD] = old if old.__class__ is int else None
        _put(obj, s, at + 1, at + STORED, c, f)


def _put(obj: Any, s: list[Any], epoch: int, place: int, c: Clock, frame: FrameType) -> None:
    s[place] = frame.f_code
    s[place + 1] = lasti_outer(frame) if LIST.inline(type(obj)) else frame.f_lasti
    s[epoch] = c[0]


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

class _Members(dict[str, int | None]):
    """Where the records of each member of a class begin; None for what is no member."""

    def __missing__(self, name: str) -> None:
        self[name] = None


class _Positions(dict[type, _Members]):
    """The members of each class; of one that is not watched nothing is a member."""

    def __missing__(self, cls: Any) -> _Members:
        members = cls._plain if covers(cls) else ()
        made = self[cls] = _Members((name, STRIDE * at) for at, name in enumerate(members))
        return made


POSITIONS = _Positions()
_blank: dict[type, list[Any]] = {}  # the records of an object that nobody has accessed


def _begin_with(cls: Any) -> list[Any]:
    """The records of an object that nobody has accessed."""
    return [NEVER, NEVER, *[None] * (STRIDE - 2)] * len(cls._plain) + [None]


def forget() -> None:
    """Other classes may be watched now."""
    POSITIONS.clear()
    _blank.clear()


def position(cls: type, name: str) -> int | None:
    """Where the records of a member begin; None for what is no struct's member."""
    return POSITIONS[cls][name]


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
    """A marked store that is not as easy as in `MARKED_STORE`. Called by an instruction."""
    store(obj, name, "write (marked)", sys._getframe(2), value)


def marked_record(obj: Any, s: list[Any], at: int, c: Clock) -> None:
    """A marked store that changes the value, and that nothing is against, goes on record."""
    s[at + OLD] = MARKED
    _put(obj, s, at + 1, at + STORED, c, frame(2))


# A marked store by the short way, if there is nothing to say. It is in the instruction.
MARKED_STORE = Lines(
    """
try:
    _at = _race_at[type($0)][$1]
    if _at is not None:
        _s = $0._epochs
        _c = _race_cpu.ti.clock
        _r = _s[_at]
        if not _race_list.short or _c[1][_r & 1048575] < _r:
            _race_marked_store($0, $1, $2)
        elif _s[_at + 1] is not _c[0] and $2 is not getattr($0, _race_raw[$1]):
            _race_marked_record($0, _s, _at, _c)
except (AttributeError, IndexError, TypeError):
    _race_marked_store($0, $1, $2)
""",
    _race_at=POSITIONS,
    _race_cpu=CPU,
    _race_list=LIST,
    _race_marked_record=marked_record,
    _race_marked_store=marked_store,
    _race_raw=RAW,
)


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
