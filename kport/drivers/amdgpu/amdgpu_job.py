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
    dma_fence_get_status,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal,
    dma_fence_test_signaled_flag,
    dma_fence_wait,
    dma_fence_was_initialized,
)
from kport.drivers.amdgpu.amdgpu import (
    AMDGPU_RESET_SRC_JOB,
    AMDGPU_RESET_TYPE_PER_QUEUE,
    AMDGPU_RESET_TYPE_SOFT_RESET,
    amdgpu_device,
    amdgpu_fence,
    amdgpu_ib,
    amdgpu_job,
    amdgpu_reset_context,
    amdgpu_ring,
    to_amdgpu_job,
    to_amdgpu_ring,
)
from kport.drivers.amdgpu.amdgpu_drv import (
    DRM_WEDGE_RECOVERY_NONE,
    drm_dev_enter,
    drm_dev_is_unplugged,
    drm_dev_wedged_event,
)
from kport.drivers.amdgpu.amdgpu_fence import amdgpu_fence_driver_force_completion
from kport.drivers.amdgpu.amdgpu_ib import amdgpu_ib_schedule
from kport.drivers.amdgpu.amdgpu_recover import (
    amdgpu_device_gpu_recover,
    amdgpu_device_should_recover_gpu,
)
from kport.drivers.amdgpu.amdgpu_ring import (
    amdgpu_ring_is_reset_type_supported,
    amdgpu_ring_reset,
    amdgpu_ring_sched_start,
    amdgpu_ring_sched_stop,
    amdgpu_ring_soft_recovery,
)
from kport.drm.spsc_queue import spsc_queue_pop
from kport.drivers.compat import (
    DRM_GPU_SCHED_STAT_ENODEV,
    DRM_GPU_SCHED_STAT_NO_HANG,
    DRM_GPU_SCHED_STAT_RESET,
    drm_gpu_scheduler,
    drm_sched_backend_ops,
    drm_sched_entity,
    drm_sched_entity_error,
    drm_sched_entity_push_job,
    drm_sched_job,
    drm_sched_job_arm,
    drm_sched_job_cleanup,
    drm_sched_job_init,
    drm_sched_suspend_timeout,
    struct_of,
)
from kport.linux.atomic import atomic_dec_and_test, atomic_inc, atomic_read
from kport.linux.completion import complete
from kport.linux.cleanup import goto, labels
from kport.linux.device import dev_err, dev_info
from kport.linux.err import ECANCELED, EHWPOISON, EINVAL, ENODEV, ENOMEM, ERR_PTR, ETIME
from kport.linux.list import list_for_each_entry
from kport.linux.slab import kfree, kzalloc_flex, kzalloc_obj
from kport.linux.spinlock import spin_lock, spin_unlock
from kport.linux.struct import container_of


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
    """Drop the job's hold on its hardware fence, which may never have been emitted.

    The fence of a job that was to run again and did not is on no ring: it ends with the job.
    """
    if dma_fence_was_initialized(job.hw_fence.base):
        if not dma_fence_test_signaled_flag(job.hw_fence.base):
            dma_fence_set_error(job.hw_fence.base, -ECANCELED)
            dma_fence_signal(job.hw_fence.base)
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
    done, user = job.done, job.user
    error = min(dma_fence_get_status(s_job.s_fence.finished), 0)

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
    """Put the job on its ring, unless it has an error already or the device is gone."""
    ring = to_amdgpu_ring(sched_job.sched)
    fence = None
    r = 0

    job = to_amdgpu_job(sched_job)
    finished = job.base.s_fence.finished

    if drm_dev_is_unplugged(ring.adev) and not finished.error:
        dma_fence_set_error(finished, -ENODEV)

    if not finished.error < 0:
        r, fence = amdgpu_ib_schedule(ring, job.num_ibs, job.ibs, job)
        if r:
            dev_err(ring.adev.dev, "Error scheduling IBs (%d) in ring(%s)", r, ring.name)

    job.job_run_counter += 1

    return ERR_PTR(r) if r else fence


def amdgpu_job_timedout(s_job: drm_sched_job) -> int:
    """A job took too long. The ladder: kill what runs, reset the ring, reset the device.

    A device that was unplugged has signalled its fences. The scheduler does not see the job again
    after ENODEV, and the kernel leaks it; here it is freed.
    """
    ring: amdgpu_ring = to_amdgpu_ring(s_job.sched)
    job = to_amdgpu_job(s_job)
    adev = ring.adev
    status = DRM_GPU_SCHED_STAT_NO_HANG

    if not drm_dev_enter(adev):
        dev_info(
            adev.dev,
            "%s - device unplugged skipping recovery on scheduler:%s",
            "amdgpu_job_timedout",
            s_job.sched.name,
        )
        amdgpu_fence_driver_force_completion(ring, None)
        dma_fence_wait(s_job.s_fence.finished, False)
        amdgpu_job_free_cb(s_job)
        return DRM_GPU_SCHED_STAT_ENODEV

    adev.reset_stats.timeouts += 1
    with labels("exit"):
        if (
            adev.gpu_recovery
            and amdgpu_ring_is_reset_type_supported(ring, AMDGPU_RESET_TYPE_SOFT_RESET)
            and amdgpu_ring_soft_recovery(ring, job.vmid, s_job.s_fence.parent)
        ):
            dev_err(adev.dev, "ring %s timeout, but soft recovered\n", s_job.sched.name)
            if job.hw_fence.base.error:
                adev.reset_stats.soft += 1
                amdgpu_job_count_guilty(job)
            raise goto("exit")

        dev_err(
            adev.dev,
            "ring %s timeout, signaled seq=%u, emitted seq=%u\n",
            job.base.sched.name,
            atomic_read(ring.fence_drv.last_seq),
            ring.fence_drv.sync_seq,
        )
        amdgpu_job_count_guilty(job)

        if (
            adev.gpu_recovery
            and amdgpu_ring_is_reset_type_supported(ring, AMDGPU_RESET_TYPE_PER_QUEUE)
            and ring.funcs.reset
        ):
            dev_err(adev.dev, "Starting %s ring reset\n", s_job.sched.name)
            amdgpu_ring_sched_stop(ring)
            r = amdgpu_ring_reset(ring, job.vmid, job.hw_fence)
            if not r:
                amdgpu_ring_sched_start(ring)
                atomic_inc(ring.adev.gpu_reset_counter)
                dev_err(adev.dev, "Ring %s reset succeeded\n", ring.sched.name)
                drm_dev_wedged_event(adev, DRM_WEDGE_RECOVERY_NONE)
                adev.reset_stats.ring += 1
                raise goto("exit")
            dev_err(adev.dev, "Ring %s reset failed\n", ring.sched.name)

        if not adev.resubmit and dma_fence_get_status(s_job.s_fence.finished) == 0:
            dma_fence_set_error(s_job.s_fence.finished, -ETIME)

        if amdgpu_device_should_recover_gpu(ring.adev):
            reset_context = amdgpu_reset_context()

            reset_context.reset_req_dev = adev
            reset_context.src = AMDGPU_RESET_SRC_JOB

            r = amdgpu_device_gpu_recover(ring.adev, job, reset_context)
            if adev.resubmit and r != -ENODEV:
                # drm_sched_stop() has put the job back already.
                status = DRM_GPU_SCHED_STAT_RESET
            if r:
                dev_err(adev.dev, "GPU Recovery Failed: %d\n", r)
                adev.reset_stats.failed += 1
            else:
                adev.reset_stats.full += 1
        else:
            drm_sched_suspend_timeout(ring.sched)
    # exit: unless told otherwise the scheduler puts the job back on the pending list.
    return status


def amdgpu_job_count_guilty(job: amdgpu_job) -> None:
    """Ours: note the entity whose job hung."""
    guilty = to_amdgpu_ring(job.base.sched).adev.reset_stats.guilty
    context = job.base.s_fence.finished.context
    if context not in guilty:
        guilty.append(context)


def drm_sched_entity_queue_pop(entity: drm_sched_entity) -> drm_sched_job | None:
    """Take the first job out of an entity's queue, or NULL; the kernel's copy of the
    scheduler's own."""
    node = spsc_queue_pop(entity.job_queue)
    if not node:
        return None

    return container_of(node, struct_of("drm_sched_job"), "queue_node")


def amdgpu_job_stop_all_jobs_on_sched(sched: drm_gpu_scheduler) -> None:
    """The memory is poisoned: end every job, queued or on the hardware, with -EHWPOISON.

    As in the kernel "incorrect and racy": the queued jobs are never freed, and the scheduler
    finishes those on the hardware a second time.
    """
    for rq in sched.sched_rq:
        if not rq:
            continue
        spin_lock(rq.lock)
        for s_entity in list_for_each_entry(rq.entities, struct_of("drm_sched_entity"), "list"):
            while s_job := drm_sched_entity_queue_pop(s_entity):
                s_fence = s_job.s_fence

                dma_fence_signal(s_fence.scheduled)
                dma_fence_set_error(s_fence.finished, -EHWPOISON)
                dma_fence_signal(s_fence.finished)
        spin_unlock(rq.lock)

    for s_job in list_for_each_entry(sched.pending_list, struct_of("drm_sched_job"), "list"):
        s_fence = s_job.s_fence

        dma_fence_set_error(s_fence.finished, -EHWPOISON)
        dma_fence_signal(s_fence.finished)


amdgpu_sched_ops = drm_sched_backend_ops(
    prepare_job=amdgpu_job_prepare_job,
    run_job=amdgpu_job_run,
    timedout_job=amdgpu_job_timedout,
    free_job=amdgpu_job_free_cb,
)
