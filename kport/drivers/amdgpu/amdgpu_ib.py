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

    for i in range(0, num_ibs):
        ib = ibs[i]
        if not ib.gpu_addr:
            ib.gpu_addr = adev.gpu.map(ib.batch)
        amdgpu_ring_emit_ib(ring, job.base.s_fence.finished.context, ib)

    af = job.hw_fence
    amdgpu_fence_emit(ring, af, 0)
    f = dma_fence_get(af.base)

    amdgpu_ring_commit(ring)
    return 0, f
