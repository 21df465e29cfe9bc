# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What watches a run: the debug options of a kernel, by name.

    with kport.boot("virt", check="lockdep,races") as kernel:
        ...
    for report in kernel.reports():
        print(report.text)

- `lockdep`: the order of locks, interrupt states, wait types (CONFIG_PROVE_LOCKING)
- `waits`: waits on fences, completions, queues and work items (in no kernel; the DEPT patches)
- `memory`: freed and leaked objects, timers and work items, lists, reference counters (KASAN,
  kmemleak, DEBUG_OBJECTS, DEBUG_LIST)
- `races`: accesses that nothing orders (KCSAN)
- `context`: sleeping where it is forbidden, lockups, tasks that hang (DEBUG_ATOMIC_SLEEP,
  WQ_WATCHDOG, DETECT_HUNG_TASK)
- `oracles`: what must always be true of the scheduler

A name stands for one or more facilities (`kport.linux.facility`). They are loaded when they are
asked for, so that a kernel without any pays nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence

from kport.linux.facility import Facility, Report, finders, reports, select, splat

__all__ = ["Facility", "Report", "reports", "select", "splat"]

NAMES = ("lockdep", "waits", "memory", "races", "context", "oracles")


def _finder(name: str) -> Callable[[], Sequence[Facility]]:
    def find() -> Sequence[Facility]:
        module = importlib.import_module(f"kport.check.{name}")
        facilities: Callable[[], Sequence[Facility]] = module.facilities
        return facilities()

    return find


finders.update({name: _finder(name) for name in NAMES})
