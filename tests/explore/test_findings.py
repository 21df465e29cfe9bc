# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What exploring has found in the scheduler as it stands in the kernel."""

from __future__ import annotations

import pytest

from kport.explore import explore, replay
from kport.museum.library import find


@pytest.mark.long
def test_the_free_worker_may_be_queued_while_the_scheduler_is_stopped():
    """drm_sched_run_free_queue() of Linux 7.2.13 tests pause_submit and queues the work then.

    Between the two drm_sched_wqueue_stop() sets it and cancels the work, which is not queued yet.
    The worker then frees jobs from the list that drm_sched_stop() walks.
    """
    scenario = find("timeout-reset").scenario
    result = explore(
        scenario, strategy="random:6", schedules=4000, seed=5, check="memory", name="timeout-reset"
    )
    (failure,) = result.failures
    assert failure.headline.startswith("BUG: KASAN: slab-use-after-free")
    assert failure.repeated
    assert failure.turns <= 6
    assert "reads drm_gpu_scheduler.pause_submit" in failure.report
    assert "queue_work(sched.submit_wq" in failure.report
    for carrier in ("greenlet", "thread"):
        again = replay(failure.token, scenario, carrier=carrier)
        assert again is not None
        assert again.report == failure.report
