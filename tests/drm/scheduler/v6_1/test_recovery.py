# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Recovery in 6.1: stop parks, resubmit runs again, start goes on; karma and guilt."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import dma_fence_put, dma_fence_signal
from kport.linux.atomic import ATOMIC_INIT, atomic_dec, atomic_read
from kport.linux.err import ECANCELED, EIO, ERR_PTR
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.kthread import kthread_park, kthread_unpark
from kport.linux.list import list_empty
from kport.linux.sched import TASK_PARKED
from kport.linux.workqueue import delayed_work_pending
from tests.drm.scheduler.driver import instant
from tests.support import Gate, Thread, eventually, never

LONG = msecs_to_jiffies(60_000)


def rerun(driver, jobs, run=lambda job: job.hardware_fence()) -> None:
    """What a driver does to its jobs between stop and resubmit: their hardware fences are void."""
    for job in jobs:
        job.end()
        dma_fence_put(job.hw)
        job.hw = None
        job.run = run


# -- stop and start --------------------------------------------------------------------------------


def test_stop_parks_the_thread_and_detaches_the_jobs(driver):
    sched, _, jobs = driver.on_hardware(3, timeout=LONG)
    driver.main.drm_sched_stop(sched, None)
    assert sched.thread._state == TASK_PARKED
    assert atomic_read(sched.hw_rq_count) == 0
    assert all(job.base.s_fence.parent is None for job in jobs)
    assert driver.pending(sched) == [0, 1, 2]
    assert not delayed_work_pending(sched.work_tdr)
    for job in jobs:
        job.end()
    never(lambda: any(job.done for job in jobs))
    driver.main.drm_sched_start(sched, True)
    assert [job.wait() for job in jobs] == [0] * 3, "without a parent they are over, and well"
    eventually(lambda: atomic_read(sched.hw_rq_count) == 0)


def test_stop_frees_jobs_that_have_finished(driver):
    sched, _, (first, second, third) = driver.on_hardware(3)
    kthread_park(sched.thread)
    first.end()
    third.end()
    kthread_unpark(sched.thread)
    driver.main.drm_sched_stop(sched, None)
    assert sorted(driver.frees) == [first.number, third.number]
    assert driver.pending(sched) == [second.number]
    driver.main.drm_sched_start(sched, True)
    assert second.wait() == 0


def test_stop_waits_for_a_callback_that_runs(driver):
    sched = driver.scheduler()
    gate = Gate()

    def slow(job):
        gate.enter()
        return job.hardware_fence()

    job = driver.submit(driver.entity(sched), run=slow)
    gate.arrived()
    stopper = Thread(driver.main.drm_sched_stop, sched, None)
    never(lambda: stopper.done)
    gate.open()
    stopper.join()
    driver.main.drm_sched_start(sched, True)
    assert job.wait() == 0


def test_a_stopped_scheduler_takes_jobs_and_runs_them_later(driver):
    sched, entity, (job,) = driver.on_hardware(1)
    driver.main.drm_sched_stop(sched, None)
    later = driver.submit(entity, run=instant)
    never(lambda: driver.ran(later))
    driver.main.drm_sched_start(sched, True)
    assert (job.wait(), later.wait()) == (0, 0)


def test_start_without_full_recovery_leaves_the_jobs_to_the_driver(driver):
    sched, entity, (job,) = driver.on_hardware(1, credit_limit=1)
    driver.main.drm_sched_stop(sched, None)
    driver.main.drm_sched_start(sched, False)
    assert atomic_read(sched.hw_rq_count) == 1
    later = driver.submit(entity, run=instant)
    never(lambda: job.done or driver.ran(later), msecs=5)
    dma_fence_signal(job.finished)
    atomic_dec(sched.hw_rq_count)
    driver.main.drm_sched_wakeup(sched)
    assert (job.wait(), later.wait()) == (0, 0)


def test_a_bad_job_that_finished_after_all_is_freed_by_the_timeout_work(driver):
    seen = []

    def recover(job):
        dma_fence_signal(job.hw)
        eventually(lambda: job.done)
        driver.main.drm_sched_stop(job.base.sched, job.base)
        seen.append((job.freed, job.base.sched.free_guilty))
        driver.main.drm_sched_start(job.base.sched, True)
        return driver.api.DRM_GPU_SCHED_STAT_NOMINAL

    driver.on_timeout = recover
    sched = driver.scheduler(timeout=msecs_to_jiffies(20))
    job = driver.submit(driver.entity(sched))
    assert job.wait() == 0
    assert seen == [(0, True)], "not freed by stop, but noted"
    eventually(lambda: not sched.free_guilty)
    assert driver.frees == [0]


def test_a_bad_job_of_another_scheduler_is_not_put_in(driver):
    _, _, (job,) = driver.on_hardware(1)
    other = driver.scheduler("other")
    driver.main.drm_sched_stop(other, job.base)
    assert list_empty(other.pending_list)
    driver.main.drm_sched_start(other, True)
    job.end()
    assert job.wait() == 0


# -- resubmitting ----------------------------------------------------------------------------------


def test_resubmitted_jobs_run_again_in_order_and_complete(driver):
    sched, _, jobs = driver.on_hardware(3)
    driver.main.drm_sched_stop(sched, None)
    rerun(driver, jobs)
    driver.main.drm_sched_resubmit_jobs(sched)
    driver.main.drm_sched_start(sched, True)
    assert driver.runs == [0, 1, 2, 0, 1, 2]
    assert atomic_read(sched.hw_rq_count) == 3
    never(lambda: any(job.done for job in jobs), msecs=5)
    for job in jobs:
        job.end()
    assert [job.wait() for job in jobs] == [0] * 3
    eventually(lambda: atomic_read(sched.hw_rq_count) == 0)


def test_resubmitting_some_runs_only_the_first(driver):
    sched, _, jobs = driver.on_hardware(3)
    driver.main.drm_sched_stop(sched, None)
    rerun(driver, jobs, instant)
    driver.main.drm_sched_resubmit_jobs_ext(sched, 1)
    driver.main.drm_sched_start(sched, True)
    assert [job.wait() for job in jobs] == [0] * 3
    assert driver.runs == [0, 1, 2, 0]


def test_what_cannot_be_run_again_has_the_error(driver):
    sched, _, jobs = driver.on_hardware(2)
    driver.main.drm_sched_stop(sched, None)
    rerun(driver, jobs[1:], instant)
    for job in jobs[:1]:
        job.end()
        job.run = lambda job: ERR_PTR(-EIO)
    driver.main.drm_sched_resubmit_jobs(sched)
    driver.main.drm_sched_start(sched, True)
    assert [job.wait() for job in jobs] == [-EIO, 0]


def test_recovery_from_a_timeout_handler(driver):
    """What a driver does: stop, blame, reset, run the pending jobs once more, go on."""
    hung = []

    def recover(job):
        hung.append(job.number)
        sched = job.base.sched
        driver.main.drm_sched_stop(sched, job.base)
        assert driver.pending(sched)[0] == job.number, "it is put back at the head"
        driver.main.drm_sched_increase_karma(job.base)
        rerun(driver, [j for j in driver.jobs if j.hw is not None and not j.done], instant)
        driver.main.drm_sched_resubmit_jobs(sched)
        driver.main.drm_sched_start(sched, True)
        return driver.api.DRM_GPU_SCHED_STAT_NOMINAL

    driver.on_timeout = recover
    sched = driver.scheduler(credit_limit=3, timeout=msecs_to_jiffies(20))
    jobs = [driver.submit(driver.entity(sched)) for _ in range(3)]
    eventually(lambda: driver.ran(*jobs))
    assert [job.wait() for job in jobs] == [-ECANCELED, 0, 0], "hang_limit is 0: one is too many"
    assert hung == [0]
    assert sorted(driver.runs) == [0, 0, 1, 1, 2, 2]
    eventually(lambda: atomic_read(sched.hw_rq_count) == 0)


# -- karma -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "error"), [(0, -ECANCELED), (1, 0)])
def test_a_job_that_hung_more_often_than_the_limit_ends_with_an_error(driver, limit, error):
    sched, _, (job,) = driver.on_hardware(1, hang_limit=limit)
    driver.main.drm_sched_increase_karma(job.base)
    driver.main.drm_sched_stop(sched, None)
    rerun(driver, [job], instant)
    driver.main.drm_sched_resubmit_jobs(sched)
    driver.main.drm_sched_start(sched, True)
    assert job.wait() == error


def test_the_other_jobs_of_a_guilty_context_go_with_it(driver):
    sched = driver.scheduler(credit_limit=9)
    a, b = driver.entity(sched), driver.entity(sched)
    jobs = [driver.submit(entity) for entity in (b, a, b, a, a)]
    eventually(lambda: all(job.base.s_fence.parent for job in jobs))
    number = [job.number for job in jobs]
    first_of_a = next(job for job in jobs if job.number == number[1])
    driver.main.drm_sched_increase_karma(first_of_a.base)
    driver.main.drm_sched_stop(sched, None)
    rerun(driver, jobs, instant)
    driver.main.drm_sched_resubmit_jobs(sched)
    driver.main.drm_sched_start(sched, True)
    errors = [job.wait() for job in jobs]
    assert errors == [0, -ECANCELED, 0, -ECANCELED, -ECANCELED]


def test_the_entity_is_guilty_if_it_is_on_a_run_queue(driver):
    guilty = ATOMIC_INIT(0)
    sched = driver.scheduler()
    entity = driver.entity(sched, guilty=guilty)
    job = driver.submit(entity)
    other = driver.entity(sched, guilty=ATOMIC_INIT(0))
    waiting = driver.submit(other)
    eventually(lambda: driver.ran(job))
    driver.main.drm_sched_increase_karma(job.base)
    assert atomic_read(job.base.karma) == 1
    assert (atomic_read(guilty), atomic_read(other.guilty)) == (1, 0)
    driver.main.drm_sched_reset_karma(job.base)
    assert (atomic_read(job.base.karma), atomic_read(guilty)) == (0, 0)
    for item in (job, waiting):
        item.end()


def test_an_entity_that_is_on_none_gets_away(driver):
    """As in the kernel: karma looks for it on the run queues."""
    guilty = ATOMIC_INIT(0)
    sched = driver.scheduler()
    entity = driver.entity(sched, guilty=guilty)
    job = driver.submit(entity)
    eventually(lambda: driver.ran(job))
    driver.main.drm_sched_rq_remove_entity(entity.rq, entity)
    driver.main.drm_sched_increase_karma(job.base)
    assert (atomic_read(job.base.karma), atomic_read(guilty)) == (1, 0)
    job.end()


def test_jobs_of_the_kernel_are_always_good(driver):
    guilty = ATOMIC_INIT(0)
    sched = driver.scheduler()
    entity = driver.entity(sched, priority=driver.api.DRM_SCHED_PRIORITY_KERNEL, guilty=guilty)
    job = driver.submit(entity)
    eventually(lambda: driver.ran(job))
    driver.main.drm_sched_increase_karma(job.base)
    assert (atomic_read(job.base.karma), atomic_read(guilty)) == (0, 0)
    job.end()


def test_invalidating_a_job_counts(driver):
    job = driver.submit(driver.entity(driver.scheduler()))
    invalidate = driver.api.drm_sched_invalidate_job
    assert [invalidate(job.base, 1), invalidate(job.base, 1)] == [False, True]
    assert not invalidate(None, 0)
    job.end()
