# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What is measured of a scheduler while a workload plays on it.

The trace events say which job was queued, run and done, and in which thread; calls that the
scheduler's code makes are counted where they leave its module. Runs are on the machine virt, in one
thread, so plain counters do.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kport.arch.api import Machine
from kport.arch.types import thread_info
from kport.drivers.compat import package
from kport.linux.tracepoint import (
    raw_probe,
    tracepoint,
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)
from kport.workload.eras import probes_inside, probes_order, probes_time
from kport.workload.eras.calls import counted
from kport.workload.eras.probe import Facts, Finding, Measure, finding, seen
from kport.workload.player.plan import Plan
from kport.workload.player.play import Progress, play
from kport.workload.result import Result

_QUEUED = ("drm_sched_job_queue", "drm_sched_job")
_RUN = ("drm_sched_job_run", "drm_run_job")
CALLS = (
    "drm_sched_select_entity",
    "wake_up_interruptible",
    "queue_work",
    "queue_delayed_work",
    "mod_delayed_work",
)


class Meter:
    """The counts of one run. `overtaking`: jobs that ran before one that was queued earlier."""

    def __init__(self, sched: str) -> None:
        self.sched = sched
        self.events: Counter[str] = Counter()
        self.threads: set[str] = set()
        self.jobs = 0
        self.overtaking = 0
        self.calls: Counter[str] = Counter()
        self._waiting: dict[str, dict[tuple[int, int], None]] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count while the block runs, which boots a kernel with this scheduler."""
        probe = raw_probe(self._event)
        module = package(self.sched).sched_main
        ours = [tp for tp in tracepoints.values() if tp.system == "gpu_scheduler"]
        for tp in ours:
            tracepoint_probe_register(tp, probe)
        try:
            with counted(module, *CALLS) as self.calls:
                yield
        finally:
            for tp in ours:
                tracepoint_probe_unregister(tp, probe)

    def _event(self, tp: tracepoint, ti: thread_info, ts: int, args: tuple[Any, ...]) -> None:
        self.events[tp.name] += 1
        if tp.name in _QUEUED:
            waiting = self._waiting.setdefault(args[0].sched.name, {})
            waiting[self._number(args[0])] = None
        elif tp.name in _RUN:
            self._run(args[0], ti.name)

    @staticmethod
    def _number(job: Any) -> tuple[int, int]:
        finished = job.s_fence.finished
        return finished.context, finished.seqno

    def _run(self, job: Any, thread: str) -> None:
        self.jobs += 1
        waiting = self._waiting[job.sched.name]
        number = self._number(job)
        self.overtaking += next(iter(waiting)) != number
        del waiting[number]
        self.threads.add("a kworker" if thread.startswith("kworker/") else thread)


# -- what is made of it --------------------------------------------------------------------------


def _per_job(count: int, meter: Meter) -> float:
    return round(count / meter.jobs, 2) if meter.jobs else 0.0


def _order(meter: Meter, result: Result) -> Facts:
    return {"jobs": meter.jobs, "overtaking": meter.overtaking}


def _frames(meter: Meter, result: Result) -> Facts:
    """By workload: the clients of one are numbered behind its name."""
    late: Counter[str] = Counter()
    for client in result.clients:
        if client.periods:
            late[client.name.rpartition("-")[0]] += client.dropped
    return dict(late)


def _threads(meter: Meter, result: Result) -> Facts:
    return {"threads": sorted(meter.threads)}


def _events(meter: Meter, result: Result) -> Facts:
    return dict(sorted(meter.events.items()))


def _calls(meter: Meter, result: Result) -> Facts:
    told = meter.calls["queue_work"] or meter.calls["wake_up_interruptible"]
    return {
        "told_per_job": _per_job(told, meter),
        "looked_per_job": _per_job(meter.calls["drm_sched_select_entity"], meter),
    }


def _timer(meter: Meter, result: Result) -> Facts:
    started = meter.calls["queue_delayed_work/true"] + meter.calls["mod_delayed_work"]
    return {"set_per_job": _per_job(started, meter)}


MEASURES: list[tuple[Callable[[Meter, Result], Facts], Measure]] = [
    (
        _order,
        Measure(
            "order",
            "Jobs that ran before one that was queued earlier on their ring.",
            lambda f: f"{f['overtaking']} of {f['jobs']}",
            probes_order.TURNS.reasons,
        ),
    ),
    (
        _frames,
        Measure(
            "late-frames",
            "Periods of the clients of each workload that came too late.",
            lambda f: ", ".join(f"{name} {late}" for name, late in f.items()) or "nobody has any",
            probes_order.TURNS.reasons,
        ),
    ),
    (
        _threads,
        Measure(
            "threads",
            "The threads that handed jobs to the hardware.",
            lambda f: ", ".join(f["threads"]) or "none",
            probes_inside.WHO.reasons,
        ),
    ),
    (
        _calls,
        Measure(
            "wake-ups-per-job",
            "How often the scheduler was told of work, and looked for an entity, per job.",
            lambda f: f"told {f['told_per_job']:.2f} times, looked {f['looked_per_job']:.2f} times",
            probes_time.CALLS.reasons,
        ),
    ),
    (
        _timer,
        Measure(
            "timer-starts",
            "How often the timeout was started or put off, per job.",
            lambda f: f"{f['set_per_job']:.2f} times",
            probes_time.TIMEOUT.reasons,
        ),
    ),
    (
        _events,
        Measure(
            "events",
            "Trace events of the scheduler.",
            lambda f: ", ".join(f"{count} x {name}" for name, count in f.items()) or "none",
            probes_inside.EVENTS.reasons,
        ),
    ),
]


class Measured:
    """A workload on one scheduler: its figures and the counts."""

    def __init__(self, result: Result, meter: Meter) -> None:
        self.result = result
        self.meter = meter

    @property
    def problems(self) -> list[str]:
        """Why the figures may not be trusted."""
        leaks = [f"{self.result.leaks} objects leaked"] if self.result.leaks else []
        return leaks + self.result.warnings


def measure(
    plan: Plan,
    machine: Machine,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Measured:
    """Play the plan on a machine, which must be virt. Raises KernelOops if kernel code failed."""
    meter = Meter(plan.sched)
    with meter.watching():
        result = play(plan, progress=progress, stop=stop, machine=machine)
    return Measured(result, meter)


def findings(runs: list[Measured]) -> list[Finding]:
    """What a workload has shown on each scheduler."""
    return [
        finding(
            each, [seen(each, run.meter.sched, facts(run.meter, run.result), []) for run in runs]
        )
        for facts, each in MEASURES
    ]
