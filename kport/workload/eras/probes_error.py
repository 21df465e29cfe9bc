# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Probes of what goes wrong: errors of fences, false timeouts, jobs that a reset has lost."""

from __future__ import annotations

from errno import errorcode
from typing import Any

from kport.drivers.compat import (
    DRM_GPU_SCHED_STAT_NO_HANG,
    drm_sched_start,
    drm_sched_stop,
)
from kport.linux.atomic import atomic_set, atomic_t
from kport.linux.err import EIO
from kport.linux.init import Kernel
from kport.workload.eras.place import At
from kport.workload.eras.probe import Facts, Probe, Reason
from kport.workload.eras.ring import Ring, era, rest


def error_name(error: int) -> str:
    """An error of a fence in words."""
    return "no error" if not error else f"-{errorcode[-error]}"


# -- the error of a hardware fence ---------------------------------------------------------------


def _error() -> Facts:
    ring = Ring()
    job = ring.submit(ring.entity(), "J")
    rest()
    job.complete(-EIO)
    rest()
    facts = {"hardware": error_name(job.hw.error), "finished": error_name(job.error)}
    ring.close()
    return facts


ERROR = Probe(
    "fence-error",
    "The hardware fence of a job signals with the error -EIO.",
    _error,
    lambda f: f"who waits for the job sees {f['finished']}",
    {
        "v6_1": Reason(
            "does not look at the error of the hardware fence",
            At("sched_main", "drm_sched_job_done_cb", "drm_sched_job_done("),
        ),
        "v7_2": Reason(
            "passes it on to the finished fence",
            At("sched_main", "drm_sched_job_done_cb", "f.error"),
        ),
    },
)

# -- behind a job that has failed ----------------------------------------------------------------


def _pipeline() -> Facts:
    ring = Ring()
    guilty = atomic_t()
    atomic_set(guilty, 1)
    bad = ring.submit(ring.entity(guilty=guilty), "guilty")
    rest()
    ring.submit(ring.entity(), "next", needs=[bad.finished])
    rest()
    early = "next" in ring.did("run")
    facts = {"error": error_name(bad.error), "early": early}
    ring.close()
    return facts


PIPELINE = Probe(
    "behind-an-error",
    "A job depends on one of the same ring that is cancelled but still runs.",
    _pipeline,
    lambda f: "went to the hardware behind it" if f["early"] else "waited until it was over",
    {
        "v6_1": Reason(
            "waits for jobs of its own ring only until they are scheduled",
            At("sched_entity", "drm_sched_entity_add_dependency_cb", "s_fence.sched is sched"),
        ),
        "v7_2": Reason(
            "does so only if their fence has no error",
            At("sched_entity", "drm_sched_entity_add_dependency_cb", "not fence.error"),
        ),
    },
)

# -- jobs that a reset has lost ------------------------------------------------------------------


def _lost() -> Facts:
    ring = Ring()
    entity = ring.entity()
    jobs = [ring.submit(entity, f"J{number}") for number in range(3)]
    rest()
    drm_sched_stop(ring.sched, None)
    drm_sched_start(ring.sched, 0)
    rest()
    facts = {"over": sum(job.over for job in jobs), "errors": [error_name(j.error) for j in jobs]}
    ring.close()
    return facts


def _tell_lost(f: Facts) -> str:
    (error,) = set(f["errors"])
    return f"{f['over']} are over, with {error}"


LOST = Probe(
    "lost-in-a-reset",
    "Three jobs are on the hardware; stop, and start without running them again.",
    _lost,
    _tell_lost,
    {
        "v6_1": Reason(
            "ends a job that has no hardware fence as if it had been done",
            At("sched_main", "drm_sched_start", "drm_sched_job_done("),
        ),
        "v7_2": Reason(
            "ends it with -ECANCELED or the error the driver gives",
            At("sched_main", "drm_sched_start", "-ECANCELED"),
        ),
    },
)

# -- a timeout that was none ---------------------------------------------------------------------


def _false_timeout() -> Facts:
    ring = Ring(timeout_ms=20)
    api = era().gpu_scheduler
    status = getattr(api, "DRM_GPU_SCHED_STAT_NOMINAL", DRM_GPU_SCHED_STAT_NO_HANG)
    called = []

    def slow_but_fine(base: Any) -> int:
        called.append(base)
        return int(status)

    ring.sched.ops.timedout_job = slow_but_fine
    job = ring.submit(ring.entity(), "slow")
    rest(30)
    job.complete()
    rest(2)
    facts = {"asked": len(called), "over": job.over, "freed": "slow" in ring.did("free")}
    ring.close()
    return facts


def _after_false_timeout(facts: Facts, kernel: Kernel) -> None:
    facts["leaked"] = kernel.leaks.objects["eras_job"]


FALSE_TIMEOUT = Probe(
    "false-timeout",
    "A job is only slow: the driver's handler does nothing, and then it ends.",
    _false_timeout,
    lambda f: "freed when it was over" if f["freed"] else f"leaked ({f['leaked']} job)",
    {
        "v6_1": Reason(
            "takes the job off its list for the handler, and only drm_sched_stop() puts it back",
            At("sched_main", "drm_sched_job_timedout", "list_del_init("),
        ),
        "v7_2": Reason(
            "puts it back if the handler says that it is not hung",
            At("sched_main", "drm_sched_job_timedout", "drm_sched_job_reinsert_on_false_timeout("),
        ),
    },
    after=_after_false_timeout,
)

PROBES = [ERROR, PIPELINE, LOST, FALSE_TIMEOUT]
