# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The driver of a round: schedulers, and hardware that is a timer for each job.

It does what drivers do: hardware fences with a lock of their own, one ordered queue for the timeout
handlers of all rings and for resets, the hung job's fence failed and the ring stopped and started
again when it has timed out. It runs on every scheduler, by `kport.drivers.compat`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
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
    dma_fence_test_signaled_flag,
)
from kport.drivers import compat
from kport.drivers.compat import (
    DRM_GPU_SCHED_STAT_NO_HANG,
    DRM_GPU_SCHED_STAT_RESET,
    DRM_SCHED_PRIORITY_COUNT,
    drm_gpu_scheduler,
    drm_sched_backend_ops,
    drm_sched_entity,
    drm_sched_entity_push_job,
    drm_sched_fini,
    drm_sched_increase_karma,
    drm_sched_init,
    drm_sched_init_args,
    drm_sched_job,
    drm_sched_job_add_dependency,
    drm_sched_job_arm,
    drm_sched_job_cleanup,
    drm_sched_job_init,
    drm_sched_resubmit_jobs,
    drm_sched_start,
    drm_sched_stop,
    drm_sched_wqueue_start,
    drm_sched_wqueue_stop,
)
from kport.linux.atomic import atomic_inc_return, atomic_t
from kport.linux.delay import usleep_range
from kport.linux.device import device
from kport.linux.err import ECANCELED, EIO, ERR_PTR, ETIME
from kport.linux.hrtimer import (
    CLOCK_MONOTONIC,
    HRTIMER_MODE_REL,
    HRTIMER_NORESTART,
    hrtimer,
    hrtimer_cancel,
    hrtimer_setup,
    hrtimer_start,
)
from kport.linux.ktime import ktime_get
from kport.linux.rcupdate import kfree_rcu
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import (
    spin_lock_init,
    spin_lock_irqsave,
    spin_unlock_irqrestore,
    spinlock_t,
)
from kport.linux.struct import container_of, struct
from kport.linux.workqueue import (
    INIT_WORK,
    alloc_ordered_workqueue,
    destroy_workqueue,
    disable_work_sync,
    enable_work,
    flush_work,
    queue_work,
    work_struct,
)
from kport.workload.stress import topology as kinds
from kport.workload.stress.topology import Topology

TICK_US = 4000
DRAIN_NS = 20_000_000_000  # kernel time until jobs that have finished must be freed
hw_ops = dma_fence_ops(
    get_driver_name=lambda f: "stress",
    get_timeline_name=lambda f: "hw",
    release=lambda f: kfree_rcu(f, "rcu"),
)


class stress_job(struct):
    """A job. `us` is how long it takes; `hw` its hardware fence, with a reference."""

    base: drm_sched_job
    kind: str
    us: int
    hw: dma_fence | None
    timer: hrtimer
    timed: bool
    device: Any


def expired(timer: hrtimer) -> int:
    """The hardware is done with a job."""
    job: Any = container_of(timer, stress_job, "timer")
    dma_fence_signal(job.hw)
    return HRTIMER_NORESTART


class Device:
    """The rings of one life. `safe` keeps away from what is known to break."""

    def __init__(self, plan: Topology, safe: bool) -> None:
        self.plan = plan
        self.safe = safe
        self.context = dma_fence_context_alloc(1)
        self.seqno = atomic_t()
        self.jobs = atomic_t()
        self.freed = atomic_t()
        self.timeouts = atomic_t()
        self.score = atomic_t()
        self.dev = device()
        self.dev.driver, self.dev.name = "stress", "card0"
        self.wq: Any = alloc_ordered_workqueue("stress-reset", 0)
        self.lock = spinlock_t()
        spin_lock_init(self.lock, "stress->lock")
        self.recent: list[dma_fence] = []
        ops = drm_sched_backend_ops(
            run_job=run_job, timedout_job=timedout_job, free_job=free_job, cancel_job=cancel_job
        )
        self.scheds = [self._ring(number, ops) for number in range(plan.rings)]

    def _ring(self, number: int, ops: Any) -> Any:
        plan = self.plan
        sched: Any = kzalloc_obj(drm_gpu_scheduler)
        timeout = plan.timeouts[number]
        args = drm_sched_init_args(
            ops=ops,
            num_rqs=DRM_SCHED_PRIORITY_COUNT,
            credit_limit=plan.limits[number],
            hang_limit=plan.hang_limit,
            timeout=MAX_SCHEDULE_TIMEOUT if timeout is None else timeout,
            timeout_wq=self.wq,
            score=self.score if plan.shared_score else None,
            name=f"ring{number}",
            dev=self.dev,
        )
        ret = drm_sched_init(sched, args)
        assert ret == 0, ret
        return sched

    # -- jobs --------------------------------------------------------------------------------------

    def submit(
        self, entity: drm_sched_entity, dice: random.Random, after: Sequence[dma_fence]
    ) -> tuple[str, dma_fence]:
        """Push a random job behind these fences: its text, its finished fence with a reference."""
        job: Any = kzalloc_obj(stress_job)
        job.device, job.kind = self, dice.choice(self.plan.kinds)
        job.us = {
            kinds.SHORT: dice.randint(5, 200),
            kinds.LONG: dice.randint(200, 2000),
            kinds.LATE: dice.randint(2, 8) * TICK_US,
        }.get(job.kind, 0)
        cost = dice.randint(1, min(self.plan.limits)) if compat.scheduler == "v7_2" else 1
        ret = drm_sched_job_init(job.base, entity, cost, self, 1)
        assert ret == 0, ret
        for fence in after:
            drm_sched_job_add_dependency(job.base, dma_fence_get(fence))
        drm_sched_job_arm(job.base)
        finished = dma_fence_get(job.base.s_fence.finished)
        number = f"{finished.context}:{finished.seqno}"
        text = f"{number} {job.kind} {job.us} us on {job.base.sched.name}"
        atomic_inc_return(self.jobs)
        drm_sched_entity_push_job(job.base)
        return text, finished

    def remember(self, fence: dma_fence) -> None:
        """Keep a fence, whose reference is taken over, for others to depend on."""
        old = None
        flags = spin_lock_irqsave(self.lock)
        self.recent.append(fence)
        if len(self.recent) > 48:
            old = self.recent.pop(0)
        spin_unlock_irqrestore(self.lock, flags)
        if old is not None:
            dma_fence_put(old)

    def pick(self, dice: random.Random) -> dma_fence | None:
        """One of the fences that were kept, with a reference."""
        flags = spin_lock_irqsave(self.lock)
        fence = dma_fence_get(dice.choice(self.recent)) if self.recent else None
        spin_unlock_irqrestore(self.lock, flags)
        return fence

    # -- resets ------------------------------------------------------------------------------------

    def in_order(self, function: Callable[[], None]) -> None:
        """Call a function where timeouts are handled, and wait for it."""
        work = work_struct()
        INIT_WORK(work, lambda work: function())
        queue_work(self.wq, work)
        flush_work(work)

    def halt(self, sched: Any) -> None:
        """Neither run_job() nor free_job() is under way when this returns, or begins."""
        drm_sched_wqueue_stop(sched)
        if self.safe:
            for item in _items(sched):
                disable_work_sync(item)

    def go_on(self, sched: Any) -> None:
        """The ring goes on."""
        if self.safe:
            for item in _items(sched):
                enable_work(item)
        drm_sched_wqueue_start(sched)

    def recover(self, sched: Any, bad: Any) -> None:
        """Reset a ring: what is on it fails, or runs once more."""
        if self.safe:
            self.halt(sched)
        drm_sched_stop(sched, bad)
        if bad is not None:
            drm_sched_increase_karma(bad)
        if self.plan.resubmit:
            drm_sched_resubmit_jobs(sched)
        if self.safe:
            for item in _items(sched):
                enable_work(item)
        drm_sched_start(sched, -ECANCELED)

    # -- the end -----------------------------------------------------------------------------------

    def close(self) -> None:
        """Take the rings down; the entities have gone, and with `early` some jobs have not.

        Before 7.2 jobs that are not freed by then leak. In 7.2 fini and a timeout handler that
        starts its ring again break each other, so a ring with a timeout has to be empty, too.
        """
        self._drain()
        for sched in self.scheds:
            if self.safe and compat.scheduler != "v6_1":
                drm_sched_wqueue_stop(sched)  # what a work item queues behind the first stop
            drm_sched_fini(sched)
        destroy_workqueue(self.wq)
        for sched in self.scheds:
            kfree(sched)
        for fence in self.recent:
            dma_fence_put(fence)
        self.recent.clear()

    def _drain(self) -> None:
        """Wait until all jobs are freed, if that has to be."""
        early = self.plan.early and compat.scheduler == "v7_2" and not any(self.plan.timeouts)
        if early and self.safe:
            return
        end = ktime_get() + DRAIN_NS
        while self.freed.counter != self.jobs.counter and ktime_get() < end:
            usleep_range(50, 100)


def _items(sched: Any) -> list[work_struct]:
    names = ("work_run_job", "work_free_job", "work_submit")
    return [getattr(sched, name) for name in names if hasattr(sched, name)]


# -- what the scheduler calls ----------------------------------------------------------------------


def run_job(base: drm_sched_job) -> Any:
    """Hand the job to the hardware; one that runs once more gets another fence, and is quick."""
    job: Any = container_of(base, stress_job, "base")
    if job.base.s_fence.finished.error:
        return None
    if job.kind == kinds.NULL:
        return None
    if job.kind == kinds.ERROR:
        return ERR_PTR(-EIO)
    again = job.hw is not None
    if again:
        hrtimer_cancel(job.timer)
        dma_fence_signal(job.hw)
        dma_fence_put(job.hw)
    hw: Any = kzalloc_obj(dma_fence)
    number = atomic_inc_return(job.device.seqno)
    dma_fence_init(hw, hw_ops, None, job.device.context, number)
    job.hw = hw
    dma_fence_get(hw)
    if job.kind == kinds.INSTANT or again:
        dma_fence_signal(hw)
    elif job.us:
        job.timed = True
        hrtimer_setup(job.timer, expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
        hrtimer_start(job.timer, job.us * 1000, HRTIMER_MODE_REL)
    return hw


def timedout_job(base: Any) -> int:
    """It only took long; or it hangs, and the ring is reset."""
    job: Any = container_of(base, stress_job, "base")
    atomic_inc_return(job.device.timeouts)
    if job.kind != kinds.HANG and not dma_fence_test_signaled_flag(base.s_fence.finished):
        return DRM_GPU_SCHED_STAT_NO_HANG
    if job.hw is not None and not dma_fence_is_signaled(job.hw):
        dma_fence_set_error(job.hw, -ETIME)
        dma_fence_signal(job.hw)
    job.device.recover(base.sched, base)
    return DRM_GPU_SCHED_STAT_RESET


def cancel_job(base: drm_sched_job) -> None:
    """The scheduler goes, and the job is still on the hardware."""
    job: Any = container_of(base, stress_job, "base")
    if job.timed:
        hrtimer_cancel(job.timer)
    if job.hw is not None and not dma_fence_is_signaled(job.hw):
        dma_fence_set_error(job.hw, -ECANCELED)
        dma_fence_signal(job.hw)


def free_job(base: drm_sched_job) -> None:
    """The job is over."""
    job: Any = container_of(base, stress_job, "base")
    dev = job.device
    drm_sched_job_cleanup(base)
    if job.timed:
        hrtimer_cancel(job.timer)
    if job.hw is not None:
        dma_fence_signal(job.hw)
        dma_fence_put(job.hw)
    kfree(job)
    atomic_inc_return(dev.freed)
