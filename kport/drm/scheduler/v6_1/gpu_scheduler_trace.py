# SPDX-FileCopyrightText: 2017 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/scheduler/gpu_scheduler_trace.h,
# Linux 6.1.192, on 2026-11-20.
"""The trace events of the scheduler in their old spelling, with pointers for names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kport.linux.atomic import atomic_read
from kport.linux.tracepoint import DECLARE_EVENT_CLASS, DEFINE_EVENT
from kport.linux.types import u32

if TYPE_CHECKING:
    from kport.dma_buf.dma_fence import dma_fence
    from kport.drm.scheduler.v6_1.gpu_scheduler import (
        drm_sched_entity,
        drm_sched_fence,
        drm_sched_job,
    )

TRACE_SYSTEM = "gpu_scheduler"


def _job(sched_job: drm_sched_job, entity: drm_sched_entity) -> tuple[Any, ...]:
    return (
        entity,
        sched_job.id,
        sched_job.s_fence.finished,
        sched_job.sched.name,
        spsc_queue_count(entity.job_queue),
        atomic_read(sched_job.sched.hw_rq_count),
    )


def _process_job(fence: drm_sched_fence) -> tuple[Any, ...]:
    return (fence.finished,)


def _wait_dep(sched_job: drm_sched_job, fence: dma_fence) -> tuple[Any, ...]:
    return (sched_job.sched.name, sched_job.id, fence, fence.context, u32(fence.seqno))


_drm_sched_job = DECLARE_EVENT_CLASS(
    ("entity", "id", "fence", "name", "job_count", "hw_job_count"),
    _job,
    "entity=%p, id=%llu, fence=%p, ring=%s, job count:%u, hw job count:%d",
)

trace_drm_sched_job = DEFINE_EVENT(TRACE_SYSTEM, "drm_sched_job", 2, _drm_sched_job)
trace_drm_run_job = DEFINE_EVENT(TRACE_SYSTEM, "drm_run_job", 2, _drm_sched_job)

trace_drm_sched_process_job = DEFINE_EVENT(
    TRACE_SYSTEM,
    "drm_sched_process_job",
    1,
    DECLARE_EVENT_CLASS(("fence",), _process_job, "fence=%p signaled"),
)

trace_drm_sched_job_wait_dep = DEFINE_EVENT(
    TRACE_SYSTEM,
    "drm_sched_job_wait_dep",
    2,
    DECLARE_EVENT_CLASS(
        ("name", "id", "fence", "ctx", "seqno"),
        _wait_dep,
        "job ring=%s, id=%llu, depends fence=%p, context=%llu, seq=%u",
    ),
)

# extern
from kport.drm.spsc_queue import spsc_queue_count
