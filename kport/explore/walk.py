# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random walk: at each question anybody may go on, for 1 to 2 * `mean` - 1 steps.

`mean` 1 asks at (nearly) each step, greater ones make longer turns and faster executions; short
turns find more bugs for each execution. A timer that is not due yet is drawn `RARE` times less
often than a task, or each timeout would expire before anything else has happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.arch.virt_asm import ktime_get
from kport.explore.search import MASK64, Drawn

RARE = 8


class Walk(Drawn):
    """The random walk."""

    name = "random"
    asks_on_wake = False

    def __init__(self, seed: int = 0, mean: int = 2) -> None:
        if mean < 1:
            raise ValueError(f"a turn has 1 step or more, not {mean}")
        super().__init__(seed)
        self.mean = mean
        self._span = 2 * mean - 1

    def next(self, candidates: Sequence[Any], current: Any, step: int) -> tuple[Any, int]:
        self._state = s = (self._state * 6364136223846793005 + 1442695040888963407) & MASK64
        r = s >> 24
        chosen = candidates[(r >> 20) % len(candidates)]
        if chosen.event and chosen.at > ktime_get() and self.draw() % RARE:
            tasks = [c for c in candidates if not c.event]
            if tasks:
                chosen = tasks[self.draw() % len(tasks)]
        self.trace = hash((self.trace, step, chosen.number))
        return chosen, r % self._span
