# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What random fault scripts found in the driver they play, and whether the model keeps it.

Kept: a preemption that waits for a job that hangs holds off the reset that would end it. Mended,
because nothing could go on: a hardware fence that is initialised while somebody waits for it, and
numbers that go back.
"""

from __future__ import annotations

import pytest

import kport
from kport.arch.strategy import RoundRobin
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_init,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_signal,
)
from kport.drivers.amdgpu.amdgpu import AMDGPU_RESET_TYPE_FULL
from kport.drivers.amdgpu.amdgpu_debugfs import amdgpu_debugfs_ib_preempt
from kport.drivers.amdgpu.amdgpu_fence import amdgpu_fence_process
from kport.drivers.compat import drm_sched_fault, package
from kport.hw.faults import Cure, Fault, Kind
from kport.linux.atomic import atomic_read
from kport.linux.delay import usleep_range
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.rcupdate import kfree_rcu
from kport.linux.slab import kzalloc_obj
from kport.linux.spinlock import spin_lock_init, spinlock_t
from kport.linux.workqueue import INIT_WORK, flush_work, queue_work, work_struct
from tests.drivers.gpu import Gpu, slots
from tests.drm.scheduler.driver import Driver
from tests.support import MS, Gate, Thread, eventually, never, sleep_ms


def test_a_preemption_and_a_full_reset_wait_for_each_other(scheduler):
    """amdgpu_debugfs.c, amdgpu_debugfs_ib_preempt(): it waits for the ring's fences with the reset
    domain's semaphore held; the preempted job hangs when it goes on, and the reset needs the
    semaphore.
    """
    faults = [Fault(Kind.HANG, "gfx", at=2, cure=Cure.FULL)]
    with pytest.raises(kport.KernelOops) as oops:
        with kport.boot("virt", seed=0, params={"scheduler": scheduler}):
            gpu = Gpu(
                "gfx",
                timeout=msecs_to_jiffies(60),
                supported_reset=AMDGPU_RESET_TYPE_FULL,
                faults=faults,
            )
            gpu.job(gpu.entity(), 20 * MS)
            eventually(lambda: gpu.rings[0].hw.running)
            amdgpu_debugfs_ib_preempt(gpu.adev, 0)
    report = oops.value.report
    assert report.startswith("BUG: deadlock")
    assert "amdgpu_fence_wait_empty" in report
    assert "amdgpu_device_lock_reset_domain" in report


def test_a_fence_that_is_initialised_again_forgets_who_waits(kernel):
    """amdgpu_fence.c, amdgpu_fence_emit(): 7.2 initialises the fence of a job that runs again.

    The preempted jobs run again, and the scheduler waits for their fences.
    """
    ops = dma_fence_ops(
        get_driver_name=lambda f: "test",
        get_timeline_name=lambda f: "hw",
        release=lambda f: kfree_rcu(f, "rcu"),
    )
    lock = spinlock_t()
    spin_lock_init(lock)
    fence, called = kzalloc_obj(dma_fence), []
    for seq in (1, 2):
        dma_fence_init(fence, ops, lock, 1, seq)
        if seq == 1:
            dma_fence_add_callback(fence, dma_fence_cb(), lambda f, cb: called.append(f))
    dma_fence_signal(fence)
    assert called == []
    dma_fence_put(fence)


def test_a_number_that_goes_back_signals_nothing(kernel):
    """amdgpu_fence.c, amdgpu_fence_process(): it goes through the slots from the last number to
    this one, round the end; from 2 back to 1 these are all, with every fence that is outstanding.
    """
    gpu = Gpu("gfx", credit_limit=4)
    ring = gpu.rings[0]
    entity = gpu.entity()
    for _ in range(2):
        gpu.job(entity, 0).wait()
    running = gpu.job(entity, None)
    eventually(lambda: ring.hw.running)
    gpu.adev.gpu.memory[ring.fence_drv.gpu_addr] = 1
    assert amdgpu_fence_process(ring) is False
    assert running.status == 0
    assert atomic_read(ring.fence_drv.last_seq) == 2
    running.batches[0].end(gpu.adev.gpu.machine)
    assert running.wait() == 1
    gpu.close()


def test_a_fault_is_forgotten_when_a_job_begins(kernel, scheduler):
    """sched_main.c: drm_sched_fault() queues the timeout handler at once (241), and a job that
    begins queues it anew, after the whole timeout (302): mod_delayed_work() takes back what waits
    in the queue. 6.1 has queue_delayed_work() there, which leaves it alone. The handlers of all
    rings share an ordered queue; here that of another ring is under way.
    """
    gpu = Gpu("gfx", timeout=msecs_to_jiffies(60_000), credit_limit=2)
    gate = Gate()
    other = work_struct()
    INIT_WORK(other, lambda work: gate.enter())
    queue_work(gpu.adev.reset_domain.wq, other)
    gate.arrived()
    entity = gpu.entity()
    faulty = gpu.job(entity, None)
    eventually(lambda: gpu.rings[0].hw.running)
    drm_sched_fault(gpu.rings[0].sched)
    behind = gpu.job(entity, MS)
    eventually(lambda: slots(gpu.rings[0])[2])  # on the ring
    gate.open()
    flush_work(other)
    if scheduler == "v7_2":
        never(lambda: gpu.stats.timeouts)
    else:
        eventually(lambda: gpu.stats.timeouts)
    faulty.batches[0].end(gpu.adev.gpu.machine)
    faulty.wait()
    behind.wait()
    gpu.close()


def stop_while_somebody_pushes(seed: int) -> bool:
    """True if run_job() was called after drm_sched_wqueue_stop() had returned."""
    with kport.boot("virt", strategy=RoundRobin(seed, 8), debug=True):
        baseline = package("v7_2")
        driver = Driver(baseline)
        sched = driver.scheduler()
        entity = driver.entity(sched)
        client = Thread(driver.submit, entity)
        usleep_range(1, 20)
        baseline.sched_main.drm_sched_wqueue_stop(sched)
        ran = len(driver.runs)
        client.join()
        sleep_ms(5)
        behind = len(driver.runs) > ran
        baseline.sched_main.drm_sched_wqueue_start(sched)
        driver.close()
    return behind


def test_a_job_runs_behind_drm_sched_wqueue_stop():
    """sched_main.c: drm_sched_run_job_queue() looks whether to stop and then queues the item, and
    drm_sched_run_job_work() does not look any more, as drm_sched_main() of 2023 does. A push that
    looked before runs its job while the driver resets the ring. So amdgpu_ring_sched_stop() refuses
    the item, too.
    """
    assert any(stop_while_somebody_pushes(seed) for seed in range(3000))
