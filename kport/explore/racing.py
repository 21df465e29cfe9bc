# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The two accesses of a data race, as steps of the execution that shows it.

The report says which member they met in and where both stood. While the schedule is played for the
picture, plain accesses to that member are written down as well; they are no points, so the
execution is the same, and in the picture they bear the number of the step that follows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kport.explore.trace import Event

_MEMBER = re.compile(r"^member (\w+) of struct (\w+)$", re.MULTILINE)
_ACCESS = re.compile(
    r"^(?P<kind>\S.*) to 0x\w+ of \d+ bytes by (?P<who>.+) on cpu \d+:\n"
    r" (?P<function>\S+?)\+(?P<file>[^\s:]+):(?P<line>\d+)(?: \((?P<c>[^)]+)\))?",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Access:
    """One of the two, as the report has it."""

    kind: str
    who: str
    function: str
    file: str
    line: int
    c: str

    def is_of(self, event: Event) -> bool:
        """Whether a step stands where this access does."""
        return any(
            line == self.line and file.replace("\\", "/").endswith(self.file)
            for file, line, _ in event.frames[:2]
        )


@dataclass(frozen=True)
class Race:
    """What a report of a data race is about; `accesses` are one or two, the later one last."""

    struct: str
    member: str
    accesses: tuple[Access, ...]

    def is_about(self, obj: object, member: str) -> bool:
        """Whether an access is to the member they met in."""
        return member == self.member and type(obj).__name__ == self.struct

    def steps(self, events: Sequence[Event]) -> list[int]:
        """Where in the events the two accesses are: the last pair of different tasks, or []."""
        if len(self.accesses) != 2:
            return []
        for early, late in (self.accesses, self.accesses[::-1]):
            for j in range(len(events) - 1, -1, -1):
                if not late.is_of(events[j]):
                    continue
                for i in range(j - 1, -1, -1):
                    e = events[i]
                    same = e.op[1] is events[j].op[1]
                    if same and e.task != events[j].task and early.is_of(e):
                        return [i, j]
        return []

    def sentence(self, events: Sequence[Event]) -> str:
        """Who did what where, and that nothing orders it."""
        found = self.steps(events)
        said = [
            f"{events[i].name} ({_does(a)}, {_where(a)}, step {events[i].at})"
            for i, a in zip(found, self._in_order(found, events), strict=False)
        ] or [f"{a.who} ({_does(a)}, {_where(a)})" for a in self.accesses]
        if len(said) < 2:
            return ""
        return f"{self.struct}.{self.member}: nothing orders {said[0]} and {said[1]}."

    def _in_order(self, found: list[int], events: Sequence[Event]) -> tuple[Access, ...]:
        if found and not self.accesses[0].is_of(events[found[0]]):
            return self.accesses[::-1]
        return self.accesses


def _does(access: Access) -> str:
    verbs = {"read": "reads", "write": "writes", "read-write": "reads and writes"}
    kind, _, marked = access.kind.partition(" ")
    return f"{verbs.get(kind, kind)}{' ' + marked if marked else ''}"


def _where(access: Access) -> str:
    return f"{access.function}, {access.c or f'{access.file}:{access.line}'}"


def race_of(report: str) -> Race | None:
    """What a report of KCSAN's form is about; None for another."""
    member = _MEMBER.search(report)
    accesses = [
        Access(m["kind"], m["who"], m["function"], m["file"], int(m["line"]), m["c"] or "")
        for m in _ACCESS.finditer(report)
    ]
    if member is None or not accesses:
        return None
    return Race(member[2], member[1], tuple(accesses[1::-1]))
