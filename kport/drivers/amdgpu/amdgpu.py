# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/amdgpu_ring.h and amdgpu_job.h, Linux 7.2.13, on 2026-11-20.
"""The structs of the driver."""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import dma_fence
from kport.drivers.compat import drm_gpu_scheduler, drm_sched_job
from kport.linux.atomic import atomic_t
from kport.linux.completion import completion
from kport.linux.device import device
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.ktime import ktime_t
from kport.linux.spinlock import spinlock_t
from kport.linux.struct import container_of, struct
from kport.linux.timer import timer_list
from kport.linux.types import u32, u64

AMDGPU_FENCE_FLAG_INT = 1 << 1
AMDGPU_FENCE_JIFFIES_TIMEOUT = msecs_to_jiffies(500)


class amdgpu_fence_driver(struct):
    """The fences of a ring: `sync_seq` emitted, `last_seq` seen, and those between by number.

    `gpu_addr` is the memory cell the hardware writes sequence numbers to.
    """

    gpu_addr: int
    sync_seq: u32
    last_seq: atomic_t
    initialized: bool
    fallback_timer: timer_list
    num_fences_mask: int
    lock: spinlock_t
    fences: list[Any] | None


class amdgpu_ring(struct):
    """A ring: its scheduler, its fences, and the words that are being written to it."""

    adev: amdgpu_device | None
    sched: drm_gpu_scheduler
    fence_drv: amdgpu_fence_driver
    name: str
    idx: int
    hw: Any
    irq: Any
    wptr: u64
    wptr_old: u64
    count_dw: int
    max_dw: int
    num_hw_submission: int
    sched_score: atomic_t | None


class amdgpu_device(struct):
    """A device: its rings in order of their index, and its fence contexts (one per ring).

    `num_jobs`: jobs submitted and not yet freed, plus one until the device goes; at zero `idle` is
    complete.
    """

    dev: device
    name: str
    gpu: Any
    rings: list[amdgpu_ring] | None
    num_rings: int
    fence_context: u64
    gpu_reset_counter: atomic_t
    num_jobs: atomic_t
    idle: completion


class amdgpu_fence(struct):
    """A hardware fence, allocated with its job."""

    base: dma_fence
    ring: amdgpu_ring | None
    start_timestamp: ktime_t


class amdgpu_ib(struct):
    """An indirect buffer: the batch it holds, and its address in the GPU while mapped."""

    batch: Any
    gpu_addr: int


class amdgpu_job(struct):
    """A job. When it is freed `done(user, error)` is called; error is 0 or negative."""

    base: drm_sched_job
    hw_fence: amdgpu_fence | None
    num_ibs: u32
    ibs: list[amdgpu_ib] | None
    job_run_counter: int
    user: Any
    done: Any


def to_amdgpu_ring(s: drm_gpu_scheduler) -> amdgpu_ring:
    """The ring a scheduler belongs to."""
    return container_of(s, amdgpu_ring, "sched")


def to_amdgpu_job(sched_job: drm_sched_job) -> amdgpu_job:
    """The driver's job around a scheduler job."""
    return container_of(sched_job, amdgpu_job, "base")


def to_amdgpu_fence(f: dma_fence) -> amdgpu_fence:
    """The driver's fence around a fence."""
    return container_of(f, amdgpu_fence, "base")
