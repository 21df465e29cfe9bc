# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Exhaustive search of a litmus test on the machine `virt`.

Every question of the machine (who runs, which store a load returns, where a store goes) is a
choice, and the choices of an execution are a path from the root of a tree. `Exhaust` walks the tree
depth first, without any memory but the path, until it has seen all of it.

Under "lkmm" each different execution is held against the model's axioms (`axioms`) as well. One
that they forbid is not counted as an end; how many there were is told.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kport.arch.strategy import Candidate
from kport.arch.virt import Bare, Virt
from kport.arch.virt_weak_asm import attach, litmus_names, memory_of
from kport.arch.virt_weak_lkmm import Event, Lkmm, plain
from kport.arch.virt_weak_views import Views
from kport.explore.litmus.axioms import Execution, forbidden
from kport.explore.litmus.program import Program, atoms
from kport.explore.litmus.tasks import Tasks

MEMORIES = ("sc", "tso", "lkmm")
End = tuple[tuple[str, str], ...]


class Exhaust:
    """The strategy that goes through all choices."""

    places_events = False
    asks_on_wake = True

    def __init__(self) -> None:
        self.path: list[list[int]] = []  # [taken, of how many]
        self.at = 0

    def begin(self) -> None:
        self.at = 0
        self._asking: set[int] = set()

    def number(self, n: int) -> int:
        """The next choice of the path; a new one begins with 0."""
        if n == 1:
            return 0
        at = self.at
        self.at = at + 1
        if at == len(self.path):
            self.path.append([0, n])
            return 0
        taken, of = self.path[at]
        if of != n:
            raise RuntimeError(f"an execution is not repeatable: {of} choices became {n}")
        return taken

    def next(
        self, candidates: Sequence[Candidate], current: Candidate | None, step: int
    ) -> tuple[Candidate, int]:
        if current is not None:
            self._asking.add(current.number)
        n = len(candidates)
        chosen = candidates[self.number(n) if n > 1 else 0]
        if chosen.number in self._asking:  # it goes on with the instruction at which it asked
            self._asking.discard(chosen.number)
            return chosen, 0
        return chosen, 1

    def advance(self) -> bool:
        """Turn to the next path; False when there is none."""
        path = self.path
        del path[self.at :]
        while path:
            last = path[-1]
            last[0] += 1
            if last[0] < last[1]:
                return True
            path.pop()
        return False


@dataclass
class Result:
    """What a search has seen: `ends` by registers and memory, how often each, and the question."""

    program: Program
    memory: str
    ends: dict[End, int] = field(default_factory=dict)
    positive: int = 0  # executions that end as the condition says
    executions: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # by the axiom they break
    seconds: float = 0.0
    exhausted: bool = True

    @property
    def verdict(self) -> str:
        """Never, Sometimes or Always: how often the condition holds."""
        counted = sum(self.ends.values())
        if not self.positive:
            return "Never"
        return "Always" if self.positive == counted else "Sometimes"

    @property
    def sometimes(self) -> bool:
        """Whether the condition can hold."""
        return self.positive > 0


def search(program: Program, memory: str = "lkmm", limit: int = 1_000_000) -> Result:
    """All executions of a program, at most `limit`."""
    strategy = Exhaust()
    machine = Virt(strategy, cpus=max(8, len(program.threads)), step_ns=0, bound=20_000)
    model: Any = None
    if memory == "lkmm":
        model = Lkmm(strategy.number, lazy=True, record=True)
    elif memory == "views":
        model = Views(strategy.number, record=True)
    elif memory != "sc":
        model = memory_of(memory, machine)
    if model is not None:
        attach(machine, model)
    table = dict(machine.table) | ({} if model is None else litmus_names(memory == "lkmm"))
    result = Result(program, memory)
    began = time.perf_counter()
    machine.power_on(Bare())
    try:
        _walk(program, machine, strategy, Tasks(program, table), model, result, limit)
    finally:
        machine.power_off(1.0)
    result.seconds = time.perf_counter() - began
    return result


def _walk(
    program: Program,
    machine: Virt,
    strategy: Exhaust,
    tasks: Tasks,
    model: Any,
    result: Result,
    limit: int,
) -> None:
    judged: dict[Any, str | None] = {}
    while True:
        tasks.reset()
        machine.run(*tasks.functions)
        if model is not None:
            model.finish()
        result.executions += 1
        refusal = _judge(model, judged) if isinstance(model, Lkmm) else None
        if refusal is not None:
            result.refused[refusal] = result.refused.get(refusal, 0) + 1
        else:
            _count(program, tasks, result)
        if not strategy.advance():
            return
        if result.executions >= limit:
            result.exhausted = False
            return


def _count(program: Program, tasks: Tasks, result: Result) -> None:
    registers = {key: plain(value) for key, value in tasks.registers.items()}
    memory = {name: plain(v.counter) for name, v in tasks.variables.items()}
    shown = [(f"{t}:{name}", str(registers[t, name])) for t, name in program.registers()]
    asked = {name for _, t, name, _ in atoms(program.condition) if t is None}
    shown += [(name, str(value)) for name, value in memory.items() if name in asked]
    end = tuple(shown)
    result.ends[end] = result.ends.get(end, 0) + 1
    addresses = {id(v): ("addr", name) for name, v in tasks.variables.items()}
    told = {key: addresses.get(id(v), v) for key, v in registers.items()}
    kept = {name: addresses.get(id(v), v) for name, v in memory.items()}
    result.positive += program.holds(told, kept)


def _judge(model: Lkmm, judged: dict[Any, str | None]) -> str | None:
    key = _signature(model)
    if key in judged:
        return judged[key]
    verdict = judged[key] = forbidden(execution(model))
    return verdict


def _signature(model: Lkmm) -> Any:
    """The same for two executions that are the same to the axioms."""
    order = sorted(model.log, key=lambda e: e.ti.name)  # stable: program order within a thread
    numbers = {event: i for i, event in enumerate(order)}
    stores: dict[Any, Any] = {}
    for event in order:
        if event.kind == "W":
            stores[event.write] = numbers[event]
    parts: list[Any] = []
    for event in order:
        parts.append((event.ti.name, event.kind, event.mode))
        if event.kind == "R":
            assert event.write is not None
            parts.append((stores.get(event.write, -1), event.write.loc.f))
            if event.write not in stores:
                parts.append(getattr(event.write.loc.o, "name", ""))
        for deps in (event.addr, event.data, event.ctrl or ()):
            if deps:
                parts.append(frozenset(numbers[d] for d in deps))
    for loc in model.locs.values():
        parts.append(tuple(stores.get(w, -1) for w in loc.writes))
    tail = sorted(p for p in parts[-len(model.locs) :] if len(p) > 1)
    return (*parts[: -len(model.locs)], *tail)


def execution(model: Lkmm) -> Execution:
    """A recorded execution, for the axioms."""
    x = Execution()
    locs = {loc: i for i, loc in enumerate(model.locs.values())}
    threads = {ti: i for i, ti in enumerate(dict.fromkeys(e.ti for e in model.log))}
    numbers: dict[Event, int] = {}
    stores: dict[Any, int] = {}
    for loc, i in locs.items():
        stores[loc.writes[0]] = x.add(-1, "W", "once", i)
    for event in model.log:
        if event.mode == "gp-begin":
            continue
        at = locs[event.write.loc] if event.write is not None else -1
        mode = "sync-rcu" if event.mode == "gp-end" else event.mode
        number = numbers[event] = x.add(threads[event.ti], event.kind, mode, at)
        if event.kind == "W":
            stores[event.write] = number
    for loc, i in locs.items():
        x.co[i] = [stores[w] for w in loc.writes]
    exact = True
    for event, number in numbers.items():
        if event.kind == "R":
            x.rf[number] = stores[event.write]
            if event.pair is not None:
                x.rmw.append((number, numbers[event.pair]))
        x.addr += [(numbers[d], number) for d in event.addr]
        x.data += [(numbers[d], number) for d in event.data]
        if event.ctrl is None:
            exact = False
        elif x.ctrl is not None:
            x.ctrl += [(numbers[d], number) for d in event.ctrl if d is not event]
    if not exact:
        x.ctrl = None
    return x
