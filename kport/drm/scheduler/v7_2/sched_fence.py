# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/scheduler/sched_fence.c, Linux 7.2.13, on 2026-11-20.
"""The fences of a job: scheduled and finished, allocated as one, the second holding the first."""

from __future__ import annotations

from typing import Any

from kport.arch.asm import smp_load_acquire, smp_store_release
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_get,
    dma_fence_init,
    dma_fence_lock_irqsave,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_set_deadline,
    dma_fence_set_error,
    dma_fence_signal,
    dma_fence_unlock_irqrestore,
)
from kport.linux.atomic import atomic_inc_return
from kport.linux.bitops import set_bit, test_bit
from kport.linux.bug import WARN_ON_ONCE
from kport.linux.err import ENOMEM, IS_ERR_OR_NULL
from kport.linux.ktime import ktime_before, ktime_t
from kport.linux.module import EXPORT_SYMBOL, module_exit, module_init
from kport.linux.rcupdate import call_rcu, rcu_access_pointer, rcu_barrier, rcu_head
from kport.linux.slab import (
    GFP_KERNEL,
    KMEM_CACHE,
    SLAB_HWCACHE_ALIGN,
    kmem_cache,
    kmem_cache_destroy,
    kmem_cache_free,
    kmem_cache_zalloc,
)
from kport.linux.spinlock import spin_lock_init
from kport.linux.struct import container_of

sched_fence_slab: kmem_cache = None


def drm_sched_fence_slab_init() -> int:
    """The module is loaded: 0 or -ENOMEM.

    drivers/gpu/drm/scheduler/sched_fence.c:36-43, Linux 7.2.13
    """
    global sched_fence_slab
    sched_fence_slab = KMEM_CACHE(drm_sched_fence, SLAB_HWCACHE_ALIGN)
    if not sched_fence_slab:
        return -ENOMEM

    return 0


def drm_sched_fence_slab_fini() -> None:
    """The module is unloaded; fences may still be on their way through RCU.

    drivers/gpu/drm/scheduler/sched_fence.c:45-49, Linux 7.2.13
    """
    rcu_barrier()
    kmem_cache_destroy(sched_fence_slab)


def drm_sched_fence_set_parent(s_fence: drm_sched_fence, fence: dma_fence) -> None:
    """Set the hardware fence, and pass on a deadline that came before it.

    drivers/gpu/drm/scheduler/sched_fence.c:51-63, Linux 7.2.13
    """
    smp_store_release(s_fence, "parent", dma_fence_get(fence))
    if test_bit(DRM_SCHED_FENCE_FLAG_HAS_DEADLINE_BIT, s_fence.finished.flags):
        dma_fence_set_deadline(fence, s_fence.deadline)


def drm_sched_fence_scheduled(fence: drm_sched_fence, parent: Any) -> None:
    """The job was handed to the hardware; `parent` may be NULL or an error pointer.

    drivers/gpu/drm/scheduler/sched_fence.c:65-78, Linux 7.2.13
    """
    if not IS_ERR_OR_NULL(parent):
        drm_sched_fence_set_parent(fence, parent)

    dma_fence_signal(fence.scheduled)


def drm_sched_fence_finished(fence: drm_sched_fence, result: int) -> None:
    """The job has ended with 0 or a negative error.

    drivers/gpu/drm/scheduler/sched_fence.c:80-85, Linux 7.2.13
    """
    if result:
        dma_fence_set_error(fence.finished, result)
    dma_fence_signal(fence.finished)


def drm_sched_fence_get_driver_name(fence: dma_fence) -> str:
    """The driver name of scheduler fences.

    drivers/gpu/drm/scheduler/sched_fence.c:87-90, Linux 7.2.13
    """
    return "drm_sched"


def drm_sched_fence_get_timeline_name(f: dma_fence) -> str:
    """The scheduler's name.

    drivers/gpu/drm/scheduler/sched_fence.c:92-96, Linux 7.2.13
    """
    fence = to_drm_sched_fence(f)
    return fence.sched.name


def drm_sched_fence_free_rcu(rcu: rcu_head) -> None:
    """A grace period has passed: free both fences.

    drivers/gpu/drm/scheduler/sched_fence.c:98-105, Linux 7.2.13
    """
    f = container_of(rcu, dma_fence, "rcu")
    fence = to_drm_sched_fence(f)

    if not WARN_ON_ONCE(not fence):
        kmem_cache_free(sched_fence_slab, fence)


def drm_sched_fence_free(fence: drm_sched_fence) -> None:
    """Free fences that were never initialised.

    drivers/gpu/drm/scheduler/sched_fence.c:115-120, Linux 7.2.13
    """
    if not WARN_ON_ONCE(fence.sched):
        kmem_cache_free(sched_fence_slab, fence)


def drm_sched_fence_release_scheduled(f: dma_fence) -> None:
    """The last reference to the scheduled fence is gone, and with it both.

    drivers/gpu/drm/scheduler/sched_fence.c:130-136, Linux 7.2.13
    """
    fence = to_drm_sched_fence(f)

    dma_fence_put(fence.parent)
    call_rcu(fence.finished.rcu, drm_sched_fence_free_rcu)


def drm_sched_fence_release_finished(f: dma_fence) -> None:
    """The last reference to the finished fence is gone: drop the one it holds.

    drivers/gpu/drm/scheduler/sched_fence.c:145-150, Linux 7.2.13
    """
    fence = to_drm_sched_fence(f)

    dma_fence_put(fence.scheduled)


def drm_sched_fence_set_deadline_finished(f: dma_fence, deadline: ktime_t) -> None:
    """Note an earlier deadline, in ns, and pass it on to the hardware fence.

    drivers/gpu/drm/scheduler/sched_fence.c:152-181, Linux 7.2.13
    """
    fence = to_drm_sched_fence(f)

    flags = dma_fence_lock_irqsave(f)

    if test_bit(DRM_SCHED_FENCE_FLAG_HAS_DEADLINE_BIT, f.flags) and ktime_before(
        fence.deadline, deadline
    ):
        dma_fence_unlock_irqrestore(f, flags)
        return

    fence.deadline = deadline
    set_bit(DRM_SCHED_FENCE_FLAG_HAS_DEADLINE_BIT, f.flags)

    dma_fence_unlock_irqrestore(f, flags)

    parent = smp_load_acquire(fence, "parent")
    if parent:
        dma_fence_set_deadline(parent, deadline)


drm_sched_fence_ops_scheduled = dma_fence_ops(
    get_driver_name=drm_sched_fence_get_driver_name,
    get_timeline_name=drm_sched_fence_get_timeline_name,
    release=drm_sched_fence_release_scheduled,
)

drm_sched_fence_ops_finished = dma_fence_ops(
    get_driver_name=drm_sched_fence_get_driver_name,
    get_timeline_name=drm_sched_fence_get_timeline_name,
    release=drm_sched_fence_release_finished,
    set_deadline=drm_sched_fence_set_deadline_finished,
)


def to_drm_sched_fence(f: dma_fence) -> drm_sched_fence | None:
    """The scheduler fence that `f` is half of, or NULL.

    drivers/gpu/drm/scheduler/sched_fence.c:196-205, Linux 7.2.13
    """
    if rcu_access_pointer(f, "ops") is drm_sched_fence_ops_scheduled:
        return container_of(f, drm_sched_fence, "scheduled")

    if rcu_access_pointer(f, "ops") is drm_sched_fence_ops_finished:
        return container_of(f, drm_sched_fence, "finished")

    return None


EXPORT_SYMBOL(to_drm_sched_fence)


def drm_sched_fence_alloc(
    entity: drm_sched_entity, owner: Any, drm_client_id: int
) -> drm_sched_fence | None:
    """Memory for the fences of a job, or NULL; drm_sched_fence_init() makes them fences.

    drivers/gpu/drm/scheduler/sched_fence.c:208-223, Linux 7.2.13
    """
    fence = None

    fence = kmem_cache_zalloc(sched_fence_slab, GFP_KERNEL)
    if fence is None:
        return None

    fence.owner = owner
    fence.drm_client_id = drm_client_id
    spin_lock_init(fence.lock)

    return fence


def drm_sched_fence_init(fence: drm_sched_fence, entity: drm_sched_entity) -> None:
    """Initialise both fences with the entity's next number; there is no way back from here.

    drivers/gpu/drm/scheduler/sched_fence.c:225-236, Linux 7.2.13
    """
    fence.sched = entity.rq.sched
    seq = atomic_inc_return(entity.fence_seq)
    dma_fence_init(
        fence.scheduled, drm_sched_fence_ops_scheduled, fence.lock, entity.fence_context, seq
    )
    dma_fence_init(
        fence.finished,
        drm_sched_fence_ops_finished,
        fence.lock,
        entity.fence_context + 1,
        seq,
    )


module_init(drm_sched_fence_slab_init)
module_exit(drm_sched_fence_slab_fini)

# extern
from kport.drm.scheduler.v7_2.gpu_scheduler import (
    DRM_SCHED_FENCE_FLAG_HAS_DEADLINE_BIT,
    drm_sched_entity,
    drm_sched_fence,
)
