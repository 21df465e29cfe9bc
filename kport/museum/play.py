# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Playing an exhibit: find the bug, show it, play it again, and let the mended code pass the same.

`hunt()` searches once, `visit()` does all of it. What is found counts only if its report is the one
the exhibit stands for; anything else that breaks is told as such.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kport.explore import Failure, Result, explore, replay
from kport.museum.exhibit import Exhibit
from kport.museum.library import Entry, find

Progress = Callable[[str, Result], None]


@dataclass
class Hunt:
    """A search for one bug. `failure` is the bug, `other` what broke instead."""

    exhibit: str
    strategy: str
    seed: int
    schedules: int
    seconds: float
    failure: Failure | None = None
    other: str = ""

    @property
    def found(self) -> bool:
        """True if it was found, and came again when its schedule was run again."""
        return self.failure is not None and self.failure.repeated


@dataclass
class Visit:
    """All that is shown of an exhibit. `survived` is how many schedules the mended code passed."""

    hunt: Hunt
    replays: int = 0
    survived: int = 0
    seconds: float = 0.0
    broke: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """True if the bug was found, each replay showed it, and the mended code passed."""
        return self.hunt.found and not self.broke


def is_it(exhibit: Exhibit, failure: Failure) -> bool:
    """Whether a failure is what the exhibit stands for."""
    return re.search(exhibit.finds, f"{failure.headline}\n{failure.report}") is not None


def hunt(
    exhibit: Exhibit,
    strategy: str = "pct:3",
    *,
    seed: int = 0,
    schedules: int | None = None,
    seconds: float | None = 60.0,
    progress: Progress | None = None,
) -> Hunt:
    """Search for the bug of an exhibit until it is found, or `schedules` or `seconds` are over."""
    entry = find(exhibit.id)
    with entry.stage():
        result = _explore(entry, strategy, seed, schedules, seconds, progress, "with the bug")
    hunted = Hunt(exhibit.id, strategy, seed, result.schedules, result.seconds)
    if result.failures:
        first = result.failures[0]
        if is_it(exhibit, first):
            hunted.failure = first
        else:
            hunted.other = first.headline
    return hunted


def visit(
    exhibit: Exhibit,
    strategy: str = "pct:3",
    *,
    seed: int = 0,
    schedules: int | None = None,
    seconds: float | None = 60.0,
    replays: int = 3,
    survive: int = 1000,
    progress: Progress | None = None,
) -> Visit:
    """Find the bug, replay its token `replays` times, and run the mended code `survive` times."""
    shown = Visit(
        hunt(
            exhibit,
            strategy,
            seed=seed,
            schedules=schedules,
            seconds=seconds,
            progress=progress,
        )
    )
    failure = shown.hunt.failure
    if failure is not None:
        entry = find(exhibit.id)
        with entry.stage():
            for _ in range(replays):
                again = replay(failure.token, entry.scenario)
                if again is None or again.report != failure.report:
                    shown.broke.append(f"replay {shown.replays + 1} did not show it")
                    break
                shown.replays += 1
    mended = find(f"{exhibit.id}-fixed")
    with mended.stage():
        result = _explore(mended, strategy, seed, survive, None, progress, "mended")
    shown.survived, shown.seconds = result.schedules, result.seconds
    shown.broke += [f"the mended code: {f.headline}" for f in result.failures]
    return shown


def _explore(
    entry: Entry,
    strategy: str,
    seed: int,
    schedules: int | None,
    seconds: float | None,
    progress: Progress | None,
    what: str,
) -> Result:
    tell: Any = None
    if progress is not None:
        tell = lambda result: progress(what, result)  # noqa: E731
    return explore(
        entry.scenario,
        strategy=strategy,
        schedules=schedules,
        seconds=seconds,
        seed=seed,
        sched=entry.sched,
        check=entry.check,
        memory=entry.memory,
        plain=entry.plain,
        name=entry.name,
        progress=tell,
    )
