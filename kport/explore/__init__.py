# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Exploration: which interleavings of a scenario go wrong, and why.

    from kport.explore import explore, replay

    def scenario(kernel):            # the main task of a kernel that is booted for each execution
        ...

    result = explore(scenario, strategy="pct:3", schedules=2000, check="all")
    for failure in result.failures:
        print(failure.report)
        replay(failure.token, scenario)

A scenario without a parameter returns functions that run at once without a kernel: small programs
are explored at tens of thousands of schedules per second.

What is not a matter of tasks can be one of the schedule, too: `choose(2)` in a scenario is 0 or 1
as the search likes, and a token remembers it.

- `machine`: the machine virt, with the choices in the hands of a search
- `search`, `strategies`: what a search is; `walk`, `pct`, ...: one file each
- `replay`, `token`, `shrink`: schedules written down, played, made small
- `runner`: one execution and what went wrong; `explorer`: the loop around it
- `trace`, `picture`: what a report shows; `playback`: executions that are had again
- `plain`: plain accesses; `jobs`, `cluster`: several processes; `plugin`: for pytest
"""

from __future__ import annotations

from kport.explore.explorer import cover, explore
from kport.explore.machine import choose
from kport.explore.playback import replay
from kport.explore.replay import Schedule, Turn
from kport.explore.result import Failure, Result
from kport.explore.runner import Program, Trouble
from kport.explore.search import Search
from kport.explore.strategies import STRATEGIES, strategy
from kport.explore.token import Token, TokenError

__all__ = [
    "STRATEGIES",
    "Failure",
    "Program",
    "Result",
    "Schedule",
    "Search",
    "Token",
    "TokenError",
    "Trouble",
    "Turn",
    "choose",
    "cover",
    "explore",
    "replay",
    "strategy",
]
