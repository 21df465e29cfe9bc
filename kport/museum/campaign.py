# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A search over scenarios that nobody has written: make one up, explore it, make up the next.

Each scenario is explored as the baseline stands. If it breaks it is explored once more, and longer,
with the mends of all findings (`kport.museum.findings`): what is over then was one of them, what is
left is news. Failures of the same cause are told once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from kport.explore import Failure, Result, explore
from kport.museum.findings import BUILT_ON
from kport.museum.library import SHOWN, Entry, find

Progress = Callable[["Campaign"], None]
LONGER = 5  # times as many schedules before what broke is believed to be mended


@dataclass
class Campaign:
    """What came of it. `known` are scenarios that break as they stand and not with the mends.

    `races` are data races that the kernel is known to have, with how many executions had them.
    """

    sched: str
    strategy: str
    seed: int
    scenarios: int = 0
    schedules: int = 0
    seconds: float = 0.0
    broken: int = 0
    known: list[Failure] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    not_repeated: int = 0
    races: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Schedules per second of wall time."""
        return self.schedules / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """The same as what JSON knows."""
        return asdict(self) | {"rate": round(self.rate, 1)}


def campaign(
    *,
    seconds: float | None = None,
    scenarios: int | None = None,
    schedules: int = 200,
    seed: int = 0,
    strategy: str = "pct:3",
    sched: str = "v7_2",
    check: Any = (),
    memory: str = "sc",
    plain: bool = False,
    keep_going: bool = True,
    progress: Progress | None = None,
) -> Campaign:
    """Explore made-up scenarios, `schedules` each, from the seed on.

    Ends after `seconds` of wall time or `scenarios`; without `keep_going` at the first news.
    """
    found = Campaign(sched, strategy, seed)
    causes: set[str] = set()
    start = time.perf_counter()
    number = seed
    how: dict[str, Any] = {
        "strategy": strategy,
        "schedules": schedules,
        "sched": sched,
        "check": check,
        "memory": memory,
        "plain": plain,
        "keep_going": True,
    }
    while True:
        found.seconds = time.perf_counter() - start
        if progress is not None:
            progress(found)
        if seconds is not None and found.seconds >= seconds:
            break
        if scenarios is not None and found.scenarios >= scenarios:
            break
        if found.failures and not keep_going:
            break
        result = _explore(find(f"gen:{number}"), number, how, found)
        if result.failures:
            found.broken += 1
            longer = how | {"schedules": LONGER * schedules}
            left = _explore(find(f"gen:{number}+mends"), number, longer, found)
            _sort(found, result, left, causes)
        found.scenarios += 1
        number += 1
    return found


def _explore(entry: Entry, number: int, how: dict[str, Any], found: Campaign) -> Result:
    with entry.stage():
        result = explore(entry.scenario, name=entry.name, seed=number, **how)
    found.schedules += result.schedules
    for title, times in result.known.items():
        found.races[title] = found.races.get(title, 0) + times
    return result


def _is_known(failure: Failure, sched: str) -> bool:
    """Whether a baseline is known to fail like that as it stands, without a mend."""
    return any(
        exhibit.signature and re.search(exhibit.signature, failure.report)
        for exhibit in SHOWN.values()
        if exhibit.as_it_stands and exhibit.sched in (sched, BUILT_ON.get(sched))
    )


def _sort(found: Campaign, result: Result, left: Result, causes: set[str]) -> None:
    """What is over with the mends is known; what is left is news."""
    for failures, fresh in ((result.failures, False), (left.failures, True)):
        for failure in failures:
            found.not_repeated += not failure.repeated
            known = not fresh or _is_known(failure, found.sched)
            into = found.known if known else found.failures
            key = f"{into is found.known} {failure.cause}"
            if key not in causes:
                causes.add(key)
                into.append(failure)
