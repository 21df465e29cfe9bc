# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Poison: an object that is dead answers every access with a report.

KASAN's compiler pass asks a shadow memory before each access. Here the object itself is changed
when it dies: its class becomes a subclass of the class it was, with no slot more, whose attribute
access calls `on_access`. Objects that live cost nothing, a write is caught like a read, and so is
every way to get there: a list that still leads into the object, a lock in it, an element of an
array. The machine words that are embedded in it change likewise.

A dead object has a `Grave`, which is all that is known about its life. How objects die with all
that is in them is in `kport.linux.kasan_bury`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

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


def slot_of(cls: type[Any], name: str) -> Any:
    """The slot beneath a member of a struct class, past whoever watches it."""
    slot = cls.__dict__.get(RAW + name) or cls.__dict__[name]
    return getattr(slot, "_slot", slot)
