# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A schedule that is written down, the strategy that plays it, and the recorder that writes it.

Most of a schedule says itself: the running task goes on, and when it cannot, the first that can. A
schedule is where it was otherwise: each `Turn` says which task, after how many of its own steps,
whether it could have gone on (`forced` if not), and who ran instead. Steps are counted for each
task by itself, so that a turn keeps its meaning when others are taken away: that is what shrinking
does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kport.arch.virt_asm import CPU, ktime_get
from kport.explore import ops
from kport.explore.search import Search


class Turn(NamedTuple):
    """After `steps` steps of `task` comes `to`; numbers are those of the machine.

    Numbers shift when a schedule is changed: while it is shrunk names are what counts. `of` is that
    of `task`, `name` that of `to`; a token has numbers only.
    """

    task: int
    steps: int
    forced: bool
    to: int
    name: str = ""
    of: str = ""


@dataclass
class Schedule:
    """Where an execution differs from the straight one: turns, and numbers by their ordinal.

    Events that are due come by themselves. That is right for a schedule from which turns have been
    taken away; in an `exact` one events come only where a turn says so, or when nothing else can.
    """

    turns: list[Turn] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    exact: bool = False


def straight(candidates: Sequence[Any], current: Any, exact: bool = False) -> Any:
    """Who goes on where nothing is written: what is due, the running task, the first that can."""
    now = -1
    for c in () if exact else candidates:
        if c.event:
            if now < 0:
                now = ktime_get()
            if c.at <= now:
                return c
    if current is not None:
        return current
    for c in candidates:
        if not c.event:
            return c
    return min(candidates, key=lambda c: (c.at, c.number))


PATIENCE = 1000  # steps after which others come first, where nothing else is written


class _Counting(Search):
    """Counts the steps of each task."""

    def begin(self) -> None:
        self._counts: dict[int, int] = {}
        self._step = 0
        self._asked = 0  # numbers
        self.names: dict[int, str] = {}

    def _position(self, step: int) -> tuple[int, int]:
        """The task that ran until now, and how many steps of it have passed."""
        runner = self.machine.current
        number: int = runner.number
        counts = self._counts
        counts[number] = passed = counts.get(number, 0) + step - self._step
        self._step = step
        return number, passed

    def steps_by_name(self) -> dict[str, int]:
        """How many steps each task has made; nothing if the kernel did not come up."""
        if not hasattr(self, "machine"):
            return {}
        return {self.names.get(n, ""): steps for n, steps in self._counts.items()}


class Replay(_Counting):
    """Plays a schedule. A turn to somebody who cannot run is passed over."""

    name = "replay"

    def __init__(self, schedule: Schedule | None = None, step_ns: int = 50) -> None:
        self.schedule = schedule or Schedule()
        self.step_ns = step_ns
        self._first = True

    def prepare(self, number: int) -> bool:
        return number == 0

    def begin(self) -> None:
        super().begin()
        self.trace = 0
        self._since = 0  # when the running task's turn began
        self._plan: dict[tuple[int | str, int, bool], list[Turn]] = {}
        self._stops: dict[int | str, list[int]] = {}
        self.played: list[Turn] = []  # the turns that were taken, with the numbers of this time
        for turn in self.schedule.turns:
            task = turn.of or turn.task
            self._plan.setdefault((task, turn.steps, turn.forced), []).append(turn)
            if not turn.forced:
                self._stops.setdefault(task, []).append(turn.steps)
        for stops in self._stops.values():
            stops.sort(reverse=True)

    def next(self, candidates: Sequence[Any], current: Any, step: int) -> tuple[Any, int]:
        number, passed = self._position(step)
        forced = current is None
        name = self.machine.current.name
        planned = self._plan.get((name, passed, forced)) or self._plan.get((number, passed, forced))
        chosen = None
        if planned:
            chosen = _find(candidates, planned.pop(0))
            if chosen is not None:
                self.played.append(Turn(number, passed, forced, chosen.number, chosen.name, name))
        if chosen is None:
            chosen = straight(candidates, current, self.schedule.exact)
            if chosen is current and step - self._since >= PATIENCE:
                chosen = _after(candidates, current)
        if chosen is not current or step - self._since >= PATIENCE:
            self._since = step
        self.names[chosen.number] = chosen.name
        self.trace = hash((self.trace, step, chosen.number))
        return chosen, self._grant(chosen, step)

    def _grant(self, chosen: Any, step: int) -> int:
        """Until the next turn away from the chosen task, or the next event that comes by itself."""
        grant = max(0, min(self.machine.bound - step, self._since + PATIENCE - step - 1))
        stops = self._stops.get(chosen.name) or self._stops.get(chosen.number)
        if stops:
            passed = self._counts.get(chosen.number, 0)
            while stops and stops[-1] <= passed:
                stops.pop()
            if stops:
                grant = stops[-1] - passed - 1
        ns = CPU.ns
        if ns and not self.schedule.exact:
            now = ktime_get()
            grant = min(grant, (self.machine.next_event(now) - now) // ns)
        return grant

    def number(self, n: int) -> int:
        ordinal = self._asked
        self._asked += 1
        return min(self.schedule.numbers.get(ordinal, 0), n - 1)


class Census(Replay):
    """The straight execution, asked at each step: who uses what."""

    name = "census"
    needs_ops = True

    def __init__(self, step_ns: int = 50) -> None:
        super().__init__(step_ns=step_ns)

    def begin(self) -> None:
        super().begin()
        self.places: dict[str, dict[str, int]] = {}

    def next(self, candidates: Sequence[Any], current: Any, step: int) -> tuple[Any, int]:
        chosen, _ = super().next(candidates, current, step)
        if not chosen.event and chosen.op is not None and chosen.op[0] < ops.START:
            users = self.places.setdefault(ops.place(chosen.op), {})
            users[chosen.name] = users.get(chosen.name, 0) + 1
        return chosen, 0


def _after(candidates: Sequence[Any], current: Any) -> Any:
    """The next task in turn."""
    tasks = [c for c in candidates if not c.event]
    return tasks[(tasks.index(current) + 1) % len(tasks)]


def _find(candidates: Sequence[Any], turn: Turn) -> Any:
    """The candidate that is meant: by number, or by name where numbers have shifted."""
    for c in candidates:
        if c.number == turn.to and (not turn.name or c.name == turn.name):
            return c
    for c in candidates:
        if turn.name and c.name == turn.name:
            return c
    return None


class Recorder(_Counting):
    """Writes down what another search decides."""

    name = "recorder"

    def __init__(self, search: Search) -> None:
        self.search = search
        self.places_events = search.places_events
        self.asks_on_wake = search.asks_on_wake
        self.needs_ops = search.needs_ops
        self.step_ns = search.step_ns

    def begin(self) -> None:
        super().begin()
        self.schedule = Schedule()
        # A task may have to stop more than once without a step between: turns that need no word
        # until a later one at the same place does.
        self._straight_on: dict[tuple[int, int, bool], list[Turn]] = {}
        self.search.machine = self.machine
        self.search.begin()

    def next(self, candidates: Sequence[Any], current: Any, step: int) -> tuple[Any, int]:
        number, passed = self._position(step)
        by_itself = straight(candidates, current, exact=True)
        chosen, steps = self.search.next(candidates, current, step)
        self.names[chosen.number] = chosen.name
        of = self.machine.current.name
        turn = Turn(number, passed, current is None, chosen.number, chosen.name, of)
        straight_on = self._straight_on.setdefault(turn[:3], [])
        if chosen is not by_itself or chosen.event:
            self.schedule.turns += [*straight_on, turn]
            straight_on.clear()
        elif turn.forced:
            straight_on.append(turn)
        return chosen, steps

    def number(self, n: int) -> int:
        drawn = self.search.number(n)
        if drawn:
            self.schedule.numbers[self._asked] = drawn
        self._asked += 1
        return drawn

    def yields(self, task: Any) -> None:
        self.search.yields(task)
