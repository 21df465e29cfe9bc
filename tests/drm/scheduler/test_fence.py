# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The two fences of a job: names, references, memory, deadlines, the parent."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence_driver_name,
    dma_fence_get,
    dma_fence_put,
    dma_fence_set_deadline,
    dma_fence_signal,
    dma_fence_timeline_name,
)
from kport.linux.bitops import test_bit
from kport.linux.cleanup import guard
from kport.linux.kref import kref_read
from kport.linux.rcupdate import rcu_barrier, rcu_read_lock, rcu_read_unlock
from tests.dma_buf.fences import new, ops_with
from tests.drm.scheduler.driver import instant, nothing
from tests.support import Gate, Thread, eventually, never, take_warnings

test_bit.__test__ = False


@pytest.fixture
def api(baseline):
    """The functions of sched_fence."""
    return baseline.sched_fence


def cached(api) -> int:
    """How many scheduler fences the slab has given out."""
    return len(api.sched_fence_slab.objects)


def test_names(driver):
    job = driver.submit(driver.entity(driver.scheduler("gfx_0.0.0")))
    with guard("rcu"):
        assert dma_fence_driver_name(job.finished) == "drm_sched"
        assert dma_fence_timeline_name(job.finished) == "gfx_0.0.0"
    assert job.scheduled.ops.get_driver_name(job.scheduled) == "drm_sched"
    assert job.scheduled.ops.get_timeline_name(job.scheduled) == "gfx_0.0.0"
    job.end()
    job.wait()
    with guard("rcu"):
        assert dma_fence_driver_name(job.finished) == "detached-driver"
        assert dma_fence_timeline_name(job.finished) == "signaled-timeline"


def test_either_fence_leads_to_both(driver, api):
    job = driver.job(driver.entity(driver.scheduler()))
    s_fence = job.base.s_fence
    driver.push(job)
    assert api.to_drm_sched_fence(job.scheduled) is s_fence
    assert api.to_drm_sched_fence(job.finished) is s_fence
    stranger = new()
    assert api.to_drm_sched_fence(stranger) is None
    dma_fence_put(stranger)
    job.end()


def test_both_share_memory_and_lock(driver):
    job = driver.submit(driver.entity(driver.scheduler()))
    s_fence = job.base.s_fence
    assert job.scheduled.extern_lock is job.finished.extern_lock is s_fence.lock
    assert s_fence.owner is driver
    assert s_fence.drm_client_id == 7
    job.end()


def test_finished_holds_scheduled(driver):
    job = driver.submit(driver.entity(driver.scheduler()), run=nothing)
    job.wait()
    dma_fence_put(job.scheduled)
    scheduled, job.scheduled = job.scheduled, None
    assert kref_read(scheduled.refcount) == 1
    driver.drain()


def test_memory_comes_back_a_grace_period_after_the_last_reference(driver, api):
    sched = driver.scheduler()
    driver.submit(driver.entity(sched), run=nothing).wait()
    driver.close()
    driver.forget(sched, *driver._entities)
    driver.jobs.clear()
    assert cached(api) == 1, "a grace period has not passed yet"
    rcu_barrier()
    assert cached(api) == 0


@pytest.mark.boot(check="")  # its reader sleeps
def test_a_reader_may_still_look_at_a_fence_whose_last_reference_went(driver, api):
    sched = driver.scheduler()
    job = driver.submit(driver.entity(sched), run=nothing)
    job.wait()
    gate = Gate()
    finished = job.finished

    def read() -> int:
        rcu_read_lock()
        gate.enter()
        context = finished.context
        rcu_read_unlock()
        return context

    reader = Thread(read)
    gate.arrived()
    context = finished.context
    driver.close()
    driver.forget(sched, *driver._entities)
    driver.jobs.clear()
    never(lambda: cached(api) == 0)
    gate.open()
    assert reader.join() == context
    rcu_barrier()
    assert cached(api) == 0


def test_unarmed_fences_are_freed_at_once(driver, api):
    job = driver.job(driver.entity(driver.scheduler()))
    assert cached(api) == 1
    driver.discard(job)
    assert cached(api) == 0


def test_freeing_armed_fences_by_hand_is_a_warning(driver, api, kernel):
    job = driver.submit(driver.entity(driver.scheduler()))
    api.drm_sched_fence_free(job.base.s_fence)
    assert len(take_warnings(kernel)) == 1
    job.end()
    job.wait()


# -- the parent ------------------------------------------------------------------------------------


def test_the_hardware_fence_is_the_parent_with_a_reference(driver):
    job = driver.submit(driver.entity(driver.scheduler()))
    eventually(lambda: job.hw and job.base.s_fence.parent)
    assert job.base.s_fence.parent is job.hw
    eventually(lambda: kref_read(job.hw.refcount) == 2)
    job.end()
    job.wait()


def test_deadlines_reach_the_hardware_fence(driver):
    wanted = []
    hw = new(ops=ops_with(set_deadline=lambda f, t: wanted.append(t)))
    entity = driver.entity(driver.scheduler())
    blocker = new()
    job = driver.submit(entity, after=[blocker], run=lambda job: dma_fence_get(hw))
    dma_fence_set_deadline(job.finished, 500)
    assert test_bit(driver.api.DRM_SCHED_FENCE_FLAG_HAS_DEADLINE_BIT, job.finished.flags)
    assert wanted == [], "there is no hardware fence yet"
    dma_fence_signal(blocker)
    eventually(lambda: wanted)
    dma_fence_set_deadline(job.finished, 700)
    assert wanted == [500], "a later deadline changes nothing"
    dma_fence_set_deadline(job.finished, 300)
    assert wanted == [500, 300]
    dma_fence_signal(hw)
    job.wait()
    dma_fence_put(hw)
    dma_fence_put(blocker)


def test_a_job_that_ran_at_once_has_no_deadline_to_pass_on(driver):
    job = driver.submit(driver.entity(driver.scheduler()), run=instant)
    job.wait()
    dma_fence_set_deadline(job.finished, 1)
    assert not test_bit(driver.api.DRM_SCHED_FENCE_FLAG_HAS_DEADLINE_BIT, job.finished.flags)
