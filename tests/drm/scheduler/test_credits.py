# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Credits: never more in flight than the limit; a job without room holds up what is behind it."""

from __future__ import annotations

import pytest

from kport.linux.atomic import atomic_read
from tests.drm.scheduler.driver import instant, nothing
from tests.support import eventually, never, take_warnings


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_never_more_jobs_in_flight_than_credits(driver, limit):
    sched = driver.scheduler(credit_limit=limit)
    entity = driver.entity(sched)
    jobs = [driver.submit(entity) for _ in range(limit + 4)]
    eventually(lambda: driver.ran(*jobs[:limit]))
    never(lambda: len(driver.runs) > limit, msecs=5)
    assert atomic_read(sched.credit_count) == limit
    for n, job in enumerate(jobs):
        job.end()
        eventually(lambda n=n: len(driver.runs) == min(limit + n + 1, len(jobs)))
        assert atomic_read(sched.credit_count) <= limit
    jobs[-1].wait()
    assert atomic_read(sched.credit_count) == 0


def test_jobs_of_several_credits(driver):
    sched = driver.scheduler(credit_limit=3)
    entity = driver.entity(sched)
    one, two, three, last = (driver.submit(entity, cost=n) for n in (1, 2, 3, 1))
    eventually(lambda: driver.ran(one, two))
    assert atomic_read(sched.credit_count) == 3
    never(lambda: driver.ran(three), msecs=5)
    one.end()
    never(lambda: driver.ran(three), msecs=5)
    two.end()
    eventually(lambda: driver.ran(three))
    assert atomic_read(sched.credit_count) == 3
    never(lambda: driver.ran(last), msecs=5)
    three.end()
    eventually(lambda: driver.ran(last))
    last.end()
    last.wait()


def test_a_big_job_at_the_head_blocks_small_ones_of_other_entities(driver):
    """Head of line: with FIFO the big one came first, so nobody passes it."""
    sched = driver.scheduler(credit_limit=2)
    running = driver.submit(driver.entity(sched))
    eventually(lambda: driver.ran(running))
    big = driver.submit(driver.entity(sched), cost=2)
    small = driver.submit(driver.entity(sched))
    never(lambda: driver.ran(big) or driver.ran(small))
    running.end()
    eventually(lambda: driver.ran(big))
    assert not driver.ran(small)
    big.end()
    small.end()
    small.wait()
    assert driver.runs == [0, 1, 2]


def test_a_job_without_room_blocks_lower_priorities_too(driver):
    sched = driver.scheduler(credit_limit=2)
    running = driver.submit(driver.entity(sched))
    eventually(lambda: driver.ran(running))
    high = driver.entity(sched, priority=driver.api.DRM_SCHED_PRIORITY_HIGH)
    low = driver.entity(sched, priority=driver.api.DRM_SCHED_PRIORITY_LOW)
    big = driver.submit(high, cost=2)
    small = driver.submit(low)
    never(lambda: driver.ran(small) or driver.ran(big))
    running.end()
    for job in (big, small):
        job.end()
    small.wait()
    assert driver.runs == [running.number, big.number, small.number]


def test_a_waiting_job_does_not_block_others(driver):
    """Only a ready job without room does; one that waits for a fence is passed."""
    sched = driver.scheduler(credit_limit=2)
    running = driver.submit(driver.entity(driver.scheduler("other")))
    big = driver.submit(driver.entity(sched), cost=2, after=[running.finished])
    small = driver.submit(driver.entity(sched), run=instant)
    assert small.wait() == 0
    assert not driver.ran(big)
    running.end()
    big.end()


def test_a_job_of_more_credits_than_there_are_is_cut_down_with_a_warning(driver, kernel):
    sched = driver.scheduler(credit_limit=2)
    job = driver.submit(driver.entity(sched), cost=7)
    eventually(lambda: driver.ran(job))
    assert atomic_read(sched.credit_count) == 2
    assert job.base.credits == 2
    job.end()
    job.wait()
    (text,) = take_warnings(kernel)
    assert text.endswith("test card0: Jobs may not exceed the credit limit, truncate.")
    assert atomic_read(sched.credit_count) == 0


def test_jobs_that_never_reach_the_hardware_give_their_credits_back(driver):
    sched = driver.scheduler(credit_limit=1)
    entity = driver.entity(sched)
    jobs = [driver.submit(entity, run=nothing) for _ in range(20)]
    jobs[-1].wait()
    assert atomic_read(sched.credit_count) == 0


def test_credits_of_two_schedulers_are_their_own(driver):
    a = driver.submit(driver.entity(driver.scheduler("a")))
    b = driver.submit(driver.entity(driver.scheduler("b")))
    eventually(lambda: driver.ran(a, b))
    a.end()
    b.end()


def test_more_credits_used_than_there_are_is_a_warning(driver, kernel):
    sched = driver.scheduler(credit_limit=2)
    sched.credit_count.counter = 5
    available = driver.main.drm_sched_available_credits(sched)
    assert available == 0xFFFFFFFD, "as in C: what is left wraps"
    assert len(take_warnings(kernel)) == 1
    sched.credit_count.counter = 0
