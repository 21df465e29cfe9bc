# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/amdgpu_reset.c, Linux 7.2.13, on 2026-11-20.
"""The reset domain: what one reset locks, and the queue on which timeouts are dealt with."""

from __future__ import annotations

from kport.drivers.amdgpu.amdgpu import amdgpu_reset_domain
from kport.linux.atomic import atomic_set
from kport.linux.err import ENOMEM
from kport.linux.rwsem import down_write, init_rwsem, up_write
from kport.linux.workqueue import alloc_ordered_workqueue, destroy_workqueue


def amdgpu_reset_create_reset_domain(reset_domain: amdgpu_reset_domain, wq_name: str) -> int:
    """Prepare the domain: 0 or -ENOMEM."""
    reset_domain.wq = alloc_ordered_workqueue(wq_name, 0)
    if not reset_domain.wq:
        return -ENOMEM

    atomic_set(reset_domain.in_gpu_reset, 0)
    atomic_set(reset_domain.reset_res, 0)
    init_rwsem(reset_domain.sem)

    return 0


def amdgpu_reset_destroy_reset_domain(reset_domain: amdgpu_reset_domain) -> None:
    """Nothing is to be reset any more."""
    if reset_domain.wq:
        destroy_workqueue(reset_domain.wq)
        reset_domain.wq = None


def amdgpu_device_lock_reset_domain(reset_domain: amdgpu_reset_domain) -> None:
    """A reset begins; waits for a preemption under way."""
    atomic_set(reset_domain.in_gpu_reset, 1)
    down_write(reset_domain.sem)


def amdgpu_device_unlock_reset_domain(reset_domain: amdgpu_reset_domain) -> None:
    """A reset has ended."""
    atomic_set(reset_domain.in_gpu_reset, 0)
    up_write(reset_domain.sem)
