# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What an exploration found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Failure:
    """One thing that goes wrong, with a schedule that shows it.

    `token` plays it again (`replay()`), `schedule` is the number of the execution that found it,
    `steps` how many lines of the report's picture matter, `turns` how often the schedule differs
    from the straight one. `repeated` is False if it did not come again when the same schedule was
    run.
    """

    kind: str
    headline: str
    report: str
    token: str
    schedule: int
    steps: int = 0
    turns: int = 0
    repeated: bool = True
    cause: str = ""


@dataclass
class Result:
    """An exploration: what was run, what failed, and what is proved.

    `exhausted` says what is proved when there was nothing left to look at, "" otherwise. `distinct`
    counts executions that differ in who ran when, `points` is the mean number of steps. `unseen`
    are members that tasks share by plain accesses, which were no points (`cover()`). `known` are
    data races that the kernel is known to have, with in how many executions they were met; they are
    no failures. `traces` stand for the distinct executions.
    """

    scenario: str
    strategy: str
    seed: int
    sched: str
    schedules: int = 0
    seconds: float = 0.0
    distinct: int = 0
    pruned: int = 0
    points: float = 0.0
    exhausted: str = ""
    failures: list[Failure] = field(default_factory=list)
    instructions: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    traces: set[int] = field(default_factory=set, repr=False)

    @property
    def rate(self) -> float:
        """Schedules per second of wall time."""
        return self.schedules / self.seconds if self.seconds else 0.0

    def count(self, known: Mapping[str, int]) -> None:
        """Add known races to those of `known`."""
        for title, times in known.items():
            self.known[title] = self.known.get(title, 0) + times

    def to_json(self) -> dict[str, Any]:
        """The same as what JSON knows."""
        found = asdict(self) | {"rate": round(self.rate, 1)}
        del found["traces"]
        return found
