# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Load balancing: an idle entity goes to the least loaded ready scheduler, a busy one stays."""

from __future__ import annotations

from collections import Counter

from kport.linux.atomic import ATOMIC_INIT, atomic_read
from kport.linux.bitops import test_bit
from tests.drm.scheduler.driver import instant, nothing
from tests.support import eventually, messages, take_warnings

test_bit.__test__ = False


def score(sched) -> int:
    return atomic_read(sched.score)


def test_the_score_counts_jobs_and_entities_with_jobs(driver):
    sched = driver.scheduler()
    a, b = driver.entity(sched), driver.entity(sched)
    assert score(sched) == 0
    jobs = [driver.submit(a) for _ in range(3)]
    assert score(sched) == 4
    jobs.append(driver.submit(b))
    assert score(sched) == 6
    for job in jobs:
        job.end()
        job.wait()
    eventually(lambda: score(sched) == 2)


def test_entities_spread_over_equal_schedulers(driver):
    scheds = [driver.scheduler(f"ring{n}") for n in range(3)]
    entities = [driver.entity(*scheds) for _ in range(9)]
    jobs = [driver.submit(entity) for entity in entities]
    assert Counter(id(e.rq.sched) for e in entities) == {id(s): 3 for s in scheds}
    for job in jobs:
        job.end()


def test_of_equal_scores_the_first_in_the_list_is_taken(driver):
    scheds = [driver.scheduler(f"ring{n}") for n in range(3)]
    assert driver.main.drm_sched_pick_best(scheds, 3) is scheds[0]
    assert driver.main.drm_sched_pick_best(scheds[1:], 2) is scheds[1]
    assert driver.main.drm_sched_pick_best([], 0) is None


def test_the_least_loaded_is_taken(driver):
    busy, idle = driver.scheduler("busy"), driver.scheduler("idle")
    hog = driver.submit(driver.entity(busy))
    mover = driver.entity(busy, idle)
    assert mover.rq.sched is busy
    job = driver.submit(mover, run=instant)
    assert job.wait() == 0
    assert mover.rq.sched is idle
    hog.end()


def test_an_entity_with_jobs_does_not_move(driver):
    first, second = driver.scheduler("first"), driver.scheduler("second")
    entity = driver.entity(first, second)
    jobs = [driver.submit(entity) for _ in range(6)]
    assert entity.rq.sched is first
    for job in jobs:
        job.end()
    jobs[-1].wait()
    assert driver.runs == list(range(6))


def test_an_entity_whose_last_job_has_not_finished_does_not_move(driver):
    """Or a later job could overtake it on another ring."""
    first, second = driver.scheduler("first"), driver.scheduler("second")
    entity = driver.entity(first, second)
    job = driver.submit(entity)
    eventually(lambda: driver.ran(job))
    late = driver.submit(entity)
    assert entity.rq.sched is first
    job.end()
    late.end()
    late.wait()


def test_moving_takes_the_score_along(driver):
    first, second = driver.scheduler("first"), driver.scheduler("second")
    entity = driver.entity(first, second)
    driver.submit(entity, run=nothing).wait()
    eventually(lambda: score(first) == 1)
    driver.submit(entity, run=nothing).wait()
    eventually(lambda: (score(first), score(second)) == (0, 1))


def test_a_scheduler_that_is_not_ready_is_skipped_with_a_message(driver, kernel):
    first, second = driver.scheduler("first"), driver.scheduler("second")
    entity = driver.entity(first, second)
    first.ready = False
    assert driver.submit(entity, run=instant).wait() == 0
    assert entity.rq.sched is second
    assert "[drm] scheduler first is not ready, skipping" in messages(kernel)
    first.ready = True


def test_a_shared_score_makes_one_of_several(driver):
    shared = ATOMIC_INIT(0)
    a = driver.scheduler("a", score=shared)
    b = driver.scheduler("b", score=shared)
    alone = driver.scheduler("alone")
    assert a.score is b.score is shared
    hog = driver.submit(driver.entity(a))
    assert driver.main.drm_sched_pick_best([b, alone], 2) is alone
    hog.end()


def test_an_entity_of_one_scheduler_has_no_list(driver):
    only, other = driver.scheduler("only"), driver.scheduler("other")
    assert driver.entity(only).sched_list is None
    assert driver.entity(only, other).sched_list == [only, other]


def test_the_list_can_be_replaced(driver, baseline):
    first, second = driver.scheduler("first"), driver.scheduler("second")
    entity = driver.entity(first)
    driver.submit(entity, run=nothing).wait()
    assert entity.rq.sched is first
    modify = baseline.sched_entity.drm_sched_entity_modify_sched
    modify(entity, [second], 1)
    driver.submit(entity, run=nothing).wait()
    assert entity.rq.sched is second
    assert entity.sched_list is None, "a list of one is used once"
    modify(entity, [first, second], 2)
    driver.submit(entity, run=nothing).wait()
    assert entity.rq.sched is first


def test_replacing_the_list_by_nothing_is_a_warning(driver, baseline, kernel):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    modify = baseline.sched_entity.drm_sched_entity_modify_sched
    modify(entity, [], 0)
    modify(entity, None, 1)
    assert len(take_warnings(kernel)) == 2
    assert entity.num_sched_list == 1, "but it is replaced"
    entity.sched_list = None


def test_many_entities_keep_their_order_while_they_move(driver):
    scheds = [driver.scheduler(f"ring{n}", credit_limit=2) for n in range(3)]
    entities = [driver.entity(*scheds) for _ in range(6)]
    driver.run = instant
    of = {}
    for n in range(120):
        of[driver.submit(entities[n % 6]).number] = entities[n % 6]
        if n % 30 == 29:
            eventually(lambda n=n: len(driver.frees) == n + 1)
    eventually(lambda: len(driver.frees) == 120)
    for entity in entities:
        own = [n for n in driver.runs if of[n] is entity]
        assert own == sorted(own)
