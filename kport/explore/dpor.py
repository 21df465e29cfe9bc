# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""DPOR: one execution for each order of the steps that conflict (source sets and sleep sets).

After Abdulla, Aronsson, Jonsson, Sagonas, "Source sets" (JACM 2017), as a stateless search: every
execution is played from the start. While it runs each step gets a vector clock of what happened
before it. Two conflicting steps that nothing else orders are a race: the search goes back to before
the first of them and plans to run first what leads to the second. Sleep sets keep it from running
an order again that another branch has shown.

What conflicts is told by `kport.explore.ops`. Taking a lock conflicts with taking it, never with
its release; to be woken conflicts with a wake-up only where more than one was under way. A step
that nobody can notice is taken at once. What waits for ever at a deadlock is looked at as if it
came next.

Interrupts and timers are not placed (the machine delivers them: a line at once, a timer when
nothing else can run) and numbers are 0. A task that has read one member `SPINS` times in a row
waits until somebody writes it. Where there was any of that, no completeness is claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from kport.explore import ops
from kport.explore.ops import ACQUIRE, BLOCK, READ, RELEASE, START, TEST, TRY, WAKE, WRITE, Op
from kport.explore.search import Search

Clock = dict[int, int]
SPINS = 4


class Node:
    """A choice: who can run, whose turn it is, who shall have it, who has had it, who sleeps."""

    __slots__ = ("backtrack", "chosen", "done", "enabled", "sleep")

    def __init__(self, enabled: list[int], chosen: int, sleep: set[int]) -> None:
        self.enabled = enabled
        self.chosen = chosen
        self.backtrack = [chosen]
        self.done: set[int] = set()
        self.sleep = sleep


class Step:
    """A step of an execution: whose, what, at which node, and what happened before it."""

    __slots__ = ("clock", "node", "op", "task", "time")

    def __init__(self, task: int, op: Op, node: int, time: int, clock: Clock) -> None:
        self.task = task
        self.op = op
        self.node = node
        self.time = time  # counts the steps of the task
        self.clock = clock


class Dpor(Search):
    """Dynamic partial order reduction."""

    name = "dpor"
    needs_ops = True
    places_events = False
    asks_on_wake = False
    step_ns = 0

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.pruned = 0
        self.whole = True
        self._fixed = 0  # nodes whose races are known from the last execution
        self._open = False

    # -- from one execution to the next ------------------------------------------------------------

    def prepare(self, number: int) -> bool:
        if number == 0:
            self.nodes = []
            self._fixed = 0
            return True
        if self._open:
            self._finish()
        nodes = self.nodes
        while nodes:
            node = nodes[-1]
            node.done.add(node.chosen)
            left = [t for t in node.backtrack if t not in node.done and t not in node.sleep]
            if left:
                node.chosen = left[0]
                self._fixed = len(nodes) - 1
                return True
            nodes.pop()
        return False

    def again(self) -> None:
        self._finish()
        self._fixed = len(self.nodes)

    def failed(self, kind: str) -> None:
        if kind != "deadlock":  # it ended before what was still to come could be seen
            self.whole = False

    def claim(self) -> str:
        return "all orders of conflicting steps" if self.whole else ""

    def begin(self) -> None:
        self.trace = 0
        self._open = True
        self._depth = 0
        self._sleep: set[int] = set()
        self._steps: list[Step] = []
        self._clocks: dict[int, Clock] = {}
        self._born: dict[int, Clock] = {}
        self._history: dict[tuple[int, Any], list[int]] = {}
        self._waiting: list[tuple[int, Op]] = []
        self._reads: dict[int, tuple[Any, Any, int]] = {}  # what each task reads, how often now

    # -- one execution -----------------------------------------------------------------------------

    def next(self, candidates: Sequence[Any], current: Any, step: int) -> tuple[Any, int]:
        for c in candidates:
            op = c.op
            if op is None or op[0] >= START:
                if op is not None and op[0] == START:
                    self._note(c, -1)
                    c.op = ops.NOTHING
                return c, 0
        enabled = [c for c in candidates if ops.possible(c) and not self._spins(c)]
        if not enabled:
            if not self._waiting:
                self._waiting = [(c.number, c.op) for c in candidates]
            return candidates[0], 0
        chosen = self._chosen(enabled, current)
        if chosen is None:
            self.pruned += 1
            self.machine.halt()
            return candidates[0], 0
        self.trace = hash((self.trace, len(self._steps), chosen.number))
        self._note(chosen, self._depth - 1)
        return chosen, 0

    def _spins(self, task: Any) -> bool:
        """Whether it has read one member again and again since that was last written."""
        times = self._reads.get(task.number)
        if times is None or times[2] < SPINS or task.op[0] != READ:
            return False
        if times[0] is not task.op[1] or times[1] != task.op[2]:
            return False
        self.whole = False
        steps = self._steps
        for at in reversed(self._history[(id(task.op[1]), task.op[2])]):
            if steps[at].op[0] == WRITE:
                return False
            if steps[at].task == task.number:
                return True
        return False

    def _chosen(self, enabled: list[Any], current: Any) -> Any:
        """The node's choice, or a new node's; None if all that can run sleep."""
        depth = self._depth
        self._depth = depth + 1
        if depth < len(self.nodes):
            node = self.nodes[depth]
            chosen = next(c for c in enabled if c.number == node.chosen)
        else:
            awake = [c for c in enabled if c.number not in self._sleep]
            if not awake:
                return None
            chosen = current if current in awake else awake[0]
            node = Node([c.number for c in enabled], chosen.number, self._sleep)
            self.nodes.append(node)
        asleep = node.sleep | node.done
        self._sleep = {
            c.number
            for c in enabled
            if c.number in asleep and c is not chosen and not ops.conflict(c.op, chosen.op)
        }
        return chosen

    def number(self, n: int) -> int:
        if n > 1:
            self.whole = False
        return 0

    # -- what happened before what -----------------------------------------------------------------

    def _clock_of(self, task: Any) -> Clock:
        clock = self._clocks.get(task.number)
        if clock is None:
            clock = self._clocks[task.number] = dict(self._born.get(id(task.ti), {}))
        return clock

    def _note(self, task: Any, node: int) -> None:
        """The task makes its step now: find its races, and what it happens after."""
        op: Op = task.op
        number: int = task.number
        clock = self._clock_of(task)
        if op[0] == START:
            clock[number] = clock.get(number, 0) + 1
            self._born[id(op[1])] = dict(clock)
            self._steps.append(Step(number, op, node, clock[number], dict(clock)))
            return
        history = self._history.setdefault((id(op[1]), op[2]), [])
        before = dict(clock)
        steps = self._steps
        last = _LAST[op[0]]
        for at in reversed(history):
            other = steps[at]
            if _ordered(other.op[0], op[0]):
                for t, time in other.clock.items():
                    if clock.get(t, 0) < time:
                        clock[t] = time
            if other.op[0] in last:
                break
        clock[number] = clock.get(number, 0) + 1
        step = Step(number, op, node, clock[number], dict(clock))
        if node >= self._fixed:
            for at in self._races(history, number, op, before, task.token):
                self._plan(at, step)
        if op[0] == READ:
            of, member, times = self._reads.get(number, (None, "", 0))
            same = of is op[1] and member == op[2]
            self._reads[number] = (op[1], op[2], times + 1 if same else 1)
        else:
            self._reads.pop(number, None)
        history.append(len(steps))
        steps.append(step)

    def _races(
        self, history: list[int], number: int, op: Op, before: Clock, token: bool
    ) -> Iterator[int]:
        """The steps in conflict with one to come that nothing between orders before it."""
        kind = op[0]
        steps = self._steps
        if kind == BLOCK:
            wakes = []
            for at in reversed(history):
                if steps[at].op[0] == BLOCK:
                    break
                wakes.append(at)
            if len(wakes) < 2:
                return
            for at in wakes:
                if before.get(steps[at].task, 0) < steps[at].time:
                    yield at
            return
        seen: set[int] = set()
        for at in reversed(history):
            other = steps[at]
            last = other.op[0] in _ENDS[kind]  # all before it happens before it
            if other.task not in seen and ops.conflict(other.op, op) and not (last and seen):
                if before.get(other.task, 0) < other.time:
                    seen.add(other.task)
                    yield at
            if last:
                return

    def _plan(self, at: int, late: Step) -> None:
        """Before step `at`, let somebody run first who leads to `late`."""
        early = self._steps[at]
        node = self.nodes[early.node]
        firsts: list[int] = []
        begins: dict[int, int] = {}  # the first step of each task that does not depend on `early`
        task, time = early.task, early.time
        for step in (*islice(self._steps, at + 1, None), late):
            clock = step.clock
            if step.task in begins or (step is not late and clock.get(task, 0) >= time):
                continue
            if not any(clock.get(t, 0) >= begin for t, begin in begins.items()):
                if step.task in node.backtrack:
                    return
                firsts.append(step.task)
            begins[step.task] = step.time
        able = [first for first in firsts if first in node.enabled]
        if late.task in able:
            node.backtrack.append(late.task)
        elif able:
            node.backtrack.append(able[0])
        else:
            node.backtrack += [t for t in node.enabled if t not in node.backtrack]

    def _finish(self) -> None:
        """The execution is over: what waits for ever has races too."""
        self._open = False
        for number, op in self._waiting:
            clock = self._clocks.get(number, {})
            history = self._history.get((id(op[1]), op[2]), [])
            late = Step(number, op, -1, clock.get(number, 0) + 1, dict(clock))
            late.clock[number] = late.time
            for at in list(self._races(history, number, op, clock, False)):
                self._plan(at, late)
        if self.machine.delivered:
            self.whole = False


_ENDS: dict[int, frozenset[int]] = {
    READ: frozenset({WRITE}),
    WRITE: frozenset({WRITE}),
    ACQUIRE: frozenset({ACQUIRE, TRY}),
    RELEASE: frozenset({ACQUIRE, TRY, RELEASE}),
    TRY: frozenset({ACQUIRE, TRY, RELEASE}),
    TEST: frozenset({ACQUIRE, TRY, RELEASE}),
    WAKE: frozenset({BLOCK}),
}

# Of what is ordered, the latest on a location: all that came before it is in its clock.
_MEMORY, _LOCK, _SLEEP = frozenset({WRITE}), frozenset({ACQUIRE, RELEASE, TRY}), frozenset({BLOCK})
_LAST = {READ: _MEMORY, WRITE: _MEMORY, BLOCK: _SLEEP, WAKE: _SLEEP}
_LAST |= dict.fromkeys((ACQUIRE, RELEASE, TRY, TEST), _LOCK)


def _ordered(early: int, late: int) -> bool:
    """Whether the earlier of two kinds of steps on one object happens before the later."""
    if early == late:
        return early not in (READ, TEST, WAKE)
    return True
