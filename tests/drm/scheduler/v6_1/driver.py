# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The tests' driver for the scheduler of 6.1, which has other callbacks and parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from kport.dma_buf.dma_fence import dma_fence, dma_fence_get, dma_fence_put, dma_fence_signal
from kport.drm.scheduler import v6_1
from kport.linux.list import list_add, list_for_each_entry
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock, spin_unlock
from kport.linux.wait import wake_up_interruptible
from tests.drm.scheduler.driver import Driver, Job
from tests.support import eventually


class Driver61(Driver):
    """Schedulers, entities and jobs of one test."""

    def __init__(self, baseline: ModuleType = v6_1) -> None:
        super().__init__(baseline)

    def kick(self, sched: Any) -> None:
        """There may be a job to free."""
        wake_up_interruptible(sched.wake_up_worker)

    def void(self, job: Job) -> None:
        """The hardware fence of a job that was stopped is worth nothing any more."""
        dma_fence_put(job.hw)
        job.hw = None

    def put_back(self, job: Job) -> int:
        """An answer to a timeout: the job is not hung, it goes back to the head of the list."""
        sched = job.base.sched
        spin_lock(sched.job_list_lock)
        list_add(job.base.list, sched.pending_list)
        spin_unlock(sched.job_list_lock)
        self.kick(sched)
        return int(self.api.DRM_GPU_SCHED_STAT_NOMINAL)

    def end_it(self, job: Job) -> int:
        """A timeout: end the job and put it back, so that it is freed like any other."""
        dma_fence_signal(job.hw)
        return self.put_back(job)

    def ops(self) -> Any:
        """The callbacks as they are now."""
        return self.api.drm_sched_backend_ops(
            dependency=self._prepare_job if self.prepare else None,
            run_job=self._run_job,
            timedout_job=self._timedout_job,
            free_job=self._free_job,
        )

    def scheduler(self, name: str = "ring0", **args: Any) -> Any:
        """A running scheduler: one job at a time and no timeout unless told otherwise."""
        sched = kzalloc_obj(self.api.drm_gpu_scheduler)
        defaults = {
            "ops": self.ops(),
            "credit_limit": 1,
            "timeout": MAX_SCHEDULE_TIMEOUT,
            "name": name,
            "dev": self.dev,
        }
        ret = self.main.drm_sched_init(sched, self.api.drm_sched_init_args(**defaults | args))
        assert ret == 0
        self._schedulers.append(sched)
        return sched

    def job(
        self,
        entity: Any,
        cost: int = 1,
        after: Sequence[dma_fence] = (),
        run: Callable[[Job], Any] | None = None,
    ) -> Job:
        """A job that is not armed yet and depends on the fences `after`."""
        assert cost == 1, "6.1 counts jobs, not credits"
        with self._lock:
            job = Job(self, len(self.jobs), cost)
            self.jobs.append(job)
        if run is not None:
            job.run = run
        base = kzalloc_obj(self.api.drm_sched_job)
        assert self.main.drm_sched_job_init(base, entity, self) == 0
        job.base = base
        self._by_base[id(base)] = job
        for fence in after:
            assert self.main.drm_sched_job_add_dependency(base, dma_fence_get(fence)) == 0
        return job

    def close(self) -> None:
        """End all jobs, take entities and schedulers down, drop the test's references."""
        self.drain()
        for entity in self._entities:
            self.baseline.sched_entity.drm_sched_entity_destroy(entity)
            kfree(entity)
        for sched in self._schedulers:
            self.main.drm_sched_fini(sched)
            kfree(sched)
        self.release()

    # -- looking ---------------------------------------------------------------------------------

    def timeouts(self) -> list[int]:
        """The jobs that timed out, in order."""
        return [number for what, number in list(self.log) if what == "timeout"]

    def pending(self, sched: Any) -> list[int]:
        """The jobs on the hardware, oldest first."""
        jobs = list_for_each_entry(sched.pending_list, self.api.drm_sched_job, "list")
        return [self.job_of(base).number for base in jobs]

    def on_hardware(self, n: int, **args: Any) -> tuple[Any, Any, list[Job]]:
        """A scheduler with `n` jobs of one entity on the hardware."""
        sched = self.scheduler(**{"credit_limit": n + 4} | args)
        entity = self.entity(sched)
        jobs = [self.submit(entity) for _ in range(n)]
        eventually(lambda: all(job.base.s_fence.parent for job in jobs))
        return sched, entity, jobs
