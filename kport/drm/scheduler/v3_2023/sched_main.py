# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/scheduler/sched_main.c, Linux 6.1.192, on 2026-11-20.
"""The scheduler: one work item per ring that frees a finished job and runs a new one.

The item queues itself again as long as it finds something to do; whatever makes work queues it. A
paused scheduler queues nothing.

This is the file of v6_1 with the changes of the patch "drm/sched: Convert drm scheduler to use a
work queue rather than kthread" (Matthew Brost, Intel, 2023, version 3, 02/13); each has a tag.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.arch.asm import READ_ONCE, WRITE_ONCE
from kport.dma_buf.dma_fence import (
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
    dma_resv_assert_held,
    dma_resv_for_each_fence,
    dma_resv_iter,
    dma_resv_usage_rw,
)
from kport.drm.drm_gem import drm_gem_object
from kport.drm.drm_print import DRM_DEV_ERROR, DRM_WARN
from kport.linux.atomic import (
    atomic64_inc_return,
    atomic64_set,
    atomic_dec,
    atomic_inc,
    atomic_read,
    atomic_set,
)
from kport.linux.bug import BUG_ON
from kport.linux.cleanup import goto, labels
from kport.linux.completion import complete, reinit_completion
from kport.linux.err import ECANCELED, ENOENT, ENOMEM, IS_ERR, IS_ERR_OR_NULL, PTR_ERR
from kport.linux.jiffies import jiffies, time_after
from kport.linux.kref import kref_read
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add,
    list_add_tail,
    list_del_init,
    list_empty,
    list_first_entry_or_null,
    list_for_each_entry,
    list_for_each_entry_continue,
    list_for_each_entry_safe,
    list_for_each_entry_safe_reverse,
)
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import GFP_KERNEL
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock
from kport.linux.struct import container_of, memset, sizeof
from kport.linux.types import INT_MAX, UINT_MAX, u32
from kport.linux.wait import init_waitqueue_head, wake_up, wake_up_all
from kport.linux.workqueue import (
    INIT_DELAYED_WORK,
    INIT_WORK,
    cancel_delayed_work,
    cancel_delayed_work_sync,
    cancel_work_sync,
    mod_delayed_work,
    queue_delayed_work,
    queue_work,
    work_struct,
)
from kport.linux.workqueue import system_percpu_wq as system_wq
from kport.linux.xarray import (
    XA_FLAGS_ALLOC,
    xa_alloc,
    xa_destroy,
    xa_for_each,
    xa_init_flags,
    xa_limit_32b,
    xa_store,
)


def drm_sched_rq_init(sched: drm_gpu_scheduler, rq: drm_sched_rq) -> None:
    """Initialise a run queue of a scheduler.

    drivers/gpu/drm/scheduler/sched_main.c:73-80, Linux 6.1.192
    """
    spin_lock_init(rq.lock)
    INIT_LIST_HEAD(rq.entities)
    rq.current_entity = None
    rq.sched = sched


def drm_sched_rq_add_entity(rq: drm_sched_rq, entity: drm_sched_entity) -> None:
    """Put an entity at the end of the run queue, unless it is on one.

    drivers/gpu/drm/scheduler/sched_main.c:90-99, Linux 6.1.192
    """
    if not list_empty(entity.list):
        return
    spin_lock(rq.lock)
    atomic_inc(rq.sched.score)
    list_add_tail(entity.list, rq.entities)
    spin_unlock(rq.lock)


def drm_sched_rq_remove_entity(rq: drm_sched_rq, entity: drm_sched_entity) -> None:
    """Take an entity off the run queue, if it is on it.

    drivers/gpu/drm/scheduler/sched_main.c:109-120, Linux 6.1.192
    """
    if list_empty(entity.list):
        return
    spin_lock(rq.lock)
    atomic_dec(rq.sched.score)
    list_del_init(entity.list)
    if rq.current_entity is entity:
        rq.current_entity = None
    spin_unlock(rq.lock)


def drm_sched_rq_select_entity(rq: drm_sched_rq) -> drm_sched_entity | None:
    """The next ready entity behind the one that was served last, or NULL.

    drivers/gpu/drm/scheduler/sched_main.c:129-164, Linux 6.1.192
    """
    spin_lock(rq.lock)

    entity = rq.current_entity
    if entity:
        for entity in list_for_each_entry_continue(
            entity, rq.entities, drm_sched_entity, "list"
        ):
            if drm_sched_entity_is_ready(entity):
                rq.current_entity = entity
                reinit_completion(entity.entity_idle)
                spin_unlock(rq.lock)
                return entity

    for entity in list_for_each_entry(rq.entities, drm_sched_entity, "list"):
        if drm_sched_entity_is_ready(entity):
            rq.current_entity = entity
            reinit_completion(entity.entity_idle)
            spin_unlock(rq.lock)
            return entity

        if entity is rq.current_entity:
            break

    spin_unlock(rq.lock)

    return None


def drm_sched_submit_queue(sched: drm_gpu_scheduler) -> None:
    """Queue the item, unless the scheduler is paused."""
    if not READ_ONCE(sched, "pause_submit"):
        queue_work(sched.submit_wq, sched.work_submit)


def drm_sched_job_done(s_job: drm_sched_job) -> None:
    """The job is off the hardware: signal its finished fence and queue the item.

    drivers/gpu/drm/scheduler/sched_main.c:172-186, Linux 6.1.192
    """
    s_fence = s_job.s_fence
    sched = s_fence.sched

    atomic_dec(sched.hw_rq_count)
    atomic_dec(sched.score)

    trace_drm_sched_process_job(s_fence)

    dma_fence_get(s_fence.finished)
    drm_sched_fence_finished(s_fence)
    dma_fence_put(s_fence.finished)
    drm_sched_submit_queue(sched)  # kport: patch


def drm_sched_job_done_cb(f: dma_fence, cb: dma_fence_cb) -> None:
    """The hardware fence of a job has signalled; its error is not passed on.

    drivers/gpu/drm/scheduler/sched_main.c:193-198, Linux 6.1.192
    """
    s_job = container_of(cb, drm_sched_job, "cb")

    drm_sched_job_done(s_job)


def drm_sched_dependency_optimized(
    fence: dma_fence | None, entity: drm_sched_entity
) -> bool:
    """True if the fence is of the same entity or scheduler, so that waiting for it is cheap.

    drivers/gpu/drm/scheduler/sched_main.c:208-223, Linux 6.1.192
    """
    sched = entity.rq.sched

    if not fence or dma_fence_is_signaled(fence):
        return False
    if fence.context == entity.fence_context:
        return True
    s_fence = to_drm_sched_fence(fence)
    if s_fence and s_fence.sched is sched:
        return True

    return False


EXPORT_SYMBOL(drm_sched_dependency_optimized)


def drm_sched_start_timeout(sched: drm_gpu_scheduler) -> None:
    """Start the timeout if there is one, a job is pending, and it is not running already.

    drivers/gpu/drm/scheduler/sched_main.c:233-238, Linux 6.1.192
    """
    if sched.timeout != MAX_SCHEDULE_TIMEOUT and not list_empty(sched.pending_list):
        queue_delayed_work(sched.timeout_wq, sched.work_tdr, sched.timeout)


def drm_sched_fault(sched: drm_gpu_scheduler) -> None:
    """The driver has seen a fault: run the timeout handler now.

    drivers/gpu/drm/scheduler/sched_main.c:247-250, Linux 6.1.192
    """
    mod_delayed_work(sched.timeout_wq, sched.work_tdr, 0)


EXPORT_SYMBOL(drm_sched_fault)


def drm_sched_suspend_timeout(sched: drm_gpu_scheduler) -> int:
    """Put the timeout off for ever; returns the ticks that were left of it.

    drivers/gpu/drm/scheduler/sched_main.c:265-280, Linux 6.1.192
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

    drivers/gpu/drm/scheduler/sched_main.c:291-302, Linux 6.1.192
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

    drivers/gpu/drm/scheduler/sched_main.c:305-313, Linux 6.1.192
    """
    sched = s_job.sched

    spin_lock(sched.job_list_lock)
    list_add_tail(s_job.list, sched.pending_list)
    drm_sched_start_timeout(sched)
    spin_unlock(sched.job_list_lock)


def drm_sched_job_timedout(work: work_struct) -> None:
    """The oldest job took too long: let the driver deal with it.

    drivers/gpu/drm/scheduler/sched_main.c:315-356, Linux 6.1.192
    """
    status = DRM_GPU_SCHED_STAT_NOMINAL

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
    else:
        spin_unlock(sched.job_list_lock)

    if status != DRM_GPU_SCHED_STAT_ENODEV:
        spin_lock(sched.job_list_lock)
        drm_sched_start_timeout(sched)
        spin_unlock(sched.job_list_lock)


def drm_sched_increase_karma(bad: drm_sched_job) -> None:
    """Count a hang against the job, and mark its entity guilty if it is on a run queue now.

    drivers/gpu/drm/scheduler/sched_main.c:367-370, Linux 6.1.192
    """
    drm_sched_increase_karma_ext(bad, 1)


EXPORT_SYMBOL(drm_sched_increase_karma)


def drm_sched_reset_karma(bad: drm_sched_job) -> None:
    """Forget the hangs of the job, and the guilt of its entity if that is on a run queue now.

    drivers/gpu/drm/scheduler/sched_main.c:373-376, Linux 6.1.192
    """
    drm_sched_increase_karma_ext(bad, 0)


EXPORT_SYMBOL(drm_sched_reset_karma)


def drm_sched_stop(sched: drm_gpu_scheduler, bad: drm_sched_job | None) -> None:
    """Pause for a reset; detach what has not finished, free what has.

    `bad`, the job that timed out, goes back to the front of the list; if it has finished it is not
    freed here but by drm_sched_job_timedout().

    drivers/gpu/drm/scheduler/sched_main.c:391-461, Linux 6.1.192
    """
    drm_sched_submit_stop(sched)  # kport: patch

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
            atomic_dec(sched.hw_rq_count)
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


def drm_sched_start(sched: drm_gpu_scheduler, full_recovery: bool) -> None:
    """Go on after a reset; with `full_recovery` jobs without a hardware fence are over.

    drivers/gpu/drm/scheduler/sched_main.c:472-509, Linux 6.1.192
    """
    for s_job, tmp in list_for_each_entry_safe(sched.pending_list, drm_sched_job, "list"):
        fence = s_job.s_fence.parent

        atomic_inc(sched.hw_rq_count)

        if not full_recovery:
            continue

        if fence:
            r = dma_fence_add_callback(fence, s_job.cb, drm_sched_job_done_cb)
            if r == -ENOENT:
                drm_sched_job_done(s_job)
            elif r:
                DRM_DEV_ERROR(sched.dev, "fence add callback failed (%d)\n", r)
        else:
            drm_sched_job_done(s_job)

    if full_recovery:
        spin_lock(sched.job_list_lock)
        drm_sched_start_timeout(sched)
        spin_unlock(sched.job_list_lock)

    drm_sched_submit_start(sched)  # kport: patch


EXPORT_SYMBOL(drm_sched_start)


def drm_sched_resubmit_jobs(sched: drm_gpu_scheduler) -> None:
    """Run every pending job once more.

    drivers/gpu/drm/scheduler/sched_main.c:518-521, Linux 6.1.192
    """
    drm_sched_resubmit_jobs_ext(sched, INT_MAX)


EXPORT_SYMBOL(drm_sched_resubmit_jobs)


def drm_sched_resubmit_jobs_ext(sched: drm_gpu_scheduler, max: int) -> None:
    """Run the first `max` pending jobs once more.

    Those of a context that hung too often get -ECANCELED, but the driver sees them, too.

    drivers/gpu/drm/scheduler/sched_main.c:531-569, Linux 6.1.192
    """
    found_guilty = False
    i = 0

    for s_job, tmp in list_for_each_entry_safe(sched.pending_list, drm_sched_job, "list"):
        s_fence = s_job.s_fence

        if i >= max:
            break

        if not found_guilty and atomic_read(s_job.karma) > sched.hang_limit:
            found_guilty = True
            guilty_context = s_job.s_fence.scheduled.context

        if found_guilty and s_job.s_fence.scheduled.context == guilty_context:
            dma_fence_set_error(s_fence.finished, -ECANCELED)

        fence = sched.ops.run_job(s_job)
        i += 1

        if IS_ERR_OR_NULL(fence):
            if IS_ERR(fence):
                dma_fence_set_error(s_fence.finished, PTR_ERR(fence))

            s_job.s_fence.parent = None
        else:
            s_job.s_fence.parent = dma_fence_get(fence)

            dma_fence_put(fence)


EXPORT_SYMBOL(drm_sched_resubmit_jobs_ext)


def drm_sched_job_init(job: drm_sched_job, entity: drm_sched_entity, owner: Any) -> int:
    """Initialise a job of an entity: 0, -ENOENT without a run queue, or -ENOMEM.

    From here on drm_sched_job_cleanup() must be called.

    drivers/gpu/drm/scheduler/sched_main.c:591-616, Linux 6.1.192
    """
    if not entity.rq:
        return -ENOENT

    memset(job, 0, sizeof(job))

    job.entity = entity
    job.s_fence = drm_sched_fence_alloc(entity, owner)
    if not job.s_fence:
        return -ENOMEM

    INIT_LIST_HEAD(job.list)

    xa_init_flags(job.dependencies, XA_FLAGS_ALLOC)

    return 0


EXPORT_SYMBOL(drm_sched_job_init)


def drm_sched_job_arm(job: drm_sched_job) -> None:
    """Choose the scheduler and make the fences; the job must be pushed after this.

    drivers/gpu/drm/scheduler/sched_main.c:632-646, Linux 6.1.192
    """
    entity = job.entity

    BUG_ON(not entity)
    drm_sched_entity_select_rq(entity)
    sched = entity.rq.sched

    job.sched = sched
    job.s_priority = sched.sched_rq.index(entity.rq)  # kport: pointer-difference
    job.id = atomic64_inc_return(sched.job_id_count)

    drm_sched_fence_init(job.s_fence, job.entity)


EXPORT_SYMBOL(drm_sched_job_arm)


def drm_sched_job_add_dependency(job: drm_sched_job, fence: dma_fence | None) -> int:
    """Wait for a fence, whose reference is taken over: 0 or -ENOMEM.

    Of two fences of one context only the later is kept.

    drivers/gpu/drm/scheduler/sched_main.c:659-692, Linux 6.1.192
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


def drm_sched_job_add_implicit_dependencies(
    job: drm_sched_job, obj: drm_gem_object, write: bool
) -> int:
    """Wait for what a read or a write of a buffer must wait for: 0 or -ENOMEM. Locked.

    drivers/gpu/drm/scheduler/sched_main.c:710-732, Linux 6.1.192
    """
    cursor = dma_resv_iter()

    dma_resv_assert_held(obj.resv)

    for fence in dma_resv_for_each_fence(cursor, obj.resv, dma_resv_usage_rw(write)):
        ret = drm_sched_job_add_dependency(job, dma_fence_get(fence))
        if ret:
            return ret
    return 0


EXPORT_SYMBOL(drm_sched_job_add_implicit_dependencies)


def drm_sched_job_cleanup(job: drm_sched_job) -> None:
    """Drop what drm_sched_job_init() and _arm() made; before arming, or when the job is over.

    drivers/gpu/drm/scheduler/sched_main.c:749-769, Linux 6.1.192
    """
    if kref_read(job.s_fence.finished.refcount):
        dma_fence_put(job.s_fence.finished)
    else:
        drm_sched_fence_free(job.s_fence)

    job.s_fence = None

    for index, fence in xa_for_each(job.dependencies):
        dma_fence_put(fence)
    xa_destroy(job.dependencies)


EXPORT_SYMBOL(drm_sched_job_cleanup)


def drm_sched_ready(sched: drm_gpu_scheduler) -> bool:
    """True if the hardware has room for one more job.

    drivers/gpu/drm/scheduler/sched_main.c:779-783, Linux 6.1.192
    """
    return u32(atomic_read(sched.hw_rq_count)) < sched.hw_submission_limit  # kport: implicit-cast


def drm_sched_wakeup(sched: drm_gpu_scheduler) -> None:
    """There may be a job to run: queue the item if there is room for it.

    drivers/gpu/drm/scheduler/sched_main.c:791-795, Linux 6.1.192
    """
    if drm_sched_ready(sched):
        drm_sched_submit_queue(sched)  # kport: patch


def drm_sched_select_entity(sched: drm_gpu_scheduler) -> drm_sched_entity | None:
    """The entity to serve next, from the highest priority that has one, or NULL.

    drivers/gpu/drm/scheduler/sched_main.c:804-821, Linux 6.1.192
    """
    if not drm_sched_ready(sched):
        return None

    i = DRM_SCHED_PRIORITY_COUNT - 1
    while i >= DRM_SCHED_PRIORITY_MIN:
        entity = drm_sched_rq_select_entity(sched.sched_rq[i])
        if entity:
            break
        i -= 1

    return entity


def drm_sched_get_cleanup_job(sched: drm_gpu_scheduler) -> drm_sched_job | None:
    """Take the oldest job if it has finished, or NULL; the timeout passes to the next.

    drivers/gpu/drm/scheduler/sched_main.c:831-864, Linux 6.1.192
    """
    spin_lock(sched.job_list_lock)

    job = list_first_entry_or_null(sched.pending_list, drm_sched_job, "list")

    if job and dma_fence_is_signaled(job.s_fence.finished):
        list_del_init(job.list)

        cancel_delayed_work(sched.work_tdr)
        next = list_first_entry_or_null(sched.pending_list, drm_sched_job, "list")

        if next:
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

    drivers/gpu/drm/scheduler/sched_main.c:874-899, Linux 6.1.192
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


def drm_sched_main(w: work_struct) -> None:  # kport: patch
    """The item of a scheduler: free at most one job and run at most one, then queue it again.

    drivers/gpu/drm/scheduler/sched_main.c:926-991, Linux 6.1.192
    """
    sched = container_of(w, drm_gpu_scheduler, "work_submit")  # kport: patch

    if READ_ONCE(sched, "pause_submit"):  # kport: patch
        return  # kport: patch

    cleanup_job = drm_sched_get_cleanup_job(sched)  # kport: patch
    entity = drm_sched_select_entity(sched)  # kport: patch

    if not entity and not cleanup_job:  # kport: patch
        return  # kport: patch

    if cleanup_job:  # kport: patch
        sched.ops.free_job(cleanup_job)  # kport: patch

    with labels("again") as label:
        if entity:  # kport: patch
            sched_job = drm_sched_entity_pop_job(entity)
            if not sched_job:
                complete(entity.entity_idle)
                if not cleanup_job:  # kport: patch
                    return  # kport: patch
                raise goto("again")  # kport: patch

            s_fence = sched_job.s_fence

            atomic_inc(sched.hw_rq_count)
            drm_sched_job_begin(sched_job)

            trace_drm_run_job(sched_job, entity)
            fence = sched.ops.run_job(sched_job)
            complete(entity.entity_idle)
            drm_sched_fence_scheduled(s_fence)

            if not IS_ERR_OR_NULL(fence):
                s_fence.parent = dma_fence_get(fence)
                dma_fence_put(fence)

                r = dma_fence_add_callback(fence, sched_job.cb, drm_sched_job_done_cb)
                if r == -ENOENT:
                    drm_sched_job_done(sched_job)
                elif r:
                    DRM_DEV_ERROR(sched.dev, "fence add callback failed (%d)\n", r)
            else:
                if IS_ERR(fence):
                    dma_fence_set_error(s_fence.finished, PTR_ERR(fence))

                drm_sched_job_done(sched_job)

            wake_up(sched.job_scheduled)

    if label("again"):  # kport: patch
        drm_sched_submit_queue(sched)  # kport: patch


def drm_sched_init(sched: drm_gpu_scheduler, args: drm_sched_init_args) -> int:
    """Initialise a zeroed scheduler: 0. Without a workqueue it uses system_wq.

    drivers/gpu/drm/scheduler/sched_main.c:1001-1036, Linux 6.1.192
    """
    sched.ops = args.ops
    sched.hw_submission_limit = args.credit_limit
    sched.name = args.name
    sched.submit_wq = args.submit_wq or system_wq  # kport: patch
    sched.timeout = args.timeout
    sched.timeout_wq = args.timeout_wq or system_wq
    sched.hang_limit = args.hang_limit
    sched.score = args.score if args.score else sched._score
    sched.dev = args.dev
    for i in range(DRM_SCHED_PRIORITY_MIN, DRM_SCHED_PRIORITY_COUNT):
        drm_sched_rq_init(sched, sched.sched_rq[i])

    # kport: patch
    init_waitqueue_head(sched.job_scheduled)
    INIT_LIST_HEAD(sched.pending_list)
    spin_lock_init(sched.job_list_lock)
    atomic_set(sched.hw_rq_count, 0)
    INIT_DELAYED_WORK(sched.work_tdr, drm_sched_job_timedout)
    INIT_WORK(sched.work_submit, drm_sched_main)  # kport: patch
    atomic_set(sched._score, 0)
    atomic64_set(sched.job_id_count, 0)

    sched.pause_submit = False  # kport: patch

    sched.ready = True
    return 0


EXPORT_SYMBOL(drm_sched_init)


def drm_sched_fini(sched: drm_gpu_scheduler) -> None:
    """Pause for good; entities that are queued are stopped, jobs on the hardware leak.

    drivers/gpu/drm/scheduler/sched_main.c:1046-1079, Linux 6.1.192
    """
    drm_sched_submit_stop(sched)  # kport: patch

    i = DRM_SCHED_PRIORITY_COUNT - 1
    while i >= DRM_SCHED_PRIORITY_MIN:
        rq = sched.sched_rq[i]

        if not rq:
            i -= 1
            continue

        spin_lock(rq.lock)
        for s_entity in list_for_each_entry(rq.entities, drm_sched_entity, "list"):
            s_entity.stopped = True
        spin_unlock(rq.lock)
        i -= 1

    wake_up_all(sched.job_scheduled)

    cancel_delayed_work_sync(sched.work_tdr)

    sched.ready = False


EXPORT_SYMBOL(drm_sched_fini)


def drm_sched_increase_karma_ext(bad: drm_sched_job, type: int) -> None:
    """Count a hang against the job (1) or forget all of them (0).

    Its entity becomes guilty, or innocent again, if it is on a run queue now. Jobs of the kernel
    are always good.

    drivers/gpu/drm/scheduler/sched_main.c:1089-1124, Linux 6.1.192
    """
    sched = bad.sched

    if bad.s_priority != DRM_SCHED_PRIORITY_KERNEL:
        if type == 0:
            atomic_set(bad.karma, 0)
        elif type == 1:
            atomic_inc(bad.karma)

        for i in range(DRM_SCHED_PRIORITY_MIN, DRM_SCHED_PRIORITY_KERNEL):
            rq = sched.sched_rq[i]

            spin_lock(rq.lock)
            for entity, tmp in list_for_each_entry_safe(
                rq.entities, drm_sched_entity, "list"
            ):
                if bad.s_fence.scheduled.context == entity.fence_context:
                    if entity.guilty:
                        atomic_set(entity.guilty, type)
                    break
            else:  # kport: cursor
                entity = None  # kport: cursor
            spin_unlock(rq.lock)
            if entity:  # kport: cursor
                break


EXPORT_SYMBOL(drm_sched_increase_karma_ext)


def drm_sched_submit_ready(sched: drm_gpu_scheduler) -> bool:
    """True between init and fini."""
    return sched.ready


EXPORT_SYMBOL(drm_sched_submit_ready)


def drm_sched_submit_stop(sched: drm_gpu_scheduler) -> None:
    """Neither run_job() nor free_job() runs after this returns, until submit_start()."""
    WRITE_ONCE(sched, "pause_submit", True)
    cancel_work_sync(sched.work_submit)


EXPORT_SYMBOL(drm_sched_submit_stop)


def drm_sched_submit_start(sched: drm_gpu_scheduler) -> None:
    """Go on after drm_sched_submit_stop()."""
    WRITE_ONCE(sched, "pause_submit", False)
    queue_work(sched.submit_wq, sched.work_submit)


EXPORT_SYMBOL(drm_sched_submit_start)

# extern
from kport.drm.scheduler.v3_2023.gpu_scheduler import (
    DRM_GPU_SCHED_STAT_ENODEV,
    DRM_GPU_SCHED_STAT_NOMINAL,
    DRM_SCHED_PRIORITY_COUNT,
    DRM_SCHED_PRIORITY_KERNEL,
    DRM_SCHED_PRIORITY_MIN,
    drm_gpu_scheduler,
    drm_sched_entity,
    drm_sched_init_args,
    drm_sched_job,
    drm_sched_rq,
)
from kport.drm.scheduler.v6_1.gpu_scheduler_trace import (
    trace_drm_run_job,
    trace_drm_sched_process_job,
)
from kport.drm.scheduler.v3_2023.sched_entity import (
    drm_sched_entity_is_ready,
    drm_sched_entity_pop_job,
    drm_sched_entity_select_rq,
)
from kport.drm.scheduler.v6_1.sched_fence import (
    drm_sched_fence_alloc,
    drm_sched_fence_finished,
    drm_sched_fence_free,
    drm_sched_fence_init,
    drm_sched_fence_scheduled,
    to_drm_sched_fence,
)
