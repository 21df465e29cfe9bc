# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A strict reader of KTAP (Documentation/dev-tools/ktap.rst), as KUnit prints it.

The kernel's own parser forgives much: it is for logs that a crash has cut off. This one is for the
output of a program that is supposed to be right. Versions, plans, numbers, names, indentation,
totals and the verdicts of parents must all agree; what is not KTAP is a diagnostic of what follows
it. What `kport kunit` says about a run (exit code, JSON) it has read here, from what it printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

INDENT = 4

_VERSION = re.compile(r"( *)KTAP version (\d+)")
_SUBTEST = re.compile(r"( *)# Subtest: (.+)")
_PLAN = re.compile(r"( *)1\.\.(\d+)")
_RESULT = re.compile(r"( *)(ok|not ok) (\d+) (.*?)(?: # SKIP ?(.*))?")
_TOTALS = re.compile(r" *# (.+): pass:(\d+) fail:(\d+) skip:(\d+) total:(\d+)")


class KtapError(ValueError):
    """A line that KTAP does not allow here; `str()` says which and why."""


@dataclass
class Test:
    """A result: "passed", "failed" or "skipped", with its subtests if it has any (`group`).

    `lines` are the diagnostics in front of it, `began` and `ended` kernel ns.
    """

    name: str
    status: str
    comment: str = ""
    group: bool = False
    subtests: list[Test] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    began: int = 0
    ended: int = 0

    def leaves(self) -> Iterator[Test]:
        """The results that have no subtests."""
        if not self.group:
            yield self
        for test in self.subtests:
            yield from test.leaves()


@dataclass
class _Group:
    """What a version line opens: subtests and their plan."""

    indent: int
    began: int
    name: str | None = None
    plan: int | None = None
    tests: list[Test] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    last: int = 0


class Reader:
    """Takes KTAP line by line. `tests` are the results of the top level so far."""

    def __init__(self) -> None:
        self._groups: list[_Group] = []
        self._number = 0
        self._line = ""

    @property
    def tests(self) -> list[Test]:
        """The results of the top level."""
        return self._groups[0].tests if self._groups else []

    @property
    def planned(self) -> int:
        """How many results the top level shall have."""
        return (self._groups[0].plan or 0) if self._groups else 0

    def feed(self, line: str, ts: int = 0) -> None:
        """The next line, said at `ts` ns. Raises KtapError."""
        self._number += 1
        self._line = line
        if m := _VERSION.fullmatch(line):
            self._version(len(m[1]), int(m[2]), ts)
        elif m := _SUBTEST.fullmatch(line):
            self._subtest(len(m[1]), m[2])
        elif m := _PLAN.fullmatch(line):
            self._plan(len(m[1]), int(m[2]))
        elif m := _RESULT.fullmatch(line):
            self._result(len(m[1]), m[2] == "ok", int(m[3]), m[4], m[5], ts)
        elif self._groups:
            if m := _TOTALS.fullmatch(line):
                self._totals(m[1], [int(n) for n in m.groups()[1:]])
            self._groups[-1].lines.append(line)

    def close(self) -> None:
        """There are no more lines. Raises KtapError if there should be."""
        self._line = "end of output"
        if not self._groups:
            self._wrong("no KTAP version line")
        if len(self._groups) > 1:
            self._wrong(f"subtests of {self._groups[-1].name} have no result")
        self._check_plan(self._groups[0])

    def _wrong(self, why: str) -> None:
        raise KtapError(f"line {self._number}: {why}: {self._line.strip()!r}")

    def _version(self, indent: int, version: int, ts: int) -> None:
        if version != 1:
            self._wrong("KTAP version is not 1")
        if indent != len(self._groups) * INDENT:
            self._wrong(f"indentation is {indent}, not {len(self._groups) * INDENT}")
        self._groups.append(_Group(indent, ts, last=ts))

    def _open(self, indent: int) -> _Group:
        """The innermost group, which must be at this indentation and have no results yet."""
        if not self._groups or self._groups[-1].indent != indent:
            self._wrong("no version line at this indentation in front of it")
        group = self._groups[-1]
        if group.tests:
            self._wrong("behind the first result")
        return group

    def _subtest(self, indent: int, name: str) -> None:
        group = self._open(indent)
        if group.name is not None or group.plan is not None or indent == 0:
            self._wrong("a header that does not follow its version line")
        group.name = name

    def _plan(self, indent: int, count: int) -> None:
        group = self._open(indent)
        if group.plan is not None:
            self._wrong("a second plan")
        if indent and group.name is None:
            self._wrong("a plan without header")
        group.plan = count

    def _result(
        self, indent: int, ok: bool, number: int, name: str, skipped: str | None, ts: int
    ) -> None:
        inner = None
        if self._groups and indent == self._groups[-1].indent - INDENT:
            inner = self._groups.pop()
            if inner.name != name:
                self._wrong(f"the result of {inner.name} is missing")
            self._check_plan(inner)
        if not self._groups or indent != self._groups[-1].indent:
            self._wrong("a result at this indentation")
        group = self._groups[-1]
        if number != len(group.tests) + 1:
            self._wrong(f"result {len(group.tests) + 1} is missing")
        if not ok and skipped is not None:
            self._wrong("skipped, and not ok")
        status = "failed" if not ok else "passed" if skipped is None else "skipped"
        test = Test(name, status, skipped or "", lines=group.lines, began=group.last, ended=ts)
        group.lines, group.last = [], ts
        if inner is not None:
            test.group = True
            test.began = inner.began
            test.subtests = inner.tests
            test.lines += inner.lines
            if ok and any(each.status == "failed" for each in inner.tests):
                self._wrong("ok, but a subtest has failed")
        group.tests.append(test)

    def _check_plan(self, group: _Group) -> None:
        if group.plan is not None and group.plan != len(group.tests):
            self._wrong(f"{group.plan} results were planned, {len(group.tests)} came")
        if group.indent in (0, INDENT) and group.plan is None:
            self._wrong("no plan")

    def _totals(self, name: str, said: list[int]) -> None:
        """Check the statistics of the innermost group."""
        group = self._groups[-1]
        if name not in ("Totals", group.name):
            return
        tests = group.tests
        if name == "Totals":
            tests = [leaf for test in tests for leaf in test.leaves()]
        found = count(tests)
        if said != found:
            self._wrong(f"the results so far are {found}")


def count(tests: list[Test]) -> list[int]:
    """How many have passed, failed, were skipped, and are there."""
    states = [test.status for test in tests]
    return [*(states.count(state) for state in ("passed", "failed", "skipped")), len(states)]


def read(text: str) -> list[Test]:
    """The results in a whole output. Raises KtapError."""
    reader = Reader()
    for line in text.splitlines():
        reader.feed(line)
    reader.close()
    return reader.tests
