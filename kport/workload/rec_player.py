# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A recording on the port: its devices, its entities, its jobs at their times.

All devices are made before the first job and taken down after the last. In the recording they came
and went, but to make one takes far longer than the distance of two arrivals, and idle rings disturb
nobody. No job times out: its GPU time is known, a timeout that the recording had is in it.

Why jobs of the recording were thrown away is not known, only when. So their entity is killed at
that time, but not before the jobs that did run have been scheduled here; until then a gate holds
each of them, a fence that opens with the kill. The memory of entities stays until the devices are
down: a scheduler may still be in a callback of an entity that has been destroyed.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_get,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_wait,
)
from kport.drivers.amdgpu.amdgpu import amdgpu_device
from kport.drivers.amdgpu.amdgpu_device import amdgpu_device_fini, amdgpu_device_init
from kport.drivers.amdgpu.amdgpu_job import amdgpu_job_alloc, amdgpu_job_submit
from kport.drivers.compat import (
    DRM_SCHED_FENCE_DONT_PIPELINE,
    DRM_SCHED_PRIORITY_NORMAL,
    drm_gpu_scheduler,
    drm_sched_entity,
    drm_sched_entity_destroy,
    drm_sched_entity_init,
    drm_sched_entity_kill,
    drm_sched_entity_modify_sched,
    drm_sched_job_add_dependency,
)
from kport.hw.batch import Batch
from kport.linux import sched
from kport.linux.bitops import set_bit
from kport.linux.ktime import ktime_get
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT, current
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.workqueue import flush_workqueue, system_percpu_wq
from kport.workload.player.process import Interrupted
from kport.workload.rec_fence import call_after, new_fence, new_relay, signal_after
from kport.workload.rec_model import Dependency, Entity, Job, Recording, Ring
from kport.workload.rec_script import Cue, Script

LEAD = 0.005  # wall seconds before the first arrival
CREDITS_MAX = 0x7FFFFFFF
_POLL = 0.05  # wall seconds between two looks at `stop`
_OTHERS = ("recorded", 0)  # performs what drivers outside of the recording did


@dataclass(slots=True, eq=False)
class Played:
    """A job of the recording in the port. `key` is that of its finished fence.

    `batch` and `s_fence` go as soon as nothing needs them any more: there may be millions of jobs.
    `error` is None until the job has been freed, and `gpu_ns` 0.
    """

    job: Job
    batch: Batch | None
    key: tuple[int, int] = (0, 0)
    s_fence: Any = None
    error: int | None = None
    gpu_ns: int = 0


class Actor:
    """An entity of the recording in the port.

    `ring` is where it is, `last` the finished fence of the job pushed last, `gate` the fence that
    holds the jobs that are to be killed.
    """

    def __init__(self, recorded: Entity, scheduler: drm_gpu_scheduler) -> None:
        entity: Any = kzalloc_obj(drm_sched_entity)
        error = drm_sched_entity_init(entity, DRM_SCHED_PRIORITY_NORMAL, [scheduler], 1, None)
        if error:
            raise OSError(-error, "an entity cannot be made")
        self.entity = entity
        self.ring = recorded.jobs[0].ring
        self.last: Any = None  # a fence with a reference, or NULL; so is the gate
        self.gate: Any = new_fence() if recorded.killed is not None else None


class Player:
    """Plays a recording on a booted kernel. `played` are the jobs submitted, `freed` those over."""

    def __init__(self, recording: Recording, credit_limit: int | None, scale: float) -> None:
        self.recording = recording
        self.scale = scale
        self.played: dict[Job, Played] = {}
        self.freed: deque[Played] = deque()
        self._director = current().thread
        self._held: dict[Job, dma_fence] = {}
        self._relays: defaultdict[Job, list[tuple[bool, dma_fence]]] = defaultdict(list)
        self._devices: list[amdgpu_device] = []
        self._schedulers: dict[Ring, drm_gpu_scheduler] = {}
        self._limits: dict[Ring, int] = {}
        for device in recording.devices:
            limits = [credit_limit or ring.credit_limit or _enough(ring) for ring in device.rings]
            error, adev = amdgpu_device_init(
                device.name,
                [ring.name for ring in device.rings],
                MAX_SCHEDULE_TIMEOUT,
                limits,
                [ring.slots for ring in device.rings],
            )
            if adev is None or adev.rings is None:
                raise OSError(-error, f"device {device.name} does not come up")
            self._devices.append(adev)
            for ring, limit, made in zip(device.rings, limits, adev.rings, strict=True):
                self._schedulers[ring] = made.sched
                self._limits[ring] = limit
        self._actors = {
            entity: Actor(entity, self._schedulers[entity.jobs[0].ring])
            for entity in recording.entities
        }
        self._fences = {
            dependency.fence: new_fence()
            for job in recording.jobs
            for dependency in job.depends
            if dependency.fence is not None
        }
        self._uses = Counter(
            dependency.job
            for job in recording.jobs
            for dependency in job.depends
            if dependency.job is not None and dependency.job.index < job.index
        )
        for entity in recording.entities:
            if entity.killed is not None and (last := _last_to_run(entity)) is not None:
                self._uses[last] += 1
        self._script = Script(self._cues())

    # -- the run -----------------------------------------------------------------------------------

    @property
    def late(self) -> int:
        """By how many ns the port was late with what it did, at worst."""
        return self._script.late

    def run(self, progress: Callable[[int, int], None] | None, stop: Event) -> bool:
        """Play to the end, or until `stop` is set; False if it was stopped.

        `progress` is called with the number of jobs that are over and of all.
        """
        total = len(self.recording.jobs)
        self._script.start(int(LEAD * 1e9 / self.scale))
        while not (self._script.over() and len(self.freed) == len(self.played)):
            if stop.is_set():
                self._abort()
                return False
            if progress is not None:
                progress(len(self.freed), total)
            sched.machine.block(ktime_get() + int(_POLL * 1e9 / self.scale))
        if progress is not None:
            progress(total, total)
        return True

    def _abort(self) -> None:
        """End early: no more submissions, queued jobs are killed, those on the hardware end now."""
        self._script.cancel()
        while not self._script.over():
            sched.machine.block(ktime_get() + int(_POLL * 1e9 / self.scale))
        for adev in self._devices:
            adev.gpu.rush()
        for actor in self._actors.values():
            drm_sched_entity_kill(actor.entity)
        self._open_all()
        while len(self.freed) < len(self.played):
            sched.machine.block(ktime_get() + int(_POLL * 1e9 / self.scale))

    def _open_all(self) -> None:
        """Signal whatever a job could still wait for."""
        for relays in self._relays.values():
            for _, fence in relays:
                dma_fence_signal(fence)
        for fence in self._fences.values():
            dma_fence_signal(fence)
        for actor in self._actors.values():
            if actor.gate is not None:
                dma_fence_signal(actor.gate)

    def down(self) -> None:
        """Take everything down, once `run()` has returned."""
        flush_workqueue(system_percpu_wq)
        for actor in self._actors.values():
            drm_sched_entity_destroy(actor.entity)
            dma_fence_put(actor.last)
            dma_fence_put(actor.gate)
        for relays in self._relays.values():
            for _, fence in relays:
                dma_fence_put(fence)
        for held in (self._held, self._fences):
            for fence in held.values():
                dma_fence_put(fence)
        for adev in self._devices:
            amdgpu_device_fini(adev)
        for actor in self._actors.values():
            kfree(actor.entity)

    # -- what the performers do --------------------------------------------------------------------

    def _cues(self) -> list[Cue]:
        cues = [
            Cue(job.arrival, (1, job.index), (job.comm or "unknown", job.pid), self._act(job))
            for job in self.recording.jobs
        ]
        for number, (recorded, fence) in enumerate(self._fences.items()):
            act = partial(dma_fence_signal, fence)
            cues.append(Cue(recorded.signaled, (0, number), _OTHERS, act))
        for number, entity in enumerate(self.recording.entities):
            if entity.killed is not None:
                act = partial(self._kill_when_due, entity)
                cues.append(Cue(entity.killed, (2, number), _OTHERS, act))
        return cues

    def _act(self, job: Job) -> Callable[[], None]:
        return partial(self._submit, job)

    def _submit(self, job: Job) -> None:
        actor = self._actors[job.entity]
        if actor.ring is not job.ring:
            self._move(actor, job.ring)
        count = min(job.credits, self._limits[job.ring])
        error, kernel_job = amdgpu_job_alloc(actor.entity, None, 1, count, job.client)
        if kernel_job is None or kernel_job.ibs is None:
            raise OSError(-error, "a job cannot be made")
        played = self.played[job] = Played(job, Batch(job.gpu_ns))
        kernel_job.ibs[0].batch = played.batch
        kernel_job.user = played
        kernel_job.done = self._over
        for dependency in job.depends:
            drm_sched_job_add_dependency(kernel_job.base, self._fence(job, dependency))
        if job.cancelled:
            drm_sched_job_add_dependency(kernel_job.base, dma_fence_get(actor.gate))
        s_fence: Any = kernel_job.base.s_fence
        fence = amdgpu_job_submit(kernel_job)
        played.key = (fence.context, fence.seqno)
        if not job.pipelined:
            set_bit(DRM_SCHED_FENCE_DONT_PIPELINE, fence.flags)
        if self._uses[job]:
            played.s_fence = s_fence
            self._held[job] = dma_fence_get(fence)
        for scheduled, relay in self._relays.pop(job, ()):
            signal_after(relay, s_fence.scheduled if scheduled else fence)
            dma_fence_put(relay)
        dma_fence_put(actor.last)
        actor.last = fence

    def _move(self, actor: Actor, ring: Ring) -> None:
        """The entity goes to another ring; it could only because it had nothing under way."""
        if actor.last is not None and dma_fence_wait(actor.last, True):
            raise Interrupted
        drm_sched_entity_modify_sched(actor.entity, [self._schedulers[ring]], 1)
        actor.ring = ring

    def _fence(self, job: Job, dependency: Dependency) -> dma_fence:
        """The fence to wait for, with a reference."""
        if dependency.fence is not None:
            return dma_fence_get(self._fences[dependency.fence])
        target = dependency.job
        assert target is not None
        if target.index > job.index:
            relay = new_relay()
            scheduled = dependency.scheduled or (target.ring is job.ring and target.pipelined)
            self._relays[target].append((scheduled, relay))
            return dma_fence_get(relay)
        fence = self._held[target]
        if dependency.scheduled:
            fence = self.played[target].s_fence.scheduled
        dma_fence_get(fence)
        self._used(target)
        return fence

    def _used(self, job: Job) -> None:
        """One of those that need the job's fences has them."""
        self._uses[job] -= 1
        if not self._uses[job]:
            self.played[job].s_fence = None
            dma_fence_put(self._held.pop(job))

    def _kill_when_due(self, entity: Entity) -> None:
        last = _last_to_run(entity)
        kill = partial(self._kill, self._actors[entity])
        if last is None:
            kill()
        else:
            call_after(self.played[last].s_fence.scheduled, kill)
            self._used(last)

    def _kill(self, actor: Actor) -> None:
        drm_sched_entity_kill(actor.entity)
        dma_fence_signal(actor.gate)

    def _over(self, played: Played, error: int) -> None:
        """The driver frees the job: it is over, with 0 or a negative error."""
        played.error = error
        batch, played.batch = played.batch, None
        if batch is not None and batch.began is not None and batch.ended is not None:
            played.gpu_ns = batch.ended - batch.began
        self.freed.append(played)
        if len(self.freed) >= len(self.played):
            sched.machine.wake(self._director)


def _last_to_run(entity: Entity) -> Job | None:
    """The last job of the entity that was not thrown away."""
    return next((job for job in reversed(entity.jobs) if not job.cancelled), None)


def _enough(ring: Ring) -> int:
    """Credits for all jobs of the ring at once."""
    return max(1, min(sum(job.credits for job in ring.jobs), CREDITS_MAX))
