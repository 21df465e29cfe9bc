# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A litmus test as tasks: each thread becomes a Python function over the port's own primitives.

`source()` is the text of these functions, in the form in which the port itself is written, so that
a reader sees what is run. `Tasks` compiles it and binds the primitives to the machine that is on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kport.arch import virt_asm
from kport.arch.api import ALIASES
from kport.arch.types import spinlock_t
from kport.explore.litmus.program import (
    Expr,
    Fence,
    If,
    Let,
    Lock,
    Place,
    Program,
    Read,
    Statement,
    Update,
    Write,
)

_LOADS = {"once": "READ_ONCE", "acquire": "smp_load_acquire"}
_STORES = {"once": "WRITE_ONCE", "release": "smp_store_release"}
_FENCES = {
    "mb": "smp_mb",
    "rmb": "smp_rmb",
    "wmb": "smp_wmb",
    "before-atomic": "smp_mb__before_atomic",
    "after-atomic": "smp_mb__after_atomic",
    "after-spinlock": "smp_mb__after_spinlock",
    "after-unlock-lock": "smp_mb__after_unlock_lock",
    "rcu-lock": "rcu_read_lock",
    "rcu-unlock": "rcu_read_unlock",
    "sync-rcu": "synchronize_rcu",
}


class Variable:
    """A shared variable: one number that is loaded, stored and counted."""

    __slots__ = ("counter", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.counter: Any = 0

    def __repr__(self) -> str:
        return f"&{self.name}"


def source(program: Program) -> str:
    """The functions of the threads."""
    lines = []
    for number, body in enumerate(program.threads):
        lines.append(f"def P{number}():")
        wanted = [name for thread, name in program.registers() if thread == number]
        lines += [f"    {name} = 0" for name in wanted if name in _in_branches(body)]
        lines += _lines(body)
        lines += [f"    registers[{number}, {name!r}] = {name}" for name in wanted]
        lines.append("")
    return "\n".join(lines)


def _lines(body: tuple[Statement, ...]) -> list[str]:
    out: list[str] = []
    for statement in body:
        if isinstance(statement, If):
            out.append(f"if {_expr(statement.test)}:")
            out += _lines(statement.then) or ["    0"]
            if statement.other:
                out.append("else:")
                out += _lines(statement.other)
        else:
            out.append(_line(statement))
    return ["    " + line for line in out]


def _in_branches(body: tuple[Statement, ...], inside: bool = False) -> set[str]:
    """Registers that are set in a branch: one that is not taken leaves them 0."""
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, If):
            found |= _in_branches(statement.then, True) | _in_branches(statement.other, True)
        elif inside:
            found.add(getattr(statement, "reg", ""))
    return found


def _line(s: Statement) -> str:
    if isinstance(s, Read):
        return f'{s.reg} = {_LOADS[s.mode]}({_at(s.place)}, "counter")'
    if isinstance(s, Write):
        return f'{_STORES[s.mode]}({_at(s.place)}, "counter", {_expr(s.value)})'
    if isinstance(s, Fence):
        return f"{_FENCES[s.kind]}()"
    if isinstance(s, Lock):
        if s.what == "is_locked":
            return f"{s.reg} = spin_is_locked({s.lock})"
        return f"spin_{s.what}({s.lock})"
    if isinstance(s, Let):
        return f"{s.reg} = {_expr(s.value)}"
    assert isinstance(s, Update)
    suffix = "" if s.mode in ("", "mb") else f"_{s.mode}"
    operands = [_expr(operand) for operand in s.operands]
    place = _at(s.place)
    if s.what in ("xchg", "cmpxchg"):
        call = f'{s.what}{suffix}({", ".join([place, chr(34) + "counter" + chr(34), *operands])})'
    else:
        call = f"atomic_{s.what}{suffix}({operands[0]}, {place})"
    return f"{s.reg} = {call}" if s.reg else call


def _at(place: Place) -> str:
    return place[1]


def _expr(value: Expr) -> str:
    if isinstance(value, int):
        return str(value)
    if value[0] in ("reg", "addr"):
        return str(value[1])
    return f"({_expr(value[1])} {value[0]} {_expr(value[2])})"


class Tasks:
    """The functions of a program over one set of variables, for any number of executions."""

    def __init__(self, program: Program, table: Mapping[str, Any]) -> None:
        self.program = program
        self.registers: dict[tuple[int, str], Any] = {}
        self.variables = {name: Variable(name) for name in program.variables()}
        self.locks = {name: spinlock_t() for name in program.locks()}
        names: dict[str, Any] = dict(table)
        for alias, name in ALIASES.items():
            names.setdefault(alias, names[name])
        names |= _made(names)
        names |= self.variables
        names |= self.locks
        names["registers"] = self.registers
        exec(compile(source(program), f"<{program.name}>", "exec"), names)
        self.functions: list[Callable[[], None]] = [
            names[f"P{number}"] for number in range(len(program.threads))
        ]

    def reset(self) -> None:
        """The initial state."""
        self.registers.clear()
        for name, variable in self.variables.items():
            variable.counter = self.number(self.program.init.get(name, 0))
        for name, lock in self.locks.items():
            virt_asm.spin_lock_init(lock, name)

    def number(self, value: Expr) -> Any:
        """A constant of the program: a number or a variable's address."""
        return self.variables[value[1]] if isinstance(value, tuple) else value


def _made(names: Mapping[str, Any]) -> dict[str, Any]:
    """Primitives that are no instructions of a machine; on a weak memory it knows them itself."""
    mb, fence, update = names["smp_mb"], names.get("litmus_fence"), names.get("litmus_update")
    made: dict[str, Any] = {}
    for kind, name in _FENCES.items():
        if name not in names:
            made[name] = mb if fence is None else _Bound(fence, kind)
    made["synchronize_rcu"] = names.get("litmus_synchronize_rcu", mb)
    if update is not None:
        made.update(update)
    for what in ("xchg", "cmpxchg", "atomic_fetch_add", "atomic_add_return"):
        plain = names.get(what, made.get(what, _add_return(names["atomic_fetch_add"])))
        made.setdefault(what, plain)
        for suffix in ("_relaxed", "_acquire", "_release"):
            made.setdefault(what + suffix, plain)
    return made


def _add_return(fetch_add: Callable[[int, Any], int]) -> Callable[[int, Any], int]:
    return lambda i, v: fetch_add(i, v) + i


class _Bound:
    """A barrier of one kind."""

    __slots__ = ("_fence", "_kind")

    def __init__(self, fence: Callable[[str], None], kind: str) -> None:
        self._fence = fence
        self._kind = kind

    def __call__(self) -> None:
        self._fence(self._kind)
