# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/amdgpu_ib.c, Linux 7.2.13, on 2026-11-20.
"""Putting the batches of a job on a ring, with a fence behind them."""

from __future__ import annotations

from kport.dma_buf.dma_fence import dma_fence, dma_fence_get
from kport.drivers.amdgpu.amdgpu import amdgpu_ib, amdgpu_job, amdgpu_ring
from kport.drivers.amdgpu.amdgpu_fence import amdgpu_fence_emit
from kport.drivers.amdgpu.amdgpu_ring import (
    EMIT_FRAME_SIZE,
    EMIT_IB_SIZE,
    amdgpu_ring_alloc,
    amdgpu_ring_commit,
    amdgpu_ring_emit_ib,
    amdgpu_ring_init_cond_exec,
    amdgpu_ring_patch_cond_exec,
)
from kport.linux.device import dev_err
from kport.linux.err import EINVAL


def amdgpu_ib_schedule(
    ring: amdgpu_ring, num_ibs: int, ibs: list[amdgpu_ib], job: amdgpu_job
) -> tuple[int, dma_fence | None]:
    """Write a job: (0, hardware fence with a reference) or (-EINVAL / -ENOMEM, None)."""
    adev = ring.adev

    if num_ibs == 0:
        return -EINVAL, None

    if not ring.sched.ready:
        dev_err(adev.dev, "couldn't schedule ib on ring <%s>\n", ring.name)
        return -EINVAL, None

    r = amdgpu_ring_alloc(ring, EMIT_FRAME_SIZE + num_ibs * EMIT_IB_SIZE)
    if r:
        dev_err(adev.dev, "scheduling IB failed (%d).\n", r)
        return r, None

    af = job.hw_fence
    af.context = job.vmid = job.base.s_fence.finished.context
    af.ib_wptr = ring.wptr

    cond_exec = 0
    if ring.funcs.preempt_ib:
        cond_exec = amdgpu_ring_init_cond_exec(ring, ring.cond_exe_gpu_addr)

    af.skip_ib_dw_start_offset = ring.wptr - af.ib_wptr
    for i in range(0, num_ibs):
        ib = ibs[i]
        if not ib.gpu_addr:
            ib.gpu_addr = adev.gpu.map(ib.batch)
        amdgpu_ring_emit_ib(ring, job.vmid, ib)
    af.skip_ib_dw_end_offset = ring.wptr - af.ib_wptr

    amdgpu_fence_emit(ring, af, 0)
    f = dma_fence_get(af.base)

    if ring.funcs.preempt_ib:
        amdgpu_ring_patch_cond_exec(ring, cond_exec)

    af.ib_dw_size = ring.wptr - af.ib_wptr

    amdgpu_ring_commit(ring)
    return 0, f
