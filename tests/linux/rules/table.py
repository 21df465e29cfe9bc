# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The table of rules: what a primitive promises, where C says so, who proves it, what breaks it.

One TOML file beside this module per primitive, to be read as it stands:

    file = "kport/linux/workqueue.py"      where the mutations are made, unless they say otherwise

    [[rule]]
    name = "pending-refuses"
    text = "The rule, in one sentence."
    source = "kernel/workqueue.c:2434-2450 queue_work_on()"
    tests = ["test_workqueue.py::test_..."]         under tests/linux

    [[rule.mutation]]                      the smallest change that breaks the rule
    old = '''text that is found once in the file'''
    new = '''what takes its place'''

A mutation of the table may have `quick = true`: it is in the sample that every run of the tests
proves. The others are proved by the long tests.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
TESTS = "tests/linux"

SOURCE = re.compile(r"[\w./-]+\.[ch]:\d+(-\d+)? \w+(\(\))?")


@dataclass(frozen=True)
class Rule:
    """One promise of a primitive; `tests` are node ids below the root of the project."""

    primitive: str
    name: str
    text: str
    source: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.primitive}/{self.name}"


@dataclass(frozen=True)
class Mutation:
    """A change of the port that breaks a rule: `old`, found once in `file`, becomes `new`."""

    rule: Rule
    number: int
    file: str
    old: str
    new: str
    quick: bool

    def __str__(self) -> str:
        return f"{self.rule}" + (f"/{self.number}" if self.number > 1 else "")

    def apply(self, source: str) -> str:
        """The source with the change in it; ValueError unless `old` is there exactly once."""
        if (found := source.count(self.old)) != 1:
            raise ValueError(f"{self}: found {found} times in {self.file}: {self.old!r}")
        return source.replace(self.old, self.new)


def _keys(entry: dict[str, Any], where: str, *names: str) -> None:
    if unknown := set(entry) - set(names):
        raise ValueError(f"{where}: unknown {sorted(unknown)}")


def load(path: Path) -> tuple[list[Rule], list[Mutation]]:
    """The rules and mutations of one file."""
    table = tomllib.loads(path.read_text())
    _keys(table, path.name, "file", "rule")
    rules: list[Rule] = []
    mutations: list[Mutation] = []
    for entry in table["rule"]:
        where = f"{path.name}: {entry.get('name')}"
        _keys(entry, where, "name", "text", "source", "tests", "mutation")
        tests = tuple(f"{TESTS}/{test}" for test in entry["tests"])
        rule = Rule(path.stem, entry["name"], entry["text"], entry["source"], tests)
        rules.append(rule)
        for number, change in enumerate(entry.get("mutation", ()), 1):
            _keys(change, where, "file", "old", "new", "quick")
            mutations.append(
                Mutation(
                    rule,
                    number,
                    change.get("file", table["file"]),
                    change["old"],
                    change["new"],
                    change.get("quick", False),
                )
            )
    return rules, mutations


FILES = sorted(HERE.glob("*.toml"))
RULES: list[Rule] = []
MUTATIONS: list[Mutation] = []
for _path in FILES:
    _rules, _mutations = load(_path)
    RULES += _rules
    MUTATIONS += _mutations
