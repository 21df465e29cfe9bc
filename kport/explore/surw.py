# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""SURW: selectively uniform random walk (Zhao, Wolff, Mathur, Roychoudhury, ASPLOS 2025).

A random walk that chooses among tasks in proportion to the steps they have left samples the
interleavings uniformly. Over all steps of a kernel that would be thin, so one location is drawn for
each execution, and only the order of its accesses is sampled that way: whose access comes next is
drawn first, and whoever else is about to make one waits. Which locations there are, and how often
who uses them, is learnt from one execution before the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.explore import ops
from kport.explore.search import Drawn, Trial

PATIENCE = 100  # questions that an access that is about to be made is held up


class Surw(Drawn):
    """Selectively uniform random walk."""

    name = "surw"
    needs_ops = True

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._places: list[tuple[str, dict[str, int]]] = []

    def learn(self, trial: Trial) -> None:
        self._places = sorted((p, users) for p, users in trial.places.items() if len(users) > 1)

    def begin(self) -> None:
        super().begin()
        self._place, self._left = "", {}
        if self._places:
            self._place, users = self._places[self.draw() % len(self._places)]
            self._left = dict(users)
        self._intended = ""
        self._asked = 0  # questions since the last access of the location

    def next(self, candidates: Sequence[Any], current: Any, step: int) -> tuple[Any, int]:
        options = [c for c in candidates if c.event or ops.possible(c)] or list(candidates)
        if len(options) > 1:
            free = [c for c in options if c.event or not self._of_place(c)]
            waiting = [c for c in options if not c.event and self._of_place(c)]
            if waiting:
                alive = {t.name for t in self.machine.tasks}
                self._asked += 1
                if self._intended not in alive or not self._left.get(self._intended, 0):
                    self._intend(alive)
                if self._asked > PATIENCE:  # who is meant waits for one of those who wait
                    self._intended = waiting[self.draw() % len(waiting)].name
                free += [c for c in waiting if c.name == self._intended]
            options = free or options
        chosen = options[self.draw() % len(options)]
        if not chosen.event and self._of_place(chosen):
            self._left[chosen.name] = max(0, self._left.get(chosen.name, 0) - 1)
            self._intended = ""
            self._asked = 0
        self.trace = hash((self.trace, step, chosen.number))
        return chosen, 0

    def _of_place(self, c: Any) -> bool:
        return c.op is not None and ops.place(c.op) == self._place

    def _intend(self, alive: set[str]) -> None:
        """Draw whose access is next, in proportion to how many each has left."""
        left = [(name, n) for name, n in sorted(self._left.items()) if n and name in alive]
        total = sum(n for _, n in left)
        self._intended = ""
        if total:
            at = self.draw() % total
            for name, n in left:
                if at < n:
                    self._intended = name
                    return
                at -= n
