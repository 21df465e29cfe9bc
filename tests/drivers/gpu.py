# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A device with entities and jobs, as tests of the driver want it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.arch.asm import rcu_read_lock, rcu_read_unlock
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_get,
    dma_fence_get_status,
    dma_fence_put,
    dma_fence_test_signaled_flag,
)
from kport.drivers.amdgpu.amdgpu import amdgpu_ring
from kport.drivers.amdgpu.amdgpu_device import amdgpu_device_fini, amdgpu_device_init
from kport.drivers.amdgpu.amdgpu_job import amdgpu_job_alloc, amdgpu_job_submit
from kport.drivers.compat import (
    drm_sched_entity,
    drm_sched_entity_destroy,
    drm_sched_entity_init,
    drm_sched_job_add_dependency,
    to_drm_sched_fence,
)
from kport.hw.batch import Batch
from kport.linux.atomic import ATOMIC_INIT, atomic_read
from kport.linux.rcupdate import rcu_dereference
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock, spinlock_t
from tests.support import eventually


class Submitted:
    """A job that was submitted: its batches, its fences (with references), and how it was freed."""

    def __init__(self, number: int, batches: list[Batch]) -> None:
        self.number = number
        self.batches = batches
        self.finished: Any = None
        self.scheduled: Any = None
        self.base: Any = None  # the scheduler's job, until it is freed
        self.freed: list[int] = []  # the error, once for each time it was freed

    @property
    def over(self) -> bool:
        """True once it has ended and was freed."""
        return bool(dma_fence_test_signaled_flag(self.finished) and self.freed)

    @property
    def status(self) -> int:
        """1 for an end without error, else the error; 0 before the end."""
        return dma_fence_get_status(self.finished)

    def wait(self) -> int:
        """Wait until it is over; returns its status."""
        eventually(lambda: self.over)
        return self.status


def slots(ring: amdgpu_ring) -> list[dma_fence | None]:
    """What is in the slots of a ring's fences."""
    rcu_read_lock()
    fences = [rcu_dereference(slot, "fence") for slot in ring.fence_drv.fences or []]
    rcu_read_unlock()
    return fences


class Gpu:
    """A device with entities; `done` collects (number, error) of freed jobs.

    Several tasks may submit jobs with `job()`; `submitted()` tells each of all that are.
    """

    def __init__(self, *rings: str, timeout: int = MAX_SCHEDULE_TIMEOUT, **args: Any) -> None:
        ret, adev = amdgpu_device_init("0000:03:00.0", list(rings), timeout, **args)
        assert ret == 0
        self.adev: Any = adev
        self.rings = self.adev.rings
        self.stats = self.adev.reset_stats
        self.done: list[tuple[int, int]] = []
        self.lock = spinlock_t()  # for `count` and `jobs`
        spin_lock_init(self.lock)
        self.count = 0
        self.entities: list[drm_sched_entity] = []
        self.ended: list[drm_sched_entity] = []  # entities that the test has taken down itself
        self.guilty: list[Any] = []
        self.batches: list[Batch] = []
        self.jobs: list[Submitted] = []

    def entity(self, *rings: int, priority: int = 2) -> drm_sched_entity:
        """An entity on these rings, the first by default."""
        entity = kzalloc_obj(drm_sched_entity)
        scheds = [self.rings[ring].sched for ring in rings or (0,)]
        guilty = ATOMIC_INIT(0)
        assert drm_sched_entity_init(entity, priority, scheds, len(scheds), guilty) == 0
        self.entities.append(entity)
        self.guilty.append(guilty)
        return entity

    def is_guilty(self, entity: drm_sched_entity) -> bool:
        """True if the scheduler has marked the entity."""
        return bool(atomic_read(self.guilty[self.entities.index(entity)]))

    def submit(self, entity: drm_sched_entity, *durations: int | None) -> dma_fence:
        """Submit a job of these batches; returns its finished fence with a reference."""
        ret, job = amdgpu_job_alloc(entity, None, len(durations), 1, 7)
        assert ret == 0
        assert job is not None
        for ib, duration in zip(job.ibs, durations, strict=True):
            ib.batch = Batch(duration)
            self.batches.append(ib.batch)
        job.user, job.done = self.count, lambda user, error: self.done.append((user, error))
        self.count += 1
        return amdgpu_job_submit(job)

    def submitted(self) -> list[Submitted]:
        """The jobs that have been submitted: whoever finds one sees its fences."""
        spin_lock(self.lock)
        jobs = self.jobs.copy()
        spin_unlock(self.lock)
        return jobs

    def job(
        self, entity: drm_sched_entity, *durations: int | None, after: Sequence[dma_fence] = ()
    ) -> Submitted:
        """Submit a job that depends on the fences `after`, and keep track of it."""
        ret, job = amdgpu_job_alloc(entity, None, len(durations), 1, 7)
        assert ret == 0
        assert job is not None
        batches = [Batch(duration) for duration in durations]
        for ib, batch in zip(job.ibs, batches, strict=True):
            ib.batch = batch
        for fence in after:
            assert drm_sched_job_add_dependency(job.base, dma_fence_get(fence)) == 0
        spin_lock(self.lock)
        submitted = Submitted(self.count, batches)
        self.count += 1
        self.batches += batches
        spin_unlock(self.lock)
        submitted.base = job.base
        job.user, job.done = submitted, lambda user, error: user.freed.append(error)
        submitted.finished = amdgpu_job_submit(job)
        s_fence: Any = to_drm_sched_fence(submitted.finished)
        submitted.scheduled = dma_fence_get(s_fence.scheduled)
        spin_lock(self.lock)
        self.jobs.append(submitted)
        spin_unlock(self.lock)
        return submitted

    def close(self) -> None:
        """End all batches, take everything down, drop the references."""
        for batch in self.batches:
            batch.end(self.adev.gpu.machine)
        for entity in self.entities:
            if entity not in self.ended:
                drm_sched_entity_destroy(entity)
        amdgpu_device_fini(self.adev)
        for entity in self.entities:
            kfree(entity)
        for job in self.jobs:
            dma_fence_put(job.finished)
            dma_fence_put(job.scheduled)
