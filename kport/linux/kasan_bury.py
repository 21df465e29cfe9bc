# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""How an object dies with everything that is embedded in it, and is called back.

A function is generated for each struct class, as the struct's own constructor is: freeing is as
frequent as allocating. What the dead pointed to is let go of, so that they keep nobody alive. A
machine word has no place for its container; the slot that held its value says where it was.

An object that is only declared dead keeps what it has and can be called back.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import get_annotations
from typing import Any

from kport.arch.types import atomic64_t, atomic_long_t, atomic_t, bitmap, spinlock_t
from kport.linux.kasan_poison import (
    Grave,
    container_of_any,
    dead_class,
    is_dead,
    live_class,
    slab_array,
    slot_of,
)
from kport.linux.kref import kref
from kport.linux.refcount import refcount_t
from kport.linux.struct import array, struct

_SCALARS = ("int", "u8", "u32", "s32", "u64", "s64", "unsigned_long", "long", "bool", "str")

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
# The members through which a reference counter points to itself.
_SELVES = {
    refcount_t: ("refs",),
    kref: ("refs", "refcount"),
}
_REFS = {"refs": refcount_t.__dict__["refs"], "refcount": kref.__dict__["refcount"]}

_PLACE = object()  # in the value of a dead word: (_PLACE, container, member, value it had)

_get = object.__getattribute__
_set_container = struct.__dict__["_container"].__set__
_set_member = struct.__dict__["_member"].__set__

Bury = Callable[[Any, Any, bool], None]

_functions: dict[type[Any], Bury] = {}


def bury(obj: Any, grave: Any, empty: bool) -> None:
    """Poison a struct or an array and everything embedded in it.

    `grave` goes where the container was; None leaves the container, for a member. With `empty`
    the object lets go of what it points to.
    """
    function = _functions.get(type(obj))
    if function is None:
        if is_dead(obj):  # was declared dead; now what it is in dies, too
            revive(obj)
        function = _function(type(obj))
    function(obj, grave, empty)


def _function(cls: type[Any]) -> Bury:
    found = _functions.get(cls)
    if found is None:
        if issubclass(cls, struct):
            found = _generate(cls)
        elif issubclass(cls, (array, slab_array)):
            found = _bury_array
        else:
            found = _leave
        _functions[cls] = found
    return found


def _leave(obj: Any, grave: Any, empty: bool) -> None:
    """An object of our own that is embedded: it stays as it is."""


def _generate(cls: type[Any]) -> Bury:
    names: dict[str, Any] = {
        "_array": slab_array,
        "_bury": bury,
        "_dead": dead_class(cls),
        "_place": _PLACE,
        "_set_container": _set_container,
    }
    plain = cls.__dict__["_plain"]
    notes = get_annotations(cls)
    kinds = cls.__init__.__globals__
    first, then, last = [], [], []
    for n, field in enumerate(cls._fields):
        slot = slot_of(cls, field)
        names[f"g{n}"], names[f"c{n}"] = slot.__get__, slot.__set__
        note = str(notes.get(field))
        if field not in plain:
            first.append(f"e{n} = g{n}(o)")
            then += _member(names, kinds.get(f"_k{n}"), n, field)
            last.append(f"c{n}(o, None)")
        elif note not in _SCALARS:
            if note.startswith("list["):
                first.append(f"e{n} = g{n}(o)")
                then.append(f"if type(e{n}) is _array and e{n}._container is o:")
                then.append(f"    _bury(e{n}, None, empty)")
            last.append(f"c{n}(o, None)")
    lines = [*first, "if grave is not None: _set_container(o, grave)", "o.__class__ = _dead", *then]
    if last:
        lines += ["if empty:", *(f"    {line}" for line in last)]
    text = "def bury_(o, grave, empty):\n    " + "\n    ".join(lines)
    exec(compile(text, f"<bury {cls.__name__}>", "exec"), names)
    made: Bury = names["bury_"]
    return made


def _member(names: dict[str, Any], kind: Any, n: int, field: str) -> list[str]:
    """The lines that bury the embedded member number `n`; `kind` is its class, if that is fixed."""
    if kind in _WORDS:
        names[f"v{n}"], names[f"p{n}"] = _WORDS[kind].__get__, _WORDS[kind].__set__
        names[f"d{n}"] = dead_class(kind)
        lines = [
            f"p{n}(e{n}, (_place, o, {field!r}, v{n}(e{n})))",
            f"e{n}.__class__ = d{n}",
        ]
        for name in _SELVES.get(kind, ()):
            names[f"_{name}"] = _REFS[name].__set__
            lines.append(f"if empty: _{name}(e{n}, None)")
        return lines
    if isinstance(kind, type) and issubclass(kind, struct):
        names[f"k{n}"], names[f"b{n}"] = kind, _function(kind)
        return [f"(b{n} if type(e{n}) is k{n} else _bury)(e{n}, None, empty)"]
    return [f"_bury(e{n}, None, empty)"]


def _bury_array(obj: Any, grave: Any, empty: bool) -> None:
    for number, element in enumerate(obj):
        if isinstance(element, struct) and container_of_any(element) is obj:
            _set_member(element, f"[{number}]")
            bury(element, None, empty)
    if empty:
        obj.clear()
    if grave is not None:
        obj._container = grave
    obj.__class__ = dead_class(type(obj))


# -- and back --------------------------------------------------------------------------------------


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
        word.__set__(obj, word.__get__(obj)[3])
        return
    members = obj if isinstance(obj, list) else [slot_of(cls, f).__get__(obj) for f in cls._fields]
    for member in members:
        if is_dead(member) and _inside(member, obj):
            _raise(member)


def _inside(member: Any, obj: Any) -> bool:
    """True for what is embedded in `obj`; it may also point to something dead."""
    word = _WORDS.get(live_class(type(member)))
    container = _get(member, "_container") if word is None else word.__get__(member)[1]
    return container is obj


def where(obj: Any) -> tuple[Any, list[tuple[type[Any], str]], Grave | None]:
    """(outermost object, [(class, member) from there to `obj`], its grave), dead or alive."""
    path: list[tuple[type[Any], str]] = []
    at = obj
    while True:
        word = _WORDS.get(live_class(type(at)))
        if word is None:
            container, member = _of(at, "_container"), _of(at, "_member")
        else:
            place = word.__get__(at)
            if type(place) is not tuple or place[0] is not _PLACE:
                return at, path[::-1], None
            _, container, member, _ = place
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
