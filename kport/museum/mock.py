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
from kport.drivers.compat import DRM_SCHED_PRIORITY_NORMAL
from kport.drivers.mock import mock_scheduler as mock
from kport.drivers.mock.sched_tests import (
    drm_mock_sched_job_set_duration_us,
    drm_mock_sched_job_submit,
)
from kport.linux.completion import wait_for_completion
from kport.linux.kunit import kunit, kunit_cleanup, kunit_init_test
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT

US = (50, 1, 50)  # how long the jobs take: the second ends when the first is about to be freed


def freed_while_its_timer_runs(kernel: Any) -> None:
    """Three jobs of one entity on the mock GPU, which ends each by a timer."""
    test = kunit()
    kunit_init_test(test, "museum", None)
    sched = mock.drm_mock_sched_new(test, MAX_SCHEDULE_TIMEOUT)
    entity = mock.drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)
    jobs = [mock.drm_mock_sched_job_new(test, entity) for _ in US]
    for job, us in zip(jobs, US, strict=True):
        drm_mock_sched_job_set_duration_us(job, us)
        drm_mock_sched_job_submit(job)
    wait_for_completion(jobs[-1].done)
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
