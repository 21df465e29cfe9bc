# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The driver of the probes: one ring whose jobs end when the probe says so.

Jobs have names, and what the scheduler asks for is noted in `log` as "run A1", "free A1". A job
that times out is dealt with as drivers do it: stop, reset, start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_init,
    dma_fence_is_signaled,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal,
)
from kport.drivers import compat
from kport.drivers.compat import (
    DRM_GPU_SCHED_STAT_RESET,
    DRM_SCHED_PRIORITY_COUNT,
    DRM_SCHED_PRIORITY_NORMAL,
    drm_gpu_scheduler,
    drm_sched_backend_ops,
    drm_sched_entity,
    drm_sched_entity_destroy,
    drm_sched_entity_init,
    drm_sched_entity_push_job,
    drm_sched_fini,
    drm_sched_init,
    drm_sched_init_args,
    drm_sched_job,
    drm_sched_job_add_dependency,
    drm_sched_job_arm,
    drm_sched_job_cleanup,
    drm_sched_job_init,
    drm_sched_start,
    drm_sched_stop,
)
from kport.linux.atomic import atomic_t
from kport.linux.delay import usleep_range
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.kthread import kthread_run
from kport.linux.ktime import NSEC_PER_MSEC, ktime_get
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.struct import container_of, struct


class eras_job(struct):
    """A job of a probe; `number` is its place in Ring.jobs."""

    base: drm_sched_job
    number: int


def _zalloc(cls: Any) -> Any:
    """Memory for a struct; there always is some."""
    return kzalloc_obj(cls)


def _driver_name(fence: dma_fence) -> str:
    return "eras"


def _timeline_name(fence: dma_fence) -> str:
    return "hardware"


def new_fence(**ops: Any) -> Any:
    """A fence with one reference that somebody signals by hand; `ops` are further callbacks."""
    fence: Any = _zalloc(dma_fence)
    table = dma_fence_ops(
        get_driver_name=_driver_name, get_timeline_name=_timeline_name, **ops
    )
    dma_fence_init(fence, table, None, dma_fence_context_alloc(1), 1)
    return fence


def rest(msecs: float = 1) -> None:
    """Sleep: whatever can run does, until it waits for something else."""
    usleep_range(int(msecs * 1000), int(msecs * 1000))


def now_ms() -> int:
    """The time in whole milliseconds."""
    return round(ktime_get() / NSEC_PER_MSEC)


def after(msecs: int, call: Callable[[], Any]) -> None:
    """Let a thread of its own make the call in so many milliseconds."""

    def wait_and_call(data: Any) -> int:
        rest(msecs)
        call()
        return 0

    kthread_run(wait_and_call, None, "after")


class Job:
    """What a probe knows of a job: the fences outlive it."""

    def __init__(self, name: str, hw: dma_fence, base: Any) -> None:
        self.name = name
        self.hw = hw
        self.base = base  # until it is freed
        self.finished: Any = None

    @property
    def error(self) -> int:
        """The error of the finished fence."""
        return int(self.finished.error)

    @property
    def over(self) -> bool:
        """True once the finished fence has signalled."""
        return dma_fence_is_signaled(self.finished)

    def complete(self, error: int = 0) -> None:
        """The hardware is done with it, with 0 or a negative error."""
        if error:
            dma_fence_set_error(self.hw, error)
        dma_fence_signal(self.hw)


class Ring:
    """One scheduler with its driver. `on_run` and `on_free` are called with each job.

    `limit` is in credits, or jobs; `fence_ops` are callbacks of the hardware's fences.
    """

    def __init__(
        self,
        limit: int = 4,
        timeout_ms: int = 0,
        name: str = "ring0",
        cancel: Callable[[Any], None] | None = None,
        **fence_ops: Callable[..., Any],
    ) -> None:
        self._fence_ops = fence_ops
        self.log: list[str] = []
        self.jobs: list[Job] = []
        self.entities: list[Any] = []
        self.timeouts: list[int] = []
        self.on_run: Callable[[Job], Any] = lambda job: None
        self.on_free: Callable[[Job], Any] = lambda job: None
        self.sched: Any = _zalloc(drm_gpu_scheduler)
        args = drm_sched_init_args(
            ops=drm_sched_backend_ops(
                run_job=self._run,
                free_job=self._free,
                timedout_job=self._timedout,
                cancel_job=cancel,
            ),
            num_rqs=DRM_SCHED_PRIORITY_COUNT,
            credit_limit=limit,
            timeout=msecs_to_jiffies(timeout_ms) if timeout_ms else MAX_SCHEDULE_TIMEOUT,
            name=name,
        )
        if drm_sched_init(self.sched, args):
            raise RuntimeError("the scheduler of a probe cannot be made")

    # -- what the scheduler calls ----------------------------------------------------------------

    def _job(self, base: Any) -> Job:
        return self.jobs[container_of(base, eras_job, "base").number]

    def _run(self, base: Any) -> Any:
        job = self._job(base)
        self.log.append(f"run {job.name}")
        self.on_run(job)
        return dma_fence_get(job.hw)

    def _free(self, base: Any) -> None:
        job = self._job(base)
        self.log.append(f"free {job.name}")
        self.on_free(job)
        drm_sched_job_cleanup(base)
        kfree(container_of(base, eras_job, "base"))

    def _timedout(self, base: Any) -> int:
        self.timeouts.append(now_ms())
        self.log.append(f"timeout {self._job(base).name}")
        drm_sched_stop(self.sched, base)
        drm_sched_start(self.sched, 0)
        return int(DRM_GPU_SCHED_STAT_RESET)

    # -- what a probe calls ----------------------------------------------------------------------

    def entity(
        self,
        priority: int = DRM_SCHED_PRIORITY_NORMAL,
        guilty: atomic_t | None = None,
        others: Iterable[Ring] = (),
    ) -> Any:
        """A new entity of this ring, or of this and others."""
        entity: Any = _zalloc(drm_sched_entity)
        scheds = [self.sched, *(ring.sched for ring in others)]
        if drm_sched_entity_init(entity, priority, scheds, len(scheds), guilty):
            raise RuntimeError("the entity of a probe cannot be made")
        self.entities.append(entity)
        return entity

    def destroy(self, entity: Any) -> None:
        """Flush and end an entity now."""
        self.entities.remove(entity)
        drm_sched_entity_destroy(entity)
        kfree(entity)

    def submit(
        self,
        entity: Any,
        name: str,
        needs: Iterable[dma_fence] = (),
        cost: int = 1,
    ) -> Job:
        """Push a job that waits for the fences and takes `cost` credits."""
        made: Any = _zalloc(eras_job)
        made.number = len(self.jobs)
        if drm_sched_job_init(made.base, entity, cost, self, 1):
            raise RuntimeError("the job of a probe cannot be made")
        for fence in needs:
            drm_sched_job_add_dependency(made.base, dma_fence_get(fence))
        drm_sched_job_arm(made.base)
        job = Job(name, new_fence(**self._fence_ops), made.base)
        job.finished = dma_fence_get(made.base.s_fence.finished)
        self.jobs.append(job)
        drm_sched_entity_push_job(made.base)
        return job

    def did(self, what: str) -> list[str]:
        """The names of the jobs that were run, freed, or timed out, in order."""
        return [line.split()[1] for line in self.log if line.startswith(what + " ")]

    def drain(self) -> None:
        """The hardware ends whatever is on it, in order, until all are over."""
        for _ in range(4 * len(self.jobs) + 4):
            for name in self.did("run"):
                for job in self.jobs:
                    if job.name == name and not dma_fence_is_signaled(job.hw):
                        job.complete()
            rest()
            if all(job.over for job in self.jobs):
                break

    def close(self) -> None:
        """End all jobs and take everything down."""
        self.drain()
        for entity in list(self.entities):
            self.destroy(entity)
        rest()
        drm_sched_fini(self.sched)
        self.forget()

    def forget(self) -> None:
        """Drop what the probe holds; the scheduler is gone."""
        for job in self.jobs:
            dma_fence_signal(job.hw)
            dma_fence_put(job.hw)
            dma_fence_put(job.finished)
        kfree(self.sched)


def era() -> Any:
    """The scheduler package that was booted."""
    return compat.package(compat.scheduler)
