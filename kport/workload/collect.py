# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Watching a run through its own trace events: when each job was queued, run and done.

The scheduler's events say everything there is to know of a job from outside: device, ring, fence
context and number, client. A collector registers for three of them while a kernel runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kport.arch.types import thread_info
from kport.drivers.compat_trace import watching_jobs
from kport.linux.tracepoint import tracepoint


@dataclass(slots=True)
class JobTimes:
    """One job; times in ns since boot, None for what has not happened."""

    context: int
    seqno: int
    dev: str
    ring: str
    client: int
    queued: int
    run: int | None = None
    done: int | None = None
    order: int = 0  # place in the order of runs, over all rings


class Collector:
    """The jobs of a kernel by (context, seqno) of their finished fence, in order of queueing."""

    def __init__(self) -> None:
        self.jobs: dict[tuple[int, int], JobTimes] = {}
        self.ran: list[JobTimes] = []

    def queued(
        self, tp: tracepoint, ti: thread_info, ts: int, values: tuple[Any, ...]
    ) -> None:
        """Probe of drm_sched_job_queue."""
        dev, context, seqno, ring, _, _, client = values
        self.jobs[context, seqno] = JobTimes(context, seqno, dev, ring, client, ts)

    def run(self, tp: tracepoint, ti: thread_info, ts: int, values: tuple[Any, ...]) -> None:
        """Probe of drm_sched_job_run."""
        job = self.jobs.get((values[1], values[2]))
        if job is not None:
            job.run = ts
            self.ran.append(job)

    def done(self, tp: tracepoint, ti: thread_info, ts: int, values: tuple[Any, ...]) -> None:
        """Probe of drm_sched_job_done."""
        job = self.jobs.get((values[0], values[1]))
        if job is not None:
            job.done = ts

    @contextmanager
    def watching(self) -> Iterator[Collector]:
        """Collect while the block runs."""
        with watching_jobs(self.queued, self.run, self.done):
            yield self
