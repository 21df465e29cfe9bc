# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/scheduler/sched_entity.c, Linux 7.2.13, on 2026-11-20.
"""Entities: jobs in, dependencies, load balancing over schedulers, flush and kill."""

from __future__ import annotations

from collections.abc import Sequence

from kport.arch.asm import (
    WRITE_ONCE,
    cmpxchg,
    rcu_read_lock,
    rcu_read_unlock,
    smp_rmb,
    smp_wmb,
)
from kport.dma_buf.dma_fence import (
    DMA_FENCE_FLAG_SIGNALED_BIT,
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_get_rcu,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_remove_callback,
    dma_fence_set_error,
    dma_fence_timestamp,
)
from kport.drm.spsc_queue import (
    spsc_queue_count,
    spsc_queue_init,
    spsc_queue_pop,
    spsc_queue_push,
)
from kport.linux.atomic import atomic_inc, atomic_read, atomic_set, atomic_t
from kport.linux.barrier import rmb
from kport.linux.bitops import test_bit
from kport.linux.bug import WARN_ON
from kport.linux.completion import complete_all, init_completion, wait_for_completion
from kport.linux.device import dev_err
from kport.linux.err import ECANCELED, EINVAL, ENOMEM, ESRCH
from kport.linux.kref import kref, kref_init
from kport.linux.ktime import ktime_add, ktime_get, ktime_sub, ktime_t, ktime_to_us
from kport.linux.list import INIT_LIST_HEAD, list_empty
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.printk import pr_warn
from kport.linux.rbtree import RB_CLEAR_NODE
from kport.linux.rcupdate import (
    RCU_INIT_POINTER,
    rcu_assign_pointer,
    rcu_dereference,
    rcu_dereference_check,
)
from kport.linux.sched import PF_EXITING, SIGKILL, current
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock
from kport.linux.struct import container_of, memset, sizeof
from kport.linux.types import max_t, s32, u32
from kport.linux.wait import wait_event_killable, wait_event_timeout
from kport.linux.workqueue import INIT_WORK, schedule_work, work_struct
from kport.linux.xarray import xa_erase, xa_for_each, xa_load


def drm_sched_entity_stats_release(kref: kref) -> None:
    """The last reference to the stats is gone.

    drivers/gpu/drm/scheduler/sched_entity.c:39-45, Linux 7.2.13
    """
    stats = container_of(kref, drm_sched_entity_stats, "kref")

    kfree(stats)


def drm_sched_entity_stats_new() -> drm_sched_entity_stats | None:
    """New stats with one reference, or NULL.

    drivers/gpu/drm/scheduler/sched_entity.c:52-65, Linux 7.2.13
    """
    stats = kzalloc_obj(drm_sched_entity_stats)
    if not stats:
        return None

    kref_init(stats.kref)
    spin_lock_init(stats.lock)
    ewma_drm_sched_avgtime_init(stats.avg_job_us)

    return stats


def drm_sched_entity_stats_job_add_gpu_time(job: drm_sched_job) -> ktime_t:
    """Account a finished job to its entity; returns how long it ran, in ns.

    drivers/gpu/drm/scheduler/sched_entity.c:75-91, Linux 7.2.13
    """
    stats = job.entity_stats
    s_fence = job.s_fence

    start = dma_fence_timestamp(s_fence.scheduled)
    end = dma_fence_timestamp(s_fence.finished)
    duration = ktime_sub(end, start)

    spin_lock(stats.lock)
    stats.runtime = ktime_add(stats.runtime, duration)
    ewma_drm_sched_avgtime_add(stats.avg_job_us, ktime_to_us(duration))
    spin_unlock(stats.lock)

    return duration


def drm_sched_entity_init(
    entity: drm_sched_entity,
    priority: drm_sched_priority,
    sched_list: Sequence[drm_gpu_scheduler] | None,
    num_sched_list: int,
    guilty: atomic_t | None,
) -> int:
    """Initialise an entity that may run on any scheduler of the list.

    `guilty`, if given, is set to 1 when a job of the entity hangs. Returns 0, -EINVAL or -ENOMEM.
    As in the kernel a priority beyond the scheduler's run queues is clipped, but the run queue is
    still looked up with the unclipped one, out of bounds.

    drivers/gpu/drm/scheduler/sched_entity.c:116-181, Linux 7.2.13
    """
    if not entity or not sched_list or not num_sched_list or not sched_list[0]:
        return -EINVAL

    memset(entity, 0, sizeof(drm_sched_entity))

    entity.stats = drm_sched_entity_stats_new()
    if not entity.stats:
        return -ENOMEM

    INIT_LIST_HEAD(entity.list)
    entity.rq = None
    entity.guilty = guilty
    entity.priority = priority
    entity.last_user = current().group_leader
    entity.rq_priority = (
        DRM_SCHED_PRIORITY_KERNEL
        if sched_main.drm_sched_policy == DRM_SCHED_POLICY_FAIR
        else priority
    )
    entity.num_sched_list = num_sched_list
    entity.sched_list = sched_list if num_sched_list > 1 else None
    RCU_INIT_POINTER(entity, "last_scheduled", None)
    RB_CLEAR_NODE(entity.rb_tree_node)

    if not sched_list[0].sched_rq:
        pr_warn("%s: called with uninitialized scheduler\n", "drm_sched_entity_init")
    else:
        p = entity.priority

        if u32(p) >= sched_list[0].num_user_rqs:  # kport: implicit-cast
            dev_err(
                sched_list[0].dev,
                "entity with out-of-bounds priority:%u num_user_rqs:%u\n",
                u32(p),  # kport: implicit-cast
                sched_list[0].num_user_rqs,
            )
            p = max_t(
                s32, s32(sched_list[0].num_user_rqs) - 1, s32(DRM_SCHED_PRIORITY_KERNEL)
            )
            entity.priority = p
        entity.rq = sched_list[0].sched_rq[u32(entity.rq_priority)]  # kport: bounds

    init_completion(entity.entity_idle)

    complete_all(entity.entity_idle)

    spin_lock_init(entity.lock)
    spsc_queue_init(entity.job_queue)

    atomic_set(entity.fence_seq, 0)
    entity.fence_context = dma_fence_context_alloc(2)

    return 0


EXPORT_SYMBOL(drm_sched_entity_init)


def drm_sched_entity_modify_sched(
    entity: drm_sched_entity,
    sched_list: Sequence[drm_gpu_scheduler],
    num_sched_list: int,
) -> None:
    """Replace the list of schedulers; not while jobs can be pushed to the entity.

    drivers/gpu/drm/scheduler/sched_entity.c:196-206, Linux 7.2.13
    """
    WARN_ON(not num_sched_list or not sched_list)

    spin_lock(entity.lock)
    entity.sched_list = sched_list
    entity.num_sched_list = num_sched_list
    spin_unlock(entity.lock)


EXPORT_SYMBOL(drm_sched_entity_modify_sched)


def drm_sched_entity_is_idle(entity: drm_sched_entity) -> bool:
    """True if nothing is queued, or never will be.

    drivers/gpu/drm/scheduler/sched_entity.c:209-219, Linux 7.2.13
    """
    rmb()

    if (
        list_empty(entity.list)
        or spsc_queue_count(entity.job_queue) == 0
        or entity.stopped
    ):
        return True

    return False


def drm_sched_entity_error(entity: drm_sched_entity) -> int:
    """The error of the job scheduled last, 0 if it has none (yet).

    drivers/gpu/drm/scheduler/sched_entity.c:228-239, Linux 7.2.13
    """
    rcu_read_lock()
    fence = rcu_dereference(entity, "last_scheduled")
    r = fence.error if fence else 0
    rcu_read_unlock()

    return r


EXPORT_SYMBOL(drm_sched_entity_error)


def drm_sched_entity_kill_jobs_work(wrk: work_struct) -> None:
    """End a job of a killed entity with -ESRCH, once everything it depends on has signalled.

    drivers/gpu/drm/scheduler/sched_entity.c:245-282, Linux 7.2.13
    """
    job = container_of(wrk, drm_sched_job, "work")

    for index, f in xa_for_each(job.dependencies):
        s_fence = to_drm_sched_fence(f)

        if s_fence and f is s_fence.scheduled:
            f = dma_fence_get_rcu(s_fence.finished)

            dma_fence_put(s_fence.scheduled)

        xa_erase(job.dependencies, index)
        if f and not dma_fence_add_callback(f, job.finish_cb, drm_sched_entity_kill_jobs_cb):
            return

        dma_fence_put(f)

    drm_sched_fence_scheduled(job.s_fence, None)
    drm_sched_fence_finished(job.s_fence, -ESRCH)
    WARN_ON(job.s_fence.parent)
    job.sched.ops.free_job(job)


def drm_sched_entity_kill_jobs_cb(f: dma_fence | None, cb: dma_fence_cb) -> None:
    """Something a killed job depends on has signalled: go on in a work item.

    drivers/gpu/drm/scheduler/sched_entity.c:285-295, Linux 7.2.13
    """
    job = container_of(cb, drm_sched_job, "finish_cb")

    dma_fence_put(f)

    INIT_WORK(job.work, drm_sched_entity_kill_jobs_work)
    schedule_work(job.work)


def drm_sched_entity_kill(entity: drm_sched_entity) -> None:
    """Refuse new jobs, leave the run queue, end every queued job with -ESRCH.

    The jobs end one after the other, behind the last job that was scheduled; this does not wait.

    drivers/gpu/drm/scheduler/sched_entity.c:306-343, Linux 7.2.13
    """
    if not entity.rq:
        return

    spin_lock(entity.lock)
    entity.stopped = True
    drm_sched_rq_remove_entity(entity.rq, entity)
    spin_unlock(entity.lock)

    wait_for_completion(entity.entity_idle)

    prev = rcu_dereference_check(entity, "last_scheduled", True)
    dma_fence_get(prev)
    while job := drm_sched_entity_queue_pop(entity):
        s_fence = job.s_fence

        dma_fence_get(s_fence.finished)
        if not prev or dma_fence_add_callback(
            prev, job.finish_cb, drm_sched_entity_kill_jobs_cb
        ):
            dma_fence_put(prev)
            drm_sched_entity_kill_jobs_cb(None, job.finish_cb)

        prev = s_fence.finished
    dma_fence_put(prev)


EXPORT_SYMBOL(drm_sched_entity_kill)


def drm_sched_entity_flush(entity: drm_sched_entity, timeout: int) -> int:
    """Wait until the queue is empty: an exiting task `timeout` ticks, others until killed.

    Returns the ticks left. A task that exits because it was killed also kills the entity.

    drivers/gpu/drm/scheduler/sched_entity.c:358-390, Linux 7.2.13
    """
    ret = timeout

    if not entity.rq:
        return 0

    sched = entity.rq.sched
    if current().flags & PF_EXITING:
        if timeout:
            ret = wait_event_timeout(
                sched.job_scheduled, lambda: drm_sched_entity_is_idle(entity), timeout
            )
    else:
        wait_event_killable(sched.job_scheduled, lambda: drm_sched_entity_is_idle(entity))

    last_user = cmpxchg(entity, "last_user", current().group_leader, None)
    if (
        last_user is current().group_leader
        and (current().flags & PF_EXITING)
        and (current().exit_code == SIGKILL)
    ):
        drm_sched_entity_kill(entity)

    return ret


EXPORT_SYMBOL(drm_sched_entity_flush)


def drm_sched_entity_fini(entity: drm_sched_entity) -> None:
    """End the entity; what is still queued is killed.

    drivers/gpu/drm/scheduler/sched_entity.c:404-422, Linux 7.2.13
    """
    drm_sched_entity_kill(entity)

    if entity.dependency:
        dma_fence_remove_callback(entity.dependency, entity.cb)
        dma_fence_put(entity.dependency)
        entity.dependency = None

    dma_fence_put(rcu_dereference_check(entity, "last_scheduled", True))
    RCU_INIT_POINTER(entity, "last_scheduled", None)
    drm_sched_entity_stats_put(entity.stats)


EXPORT_SYMBOL(drm_sched_entity_fini)


def drm_sched_entity_destroy(entity: drm_sched_entity) -> None:
    """Flush and end the entity.

    drivers/gpu/drm/scheduler/sched_entity.c:432-436, Linux 7.2.13
    """
    drm_sched_entity_flush(entity, MAX_WAIT_SCHED_ENTITY_Q_EMPTY)
    drm_sched_entity_fini(entity)


EXPORT_SYMBOL(drm_sched_entity_destroy)


def drm_sched_entity_wakeup(f: dma_fence, cb: dma_fence_cb) -> None:
    """The dependency of the job at the head has signalled.

    drivers/gpu/drm/scheduler/sched_entity.c:443-452, Linux 7.2.13
    """
    entity = container_of(cb, drm_sched_entity, "cb")

    entity.dependency = None
    dma_fence_put(f)
    drm_sched_wakeup(entity.rq.sched)


def drm_sched_entity_set_priority(
    entity: drm_sched_entity, priority: drm_sched_priority
) -> None:
    """Set the priority. As in the kernel only FAIR looks at it afterwards.

    drivers/gpu/drm/scheduler/sched_entity.c:462-468, Linux 7.2.13
    """
    spin_lock(entity.lock)
    entity.priority = priority
    spin_unlock(entity.lock)


EXPORT_SYMBOL(drm_sched_entity_set_priority)


def drm_sched_entity_add_dependency_cb(
    entity: drm_sched_entity, sched_job: drm_sched_job
) -> bool:
    """Wait for entity.dependency; False if there is nothing to wait for.

    Fences of the entity itself never need waiting, those of its scheduler only until scheduled.

    drivers/gpu/drm/scheduler/sched_entity.c:475-516, Linux 7.2.13
    """
    sched = entity.rq.sched
    fence = entity.dependency

    if fence.context == entity.fence_context or fence.context == entity.fence_context + 1:
        dma_fence_put(entity.dependency)
        return False

    s_fence = to_drm_sched_fence(fence)
    if (
        not fence.error
        and s_fence
        and s_fence.sched is sched
        and not test_bit(DRM_SCHED_FENCE_DONT_PIPELINE, fence.flags)
    ):
        fence = dma_fence_get(s_fence.scheduled)
        dma_fence_put(entity.dependency)
        entity.dependency = fence

    if trace_drm_sched_job_unschedulable_enabled() and not test_bit(
        DMA_FENCE_FLAG_SIGNALED_BIT, entity.dependency.flags
    ):
        trace_drm_sched_job_unschedulable(sched_job, entity.dependency)

    if not dma_fence_add_callback(entity.dependency, entity.cb, drm_sched_entity_wakeup):
        return True

    dma_fence_put(entity.dependency)
    return False


def drm_sched_job_dependency(
    job: drm_sched_job, entity: drm_sched_entity
) -> dma_fence | None:
    """The next fence the job depends on, with a reference, or NULL.

    drivers/gpu/drm/scheduler/sched_entity.c:518-538, Linux 7.2.13
    """
    f = xa_load(job.dependencies, job.last_dependency)
    if f:
        job.last_dependency += 1
        return dma_fence_get(f)

    if job.sched.ops.prepare_job:
        return job.sched.ops.prepare_job(job, entity)

    return None


def drm_sched_entity_pop_job(entity: drm_sched_entity) -> drm_sched_job | None:
    """Take the first job if nothing holds it; else NULL, and a callback is waiting.

    drivers/gpu/drm/scheduler/sched_entity.c:540-581, Linux 7.2.13
    """
    sched_job = drm_sched_entity_queue_peek(entity)
    if not sched_job:
        return None

    while True:
        entity.dependency = drm_sched_job_dependency(sched_job, entity)  # kport: walrus
        if not entity.dependency:
            break
        if drm_sched_entity_add_dependency_cb(entity, sched_job):
            return None

    if entity.guilty and atomic_read(entity.guilty):
        dma_fence_set_error(sched_job.s_fence.finished, -ECANCELED)

    dma_fence_put(rcu_dereference_check(entity, "last_scheduled", True))
    rcu_assign_pointer(entity, "last_scheduled", dma_fence_get(sched_job.s_fence.finished))

    smp_wmb()

    spin_lock(entity.lock)
    spsc_queue_pop(entity.job_queue)
    drm_sched_rq_pop_entity(entity)
    spin_unlock(entity.lock)

    sched_job.entity = None

    return sched_job


def drm_sched_entity_select_rq(entity: drm_sched_entity) -> None:
    """Move an idle entity to the least loaded of its schedulers.

    drivers/gpu/drm/scheduler/sched_entity.c:583-623, Linux 7.2.13
    """
    if not entity.sched_list:
        return

    if spsc_queue_count(entity.job_queue):
        return

    smp_rmb()

    fence = rcu_dereference_check(entity, "last_scheduled", True)

    if fence and not dma_fence_is_signaled(fence):
        return

    spin_lock(entity.lock)
    sched = drm_sched_pick_best(entity.sched_list, entity.num_sched_list)
    rq = sched.sched_rq[entity.rq_priority] if sched else None
    if rq is not entity.rq:
        drm_sched_rq_remove_entity(entity.rq, entity)
        entity.rq = rq

    if entity.num_sched_list == 1:
        entity.sched_list = None

    spin_unlock(entity.lock)


def drm_sched_entity_push_job(sched_job: drm_sched_job) -> None:
    """Submit an armed job; under one lock with drm_sched_job_arm(), so that order is number.

    drivers/gpu/drm/scheduler/sched_entity.c:634-673, Linux 7.2.13
    """
    entity = sched_job.entity

    trace_drm_sched_job_queue(sched_job, entity)

    if trace_drm_sched_job_add_dep_enabled():
        for index, entry in xa_for_each(sched_job.dependencies):
            trace_drm_sched_job_add_dep(sched_job, entry)
    atomic_inc(entity.rq.sched.score)
    WRITE_ONCE(entity, "last_user", current().group_leader)

    sched_job.submit_ts = submit_ts = ktime_get()

    spin_lock(entity.lock)

    first = spsc_queue_push(entity.job_queue, sched_job.queue_node)

    if first:
        sched = drm_sched_rq_add_entity(entity, submit_ts)
        if sched:
            drm_sched_wakeup(sched)

    spin_unlock(entity.lock)


EXPORT_SYMBOL(drm_sched_entity_push_job)

# extern
from kport.drm.scheduler.v7_2 import sched_main
from kport.drm.scheduler.v7_2.gpu_scheduler import (
    DRM_SCHED_FENCE_DONT_PIPELINE,
    DRM_SCHED_PRIORITY_KERNEL,
    MAX_WAIT_SCHED_ENTITY_Q_EMPTY,
    drm_gpu_scheduler,
    drm_sched_entity,
    drm_sched_job,
    drm_sched_priority,
    ewma_drm_sched_avgtime_add,
    ewma_drm_sched_avgtime_init,
)
from kport.drm.scheduler.v7_2.gpu_scheduler_trace import (
    trace_drm_sched_job_add_dep,
    trace_drm_sched_job_add_dep_enabled,
    trace_drm_sched_job_queue,
    trace_drm_sched_job_unschedulable,
    trace_drm_sched_job_unschedulable_enabled,
)
from kport.drm.scheduler.v7_2.sched_fence import (
    drm_sched_fence_finished,
    drm_sched_fence_scheduled,
    to_drm_sched_fence,
)
from kport.drm.scheduler.v7_2.sched_internal import (
    DRM_SCHED_POLICY_FAIR,
    drm_sched_entity_queue_peek,
    drm_sched_entity_queue_pop,
    drm_sched_entity_stats,
    drm_sched_entity_stats_put,
)
from kport.drm.scheduler.v7_2.sched_main import drm_sched_pick_best, drm_sched_wakeup
from kport.drm.scheduler.v7_2.sched_rq import (
    drm_sched_rq_add_entity,
    drm_sched_rq_pop_entity,
    drm_sched_rq_remove_entity,
)
