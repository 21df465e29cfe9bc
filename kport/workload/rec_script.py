# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The script of a replay: what is done when, by whom, in one order.

The order of arrivals decides what a FIFO scheduler does, and in a recording hundreds of them lie a
few microseconds apart, which no two sleeping threads can keep. So there is one script for all
performers and a turn that goes along it: a performer sleeps until its cue is due, then waits until
every cue before it has been performed. As in the recording each submitting task is a task here, but
a burst by one task needs no hand-over, and bursts of several cannot overtake each other however the
machine schedules them. When the port is late the next cue comes at once; nothing is skipped.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from kport.linux import sched
from kport.linux.completion import (
    complete_all,
    completion,
    init_completion,
    wait_for_completion_interruptible,
)
from kport.linux.ktime import ktime_get
from kport.linux.sched import current, task_struct
from kport.linux.wait import (
    init_waitqueue_head,
    wait_event_interruptible,
    wait_queue_head,
    wake_up,
)
from kport.workload.player.process import Interrupted, interrupt, sleep_until, start_process

PERFORMERS_MAX = 64  # beyond that, tasks of the recording share a performer


@dataclass(slots=True)
class Cue:
    """`act` is to be called at `time`, ns on the recording's clock, by the task called `task`.

    Of cues at one time the one with the lower `rank` comes first.
    """

    time: int
    rank: tuple[int, int]
    task: tuple[str, int]
    act: Callable[[], None]
    number: int = 0


class Script:
    """Performs cues in order, and drops them: there may be millions.

    `ended` gets one entry for each performer that has left. `late` is how many ns after its time
    a cue was performed at worst.
    """

    def __init__(self, cues: list[Cue]) -> None:
        cues.sort(key=lambda cue: (cue.time, cue.rank))
        self.next = 0
        self.offset = 0
        self.late = 0
        self.ended: deque[int] = deque()
        names: dict[tuple[str, int], int] = {}
        parts: list[deque[Cue]] = []
        self._performers = array("B")  # of each cue
        self._begin = cues[0].time if cues else 0
        for number, cue in enumerate(cues):
            cue.number = number
            performer = names.setdefault(cue.task, len(names)) % PERFORMERS_MAX
            self._performers.append(performer)
            if performer == len(parts):
                parts.append(deque())
            parts[performer].append(cue)
        self._parts = parts
        self._turns = [wait_queue_head() for _ in parts]
        self._tasks: list[task_struct] = []
        self._raised = completion()

    def start(self, lead: int) -> None:
        """Begin: the first cue is due in `lead` ns, counted from when all performers are there."""
        init_completion(self._raised)
        for turn in self._turns:
            init_waitqueue_head(turn)
        director = current().thread
        for number, part in enumerate(self._parts):
            name = part[0].task[0]
            task = start_process(name, self._performance(number, part, director))
            self._tasks.append(task)
        self.offset = ktime_get() + lead - self._begin
        complete_all(self._raised)

    def over(self) -> bool:
        """True once every performer has left."""
        return len(self.ended) == len(self._parts)

    def cancel(self) -> None:
        """Send all performers home; a cue that is being performed is performed to its end."""
        for task in self._tasks:
            if task.pid in sched.tasks:
                interrupt(task)

    def _performance(
        self, number: int, part: deque[Cue], director: object
    ) -> Callable[[], None]:
        turn = self._turns[number]

        def perform() -> None:
            try:
                if wait_for_completion_interruptible(self._raised):
                    raise Interrupted
                while part:
                    cue = part.popleft()
                    sleep_until(self.offset + cue.time)
                    if self.next != cue.number and wait_event_interruptible(
                        turn,
                        lambda cue=cue: self.next == cue.number,  # type: ignore[misc]
                    ):
                        raise Interrupted
                    self.late = max(self.late, ktime_get() - self.offset - cue.time)
                    cue.act()
                    self._pass_on(number, cue)
            except Interrupted:
                return
            finally:
                self.ended.append(number)
                sched.machine.wake(director)  # type: ignore[arg-type]

        return perform

    def _pass_on(self, performer: int, cue: Cue) -> None:
        following = self.next = cue.number + 1
        if following < len(self._performers):
            successor = self._performers[following]
            if successor != performer:
                wake_up(self._turns[successor])
