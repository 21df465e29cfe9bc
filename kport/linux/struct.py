# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""C structs.

    class drm_sched_rq(struct):
        sched: drm_gpu_scheduler | None     # a pointer: None
        lock: spinlock_t                    # embedded: made with the container, never replaced
        rr_ts: ktime_t                      # a number: 0

The class becomes a slotted class whose constructor zeroes it, as kzalloc() does. An embedded struct
knows its container and the member it is, which is all `container_of()` needs. A generated
constructor is an order of magnitude faster than a loop over fields, so the source of three
functions is generated per struct: `__init__`, `_zero` (memset to 0, embedded structs keep their
identity) and `_free` (kfree: every slot is emptied, so that a later read is a fault; so are the
`_knots`, the pointers of embedded list heads and tree nodes that may point to themselves, which
unties the cycles that would otherwise wait for the garbage collector).

A member that is compared and exchanged *and* stored to is declared `cas[T | None]`: its stores take
the lock that cmpxchg() takes, because Python has no other way to order the two.

A table of callbacks is written with designated initialisers, `drm_sched_backend_ops(run_job=f)`:
a struct of the kind `class X(struct, table=True)`.

`_address`, `_epochs` and `_shadow` are unset until somebody (%p, a debug option) needs them.
`_plain` names the members that are loads and stores in C, which is all but the embedded structs,
and whose races are of interest (not `__data_racy[T]`, kport.linux.kcsan).

An embedded array of structs is a member whose class is `class rqs(array[rq], of=rq, size=4)`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Annotated, Any, TypeVar

from kport.arch.link import linkable
from kport.arch.types import XCHG_LOCK

T = TypeVar("T")

cas = Annotated[T, "compared and exchanged"]

_ZERO = {"bool": "False", "str": '""'}
_SCALARS = frozenset(
    ("int", "u8", "u32", "s32", "u64", "s64", "unsigned_long", "long", "float", "bool", "str")
)
_RACY = "__data_racy["
_POINTERS = ("cas[", "list[", "dict[", "deque[", "Callable[", "Any", "object", "tuple[")


def _bare_type(text: str) -> str:
    """An annotation without a __data_racy around it."""
    text = text.strip()
    return text[len(_RACY) : -1].strip() if text.startswith(_RACY) else text


def _initial(annotation: Any, scope: FrameType) -> tuple[str, type | None]:
    """The zero of a field: (source text, None), or ("", class) for an embedded object.

    The annotation is text, or what it names in a file without postponed annotations.
    """
    kind = annotation
    if isinstance(annotation, str):
        text = _bare_type(annotation)
        if text in _SCALARS:
            return _ZERO.get(text, "0"), None
        if text.startswith(_POINTERS) or "None" in text:
            return "None", None
        kind = eval(text, scope.f_globals, scope.f_locals)
    if kind in (bool, str):
        return _ZERO[kind.__name__], None
    if isinstance(kind, type) and kind not in (int, float):
        return "", kind
    return ("0" if kind in (int, float) or callable(kind) else "None"), None


def _sources(
    fields: dict[str, tuple[str, type | None]], table: bool
) -> tuple[str, dict[str, Any]]:
    """The text of the three generated functions, and the names it uses."""
    names: dict[str, Any] = {}
    init, zero, free = [], [], []
    for number, (field, (text, kind)) in enumerate(fields.items()):
        if kind is None:
            init.append(f"self.{field} = {text}")
            zero.append(f"self.{field} = {text}")
        else:
            names[f"_k{number}"] = kind
            args = f'(self, "{field}")' if hasattr(kind, "_container") else "()"
            init.append(f"self.{field} = _k{number}{args}")
            zero.append(f"self.{field}._zero()")
            free += [f"del self.{field}.{inner}" for inner in getattr(kind, "_knots", ())]
        free.append(f"del self.{field}")
    head = "def __init__(self, _container=None, _member=None"
    if table:
        head += ", **init"
        init.append("for name in init: setattr(self, name, init[name])")
    init = ["self._container = _container", "self._member = _member", *init]
    body = "\n    "
    text = (
        f"{head}):{body}{body.join(init)}\n"
        f"def _zero(self):{body}{body.join(zero or ['return'])}\n"
        f"def _free(self):{body}{body.join(free or ['return'])}\n"
    )
    return text, names


def _knots(fields: dict[str, tuple[str, type | None]], own: tuple[str, ...]) -> tuple[str, ...]:
    """The members, own and of embedded structs, through which an object can point to itself."""
    inner = [
        f"{field}.{knot}"
        for field, (_, kind) in fields.items()
        if kind is not None
        for knot in getattr(kind, "_knots", ())
    ]
    return (*own, *inner)


class _cas_member:
    """The descriptor of a `cas` member: a slot whose stores are ordered against cmpxchg()."""

    def __init__(self, slot: Any) -> None:
        self._slot = slot

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        return self._slot.__get__(obj, owner)

    def __set__(self, obj: Any, value: Any) -> None:
        with XCHG_LOCK:
            self._slot.__set__(obj, value)

    def __delete__(self, obj: Any) -> None:
        self._slot.__delete__(obj)


made_class: Callable[[Any], None] | None = None  # told of new classes (kport.linux.field)


class structmeta(type):
    """Makes a slotted class with generated `__init__`, `_zero` and `_free` from annotations."""

    def __new__(
        mcls, name: str, bases: tuple[type, ...], ns: dict[str, Any], table: bool = False
    ) -> structmeta:
        annotations: dict[str, Any] = ns.get("__annotations__", {})
        scope = sys._getframe(1)
        own = {field: _initial(text, scope) for field, text in annotations.items()}
        if not bases:
            ns["__slots__"] = ("_address", "_container", "_epochs", "_member", "_shadow")
            return super().__new__(mcls, name, bases, ns)
        ns["__slots__"] = tuple(own)
        ns["_fields"] = tuple(own)
        ns["_plain"] = tuple(
            field
            for field, (_, kind) in own.items()
            if kind is None and not str(annotations[field]).startswith(_RACY)
        )
        ns["_table"] = table
        ns["_knots"] = _knots(own, ns.get("_knots", ()))
        text, names = _sources(own, table)
        made: dict[str, Callable[..., Any]] = {}
        exec(compile(text, f"<struct {name}>", "exec"), names, made)
        for function in made.values():
            function.__qualname__ = f"{name}.{function.__name__}"
            function.__module__ = ns["__module__"]
        ns.update(made)
        cls = super().__new__(mcls, name, bases, ns)
        for field, text in annotations.items():
            if isinstance(text, str) and text.startswith("cas["):
                setattr(cls, field, _cas_member(cls.__dict__[field]))
        if made_class is not None:
            made_class(cls)
        return cls

    def __init__(cls, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args)


class struct(metaclass=structmeta):
    """The base of every C struct; identity is the only equality, as with pointers."""

    _fields: tuple[str, ...] = ()
    _knots: tuple[str, ...] = ()

    def __init__(self, _container: Any = None, _member: str | None = None, **init: Any) -> None:
        self._container = _container
        self._member = _member

    def _zero(self) -> None: ...

    def _free(self) -> None: ...

    def _untie(self) -> None:
        for path in type(self)._knots:
            *outer, knot = path.split(".")
            at: Any = self
            for member in outer:
                at = getattr(at, member)
            delattr(at, knot)

    # The knots of a member whose class is known only when it is made (kport.drivers.compat).
    knots = property(fdel=_untie)

    def __repr__(self) -> str:
        return f"<struct {type(self).__name__}>"


class array(list[T]):
    """An array of structs that is a member of a struct: `class rqs(array[rq], of=rq, size=4)`.

    Its elements are made with the container and never replaced.
    """

    __slots__ = ("_container", "_member")
    _knots: tuple[str, ...] = ("elements",)
    _of: type[Any]
    _size: int

    def __init_subclass__(cls, of: type[T], size: int) -> None:
        cls._of = of
        cls._size = size

    def __init__(self, _container: Any = None, _member: str | None = None) -> None:
        self._container = _container
        self._member = _member
        super().__init__(self._of(self, f"[{i}]") for i in range(self._size))

    def _zero(self) -> None:
        for element in self:
            element._zero()  # type: ignore[attr-defined]

    def _free_elements(self) -> None:
        for element in self:
            element._free()  # type: ignore[attr-defined]
        self.clear()

    elements = property(fdel=_free_elements)  # kfree() of the container unties them, too


@linkable
def container_of(ptr: Any, type_: type[T], member: str) -> T:
    """The `type_` whose member `member` the struct `ptr` is (include/linux/container_of.h).

    "work_tdr.work" climbs twice. It climbs until it meets the class, and a struct that is in none
    is a fault; that the member is the right one of several is checked in a debug kernel.
    """
    at = ptr._container
    try:
        while type(at) is not type_:
            at = at._container
    except AttributeError:
        if (actual := _actual(type_)) is type_:
            raise
        return container_of(ptr, actual, member)
    return at


def _actual(type_: type[T]) -> type[T]:
    """The class itself, or that of the objects which a class makes (kport.drivers.compat)."""
    find: Callable[[], type[T]] | None = getattr(type_, "_actual", None)
    return find() if find is not None else type_


def debug_container_of(ptr: Any, type_: type[T], member: str) -> T:
    """container_of() that raises TypeError for a wrong member or class.

    C checks the type of the pointer when it is compiled, and reads a neighbour's memory for a
    pointer to something else of that type.
    """
    at = ptr
    type_ = _actual(type_)
    for name in reversed(member.split(".")):
        if at._member != name:
            raise TypeError(f"container_of: {ptr!r} is member {at._member!r}, not {member!r}")
        at = at._container
    if type(at) is not type_:
        raise TypeError(f"container_of: {ptr!r} is in {at!r}, not in {type_.__name__}")
    return at


DEBUG_STRUCT = {"container_of": debug_container_of}


def memset(ptr: Any, c: int, n: int) -> None:
    """memset(p, 0, sizeof(*p)): zero the struct in place; no other value, no part of it."""
    if c != 0 or n != sizeof(ptr):
        raise TypeError("memset: only a whole struct can be zeroed")
    ptr._zero()


def sizeof(x: Any) -> int:
    """The bytes a struct occupies here: 8 for each field, embedded structs counted whole.

    Accepts an instance or the class. It is not C's number; it is only compared with itself.
    """
    kind = x if isinstance(x, type) else type(x)
    return 8 * max(1, len(getattr(kind, "_fields", ())))
