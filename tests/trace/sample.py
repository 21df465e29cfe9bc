# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Traces made for tests: small ones by hand, and random ones of a toy scheduler."""

from __future__ import annotations

import random
from pathlib import Path

from kport.trace.bulk import Block, parsed_of
from kport.trace.events import Event
from kport.trace.ftrace import line
from kport.trace.model import Model
from kport.trace.snapshot import RingKey

US, MS = 1_000, 1_000_000
RECORDING = Path(__file__).parent.parent / "data" / "linux-7.2-kunit-basic-fifo.trace.xz"
DEV = "0000:03:00.0"
GFX, DMA = RingKey(DEV, "gfx"), RingKey(DEV, "sdma0")


class Trace:
    """Events as they are written down; `at` is the time in us, which every call may set."""

    def __init__(self):
        self.events = []
        self.at = 0

    def __call__(self, name, *values, at=None, comm="app", pid=7):
        self.at = self.at if at is None else at
        self.events.append(Event(self.at * US, comm, pid, 0, ".....", name, values))
        return self

    def queue(self, context, seqno, ring=GFX, depth=0, held=0, client=1, at=None):
        values = ring.dev, context, seqno, ring.ring, depth, held, client
        return self("drm_sched_job_queue", *values, at=at)

    def run(self, context, seqno, ring=GFX, depth=0, held=1, client=1, at=None):
        values = ring.dev, context, seqno, ring.ring, depth, held, client
        return self("drm_sched_job_run", *values, at=at, comm="kworker/u8:0")

    def done(self, context, seqno, at=None):
        return self("drm_sched_job_done", context, seqno, at=at)

    def depend(self, context, seqno, on, on_seqno, at=None):
        return self("drm_sched_job_add_dep", context, seqno, on, on_seqno, at=at)

    def look(self, context, seqno, on, on_seqno, at=None):
        return self("drm_sched_job_unschedulable", context, seqno, on, on_seqno, at=at)

    def fence(self, what, context, seqno, driver="drm_sched", at=None, comm="app"):
        return self(f"dma_fence_{what}", driver, "timeline", context, seqno, at=at, comm=comm)

    def model(self, upto=None):
        return model_of(self.events if upto is None else self.events[:upto])

    def write(self, path):
        path.write_text("".join(f"{line(event)}\n" for event in self.events))
        return str(path)


def model_of(events):
    model = Model()
    if events:
        model.add(Block([parsed_of(event) for event in events], events=list(events)))
    return model


def whole_life(trace, context=3, seqno=1, at=0):
    """A job with all its events, 10 us apart: from init of its fences to their destruction."""
    step = iter(range(at, at + 1000, 10))
    trace.fence("init", context - 1, seqno, at=next(step))
    trace.fence("init", context, seqno, at=next(step))
    trace.queue(context, seqno, at=next(step))
    trace.run(context, seqno, at=next(step))
    trace.fence("init", 900, seqno, "amdgpu", at=next(step), comm="kworker/u8:0")
    trace.fence("signaled", context - 1, seqno, at=next(step), comm="kworker/u8:0")
    trace.fence("enable_signal", 900, seqno, "amdgpu", at=next(step))
    trace.fence("signaled", 900, seqno, "amdgpu", at=next(step))
    trace.done(context, seqno, at=next(step))
    trace.fence("signaled", context, seqno, at=next(step))
    for number in (context, context - 1, 900):
        trace.fence("destroy", number, seqno, "detached-driver", at=next(step))
    return trace


def random_trace(seed, jobs=60, fences=True):
    """A toy scheduler: entities of two rings, dependencies, jobs that end out of order, kills."""
    rng = random.Random(seed)
    trace = Trace()
    waiting, running, over = [], [], []
    seqnos = dict.fromkeys(range(3, 13, 2), 0)
    while len(over) < jobs:
        trace.at += rng.choice((0, 0, 1, 3, 50))
        kind = rng.random()
        if kind < 0.4 and len(waiting) < 12:
            context = rng.choice(list(seqnos))
            seqnos[context] += 1
            job = context, seqnos[context], GFX if context < 9 else DMA
            if fences:
                trace.fence("init", context - 1, job[1])
                trace.fence("init", context, job[1])
            trace.queue(*job, client=context)
            for other in rng.sample(waiting + running, min(2, len(waiting + running))):
                if rng.random() < 0.3:
                    trace.depend(context, job[1], other[0], other[1])
            waiting.append(job)
        elif kind < 0.7 and waiting:
            job = waiting.pop(rng.randrange(len(waiting)))
            if rng.random() < 0.05:
                if fences:
                    trace.fence("signaled", job[0], job[1])  # killed
                    over.append(job)
                continue
            trace.run(*job, held=len(running) + 1, client=job[0])
            if fences:
                trace.fence("init", 900, job[1] * 100 + job[0], "hw", comm="kworker/u8:0")
                trace.fence("signaled", job[0] - 1, job[1], comm="kworker/u8:0")
            running.append(job)
        elif running:
            job = running.pop(rng.randrange(min(3, len(running))))
            if fences:
                trace.fence("signaled", 900, job[1] * 100 + job[0], "hw")
            trace.done(job[0], job[1])
            if fences:
                trace.fence("signaled", job[0], job[1])
                if rng.random() < 0.8:
                    trace.fence("destroy", job[0], job[1], "detached-driver")
            over.append(job)
        elif waiting and rng.random() < 0.2:
            trace.look(*waiting[0][:2], 77, rng.randrange(5))
    return trace
