# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Small scenarios, made up by a seed: a few rings, entities and jobs, and tasks that use them.

    plan = generate(7)
    print(plan.text())
    explore(plan.scenario, ...)

Only what the API allows is made up: the jobs of an entity are armed and pushed in order by one
task, which is also the one that kills it or gives it other rings; a ring is stopped and started by
one task at a time. Within that everything goes at once. A job is over at once (`null`,
`signalled`), when a task ends it (`end`), or never, so that its time is over (`hangs`); then the
driver answers that it was only slow, or resets the ring.

The seed is the scenario: the same one makes the same on every Python and in every process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kport.arch.strategy import Random
from kport.linux.completion import (
    DECLARE_COMPLETION_ONSTACK,
    complete_all,
    wait_for_completion,
)
from kport.museum.kit import Job, Rig, null

Op = tuple[str, int]


@dataclass(frozen=True)
class JobPlan:
    """A job: its entity, the jobs before it that it depends on, and what it does."""

    entity: int
    after: tuple[int, ...]
    runs: str


@dataclass
class Plan:
    """A scenario: `rings` is the credits of each, `entities` the rings of each, by number."""

    seed: int
    rings: list[int] = field(default_factory=list)
    entities: list[tuple[int, ...]] = field(default_factory=list)
    jobs: list[JobPlan] = field(default_factory=list)
    tasks: list[list[Op]] = field(default_factory=list)
    reset: bool = False

    @property
    def times_out(self) -> bool:
        """True if a job never ends by itself."""
        return any(job.runs == "hangs" for job in self.jobs)

    def text(self) -> str:
        """The scenario as a person reads it."""
        lines = [f"scenario {self.seed}"]
        lines += [f"ring {n}: {limit} credits" for n, limit in enumerate(self.rings)]
        for n, rings in enumerate(self.entities):
            lines.append(f"entity {n} on ring {', '.join(map(str, rings))}")
        for n, job in enumerate(self.jobs):
            after = f" after {', '.join(f'job {d}' for d in job.after)}" if job.after else ""
            lines.append(f"job {n} of entity {job.entity}: {job.runs}{after}")
        if self.times_out:
            lines.append(f"timeout: {'reset the ring' if self.reset else 'not hung, goes on'}")
        for n, ops in enumerate(self.tasks):
            lines.append(f"task {n}: " + ", ".join(f"{name} {at}" for name, at in ops))
        return "\n".join(lines)

    @property
    def scenario_name(self) -> str:
        """Its name in tokens and on the command line."""
        return f"gen:{self.seed}"

    def scenario(self) -> Callable[[Any], None]:
        """The function that an explorer runs."""

        def run(kernel: Any) -> None:
            _Play(self).run()

        run.__name__ = f"gen_{self.seed}"
        run.scenario_name = self.scenario_name  # type: ignore[attr-defined]
        return run


def generate(seed: int) -> Plan:
    """A scenario of one or two rings, up to three entities, and two to four jobs."""
    random = Random(seed * 0x9E3779B9 + 1)
    below = random.below
    plan = Plan(seed)
    plan.rings = [1 + below(2) for _ in range(1 + below(2))]
    for _ in range(1 + below(3)):
        first = below(len(plan.rings))
        both = len(plan.rings) > 1 and below(4) == 0
        plan.entities.append((first, 1 - first) if both else (first,))
    hangs = below(5) == 0
    plan.reset = below(2) == 0
    for n in range(2 + below(3)):
        after = tuple(d for d in range(n) if below(3) == 0)
        runs = ("null", "signalled", "manual")[below(3)]
        if hangs and below(2) == 0:
            runs = "hangs"
        plan.jobs.append(JobPlan(below(len(plan.entities)), after, runs))
    _make_tasks(plan, below)
    return plan


def _make_tasks(plan: Plan, below: Callable[[int], int]) -> None:
    """Who does what: each entity belongs to one task, hardware and resets to others."""
    tasks: list[list[Op]] = [[] for _ in range(1 + below(2))]
    flushes: list[list[Op]] = [[] for _ in tasks]  # last: what is waited for has been pushed
    for entity, rings in enumerate(plan.entities):
        own = [n for n, job in enumerate(plan.jobs) if job.entity == entity]
        ops: list[Op] = [("push", n) for n in own]
        if len(rings) > 1 and below(2) == 0:
            ops.insert(below(len(ops) + 1), ("modify", entity))
        if below(4) == 0:
            ops.insert(below(len(ops) + 1), ("priority", entity))
        last, at = below(6), below(len(tasks))
        if last == 0:
            ops.append(("kill", entity))
        elif last == 1:
            flushes[at].append(("flush", entity))
        tasks[at] += ops
    for ops, waits in zip(tasks, flushes, strict=True):
        ops += waits
    tasks += [[("end", n)] for n, job in enumerate(plan.jobs) if job.runs == "manual"]
    if not plan.times_out and below(4) == 0:
        ring = below(len(plan.rings))
        tasks.append([("stop", ring), ("start", ring)])
    plan.tasks = [ops for ops in tasks if ops]


class _Play:
    """One execution of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rig = Rig()
        self.rig.timeout = self.rig.reset if plan.reset else self._slow
        timeout = 2 if plan.times_out else None
        self.rings = [
            self.rig.ring(f"ring{n}", limit, timeout) for n, limit in enumerate(plan.rings)
        ]
        self.entities = [
            self.rig.entity(*(self.rings[n] for n in rings)) for rings in plan.entities
        ]
        self.jobs: list[Job | None] = [None] * len(plan.jobs)
        self.made = [DECLARE_COMPLETION_ONSTACK() for _ in plan.jobs]
        self.killed: set[int] = set()

    def run(self) -> None:
        """Start the tasks, wait for all, and take everything down."""
        self._arm()
        for n, ops in enumerate(self.plan.tasks):
            self.rig.task(f"task{n}", *(partial(getattr(self, f"_{op}"), at) for op, at in ops))
        self.rig.close()

    def _arm(self) -> None:
        """Make the jobs of entities that keep their rings; the others are armed when pushed."""
        for n, job in enumerate(self.plan.jobs):
            after = [self.jobs[d].finished for d in job.after if self.jobs[d]]  # type: ignore[union-attr]
            if len(self.plan.entities[job.entity]) == 1:
                self.jobs[n] = self._make(n, after)
                complete_all(self.made[n])

    def _make(self, n: int, after: list[Any]) -> Job:
        job = self.plan.jobs[n]
        runs = {"null": null, "signalled": self.rig.signalled}.get(job.runs, self.rig.manual)
        return self.rig.job(self.entities[job.entity], after=after, run=runs)

    # -- what tasks do -----------------------------------------------------------------------------

    def _push(self, n: int) -> None:
        job = self.jobs[n]
        if job is None:
            job = self.jobs[n] = self._make(n, [])
            complete_all(self.made[n])
        self.rig.push(job)

    def _end(self, n: int) -> None:
        wait_for_completion(self.made[n])
        job = self.jobs[n]
        assert job is not None
        self.rig.wait_scheduled(job)
        self.rig.end(job)

    def _kill(self, n: int) -> None:
        self.rig.kill(self.entities[n])

    def _flush(self, n: int) -> None:
        self.rig.entities.drm_sched_entity_flush(self.entities[n], 10)

    def _modify(self, n: int) -> None:
        rings = [self.rings[ring] for ring in reversed(self.plan.entities[n])]
        self.rig.entities.drm_sched_entity_modify_sched(self.entities[n], rings, len(rings))

    def _priority(self, n: int) -> None:
        high = self.rig.api.DRM_SCHED_PRIORITY_HIGH
        self.rig.entities.drm_sched_entity_set_priority(self.entities[n], high)

    def _stop(self, n: int) -> None:
        self.rig.main.drm_sched_stop(self.rings[n], None)

    def _start(self, n: int) -> None:
        self.rig.restart(self.rings[n])

    # -- what the driver answers to a timeout ------------------------------------------------------

    def _slow(self, job: Job) -> int:
        self.rig.end(job)
        return self.rig.not_hung(job)
