# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/amdgpu.h, amdgpu_ring.h, amdgpu_job.h and amdgpu_reset.h,
# Linux 7.2.13, on 2026-11-20.
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
from kport.linux.rwsem import rw_semaphore
from kport.linux.spinlock import spinlock_t
from kport.linux.struct import container_of, struct
from kport.linux.timer import timer_list
from kport.linux.types import u32, u64
from kport.linux.workqueue import work_struct, workqueue_struct

AMDGPU_FENCE_FLAG_INT = 1 << 1
AMDGPU_FENCE_JIFFIES_TIMEOUT = msecs_to_jiffies(500)

AMDGPU_RESET_TYPE_FULL = 1 << 0
AMDGPU_RESET_TYPE_SOFT_RESET = 1 << 1
AMDGPU_RESET_TYPE_PER_QUEUE = 1 << 2
AMDGPU_RESET_TYPE_ALL = (1 << 3) - 1

AMDGPU_RING_TYPE_GFX = 0
AMDGPU_RING_TYPE_COMPUTE = 1
AMDGPU_RING_TYPE_SDMA = 2

AMDGPU_RESET_SRC_JOB = 2

AMDGPU_IB_PREEMPTED = 1 << 3


class amdgpu_ring_funcs(struct, table=True):
    """What a kind of ring can do; NULL for what it cannot.

    `soft_recovery(ring, vmid)` kills what runs in an address space, `reset(ring, vmid, fence)`
    resets the ring and saves what is not the fence's, `preempt_ib(ring)` takes the running batch
    off; the latter two return 0 or a negative error.
    """

    type: int
    nop: int
    soft_recovery: Any
    reset: Any
    preempt_ib: Any


class amdgpu_fence_slot(struct):
    """A place for one of a ring's fences. C has an array of RCU pointers: here each is a member."""

    fence: dma_fence | None


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
    fences: list[amdgpu_fence_slot] | None


class amdgpu_ring(struct):
    """A ring: its scheduler, its fences, and the words that are being written to it.

    `ring_backup` holds the words saved over a reset. `trail_seq` is the number of the last
    preemption, which the hardware writes to the cell `trail_fence_gpu_addr` when it is done; while
    the cell `cond_exe_gpu_addr` holds 0 the engine skips jobs. `sched_disabled` is 1 while the
    scheduler is stopped for recovery.
    """

    adev: amdgpu_device | None
    funcs: amdgpu_ring_funcs | None
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
    ring_backup: list[int] | None
    ring_backup_entries_to_copy: int
    reemit: bool
    trail_seq: u32
    trail_fence_gpu_addr: int
    cond_exe_gpu_addr: int
    sched_disabled: atomic_t


class amdgpu_reset_domain(struct):
    """What must not be reset twice at once: `sem` is held for writing over a full reset, `wq` runs
    one timeout handler at a time."""

    wq: workqueue_struct | None
    sem: rw_semaphore
    in_gpu_reset: atomic_t
    reset_res: atomic_t


class amdgpu_reset_context(struct):
    """One full reset: who asked for it, and the job that hung."""

    reset_req_dev: amdgpu_device | None
    job: amdgpu_job | None
    src: int


class amdgpu_reset_stats(struct):
    """Ours: what recovery did so far; it outlives the device. Only work on the reset domain's
    queue counts here.

    `soft`, `ring` and `full` resets that helped, full ones that `failed`; `resubmitted` jobs were
    put on a ring once more because of another job; `guilty` are the fence contexts of entities
    whose jobs hung.
    """

    timeouts: int
    soft: int
    ring: int
    full: int
    failed: int
    resubmitted: int
    guilty: list[int] | None


class amdgpu_device(struct):
    """A device: its rings in order of their index, and its fence contexts (one per ring).

    `num_jobs`: jobs submitted and not yet freed, plus one until the device goes; at zero `idle` is
    complete.

    `gpu_recovery` 0 leaves hung jobs alone; `supported_reset` is a mask of AMDGPU_RESET_TYPE_*.
    `resubmit`: a full reset runs the jobs of the innocent again, as the driver did up to Linux 6.1;
    otherwise they are cancelled. `unplugged` devices touch no hardware; in `shutdown` one comes
    down.
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
    gpu_recovery: int
    supported_reset: int
    resubmit: bool
    asic_reset_res: int
    reset_domain: amdgpu_reset_domain
    reset_stats: amdgpu_reset_stats | None
    unplugged: bool
    shutdown: bool
    unplug_work: work_struct
    fault_irq: Any
    hotplug_irq: Any


class amdgpu_fence(struct):
    """A hardware fence, allocated with its job.

    `context` is that of the job's finished fence. The job's words on the ring are `ib_dw_size` from
    position `ib_wptr`, of which those between the `skip_` offsets run its batches. `backup_idx` is
    where a reset saved them.
    """

    base: dma_fence
    ring: amdgpu_ring | None
    start_timestamp: ktime_t
    context: u64
    ib_wptr: u64
    ib_dw_size: int
    skip_ib_dw_start_offset: int
    skip_ib_dw_end_offset: int
    backup_idx: int


class amdgpu_ib(struct):
    """An indirect buffer: the batch it holds, and its address in the GPU while mapped."""

    batch: Any
    gpu_addr: int


class amdgpu_job(struct):
    """A job. When it is freed `done(user, error)` is called; error is 0 or negative.

    `vmid` is the address space it runs in: here each entity has one, numbered as its fences.
    """

    base: drm_sched_job
    hw_fence: amdgpu_fence | None
    num_ibs: u32
    ibs: list[amdgpu_ib] | None
    vmid: int
    preemption_status: int
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
