# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/scheduler/sched_main.c, Linux 7.2.13, on 2026-11-20.
"""The scheduler: two work items per ring, one that runs jobs and one that frees them.

Jobs flow entity -> (run_job) -> pending_list -> (hardware fence) -> finished -> (free_job). Credits
bound what is on the hardware; a delayed work item watches the oldest job.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.arch.asm import READ_ONCE, WRITE_ONCE
from kport.dma_buf.dma_fence import (
    DMA_FENCE_FLAG_TIMESTAMP_BIT,
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_get,
    dma_fence_is_later,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_remove_callback,
    dma_fence_set_error,
    dma_fence_timestamp,
    dma_fence_wait,
)
from kport.dma_buf.dma_resv import (
    dma_resv,
    dma_resv_assert_held,
    dma_resv_for_each_fence,
    dma_resv_iter,
    dma_resv_usage,
    dma_resv_usage_rw,
)
from kport.drm.drm_gem import drm_gem_object
from kport.drm.drm_print import DRM_DEV_ERROR, DRM_WARN
from kport.drm.drm_syncobj import drm_file, drm_syncobj_find_fence
from kport.linux.atomic import (
    atomic64_set,
    atomic_add,
    atomic_dec,
    atomic_inc,
    atomic_read,
    atomic_set,
    atomic_sub,
)
from kport.linux.bitops import test_bit
from kport.linux.bug import BUG_ON, WARN_ON
from kport.linux.cleanup import goto, labels
from kport.linux.completion import complete_all
from kport.linux.device import dev_err, dev_warn, dev_WARN
from kport.linux.err import (
    ECANCELED,
    EINVAL,
    ENOENT,
    ENOMEM,
    IS_ERR,
    IS_ERR_OR_NULL,
    PTR_ERR,
)
from kport.linux.jiffies import jiffies, time_after
from kport.linux.kref import kref_read
from kport.linux.ktime import ktime_to_us
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add,
    list_add_tail,
    list_del,
    list_del_init,
    list_empty,
    list_first_entry_or_null,
    list_for_each_entry_safe,
    list_for_each_entry_safe_reverse,
)
from kport.linux.lockdep import lockdep_assert_held, lockdep_map
from kport.linux.module import EXPORT_SYMBOL, module_param_named
from kport.linux.overflow import check_sub_overflow
from kport.linux.printk import pr_err
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import GFP_KERNEL, kfree, kzalloc_obj, kzalloc_objs, pointer
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock
from kport.linux.struct import container_of, memset, sizeof
from kport.linux.types import UINT_MAX
from kport.linux.wait import init_waitqueue_head, wake_up, wake_up_all
from kport.linux.workqueue import (
    INIT_DELAYED_WORK,
    INIT_WORK,
    WQ_MEM_RECLAIM,
    alloc_ordered_workqueue_lockdep_map,
    cancel_delayed_work,
    cancel_delayed_work_sync,
    cancel_work_sync,
    destroy_workqueue,
    mod_delayed_work,
    queue_work,
    system_percpu_wq,
    work_struct,
    workqueue_struct,
)
from kport.linux.xarray import (
    XA_FLAGS_ALLOC,
    xa_alloc,
    xa_destroy,
    xa_for_each,
    xa_init_flags,
    xa_limit_32b,
    xa_store,
)

drm_sched_policy = 1  # DRM_SCHED_POLICY_FIFO

module_param_named("sched_policy", "drm_sched_policy", int, 0o444)


def drm_sched_available_credits(sched: drm_gpu_scheduler) -> int:
    """How many credits are free on the hardware.

    drivers/gpu/drm/scheduler/sched_main.c:96-105, Linux 7.2.13
    """
    overflow, credits = check_sub_overflow(  # kport: out-param
        sched.credit_limit, atomic_read(sched.credit_count)
    )
    WARN_ON(overflow)

    return credits


def drm_sched_can_queue(sched: drm_gpu_scheduler, entity: drm_sched_entity) -> bool:
    """True if the first job of the entity has room; a job of too many credits is cut down.

    drivers/gpu/drm/scheduler/sched_main.c:115-134, Linux 7.2.13
    """
    s_job = drm_sched_entity_queue_peek(entity)
    if not s_job:
        return False

    if s_job.credits > sched.credit_limit:
        dev_WARN(sched.dev, "Jobs may not exceed the credit limit, truncate.\n")
        s_job.credits = sched.credit_limit

    return drm_sched_available_credits(sched) >= s_job.credits


def drm_sched_run_job_queue(sched: drm_gpu_scheduler) -> None:
    """Queue the item that runs jobs, unless the scheduler is stopped.

    drivers/gpu/drm/scheduler/sched_main.c:140-144, Linux 7.2.13
    """
    if not drm_sched_is_stopped(sched):
        queue_work(sched.submit_wq, sched.work_run_job)


def drm_sched_run_free_queue(sched: drm_gpu_scheduler) -> None:
    """Queue the item that frees jobs, unless the scheduler is stopped.

    drivers/gpu/drm/scheduler/sched_main.c:150-154, Linux 7.2.13
    """
    if not drm_sched_is_stopped(sched):
        queue_work(sched.submit_wq, sched.work_free_job)


def drm_sched_job_done(s_job: drm_sched_job, result: int) -> None:
    """The job is off the hardware, with 0 or a negative error.

    drivers/gpu/drm/scheduler/sched_main.c:163-177, Linux 7.2.13
    """
    s_fence = s_job.s_fence
    sched = s_fence.sched

    atomic_sub(s_job.credits, sched.credit_count)
    atomic_dec(sched.score)

    trace_drm_sched_job_done(s_fence)

    dma_fence_get(s_fence.finished)
    drm_sched_fence_finished(s_fence, result)
    dma_fence_put(s_fence.finished)
    drm_sched_run_free_queue(sched)


def drm_sched_job_done_cb(f: dma_fence, cb: dma_fence_cb) -> None:
    """The hardware fence of a job has signalled.

    drivers/gpu/drm/scheduler/sched_main.c:184-189, Linux 7.2.13
    """
    s_job = container_of(cb, drm_sched_job, "cb")

    drm_sched_job_done(s_job, f.error)


def drm_sched_start_timeout(sched: drm_gpu_scheduler) -> None:
    """(Re)start the timeout if there is one and a job is pending. The job list is locked.

    drivers/gpu/drm/scheduler/sched_main.c:198-205, Linux 7.2.13
    """
    lockdep_assert_held(sched.job_list_lock)

    if sched.timeout != MAX_SCHEDULE_TIMEOUT and not list_empty(sched.pending_list):
        mod_delayed_work(sched.timeout_wq, sched.work_tdr, sched.timeout)


def drm_sched_start_timeout_unlocked(sched: drm_gpu_scheduler) -> None:
    """(Re)start the timeout if there is one and a job is pending.

    drivers/gpu/drm/scheduler/sched_main.c:207-212, Linux 7.2.13
    """
    spin_lock(sched.job_list_lock)
    drm_sched_start_timeout(sched)
    spin_unlock(sched.job_list_lock)


def drm_sched_tdr_queue_imm(sched: drm_gpu_scheduler) -> None:
    """Time out now, and from here on at once.

    drivers/gpu/drm/scheduler/sched_main.c:221-227, Linux 7.2.13
    """
    spin_lock(sched.job_list_lock)
    sched.timeout = 0
    drm_sched_start_timeout(sched)
    spin_unlock(sched.job_list_lock)


EXPORT_SYMBOL(drm_sched_tdr_queue_imm)


def drm_sched_fault(sched: drm_gpu_scheduler) -> None:
    """The driver has seen a fault: run the timeout handler now.

    drivers/gpu/drm/scheduler/sched_main.c:237-241, Linux 7.2.13
    """
    if sched.timeout_wq:
        mod_delayed_work(sched.timeout_wq, sched.work_tdr, 0)


EXPORT_SYMBOL(drm_sched_fault)


def drm_sched_suspend_timeout(sched: drm_gpu_scheduler) -> int:
    """Put the timeout off for ever; returns the ticks that were left of it.

    drivers/gpu/drm/scheduler/sched_main.c:256-271, Linux 7.2.13
    """
    now = jiffies()

    sched_timeout = sched.work_tdr.timer.expires

    if mod_delayed_work(
        sched.timeout_wq, sched.work_tdr, MAX_SCHEDULE_TIMEOUT
    ) and time_after(sched_timeout, now):
        return sched_timeout - now
    else:
        return sched.timeout


EXPORT_SYMBOL(drm_sched_suspend_timeout)


def drm_sched_resume_timeout(sched: drm_gpu_scheduler, remaining: int) -> None:
    """Time out in `remaining` ticks if a job is pending.

    drivers/gpu/drm/scheduler/sched_main.c:282-293, Linux 7.2.13
    """
    spin_lock(sched.job_list_lock)

    if list_empty(sched.pending_list):
        cancel_delayed_work(sched.work_tdr)
    else:
        mod_delayed_work(sched.timeout_wq, sched.work_tdr, remaining)

    spin_unlock(sched.job_list_lock)


EXPORT_SYMBOL(drm_sched_resume_timeout)


def drm_sched_job_begin(s_job: drm_sched_job) -> None:
    """The job is about to go to the hardware.

    drivers/gpu/drm/scheduler/sched_main.c:296-304, Linux 7.2.13
    """
    sched = s_job.sched

    spin_lock(sched.job_list_lock)
    list_add_tail(s_job.list, sched.pending_list)
    drm_sched_start_timeout(sched)
    spin_unlock(sched.job_list_lock)


def drm_sched_job_reinsert_on_false_timeout(
    sched: drm_gpu_scheduler, job: drm_sched_job
) -> None:
    """The job that timed out is not hung after all: back to the front of the list.

    drivers/gpu/drm/scheduler/sched_main.c:318-330, Linux 7.2.13
    """
    spin_lock(sched.job_list_lock)
    list_add(job.list, sched.pending_list)

    drm_sched_run_free_queue(sched)
    spin_unlock(sched.job_list_lock)


def drm_sched_job_timedout(work: work_struct) -> None:
    """The oldest job took too long: let the driver deal with it.

    drivers/gpu/drm/scheduler/sched_main.c:332-374, Linux 7.2.13
    """
    status = DRM_GPU_SCHED_STAT_RESET

    sched = container_of(work, drm_gpu_scheduler, "work_tdr.work")

    spin_lock(sched.job_list_lock)
    job = list_first_entry_or_null(sched.pending_list, drm_sched_job, "list")

    if job:
        list_del_init(job.list)
        spin_unlock(sched.job_list_lock)

        status = job.sched.ops.timedout_job(job)

        if sched.free_guilty:
            job.sched.ops.free_job(job)
            sched.free_guilty = False

        if status == DRM_GPU_SCHED_STAT_NO_HANG:
            drm_sched_job_reinsert_on_false_timeout(sched, job)
    else:
        spin_unlock(sched.job_list_lock)

    if status != DRM_GPU_SCHED_STAT_ENODEV:
        drm_sched_start_timeout_unlocked(sched)


def drm_sched_stop(sched: drm_gpu_scheduler, bad: drm_sched_job | None) -> None:
    """Stop for a reset: detach what has not finished, free what has.

    `bad`, the job that timed out, goes back to the front of the list; if it has finished it is not
    freed here but by drm_sched_job_timedout().

    drivers/gpu/drm/scheduler/sched_main.c:395-466, Linux 7.2.13
    """
    drm_sched_wqueue_stop(sched)

    if bad and bad.sched is sched:
        list_add(bad.list, sched.pending_list)

    for s_job, tmp in list_for_each_entry_safe_reverse(
        sched.pending_list, drm_sched_job, "list"
    ):
        if s_job.s_fence.parent and dma_fence_remove_callback(
            s_job.s_fence.parent, s_job.cb
        ):
            dma_fence_put(s_job.s_fence.parent)
            s_job.s_fence.parent = None
            atomic_sub(s_job.credits, sched.credit_count)
        else:
            spin_lock(sched.job_list_lock)
            list_del_init(s_job.list)
            spin_unlock(sched.job_list_lock)

            dma_fence_wait(s_job.s_fence.finished, False)

            if bad is not s_job:
                sched.ops.free_job(s_job)
            else:
                sched.free_guilty = True

    cancel_delayed_work(sched.work_tdr)


EXPORT_SYMBOL(drm_sched_stop)


def drm_sched_start(sched: drm_gpu_scheduler, errno: int) -> None:
    """Go on after a reset; jobs without a hardware fence end with `errno` or -ECANCELED.

    drivers/gpu/drm/scheduler/sched_main.c:484-510, Linux 7.2.13
    """
    for s_job, tmp in list_for_each_entry_safe(sched.pending_list, drm_sched_job, "list"):
        fence = s_job.s_fence.parent

        atomic_add(s_job.credits, sched.credit_count)

        if not fence:
            drm_sched_job_done(s_job, errno or -ECANCELED)
            continue

        if dma_fence_add_callback(fence, s_job.cb, drm_sched_job_done_cb):
            drm_sched_job_done(s_job, fence.error or errno)

    drm_sched_start_timeout_unlocked(sched)
    drm_sched_wqueue_start(sched)


EXPORT_SYMBOL(drm_sched_start)


def drm_sched_resubmit_jobs(sched: drm_gpu_scheduler) -> None:
    """Run every pending job once more; those of a context that hung too often get -ECANCELED.

    drivers/gpu/drm/scheduler/sched_main.c:532-565, Linux 7.2.13
    """
    found_guilty = False

    for s_job, tmp in list_for_each_entry_safe(sched.pending_list, drm_sched_job, "list"):
        s_fence = s_job.s_fence

        if not found_guilty and atomic_read(s_job.karma) > sched.hang_limit:
            found_guilty = True
            guilty_context = s_job.s_fence.scheduled.context

        if found_guilty and s_job.s_fence.scheduled.context == guilty_context:
            dma_fence_set_error(s_fence.finished, -ECANCELED)

        fence = sched.ops.run_job(s_job)

        if IS_ERR_OR_NULL(fence):
            if IS_ERR(fence):
                dma_fence_set_error(s_fence.finished, PTR_ERR(fence))

            s_job.s_fence.parent = None
        else:
            s_job.s_fence.parent = dma_fence_get(fence)

            dma_fence_put(fence)


EXPORT_SYMBOL(drm_sched_resubmit_jobs)


def drm_sched_job_init(
    job: drm_sched_job,
    entity: drm_sched_entity,
    credits: int,
    owner: Any,
    drm_client_id: int,
) -> int:
    """Initialise a job of an entity: 0, -ENOENT without a run queue, -EINVAL, -ENOMEM.

    From here on drm_sched_job_cleanup() must be called. As in the kernel the message for -ENOENT
    looks at job.sched before anybody has set it.

    drivers/gpu/drm/scheduler/sched_main.c:595-633, Linux 7.2.13
    """
    if not entity.rq:
        dev_err(job.sched.dev, "%s: entity has no rq!\n", "drm_sched_job_init")
        return -ENOENT

    if not credits:
        pr_err("*ERROR* %s: credits cannot be 0!\n", "drm_sched_job_init")
        return -EINVAL

    memset(job, 0, sizeof(job))

    job.entity = entity
    job.credits = credits
    job.s_fence = drm_sched_fence_alloc(entity, owner, drm_client_id)
    if not job.s_fence:
        return -ENOMEM

    INIT_LIST_HEAD(job.list)

    xa_init_flags(job.dependencies, XA_FLAGS_ALLOC)

    return 0


EXPORT_SYMBOL(drm_sched_job_init)


def drm_sched_job_arm(job: drm_sched_job) -> None:
    """Choose the scheduler and make the fences; the job must be pushed after this.

    drivers/gpu/drm/scheduler/sched_main.c:653-667, Linux 7.2.13
    """
    entity = job.entity

    BUG_ON(not entity)
    drm_sched_entity_select_rq(entity)
    sched = entity.rq.sched

    job.sched = sched
    job.s_priority = entity.priority
    job.entity_stats = drm_sched_entity_stats_get(entity.stats)

    drm_sched_fence_init(job.s_fence, job.entity)


EXPORT_SYMBOL(drm_sched_job_arm)


def drm_sched_job_add_dependency(job: drm_sched_job, fence: dma_fence | None) -> int:
    """Wait for a fence before the job runs: 0 or -ENOMEM. Takes over the reference either way.

    Of two fences of one context only the later is kept.

    drivers/gpu/drm/scheduler/sched_main.c:680-713, Linux 7.2.13
    """
    id = 0

    if not fence:
        return 0

    for index, entry in xa_for_each(job.dependencies):
        if entry.context != fence.context:
            continue

        if dma_fence_is_later(fence, entry):
            dma_fence_put(entry)
            xa_store(job.dependencies, index, fence, GFP_KERNEL)
        else:
            dma_fence_put(fence)
        return 0

    ret, id = xa_alloc(job.dependencies, fence, xa_limit_32b, GFP_KERNEL)  # kport: out-param
    if ret != 0:
        dma_fence_put(fence)

    return ret


EXPORT_SYMBOL(drm_sched_job_add_dependency)


def drm_sched_job_add_syncobj_dependency(
    job: drm_sched_job, file: drm_file, handle: int, point: int
) -> int:
    """Wait for the fence of a sync object: 0, or the error of finding or adding it.

    drivers/gpu/drm/scheduler/sched_main.c:728-741, Linux 7.2.13
    """
    ret, fence = drm_syncobj_find_fence(file, handle, point, 0)  # kport: out-param
    if ret:
        return ret

    return drm_sched_job_add_dependency(job, fence)


EXPORT_SYMBOL(drm_sched_job_add_syncobj_dependency)


def drm_sched_job_add_resv_dependencies(
    job: drm_sched_job, resv: dma_resv, usage: dma_resv_usage
) -> int:
    """Wait for all fences of a reservation that fit: 0 or -ENOMEM. The reservation is locked.

    drivers/gpu/drm/scheduler/sched_main.c:756-777, Linux 7.2.13
    """
    cursor = dma_resv_iter()

    dma_resv_assert_held(resv)

    for fence in dma_resv_for_each_fence(cursor, resv, usage):
        ret = drm_sched_job_add_dependency(job, dma_fence_get(fence))
        if ret:
            return ret
    return 0


EXPORT_SYMBOL(drm_sched_job_add_resv_dependencies)


def drm_sched_job_add_implicit_dependencies(
    job: drm_sched_job, obj: drm_gem_object, write: bool
) -> int:
    """Wait for what a read or a write of a buffer must wait for: 0 or -ENOMEM. Locked.

    drivers/gpu/drm/scheduler/sched_main.c:795-801, Linux 7.2.13
    """
    return drm_sched_job_add_resv_dependencies(job, obj.resv, dma_resv_usage_rw(write))


EXPORT_SYMBOL(drm_sched_job_add_implicit_dependencies)


def drm_sched_job_has_dependency(job: drm_sched_job, fence: dma_fence) -> bool:
    """True if the job waits for this very fence.

    drivers/gpu/drm/scheduler/sched_main.c:812-824, Linux 7.2.13
    """
    for index, f in xa_for_each(job.dependencies):
        if f is fence:
            return True

    return False


EXPORT_SYMBOL(drm_sched_job_has_dependency)


def drm_sched_job_cleanup(job: drm_sched_job) -> None:
    """Drop what drm_sched_job_init() and _arm() made; before arming, or when the job is over.

    drivers/gpu/drm/scheduler/sched_main.c:843-869, Linux 7.2.13
    """
    if kref_read(job.s_fence.finished.refcount):
        dma_fence_put(job.s_fence.finished)
        drm_sched_entity_stats_put(job.entity_stats)
    else:
        drm_sched_fence_free(job.s_fence)

    job.s_fence = None

    for index, fence in xa_for_each(job.dependencies):
        dma_fence_put(fence)
    xa_destroy(job.dependencies)


EXPORT_SYMBOL(drm_sched_job_cleanup)


def drm_sched_wakeup(sched: drm_gpu_scheduler) -> None:
    """There may be a job to run.

    drivers/gpu/drm/scheduler/sched_main.c:878-881, Linux 7.2.13
    """
    drm_sched_run_job_queue(sched)


def drm_sched_select_entity(sched: drm_gpu_scheduler) -> drm_sched_entity | None:
    """The entity to serve next, or NULL; a job without room hides the lower priorities.

    drivers/gpu/drm/scheduler/sched_main.c:894-909, Linux 7.2.13
    """
    entity = None

    for i in range(DRM_SCHED_PRIORITY_KERNEL, sched.num_rqs):
        entity = drm_sched_rq_select_entity(sched, sched.sched_rq[i])
        if entity:
            break

    return None if IS_ERR(entity) else entity


def drm_sched_get_finished_job(sched: drm_gpu_scheduler) -> drm_sched_job | None:
    """Take the oldest job if it has finished, or NULL; the timeout passes to the next.

    drivers/gpu/drm/scheduler/sched_main.c:922-957, Linux 7.2.13
    """
    spin_lock(sched.job_list_lock)

    job = list_first_entry_or_null(sched.pending_list, drm_sched_job, "list")
    if job and dma_fence_is_signaled(job.s_fence.finished):
        list_del_init(job.list)

        cancel_delayed_work(sched.work_tdr)

        next = list_first_entry_or_null(sched.pending_list, drm_sched_job, "list")
        if next:
            if test_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, next.s_fence.scheduled.flags):
                next.s_fence.scheduled.timestamp = dma_fence_timestamp(job.s_fence.finished)

            drm_sched_start_timeout(sched)
    else:
        job = None

    spin_unlock(sched.job_list_lock)

    return job


def drm_sched_pick_best(
    sched_list: Sequence[drm_gpu_scheduler], num_sched_list: int
) -> drm_gpu_scheduler | None:
    """The ready scheduler with the least load, or NULL if none is ready.

    drivers/gpu/drm/scheduler/sched_main.c:967-992, Linux 7.2.13
    """
    picked_sched = None
    min_score = UINT_MAX

    for i in range(0, num_sched_list):
        sched = sched_list[i]

        if not sched.ready:
            DRM_WARN("scheduler %s is not ready, skipping", sched.name)
            continue

        num_score = atomic_read(sched.score)
        if num_score < min_score:
            min_score = num_score
            picked_sched = sched

    return picked_sched


EXPORT_SYMBOL(drm_sched_pick_best)


def drm_sched_free_job_work(w: work_struct) -> None:
    """Free every finished job at the front of the list, and account its time.

    drivers/gpu/drm/scheduler/sched_main.c:1000-1017, Linux 7.2.13
    """
    sched = container_of(w, drm_gpu_scheduler, "work_free_job")

    while job := drm_sched_get_finished_job(sched):
        duration = drm_sched_entity_stats_job_add_gpu_time(job)

        ewma_drm_sched_avgtime_add(sched.avg_job_us, ktime_to_us(duration))

        sched.ops.free_job(job)

    drm_sched_run_job_queue(sched)


def drm_sched_run_job_work(w: work_struct) -> None:
    """Run one job, if one is ready and has room; then queue itself again.

    drivers/gpu/drm/scheduler/sched_main.c:1024-1081, Linux 7.2.13
    """
    sched = container_of(w, drm_gpu_scheduler, "work_run_job")

    entity = drm_sched_select_entity(sched)
    if not entity:
        return

    sched_job = drm_sched_entity_pop_job(entity)
    if not sched_job:
        complete_all(entity.entity_idle)
        drm_sched_run_job_queue(sched)
        return

    s_fence = sched_job.s_fence

    atomic_add(sched_job.credits, sched.credit_count)
    drm_sched_job_begin(sched_job)

    trace_drm_sched_job_run(sched_job, entity)
    fence = sched.ops.run_job(sched_job)
    complete_all(entity.entity_idle)
    drm_sched_fence_scheduled(s_fence, fence)

    if not IS_ERR_OR_NULL(fence):
        r = dma_fence_add_callback(fence, sched_job.cb, drm_sched_job_done_cb)
        if r == -ENOENT:
            drm_sched_job_done(sched_job, fence.error)
        elif r:
            DRM_DEV_ERROR(sched.dev, "fence add callback failed (%d)\n", r)

        dma_fence_put(fence)
    else:
        drm_sched_job_done(sched_job, PTR_ERR(fence) if IS_ERR(fence) else 0)

    wake_up(sched.job_scheduled)
    drm_sched_run_job_queue(sched)


map = lockdep_map(name="drm_sched_lockdep_map")


def drm_sched_alloc_wq(name: str) -> workqueue_struct | None:
    """The ordered workqueue of a scheduler, or NULL.

    drivers/gpu/drm/scheduler/sched_main.c:1083-1100, Linux 7.2.13
    """
    return alloc_ordered_workqueue_lockdep_map(name, WQ_MEM_RECLAIM, map)


def drm_sched_init(sched: drm_gpu_scheduler, args: drm_sched_init_args) -> int:
    """Initialise a zeroed scheduler: 0, -EINVAL or -ENOMEM.

    As in the kernel a second init of a live scheduler warns and returns 0, but has overwritten the
    parameters by then.

    drivers/gpu/drm/scheduler/sched_main.c:1110-1188, Linux 7.2.13
    """
    sched.ops = args.ops
    sched.credit_limit = args.credit_limit
    sched.name = args.name
    sched.timeout = args.timeout
    sched.hang_limit = args.hang_limit
    sched.timeout_wq = args.timeout_wq if args.timeout_wq else system_percpu_wq
    sched.score = args.score if args.score else sched._score
    sched.dev = args.dev

    if args.num_rqs > DRM_SCHED_PRIORITY_COUNT:
        dev_err(
            sched.dev,
            "%s: num_rqs cannot be greater than DRM_SCHED_PRIORITY_COUNT\n",
            "drm_sched_init",
        )
        return -EINVAL
    elif sched.sched_rq:
        dev_warn(sched.dev, "%s: scheduler already initialized!\n", "drm_sched_init")
        return 0

    with labels("Out_unroll", "Out_check_own") as label:
        if args.submit_wq:
            sched.submit_wq = args.submit_wq
            sched.own_submit_wq = False
        else:
            sched.submit_wq = drm_sched_alloc_wq(args.name)
            if not sched.submit_wq:
                return -ENOMEM

            sched.own_submit_wq = True

        sched.num_user_rqs = args.num_rqs
        sched.num_rqs = args.num_rqs if drm_sched_policy != DRM_SCHED_POLICY_FAIR else 1
        sched.sched_rq = kzalloc_objs(pointer, args.num_rqs)
        if not sched.sched_rq:
            raise goto("Out_check_own")

        i = DRM_SCHED_PRIORITY_KERNEL
        while i < sched.num_rqs:
            sched.sched_rq[i] = kzalloc_obj(drm_sched_rq)
            if not sched.sched_rq[i]:
                raise goto("Out_unroll")
            drm_sched_rq_init(sched, sched.sched_rq[i])
            i += 1

        init_waitqueue_head(sched.job_scheduled)
        INIT_LIST_HEAD(sched.pending_list)
        spin_lock_init(sched.job_list_lock)
        atomic_set(sched.credit_count, 0)
        INIT_DELAYED_WORK(sched.work_tdr, drm_sched_job_timedout)
        INIT_WORK(sched.work_run_job, drm_sched_run_job_work)
        INIT_WORK(sched.work_free_job, drm_sched_free_job_work)
        atomic_set(sched._score, 0)
        atomic64_set(sched.job_id_count, 0)
        sched.pause_submit = False
        ewma_drm_sched_avgtime_init(sched.avg_job_us)

        sched.ready = True
        return 0
    if label("Out_unroll"):
        i -= 1
        while i >= DRM_SCHED_PRIORITY_KERNEL:
            kfree(sched.sched_rq[i])
            i -= 1

        kfree(sched.sched_rq)
        sched.sched_rq = None
    if label("Out_check_own"):
        if sched.own_submit_wq:
            destroy_workqueue(sched.submit_wq)
        dev_err(
            sched.dev,
            "%s: Failed to setup GPU scheduler--out of memory\n",
            "drm_sched_init",
        )
        return -ENOMEM


EXPORT_SYMBOL(drm_sched_init)


def drm_sched_cancel_remaining_jobs(sched: drm_gpu_scheduler) -> None:
    """The scheduler goes: cancel and free what is still on the hardware, newest first.

    drivers/gpu/drm/scheduler/sched_main.c:1191-1201, Linux 7.2.13
    """
    for job, tmp in list_for_each_entry_safe_reverse(
        sched.pending_list, drm_sched_job, "list"
    ):
        sched.ops.cancel_job(job)
        list_del(job.list)
        sched.ops.free_job(job)


def drm_sched_fini(sched: drm_gpu_scheduler) -> None:
    """Take the scheduler down; entities must be gone. Without cancel_job() pending jobs leak.

    drivers/gpu/drm/scheduler/sched_main.c:1216-1243, Linux 7.2.13
    """
    drm_sched_wqueue_stop(sched)

    for i in range(DRM_SCHED_PRIORITY_KERNEL, sched.num_rqs):
        kfree(sched.sched_rq[i])

    wake_up_all(sched.job_scheduled)

    cancel_delayed_work_sync(sched.work_tdr)

    if sched.ops.cancel_job:
        drm_sched_cancel_remaining_jobs(sched)

    if sched.own_submit_wq:
        destroy_workqueue(sched.submit_wq)
    sched.ready = False
    kfree(sched.sched_rq)
    sched.sched_rq = None

    if not list_empty(sched.pending_list):
        dev_warn(sched.dev, "Tearing down scheduler while jobs are pending!\n")


EXPORT_SYMBOL(drm_sched_fini)


def drm_sched_increase_karma(bad: drm_sched_job) -> None:
    """Count a hang against the job, and mark its entity guilty if it is on a run queue now.

    drivers/gpu/drm/scheduler/sched_main.c:1255-1286, Linux 7.2.13
    """
    sched = bad.sched

    if bad.s_priority != DRM_SCHED_PRIORITY_KERNEL:
        atomic_inc(bad.karma)

        for i in range(DRM_SCHED_PRIORITY_KERNEL, sched.num_rqs):
            rq = sched.sched_rq[i]

            spin_lock(rq.lock)
            for entity, tmp in list_for_each_entry_safe(
                rq.entities, drm_sched_entity, "list"
            ):
                if bad.s_fence.scheduled.context == entity.fence_context:
                    if entity.guilty:
                        atomic_set(entity.guilty, 1)
                    break
            else:  # kport: cursor
                entity = None  # kport: cursor
            spin_unlock(rq.lock)
            if entity:  # kport: cursor
                break


EXPORT_SYMBOL(drm_sched_increase_karma)


def drm_sched_wqueue_ready(sched: drm_gpu_scheduler) -> bool:
    """True between init and fini.

    drivers/gpu/drm/scheduler/sched_main.c:1296-1299, Linux 7.2.13
    """
    return sched.ready


EXPORT_SYMBOL(drm_sched_wqueue_ready)


def drm_sched_wqueue_stop(sched: drm_gpu_scheduler) -> None:
    """Neither run_job() nor free_job() runs after this returns, until wqueue_start().

    drivers/gpu/drm/scheduler/sched_main.c:1309-1314, Linux 7.2.13
    """
    WRITE_ONCE(sched, "pause_submit", True)
    cancel_work_sync(sched.work_run_job)
    cancel_work_sync(sched.work_free_job)


EXPORT_SYMBOL(drm_sched_wqueue_stop)


def drm_sched_wqueue_start(sched: drm_gpu_scheduler) -> None:
    """Go on after drm_sched_wqueue_stop().

    drivers/gpu/drm/scheduler/sched_main.c:1326-1331, Linux 7.2.13
    """
    WRITE_ONCE(sched, "pause_submit", False)
    queue_work(sched.submit_wq, sched.work_run_job)
    queue_work(sched.submit_wq, sched.work_free_job)


EXPORT_SYMBOL(drm_sched_wqueue_start)


def drm_sched_is_stopped(sched: drm_gpu_scheduler) -> bool:
    """True while submission is stopped.

    drivers/gpu/drm/scheduler/sched_main.c:1340-1343, Linux 7.2.13
    """
    return READ_ONCE(sched, "pause_submit")


EXPORT_SYMBOL(drm_sched_is_stopped)


def drm_sched_job_is_signaled(job: drm_sched_job) -> bool:
    """True if the hardware fence or the finished fence has signalled; the scheduler is stopped.

    drivers/gpu/drm/scheduler/sched_main.c:1356-1363, Linux 7.2.13
    """
    s_fence = job.s_fence

    WARN_ON(not drm_sched_is_stopped(job.sched))
    return (s_fence.parent and dma_fence_is_signaled(s_fence.parent)) or dma_fence_is_signaled(
        s_fence.finished
    )


EXPORT_SYMBOL(drm_sched_job_is_signaled)

# extern
from kport.drm.scheduler.v7_2.gpu_scheduler import (
    DRM_GPU_SCHED_STAT_ENODEV,
    DRM_GPU_SCHED_STAT_NO_HANG,
    DRM_GPU_SCHED_STAT_RESET,
    DRM_SCHED_PRIORITY_COUNT,
    DRM_SCHED_PRIORITY_KERNEL,
    drm_gpu_scheduler,
    drm_sched_entity,
    drm_sched_init_args,
    drm_sched_job,
    drm_sched_rq,
    ewma_drm_sched_avgtime_add,
    ewma_drm_sched_avgtime_init,
)
from kport.drm.scheduler.v7_2.gpu_scheduler_trace import (
    trace_drm_sched_job_done,
    trace_drm_sched_job_run,
)
from kport.drm.scheduler.v7_2.sched_entity import (
    drm_sched_entity_pop_job,
    drm_sched_entity_select_rq,
    drm_sched_entity_stats_job_add_gpu_time,
)
from kport.drm.scheduler.v7_2.sched_fence import (
    drm_sched_fence_alloc,
    drm_sched_fence_finished,
    drm_sched_fence_free,
    drm_sched_fence_init,
    drm_sched_fence_scheduled,
)
from kport.drm.scheduler.v7_2.sched_internal import (
    DRM_SCHED_POLICY_FAIR,
    drm_sched_entity_queue_peek,
    drm_sched_entity_stats_get,
    drm_sched_entity_stats_put,
)
from kport.drm.scheduler.v7_2.sched_rq import (
    drm_sched_rq_init,
    drm_sched_rq_select_entity,
)
