# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random load from many threads: every job is accounted for, nothing leaks, nothing hangs.

Each of 8 kernel threads owns its share of 64 entities, on one to four of the rings of a device, and
submits jobs of 1 to 4 credits that depend on up to three earlier jobs of anybody. Now and then it
changes an entity's priority, flushes and destroys it, or destroys it with its jobs still queued,
and takes a new one. The load keeps the scheduler's contract: an entity is pushed to by one thread,
never after its end, and entities go before schedulers. It steps around one bug of the
kernel: schedulers stand still while an entity with jobs is killed (see `driver.kill()`).
"""

from __future__ import annotations

import random
from collections import Counter, deque

import pytest

from kport.dma_buf.dma_fence import dma_fence_get, dma_fence_put
from kport.drivers.amdgpu.amdgpu_device import amdgpu_device_fini, amdgpu_device_init
from kport.drivers.amdgpu.amdgpu_job import amdgpu_job_alloc, amdgpu_job_submit
from kport.drm.scheduler import v7_2
from kport.drm.scheduler.v7_2.gpu_scheduler import drm_sched_entity
from kport.drm.scheduler.v7_2.sched_entity import (
    drm_sched_entity_destroy,
    drm_sched_entity_init,
    drm_sched_entity_set_priority,
)
from kport.drm.scheduler.v7_2.sched_main import drm_sched_job_add_dependency
from kport.hw.batch import Batch
from kport.linux.err import ESRCH
from kport.linux.kconfig import HZ
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import (
    spin_lock,
    spin_lock_init,
    spin_lock_irqsave,
    spin_unlock,
    spin_unlock_irqrestore,
    spinlock_t,
)
from tests.drm.scheduler.driver import kill
from tests.support import Thread

THREADS = 8
ENTITIES = 64
PRIORITIES = (1, 2, 3)


class Fences:
    """Finished fences of jobs of all threads, the youngest few thousand, with a reference each."""

    def __init__(self) -> None:
        self._lock = spinlock_t()
        spin_lock_init(self._lock, "fences")
        self._fences: deque = deque()

    def add(self, fence) -> None:
        old = None
        spin_lock(self._lock)
        self._fences.append(fence)
        if len(self._fences) > 4096:
            old = self._fences.popleft()
        spin_unlock(self._lock)
        dma_fence_put(old)

    def pick(self, rng):
        spin_lock(self._lock)
        fence = dma_fence_get(rng.choice(self._fences)) if self._fences else None
        spin_unlock(self._lock)
        return fence

    def drop(self) -> None:
        while self._fences:
            dma_fence_put(self._fences.popleft())


class Client:
    """What one thread does; `submit()` is its whole life."""

    def __init__(self, number, seed, jobs, adev, fences, done, killing) -> None:
        self.rng = random.Random(seed * 1000 + number)
        self.number, self.jobs, self.adev = number, jobs, adev
        self.fences, self.done, self.killing = fences, done, killing

    def entity(self):
        entity = kzalloc_obj(drm_sched_entity)
        rings = self.rng.sample(self.adev.rings, self.rng.choice((1, 1, 2, 4)))
        scheds = [ring.sched for ring in rings]
        priority = self.rng.choice(PRIORITIES)
        assert drm_sched_entity_init(entity, priority, scheds, len(scheds), None) == 0
        return entity

    def submit(self) -> None:
        rng = self.rng
        mine = [self.entity() for _ in range(ENTITIES // THREADS)]
        for serial in range(self.jobs):
            at = rng.randrange(len(mine))
            self.job(mine[at], serial)
            event = rng.random()
            if event < 0.002:
                mutex_lock(self.killing)
                kill(mine[at], [ring.sched for ring in self.adev.rings], v7_2)
                mutex_unlock(self.killing)
            elif event < 0.004:
                drm_sched_entity_destroy(mine[at])
            if event < 0.004:
                kfree(mine[at])
                mine[at] = self.entity()
            elif event < 0.014:
                drm_sched_entity_set_priority(mine[at], rng.choice(PRIORITIES))
        for entity in mine:
            drm_sched_entity_destroy(entity)
            kfree(entity)

    def job(self, entity, serial) -> None:
        rng = self.rng
        error, job = amdgpu_job_alloc(entity, None, 1, rng.choice((1, 1, 1, 2, 4)), self.number + 1)
        assert error == 0
        job.ibs[0].batch = Batch(rng.choice((0, 1_000, 20_000)))
        job.done, job.user = self.done, (self.number, serial)
        for _ in range(rng.choice((0, 0, 1, 2, 3))):
            fence = self.fences.pick(rng)
            if fence is not None:
                assert drm_sched_job_add_dependency(job.base, fence) == 0
        fence = amdgpu_job_submit(job)
        if rng.random() < 0.3:
            self.fences.add(fence)
        else:
            dma_fence_put(fence)


def load(boot, seed, jobs, policy) -> None:
    """Submit `jobs` jobs; fails unless each was freed once, and the kernel was left clean."""
    lock, freed, errors = spinlock_t(), Counter(), Counter()

    def done(user, error) -> None:
        flags = spin_lock_irqsave(lock)
        freed[user] += 1
        errors[error] += 1
        spin_unlock_irqrestore(lock, flags)

    with boot(params={"sched_policy": policy}, debug=bool(seed % 2)) as kernel:
        rings = ["gfx", "compute", "sdma0", "sdma1"]
        error, adev = amdgpu_device_init("0000:03:00.0", rings, 60 * HZ, 16)
        assert error == 0
        spin_lock_init(lock, "results")
        fences = Fences()
        killing = mutex()
        mutex_init(killing)
        share = jobs // THREADS
        clients = [Client(n, seed, share, adev, fences, done, killing) for n in range(THREADS)]
        threads = [Thread(client.submit, name=f"client/{client.number}") for client in clients]
        for thread in threads:
            thread.join(300_000)
        fences.drop()
        amdgpu_device_fini(adev)

    assert (len(freed), set(freed.values())) == (jobs // THREADS * THREADS, {1})
    assert set(errors) == {0, -ESRCH}
    assert not kernel.leaks, kernel.leaks.lines()
    assert kernel.warnings() == []


@pytest.mark.parametrize("policy", [0, 1, 2], ids=["rr", "fifo", "fair"])
def test_a_few_thousand_jobs(boot, policy):
    load(boot, 1 + policy, 4_000, policy)


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", range(20))
def test_a_hundred_thousand_jobs(boot, seed):
    load(boot, seed, 100_000, seed % 3)
