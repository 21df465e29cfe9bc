# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from include/drm/gpu_scheduler.h, Linux 6.1.192, on 2026-11-20.
"""The structs of the scheduler, and what drivers see of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kport.dma_buf.dma_fence import (
    DMA_FENCE_FLAG_USER_BITS,
    dma_fence,
    dma_fence_cb,
)
from kport.drm.spsc_queue import spsc_node, spsc_queue
from kport.linux.atomic import atomic64_t, atomic_inc_return, atomic_t
from kport.linux.completion import completion
from kport.linux.device import device
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.list import list_head
from kport.linux.sched import task_struct
from kport.linux.spinlock import spinlock_t
from kport.linux.struct import array, cas, struct
from kport.linux.types import long, u32, u64, unsigned_long
from kport.linux.wait import wait_queue_head_t
from kport.linux.workqueue import delayed_work, work_struct, workqueue_struct
from kport.linux.xarray import xarray

MAX_WAIT_SCHED_ENTITY_Q_EMPTY = msecs_to_jiffies(1000)

# A flag of scheduler fences: do not pipeline jobs behind this one.
DRM_SCHED_FENCE_DONT_PIPELINE = DMA_FENCE_FLAG_USER_BITS

drm_sched_priority = u32
DRM_SCHED_PRIORITY_MIN = 0
DRM_SCHED_PRIORITY_NORMAL = 1
DRM_SCHED_PRIORITY_HIGH = 2
DRM_SCHED_PRIORITY_KERNEL = 3
DRM_SCHED_PRIORITY_COUNT = 4


class drm_sched_entity(struct):
    """A queue of jobs that run in order; usually one per context and engine of a client.

    `rq` is the run queue it is scheduled on now, `sched_list` the schedulers it may move between
    while idle (NULL for one). `fence_context` is the context of its scheduled fences, + 1 that of
    the finished ones. `dependency` is what the job at the head waits for.
    """

    list: list_head
    rq: drm_sched_rq | None
    sched_list: Sequence[drm_gpu_scheduler] | None
    num_sched_list: int
    priority: drm_sched_priority
    rq_lock: spinlock_t
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


class drm_sched_rq(struct):
    """The entities of one priority of a scheduler, and the one that was served last."""

    lock: spinlock_t
    sched: drm_gpu_scheduler | None
    entities: list_head
    current_entity: drm_sched_entity | None


class drm_sched_fence(struct):
    """The two fences of a job: `scheduled` when the hardware got it, `finished` at its end.

    `parent` is the hardware's fence from run_job().
    """

    scheduled: dma_fence
    finished: dma_fence
    parent: dma_fence | None
    sched: drm_gpu_scheduler | None
    lock: spinlock_t
    owner: Any


class drm_sched_job(struct):
    """A job; `id` counts the jobs of its scheduler.

    `finish_cb` and `work` share memory in C: both belong to the killing of an entity's jobs.
    """

    queue_node: spsc_node
    list: list_head
    sched: drm_gpu_scheduler | None
    s_fence: drm_sched_fence | None
    finish_cb: dma_fence_cb
    work: work_struct
    id: u64
    karma: atomic_t
    s_priority: drm_sched_priority
    entity: drm_sched_entity | None
    cb: dma_fence_cb
    dependencies: xarray
    last_dependency: unsigned_long


def drm_sched_invalidate_job(s_job: drm_sched_job | None, threshold: int) -> bool:
    """Count one more hang of the job; True if there were too many.

    include/drm/gpu_scheduler.h:327-331, Linux 6.1.192
    """
    return bool(s_job and atomic_inc_return(s_job.karma) > threshold)


drm_gpu_sched_stat = int
DRM_GPU_SCHED_STAT_NONE = 0
DRM_GPU_SCHED_STAT_NOMINAL = 1
DRM_GPU_SCHED_STAT_ENODEV = 2


class drm_sched_backend_ops(struct, table=True):
    """What a driver provides.

    dependency: another fence to wait for, or NULL; optional. run_job: hand the job to the
    hardware; returns its fence, NULL, or an error pointer. timedout_job: the job took too long;
    returns a DRM_GPU_SCHED_STAT_. free_job: the job is over.
    """

    dependency: Callable[[drm_sched_job, drm_sched_entity], Any] | None
    run_job: Callable[[drm_sched_job], Any] | None
    timedout_job: Callable[[drm_sched_job], drm_gpu_sched_stat] | None
    free_job: Callable[[drm_sched_job], None] | None


class drm_sched_rqs(array[drm_sched_rq], of=drm_sched_rq, size=DRM_SCHED_PRIORITY_COUNT):
    """The run queues of a scheduler by priority."""


class drm_gpu_scheduler(struct):
    """One scheduler, for one hardware ring.

    `timeout` and the delay of `work_tdr` in ticks; `hw_rq_count` of `hw_submission_limit` jobs are
    in flight; `pending_list` holds the jobs on the hardware, oldest first. `thread` sleeps on
    `wake_up_worker`.
    """

    ops: drm_sched_backend_ops | None
    hw_submission_limit: u32
    timeout: long
    name: str | None
    sched_rq: drm_sched_rqs
    wake_up_worker: wait_queue_head_t
    job_scheduled: wait_queue_head_t
    hw_rq_count: atomic_t
    job_id_count: atomic64_t
    timeout_wq: workqueue_struct | None
    work_tdr: delayed_work
    thread: task_struct | None
    pending_list: list_head
    job_list_lock: spinlock_t
    hang_limit: int
    score: atomic_t | None
    _score: atomic_t
    ready: bool
    free_guilty: bool
    dev: device | None


class drm_sched_init_args(struct, table=True):
    """The parameters of drm_sched_init(); timeout in ticks, a NULL workqueue means system_wq."""

    ops: drm_sched_backend_ops | None
    timeout_wq: workqueue_struct | None
    credit_limit: u32
    hang_limit: int
    timeout: long
    score: atomic_t | None
    name: str | None
    dev: device | None
