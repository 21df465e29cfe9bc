# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Timeouts: when the handler is called, for which job, and what its answers do."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import dma_fence_set_error, dma_fence_signal
from kport.linux.err import ECANCELED, ETIME
from kport.linux.jiffies import jiffies, msecs_to_jiffies
from kport.linux.kthread import get_kthread_comm
from kport.linux.list import list_empty
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT, current
from kport.linux.workqueue import (
    alloc_ordered_workqueue,
    delayed_work_pending,
    destroy_workqueue,
)
from tests.drm.scheduler.driver import instant, nothing
from tests.support import eventually, never, sleep_ms

SHORT = msecs_to_jiffies(20)
LONG = msecs_to_jiffies(60_000)


def timeouts(driver) -> list[int]:
    return [number for what, number in list(driver.log) if what == "timeout"]


def armed(sched) -> bool:
    return bool(delayed_work_pending(sched.work_tdr))


def test_a_hung_job_times_out_and_not_before_its_time(driver):
    began = jiffies()
    times = []
    driver.on_timeout = lambda job: times.append(jiffies()) or driver.end_it(job)
    job = driver.submit(driver.entity(driver.scheduler(timeout=SHORT)))
    assert job.wait() == 0
    assert timeouts(driver) == [0]
    assert times[0] - began >= SHORT


def test_a_job_that_ends_in_time_does_not_time_out(driver):
    sched = driver.scheduler(timeout=SHORT)
    entity = driver.entity(sched)
    for _ in range(3):
        job = driver.submit(entity)
        sleep_ms(5)
        job.end()
        job.wait()
    never(lambda: timeouts(driver), msecs=40)
    assert not armed(sched)


def test_without_a_timeout_nothing_is_armed(driver):
    sched = driver.scheduler(timeout=MAX_SCHEDULE_TIMEOUT)
    job = driver.submit(driver.entity(sched))
    eventually(lambda: driver.ran(job))
    assert not armed(sched)
    job.end()


def test_it_is_armed_while_jobs_are_on_the_hardware(driver):
    sched = driver.scheduler(timeout=LONG, credit_limit=2)
    entity = driver.entity(sched)
    assert not armed(sched)
    first, second = driver.submit(entity), driver.submit(entity)
    eventually(lambda: driver.ran(first, second))
    assert armed(sched)
    first.end()
    first.wait()
    assert armed(sched)
    second.end()
    second.wait()
    eventually(lambda: not armed(sched))


def test_the_oldest_job_on_the_hardware_is_the_one(driver):
    sched = driver.scheduler(timeout=SHORT, credit_limit=3)
    entity = driver.entity(sched)
    jobs = [driver.submit(entity) for _ in range(3)]
    eventually(lambda: driver.ran(*jobs))
    jobs[1].end()
    eventually(lambda: timeouts(driver))
    assert timeouts(driver)[0] == 0
    for job in jobs:
        dma_fence_signal(job.hw)
    jobs[2].wait()


def test_every_job_that_runs_puts_the_timeout_off(driver):
    """7.2: a hang is noticed only when nothing new is submitted for as long as the timeout."""
    sched = driver.scheduler(timeout=msecs_to_jiffies(40), credit_limit=100)
    hung = driver.submit(driver.entity(sched))
    eventually(lambda: driver.ran(hung))
    entity = driver.entity(sched)
    for _ in range(12):
        sleep_ms(10)
        driver.submit(entity, run=instant)
    assert timeouts(driver) == []
    eventually(lambda: timeouts(driver))
    assert timeouts(driver) == [hung.number]


# -- the handler's answers -------------------------------------------------------------------------


def test_no_hang_puts_the_job_back_at_the_head(driver):
    sched = driver.scheduler(timeout=SHORT, credit_limit=2)
    driver.on_timeout = lambda job: driver.api.DRM_GPU_SCHED_STAT_NO_HANG
    entity = driver.entity(sched)
    first, second = driver.submit(entity), driver.submit(entity)
    eventually(lambda: len(timeouts(driver)) >= 2)
    assert set(timeouts(driver)) == {0}
    eventually(lambda: sched.pending_list.next is first.base.list)
    first.end()
    second.end()
    assert (first.wait(), second.wait()) == (0, 0)
    assert driver.frees == [0, 1]


def test_a_job_that_ends_while_its_handler_says_no_hang_is_freed(driver):
    sched = driver.scheduler(timeout=SHORT)

    def late(job):
        dma_fence_signal(job.hw)
        sleep_ms(5)
        assert not job.freed, "off the list, so nobody frees it under the handler"
        return driver.api.DRM_GPU_SCHED_STAT_NO_HANG

    driver.on_timeout = late
    assert driver.submit(driver.entity(sched)).wait() == 0
    assert timeouts(driver) == [0]


def test_after_enodev_it_is_not_armed_again(driver):
    sched = driver.scheduler(timeout=SHORT, credit_limit=2)

    def unplugged(job):
        driver.reinsert = job
        return driver.api.DRM_GPU_SCHED_STAT_ENODEV

    driver.on_timeout = unplugged
    entity = driver.entity(sched)
    first, second = driver.submit(entity), driver.submit(entity)
    eventually(lambda: timeouts(driver))
    never(lambda: len(timeouts(driver)) > 1 or armed(sched), msecs=60)
    second.end()
    second.wait()
    # ENODEV leaves the job to the driver: it is on no list any more.
    assert list_empty(first.base.list)
    first.end()
    eventually(lambda: first.done)
    driver._free_job(first.base)


def test_after_a_reset_it_is_armed_for_the_next_job(driver):
    sched = driver.scheduler(timeout=SHORT, credit_limit=2)

    def reset(job):
        lost.append(job)
        dma_fence_set_error(job.hw, -ETIME)
        dma_fence_signal(job.hw)
        return driver.api.DRM_GPU_SCHED_STAT_RESET

    lost = []
    driver.on_timeout = reset
    entity = driver.entity(sched)
    first, second = driver.submit(entity), driver.submit(entity)
    eventually(lambda: len(timeouts(driver)) == 2)
    assert timeouts(driver) == [0, 1]
    # RESET without drm_sched_stop() leaves the jobs to the driver.
    for job in (first, second):
        eventually(lambda job=job: job.done)
        assert job.error == -ETIME
        driver._free_job(job.base)
    assert lost == [first, second]


# -- fault, suspend, resume, at once ---------------------------------------------------------------


def test_a_fault_runs_the_handler_now(driver):
    sched = driver.scheduler(timeout=LONG)
    job = driver.submit(driver.entity(sched))
    eventually(lambda: driver.ran(job))
    driver.main.drm_sched_fault(sched)
    assert job.wait() == 0
    assert timeouts(driver) == [0]


def test_a_fault_without_a_job_is_harmless(driver):
    sched = driver.scheduler(timeout=LONG)
    driver.main.drm_sched_fault(sched)
    never(lambda: driver.log)
    assert driver.submit(driver.entity(sched), run=instant).wait() == 0
    uninitialised = driver.api.drm_gpu_scheduler()
    driver.main.drm_sched_fault(uninitialised)


def test_suspending_returns_what_was_left_and_resuming_goes_on_with_it(driver):
    sched = driver.scheduler(timeout=msecs_to_jiffies(200))
    job = driver.submit(driver.entity(sched))
    eventually(lambda: armed(sched))
    sleep_ms(60)
    left = driver.main.drm_sched_suspend_timeout(sched)
    assert 0 < left <= msecs_to_jiffies(140) + 1
    never(lambda: timeouts(driver), msecs=30)
    resumed = jiffies()
    driver.main.drm_sched_resume_timeout(sched, 5)
    eventually(lambda: timeouts(driver))
    assert jiffies() - resumed >= 5
    job.wait()


def test_suspending_what_is_not_armed_returns_the_whole_timeout(driver):
    sched = driver.scheduler(timeout=123)
    assert driver.main.drm_sched_suspend_timeout(sched) == 123
    driver.main.drm_sched_resume_timeout(sched, 1)
    assert not armed(sched), "with no job on the hardware resuming cancels"
    never(lambda: timeouts(driver), msecs=15)


def test_a_suspended_timeout_is_suspended_however_long_it_takes(driver):
    sched = driver.scheduler(timeout=SHORT)
    job = driver.submit(driver.entity(sched))
    eventually(lambda: armed(sched))
    driver.main.drm_sched_suspend_timeout(sched)
    never(lambda: timeouts(driver), msecs=60)
    job.end()
    job.wait()


def test_timing_out_at_once_and_from_then_on(driver):
    def recover(job):
        job.end()  # it may be about to run: the timeout begins before
        driver.main.drm_sched_stop(sched, job.base)
        driver.main.drm_sched_start(sched, 0)
        return driver.api.DRM_GPU_SCHED_STAT_RESET

    driver.on_timeout = recover
    sched = driver.scheduler(timeout=LONG)
    entity = driver.entity(sched)
    job = driver.submit(entity)
    eventually(lambda: driver.ran(job))
    driver.main.drm_sched_tdr_queue_imm(sched)
    job.wait()
    assert sched.timeout == 0, "as in the kernel: it stays like that"
    again = driver.submit(entity)
    again.wait()
    # With no time at all it may time out again before it is freed.
    assert timeouts(driver)[:2] == [0, 1]
    assert set(timeouts(driver)) == {0, 1}


@pytest.mark.parametrize("run", [instant, nothing])
def test_jobs_that_are_over_at_once_never_time_out(driver, run):
    sched = driver.scheduler(timeout=0)
    entity = driver.entity(sched)
    driver.on_timeout = lambda job: driver.api.DRM_GPU_SCHED_STAT_NO_HANG
    jobs = [driver.submit(entity, run=run) for _ in range(20)]
    assert [job.wait() for job in jobs] == [0] * 20


def test_the_handler_runs_on_the_drivers_queue_if_there_is_one(driver):
    wq = alloc_ordered_workqueue("tdr", 0)
    sched = driver.scheduler(timeout=SHORT, timeout_wq=wq)
    where = []
    driver.on_timeout = lambda job: where.append(get_kthread_comm(current())) or driver.end_it(job)
    driver.submit(driver.entity(sched)).wait()
    assert where[0].startswith("kworker/u")
    driver.close()
    driver.forget(sched, *driver._entities)
    driver.jobs.clear()
    destroy_workqueue(wq)


def test_a_job_is_freed_once_when_it_ends_in_the_very_moment_of_its_timeout(driver):
    sched = driver.scheduler(timeout=1)
    entity = driver.entity(sched)
    for _ in range(25):
        job = driver.submit(entity)
        eventually(lambda job=job: job.hw)
        sleep_ms(3.5)
        dma_fence_signal(job.hw)
        assert job.wait() in (0, -ECANCELED)
    assert sorted(driver.frees) == list(range(25))
