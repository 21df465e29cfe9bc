# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The oracles on clean runs, and the plain functions."""

from __future__ import annotations

import pytest

from kport.check import oracles
from kport.drivers.compat import package
from tests.drm.scheduler.driver import Driver, instant, manual
from tests.support import eventually


def chain_of_jobs(driver: Driver, count: int = 9) -> list:
    """Jobs on three entities, each behind the two before it; waits for all."""
    sched = driver.scheduler(credit_limit=2)
    entities = [driver.entity(sched) for _ in range(3)]
    jobs = []
    for n in range(count):
        after = [job.finished for job in jobs[-2:]]
        jobs.append(driver.submit(entities[n % 3], after=after, run=instant))
    for job in jobs:
        assert job.wait() == 0
    return [sched, *jobs]


def test_a_clean_run_has_no_report(boot):
    with boot(check="oracles") as kernel:
        driver = Driver(package("v7_2"))
        sched, *_ = chain_of_jobs(driver)
        eventually(lambda: oracles.check(sched) == [])
        driver.close()
    assert [report.text for report in kernel.reports()] == []
    assert not kernel.leaks


def test_the_functions_need_no_facility(kernel):
    driver = Driver(package("v7_2"))
    sched = driver.scheduler(credit_limit=2)
    entity = driver.entity(sched)
    running, queued = (driver.submit(entity, cost=2, run=manual) for _ in range(2))
    eventually(lambda: driver.ran(running) and oracles.check(sched) == [])
    oracles.assert_clean(sched)
    sched.credit_count.counter -= 1
    sched.score.counter += 5
    found = {violation.oracle: violation for violation in oracles.check(sched)}
    assert set(found) == {"credits", "score"}
    assert found["score"].expected == "3 (2 jobs and 1 entities)"
    assert found["score"].was == "8"
    with pytest.raises(AssertionError, match="credits: scheduler ring0: expected 2 for 1 jobs"):
        oracles.assert_clean(sched)
    sched.credit_count.counter += 1
    sched.score.counter -= 5
    running.end()
    eventually(lambda: driver.ran(queued))
    queued.end()
    driver.close()
