# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What those who wait for a job see when it did not end well."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import dma_fence_add_callback, dma_fence_cb
from kport.drivers.amdgpu.amdgpu import AMDGPU_RESET_TYPE_FULL
from kport.drivers.amdgpu.amdgpu_job import amdgpu_job_stop_all_jobs_on_sched
from kport.drivers.amdgpu.amdgpu_ring import amdgpu_ring_sched_start, amdgpu_ring_sched_stop
from kport.drivers.compat import (
    drm_sched_entity_error,
    drm_sched_entity_fini,
    struct_of,
)
from kport.hw.faults import Cure, Fault, Kind
from kport.linux.err import ECANCELED, EHWPOISON, ENODATA, ENODEV, ESRCH, ETIME
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.list import list_first_entry
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from tests.drivers.gpu import Gpu, Submitted, slots
from tests.support import MS, eventually, never

pytestmark = pytest.mark.boot(scale=3)

SHORT = msecs_to_jiffies(20)
FULL = AMDGPU_RESET_TYPE_FULL


@pytest.fixture
def make(kernel):
    made: list[Gpu] = []

    def make_gpu(*rings: str, **args) -> Gpu:
        made.append(Gpu(*rings, **{"timeout": SHORT, "credit_limit": 4} | args))
        return made[-1]

    yield make_gpu
    for gpu in made:
        gpu.close()


@pytest.fixture
def only_7_2(scheduler):
    if scheduler != "v7_2":
        pytest.skip("the scheduler does not pass the errors of hardware fences on")


def watched(job: Submitted) -> list[int]:
    """The errors that a waiter's callback sees."""
    seen: list[int] = []
    cb = dma_fence_cb()
    assert dma_fence_add_callback(job.finished, cb, lambda f, cb: seen.append(f.error)) == 0
    return seen


def hang(cure: Cure) -> list[Fault]:
    return [Fault(Kind.HANG, "gfx", at=1, cure=cure)]


@pytest.mark.parametrize(
    ("options", "errors"),
    [
        ({"faults": hang(Cure.SOFT)}, [-ENODATA, -ENODATA, 0]),
        ({"faults": hang(Cure.RING)}, [-ETIME, -ECANCELED, 0]),
        ({"faults": hang(Cure.FULL)}, [-ETIME, -ECANCELED, -ECANCELED]),
        ({"faults": hang(Cure.FULL), "resubmit": True}, [-ECANCELED, -ECANCELED, 0]),
        ({"faults": hang(Cure.NEVER), "resubmit": True}, [-ENODEV, -ENODEV, -ENODEV]),
    ],
)
def test_how_a_hung_job_its_sibling_and_an_innocent_end(make, only_7_2, options, errors):
    gpu = make("gfx", **options)
    bad, good = gpu.entity(), gpu.entity()
    hung = gpu.job(bad, MS)
    eventually(lambda: gpu.rings[0].hw.hung)
    jobs = [hung, gpu.job(bad, MS), gpu.job(good, MS)]
    seen = [watched(job) for job in jobs]
    for job in jobs:
        job.wait()
    if errors[:2] == [-ENODATA, -ENODATA]:
        # The sibling was on the ring already; killing one leaves the other alone.
        errors = [-ENODATA, 0, 0]
    assert [each[0] for each in seen] == errors


def test_the_entity_knows_the_error_and_its_next_jobs_inherit_it(make, only_7_2):
    gpu = make("gfx", credit_limit=1, supported_reset=FULL, faults=hang(Cure.FULL))
    entity, other = gpu.entity(), gpu.entity()
    jobs = [gpu.job(entity, MS) for _ in range(3)]
    assert [job.wait() for job in jobs] == [-ETIME] * 3
    assert drm_sched_entity_error(entity) == -ETIME
    assert gpu.job(other, MS).wait() == 1
    assert drm_sched_entity_error(other) == 0
    assert [job.batches[0].began is None for job in jobs] == [False, True, True]


def test_a_job_behind_a_failed_one_of_another_entity_runs_and_sees_the_error(make, only_7_2):
    gpu = make("gfx", "comp", faults=hang(Cure.RING))
    hung = gpu.job(gpu.entity(0), MS)
    behind = gpu.job(gpu.entity(1), MS, after=[hung.finished])
    assert (hung.wait(), behind.wait()) == (-ETIME, 1)
    assert behind.batches[0].began >= hung.batches[0].ended


def test_a_killed_entity_waits_for_what_its_jobs_depend_on(make, only_7_2):
    """Its jobs end with -ESRCH, but not before the fences they were to wait for."""
    gpu = make("gfx", "comp", timeout=MAX_SCHEDULE_TIMEOUT)
    endless = gpu.job(gpu.entity(0), None)
    entity = gpu.entity(1)
    jobs = [gpu.job(entity, MS, after=[endless.finished]), gpu.job(entity, MS)]
    amdgpu_ring_sched_stop(gpu.rings[1])
    drm_sched_entity_fini(entity)
    gpu.ended.append(entity)
    amdgpu_ring_sched_start(gpu.rings[1])
    never(lambda: any(job.status for job in jobs), msecs=10)
    endless.batches[0].end(gpu.adev.gpu.machine)
    assert [job.wait() for job in jobs] == [-ESRCH, -ESRCH]
    assert all(job.batches[0].began is None for job in jobs)


def test_poisoned_memory_ends_every_job_and_loses_those_in_the_queues(make, only_7_2):
    """amdgpu_job_stop_all_jobs_on_sched(): "incorrect and racy", says its own comment."""
    gpu = make("gfx", credit_limit=1, timeout=MAX_SCHEDULE_TIMEOUT)
    entity = gpu.entity()
    jobs = [gpu.job(entity, None) for _ in range(3)]
    eventually(lambda: gpu.rings[0].hw.running)
    sched = gpu.rings[0].sched
    amdgpu_ring_sched_stop(gpu.rings[0])
    pending = list_first_entry(sched.pending_list, struct_of("drm_sched_job"), "list")
    amdgpu_job_stop_all_jobs_on_sched(sched)
    assert [job.status for job in jobs] == [-EHWPOISON] * 3
    # Before the scheduler frees the job: its hardware fence would call back into freed memory.
    jobs[0].batches[0].end(gpu.adev.gpu.machine)
    eventually(lambda: slots(gpu.rings[0]) == [None] * 2)
    amdgpu_ring_sched_start(gpu.rings[0])
    eventually(lambda: jobs[0].freed)
    assert jobs[0].freed == [-EHWPOISON]
    never(lambda: jobs[1].freed or jobs[2].freed, msecs=10)
    assert pending is jobs[0].base
    for job in jobs[1:]:
        sched.ops.free_job(job.base)  # nobody else will
