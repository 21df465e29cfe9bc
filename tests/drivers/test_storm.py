# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Timeouts upon timeouts while entities go and the device is taken down.

Every job hangs, the timeout is two ticks, and nobody waits for anything before he leaves.
"""

from __future__ import annotations

import random
from functools import partial

import pytest

import kport
from kport.dma_buf.dma_fence import (
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal,
    dma_fence_test_signaled_flag,
)
from kport.drivers.amdgpu.amdgpu_device import amdgpu_device_fini
from kport.drivers.compat import drm_sched_entity_destroy, package
from kport.hw.faults import Cure, Fault, Kind
from kport.linux.delay import usleep_range
from kport.linux.err import ECANCELED
from kport.linux.slab import kfree
from tests.drivers.gpu import Gpu
from tests.drm.scheduler.driver import Driver, Job
from tests.support import MS, Thread, eventually

QUICK = {"threads": 6, "virt": 25}
MANY = 200
CURES = (Cure.SOFT, Cure.RING, Cure.FULL)


def storm(seed: int) -> int:
    """One storm on the kernel that is booted; returns how often a timeout struck."""
    rng = random.Random(seed)
    faults = [
        Fault(
            Kind.HANG,
            ring,
            at=rng.randint(1, 2),
            every=rng.randint(1, 3),
            cure=rng.choice(CURES),
        )
        for ring in ("gfx", "comp")
    ]
    gpu = Gpu(
        "gfx",
        "comp",
        timeout=2,
        credit_limit=rng.randint(1, 3),
        resubmit=rng.choice([None, True]),
        faults=faults,
    )

    def come_and_go(entity, pause: int) -> None:
        for _ in range(3):
            gpu.job(entity, MS // 10)
            usleep_range(pause, pause + 50)
        drm_sched_entity_destroy(entity)

    entities = [gpu.entity(n % 2) for n in range(4)]
    owners = [
        Thread(come_and_go, entity, rng.choice([20, 200, 3000]), name=f"owner/{n}")
        for n, entity in enumerate(entities)
    ]
    for owner in owners:
        owner.join(60_000)
    timeouts = gpu.stats
    amdgpu_device_fini(gpu.adev)
    for entity in entities:
        kfree(entity)
    for job in gpu.jobs:
        assert dma_fence_test_signaled_flag(job.scheduled)
        assert dma_fence_test_signaled_flag(job.finished)
        assert len(job.freed) == 1
        dma_fence_put(job.finished)
        dma_fence_put(job.scheduled)
    return timeouts.soft + timeouts.ring + timeouts.full


def weather(boot, storms: int) -> None:
    resets = 0
    for seed in range(storms):
        with boot() as kernel:
            resets += storm(seed)
        assert not kernel.leaks, (seed, kernel.leaks.lines())
        assert not kernel.warnings(), (seed, kernel.warnings())
    assert resets > 2 * storms


def test_some_storms(boot, arch):
    weather(boot, QUICK[arch])


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.threads_only("virt has its own schedules, in the quick test")
def test_two_hundred_storms(arch, scheduler):
    params = {"scheduler": scheduler}
    weather(partial(kport.boot, arch, params=params, debug=True), MANY)


# -- the scheduler by itself -----------------------------------------------------------------------


def fini_in_the_storm(seed: int) -> int:
    """Take a scheduler down while a timeout handler runs, or is about to; returns the timeouts."""
    rng = random.Random(seed)
    baseline = package("v7_2")
    driver = Driver(baseline)

    def timed_out(job: Job) -> int:
        pause = rng.choice([0, 100, 3000])
        if pause:
            usleep_range(pause, pause + 50)
        return int(driver.api.DRM_GPU_SCHED_STAT_NO_HANG)

    def cancel(job: Job) -> None:
        dma_fence_set_error(job.hw, -ECANCELED)
        dma_fence_signal(job.hw)

    driver.on_timeout, driver.on_cancel = timed_out, cancel
    sched = driver.scheduler(timeout=rng.choice([0, 1, 2]), credit_limit=4)
    entities = [driver.entity(sched) for _ in range(2)]
    jobs = [driver.submit(entities[n % 2]) for n in range(4)]
    eventually(lambda: driver.ran(*jobs))
    eventually(lambda: any(what == "timeout" for what, _ in list(driver.log)))
    usleep_range(*rng.choice([(0, 10), (500, 600), (4000, 5000)]))
    for entity in entities:
        baseline.sched_entity.drm_sched_entity_destroy(entity)
    baseline.sched_main.drm_sched_wqueue_stop(sched)
    baseline.sched_main.drm_sched_fini(sched)
    for thing in (*entities, sched):
        kfree(thing)
    assert [job.freed for job in jobs] == [1, 1, 1, 1]
    assert [job.error for job in jobs] == [-ECANCELED] * 4
    driver.release()
    return sum(what == "timeout" for what, _ in driver.log)


def finis(boot, storms: int) -> None:
    timeouts = 0
    for seed in range(storms):
        with boot() as kernel:
            timeouts += fini_in_the_storm(seed)
        assert not kernel.leaks, (seed, kernel.leaks.lines())
        assert not kernel.warnings(), (seed, kernel.warnings())
    assert timeouts > storms


@pytest.fixture
def any_boot(arch):
    """`kport.boot()` on the machine under test; the scheduler is that of 7.2."""
    return partial(kport.boot, arch, debug=True)


def test_fini_in_the_middle_of_timeouts(any_boot, arch):
    finis(any_boot, {"threads": 10, "virt": 40}[arch])


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.threads_only("virt has its own schedules, in the quick test")
def test_two_hundred_finis_in_the_middle_of_timeouts(any_boot):
    finis(any_boot, MANY)
