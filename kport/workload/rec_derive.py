# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""From what was seen to a recording that can be played.

A recording is a window. Jobs were under way when it opened and others when it closed, and where the
kernel lost events there is a hole in the middle. Whatever is left makes a recording that can be
played; each kind of repair is counted and becomes one warning:

- run without queue: the job arrived at the latest moment that fits, its run or the arrival of the
  next job of its entity;
- queue without run: if later jobs of the entity ran, the run was lost and the job takes no GPU time
  of its own; if none did, the entity was killed (or the recording ended) and the job is cancelled;
- run without done: the job ends with the recording, or if later ones of its ring were done, its
  time is in theirs;
- done without run: GPU time counts from the arrival; done of a job never seen, or twice: ignored.

Dependencies are the business of `kport.workload.rec_depend`.
"""

from __future__ import annotations

from operator import attrgetter

from kport.trace.source import TraceError
from kport.workload.rec_build import Seen
from kport.workload.rec_credits import find_credits
from kport.workload.rec_depend import add_dependencies
from kport.workload.rec_model import Device, Entity, Recording, Ring

RINGS_MAX = 256  # each has threads

_NEVER = 1 << 80


def derive(seen: Seen, name: str) -> Recording:
    """The recording. Raises TraceError if there is nothing to play, or too much."""
    if not seen.jobs:
        raise TraceError(
            0,
            "no job is queued or run in this recording",
            "record drm_sched_job_queue and _run",
        )
    if len(seen.rings) > RINGS_MAX:
        raise TraceError(
            0,
            f"{len(seen.rings)} rings, at most {RINGS_MAX} can be played",
            "cut the recording",
        )
    for job in seen.jobs.values():
        job.entity.jobs.append(job)
    for entity in seen.entities.values():
        _arrivals(seen, entity)
        _cancelled(seen, entity)
        _moves(seen, entity)
    jobs = sorted(
        seen.jobs.values(),
        key=lambda job: (job.arrival, job.seen, job.line if job.seen else job.seqno),
    )
    for index, job in enumerate(jobs):
        job.index = index
        job.ring.jobs.append(job)
    rings = [ring for ring in seen.rings.values() if ring.jobs]
    for ring in rings:
        _gpu_times(seen, ring)
        find_credits(ring)
    add_dependencies(seen, jobs)
    return Recording(
        name=name,
        devices=_devices(rings),
        entities=sorted(seen.entities.values(), key=lambda entity: entity.jobs[0].index),
        jobs=jobs,
        begin=seen.begin or 0,
        end=seen.end,
        warnings=seen.notes.texts(),
    )


def _arrivals(seen: Seen, entity: Entity) -> None:
    """Give the jobs without a queue event a time, then put all in order of arrival."""
    entity.jobs.sort(key=attrgetter("seqno"))
    latest = _NEVER
    for job in reversed(entity.jobs):
        if job.queued is None:
            assert job.run is not None
            job.queued = min(job.run, latest)
        latest = min(latest, job.queued)
    entity.jobs.sort(key=lambda job: (job.arrival, job.seen, job.line if job.seen else job.seqno))


def _cancelled(seen: Seen, entity: Entity) -> None:
    """The jobs at the end that never ran were thrown away; those before them did run."""
    jobs = entity.jobs
    ran = len(jobs)
    while ran and jobs[ran - 1].run is None and jobs[ran - 1].done is None:
        ran -= 1
    for job in jobs[:ran]:
        if job.run is None and job.done is None:
            seen.notes.add(
                "jobs never run though later ones of their entity were, taken to need no time",
                job.line,
            )
    if ran == len(jobs):
        return
    signals = {job: seen.signal(entity.context, job.seqno) for job in jobs[ran:]}
    times = [signal[0] for signal in signals.values() if signal is not None]
    killed = entity.killed = max(min(times, default=seen.end), jobs[-1].arrival)
    for job, signal in signals.items():
        job.cancelled = True
        seen.notes.add("jobs queued but never run, cancelled here too", job.line)
        if signal is not None and signal[0] >= killed:
            job.ended = signal[1]


def _moves(seen: Seen, entity: Entity) -> None:
    """An entity changes its ring only while it has nothing under way."""
    ring: Ring | None = None
    busy_until = -1
    for job in entity.jobs:
        if ring is not None and job.ring is not ring and busy_until >= job.arrival:
            seen.notes.add(
                "jobs on another ring while their entity is busy, kept on the old one", job.line
            )
            job.ring = ring
        ring = job.ring
        busy_until = max(busy_until, _NEVER if job.done is None else job.done)


def _gpu_times(seen: Seen, ring: Ring) -> None:
    """Each job has the hardware from its run or the previous done on, up to its own done."""
    previous = 0
    last_started = -1
    for job in seen.done[ring]:
        assert job.done is not None
        begin = job.arrival if job.run is None else job.run
        job.gpu_ns = max(0, job.done - max(begin, previous))
        previous = job.done
        if job.started is not None:
            last_started = max(last_started, job.started)
    for job in ring.jobs:
        if job.run is not None and job.done is None:
            seen.notes.add("jobs run but never done", job.line)
            if job.started is not None and job.started > last_started:
                job.gpu_ns = max(0, seen.end - max(job.run, previous))
                previous = seen.end


def _devices(rings: list[Ring]) -> list[Device]:
    devices: dict[str, Device] = {}
    for ring in rings:
        devices.setdefault(ring.dev, Device(ring.dev)).rings.append(ring)
    return list(devices.values())
