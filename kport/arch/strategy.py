# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Who runs next on the machine `virt`: the three questions it asks, and the default answers.

The machine counts *steps*: one for each instruction that synchronises. It asks a strategy at the
beginning of an execution, whenever the running task cannot go on, and when the steps that the last
answer granted are used up. In between nobody is asked, which is what makes a step cheap: "run this
one for 40 steps" costs one question, not forty.

A strategy must answer from nothing but its own state and the arguments: no clock, no `id()`, no
order of a set. Then the same strategy with the same seed gives the same execution, on every Python
and in every process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

MASK64 = 0xFFFFFFFFFFFFFFFF


class Candidate(Protocol):
    """What can run next: a task, or an event (a timer that is armed, an interrupt line raised).

    `number` counts up in order of creation, `event` is True for an event. Events are among the
    candidates only of a strategy that places them.
    """

    name: str
    number: int
    event: bool


class Strategy(Protocol):
    """The three questions.

    With `places_events` events are among the candidates, else the machine delivers them when they
    are due. With `asks_on_wake` a task that becomes able to run is a reason to ask at the next
    step, else it has to wait until the granted steps are used up or the running task stops.
    """

    places_events: bool
    asks_on_wake: bool

    def begin(self) -> None:
        """A new execution begins."""

    def next(
        self, candidates: Sequence[Candidate], current: Candidate | None, step: int
    ) -> tuple[Candidate, int]:
        """One of `candidates` and for how many steps it runs before the next question.

        With 0 the next instruction asks before it acts; with n, n of them act without a question.
        `current` is the running task if it could go on, else None. `step` counts from 0.
        """

    def number(self, n: int) -> int:
        """A number from 0 to n - 1: which CPU takes an interrupt, say."""


class Random:
    """A small generator (splitmix64) whose numbers are the same everywhere."""

    __slots__ = ("state",)

    def __init__(self, seed: int) -> None:
        self.state = seed & MASK64

    def below(self, n: int) -> int:
        """A number from 0 to n - 1."""
        self.state = z = (self.state + 0x9E3779B97F4A7C15) & MASK64
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK64
        return (z ^ (z >> 31)) % n


class RoundRobin:
    """Everybody in turn, for a seeded number of steps: 1 to 2 * `slice` - 1.

    It lets tests run on any interleaving that is fair, and the same one each time. Events are left
    to the machine, which delivers them as soon as they are due.
    """

    places_events = False
    asks_on_wake = False

    def __init__(self, seed: int = 0, slice: int = 100) -> None:
        if slice < 1:
            raise ValueError(f"a slice has 1 step or more, not {slice}")
        self.seed = seed
        self.slice = slice
        self.begin()

    def begin(self) -> None:
        self._random = Random(self.seed)
        self._until = 0

    def next(
        self, candidates: Sequence[Candidate], current: Candidate | None, step: int
    ) -> tuple[Candidate, int]:
        if current is None:
            chosen = candidates[0]
        elif step < self._until:
            return current, self._until - step
        else:
            chosen = candidates[(candidates.index(current) + 1) % len(candidates)]
        steps = 1 + self._random.below(2 * self.slice - 1)
        self._until = step + steps
        return chosen, steps

    def number(self, n: int) -> int:
        return self._random.below(n)
