# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Making a failing schedule small: turns are left out until none can be.

First halves, quarters and so on (delta debugging), then one at a time until a whole round takes
nothing away: the result is 1-minimal, no single turn of it can be dropped. A turn is bound to the
steps of its own task, so the others keep their meaning when one is gone (`kport.explore.replay`).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

from kport.explore.replay import Replay, Schedule, Turn
from kport.explore.runner import Runner

RUNS = 2000  # at the most
FEW = 150  # of them, to find one or two turns that are enough

Item = Turn | tuple[int, int]


def shrink(runner: Runner, schedule: Schedule, cause: str, step_ns: int) -> Schedule | None:
    """The smallest schedule found that ends with `cause`; None if not even the whole one does."""
    runs = 0
    exact = False

    def fails(items: list[Item]) -> bool:
        nonlocal runs
        runs += 1
        trouble = runner.run(Replay(_schedule(items, exact), step_ns))
        return trouble is not None and trouble.cause == cause

    items: list[Item] = [*schedule.turns, *sorted(schedule.numbers.items())]
    if not fails(items):
        exact = True
        if not fails(items):
            return None
    size = len(items)
    while size >= 1 and items and runs < RUNS:
        at, smaller = 0, False
        while at < len(items) and runs < RUNS:
            fewer = items[:at] + items[at + size :]
            if fails(fewer):
                items, smaller = fewer, True
            else:
                at += size
        if size > 1:
            size //= 2
        elif not smaller:
            break
    items = _few(items, fails) or items
    last = Replay(_schedule(items, exact), step_ns)
    runner.run(last)
    numbers = [item for item in items if not isinstance(item, Turn)]
    return _schedule([*last.played, *numbers], exact)


def _few(items: list[Item], fails: Callable[[list[Item]], bool]) -> list[Item] | None:
    """One or two of many that are enough."""
    if len(items) < 3:
        return None
    runs = 0
    for count in (1, 2):
        for few in combinations(items, count):
            runs += 1
            if runs > FEW:
                return None
            if fails(list(few)):
                return list(few)
    return None


def _schedule(items: list[Any], exact: bool) -> Schedule:
    return Schedule(
        [item for item in items if isinstance(item, Turn)],
        dict(item for item in items if not isinstance(item, Turn)),
        exact,
    )
