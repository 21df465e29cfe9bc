# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Does the operations of a scenario on the port, in a kernel of its own.

Each operation is a method of `Interpreter` with the operation's name. `run()` boots a kernel on the
deterministic machine, does one operation after the other as `discipline` has it, and hands what
happened to its caller, who may stop there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kport
from kport import KernelOops
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_init,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal,
)
from kport.drivers.mock.mock_scheduler import drm_mock_sched_advance, drm_mock_sched_fini
from kport.drm.scheduler.v7_2.sched_entity import (
    drm_sched_entity_destroy,
    drm_sched_entity_fini,
    drm_sched_entity_init,
    drm_sched_entity_kill,
    drm_sched_entity_modify_sched,
    drm_sched_entity_push_job,
    drm_sched_entity_set_priority,
)
from kport.drm.scheduler.v7_2.sched_main import (
    drm_sched_fault,
    drm_sched_job_add_dependency,
    drm_sched_job_arm,
    drm_sched_job_cleanup,
    drm_sched_job_init,
    drm_sched_tdr_queue_imm,
    drm_sched_wqueue_start,
    drm_sched_wqueue_stop,
)
from kport.drm.spsc_queue import spsc_queue_count
from kport.kunit.conform.backend import Backend
from kport.kunit.conform.clock import Clock, scenario_clock
from kport.kunit.conform.discipline import MACHINE, OneAfterTheOther, Queues
from kport.kunit.conform.observer import Event, Observer
from kport.kunit.conform.operations import Operation
from kport.kunit.conform.record import POLICIES, Scenario
from kport.kunit.conform.state import State, read_state
from kport.kunit.conform.things import (
    Entity,
    External,
    Job,
    Scheduler,
    World,
    external_fence_ops,
)
from kport.linux.atomic import atomic_set
from kport.linux.jiffies import jiffies
from kport.linux.sched import TASK_UNINTERRUPTIBLE, schedule_timeout, set_current_state
from kport.linux.slab import kfree
from kport.linux.spinlock import spin_lock_init
from kport.linux.timer import timer_pending
from kport.linux.workqueue import delayed_work_pending, mod_delayed_work

CLIENT_ID = 1

# What happened in an operation: its index, its events, the state if it was a snapshot, and a
# function that reads the state now. Returns False to stop.
ReadState = Callable[[], State]
Happened = Callable[[int, list[Event], State | None, ReadState], bool]


class CannotGoOn(Exception):
    """An operation that the port refused, so that the rest makes no sense."""


class Stopped(Exception):
    """A scenario that ended early: in which operation, why, the events of that operation."""

    def __init__(self, index: int, why: str, events: list[Event]) -> None:
        super().__init__(index, why, events)
        self.index = index
        self.why = why
        self.events = events


class Interpreter:
    """A scenario on its way."""

    def __init__(self, world: World, observer: Observer, clock: Clock) -> None:
        self.world = world
        self._observer = observer
        self._clock = clock
        self._backend = Backend(world, observer)
        self._queues = Queues()
        self._batch = 0
        self._state: State | None = None

    def execute(self, op: Operation) -> tuple[list[Event], State | None]:
        """Do an operation, and what follows from it; the events, and the state of a snapshot."""
        self._state = None
        getattr(self, op.name)(*op.args)
        if op.name != "batch":
            self._queues.drain()
            self._batch = max(0, self._batch - 1)
            if not self._batch:
                self._queues.rest()
        return self._observer.take(), self._state

    def close(self) -> None:
        """Drop the test's references, and free what was the test's."""
        for job in self.world.jobs.values():
            if job.held:
                job.held = False
                dma_fence_put(job.fences["finished"])
        for external in self.world.externals.values():
            dma_fence_put(external.fence)
        self._queues.close()
        for memory in self.world.memory:
            kfree(memory)

    # -- making things -------------------------------------------------------------------------

    def sched_new(self, name: str, limit: int, timeout_ms: int | None, mode: str) -> None:
        """drm_mock_sched_new() with these credits, this timeout and this mode."""
        sched = self.world.schedulers[name] = Scheduler(name, mode)
        self.world.own(sched.mock.base, sched, sched.mock)
        ret = self._backend.sched_init(sched, limit, timeout_ms, self._queues.submit)
        _demand("drm_sched_init", ret)

    def entity_new(self, name: str, prio: int, guilty: int, scheds: list[str]) -> None:
        """drm_sched_entity_init(), with a pointer to the guilty flag or without."""
        entity = self.world.entities[name] = Entity(name)
        self.world.own(entity.base, entity, entity.base)
        bases = self._bases(scheds)
        flag = entity.guilty if guilty else None
        ret = drm_sched_entity_init(entity.base, prio, bases, len(bases), flag)
        _demand("drm_sched_entity_init", ret)

    def job_new(self, name: str, entity: str, credits: int, mode: str, err: int) -> None:
        """drm_sched_job_init()."""
        job = self.world.jobs[name] = Job(name, mode, err)
        base = job.mock.base
        self.world.own(base, job, job.mock)
        ret = drm_sched_job_init(base, self.world.entities[entity].base, credits, None, CLIENT_ID)
        _demand("drm_sched_job_init", ret)
        self._backend.job_init(job)

    def ext_new(self, name: str, group: int) -> None:
        """A fence of its own; those of a group share a context and count up."""
        external = self.world.externals[name] = External(name)
        context, seqno = self.world.groups.get(group, (0, 0))
        if not seqno:
            context = dma_fence_context_alloc(1)
        self.world.groups[group] = context, seqno + 1
        spin_lock_init(external.outer.lock)
        dma_fence_init(external.fence, external_fence_ops, external.outer.lock, context, seqno + 1)
        self.world.name_fence(external.fence, name)

    # -- jobs ----------------------------------------------------------------------------------

    def dep_job(self, name: str, on: str, which: str) -> None:
        """The job waits for a fence of another."""
        fence = self.world.jobs[on].fences.get(which)
        if fence is None:
            raise CannotGoOn(f"{on}.{which} has been destroyed, nothing can depend on it")
        self._add_dependency(name, fence)

    def dep_ext(self, name: str, on: str) -> None:
        """The job waits for an external fence."""
        self._add_dependency(name, self.world.externals[on].fence)

    def _add_dependency(self, name: str, fence: dma_fence) -> None:
        base = self.world.jobs[name].mock.base
        ret = drm_sched_job_add_dependency(base, dma_fence_get(fence))
        _demand("drm_sched_job_add_dependency", ret)

    def push(self, name: str) -> None:
        """Arm, take the test's reference, push."""
        job = self.world.jobs[name]
        base: Any = job.mock.base
        drm_sched_job_arm(base)
        job.fences = {"scheduled": base.s_fence.scheduled, "finished": base.s_fence.finished}
        for which, fence in job.fences.items():
            self.world.name_fence(fence, f"{name}.{which}")
        dma_fence_get(base.s_fence.finished)
        job.held = True
        job.pushed = 1
        drm_sched_entity_push_job(base)

    def job_cleanup(self, name: str) -> None:
        """drm_sched_job_cleanup() of a job that was not pushed."""
        job = self.world.jobs[name]
        drm_sched_job_cleanup(job.mock.base)
        job.freed = 1

    def fence_put(self, name: str) -> None:
        """Drop the test's reference on the finished fence."""
        job = self.world.jobs[name]
        job.held = False
        dma_fence_put(job.fences["finished"])

    def ext_signal(self, name: str, err: int) -> None:
        """Signal an external fence, with an error if there is one."""
        fence = self.world.externals[name].fence
        if err:
            dma_fence_set_error(fence, err)
        dma_fence_signal(fence)

    # -- entities ------------------------------------------------------------------------------

    def set_priority(self, name: str, prio: int) -> None:
        """drm_sched_entity_set_priority()."""
        drm_sched_entity_set_priority(self.world.entities[name].base, prio)

    def modify_sched(self, name: str, scheds: list[str]) -> None:
        """drm_sched_entity_modify_sched()."""
        bases = self._bases(scheds)
        drm_sched_entity_modify_sched(self.world.entities[name].base, bases, len(bases))

    def set_guilty(self, name: str, value: int) -> None:
        """Set the entity's guilty flag."""
        atomic_set(self.world.entities[name].guilty, value)

    def entity_kill(self, name: str) -> None:
        """drm_sched_entity_kill()."""
        drm_sched_entity_kill(self.world.entities[name].base)

    def entity_destroy(self, name: str) -> None:
        """drm_sched_entity_destroy(), or _fini() where that would wait for ever."""
        entity = self.world.entities.pop(name)
        queued = spsc_queue_count(entity.base.job_queue)
        if queued:
            drm_sched_entity_fini(entity.base)
        else:
            drm_sched_entity_destroy(entity.base)
        self._observer.returned(queued)

    # -- schedulers ----------------------------------------------------------------------------

    def _bases(self, names: list[str]) -> list[Any]:
        return [self.world.schedulers[name].mock.base for name in names]

    def _base(self, name: str) -> Any:
        return self.world.schedulers[name].mock.base

    def advance(self, name: str, n: int) -> None:
        """The hardware goes on by `n` jobs."""
        self._observer.returned(drm_mock_sched_advance(self.world.schedulers[name].mock, n))

    def stop(self, name: str) -> None:
        """drm_sched_wqueue_stop()."""
        drm_sched_wqueue_stop(self._base(name))

    def start(self, name: str) -> None:
        """drm_sched_wqueue_start()."""
        drm_sched_wqueue_start(self._base(name))

    def expire_tdr(self, name: str) -> None:
        """If the timer of the timeout runs, it expires now."""
        sched = self._base(name)
        armed = delayed_work_pending(sched.work_tdr)
        if armed:
            mod_delayed_work(sched.timeout_wq, sched.work_tdr, 0)
        self._observer.returned(int(armed))

    def wait_tdr(self, name: str) -> None:
        """Sleep until the timer of the timeout has expired by itself."""
        sched = self._base(name)
        timer = sched.work_tdr.timer
        armed = delayed_work_pending(sched.work_tdr)
        expires = timer.expires
        while timer_pending(timer) and timer.expires == expires:
            set_current_state(TASK_UNINTERRUPTIBLE)
            schedule_timeout(max(1, expires - jiffies()))
        self._observer.returned(int(armed))

    def fault(self, name: str) -> None:
        """drm_sched_fault()."""
        drm_sched_fault(self._base(name))

    def tdr_queue_imm(self, name: str) -> None:
        """drm_sched_tdr_queue_imm()."""
        drm_sched_tdr_queue_imm(self._base(name))

    def set_ready(self, name: str, value: int) -> None:
        """Set whether new jobs may go to the scheduler."""
        self._base(name).ready = bool(value)

    def sched_fini(self, name: str) -> None:
        """drm_mock_sched_fini()."""
        drm_mock_sched_fini(self.world.schedulers.pop(name).mock)

    # -- the scenario itself -------------------------------------------------------------------

    def tick(self, ns: int) -> None:
        """The scenario's clock goes on by so many nanoseconds."""
        self._clock.now += ns

    def batch(self, k: int) -> None:
        """Hold `submit` until so many operations are done."""
        self._batch = k

    def snapshot(self) -> None:
        """Take the state down."""
        self._state = read_state(self.world)

    final = snapshot


def _demand(function: str, ret: int) -> None:
    if ret:
        raise CannotGoOn(f"{function}() returned {ret}")


def run(scenario: Scenario, happened: Happened, policy: str | None = None) -> list[str]:
    """Run a scenario in a kernel of its own; returns what it left behind, one line each.

    `policy` is "rr", "fifo" or "fair", by default the record's. Raises Stopped if the port stopped
    with a fault or refused an operation.
    """
    world = World()
    observer = Observer(world)
    done: list[int] = []

    def note(index: int, events: list[Event], state: State | None, read: ReadState) -> bool:
        done.append(index)
        return happened(index, events, state, read)

    try:
        return _run(scenario, note, policy or scenario.policy, world, observer)
    except KernelOops as oops:
        why = oops.report
    except CannotGoOn as error:
        why = str(error)
    raise Stopped(min(len(done), len(scenario.ops) - 1), why, observer.take())


def _run(
    scenario: Scenario, happened: Happened, policy: str, world: World, observer: Observer
) -> list[str]:
    params = {"sched_policy": POLICIES[policy]}
    with (
        kport.boot("virt", params=params, strategy=OneAfterTheOther(), **MACHINE) as kernel,
        scenario_clock() as clock,
        observer.watching(),
    ):
        interpreter = Interpreter(world, observer, clock)
        for index, op in enumerate(scenario.ops):
            events, state = interpreter.execute(op)
            if not happened(index, events, state, lambda: read_state(world)):
                kernel.machine.halt()
                return []
        if world.schedulers or world.entities:
            kernel.machine.halt()
            return [f"{name} is left" for name in (*world.schedulers, *world.entities)]
        interpreter.close()
    return kernel.leaks.lines()
