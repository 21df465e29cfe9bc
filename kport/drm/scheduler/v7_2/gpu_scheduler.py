# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from include/drm/gpu_scheduler.h, Linux 7.2.13, on 2026-11-20.
"""The structs of the scheduler, and what drivers see of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kport.dma_buf.dma_fence import (
    DMA_FENCE_FLAG_USER_BITS,
    dma_fence,
    dma_fence_cb,
)
from kport.drm.spsc_queue import spsc_node, spsc_queue
from kport.linux.atomic import atomic64_t, atomic_inc_return, atomic_t
from kport.linux.average import DECLARE_EWMA, ewma
from kport.linux.bug import WARN_ON
from kport.linux.completion import completion
from kport.linux.device import device
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.ktime import ktime_t
from kport.linux.list import list_for_each_entry, list_head
from kport.linux.rbtree import rb_node, rb_root_cached
from kport.linux.sched import task_struct
from kport.linux.spinlock import spinlock_t
from kport.linux.struct import cas, struct
from kport.linux.types import long, u32, u64
from kport.linux.wait import wait_queue_head_t
from kport.linux.workqueue import delayed_work, work_struct, workqueue_struct
from kport.linux.xarray import xarray

ewma_drm_sched_avgtime = ewma
(
    ewma_drm_sched_avgtime_init,
    ewma_drm_sched_avgtime_read,
    ewma_drm_sched_avgtime_add,
) = DECLARE_EWMA(6, 4)

MAX_WAIT_SCHED_ENTITY_Q_EMPTY = msecs_to_jiffies(1000)

# Flags of scheduler fences: do not pipeline jobs behind this one; a deadline has been set.
DRM_SCHED_FENCE_DONT_PIPELINE = DMA_FENCE_FLAG_USER_BITS
DRM_SCHED_FENCE_FLAG_HAS_DEADLINE_BIT = DMA_FENCE_FLAG_USER_BITS + 1

drm_sched_priority = int
DRM_SCHED_PRIORITY_INVALID = -1
DRM_SCHED_PRIORITY_KERNEL = 0
DRM_SCHED_PRIORITY_HIGH = 1
DRM_SCHED_PRIORITY_NORMAL = 2
DRM_SCHED_PRIORITY_LOW = 3
DRM_SCHED_PRIORITY_COUNT = 4


class drm_sched_entity(struct):
    """A queue of jobs that run in order; usually one per context and engine of a client.

    `rq` is the run queue it is scheduled on now, `sched_list` the schedulers it may move between
    while idle (NULL for one). `fence_context` is the context of its scheduled fences, + 1 that of
    the finished ones. `dependency` is what the job at the head waits for. `rr_ts` and
    `oldest_job_waiting` are keys of the run queue's tree.
    """

    list: list_head
    lock: spinlock_t
    rq: drm_sched_rq | None
    stats: drm_sched_entity_stats | None
    sched_list: Sequence[drm_gpu_scheduler] | None
    num_sched_list: int
    priority: drm_sched_priority
    rq_priority: drm_sched_priority
    rr_ts: ktime_t
    job_queue: spsc_queue
    fence_seq: atomic_t
    fence_context: u64
    dependency: dma_fence | None
    cb: dma_fence_cb
    guilty: atomic_t | None
    last_scheduled: dma_fence | None
    last_user: cas[task_struct | None]
    stopped: bool
    entity_idle: completion
    oldest_job_waiting: ktime_t
    rb_tree_node: rb_node


class drm_sched_rq(struct):
    """The entities of one priority of a scheduler (of all of them under FAIR)."""

    sched: drm_gpu_scheduler | None
    lock: spinlock_t
    rr_ts: ktime_t
    entities: list_head
    rb_tree_root: rb_root_cached
    head_prio: drm_sched_priority


class drm_sched_fence(struct):
    """The two fences of a job: `scheduled` when the hardware got it, `finished` at its end.

    `parent` is the hardware's fence from run_job(); `deadline` in ns, for the parent to come.
    """

    scheduled: dma_fence
    finished: dma_fence
    deadline: ktime_t
    parent: dma_fence | None
    sched: drm_gpu_scheduler | None
    lock: spinlock_t
    owner: Any
    drm_client_id: u64


class drm_sched_job(struct):
    """A job. `entity` is NULL once it was taken off its entity's queue.

    `finish_cb` and `work` share memory in C: both belong to the killing of an entity's jobs.
    """

    submit_ts: ktime_t
    sched: drm_gpu_scheduler | None
    s_fence: drm_sched_fence | None
    entity: drm_sched_entity | None
    entity_stats: drm_sched_entity_stats | None
    s_priority: drm_sched_priority
    credits: u32
    last_dependency: int
    karma: atomic_t
    queue_node: spsc_node
    list: list_head
    finish_cb: dma_fence_cb
    work: work_struct
    cb: dma_fence_cb
    dependencies: xarray


drm_gpu_sched_stat = int
DRM_GPU_SCHED_STAT_NONE = 0
DRM_GPU_SCHED_STAT_RESET = 1
DRM_GPU_SCHED_STAT_ENODEV = 2
DRM_GPU_SCHED_STAT_NO_HANG = 3


class drm_sched_backend_ops(struct, table=True):
    """What a driver provides.

    prepare_job: another fence to wait for, or NULL; optional. run_job: hand the job to the
    hardware; returns its fence with a reference for the scheduler, NULL, or an error pointer.
    timedout_job: the job took too long; returns a DRM_GPU_SCHED_STAT_. free_job: the job is over.
    cancel_job: the scheduler goes and the job has not finished; optional.
    """

    prepare_job: Callable[[drm_sched_job, drm_sched_entity], Any] | None
    run_job: Callable[[drm_sched_job], Any] | None
    timedout_job: Callable[[drm_sched_job], drm_gpu_sched_stat] | None
    free_job: Callable[[drm_sched_job], None] | None
    cancel_job: Callable[[drm_sched_job], None] | None


class drm_gpu_scheduler(struct):
    """One scheduler, for one hardware ring.

    `timeout` and the delay of `work_tdr` in ticks; `credit_count` of `credit_limit` are in flight;
    `pending_list` holds the jobs on the hardware, oldest first.
    """

    ops: drm_sched_backend_ops | None
    credit_limit: u32
    credit_count: atomic_t
    timeout: long
    name: str | None
    num_rqs: u32
    num_user_rqs: u32
    sched_rq: list[drm_sched_rq] | None
    job_scheduled: wait_queue_head_t
    job_id_count: atomic64_t
    submit_wq: workqueue_struct | None
    timeout_wq: workqueue_struct | None
    avg_job_us: ewma_drm_sched_avgtime
    work_run_job: work_struct
    work_free_job: work_struct
    work_tdr: delayed_work
    pending_list: list_head
    job_list_lock: spinlock_t
    hang_limit: int
    score: atomic_t | None
    _score: atomic_t
    ready: bool
    free_guilty: bool
    pause_submit: bool
    own_submit_wq: bool
    dev: device | None


class drm_sched_init_args(struct, table=True):
    """The parameters of drm_sched_init(); timeout in ticks, NULL workqueues mean defaults."""

    ops: drm_sched_backend_ops | None
    submit_wq: workqueue_struct | None
    timeout_wq: workqueue_struct | None
    num_rqs: u32
    credit_limit: u32
    hang_limit: int
    timeout: long
    score: atomic_t | None
    name: str | None
    dev: device | None


def drm_sched_invalidate_job(s_job: drm_sched_job | None, threshold: int) -> bool:
    """Count one more hang of the job; True if there were too many.

    include/drm/gpu_scheduler.h:716-720, Linux 7.2.13
    """
    return bool(s_job and atomic_inc_return(s_job.karma) > threshold)


class drm_sched_pending_job_iter(struct, table=True):
    """The state of an iteration over pending jobs."""

    sched: drm_gpu_scheduler | None


def __drm_sched_pending_job_iter_begin(
    sched: drm_gpu_scheduler,
) -> drm_sched_pending_job_iter:
    """Begin an iteration; the scheduler must be stopped.

    include/drm/gpu_scheduler.h:749-758, Linux 7.2.13
    """
    iter = drm_sched_pending_job_iter(sched=sched)

    WARN_ON(not drm_sched_is_stopped(sched))
    return iter


def __drm_sched_pending_job_iter_end(iter: drm_sched_pending_job_iter) -> None:
    """End an iteration; the scheduler must still be stopped.

    include/drm/gpu_scheduler.h:761-765, Linux 7.2.13
    """
    WARN_ON(not drm_sched_is_stopped(iter.sched))


def class_drm_sched_pending_job_iter_lock_ptr(
    _T: drm_sched_pending_job_iter,
) -> drm_sched_pending_job_iter:
    """What a guard of this class holds: the iteration itself.

    include/drm/gpu_scheduler.h:771-773, Linux 7.2.13
    """
    return _T


def drm_sched_for_each_pending_job(  # kport: generator
    __sched: drm_gpu_scheduler, __entity: drm_sched_entity | None
) -> Iterator[drm_sched_job]:
    """Each pending job of a stopped scheduler, optionally of one entity only.

    As in the kernel an entity never matches: a pending job does not know its entity any more.

    include/drm/gpu_scheduler.h:785-788, Linux 7.2.13
    """
    iter = __drm_sched_pending_job_iter_begin(__sched)
    try:
        for __job in list_for_each_entry(__sched.pending_list, drm_sched_job, "list"):
            if not __entity or __job.entity is __entity:
                yield __job
    finally:
        __drm_sched_pending_job_iter_end(iter)


# extern
from kport.drm.scheduler.v7_2.sched_internal import drm_sched_entity_stats
from kport.drm.scheduler.v7_2.sched_main import drm_sched_is_stopped
