# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Which entity is next: FIFO by submission, RR by turns, FAIR by weighted time; priorities."""

from __future__ import annotations

import random

import pytest

from kport.linux.list import list_empty
from kport.linux.rbtree import RB_EMPTY_NODE
from tests.drm.scheduler.driver import Driver, instant, lasting
from tests.support import MS, eventually, never, sleep_ms

RR, FIFO, FAIR = 0, 1, 2


def order(driver, sched, submissions) -> list[int]:
    """The entities (by index) in the order in which their jobs run.

    `submissions` is a list of entities, one job each; all are queued before the first one runs.
    """
    driver.run = instant
    driver.main.drm_sched_wqueue_stop(sched)
    jobs = {driver.submit(entity).number: entity for entity in submissions}
    driver.main.drm_sched_wqueue_start(sched)
    eventually(lambda: len(driver.frees) == len(jobs))
    entities = list(dict.fromkeys(submissions))
    return [entities.index(jobs[number]) for number in driver.runs]


# -- the three policies ----------------------------------------------------------------------------


@pytest.mark.boot(params={"sched_policy": FIFO})
def test_fifo_runs_jobs_in_the_order_of_their_submission(driver):
    sched = driver.scheduler(credit_limit=100)
    entities = [driver.entity(sched) for _ in range(4)]
    rng = random.Random(3)
    picks = [rng.choice(entities) for _ in range(60)]
    assert order(driver, sched, picks) == [list(dict.fromkeys(picks)).index(e) for e in picks]


@pytest.mark.boot(params={"sched_policy": RR})
def test_round_robin_gives_each_entity_a_turn(driver):
    sched = driver.scheduler(credit_limit=100)
    a, b, c = (driver.entity(sched) for _ in range(3))
    assert order(driver, sched, [a] * 4 + [b] * 4 + [c] * 4) == [0, 1, 2] * 4


@pytest.mark.boot(params={"sched_policy": RR})
def test_round_robin_goes_on_with_those_that_still_have_jobs(driver):
    sched = driver.scheduler(credit_limit=100)
    a, b, c = (driver.entity(sched) for _ in range(3))
    assert order(driver, sched, [a] * 4 + [b] * 1 + [c] * 2) == [0, 1, 2, 0, 2, 0, 0]


@pytest.mark.boot(params={"sched_policy": RR})
def test_round_robin_an_entity_that_comes_back_stands_where_its_last_turn_put_it(driver):
    """Only taking a job while more are queued moves an entity behind the others."""
    sched = driver.scheduler()
    a, b = driver.entity(sched), driver.entity(sched)
    jobs = [driver.submit(e) for e in (a, a, a, b)]
    eventually(lambda: driver.runs == [0])
    jobs[0].end()
    eventually(lambda: driver.runs == [0, 3])
    jobs.append(driver.submit(b))
    for number in (3, 4, 1, 2):
        eventually(lambda number=number: driver.runs[-1] == number)
        jobs[number].end()
    jobs[2].wait()


@pytest.mark.boot(params={"sched_policy": FIFO})
def test_fifo_a_blocked_entity_is_passed_and_comes_back_at_its_place(driver):
    sched = driver.scheduler(credit_limit=100)
    a, b = driver.entity(sched), driver.entity(sched)
    blocker = driver.submit(driver.entity(driver.scheduler("other")))
    driver.main.drm_sched_wqueue_stop(sched)
    first = driver.submit(a, after=[blocker.finished], run=instant)
    second = driver.submit(b, run=instant)
    driver.main.drm_sched_wqueue_start(sched)
    second.wait()
    assert not driver.ran(first)
    driver.main.drm_sched_wqueue_stop(sched)
    third = driver.submit(b, run=instant)
    blocker.end()
    eventually(lambda: a.dependency is None)
    driver.main.drm_sched_wqueue_start(sched)
    third.wait()
    assert driver.runs.index(first.number) < driver.runs.index(third.number)


@pytest.mark.parametrize("policy", [RR, FIFO, FAIR])
def test_within_an_entity_order_is_always_that_of_submission(boot, baseline, policy):
    with boot(params={"sched_policy": policy}) as kernel:
        driver = Driver(baseline)
        sched = driver.scheduler(credit_limit=3)
        entities = [driver.entity(sched, priority=p) for p in (1, 2, 2, 3)]
        rng = random.Random(policy)
        driver.run = instant
        of = {driver.submit(e).number: e for e in rng.choices(entities, k=80)}
        eventually(lambda: len(driver.frees) == 80)
        for entity in entities:
            own = [n for n in driver.runs if of[n] is entity]
            assert own == sorted(own)
        driver.close()
    assert not kernel.leaks


# -- priorities ------------------------------------------------------------------------------------


@pytest.mark.boot(params={"sched_policy": FIFO})
def test_a_higher_priority_runs_first_whatever_came_first(driver):
    sched = driver.scheduler(credit_limit=100)
    low, normal, high, kernel_prio = (driver.entity(sched, priority=p) for p in (3, 2, 1, 0))
    picks = [low, normal, high, kernel_prio] * 3
    assert order(driver, sched, picks) == [3] * 3 + [2] * 3 + [1] * 3 + [0] * 3


@pytest.mark.boot(params={"sched_policy": FIFO})
def test_a_lower_priority_runs_when_the_higher_ones_all_wait(driver):
    sched = driver.scheduler()
    high, low = driver.entity(sched, priority=1), driver.entity(sched, priority=3)
    blocker = driver.submit(driver.entity(driver.scheduler("other")))
    waits = driver.submit(high, after=[blocker.finished], run=instant)
    runs = driver.submit(low, run=instant)
    runs.wait()
    assert not driver.ran(waits)
    blocker.end()
    waits.wait()


@pytest.mark.parametrize("policy", [RR, FIFO])
def test_outside_fair_changing_a_priority_changes_nothing(boot, baseline, policy):
    """As in the kernel: the run queue was chosen when the entity was made."""
    with boot(params={"sched_policy": policy}) as kernel:
        driver = Driver(baseline)
        sched = driver.scheduler(credit_limit=100)
        low, normal = driver.entity(sched, priority=3), driver.entity(sched, priority=2)
        baseline.sched_entity.drm_sched_entity_set_priority(low, 0)
        assert low.priority == 0
        assert order(driver, sched, [low, normal]) == [1, 0]
        driver.close()
    assert not kernel.leaks


@pytest.mark.boot(params={"sched_policy": FIFO})
def test_each_priority_has_a_run_queue(driver):
    sched = driver.scheduler()
    entities = [driver.entity(sched, priority=p) for p in range(4)]
    assert [e.rq for e in entities] == sched.sched_rq
    assert len({id(rq) for rq in sched.sched_rq}) == 4


# -- FAIR ------------------------------------------------------------------------------------------


@pytest.mark.boot(params={"sched_policy": FAIR})
def test_fair_has_one_run_queue_for_all_priorities(driver):
    sched = driver.scheduler()
    assert (sched.num_rqs, sched.num_user_rqs) == (1, 4)
    entities = [driver.entity(sched, priority=p) for p in range(4)]
    assert {e.rq for e in entities} == {sched.sched_rq[0]}
    assert [e.priority for e in entities] == [0, 1, 2, 3]


def turns(driver, sched, long, short) -> int:
    """How many of the long jobs of one entity ended while the other's 30 short ones ran."""
    hog, light = driver.entity(sched), driver.entity(sched)
    hogs = [driver.submit(hog, run=lasting(long)) for _ in range(30)]
    lights = [driver.submit(light, run=lasting(short)) for _ in range(30)]
    lights[-1].wait()
    ended = sum(job.done for job in hogs)
    eventually(lambda: all(job.freed for job in hogs))
    return ended


@pytest.mark.boot(params={"sched_policy": FAIR})
def test_fair_turns_go_by_time_not_by_number(driver):
    """Jobs of 3 ms against jobs of 0.5 ms, both always ready."""
    assert turns(driver, driver.scheduler(), 3 * MS, MS // 2) <= 22  # 5 on an idle machine


@pytest.mark.boot(params={"sched_policy": RR})
def test_round_robin_turns_go_by_number(driver):
    assert turns(driver, driver.scheduler(), 3 * MS, MS // 2) >= 28


@pytest.mark.boot(params={"sched_policy": FAIR})
def test_fair_virtual_time_is_gpu_time_shifted_by_priority(driver, baseline):
    sched = driver.scheduler()
    update = baseline.sched_rq.drm_sched_entity_update_vruntime
    for priority, shift in ((0, 1), (1, 2), (2, 4), (3, 7)):
        entity = driver.entity(sched, priority=priority)
        entity.stats.runtime = 1000
        assert update(entity) == 1000 << shift
        assert update(entity) == 1000 << shift, "time is added once"
        entity.stats.runtime = 1500
        assert update(entity) == 1500 << shift


@pytest.mark.boot(params={"sched_policy": FAIR})
def test_fair_an_entity_that_leaves_keeps_how_far_behind_the_head_it_was(driver, baseline):
    entity = driver.entity(driver.scheduler())
    save = baseline.sched_rq.drm_sched_entity_save_vruntime
    for vruntime, head, kept in ((500, 200, 300), (200, 500, 0), (500, 0, 0), (200, 200, 0)):
        entity.stats.vruntime = vruntime
        save(entity, head)
        assert entity.stats.vruntime == kept


@pytest.mark.boot(params={"sched_policy": FAIR})
@pytest.mark.parametrize(
    ("priority", "head", "avg", "sched_avg", "saved", "expected"),
    [
        (2, -1, 10, 10, 0, 0),  # nobody at the head: begins at the minimum
        (2, 2, 10, 10, 0, -1),  # equals: the shorter jobs first
        (2, 2, 11, 10, 0, 1),
        (1, 2, 10, 10, 0, -1),  # more important than the head: before it
        (0, 3, 10, 10, 0, -3),
        (3, 2, 10, 20, 0, (1 + 10 + 20) * 1000 << 7),  # less important: behind it, by its cost
        (2, 2, 10, 10, 77, 77),  # what was saved counts
    ],
)
def test_fair_an_entity_that_comes_back_is_put_in_relative_to_the_head(
    driver, baseline, priority, head, avg, sched_avg, saved, expected
):
    sched = driver.scheduler()
    entity = driver.entity(sched, priority=priority)
    entity.stats.vruntime = saved
    entity.stats.avg_job_us.internal = avg << 6
    sched.avg_job_us.internal = sched_avg << 6
    restore = baseline.sched_rq.drm_sched_entity_restore_vruntime
    minimum = 5_000_000
    assert restore(entity, minimum, head) == minimum + expected
    assert entity.stats.vruntime == minimum + expected


@pytest.mark.boot(params={"sched_policy": FAIR})
def test_fair_gpu_time_is_accounted_to_entity_and_scheduler(driver):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    job = driver.submit(entity)
    eventually(lambda: driver.ran(job))
    sleep_ms(5)
    job.end()
    job.wait()
    assert entity.stats.runtime >= 5 * MS
    assert entity.stats.avg_job_us.internal >> 6 >= 5000
    assert sched.avg_job_us.internal >> 6 >= 5000


@pytest.mark.boot(params={"sched_policy": FAIR})
def test_fair_a_changed_priority_counts_at_once(driver, baseline):
    sched = driver.scheduler()
    entity = driver.entity(sched, priority=3)
    entity.stats.runtime = 1000
    baseline.sched_entity.drm_sched_entity_set_priority(entity, 0)
    assert baseline.sched_rq.drm_sched_entity_update_vruntime(entity) == 2000


# -- the run queue itself --------------------------------------------------------------------------


def test_an_entity_is_in_the_tree_while_it_has_jobs_and_on_the_list_until_it_goes(driver):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    assert list_empty(entity.list)
    assert RB_EMPTY_NODE(entity.rb_tree_node)
    first, second = driver.submit(entity), driver.submit(entity)
    eventually(lambda: driver.ran(first))
    assert not list_empty(entity.list)
    assert not RB_EMPTY_NODE(entity.rb_tree_node)
    assert entity.rq.head_prio == entity.priority
    first.end()
    eventually(lambda: driver.ran(second))
    assert RB_EMPTY_NODE(entity.rb_tree_node)
    assert entity.rq.head_prio == driver.api.DRM_SCHED_PRIORITY_INVALID
    assert not list_empty(entity.list), "it stays on the list until it is killed or moves"
    second.end()
    second.wait()


def test_equal_submission_times_run_in_the_order_of_insertion(driver, monkeypatch):
    sched = driver.scheduler(credit_limit=100)
    monkeypatch.setattr(driver.baseline.sched_entity, "ktime_get", lambda: 1000)
    entities = [driver.entity(sched) for _ in range(6)]
    assert order(driver, sched, entities) == list(range(6))


def test_a_scheduler_without_work_does_nothing(driver):
    sched = driver.scheduler()
    driver.main.drm_sched_wqueue_start(sched)
    never(lambda: driver.log)
    assert driver.main.drm_sched_select_entity(sched) is None
