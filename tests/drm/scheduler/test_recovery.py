# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Recovery: stop, start, resubmit, karma and guilt; and taking a scheduler down with jobs on it."""

from __future__ import annotations

import pytest

import kport
from kport.dma_buf.dma_fence import dma_fence_put, dma_fence_set_error, dma_fence_signal
from kport.linux.atomic import ATOMIC_INIT, atomic_read
from kport.linux.err import ECANCELED, EIO, ERR_PTR, ETIME
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.list import list_empty, list_for_each_entry
from kport.linux.rcupdate import rcu_barrier
from kport.linux.slab import kfree
from kport.linux.workqueue import delayed_work_pending
from tests.drm.scheduler.driver import Driver, instant
from tests.support import Gate, Thread, eventually, messages, never, take_warnings

LONG = msecs_to_jiffies(60_000)


def pending(driver, sched) -> list[int]:
    return [
        driver.job_of(base).number
        for base in list_for_each_entry(sched.pending_list, driver.api.drm_sched_job, "list")
    ]


def on_hardware(driver, n: int, **args):
    """A scheduler with `n` jobs of one entity on the hardware."""
    sched = driver.scheduler(credit_limit=n + 4, **args)
    entity = driver.entity(sched)
    jobs = [driver.submit(entity) for _ in range(n)]
    eventually(lambda: driver.ran(*jobs))
    eventually(lambda: jobs[-1].scheduled and all(j.base.s_fence.parent for j in jobs))
    return sched, entity, jobs


# -- pausing ---------------------------------------------------------------------------------------


def test_after_wqueue_stop_nothing_runs_until_start(driver):
    sched = driver.scheduler(credit_limit=4)
    entity = driver.entity(sched)
    running = driver.submit(entity)
    eventually(lambda: driver.ran(running))
    driver.main.drm_sched_wqueue_stop(sched)
    assert driver.main.drm_sched_is_stopped(sched)
    queued = [driver.submit(entity, run=instant) for _ in range(3)]
    running.end()
    never(lambda: driver.ran(queued[0]) or running.freed)
    assert running.done, "fences signal all the same"
    driver.main.drm_sched_wqueue_start(sched)
    assert not driver.main.drm_sched_is_stopped(sched)
    assert [job.wait() for job in queued] == [0] * 3
    assert driver.runs == [0, 1, 2, 3]


def test_wqueue_stop_waits_for_a_callback_that_runs(driver):
    sched = driver.scheduler()
    gate = Gate()

    def slow(job):
        gate.enter()
        return instant(job)

    job = driver.submit(driver.entity(sched), run=slow)
    gate.arrived()
    stopper = Thread(driver.main.drm_sched_wqueue_stop, sched)
    never(lambda: stopper.done)
    gate.open()
    stopper.join()
    driver.main.drm_sched_wqueue_start(sched)
    assert job.wait() == 0


def test_starting_what_was_not_stopped_is_harmless(driver):
    sched = driver.scheduler()
    driver.main.drm_sched_wqueue_start(sched)
    driver.main.drm_sched_wqueue_start(sched)
    assert driver.main.drm_sched_wqueue_ready(sched)
    assert driver.submit(driver.entity(sched), run=instant).wait() == 0


def test_stopping_from_one_of_its_own_callbacks_is_a_deadlock_report(boot, baseline):
    with pytest.raises(kport.KernelOops, match="BUG: deadlock: drm_sched_run_job_work"):
        with boot():
            driver = Driver(baseline)
            sched = driver.scheduler()
            driver.submit(
                driver.entity(sched), run=lambda job: driver.main.drm_sched_wqueue_stop(sched)
            )
            eventually(lambda: False)


def test_asking_whether_a_job_has_signalled_is_for_a_stopped_scheduler(driver, kernel):
    sched, _, (first, second) = on_hardware(driver, 2)
    ask = driver.main.drm_sched_job_is_signaled
    assert not ask(second.base)
    assert len(take_warnings(kernel)) == 1
    driver.main.drm_sched_wqueue_stop(sched)
    assert not ask(first.base)
    first.end()
    assert ask(first.base)
    assert not ask(second.base)
    driver.main.drm_sched_wqueue_start(sched)
    second.end()


def test_iterating_over_pending_jobs_is_for_a_stopped_scheduler(driver, kernel):
    sched, _, jobs = on_hardware(driver, 3)
    loop = driver.api.drm_sched_for_each_pending_job
    driver.main.drm_sched_wqueue_stop(sched)
    assert [driver.job_of(base) for base in loop(sched, None)] == jobs
    assert kernel.warnings() == []
    driver.main.drm_sched_wqueue_start(sched)
    assert [driver.job_of(base) for base in loop(sched, None)] == jobs
    assert len(take_warnings(kernel)) == 2, "at the beginning and at the end"
    driver.main.drm_sched_wqueue_stop(sched)  # what it looked at without a lock may change now
    driver.main.drm_sched_wqueue_start(sched)
    for job in jobs:
        job.end()


# -- stop and start --------------------------------------------------------------------------------


def test_stop_detaches_jobs_from_the_hardware_and_start_fails_them(driver):
    sched, _, jobs = on_hardware(driver, 3, timeout=LONG)
    driver.main.drm_sched_stop(sched, None)
    assert atomic_read(sched.credit_count) == 0
    assert all(job.base.s_fence.parent is None for job in jobs)
    assert pending(driver, sched) == [0, 1, 2]
    assert not delayed_work_pending(sched.work_tdr)
    for job in jobs:
        job.end()
    never(lambda: any(job.done for job in jobs))
    driver.main.drm_sched_start(sched, 0)
    assert [job.wait() for job in jobs] == [-ECANCELED] * 3
    eventually(lambda: atomic_read(sched.credit_count) == 0)


def test_start_with_an_error_gives_that_to_the_jobs(driver):
    sched, _, jobs = on_hardware(driver, 2)
    driver.main.drm_sched_stop(sched, None)
    driver.main.drm_sched_start(sched, -ETIME)
    assert [job.wait() for job in jobs] == [-ETIME] * 2


def test_stop_frees_jobs_that_have_finished(driver):
    sched, _, (first, second, third) = on_hardware(driver, 3)
    driver.main.drm_sched_wqueue_stop(sched)
    first.end()
    third.end()
    driver.main.drm_sched_stop(sched, None)
    assert sorted(driver.frees) == [first.number, third.number]
    assert pending(driver, sched) == [second.number]
    driver.main.drm_sched_start(sched, 0)
    assert second.wait() == -ECANCELED


def test_a_stopped_scheduler_takes_jobs_and_runs_them_later(driver):
    sched, entity, (job,) = on_hardware(driver, 1)
    driver.main.drm_sched_stop(sched, None)
    later = driver.submit(entity, run=instant)
    never(lambda: driver.ran(later))
    driver.main.drm_sched_start(sched, 0)
    assert (job.wait(), later.wait()) == (-ECANCELED, 0)


def test_recovery_from_a_timeout_handler(driver):
    """What a driver does: stop with the bad job, fail it, run the others once more, start."""
    rerun = []

    def again(job):
        rerun.append(job.number)
        dma_fence_put(job.hw)
        return instant(job)

    def recover(job):
        sched = job.base.sched
        driver.main.drm_sched_stop(sched, job.base)
        assert pending(driver, sched)[0] == job.number
        driver.main.drm_sched_increase_karma(job.base)
        for other in driver.jobs:
            other.run = again
        job.run = lambda j: rerun.append(j.number) or ERR_PTR(-ETIME)
        driver.main.drm_sched_resubmit_jobs(sched)
        driver.main.drm_sched_start(sched, 0)
        return driver.api.DRM_GPU_SCHED_STAT_RESET

    driver.on_timeout = recover
    sched = driver.scheduler(credit_limit=3, timeout=msecs_to_jiffies(20))
    entities = [driver.entity(sched) for _ in range(3)]
    jobs = [driver.submit(entity) for entity in entities]
    # The error that run_job() gave is overwritten: start() fails whatever has no hardware fence.
    assert [job.wait() for job in jobs] == [-ECANCELED, 0, 0]
    assert rerun == [0, 1, 2]
    assert sorted(driver.frees) == [0, 1, 2]
    eventually(lambda: atomic_read(sched.credit_count) == 0)


def test_a_bad_job_that_finished_after_all_is_freed_by_the_timeout_work(driver):
    seen = []

    def recover(job):
        dma_fence_signal(job.hw)
        eventually(lambda: job.done)
        driver.main.drm_sched_stop(job.base.sched, job.base)
        seen.append((job.freed, job.base.sched.free_guilty))
        driver.main.drm_sched_start(job.base.sched, 0)
        return driver.api.DRM_GPU_SCHED_STAT_RESET

    driver.on_timeout = recover
    sched = driver.scheduler(timeout=msecs_to_jiffies(20))
    job = driver.submit(driver.entity(sched))
    assert job.wait() == 0
    assert seen == [(0, True)], "not freed by stop, but noted"
    eventually(lambda: not sched.free_guilty)
    assert driver.frees == [0]


def test_a_bad_job_of_another_scheduler_is_not_put_in(driver):
    first, _, (job,) = on_hardware(driver, 1)
    other = driver.scheduler("other")
    driver.main.drm_sched_stop(other, job.base)
    assert list_empty(other.pending_list)
    driver.main.drm_sched_start(other, 0)
    job.end()
    assert job.wait() == 0
    assert first.ready


# -- resubmitting ----------------------------------------------------------------------------------


def resubmit(driver, sched, jobs, run) -> None:
    driver.main.drm_sched_stop(sched, None)
    for job in jobs:
        job.end()
        dma_fence_put(job.hw)
        job.hw = None
        job.run = run
    driver.main.drm_sched_resubmit_jobs(sched)
    driver.main.drm_sched_start(sched, 0)


def test_resubmitted_jobs_run_again_in_order_and_complete(driver):
    sched, _, jobs = on_hardware(driver, 3)
    resubmit(driver, sched, jobs, lambda job: job.hardware_fence())
    assert driver.runs == [0, 1, 2, 0, 1, 2]
    assert not any(job.done for job in jobs)
    assert atomic_read(sched.credit_count) == 3
    for job in jobs:
        job.end()
    assert [job.wait() for job in jobs] == [0, 0, 0]


@pytest.mark.parametrize(("answer", "error"), [(instant, 0), (lambda job: ERR_PTR(-EIO), -EIO)])
def test_what_a_resubmitted_job_may_answer(driver, answer, error):
    sched, _, jobs = on_hardware(driver, 2)
    driver.main.drm_sched_stop(sched, None)
    for job in jobs:
        job.end()
        dma_fence_put(job.hw)
        job.hw = None
        job.run = answer
    driver.main.drm_sched_resubmit_jobs(sched)
    driver.main.drm_sched_start(sched, error)
    assert [job.wait() for job in jobs] == [error] * 2


def test_a_resubmitted_job_without_a_fence_is_cancelled(driver):
    sched, _, (job,) = on_hardware(driver, 1)
    resubmit(driver, sched, [job], lambda job: None)
    assert job.wait() == -ECANCELED


def test_jobs_of_a_context_that_hung_too_often_are_cancelled(driver):
    sched = driver.scheduler(credit_limit=6, hang_limit=1)
    bad, good = driver.entity(sched), driver.entity(sched)
    jobs = [driver.submit(entity) for entity in (bad, good, bad, good)]
    eventually(lambda: driver.ran(*jobs) and all(j.base.s_fence.parent for j in jobs))
    driver.main.drm_sched_increase_karma(jobs[0].base)
    errors = []
    driver.main.drm_sched_stop(sched, None)

    def run_again(job):
        errors.append((job.number, job.base.s_fence.finished.error))
        dma_fence_put(job.hw)
        return instant(job)

    for job in jobs:
        job.run = run_again
    driver.main.drm_sched_resubmit_jobs(sched)
    assert [error for _, error in errors] == [0, 0, 0, 0], "once is within the limit"
    driver.main.drm_sched_increase_karma(jobs[0].base)
    errors.clear()
    for job in jobs:
        dma_fence_put(job.base.s_fence.parent)
        job.base.s_fence.parent = None
    driver.main.drm_sched_resubmit_jobs(sched)
    assert errors == [(0, -ECANCELED), (1, 0), (2, -ECANCELED), (3, 0)]
    driver.main.drm_sched_start(sched, 0)
    assert [job.wait() for job in jobs] == [-ECANCELED, 0, -ECANCELED, 0]


# -- karma -----------------------------------------------------------------------------------------


def test_a_hang_makes_its_entity_guilty_and_its_later_jobs_cancelled(driver):
    sched = driver.scheduler(credit_limit=4)
    guilty, innocent = ATOMIC_INIT(0), ATOMIC_INIT(0)
    bad = driver.entity(sched, guilty=guilty)
    good = driver.entity(sched, guilty=innocent)
    jobs = [driver.submit(bad), driver.submit(good)]
    eventually(lambda: driver.ran(*jobs))
    driver.main.drm_sched_increase_karma(jobs[0].base)
    assert (atomic_read(guilty), atomic_read(innocent)) == (1, 0)
    assert atomic_read(jobs[0].base.karma) == 1
    later = [driver.submit(bad, run=instant), driver.submit(good, run=instant)]
    eventually(lambda: all(job.done for job in later))
    assert driver.ran(*later), "the driver is asked to run it all the same, and may skip it"
    for job in jobs:
        job.end()
    assert [job.wait() for job in later] == [-ECANCELED, 0]


def test_jobs_of_the_kernel_have_no_karma(driver):
    sched = driver.scheduler()
    guilty = ATOMIC_INIT(0)
    entity = driver.entity(sched, priority=driver.api.DRM_SCHED_PRIORITY_KERNEL, guilty=guilty)
    job = driver.submit(entity)
    eventually(lambda: driver.ran(job))
    driver.main.drm_sched_increase_karma(job.base)
    assert atomic_read(job.base.karma) == atomic_read(guilty) == 0
    job.end()


def test_invalidating_counts_hangs(driver):
    sched, _, (job,) = on_hardware(driver, 1)
    invalidate = driver.api.drm_sched_invalidate_job
    assert [invalidate(job.base, 2) for _ in range(4)] == [False, False, True, True]
    assert invalidate(None, 0) is False
    job.end()
    assert sched.ready


# -- taking a scheduler down -----------------------------------------------------------------------


def test_fini_cancels_what_is_on_the_hardware_newest_first(driver):
    def cancel(job):
        dma_fence_set_error(job.hw, -ECANCELED)
        dma_fence_signal(job.hw)

    driver.on_cancel = cancel
    sched, entity, jobs = on_hardware(driver, 3)
    driver.baseline.sched_entity.drm_sched_entity_destroy(entity)
    kfree(entity)
    driver.main.drm_sched_fini(sched)
    driver.forget(sched, entity)
    assert driver.log[3:] == [
        (what, job.number) for job in reversed(jobs) for what in ("cancel", "free")
    ]
    assert [job.error for job in jobs] == [-ECANCELED] * 3
    assert list_empty(sched.pending_list)
    kfree(sched)


def test_fini_without_cancel_leaks_what_is_on_the_hardware_with_a_message(boot, baseline):
    with boot(check="") as kernel:
        driver = Driver(baseline)
        sched, entity, jobs = on_hardware(driver, 2)
        baseline.sched_entity.drm_sched_entity_destroy(entity)
        kfree(entity)
        driver.main.drm_sched_fini(sched)
        assert messages(kernel) == ["test card0: Tearing down scheduler while jobs are pending!"]
        for job in jobs:
            dma_fence_put(job.finished)
            dma_fence_put(job.scheduled)
        rcu_barrier()
    assert kernel.leaks.objects["drm_sched_job"] == 2
    assert kernel.leaks.objects["drm_sched_fence"] == 2


def test_fini_of_an_idle_scheduler_is_silent(driver, kernel):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    driver.submit(entity, run=instant).wait()
    driver.close()
    driver.forget(sched, entity)
    driver.jobs.clear()
    assert messages(kernel) == []
