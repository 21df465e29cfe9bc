# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/drm_drv.c and drivers/gpu/drm/amd/amdgpu/amdgpu_drv.c, Linux 7.2.13,
# on 2026-11-20.
"""A device that goes away: found gone by the bus, or given up after a reset that did not help.

In the kernel the bus removes the driver, or user space does after a wedged event. Here both queue
the same work on the reset domain's queue, so it never runs beside a timeout handler.
"""

from __future__ import annotations

from typing import Any

from kport.drivers.amdgpu.amdgpu import amdgpu_device
from kport.linux.device import dev_info
from kport.linux.interrupt import IRQ_HANDLED
from kport.linux.struct import container_of
from kport.linux.workqueue import queue_work, work_struct

DRM_WEDGE_RECOVERY_NONE = 1 << 0
DRM_WEDGE_RECOVERY_REBIND = 1 << 1


def drm_dev_is_unplugged(adev: amdgpu_device) -> bool:
    """True once the device is gone for the driver."""
    return adev.unplugged


def drm_dev_enter(adev: amdgpu_device) -> bool:
    """True if the hardware may be touched; timeouts and unplugging share a queue of one."""
    return not adev.unplugged


def drm_dev_wedged_event(adev: amdgpu_device, method: int) -> None:
    """Tell user space of a reset; if it must rebind the driver, it does."""
    dev_info(
        adev.dev,
        "device wedged, %s\n",
        "but recovered through reset"
        if method == DRM_WEDGE_RECOVERY_NONE
        else "needs recovery",
    )
    if method != DRM_WEDGE_RECOVERY_NONE:
        queue_work(adev.reset_domain.wq, adev.unplug_work)


def amdgpu_pci_hotplug(irq: int, dev: Any) -> int:
    """The bus has noticed that the device is gone."""
    queue_work(dev.reset_domain.wq, dev.unplug_work)
    return IRQ_HANDLED


def amdgpu_pci_remove(work: work_struct) -> None:
    """The device is gone: what is on the hardware ends with -ECANCELED, what runs later with
    -ENODEV."""
    adev = container_of(work, amdgpu_device, "unplug_work")

    if adev.unplugged or adev.shutdown:
        return
    dev_info(adev.dev, "amdgpu: finishing device.\n")
    for ring in adev.rings:
        amdgpu_ring_sched_stop(ring)
    adev.unplugged = True
    for ring in adev.rings:
        amdgpu_fence_driver_force_completion(ring, None)
    for ring in adev.rings:
        amdgpu_ring_sched_start(ring)


# extern
from kport.drivers.amdgpu.amdgpu_fence import amdgpu_fence_driver_force_completion
from kport.drivers.amdgpu.amdgpu_ring import amdgpu_ring_sched_start, amdgpu_ring_sched_stop
