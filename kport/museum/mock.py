# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A finding in the mock GPU of the scheduler's own KUnit suites, on the mock GPU itself.

The suites submit hundreds of jobs and take seconds; what breaks needs three. The kunit they belong
to is made and cleaned up here, as the runner of the suites does it around a case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.arch.patch import Edit
from kport.dma_buf.dma_fence import dma_fence_add_callback, dma_fence_cb
from kport.drivers.compat import (
    DRM_SCHED_PRIORITY_NORMAL,
    drm_sched_entity_push_job,
    drm_sched_job_arm,
)
from kport.drivers.mock import mock_scheduler as mock
from kport.drivers.mock.sched_tests import drm_mock_sched_job_set_duration_us
from kport.linux.completion import DECLARE_COMPLETION_ONSTACK, complete, wait_for_completion
from kport.linux.kunit import kunit, kunit_cleanup, kunit_init_test
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT

US = (50, 1, 50)  # how long the jobs take: the second ends when the first is about to be freed


def freed_while_its_timer_runs(kernel: Any) -> None:
    """Three jobs on the mock GPU, which ends each by a timer; somebody is told of the second."""
    test = kunit()
    kunit_init_test(test, "museum", None)
    sched = mock.drm_mock_sched_new(test, MAX_SCHEDULE_TIMEOUT)
    entity = mock.drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)
    first, second, third = (mock.drm_mock_sched_job_new(test, entity) for _ in US)
    told, cb = DECLARE_COMPLETION_ONSTACK(), dma_fence_cb()
    for job, us in zip((first, second, third), US, strict=True):
        drm_mock_sched_job_set_duration_us(job, us)
        drm_sched_job_arm(job.base)
        if job is second:
            fence: Any = job.base.s_fence
            assert dma_fence_add_callback(fence.finished, cb, lambda f, cb: complete(told)) == 0
        drm_sched_entity_push_job(job.base)
    wait_for_completion(told)
    wait_for_completion(third.done)
    mock.drm_mock_sched_entity_free(entity)
    mock.drm_mock_sched_fini(sched)
    kunit_cleanup(test)


def cancel_before_the_put() -> Sequence[Edit]:
    """Whoever frees a job waits for its timer, where one may wait."""
    put, cancel = "dma_fence_put(job.hw_fence)", "hrtimer_cancel(job.timer)"
    return (
        Edit(mock.drm_mock_sched_hw_fence_release, cancel),
        Edit(mock.mock_sched_free_job, put, f"{cancel}\n{put}"),
        Edit(mock.mock_sched_timedout_job, put, f"{cancel}\n{put}"),
    )
