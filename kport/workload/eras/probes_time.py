# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Probes of time: when a hung job is found, what a job costs the scheduler, who counts GPU time."""

from __future__ import annotations

from kport.linux.ktime import NSEC_PER_MSEC
from kport.workload.eras.calls import counted
from kport.workload.eras.place import At
from kport.workload.eras.probe import Facts, Probe, Reason
from kport.workload.eras.ring import Ring, era, now_ms, rest

# -- when a timeout is found ---------------------------------------------------------------------


def _timeout() -> Facts:
    ring = Ring(limit=16, timeout_ms=20)
    entity = ring.entity()
    begin = now_ms()
    ring.submit(entity, "hung")
    followed = 0
    while not ring.timeouts and followed < 8:
        rest(10)
        if not ring.timeouts:
            ring.submit(entity, f"next{followed}")
            followed += 1
    while not ring.timeouts:
        rest(1)
    facts = {"timeout_ms": 20, "fired_ms": ring.timeouts[0] - begin, "followed": followed}
    ring.close()
    return facts


TIMEOUT = Probe(
    "hang-found",
    "A job hangs, another is submitted every 10 ms, 8 at most; the timeout is 20 ms.",
    _timeout,
    lambda f: f"timed out after {f['fired_ms']} ms; jobs that had followed: {f['followed']}",
    {
        "v6_1": Reason(
            "starts the timer only if it is not running, so it times the oldest job",
            At("sched_main", "drm_sched_start_timeout", "queue_delayed_work("),
        ),
        "v7_2": Reason(
            "starts it anew with each job that goes to the hardware, and so puts it off",
            At("sched_main", "drm_sched_start_timeout", "mod_delayed_work("),
        ),
    },
)

# -- what a job costs ----------------------------------------------------------------------------


JOBS = 10


def _calls() -> Facts:
    ring = Ring()
    entity = ring.entity()
    rest()
    names = ("wake_up_interruptible", "queue_work", "drm_sched_select_entity")
    with counted(era().sched_main, *names) as calls:
        for number in range(JOBS):
            job = ring.submit(entity, f"J{number}")
            rest()
            job.complete()
            rest()
    by = "queue_work" if calls["queue_work"] else "wake_up_interruptible"
    facts = {
        "jobs": JOBS,
        "by": by,
        "told": calls[by],
        "looked": calls["drm_sched_select_entity"],
    }
    ring.close()
    return facts


CALLS = Probe(
    "wake-ups",
    f"{JOBS} jobs, one after the other, each alone.",
    _calls,
    lambda f: f"{f['told']} x {f['by']}(), looked {f['looked']} times for an entity",
    {
        "v6_1": Reason(
            "wakes one thread, which looks once before it lies down and once after",
            At("sched_main", "drm_sched_main", "wait_event_interruptible("),
        ),
        "v3_2023": Reason(
            "queues its one item until it finds nothing to do",
            At("sched_main", "drm_sched_main", "drm_sched_submit_queue("),
        ),
        "v7_2": Reason(
            "queues one item to run a job and one to free it, and each queues the next",
            At("sched_main", "drm_sched_run_job_queue", "queue_work("),
        ),
    },
)

# -- who counts GPU time -------------------------------------------------------------------------


def _accounts() -> Facts:
    ring = Ring()
    entity = ring.entity()
    for number in range(3):
        job = ring.submit(entity, f"J{number}")
        rest(6)
        job.complete()
        rest()
    stats = getattr(entity, "stats", None)
    known = round(stats.runtime / NSEC_PER_MSEC) if stats is not None else None
    facts = {"used_ms": 18, "known_ms": known}
    ring.close()
    return facts


ACCOUNTS = Probe(
    "gpu-time",
    "An entity has three jobs of 6 ms each; what the scheduler then knows of it.",
    _accounts,
    lambda f: "nothing is counted" if f["known_ms"] is None else f"{f['known_ms']} ms of GPU time",
    {
        "v6_1": Reason(
            "only frees a job that is over",
            At("sched_main", "drm_sched_main", "free_job("),
        ),
        "v7_2": Reason(
            "first adds its time to the entity, which the policy FAIR goes by",
            At("sched_main", "drm_sched_free_job_work", "drm_sched_entity_stats_job_add_gpu_time("),
        ),
    },
)

PROBES = [TIMEOUT, CALLS, ACCOUNTS]
