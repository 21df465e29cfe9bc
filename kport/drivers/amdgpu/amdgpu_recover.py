# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/amdgpu_device.c, Linux 7.2.13, on 2026-11-20.
"""The last step of the ladder: a reset of the whole device.

Two ways are here. That of Linux 7.2 stops the schedulers and signals every hardware fence: what was
on the hardware is lost, the hung job with -ETIME, the others with -ECANCELED. With `resubmit` it is
that of Linux 6.1: the schedulers detach from the hardware fences, the hung job's entity becomes
guilty, and after the reset the jobs of all others run again.
"""

from __future__ import annotations

from kport.dma_buf.dma_fence import dma_fence_get_status, dma_fence_was_initialized
from kport.drivers.amdgpu.amdgpu import (
    amdgpu_device,
    amdgpu_job,
    amdgpu_reset_context,
    amdgpu_ring,
    to_amdgpu_job,
)
from kport.drivers.amdgpu.amdgpu_drv import (
    DRM_WEDGE_RECOVERY_NONE,
    DRM_WEDGE_RECOVERY_REBIND,
    drm_dev_wedged_event,
)
from kport.drivers.amdgpu.amdgpu_fence import (
    amdgpu_fence_driver_clear_job_fences,
    amdgpu_fence_driver_force_completion,
)
from kport.drivers.amdgpu.amdgpu_reset import (
    amdgpu_device_lock_reset_domain,
    amdgpu_device_unlock_reset_domain,
)
from kport.drivers.amdgpu.amdgpu_ring import (
    amdgpu_ring_sched_ready,
    amdgpu_ring_sched_start,
    amdgpu_ring_sched_stop,
    amdgpu_sriov_vf,
)
from kport.drivers.compat import (
    drm_sched_increase_karma,
    drm_sched_resubmit_jobs,
    drm_sched_start,
    drm_sched_stop,
    struct_of,
)
from kport.linux.atomic import atomic_inc, atomic_read, atomic_set
from kport.linux.cleanup import goto, labels
from kport.linux.device import dev_err, dev_info
from kport.linux.err import EBUSY, EINVAL, ENODEV, ETIMEDOUT
from kport.linux.list import list_for_each_entry

AMDGPU_MAX_RETRY_LIMIT = 2


def amdgpu_device_should_recover_gpu(adev: amdgpu_device) -> bool:
    """True if a hung device may be reset."""
    if adev.gpu_recovery == 0:
        dev_info(adev.dev, "GPU recovery disabled.\n")
        return False

    return True


def amdgpu_device_health_check(adev: amdgpu_device) -> int:
    """0, or -ENODEV if the bus does not find the device."""
    return -ENODEV if adev.gpu.dead else 0


def amdgpu_device_halt_activities(adev: amdgpu_device, job: amdgpu_job | None) -> None:
    """Stop the schedulers of all rings."""
    for ring in adev.rings:
        if not amdgpu_ring_sched_ready(ring):
            continue

        amdgpu_ring_sched_stop(ring)
        if adev.resubmit:
            drm_sched_stop(ring.sched, job.base if job else None)
    atomic_inc(adev.gpu_reset_counter)


def amdgpu_device_pre_asic_reset(
    adev: amdgpu_device, reset_context: amdgpu_reset_context
) -> int:
    """The hardware fences will never signal by themselves: do it, or forget them. 0."""
    job = None
    fence = None

    if reset_context.reset_req_dev is adev:
        job = reset_context.job

    if job:
        fence = job.hw_fence.base

    for ring in adev.rings:
        if not amdgpu_ring_sched_ready(ring):
            continue

        if adev.resubmit:
            again = job and atomic_read(job.base.karma) < ring.sched.hang_limit
            amdgpu_fence_driver_clear_job_fences(ring, None if again else fence)
        amdgpu_fence_driver_force_completion(ring, fence)

    return 0


def amdgpu_do_asic_reset(adev: amdgpu_device) -> int:
    """Reset the hardware: 0, or -ETIMEDOUT if it hangs as before."""
    if not adev.gpu.reset():
        dev_err(adev.dev, "ASIC reset failed with error, %d for drm dev, %s", -ETIMEDOUT, adev.name)
        return -ETIMEDOUT
    return 0


def amdgpu_virt_reset_gpu(adev: amdgpu_device) -> int:
    """Ask the host for a reset of the function: 0 or -ETIMEDOUT."""
    return 0 if adev.gpu.reset_function() else -ETIMEDOUT


def amdgpu_device_reset_sriov(
    adev: amdgpu_device, reset_context: amdgpu_reset_context
) -> int:
    """Reset a virtual function: 0 or a negative error."""
    return amdgpu_virt_reset_gpu(adev)


def amdgpu_retry_sriov_reset(r: int) -> bool:
    """AMDGPU_RETRY_SRIOV_RESET()."""
    return r in (-EBUSY, -ETIMEDOUT, -EINVAL)


def amdgpu_device_asic_reset(
    adev: amdgpu_device, reset_context: amdgpu_reset_context
) -> int:
    """Reset the device, a virtual function up to three times: 0 or a negative error."""
    retry_limit = AMDGPU_MAX_RETRY_LIMIT

    while True:
        r = amdgpu_device_pre_asic_reset(adev, reset_context)
        if r:
            adev.asic_reset_res = r

        if amdgpu_sriov_vf(adev):
            r = amdgpu_device_reset_sriov(adev, reset_context)
            if amdgpu_retry_sriov_reset(r) and retry_limit > 0:
                retry_limit -= 1
                continue
            if r:
                adev.asic_reset_res = r
        else:
            r = amdgpu_do_asic_reset(adev)
        return r


def amdgpu_device_count_resubmitted(ring: amdgpu_ring) -> None:
    """Ours: count the pending jobs that were put on the ring again."""
    for s_job in list_for_each_entry(ring.sched.pending_list, struct_of("drm_sched_job"), "list"):
        if s_job.s_fence.parent and to_amdgpu_job(s_job).job_run_counter > 1:
            ring.adev.reset_stats.resubmitted += 1


def amdgpu_device_sched_resume(
    adev: amdgpu_device, reset_context: amdgpu_reset_context, errno: int
) -> int:
    """Let the schedulers go on; with `resubmit`, run the jobs of the innocent again.

    `errno` is why the reset failed, or 0; jobs that cannot run again end with it then.
    """
    r = 0

    job = reset_context.job
    if adev.resubmit and job and not errno:
        drm_sched_increase_karma(job.base)

    for ring in adev.rings:
        if not amdgpu_ring_sched_ready(ring):
            continue

        if adev.resubmit:
            if not errno:
                drm_sched_resubmit_jobs(ring.sched)
                amdgpu_device_count_resubmitted(ring)
            drm_sched_start(ring.sched, errno)
        amdgpu_ring_sched_start(ring)

    if adev.asic_reset_res:
        dev_info(
            adev.dev,
            "GPU reset(%d) failed with error %d\n",
            atomic_read(adev.gpu_reset_counter),
            adev.asic_reset_res,
        )
        r = adev.asic_reset_res
        adev.asic_reset_res = 0
    else:
        dev_info(
            adev.dev,
            "GPU reset(%d) succeeded!\n",
            atomic_read(adev.gpu_reset_counter),
        )

    return r


def amdgpu_device_job_signaled(adev: amdgpu_device, job: amdgpu_job | None) -> bool:
    """True if the job has ended well meanwhile, and the hardware needs no reset.

    With `resubmit` no job has a hardware fence any more, and only a reset leads back. The kernel
    does not look whether there ever was one: a job that timed out before it was emitted has none.
    """
    if not job or adev.resubmit or not dma_fence_was_initialized(job.hw_fence.base):
        return False
    return dma_fence_get_status(job.hw_fence.base) > 0


def amdgpu_device_gpu_recover(
    adev: amdgpu_device, job: amdgpu_job | None, reset_context: amdgpu_reset_context
) -> int:
    """Reset the device because of `job`: 0 or a negative error.

    After a reset that failed the schedulers of 7.2 stay stopped; whoever called gives the device
    up then.
    """
    dev_info(adev.dev, "GPU reset begin!. Source:  %d\n", reset_context.src)

    reset_context.job = job

    with labels("reset_unlock", "end_reset") as label:
        if not amdgpu_sriov_vf(adev):
            r = amdgpu_device_health_check(adev)
            if r:
                raise goto("end_reset")

        amdgpu_device_lock_reset_domain(adev.reset_domain)

        amdgpu_device_halt_activities(adev, job)

        if amdgpu_device_job_signaled(adev, job):
            dev_info(adev.dev, "Guilty job already signaled, skipping HW reset")
        else:
            r = amdgpu_device_asic_reset(adev, reset_context)
            if r:
                if adev.resubmit:
                    adev.asic_reset_res = r
                    amdgpu_device_sched_resume(adev, reset_context, -ENODEV)
                raise goto("reset_unlock")
        r = amdgpu_device_sched_resume(adev, reset_context, 0)
    if label("reset_unlock"):
        amdgpu_device_unlock_reset_domain(adev.reset_domain)
    if label("end_reset"):
        if r:
            dev_info(adev.dev, "GPU reset end with ret = %d\n", r)

    atomic_set(adev.reset_domain.reset_res, r)

    drm_dev_wedged_event(adev, DRM_WEDGE_RECOVERY_REBIND if r else DRM_WEDGE_RECOVERY_NONE)

    return r
