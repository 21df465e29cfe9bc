# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Probes of time: when a hung job is found, what a job costs the scheduler, who counts GPU time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kport.linux.ktime import NSEC_PER_MSEC
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
    lambda f: f"timed out after {f['fired_ms']} ms, {f['followed']} jobs had followed",
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


@contextmanager
def counted(module: Any, *names: str) -> Iterator[dict[str, int]]:
    """Count the calls of functions that the code of a module makes; those it has."""
    calls = {name: 0 for name in names if hasattr(module, name)}
    before = {name: getattr(module, name) for name in calls}

    def counting(name: str) -> Any:
        def call(*args: Any) -> Any:
            calls[name] += 1
            return before[name](*args)

        return call

    for name in calls:
        setattr(module, name, counting(name))
    try:
        yield calls
    finally:
        for name, function in before.items():
            setattr(module, name, function)


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
    facts = {
        "jobs": JOBS,
        "by": "wake_up" if "queue_work" not in calls else "queue_work",
        "told": calls.get("queue_work", calls.get("wake_up_interruptible", 0)),
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
