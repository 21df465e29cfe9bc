# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The mock GPU of the kernel's tests, wrapped as in the kernel that made the records.

A job's mode says what run_job() does with it, a scheduler's mode what timedout_job() does. All else
is the mock's own (`kport.drivers.mock`), with jobs that complete when `advance` says so.
"""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_set_error,
    dma_fence_signal_locked,
)
from kport.drivers.mock.mock_scheduler import (
    drm_mock_sched_job_complete,
    drm_mock_sched_job_signal_timer,
    mock_sched_cancel_job,
    mock_sched_free_job,
    mock_sched_run_job,
    mock_sched_timedout_job,
)
from kport.drivers.mock.sched_tests import (
    DRM_MOCK_SCHED_JOB_DONT_RESET,
    DRM_MOCK_SCHED_JOB_TIMEDOUT,
    drm_mock_sched_job,
)
from kport.drm.scheduler.v7_2.gpu_scheduler import (
    DRM_GPU_SCHED_STAT_ENODEV,
    DRM_GPU_SCHED_STAT_RESET,
    DRM_SCHED_PRIORITY_COUNT,
    drm_gpu_sched_stat,
    drm_sched_backend_ops,
    drm_sched_init_args,
    drm_sched_job,
)
from kport.drm.scheduler.v7_2.sched_main import (
    drm_sched_increase_karma,
    drm_sched_init,
    drm_sched_job_cleanup,
    drm_sched_start,
    drm_sched_stop,
)
from kport.kunit.conform.observer import Observer
from kport.kunit.conform.things import Job, Scheduler, World
from kport.linux.atomic import atomic_set
from kport.linux.completion import init_completion
from kport.linux.device import device
from kport.linux.err import ECANCELED, ERR_PTR, ETIMEDOUT
from kport.linux.hrtimer import CLOCK_MONOTONIC, HRTIMER_MODE_ABS, hrtimer_setup
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.list import INIT_LIST_HEAD, list_del, list_for_each_entry_safe
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.spinlock import spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore
from kport.linux.workqueue import workqueue_struct

HANG_LIMIT = 1


class Backend:
    """The callbacks, for all schedulers of a scenario."""

    def __init__(self, world: World, observer: Observer) -> None:
        self._world = world
        self._emit = observer.emit
        self.ops = drm_sched_backend_ops(
            run_job=self.run_job,
            timedout_job=self.timedout_job,
            free_job=self.free_job,
            cancel_job=self.cancel_job,
        )

    def sched_init(
        self, sched: Scheduler, credit_limit: int, timeout_ms: int | None, wq: workqueue_struct
    ) -> int:
        """drm_mock_sched_new() with these parameters; returns what drm_sched_init() does."""
        dev = device()
        dev.name = dev.driver = "conform"
        timeout = MAX_SCHEDULE_TIMEOUT if timeout_ms is None else msecs_to_jiffies(timeout_ms)
        args = drm_sched_init_args(
            ops=self.ops,
            submit_wq=wq,
            num_rqs=DRM_SCHED_PRIORITY_COUNT,
            credit_limit=credit_limit,
            hang_limit=HANG_LIMIT,
            timeout=timeout,
            name=sched.name,
            dev=dev,
        )
        mock = sched.mock
        ret = drm_sched_init(mock.base, args)
        mock.hw_timeline.context = dma_fence_context_alloc(1)
        atomic_set(mock.hw_timeline.next_seqno, 0)
        INIT_LIST_HEAD(mock.job_list)
        spin_lock_init(mock.lock)
        return ret

    def job_init(self, job: Job) -> None:
        """The mock's half of a new job, as drm_mock_sched_job_new() makes it."""
        mock = job.mock
        init_completion(mock.done)
        INIT_LIST_HEAD(mock.link)
        hrtimer_setup(
            mock.timer, drm_mock_sched_job_signal_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS
        )

    def run_job(self, sched_job: drm_sched_job) -> Any:
        """Put the job on the hardware, or do what its mode says instead."""
        job: Job = self._world.owner(sched_job)
        job.ran = 1
        if job.mode == "fail":
            self._emit("run_job", job.name, "error", job.err)
            return ERR_PTR(job.err) if job.err else None
        if job.mode == "null":
            self._emit("run_job", job.name, "null")
            return None
        fence = mock_sched_run_job(sched_job)
        job.has_hw = True
        self._world.name_fence(fence, f"{job.name}.hw")
        self._emit("run_job", job.name, "hw", fence.seqno)
        if job.err:
            dma_fence_set_error(fence, job.err)
        if job.mode == "dont_reset":
            job.mock.flags = DRM_MOCK_SCHED_JOB_DONT_RESET
        if job.mode == "instant":
            self._complete(job)
        return fence

    def timedout_job(self, sched_job: drm_sched_job) -> drm_gpu_sched_stat:
        """Deal with a job that took too long."""
        job: Job = self._world.owner(sched_job)
        sched: Scheduler = self._world.owner(sched_job.sched)
        if sched.mode == "stop_start":
            self._emit("timedout_job", job.name, "STOP_START")
            return self._stop_start(sched, job)
        if not job.has_hw:
            self._emit("timedout_job", job.name, "NOHW")
            drm_sched_job_cleanup(sched_job)
            job.freed = 1
            return DRM_GPU_SCHED_STAT_RESET
        if job.mock.flags & DRM_MOCK_SCHED_JOB_DONT_RESET:
            self._emit("timedout_job", job.name, "NO_HANG")
            return mock_sched_timedout_job(sched_job)
        enodev = sched.mode == "enodev"
        self._emit("timedout_job", job.name, "ENODEV" if enodev else "RESET")
        status = mock_sched_timedout_job(sched_job)
        job.freed = 1
        return DRM_GPU_SCHED_STAT_ENODEV if enodev else status

    def free_job(self, sched_job: drm_sched_job) -> None:
        """The scheduler is done with the job."""
        job: Job = self._world.owner(sched_job)
        self._emit("free_job", job.name)
        if job.has_hw:
            mock_sched_free_job(sched_job)
        else:
            drm_sched_job_cleanup(sched_job)
        job.freed = 1

    def cancel_job(self, sched_job: drm_sched_job) -> None:
        """The scheduler goes with the job on the hardware."""
        job: Job = self._world.owner(sched_job)
        self._emit("cancel_job", job.name)
        if job.has_hw:
            mock_sched_cancel_job(sched_job)

    def _complete(self, job: Job) -> None:
        """The hardware is done with the job before run_job() has returned."""
        lock = self._world.owner(job.mock.base.sched).mock.lock
        flags = spin_lock_irqsave(lock)
        drm_mock_sched_job_complete(job.mock)
        spin_unlock_irqrestore(lock, flags)

    def _stop_start(self, sched: Scheduler, bad: Job) -> drm_gpu_sched_stat:
        """Stop, fail everything on the hardware, go on; nothing is run again."""
        mock = sched.mock
        drm_sched_stop(mock.base, bad.mock.base)
        drm_sched_increase_karma(bad.mock.base)
        flags = spin_lock_irqsave(mock.lock)
        for each, _ in list_for_each_entry_safe(mock.job_list, drm_mock_sched_job, "link"):
            list_del(each.link)
            each.flags |= DRM_MOCK_SCHED_JOB_TIMEDOUT
            _fail(each.hw_fence, -ETIMEDOUT if each is bad.mock else -ECANCELED)
        spin_unlock_irqrestore(mock.lock, flags)
        drm_sched_start(mock.base, 0)
        return DRM_GPU_SCHED_STAT_RESET


def _fail(fence: dma_fence, error: int) -> None:
    dma_fence_set_error(fence, error)
    dma_fence_signal_locked(fence)
