# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What each thread of a round does: random operations on entities of its own."""

from __future__ import annotations

import random
from collections import Counter, deque
from typing import Any

from kport.dma_buf.dma_fence import dma_fence, dma_fence_put, dma_fence_wait_timeout
from kport.drivers import compat
from kport.drivers.compat import (
    DRM_SCHED_PRIORITY_HIGH,
    DRM_SCHED_PRIORITY_LOW,
    drm_sched_entity,
    drm_sched_entity_destroy,
    drm_sched_entity_fini,
    drm_sched_entity_flush,
    drm_sched_entity_init,
    drm_sched_entity_modify_sched,
    drm_sched_entity_set_priority,
    drm_sched_fault,
)
from kport.linux.atomic import ATOMIC_INIT
from kport.linux.delay import usleep_range
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj
from kport.workload.stress.device import Device

KEPT = 120  # operations of a thread that are remembered
PATIENCE = 60_000  # kernel ms in which a job must be over


class Stuck(AssertionError):
    """Somebody waits for what does not come."""


class Entity:
    """An entity, the rings it may run on, and the last job that was pushed to it."""

    def __init__(self, number: str) -> None:
        self.number = number
        self.base: Any = None
        self.rings: list[int] = []
        self.last: dma_fence | None = None


class Client:
    """A thread. `log` has the operations it did last, as (rings, text)."""

    def __init__(self, number: int, seed: str, device: Device) -> None:
        self.number = number
        self.device = device
        self.dice = random.Random(seed)
        self.log: deque[tuple[tuple[int, ...], str]] = deque(maxlen=KEPT)
        self.count: Counter[str] = Counter()
        self.at = "nothing"
        self._made = 0
        self.entities = [self._entity() for _ in range(device.plan.entities)]

    def run(self) -> None:
        """All operations of one life, and the end of the entities."""
        plan = self.device.plan
        names, weights = list(plan.weights), list(plan.weights.values())
        for _ in range(plan.operations):
            (name,) = self.dice.choices(names, weights)
            entity = self.dice.choice(self.entities)
            self.count[name] += 1
            getattr(self, f"_{name}")(entity)
        for entity in self.entities:
            self._note("destroy", entity)
            self._end(entity)
        self.at = "the end"

    def _note(self, name: str, entity: Entity, text: str = "") -> None:
        rings = ",".join(f"ring{n}" for n in entity.rings)
        self.at = f"{name} {entity.number} ({rings}) {text}".strip()
        self.log.append((tuple(entity.rings), self.at))

    # -- entities ----------------------------------------------------------------------------------

    def _entity(self) -> Entity:
        self._made += 1
        entity = Entity(f"entity {self.number}.{self._made}")
        base: Any = kzalloc_obj(drm_sched_entity)
        entity.base = base
        every = range(self.device.plan.rings)
        entity.rings = self.dice.sample(every, self.dice.randint(1, len(every)))
        scheds = [self.device.scheds[n] for n in entity.rings]
        priority = self.dice.randint(DRM_SCHED_PRIORITY_HIGH, DRM_SCHED_PRIORITY_LOW)
        ret = drm_sched_entity_init(base, priority, scheds, len(scheds), ATOMIC_INIT(0))
        assert ret == 0, ret
        self._note("new", entity, f"priority {priority}, context {base.fence_context}")
        return entity

    def _wait_last(self, entity: Entity) -> None:
        if entity.last is None:
            return
        ticks = msecs_to_jiffies(PATIENCE)
        if not dma_fence_wait_timeout(entity.last, False, ticks):
            fence = f"{entity.last.context}:{entity.last.seqno}"
            raise Stuck(f"{entity.number}: job {fence} is not over after {PATIENCE // 1000} s")

    def _end(self, entity: Entity) -> None:
        """Flush, end and free an entity, when its jobs have run."""
        self._wait_last(entity)
        drm_sched_entity_destroy(entity.base)
        self._forget(entity)

    def _forget(self, entity: Entity) -> None:
        if entity.last is not None:
            dma_fence_put(entity.last)
            entity.last = None
        kfree(entity.base)

    # -- operations --------------------------------------------------------------------------------

    def _submit(self, entity: Entity) -> None:
        after = []
        if self.dice.random() < self.device.plan.depend:
            picked = [self.device.pick(self.dice) for _ in range(self.dice.randint(1, 3))]
            after = [fence for fence in picked if fence is not None]
        behind = " ".join(f"{fence.context}:{fence.seqno}" for fence in after)
        self._note("submit", entity, f"behind {behind}" if behind else "")
        text, finished = self.device.submit(entity.base, self.dice, after)
        self._note("submitted", entity, text)
        for fence in after:
            dma_fence_put(fence)
        if entity.last is not None:
            self.device.remember(entity.last)
        entity.last = finished

    def _burst(self, entity: Entity) -> None:
        for _ in range(self.dice.randint(2, 6)):
            self._submit(entity)

    def _wait(self, entity: Entity) -> None:
        self._note("wait", entity)
        self._wait_last(entity)

    def _sleep(self, entity: Entity) -> None:
        us = self.dice.choice([5, 50, 500, 3000])
        usleep_range(us, us + 20)

    def _priority(self, entity: Entity) -> None:
        priority = self.dice.randint(DRM_SCHED_PRIORITY_HIGH, DRM_SCHED_PRIORITY_LOW)
        self._note("priority", entity, str(priority))
        drm_sched_entity_set_priority(entity.base, priority)

    def _modify(self, entity: Entity) -> None:
        every = range(self.device.plan.rings)
        entity.rings = self.dice.sample(every, self.dice.randint(1, len(every)))
        self._note("modify_sched", entity)
        scheds = [self.device.scheds[n] for n in entity.rings]
        drm_sched_entity_modify_sched(entity.base, scheds, len(scheds))

    def _flush(self, entity: Entity) -> None:
        self._note("flush", entity)
        drm_sched_entity_flush(entity.base, MAX_SCHEDULE_TIMEOUT)

    def _renew(self, entity: Entity) -> None:
        self._note("destroy", entity)
        self._end(entity)
        self.entities[self.entities.index(entity)] = self._entity()

    def _kill(self, entity: Entity) -> None:
        """End an entity with what is queued; what is known to break is gone around."""
        self._note("kill", entity)
        device = self.device
        if not device.safe:
            drm_sched_entity_fini(entity.base)
        elif compat.scheduler == "v7_2":
            device.in_order(lambda: self._kill_while_all_stand_still(entity))
        else:
            self._end(entity)
            self.entities[self.entities.index(entity)] = self._entity()
            return
        self._wait_last(entity)
        self._forget(entity)
        self.entities[self.entities.index(entity)] = self._entity()

    def _kill_while_all_stand_still(self, entity: Entity) -> None:
        for sched in self.device.scheds:
            self.device.halt(sched)
        drm_sched_entity_fini(entity.base)
        for sched in self.device.scheds:
            self.device.go_on(sched)

    def _reset(self, entity: Entity) -> None:
        ring = self.dice.choice(entity.rings)
        self._note("reset", entity, f"ring{ring}")
        sched = self.device.scheds[ring]
        if self.dice.random() < 0.5:
            self.device.in_order(lambda: self.device.recover(sched, None))
        else:
            self.device.in_order(lambda: self._pause(sched))

    def _pause(self, sched: Any) -> None:
        self.device.halt(sched)
        usleep_range(50, 200)
        self.device.go_on(sched)

    def _fault(self, entity: Entity) -> None:
        ring = self.dice.choice(entity.rings)
        if self.device.plan.timeouts[ring] is None:
            return
        self._note("fault", entity, f"ring{ring}")
        drm_sched_fault(self.device.scheds[ring])
