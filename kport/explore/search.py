# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What all searches have in common: a `Strategy` of the machine that knows one execution from the
next.

The machine asks three questions (`kport.arch.strategy`); a search is asked two more. `prepare(n)`
comes before execution n and is False when there is nothing left to look at. `again()` comes before
the execution that shall be like the last one: every failure is run twice before it is believed.

Searches that draw lots derive them from the seed and the number of the execution alone. So an
execution can be had again without those before it, and processes can share out the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

MASK64 = 0xFFFFFFFFFFFFFFFF
LONG = 1 << 40  # steps: longer than any execution

if TYPE_CHECKING:
    from kport.explore.machine import Explorer


@dataclass
class Trial:
    """What one execution has shown: its steps, those of each task by name, and who used what.

    `places` says of each location (`kport.explore.ops.place`) how often which task used it; it is
    empty for a search that does not need to know what tasks do.
    """

    steps: int
    counts: dict[str, int]
    places: dict[str, dict[str, int]]


class Search:
    """The base of all searches. By itself it runs the straight execution, again and again.

    `needs_ops`: Task.op must be noted (`kport.explore.ops`). `numbered`: execution n depends on
    nothing but the seed and n. `trace` sums up who ran when, to tell executions apart.
    """

    name = "search"
    spec = ""  # how to make it again, by name
    places_events = True
    asks_on_wake = True
    needs_ops = False
    numbered = False
    step_ns = 50  # what a step takes; 0 where equal choices must mean equal executions

    machine: Explorer
    trace = 0

    def learn(self, trial: Trial) -> None:
        """Before the first execution: what one looks like."""

    def prepare(self, number: int) -> bool:
        """Execution `number` (from 0) comes next; False: there is none left."""
        return True

    def again(self) -> None:
        """The last execution comes once more."""

    def begin(self) -> None:
        """An execution begins."""

    def next(self, candidates: Sequence[Any], current: Any, step: int) -> tuple[Any, int]:
        """Who runs on, and for how many steps (`kport.arch.strategy`)."""
        return (candidates[0] if current is None else current), LONG

    def number(self, n: int) -> int:
        """A number from 0 to n - 1."""
        return 0

    def yields(self, task: Any) -> None:
        """The running task waits busily: others must come first."""

    def failed(self, kind: str) -> None:
        """The last execution went wrong."""

    def claim(self) -> str:
        """What is proved when `prepare()` has said False; "" if nothing is."""
        return ""


class Drawn(Search):
    """A search that draws lots: a linear congruential generator, begun anew for each execution."""

    numbered = True

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.execution = 0
        self._state = 0

    def prepare(self, number: int) -> bool:
        self.execution = number
        return True

    def begin(self) -> None:
        mixed = self.seed * 0x9E3779B97F4A7C15 + self.execution * 0xD1342543DE82EF95
        mixed = ((mixed ^ mixed >> 31) * 0x94D049BB133111EB) & MASK64
        self._state = (mixed ^ mixed >> 29) & MASK64
        self.trace = 0

    def draw(self) -> int:
        """A number of 40 bits."""
        self._state = s = (self._state * 6364136223846793005 + 1442695040888963407) & MASK64
        return s >> 24

    def number(self, n: int) -> int:
        return self.draw() % n
