# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""PCT: probabilistic concurrency testing (Burckhardt and others, ASPLOS 2010).

Each task has a random priority and the highest runs; at `depth` - 1 random steps the running task
falls below all others. A bug that `depth` orderings bring about is found with probability of at
least 1 / (n * k ** (depth - 1)) in each execution of n tasks and k steps, whatever else is there.
k is learnt from one execution before the first.

Fair: who waits busily falls below all others, and so does who runs on and on while others could.
Events have priorities like tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.explore.search import LONG, Drawn, Trial

PATIENCE = 512  # steps that a task may run on at the least


class Pct(Drawn):
    """PCT with bugs of `depth` in mind."""

    name = "pct"

    def __init__(self, seed: int = 0, depth: int = 3) -> None:
        if depth < 1:
            raise ValueError(f"a bug has depth 1 or more, not {depth}")
        super().__init__(seed)
        self.depth = depth
        self.length = 100

    def learn(self, trial: Trial) -> None:
        self.length = max(2, trial.steps)

    def begin(self) -> None:
        super().begin()
        self._priorities: dict[int, int] = {}
        self._low = 0
        self._changes = sorted(
            (self.draw() % self.length + 1 for _ in range(self.depth - 1)), reverse=True
        )
        self._patience = max(PATIENCE, 2 * self.length)
        self._running: Any = None
        self._since = 0

    def next(self, candidates: Sequence[Any], current: Any, step: int) -> tuple[Any, int]:
        priorities, changes = self._priorities, self._changes
        if changes and changes[-1] <= step:
            while changes and changes[-1] <= step:
                changes.pop()
            if current is not None:
                self.yields(current)
        elif current is not None and current is self._running:
            if step - self._since >= self._patience:
                self.yields(current)
                self._since = step
        chosen: Any = None
        best = -LONG
        for c in candidates:
            priority = priorities.get(c.number)
            if priority is None:
                priority = priorities[c.number] = self.draw()
            if priority > best:
                chosen, best = c, priority
        if chosen is not self._running:
            self._running, self._since = chosen, step
        self.trace = hash((self.trace, step, chosen.number))
        until = step + self._patience
        if changes and changes[-1] < until:
            until = changes[-1]
        return chosen, max(0, until - step - 1)

    def yields(self, task: Any) -> None:
        self._low -= 1
        self._priorities[task.number] = self._low
