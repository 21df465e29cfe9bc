# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A run: boot, device up, clients, watch, device down, leave; and what it came to.

The calling thread starts the clients and then only looks after them, some ten times a second. A run
ends when its clients have ended (those in the background are stopped then), when its time is up,
when `stop` is set, or when nothing can move any more: every client waits, and for five seconds no
ring had work and no job changed. Before 7.2 a process that is killed may then wait for itself for
ever (R07 of the museum): the kernel is left as it is, and the result tells who waits for what.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic, sleep
from types import FrameType
from typing import Any

import kport
from kport.arch.api import Halted, Machine
from kport.drivers.compat import package
from kport.drivers.observe_system import frames
from kport.linux import bug
from kport.linux.hung_task import waits_for
from kport.linux.ktime import NSEC_PER_SEC, ktime_get
from kport.workload.player.client import Client
from kport.workload.player.plan import POLICIES, Plan
from kport.workload.player.process import interrupt, start_process
from kport.workload.player.summary import recovery, summarize
from kport.workload.player.tally import Tally
from kport.workload.player.world import World
from kport.workload.result import HUNG, STALLED, Result
from kport.workload.trace_out import TraceOut
from kport.workload.wsim.engines import RINGS

Progress = Callable[[int, int], None]  # called with how much is done, and how much there is

STALL = NSEC_PER_SEC  # on the kernel's clock, and
STALL_WALL = 5.0  # wall seconds, however fast that clock runs
LEAVING = 3  # times as long may nothing move when clients leave
_SHORT, _LONG = 0.002, 0.1  # wall seconds between two looks, at first and later


def play(
    plan: Plan,
    *,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    trace_out: str | None = None,
    debug: bool = False,
    machine: str | Machine = "threads",
) -> Result:
    """Play the plan on a kernel of its own. Raises KernelOops if kernel code failed, and InputError
    if `trace_out` cannot be opened.

    `progress` is called now and then; setting `stop` ends the run soon, with its result so far.
    `trace_out` names a file for the run's trace events. `debug`: with the kernel's debug checks.
    `machine` is that of `kport.boot()`; where time is not real the plan's scale has no meaning.
    """
    tally = Tally(RINGS)
    stop = stop or threading.Event()
    package(plan.sched)  # its trace events must be there before the trace begins
    params = {"sched_policy": POLICIES[plan.policy], "scheduler": plan.sched}
    # The trace is outermost: it is written when the kernel is gone.
    options: dict[str, Any] = {"scale": plan.scale} if machine == "threads" else {}
    booted = kport.boot(machine, params=params, debug=debug, **options)
    with TraceOut(trace_out) as trace, booted as kernel:
        with tally.watching():
            world = World(plan, tally, kernel.machine)
            run = _Run(world, stop, progress)
            run.watch()
            run.finish()
            if not run.hung:
                world.down()
        if run.hung:
            kernel.machine.halt()
        result = summarize(plan, tally, run.clients)
        result.recovery, unstruck = recovery(plan, tally, world)
        result.warnings += unstruck
    result.interrupted = run.interrupted
    result.leaks = len(kernel.leaks)
    result.warnings += [*kernel.warnings(), *kernel.leaks.lines()]
    if run.stalled:
        result.warnings.append(run.stalled)
    result.warnings += run.hung
    result.unwritten = trace.error
    return result


class _Run:
    """The clients of a run, and the thread that watches them."""

    def __init__(self, world: World, stop: threading.Event, progress: Progress | None) -> None:
        self.world = world
        self.plan = world.plan
        self._real = world.machine.name == "threads"  # time is
        self.stop = stop
        self.progress = progress
        self.interrupted = False
        self.stalled = ""
        self.hung: list[str] = []
        self.began = ktime_get()
        self.clients = [
            Client(world, number, plan) for number, plan in enumerate(self.plan.clients, 1)
        ]
        self.tasks = [start_process(client.plan.name, client.main) for client in self.clients]
        self._moved: tuple[int, float, Any] = (ktime_get(), monotonic(), None)

    def watch(self) -> None:
        """Until there is a reason to end the run."""
        pause = _SHORT
        while not self._over():
            if self._rest(min(pause, self._left())):
                self.interrupted = True
                break
            pause = min(pause * 1.5, _LONG)
            self._report()
        if self.interrupted or self.stalled:
            self.world.patience = 0

    def finish(self) -> None:
        """Stop who still runs, and wait until all are gone, or never will be."""
        for client, task in zip(self.clients, self.tasks, strict=True):
            if not client.gone:
                client.stopping = True
                interrupt(task)
        pause = _SHORT / 4
        while not all(client.gone for client in self.clients):
            self._alive()
            if self._leave_in_vain():
                return
            if self._real:
                sleep(pause)
            else:
                self._rest(pause)
            pause = min(pause * 1.5, _LONG)

    def _rest(self, seconds: float) -> bool:
        """Wait so many wall seconds or until `stop` is set: True.

        Where time is not real nobody runs while this thread sleeps, so it sleeps in the kernel.
        """
        if self._real:
            return self.stop.wait(seconds)
        machine = self.world.machine
        machine.block(machine.clock() + int(seconds * NSEC_PER_SEC))
        return self.stop.is_set()

    def _over(self) -> bool:
        self._alive()
        seconds = self.plan.seconds
        if seconds is not None and ktime_get() - self.began >= seconds * NSEC_PER_SEC:
            return True
        if all(client.gone for client in self.clients if not client.plan.background):
            return True
        self.stalled = self._stall()
        return bool(self.stalled)

    def _alive(self) -> None:
        """Raises Halted if the kernel has stopped."""
        if self.world.machine.dead:
            raise Halted

    def _left(self) -> float:
        """Wall seconds until the time is up."""
        if self.plan.seconds is None:
            return _LONG
        left = self.plan.seconds - (ktime_get() - self.began) / NSEC_PER_SEC
        return max(0.0, left) * self.plan.scale

    def _stall(self) -> str:
        """What to say if nothing moves any more, else ""."""
        count = self.world.tally.count
        state = count.submitted, len(self.world.tally.jobs)
        waiting = [c for c in self.clients if not c.gone and c.waiting is not None]
        still = len(waiting) == sum(not c.gone for c in self.clients)
        if self._moves(state if still else object(), 1):
            return ""
        where = ", ".join(f"{c.plan.name} at {c.waiting}" for c in waiting[:3])
        return f"{STALLED} no job can run and every client waits ({where})"

    def _leave_in_vain(self) -> bool:
        """True if clients that leave wait for ever; `hung` says which, and for what."""
        here = [n for n, client in enumerate(self.clients) if not client.gone]
        if self._moves((here, len(self.world.tally.jobs)), LEAVING):
            return False
        at = frames()
        for n in here:
            task = self.tasks[n]
            stack = at.get(task.thread.name if task.thread is not None else "")
            where = f": {_where(stack[0])}" if stack else ""
            self.hung.append(f"{HUNG} {self.clients[n].plan.name} waits for ever{where}")
        return True

    def _moves(self, state: object, patience: int) -> bool:
        """False if for some time, `patience` stalls, the state is the same and no ring has work."""
        if state != self._moved[2] or self.world.busy():
            self._moved = ktime_get(), monotonic(), state
            return True
        if ktime_get() - self._moved[0] < patience * STALL:
            return True
        return self._real and monotonic() - self._moved[1] < STALL_WALL

    def _report(self) -> None:
        if self.progress is None:
            return
        done, total = 0, 0
        if self.plan.seconds is not None:
            done, total = ktime_get() - self.began, int(self.plan.seconds * NSEC_PER_SEC)
        if self.plan.repeat is not None:
            front = [c for c in self.clients if not c.plan.background]
            cycles = sum(c.cycles for c in front), self.plan.repeat * len(front)
            if not total or cycles[0] * total > done * cycles[1]:
                done, total = cycles
        self.progress(min(done, total), total)


def _where(frame: FrameType) -> str:
    """What a thread waits for, and which function of the scheduler has asked for it."""
    waits = waits_for(frame).split("\n")[0]
    asked = [line.strip() for line in bug.stack(frame) if line.startswith(" drm_sched_")]
    return f"{waits} in {asked[0]}" if asked else waits
