# SPDX-FileCopyrightText: 2025 Valve Corporation
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/gpu/drm/scheduler/tests/mock_scheduler.c,
# Linux 7.2.13, on 2026-11-20.
"""The mock GPU: a timer per job with a duration, and a timeline that tests advance by hand."""

from __future__ import annotations

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_init,
    dma_fence_is_signaled_locked,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal_locked,
)
from kport.drivers.mock.sched_tests import (
    DRM_MOCK_SCHED_JOB_DONE,
    DRM_MOCK_SCHED_JOB_DONT_RESET,
    DRM_MOCK_SCHED_JOB_RESET_SKIPPED,
    DRM_MOCK_SCHED_JOB_TIMEDOUT,
    drm_mock_sched_entity,
    drm_mock_sched_job,
    drm_mock_scheduler,
    drm_sched_job_to_mock_job,
    drm_sched_to_mock_sched,
)
from kport.drivers.compat import (
    DRM_GPU_SCHED_STAT_NO_HANG,
    DRM_GPU_SCHED_STAT_RESET,
    DRM_SCHED_PRIORITY_COUNT,
    drm_gpu_sched_stat,
    drm_sched_backend_ops,
    drm_sched_entity_destroy,
    drm_sched_entity_init,
    drm_sched_fini,
    drm_sched_init,
    drm_sched_init_args,
    drm_sched_job,
    drm_sched_job_cleanup,
    drm_sched_job_init,
    drm_sched_priority,
)
from kport.linux.atomic import atomic_inc_return, atomic_set
from kport.linux.bug import WARN_ON_ONCE
from kport.linux.cleanup import goto, labels
from kport.linux.completion import complete, init_completion
from kport.linux.err import ECANCELED, ETIMEDOUT
from kport.linux.hrtimer import (
    CLOCK_MONOTONIC,
    HRTIMER_MODE_ABS,
    HRTIMER_NORESTART,
    hrtimer,
    hrtimer_cancel,
    hrtimer_restart,
    hrtimer_setup,
    hrtimer_start,
)
from kport.linux.ktime import ktime_add_us, ktime_before, ktime_get
from kport.linux.kunit import (
    KUNIT_ASSERT_EQ,
    KUNIT_ASSERT_NOT_ERR_OR_NULL,
    KUNIT_ASSERT_NOT_NULL,
    kunit,
    kunit_device_register,
    kunit_kzalloc,
)
from kport.linux.list import (
    INIT_LIST_HEAD,
    LIST_HEAD,
    list_add_tail,
    list_del,
    list_empty,
    list_for_each_entry_safe,
    list_last_entry,
)
from kport.linux.lockdep import lockdep_assert_held
from kport.linux.module import boot_data
from kport.linux.spinlock import (
    spin_lock_init,
    spin_lock_irq,
    spin_lock_irqsave,
    spin_unlock_irq,
    spin_unlock_irqrestore,
)
from kport.linux.struct import container_of
from kport.linux.types import U32_MAX, u32
from kport.linux.vsprintf import sprintf

# The static local of drm_mock_sched_new().
instance = 0


@boot_data
def _reset_instance() -> None:
    global instance
    instance = 0


def drm_mock_sched_entity_new(
    test: kunit, priority: drm_sched_priority, sched: drm_mock_scheduler
) -> drm_mock_sched_entity:
    """An entity on the mock scheduler, freed with the test.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:24-46, Linux 7.2.13
    """
    entity = kunit_kzalloc(test, drm_mock_sched_entity)
    KUNIT_ASSERT_NOT_NULL(test, entity)

    drm_sched = [sched.base]  # kport: addressed
    ret = drm_sched_entity_init(entity.base, priority, drm_sched, 1, None)
    KUNIT_ASSERT_EQ(test, ret, 0)

    entity.test = test

    return entity


def drm_mock_sched_entity_free(entity: drm_mock_sched_entity) -> None:
    """The test is done with the entity.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:55-58, Linux 7.2.13
    """
    drm_sched_entity_destroy(entity.base)


def drm_mock_sched_job_complete(job: drm_mock_sched_job) -> None:
    """The job leaves the hardware.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:60-71, Linux 7.2.13
    """
    sched = drm_sched_to_mock_sched(job.base.sched)

    lockdep_assert_held(sched.lock)

    job.flags |= DRM_MOCK_SCHED_JOB_DONE
    list_del(job.link)
    dma_fence_signal_locked(job.hw_fence)
    complete(job.done)


def drm_mock_sched_job_signal_timer(hrtimer: hrtimer) -> hrtimer_restart:
    """Complete every job at the head of the hardware whose time has come.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:73-99, Linux 7.2.13
    """
    job = container_of(hrtimer, drm_mock_sched_job, "timer")
    sched = drm_sched_to_mock_sched(job.base.sched)
    now = ktime_get()
    signal = LIST_HEAD()

    flags = spin_lock_irqsave(sched.lock)
    for job, next in list_for_each_entry_safe(sched.job_list, drm_mock_sched_job, "link"):
        if not job.duration_us:
            break

        if ktime_before(now, job.finish_at):
            break

        sched.hw_timeline.cur_seqno = job.hw_fence.seqno
        drm_mock_sched_job_complete(job)
    spin_unlock_irqrestore(sched.lock, flags)

    return HRTIMER_NORESTART


def drm_mock_sched_job_new(test: kunit, entity: drm_mock_sched_entity) -> drm_mock_sched_job:
    """A job for the entity, freed with the test.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:109-134, Linux 7.2.13
    """
    job = kunit_kzalloc(test, drm_mock_sched_job)
    KUNIT_ASSERT_NOT_NULL(test, job)

    ret = drm_sched_job_init(job.base, entity.base, 1, None, 1)
    KUNIT_ASSERT_EQ(test, ret, 0)

    job.test = test

    init_completion(job.done)
    INIT_LIST_HEAD(job.link)
    hrtimer_setup(job.timer, drm_mock_sched_job_signal_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS)

    return job


def drm_mock_sched_hw_fence_driver_name(fence: dma_fence) -> str:
    """The name of the driver.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:136-139, Linux 7.2.13
    """
    return "drm_mock_sched"


def drm_mock_sched_hw_fence_timeline_name(fence: dma_fence) -> str:
    """The name of the scheduler.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:141-148, Linux 7.2.13
    """
    job = container_of(fence, drm_mock_sched_job, "hw_fence")

    return job.base.sched.name


def drm_mock_sched_hw_fence_release(fence: dma_fence) -> None:
    """The fence goes with its job, which the test frees.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:150-158, Linux 7.2.13
    """
    job = container_of(fence, drm_mock_sched_job, "hw_fence")

    hrtimer_cancel(job.timer)


drm_mock_sched_hw_fence_ops = dma_fence_ops(
    get_driver_name=drm_mock_sched_hw_fence_driver_name,
    get_timeline_name=drm_mock_sched_hw_fence_timeline_name,
    release=drm_mock_sched_hw_fence_release,
)


def mock_sched_run_job(sched_job: drm_sched_job) -> dma_fence:
    """Put the job on the hardware, behind those that are there.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:166-203, Linux 7.2.13
    """
    sched = drm_sched_to_mock_sched(sched_job.sched)
    job = drm_sched_job_to_mock_job(sched_job)

    dma_fence_init(
        job.hw_fence,
        drm_mock_sched_hw_fence_ops,
        sched.lock,
        sched.hw_timeline.context,
        atomic_inc_return(sched.hw_timeline.next_seqno),
    )

    dma_fence_get(job.hw_fence)

    spin_lock_irq(sched.lock)
    if job.duration_us:
        prev_finish_at = 0

        if not list_empty(sched.job_list):
            prev = list_last_entry(sched.job_list, drm_mock_sched_job, "link")

            prev_finish_at = prev.finish_at

        if not prev_finish_at:
            prev_finish_at = ktime_get()

        job.finish_at = ktime_add_us(prev_finish_at, job.duration_us)
    list_add_tail(job.link, sched.job_list)
    if job.finish_at:
        hrtimer_start(job.timer, job.finish_at, HRTIMER_MODE_ABS)
    spin_unlock_irq(sched.lock)

    return job.hw_fence


def mock_sched_timedout_job(sched_job: drm_sched_job) -> drm_gpu_sched_stat:
    """Fail the job and free it, or look away if the test has told so.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:216-242, Linux 7.2.13
    """
    sched = drm_sched_to_mock_sched(sched_job.sched)
    job = drm_sched_job_to_mock_job(sched_job)

    if job.flags & DRM_MOCK_SCHED_JOB_DONT_RESET:
        job.flags |= DRM_MOCK_SCHED_JOB_RESET_SKIPPED
        return DRM_GPU_SCHED_STAT_NO_HANG

    flags = spin_lock_irqsave(sched.lock)
    if not dma_fence_is_signaled_locked(job.hw_fence):
        list_del(job.link)
        job.flags |= DRM_MOCK_SCHED_JOB_TIMEDOUT
        dma_fence_set_error(job.hw_fence, -ETIMEDOUT)
        dma_fence_signal_locked(job.hw_fence)
    spin_unlock_irqrestore(sched.lock, flags)

    dma_fence_put(job.hw_fence)
    drm_sched_job_cleanup(sched_job)

    return DRM_GPU_SCHED_STAT_RESET


def mock_sched_free_job(sched_job: drm_sched_job) -> None:
    """The scheduler is done with the job; the test frees it.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:244-252, Linux 7.2.13
    """
    job = drm_sched_job_to_mock_job(sched_job)

    dma_fence_put(job.hw_fence)
    drm_sched_job_cleanup(sched_job)


def mock_sched_cancel_job(sched_job: drm_sched_job) -> None:
    """Fail a job of a scheduler that goes.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:254-274, Linux 7.2.13
    """
    sched = drm_sched_to_mock_sched(sched_job.sched)
    job = drm_sched_job_to_mock_job(sched_job)

    hrtimer_cancel(job.timer)

    flags = spin_lock_irqsave(sched.lock)
    if not dma_fence_is_signaled_locked(job.hw_fence):
        list_del(job.link)
        dma_fence_set_error(job.hw_fence, -ECANCELED)
        dma_fence_signal_locked(job.hw_fence)
    spin_unlock_irqrestore(sched.lock, flags)


drm_mock_scheduler_ops = drm_sched_backend_ops(
    run_job=mock_sched_run_job,
    timedout_job=mock_sched_timedout_job,
    free_job=mock_sched_free_job,
    cancel_job=mock_sched_cancel_job,
)


def drm_mock_sched_new(test: kunit, timeout: int) -> drm_mock_scheduler:
    """A mock scheduler with all the credits there are; jobs time out after `timeout` ticks.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:291-326, Linux 7.2.13
    """
    global instance
    args = drm_sched_init_args(
        ops=drm_mock_scheduler_ops,
        num_rqs=DRM_SCHED_PRIORITY_COUNT,
        credit_limit=U32_MAX,
        hang_limit=1,
        timeout=timeout,
        name="drm-mock-scheduler",
    )

    sched = kunit_kzalloc(test, drm_mock_scheduler)
    KUNIT_ASSERT_NOT_NULL(test, sched)

    name = sprintf("%s-%u", args.name, instance)  # kport: string
    instance += 1  # kport: side-effect
    dev = kunit_device_register(test, name)
    KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev)

    args.dev = dev

    ret = drm_sched_init(sched.base, args)
    KUNIT_ASSERT_EQ(test, ret, 0)

    sched.test = test
    sched.hw_timeline.context = dma_fence_context_alloc(1)
    atomic_set(sched.hw_timeline.next_seqno, 0)
    INIT_LIST_HEAD(sched.job_list)
    spin_lock_init(sched.lock)

    return sched


def drm_mock_sched_fini(sched: drm_mock_scheduler) -> None:
    """The test is done with the scheduler.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:335-338, Linux 7.2.13
    """
    drm_sched_fini(sched.base)


def drm_mock_sched_advance(sched: drm_mock_scheduler, num: int) -> int:
    """Move the timeline on by `num` fences; returns how many jobs that completed.

    drivers/gpu/drm/scheduler/tests/mock_scheduler.c:354-378, Linux 7.2.13
    """
    found = 0
    signal = LIST_HEAD()

    flags = spin_lock_irqsave(sched.lock)
    with labels("unlock"):
        if WARN_ON_ONCE(
            u32(sched.hw_timeline.cur_seqno + num) < sched.hw_timeline.cur_seqno  # kport: wrap
        ):
            raise goto("unlock")
        sched.hw_timeline.cur_seqno += num
        for job, next in list_for_each_entry_safe(sched.job_list, drm_mock_sched_job, "link"):
            if sched.hw_timeline.cur_seqno < job.hw_fence.seqno:
                break

            drm_mock_sched_job_complete(job)
            found += 1
    spin_unlock_irqrestore(sched.lock, flags)

    return found
