# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a scenario works on: schedulers, entities, jobs and external fences under their names."""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import dma_fence, dma_fence_ops, dma_fence_test_signaled_flag
from kport.drivers.mock.sched_tests import drm_mock_sched_job, drm_mock_scheduler
from kport.drm.scheduler.v7_2.gpu_scheduler import drm_sched_entity
from kport.linux.atomic import atomic_t
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import spinlock_t
from kport.linux.struct import struct


class external_fence(struct):
    """A fence that the scenario signals."""

    base: dma_fence
    lock: spinlock_t


def _external_driver(fence: dma_fence) -> str:
    return "conform"


def _external_timeline(fence: dma_fence) -> str:
    return "external"


def _external_release(fence: dma_fence) -> None:
    kfree(fence._container)


external_fence_ops = dma_fence_ops(
    get_driver_name=_external_driver,
    get_timeline_name=_external_timeline,
    release=_external_release,
)


def allocated(type_: Any) -> Any:
    """A zeroed struct; allocations of a scenario do not fail."""
    made = kzalloc_obj(type_)
    assert made is not None
    return made


class Scheduler:
    """A mock scheduler and how it answers timeouts."""

    def __init__(self, name: str, mode: str) -> None:
        self.name = name
        self.mode = mode
        self.mock: drm_mock_scheduler = allocated(drm_mock_scheduler)


class Entity:
    """An entity, and the flag that marks it guilty (which the scheduler may not know)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.base: drm_sched_entity = allocated(drm_sched_entity)
        self.guilty = atomic_t()


class Job:
    """A job: how it runs, and what has become of it.

    `fences` has "scheduled" and "finished" from the moment it is pushed until they are destroyed;
    `held` is whether the test has its reference on the latter.
    """

    def __init__(self, name: str, mode: str, err: int) -> None:
        self.name = name
        self.mode = mode
        self.err = err
        self.mock: drm_mock_sched_job = allocated(drm_mock_sched_job)
        self.has_hw = False
        self.pushed = self.ran = self.freed = 0
        self.is_scheduled = self.is_finished = 0
        self.error = 0
        self.fences: dict[str, dma_fence] = {}
        self.held = False

    def look(self) -> None:
        """Take from the fences what is to be known of them when they are gone."""
        if (fence := self.fences.get("scheduled")) is not None:
            self.is_scheduled = dma_fence_test_signaled_flag(fence)
        if (fence := self.fences.get("finished")) is not None:
            self.is_finished = dma_fence_test_signaled_flag(fence)
            self.error = fence.error if self.is_finished else 0


class External:
    """An external fence; the test holds a reference until the end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.outer: external_fence = allocated(external_fence)

    @property
    def fence(self) -> dma_fence:
        """The fence."""
        return self.outer.base


class World:
    """Everything there is, by name, in the order it was made; and the names of fences."""

    def __init__(self) -> None:
        self.schedulers: dict[str, Scheduler] = {}
        self.entities: dict[str, Entity] = {}
        self.jobs: dict[str, Job] = {}
        self.externals: dict[str, External] = {}
        self.groups: dict[int, tuple[int, int]] = {}
        self.memory: list[Any] = []
        self._fences: dict[tuple[int, int], str] = {}
        self._owners: dict[Any, Scheduler | Entity | Job] = {}

    def own(self, base: Any, thing: Scheduler | Entity | Job, memory: Any) -> None:
        """A struct of the scheduler belongs to a thing; `memory` stays until the scenario ends."""
        self._owners[base] = thing
        self.memory.append(memory)

    def owner(self, base: Any) -> Any:
        """The thing a struct of the scheduler belongs to."""
        return self._owners[base]

    def name_fence(self, fence: dma_fence, name: str) -> None:
        """From now on context and number of the fence mean this name."""
        self._fences[fence.context, fence.seqno] = name

    def fence_name(self, context: int, seqno: int) -> str:
        """The name of a fence; one that nobody has named is shown as its numbers."""
        return self._fences.get((context, seqno), f"fence {context}:{seqno}")
