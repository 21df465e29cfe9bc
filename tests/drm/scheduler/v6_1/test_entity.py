# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The end of an entity and of a scheduler in 6.1: flush, fini, and what happens to the jobs."""

from __future__ import annotations

import pytest

import kport
from kport.dma_buf.dma_fence import dma_fence_get_status, dma_fence_put, dma_fence_signal
from kport.linux.atomic import ATOMIC_INIT, atomic_read
from kport.linux.completion import completion_done
from kport.linux.err import ECANCELED, EINVAL, ENOENT, ENOMEM, ESRCH
from kport.linux.fork import exit_signals
from kport.linux.jiffies import jiffies
from kport.linux.kref import kref_read
from kport.linux.kthread import kthread_park, kthread_unpark
from kport.linux.list import list_empty
from kport.linux.rcupdate import rcu_barrier
from kport.linux.sched import SIGKILL, send_sig
from kport.linux.slab import fail_nth, kfree, kzalloc_obj, live
from tests.dma_buf.fences import new
from tests.drm.scheduler.driver import instant
from tests.drm.scheduler.v6_1.driver import Driver61
from tests.support import Gate, Thread, eventually, messages, never


@pytest.fixture
def api(baseline):
    """The functions of sched_entity."""
    return baseline.sched_entity


def gone(driver, entity) -> None:
    """The test has taken the entity down itself."""
    driver.forget(entity)
    kfree(entity)


# -- init ------------------------------------------------------------------------------------------


def test_a_new_entity(driver):
    sched = driver.scheduler()
    guilty = ATOMIC_INIT(0)
    entity = driver.entity(sched, priority=2, guilty=guilty)
    assert entity.rq is sched.sched_rq[2]
    assert entity.guilty is guilty
    assert (entity.priority, entity.stopped, entity.sched_list) == (2, False, None)
    assert entity.last_user is None, "in 7.2 it is the caller"
    assert completion_done(entity.entity_idle)


@pytest.mark.parametrize("bad", ["entity", "list", "none in list"])
def test_bad_arguments_of_init(driver, api, bad):
    entity = None if bad == "entity" else driver.api.drm_sched_entity()
    scheds = {"list": None, "none in list": [None]}.get(bad, [driver.scheduler()])
    assert api.drm_sched_entity_init(entity, 1, scheds, 1, None) == -EINVAL


def test_an_entity_without_schedulers_takes_no_jobs(driver, api):
    """In 7.2 it cannot be made at all."""
    entity = kzalloc_obj(driver.api.drm_sched_entity)
    assert api.drm_sched_entity_init(entity, 1, [None], 0, None) == 0
    job = kzalloc_obj(driver.api.drm_sched_job)
    assert driver.main.drm_sched_job_init(job, entity, None) == -ENOENT
    assert api.drm_sched_entity_flush(entity, 5) == 0
    api.drm_sched_entity_fini(entity)
    kfree(job)
    kfree(entity)


def test_a_job_without_memory(driver):
    entity = driver.entity(driver.scheduler())
    job = kzalloc_obj(driver.api.drm_sched_job)
    before = set(live)
    fail_nth(1)
    assert driver.main.drm_sched_job_init(job, entity, None) == -ENOMEM
    assert set(live) == before
    kfree(job)


# -- flush -----------------------------------------------------------------------------------------


def test_flush_waits_until_everything_is_on_the_hardware(driver, api):
    entity = driver.entity(driver.scheduler())
    first, second = driver.submit(entity), driver.submit(entity)
    flusher = Thread(api.drm_sched_entity_flush, entity, 777)
    never(lambda: flusher.done)
    first.end()
    assert flusher.join() == 777, "who does not exit waits without limit and gets it back"
    second.end()
    second.wait()


def test_flush_ends_when_the_caller_is_killed(driver, api):
    entity = driver.entity(driver.scheduler())
    jobs = [driver.submit(entity) for _ in range(3)]
    flusher = Thread(api.drm_sched_entity_flush, entity, 5)
    eventually(lambda: flusher.task._state)
    send_sig(SIGKILL, flusher.task)
    assert flusher.join() == 5
    assert not entity.stopped
    for job in jobs:
        job.end()


def exiting(code: int, then):
    """A task that exits with this code and closes its files by calling `then`."""

    def run():
        exit_signals(code)
        return then()

    return run


def test_flush_by_an_exiting_task_has_a_limit(driver, api):
    entity = driver.entity(driver.scheduler())
    first, second = driver.submit(entity), driver.submit(entity)
    eventually(lambda: driver.ran(first))
    began = jiffies()
    assert Thread(exiting(0, lambda: api.drm_sched_entity_flush(entity, 3))).join() == 0
    assert jiffies() - began >= 3
    assert not entity.stopped, "it was not killed"
    first.end()
    second.end()


def test_flush_by_a_killed_task_stops_its_entity_and_fini_ends_the_jobs(driver, api):
    entity = driver.entity(driver.scheduler())
    first = driver.submit(entity)
    eventually(lambda: driver.ran(first))

    def die() -> tuple[int, list[object]]:
        jobs = [driver.submit(entity) for _ in range(3)]
        exit_signals(SIGKILL)
        left = api.drm_sched_entity_flush(entity, 2)
        api.drm_sched_entity_fini(entity)
        return left, jobs

    left, queued = Thread(die).join()
    assert left == 0
    assert entity.stopped
    assert list_empty(entity.list)
    assert not any(job.done for job in queued), "they end after the job before them"
    first.end()
    assert [job.wait() for job in queued] == [-ESRCH] * 3
    assert driver.runs == [first.number]
    gone(driver, entity)


def test_pushing_to_a_stopped_entity_is_an_error_message_and_the_job_stays(driver, api, kernel):
    entity = driver.entity(driver.scheduler())
    Thread(exiting(SIGKILL, lambda: api.drm_sched_entity_flush(entity, 1))).join()
    assert entity.stopped, "nobody has pushed yet: in 6.1 whoever is killed stops it"
    job = driver.submit(entity)
    error = "[drm:drm_sched_entity_push_job] *ERROR* Trying to push to a killed entity"
    assert error in messages(kernel)
    never(lambda: driver.ran(job) or job.done)
    assert atomic_read(entity.rq.sched.score) == 1, "as in the kernel: its score stays"
    api.drm_sched_entity_fini(entity)
    gone(driver, entity)
    assert job.wait() == -ESRCH, "it ends with the entity"


# -- fini ------------------------------------------------------------------------------------------


def test_fini_ends_queued_jobs_without_running_them(driver, api):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    kthread_park(sched.thread)
    jobs = [driver.submit(entity) for _ in range(4)]
    api.drm_sched_entity_fini(entity)
    assert [job.wait() for job in jobs] == [-ESRCH] * 4
    assert all(dma_fence_get_status(job.scheduled) == 1 for job in jobs)
    kthread_unpark(sched.thread)
    assert driver.runs == []
    assert sorted(driver.frees) == [0, 1, 2, 3]
    gone(driver, entity)


def test_fini_waits_for_what_the_jobs_depend_on(driver, api):
    """In 7.2 callbacks wait. Here a fence that never signals hangs whoever closes the file."""
    sched = driver.scheduler()
    entity = driver.entity(sched)
    a, b = new(), new()
    job = driver.submit(entity, after=[a, b])
    eventually(lambda: entity.dependency is a)
    closer = Thread(api.drm_sched_entity_fini, entity)
    never(lambda: closer.done)
    assert entity.dependency is None, "that one is forgotten: the killed job does not wait for it"
    dma_fence_signal(b)
    closer.join()
    assert job.wait() == -ESRCH
    dma_fence_signal(a)
    for fence in (a, b):
        dma_fence_put(fence)
    gone(driver, entity)


def test_fini_waits_for_the_thread_to_let_go_of_the_entity(driver, api):
    entity = driver.entity(driver.scheduler())
    gate = Gate()

    def slow(job):
        gate.enter()
        return job.hardware_fence()

    first = driver.submit(entity, run=slow)
    gate.arrived()
    second = driver.submit(entity)
    closer = Thread(api.drm_sched_entity_fini, entity)
    never(lambda: closer.done)
    gate.open()
    closer.join()
    first.end()
    assert (first.wait(), second.wait()) == (0, -ESRCH)
    gone(driver, entity)


def test_fini_does_not_wait_for_the_thread_if_nothing_is_queued(boot):
    """So whoever frees the entity then pulls it away under the thread; 7.2 always waits."""
    with pytest.raises(kport.KernelOops, match="entity_idle"):
        with boot():
            driver = Driver61()
            entity = driver.entity(driver.scheduler())
            gate = Gate()
            driver.submit(entity, run=lambda job: gate.enter())
            gate.arrived()
            driver.baseline.sched_entity.drm_sched_entity_destroy(entity)
            gone(driver, entity)
            gate.open()
            eventually(lambda: False)


def test_a_killed_job_behind_one_that_is_over_leaks_a_reference_to_that_ones_fence(driver, api):
    """7.2 drops it."""
    sched = driver.scheduler()
    entity = driver.entity(sched)
    first = driver.submit(entity)
    first.end()
    first.wait()
    kthread_park(sched.thread)
    before = kref_read(first.finished.refcount)
    queued = [driver.submit(entity) for _ in range(2)]
    api.drm_sched_entity_fini(entity)
    assert [job.wait() for job in queued] == [-ESRCH] * 2
    assert kref_read(first.finished.refcount) == before - 1 + 2, "last_scheduled, two leaks"
    for _ in queued:
        dma_fence_put(first.finished)
    kthread_unpark(sched.thread)
    gone(driver, entity)


def test_jobs_of_a_guilty_entity_run_with_an_error(driver):
    guilty = ATOMIC_INIT(0)
    entity = driver.entity(driver.scheduler(), guilty=guilty)
    assert driver.submit(entity, run=instant).wait() == 0
    guilty.counter = 1
    assert driver.submit(entity, run=instant).wait() == -ECANCELED
    assert driver.runs == [0, 1], "skipping is the driver's part: it sees the error"


# -- the end of a scheduler ------------------------------------------------------------------------


def test_fini_of_a_scheduler_stops_its_entities_and_lets_flushes_go(driver, api):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    running, queued = driver.submit(entity), driver.submit(entity)
    eventually(lambda: driver.ran(running))
    flusher = Thread(api.drm_sched_entity_flush, entity, 100)
    never(lambda: flusher.done, msecs=5)
    driver.main.drm_sched_fini(sched)
    assert flusher.join() == 100
    assert entity.stopped
    api.drm_sched_entity_fini(entity)
    running.end()
    assert queued.wait() == -ESRCH
    gone(driver, entity)
    driver._free_job(running.base)
    driver.forget(sched)
    kfree(sched)


def test_a_scheduler_that_goes_leaks_what_is_on_the_hardware(driver, kernel):
    """Without a word; in 7.2 there is cancel_job(), and a warning without it."""
    sched, entity, (job,) = driver.on_hardware(1)
    driver.baseline.sched_entity.drm_sched_entity_destroy(entity)
    gone(driver, entity)
    driver.main.drm_sched_fini(sched)
    job.end()
    never(lambda: job.freed, msecs=5)
    assert job.done
    assert kernel.warnings() == []
    assert messages(kernel) == []
    driver._free_job(job.base)
    driver.forget(sched)
    kfree(sched)


def test_nothing_is_left_of_many_jobs_of_many_entities(driver, api):
    sched = driver.scheduler(credit_limit=4)
    driver.run = instant
    for _ in range(5):
        entities = [driver.entity(sched) for _ in range(4)]
        jobs = [driver.submit(entity) for entity in entities for _ in range(10)]
        for job in jobs:
            assert job.wait() == 0
        for entity in entities:
            api.drm_sched_entity_destroy(entity)
            gone(driver, entity)
    rcu_barrier()
    assert atomic_read(sched.hw_rq_count) == atomic_read(sched.score) == 0
