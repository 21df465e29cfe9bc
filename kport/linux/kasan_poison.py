# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Poison: an object that is dead answers every access with a report.

KASAN's compiler pass asks a shadow memory before each access. Here the object itself is changed
when it dies: its class becomes a subclass of the class it was, with no slot more, whose attribute
access calls `on_access`. Objects that live cost nothing, a write is caught like a read, and so is
every way to get there: a list that still leads into the object, a lock in it, an element of an
array. The machine words that are embedded in it change likewise; the slot of a word that holds its
value says where the word was.

A dead object has a `Grave`, which is all that is known about its life. What it pointed to is let
go of, so that the dead keep nobody alive. An object that is only declared dead keeps what it has
and can be called back (`unpoison()`).
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import get_annotations
from typing import Any, NoReturn

from kport.arch.types import atomic64_t, atomic_long_t, atomic_t, bitmap, spinlock_t
from kport.linux.kref import kref
from kport.linux.refcount import refcount_t
from kport.linux.struct import array, struct, structmeta

_get = object.__getattribute__
_set = object.__setattr__

# What belongs to this implementation and to no member of C: reading it is no access.
PASS = frozenset(
    ("__class__", "_address", "_epochs", "_free", "_freed", "_shadow", "clock", "dep_map")
)
RAW = "_raw_"  # kport.linux.field


class Grave:
    """What is known of a dead object: how it came and went.

    `declared`: it was not freed, somebody said it is dead, and `container` is what it is in. An
    array has a `length` and holds structs of the class `item`, or pointers (None). Who allocated
    it, who freed it and who last queued something in it (`came`, `went`, `work`) is opaque here.
    """

    __slots__ = ("came", "container", "declared", "item", "length", "went", "work")

    def __init__(self, obj: Any, declared: bool, came: Any, went: Any, work: Any) -> None:
        self.container = _container.__get__(obj) if declared else None
        self.declared = declared
        self.came = came
        self.went = went
        self.work = work
        self.item: type[Any] | None = None
        self.length = -1
        if isinstance(obj, list):
            self.length = len(obj)
            if obj and isinstance(obj[0], struct) and _container.__get__(obj[0]) is obj:
                self.item = type(obj[0])


class Place:
    """Where a dead member is: in what, and as which member; `value` is what a word held."""

    __slots__ = ("container", "member", "value")

    def __init__(self, container: Any, member: str, value: Any) -> None:
        self.container = container
        self.member = member
        self.value = value


def _unset(obj: Any, member: str, write: bool) -> NoReturn:
    raise RuntimeError("a poisoned object was used before kasan was started")


# Called with the dead object, the member's name ("" for the whole) and whether it was a store.
on_access: Callable[[Any, str, bool], Any] = _unset


_container = struct.__dict__["_container"]
_member = struct.__dict__["_member"]
container_of_any = _container.__get__  # what a struct is embedded in, dead or alive


# -- the classes of the dead -------------------------------------------------------------------


def _getattribute(self: Any, name: str) -> Any:
    if name in PASS:
        return _get(self, name)
    return on_access(self, name.removeprefix(RAW), False)


def _setattr(self: Any, name: str, value: Any) -> None:
    if name in PASS:
        _set(self, name, value)
    else:
        on_access(self, name.removeprefix(RAW), True)


def _delattr(self: Any, name: str) -> None:
    on_access(self, name.removeprefix(RAW), True)


def _loads(self: Any, *args: Any) -> Any:
    return on_access(self, _element(args), False)


def _stores(self: Any, *args: Any) -> Any:
    return on_access(self, _element(args), True)


def _element(args: tuple[Any, ...]) -> str:
    return f"[{args[0]}]" if args and isinstance(args[0], int) else ""


def _nothing(self: Any) -> None:
    """The memory is free already; whoever frees it again has been told before."""


def _true(self: Any) -> bool:
    return True  # a pointer to freed memory is not NULL


_BODY: dict[str, Any] = {
    "__slots__": (),
    "__getattribute__": _getattribute,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "_free": _nothing,
    "_freed": True,
}
_ARRAY: dict[str, Any] = {
    "__bool__": _true,
    "__getitem__": _loads,
    "__iter__": _loads,
    "__reversed__": _loads,
    "__len__": _loads,
    "__contains__": _loads,
    "__add__": _loads,
    "__mul__": _loads,
    "__setitem__": _stores,
    "__delitem__": _stores,
    "__iadd__": _stores,
}

_dead_of: dict[type[Any], type[Any]] = {}
_live_of: dict[type[Any], type[Any]] = {}


def dead_class(cls: type[Any]) -> type[Any]:
    """The class that an object of `cls` gets when it dies."""
    dead = _dead_of.get(cls)
    if dead is None:
        body = dict(_BODY) | {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
        init: dict[str, Any] = {}
        if issubclass(cls, list):
            body |= _ARRAY
        if issubclass(cls, array):
            init = {"of": cls._of, "size": cls._size}
        meta: Any = structmeta if issubclass(cls, struct) else type
        dead = type.__new__(meta, cls.__name__, (cls,), body, **init)
        dead = _dead_of.setdefault(cls, dead)
        _live_of[dead] = cls
    return dead


def is_dead(obj: Any) -> bool:
    """True for an object that is poisoned."""
    return type(obj) in _live_of


def live_class(cls: type[Any]) -> type[Any]:
    """The class that a dead object had; any other class is itself."""
    return _live_of.get(cls, cls)


class slab_array(list[Any]):
    """An array from the allocator while memory is watched: one that can be poisoned."""

    __slots__ = ("_address", "_container", "_member")

    def __init__(self, items: Any = ()) -> None:
        super().__init__(items)
        self._container: Any = None
        self._member: str | None = None


# -- how a class is poisoned -------------------------------------------------------------------


def slot_of(cls: type[Any], name: str) -> Any:
    """The slot beneath a member of a struct class, past whoever watches it."""
    slot = cls.__dict__.get(RAW + name) or cls.__dict__[name]
    return getattr(slot, "_slot", slot)


class Plan:
    """How objects of a struct class die: the slots of embedded members and those of pointers."""

    __slots__ = ("dead", "embedded", "flexible", "pointers")

    def __init__(self, cls: type[Any]) -> None:
        self.dead = dead_class(cls)
        plain = cls.__dict__["_plain"]
        notes = get_annotations(cls)
        self.embedded = tuple(
            (slot_of(cls, name), name) for name in cls._fields if name not in plain
        )
        self.pointers = tuple(
            slot_of(cls, name).__set__ for name in plain if str(notes.get(name)) not in _SCALARS
        )
        self.flexible = tuple(
            slot_of(cls, name) for name in plain if str(notes.get(name)).startswith("list[")
        )


_SCALARS = ("int", "u8", "u32", "s32", "u64", "s64", "unsigned_long", "long", "bool", "str")
_plans: dict[type[Any], Plan] = {}

# Machine words: the slot that holds the value.
_WORDS: dict[type[Any], Any] = {
    atomic_t: atomic_t.__dict__["counter"],
    atomic64_t: atomic64_t.__dict__["counter"],
    atomic_long_t: atomic_long_t.__dict__["counter"],
    refcount_t: atomic_t.__dict__["counter"],
    kref: atomic_t.__dict__["counter"],
    bitmap: bitmap.__dict__["cells"],
    spinlock_t: spinlock_t.__dict__["raw"],
}
_SELVES = (refcount_t.__dict__["refs"], kref.__dict__["refcount"])


def bury(obj: Any, grave: Any, empty: bool) -> None:
    """Poison a struct or an array and everything embedded in it.

    `grave` goes where the container was; None leaves the container, for a member. With `empty`
    the object lets go of what it points to.
    """
    cls = type(obj)
    if cls in _live_of:  # was declared dead; now what it is in dies, too
        revive(obj)
        cls = type(obj)
    if isinstance(obj, struct):
        _bury_struct(obj, cls, grave, empty)
    elif isinstance(obj, (array, slab_array)):
        _bury_array(obj, cls, grave, empty)


def _bury_struct(obj: Any, cls: type[Any], grave: Any, empty: bool) -> None:
    plan = _plans.get(cls)
    if plan is None:
        plan = _plans[cls] = Plan(cls)
    inner = [(slot, slot.__get__(obj), name) for slot, name in plan.embedded]
    flexible = [slot.__get__(obj) for slot in plan.flexible]
    if grave is not None:
        _container.__set__(obj, grave)
    obj.__class__ = plan.dead
    for slot, member, name in inner:
        kind = type(member)
        word = _WORDS.get(kind)
        if word is None:
            bury(member, None, empty)
        else:
            word.__set__(member, Place(obj, name, word.__get__(member)))
            member.__class__ = dead_class(kind)
            if empty and issubclass(kind, refcount_t):
                _SELVES[0].__set__(member, None)
                if kind is kref:
                    _SELVES[1].__set__(member, None)
        if empty:
            slot.__set__(obj, None)
    for items in flexible:
        if type(items) is slab_array and items._container is obj:
            bury(items, None, empty)
    if empty:
        for clear in plan.pointers:
            clear(obj, None)


def _bury_array(obj: Any, cls: type[Any], grave: Any, empty: bool) -> None:
    for number, element in enumerate(list.__iter__(obj)):
        if isinstance(element, struct) and _container.__get__(element) is obj:
            _member.__set__(element, f"[{number}]")
            bury(element, None, empty)
    if empty:
        list.clear(obj)
    if grave is not None:
        obj._container = grave
    obj.__class__ = dead_class(cls)


def revive(obj: Any) -> None:
    """Call back an object that was declared dead, and everything in it."""
    grave: Any = _get(obj, "_container")
    _raise(obj)
    obj._container = grave.container


def _raise(obj: Any) -> None:
    cls = live_class(type(obj))
    obj.__class__ = cls
    word = _WORDS.get(cls)
    if word is not None:
        word.__set__(obj, word.__get__(obj).value)
        return
    if isinstance(obj, list):
        members = list(obj)
    else:
        plan = _plans[cls]
        members = [slot.__get__(obj) for slot, _ in plan.embedded]
        members += [slot.__get__(obj) for slot in plan.flexible]
    for member in members:
        if is_dead(member):
            _raise(member)


def where(obj: Any) -> tuple[Any, list[tuple[type[Any], str]], Grave | None]:
    """(outermost object, [(class, member) from there to `obj`], its grave), dead or alive."""
    path: list[tuple[type[Any], str]] = []
    at = obj
    while True:
        cls = live_class(type(at))
        word = _WORDS.get(cls)
        if word is None:
            container, member = _of(at, "_container"), _of(at, "_member")
        else:
            place = word.__get__(at)
            if not isinstance(place, Place):
                return at, path[::-1], None
            container, member = place.container, place.member
        if container is None:
            return at, path[::-1], None
        if isinstance(container, Grave):
            return at, path[::-1], container
        path.append((live_class(type(container)), member or ""))
        at = container


def _of(obj: Any, name: str) -> Any:
    try:
        return _get(obj, name)
    except AttributeError:
        return None
