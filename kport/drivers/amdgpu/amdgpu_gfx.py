# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/gfx_v11_0.c, amdgpu_gfx.c and sdma_v6_0.c, Linux 7.2.13,
# on 2026-11-20.
"""What the kinds of rings can do when something goes wrong."""

from __future__ import annotations

from kport.drivers.amdgpu.amdgpu import (
    AMDGPU_RING_TYPE_COMPUTE,
    AMDGPU_RING_TYPE_GFX,
    AMDGPU_RING_TYPE_SDMA,
    amdgpu_fence,
    amdgpu_ring,
    amdgpu_ring_funcs,
)
from kport.drivers.amdgpu.amdgpu_ring import (
    amdgpu_ring_reset_helper_begin,
    amdgpu_ring_reset_helper_end,
    amdgpu_ring_set_preempt_cond_exec,
)
from kport.hw import packets
from kport.linux.delay import usleep_range
from kport.linux.err import EINVAL, ENODEV, ETIMEDOUT
from kport.linux.ktime import ktime_add_us, ktime_get
from kport.linux.printk import pr_err
from kport.linux.types import u32

USEC_TIMEOUT = 100_000  # us, as the kernel's AMDGPU_MAX_USEC_TIMEOUT


def gfx_v11_0_ring_soft_recovery(ring: amdgpu_ring, vmid: int) -> None:
    """Kill what runs in the address space, and give it a moment to end."""
    ring.hw.kill(vmid)
    usleep_range(100, 200)


def gfx_v11_0_reset_kgq(ring: amdgpu_ring, vmid: int, timedout_fence: amdgpu_fence) -> int:
    """Reset the ring: 0, -ENODEV without hardware, -ETIMEDOUT if it hangs as before."""
    amdgpu_ring_reset_helper_begin(ring, timedout_fence)

    if not ring.hw.reset():
        return -ENODEV if ring.adev.gpu.dead else -ETIMEDOUT

    return amdgpu_ring_reset_helper_end(ring, timedout_fence)


def amdgpu_gfx_ring_preempt_ib(ring: amdgpu_ring) -> int:
    """Preempt the running batch and skip the jobs behind it: 0, or -EINVAL after 100 ms."""
    amdgpu_ring_set_preempt_cond_exec(ring, False)

    ring.trail_seq = u32(ring.trail_seq + 1)
    ring.hw.preempt(ring.trail_fence_gpu_addr, ring.trail_seq)

    deadline = ktime_add_us(ktime_get(), USEC_TIMEOUT)
    while True:
        late = ktime_get() >= deadline
        if ring.trail_seq == ring.adev.gpu.memory[ring.trail_fence_gpu_addr]:
            late = False
            break
        if late:
            break
        usleep_range(50, 100)

    amdgpu_ring_set_preempt_cond_exec(ring, True)

    if late:
        pr_err("*ERROR* ring %d failed to preempt ib\n", ring.idx)
        return -EINVAL

    return 0


gfx_v11_0_ring_funcs_gfx = amdgpu_ring_funcs(
    type=AMDGPU_RING_TYPE_GFX,
    nop=packets.header(packets.NOP, 0),
    soft_recovery=gfx_v11_0_ring_soft_recovery,
    reset=gfx_v11_0_reset_kgq,
    preempt_ib=amdgpu_gfx_ring_preempt_ib,
)

gfx_v11_0_ring_funcs_compute = amdgpu_ring_funcs(
    type=AMDGPU_RING_TYPE_COMPUTE,
    nop=packets.header(packets.NOP, 0),
    soft_recovery=gfx_v11_0_ring_soft_recovery,
    reset=gfx_v11_0_reset_kgq,
)

sdma_v6_0_ring_funcs = amdgpu_ring_funcs(
    type=AMDGPU_RING_TYPE_SDMA,
    nop=packets.header(packets.NOP, 0),
    reset=gfx_v11_0_reset_kgq,
)


def amdgpu_ring_funcs_of(name: str) -> amdgpu_ring_funcs:
    """Ours: the kind of a ring, by its name."""
    if name.startswith(("gfx", "rcs")):
        return gfx_v11_0_ring_funcs_gfx
    if name.startswith(("comp", "ccs")):
        return gfx_v11_0_ring_funcs_compute
    return sdma_v6_0_ring_funcs
