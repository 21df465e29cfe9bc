# SPDX-FileCopyrightText: 2025 Valve Corporation
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/gpu/drm/scheduler/tests/sched_tests.h,
# Linux 7.2.13, on 2026-11-20.
"""The mock GPU's structs: the scheduler's own, each with what the tests need around it."""

from __future__ import annotations

from kport.dma_buf.dma_fence import dma_fence, dma_fence_wait_timeout
from kport.drivers.compat import (
    drm_gpu_scheduler,
    drm_sched_entity,
    drm_sched_entity_push_job,
    drm_sched_job,
    drm_sched_job_arm,
)
from kport.linux.atomic import atomic_t
from kport.linux.completion import completion, wait_for_completion_timeout
from kport.linux.hrtimer import hrtimer
from kport.linux.ktime import ktime_t
from kport.linux.kunit import KUNIT_ASSERT_EQ, kunit
from kport.linux.list import list_head
from kport.linux.spinlock import spinlock_t
from kport.linux.struct import container_of, struct
from kport.linux.types import u64, unsigned_long


class struct_hw_timeline(struct):
    """The mock hardware's timeline: its context, the number of the next fence, the last done."""

    context: u64
    next_seqno: atomic_t
    cur_seqno: int


class drm_mock_scheduler(struct):
    """A GPU that completes jobs strictly in the order of submission.

    `lock` guards `hw_timeline` and `job_list`, the jobs on the hardware.
    """

    base: drm_gpu_scheduler

    test: kunit | None

    lock: spinlock_t
    job_list: list_head

    hw_timeline: struct_hw_timeline


class drm_mock_sched_entity(struct):
    """An entity and the test it belongs to."""

    base: drm_sched_entity

    test: kunit | None


DRM_MOCK_SCHED_JOB_DONE = 0x1
DRM_MOCK_SCHED_JOB_TIMEDOUT = 0x2
DRM_MOCK_SCHED_JOB_DONT_RESET = 0x4
DRM_MOCK_SCHED_JOB_RESET_SKIPPED = 0x8


class drm_mock_sched_job(struct):
    """A job that takes `duration_us`, or with 0 until drm_mock_sched_advance() completes it.

    `finish_at` is when a job with a duration completes. `done` is completed with the job.
    `hw_fence` is what run_job() returns.
    """

    base: drm_sched_job

    done: completion

    flags: unsigned_long

    link: list_head
    timer: hrtimer

    duration_us: int
    finish_at: ktime_t

    hw_fence: dma_fence

    test: kunit | None


def drm_sched_to_mock_sched(sched: drm_gpu_scheduler) -> drm_mock_scheduler:
    """The mock scheduler around a scheduler.

    drivers/gpu/drm/scheduler/tests/sched_tests.h:113-117, Linux 7.2.13
    """
    return container_of(sched, drm_mock_scheduler, "base")


def drm_sched_entity_to_mock_entity(sched_entity: drm_sched_entity) -> drm_mock_sched_entity:
    """The mock entity around an entity.

    drivers/gpu/drm/scheduler/tests/sched_tests.h:119-123, Linux 7.2.13
    """
    return container_of(sched_entity, drm_mock_sched_entity, "base")


def drm_sched_job_to_mock_job(sched_job: drm_sched_job) -> drm_mock_sched_job:
    """The mock job around a job.

    drivers/gpu/drm/scheduler/tests/sched_tests.h:125-129, Linux 7.2.13
    """
    return container_of(sched_job, drm_mock_sched_job, "base")


def drm_mock_sched_job_submit(job: drm_mock_sched_job) -> None:
    """Arm and push.

    drivers/gpu/drm/scheduler/tests/sched_tests.h:152-156, Linux 7.2.13
    """
    drm_sched_job_arm(job.base)
    drm_sched_entity_push_job(job.base)


def drm_mock_sched_job_set_duration_us(job: drm_mock_sched_job, duration_us: int) -> None:
    """The job completes by itself after so many microseconds on the hardware.

    drivers/gpu/drm/scheduler/tests/sched_tests.h:169-174, Linux 7.2.13
    """
    job.duration_us = duration_us


def drm_mock_sched_job_is_finished(job: drm_mock_sched_job) -> bool:
    """True once the mock hardware is done with the job.

    drivers/gpu/drm/scheduler/tests/sched_tests.h:183-187, Linux 7.2.13
    """
    return bool(job.flags & DRM_MOCK_SCHED_JOB_DONE)


def drm_mock_sched_job_wait_finished(job: drm_mock_sched_job, timeout: int) -> bool:
    """Wait `timeout` ticks at most for the hardware to be done with the job; False: in vain.

    drivers/gpu/drm/scheduler/tests/sched_tests.h:197-204, Linux 7.2.13
    """
    if job.flags & DRM_MOCK_SCHED_JOB_DONE:
        return True

    return wait_for_completion_timeout(job.done, timeout) != 0


def drm_mock_sched_job_wait_scheduled(job: drm_mock_sched_job, timeout: int) -> bool:
    """Wait `timeout` ticks at most for the job to reach the hardware; False: in vain.

    drivers/gpu/drm/scheduler/tests/sched_tests.h:214-222, Linux 7.2.13
    """
    KUNIT_ASSERT_EQ(job.test, job.flags & DRM_MOCK_SCHED_JOB_DONE, 0)

    return dma_fence_wait_timeout(job.base.s_fence.scheduled, False, timeout) != 0
