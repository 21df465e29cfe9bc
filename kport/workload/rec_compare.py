# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Kernel against port: the figures of a recording, and of what the port made of it.

Both are counted in the same way. A wait is from the queue event to the run event; the makespan is
from the first queue event to the last done; a ring's `busy_pct` is its GPU time over the makespan,
an entity's `share_pct` its part of the GPU time of its rings. The kernel's done event carries no
error, so no recorded job counts as failed; one without a done event counts as cancelled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from kport.linux.err import ECANCELED, ESRCH
from kport.workload.collect import Collector, JobTimes
from kport.workload.rec_model import Job, Recording, Ring
from kport.workload.rec_player import Played
from kport.workload.result import EntityResult, Figures, JobCount, RingResult, Waits


def inversions(order: Sequence[int]) -> int:
    """Pairs of distinct numbers that stand in descending order, in O(n log n)."""
    if len(order) < 2:
        return 0
    work = list(order)
    count = 0
    width = 1
    while width < len(work):
        for start in range(0, len(work), 2 * width):
            middle = min(start + width, len(work))
            end = min(start + 2 * width, len(work))
            left, right = work[start:middle], work[middle:end]
            merged = []
            i = j = 0
            while i < len(left) and j < len(right):
                if left[i] <= right[j]:
                    merged.append(left[i])
                    i += 1
                else:
                    merged.append(right[j])
                    count += len(left) - i
                    j += 1
            work[start:end] = merged + left[i:] + right[j:]
        width *= 2
    return count


class _Row:
    """What was measured of one job."""

    __slots__ = ("gpu", "job", "wait")

    def __init__(self, job: Job, gpu: int, wait: int | None) -> None:
        self.job = job
        self.gpu = gpu
        self.wait = wait


def _waits(rows: Iterable[_Row]) -> Waits:
    return Waits.of([row.wait for row in rows if row.wait is not None])


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole > 0 else 0.0


def _fill(figures: Figures, recording: Recording, rows: list[_Row], span: int) -> None:
    """Rings and entities of figures from single jobs."""
    by_ring: defaultdict[Ring, list[_Row]] = defaultdict(list)
    by_entity = defaultdict(list)
    for row in rows:
        by_ring[row.job.ring].append(row)
        by_entity[row.job.entity].append(row)
    figures.makespan_s = round(span / 1e9, 6)
    gpu = {ring: sum(row.gpu for row in by_ring[ring]) for ring in recording.rings()}
    for ring in recording.rings():
        mine = by_ring[ring]
        figures.rings.append(
            RingResult(ring.dev, ring.name, len(mine), _percent(gpu[ring], span), _waits(mine))
        )
    for entity in recording.entities:
        mine = by_entity[entity]
        rings = list(dict.fromkeys(job.ring for job in entity.jobs))
        names = list(dict.fromkeys(ring.name for ring in rings))
        spent = sum(row.gpu for row in mine)
        figures.entities.append(
            EntityResult(
                context=entity.context,
                name=entity.name,
                client=str(entity.jobs[0].client),
                ring=f"{rings[0].dev} {'|'.join(names)}",
                jobs=len(mine),
                gpu_ms=round(spent / 1e6, 3),
                share_pct=_percent(spent, sum(gpu[ring] for ring in rings)),
                wait_us=_waits(mine),
            )
        )


def _span(begins: Iterable[int], ends: Iterable[int]) -> int:
    begin, end = min(begins, default=0), max(ends, default=0)
    return max(0, end - begin)


def recorded_figures(recording: Recording) -> Figures:
    """The kernel's figures."""
    jobs = recording.jobs
    finished = sum(job.done is not None for job in jobs)
    figures = Figures(JobCount(len(jobs), finished, 0, len(jobs) - finished))
    span = _span((job.arrival for job in jobs), (job.done for job in jobs if job.done is not None))
    _fill(figures, recording, [_Row(job, job.gpu_ns, job.wait_ns) for job in jobs], span)
    return figures


def port_figures(
    figures: Figures, recording: Recording, played: Mapping[Job, Played], seen: Collector
) -> None:
    """Fill in the port's figures, with the inversions of each ring."""
    times: dict[Job, JobTimes] = {}
    by_key: dict[tuple[int, int], Job] = {}
    rows = []
    count = figures.jobs = JobCount(submitted=len(played))
    for job, mine in played.items():
        by_key[mine.key] = job
        if mine.error == 0:
            count.finished += 1
        elif mine.error in (-ESRCH, -ECANCELED):
            count.cancelled += 1
        else:
            count.failed += 1
        entry = seen.jobs.get(mine.key)
        if entry is None:
            continue
        times[job] = entry
        wait = entry.run - entry.queued if entry.run is not None and job.seen else None
        rows.append(_Row(job, mine.gpu_ns, wait))
    span = _span(
        (entry.queued for entry in times.values()),
        (entry.done for entry in times.values() if entry.done is not None),
    )
    _fill(figures, recording, rows, span)
    order: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for entry in seen.ran:
        ran = by_key.get((entry.context, entry.seqno))
        if ran is not None and ran.started is not None:
            order[entry.dev, entry.ring].append(ran.started)
    for ring in figures.rings:
        ring.inversions = inversions(order[ring.dev, ring.ring])
