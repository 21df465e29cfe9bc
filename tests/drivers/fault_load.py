# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random fault scripts: a device, jobs, and what goes wrong, all from one seed.

Three things the kernel cannot do are left out. A preemption while a job may hang: it waits for the
ring's fences, and holds the semaphore meanwhile that a full reset needs. The killing of an entity
whose jobs are being popped (see test_quirks): kills run with the schedulers stopped, on the queue
of the timeout handlers. The killing of queued jobs before 7.2: drm_sched_entity_kill_jobs() leaks a
reference to the last scheduled fence if that has signalled.

And one that the scheduler proposed in 2023 cannot do: dependencies. When the entity it has chosen
turns out to wait for one, its work item ends without looking at the others; nothing may ever queue
it again. 7.2 does.
"""

from __future__ import annotations

import random
from functools import partial
from typing import Any

from kport.dma_buf.dma_fence import dma_fence_test_signaled_flag
from kport.drivers import compat
from kport.drivers.amdgpu.amdgpu import (
    AMDGPU_RESET_TYPE_ALL,
    AMDGPU_RESET_TYPE_FULL,
    AMDGPU_RESET_TYPE_PER_QUEUE,
    AMDGPU_RESET_TYPE_SOFT_RESET,
)
from kport.drivers.amdgpu.amdgpu_debugfs import amdgpu_debugfs_ib_preempt
from kport.drivers.amdgpu.amdgpu_ring import amdgpu_ring_sched_start, amdgpu_ring_sched_stop
from kport.drivers.compat import drm_sched_entity_fini
from kport.hw.faults import Cure, Fault, Kind
from kport.linux.delay import usleep_range
from kport.linux.err import EBUSY, ECANCELED, EINVAL, ENODATA, ENODEV, ESRCH, ETIME
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.workqueue import INIT_WORK, flush_work, queue_work, work_struct
from tests.drivers.gpu import Gpu
from tests.support import MS, US, Thread, eventually

RINGS = ("gfx", "comp", "sdma")
FULL, SOFT = AMDGPU_RESET_TYPE_FULL, AMDGPU_RESET_TYPE_SOFT_RESET
MASKS = (AMDGPU_RESET_TYPE_ALL, FULL, FULL | SOFT, FULL | AMDGPU_RESET_TYPE_PER_QUEUE)
ERRORS = {-ETIME, -ENODATA, -ECANCELED, -ENODEV, -ESRCH}
IRQ_KINDS = (Kind.LOST, Kind.LATE, Kind.SILENT)
PATIENCE = 120_000  # kernel ms in which a script must be over


def random_fault(rng: random.Random, rings: list[str], harmless: bool) -> Fault:
    """A fault; a harmless one never makes a job time out."""
    kinds = IRQ_KINDS if harmless else (*IRQ_KINDS, *Kind)
    kind = rng.choice(kinds)
    if kind is Kind.DEAD and rng.random() < 0.6:
        kind = Kind.HANG
    when: dict[str, int] = (
        {"at": rng.randint(1, 8)} if rng.random() < 0.7 else {"time": rng.randint(0, 20) * MS}
    )
    if rng.random() < 0.3:
        when["every"] = rng.randint(2, 6) * (1 if "at" in when else 5 * MS)
    duration = rng.choice([None, rng.randint(1, 40) * MS])
    if kind is Kind.LATE:
        duration = rng.randint(1, 20) * MS
    cure = rng.choice([Cure.SOFT, Cure.SOFT, Cure.RING, Cure.FULL, Cure.NEVER])
    ring = rng.choice([None, *rings])
    return Fault(kind, ring, duration=duration, cure=cure, **when)


class Script:
    """One script; `run()` plays it on the kernel that is booted and checks what must hold."""

    def __init__(self, seed: int) -> None:
        rng = self.rng = random.Random(seed)
        self.seed = seed
        self.rings = list(RINGS[: rng.randint(1, 3)])
        self.preempts = rng.randint(1, 3) if rng.random() < 0.2 else 0
        calm = self.preempts > 0
        self.faults = [random_fault(rng, self.rings, calm) for _ in range(rng.randint(1, 4))]
        self.options: dict[str, Any] = {
            "timeout": msecs_to_jiffies(60_000 if calm else rng.randint(10, 40)),
            "credit_limit": rng.randint(1, 4),
            "supported_reset": rng.choice(MASKS),
            "hang_limit": rng.choice([0, 0, 1]),
            "vf": rng.random() < 0.15,
        }
        if rng.random() < 0.3:
            self.options["resubmit"] = True
        self.kill = rng.random() < 0.25

    def __repr__(self) -> str:
        return f"<script {self.seed}: {self.rings} {self.options} {self.faults}>"

    def run(self) -> dict[str, int]:
        """Play; returns how many jobs ended how."""
        rng = self.rng
        gpu = Gpu(*self.rings, faults=self.faults, **self.options)
        every = range(len(self.rings))
        entities = []
        for _ in range(rng.randint(1, 4)):
            rings = rng.sample(every, rng.randint(1, len(every)))
            entities.append(gpu.entity(*rings, priority=rng.randint(1, 3)))
        killed = entities[0] if self.kill and len(entities) > 1 else None
        clients = [
            Thread(self._client, gpu, entity, rng.randint(0, 1 << 30), name=f"client/{n}")
            for n, entity in enumerate(entities)
        ]
        for _ in range(self.preempts):
            usleep_range(500, 3000)
            assert amdgpu_debugfs_ib_preempt(gpu.adev, 0) in (0, -EINVAL, -EBUSY)
        for client in clients:
            client.join(PATIENCE)
        if killed is not None and compat.scheduler == "v7_2":
            self._kill(gpu, killed)
        eventually(lambda: all(job.over for job in gpu.jobs), PATIENCE)
        self.gpu = gpu
        return self._check(gpu)

    def _client(self, gpu: Gpu, entity: Any, seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(rng.randint(2, 7)):
            before = gpu.submitted()[:20] if compat.scheduler != "v3_2023" else []
            dependencies = rng.sample(before, min(rng.randint(0, 2), len(before)))
            after = [job.finished for job in dependencies]
            duration = rng.choice([0, 50 * US, 300 * US, 2 * MS])
            gpu.job(entity, *[duration] * rng.choice([1, 1, 1, 2]), after=after)
            if rng.random() < 0.3:
                usleep_range(100, 2000)

    @staticmethod
    def _kill(gpu: Gpu, entity: Any) -> None:
        def kill(work: work_struct) -> None:
            for ring in gpu.rings:
                amdgpu_ring_sched_stop(ring)
            drm_sched_entity_fini(entity)
            for ring in gpu.rings:
                amdgpu_ring_sched_start(ring)

        work = work_struct()
        INIT_WORK(work, kill)
        queue_work(gpu.adev.reset_domain.wq, work)
        flush_work(work)
        gpu.ended.append(entity)

    def _check(self, gpu: Gpu) -> dict[str, int]:
        count = {"finished": 0, "failed": 0, "cancelled": 0}
        for job in gpu.jobs:
            assert dma_fence_test_signaled_flag(job.scheduled), (self, job.number)
            assert dma_fence_test_signaled_flag(job.finished), (self, job.number)
            assert len(job.freed) == 1, (self, job.number, job.freed)
            status = job.status
            assert status in {1, *ERRORS}, (self, job.number, status)
            assert (job.freed[0] or 1) == status
            if status == 1:
                count["finished"] += 1
            else:
                cancelled = status in (-ESRCH, -ECANCELED)
                count["cancelled" if cancelled else "failed"] += 1
        assert sum(count.values()) == len(gpu.jobs) == gpu.count
        gpu.close()
        return count


def play(seed: int, boot: partial[Any] | Any) -> dict[str, int]:
    """Boot, play one script, leave; nothing may be left behind, nothing complained of."""
    script = Script(seed)
    with boot() as kernel:
        count = script.run()
    assert not kernel.leaks, (script, kernel.leaks.lines())
    assert not kernel.warnings(), (script, kernel.warnings())
    return count
