# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The thread of a 6.1 scheduler: its life, what one turn of its loop does, and parking."""

from __future__ import annotations

from kport.dma_buf.dma_fence import dma_fence_get_status
from kport.linux.atomic import ATOMIC_INIT, atomic_read
from kport.linux.err import EINTR, EIO, ENOMEM, ERR_PTR
from kport.linux.kthread import kthread_park, kthread_unpark
from kport.linux.sched import SCHED_FIFO, TASK_INTERRUPTIBLE, TASK_PARKED, current, tasks
from kport.linux.slab import fail_nth, kfree, kzalloc_obj
from kport.linux.workqueue import system_percpu_wq
from tests.drm.scheduler.driver import instant, nothing
from tests.support import Gate, Thread, eventually, messages, never


def test_a_scheduler_has_a_realtime_thread_of_its_name(driver):
    sched = driver.scheduler("gfx")
    task = sched.thread
    eventually(lambda: task._state == TASK_INTERRUPTIBLE)
    assert (task.comm, task.policy, task.rt_priority) == ("gfx", SCHED_FIFO, 1)
    assert (sched.ready, sched.timeout_wq) == (True, system_percpu_wq)
    driver.main.drm_sched_fini(sched)
    assert not sched.ready
    assert task not in tasks.values()
    driver.forget(sched)
    kfree(sched)


def test_without_a_thread_there_is_no_scheduler(driver, kernel):
    sched = kzalloc_obj(driver.api.drm_gpu_scheduler)
    args = driver.api.drm_sched_init_args(
        ops=driver.ops(), credit_limit=1, name="gfx", dev=driver.dev
    )
    fail_nth(1)
    assert driver.main.drm_sched_init(sched, args) == -ENOMEM
    assert (sched.thread, sched.ready) == (None, False)
    assert messages(kernel) == [
        "test card0: [drm:drm_sched_init] *ERROR* Failed to create scheduler for gfx."
    ]
    driver.main.drm_sched_fini(sched)
    kfree(sched)


def test_a_shared_score(driver):
    score = ATOMIC_INIT(0)
    one, other = driver.scheduler("a", score=score), driver.scheduler("b", score=score)
    assert one.score is other.score is score
    jobs = [driver.submit(driver.entity(sched)) for sched in (one, other)]
    eventually(lambda: driver.ran(*jobs))
    assert atomic_read(score) == 4, "two jobs and two entities that are queued"
    for job in jobs:
        job.end()
        job.wait()


def test_all_callbacks_come_from_the_thread(driver):
    callers = []

    def note(job):
        callers.append(current().comm)
        return instant(job)

    driver.prepare = lambda job: callers.append(current().comm)
    job = driver.submit(driver.entity(driver.scheduler("gfx")), run=note)
    job.wait()
    assert callers == ["gfx", "gfx"]
    assert driver.log == [("prepare", 0), ("run", 0), ("free", 0)]


def test_one_turn_frees_one_job_before_it_runs_one(driver):
    entity = driver.entity(driver.scheduler())
    driver.run = instant
    jobs = [driver.submit(entity) for _ in range(5)]
    jobs[-1].wait()
    ran, freed = driver.runs, driver.frees
    assert ran == freed == [0, 1, 2, 3, 4]
    at = driver.log.index
    assert all(at(("free", n)) < at(("run", n + 1)) for n in range(4)), "one at a time"


def test_a_slow_free_job_holds_the_next_job_up(driver):
    """In 7.2 they are two work items, but of one ordered queue: it is no different."""
    gate = Gate()
    sched = driver.scheduler(credit_limit=2)
    entity = driver.entity(sched)
    free = sched.ops.free_job
    sched.ops.free_job = lambda base: (gate.enter(), free(base))
    driver.submit(entity, run=instant)
    gate.arrived()
    second = driver.submit(entity, run=instant)
    never(lambda: driver.ran(second))
    gate.open()
    assert second.wait() == 0
    sched.ops.free_job = free


def test_never_more_jobs_on_the_hardware_than_it_takes(driver):
    sched = driver.scheduler(credit_limit=3)
    entity = driver.entity(sched)
    jobs = [driver.submit(entity) for _ in range(8)]
    for n, job in enumerate(jobs):
        eventually(lambda n=n: len(driver.runs) == min(n + 3, 8))
        assert atomic_read(sched.hw_rq_count) == min(3, 8 - n)
        job.end()
        job.wait()
    assert atomic_read(sched.hw_rq_count) == 0


def test_a_job_with_nothing_for_the_hardware_is_over_without_error(driver):
    job = driver.submit(driver.entity(driver.scheduler()), run=nothing)
    assert job.wait() == 0
    assert dma_fence_get_status(job.scheduled) == 1


def test_a_job_that_cannot_run_has_the_error_and_the_thread_goes_on(driver):
    entity = driver.entity(driver.scheduler())
    bad = driver.submit(entity, run=lambda job: ERR_PTR(-EINTR))
    good = driver.submit(entity, run=instant)
    assert (bad.wait(), good.wait()) == (-EINTR, 0)


def test_the_error_of_the_hardware_fence_is_not_passed_on(driver):
    """In 7.2 it is."""
    entity = driver.entity(driver.scheduler())
    job = driver.submit(entity)
    job.end(-EIO)
    assert job.hw.error == -EIO
    assert job.wait() == 0


def test_scheduled_signals_before_the_parent_is_set(driver):
    """In 7.2 it is the other way round."""
    seen = []
    signal = driver.baseline.sched_fence.drm_sched_fence_scheduled

    def watch(fence):
        seen.append(fence.parent)
        signal(fence)

    main = driver.main
    main.drm_sched_fence_scheduled = watch
    try:
        job = driver.submit(driver.entity(driver.scheduler()), run=instant)
        job.wait()
    finally:
        main.drm_sched_fence_scheduled = signal
    assert seen == [None]


# -- parking ---------------------------------------------------------------------------------------


def test_a_parked_thread_neither_runs_nor_frees(driver):
    sched = driver.scheduler(credit_limit=4)
    entity = driver.entity(sched)
    running = driver.submit(entity)
    eventually(lambda: driver.ran(running))
    assert kthread_park(sched.thread) == 0
    assert sched.thread._state == TASK_PARKED
    queued = [driver.submit(entity, run=instant) for _ in range(3)]
    running.end()
    never(lambda: driver.ran(queued[0]) or running.freed)
    assert running.done, "fences signal all the same"
    kthread_unpark(sched.thread)
    assert [job.wait() for job in queued] == [0] * 3
    assert driver.runs == [0, 1, 2, 3]


def test_parking_waits_for_a_callback_that_runs(driver):
    sched = driver.scheduler()
    gate = Gate()

    def slow(job):
        gate.enter()
        return instant(job)

    job = driver.submit(driver.entity(sched), run=slow)
    gate.arrived()
    parker = Thread(kthread_park, sched.thread)
    never(lambda: parker.done)
    gate.open()
    parker.join()
    kthread_unpark(sched.thread)
    assert job.wait() == 0


def test_fini_ends_a_parked_thread(driver):
    sched = driver.scheduler()
    kthread_park(sched.thread)
    driver.main.drm_sched_fini(sched)
    driver.forget(sched)
    kfree(sched)
