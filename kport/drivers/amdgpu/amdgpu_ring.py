# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/amdgpu_ring.c, Linux 7.2.13, on 2026-11-20.
"""Writing to a ring: allocate, emit words, commit with the doorbell or undo; recovering it."""

from __future__ import annotations

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_is_signaled,
    dma_fence_is_signaled_locked,
    dma_fence_lock_irqsave,
    dma_fence_set_error,
    dma_fence_unlock_irqrestore,
)
from kport.drivers.amdgpu.amdgpu import amdgpu_device, amdgpu_fence, amdgpu_ib, amdgpu_ring
from kport.hw import packets
from kport.linux.atomic import atomic_inc, atomic_xchg
from kport.linux.barrier import mb
from kport.linux.bug import WARN_ON_ONCE
from kport.linux.err import ENODATA, ENODEV, ENOMEM
from kport.linux.ktime import ktime_add_us, ktime_get
from kport.linux.printk import pr_err
from kport.linux.workqueue import disable_work_sync, enable_work

EMIT_FRAME_SIZE = 7  # words of a submission without its batches
EMIT_IB_SIZE = 3  # words for one batch


def amdgpu_ring_alloc(ring: amdgpu_ring, ndw: int) -> int:
    """Begin a submission of at most `ndw` words: 0 or -ENOMEM."""
    if not ring.reemit:
        if WARN_ON_ONCE(ndw > ring.max_dw):
            return -ENOMEM

    ring.count_dw = ndw
    ring.wptr_old = ring.wptr
    return 0


def amdgpu_ring_write(ring: amdgpu_ring, v: int) -> None:
    """Write one word."""
    if ring.count_dw <= 0:
        pr_err("amdgpu: writing more dwords to the ring than expected!\n")
    ring.hw.write(ring.wptr, v)
    ring.wptr += 1
    ring.count_dw -= 1


def amdgpu_ring_emit_ib(ring: amdgpu_ring, vmid: int, ib: amdgpu_ib) -> None:
    """Emit the packet that runs a batch in an address space."""
    amdgpu_ring_write(ring, packets.header(packets.EXECUTE, 2))
    amdgpu_ring_write(ring, ib.gpu_addr)
    amdgpu_ring_write(ring, vmid)


def amdgpu_ring_init_cond_exec(ring: amdgpu_ring, addr: int) -> int:
    """Emit the packet that skips what follows while the cell holds 0; returns what to patch."""
    amdgpu_ring_write(ring, packets.header(packets.COND_EXEC, 2))
    amdgpu_ring_write(ring, addr)
    ret = ring.wptr
    amdgpu_ring_write(ring, 0)

    return ret


def amdgpu_ring_patch_cond_exec(ring: amdgpu_ring, offset: int) -> None:
    """What is to be skipped ends here."""
    ring.hw.write(offset, ring.wptr - offset - 1)


def amdgpu_ring_set_preempt_cond_exec(ring: amdgpu_ring, cond_exec: bool) -> None:
    """From now on the engine runs jobs (True) or skips them (False)."""
    ring.adev.gpu.memory[ring.cond_exe_gpu_addr] = int(cond_exec)


def amdgpu_ring_emit_fence(ring: amdgpu_ring, addr: int, seq: int, flags: int) -> None:
    """Emit the packet that writes a number and raises the interrupt."""
    amdgpu_ring_write(ring, packets.header(packets.FENCE, 3))
    amdgpu_ring_write(ring, addr)
    amdgpu_ring_write(ring, seq)
    amdgpu_ring_write(ring, flags)


def amdgpu_ring_commit(ring: amdgpu_ring) -> None:
    """End a submission: the engine may fetch it."""
    if ring.count_dw < 0:
        pr_err("amdgpu: writing more dwords to the ring than expected!\n")

    mb()
    ring.hw.doorbell(ring.wptr)


def amdgpu_ring_undo(ring: amdgpu_ring) -> None:
    """Give a submission up."""
    ring.wptr = ring.wptr_old


def amdgpu_ring_soft_recovery(
    ring: amdgpu_ring, vmid: int, fence: dma_fence | None
) -> bool:
    """Kill what runs in an address space again and again, for 10 ms; True if the fence signalled.

    The fence ends with -ENODATA then.
    """
    deadline = ktime_add_us(ktime_get(), 10000)

    if amdgpu_sriov_vf(ring.adev) or not ring.funcs.soft_recovery or not fence:
        return False

    flags = dma_fence_lock_irqsave(fence)
    if not dma_fence_is_signaled_locked(fence):
        dma_fence_set_error(fence, -ENODATA)
    dma_fence_unlock_irqrestore(fence, flags)

    while not dma_fence_is_signaled(fence) and deadline - ktime_get() > 0:
        ring.funcs.soft_recovery(ring, vmid)

    ret = dma_fence_is_signaled(fence)
    if ret:
        atomic_inc(ring.adev.gpu_reset_counter)

    return ret


def amdgpu_ring_sched_ready(ring: amdgpu_ring | None) -> bool:
    """True for a ring whose scheduler is up."""
    if not ring:
        return False

    if not drm_sched_wqueue_ready(ring.sched):
        return False

    return True


def amdgpu_ring_sched_stop(ring: amdgpu_ring) -> None:
    """Ours: neither run_job() nor free_job() is under way when this returns, or begins.

    drm_sched_wqueue_stop() of 7.2 does not see to that: whoever looked whether the scheduler is
    stopped just before it was queues work behind it, and the work does not look any more. So the
    work items are refused as well. The ring may be stopped already.
    """
    drm_sched_wqueue_stop(ring.sched)
    if compat.scheduler == "v7_2" and not atomic_xchg(ring.sched_disabled, 1):
        disable_work_sync(ring.sched.work_run_job)
        disable_work_sync(ring.sched.work_free_job)


def amdgpu_ring_sched_start(ring: amdgpu_ring) -> None:
    """Ours: the scheduler of the ring goes on."""
    if atomic_xchg(ring.sched_disabled, 0):
        enable_work(ring.sched.work_run_job)
        enable_work(ring.sched.work_free_job)
    drm_sched_wqueue_start(ring.sched)


def amdgpu_ring_test_ring(ring: amdgpu_ring) -> int:
    """0 if the ring works, or -ENODEV."""
    return -ENODEV if ring.adev.gpu.dead else 0


def amdgpu_ring_reset_helper_begin(ring: amdgpu_ring, guilty_fence: amdgpu_fence) -> None:
    """Save what a reset of the ring would lose."""
    amdgpu_ring_backup_unprocessed_commands(ring, guilty_fence)


def amdgpu_ring_reset_helper_end(ring: amdgpu_ring, guilty_fence: amdgpu_fence) -> int:
    """The ring was reset: write what was saved once more. 0, or an error if it does not work."""
    r = amdgpu_ring_test_ring(ring)
    if r:
        return r

    amdgpu_ring_set_fence_errors_and_reemit(ring, guilty_fence)

    return 0


def amdgpu_ring_is_reset_type_supported(ring: amdgpu_ring, reset_type: int) -> bool:
    """True if the ring can be reset like that."""
    return bool(ring.adev.supported_reset & reset_type)


def amdgpu_ring_reset(ring: amdgpu_ring, vmid: int, guilty_fence: amdgpu_fence) -> int:
    """Reset the ring alone: 0 or a negative error."""
    r: int = ring.funcs.reset(ring, vmid, guilty_fence)
    return r


def amdgpu_ring_preempt_ib(ring: amdgpu_ring) -> int:
    """Take the running batch off the ring: 0 or a negative error."""
    r: int = ring.funcs.preempt_ib(ring)
    return r


def amdgpu_sriov_vf(adev: amdgpu_device) -> bool:
    """True if the device is a virtual function."""
    return bool(adev.gpu.vf)


# extern
from kport.drivers.amdgpu.amdgpu_fence import (
    amdgpu_ring_backup_unprocessed_commands,
    amdgpu_ring_set_fence_errors_and_reemit,
)
from kport.drivers import compat
from kport.drivers.compat import (
    drm_sched_wqueue_ready,
    drm_sched_wqueue_start,
    drm_sched_wqueue_stop,
)
