# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The end of an entity: flush, kill, fini, destroy; and what happens to its jobs."""

from __future__ import annotations

import pytest

from kport.arch.asm import current
from kport.dma_buf.dma_fence import dma_fence_get_status, dma_fence_put, dma_fence_signal
from kport.linux.atomic import ATOMIC_INIT, atomic_read
from kport.linux.completion import completion_done
from kport.linux.err import EINVAL, EIO, ESRCH
from kport.linux.fork import exit_signals
from kport.linux.jiffies import jiffies, msecs_to_jiffies
from kport.linux.list import list_empty
from kport.linux.sched import SIGKILL, send_sig
from kport.linux.slab import kfree
from tests.dma_buf.fences import new
from tests.drm.scheduler.driver import instant, nothing
from tests.support import Thread, eventually, messages, never

LONG = 10_000  # ticks


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
    entity = driver.entity(sched, priority=1, guilty=guilty)
    assert entity.rq is sched.sched_rq[1]
    assert entity.guilty is guilty
    assert (entity.priority, entity.rq_priority, entity.stopped) == (1, 1, False)
    assert entity.last_user is current().group_leader
    assert completion_done(entity.entity_idle)
    assert entity.last_scheduled is None


@pytest.mark.parametrize("bad", ["entity", "list", "none in list", "empty list"])
def test_bad_arguments_of_init(driver, api, bad):
    sched = driver.scheduler()
    entity = None if bad == "entity" else driver.api.drm_sched_entity()
    scheds = {"list": None, "none in list": [None]}.get(bad, [sched])
    count = 0 if bad == "empty list" else 1
    assert api.drm_sched_entity_init(entity, 2, scheds, count, None) == -EINVAL


# -- idle and flush --------------------------------------------------------------------------------


def test_idle_means_nothing_queued_or_never_anything(driver, api):
    entity = driver.entity(driver.scheduler())
    assert api.drm_sched_entity_is_idle(entity)
    first, second = driver.submit(entity), driver.submit(entity)
    assert not api.drm_sched_entity_is_idle(entity)
    first.end()
    eventually(lambda: api.drm_sched_entity_is_idle(entity))
    assert not second.done, "a job on the hardware is not queued"
    second.end()
    second.wait()


def test_flush_waits_until_everything_is_on_the_hardware(driver, api):
    entity = driver.entity(driver.scheduler())
    first, second = driver.submit(entity), driver.submit(entity)
    flusher = Thread(api.drm_sched_entity_flush, entity, 777)
    never(lambda: flusher.done)
    first.end()
    assert flusher.join() == 777, "who does not exit waits without limit and gets it back"
    second.end()
    second.wait()


def test_flush_of_an_idle_entity_returns_at_once(driver, api):
    entity = driver.entity(driver.scheduler())
    assert api.drm_sched_entity_flush(entity, 5) == 5
    assert api.drm_sched_entity_flush(entity, 0) == 0


def test_flush_ends_when_the_caller_is_killed(driver, api):
    entity = driver.entity(driver.scheduler())
    jobs = [driver.submit(entity) for _ in range(3)]
    flusher = Thread(api.drm_sched_entity_flush, entity, 5)
    eventually(lambda: flusher.task._state)
    send_sig(SIGKILL, flusher.task)
    assert flusher.join() == 5
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
    began = jiffies()
    flush = exiting(0, lambda: api.drm_sched_entity_flush(entity, 3))
    assert Thread(flush).join() == 0
    assert jiffies() - began >= 3
    waiting = Thread(exiting(0, lambda: api.drm_sched_entity_flush(entity, LONG)))
    never(lambda: waiting.done, msecs=5)
    first.end()
    assert 0 < waiting.join() <= LONG
    assert not entity.stopped, "it was not killed"
    second.end()


def test_flush_by_a_killed_task_kills_its_entity(driver, api):
    entity = driver.entity(driver.scheduler())
    first = driver.submit(entity)
    eventually(lambda: driver.ran(first))

    def die() -> tuple[int, object]:
        second = driver.submit(entity)
        exit_signals(SIGKILL)
        return api.drm_sched_entity_flush(entity, 2), second

    left, second = Thread(die).join()
    assert left == 0
    assert entity.stopped
    assert entity.last_user is None
    assert not second.done, "it ends after the job before it"
    first.end()
    assert second.wait() == -ESRCH
    assert driver.runs == [first.number]


def test_flush_by_a_killed_task_leaves_an_entity_that_another_uses(driver, api):
    """last_user is the main thread, which pushed last."""
    entity = driver.entity(driver.scheduler())
    jobs = [driver.submit(entity) for _ in range(2)]
    Thread(exiting(SIGKILL, lambda: api.drm_sched_entity_flush(entity, 1))).join()
    assert not entity.stopped
    assert entity.last_user is current().group_leader
    for job in jobs:
        job.end()
        assert job.wait() == 0


# -- kill ------------------------------------------------------------------------------------------


def test_killed_jobs_end_with_esrch_are_never_run_and_freed_once(driver, api):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    running = driver.submit(entity)
    eventually(lambda: driver.ran(running))
    queued = [driver.submit(entity) for _ in range(4)]
    api.drm_sched_entity_kill(entity)
    assert entity.stopped
    assert list_empty(entity.list)
    never(lambda: any(job.done for job in queued), msecs=5)
    running.end()
    for job in queued:
        assert job.wait() == -ESRCH
        assert dma_fence_get_status(job.scheduled) == 1
    assert running.wait() == 0
    assert driver.runs == [running.number]
    assert sorted(n for n in driver.frees if n) == [job.number for job in queued]


def test_killing_an_entity_without_a_job_on_the_hardware(driver, api):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    driver.main.drm_sched_wqueue_stop(sched)
    jobs = [driver.submit(entity) for _ in range(3)]
    api.drm_sched_entity_kill(entity)
    assert [job.wait() for job in jobs] == [-ESRCH] * 3
    driver.main.drm_sched_wqueue_start(sched)
    assert driver.runs == []


def test_a_killed_job_waits_for_what_it_depends_on(driver, api):
    """Somebody may rely on the order: finished must not come before the dependencies."""
    entity = driver.entity(driver.scheduler())
    a, b = new(), new()
    job = driver.submit(entity, after=[a, b])
    api.drm_sched_entity_kill(entity)
    never(lambda: job.done, msecs=5)
    dma_fence_signal(a)
    never(lambda: job.done, msecs=5)
    dma_fence_signal(b)
    assert job.wait() == -ESRCH
    dma_fence_put(a)
    dma_fence_put(b)


def test_a_killed_job_waits_for_the_end_of_a_job_it_was_pipelined_behind(driver, api):
    sched = driver.scheduler(credit_limit=1)
    a, b = driver.entity(sched), driver.entity(sched)
    first = driver.submit(a)
    eventually(lambda: driver.ran(first))
    second = driver.submit(b, after=[first.scheduled])
    api.drm_sched_entity_kill(b)
    never(lambda: second.done, msecs=5)
    first.end()
    assert second.wait() == -ESRCH


def test_pushing_to_a_killed_entity_is_an_error_message(driver, api, kernel):
    entity = driver.entity(driver.scheduler())
    api.drm_sched_entity_kill(entity)
    job = driver.submit(entity)
    assert "[drm:drm_sched_rq_add_entity] *ERROR* Trying to push to a killed entity" in messages(
        kernel
    )
    never(lambda: driver.ran(job) or job.done)
    assert atomic_read(entity.rq.sched.score) == 1, "as in the kernel: its score stays"
    api.drm_sched_entity_fini(entity)
    gone(driver, entity)
    assert job.wait() == -ESRCH, "it ends with the entity"


def test_killing_twice_and_killing_nothing(driver, api):
    entity = driver.entity(driver.scheduler())
    api.drm_sched_entity_kill(entity)
    api.drm_sched_entity_kill(entity)
    nobody = driver.api.drm_sched_entity()
    api.drm_sched_entity_kill(nobody)


def test_kill_waits_for_the_run_queue_to_let_go_of_the_entity(driver, api):
    """entity_idle: run_job() of one of its jobs is being called."""
    sched = driver.scheduler()
    entity = driver.entity(sched)
    entered, leave = [], []

    def slow(job):
        entered.append(1)
        eventually(lambda: leave)
        return instant(job)

    job = driver.submit(entity, run=slow)
    eventually(lambda: entered)
    killer = Thread(api.drm_sched_entity_kill, entity)
    never(lambda: killer.done)
    leave.append(1)
    killer.join()
    assert job.wait() == 0


# -- fini and destroy ------------------------------------------------------------------------------


def test_fini_kills_what_is_queued_and_drops_what_the_entity_holds(driver, api):
    entity = driver.entity(driver.scheduler())
    first = driver.submit(entity)
    eventually(lambda: driver.ran(first))
    second = driver.submit(entity)
    api.drm_sched_entity_fini(entity)
    assert entity.last_scheduled is None
    gone(driver, entity)
    first.end()
    assert (first.wait(), second.wait()) == (0, -ESRCH)


def test_fini_takes_the_callback_on_a_dependency_back(driver, api):
    entity = driver.entity(driver.scheduler())
    fence = new()
    job = driver.submit(entity, after=[fence])
    eventually(lambda: entity.dependency)
    api.drm_sched_entity_fini(entity)
    assert entity.dependency is None
    gone(driver, entity)
    assert not job.done
    dma_fence_signal(fence)
    assert job.wait() == -ESRCH
    dma_fence_put(fence)


def test_destroy_lets_queued_jobs_run(driver, api):
    entity = driver.entity(driver.scheduler())
    driver.run = instant
    jobs = [driver.submit(entity) for _ in range(20)]
    api.drm_sched_entity_destroy(entity)
    gone(driver, entity)
    assert [job.wait() for job in jobs] == [0] * 20


def test_a_job_outlives_its_entity(driver, api):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    job = driver.submit(entity)
    eventually(lambda: driver.ran(job))
    api.drm_sched_entity_destroy(entity)
    gone(driver, entity)
    job.end()
    assert job.wait() == 0


def test_entities_come_and_go_while_the_scheduler_runs(driver, api):
    sched = driver.scheduler(credit_limit=4)
    driver.run = instant
    results = []
    for n in range(40):
        entity = driver.entity(sched)
        jobs = [driver.submit(entity, run=nothing if n % 2 else instant) for _ in range(3)]
        (driver.kill if n % 3 else api.drm_sched_entity_destroy)(entity)
        gone(driver, entity)
        results += jobs
    assert {job.wait() for job in results} <= {0, -ESRCH}
    assert all(job.wait() == 0 for job in driver.jobs[:3]), "destroy kills nothing"


def test_scheduler_fini_wakes_who_flushes(driver, api):
    """After fini the run queues are gone, so the flusher must not look at them again."""
    sched = driver.scheduler()
    entity = driver.entity(sched)
    driver.main.drm_sched_wqueue_stop(sched)
    job = driver.submit(entity)
    flusher = Thread(exiting(0, lambda: api.drm_sched_entity_flush(entity, msecs_to_jiffies(60))))
    eventually(lambda: flusher.task._state)
    entity.stopped = True
    driver.main.wake_up_all(sched.job_scheduled)
    assert flusher.join() > 0
    entity.stopped = False
    driver.main.drm_sched_wqueue_start(sched)
    job.end()


def test_the_error_of_the_job_scheduled_last(driver, api):
    entity = driver.entity(driver.scheduler())
    assert api.drm_sched_entity_error(entity) == 0
    job = driver.submit(entity)
    job.end(-EIO)
    job.wait()
    assert api.drm_sched_entity_error(entity) == -EIO
    driver.submit(entity, run=instant).wait()
    assert api.drm_sched_entity_error(entity) == 0


def test_the_score_goes_with_the_entity(driver, api):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    driver.submit(entity, run=instant).wait()
    eventually(lambda: atomic_read(sched.score) == 1)
    api.drm_sched_entity_kill(entity)
    assert atomic_read(sched.score) == 0
