# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/amdgpu_job.c, Linux 7.2.13, on 2026-11-20.
"""Jobs: from allocation to the callbacks of the scheduler."""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_get,
    dma_fence_lock_irqsave,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_test_signaled_flag,
    dma_fence_unlock_irqrestore,
    dma_fence_was_initialized,
)
from kport.drivers.amdgpu.amdgpu import (
    amdgpu_device,
    amdgpu_fence,
    amdgpu_ib,
    amdgpu_job,
    amdgpu_ring,
    to_amdgpu_job,
    to_amdgpu_ring,
)
from kport.drivers.amdgpu.amdgpu_ib import amdgpu_ib_schedule
from kport.drivers.compat import (
    DRM_GPU_SCHED_STAT_NO_HANG,
    drm_sched_backend_ops,
    drm_sched_entity,
    drm_sched_entity_error,
    drm_sched_entity_push_job,
    drm_sched_job,
    drm_sched_job_arm,
    drm_sched_job_cleanup,
    drm_sched_job_init,
)
from kport.linux.atomic import atomic_dec_and_test, atomic_inc, atomic_read
from kport.linux.completion import complete
from kport.linux.device import dev_err
from kport.linux.err import EINVAL, ENOMEM, ERR_PTR, ETIME
from kport.linux.slab import kfree, kzalloc_flex, kzalloc_obj


def amdgpu_job_alloc(
    entity: drm_sched_entity,
    owner: Any,
    num_ibs: int,
    credits: int,
    drm_client_id: int,
) -> tuple[int, amdgpu_job | None]:
    """A job with room for `num_ibs` batches: (0, job), or (-EINVAL, -ENOMEM, -ENOENT; None)."""
    if num_ibs == 0:
        return -EINVAL, None

    job = kzalloc_flex(amdgpu_job, "ibs", amdgpu_ib, num_ibs)
    if not job:
        return -ENOMEM, None

    af = kzalloc_obj(amdgpu_fence)
    if not af:
        kfree(job)
        return -ENOMEM, None
    job.hw_fence = af
    job.num_ibs = num_ibs

    r = drm_sched_job_init(job.base, entity, credits, owner, drm_client_id)
    if not r:
        return 0, job

    kfree(job.hw_fence)
    kfree(job)

    return r, None


def amdgpu_job_put_fence(job: amdgpu_job) -> None:
    """Drop the job's hold on its hardware fence, which may never have been emitted."""
    if dma_fence_was_initialized(job.hw_fence.base):
        dma_fence_put(job.hw_fence.base)
    else:
        kfree(job.hw_fence)


def amdgpu_device_put_job(adev: amdgpu_device) -> None:
    """One job less on the device."""
    if atomic_dec_and_test(adev.num_jobs):
        complete(adev.idle)


def amdgpu_job_free_cb(s_job: drm_sched_job) -> None:
    """The scheduler is done with the job."""
    job = to_amdgpu_job(s_job)
    adev = to_amdgpu_ring(s_job.sched).adev
    done, user, error = job.done, job.user, s_job.s_fence.finished.error

    drm_sched_job_cleanup(s_job)

    amdgpu_job_put_fence(job)
    for i in range(0, job.num_ibs):
        adev.gpu.unmap(job.ibs[i].gpu_addr)

    kfree(job)
    if done:
        done(user, error)
    amdgpu_device_put_job(adev)


def amdgpu_job_free(job: amdgpu_job) -> None:
    """Free a job that was never submitted."""
    if job.base.entity:
        drm_sched_job_cleanup(job.base)

    amdgpu_job_put_fence(job)

    kfree(job)


def amdgpu_job_submit(job: amdgpu_job) -> dma_fence:
    """Submit a job; returns its finished fence with a reference."""
    drm_sched_job_arm(job.base)
    f = dma_fence_get(job.base.s_fence.finished)
    atomic_inc(to_amdgpu_ring(job.base.sched).adev.num_jobs)
    drm_sched_entity_push_job(job.base)

    return f


def amdgpu_job_prepare_job(
    sched_job: drm_sched_job, s_entity: drm_sched_entity
) -> dma_fence | None:
    """The error of the job before spreads to the rest of the entity's jobs; nothing to wait for."""
    r = drm_sched_entity_error(s_entity)
    if r:
        dma_fence_set_error(to_amdgpu_job(sched_job).base.s_fence.finished, r)
    return None


def amdgpu_job_run(sched_job: drm_sched_job) -> Any:
    """Put the job on its ring, unless it has an error already."""
    ring = to_amdgpu_ring(sched_job.sched)
    fence = None
    r = 0

    job = to_amdgpu_job(sched_job)
    finished = job.base.s_fence.finished

    if not finished.error < 0:
        r, fence = amdgpu_ib_schedule(ring, job.num_ibs, job.ibs, job)
        if r:
            dev_err(ring.adev.dev, "Error scheduling IBs (%d) in ring(%s)", r, ring.name)

    job.job_run_counter += 1

    return ERR_PTR(r) if r else fence


def amdgpu_job_timedout(s_job: drm_sched_job) -> int:
    """A job took too long: end its batches, fail it, put it back so that it is freed."""
    ring: amdgpu_ring = to_amdgpu_ring(s_job.sched)
    job = to_amdgpu_job(s_job)
    adev = ring.adev

    dev_err(
        adev.dev,
        "ring %s timeout, signaled seq=%u, emitted seq=%u\n",
        job.base.sched.name,
        atomic_read(ring.fence_drv.last_seq),
        ring.fence_drv.sync_seq,
    )
    parent = s_job.s_fence.parent
    if parent:
        flags = dma_fence_lock_irqsave(parent)
        if not dma_fence_test_signaled_flag(parent):
            dma_fence_set_error(parent, -ETIME)
        dma_fence_unlock_irqrestore(parent, flags)
    for i in range(0, job.num_ibs):
        job.ibs[i].batch.end(adev.gpu.machine)

    return DRM_GPU_SCHED_STAT_NO_HANG


amdgpu_sched_ops = drm_sched_backend_ops(
    prepare_job=amdgpu_job_prepare_job,
    run_job=amdgpu_job_run,
    timedout_job=amdgpu_job_timedout,
    free_job=amdgpu_job_free_cb,
)
