# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A job's life: init, arm, push, run, finish, free; with every answer run_job() can give."""

from __future__ import annotations

import pytest

from kport.arch.asm import current
from kport.dma_buf.dma_fence import (
    dma_fence_get_status,
    dma_fence_put,
    dma_fence_test_signaled_flag,
    dma_fence_timestamp,
    dma_fence_was_initialized,
)
from kport.linux.err import ECANCELED, EINVAL, EIO, ERR_PTR
from kport.linux.kref import kref_read
from kport.linux.kthread import get_kthread_comm
from kport.linux.ktime import ktime_get
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.workqueue import (
    alloc_ordered_workqueue,
    destroy_workqueue,
    flush_workqueue,
    system_percpu_wq,
)
from tests.drm.scheduler.driver import instant, nothing
from tests.support import Gate, eventually, messages, never, together


def test_a_job_runs_finishes_and_is_freed_once(driver):
    sched = driver.scheduler()
    job = driver.submit(driver.entity(sched))
    eventually(lambda: driver.ran(job))
    eventually(lambda: dma_fence_test_signaled_flag(job.scheduled))
    assert not job.done
    never(lambda: job.freed, msecs=5)
    job.end()
    assert job.wait() == 0
    assert driver.log == [("run", 0), ("free", 0)]


def test_scheduled_comes_before_finished(driver):
    entity = driver.entity(driver.scheduler())
    before = ktime_get()
    job = driver.submit(entity)
    job.end()
    job.wait()
    scheduled, finished = dma_fence_timestamp(job.scheduled), dma_fence_timestamp(job.finished)
    assert before <= scheduled <= finished <= ktime_get()


def test_scheduled_signals_after_run_job_has_returned(driver):
    entity = driver.entity(driver.scheduler())
    gate, seen = Gate(), []

    def slow(job):
        gate.enter()
        seen.append(dma_fence_test_signaled_flag(job.scheduled))
        return instant(job)

    job = driver.submit(entity, run=slow)
    gate.arrived()
    assert not dma_fence_test_signaled_flag(job.scheduled)
    gate.open()
    job.wait()
    assert seen == [0]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (instant, 0),
        (nothing, 0),
        (lambda job: ERR_PTR(-EIO), -EIO),
        (lambda job: ERR_PTR(-ECANCELED), -ECANCELED),
    ],
)
def test_what_run_job_may_answer(driver, answer, error):
    entity = driver.entity(driver.scheduler())
    jobs = [driver.submit(entity, run=answer) for _ in range(3)]
    for job in jobs:
        assert job.wait() == error
        assert dma_fence_get_status(job.scheduled) == 1
        assert dma_fence_get_status(job.finished) == (error or 1)
    assert driver.runs == driver.frees == [0, 1, 2], "the scheduler goes on"


def test_the_error_of_the_hardware_fence_is_the_jobs(driver):
    job = driver.submit(driver.entity(driver.scheduler()))
    job.end(-EIO)
    assert job.wait() == -EIO


def test_a_hardware_fence_that_had_signalled_with_an_error(driver):
    def failed(job):
        fence = job.hardware_fence()
        job.end(-ECANCELED)
        return fence

    assert driver.submit(driver.entity(driver.scheduler()), run=failed).wait() == -ECANCELED


def test_jobs_of_an_entity_run_and_are_freed_in_order(driver):
    entity = driver.entity(driver.scheduler(credit_limit=4))
    driver.run = instant
    jobs = [driver.submit(entity) for _ in range(60)]
    jobs[-1].wait()
    assert driver.runs == list(range(60))
    assert driver.frees == list(range(60))


def test_fence_numbers_count_jobs_and_contexts_are_neighbours(driver):
    entity = driver.entity(driver.scheduler(credit_limit=4))
    other = driver.entity(driver.scheduler("ring1"))
    driver.run = instant
    jobs = [driver.submit(entity) for _ in range(4)]
    assert [j.scheduled.seqno for j in jobs] == [j.finished.seqno for j in jobs] == [1, 2, 3, 4]
    for job in jobs:
        assert job.scheduled.context == entity.fence_context
        assert job.finished.context == entity.fence_context + 1
    assert abs(other.fence_context - entity.fence_context) >= 2


def test_a_job_takes_its_numbers_when_it_is_armed_not_when_it_is_made(driver):
    entity = driver.entity(driver.scheduler(credit_limit=4))
    driver.run = instant
    first, second = driver.job(entity), driver.job(entity)
    assert not dma_fence_was_initialized(first.base.s_fence.finished)
    driver.push(second)
    driver.push(first)
    assert (second.finished.seqno, first.finished.seqno) == (1, 2)


@pytest.mark.boot(check="")  # it looks at what was freed
def test_a_job_that_is_not_armed_can_be_discarded(driver):
    entity = driver.entity(driver.scheduler())
    job = driver.job(entity)
    s_fence = job.base.s_fence
    driver.discard(job)
    with pytest.raises(AttributeError):
        assert s_fence.owner


def test_finished_fences_outlive_the_job(driver):
    job = driver.submit(driver.entity(driver.scheduler()), run=nothing)
    job.wait()
    eventually(lambda: kref_read(job.finished.refcount) <= 2)
    assert dma_fence_get_status(job.finished) == 1
    assert job.finished.ops is not None, "a fence with a release function keeps its ops"


def test_init_with_bad_arguments(driver, kernel):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    base = kzalloc_obj(driver.api.drm_sched_job)
    assert driver.main.drm_sched_job_init(base, entity, 0, None, 0) == -EINVAL
    assert messages(kernel) == ["*ERROR* drm_sched_job_init: credits cannot be 0!"]
    kfree(base)


def test_callbacks_run_in_a_worker_one_at_a_time(driver):
    sched = driver.scheduler(credit_limit=8)
    entities = [driver.entity(sched) for _ in range(3)]
    inside, worst, comms = [], [], set()

    def run(job):
        inside.append(1)
        worst.append(len(inside))
        comms.add(get_kthread_comm(current()))
        answer = instant(job)
        inside.pop()
        return answer

    jobs = [driver.submit(entities[n % 3], run=run) for n in range(30)]
    for job in jobs:
        job.wait()
    assert set(worst) == {1}
    assert all(comm.startswith("kworker/u") for comm in comms)


def test_prepare_is_asked_until_it_has_nothing_more(driver):
    gates = []

    def prepare(job):
        return gates.pop().hardware_fence() if gates else None

    driver.prepare = prepare
    sched = driver.scheduler()
    entity = driver.entity(sched)
    blockers = [driver.job(entity), driver.job(entity)]
    gates.extend(blockers)
    job = driver.submit(entity)
    for blocker in reversed(blockers):
        eventually(lambda blocker=blocker: blocker.hw)
        never(lambda: driver.ran(job), msecs=5)
        blocker.end()
    job.end()
    job.wait()
    assert driver.log[:4] == [("prepare", 2)] * 3 + [("run", 2)]
    for blocker in blockers:
        driver.discard(blocker)


def test_prepare_may_return_a_fence_that_has_signalled(driver):
    asked = []

    def prepare(job):
        asked.append(1)
        if len(asked) == 1:
            blocker.hardware_fence()
            blocker.end()
            return blocker.hw
        return None

    driver.prepare = prepare
    entity = driver.entity(driver.scheduler())
    blocker = driver.job(entity)
    assert driver.submit(entity, run=instant).wait() == 0
    assert len(asked) == 2
    driver.discard(blocker)


def test_several_producers_and_entities_lose_nothing(driver):
    sched = driver.scheduler(credit_limit=16)
    driver.run = instant
    entities = [driver.entity(sched) for _ in range(4)]

    def produce(entity) -> list[int]:
        return [driver.submit(entity).number for _ in range(50)]

    parts = together(*[lambda e=e: produce(e) for e in entities])
    eventually(lambda: len(driver.frees) == 200)
    runs = driver.runs
    assert sorted(runs) == list(range(200))
    for part in parts:
        assert [n for n in runs if n in set(part)] == part, "in order within an entity"


# -- the scheduler itself --------------------------------------------------------------------------


def test_a_new_scheduler(driver):
    sched = driver.scheduler("gfx", credit_limit=3, hang_limit=2)
    assert sched.ready
    assert sched.own_submit_wq
    assert sched.submit_wq.name == "gfx"
    assert sched.timeout_wq is system_percpu_wq
    assert (sched.credit_limit, sched.hang_limit, sched.num_rqs) == (3, 2, 4)
    assert sched.score is sched._score


def test_a_workqueue_of_the_drivers_is_used_and_survives(driver):
    wq = alloc_ordered_workqueue("mine", 0)
    scheds = [driver.scheduler(f"ring{n}", submit_wq=wq) for n in range(2)]
    assert all(s.submit_wq is wq and not s.own_submit_wq for s in scheds)
    driver.run = instant
    jobs = [driver.submit(driver.entity(s)) for s in scheds]
    for job in jobs:
        job.wait()
    driver.close()
    driver.forget(*scheds, *driver._entities)
    driver.jobs.clear()
    flush_workqueue(wq)
    destroy_workqueue(wq)


@pytest.mark.boot(check="")  # it looks at what was freed
def test_fini_takes_the_workqueue_and_the_run_queues_along(driver):
    sched = driver.scheduler()
    wq = sched.submit_wq
    driver.forget(sched)
    driver.main.drm_sched_fini(sched)
    assert not sched.ready
    assert sched.sched_rq is None
    with pytest.raises(AttributeError):
        assert wq.name
    kfree(sched)


def test_a_scheduler_can_be_initialised_again_after_fini(driver):
    sched = driver.scheduler()
    driver.main.drm_sched_fini(sched)
    args = driver.api.drm_sched_init_args(
        ops=driver.ops(), num_rqs=4, credit_limit=1, timeout=1000, name="again", dev=driver.dev
    )
    assert driver.main.drm_sched_init(sched, args) == 0
    assert sched.ready
    assert driver.submit(driver.entity(sched), run=instant).wait() == 0


def test_too_many_run_queues_are_refused(driver, kernel):
    sched = kzalloc_obj(driver.api.drm_gpu_scheduler)
    args = driver.api.drm_sched_init_args(
        ops=driver.ops(), num_rqs=5, credit_limit=1, name="r", dev=driver.dev
    )
    assert driver.main.drm_sched_init(sched, args) == -EINVAL
    assert messages(kernel) == [
        "test card0: drm_sched_init: num_rqs cannot be greater than DRM_SCHED_PRIORITY_COUNT"
    ]
    assert not sched.ready
    kfree(sched)


def test_a_fence_dropped_before_its_job_runs_is_kept_by_the_job(driver):
    job = driver.submit(driver.entity(driver.scheduler()))
    dma_fence_put(job.finished)
    finished, job.finished = job.finished, None
    eventually(lambda: job.hw)
    job.end()
    eventually(lambda: job.freed)
    assert finished is not None
