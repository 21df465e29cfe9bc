# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Jobs whose run_job() returns NULL: the whole path from arm to free, and no GPU.

The clock runs from the first drm_sched_job_arm() to the last free_job(); allocation and
drm_sched_job_init() come before. 64 credits, one submitting thread, one scheduler.
"""

from __future__ import annotations

import time
from typing import Any

import kport
from kport.dma_buf.dma_fence import dma_fence_get, dma_fence_put
from kport.drm.scheduler.v7_2.gpu_scheduler import (
    DRM_SCHED_PRIORITY_COUNT,
    DRM_SCHED_PRIORITY_NORMAL,
    drm_gpu_scheduler,
    drm_sched_backend_ops,
    drm_sched_entity,
    drm_sched_init_args,
    drm_sched_job,
)
from kport.drm.scheduler.v7_2.sched_entity import (
    drm_sched_entity_destroy,
    drm_sched_entity_init,
    drm_sched_entity_push_job,
)
from kport.drm.scheduler.v7_2.sched_main import (
    drm_sched_fini,
    drm_sched_init,
    drm_sched_job_add_dependency,
    drm_sched_job_arm,
    drm_sched_job_cleanup,
    drm_sched_job_init,
    drm_sched_wqueue_stop,
)
from kport.linux.completion import (
    complete,
    completion,
    init_completion,
    wait_for_completion_timeout,
)
from kport.linux.device import device
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj
from tools.bench.anchor import quiet_gc
from tools.bench.sampler import Sampler

SHAPES = {
    "1 entity": (1, False),
    "16 entities": (16, False),
    "1000 entities": (1000, False),
    "chain over 16": (16, True),
}
_LIMIT_MS = 300_000


class _Driver:
    """A driver with nothing behind it that counts what is freed."""

    def __init__(self, jobs: int) -> None:
        self.left = jobs
        self.done = completion()
        init_completion(self.done)
        self.ops = drm_sched_backend_ops(run_job=self.run_job, free_job=self.free_job)

    def run_job(self, job: drm_sched_job) -> Any:
        return None

    def free_job(self, job: drm_sched_job) -> None:
        # One work item frees all jobs of a scheduler, so nothing else counts at the same time.
        drm_sched_job_cleanup(job)
        kfree(job)
        self.left -= 1
        if not self.left:
            complete(self.done)


def null_jobs(
    jobs: int,
    entities: int,
    chain: bool,
    policy: int,
    sampler: Sampler | None = None,
    **options: Any,
) -> float:
    """Microseconds per job; raises RuntimeError if the kernel was not left clean.

    `options` go to `kport.boot()`: the machine, and what it takes.
    """
    with kport.boot(params={"sched_policy": policy}, **options) as kernel:
        driver = _Driver(jobs)
        dev = device()
        dev.name = "bench"
        sched = kzalloc_obj(drm_gpu_scheduler)
        assert sched is not None
        args = drm_sched_init_args(
            ops=driver.ops,
            num_rqs=DRM_SCHED_PRIORITY_COUNT,
            credit_limit=64,
            timeout=MAX_SCHEDULE_TIMEOUT,
            name="bench",
            dev=dev,
        )
        _zero(drm_sched_init(sched, args))
        queues: list[Any] = [kzalloc_obj(drm_sched_entity) for _ in range(entities)]
        for queue in queues:
            _zero(drm_sched_entity_init(queue, DRM_SCHED_PRIORITY_NORMAL, [sched], 1, None))
        todo: list[Any] = [kzalloc_obj(drm_sched_job) for _ in range(jobs)]
        for i, job in enumerate(todo):
            _zero(drm_sched_job_init(job, queues[i % entities], 1, None, 1))
        with quiet_gc():
            if sampler:
                sampler.start()
            start = time.perf_counter()
            if chain:
                _submit_chain(todo)
            else:
                for job in todo:
                    drm_sched_job_arm(job)
                    drm_sched_entity_push_job(job)
            finished = wait_for_completion_timeout(driver.done, msecs_to_jiffies(_LIMIT_MS))
            took = time.perf_counter() - start
            if sampler:
                sampler.stop()
        if not finished:
            raise RuntimeError(f"{driver.left} of {jobs} jobs not freed after {_LIMIT_MS} ms")
        todo.clear()
        for queue in queues:
            drm_sched_entity_destroy(queue)
            kfree(queue)
        drm_sched_wqueue_stop(sched)  # the last free_job() was called, its work may still run
        drm_sched_fini(sched)
        kfree(sched)
    if kernel.leaks or kernel.warnings():
        raise RuntimeError("; ".join(kernel.leaks.lines() + kernel.warnings()))
    return took / jobs * 1e6


def _submit_chain(todo: list[Any]) -> None:
    """Each job depends on the one before, which is on another entity."""
    fence: Any = None
    for job in todo:
        if fence is not None:
            _zero(drm_sched_job_add_dependency(job, fence))
        drm_sched_job_arm(job)
        fence = dma_fence_get(job.s_fence.finished)
        drm_sched_entity_push_job(job)
    dma_fence_put(fence)


def _zero(error: int) -> None:
    if error:
        raise RuntimeError(f"error {error}")


