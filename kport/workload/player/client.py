# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A client: a process that goes through the steps of its workload, again and again.

Before it starts, each step becomes a function of this client; a pass is a loop over them. A stop
(time is up, Ctrl-C) is a flag and a signal: the flag ends the pass at the next step, the signal
whatever the client waits for. However it ends, a client leaves as a process does: it signals its
fences, ends its endless batches, drains its entities for a while and then kills what is left.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from functools import partial

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_put,
    dma_fence_signal,
)
from kport.drivers.compat import (
    drm_sched_entity_fini,
    drm_sched_entity_flush,
    drm_sched_entity_set_priority,
)
from kport.drm.drm_gem import drm_gem_object, drm_gem_object_put
from kport.linux.fork import exit_signals
from kport.linux.ktime import NSEC_PER_USEC, ktime_get
from kport.linux.sched import SIGKILL
from kport.workload.player.batch import BatchStep
from kport.workload.player.buffers import new_buffer
from kport.workload.player.entity import Entity, sched_priority
from kport.workload.player.fence import new_fence
from kport.workload.player.plan import ClientPlan
from kport.workload.player.process import (
    Interrupted,
    sleep_until,
    wait_for,
)
from kport.workload.player.tally import Iteration
from kport.workload.player.world import World
from kport.workload.wsim.contexts import Slot, contexts_of
from kport.workload.wsim.steps import (
    Batch,
    Delay,
    NewFence,
    Period,
    Place,
    Priority,
    QueueThrottle,
    SignalFence,
    Step,
    Sync,
    Terminate,
    Throttle,
    WorkingSet,
)


class Client:
    """One client. `cycles`, `periods`, `dropped`, `began` and `ended` (ns) tell how it went."""

    def __init__(self, world: World, number: int, plan: ClientPlan) -> None:
        self.world = world
        self.number = number
        self.plan = plan
        self.repeat = None if plan.background else world.plan.repeat
        self.random = random.Random(plan.seed)
        self.cycles = 0
        self.periods = 0
        self.dropped = 0
        self.began = 0
        self.ended: int | None = None
        self.gone = False
        self.stopping = False
        self.failed = False
        self.waiting: Place | None = None
        self.iteration = Iteration(number, 0)
        world.tally.add_client(number)
        self.throttle = 0
        self.queue_limit = 0
        self.contexts = contexts_of(plan.workload.steps)
        self.priorities: dict[int, int] = {}
        self.entities: dict[tuple[int, Slot], Entity] = {}
        self.lost: list[Entity] = []
        self.last_entity: dict[tuple[int, Slot], Entity] = {}
        self.queues: dict[Slot, deque[dma_fence]] = {}
        self.fences: dict[int, dma_fence] = {}
        self.unsignalled: set[int] = set()
        self.endless: set[int] = set()
        self.sets: dict[int, list[drm_gem_object]] = {}
        self.own: list[drm_gem_object] = []
        self.batches: dict[int, BatchStep] = {}

    # -- the life of a client ------------------------------------------------------------------

    def main(self) -> None:
        """What its thread runs."""
        self.began = ktime_get()
        try:
            self._make_sets()
            steps = self._actions()
            while not self.stopping and not self.failed and self.cycles != self.repeat:
                self._pass(steps)
                self.cycles += 1
            for entity in list(self.entities.values()):
                if (last := entity.last()) is not None:
                    self.wait(last, None)
        except Interrupted:
            pass
        self.ended = ktime_get()
        self._leave()
        self.gone = True

    def _pass(self, steps: list[Callable[[], None]]) -> None:
        """One iteration."""
        iteration = self.iteration = Iteration(self.number, ktime_get())
        try:
            for step in steps:
                if self.stopping:
                    raise Interrupted
                step()
        except Interrupted:
            iteration.whole = False
            raise
        finally:
            self.world.tally.end_iteration(iteration)
        self._release_fences()

    def _leave(self) -> None:
        """Let go of everything, as an exiting process does."""
        self._release_fences()
        for index in list(self.endless):
            self.end_batch(index)
        exit_signals(0 if self.world.patience else SIGKILL)
        left = self.world.patience
        entities = [*self.lost, *self.entities.values()]
        for entity in entities:
            left = max(0, drm_sched_entity_flush(entity.base, left))
        for entity in entities:
            drm_sched_entity_fini(entity.base)
            entity.forget()
        for batch in self.batches.values():
            batch.forget()
        for queue in self.queues.values():
            while queue:
                dma_fence_put(queue.pop())
        for obj in self.own:
            drm_gem_object_put(obj)

    def wait(self, fence: dma_fence, place: Place | None) -> None:
        """Wait for a fence on behalf of the step at `place`; raises Interrupted."""
        self.waiting = place or self.plan.workload.steps[-1].place
        wait_for(fence)
        self.waiting = None

    # -- what it owns --------------------------------------------------------------------------

    def _make_sets(self) -> None:
        self.sets.update(self.world.shared_sets(self.plan.workload))
        for step in self.plan.workload.steps:
            if isinstance(step, WorkingSet) and not step.shared:
                self.sets[step.set_id] = [self.buffer(*size) for size in step.sizes]

    def buffer(self, low: int, high: int) -> drm_gem_object:
        """A buffer that lives as long as the client."""
        obj = new_buffer(low if low == high else self.random.randint(low, high))
        self.own.append(obj)
        return obj

    def entity(self, context: int, rings: Slot) -> Entity:
        """The entity of a context for these rings; made at its first use, as drivers do.

        When it has lost a job in a reset a new one takes its place: user space makes a new context.
        """
        key = context, rings
        found = self.entities.get(key)
        if found is not None and found.lost:
            self.lost.append(found)
            found = None
        if found is None:
            world = self.world
            found = self.entities[key] = Entity(
                f"{self.plan.name}:{context}",
                self.number,
                self.priorities.get(context, self.plan.priority),
                rings,
                [world.schedulers[ring] for ring in rings],
            )
            world.tally.add_entity(found.figures)
            world.keep(found.base)
        return found

    def end_batch(self, index: int) -> None:
        """End the endless batch of a step."""
        self.endless.discard(index)
        batch = self.batches[index].batch
        if batch is not None:
            batch.end(self.world.machine)

    def _release_fences(self) -> None:
        for index in list(self.unsignalled):
            self.signal_fence(index)
        while self.fences:
            dma_fence_put(self.fences.popitem()[1])

    def signal_fence(self, index: int) -> None:
        """Signal the stand-alone fence of a step."""
        self.unsignalled.discard(index)
        dma_fence_signal(self.fences[index])

    # -- steps ---------------------------------------------------------------------------------

    def _actions(self) -> list[Callable[[], None]]:
        """A function for each step that does something."""
        actions = []
        for index, step in enumerate(self.plan.workload.steps):
            if isinstance(step, Batch):
                self.batches[index] = BatchStep(self, index, step)
                actions.append(self.batches[index].submit)
            elif (action := self._action(index, step)) is not None:
                actions.append(action)
        return actions

    def _action(self, index: int, step: Step) -> Callable[[], None] | None:
        match step:
            case Delay():
                ns = round(step.us * self.world.plan.delay_scale * NSEC_PER_USEC)
                return partial(self._delay, ns)
            case Period():
                return partial(self._period, step.us * NSEC_PER_USEC)
            case Sync():
                return partial(self._sync, index + step.offset.steps, step.place)
            case Throttle():
                return partial(setattr, self, "throttle", step.count)
            case QueueThrottle():
                return partial(setattr, self, "queue_limit", step.count)
            case NewFence():
                return partial(self._new_fence, index)
            case SignalFence():
                return partial(self.signal_fence, index + step.offset.steps)
            case Terminate():
                return partial(self.end_batch, index + step.offset.steps)
            case Priority():
                return partial(self._set_priority, step.context, step.priority)
        return None

    def _delay(self, ns: int) -> None:
        sleep_until(ktime_get() + ns)

    def _period(self, ns: int) -> None:
        deadline = self.iteration.begin + ns
        self.periods += 1
        if ktime_get() > deadline:
            self.dropped += 1
        else:
            sleep_until(deadline)

    def _sync(self, target: int, place: Place) -> None:
        fence = self.batches[target].fence
        if fence is not None:
            self.wait(fence, place)

    def _new_fence(self, index: int) -> None:
        self.fences[index] = new_fence()
        self.unsignalled.add(index)

    def _set_priority(self, context: int, priority: int) -> None:
        if self.priorities.get(context, self.plan.priority) == priority:
            return
        self.priorities[context] = priority
        for (owner, _), entity in self.entities.items():
            if owner == context:
                drm_sched_entity_set_priority(entity.base, sched_priority(priority))
