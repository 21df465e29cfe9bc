# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/amdgpu_debugfs.c, Linux 7.2.13, on 2026-11-20.
"""The debugfs file amdgpu_preempt_ib: mid-command-buffer preemption of a ring.

The running batch is taken off the engine and the jobs behind it are skipped; then all of them run
again, the first from where it was. Their fences are put aside meanwhile, so that nobody takes the
skipped jobs for done.
"""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_signal,
)
from kport.drivers.amdgpu.amdgpu import (
    AMDGPU_IB_PREEMPTED,
    AMDGPU_RING_TYPE_GFX,
    amdgpu_device,
    amdgpu_ring,
    to_amdgpu_job,
)
from kport.drivers.amdgpu.amdgpu_fence import (
    amdgpu_fence_driver_force_completion,
    amdgpu_fence_process,
    amdgpu_fence_wait_empty,
)
from kport.drivers.amdgpu.amdgpu_ring import (
    amdgpu_ring_preempt_ib,
    amdgpu_ring_sched_ready,
    amdgpu_ring_sched_start,
    amdgpu_ring_sched_stop,
)
from kport.drivers.compat import drm_gpu_scheduler, struct_of
from kport.hw import packets
from kport.linux.atomic import atomic_read
from kport.linux.cleanup import goto, labels
from kport.linux.device import dev_info, dev_warn
from kport.linux.err import EBUSY, EINVAL, ENOMEM
from kport.linux.list import list_del_init, list_for_each_entry, list_for_each_entry_safe
from kport.linux.rcupdate import RCU_INIT_POINTER, rcu_dereference_protected
from kport.linux.rwsem import down_read_killable, up_read
from kport.linux.slab import kfree, kzalloc_objs, pointer
from kport.linux.spinlock import spin_lock, spin_unlock
from kport.linux.types import s32


def amdgpu_ib_preempt_fences_swap(ring: amdgpu_ring, fences: list[dma_fence | None]) -> None:
    """Take the fences that have not been processed out of the ring's slots."""
    drv = ring.fence_drv

    last_seq = atomic_read(ring.fence_drv.last_seq)
    sync_seq = ring.fence_drv.sync_seq

    last_seq &= drv.num_fences_mask
    sync_seq &= drv.num_fences_mask

    while True:
        last_seq += 1
        last_seq &= drv.num_fences_mask

        ptr = drv.fences[last_seq]

        fence = rcu_dereference_protected(ptr, "fence", 1)
        RCU_INIT_POINTER(ptr, "fence", None)

        if fence:
            fences[last_seq] = fence

        if last_seq == sync_seq:
            break


def amdgpu_ib_preempt_signal_fences(fences: list[dma_fence | None], length: int) -> None:
    """Signal the fences that were taken out, and drop them."""
    for i in range(0, length):
        fence = fences[i]
        if not fence:
            continue
        dma_fence_signal(fence)
        dma_fence_put(fence)


def amdgpu_ib_preempt_job_recovery(sched: drm_gpu_scheduler) -> None:
    """Run every pending job once more."""
    spin_lock(sched.job_list_lock)
    for s_job in list_for_each_entry(sched.pending_list, struct_of("drm_sched_job"), "list"):
        fence = sched.ops.run_job(s_job)
        dma_fence_put(fence)
    spin_unlock(sched.job_list_lock)


def amdgpu_ib_preempt_mark_partial_job(ring: amdgpu_ring) -> None:
    """Free the jobs that are over, and mark the one that was preempted."""
    drv = ring.fence_drv
    sched = ring.sched
    preempted = True
    fence = None

    if ring.funcs.type != AMDGPU_RING_TYPE_GFX:
        return

    preempt_seq = ring.adev.gpu.memory[drv.gpu_addr + packets.PREEMPTED]
    if s32(preempt_seq - atomic_read(drv.last_seq)) <= 0:
        preempted = False
    else:
        preempt_seq &= drv.num_fences_mask
        ptr = drv.fences[preempt_seq]
        fence = rcu_dereference_protected(ptr, "fence", 1)

    spin_lock(sched.job_list_lock)
    for s_job, tmp in list_for_each_entry_safe(
        sched.pending_list, struct_of("drm_sched_job"), "list"
    ):
        if dma_fence_is_signaled(s_job.s_fence.finished):
            list_del_init(s_job.list)
            sched.ops.free_job(s_job)
            continue
        job = to_amdgpu_job(s_job)
        if preempted and job.hw_fence.base is fence:
            job.preemption_status |= AMDGPU_IB_PREEMPTED
    spin_unlock(sched.job_list_lock)


def amdgpu_debugfs_ib_preempt(data: Any, val: int) -> int:
    """Write to the file: preempt ring number `val`.

    0; -EINVAL for a ring that is none or cannot, or that does not answer; -EBUSY if the preemption
    before has not ended; -ENOMEM; -EINTR if the writer is killed while a reset is under way.
    """
    adev: amdgpu_device = data

    if val >= adev.num_rings:
        return -EINVAL

    ring = adev.rings[val]

    if not amdgpu_ring_sched_ready(ring) or not ring.funcs.preempt_ib:
        return -EINVAL

    if ring.trail_seq != adev.gpu.memory[ring.trail_fence_gpu_addr]:
        return -EBUSY

    length = ring.fence_drv.num_fences_mask + 1
    fences = kzalloc_objs(pointer, length)
    if not fences:
        return -ENOMEM

    with labels("failure", "pro_end") as label:
        r = down_read_killable(adev.reset_domain.sem)
        if r:
            raise goto("pro_end")

        amdgpu_ring_sched_stop(ring)

        r = amdgpu_ring_preempt_ib(ring)
        if r:
            dev_warn(adev.dev, "failed to preempt ring %d\n", ring.idx)
            raise goto("failure")

        amdgpu_fence_process(ring)

        if atomic_read(ring.fence_drv.last_seq) != s32(ring.fence_drv.sync_seq):
            dev_info(adev.dev, "ring %d was preempted\n", ring.idx)

            amdgpu_ib_preempt_mark_partial_job(ring)

            amdgpu_ib_preempt_fences_swap(ring, fences)

            amdgpu_fence_driver_force_completion(ring, None)

            amdgpu_ib_preempt_job_recovery(ring.sched)

            amdgpu_fence_wait_empty(ring)

            amdgpu_ib_preempt_signal_fences(fences, length)
    if label("failure"):
        amdgpu_ring_sched_start(ring)

        up_read(adev.reset_domain.sem)
    if label("pro_end"):
        kfree(fences)

    return r
