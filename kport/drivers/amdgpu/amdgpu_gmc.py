# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/gmc_v11_0.c and gfx_v11_0.c, Linux 7.2.13, on 2026-11-20.
"""Page faults of the GPU."""

from __future__ import annotations

from typing import Any

from kport.drivers.amdgpu.amdgpu import amdgpu_device
from kport.drivers.compat import drm_sched_fault
from kport.linux.device import dev_err
from kport.linux.interrupt import IRQ_HANDLED


def gmc_v11_0_process_interrupt(irq: int, dev: Any) -> int:
    """Say what was read, and let the timeout handler of its ring look at once.

    The kernel does the latter for illegal opcodes and registers; its page faults are waited out.
    """
    adev: amdgpu_device = dev
    while adev.gpu.page_faults:
        fault = adev.gpu.page_faults.popleft()
        for ring in adev.rings:
            if ring.name == fault.ring:
                dev_err(
                    adev.dev,
                    "[gfxhub] page fault (src_id:0 ring:%u vmid:%u pasid:0)\n",
                    ring.idx,
                    fault.vmid,
                )
                dev_err(adev.dev, "  in page starting at address 0x%016x\n", fault.address)
                drm_sched_fault(ring.sched)
    return IRQ_HANDLED
