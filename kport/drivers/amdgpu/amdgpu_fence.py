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
    dma_fence_init,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal,
    dma_fence_wait,
)
from kport.drivers.amdgpu.amdgpu import (
    AMDGPU_FENCE_FLAG_INT,
    AMDGPU_FENCE_JIFFIES_TIMEOUT,
    amdgpu_fence,
    amdgpu_fence_driver,
    amdgpu_ring,
    to_amdgpu_fence,
)
from kport.drivers.amdgpu.amdgpu_ring import amdgpu_ring_emit_fence
from kport.linux.atomic import atomic_cmpxchg, atomic_read, atomic_set
from kport.linux.device import dev_warn
from kport.linux.err import ECANCELED, ENOMEM
from kport.linux.interrupt import IRQ_HANDLED, IRQ_NONE
from kport.linux.jiffies import jiffies
from kport.linux.ktime import ktime_get
from kport.linux.rcupdate import kfree_rcu
from kport.linux.slab import kfree, kzalloc_objs, pointer
from kport.linux.spinlock import spin_lock_init
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


def amdgpu_fence_read(ring: amdgpu_ring) -> int:
    """The last number the hardware wrote; a signed 32-bit cell like last_seq."""
    return s32(ring.adev.gpu.memory[ring.fence_drv.gpu_addr])


def amdgpu_fence_emit(ring: amdgpu_ring, af: amdgpu_fence, flags: int) -> None:
    """Initialise a fence with the ring's next number and emit the packet that writes it.

    Waits for the fence that used the same slot, which bounds what is on the ring.
    """
    adev = ring.adev
    fence = af.base
    af.ring = ring

    ring.fence_drv.sync_seq = u32(ring.fence_drv.sync_seq + 1)
    seq = ring.fence_drv.sync_seq
    dma_fence_init(
        fence, amdgpu_fence_ops, ring.fence_drv.lock, adev.fence_context + ring.idx, seq
    )

    amdgpu_ring_emit_fence(ring, ring.fence_drv.gpu_addr, seq, flags | AMDGPU_FENCE_FLAG_INT)

    slot = seq & ring.fence_drv.num_fences_mask
    old = ring.fence_drv.fences[slot]
    if old:
        rcu_read_lock()
        old = dma_fence_get_rcu(old)
        rcu_read_unlock()

        if old:
            dma_fence_wait(old, False)
            dma_fence_put(old)

    to_amdgpu_fence(fence).start_timestamp = ktime_get()

    ring.fence_drv.fences[slot] = dma_fence_get(fence)


def amdgpu_fence_schedule_fallback(ring: amdgpu_ring) -> None:
    """Look again in half a second, in case an interrupt is lost."""
    mod_timer(ring.fence_drv.fallback_timer, jiffies() + AMDGPU_FENCE_JIFFIES_TIMEOUT)


def amdgpu_fence_process(ring: amdgpu_ring) -> bool:
    """Signal every fence up to the number the hardware wrote; False if there is none."""
    drv = ring.fence_drv

    while True:
        last_seq = atomic_read(ring.fence_drv.last_seq)
        seq = amdgpu_fence_read(ring)
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

        fence = drv.fences[last_seq]
        drv.fences[last_seq] = None

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

    rcu_read_lock()
    fence = ring.fence_drv.fences[seq & ring.fence_drv.num_fences_mask]
    if not fence or not dma_fence_get_rcu(fence):
        rcu_read_unlock()
        return 0
    rcu_read_unlock()

    r = dma_fence_wait(fence, False)
    dma_fence_put(fence)
    return r


def amdgpu_fence_driver_force_completion(ring: amdgpu_ring) -> None:
    """Signal every outstanding fence with -ECANCELED, as if the hardware had done its work."""
    drv = ring.fence_drv
    for fence in list(drv.fences):
        if fence and not fence.error:
            dma_fence_set_error(fence, -ECANCELED)
    ring.adev.gpu.memory[drv.gpu_addr] = drv.sync_seq
    amdgpu_fence_process(ring)


def amdgpu_fence_driver_init_ring(ring: amdgpu_ring) -> int:
    """Prepare the fences of a ring: 0 or -ENOMEM."""
    ring.fence_drv.gpu_addr = ring.idx
    ring.fence_drv.sync_seq = 0
    atomic_set(ring.fence_drv.last_seq, 0)
    ring.fence_drv.initialized = False

    timer_setup(ring.fence_drv.fallback_timer, amdgpu_fence_fallback, 0)

    ring.fence_drv.num_fences_mask = ring.num_hw_submission * 2 - 1
    spin_lock_init(ring.fence_drv.lock)
    ring.fence_drv.fences = kzalloc_objs(pointer, ring.num_hw_submission * 2)

    if not ring.fence_drv.fences:
        return -ENOMEM

    return 0


def amdgpu_fence_driver_hw_fini_ring(ring: amdgpu_ring) -> None:
    """Wait until the ring has nothing outstanding, and stop looking for lost interrupts."""
    r = amdgpu_fence_wait_empty(ring)
    if r:
        amdgpu_fence_driver_force_completion(ring)

    timer_delete_sync(ring.fence_drv.fallback_timer)


def amdgpu_fence_driver_sw_fini_ring(ring: amdgpu_ring) -> None:
    """Drop what is left in the slots."""
    for j in range(0, ring.fence_drv.num_fences_mask + 1):
        dma_fence_put(ring.fence_drv.fences[j])
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
