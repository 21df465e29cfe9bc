# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/scheduler/sched_fence.c, Linux 6.1.192, on 2026-11-20.
"""The fences of a job: scheduled and finished, allocated as one, the second holding the first."""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_init,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_signal,
)
from kport.linux.atomic import atomic_inc_return
from kport.linux.bug import WARN_ON_ONCE
from kport.linux.err import ENOMEM
from kport.linux.module import EXPORT_SYMBOL, module_exit, module_init
from kport.linux.rcupdate import call_rcu, rcu_barrier, rcu_head
from kport.linux.slab import (
    GFP_KERNEL,
    SLAB_HWCACHE_ALIGN,
    kmem_cache,
    kmem_cache_create,
    kmem_cache_destroy,
    kmem_cache_free,
    kmem_cache_zalloc,
)
from kport.linux.spinlock import spin_lock_init
from kport.linux.struct import container_of

sched_fence_slab: kmem_cache = None


def drm_sched_fence_slab_init() -> int:
    """The module is loaded: 0 or -ENOMEM.

    drivers/gpu/drm/scheduler/sched_fence.c:34-43, Linux 6.1.192
    """
    global sched_fence_slab
    sched_fence_slab = kmem_cache_create(  # kport: model
        "drm_sched_fence", drm_sched_fence, SLAB_HWCACHE_ALIGN, None
    )
    if not sched_fence_slab:
        return -ENOMEM

    return 0


def drm_sched_fence_slab_fini() -> None:
    """The module is unloaded; fences may still be on their way through RCU.

    drivers/gpu/drm/scheduler/sched_fence.c:45-49, Linux 6.1.192
    """
    rcu_barrier()
    kmem_cache_destroy(sched_fence_slab)


def drm_sched_fence_scheduled(fence: drm_sched_fence) -> None:
    """The job was handed to the hardware.

    drivers/gpu/drm/scheduler/sched_fence.c:51-54, Linux 6.1.192
    """
    dma_fence_signal(fence.scheduled)


def drm_sched_fence_finished(fence: drm_sched_fence) -> None:
    """The job has ended; an error was set before.

    drivers/gpu/drm/scheduler/sched_fence.c:56-59, Linux 6.1.192
    """
    dma_fence_signal(fence.finished)


def drm_sched_fence_get_driver_name(fence: dma_fence) -> str:
    """The driver name of scheduler fences.

    drivers/gpu/drm/scheduler/sched_fence.c:61-64, Linux 6.1.192
    """
    return "drm_sched"


def drm_sched_fence_get_timeline_name(f: dma_fence) -> str:
    """The scheduler's name.

    drivers/gpu/drm/scheduler/sched_fence.c:66-70, Linux 6.1.192
    """
    fence = to_drm_sched_fence(f)
    return fence.sched.name


def drm_sched_fence_free_rcu(rcu: rcu_head) -> None:
    """A grace period has passed: free both fences.

    drivers/gpu/drm/scheduler/sched_fence.c:72-79, Linux 6.1.192
    """
    f = container_of(rcu, dma_fence, "rcu")
    fence = to_drm_sched_fence(f)

    if not WARN_ON_ONCE(not fence):
        kmem_cache_free(sched_fence_slab, fence)


def drm_sched_fence_free(fence: drm_sched_fence) -> None:
    """Free fences that were never initialised.

    drivers/gpu/drm/scheduler/sched_fence.c:89-94, Linux 6.1.192
    """
    if not WARN_ON_ONCE(fence.sched):
        kmem_cache_free(sched_fence_slab, fence)


def drm_sched_fence_release_scheduled(f: dma_fence) -> None:
    """The last reference to the scheduled fence is gone, and with it both.

    drivers/gpu/drm/scheduler/sched_fence.c:104-110, Linux 6.1.192
    """
    fence = to_drm_sched_fence(f)

    dma_fence_put(fence.parent)
    call_rcu(fence.finished.rcu, drm_sched_fence_free_rcu)


def drm_sched_fence_release_finished(f: dma_fence) -> None:
    """The last reference to the finished fence is gone: drop the one it holds.

    drivers/gpu/drm/scheduler/sched_fence.c:119-124, Linux 6.1.192
    """
    fence = to_drm_sched_fence(f)

    dma_fence_put(fence.scheduled)


drm_sched_fence_ops_scheduled = dma_fence_ops(
    get_driver_name=drm_sched_fence_get_driver_name,
    get_timeline_name=drm_sched_fence_get_timeline_name,
    release=drm_sched_fence_release_scheduled,
)

drm_sched_fence_ops_finished = dma_fence_ops(
    get_driver_name=drm_sched_fence_get_driver_name,
    get_timeline_name=drm_sched_fence_get_timeline_name,
    release=drm_sched_fence_release_finished,
)


def to_drm_sched_fence(f: dma_fence) -> drm_sched_fence | None:
    """The scheduler fence that `f` is half of, or NULL.

    drivers/gpu/drm/scheduler/sched_fence.c:138-147, Linux 6.1.192
    """
    if f.ops is drm_sched_fence_ops_scheduled:
        return container_of(f, drm_sched_fence, "scheduled")

    if f.ops is drm_sched_fence_ops_finished:
        return container_of(f, drm_sched_fence, "finished")

    return None


EXPORT_SYMBOL(to_drm_sched_fence)


def drm_sched_fence_alloc(entity: drm_sched_entity, owner: Any) -> drm_sched_fence | None:
    """Memory for the fences of a job, or NULL; drm_sched_fence_init() makes them fences.

    drivers/gpu/drm/scheduler/sched_fence.c:150-163, Linux 6.1.192
    """
    fence = None

    fence = kmem_cache_zalloc(sched_fence_slab, GFP_KERNEL)
    if fence is None:
        return None

    fence.owner = owner
    spin_lock_init(fence.lock)

    return fence


def drm_sched_fence_init(fence: drm_sched_fence, entity: drm_sched_entity) -> None:
    """Initialise both fences with the entity's next number; there is no way back from here.

    drivers/gpu/drm/scheduler/sched_fence.c:165-176, Linux 6.1.192
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
from kport.drm.scheduler.v6_1.gpu_scheduler import drm_sched_entity, drm_sched_fence
