# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Recovery from hangs, step by step: soft, ring, full, virtual function, and no recovery at all.

The scheduler of 6.1 does not copy the error of a hardware fence to the finished fence; what the
driver sets there itself, and what the scheduler sets, is seen on both.
"""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import dma_fence_wait
from kport.drivers.amdgpu.amdgpu import (
    AMDGPU_RESET_TYPE_FULL,
    AMDGPU_RESET_TYPE_PER_QUEUE,
    AMDGPU_RESET_TYPE_SOFT_RESET,
)
from kport.drivers.compat import (
    drm_sched_fault,
    drm_sched_wqueue_start,
    drm_sched_wqueue_stop,
)
from kport.hw.faults import Cure, Fault, Kind
from kport.linux.atomic import atomic_read
from kport.linux.err import ECANCELED, ENODATA, ENODEV, ETIME
from kport.linux.jiffies import jiffies, msecs_to_jiffies
from kport.linux.workqueue import delayed_work_pending
from tests.drivers.gpu import Gpu, slots
from tests.support import MS, eventually, messages, never, sleep_ms

# Soft recovery gives an engine 10 ms to let go: on a busy machine that takes a slower clock.
pytestmark = pytest.mark.boot(scale=3)

SHORT = msecs_to_jiffies(20)
LONG = msecs_to_jiffies(60_000)
FULL, SOFT, RING = (
    AMDGPU_RESET_TYPE_FULL,
    AMDGPU_RESET_TYPE_SOFT_RESET,
    AMDGPU_RESET_TYPE_PER_QUEUE,
)


@pytest.fixture
def passes_on(scheduler) -> bool:
    """True if the scheduler passes the error of a hardware fence on to the finished fence."""
    return scheduler == "v7_2"


@pytest.fixture
def make(kernel):
    """Makes devices that are taken down at the end."""
    made: list[Gpu] = []

    def make_gpu(*rings: str, **args) -> Gpu:
        made.append(Gpu(*rings, **{"timeout": SHORT, "credit_limit": 4} | args))
        return made[-1]

    yield make_gpu
    for gpu in made:
        gpu.close()


def hang(cure: Cure, at: int = 1, **options) -> list[Fault]:
    return [Fault(Kind.HANG, "gfx", at=at, cure=cure, **options)]


def said(kernel, *texts: str) -> bool:
    """True if these texts are in the log in this order."""
    log = iter(messages(kernel))
    return all(any(text in line for line in log) for text in texts)


# -- soft ------------------------------------------------------------------------------------------


def test_what_hangs_is_killed_and_the_ring_goes_on(make, kernel, passes_on):
    gpu = make("gfx", faults=hang(Cure.SOFT))
    bad, good = gpu.entity(), gpu.entity()
    hung, behind = gpu.job(bad, MS), gpu.job(good, MS)
    assert hung.wait() == (-ENODATA if passes_on else 1)
    assert behind.wait() == 1
    assert (gpu.stats.soft, gpu.stats.ring, gpu.stats.full) == (1, 0, 0)
    assert gpu.stats.guilty == [hung.finished.context]
    assert atomic_read(gpu.adev.gpu_reset_counter) == 1
    assert said(kernel, "ring gfx timeout, but soft recovered")


def test_a_job_that_only_takes_too_long_is_killed_too(make, passes_on):
    gpu = make("comp")
    slow = gpu.job(gpu.entity(), 60_000 * MS)
    assert slow.wait() == (-ENODATA if passes_on else 1)
    assert slow.batches[0].ended - slow.batches[0].began < 1000 * MS


def test_a_false_alarm_puts_the_job_back_and_it_is_freed_without_error(make, kernel):
    """Its fence has signalled, but the scheduler has not got round to freeing it."""
    gpu = make("gfx", timeout=LONG)
    ring = gpu.rings[0]
    job = gpu.job(gpu.entity(), None)
    eventually(lambda: ring.hw.running)
    drm_sched_wqueue_stop(ring.sched)
    job.batches[0].end(gpu.adev.gpu.machine)
    eventually(lambda: job.status == 1)
    drm_sched_fault(ring.sched)
    eventually(lambda: gpu.stats.timeouts == 1)
    eventually(lambda: said(kernel, "ring gfx timeout, but soft recovered"))
    never(lambda: job.freed)
    drm_sched_wqueue_start(ring.sched)
    assert job.wait() == 1
    assert (gpu.stats.soft, gpu.stats.guilty) == (0, [])


def test_a_lost_interrupt_looks_like_a_hang(make, passes_on):
    """The timeout is shorter than the fallback timer's half second: a job that ran is failed."""
    gpu = make("gfx", faults=[Fault(Kind.LOST, at=1)])
    job = gpu.job(gpu.entity(), MS)
    assert job.wait() == (-ETIME if passes_on else 1)
    assert job.batches[0].ended - job.batches[0].began == MS
    assert gpu.stats.ring == 1, "there was nothing to kill"


@pytest.mark.boot(scale=0.2)
@pytest.mark.parametrize(
    "fault",
    [
        Fault(Kind.LOST, at=1),
        Fault(Kind.LATE, at=1, duration=300 * MS),
        Fault(Kind.SILENT, at=1),
    ],
)
def test_with_a_longer_timeout_a_flaky_interrupt_only_costs_time(make, fault):
    gpu = make("gfx", timeout=LONG, faults=[fault])
    jobs = [gpu.job(gpu.entity(), MS) for _ in range(2)]
    assert [job.wait() for job in jobs] == [1, 1]
    assert gpu.stats.timeouts == 0


# -- the ring --------------------------------------------------------------------------------------


def test_a_ring_reset_runs_the_jobs_of_others_again(make, kernel, passes_on):
    gpu = make("gfx", timeout=SHORT, faults=hang(Cure.RING))
    bad, good = gpu.entity(), gpu.entity()
    hung = gpu.job(bad, MS)
    eventually(lambda: gpu.rings[0].hw.hung)
    same, innocent = gpu.job(bad, MS), gpu.job(good, MS)
    assert hung.wait() == (-ETIME if passes_on else 1)
    assert same.wait() == (-ECANCELED if passes_on else 1)
    assert innocent.wait() == 1
    assert innocent.batches[0].ended - innocent.batches[0].began == MS
    assert same.batches[0].began is None, "its batch was replaced by nothing"
    assert (gpu.stats.soft, gpu.stats.ring, gpu.stats.full) == (0, 1, 0)
    assert gpu.stats.resubmitted == 1
    assert said(
        kernel,
        "ring gfx timeout, signaled seq=0, emitted seq=3",
        "Starting gfx ring reset",
        "Ring gfx reset succeeded",
        "device wedged, but recovered through reset",
    )


def test_sdma_cannot_be_recovered_softly(make):
    gpu = make("sdma", faults=[Fault(Kind.HANG, at=1, cure=Cure.SOFT)])
    gpu.job(gpu.entity(), MS).wait()
    assert (gpu.stats.soft, gpu.stats.ring) == (0, 1)


def test_numbers_and_slots_are_right_after_a_ring_reset(make):
    gpu = make("gfx", credit_limit=2, faults=hang(Cure.RING, at=2, every=6))
    entities = [gpu.entity() for _ in range(8)]
    jobs = [gpu.job(entity, MS // 2) for entity in entities for _ in range(3)]
    for job in jobs:
        job.wait()
    ring = gpu.rings[0]
    assert gpu.stats.ring >= 2
    assert slots(ring) == [None] * 4
    assert atomic_read(ring.fence_drv.last_seq) == ring.fence_drv.sync_seq


# -- the device ------------------------------------------------------------------------------------


def test_a_full_reset_of_7_2_cancels_what_is_on_the_hardware(make, kernel, scheduler):
    if scheduler != "v7_2":
        pytest.skip("6.1 does not pass the errors of hardware fences on")
    gpu = make("gfx", "comp", faults=hang(Cure.FULL))
    hung = gpu.job(gpu.entity(0), MS)
    elsewhere = gpu.job(gpu.entity(1), None)
    eventually(lambda: gpu.rings[0].hw.hung and gpu.rings[1].hw.running)
    assert (hung.wait(), elsewhere.wait()) == (-ETIME, -ECANCELED)
    assert (gpu.stats.full, gpu.stats.resubmitted) == (1, 0)
    assert gpu.adev.gpu.resets == 1
    later = [gpu.job(gpu.entity(ring), MS) for ring in (0, 1)]
    assert [job.wait() for job in later] == [1, 1]
    assert said(
        kernel,
        "Starting gfx ring reset",
        "Ring gfx reset failed",
        "GPU reset begin!. Source:  2",
        "GPU reset(1) succeeded!",
    )


def test_a_full_reset_as_in_6_1_runs_the_innocent_again(make, kernel):
    gpu = make("gfx", "comp", timeout=LONG, resubmit=True, faults=hang(Cure.FULL))
    bad, good, elsewhere = gpu.entity(0), gpu.entity(0), gpu.entity(1)
    hung = gpu.job(bad, MS)
    eventually(lambda: gpu.rings[0].hw.hung)
    same, innocent, other = gpu.job(bad, MS), gpu.job(good, MS), gpu.job(elsewhere, None)
    for job in (same, innocent, other):
        dma_fence_wait(job.scheduled, False)
    batch = other.batches[0]
    eventually(lambda: gpu.rings[1].hw.running is batch)
    first = batch.began
    drm_sched_fault(gpu.rings[0].sched)
    eventually(lambda: batch.began > first)
    batch.end(gpu.adev.gpu.machine)
    assert (hung.wait(), same.wait()) == (-ECANCELED, -ECANCELED)
    assert (innocent.wait(), other.wait()) == (1, 1)
    assert batch.spent == 0, "from its beginning"
    assert (gpu.stats.full, gpu.stats.resubmitted) == (1, 2)
    assert [gpu.is_guilty(each) for each in (bad, good, elsewhere)] == [True, False, False]
    assert gpu.stats.guilty == [hung.finished.context]


def test_a_guilty_entity_runs_nothing_any_more(make):
    gpu = make("gfx", resubmit=True, faults=hang(Cure.FULL))
    entity = gpu.entity()
    assert gpu.job(entity, MS).wait() == -ECANCELED
    later = gpu.job(entity, MS)
    assert later.wait() == -ECANCELED
    assert later.batches[0].began is None
    assert gpu.job(gpu.entity(), MS).wait() == 1


@pytest.mark.parametrize(("limit", "status"), [(0, -ECANCELED), (1, 1)])
def test_up_to_the_hang_limit_a_hung_job_runs_again(make, limit, status):
    gpu = make("gfx", resubmit=True, hang_limit=limit, faults=hang(Cure.FULL))
    entity = gpu.entity()
    assert gpu.job(entity, MS).wait() == status
    assert gpu.is_guilty(entity), "the limit is for running again only"


def test_what_a_device_cannot_do_is_left_out(make):
    gpu = make("gfx", supported_reset=FULL, faults=hang(Cure.SOFT))
    gpu.job(gpu.entity(), MS).wait()
    assert (gpu.stats.soft, gpu.stats.ring, gpu.stats.full) == (0, 0, 1)
    gpu = make("gfx", supported_reset=FULL | RING, faults=hang(Cure.SOFT))
    gpu.job(gpu.entity(), MS).wait()
    assert (gpu.stats.soft, gpu.stats.ring, gpu.stats.full) == (0, 1, 0)
    gpu = make("gfx", supported_reset=FULL | SOFT, faults=hang(Cure.RING))
    gpu.job(gpu.entity(), MS).wait()
    assert (gpu.stats.soft, gpu.stats.ring, gpu.stats.full) == (0, 0, 1)


def test_without_recovery_a_hung_job_is_left_alone(make, kernel, scheduler):
    """The driver puts the timeout off for ever, and 7.2 arms it again when the handler returns."""
    gpu = make("gfx", gpu_recovery=0)
    job = gpu.job(gpu.entity(), None)
    eventually(lambda: gpu.stats.timeouts)
    if scheduler == "v7_2":
        eventually(lambda: gpu.stats.timeouts > 2)
    else:
        never(lambda: gpu.stats.timeouts > 1, msecs=100)
    assert not job.freed
    assert said(kernel, "ring gfx timeout, signaled seq=0", "GPU recovery disabled.")
    job.batches[0].end(gpu.adev.gpu.machine)
    job.wait()


# -- page faults -----------------------------------------------------------------------------------


def test_a_page_fault_is_dealt_with_at_once(make, kernel):
    gpu = make("gfx", timeout=LONG, faults=[Fault(Kind.FAULT, at=2)])
    began = jiffies()
    jobs = []
    for _ in range(3):  # one after another: test_findings says what a job that begins can undo
        jobs.append(gpu.job(gpu.entity(), MS))
        jobs[-1].wait()
    assert jiffies() - began < LONG // 10
    assert gpu.stats.soft == 1
    vmid = jobs[1].finished.context
    assert said(kernel, f"page fault (src_id:0 ring:0 vmid:{vmid} pasid:0)", "soft recovered")


# -- out of order ----------------------------------------------------------------------------------


def test_numbers_in_the_wrong_order_end_jobs_too_early_but_lose_none(make):
    """A fence says "everything up to here": what the driver cannot know it gets wrong."""
    gpu = make("gfx", faults=[Fault(Kind.SWAP, at=1, every=2)])
    entities = [gpu.entity() for _ in range(4)]
    drm_sched_wqueue_stop(gpu.rings[0].sched)
    jobs = [gpu.job(entity, 2 * MS) for entity in entities for _ in range(4)]
    drm_sched_wqueue_start(gpu.rings[0].sched)
    assert [job.wait() for job in jobs] == [1] * 16
    eventually(lambda: gpu.rings[0].hw.rptr == gpu.rings[0].hw.wptr)
    assert all(len(job.freed) == 1 for job in jobs)


# -- virtual functions -----------------------------------------------------------------------------


@pytest.mark.parametrize(("refusals", "failed"), [(0, 0), (2, 0), (3, 1)])
def test_a_virtual_function_asks_its_host_three_times(make, kernel, refusals, failed):
    gpu = make("gfx", vf=True, supported_reset=FULL, faults=hang(Cure.SOFT))
    gpu.adev.gpu.host_refuses = refusals
    hung = gpu.job(gpu.entity(), MS)
    assert hung.wait() < 0
    eventually(lambda: gpu.stats.full + gpu.stats.failed == 1)
    assert gpu.stats.failed == failed
    eventually(lambda: gpu.adev.unplugged is bool(failed))
    assert gpu.job(gpu.entity(), MS).wait() == (-ENODEV if failed else 1)


# -- no way back -----------------------------------------------------------------------------------


@pytest.mark.parametrize("resubmit", [False, True])
def test_a_device_that_no_reset_helps_is_given_up(make, kernel, resubmit):
    timeout = msecs_to_jiffies(40)
    gpu = make("gfx", "comp", timeout=timeout, resubmit=resubmit, faults=hang(Cure.NEVER))
    hung = gpu.job(gpu.entity(0), MS)
    sleep_ms(25)
    other = gpu.job(gpu.entity(1), None)
    eventually(lambda: gpu.adev.unplugged)
    hung.wait()
    other.wait()
    if resubmit:
        # drm_sched_start() with the error
        assert (hung.status, other.status) == (-ENODEV, -ENODEV)
    assert [gpu.job(gpu.entity(ring), MS).wait() for ring in (0, 1)] == [-ENODEV] * 2
    assert gpu.stats.failed == 1
    assert said(
        kernel,
        "ASIC reset failed with error, -110",
        "device wedged, needs recovery",
        "GPU Recovery Failed: -110",
        "finishing device.",
    )


@pytest.mark.parametrize("notice", [5 * MS, None])
def test_a_device_that_dies_ends_every_job(make, kernel, notice, passes_on):
    gpu = make("gfx", faults=[Fault(Kind.DEAD, at=2, duration=notice)])
    entity = gpu.entity()
    jobs = [gpu.job(entity, MS) for _ in range(8)]
    for job in jobs:
        job.wait()
    assert jobs[0].status == 1
    assert gpu.adev.unplugged
    if passes_on:
        assert all(job.status < 0 for job in jobs[1:])
    assert gpu.job(gpu.entity(), MS).wait() == -ENODEV
    assert said(kernel, "device wedged" if notice is None else "finishing device.")


def test_a_timeout_of_an_unplugged_device_is_enodev_and_the_job_is_not_lost(make, kernel):
    gpu = make("gfx", timeout=LONG)
    sched = gpu.rings[0].sched
    job = gpu.job(gpu.entity(), None)
    eventually(lambda: gpu.rings[0].hw.running)
    drm_sched_wqueue_stop(sched)
    gpu.adev.unplugged = True
    drm_sched_fault(sched)
    eventually(lambda: job.freed)
    assert said(kernel, "device unplugged skipping recovery on scheduler:gfx")
    assert not delayed_work_pending(sched.work_tdr)
    drm_sched_wqueue_start(sched)


# -- when the timeout is armed ---------------------------------------------------------------------


def test_a_trickle_of_jobs_puts_the_timeout_off_in_7_2_and_not_in_6_1(make, scheduler):
    """7.2 arms the timeout anew with every job; 6.1 times the oldest one."""
    gpu = make("gfx", timeout=msecs_to_jiffies(40), credit_limit=64, faults=hang(Cure.SOFT))
    hung = gpu.job(gpu.entity(), MS)
    eventually(lambda: gpu.rings[0].hw.hung)
    entity = gpu.entity()
    for _ in range(30):
        gpu.job(entity, 0)
        sleep_ms(8)
        if scheduler == "v7_2":
            assert gpu.stats.timeouts == 0
    if scheduler == "v6_1":
        assert gpu.stats.timeouts == 1
    hung.wait()
    assert gpu.stats.timeouts == 1
