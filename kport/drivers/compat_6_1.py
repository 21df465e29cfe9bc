# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a driver written to the scheduler of 7.2 needs on that of 6.1, or of 2023.

Each function here has the name and the parameters of 7.2 and stands in for it. `v` is the package
of the scheduler that was booted. Three of them do more than convert:

- a job that turns out not to be hung goes back to the head of the list, as NO_HANG does in 7.2;
  drivers of that time did it themselves, or lost the job;
- drm_sched_entity_fini() waits until the thread has let go of the entity, which 6.1 does only if a
  job is queued: whoever frees the entity then must not be faster than the end of run_job();
- drm_sched_fini() cancels what is on the hardware, newest first, if the driver can.

The scheduler of 2023 is that of 6.1 with a work item in place of the thread: it can be told on
which workqueue, and is paused where the thread is parked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from kport.dma_buf.dma_fence import (
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_set_error,
)
from kport.drm.scheduler.v7_2.gpu_scheduler import (
    DRM_GPU_SCHED_STAT_ENODEV,
    DRM_GPU_SCHED_STAT_NO_HANG,
    drm_sched_backend_ops,
    drm_sched_init_args,
    drm_sched_priority,
)
from kport.linux.atomic import atomic_t
from kport.linux.completion import complete, wait_for_completion
from kport.linux.kthread import __kthread_should_park, kthread_park, kthread_unpark
from kport.linux.list import (
    list_add,
    list_del,
    list_for_each_entry,
    list_for_each_entry_safe_reverse,
)
from kport.linux.spinlock import spin_lock, spin_unlock
from kport.linux.wait import wake_up_interruptible

if TYPE_CHECKING:
    from kport.drm.scheduler.v6_1.gpu_scheduler import (
        drm_gpu_scheduler,
        drm_sched_entity,
        drm_sched_job,
    )

v: Any = None
_cancel: dict[int, Callable[[Any], None]] = {}  # cancel_job() by the id of a live scheduler


def interface(package: ModuleType) -> dict[str, Any]:
    """The functions of this file by name, for a scheduler package; a new kernel boots."""
    global v
    v = package
    _cancel.clear()
    if not hasattr(v.gpu_scheduler.drm_gpu_scheduler, "credit_limit"):
        # As `#define credit_limit hw_submission_limit`, for drivers that change it.
        v.gpu_scheduler.drm_gpu_scheduler.credit_limit = property(
            lambda sched: sched.hw_submission_limit,
            lambda sched, limit: setattr(sched, "hw_submission_limit", limit),
        )
    ours = {name: value for name, value in globals().items() if name.startswith("drm_sched_")}
    for name in (drm_sched_backend_ops.__name__, drm_sched_init_args.__name__):
        del ours[name]
    del ours["drm_sched_priority"]
    return ours


def has_thread() -> bool:
    """True for 6.1, False for the scheduler of 2023."""
    return hasattr(v.sched_main, "drm_sched_blocked")


def old_priority(priority: drm_sched_priority) -> int:
    """Kernel, high, normal, low are 0 to 3 in 7.2, and 3 to 0 in 6.1."""
    return int(v.gpu_scheduler.DRM_SCHED_PRIORITY_KERNEL) - priority


def put_back(sched: drm_gpu_scheduler, job: drm_sched_job) -> None:
    """The job that timed out is not hung after all: back to the front of the list."""
    spin_lock(sched.job_list_lock)
    list_add(job.list, sched.pending_list)
    spin_unlock(sched.job_list_lock)
    if has_thread():
        wake_up_interruptible(sched.wake_up_worker)
    else:
        v.sched_main.drm_sched_submit_queue(sched)


def old_ops(ops: drm_sched_backend_ops) -> Any:
    """The callbacks of a driver under their names of 6.1."""
    api = v.gpu_scheduler
    timedout_job = ops.timedout_job

    def timedout(job: Any) -> int:
        status = timedout_job(job)
        if status == DRM_GPU_SCHED_STAT_NO_HANG:
            put_back(job.sched, job)
        if status == DRM_GPU_SCHED_STAT_ENODEV:
            return int(api.DRM_GPU_SCHED_STAT_ENODEV)
        return int(api.DRM_GPU_SCHED_STAT_NOMINAL)

    return api.drm_sched_backend_ops(
        dependency=ops.prepare_job,
        run_job=ops.run_job,
        timedout_job=timedout if timedout_job else None,
        free_job=ops.free_job,
    )


def drm_sched_init(sched: drm_gpu_scheduler, args: drm_sched_init_args) -> int:
    """Credits are jobs; the number of run queues is fixed."""
    given = v.gpu_scheduler.drm_sched_init_args(
        ops=old_ops(args.ops),
        timeout_wq=args.timeout_wq,
        credit_limit=args.credit_limit,
        hang_limit=args.hang_limit,
        timeout=args.timeout,
        score=args.score,
        name=args.name,
        dev=args.dev,
    )
    if not has_thread():
        given.submit_wq = args.submit_wq
    ret = v.sched_main.drm_sched_init(sched, given)
    if not ret and args.ops.cancel_job:
        _cancel[id(sched)] = args.ops.cancel_job
    return int(ret)


def drm_sched_fini(sched: drm_gpu_scheduler) -> None:
    """Nobody else looks at the list by then."""
    v.sched_main.drm_sched_fini(sched)
    cancel_job = _cancel.pop(id(sched), None)
    if not cancel_job:
        return
    for job, tmp in list_for_each_entry_safe_reverse(
        sched.pending_list, v.gpu_scheduler.drm_sched_job, "list"
    ):
        cancel_job(job)
        list_del(job.list)
        sched.ops.free_job(job)


def drm_sched_stop(sched: drm_gpu_scheduler, bad: drm_sched_job | None) -> None:
    """It parks the thread, which must not be parked then."""
    if has_thread() and __kthread_should_park(sched.thread):
        kthread_unpark(sched.thread)
    v.sched_main.drm_sched_stop(sched, bad)


def drm_sched_start(sched: drm_gpu_scheduler, errno: int) -> None:
    """Jobs without a hardware fence get the error that 7.2 gives them."""
    api = v.gpu_scheduler
    if errno:
        for job in list_for_each_entry(
            sched.pending_list, api.drm_sched_job, "list"
        ):
            if not job.s_fence.parent:
                dma_fence_set_error(job.s_fence.finished, errno)
    v.sched_main.drm_sched_start(sched, True)


def drm_sched_wqueue_ready(sched: drm_gpu_scheduler) -> bool:
    """There is a thread, or the item may be queued."""
    return bool(sched.ready)


def drm_sched_wqueue_stop(sched: drm_gpu_scheduler) -> None:
    """The thread is parked, if it is not parked already; or the item is not queued any more."""
    if not has_thread():
        v.sched_main.drm_sched_submit_stop(sched)
    elif not __kthread_should_park(sched.thread):
        kthread_park(sched.thread)


def drm_sched_wqueue_start(sched: drm_gpu_scheduler) -> None:
    """The thread is unparked, or the item is queued."""
    if has_thread():
        kthread_unpark(sched.thread)
    else:
        v.sched_main.drm_sched_submit_start(sched)


def drm_sched_entity_init(
    entity: drm_sched_entity,
    priority: drm_sched_priority,
    sched_list: Sequence[drm_gpu_scheduler],
    num_sched_list: int,
    guilty: atomic_t | None,
) -> int:
    """The priority counts from the other end."""
    return int(
        v.sched_entity.drm_sched_entity_init(
            entity, old_priority(priority), sched_list, num_sched_list, guilty
        )
    )


def drm_sched_entity_set_priority(
    entity: drm_sched_entity, priority: drm_sched_priority
) -> None:
    """The priority counts from the other end."""
    v.sched_entity.drm_sched_entity_set_priority(entity, old_priority(priority))


def drm_sched_entity_error(entity: drm_sched_entity) -> int:
    """Only the scheduler's thread writes last_scheduled, so its callbacks may read it."""
    fence = entity.last_scheduled
    return fence.error if fence else 0


def drm_sched_entity_kill(entity: drm_sched_entity) -> None:
    """What drm_sched_entity_flush() does to the entity of a killed task."""
    if not entity.rq:
        return
    spin_lock(entity.rq_lock)
    entity.stopped = True
    v.sched_main.drm_sched_rq_remove_entity(entity.rq, entity)
    spin_unlock(entity.rq_lock)


def drm_sched_entity_fini(entity: drm_sched_entity) -> None:
    """Off the run queue the thread takes it no more; entity_idle is given back for whom it is."""
    if entity.rq:
        v.sched_main.drm_sched_rq_remove_entity(entity.rq, entity)
        wait_for_completion(entity.entity_idle)
        complete(entity.entity_idle)
    last = entity.last_scheduled
    if last and dma_fence_is_signaled(last):
        # Each job killed behind a job that is over would leak a reference to its fence.
        entity.last_scheduled = None
        dma_fence_put(last)
    v.sched_entity.drm_sched_entity_fini(entity)


def drm_sched_entity_destroy(entity: drm_sched_entity) -> None:
    """Flush, and the fini above."""
    drm_sched_entity_flush(entity, v.gpu_scheduler.MAX_WAIT_SCHED_ENTITY_Q_EMPTY)
    drm_sched_entity_fini(entity)


def drm_sched_entity_flush(entity: drm_sched_entity, timeout: int) -> int:
    """As it is."""
    return int(v.sched_entity.drm_sched_entity_flush(entity, timeout))


def drm_sched_job_init(
    job: drm_sched_job, entity: drm_sched_entity, credits: int, owner: Any, drm_client_id: int
) -> int:
    """A job is a job, whatever it costs and whoever sends it."""
    return int(v.sched_main.drm_sched_job_init(job, entity, owner))
