# SPDX-FileCopyrightText: 2013 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/scheduler/gpu_scheduler_trace.h,
# Linux 7.2.13, on 2026-11-20.
"""The trace events of the scheduler; their text is stable user space API of the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kport.linux.atomic import atomic_read
from kport.linux.device import dev_name
from kport.linux.tracepoint import DECLARE_EVENT_CLASS, DEFINE_EVENT, trace_enabled

if TYPE_CHECKING:
    from kport.dma_buf.dma_fence import dma_fence
    from kport.drm.scheduler.v7_2.gpu_scheduler import (
        drm_sched_entity,
        drm_sched_fence,
        drm_sched_job,
    )

TRACE_SYSTEM = "gpu_scheduler"


def _job(sched_job: drm_sched_job, entity: drm_sched_entity) -> tuple[Any, ...]:
    return (
        dev_name(sched_job.sched.dev),
        sched_job.s_fence.finished.context,
        sched_job.s_fence.finished.seqno,
        sched_job.sched.name,
        spsc_queue_count(entity.job_queue),
        atomic_read(sched_job.sched.credit_count),
        sched_job.s_fence.drm_client_id,
    )


def _done(fence: drm_sched_fence) -> tuple[Any, ...]:
    return fence.finished.context, fence.finished.seqno


def _dep(sched_job: drm_sched_job, fence: dma_fence) -> tuple[Any, ...]:
    return (
        sched_job.s_fence.finished.context,
        sched_job.s_fence.finished.seqno,
        fence.context,
        fence.seqno,
    )


_drm_sched_job = DECLARE_EVENT_CLASS(
    ("dev", "fence_context", "fence_seqno", "name", "job_count", "hw_job_count", "client_id"),
    _job,
    "dev=%s, fence=%llu:%llu, ring=%s, job count:%u, hw job count:%d, client_id:%llu",
)

trace_drm_sched_job_queue = DEFINE_EVENT(TRACE_SYSTEM, "drm_sched_job_queue", 2, _drm_sched_job)
trace_drm_sched_job_run = DEFINE_EVENT(TRACE_SYSTEM, "drm_sched_job_run", 2, _drm_sched_job)

trace_drm_sched_job_done = DEFINE_EVENT(
    TRACE_SYSTEM,
    "drm_sched_job_done",
    1,
    DECLARE_EVENT_CLASS(
        ("fence_context", "fence_seqno"), _done, "fence=%llu:%llu signaled"
    ),
)

trace_drm_sched_job_add_dep = DEFINE_EVENT(
    TRACE_SYSTEM,
    "drm_sched_job_add_dep",
    2,
    DECLARE_EVENT_CLASS(
        ("fence_context", "fence_seqno", "ctx", "seqno"),
        _dep,
        "fence=%llu:%llu depends on fence=%llu:%llu",
    ),
)
trace_drm_sched_job_add_dep_enabled = trace_enabled("drm_sched_job_add_dep")

trace_drm_sched_job_unschedulable = DEFINE_EVENT(
    TRACE_SYSTEM,
    "drm_sched_job_unschedulable",
    2,
    DECLARE_EVENT_CLASS(
        ("fence_context", "fence_seqno", "ctx", "seqno"),
        _dep,
        "fence=%llu:%llu depends on unsignalled fence=%llu:%llu",
    ),
)
trace_drm_sched_job_unschedulable_enabled = trace_enabled("drm_sched_job_unschedulable")

# extern
from kport.drm.spsc_queue import spsc_queue_count
