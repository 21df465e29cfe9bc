# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Which job is next: within an entity, among entities, among priorities and schedulers."""

from __future__ import annotations

import pytest

import kport
from kport.dma_buf.dma_fence import dma_fence_get, dma_fence_put, dma_fence_signal
from kport.linux.atomic import atomic_read
from kport.linux.bitops import set_bit
from kport.linux.kthread import kthread_park, kthread_unpark
from kport.linux.list import list_empty
from kport.linux.slab import kfree
from kport.linux.xarray import xa_empty
from tests.dma_buf.fences import new
from tests.drm.scheduler.driver import instant
from tests.drm.scheduler.v6_1.driver import Driver61
from tests.support import eventually, messages, never


@pytest.fixture
def held(driver):
    """A scheduler whose thread is parked, and the function that lets it go."""
    sched = driver.scheduler()
    driver.run = instant
    kthread_park(sched.thread)
    return sched, lambda: kthread_unpark(sched.thread)


def test_an_entity_is_a_queue(driver, held):
    sched, go = held
    entity = driver.entity(sched)
    jobs = [driver.submit(entity) for _ in range(20)]
    go()
    jobs[-1].wait()
    assert driver.runs == driver.frees == list(range(20))


def test_entities_of_one_priority_take_turns(driver, held):
    sched, go = held
    entities = [driver.entity(sched) for _ in range(3)]
    jobs = [[driver.submit(entity) for _ in range(4)] for entity in entities]
    go()
    jobs[-1][-1].wait()
    assert driver.runs == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]


def test_who_was_served_last_is_served_last(driver, held):
    sched, go = held
    a, b = driver.entity(sched), driver.entity(sched)
    first = driver.submit(a)
    go()
    first.wait()
    assert sched.sched_rq[driver.api.DRM_SCHED_PRIORITY_NORMAL].current_entity is a
    kthread_park(sched.thread)
    jobs = [driver.submit(entity) for entity in (a, b)]
    go()
    for job in jobs:
        job.wait()
    assert driver.runs == [0, 2, 1]


def test_an_entity_that_goes_is_nobodys_turn_any_more(driver, held):
    sched, go = held
    a, b = driver.entity(sched), driver.entity(sched)
    go()
    driver.submit(a).wait()
    rq = a.rq
    assert rq.current_entity is a
    driver.baseline.sched_entity.drm_sched_entity_fini(a)
    assert rq.current_entity is None
    assert list_empty(a.list)
    driver.forget(a)
    kfree(a)
    assert driver.submit(b).wait() == 0


def test_a_higher_priority_always_goes_first(driver, held):
    sched, go = held
    api = driver.api
    names = ("MIN", "NORMAL", "HIGH", "KERNEL")
    priorities = [getattr(api, f"DRM_SCHED_PRIORITY_{name}") for name in names]
    assert priorities == [0, 1, 2, 3]
    entities = [driver.entity(sched, priority=priority) for priority in priorities]
    jobs = [[driver.submit(entity) for _ in range(3)] for entity in entities]
    go()
    for queue in jobs:
        queue[-1].wait()
    assert driver.runs == [9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2]


def test_a_job_that_waits_does_not_hold_up_lower_priorities(driver):
    sched = driver.scheduler()
    fence = new()
    high = driver.entity(sched, priority=driver.api.DRM_SCHED_PRIORITY_HIGH)
    waiting = driver.submit(high, after=[fence], run=instant)
    low = driver.submit(driver.entity(sched), run=instant)
    assert low.wait() == 0
    assert not waiting.done
    dma_fence_signal(fence)
    assert waiting.wait() == 0
    dma_fence_put(fence)


def test_a_job_that_waits_does_not_hold_up_others_of_its_priority(driver, held):
    sched, go = held
    fence = new()
    waiting = driver.submit(driver.entity(sched), after=[fence])
    ready = driver.submit(driver.entity(sched))
    go()
    assert ready.wait() == 0
    assert not waiting.done
    dma_fence_signal(fence)
    assert waiting.wait() == 0
    dma_fence_put(fence)


def test_a_priority_beyond_the_run_queues_is_a_fault(boot):
    """C reads whatever lies behind the array."""
    with pytest.raises(kport.KernelOops, match="IndexError"):
        with boot():
            driver = Driver61()
            driver.entity(driver.scheduler(), priority=4)
    with pytest.raises(kport.KernelOops, match="IndexError"):
        with boot():
            driver = Driver61()
            driver.entity(driver.scheduler(), priority=-1)


def test_a_new_priority_means_nothing_to_an_entity_of_one_scheduler(driver):
    api, set_priority = driver.api, driver.baseline.sched_entity.drm_sched_entity_set_priority
    sched = driver.scheduler()
    entity = driver.entity(sched)
    set_priority(entity, api.DRM_SCHED_PRIORITY_HIGH)
    driver.submit(entity, run=instant).wait()
    assert entity.rq is sched.sched_rq[api.DRM_SCHED_PRIORITY_NORMAL]
    other = driver.scheduler("other")
    both = driver.entity(sched, other)
    set_priority(both, api.DRM_SCHED_PRIORITY_HIGH)
    driver.submit(both, run=instant).wait()
    assert both.rq is both.rq.sched.sched_rq[api.DRM_SCHED_PRIORITY_HIGH]


# -- schedulers ------------------------------------------------------------------------------------


def test_an_idle_entity_moves_to_the_scheduler_with_the_least_to_do(driver):
    one, other = driver.scheduler("one"), driver.scheduler("other")
    busy = driver.submit(driver.entity(one))
    eventually(lambda: driver.ran(busy))
    entity = driver.entity(one, other)
    assert entity.rq.sched is one
    job = driver.submit(entity)
    assert job.base.sched is other
    eventually(lambda: driver.ran(job))
    busy.end()
    busy.wait()
    second = driver.submit(entity)
    assert second.base.sched is other, "its last job has not finished"
    job.end()
    second.end()
    second.wait()


def test_a_scheduler_that_is_not_ready_is_passed_over(driver, kernel):
    one, other = driver.scheduler("one"), driver.scheduler("other")
    one.ready = False
    job = driver.submit(driver.entity(one, other))
    assert job.base.sched is other
    job.end()
    assert "[drm] scheduler one is not ready, skipping" in messages(kernel)
    assert job.wait() == 0


def test_without_a_ready_scheduler_arming_is_a_fault(boot):
    with pytest.raises(kport.KernelOops, match="NoneType"):
        with boot():
            driver = Driver61()
            scheds = [driver.scheduler(name) for name in ("a", "b")]
            entity = driver.entity(*scheds)
            for sched in scheds:
                sched.ready = False
            driver.submit(entity)


# -- dependencies ----------------------------------------------------------------------------------


def test_a_job_waits_for_its_dependencies_one_after_the_other(driver):
    entity = driver.entity(driver.scheduler())
    a, b = new(), new()
    job = driver.submit(entity, after=[a, b], run=instant)
    eventually(lambda: entity.dependency is a)
    assert job.base.last_dependency == 1
    dma_fence_signal(b)
    never(lambda: driver.ran(job), msecs=5)
    dma_fence_signal(a)
    assert job.wait() == 0
    dma_fence_put(a)
    dma_fence_put(b)


def test_a_dependency_is_forgotten_when_it_is_taken(driver):
    """In 7.2 it stays until the job is cleaned up."""
    entity = driver.entity(driver.scheduler())
    fence = new()
    job = driver.submit(entity, after=[fence], run=instant)
    assert eventually(lambda: entity.dependency is fence)
    assert xa_empty(job.base.dependencies)
    dma_fence_signal(fence)
    job.wait()
    dma_fence_put(fence)


def test_the_drivers_own_dependencies_come_last_until_there_are_none(driver):
    asked = []
    fences = [new(), new()]
    left = [dma_fence_get(fence) for fence in fences]
    driver.prepare = lambda job: asked.append(job.number) or (left.pop(0) if left else None)
    job = driver.submit(driver.entity(driver.scheduler()), run=instant)
    for n, fence in enumerate(fences, 1):
        eventually(lambda n=n: len(asked) == n)
        never(lambda: driver.ran(job), msecs=3)
        dma_fence_signal(fence)
    assert job.wait() == 0
    assert asked == [0, 0, 0]
    for fence in fences:
        dma_fence_put(fence)


def test_behind_a_job_of_the_same_scheduler_it_is_enough_that_that_one_was_scheduled(driver):
    sched = driver.scheduler(credit_limit=2)
    a, b = driver.entity(sched), driver.entity(sched)
    first = driver.submit(a)
    second = driver.submit(b, after=[first.finished])
    eventually(lambda: driver.ran(first, second))
    assert not first.done
    optimized = driver.main.drm_sched_dependency_optimized
    assert optimized(first.finished, b)
    for job in (first, second):
        job.end()
        job.wait()
    assert not optimized(first.finished, b), "over"
    assert not optimized(None, b)


def test_unless_the_driver_forbids_it(driver):
    sched = driver.scheduler(credit_limit=2)
    first = driver.submit(driver.entity(sched))
    set_bit(driver.api.DRM_SCHED_FENCE_DONT_PIPELINE, first.finished.flags)
    second = driver.submit(driver.entity(sched), after=[first.finished], run=instant)
    never(lambda: driver.ran(second), msecs=5)
    first.end()
    assert second.wait() == 0


def test_a_job_of_another_scheduler_must_be_over(driver):
    one, other = driver.scheduler("one"), driver.scheduler("other")
    first = driver.submit(driver.entity(one))
    second = driver.submit(driver.entity(other), after=[first.finished], run=instant)
    eventually(lambda: driver.ran(first))
    never(lambda: driver.ran(second), msecs=5)
    first.end()
    assert second.wait() == 0


def test_a_fence_of_the_entity_itself_is_nothing_to_wait_for(driver):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    first = driver.submit(entity)
    second = driver.submit(entity, after=[first.finished])
    assert driver.main.drm_sched_dependency_optimized(second.scheduled, entity)
    sched.hw_submission_limit = 2
    driver.main.drm_sched_wakeup(sched)
    eventually(lambda: driver.ran(first, second))
    assert not first.done
    first.end()
    second.end()
    second.wait()


def test_of_two_fences_of_a_context_the_later_one_counts(driver):
    early, late, other = new(70, 3), new(70, 4), new(71, 1)
    entity = driver.entity(driver.scheduler())
    job = driver.submit(entity, after=[early, late, early, other], run=instant)
    for fence in (late, other):
        eventually(lambda fence=fence: entity.dependency is fence)
        dma_fence_signal(fence)
    assert job.wait() == 0
    for fence in (early, late, other):
        dma_fence_signal(fence)
        dma_fence_put(fence)


def test_a_job_that_was_never_armed_leaves_nothing_behind(driver):
    fence = new()
    job = driver.job(driver.entity(driver.scheduler()), after=[fence])
    driver.discard(job)
    assert job.freed
    dma_fence_put(fence)


def test_job_ids_count_the_jobs_of_a_scheduler(driver):
    one, other = driver.scheduler("one"), driver.scheduler("other")
    jobs = [driver.submit(driver.entity(sched)) for sched in (one, one, other, one)]
    assert [job.base.id for job in jobs] == [1, 2, 1, 3]
    for job in jobs:
        job.end()
    assert atomic_read(one.job_id_count) == 3
