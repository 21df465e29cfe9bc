# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Records of the history as frozen values of a moment: only facts up to its position."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal, cast

from kport.trace.history import (
    NEVER,
    SHIFT,
    EntityRecord,
    FenceRecord,
    History,
    JobRecord,
    RingRecord,
)
from kport.trace.snapshot import Entity, Fence, FenceKey, Job, JobKey, Port, Ring, RingKey
from kport.trace.stats import ready_at, signalled_at

BUSY_WINDOW = 1_000_000_000  # ns

Role = Literal["scheduled", "finished", "parent", ""]


def job_view(history: History, job: JobRecord, now: int) -> Job:
    """The job at position `now`, at which it is queued already."""
    when = history.when
    parent = job.parent
    if parent is not None and parent.linked > now:
        parent = None
    done = when(job.done, now)
    ready = ready_at(history, job, now)
    finished = job.finished
    return Job(
        key=job.key,
        ring=job.ring.key,
        client=job.client,
        state="over" if job.over <= now else "running" if job.run <= now else "queued",
        queued=history.time(job.queued),
        ready=when(ready, now),
        run=when(job.run, now),
        scheduled=None if job.scheduled is None else when(job.scheduled.signalled, now),
        hw_done=when(parent.signalled, now) if parent is not None else done,
        done=done,
        signalled=when(finished.signalled, now) if finished is not None else when(job.over, now),
        freed=None if finished is None else when(finished.freed, now),
        depends=tuple(key for since, key in job.depends or () if since <= now),
        blocked_on=_blocked_on(history, job, now),
        parent=None if parent is None else (parent.context, parent.seqno),
        submitter=job.submitter,
        queue_depth=job.queue_depth,
        slot=job.slot if job.run <= now else -1,
        old=job.old,
        cut=job.cut,
    )


def _blocked_on(history: History, job: JobRecord, now: int) -> FenceKey | None:
    if job.run <= now or job.over <= now:
        return None
    looks = [key for since, key in job.looks or () if since <= now]
    return looks[-1] if looks and signalled_at(history, looks[-1], now) == NEVER else None


def fence_view(history: History, fence: FenceRecord, now: int) -> Fence:
    """The fence at position `now`, at which it has begun."""
    when = history.when
    linked = fence.job is not None and fence.linked <= now
    return Fence(
        key=(fence.context, fence.seqno),
        driver=fence.driver,
        timeline=fence.timeline,
        role=cast("Role", fence.role) if linked else "",
        job=fence.job.key if linked and fence.job is not None else None,
        init=when(fence.init, now),
        emitted=when(fence.emitted, now),
        armed=when(fence.armed, now),
        signalled=when(fence.signalled, now),
        freed=when(fence.freed, now),
        waiters=tuple(w.thread for w in fence.waits or () if w.begin <= now < w.end),
    )


def ring_view(history: History, ring: RingRecord, now: int) -> Ring:
    """The ring at position `now`, at which it has been seen."""
    runs = bisect_right(ring.runs, now)
    ends = bisect_right(ring.ends, now)
    ran_ends = bisect_right(ring.ran_ends, now)
    queues = bisect_right(ring.queues, now)
    number = bisect_right(ring.bar_to, now)
    head = None
    if number < len(ring.bar_job):
        if ring.bar_from[number] <= now:
            head = ring.bar_job[number]
    elif ring.front is not None and ring.front_from <= now:
        head = ring.front
    held = None
    if runs:
        since = ran_ends - bisect_right(ring.ran_ends, ring.runs[runs - 1])
        held = max(runs - ran_ends, ring.ran[runs - 1].hw_after - since) if head else 0
    return Ring(
        key=ring.key,
        running=runs - ran_ends,
        waiting=queues - runs - (ends - ran_ends),
        finished=ends,
        busy_pct=busy_pct(ring, now),
        head=None if head is None else head.key,
        tail=ring.queued[queues - 1].key if queues else None,
        credits=held,
    )


def busy_pct(ring: RingRecord, now: int) -> float:
    """The part of the last BUSY_WINDOW up to `now` that a job was on the hardware, in percent."""
    end = now >> SHIFT
    begin = max(0, end - BUSY_WINDOW)
    if end == begin:
        return 0.0
    position = begin << SHIFT
    first = bisect_right(ring.bar_to, position)
    last = bisect_left(ring.bar_to, now + 1, first)
    busy = ring.busy[last] - ring.busy[first]
    if first < last:
        busy -= max(0, begin - (ring.bar_from[first] >> SHIFT))
    opened = ring.bar_from[last] if last < len(ring.bar_from) else ring.front_from
    if opened <= now:
        busy += end - max(begin, opened >> SHIFT)
    return 100.0 * busy / (end - begin)


def entity_view(history: History, entity: EntityRecord, now: int) -> Entity:
    """The entity at position `now`, at which it has been seen."""
    queues = bisect_right(entity.queues, now)
    runs = bisect_right(entity.runs, now)
    ends = bisect_right(entity.ends, now)
    ran_ends = bisect_right(entity.ran_ends, now)
    waiting = queues - runs - (ends - ran_ends)
    head = None
    if waiting:
        for job in entity.jobs[max(0, ends - 64) : queues]:
            if job.run > now and job.over > now:
                head = job
                break
        else:
            head = next(j for j in entity.jobs if j.run > now and j.over > now)
    return Entity(
        context=entity.context,
        ring=entity.ring.key,
        client=entity.client,
        waiting=waiting,
        running=runs - ran_ends,
        finished=ends,
        oldest_ns=(now >> SHIFT) - (head.queued >> SHIFT) if head is not None else 0,
        head=None if head is None else head.key,
        name=f"{entity.context:x}" if entity.old else str(entity.context),
        blocked_on=None if head is None else _blocked_on(history, head, now),
    )


# -- what a port says besides ----------------------------------------------------------------------


def of_port(key: RingKey, known: Iterable[RingKey]) -> RingKey:
    """The key that a port has for a ring of the events; before 6.17 these tell no device."""
    if not key.dev:
        same = [other for other in known if other.ring == key.ring]
        if len(same) == 1:
            return same[0]
    return key


def with_rings(rings: list[Ring], port: Port) -> list[Ring]:
    """The rings of the events, with what only the port knows, and those that only it knows."""
    told = {ring.key: ring for ring in port.rings}
    out = []
    for ring in rings:
        other = told.pop(of_port(ring.key, told), None)
        if other is not None:
            ring = replace(
                other, key=ring.key, running=ring.running, waiting=ring.waiting,
                finished=ring.finished, busy_pct=ring.busy_pct, head=ring.head, tail=ring.tail,
            )  # fmt: skip
        out.append(ring)
    return out + list(told.values())


def with_entities(entities: list[Entity], port: Port) -> list[Entity]:
    """The entities of the events with what only the port knows; by ring, in order of picking."""
    told = {(entity.context, entity.ring): entity for entity in port.entities}
    out = []
    for entity in entities:
        other = told.pop((entity.context, entity.ring), None)
        if other is not None:
            entity = replace(
                other, client=entity.client, waiting=entity.waiting, running=entity.running,
                finished=entity.finished, oldest_ns=entity.oldest_ns, head=entity.head,
                blocked_on=entity.blocked_on or other.blocked_on, name=other.name or entity.name,
            )  # fmt: skip
        out.append(entity)
    out += told.values()
    rings = {ring.key: number for number, ring in enumerate(port.rings)}
    return sorted(
        out, key=lambda e: (rings.get(e.ring, len(rings)), e.place is None, e.place or 0)
    )


def with_fences(fences: list[Fence], port: Port) -> list[Fence]:
    """The fences of the events with what only the port knows."""
    told = {fence.key: fence for fence in port.fences}
    return [
        fence
        if (other := told.get(fence.key)) is None
        else replace(
            fence, refcount=other.refcount, callbacks=other.callbacks, error=other.error,
            driver=fence.driver or other.driver, timeline=fence.timeline or other.timeline,
        )
        for fence in fences
    ]  # fmt: skip


def with_jobs(jobs: list[Job], port: Port) -> list[Job]:
    """The jobs of the events with what only the port knows."""
    told: dict[JobKey, Job] = {job.key: job for job in port.jobs}
    return [
        job
        if (other := told.get(job.key)) is None
        else replace(job, credits=other.credits, karma=other.karma)
        for job in jobs
    ]
