# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Waits that can never end, because what they wait for is freed by a later step of the same client.

A stand-alone fence holds what depends on it until its `a` step, an endless batch holds what comes
behind it until its T step. Going through the steps once, this keeps for each batch the set of such
holders that it cannot start, or cannot finish, without. A wait for a batch that has a holder which
is still closed is an error in the file: the client would wait for itself.

Only what is certain counts: dependencies, the order within a context and engine, and the use of
working sets within the client. What depends on other clients, on the hardware's depth or on the
scheduler's choice shows at run time.
"""

from __future__ import annotations

from kport.workload.errors import InputError
from kport.workload.wsim.contexts import Context, Slot, slot_of
from kport.workload.wsim.steps import (
    Batch,
    DataDep,
    FenceDep,
    NewFence,
    SetDep,
    SignalFence,
    Step,
    SubmitDep,
    Sync,
    Terminate,
    Throttle,
)

Holders = frozenset[int]
_NONE: Holders = frozenset()
MAX_CLOSED = 128  # beyond so many fences and endless batches at once nothing is looked for,
MAX_USES = 1_000_000  # nor beyond so many uses of buffers


class _Buffer:
    """What a later reader, and a later writer, of a buffer must wait for."""

    def __init__(self) -> None:
        self.written: Holders = _NONE
        self.used: Holders = _NONE


class _Walk:
    """The state at one step. `start` and `finish`: the holders of each batch so far."""

    def __init__(self, steps: list[Step], contexts: dict[int, Context]) -> None:
        self.steps = steps
        self.contexts = contexts
        self.closed: set[int] = set()
        self.start: dict[int, Holders] = {}
        self.finish: dict[int, Holders] = {}
        self.last: dict[tuple[int, Slot], int] = {}
        self.buffers: dict[tuple[int, int], _Buffer] = {}
        self.uses = 0

    def batch(self, index: int, step: Batch) -> None:
        """A batch is submitted."""
        if not self.closed and step.duration is not None:
            return  # nothing holds anything
        key = (step.context, slot_of(step, self.contexts)[0])
        before = self.last.get(key)
        starts = set(self.start.get(before, _NONE)) if before is not None else set()
        for dep in step.deps:
            if isinstance(dep, SetDep):
                self.uses += dep.last - dep.first + 1
                for item in range(dep.first, dep.last + 1):
                    buffer = self.buffers.setdefault((dep.set_id, item), _Buffer())
                    starts |= buffer.used if dep.write else buffer.written
                continue
            target = index + dep.offset.steps
            if isinstance(dep, SubmitDep):
                starts |= self.start.get(target, _NONE)
            elif isinstance(dep, DataDep | FenceDep):
                starts |= self.finish.get(target, frozenset((target,)))
        start = frozenset(starts & self.closed)
        finish = start | (self.finish.get(before, _NONE) if before is not None else _NONE)
        if step.duration is None:
            self.closed.add(index)
            finish |= {index}
        self.start[index] = start
        self.finish[index] = finish = frozenset(finish & self.closed)
        self.last[key] = index
        for dep in step.deps:
            if isinstance(dep, SetDep):
                for item in range(dep.first, dep.last + 1):
                    buffer = self.buffers[dep.set_id, item]
                    buffer.used |= finish
                    if dep.write:
                        buffer.written |= finish

    def wait(self, waiter: Step, target: int) -> None:
        """Some step waits for the batch at `target`."""
        for holder in sorted(self.finish.get(target, _NONE) & self.closed):
            self.fail(waiter, self.steps[target], holder)

    def fail(self, waiter: Step, target: Step, holder: int) -> None:
        held = self.steps[holder]
        opener = self.opener(holder)
        what = "endless batch" if isinstance(held, Batch) else "fence"
        verb = "ends" if isinstance(held, Batch) else "signals"
        later = f"only {opener.place.brief()} {verb}" if opener else f"nothing {verb}"
        raise InputError(
            str(waiter.place),
            f"waits for ever: the batch of {target.place.brief()} needs the {what} of "
            f"{held.place.brief()}, which {later}",
            f"put the {'T' if isinstance(held, Batch) else 'a'} step before the wait",
        )

    def opener(self, holder: int) -> Step | None:
        for index, step in enumerate(self.steps):
            if isinstance(step, SignalFence | Terminate) and index + step.offset.steps == holder:
                return step
        return None

    def throttled(self, index: int, count: int) -> None:
        """A batch waits for the nearest batch at least `count` steps before it, if there is one."""
        at = index - count
        while at >= 0 and not isinstance(self.steps[at], Batch):
            at -= 1
        if at >= 0:
            self.wait(self.steps[index], at)


def check_waits(steps: list[Step], contexts: dict[int, Context]) -> None:
    """Raises InputError for the first wait that cannot end."""
    walk = _Walk(steps, contexts)
    throttle = 0
    for index, step in enumerate(steps):
        if isinstance(step, Batch):
            if throttle:
                walk.throttled(index, throttle)
            walk.batch(index, step)
            if step.wait:
                walk.wait(step, index)
        elif isinstance(step, NewFence):
            walk.closed.add(index)
        elif isinstance(step, SignalFence | Terminate):
            walk.closed.discard(index + step.offset.steps)
        elif isinstance(step, Sync):
            walk.wait(step, index + step.offset.steps)
        elif isinstance(step, Throttle):
            throttle = step.count
        if len(walk.closed) > MAX_CLOSED or walk.uses > MAX_USES:
            return
