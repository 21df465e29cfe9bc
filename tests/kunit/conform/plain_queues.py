# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The execution discipline word for word: two lists, and a loop over them. No workqueue, no thread.

`installed()` puts it in the place of the port's workqueues, in the modules that queue the work of
the scheduler. What then happens is the specification's own model, against which the real thing
(workers of the port's workqueues, ordered by `kport.kunit.conform.discipline`) is held.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from kport.drm.scheduler.v7_2 import sched_entity, sched_main
from kport.kunit.conform import interpreter, state


class PlainQueues:
    """`submit` and `system` as lists of pending items, and the timers that are armed."""

    def __init__(self) -> None:
        self.submit = object()
        self.queues: dict[bool, deque[Any]] = {True: deque(), False: deque()}
        self.armed: set[Any] = set()

    # -- what stands in for the workqueue's functions

    def queue_work(self, wq: Any, work: Any) -> bool:
        if any(work in queue for queue in self.queues.values()):
            return False
        self.queues[wq is self.submit].append(work)
        return True

    def schedule_work(self, work: Any) -> bool:
        return self.queue_work(None, work)

    def cancel_work_sync(self, work: Any) -> bool:
        for queue in self.queues.values():
            if work in queue:
                queue.remove(work)
                return True
        return False

    def cancel_delayed_work(self, dwork: Any) -> bool:
        if dwork in self.armed:
            self.armed.remove(dwork)
            return True
        return self.cancel_work_sync(dwork.work)

    def mod_delayed_work(self, wq: Any, dwork: Any, delay: int) -> bool:
        pending = self.cancel_delayed_work(dwork)
        if delay:
            self.armed.add(dwork)
        else:
            self.queue_work(wq, dwork.work)
        return pending

    def delayed_work_pending(self, dwork: Any) -> bool:
        return dwork in self.armed or dwork.work in self.queues[False]

    # -- the discipline

    def drain(self) -> None:
        system = self.queues[False]
        while system:
            work = system.popleft()
            work.func(work)

    def rest(self) -> None:
        submit = self.queues[True]
        while submit:
            work = submit.popleft()
            work.func(work)
            self.drain()

    def close(self) -> None:
        assert not any(self.queues.values())
        assert not self.armed


def installed(patch: pytest.MonkeyPatch) -> None:
    """From now on scenarios run on plain queues."""

    def make() -> PlainQueues:
        queues = PlainQueues()
        for name in ("queue_work", "mod_delayed_work", "cancel_work_sync", "cancel_delayed_work"):
            patch.setattr(sched_main, name, getattr(queues, name))
        patch.setattr(sched_main, "cancel_delayed_work_sync", queues.cancel_delayed_work)
        patch.setattr(sched_entity, "schedule_work", queues.schedule_work)
        patch.setattr(interpreter, "mod_delayed_work", queues.mod_delayed_work)
        patch.setattr(interpreter, "delayed_work_pending", queues.delayed_work_pending)
        patch.setattr(state, "delayed_work_pending", queues.delayed_work_pending)
        return queues

    patch.setattr(interpreter, "Queues", make)
    patch.setattr(interpreter.Interpreter, "wait_tdr", interpreter.Interpreter.expire_tdr)
