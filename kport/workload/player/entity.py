# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""An entity of a client: one slot of one context.

As amdgpu does, at most 32 submissions of an entity are unfinished; the next one waits for the
oldest. That keeps a client that never waits from queueing without end. A client that holds
something back itself (a stand-alone fence, an endless batch) does not wait here, it would wait for
itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from kport.dma_buf.dma_fence import dma_fence, dma_fence_get, dma_fence_put
from kport.drivers.compat import (
    DRM_SCHED_PRIORITY_HIGH,
    DRM_SCHED_PRIORITY_LOW,
    DRM_SCHED_PRIORITY_NORMAL,
    drm_gpu_scheduler,
    drm_sched_entity,
    drm_sched_entity_init,
)
from kport.linux.atomic import atomic_read
from kport.linux.slab import kzalloc_obj
from kport.linux.types import u32
from kport.workload.player.tally import EntityFigures

SCHED_JOBS = 32  # unfinished submissions of an entity, as amdgpu's parameter sched_jobs


def sched_priority(priority: int) -> int:
    """The scheduler's priority for that of a workload: negative is low, positive high."""
    if priority > 0:
        return DRM_SCHED_PRIORITY_HIGH
    return DRM_SCHED_PRIORITY_LOW if priority < 0 else DRM_SCHED_PRIORITY_NORMAL


class Entity:
    """One entity over the schedulers of its slot, and its submissions that may be unfinished.

    `lost`: a job of it was lost in a reset; the driver lets the others fail, too.
    """

    __slots__ = ("base", "figures", "lost", "pending")

    def __init__(
        self,
        name: str,
        client: int,
        priority: int,
        rings: tuple[str, ...],
        schedulers: Sequence[drm_gpu_scheduler],
    ) -> None:
        base = kzalloc_obj(drm_sched_entity)
        if base is None:
            raise MemoryError("no memory for an entity")
        error = drm_sched_entity_init(
            base, sched_priority(priority), schedulers, len(schedulers), None
        )
        if error:
            raise MemoryError(f"the entity cannot be made ({error})")
        self.base: drm_sched_entity = base
        self.figures = EntityFigures(name, client, base.fence_context + 1, rings)
        self.pending: deque[dma_fence] = deque()
        self.lost = False

    def next_seqno(self) -> int:
        """The number of the next job's fences. Only the entity's own client submits to it."""
        return u32(atomic_read(self.base.fence_seq) + 1)

    def full(self) -> dma_fence | None:
        """The fence to wait for before the next submission, None if there is room."""
        return self.pending[0] if len(self.pending) >= SCHED_JOBS else None

    def drop(self, fence: dma_fence) -> None:
        """The oldest fence has signalled."""
        if self.pending and self.pending[0] is fence:
            dma_fence_put(self.pending.popleft())

    def submitted(self, fence: dma_fence) -> None:
        """A job with this finished fence was submitted."""
        self.pending.append(dma_fence_get(fence))

    def last(self) -> dma_fence | None:
        """The finished fence of the last submission."""
        return self.pending[-1] if self.pending else None

    def forget(self) -> None:
        """Drop the fences."""
        while self.pending:
            dma_fence_put(self.pending.pop())
