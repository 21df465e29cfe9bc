# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`cdiff summary`: how much of the C is ported, and how much of that is equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.cdiff.drift import wanted
from tools.cdiff.errors import CdiffError
from tools.cdiff.project import Pair, Project
from tools.cdiff.pysource import PyFile


@dataclass
class Numbers:
    """Counts of one file, or of several.

    Functions and macros are those of the C; macros are counted where they are ported. Of the
    statements of C `equal` have an equal one, `tagged` one with a reason, `untagged` none. `added`
    functions and statements are the port's own.
    """

    functions: int = 0
    ported: int = 0
    macros: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    statements: int = 0
    equal: int = 0
    tagged: Counter[str] = field(default_factory=Counter)
    untagged: int = 0
    added_functions: int = 0
    added_statements: int = 0

    def add(self, other: Numbers) -> None:
        """Add the counts of another file."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def json(self) -> dict[str, Any]:
        """The counts with their percentages."""
        return {
            "functions": self.functions,
            "ported": self.ported,
            "ported_percent": _percent(self.ported, self.functions),
            "macros_ported": self.macros,
            "left_out": dict(sorted(self.left_out.items())),
            "statements": self.statements,
            "equal": self.equal,
            "equal_percent": _percent(self.equal, self.statements),
            "tagged": dict(sorted(self.tagged.items())),
            "tagged_total": self.tagged.total(),
            "untagged": self.untagged,
            "added_functions": self.added_functions,
            "added_statements": self.added_statements,
        }


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 100.0


def _function(project: Project, pair: Pair, numbers: Numbers) -> None:
    made = project.compare(pair)
    numbers.ported += pair.fact.kind == "function"
    numbers.macros += pair.fact.kind != "function"
    numbers.untagged += len(made.problems)
    for row in made.rows:
        if row.head:
            numbers.untagged += row.state == "different"
            continue
        numbers.statements += len(row.c)
        if row.state == "equal":
            numbers.equal += len(row.c)
        elif row.state == "different":
            numbers.untagged += max(len(row.c), len(row.python))
        else:
            numbers.tagged[sorted(row.tags)[0]] += len(row.c)
            numbers.added_statements += max(len(row.python) - len(row.c), 0)


def numbers_of(project: Project, file: PyFile) -> Numbers:
    """The counts of one ported file."""
    made = Numbers()
    for source in project.sources(file):
        if not project.owns(file, source.path):
            continue
        for name, fact in source.functions.items():
            made.functions += fact.kind == "function"
            reason = project.port.reason(source.path, name)
            if reason:
                made.left_out[reason] += 1
    for pair in project.pairs(file):
        _function(project, pair, made)
    if file.path.startswith(project.port.patched):
        made.functions = made.ported
    for function, row in project.added(file):
        made.added_functions += 1
        made.added_statements += len(function.statements)
        made.untagged += row.state == "different"
    return made


def select(project: Project, names: Sequence[str]) -> list[PyFile]:
    """The ported files whose path, or else whose C file's path, contains one of the names."""
    files = list(project.files.values())
    chosen = [file for file in files if not names or any(name in file.path for name in names)]
    if not chosen:
        chosen = [
            file for file in files if any(name in path for name in names for path in file.sources)
        ]
    if not chosen:
        raise CdiffError(f"{' '.join(names)}: no ported file; 'cdiff summary' lists them all")
    return chosen


def summary(project: Project, names: Sequence[str]) -> dict[str, Any]:
    """The counts of the chosen files, of the sets they are in, and their sum."""
    total = Numbers()
    sets: dict[str, Numbers] = {}
    files = {}
    versions = sorted({file.version for file in project.files.values()})
    for file in select(project, names):
        found = numbers_of(project, file)
        total.add(found)
        for name, patterns in project.port.drift.items():
            if file.path.startswith(project.port.patched):
                continue
            if all(wanted(path, patterns) for path in file.sources):
                label = name if len(versions) == 1 else f"{name} {file.version}"
                sets.setdefault(label, Numbers()).add(found)
        files[file.path] = {"c": list(file.sources), **found.json()}
    return {
        "linux": versions,
        "files": files,
        "sets": {name: found.json() for name, found in sets.items()},
        "total": total.json(),
        "not_covered": project.port.not_covered,
    }


def table(made: dict[str, Any]) -> list[str]:
    """The counts as lines of text."""
    rows = {**made["files"], **{f"({k})": v for k, v in made["sets"].items()}}
    rows["total"] = made["total"]
    names = list(rows)
    width = max(len(name) for name in names)
    lines = [f"{'file':{width}}  functions  statements   equal      %  tagged  untagged"]
    for name in names:
        row = rows[name]
        functions = f"{row['ported']}/{row['functions']}"
        lines.append(
            f"{name:{width}}  {functions:>9}  {row['statements']:10}  {row['equal']:6}"
            f"  {row['equal_percent']:5.1f}  {row['tagged_total']:6}  {row['untagged']:8}"
        )
    reasons = ", ".join(f"{name} {count}" for name, count in made["total"]["tagged"].items())
    lines.append(f"tagged: {reasons or 'nothing'}")
    left_out = ", ".join(f"{name} {count}" for name, count in made["total"]["left_out"].items())
    lines.append(f"left out, macros included: {left_out or 'nothing'}")
    for path, why in made["not_covered"].items():
        lines.append(f"not covered: {path}: {why}")
    return lines
