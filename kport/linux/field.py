# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Watching the plain accesses to the members of structs: what a sanitizer's compiler pass does.

A compiler that instruments a kernel (-fsanitize=thread, -fsanitize=address) puts a call before
every load and store. Here the slots of every struct class are covered by properties while somebody
watches, and are bare slots again when nobody does: unwatched, a member costs what a slot costs.

    watch_fields(read, write)      read(obj, name) before a load, write(obj, name, value) a store
    ...
    unwatch_fields(read, write)    or unwatch_fields() for all of them

What is a plain access of C is watched, and nothing else:

- Embedded structs are not members to be loaded in C (`&p->lock` is arithmetic): not watched. Tables
  of callbacks (`table=True`) are constants: not watched. Nor are atomics, bitmaps and spin locks,
  which only instructions touch.
- A *marked* access (READ_ONCE, WRITE_ONCE, cmpxchg, xchg, acquire and release) happens inside an
  instruction and is not reported a second time: `marked()` gives a machine whose instructions go
  to the slots beneath, under the names that `raw_name()` tells. Machines that do their own access
  with `raw_get()` and `raw_set()` say so: an instruction with the attribute `raw_access` is left
  as it is.
- The constructor, `_zero()` (kzalloc(), memset()) and `_free()` use the slots beneath.
- A list or dict that a member refers to stays out: loading the member is watched, what happens in
  the container is not. Where C has an array of numbers, these are accesses that nobody sees.

`boot(check=...)` does all of it for a `Facility` whose `fields()` returns watchers.
Watchers are called in the order in which they came; one that switches tasks (an explorer's point
before an access) must come first, and says so with `first=True`. A watcher may be a text instead of
a function: lines of Python that run in the property itself, in which `self`, `value` (stores) and
`FIELD` (the name, quoted), `INDEX` (its number in the class's `_plain`) and `RAW` (its name
beside the watchers) stand for themselves; `names` are the globals it uses (shared by all texts:
choose names of your own). Nothing may be watched or unwatched while kernel threads run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any, NamedTuple

from kport.arch.hook import _parameters
from kport.linux import struct as struct_module
from kport.linux.struct import struct

Read = Callable[[Any, str], Any]
Write = Callable[[Any, str, Any], Any]

PREFIX = "_raw_"
ACCESSORS = ("READ_ONCE", "WRITE_ONCE", "smp_load_acquire", "smp_store_release", "xchg", "cmpxchg")


class Watcher(NamedTuple):
    """Who watches: before a load, before a store, the names that texts use, and who comes first.

    `only` says which classes; None is all of them. Each object begins with a copy of what `blank`
    makes for its class as its `_epochs`, if there is one.
    """

    read: Read | str | None
    write: Write | str | None
    names: Mapping[str, Any] = {}
    first: bool = False
    only: Callable[[type], bool] | None = None
    blank: Callable[[Any], list[Any]] | None = None


_watchers: list[Watcher] = []
_covered: dict[type, dict[str, Any]] = {}  # what stood in a class before it was covered
_made: dict[tuple[str, int, tuple[int, ...]], property] = {}  # by name, index and watchers
_kept: list[Watcher] = []  # what the keys of _made stand for
_scopes: dict[tuple[int, ...], dict[str, Any]] = {}  # the globals of properties, by watchers


class _raw_names(dict[str, str]):
    """The slot beneath for each member's name, made when it is asked for the first time."""

    def __missing__(self, name: str) -> str:
        raw = self[name] = PREFIX + name
        return raw


RAW = _raw_names()


def raw_name(name: str) -> str:
    """The name under which the slot of a member can be reached beside its watchers."""
    return PREFIX + name


def raw_get(obj: Any, name: str) -> Any:
    """Load a member past its watchers; `obj` need not be a struct."""
    return getattr(obj, RAW[name] if name in _covered.get(type(obj), ()) else name)


def raw_set(obj: Any, name: str, value: Any) -> None:
    """Store to a member past its watchers; `obj` need not be a struct."""
    setattr(obj, RAW[name] if name in _covered.get(type(obj), ()) else name, value)


def watched() -> bool:
    """True while anybody watches."""
    return bool(_watchers)


def covers(cls: type) -> bool:
    """True for a class whose members somebody watches."""
    return cls in _covered


def present() -> list[Watcher]:
    """Who watches now, for `bind()`."""
    return list(_watchers)


def watch_fields(
    read: Read | str | None,
    write: Write | str | None,
    *,
    names: Mapping[str, Any] | None = None,
    first: bool = False,
    only: Callable[[type], bool] | None = None,
) -> None:
    """Call `read` before every plain load of a member and `write` before every plain store."""
    bind([*_watchers, Watcher(read, write, names or {}, first, only)])


def unwatch_fields(read: Read | str | None = None, write: Write | str | None = None) -> None:
    """Take one watcher off, or all."""
    if read is None and write is None:
        bind([])
    else:
        bind([w for w in _watchers if (w.read, w.write) != (read, write)])


def bind(watchers: Sequence[Watcher]) -> None:
    """Let exactly these watch, the ones that must come first in front."""
    _watchers[:] = sorted(watchers, key=lambda w: not w.first)
    struct_module.made_class = _cover if _watchers else None
    if not _watchers:
        for known in _covered:
            _uncover(known)
        _covered.clear()
        return
    for each in [*_classes(struct)]:
        _cover(each)


def _classes(base: Any) -> Iterator[type[Any]]:
    for cls in base.__subclasses__():
        yield cls
        yield from _classes(cls)


# -- one class ---------------------------------------------------------------------------------


def _cover(cls: Any) -> None:
    """Put the properties of the present watchers over the slots of a class."""
    if cls.__dict__.get("_table", True):
        return
    watchers = [w for w in _watchers if w.only is None or w.only(cls)]
    if not watchers:
        if cls in _covered:
            _uncover(cls)
            del _covered[cls]
        return
    own: tuple[str, ...] = cls.__dict__["_plain"]
    if cls not in _covered:
        functions = ("__init__", "_zero", "_free")
        before = _covered[cls] = {name: cls.__dict__[name] for name in (*own, *functions)}
        if "_bare" not in cls.__dict__:
            for name in own:
                setattr(cls, PREFIX + name, before[name])
            cls._bare = {name: _beneath(before[name], own) for name in functions}
        for name, function in cls._bare.items():
            setattr(cls, name, function)
    blank = next((w.blank for w in watchers if w.blank is not None), None)
    if blank is not None:
        cls.__init__ = _begins(cls._bare["__init__"], blank(cls))
    for index, name in enumerate(own):
        setattr(cls, name, _property(name, index, watchers))


def _uncover(cls: type) -> None:
    for name, what in _covered[cls].items():
        setattr(cls, name, what)


def _begins(construct: Callable[..., None], blank: list[Any]) -> Callable[..., None]:
    """A constructor that gives each object a copy of `blank`."""

    def __init__(self: Any, _container: Any = None, _member: str | None = None) -> None:
        construct(self, _container, _member)
        self._epochs = blank.copy()

    return __init__


def _beneath(function: Any, own: tuple[str, ...]) -> Any:
    """A function generated for a struct, with the names of the slots beneath in it."""
    code = function.__code__
    if not code.co_filename.startswith("<struct "):
        return function
    names = tuple(PREFIX + name if name in own else name for name in code.co_names)
    made = FunctionType(
        code.replace(co_names=names), function.__globals__, function.__name__, function.__defaults__
    )
    made.__qualname__ = function.__qualname__
    made.__module__ = function.__module__
    return made


def _property(name: str, index: int, watchers: list[Watcher]) -> property:
    """The property that the present watchers make of a member."""
    key = (name, index, tuple(_number(w) for w in watchers))
    made = _made.get(key)
    if made is None:
        scope = _scopes.setdefault(key[2], {})
        made = _made[key] = _make(name, index, watchers, scope)
    return made


def _number(watcher: Watcher) -> int:
    """A watcher's number among all there have been: equal ones share their properties."""
    for number, kept in enumerate(_kept):
        if kept == watcher:
            return number
    _kept.append(watcher)
    return len(_kept) - 1


def _make(name: str, index: int, watchers: list[Watcher], scope: dict[str, Any]) -> property:
    for watcher in watchers:
        scope.update(watcher.names)
    loads: list[str] = []
    stores: list[str] = []
    for number, watcher in enumerate(watchers):
        for what, lines, call in (
            (watcher.read, loads, f"_read{number}(self, {name!r})"),
            (watcher.write, stores, f"_write{number}(self, {name!r}, value)"),
        ):
            if isinstance(what, str):
                text = what.replace("FIELD", repr(name)).replace("INDEX", str(index))
                text = text.replace("RAW", PREFIX + name)
                lines += text.splitlines()
            elif what is not None:
                scope[call.partition("(")[0]] = what
                lines.append(call)
    body = "\n    "
    text = (
        f"def get(self):{body}{body.join([*loads, f'return self.{PREFIX}{name}'])}\n"
        f"def put(self, value):{body}{body.join([*stores, f'self.{PREFIX}{name} = value'])}\n"
        f"def drop(self):{body}del self.{PREFIX}{name}\n"
    )
    made: dict[str, Any] = {}
    exec(compile(text, FILE, "exec"), scope, made)
    return property(made["get"], made["put"], made["drop"])


FILE = "<hook>"  # whoever prints a stack leaves it out, as those of kport.arch.hook


# -- marked accesses ---------------------------------------------------------------------------


def marked(table: Mapping[str, Any]) -> dict[str, Any]:
    """A machine's instructions with marked accesses that go beside the watchers."""
    return dict(table) | {
        name: _marked(table[name])
        for name in ACCESSORS
        if name in table and not hasattr(table[name], "raw_access")
    }


_accessors: dict[Any, Callable[..., Any]] = {}


def _marked(function: Any) -> Callable[..., Any]:
    made = _accessors.get(function)
    if made is None:
        made = _accessors[function] = _make_marked(function)
    return made


def _make_marked(function: Any) -> Callable[..., Any]:
    _, _, *rest = (p.name for p in _parameters(function))
    given = "".join(f", {name}" for name in rest)
    name = getattr(function, "__name__", "marked")
    text = (
        f"def {name}(o, f{given}):\n"
        f"    return _base(o, _names[f] if f in _of(type(o), _none) else f{given})"
    )
    scope: dict[str, Any] = {"_base": function, "_names": RAW, "_of": _covered.get, "_none": ()}
    exec(compile(text, FILE, "exec"), scope)
    made: Callable[..., Any] = scope[name]
    return made
