# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The machine `virt` as an explorer wants it.

Three things differ. While a kernel boots, a fair strategy that is always the same one runs it, so
that each execution of a scenario begins in the same state; what the search decides begins when the
kernel is up, and ends when the scenario is over: taking the kernel down is not explored.

Events are choices, but the clock does not run backwards and a timer of five seconds does not
overtake one of a microsecond: of all that is to come at a time, only what is due or the earliest
(and what follows it within `SLACK_NS`) can be placed. An event that is placed before its time while
tasks could run moves the clock: the tasks were slow. That happens at most `HASTE` times in an
execution, or a thread that polls would keep the others from ever running.

Sleeping, waking, starting and raising a line are noted for the search as instructions are
(`kport.explore.ops`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kport.arch.api import Hooks, Line
from kport.arch.strategy import RoundRobin
from kport.arch.types import thread_info
from kport.arch.virt import Event, Task, Virt
from kport.arch.virt_asm import CPU, ktime_get
from kport.explore import ops

if TYPE_CHECKING:
    from collections.abc import Callable

    from kport.explore.search import Search
    from kport.explore.trace import Tracer

SLACK_NS = 1_000_000
HASTE = 16


def choose(n: int) -> int:
    """A number from 0 to n - 1 that the search chooses: a fault that happens or not, say.

    For scenarios: the choice is part of the schedule, tokens have it, and where it does not matter
    a shrunk schedule has 0. Outside of an exploration it is 0.
    """
    machine = CPU.machine
    if not isinstance(machine, Explorer) or machine.strategy is not machine.search or n < 2:
        return 0
    return machine.search.number(n)


class Explorer(Virt):
    """`Virt` under a `Search`; `options` are those of Virt."""

    def __init__(self, search: Search, **options: Any) -> None:
        super().__init__(search, **options)
        self.search = search
        self.quiet = True  # plain accesses are not looked at
        self.steps = 0
        self.tracer: Tracer | None = None
        self.delivered = 0  # interrupts, timers and ends of sleeps
        self._hasty = 0

    def power_on(self, hooks: Hooks) -> None:
        self.strategy = RoundRobin()
        super().power_on(hooks)

    def booted(self) -> None:
        self.explore()
        self.delivered = self._hasty = 0
        super().booted()

    def explore(self) -> None:
        """From now on the search decides."""
        self.tracer = None
        self.strategy = self.search
        self.search.machine = self

    def power_off(self, timeout: float) -> list[str]:
        self.steps = self.steps or self.step
        return super().power_off(timeout)

    def settle(self) -> None:
        """The scenario is over: the rest is taken down as at boot."""
        self.steps = self.step
        self.tracer = None
        self.strategy = RoundRobin()
        self.strategy.begin()

    # -- what the search is told -----------------------------------------------------------------

    def relax(self) -> None:
        self.current.op = ops.NOTHING
        if self.strategy is self.search:
            self.search.yields(self.current)
        super().relax()

    def block(self, deadline: int | None = None) -> bool:
        me = self.current
        self._tell((ops.BLOCK if deadline is None else ops.LOCAL, me, ""))
        woken = super().block(deadline)
        self._told_of()
        return woken

    def wake(self, ti: thread_info) -> None:
        self._tell((ops.WAKE, ti.park, ""))
        super().wake(ti)
        self._told_of()

    def start(self, ti: thread_info, function: Callable[[], None]) -> None:
        self._tell((ops.START, ti, ""))
        super().start(ti, function)
        self._told_of()

    def raise_line(self, line: Line) -> None:
        self._tell((ops.WRITE, line, ""))
        super().raise_line(line)
        self._told_of()

    def _tell(self, op: ops.Op) -> None:
        self.current.op = op
        if self.tracer is not None:
            self.tracer.before(op)

    def _told_of(self) -> None:
        if self.tracer is not None:
            self.tracer.after()

    def _reset(self, hooks: Hooks) -> None:
        self.delivered = self._hasty = 0
        super()._reset(hooks)

    def _give(self, event: Event, taker: Task) -> None:
        self.delivered += 1
        super()._give(event, taker)

    def _expire(self, now: int) -> None:
        self.delivered += 1
        super()._expire(now)

    def next_event(self, now: int) -> int:
        """When the next timer or end of a sleep is due, in ns; far away if there is none."""
        return self._next_time(now)

    # -- what can be placed ------------------------------------------------------------------------

    def _events(self, current: Task | None) -> list[Event]:
        events = [e for e in self._raised if self._victim(e, current) is not None]
        timed = list(self._sleeps)
        timer = self._timer
        if timer is not None and self._victim(timer, current) is not None:
            timed.append(timer)
        if timed:
            now = ktime_get()
            horizon = max(now, min(e.at for e in timed)) + SLACK_NS
            if self._runnable and self._hasty >= HASTE:
                horizon = now
            events += [e for e in timed if e.at <= horizon]
        return events

    def _placed(self, event: Event, current: Task | None, now: int) -> Task | None:
        if event.at > now and self._runnable:
            self._hasty += 1
        return super()._placed(event, current, now)
