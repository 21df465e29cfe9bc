# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/amdgpu_device.c, Linux 7.2.13, on 2026-11-20.
"""Bringing a device up and taking it down."""

from __future__ import annotations

from collections.abc import Iterable

from kport.dma_buf.dma_fence import dma_fence_context_alloc
from kport.drivers.amdgpu.amdgpu import (
    AMDGPU_RESET_TYPE_ALL,
    AMDGPU_RESET_TYPE_SOFT_RESET,
    amdgpu_device,
    amdgpu_reset_stats,
    amdgpu_ring,
)
from kport.drivers.amdgpu.amdgpu_drv import amdgpu_pci_hotplug, amdgpu_pci_remove
from kport.drivers.amdgpu.amdgpu_fence import (
    CELLS,
    amdgpu_fence_driver_hw_fini_ring,
    amdgpu_fence_driver_init_ring,
    amdgpu_fence_driver_sw_fini_ring,
    amdgpu_fence_irq,
)
from kport.drivers.amdgpu.amdgpu_gfx import amdgpu_ring_funcs_of
from kport.drivers.amdgpu.amdgpu_gmc import gmc_v11_0_process_interrupt
from kport.drivers.amdgpu.amdgpu_job import amdgpu_device_put_job, amdgpu_sched_ops
from kport.drivers.amdgpu.amdgpu_reset import (
    amdgpu_reset_create_reset_domain,
    amdgpu_reset_destroy_reset_domain,
)
from kport.drivers.amdgpu.amdgpu_ring import amdgpu_ring_sched_stop
from kport.drivers import compat
from kport.drivers.compat import (
    DRM_SCHED_PRIORITY_COUNT,
    drm_sched_fini,
    drm_sched_init,
    drm_sched_init_args,
)
from kport.hw.faults import Fault
from kport.hw.gpu import FakeGpu
from kport.linux import sched
from kport.linux.atomic import atomic_set
from kport.linux.completion import init_completion, wait_for_completion
from kport.linux.err import ENOMEM
from kport.linux.interrupt import free_irq, request_irq
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.types import roundup_pow_of_two
from kport.linux.workqueue import INIT_WORK, cancel_work_sync

amdgpu_sched_hw_submission = 2  # jobs on a ring at once, as the module parameter of that name
AMDGPU_MAX_HW_SUBMISSION = 1 << 16  # ours: a ring has room for so many jobs, whatever the credits


def amdgpu_device_init(
    name: str,
    rings: list[str],
    timeout: int,
    credit_limit: int | list[int] = amdgpu_sched_hw_submission,
    hw_submission: list[int] | None = None,
    *,
    gpu_recovery: int = 1,
    supported_reset: int = AMDGPU_RESET_TYPE_ALL,
    resubmit: bool | None = None,
    hang_limit: int = 0,
    vf: bool = False,
    faults: Iterable[Fault] = (),
) -> tuple[int, amdgpu_device | None]:
    """A device with one scheduler per ring: (0, device) or (-ENOMEM, None).

    `timeout` of jobs in ticks; `credit_limit` is how many credits fit on a ring, one number for
    all or one for each. `hw_submission` is how many jobs each ring must have room for, by default
    one for each credit; with more, run_job() waits for the oldest.

    The members of the same names describe `gpu_recovery`, `supported_reset` and `resubmit`, which
    is by default what the driver did in the kernel of the scheduler that was booted. The
    scheduler takes an entity for guilty after more than `hang_limit` hangs of a job. `vf`: the
    device is a virtual function. `faults` are to strike the hardware.
    """
    adev = kzalloc_obj(amdgpu_device)
    if not adev:
        return -ENOMEM, None
    adev.name = adev.dev.name = name
    adev.dev.driver = "amdgpu"
    adev.gpu = FakeGpu(
        sched.machine, name, cells=max(64, len(rings) * CELLS), faults=faults, vf=vf
    )
    adev.rings = []
    atomic_set(adev.num_jobs, 1)
    init_completion(adev.idle)
    adev.gpu_recovery = gpu_recovery
    adev.supported_reset = supported_reset
    if vf:
        adev.supported_reset &= ~AMDGPU_RESET_TYPE_SOFT_RESET
    adev.resubmit = compat.scheduler != "v7_2" if resubmit is None else resubmit
    adev.reset_stats = amdgpu_reset_stats()
    adev.reset_stats.guilty = []
    INIT_WORK(adev.unplug_work, amdgpu_pci_remove)
    r = amdgpu_reset_create_reset_domain(adev.reset_domain, "amdgpu-reset-dev")
    if r:
        kfree(adev)
        return r, None
    adev.fault_irq = adev.gpu.fault_line = request_irq(
        gmc_v11_0_process_interrupt, f"{name}-fault", adev
    )
    adev.hotplug_irq = adev.gpu.hotplug_line = request_irq(
        amdgpu_pci_hotplug, f"{name}-hotplug", adev
    )
    adev.fence_context = dma_fence_context_alloc(max(1, len(rings)))
    limits = credit_limit if isinstance(credit_limit, list) else [credit_limit] * len(rings)
    for ring_name, limit, jobs in zip(rings, limits, hw_submission or limits, strict=True):
        r = amdgpu_ring_init(adev, ring_name, timeout, limit, jobs, hang_limit)
        if r:
            amdgpu_device_fini(adev)
            return r, None
    return 0, adev


def amdgpu_ring_init(
    adev: amdgpu_device,
    name: str,
    timeout: int,
    credit_limit: int,
    hw_submission: int,
    hang_limit: int,
) -> int:
    """Add a ring with room for `hw_submission` jobs and start its scheduler: 0 or -ENOMEM."""
    ring = kzalloc_obj(amdgpu_ring)
    if not ring:
        return -ENOMEM
    ring.adev = adev
    ring.name = name
    ring.funcs = amdgpu_ring_funcs_of(name)
    ring.idx = adev.num_rings
    ring.num_hw_submission = roundup_pow_of_two(min(hw_submission, AMDGPU_MAX_HW_SUBMISSION))
    ring.max_dw = 256
    r = amdgpu_fence_driver_init_ring(ring)
    if r:
        kfree(ring)
        return r
    r = drm_sched_init(
        ring.sched,
        drm_sched_init_args(
            ops=amdgpu_sched_ops,
            num_rqs=DRM_SCHED_PRIORITY_COUNT,
            credit_limit=credit_limit,
            hang_limit=hang_limit,
            timeout=timeout,
            timeout_wq=adev.reset_domain.wq,
            name=ring.name,
            dev=adev.dev,
        ),
    )
    if r:
        amdgpu_fence_driver_sw_fini_ring(ring)
        kfree(ring)
        return r
    ring.hw = adev.gpu.add_ring(name, words=16 * max(256, ring.num_hw_submission))
    ring.irq = ring.hw.line = request_irq(amdgpu_fence_irq, f"{adev.name}-{name}", ring)
    ring.fence_drv.initialized = True
    adev.num_rings += 1
    adev.rings.append(ring)
    return 0


def amdgpu_device_fini(adev: amdgpu_device) -> None:
    """Wait until every job has been freed and take the device down; entities must be gone.

    The scheduler leaks what is still pending when it goes (it has no cancel_job() here), so the
    driver must wait, and a batch without end must have been ended before, or time out.
    """
    amdgpu_device_put_job(adev)
    wait_for_completion(adev.idle)
    adev.shutdown = True
    cancel_work_sync(adev.unplug_work)
    for ring in adev.rings:
        amdgpu_fence_driver_hw_fini_ring(ring)
    for ring in adev.rings:
        amdgpu_ring_sched_stop(ring)
        drm_sched_fini(ring.sched)
    adev.gpu.power_off()
    for ring in adev.rings:
        free_irq(ring.irq)
        amdgpu_fence_driver_sw_fini_ring(ring)
        kfree(ring)
    free_irq(adev.fault_irq)
    free_irq(adev.hotplug_irq)
    cancel_work_sync(adev.unplug_work)
    amdgpu_reset_destroy_reset_domain(adev.reset_domain)
    kfree(adev)
