# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""All ends of a litmus test, from the axioms alone: what herd7 does.

Each thread is run with every value that its loads could return; each load is matched with every
store of that value, the stores of each location are put into every order, and what the axioms allow
is an end of the test. Nothing here knows of a machine, so that a machine can be held against it. It
is for tests of a few accesses: the work grows with all of these choices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import permutations, product
from typing import Any

from kport.explore.litmus.axioms import Execution, forbidden
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

Taint = frozenset[int]
_NONE: Taint = frozenset()


@dataclass
class _Access:
    kind: str
    mode: str
    loc: str = ""
    value: Any = None
    addr: Taint = _NONE
    data: Taint = _NONE
    ctrl: Taint = _NONE
    pair: int = -1  # of a store: the load of the same atomic


@dataclass
class _Path:
    """One way through a thread."""

    accesses: list[_Access] = field(default_factory=list)
    registers: dict[str, tuple[Any, Taint]] = field(default_factory=dict)
    ctrl: Taint = _NONE

    def copy(self) -> _Path:
        return _Path(list(self.accesses), dict(self.registers), self.ctrl)

    def add(self, kind: str, mode: str, loc: str = "", value: Any = None, **more: Any) -> int:
        self.accesses.append(_Access(kind, mode, loc, value, ctrl=self.ctrl, **more))
        return len(self.accesses) - 1


def _evaluate(path: _Path, value: Expr) -> tuple[Any, Taint]:
    if isinstance(value, int):
        return value, _NONE
    if value[0] == "reg":
        return path.registers.get(value[1], (0, _NONE))
    if value[0] == "addr":
        return value, _NONE
    (a, left), (b, right) = _evaluate(path, value[1]), _evaluate(path, value[2])
    taint = left | right
    operator = value[0]
    if operator == "==":
        return int(a == b), taint
    if operator == "!=":
        return int(a != b), taint
    results = {"+": a + b, "-": a - b, "*": a * b, "^": a ^ b, "&": a & b, "|": a | b}
    return results[operator], taint


class _Threads:
    """Runs threads with guessed values."""

    def __init__(self, program: Program, domain: list[Any]) -> None:
        self.program = program
        self.domain = domain
        self.stored: set[Any] = set()

    def paths(self, body: tuple[Statement, ...]) -> list[_Path]:
        """Every way through a thread."""
        found = [_Path()]
        for statement in body:
            found = [after for path in found for after in self._run(path, statement)]
        return found

    def _body(self, path: _Path, body: tuple[Statement, ...]) -> list[_Path]:
        found = [path]
        for statement in body:
            found = [after for each in found for after in self._run(each, statement)]
        return found

    def _run(self, path: _Path, s: Statement) -> list[_Path]:
        path = path.copy()
        if isinstance(s, If):
            value, taint = _evaluate(path, s.test)
            path.ctrl |= taint
            return self._body(path, s.then if value else s.other)
        if isinstance(s, Let):
            path.registers[s.reg] = _evaluate(path, s.value)
        elif isinstance(s, Fence):
            path.add("F", s.kind)
        elif isinstance(s, Write):
            place = self._at(path, s.place)
            if place is None:
                return []
            value, data = _evaluate(path, s.value)
            self.stored.add(value)
            path.add("W", s.mode, place[0], value, addr=place[1], data=data)
        elif isinstance(s, Read):
            return self._load(path, s.reg, s.mode, s.place)
        elif isinstance(s, Lock):
            return self._lock(path, s)
        else:
            return self._update(path, s)
        return [path]

    def _at(self, path: _Path, place: Place) -> tuple[str, Taint] | None:
        if place[0] == "var":
            return place[1], _NONE
        value, taint = path.registers.get(place[1], (0, _NONE))
        return (value[1], taint) if isinstance(value, tuple) else None

    def _load(self, path: _Path, reg: str, mode: str, place: Place) -> list[_Path]:
        at = self._at(path, place)
        out = []
        for value in self.domain if at is not None else ():
            assert at is not None
            each = path.copy()
            number = each.add("R", mode, at[0], value, addr=at[1])
            each.registers[reg] = (value, frozenset({number}))
            out.append(each)
        return out

    def _lock(self, path: _Path, s: Lock) -> list[_Path]:
        name = f"lock {s.lock}"
        if s.what == "lock":
            first = path.add("R", "lock", name, 0)
            path.add("W", "lock", name, 1, pair=first)
        elif s.what == "unlock":
            path.add("W", "unlock", name, 0)
        else:
            out = []
            for value in (0, 1):
                each = path.copy()
                number = each.add("R", "islocked", name, value)
                each.registers[s.reg] = (value, frozenset({number}))
                out.append(each)
            return out
        return [path]

    def _update(self, path: _Path, s: Update) -> list[_Path]:
        at = self._at(path, s.place)
        out = []
        for old in self.domain if at is not None else ():
            assert at is not None
            each = path.copy()
            operands = [_evaluate(each, operand) for operand in s.operands]
            fails = s.what == "cmpxchg" and old != operands[0][0]
            reads = {"": "noreturn", "relaxed": "once", "release": "once"}.get(s.mode, s.mode)
            number = each.add("R", "failed" if fails else reads, at[0], old, addr=at[1])
            mine = frozenset({number})
            result = old
            if not fails:
                new = operands[-1][0]
                if s.what in ("add", "fetch_add", "add_return"):
                    if not isinstance(old, int):
                        continue
                    new = old + new
                    result = new if s.what == "add_return" else old
                self.stored.add(new)
                data = operands[-1][1] | (mine if "add" in s.what else _NONE)
                writes = {"mb": "mb", "release": "release"}.get(s.mode, "once")
                each.add("W", writes, at[0], new, addr=at[1], data=data, pair=number)
            if s.reg:
                each.registers[s.reg] = (result, mine)
            out.append(each)
        return out


def _domain(program: Program) -> list[Any]:
    """Every value that a load could return."""
    domain: list[Any] = [0, *(v for v in program.init.values() if v != 0)]
    for _ in range(4):
        threads = _Threads(program, domain)
        for body in program.threads:
            threads.paths(body)
        more = [v for v in sorted(threads.stored, key=str) if v not in domain]
        if not more:
            break
        domain = domain + more
    return domain


End = tuple[tuple[str, str], ...]


def ends(program: Program) -> dict[End, bool]:
    """The ends the model allows, and whether each is the one the test asks for."""
    threads = _Threads(program, _domain(program))
    found: dict[End, bool] = {}
    for paths in product(*(threads.paths(body) for body in program.threads)):
        for x, memory in _executions(program, paths):
            registers = {
                (t, name): paths[t].registers.get(name, (0, _NONE))[0]
                for t, name in program.registers()
            }
            end = _shown(program, registers, memory)
            if end not in found and forbidden(x) is None:
                found[end] = program.holds(registers, memory)
    return found


def _shown(program: Program, registers: dict[tuple[int, str], Any], memory: dict[str, Any]) -> End:
    from kport.explore.litmus.program import atoms

    def show(value: Any) -> str:
        return f"&{value[1]}" if isinstance(value, tuple) else str(value)

    asked = {name for _, t, name, _ in atoms(program.condition) if t is None}
    shown = [(f"{t}:{name}", show(registers[t, name])) for t, name in program.registers()]
    shown += [(name, show(memory[name])) for name in program.variables() if name in asked]
    return tuple(shown)


def _executions(
    program: Program, paths: tuple[_Path, ...]
) -> Iterator[tuple[Execution, dict[str, Any]]]:
    """Every candidate execution of these paths, and how memory ends in it."""
    base = Execution()
    values: list[Any] = []
    locs: dict[str, int] = {}
    stores: dict[str, list[int]] = {}
    loads: list[int] = []
    names = [*program.variables(), *(f"lock {name}" for name in program.locks())]
    for name in names:
        locs[name] = len(locs)
        stores[name] = [base.add(-1, "W", "once", locs[name])]
        values.append(program.init.get(name, 0))
    assert base.ctrl is not None
    for t, path in enumerate(paths):
        first = len(values)
        for a in path.accesses:
            number = base.add(t, a.kind, a.mode, locs.get(a.loc, -1))
            values.append(a.value)
            if a.kind == "W":
                stores[a.loc].append(number)
            elif a.kind == "R":
                loads.append(number)
            base.addr += [(first + d, number) for d in a.addr]
            base.data += [(first + d, number) for d in a.data]
            base.ctrl += [(first + d, number) for d in a.ctrl]
            if a.pair >= 0:
                base.rmw.append((first + a.pair, number))
    by_number = {number: name for name, number in locs.items()}
    orders = [list(_orders(base, stores[name])) for name in names]
    plain = [r for r in loads if base.mode[r] != "lock"]
    sources = [
        [w for w in stores[by_number[base.loc[r]]] if values[w] == values[r]] for r in plain
    ]
    if not all(sources):
        return
    for order in product(*orders):
        locked = _handed_over(base, order, loads)
        for chosen in product(*sources):
            x = Execution(
                base.thread,
                base.kind,
                base.mode,
                base.loc,
                {**dict(zip(plain, chosen, strict=True)), **locked},
                dict(enumerate(order)),
                base.rmw,
                base.addr,
                base.data,
                base.ctrl,
            )
            yield x, {name: values[order[i][-1]] for name, i in locs.items()}


def _orders(x: Execution, stores: list[int]) -> Iterator[list[int]]:
    """The orders of a location's stores: the initial first; a lock's as critical sections."""
    first, rest = stores[0], stores[1:]
    if not any(x.mode[w] == "lock" for w in rest):
        for order in permutations(rest):
            yield [first, *order]
        return
    sections: list[list[int]] = []
    for w in rest:
        if x.mode[w] == "lock":
            sections.append([w])
        else:
            next(s for s in reversed(sections) if x.thread[s[0]] == x.thread[w]).append(w)
    for some in permutations(sections):
        yield [first, *(w for section in some for w in section)]


def _handed_over(x: Execution, order: tuple[list[int], ...], loads: list[int]) -> dict[int, int]:
    """What each taking of a lock reads: the release just before it."""
    pairs = dict(x.rmw)
    found = {}
    for r in loads:
        if x.mode[r] == "lock":
            stores = order[x.loc[r]]
            found[r] = stores[stores.index(pairs[r]) - 1]
    return found
