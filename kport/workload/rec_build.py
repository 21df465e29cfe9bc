# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What was seen in a recording, event by event. `kport.workload.rec_derive` draws the conclusions.

Jobs are known by the context and number of their finished fence. What contradicts what was seen
before is noted and ignored: the first event of a kind is the one that counts.
"""

from __future__ import annotations

from collections import defaultdict
from sys import intern

from kport.trace.events import Event, Values
from kport.trace.reader import Notes
from kport.workload.rec_model import Entity, Job, Ring

Key = tuple[int, int]


class Seen:
    """Rings, entities and jobs as they appear, and what was said of fences.

    `depends` are the fences each job declared, `held` those it was really held back by, `signaled`
    the time and place of signals by the low 32 bits of context and number, `done` the jobs of a
    ring in the order in which they were done. A place is a number that counts events.
    """

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.begin: int | None = None
        self.end = 0
        self.rings: dict[tuple[str, str], Ring] = {}
        self.entities: dict[int, Entity] = {}
        self.jobs: dict[Key, Job] = {}
        self.depends: defaultdict[Job, dict[Key, None]] = defaultdict(dict)
        self.held: defaultdict[Job, dict[Key, None]] = defaultdict(dict)
        self.signaled: dict[Key, tuple[int, int]] = {}
        self.done: defaultdict[Ring, list[Job]] = defaultdict(list)
        self._place = 0
        self._feeders = {
            "drm_sched_job_queue": self._queue,
            "drm_sched_job_run": self._run,
            "drm_sched_job_done": self._done,
            "drm_sched_job_add_dep": self._add_dep,
            "drm_sched_job_unschedulable": self._unschedulable,
            "dma_fence_signaled": self._fence_signaled,
        }

    def feed(self, line: int, event: Event) -> None:
        """The next event, from that line of the file."""
        if self.begin is None:
            self.begin = event.ts
        self.end = event.ts
        feeder = self._feeders.get(event.name)
        if feeder is not None:
            self._place += 1
            feeder(line, event, event.values)

    def _job(self, line: int, values: Values) -> Job:
        context, seqno = int(values[1]), int(values[2])
        entity = self.entities.get(context)
        if entity is None:
            entity = self.entities[context] = Entity(context)
        ring = self._ring(str(values[0]), str(values[3]))
        job = self.jobs[context, seqno] = Job(entity, seqno, ring, int(values[6]), line=line)
        return job

    def _ring(self, dev: str, name: str) -> Ring:
        ring = self.rings.get((dev, name))
        if ring is None:
            ring = self.rings[dev, name] = Ring(dev, name)
        return ring

    def _queue(self, line: int, event: Event, values: Values) -> None:
        key = (int(values[1]), int(values[2]))
        if key in self.jobs:
            self.notes.add("queue events of jobs that had been queued or run, ignored", line)
            return
        job = self._job(line, values)
        job.comm, job.pid = intern(event.comm), event.pid
        job.queued = event.ts
        job.arrived = self._place

    def _run(self, line: int, event: Event, values: Values) -> None:
        key = (int(values[1]), int(values[2]))
        job = self.jobs.get(key)
        if job is None:
            self.notes.add("jobs run but never queued, taken to arrive just in time", line)
            job = self._job(line, values)
            job.seen = False
        elif job.run is not None or job.done is not None:
            self.notes.add("run events of jobs that had run or were done, ignored", line)
            return
        elif (job.ring.dev, job.ring.name) != (values[0], values[3]):
            self.notes.add("jobs run on another ring than they were queued to", line)
            job.ring = self._ring(str(values[0]), str(values[3]))
        job.run = event.ts
        job.started = self._place
        job.hw_count = int(values[5])

    def _done(self, line: int, event: Event, values: Values) -> None:
        job = self.jobs.get((int(values[0]), int(values[1])))
        if job is None:
            self.notes.add("done events of jobs never seen, ignored", line)
            return
        if job.done is not None:
            self.notes.add("jobs done a second time, ignored", line)
            return
        if job.run is None:
            self.notes.add("jobs done but never run, taken to run when they can", line)
        job.done = event.ts
        job.ended = self._place
        self.done[job.ring].append(job)

    def _add_dep(self, line: int, event: Event, values: Values) -> None:
        job = self.jobs.get((int(values[0]), int(values[1])))
        if job is None:
            self.notes.add("dependencies of jobs never seen, ignored", line)
        else:
            self.depends[job][int(values[2]), int(values[3])] = None

    def _unschedulable(self, line: int, event: Event, values: Values) -> None:
        job = self.jobs.get((int(values[0]), int(values[1])))
        if job is not None:
            self.held[job][int(values[2]), int(values[3])] = None

    def signal(self, context: int, seqno: int) -> tuple[int, int] | None:
        """When and at which place a fence signalled, if that was recorded."""
        return self.signaled.get((context & 0xFFFFFFFF, seqno & 0xFFFFFFFF))

    def _fence_signaled(self, line: int, event: Event, values: Values) -> None:
        self.signaled.setdefault((int(values[2]), int(values[3])), (event.ts, self._place))
