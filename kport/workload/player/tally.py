# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Accounting: what became of each job, and the figures of entities, rings and clients.

A client registers a job under the number its finished fence will have, just before it submits it.
The scheduler's trace events fill in when it was queued, run and done; the driver's callback, when
the job is freed, closes the account. What is kept of a closed job is a few numbers, so memory
grows by some ten bytes a job. One lock guards the sums; it is taken once per job, and once more at
the end of an iteration.
"""

from __future__ import annotations

import threading
from array import array
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kport.arch.types import thread_info
from kport.drivers.compat_trace import watching_jobs
from kport.hw.batch import Batch
from kport.linux.err import ECANCELED, ESRCH
from kport.linux.tracepoint import tracepoint
from kport.workload.result import JobCount, Run

KEPT_RUNS = 4096  # the last batches, for the picture of their order


class Figures:
    """Sums of jobs: how many, their GPU time in ns, and how long each waited, in ns."""

    __slots__ = ("gpu", "jobs", "waits")

    def __init__(self) -> None:
        self.jobs = 0
        self.gpu = 0
        self.waits = array("q")


class EntityFigures(Figures):
    """The figures of one entity; `context` is that of its finished fences."""

    __slots__ = ("client", "context", "name", "rings")

    def __init__(self, name: str, client: int, context: int, rings: tuple[str, ...]) -> None:
        super().__init__()
        self.name = name
        self.client = client
        self.context = context
        self.rings = rings


class Iteration:
    """One pass of a client through its steps, until its last job has ended."""

    __slots__ = ("begin", "client", "last", "left", "whole")

    def __init__(self, client: int, begin: int) -> None:
        self.client = client
        self.begin = begin
        self.left = 1  # its jobs that have not ended, and the pass itself
        self.last = begin
        self.whole = True


class Job:
    """An open account; times in ns since boot, None for what has not happened."""

    __slots__ = ("batch", "done", "entity", "iteration", "place", "queued", "ring", "run")

    def __init__(
        self, entity: EntityFigures, iteration: Iteration, batch: Batch, place: str
    ) -> None:
        self.entity = entity
        self.iteration = iteration
        self.batch = batch
        self.place = place
        self.ring = ""
        self.queued = 0
        self.run: int | None = None
        self.done: int | None = None


class Tally:
    """The accounts of a run.

    `errors` counts failed jobs by client, place of the step and error; `first` is when the first
    job was queued and `last` when the last one was done, in ns since boot. `lost` counts the jobs
    that ended with an error and were not killed, up to the moment when what is left is `cutting`
    short.
    """

    def __init__(self, rings: tuple[str, ...]) -> None:
        self.jobs: dict[tuple[int, int], Job] = {}
        self.count = JobCount()
        self.rings = {ring: Figures() for ring in rings}
        self.entities: list[EntityFigures] = []
        self.latencies: dict[int, array[int]] = {}
        self.runs: deque[Run] = deque(maxlen=KEPT_RUNS)
        self.errors: dict[tuple[int, str, int], int] = {}
        self.lost = 0
        self.cutting = False
        self.first = 0
        self.last = 0
        self._lock = threading.Lock()

    # -- the clients' side ---------------------------------------------------------------------

    def add_client(self, client: int) -> None:
        """Begin the account of a client."""
        with self._lock:
            self.latencies[client] = array("q")

    def add_entity(self, entity: EntityFigures) -> None:
        """Begin the account of an entity."""
        with self._lock:
            self.entities.append(entity)

    def open(self, context: int, seqno: int, job: Job) -> None:
        """A job with this finished fence is about to be submitted."""
        with self._lock:
            self.count.submitted += 1
            job.entity.jobs += 1
            job.iteration.left += 1
        self.jobs[context, seqno] = job

    def end_iteration(self, iteration: Iteration) -> None:
        """The client has gone through all steps; jobs may still be under way."""
        with self._lock:
            self._ended(iteration)

    # -- the scheduler's side ------------------------------------------------------------------

    def queued(self, tp: tracepoint, ti: thread_info, ts: int, values: tuple[Any, ...]) -> None:
        """Probe of drm_sched_job_queue."""
        job = self.jobs.get((values[1], values[2]))
        if job is not None:
            job.queued = ts

    def run(self, tp: tracepoint, ti: thread_info, ts: int, values: tuple[Any, ...]) -> None:
        """Probe of drm_sched_job_run."""
        job = self.jobs.get((values[1], values[2]))
        if job is not None:
            job.ring = values[3]
            job.run = ts

    def done(self, tp: tracepoint, ti: thread_info, ts: int, values: tuple[Any, ...]) -> None:
        """Probe of drm_sched_job_done."""
        job = self.jobs.get((values[0], values[1]))
        if job is not None:
            job.done = ts

    def freed(self, key: tuple[int, int], error: int) -> None:
        """The driver's callback: the job is over, with 0 or a negative error."""
        job = self.jobs.pop(key)
        with self._lock:
            self._close(job, error)

    def _close(self, job: Job, error: int) -> None:
        iteration = job.iteration
        self.first = min(self.first or job.queued, job.queued)
        if error == 0:
            self.count.finished += 1
        elif error in (-ESRCH, -ECANCELED):
            self.count.cancelled += 1
            iteration.whole = False
        else:
            self.count.failed += 1
            iteration.whole = False
            key = (iteration.client, job.place, error)
            self.errors[key] = self.errors.get(key, 0) + 1
        self.lost += error not in (0, -ESRCH) and not self.cutting
        if job.run is not None:
            self._account(job, job.run)
        if job.done is not None:
            iteration.last = max(iteration.last, job.done)
            self.last = max(self.last, job.done)
        self._ended(iteration)

    def _account(self, job: Job, run: int) -> None:
        began, ended = job.batch.began, job.batch.ended
        gpu = ended - began if began is not None and ended is not None else 0
        ring = self.rings[job.ring]
        ring.jobs += 1
        for figures in (ring, job.entity):
            figures.waits.append(run - job.queued)
            figures.gpu += gpu
        if began is not None and ended is not None:
            self.runs.append(Run(job.ring, job.iteration.client, began, ended))

    def _ended(self, iteration: Iteration) -> None:
        iteration.left -= 1
        if iteration.left == 0 and iteration.whole:
            latencies = self.latencies[iteration.client]
            latencies.append(iteration.last - iteration.begin)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Listen to the scheduler while the block runs."""
        with watching_jobs(self.queued, self.run, self.done):
            yield
