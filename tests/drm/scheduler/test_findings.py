# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Races of the scheduler that the machine `virt` finds in the port, which equals the C there.

Each test searches seeds until the race shows, so it also says how rare it is; a driver that avoids
it the way the test says must get through all of them.
"""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import pytest

import kport
from kport.arch.strategy import RoundRobin
from kport.linux.completion import (
    DECLARE_COMPLETION_ONSTACK,
    complete,
    wait_for_completion,
)
from kport.linux.slab import kfree
from tests.drm.scheduler.driver import Driver
from tests.support import eventually

SCHEDULER = "kport.drm.scheduler.v7_2."
MODULES = ("gpu_scheduler", "sched_main", "sched_entity", "sched_rq", "sched_fence")


def fini_after_the_last_free_job(strategy: RoundRobin, stop_first: bool) -> None:
    """One job; as soon as free_job() has been called for it, the scheduler is taken down."""
    baseline: Any = SimpleNamespace(
        **{name: importlib.import_module(SCHEDULER + name) for name in MODULES}
    )
    with kport.boot("virt", strategy=strategy, debug=True) as kernel:
        driver = Driver(baseline)
        sched = driver.scheduler()
        freed = DECLARE_COMPLETION_ONSTACK()
        free_job = sched.ops.free_job

        def free_and_tell(base: Any) -> None:
            free_job(base)
            complete(freed)

        sched.ops.free_job = free_and_tell
        entity = driver.entity(sched)
        job = driver.submit(entity)
        baseline.sched_entity.drm_sched_entity_destroy(entity)
        eventually(lambda: driver.ran(job))
        job.end()
        wait_for_completion(freed)
        if stop_first:
            baseline.sched_main.drm_sched_wqueue_stop(sched)
        baseline.sched_main.drm_sched_fini(sched)
        driver.forget(sched, entity)
        kfree(entity)
        kfree(sched)
        driver.release()
    assert not kernel.leaks
    assert kernel.warnings() == []


def test_free_job_work_queues_run_job_work_behind_fini() -> None:
    """sched_main.c, drm_sched_run_job_queue(): it looks whether to stop, and then queues.

    drm_sched_free_job_work() looks; drm_sched_wqueue_stop() stops, and cancels work_run_job, which
    is not queued; drm_sched_free_job_work() queues it; drm_sched_wqueue_stop() waits for
    work_free_job, drm_sched_fini() frees the run queues, and work_run_job reads them. A second stop
    finds what the first let through.
    """
    with pytest.raises(kport.KernelOops, match="drm_sched_rq' object has no attribute"):
        for seed in range(3000):
            fini_after_the_last_free_job(RoundRobin(seed, 10), stop_first=False)


def test_a_second_stop_is_enough() -> None:
    for seed in range(300):
        fini_after_the_last_free_job(RoundRobin(seed, 10), stop_first=True)
