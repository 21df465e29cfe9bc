# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The life of jobs as the trace events of 7.2 tell it, whichever scheduler was booted.

6.1 has the same three events under other names, and they record pointers. A raw probe sees what the
scheduler passes to an event, so the numbers of the fences can be had all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kport.arch.types import thread_info
from kport.drivers import compat
from kport.drm.spsc_queue import spsc_queue_count
from kport.linux.atomic import atomic_read
from kport.linux.device import dev_name
from kport.linux.tracepoint import (
    Probe,
    raw_probe,
    tracepoint,
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)

Probes = list[tuple[tracepoint, raw_probe]]

_NAMES = {
    "drm_sched_job_queue": "drm_sched_job",
    "drm_sched_job_run": "drm_run_job",
    "drm_sched_job_done": "drm_sched_process_job",
}


def _job(job: Any, entity: Any) -> tuple[Any, ...]:
    """The values of the events of a job; there are no clients."""
    finished = job.s_fence.finished
    return (
        dev_name(job.sched.dev),
        finished.context,
        finished.seqno,
        job.sched.name,
        spsc_queue_count(entity.job_queue),
        atomic_read(job.sched.hw_rq_count),
        0,
    )


def told_as_of_7_2(note: Callable[[str, thread_info, int, tuple[Any, ...]], None]) -> Probes:
    """Probes for the events of the older schedulers, with the events they are for.

    They call `note` with name, thread, time and values of the event of 7.2.
    """

    def queue(tp: tracepoint, ti: thread_info, ts: int, args: tuple[Any, ...]) -> None:
        note("drm_sched_job_queue", ti, ts, _job(*args))

    def run(tp: tracepoint, ti: thread_info, ts: int, args: tuple[Any, ...]) -> None:
        note("drm_sched_job_run", ti, ts, _job(*args))

    def done(tp: tracepoint, ti: thread_info, ts: int, args: tuple[Any, ...]) -> None:
        finished = args[0].finished
        note("drm_sched_job_done", ti, ts, (finished.context, finished.seqno))

    def look(tp: tracepoint, ti: thread_info, ts: int, args: tuple[Any, ...]) -> None:
        job, fence = args
        finished = job.s_fence.finished
        values = finished.context, finished.seqno, fence.context, fence.seqno
        note("drm_sched_job_unschedulable", ti, ts, values)

    probes = {
        "drm_sched_job": queue,
        "drm_run_job": run,
        "drm_sched_process_job": done,
        "drm_sched_job_wait_dep": look,
    }
    return [(tracepoints[n], raw_probe(f)) for n, f in probes.items() if n in tracepoints]


def _converted(probe: Probe) -> raw_probe:
    """The raw probe of an old event that calls a probe of the new one."""

    def call(tp: tracepoint, ti: thread_info, ts: int, args: tuple[Any, ...]) -> None:
        fence = args[0]
        if len(args) == 1:
            probe(tp, ti, ts, (fence.finished.context, fence.finished.seqno))
        else:
            probe(tp, ti, ts, _job(*args))

    return raw_probe(call)


@contextmanager
def watching_jobs(queued: Probe, run: Probe, done: Probe) -> Iterator[None]:
    """Call the probes of drm_sched_job_queue, _run and _done while the block runs."""
    old = compat.scheduler != "v7_2"
    registered: list[tuple[tracepoint, Probe]] = []
    for (new, name), probe in zip(_NAMES.items(), (queued, run, done), strict=True):
        tp = tracepoints[name if old else new]
        made = _converted(probe) if old else probe
        tracepoint_probe_register(tp, made)
        registered.append((tp, made))
    try:
        yield
    finally:
        for tp, made in registered:
            tracepoint_probe_unregister(tp, made)
