# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The scheduler of 2023: a work item does what the thread of 6.1 did."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import kport
from kport.dma_buf.dma_fence import dma_fence_put, dma_fence_signal
from kport.drm.scheduler import v3_2023, v6_1
from kport.linux.atomic import ATOMIC_INIT, atomic_read
from kport.linux.err import ECANCELED, EIO, ERR_PTR, ESRCH
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.sched import current, tasks
from kport.linux.slab import kfree
from kport.linux.workqueue import (
    alloc_ordered_workqueue,
    destroy_workqueue,
    system_percpu_wq,
    work_pending,
)
from tests.dma_buf.fences import new
from tests.drm.scheduler.driver import instant
from tests.support import Gate, Thread, eventually, never


def body(module) -> list[str]:
    """The statements of a module but for its docstring and its imports of other files."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    return [ast.unparse(node) for node in tree.body[1:] if not isinstance(node, ast.ImportFrom)]


def test_the_patch_leaves_entities_alone():
    assert body(v3_2023.sched_entity) == body(v6_1.sched_entity)
    assert v3_2023.sched_fence is v6_1.sched_fence


def test_there_is_no_thread_and_jobs_run_on_workers(driver):
    before = set(tasks)
    sched = driver.scheduler("gfx")
    assert set(tasks) == before
    assert sched.submit_wq is system_percpu_wq, "6.1 calls it system_wq"
    names = []

    def note(job):
        names.append(current().comm)
        return instant(job)

    driver.submit(driver.entity(sched), run=note).wait()
    assert [name.split("/")[0] for name in names] == ["kworker"]


def test_jobs_run_and_are_freed_in_order_one_of_each_per_run(driver):
    entity = driver.entity(driver.scheduler())
    driver.run = instant
    for _ in range(10):
        driver.submit(entity)
    eventually(lambda: len(driver.frees) == 10)
    assert driver.runs == driver.frees == list(range(10))


def test_entities_take_turns_and_priorities_are_strict(driver):
    sched = driver.scheduler()
    driver.run = instant
    driver.main.drm_sched_submit_stop(sched)
    low = driver.entity(sched, priority=driver.api.DRM_SCHED_PRIORITY_MIN)
    two = [driver.entity(sched) for _ in range(2)]
    for entity in (low, *two):
        for _ in range(2):
            driver.submit(entity)
    driver.main.drm_sched_submit_start(sched)
    eventually(lambda: len(driver.frees) == 6)
    assert driver.runs == [2, 4, 3, 5, 0, 1]


def test_with_nothing_to_do_the_item_rests(driver):
    sched = driver.scheduler()
    driver.submit(driver.entity(sched), run=instant).wait()
    eventually(lambda: not work_pending(sched.work_submit))
    never(lambda: work_pending(sched.work_submit), msecs=5)


def test_errors_are_those_of_6_1(driver):
    entity = driver.entity(driver.scheduler())
    assert driver.submit(entity, run=lambda job: ERR_PTR(-EIO)).wait() == -EIO
    job = driver.submit(entity)
    job.end(-EIO)
    assert job.wait() == 0


def test_a_job_that_has_to_wait_hides_the_jobs_of_others(driver):
    """A bug of the patch: the item ends when the job it chose has to wait, and nobody queues it.

    The thread of 6.1 went on with the next entity. When the conversion was merged it had this bug
    still; since 6.8 the item queues itself again.
    """
    sched = driver.scheduler()
    driver.main.drm_sched_submit_stop(sched)
    fence = new()
    waiting = driver.submit(driver.entity(sched), after=[fence], run=instant)
    ready = driver.submit(driver.entity(sched), run=instant)
    driver.main.drm_sched_submit_start(sched)
    never(lambda: driver.runs, msecs=20)
    driver.main.drm_sched_wakeup(sched)
    assert ready.wait() == 0
    dma_fence_signal(fence)
    assert waiting.wait() == 0
    dma_fence_put(fence)


# -- pausing ---------------------------------------------------------------------------------------


def test_after_submit_stop_nothing_runs_until_start(driver):
    sched = driver.scheduler(credit_limit=4)
    entity = driver.entity(sched)
    running = driver.submit(entity)
    eventually(lambda: driver.ran(running))
    driver.main.drm_sched_submit_stop(sched)
    queued = [driver.submit(entity, run=instant) for _ in range(3)]
    running.end()
    never(lambda: driver.ran(queued[0]) or running.freed)
    assert running.done
    assert driver.main.drm_sched_submit_ready(sched)
    driver.main.drm_sched_submit_start(sched)
    assert [job.wait() for job in queued] == [0] * 3


def test_submit_stop_waits_for_a_callback_that_runs(driver):
    sched = driver.scheduler()
    gate = Gate()

    def slow(job):
        gate.enter()
        return instant(job)

    job = driver.submit(driver.entity(sched), run=slow)
    gate.arrived()
    stopper = Thread(driver.main.drm_sched_submit_stop, sched)
    never(lambda: stopper.done)
    gate.open()
    stopper.join()
    driver.main.drm_sched_submit_start(sched)
    assert job.wait() == 0


def test_stopping_from_one_of_its_own_callbacks_is_a_deadlock_report(boot):
    from tests.drm.scheduler.v3_2023.conftest import Driver2023

    with pytest.raises(kport.KernelOops, match="BUG: deadlock: drm_sched_main"):
        with boot():
            driver = Driver2023()
            sched = driver.scheduler()
            driver.submit(
                driver.entity(sched), run=lambda job: driver.main.drm_sched_submit_stop(sched)
            )
            eventually(lambda: False)


# -- timeouts, recovery, the end -------------------------------------------------------------------


def test_a_hung_job_times_out(driver):
    job = driver.submit(driver.entity(driver.scheduler(timeout=msecs_to_jiffies(20))))
    assert job.wait() == 0
    assert driver.timeouts() == [0]


def test_recovery_stops_blames_resubmits_and_starts(driver):
    guilty = ATOMIC_INIT(0)
    sched = driver.scheduler(credit_limit=3)
    bad, good = driver.entity(sched, guilty=guilty), driver.entity(sched)
    jobs = [driver.submit(bad), driver.submit(good)]
    eventually(lambda: all(job.base.s_fence.parent for job in jobs))
    driver.main.drm_sched_stop(sched, None)
    assert atomic_read(sched.hw_rq_count) == 0
    driver.main.drm_sched_increase_karma(jobs[0].base)
    for job in jobs:
        job.end()
        driver.void(job)
        job.run = instant
    driver.main.drm_sched_resubmit_jobs(sched)
    driver.main.drm_sched_start(sched, True)
    assert [job.wait() for job in jobs] == [-ECANCELED, 0]
    assert driver.runs == [0, 1, 0, 1]


def test_queued_jobs_end_with_their_entity(driver):
    sched = driver.scheduler()
    entity = driver.entity(sched)
    driver.main.drm_sched_submit_stop(sched)
    jobs = [driver.submit(entity) for _ in range(3)]
    driver.baseline.sched_entity.drm_sched_entity_fini(entity)
    driver.main.drm_sched_submit_start(sched)
    assert [job.wait() for job in jobs] == [-ESRCH] * 3
    driver.forget(entity)
    kfree(entity)


def test_a_queue_of_the_drivers_stays_when_the_scheduler_goes(driver):
    wq = alloc_ordered_workqueue("gpu", 0)
    scheds = [driver.scheduler(name, submit_wq=wq) for name in ("a", "b")]
    for sched in scheds:
        driver.submit(driver.entity(sched), run=instant).wait()
    driver.main.drm_sched_fini(scheds[0])
    driver.forget(scheds[0])
    assert driver.submit(driver.entity(scheds[1]), run=instant).wait() == 0
    for entity in list(driver._entities):
        driver.baseline.sched_entity.drm_sched_entity_destroy(entity)
        driver.forget(entity)
        kfree(entity)
    driver.main.drm_sched_fini(scheds[1])
    driver.forget(scheds[1])
    destroy_workqueue(wq)
    for sched in scheds:
        kfree(sched)
