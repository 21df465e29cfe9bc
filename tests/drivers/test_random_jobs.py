# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random jobs on every scheduler: each runs once, after what it depends on, and nothing is left."""

from __future__ import annotations

import random

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_init,
    dma_fence_is_signaled,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_signal,
)
from kport.drivers.compat import (
    DRM_SCHED_PRIORITY_COUNT,
    DRM_SCHED_PRIORITY_HIGH,
    DRM_SCHED_PRIORITY_LOW,
    drm_gpu_scheduler,
    drm_sched_backend_ops,
    drm_sched_entity,
    drm_sched_entity_destroy,
    drm_sched_entity_init,
    drm_sched_entity_push_job,
    drm_sched_fini,
    drm_sched_init,
    drm_sched_init_args,
    drm_sched_job,
    drm_sched_job_add_dependency,
    drm_sched_job_arm,
    drm_sched_job_cleanup,
    drm_sched_job_init,
)
from kport.linux.atomic import atomic_dec, atomic_inc, atomic_inc_return, atomic_read, atomic_t
from kport.linux.hrtimer import (
    CLOCK_MONOTONIC,
    HRTIMER_MODE_REL,
    HRTIMER_NORESTART,
    hrtimer,
    hrtimer_setup,
    hrtimer_start,
)
from kport.linux.list import list_empty
from kport.linux.rcupdate import kfree_rcu
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock, spinlock_t
from kport.linux.struct import container_of, struct
from tests.support import US, eventually, sleep_ms, together

JOBS, ENTITIES, SCHEDULERS, LIMIT = 40, 5, 2, 3  # jobs are of each entity
hw_ops = dma_fence_ops(
    get_driver_name=lambda f: "test",
    get_timeline_name=lambda f: "hw",
    release=lambda f: kfree_rcu(f, "rcu"),
)


class work(struct):
    """A job that takes `ns`; it may run when all of `after` have been scheduled or are over."""

    base: drm_sched_job
    number: int
    ns: int
    after: list[int] | None
    hw: dma_fence | None
    timer: hrtimer


class Load:
    """Schedulers, and what came of the jobs: `ran` and `freed` in order."""

    def __init__(self) -> None:
        self.ran: list[int] = []
        self.freed: list[int] = []
        self.busy = [atomic_t() for _ in range(SCHEDULERS)]
        self.most = [0] * SCHEDULERS
        self.lock = spinlock_t()  # for the fences of all clients
        spin_lock_init(self.lock)
        self.context = dma_fence_context_alloc(1)
        self.number = atomic_t()
        ops = drm_sched_backend_ops(run_job=self.run, free_job=self.free)
        self.scheds = []
        for n in range(SCHEDULERS):
            sched = kzalloc_obj(drm_gpu_scheduler)
            args = drm_sched_init_args(
                ops=ops,
                num_rqs=DRM_SCHED_PRIORITY_COUNT,
                credit_limit=LIMIT,
                timeout=MAX_SCHEDULE_TIMEOUT,
                name=f"ring{n}",
            )
            assert drm_sched_init(sched, args) == 0
            self.scheds.append(sched)

    def run(self, base: drm_sched_job) -> dma_fence | None:
        job = container_of(base, work, "base")
        assert set(job.after) <= set(self.ran), "before what it depends on"
        self.ran.append(job.number)
        if not job.ns:
            return None
        ring = self.scheds.index(base.sched)
        atomic_inc(self.busy[ring])
        self.most[ring] = max(self.most[ring], atomic_read(self.busy[ring]))
        hw = job.hw = kzalloc_obj(dma_fence)
        dma_fence_init(hw, hw_ops, None, self.context, job.number)
        dma_fence_get(hw)

        def expired(timer: hrtimer) -> int:
            atomic_dec(self.busy[ring])
            dma_fence_signal(hw)
            return HRTIMER_NORESTART

        hrtimer_setup(job.timer, expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
        hrtimer_start(job.timer, job.ns, HRTIMER_MODE_REL)
        return hw

    def free(self, base: drm_sched_job) -> None:
        job = container_of(base, work, "base")
        self.freed.append(job.number)
        drm_sched_job_cleanup(base)
        if job.hw is not None:
            dma_fence_put(job.hw)
        kfree(job)

    def client(self, seed: str, fences: dict[int, dma_fence]) -> list[int]:
        """One entity and its jobs, which depend on jobs of all entities; returns their numbers."""
        dice, numbers = random.Random(seed), []
        entity = kzalloc_obj(drm_sched_entity)
        scheds = dice.sample(self.scheds, dice.randint(1, SCHEDULERS))
        priority = dice.randint(DRM_SCHED_PRIORITY_HIGH, DRM_SCHED_PRIORITY_LOW)
        assert drm_sched_entity_init(entity, priority, scheds, len(scheds), None) == 0
        for _ in range(JOBS):
            job = kzalloc_obj(work)
            assert drm_sched_job_init(job.base, entity, 1, self, 0) == 0
            spin_lock(self.lock)
            known = sorted(fences)
            job.after = dice.sample(known, min(len(known), dice.randint(0, 3)))
            dependencies = [dma_fence_get(fences[number]) for number in job.after]
            spin_unlock(self.lock)
            for fence in dependencies:
                assert drm_sched_job_add_dependency(job.base, fence) == 0
            job.ns = dice.choice((0, 5 * US, 50 * US, 200 * US))
            job.number = atomic_inc_return(self.number)
            drm_sched_job_arm(job.base)
            numbers.append(job.number)
            spin_lock(self.lock)
            fences[job.number] = dma_fence_get(job.base.s_fence.finished)
            spin_unlock(self.lock)
            drm_sched_entity_push_job(job.base)
            if dice.random() < 0.1:
                sleep_ms(dice.random())
        eventually(lambda: set(numbers) <= set(self.freed), 20_000)
        drm_sched_entity_destroy(entity)
        kfree(entity)
        return numbers

    def down(self) -> None:
        for sched in self.scheds:
            assert list_empty(sched.pending_list)
            assert atomic_read(sched.score) == 0
            drm_sched_fini(sched)
            kfree(sched)


@pytest.mark.parametrize("seed", range(3))
def test_random_jobs(kernel, scheduler, seed):
    if scheduler == "v3_2023":
        pytest.skip("a job that has to wait hides others there; see test_item")
    load, fences = Load(), {}
    clients = [lambda n=n: load.client(f"{seed}/{n}", fences) for n in range(ENTITIES)]
    queues = together(*clients, msecs=60_000)
    every = sorted(number for queue in queues for number in queue)
    assert sorted(load.ran) == sorted(load.freed) == every
    for queue in queues:
        assert [number for number in load.ran if number in queue] == queue, "an entity is a queue"
    assert all(dma_fence_is_signaled(fence) and not fence.error for fence in fences.values())
    assert all(1 <= most <= LIMIT for most in load.most)
    for fence in fences.values():
        dma_fence_put(fence)
    load.down()
