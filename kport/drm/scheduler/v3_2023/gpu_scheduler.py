# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from include/drm/gpu_scheduler.h, Linux 6.1.192, on 2026-11-20.
"""The two structs that the patch changes; everything else is that of 6.1."""

from __future__ import annotations

from kport.drm.scheduler.v6_1.gpu_scheduler import (
    DRM_GPU_SCHED_STAT_ENODEV,
    DRM_GPU_SCHED_STAT_NOMINAL,
    DRM_GPU_SCHED_STAT_NONE,
    DRM_SCHED_FENCE_DONT_PIPELINE,
    DRM_SCHED_PRIORITY_COUNT,
    DRM_SCHED_PRIORITY_HIGH,
    DRM_SCHED_PRIORITY_KERNEL,
    DRM_SCHED_PRIORITY_MIN,
    DRM_SCHED_PRIORITY_NORMAL,
    MAX_WAIT_SCHED_ENTITY_Q_EMPTY,
    drm_gpu_sched_stat,
    drm_sched_backend_ops,
    drm_sched_entity,
    drm_sched_fence,
    drm_sched_invalidate_job,
    drm_sched_job,
    drm_sched_priority,
    drm_sched_rq,
    drm_sched_rqs,
)
from kport.linux.atomic import atomic64_t, atomic_t
from kport.linux.device import device
from kport.linux.list import list_head
from kport.linux.spinlock import spinlock_t
from kport.linux.struct import struct
from kport.linux.types import long, u32
from kport.linux.wait import wait_queue_head_t
from kport.linux.workqueue import delayed_work, work_struct, workqueue_struct

__all__ = [
    "DRM_GPU_SCHED_STAT_ENODEV",
    "DRM_GPU_SCHED_STAT_NOMINAL",
    "DRM_GPU_SCHED_STAT_NONE",
    "DRM_SCHED_FENCE_DONT_PIPELINE",
    "DRM_SCHED_PRIORITY_COUNT",
    "DRM_SCHED_PRIORITY_HIGH",
    "DRM_SCHED_PRIORITY_KERNEL",
    "DRM_SCHED_PRIORITY_MIN",
    "DRM_SCHED_PRIORITY_NORMAL",
    "MAX_WAIT_SCHED_ENTITY_Q_EMPTY",
    "drm_gpu_sched_stat",
    "drm_gpu_scheduler",
    "drm_sched_backend_ops",
    "drm_sched_entity",
    "drm_sched_fence",
    "drm_sched_init_args",
    "drm_sched_invalidate_job",
    "drm_sched_job",
    "drm_sched_priority",
    "drm_sched_rq",
]


class drm_gpu_scheduler(struct):  # kport: patch
    """One scheduler, for one hardware ring.

    `timeout` and the delay of `work_tdr` in ticks; `hw_rq_count` of `hw_submission_limit` jobs are
    in flight; `pending_list` holds the jobs on the hardware, oldest first. `work_submit` is queued
    on `submit_wq` unless `pause_submit` is set.
    """

    ops: drm_sched_backend_ops | None
    hw_submission_limit: u32
    timeout: long
    name: str | None
    sched_rq: drm_sched_rqs
    job_scheduled: wait_queue_head_t
    hw_rq_count: atomic_t
    job_id_count: atomic64_t
    submit_wq: workqueue_struct | None
    timeout_wq: workqueue_struct | None
    work_submit: work_struct
    work_tdr: delayed_work
    pending_list: list_head
    job_list_lock: spinlock_t
    hang_limit: int
    score: atomic_t | None
    _score: atomic_t
    ready: bool
    free_guilty: bool
    pause_submit: bool
    dev: device | None


class drm_sched_init_args(struct, table=True):  # kport: patch
    """The parameters of drm_sched_init(); timeout in ticks, NULL workqueues mean system_wq."""

    ops: drm_sched_backend_ops | None
    submit_wq: workqueue_struct | None
    timeout_wq: workqueue_struct | None
    credit_limit: u32
    hang_limit: int
    timeout: long
    score: atomic_t | None
    name: str | None
    dev: device | None
