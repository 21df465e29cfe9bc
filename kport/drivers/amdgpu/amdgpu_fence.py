# SPDX-FileCopyrightText: 2009 Jerome Glisse.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/amdgpu_fence.c, Linux 7.2.13, on 2026-11-20.
"""Hardware fences: emitted with a number, signalled when the hardware has written that number.

An interrupt says that the number has changed. A timer that is armed while fences are outstanding
and an interrupt has been processed finds the fences whose interrupt was lost.
"""

from __future__ import annotations

from typing import Any

from kport.arch.asm import READ_ONCE, rcu_read_lock, rcu_read_unlock
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_get,
    dma_fence_get_rcu,
    dma_fence_get_rcu_safe,
    dma_fence_init,
    dma_fence_is_signaled,
    dma_fence_is_signaled_locked,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal,
    dma_fence_wait,
    dma_fence_was_initialized,
)
from kport.drivers.amdgpu.amdgpu import (
    AMDGPU_FENCE_FLAG_INT,
    AMDGPU_FENCE_JIFFIES_TIMEOUT,
    amdgpu_fence,
    amdgpu_fence_driver,
    amdgpu_fence_slot,
    amdgpu_ring,
    to_amdgpu_fence,
)
from kport.linux.atomic import atomic_cmpxchg, atomic_read, atomic_set
from kport.linux.device import dev_warn
from kport.linux.err import ECANCELED, ENODEV, ENOMEM, ETIME
from kport.linux.interrupt import IRQ_HANDLED, IRQ_NONE
from kport.linux.jiffies import jiffies
from kport.linux.ktime import ktime_get
from kport.linux.lockdep import lockdep_is_held
from kport.linux.rcupdate import (
    RCU_INIT_POINTER,
    kfree_rcu,
    rcu_assign_pointer,
    rcu_dereference,
    rcu_dereference_protected,
)
from kport.linux.slab import kfree, kzalloc_objs
from kport.linux.spinlock import spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore
from kport.linux.struct import container_of
from kport.linux.timer import (
    mod_timer,
    timer_container_of,
    timer_delete,
    timer_delete_sync,
    timer_list,
    timer_pending,
    timer_setup,
)
from kport.linux.types import s32, u32


CELLS = 8  # of memory for each ring: its number, the preempted one, the trailing one, conditions


def amdgpu_fence_read(ring: amdgpu_ring) -> int:
    """The last number the hardware wrote; a signed 32-bit cell like last_seq."""
    return s32(ring.adev.gpu.memory[ring.fence_drv.gpu_addr])


def amdgpu_fence_write(ring: amdgpu_ring, seq: int) -> None:
    """Write a number in the hardware's place."""
    ring.adev.gpu.memory[ring.fence_drv.gpu_addr] = seq


def amdgpu_fence_emit(ring: amdgpu_ring, af: amdgpu_fence, flags: int) -> None:
    """Initialise a fence with the ring's next number and emit the packet that writes it.

    Waits for the fence that used the same slot, which bounds what is on the ring. The fence of a
    job that runs once more keeps who waits for it and gets a new number; the kernel initialises it
    anew, and the scheduler's callback is lost.
    """
    adev = ring.adev
    fence = af.base
    af.ring = ring

    ring.fence_drv.sync_seq = u32(ring.fence_drv.sync_seq + 1)
    seq = ring.fence_drv.sync_seq
    if dma_fence_was_initialized(fence):
        fence.seqno = seq
        fence.error = 0
        amdgpu_fence_emitted_again(ring)
    else:
        dma_fence_init(
            fence, amdgpu_fence_ops, ring.fence_drv.lock, adev.fence_context + ring.idx, seq
        )

    amdgpu_ring_emit_fence(ring, ring.fence_drv.gpu_addr, seq, flags | AMDGPU_FENCE_FLAG_INT)

    ptr = ring.fence_drv.fences[seq & ring.fence_drv.num_fences_mask]
    if rcu_dereference_protected(ptr, "fence", 1):
        rcu_read_lock()
        old = dma_fence_get_rcu_safe((ptr, "fence"))
        rcu_read_unlock()

        if old:
            dma_fence_wait(old, False)
            dma_fence_put(old)

    to_amdgpu_fence(fence).start_timestamp = ktime_get()

    rcu_assign_pointer(ptr, "fence", dma_fence_get(fence))


def amdgpu_fence_schedule_fallback(ring: amdgpu_ring) -> None:
    """Look again in half a second, in case an interrupt is lost."""
    mod_timer(ring.fence_drv.fallback_timer, jiffies() + AMDGPU_FENCE_JIFFIES_TIMEOUT)


def amdgpu_fence_emitted_again(ring: amdgpu_ring) -> None:
    """Ours: the fence will not be asked again to enable signalling, which arms the timer.

    Without this the fence of a job whose interrupt is lost a second time waits for the next reset,
    and for the one behind it.
    """
    if not timer_pending(ring.fence_drv.fallback_timer):
        amdgpu_fence_schedule_fallback(ring)


def amdgpu_fence_process(ring: amdgpu_ring) -> bool:
    """Signal every fence up to the number the hardware wrote; False if there is none.

    The kernel takes a number that goes back for one that went all the way round: it signals
    whatever is in the slots, and the next time it may leave a fence in its slot for ever. An engine
    that completes out of order writes such numbers. Here they are left alone.
    """
    drv = ring.fence_drv

    while True:
        last_seq = atomic_read(ring.fence_drv.last_seq)
        seq = amdgpu_fence_read(ring)
        if s32(seq - last_seq) < 0:
            return False
        if atomic_cmpxchg(drv.last_seq, last_seq, seq) == last_seq:
            break

    if timer_delete(ring.fence_drv.fallback_timer) and u32(seq) != ring.fence_drv.sync_seq:
        amdgpu_fence_schedule_fallback(ring)

    if seq == last_seq:
        return False

    last_seq &= drv.num_fences_mask
    seq &= drv.num_fences_mask

    while True:
        last_seq += 1
        last_seq &= drv.num_fences_mask

        ptr = drv.fences[last_seq]

        fence = rcu_dereference_protected(ptr, "fence", 1)
        RCU_INIT_POINTER(ptr, "fence", None)

        if fence:
            dma_fence_signal(fence)
            dma_fence_put(fence)
        if last_seq == seq:
            break

    return True


def amdgpu_fence_fallback(t: timer_list) -> None:
    """The timer: was an interrupt lost?"""
    drv = timer_container_of(t, amdgpu_fence_driver, "fallback_timer")
    ring = container_of(drv, amdgpu_ring, "fence_drv")

    if amdgpu_fence_process(ring):
        dev_warn(ring.adev.dev, "Fence fallback timer expired on ring %s\n", ring.name)


def amdgpu_fence_irq(irq: int, dev: Any) -> int:
    """The ring's interrupt."""
    return IRQ_HANDLED if amdgpu_fence_process(dev) else IRQ_NONE


def amdgpu_fence_wait_empty(ring: amdgpu_ring) -> int:
    """Wait for the fence emitted last: 0."""
    seq = READ_ONCE(ring.fence_drv, "sync_seq")

    if not seq:
        return 0

    ptr = ring.fence_drv.fences[seq & ring.fence_drv.num_fences_mask]
    rcu_read_lock()
    fence = rcu_dereference(ptr, "fence")
    if not fence or not dma_fence_get_rcu(fence):
        rcu_read_unlock()
        return 0
    rcu_read_unlock()

    r = dma_fence_wait(fence, False)
    dma_fence_put(fence)
    return r


def amdgpu_fence_count_emitted(ring: amdgpu_ring) -> int:
    """How many fences have been emitted and not been seen."""
    emitted = 0x100000000
    emitted -= atomic_read(ring.fence_drv.last_seq)
    emitted += READ_ONCE(ring.fence_drv, "sync_seq")
    return u32(emitted)


def amdgpu_fence_driver_set_error(ring: amdgpu_ring, error: int) -> None:
    """Set an error on every fence that is outstanding."""
    drv = ring.fence_drv

    flags = spin_lock_irqsave(drv.lock)
    for i in range(0, drv.num_fences_mask + 1):
        ptr = drv.fences[i]
        fence = rcu_dereference_protected(ptr, "fence", lockdep_is_held(drv.lock))
        if fence and not dma_fence_is_signaled_locked(fence):
            dma_fence_set_error(fence, error)
    spin_unlock_irqrestore(drv.lock, flags)


def amdgpu_fence_driver_force_completion(
    ring: amdgpu_ring, timedout_fence: dma_fence | None
) -> None:
    """Signal every outstanding fence, as if the hardware had done its work.

    The fence of the job that timed out gets -ETIME, the others -ECANCELED.
    """
    drv = ring.fence_drv

    flags = spin_lock_irqsave(drv.lock)
    for i in range(0, drv.num_fences_mask + 1):
        ptr = drv.fences[i]
        fence = rcu_dereference_protected(ptr, "fence", lockdep_is_held(drv.lock))
        if fence and not dma_fence_is_signaled_locked(fence):
            if fence is timedout_fence:
                dma_fence_set_error(fence, -ETIME)
            else:
                dma_fence_set_error(fence, -ECANCELED)
    spin_unlock_irqrestore(drv.lock, flags)

    amdgpu_fence_write(ring, ring.fence_drv.sync_seq)
    amdgpu_fence_process(ring)


def amdgpu_fence_driver_clear_job_fences(
    ring: amdgpu_ring, timedout_fence: dma_fence | None
) -> None:
    """Forget the fences of jobs that shall run again, so that nobody signals them before.

    As in Linux 6.1, but the one that timed out stays: its job does not run again.
    """
    for i in range(0, ring.fence_drv.num_fences_mask + 1):
        ptr = ring.fence_drv.fences[i]
        old = rcu_dereference_protected(ptr, "fence", 1)
        if old and old is not timedout_fence:
            RCU_INIT_POINTER(ptr, "fence", None)
            dma_fence_put(old)


def amdgpu_ring_set_fence_errors_and_reemit(
    ring: amdgpu_ring, guilty_fence: amdgpu_fence
) -> None:
    """After a reset: write the saved words once more, without the batches of the guilty context.

    The guilty fence gets -ETIME, the others of its context -ECANCELED.
    """
    last_seq = amdgpu_fence_read(ring) & ring.fence_drv.num_fences_mask
    seq = ring.fence_drv.sync_seq & ring.fence_drv.num_fences_mask

    ring.reemit = True
    amdgpu_ring_alloc(ring, ring.ring_backup_entries_to_copy)
    flags = spin_lock_irqsave(ring.fence_drv.lock)
    while True:
        last_seq += 1
        last_seq &= ring.fence_drv.num_fences_mask

        ptr = ring.fence_drv.fences[last_seq]
        rcu_read_lock()
        unprocessed = rcu_dereference(ptr, "fence")

        if unprocessed and not dma_fence_is_signaled_locked(unprocessed):
            fence = to_amdgpu_fence(unprocessed)
            is_guilty_fence = fence is guilty_fence
            is_guilty_context = fence.context == guilty_fence.context

            if is_guilty_fence:
                dma_fence_set_error(fence.base, -ETIME)
            elif is_guilty_context:
                dma_fence_set_error(fence.base, -ECANCELED)
            else:
                ring.adev.reset_stats.resubmitted += 1

            fence.ib_wptr = ring.wptr
            for i in range(0, fence.ib_dw_size):
                if (
                    is_guilty_context
                    and i >= fence.skip_ib_dw_start_offset
                    and i < fence.skip_ib_dw_end_offset
                ):
                    amdgpu_ring_write(ring, ring.funcs.nop)
                else:
                    amdgpu_ring_write(ring, ring.ring_backup[fence.backup_idx + i])
        rcu_read_unlock()
        if last_seq == seq:
            break
    spin_unlock_irqrestore(ring.fence_drv.lock, flags)
    amdgpu_ring_commit(ring)
    ring.reemit = False
    amdgpu_fence_emitted_again(ring)


def amdgpu_ring_backup_unprocessed_command(ring: amdgpu_ring, af: amdgpu_fence) -> None:
    """Save the words of one job."""
    af.backup_idx = ring.ring_backup_entries_to_copy
    for i in range(af.ib_wptr, af.ib_wptr + af.ib_dw_size):
        ring.ring_backup.append(ring.hw.read(i))
        ring.ring_backup_entries_to_copy += 1


def amdgpu_ring_backup_unprocessed_commands(
    ring: amdgpu_ring, guilty_fence: amdgpu_fence
) -> None:
    """Save the words of every job whose number the hardware has not written."""
    last_seq = amdgpu_fence_read(ring) & ring.fence_drv.num_fences_mask
    seq = ring.fence_drv.sync_seq & ring.fence_drv.num_fences_mask
    ring.ring_backup_entries_to_copy = 0
    ring.ring_backup = []

    while True:
        last_seq += 1
        last_seq &= ring.fence_drv.num_fences_mask

        ptr = ring.fence_drv.fences[last_seq]
        rcu_read_lock()
        unprocessed = rcu_dereference(ptr, "fence")

        if unprocessed and not dma_fence_is_signaled(unprocessed):
            amdgpu_ring_backup_unprocessed_command(ring, to_amdgpu_fence(unprocessed))
        rcu_read_unlock()
        if last_seq == seq:
            break


def amdgpu_fence_driver_init_ring(ring: amdgpu_ring) -> int:
    """Prepare the fences of a ring: 0 or -ENOMEM."""
    ring.fence_drv.gpu_addr = ring.idx * CELLS
    ring.trail_fence_gpu_addr = ring.fence_drv.gpu_addr + 4
    ring.cond_exe_gpu_addr = ring.fence_drv.gpu_addr + 6
    amdgpu_ring_set_preempt_cond_exec(ring, True)
    ring.fence_drv.sync_seq = 0
    atomic_set(ring.fence_drv.last_seq, 0)
    ring.fence_drv.initialized = False

    timer_setup(ring.fence_drv.fallback_timer, amdgpu_fence_fallback, 0)

    ring.fence_drv.num_fences_mask = ring.num_hw_submission * 2 - 1
    spin_lock_init(ring.fence_drv.lock)
    ring.fence_drv.fences = kzalloc_objs(amdgpu_fence_slot, ring.num_hw_submission * 2)

    if not ring.fence_drv.fences:
        return -ENOMEM

    return 0


def amdgpu_fence_driver_hw_fini_ring(ring: amdgpu_ring) -> None:
    """Wait until the ring has nothing outstanding, and stop looking for lost interrupts."""
    if not drm_dev_is_unplugged(ring.adev):
        r = amdgpu_fence_wait_empty(ring)
    else:
        r = -ENODEV
    if r:
        amdgpu_fence_driver_force_completion(ring, None)

    timer_delete_sync(ring.fence_drv.fallback_timer)


def amdgpu_fence_driver_sw_fini_ring(ring: amdgpu_ring) -> None:
    """Drop what is left in the slots."""
    for j in range(0, ring.fence_drv.num_fences_mask + 1):
        dma_fence_put(ring.fence_drv.fences[j].fence)
    kfree(ring.fence_drv.fences)
    ring.fence_drv.fences = None
    ring.fence_drv.initialized = False


def amdgpu_fence_get_driver_name(fence: dma_fence) -> str:
    """The driver name of hardware fences."""
    return "amdgpu"


def amdgpu_fence_get_timeline_name(f: dma_fence) -> str:
    """The ring's name."""
    return to_amdgpu_fence(f).ring.name


def amdgpu_fence_enable_signaling(f: dma_fence) -> bool:
    """Somebody waits: make sure that a lost interrupt is noticed."""
    ring = to_amdgpu_fence(f).ring
    if not timer_pending(ring.fence_drv.fallback_timer):
        amdgpu_fence_schedule_fallback(ring)

    return True


def amdgpu_fence_release(f: dma_fence) -> None:
    """The last reference is gone."""
    kfree_rcu(f, "rcu")


amdgpu_fence_ops = dma_fence_ops(
    get_driver_name=amdgpu_fence_get_driver_name,
    get_timeline_name=amdgpu_fence_get_timeline_name,
    enable_signaling=amdgpu_fence_enable_signaling,
    release=amdgpu_fence_release,
)

# extern
from kport.drivers.amdgpu.amdgpu_drv import drm_dev_is_unplugged
from kport.drivers.amdgpu.amdgpu_ring import (
    amdgpu_ring_alloc,
    amdgpu_ring_commit,
    amdgpu_ring_emit_fence,
    amdgpu_ring_set_preempt_cond_exec,
    amdgpu_ring_write,
)
