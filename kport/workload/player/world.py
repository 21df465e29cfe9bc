# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What all clients of a run share: the device, its schedulers, the accounts, shared buffers."""

# mypy: no-strict-optional
# (pointers of kernel structs are nullable and unchecked, as in the port)

from __future__ import annotations

from kport.arch.api import Machine
from kport.arch.asm import rcu_read_lock, rcu_read_unlock
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_get_rcu_safe,
    dma_fence_lock_irqsave,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_test_signaled_flag,
    dma_fence_unlock_irqrestore,
)
from kport.drivers.amdgpu.amdgpu import amdgpu_device, amdgpu_ring
from kport.drivers.amdgpu.amdgpu_device import (
    amdgpu_device_fini,
    amdgpu_device_init,
    amdgpu_sched_hw_submission,
)
from kport.drivers.compat import drm_gpu_scheduler, drm_sched_entity
from kport.drm.drm_gem import drm_gem_object, drm_gem_object_put
from kport.linux.atomic import atomic_read
from kport.linux.delay import usleep_range
from kport.linux.err import ECANCELED
from kport.linux.jiffies import jiffies, msecs_to_jiffies, time_before
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree
from kport.workload.player.buffers import new_buffer
from kport.workload.player.plan import Plan
from kport.workload.player.tally import Tally
from kport.workload.wsim.engines import RINGS
from kport.workload.wsim.steps import Batch, Step, WorkingSet, Workload

DEVICE = "0000:03:00.0"
HANG_MS = 10_000  # a batch on the hardware for so long hangs, unless one is meant to take longer
FAULTY_HANG_MS = 600  # the same when faults are to come; longer than the fallback timer of fences
NEVER_MS = 1e9


class World:
    """The device of a run and what belongs to it. `patience`: ticks to drain an entity at the end.

    Memory of entities is kept until the device is down: a scheduler may still be in a callback of
    an entity that has been destroyed.
    """

    def __init__(self, plan: Plan, tally: Tally, machine: Machine) -> None:
        self.plan = plan
        self.tally = tally
        self.machine = machine
        self.patience = msecs_to_jiffies(1000)
        self.entities: list[drm_sched_entity] = []
        credit_limit = plan.credits or amdgpu_sched_hw_submission
        error, device = amdgpu_device_init(
            DEVICE, list(RINGS), _hang_ticks(plan), credit_limit, faults=plan.faults
        )
        if device is None:
            raise MemoryError(f"the device does not come up ({error})")
        self.device: amdgpu_device = device
        self.gpu = device.gpu
        self.reset_stats = device.reset_stats
        self.device_lost = False
        self.schedulers: dict[str, drm_gpu_scheduler] = {
            ring.name: ring.sched for ring in device.rings
        }
        workloads = {id(client.workload): client.workload for client in plan.clients}
        self._shared = {key: _shared_sets(each.steps) for key, each in workloads.items()}

    def keep(self, entity: drm_sched_entity) -> None:
        """Free the entity's memory when the device is down."""
        self.entities.append(entity)

    def shared_sets(self, workload: Workload) -> dict[int, list[drm_gem_object]]:
        """The buffers of the workload's `W` working sets, by number of the set."""
        return self._shared[id(workload)]

    def busy(self) -> bool:
        """True while a ring has something to do."""
        return any(ring.hw.rptr != ring.hw.wptr for ring in self.device.rings)

    def down(self) -> None:
        """Take everything down, once all clients have ended.

        Batches on the hardware get as much time as entities got; those that take longer are cut
        short, and their jobs cancelled.
        """
        deadline = jiffies() + self.patience
        while atomic_read(self.device.num_jobs) > 1 and time_before(jiffies(), deadline):
            usleep_range(500, 1000)
        if atomic_read(self.device.num_jobs) > 1:
            self._cut()
        self.device_lost = self.device.unplugged
        amdgpu_device_fini(self.device)
        for entity in self.entities:
            kfree(entity)
        for sets in self._shared.values():
            for buffers in sets.values():
                for buffer in buffers:
                    drm_gem_object_put(buffer)

    def _cut(self) -> None:
        self.tally.cutting = True
        for ring in self.device.rings:
            for fence in _outstanding(ring):
                flags = dma_fence_lock_irqsave(fence)
                if not dma_fence_test_signaled_flag(fence):
                    dma_fence_set_error(fence, -ECANCELED)
                dma_fence_unlock_irqrestore(fence, flags)
                dma_fence_put(fence)
        self.device.gpu.rush()


def _outstanding(ring: amdgpu_ring) -> list[dma_fence]:
    """References to the fences of a ring that have not been processed."""
    rcu_read_lock()
    fences = [dma_fence_get_rcu_safe((slot, "fence")) for slot in ring.fence_drv.fences]
    rcu_read_unlock()
    return [fence for fence in fences if fence]


def _shared_sets(steps: list[Step]) -> dict[int, list[drm_gem_object]]:
    return {
        step.set_id: [new_buffer(low) for low, _ in step.sizes]
        for step in steps
        if isinstance(step, WorkingSet) and step.shared
    }


def _hang_ticks(plan: Plan) -> int:
    """After how many ticks a job hangs: later than any batch of the plan takes.

    On a clock that is faster than the wall's, a thread that is late must not look like a hang.
    """
    longest = 0.0
    for client in plan.clients:
        for step in client.workload.steps:
            if isinstance(step, Batch) and step.duration is not None:
                longest = max(longest, step.duration.max * plan.duration_scale)
    hang_ms = FAULTY_HANG_MS if plan.faults else HANG_MS
    ms = max(hang_ms / min(1.0, plan.scale), longest / 1000 * 2)
    return msecs_to_jiffies(int(ms)) if ms < NEVER_MS else MAX_SCHEDULE_TIMEOUT
