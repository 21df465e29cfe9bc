# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the oracles remember of a run: each job that was pushed, its entity and its scheduler.

A scheduler forgets what it has done; that a job is freed a second time, or runs behind its own end,
can only be told by somebody who kept a note. A note is made when a job is pushed and thrown away
some hundred jobs after it was freed, so a long run needs no more memory than a short one.

Notes are changed under `Model.lock`, a plain lock of Python that is held for a few statements in
which nothing of the kernel is called. `busy` counts the operations of a scheduler that are half
done: sums are compared only when there are none.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections import deque
from typing import Any

from kport.check import oracles_era as era
from kport.linux.field import raw_get as raw

REMEMBERED = 512  # jobs that were freed, entities that have ended


class Scheduler:
    """Notes on a scheduler.

    `live`: pushed and not done, killed ones included; `killed`: of these, ended by a kill, and
    `running`, `credits`: those on the hardware and their cost. `listed`: entities on its lists.
    `stopped`: by pause_submit, or its thread parked; `held`: from the end of drm_sched_stop() to
    the beginning of drm_sched_start(), whoever sets it going in between; `detached`: from beginning
    to end. `runner` and `freer` are the threads that run and free jobs for it now.
    """

    __slots__ = (
        "busy",
        "credits",
        "detached",
        "era",
        "freer",
        "gone",
        "held",
        "killed",
        "listed",
        "live",
        "name",
        "partial",
        "runner",
        "running",
        "sched",
        "stopped",
    )

    def __init__(self, sched: Any, partial: bool) -> None:
        self.sched = sched
        self.name = era.name_of(sched)
        self.era = era.era_of(sched)
        self.partial = partial
        self.live = self.killed = self.running = self.credits = self.busy = 0
        self.listed: dict[Any, None] = {}
        self.stopped = self.held = self.gone = self.detached = False
        self.runner: Any = None
        self.freer: Any = None

    def __str__(self) -> str:
        return f"scheduler {self.name}"


class Entity:
    """Notes on an entity.

    `last_push` is the number of the job that was pushed last; `pushed` counts jobs, and `last_run`
    is the place in that order of the one that was run last. `replanted` is True when it was put
    back into the tree after it had been stopped.
    """

    __slots__ = (
        "context",
        "ended",
        "entity",
        "killed",
        "last_push",
        "last_run",
        "pushed",
        "replanted",
    )

    def __init__(self, entity: Any) -> None:
        self.entity = entity
        self.context = int(raw(entity, "fence_context"))
        self.killed = self.ended = self.replanted = False
        self.last_push = self.last_run = self.pushed = 0

    def __str__(self) -> str:
        return f"entity of fence context {self.context}"


class Job:
    """Notes on a job. `waits` are the fences it depends on that have not signalled, with the kind:

    "run": must have signalled before it runs; "kill": only a killed job waits for it; "prepare":
    the driver's prepare_job() named it. `place` counts the jobs of the entity from 1. `asked` is
    what a killed job of old depends on and has lost sight of.
    """

    __slots__ = (
        "asked",
        "begun",
        "cleaned",
        "credits",
        "done",
        "entity",
        "finished",
        "freed",
        "job",
        "killed",
        "place",
        "refused",
        "runs",
        "s_fence",
        "scheduler",
        "seqno",
        "timed_out",
        "waits",
    )

    def __init__(self, job: Any, scheduler: Scheduler, entity: Entity) -> None:
        self.job = job
        self.s_fence = raw(job, "s_fence")
        self.seqno = int(raw(self.s_fence.finished, "seqno"))
        self.scheduler = scheduler
        self.entity = entity
        self.waits: dict[Any, str] = {}
        self.asked: list[Any] = []
        self.runs = self.freed = self.cleaned = self.done = self.credits = 0
        self.finished = self.killed = self.begun = self.timed_out = False
        entity.pushed = self.place = entity.pushed + 1
        self.refused = bool(raw(entity.entity, "stopped"))

    def is_freed(self) -> bool:
        """True if free_job() was called, or the driver took it into its own hands."""
        return self.freed > 0 or self.cleaned > 0

    def __str__(self) -> str:
        return f"job {self.entity.context + 1}:{self.seqno} of {self.scheduler.name}"


class Model:
    """All notes of one kernel, or of one execution of a machine that stays on."""

    def __init__(self) -> None:
        self.lock = allocate_lock()
        self.schedulers: dict[Any, Scheduler] = {}
        self.entities: dict[Any, Entity] = {}
        self.jobs: dict[Any, Job] = {}
        self.fences: dict[Any, Job] = {}  # by their finished fence, until it signals
        self.waiting: dict[Any, list[Job]] = {}  # by what they wait for
        self._freed: deque[Job] = deque()
        self._ended: deque[Entity] = deque()

    def scheduler(self, sched: Any) -> Scheduler:
        """The notes on a scheduler; one that is met in the middle of its life has no sums."""
        notes = self.schedulers.get(sched)
        if notes is None:
            notes = self.schedulers.setdefault(sched, Scheduler(sched, partial=True))
        return notes

    def entity(self, entity: Any) -> Entity:
        """The notes on an entity."""
        notes = self.entities.get(entity)
        if notes is None:
            notes = self.entities.setdefault(entity, Entity(entity))
        return notes

    def add(self, base: Any) -> Job:
        """A job is pushed. The lock is held."""
        job = Job(base, self.scheduler(raw(base, "sched")), self.entity(raw(base, "entity")))
        self.jobs[base] = job
        self.fences[job.s_fence.finished] = job
        for _, fence in sorted(raw(base.dependencies, "entries").items()):
            self.wait(job, fence, "run")
        return job

    def wait(self, job: Job, fence: Any, kind: str) -> None:
        """A job depends on a fence. The lock is held."""
        if era.signaled(fence):
            return
        job.waits[fence] = kind
        self.waiting.setdefault(fence, []).append(job)
        other = self.of_scheduled(fence)
        if other is not None and kind == "run":
            self.wait(job, other.s_fence.finished, "kill")

    def of_scheduled(self, fence: Any) -> Job | None:
        """The job whose scheduled fence this is, if it has not finished."""
        s_fence = fence._container
        if fence._member != "scheduled" or s_fence is None:
            return None
        return self.fences.get(s_fence.finished)

    def signal(self, fence: Any) -> None:
        """A fence signals: nobody waits for it any more. The lock is held."""
        for job in self.waiting.pop(fence, ()):
            job.waits.pop(fence, None)
        self.fences.pop(fence, None)

    def freed(self, job: Job) -> None:
        """A job was freed; the notes on the oldest such go. The lock is held."""
        self._freed.append(job)
        if len(self._freed) > REMEMBERED:
            old = self._freed.popleft()
            if self.jobs.get(old.job) is old:
                del self.jobs[old.job]

    def ended(self, entity: Entity) -> None:
        """An entity has ended; the notes on the oldest such go. The lock is held."""
        self._ended.append(entity)
        if len(self._ended) > REMEMBERED:
            old = self._ended.popleft()
            if self.entities.get(old.entity) is old:
                del self.entities[old.entity]


class Now:
    """The notes of the kernel that runs; none while the facility is off."""

    model: Model | None = None


def notes(sched: Any) -> Scheduler | None:
    """The notes on a scheduler, or None if it is not watched."""
    return None if Now.model is None else Now.model.schedulers.get(sched)


def jobs(scheduler: Scheduler) -> list[Job]:
    """The jobs of a scheduler that there are notes on, in the order they were pushed."""
    if Now.model is None:
        return []
    return [job for job in list(Now.model.jobs.values()) if job.scheduler is scheduler]


def schedulers() -> list[Any]:
    """The watched schedulers that have not been taken down, in the order they were made."""
    if Now.model is None:
        return []
    return [each.sched for each in list(Now.model.schedulers.values()) if not each.gone]
