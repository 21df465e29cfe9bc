# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Buffers and their locking, as drivers do it for a submission.

All buffers of a job are locked in one acquire context. If the context must give way it unlocks
everything, waits for the contended lock alone, and takes the others again.
"""

# mypy: no-strict-optional
# (pointers of kernel structs are nullable and unchecked, as in the port)

from __future__ import annotations

from collections.abc import Sequence

from kport.dma_buf.dma_fence import dma_fence
from kport.dma_buf.dma_resv import (
    DMA_RESV_USAGE_READ,
    DMA_RESV_USAGE_WRITE,
    dma_resv_add_fence,
    dma_resv_lock,
    dma_resv_lock_slow,
    dma_resv_reserve_fences,
    dma_resv_unlock,
    reservation_ww_class,
)
from kport.drivers.compat import drm_sched_job, drm_sched_job_add_implicit_dependencies
from kport.drm.drm_gem import (
    drm_gem_object,
    drm_gem_private_object_init,
)
from kport.linux.err import EDEADLK
from kport.linux.slab import kzalloc_obj
from kport.linux.ww_mutex import (
    ww_acquire_ctx,
    ww_acquire_done,
    ww_acquire_fini,
    ww_acquire_init,
)

Uses = Sequence[tuple[drm_gem_object, bool]]  # buffers of a job, each once, and whether it writes


def new_buffer(size: int) -> drm_gem_object:
    """A buffer of `size` bytes with one reference. Raises MemoryError."""
    obj = kzalloc_obj(drm_gem_object)
    if obj is None:
        raise MemoryError("no memory for a buffer")
    drm_gem_private_object_init(obj, size)
    return obj


def lock(uses: Uses) -> ww_acquire_ctx:
    """Lock all buffers, in their order if possible."""
    ctx = ww_acquire_ctx()
    ww_acquire_init(ctx, reservation_ww_class)
    contended = None
    while True:
        held = []
        if contended is not None:
            dma_resv_lock_slow(contended.resv, ctx)
            held.append(contended)
        behind, contended = contended, None
        for obj, _ in uses:
            if obj is behind:
                continue
            if dma_resv_lock(obj.resv, ctx) == -EDEADLK:
                contended = obj
                break
            held.append(obj)
        if contended is None:
            ww_acquire_done(ctx)
            return ctx
        for obj in held:
            dma_resv_unlock(obj.resv)


def unlock(uses: Uses, ctx: ww_acquire_ctx) -> None:
    """Unlock what lock() has locked."""
    for obj, _ in uses:
        dma_resv_unlock(obj.resv)
    ww_acquire_fini(ctx)


def depend(job: drm_sched_job, uses: Uses) -> None:
    """Let the job wait for earlier users of its locked buffers, and make room for its fence."""
    for obj, write in uses:
        r = drm_sched_job_add_implicit_dependencies(job, obj, write)
        if not r:
            r = dma_resv_reserve_fences(obj.resv, 1)
        if r:
            raise MemoryError("no memory for the fences of a buffer")


def publish(fence: dma_fence, uses: Uses) -> None:
    """Add the job's finished fence to its locked buffers."""
    for obj, write in uses:
        dma_resv_add_fence(obj.resv, fence, DMA_RESV_USAGE_WRITE if write else DMA_RESV_USAGE_READ)
