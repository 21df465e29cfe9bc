# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Probes of how it is done: threads, stopping, fences, and what a trace shows of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kport.arch.types import thread_info
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_put,
    dma_fence_set_deadline,
    dma_fence_signal,
)
from kport.drivers.compat import (
    DRM_SCHED_PRIORITY_HIGH,
    DRM_SCHED_PRIORITY_KERNEL,
    DRM_SCHED_PRIORITY_LOW,
    DRM_SCHED_PRIORITY_NORMAL,
    drm_sched_start,
    drm_sched_wqueue_start,
    drm_sched_wqueue_stop,
)
from kport.linux.init import Kernel
from kport.linux.kref import kref_read
from kport.linux.ktime import NSEC_PER_MSEC, ktime_get
from kport.linux.sched import SCHED_FIFO, TASK_PARKED, current, tasks
from kport.linux.tracepoint import (
    tracepoint,
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)
from kport.linux.xarray import xa_for_each
from kport.workload.eras.place import At
from kport.workload.eras.probe import Facts, Probe, Reason
from kport.workload.eras.ring import Job, Ring, era, new_fence, rest

# -- who runs the jobs ---------------------------------------------------------------------------


def _runner() -> str:
    """The current thread: its name without numbers of workers, and its policy."""
    task = current()
    name = "a kworker" if task.comm.startswith("kworker/") else f"thread {task.comm}"
    return f"{name}, {'SCHED_FIFO' if task.policy == SCHED_FIFO else 'SCHED_NORMAL'}"


def _who() -> Facts:
    ring, other = Ring(name="ring0"), Ring(name="ring1")
    by: dict[str, str] = {}
    ring.on_run = lambda job: by.update(run=_runner())
    ring.on_free = lambda job: by.update(free=_runner())
    ring.submit(ring.entity(), "J")
    ring.drain()
    own = sum(task.comm in ("ring0", "ring1") for task in list(tasks.values()))
    facts = {"rings": 2, "threads": own, **by}
    ring.close()
    other.close()
    return facts


WHO = Probe(
    "who",
    "Two rings; who calls run_job(), and how many threads are the rings' own.",
    _who,
    lambda f: f"{f['run']}; {f['threads']} threads for {f['rings']} rings",
    {
        "v6_1": Reason(
            "starts a real-time thread for each ring",
            At("sched_main", "drm_sched_init", "kthread_run("),
        ),
        "v3_2023": Reason(
            "has a work item for each ring, which whatever worker is free runs",
            At("sched_main", "drm_sched_init", "INIT_WORK("),
        ),
        "v7_2": Reason(
            "has two work items for each ring, on an ordered workqueue",
            At("sched_main", "drm_sched_init", "INIT_WORK(sched.work_run_job"),
        ),
    },
)

# -- stop and start ------------------------------------------------------------------------------


def _stopped(sched: Any) -> str:
    """How a scheduler that is stopped shows it."""
    thread = getattr(sched, "thread", None)
    if thread is not None:
        return "its thread is parked" if thread._state == TASK_PARKED else "its thread runs"
    return "pause_submit is set" if sched.pause_submit else "nothing shows it"


def _stop() -> Facts:
    ring = Ring(limit=3)
    entity = ring.entity()
    jobs = [ring.submit(entity, f"J{number}") for number in range(6)]
    rest()
    drm_sched_wqueue_stop(ring.sched)
    for job in jobs[:3]:
        job.complete()
    rest()
    before = len(ring.log)
    state = _stopped(ring.sched)
    drm_sched_wqueue_start(ring.sched)
    rest()
    then = ring.log[before:]
    ran = next(place for place, line in enumerate(then) if line.startswith("run "))
    facts = {"state": state, "freed_first": ran}
    ring.close()
    return facts


STOP = Probe(
    "stop-and-start",
    "Stopped with three jobs on the hardware, which end, and three in the queue.",
    _stop,
    lambda f: f"{f['state']}; then freed before the next one ran: {f['freed_first']}",
    {
        "v6_1": Reason(
            "parks its thread, and the thread frees all it can before it runs a job",
            At("sched_main", "drm_sched_main", "drm_sched_get_cleanup_job("),
        ),
        "v3_2023": Reason(
            "cancels its item, and the item frees one job and runs one, again and again",
            At("sched_main", "drm_sched_main", "drm_sched_get_cleanup_job("),
        ),
        "v7_2": Reason(
            "cancels its items, and queues the one that runs a job first again",
            At("sched_main", "drm_sched_wqueue_start", "sched.work_run_job"),
        ),
    },
)


def _stop_twice() -> Facts:
    ring = Ring()
    rest()
    for _ in range(2):
        era().sched_main.drm_sched_stop(ring.sched, None)
    drm_sched_start(ring.sched, 0)
    job = ring.submit(ring.entity(), "J")
    rest()
    facts = {"ran": len(ring.did("run"))}
    job.complete()
    ring.close()
    return facts


def _count_warnings(facts: Facts, kernel: Kernel) -> None:
    facts["warnings"] = len(kernel.warnings())


STOP_TWICE = Probe(
    "stop-twice",
    "drm_sched_stop() twice, as when two rings time out together; start() once.",
    _stop_twice,
    lambda f: f"warnings: {f['warnings']}; the next job {'ran' if f['ran'] else 'did not run'}",
    {
        "v6_1": Reason(
            "must not park a thread that is parked",
            At("sched_main", "drm_sched_stop", "kthread_park("),
        ),
        "v3_2023": Reason(
            "only sets a flag and cancels, which may be done again",
            At("sched_main", "drm_sched_stop", "drm_sched_submit_stop("),
        ),
        "v7_2": Reason(
            "only sets a flag and cancels, which may be done again",
            At("sched_main", "drm_sched_wqueue_stop", "pause_submit"),
        ),
    },
    after=_count_warnings,
)

# -- fences --------------------------------------------------------------------------------------


def _parent() -> Facts:
    ring = Ring()
    drm_sched_wqueue_stop(ring.sched)
    job = ring.submit(ring.entity(), "J")
    s_fence = job.base.s_fence
    seen: list[bool] = []

    def scheduled(fence: dma_fence, cb: dma_fence_cb) -> None:
        seen.append(s_fence.parent is not None)

    dma_fence_add_callback(s_fence.scheduled, dma_fence_cb(), scheduled)
    drm_sched_wqueue_start(ring.sched)
    rest()
    facts = {"parent_known": seen[0]}
    ring.close()
    return facts


PARENT = Probe(
    "scheduled-and-parent",
    "What a callback of the scheduled fence finds of the hardware fence.",
    _parent,
    lambda f: "it is there" if f["parent_known"] else "none yet",
    {
        "v6_1": Reason(
            "signals the scheduled fence, then stores the hardware fence",
            At("sched_main", "drm_sched_main", "drm_sched_fence_scheduled("),
        ),
        "v7_2": Reason(
            "stores the hardware fence first",
            At("sched_fence", "drm_sched_fence_scheduled", "drm_sched_fence_set_parent("),
        ),
    },
)


def _dependencies() -> Facts:
    ring = Ring()
    needs = [new_fence() for _ in range(3)]
    kept: list[int] = []

    def run(job: Job) -> None:
        kept.append(sum(1 for _ in xa_for_each(job.base.dependencies)))

    ring.on_run = run
    ring.submit(ring.entity(), "J", needs=needs)
    for fence in needs:
        rest()
        dma_fence_signal(fence)
    rest()
    facts = {"needs": len(needs), "kept": kept[0]}
    ring.close()
    for fence in needs:
        dma_fence_put(fence)
    return facts


DEPENDENCIES = Probe(
    "dependencies",
    "A job waited for three fences; how many it still holds when it runs.",
    _dependencies,
    lambda f: f"{f['kept']} of {f['needs']}",
    {
        "v6_1": Reason(
            "takes each fence out of the job to wait for it",
            At("sched_entity", "drm_sched_job_dependency", "xa_erase("),
        ),
        "v7_2": Reason(
            "only counts on, so that the job can wait for all of them again",
            At("sched_entity", "drm_sched_job_dependency", "xa_load("),
        ),
    },
)


def _deadline() -> Facts:
    reached: list[int] = []
    ring = Ring(set_deadline=lambda fence, deadline: reached.append(deadline))
    job = ring.submit(ring.entity(), "J")
    rest()
    dma_fence_set_deadline(job.finished, ktime_get() + 5 * NSEC_PER_MSEC)
    facts = {"reached": len(reached)}
    ring.close()
    return facts


DEADLINE = Probe(
    "deadline",
    "Somebody sets a deadline on the finished fence of a job that runs.",
    _deadline,
    lambda f: "the hardware fence is told" if f["reached"] else "nobody is told",
    {
        "v6_1": Reason(
            "has no such callback for its fences",
            At("sched_fence", "drm_sched_fence_init", "drm_sched_fence_ops_finished"),
        ),
        "v7_2": Reason(
            "passes it on to the hardware fence",
            At("sched_fence", "drm_sched_fence_set_deadline_finished", "dma_fence_set_deadline("),
        ),
    },
)


def _reference() -> Facts:
    ring = Ring()
    job = ring.submit(ring.entity(), "J")
    rest()
    facts = {"references": kref_read(job.hw.refcount) - 1}
    ring.close()
    return facts


REFERENCE = Probe(
    "run_job-reference",
    "run_job() returns a fence with a reference; how many are held while it runs.",
    _reference,
    lambda f: f"{f['references']} beside the driver's own",
    {
        "v6_1": Reason(
            "takes one and drops the one it was given",
            At("sched_main", "drm_sched_main", "dma_fence_put("),
        ),
        "v7_2": Reason(
            "takes one and drops the one it was given",
            At("sched_main", "drm_sched_run_job_work", "dma_fence_put("),
        ),
    },
)

# -- names and numbers ---------------------------------------------------------------------------


@contextmanager
def events() -> Iterator[list[tuple[str, tuple[str, ...]]]]:
    """The events of the scheduler while the block runs: name and names of the fields."""
    seen: list[tuple[str, tuple[str, ...]]] = []

    def probe(tp: tracepoint, ti: thread_info, ts: int, values: tuple[Any, ...]) -> None:
        seen.append((tp.name, tp.cls.fields))

    ours = [tp for tp in tracepoints.values() if tp.system == "gpu_scheduler"]
    for tp in ours:
        tracepoint_probe_register(tp, probe)
    try:
        yield seen
    finally:
        for tp in ours:
            tracepoint_probe_unregister(tp, probe)


def _events() -> Facts:
    ring = Ring()
    fence = new_fence()
    with events() as seen:
        ring.submit(ring.entity(), "J", needs=[fence])
        rest()
        dma_fence_signal(fence)
        rest()
        ring.drain()
    names = [name for name, _ in seen]
    run = next(fields for name, fields in seen if name in ("drm_run_job", "drm_sched_job_run"))
    facts = {"events": names, "fields_of_run": list(run)}
    ring.close()
    dma_fence_put(fence)
    return facts


EVENTS = Probe(
    "trace-events",
    "The trace events of one job that waits for a fence.",
    _events,
    lambda f: ", ".join(f["events"]),
    {
        "v6_1": Reason(
            "has events of its own for debugging, with pointers",
            At("sched_main", "drm_sched_job_done", "trace_drm_sched_process_job("),
        ),
        "v7_2": Reason(
            "has events that tools may rely on, with numbers of fences",
            At("sched_main", "drm_sched_job_done", "trace_drm_sched_job_done("),
        ),
    },
)


def _numbers() -> Facts:
    ring = Ring()
    names = {
        "KERNEL": DRM_SCHED_PRIORITY_KERNEL,
        "HIGH": DRM_SCHED_PRIORITY_HIGH,
        "NORMAL": DRM_SCHED_PRIORITY_NORMAL,
        "LOW": DRM_SCHED_PRIORITY_LOW,
    }
    facts: Facts = {name: int(ring.entity(value).priority) for name, value in names.items()}
    ring.close()
    return facts


NUMBERS = Probe(
    "priority-numbers",
    "The number of each priority in an entity.",
    _numbers,
    lambda f: ", ".join(f"{name} {number}" for name, number in f.items()),
    {
        "v6_1": Reason(
            "looks for a job from the highest number downwards",
            At("sched_main", "drm_sched_select_entity", "DRM_SCHED_PRIORITY_COUNT - 1"),
        ),
        "v7_2": Reason(
            "looks for a job from 0, that of the kernel, upwards",
            At("sched_main", "drm_sched_select_entity", "range(DRM_SCHED_PRIORITY_KERNEL"),
        ),
    },
)

PROBES = [
    WHO,
    STOP,
    STOP_TWICE,
    PARENT,
    DEPENDENCIES,
    DEADLINE,
    EVENTS,
    NUMBERS,
    REFERENCE,
]
