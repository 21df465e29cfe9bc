# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The oracles on clean runs, and the plain functions."""

from __future__ import annotations

import pytest

from kport.check import oracles, oracles_era, oracles_jobs
from kport.check.oracles_model import Now
from kport.drivers.compat import package
from kport.linux.list import INIT_LIST_HEAD, list_add_tail, list_head
from kport.linux.slab import kfree, kzalloc_obj
from kport.museum.kit import Rig
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


@pytest.mark.parametrize("baseline", ["v6_1", "v7_2", "v3_2023"])
def test_a_dependency_may_end_while_it_is_looked_at(boot, monkeypatch, baseline):
    looked = []
    looks = oracles_jobs._is_ahead
    signaled = oracles_era.signaled

    def is_ahead(job, fence):
        looked.append(fence)
        try:
            return looks(job, fence)
        finally:
            looked.append(None)

    def at_that_moment(fence):
        over = signaled(fence)
        if fence is first.finished and looked and looked[-1] is fence and not over:
            rig.end(first)
        return over

    with boot(check="oracles", params={"scheduler": baseline}) as kernel:
        rig = Rig()
        ring = rig.ring()
        first = rig.submit(rig.entity(ring), run=rig.manual)
        rig.wait_scheduled(first)
        monkeypatch.setattr(oracles_jobs, "_is_ahead", is_ahead)
        monkeypatch.setattr(oracles_era, "signaled", at_that_moment)
        rig.wait(rig.submit(rig.entity(ring), after=[first.finished]))
        monkeypatch.undo()
        assert looked == [first.finished, None]
        rig.close()
    assert [report.text for report in kernel.reports()] == []


@pytest.mark.parametrize("check", ["memory,oracles", "oracles", "all"])
def test_a_job_that_is_freed_while_a_list_is_looked_at_is_no_use_after_free(
    boot, check, monkeypatch
):
    """On threads nobody holds the lock: a node can die between the look at it and its next."""
    with boot(check=check) as kernel:
        head = list_head()
        INIT_LIST_HEAD(head)
        for _ in range(2):
            node = kzalloc_obj(list_head)
            list_add_tail(node, head)
            kfree(node)
            monkeypatch.setattr(oracles_era, "is_dead", lambda node: False)
            assert len(list(oracles_era.members(head, "list"))) <= 1
            monkeypatch.undo()
            INIT_LIST_HEAD(head)
        assert kernel.reports() == []


def test_an_entity_is_half_listed_until_its_list_is_noted(boot, monkeypatch):
    """Else who counts on another CPU in between misses it."""
    seen = []
    listed = oracles_era.is_listed

    def look(node):
        if type(node._container).__name__ == "drm_sched_entity":
            seen.append(any(notes.busy for notes in Now.model.schedulers.values()))
        return listed(node)

    monkeypatch.setattr(oracles_era, "is_listed", look)
    with boot(check="oracles", params={"scheduler": "v6_1"}) as kernel:
        rig = Rig()
        for entity in (rig.entity(rig.ring()), rig.entity(rig.ring("ring1"))):
            rig.submit(entity)
        rig.close()
        assert kernel.reports() == []
    assert len(seen) >= 4
    assert all(seen)
