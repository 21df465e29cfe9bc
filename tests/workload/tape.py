# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Recordings made by hand, event by event, for tests. Times are in ms."""

from __future__ import annotations

from pathlib import Path

from kport.trace import ftrace
from kport.trace.events import Event
from kport.workload.recording import Recording, load

MS = 1_000_000


class Tape:
    """Collects events; `load()` makes a file of them and loads it.

    A job is (context, seqno) and lies on `ring` of `dev`; `used` is what its run event prints as
    the credits in use, by default the number of jobs that run then.
    """

    def __init__(self, dev="gpu", ring="gfx"):
        self.dev = dev
        self.ring = ring
        self.events = []
        self._used = {}
        self._ring_of = {}

    def add(self, ms, name, *values, comm="app", pid=100, cpu=0):
        self.events.append(Event(int(ms * MS), comm, pid, cpu, ".....", name, values))

    def queue(self, ms, job, *depends, ring=None, dev=None, comm="app", pid=100, client=1):
        place = (dev or self.dev, ring or self.ring)
        used = self._used.get(place, 0)
        values = (place[0], *job, place[1], 0, used, client)
        self.add(ms, "drm_sched_job_queue", *values, comm=comm, pid=pid)
        for fence in depends:
            self.add(ms, "drm_sched_job_add_dep", *job, *fence, comm=comm, pid=pid)

    def run(self, ms, job, ring=None, dev=None, used=None):
        place = (dev or self.dev, ring or self.ring)
        self._ring_of[job] = place
        self._used[place] = self._used.get(place, 0) + 1
        used = self._used[place] if used is None else used
        values = (place[0], *job, place[1], 0, used, 1)
        self.add(ms, "drm_sched_job_run", *values, comm="kworker/u8:0", pid=11)

    def done(self, ms, job):
        place = self._ring_of.get(job)
        if place:
            self._used[place] -= 1
        self.add(ms, "drm_sched_job_done", *job, comm="<idle>", pid=0)

    def held(self, ms, job, fence):
        self.add(ms, "drm_sched_job_unschedulable", *job, *fence, comm="kworker/u8:0", pid=11)

    def signaled(self, ms, fence):
        context, seqno = fence
        self.add(ms, "dma_fence_signaled", "x", "y", context & 0xFFFFFFFF, seqno & 0xFFFFFFFF)

    def job(self, queued, run, done, job, *depends, **place):
        """A whole job. Later events may be added before: the file is sorted by time."""
        self.queue(queued, job, *depends, **place)
        place = {key: value for key, value in place.items() if key in ("dev", "ring")}
        self.run(run, job, **place)
        self.done(done, job)

    def write(self, path: Path) -> str:
        ftrace.write(str(path), self.events, cpus=2)
        return str(path)

    def load(self, tmp_path: Path) -> Recording:
        return load(self.write(tmp_path / "tape"))


def job_of(recording, context, seqno):
    """The job with that finished fence."""
    for job in recording.jobs:
        if (job.entity.context, job.seqno) == (context, seqno):
            return job
    raise LookupError((context, seqno))
