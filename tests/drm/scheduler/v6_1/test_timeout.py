# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Timeouts in 6.1: the timer is the oldest job's, and nothing that is submitted puts it off."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import dma_fence_signal
from kport.linux.jiffies import jiffies, msecs_to_jiffies
from kport.linux.ktime import ktime_get
from kport.linux.list import list_empty
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree
from kport.linux.workqueue import (
    alloc_ordered_workqueue,
    delayed_work_pending,
    destroy_workqueue,
)
from tests.drm.scheduler.driver import instant
from tests.support import MS, eventually, never, sleep_ms

SHORT = msecs_to_jiffies(20)
LONG = msecs_to_jiffies(60_000)


def armed(sched) -> bool:
    return bool(delayed_work_pending(sched.work_tdr))


def test_a_hung_job_times_out_and_not_before_its_time(driver):
    began = jiffies()
    times = []
    driver.on_timeout = lambda job: times.append(jiffies()) or driver.end_it(job)
    job = driver.submit(driver.entity(driver.scheduler(timeout=SHORT)))
    assert job.wait() == 0
    assert driver.timeouts() == [0]
    assert times[0] - began >= SHORT


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


def test_a_trickle_of_jobs_does_not_put_the_timeout_of_a_hung_one_off(driver):
    """In 7.2 every job that runs does."""
    sched = driver.scheduler(timeout=msecs_to_jiffies(40), credit_limit=100)
    hung = driver.submit(driver.entity(sched))
    eventually(lambda: driver.ran(hung))
    began = ktime_get()
    entity = driver.entity(sched)
    while not driver.timeouts():
        assert ktime_get() < began + 2_000 * MS
        driver.submit(entity, run=instant)
        sleep_ms(10)
    assert driver.timeouts() == [hung.number]
    assert ktime_get() - began >= 40 * MS - 4 * MS


def test_the_submission_of_a_second_job_leaves_the_expiry_alone(driver):
    sched = driver.scheduler(timeout=LONG, credit_limit=2)
    entity = driver.entity(sched)
    first = driver.submit(entity)
    eventually(lambda: driver.ran(first))
    expires = sched.work_tdr.timer.expires
    sleep_ms(20)
    second = driver.submit(entity)
    eventually(lambda: driver.ran(second))
    assert sched.work_tdr.timer.expires == expires
    first.end()
    first.wait()
    assert sched.work_tdr.timer.expires > expires, "the second is the oldest now"
    second.end()


def test_the_oldest_job_on_the_hardware_is_the_one(driver):
    sched = driver.scheduler(timeout=SHORT, credit_limit=3)
    entity = driver.entity(sched)
    jobs = [driver.submit(entity) for _ in range(3)]
    eventually(lambda: driver.ran(*jobs))
    jobs[1].end()
    eventually(driver.timeouts)
    assert driver.timeouts()[0] == 0
    for job in jobs:
        dma_fence_signal(job.hw)
    jobs[2].wait()


def test_the_next_job_is_taken_to_have_begun_when_the_one_before_it_ended(driver):
    _, _, (first, second) = driver.on_hardware(2)
    sleep_ms(5)
    first.end()
    first.wait()
    assert second.scheduled.timestamp == first.finished.timestamp
    second.end()


# -- the handler's answers -------------------------------------------------------------------------


def test_a_job_that_nobody_puts_back_is_lost(driver):
    """There is no NO_HANG in 6.1: the handler has to put the job back, or to stop the scheduler."""
    sched = driver.scheduler(timeout=SHORT, credit_limit=2)
    driver.on_timeout = lambda job: driver.api.DRM_GPU_SCHED_STAT_NOMINAL
    job = driver.submit(driver.entity(sched))
    eventually(driver.timeouts)
    eventually(lambda: not armed(sched))
    assert list_empty(sched.pending_list)
    job.end()
    never(lambda: job.freed, msecs=5)
    assert job.done, "its fence signals all the same"
    driver._free_job(job.base)


def test_a_job_that_is_put_back_times_out_again(driver):
    sched = driver.scheduler(timeout=SHORT)
    driver.on_timeout = driver.put_back
    job = driver.submit(driver.entity(sched))
    eventually(lambda: len(driver.timeouts()) >= 3)
    job.end()
    assert job.wait() == 0


def test_after_enodev_it_is_not_armed_again(driver):
    sched = driver.scheduler(timeout=SHORT, credit_limit=2)

    def unplugged(job):
        driver.put_back(job)
        return driver.api.DRM_GPU_SCHED_STAT_ENODEV

    driver.on_timeout = unplugged
    entity = driver.entity(sched)
    jobs = [driver.submit(entity) for _ in range(2)]
    eventually(driver.timeouts)
    never(lambda: len(driver.timeouts()) > 1, msecs=60)
    assert not armed(sched)
    for job in jobs:
        job.end()
        job.wait()


# -- at once, and not at all -----------------------------------------------------------------------


def test_a_fault_is_a_timeout_now(driver):
    sched = driver.scheduler(timeout=LONG)
    job = driver.submit(driver.entity(sched))
    eventually(lambda: driver.ran(job))
    driver.main.drm_sched_fault(sched)
    assert job.wait() == 0
    assert driver.timeouts() == [0]


def test_a_fault_without_a_job_finds_nothing(driver):
    sched = driver.scheduler(timeout=LONG)
    driver.main.drm_sched_fault(sched)
    eventually(lambda: not armed(sched))
    never(driver.timeouts, msecs=5)


def test_suspend_and_resume(driver):
    sched = driver.scheduler(timeout=LONG)
    job = driver.submit(driver.entity(sched))
    eventually(lambda: driver.ran(job))
    left = driver.main.drm_sched_suspend_timeout(sched)
    assert 0 < left <= LONG
    assert driver.main.drm_sched_suspend_timeout(sched) > LONG, "what is left of for ever"
    driver.main.drm_sched_resume_timeout(sched, SHORT)
    assert job.wait() == 0
    assert driver.timeouts() == [0]
    driver.main.drm_sched_resume_timeout(sched, SHORT)
    assert not armed(sched), "there is nothing to time out"


@pytest.mark.parametrize("number", [1, 3])
def test_schedulers_of_one_timeout_queue_time_out_one_after_the_other(driver, number):
    wq = alloc_ordered_workqueue("gpu-tdr", 0)

    inside, most = [], []

    def handle(job):
        inside.append(job)
        most.append(len(inside))
        sleep_ms(5)
        inside.remove(job)
        return driver.end_it(job)

    driver.on_timeout = handle
    scheds = [driver.scheduler(f"r{n}", timeout=SHORT, timeout_wq=wq) for n in range(number)]
    jobs = [driver.submit(driver.entity(sched)) for sched in scheds]
    assert [job.wait() for job in jobs] == [0] * number
    assert len(most) == number
    assert max(most) == 1
    for sched in scheds:
        eventually(lambda sched=sched: not armed(sched))
        driver.main.drm_sched_fini(sched)
    destroy_workqueue(wq)
    for entity in list(driver._entities):
        driver.baseline.sched_entity.drm_sched_entity_destroy(entity)
        driver.forget(entity)
        kfree(entity)
    for sched in scheds:
        driver.forget(sched)
        kfree(sched)
