# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""How long the stages of a job's life took, and percentiles of that.

    name      from                      to
    wait      queued                    run by the scheduler
    depend    queued                    its dependencies are clear
    pick      dependencies are clear    run by the scheduler
    run       run by the scheduler      done
    hw        run by the scheduler      the hardware's fence signals
    signal    done                      the finished fence signals
    free      the finished fence ...    ... is destroyed
    latency   queued                    the finished fence signals, or done
    pass      run by the scheduler      the finished fence signals, or done

A job counts where both ends of a stage are known, in the window in which the stage ended. Jobs that
were queued before the trace began have no `queued`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from kport.trace.history import NEVER, SHIFT, History, JobRecord, RingRecord
from kport.trace.snapshot import FenceKey, Stats

_NO_STATS = Stats()


def signalled_at(history: History, key: FenceKey, now: int) -> int:
    """The position at which a fence signalled; NEVER if it had not at position `now`."""
    fence = history.fence(key, now)
    if fence is not None:
        return fence.signalled if fence.signalled <= now else NEVER
    owner = history.owner(key, now)
    if owner is None:
        return NEVER
    job, role = owner
    at = job.run if role == "scheduled" else job.over
    return at if at <= now else NEVER


def ready_at(history: History, job: JobRecord, now: int) -> int:
    """The position at which the job's dependencies were clear; NEVER if they are not at `now`.

    These are the fences it was given, and those the scheduler found unsignalled on its way: kernels
    before 6.17 tell of the latter only.
    """
    at = NEVER if job.cut else job.queued
    for since, key in chain(job.depends or (), job.looks or ()):
        if since <= now:
            at = max(at, signalled_at(history, key, now))
    if job.run <= now:
        # Whatever the trace says of its fences: it ran. A signal may be a microsecond late in it.
        at = min(at, job.run) if at != NEVER or not job.cut else NEVER
    return at


def _end(job: JobRecord) -> int:
    return job.finished.signalled if job.finished is not None else job.over


def _free(job: JobRecord) -> tuple[int, int]:
    fence = job.finished
    return (fence.signalled, fence.freed) if fence is not None else (NEVER, NEVER)


def _queued(job: JobRecord) -> int:
    return NEVER if job.cut else job.queued


_Stage = Callable[[History, JobRecord], tuple[int, int]]

STAGES: dict[str, _Stage] = {
    "wait": lambda h, job: (_queued(job), job.run),
    "depend": lambda h, job: (_queued(job), ready_at(h, job, h.last)),
    "pick": lambda h, job: (ready_at(h, job, h.last), job.run),
    "run": lambda h, job: (job.run, job.over),
    "hw": lambda h, job: (job.run, job.parent.signalled if job.parent is not None else NEVER),
    "signal": lambda h, job: (job.done, _end(job)),
    "free": lambda h, job: _free(job),
    "latency": lambda h, job: (_queued(job), _end(job)),
    "pass": lambda h, job: (job.run, _end(job)),
}


def lengths(
    history: History, stage: str, jobs: Iterable[JobRecord], begin: int, end: int
) -> list[int]:
    """The stage's lengths in ns, sorted, of those jobs in which it ended in begin < p <= end."""
    measure = STAGES[stage]
    out = []
    for job in jobs:
        start, stop = measure(history, job)
        if begin < stop <= end and start != NEVER:
            out.append(max(0, (stop >> SHIFT) - (start >> SHIFT)))
    out.sort()
    return out


def percentile(ordered: Sequence[int], percent: float) -> int:
    """The nearest-rank percentile of sorted values, 0 for none."""
    if not ordered:
        return 0
    return ordered[max(1, int(-(-len(ordered) * percent // 100))) - 1]


def stats(ordered: Sequence[int]) -> Stats:
    """The Stats of sorted lengths."""
    if not ordered:
        return _NO_STATS
    return Stats(
        count=len(ordered),
        mean=sum(ordered) / len(ordered),
        p50=percentile(ordered, 50),
        p90=percentile(ordered, 90),
        p99=percentile(ordered, 99),
        max=ordered[-1],
    )


def candidates(
    history: History, begin: int, end: int, ring: RingRecord | None = None
) -> list[JobRecord]:
    """The jobs, of one ring or of all, that may have a stage that ended in begin < p <= end.

    A fence may be freed long after its job is over; jobs that were queued up to a second before the
    oldest one that was alive at `begin` are looked at.
    """
    known = history.jobs if ring is None else ring.queued
    last = bisect_right(known, end, key=_order)
    if begin < 0:
        return known[:last]
    alive, _ = history.alive(begin)
    oldest = min((job.queued for job in alive), default=begin)
    low = max(0, oldest - (1_000_000_000 << SHIFT))
    older = [job for job in alive if job.queued <= low and ring in (None, job.ring)]
    return older + known[bisect_right(known, low, key=_order) : last]


def _order(job: JobRecord) -> int:
    return job.queued
