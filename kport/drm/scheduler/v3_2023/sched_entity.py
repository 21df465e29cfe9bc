# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/scheduler/sched_entity.c, Linux 6.1.192, on 2026-11-20.
"""Entities: jobs in, dependencies, load balancing over schedulers, flush and kill.

The file is that of v6_1 to the letter, but for the two files it calls and names: these import each
other, as C files link against each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from kport.arch.asm import READ_ONCE, WRITE_ONCE, cmpxchg, smp_rmb, smp_wmb
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_remove_callback,
    dma_fence_set_error,
    dma_fence_wait,
)
from kport.drm.drm_print import DRM_ERROR
from kport.drm.spsc_queue import (
    spsc_node,
    spsc_queue_count,
    spsc_queue_init,
    spsc_queue_peek,
    spsc_queue_pop,
    spsc_queue_push,
)
from kport.linux.atomic import atomic_inc, atomic_read, atomic_set, atomic_t
from kport.linux.barrier import rmb
from kport.linux.bitops import test_bit
from kport.linux.bug import WARN_ON
from kport.linux.completion import complete, init_completion, wait_for_completion
from kport.linux.err import ECANCELED, EINVAL, ENOENT, ESRCH
from kport.linux.list import INIT_LIST_HEAD, list_empty
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.sched import PF_EXITING, SIGKILL, current
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock
from kport.linux.struct import container_of, memset, sizeof
from kport.linux.types import u32
from kport.linux.wait import wait_event_killable, wait_event_timeout
from kport.linux.workqueue import INIT_WORK, schedule_work, work_struct
from kport.linux.xarray import xa_empty, xa_erase


def to_drm_sched_job(sched_job: spsc_node | None) -> drm_sched_job | None:
    """The job of a node of an entity's queue; NULL for NULL, because the node comes first.

    drivers/gpu/drm/scheduler/sched_entity.c:33-34, Linux 6.1.192
    """
    return (  # kport: first-member
        container_of(sched_job, drm_sched_job, "queue_node") if sched_job else None
    )


def drm_sched_entity_init(
    entity: drm_sched_entity,
    priority: drm_sched_priority,
    sched_list: Sequence[drm_gpu_scheduler],
    num_sched_list: int,
    guilty: atomic_t | None,
) -> int:
    """Initialise an entity that may run on any scheduler of the list: 0 or -EINVAL.

    `guilty`, if given, is set to 1 when a job of the entity hangs. As in the kernel nobody looks at
    the priority, which may be beyond the scheduler's run queues.

    drivers/gpu/drm/scheduler/sched_entity.c:59-92, Linux 6.1.192
    """
    if not (entity and sched_list and (num_sched_list == 0 or sched_list[0])):
        return -EINVAL

    memset(entity, 0, sizeof(drm_sched_entity))
    INIT_LIST_HEAD(entity.list)
    entity.rq = None
    entity.guilty = guilty
    entity.num_sched_list = num_sched_list
    entity.priority = priority
    entity.sched_list = sched_list if num_sched_list > 1 else None
    entity.last_scheduled = None

    if num_sched_list:
        entity.rq = sched_list[0].sched_rq[u32(entity.priority)]  # kport: bounds

    init_completion(entity.entity_idle)

    complete(entity.entity_idle)

    spin_lock_init(entity.rq_lock)
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

    drivers/gpu/drm/scheduler/sched_entity.c:107-117, Linux 6.1.192
    """
    WARN_ON(not num_sched_list or not sched_list)

    spin_lock(entity.rq_lock)
    entity.sched_list = sched_list
    entity.num_sched_list = num_sched_list
    spin_unlock(entity.rq_lock)


EXPORT_SYMBOL(drm_sched_entity_modify_sched)


def drm_sched_entity_is_idle(entity: drm_sched_entity) -> bool:
    """True if nothing is queued, or never will be.

    drivers/gpu/drm/scheduler/sched_entity.c:120-130, Linux 6.1.192
    """
    rmb()

    if (
        list_empty(entity.list)
        or spsc_queue_count(entity.job_queue) == 0
        or entity.stopped
    ):
        return True

    return False


def drm_sched_entity_is_ready(entity: drm_sched_entity) -> bool:
    """True if there is a job and it waits for nothing.

    drivers/gpu/drm/scheduler/sched_entity.c:133-142, Linux 6.1.192
    """
    if spsc_queue_peek(entity.job_queue) is None:
        return False

    if READ_ONCE(entity, "dependency"):
        return False

    return True


def drm_sched_entity_flush(entity: drm_sched_entity, timeout: int) -> int:
    """Wait until the queue is empty: an exiting task `timeout` ticks, others until killed.

    Returns the ticks left. A task that exits because it was killed also stops the entity.

    drivers/gpu/drm/scheduler/sched_entity.c:156-192, Linux 6.1.192
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
        (not last_user or last_user is current().group_leader)
        and (current().flags & PF_EXITING)
        and (current().exit_code == SIGKILL)
    ):
        spin_lock(entity.rq_lock)
        entity.stopped = True
        drm_sched_rq_remove_entity(entity.rq, entity)
        spin_unlock(entity.rq_lock)

    return ret


EXPORT_SYMBOL(drm_sched_entity_flush)


def drm_sched_entity_kill_jobs_work(wrk: work_struct) -> None:
    """End a job of a killed entity; its error was set before.

    drivers/gpu/drm/scheduler/sched_entity.c:195-203, Linux 6.1.192
    """
    job = container_of(wrk, drm_sched_job, "work")

    drm_sched_fence_scheduled(job.s_fence)
    drm_sched_fence_finished(job.s_fence)
    WARN_ON(job.s_fence.parent)
    job.sched.ops.free_job(job)


def drm_sched_entity_kill_jobs_cb(f: dma_fence | None, cb: dma_fence_cb) -> None:
    """The last job that was scheduled is over: go on in a work item.

    drivers/gpu/drm/scheduler/sched_entity.c:207-216, Linux 6.1.192
    """
    job = container_of(cb, drm_sched_job, "finish_cb")

    dma_fence_put(f)
    INIT_WORK(job.work, drm_sched_entity_kill_jobs_work)
    schedule_work(job.work)


def drm_sched_job_dependency(
    job: drm_sched_job, entity: drm_sched_entity
) -> dma_fence | None:
    """The next fence the job depends on, with a reference, or NULL.

    drivers/gpu/drm/scheduler/sched_entity.c:218-229, Linux 6.1.192
    """
    if not xa_empty(job.dependencies):
        job.last_dependency += 1  # kport: side-effect
        return xa_erase(job.dependencies, job.last_dependency - 1)  # kport: side-effect

    if job.sched.ops.dependency:
        return job.sched.ops.dependency(job, entity)

    return None


def drm_sched_entity_kill_jobs(entity: drm_sched_entity) -> None:
    """End every queued job with -ESRCH, each behind the last job that was scheduled.

    As in the kernel the caller waits here for what the jobs depend on, however long that takes.

    drivers/gpu/drm/scheduler/sched_entity.c:231-268, Linux 6.1.192
    """
    while job := to_drm_sched_job(spsc_queue_pop(entity.job_queue)):
        s_fence = job.s_fence

        while f := drm_sched_job_dependency(job, entity):
            dma_fence_wait(f, False)
            dma_fence_put(f)

        drm_sched_fence_scheduled(s_fence)
        dma_fence_set_error(s_fence.finished, -ESRCH)

        if not entity.last_scheduled:
            drm_sched_entity_kill_jobs_cb(None, job.finish_cb)
            continue

        dma_fence_get(entity.last_scheduled)
        r = dma_fence_add_callback(
            entity.last_scheduled, job.finish_cb, drm_sched_entity_kill_jobs_cb
        )
        if r == -ENOENT:
            drm_sched_entity_kill_jobs_cb(None, job.finish_cb)
        elif r:
            DRM_ERROR("fence add callback failed (%d)\n", r)


def drm_sched_entity_fini(entity: drm_sched_entity) -> None:
    """End the entity; what is still queued is killed.

    drivers/gpu/drm/scheduler/sched_entity.c:281-314, Linux 6.1.192
    """
    sched = None

    if entity.rq:
        sched = entity.rq.sched
        drm_sched_rq_remove_entity(entity.rq, entity)

    if spsc_queue_count(entity.job_queue):
        if sched:
            wait_for_completion(entity.entity_idle)

        if entity.dependency:
            dma_fence_remove_callback(entity.dependency, entity.cb)
            dma_fence_put(entity.dependency)
            entity.dependency = None

        drm_sched_entity_kill_jobs(entity)

    dma_fence_put(entity.last_scheduled)
    entity.last_scheduled = None


EXPORT_SYMBOL(drm_sched_entity_fini)


def drm_sched_entity_destroy(entity: drm_sched_entity) -> None:
    """Flush and end the entity.

    drivers/gpu/drm/scheduler/sched_entity.c:324-328, Linux 6.1.192
    """
    drm_sched_entity_flush(entity, MAX_WAIT_SCHED_ENTITY_Q_EMPTY)
    drm_sched_entity_fini(entity)


EXPORT_SYMBOL(drm_sched_entity_destroy)


def drm_sched_entity_wakeup(f: dma_fence, cb: dma_fence_cb) -> None:
    """The dependency of the job at the head has signalled.

    drivers/gpu/drm/scheduler/sched_entity.c:335-344, Linux 6.1.192
    """
    entity = container_of(cb, drm_sched_entity, "cb")

    entity.dependency = None
    dma_fence_put(f)
    drm_sched_wakeup(entity.rq.sched)


def drm_sched_entity_set_priority(
    entity: drm_sched_entity, priority: drm_sched_priority
) -> None:
    """Set the priority; it counts when the entity chooses among several schedulers again.

    drivers/gpu/drm/scheduler/sched_entity.c:354-360, Linux 6.1.192
    """
    spin_lock(entity.rq_lock)
    entity.priority = priority
    spin_unlock(entity.rq_lock)


EXPORT_SYMBOL(drm_sched_entity_set_priority)


def drm_sched_entity_add_dependency_cb(entity: drm_sched_entity) -> bool:
    """Wait for entity.dependency; False if there is nothing to wait for.

    Fences of the entity itself never need waiting, those of its scheduler only until scheduled.

    drivers/gpu/drm/scheduler/sched_entity.c:367-403, Linux 6.1.192
    """
    sched = entity.rq.sched
    fence = entity.dependency

    if fence.context == entity.fence_context or fence.context == entity.fence_context + 1:
        dma_fence_put(entity.dependency)
        return False

    s_fence = to_drm_sched_fence(fence)
    if (
        s_fence
        and s_fence.sched is sched
        and not test_bit(DRM_SCHED_FENCE_DONT_PIPELINE, fence.flags)
    ):
        fence = dma_fence_get(s_fence.scheduled)
        dma_fence_put(entity.dependency)
        entity.dependency = fence

    if not dma_fence_add_callback(entity.dependency, entity.cb, drm_sched_entity_wakeup):
        return True

    dma_fence_put(entity.dependency)
    return False


def drm_sched_entity_pop_job(entity: drm_sched_entity) -> drm_sched_job | None:
    """Take the first job if nothing holds it; else NULL, and a callback is waiting.

    drivers/gpu/drm/scheduler/sched_entity.c:405-438, Linux 6.1.192
    """
    sched_job = to_drm_sched_job(spsc_queue_peek(entity.job_queue))
    if not sched_job:
        return None

    while True:
        entity.dependency = drm_sched_job_dependency(sched_job, entity)  # kport: walrus
        if not entity.dependency:
            break
        trace_drm_sched_job_wait_dep(sched_job, entity.dependency)

        if drm_sched_entity_add_dependency_cb(entity):
            return None

    if entity.guilty and atomic_read(entity.guilty):
        dma_fence_set_error(sched_job.s_fence.finished, -ECANCELED)

    dma_fence_put(entity.last_scheduled)

    entity.last_scheduled = dma_fence_get(sched_job.s_fence.finished)

    smp_wmb()

    spsc_queue_pop(entity.job_queue)
    return sched_job


def drm_sched_entity_select_rq(entity: drm_sched_entity) -> None:
    """Move an idle entity to the least loaded of its schedulers.

    drivers/gpu/drm/scheduler/sched_entity.c:440-480, Linux 6.1.192
    """
    if not entity.sched_list:
        return

    if spsc_queue_count(entity.job_queue):
        return

    smp_rmb()

    fence = entity.last_scheduled

    if fence and not dma_fence_is_signaled(fence):
        return

    spin_lock(entity.rq_lock)
    sched = drm_sched_pick_best(entity.sched_list, entity.num_sched_list)
    rq = sched.sched_rq[entity.priority] if sched else None
    if rq is not entity.rq:
        drm_sched_rq_remove_entity(entity.rq, entity)
        entity.rq = rq

    if entity.num_sched_list == 1:
        entity.sched_list = None

    spin_unlock(entity.rq_lock)


def drm_sched_entity_push_job(sched_job: drm_sched_job) -> None:
    """Submit an armed job; under one lock with drm_sched_job_arm(), so that order is number.

    As in the kernel a job for a killed entity is refused with a message and leaks.

    drivers/gpu/drm/scheduler/sched_entity.c:493-517, Linux 6.1.192
    """
    entity = sched_job.entity

    trace_drm_sched_job(sched_job, entity)
    atomic_inc(entity.rq.sched.score)
    WRITE_ONCE(entity, "last_user", current().group_leader)
    first = spsc_queue_push(entity.job_queue, sched_job.queue_node)

    if first:
        spin_lock(entity.rq_lock)
        if entity.stopped:
            spin_unlock(entity.rq_lock)

            DRM_ERROR("Trying to push to a killed entity\n")
            return
        drm_sched_rq_add_entity(entity.rq, entity)
        spin_unlock(entity.rq_lock)
        drm_sched_wakeup(entity.rq.sched)


EXPORT_SYMBOL(drm_sched_entity_push_job)

# extern
from kport.drm.scheduler.v3_2023.gpu_scheduler import (
    DRM_SCHED_FENCE_DONT_PIPELINE,
    MAX_WAIT_SCHED_ENTITY_Q_EMPTY,
    drm_gpu_scheduler,
    drm_sched_entity,
    drm_sched_job,
    drm_sched_priority,
)
from kport.drm.scheduler.v6_1.gpu_scheduler_trace import (
    trace_drm_sched_job,
    trace_drm_sched_job_wait_dep,
)
from kport.drm.scheduler.v6_1.sched_fence import (
    drm_sched_fence_finished,
    drm_sched_fence_scheduled,
    to_drm_sched_fence,
)
from kport.drm.scheduler.v3_2023.sched_main import (
    drm_sched_pick_best,
    drm_sched_rq_add_entity,
    drm_sched_rq_remove_entity,
    drm_sched_wakeup,
)
