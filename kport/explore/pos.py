# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""POS: partial order sampling (Yuan, Yang, Gu, CAV 2018).

Each next step has a random priority, and the highest is taken. A step that conflicts with the one
taken draws a new priority, so that each order of conflicting steps is likely, however many steps
without conflict lie around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.explore import ops
from kport.explore.search import Drawn


class Pos(Drawn):
    """Partial order sampling."""

    name = "pos"
    needs_ops = True

    def begin(self) -> None:
        super().begin()
        self._priorities: dict[int, int] = {}
        self._low = 0

    def next(self, candidates: Sequence[Any], current: Any, step: int) -> tuple[Any, int]:
        priorities = self._priorities
        chosen: Any = None
        best = 0
        for c in candidates:
            priority = priorities.get(c.number)
            if priority is None:
                priority = priorities[c.number] = self.draw() + 1
            if (chosen is None or priority > best) and (c.event or ops.possible(c)):
                chosen, best = c, priority
        if chosen is None:
            chosen = candidates[0]
        priorities.pop(chosen.number, None)
        if not chosen.event and chosen.op is not None and chosen.op[0] < ops.START:
            taken = chosen.op
            for c in candidates:
                if c is not chosen and not c.event and c.op and ops.conflict(c.op, taken):
                    priorities.pop(c.number, None)
        self.trace = hash((self.trace, step, chosen.number))
        return chosen, 0

    def yields(self, task: Any) -> None:
        self._low -= 1
        self._priorities[task.number] = self._low
