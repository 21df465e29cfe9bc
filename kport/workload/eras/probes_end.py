# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Probes of the end: entities that are killed, schedulers that are taken down."""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import dma_fence_put, dma_fence_signal
from kport.linux.err import ECANCELED
from kport.linux.init import Kernel
from kport.linux.printk import dmesg
from kport.linux.slab import kfree
from kport.workload.eras.place import At
from kport.workload.eras.probe import Facts, Probe, Reason
from kport.workload.eras.probes_error import error_name
from kport.workload.eras.ring import Job, Ring, after, era, new_fence, now_ms, rest

# -- an entity that is killed --------------------------------------------------------------------


def _kill_waiting(fences: int) -> Facts:
    """Kill an entity whose job waits for fences that signal after 50 ms."""
    ring = Ring()
    needs = [new_fence() for _ in range(fences)]
    entity = ring.entity()
    job = ring.submit(entity, "waiting", needs=needs)
    rest()
    begin = now_ms()

    def signal() -> None:
        for fence in needs:
            dma_fence_signal(fence)

    after(50, signal)
    era().sched_entity.drm_sched_entity_fini(entity)
    closed = now_ms() - begin
    while not job.over:
        rest()
    facts = {
        "closer_ms": closed,
        "over_ms": 10 * round((now_ms() - begin) / 10),
        "error": error_name(job.error),
    }
    rest(60)
    ring.entities.remove(entity)
    kfree(entity)
    ring.close()
    for fence in needs:
        dma_fence_put(fence)
    return facts


KILL = Probe(
    "kill",
    "An entity goes whose job waits for two fences; they signal 50 ms later.",
    lambda: _kill_waiting(2),
    lambda f: f"the closer waited {f['closer_ms']} ms; the job ended with {f['error']}",
    {
        "v6_1": Reason(
            "lets the closer wait for what the jobs depend on, however long",
            At("sched_entity", "drm_sched_entity_kill_jobs", "dma_fence_wait("),
        ),
        "v7_2": Reason(
            "ends the jobs from callbacks of their fences",
            At("sched_entity", "drm_sched_entity_kill_jobs_work", "dma_fence_add_callback("),
        ),
    },
)

KILL_EARLY = Probe(
    "killed-job-ends",
    "The same with one fence: when the job's own fence signals.",
    lambda: _kill_waiting(1),
    lambda f: f"after {f['over_ms']} ms, with {f['error']}",
    {
        "v6_1": Reason(
            "forgets the fence that it was already waiting for, and signals before it",
            At("sched_entity", "drm_sched_entity_fini", "dma_fence_remove_callback("),
        ),
        "v7_2": Reason(
            "still has all fences in the job and waits for them again",
            At("sched_entity", "drm_sched_entity_kill_jobs_work", "xa_for_each("),
        ),
    },
)

# -- a scheduler that is taken down --------------------------------------------------------------


def _fini(can_cancel: bool) -> Facts:
    """Take a ring down with two jobs on the hardware."""
    cancelled: list[Job] = []

    def cancel(base: Any) -> None:
        job = next(job for job in jobs if job.base is base)
        cancelled.append(job)
        job.complete(-ECANCELED)

    ring = Ring(cancel=cancel if can_cancel else None)
    entity = ring.entity()
    jobs = [ring.submit(entity, f"J{number}") for number in range(2)]
    rest()
    ring.destroy(entity)
    lines = len(dmesg())
    era().sched_main.drm_sched_fini(ring.sched)
    rest()
    facts = {
        "cancelled": len(cancelled),
        "over": sum(job.over for job in jobs),
        "freed": len(ring.did("free")),
        "said": [line.split("] ", 1)[1] for line in dmesg()[lines:]],
    }
    ring.forget()
    return facts


def _count_leaks(facts: Facts, kernel: Kernel) -> None:
    facts["leaked"] = kernel.leaks.objects["eras_job"]


CANCEL = Probe(
    "fini-cancels",
    "A scheduler goes with two jobs on the hardware; the driver has cancel_job().",
    lambda: _fini(True),
    lambda f: f"{f['cancelled']} cancelled, {f['freed']} freed, {f['leaked']} leaked",
    {
        "v6_1": Reason(
            "stops its thread and leaves the jobs where they are",
            At("sched_main", "drm_sched_fini", "kthread_stop("),
        ),
        "v3_2023": Reason(
            "stops its work item and leaves the jobs where they are",
            At("sched_main", "drm_sched_fini", "drm_sched_submit_stop("),
        ),
        "v7_2": Reason(
            "cancels and frees what is left on the hardware, newest first",
            At("sched_main", "drm_sched_cancel_remaining_jobs", "cancel_job("),
        ),
    },
    after=_count_leaks,
)

SILENT = Probe(
    "fini-says",
    "The same without cancel_job(): what the kernel log says of it.",
    lambda: _fini(False),
    lambda f: f"{f['leaked']} leaked; " + (" ".join(f["said"]) or "not a word"),
    {
        "v6_1": Reason(
            "does not look at its list of jobs again",
            At("sched_main", "drm_sched_fini", "cancel_delayed_work_sync("),
        ),
        "v7_2": Reason(
            "warns that jobs are pending",
            At("sched_main", "drm_sched_fini", "dev_warn("),
        ),
    },
    after=_count_leaks,
)

# -- a job for an entity that was killed ---------------------------------------------------------


def _push_late() -> Facts:
    ring = Ring()
    entity = ring.entity()
    entity.stopped = True
    lines = len(dmesg())
    job = ring.submit(entity, "late")
    rest()
    facts = {
        "ran": len(ring.did("run")),
        "said": [line.rsplit("*ERROR* ", 1)[-1] for line in dmesg()[lines:]],
    }
    job.complete()
    ring.entities.remove(entity)
    era().sched_entity.drm_sched_entity_fini(entity)
    rest()
    kfree(entity)
    ring.jobs.remove(job)
    ring.close()
    ring.jobs.append(job)
    dma_fence_put(job.hw)
    dma_fence_put(job.finished)
    return facts


PUSH_LATE = Probe(
    "push-to-a-killed-entity",
    "A job is pushed to an entity that was killed.",
    _push_late,
    lambda f: f"ran {f['ran']}; " + " ".join(f["said"]),
    {
        "v6_1": Reason(
            "refuses the job with a message",
            At("sched_entity", "drm_sched_entity_push_job", "DRM_ERROR("),
        ),
        "v7_2": Reason(
            "refuses the job with a message",
            At("sched_rq", "drm_sched_rq_add_entity", "DRM_ERROR("),
        ),
    },
)

PROBES = [KILL, KILL_EARLY, CANCEL, SILENT, PUSH_LATE]
