# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Every allocation of the scheduler fails once: -ENOMEM, everything unwound, nothing leaked."""

from __future__ import annotations

import pytest

from kport.linux.err import ENOMEM
from kport.linux.module import InitcallError
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import fail_nth, kfree, kzalloc_obj, live
from tests.drm.scheduler.driver import Driver, instant
from tests.support import eventually, messages


def failures(operation) -> int:
    """Call `operation` with the first, second, ... allocation failing until it succeeds.

    It must answer -ENOMEM each time and leave no object behind. Returns how many could fail.
    """
    for nth in range(1, 100):
        before = set(live)
        fail_nth(nth)
        ret = operation()
        fail_nth(0)
        if ret == 0:
            return nth - 1
        assert ret == -ENOMEM
        eventually(lambda before=before: set(live) == before)  # a stopped rescuer is on its way out
    raise AssertionError("it never succeeds")


@pytest.mark.parametrize(("num_rqs", "expected"), [(1, 4), (2, 5), (4, 7)])
def test_init_of_a_scheduler(driver, num_rqs, expected):
    """The queue, its rescuer, the array, and each run queue."""
    sched = kzalloc_obj(driver.api.drm_gpu_scheduler)
    args = driver.api.drm_sched_init_args(
        ops=driver.ops(),
        num_rqs=num_rqs,
        credit_limit=1,
        timeout=MAX_SCHEDULE_TIMEOUT,
        name="ring0",
        dev=driver.dev,
    )

    def init() -> int:
        ret = driver.main.drm_sched_init(sched, args)
        assert sched.ready == (ret == 0)
        assert (sched.sched_rq is None) == (ret != 0)
        return ret

    assert failures(init) == expected
    entity = driver.entity(sched, priority=0)
    assert driver.submit(entity, run=instant).wait() == 0
    driver.baseline.sched_entity.drm_sched_entity_destroy(entity)
    kfree(entity)
    driver.forget(entity)
    driver.main.drm_sched_fini(sched)
    kfree(sched)


def test_the_message_of_a_scheduler_without_memory(driver, kernel):
    sched = kzalloc_obj(driver.api.drm_gpu_scheduler)
    args = driver.api.drm_sched_init_args(
        ops=driver.ops(), num_rqs=4, credit_limit=1, name="ring0", dev=driver.dev
    )
    fail_nth(5)
    assert driver.main.drm_sched_init(sched, args) == -ENOMEM
    assert messages(kernel) == [
        "test card0: drm_sched_init: Failed to setup GPU scheduler--out of memory"
    ]
    kfree(sched)


def test_init_of_an_entity(driver):
    sched = driver.scheduler()
    entity = kzalloc_obj(driver.api.drm_sched_entity)
    init = driver.baseline.sched_entity.drm_sched_entity_init
    assert failures(lambda: init(entity, 2, [sched], 1, None)) == 1
    driver.baseline.sched_entity.drm_sched_entity_destroy(entity)
    kfree(entity)


def test_init_of_a_job(driver):
    entity = driver.entity(driver.scheduler())
    base = kzalloc_obj(driver.api.drm_sched_job)
    init = driver.main.drm_sched_job_init
    assert failures(lambda: init(base, entity, 1, None, 0)) == 1
    driver.main.drm_sched_job_cleanup(base)
    kfree(base)


def test_arming_pushing_running_and_freeing_need_no_memory(driver):
    """The path to the hardware must not allocate: memory may be what it frees."""
    entity = driver.entity(driver.scheduler())
    driver.submit(entity, run=instant).wait()
    job = driver.job(entity)
    fail_nth(1)
    driver.push(job)
    assert kzalloc_obj(driver.api.drm_sched_job) is None, "nothing used the failure up"
    job.end()
    assert job.wait() == 0


def test_loading_the_module_without_memory(boot, baseline, monkeypatch):
    monkeypatch.setattr(baseline.sched_fence, "KMEM_CACHE", lambda *args: None)
    with pytest.raises(InitcallError, match="drm_sched_fence_slab_init returned -12"), boot():
        raise AssertionError("the block must not run")
    monkeypatch.undo()
    with boot() as kernel:
        driver = Driver(baseline)
        driver.submit(driver.entity(driver.scheduler()), run=instant).wait()
        driver.close()
    assert not kernel.leaks
