# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Depth-first search, in order of preemptions: first the executions without any, then with one, ...

Each execution is played from the start: the choices that lead to it, then straight on. Wherever it
goes straight on, what it could have done instead is kept for later: for this round if it costs no
preemption (the running task could not go on, an event, a number), for the next if it does. So each
execution is run once, and a bug is found with the fewest preemptions that show it.

A task that would only wait (for a lock that is held, to be woken) is no choice, and steps that no
other task can notice are not asked about. Busy waiting would never end: after `SPINS` reads of one
member with nothing in between others must run; then no completeness is claimed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from kport.explore import ops
from kport.explore.search import Search

SPINS = 4

# A choice and those before it: (the one before, which option).
Node = tuple[Any, int]


class Dfs(Search):
    """All executions with at most `bound` preemptions, None: with any number."""

    name = "dfs"
    needs_ops = True
    step_ns = 0

    def __init__(self, bound: int | None = None) -> None:
        self.bound = bound
        self.spun = False
        self._rounds: deque[list[Node]] = deque([[]])
        self._more = False  # executions with more preemptions than the bound
        self._cost = 0
        self._path: list[int] = []
        self._again = False

    def prepare(self, number: int) -> bool:
        if number == 0:
            self._path = []
            return True
        while not self._rounds[0]:
            self._rounds.popleft()
            self._cost += 1
            if not self._rounds:
                return False
        node: Any = self._rounds[0].pop()
        path = []
        while node is not None:
            node, choice = node
            path.append(choice)
        path.reverse()
        self._path = path
        return True

    def again(self) -> None:
        self._again = True

    def claim(self) -> str:
        if self.spun:
            return ""
        if self._more:
            return f"all executions with at most {self.bound} preemptions"
        return "all executions"

    # -- one execution -----------------------------------------------------------------------------

    def begin(self) -> None:
        self.trace = 0
        self._depth = 0
        self._node: Any = None
        self._running: Any = None  # who made the last step that others can notice
        self._new = not self._again
        self._again = False
        self._spin: tuple[Any, int] = (None, 0)

    def next(self, candidates: Sequence[Any], current: Any, step: int) -> tuple[Any, int]:
        options = [c for c in candidates if c.event or ops.possible(c)]
        if not options:
            return candidates[0], 0  # all will wait: a deadlock
        if not any(c.event for c in options):
            for c in options:
                if c.op is None or c.op[0] >= ops.START:
                    return c, 0
        running = self._running
        if running is current and self._spins(running) and len(options) > 1:
            options.remove(running)
            self.spun = True
        preempts = running in options
        chosen = running if preempts else options[0]
        if len(options) > 1:
            chosen = options[self._choose(len(options), options.index(chosen), preempts)]
        if not chosen.event:
            self._running = chosen
        self.trace = hash((self.trace, step, chosen.number))
        return chosen, 0

    def _choose(self, n: int, default: int, preempts: bool) -> int:
        """Take the path's choice, or `default`, and keep what else there is for later."""
        depth = self._depth
        self._depth = depth + 1
        choice = default
        if depth < len(self._path):
            choice = self._path[depth]
        elif self._new:
            if preempts and self._cost == self.bound:
                self._more = True
            else:
                while len(self._rounds) < 1 + preempts:
                    self._rounds.append([])
                later = self._rounds[1 if preempts else 0]
                later += [(self._node, other) for other in range(n) if other != default]
        self._node = (self._node, choice)
        return choice

    def number(self, n: int) -> int:
        return self._choose(n, 0, False) if n > 1 else 0

    def _spins(self, current: Any) -> bool:
        """Whether the running task reads one member again and again."""
        op = current.op if current is not None else None
        before, times = self._spin
        if op is None or op[0] != ops.READ:
            self._spin = (None, 0)
            return False
        same = before is not None and before[1] is op[1] and before[2] == op[2]
        self._spin = (op, times + 1 if same else 1)
        return times >= SPINS
