# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What runs when: an operation, then work items one by one, in the order of their queues.

The record knows two queues. `system` is system_percpu_wq: timeouts, and the jobs of killed
entities. `submit` is one ordered workqueue that all schedulers of a scenario share as
`args.submit_wq`. After each operation `system` runs until it is empty; then one item of `submit`
runs and `system` again, until both are empty. Nothing interleaves with anything.

Nothing here stands for a workqueue: items are queued on, run by and cancelled from the port's own.
Three things make the order.

- The machine has one CPU, and the strategy `OneAfterTheOther` lets whoever runs run on until he
  sleeps. So an operation, which never sleeps, is atomic, and so is an item; and the bound pool of
  system_percpu_wq, which stands for that one CPU, has one item running at a time, first come first
  served. Of those who can run next, workers of the bound pool come first, then those of the unbound
  one, then service threads (RCU), then the interpreter.
- `submit` is a freezable workqueue (WQ_FREEZABLE), and workqueues are frozen while a scenario
  runs, as they are when a system suspends: items that are queued keep their PENDING bit and their
  order, and cancel_work_sync() finds them, but none begins. To run one, workqueues are thawed and
  at once frozen again: an ordered queue lets exactly one item go. flush_work() waits for it.
- A step of the machine takes no time. The machine's clock, and with it every timer, stands still
  until everybody sleeps, which happens in the operation `wait_tdr` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.linux.spinlock import spin_lock_irqsave, spin_unlock_irqrestore
from kport.linux.workqueue import (
    WQ_FREEZABLE,
    alloc_ordered_workqueue,
    destroy_workqueue,
    flush_work,
    flush_workqueue,
    freeze_workqueues_begin,
    system_percpu_wq,
    thaw_workqueues,
    work_struct,
    workqueue_struct,
)

SLICE = 50_000  # steps after which the machine looks whether its bound is reached
BOUND = 5_000_000  # steps of a scenario; the recorded ones take eleven thousand at most

# Machine options for `kport.boot("virt", ...)`.
MACHINE: dict[str, Any] = {"cpus": 1, "step_ns": 0, "bound": BOUND}


def _rank(name: str) -> int:
    """Who goes first of those who can run."""
    if name.startswith("kworker/u"):
        return 1
    if name.startswith("kworker/"):
        return 0
    return 2 if name.startswith(("rcu", "swapper")) else 3


class OneAfterTheOther:
    """A strategy of the machine `virt`: nobody is preempted."""

    places_events = False
    asks_on_wake = False

    def begin(self) -> None:
        """There is no state."""

    def next(self, candidates: Sequence[Any], current: Any, step: int) -> tuple[Any, int]:
        """The running task while it can go on, else the first in rank."""
        if current is None:
            current = min(candidates, key=lambda task: (_rank(task.name), task.number))
        return current, SLICE

    def number(self, n: int) -> int:
        """The first, always."""
        return 0


class Queues:
    """The two queues of a scenario; `submit` is for `drm_sched_init_args.submit_wq`."""

    def __init__(self) -> None:
        submit = alloc_ordered_workqueue("submit", WQ_FREEZABLE)
        assert submit is not None
        self.submit: workqueue_struct = submit
        freeze_workqueues_begin()

    def drain(self) -> None:
        """Run the items of `system`, and those they queue, until there are none."""
        while _is_busy(system_percpu_wq):
            flush_workqueue(system_percpu_wq)

    def rest(self) -> None:
        """Run `submit` item by item, and `system` behind each."""
        while (item := self._first()) is not None:
            thaw_workqueues()
            freeze_workqueues_begin()
            flush_work(item)
            self.drain()

    def close(self) -> None:
        """Let what is left run, and give the queue back."""
        thaw_workqueues()
        destroy_workqueue(self.submit)

    def _first(self) -> work_struct | None:
        """The item of `submit` that is next."""
        pwq: Any = self.submit.pwq
        flags = spin_lock_irqsave(pwq.pool.lock)
        item = pwq.inactive_works[0] if pwq.inactive_works else None
        spin_unlock_irqrestore(pwq.pool.lock, flags)
        return item


def _is_busy(wq: workqueue_struct) -> bool:
    """True while an item of the queue waits or runs."""
    pwq: Any = wq.pwq
    flags = spin_lock_irqsave(pwq.pool.lock)
    busy = bool(pwq.nr_active or pwq.inactive_works)
    spin_unlock_irqrestore(pwq.pool.lock, flags)
    return busy
