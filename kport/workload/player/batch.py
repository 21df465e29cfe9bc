# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A batch step of a client: its submissions.

The way of a submission is a driver's: a job, its explicit dependencies, the locks of its buffers,
the dependencies they imply, arm and push, the finished fence into the buffers, unlock. A batch that
others read the data of (`-n`) has a buffer of its own, which it writes and they read.
"""

# mypy: no-strict-optional
# (pointers of kernel structs are nullable and unchecked, as in the port)

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_get,
    dma_fence_put,
    dma_fence_test_signaled_flag,
)
from kport.drivers.amdgpu.amdgpu_job import amdgpu_job_alloc, amdgpu_job_submit
from kport.drivers.compat import drm_sched_job_add_dependency, to_drm_sched_fence
from kport.hw.batch import Batch as HwBatch
from kport.linux.err import ECANCELED, ENODEV, ESRCH
from kport.linux.ktime import NSEC_PER_USEC
from kport.workload.player.buffers import Uses, depend, lock, publish, unlock
from kport.workload.player.tally import Job
from kport.workload.wsim.contexts import bonded, slot_of
from kport.workload.wsim.steps import Batch, DataDep, FenceDep, SetDep, SubmitDep

if TYPE_CHECKING:
    from kport.workload.player.client import Client
    from kport.workload.player.entity import Entity


HARMLESS = (0, -ESRCH, -ECANCELED)  # how jobs end without a hang: well, or killed


class BatchStep:
    """One batch step. `fence` is the finished fence of its last submission, `batch` that batch."""

    def __init__(self, client: Client, index: int, step: Batch) -> None:
        self.client = client
        self.index = index
        self.step = step
        self.batch: HwBatch | None = None
        self.fence: dma_fence | None = None
        self.slot, _ = slot_of(step, client.contexts)
        self.context = client.contexts.get(step.context)
        self.place = step.place.brief()
        self.fence_deps: list[int] = []
        self.submit_deps: list[int] = []
        self._buffer: Any = None
        self.uses: Uses = ()
        self._resolve()

    def _resolve(self) -> None:
        """Turn offsets into steps and buffers; the steps before this one are resolved."""
        client, writes = self.client, dict[Any, bool]()
        for dep in self.step.deps:
            if isinstance(dep, SetDep):
                for obj in client.sets[dep.set_id][dep.first : dep.last + 1]:
                    writes[obj] = writes.get(obj, False) or dep.write
                continue
            target = self.index + dep.offset.steps
            if isinstance(dep, DataDep):
                writes.setdefault(client.batches[target].data(), False)
            elif isinstance(dep, FenceDep):
                self.fence_deps.append(target)
            elif isinstance(dep, SubmitDep):
                self.submit_deps.append(target)
        self.uses = tuple(writes.items())

    def data(self) -> Any:
        """The buffer that this batch writes for others; made when the first of them asks."""
        if self._buffer is None:
            self._buffer = self.client.buffer(4096, 4096)
            self.uses = ((self._buffer, True), *self.uses)
        return self._buffer

    def submit(self) -> None:
        """Submit the batch once more."""
        client, world = self.client, self.client.world
        if client.throttle:
            self._throttle(client.throttle)
        entity, behind = self._entity()
        if not client.unsignalled and not client.endless:
            while (oldest := entity.full()) is not None:
                client.wait(oldest, self.step.place)
                entity.drop(oldest)
        r, job = amdgpu_job_alloc(entity.base, client, 1, 1, client.number)
        if job is None:
            raise MemoryError(f"no job ({r})")
        batch = self.batch = HwBatch(self._duration())
        job.ibs[0].batch = batch
        self._add_dependencies(job.base, behind)
        key = entity.figures.context, entity.next_seqno()
        world.tally.open(*key, Job(entity.figures, client.iteration, batch, self.place))
        job.user, job.done = (key, entity), self._freed
        if self.uses:
            ctx = lock(self.uses)
            depend(job.base, self.uses)
            fence = amdgpu_job_submit(job)
            publish(fence, self.uses)
            unlock(self.uses, ctx)
        else:
            fence = amdgpu_job_submit(job)
        if batch.duration is None:
            client.endless.add(self.index)
        entity.submitted(fence)
        dma_fence_put(self.fence)
        self.fence = fence
        if self.step.wait:
            client.wait(fence, self.step.place)
        if client.queue_limit:
            self._limit_queue(fence)

    def _freed(self, user: tuple[tuple[int, int], Entity], error: int) -> None:
        """The driver is done with a job."""
        key, entity = user
        if self.client.world.plan.faults and error != -ENODEV:
            entity.lost = entity.lost or error not in (0, -ESRCH)
        elif error not in HARMLESS:
            self.client.failed = True
        self.client.world.tally.freed(key, error)

    def _duration(self) -> int | None:
        """GPU time in ns, drawn anew."""
        duration = self.step.duration
        if duration is None:
            return None
        us = duration.min
        if duration.max > us:
            us = self.client.random.randint(us, duration.max)
        return round(us * NSEC_PER_USEC * self.client.world.plan.duration_scale)

    def _entity(self) -> tuple[Entity, dma_fence | None]:
        """The entity to submit to, and a fence of another entity of the slot to stay behind."""
        client, context = self.client, self.step.context
        if self.context is None or not self.context.bonds:
            return client.entity(context, self.slot), None
        masters = [ring for step in self.submit_deps if (ring := client.batches[step].ring())]
        entity = client.entity(context, bonded(self.slot, self.context, masters))
        before = client.last_entity.get((context, self.slot), entity)
        client.last_entity[context, self.slot] = entity
        return entity, None if before is entity else before.last()

    def ring(self) -> str:
        """The ring of the last submission."""
        s_fence = to_drm_sched_fence(self.fence) if self.fence is not None else None
        return s_fence.sched.name if s_fence is not None else ""

    def _add_dependencies(self, job: Any, behind: dma_fence | None) -> None:
        client = self.client
        fences = [] if behind is None else [behind]
        for target in self.fence_deps:
            step = client.batches.get(target)
            fences.append(client.fences[target] if step is None else step.fence)
        for target in self.submit_deps:
            s_fence = to_drm_sched_fence(client.batches[target].fence)
            fences.append(s_fence.scheduled)
        for fence in fences:
            r = drm_sched_job_add_dependency(job, dma_fence_get(fence))
            if r:
                raise MemoryError("no memory for a dependency")

    def _throttle(self, count: int) -> None:
        """Wait for the nearest batch step at least `count` steps back, in the pass before if
        this one has none."""
        batches, total = self.client.batches, len(self.client.plan.workload.steps)
        at = (self.index - count) % total
        while at not in batches:
            at = (at - 1) % total
        fence = batches[at].fence
        if fence is not None:
            self.client.wait(fence, self.step.place)

    def _limit_queue(self, fence: dma_fence) -> None:
        """Wait until no more than the limit are queued on this engine."""
        queue = self.client.queues.setdefault(self.slot, deque())
        queue.append(dma_fence_get(fence))
        while queue and dma_fence_test_signaled_flag(queue[0]):
            dma_fence_put(queue.popleft())
        while len(queue) > self.client.queue_limit:
            self.client.wait(queue[0], self.step.place)
            dma_fence_put(queue.popleft())

    def forget(self) -> None:
        """Drop the fence."""
        dma_fence_put(self.fence)
        self.fence = None
