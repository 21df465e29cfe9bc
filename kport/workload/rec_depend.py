# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the jobs of a recording waited for.

A job says what it depends on when it is queued, and once more, by name, what it is held back by
when its turn comes. The second may be news: a driver adds fences at that moment, too.

A fence is that of a job (finished, or scheduled: one context below) or somebody else's. Of the
latter it must be known when it signalled: dma_fence_signaled tells, or else the first run of the
jobs that were held back by it does. If neither does, the dependency is left out. One on a job that
by the recording itself had not run yet is left out too, and so what is left never goes in circles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from kport.workload.rec_build import Key, Seen
from kport.workload.rec_model import Dependency, Entity, Fence, Job

_NEVER = 1 << 80


def add_dependencies(seen: Seen, jobs: list[Job]) -> None:
    """Fill in `depends` and `pipelined` of the jobs, which are in order of arrival."""
    order = _run_order(seen.entities.values())
    waiting: defaultdict[Key, list[Job]] = defaultdict(list)
    for job in jobs:
        held = seen.held.get(job, {})
        for key in {**seen.depends.get(job, {}), **held}:
            target, scheduled = _find(seen, key)
            if target is None:
                waiting[key].append(job)
            elif target is job:
                seen.notes.add("jobs that depend on themselves, ignored", job.line)
            elif order[target] > order[job]:
                seen.notes.add("dependencies on jobs that had not run by then, left out", job.line)
            else:
                if key in held and not scheduled and target.ring is job.ring:
                    target.pipelined = False
                if not _has(job, target, scheduled):
                    job.depends.append(Dependency(target, scheduled))
    for key, waiters in waiting.items():
        fence = _foreign(seen, key, waiters)
        if fence is None:
            line = waiters[0].line
            what = "dependencies on fences of which nothing is known, left out"
            seen.notes.add(what, line, len(waiters))
            continue
        for job in waiters:
            if fence.signaled > job.arrival:
                job.depends.append(Dependency(fence=fence))


def _find(seen: Seen, key: Key) -> tuple[Job | None, bool]:
    """The job whose fence this is, and whether it is its scheduled fence."""
    context, seqno = key
    job = seen.jobs.get(key)
    if job is not None:
        return job, False
    return seen.jobs.get((context + 1, seqno)), True


def _foreign(seen: Seen, key: Key, waiters: list[Job]) -> Fence | None:
    """A fence that is no job's, with the time it signalled; None if nothing tells it."""
    runs = [job.run for job in waiters if job.run is not None]
    signaled = seen.signal(*key)
    if signaled is not None:
        return Fence(*key, min([signaled[0], *runs]))
    held = [job.run for job in waiters if job.run is not None and key in seen.held.get(job, {})]
    return Fence(*key, min(held)) if held else None


def _has(job: Job, target: Job, scheduled: bool) -> bool:
    """True if the job waits for that already; finished includes scheduled."""
    return any(
        dependency.job is target and (scheduled or not dependency.scheduled)
        for dependency in job.depends
    )


def _run_order(entities: Iterable[Entity]) -> dict[Job, tuple[int, int]]:
    """A total order in which the jobs can have run: no entity overtakes itself."""
    order: dict[Job, tuple[int, int]] = {}
    for entity in entities:
        latest = -1
        for job in entity.jobs:
            places = (job.started, job.ended, _NEVER if job.cancelled else job.arrived)
            latest = max(latest, next(place for place in places if place is not None))
            order[job] = (latest, job.index)
    return order
