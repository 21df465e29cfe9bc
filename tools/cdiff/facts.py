# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a baseline holds of the C: names, numbers and hashes, no text.

A statement is its line, its depth, a hash of its canonical form, and the rules that were applied to
it. The JSON has one function per line, so that the difference between two baselines can be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tools.cdiff.errors import CdiffError

FORMAT = 1


class StatementFact(NamedTuple):
    """One canonical statement of C, without its text."""

    line: int
    depth: int
    hash: str
    rules: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FunctionFact:
    """One function or macro of C. `after`: the function in front of it, for the order."""

    name: str
    kind: str
    line: int
    end: int
    parameters: tuple[str, ...]
    locals: tuple[str, ...]
    statements: tuple[StatementFact, ...]
    uses: tuple[str, ...] = ()
    traps: tuple[tuple[str, int, str], ...] = ()

    @property
    def hashes(self) -> tuple[str, ...]:
        """The hashes alone; two functions with equal ones do the same."""
        return tuple(item.hash for item in self.statements)


@dataclass
class FileFact:
    """One C file."""

    path: str
    sha256: str
    lines: int
    functions: dict[str, FunctionFact] = field(default_factory=dict)
    exports: list[tuple[str, str, int]] = field(default_factory=list)
    structs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    constants: dict[str, tuple[int, int]] = field(default_factory=dict)
    data: dict[str, tuple[int, str]] = field(default_factory=dict)


@dataclass
class Facts:
    """One kernel. `defines` are the options the branches were chosen by."""

    name: str
    linux: str
    package: str
    defines: dict[str, int] = field(default_factory=dict)
    files: dict[str, FileFact] = field(default_factory=dict)

    def find(self, name: str) -> Iterator[tuple[FileFact, FunctionFact]]:
        """Every function of a name, with its file."""
        for file in self.files.values():
            if name in file.functions:
                yield file, file.functions[name]


def _function_out(fact: FunctionFact) -> dict[str, Any]:
    made: dict[str, Any] = {"lines": [fact.line, fact.end]}
    if fact.kind != "function":
        made["kind"] = fact.kind
    for key in ("parameters", "locals", "uses", "traps"):
        if value := getattr(fact, key):
            made[key] = list(value)
    made["statements"] = [
        " ".join((str(item.line), str(item.depth), item.hash, *sorted(item.rules)))
        for item in fact.statements
    ]
    return made


def _function_in(name: str, table: dict[str, Any]) -> FunctionFact:
    statements = []
    for text in table["statements"]:
        at, depth, digest, *rules = text.split(" ")
        statements.append(StatementFact(int(at), int(depth), digest, frozenset(rules)))
    line, end = table["lines"]
    return FunctionFact(
        name,
        table.get("kind", "function"),
        line,
        end,
        tuple(table.get("parameters", ())),
        tuple(table.get("locals", ())),
        tuple(statements),
        tuple(table.get("uses", ())),
        tuple((kind, line, local) for kind, line, local in table.get("traps", ())),
    )


def _one_line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _lines(table: dict[str, Any], indent: str) -> str:
    """A table with one entry per line."""
    rows = [f"{indent} {json.dumps(key)}: {_one_line(value)}" for key, value in table.items()]
    return "{\n" + ",\n".join(rows) + f"\n{indent}}}" if rows else "{}"


def dumps(facts: Facts) -> str:
    """The JSON of a baseline."""
    files = []
    for path, file in facts.files.items():
        functions = {name: _function_out(fact) for name, fact in file.functions.items()}
        parts = [f'   "sha256": "{file.sha256}"', f'   "lines": {file.lines}']
        parts += [
            f'   "{key}": {_one_line(value)}'
            for key, value in (
                ("exports", file.exports),
                ("structs", file.structs),
                ("constants", file.constants),
                ("data", file.data),
            )
            if value
        ]
        parts.append(f'   "functions": {_lines(functions, "   ")}')
        files.append(f"  {json.dumps(path)}: {{\n" + ",\n".join(parts) + "\n  }")
    head = [
        f' "format": {FORMAT}',
        f' "name": {json.dumps(facts.name)}',
        f' "linux": {json.dumps(facts.linux)}',
        f' "package": {json.dumps(facts.package)}',
        f' "defines": {_one_line(facts.defines)}',
    ]
    return "{\n" + ",\n".join(head) + ',\n "files": {\n' + ",\n".join(files) + "\n }\n}\n"


def loads(text: str, where: str) -> Facts:
    """A baseline from its JSON. CdiffError if it is none, or of another format."""
    try:
        table = json.loads(text)
        if table["format"] != FORMAT:
            raise CdiffError(
                f"{where}: format {table['format']}, not {FORMAT}; run 'cdiff baseline'"
            )
        facts = Facts(table["name"], table["linux"], table["package"], table["defines"])
        for path, entry in table["files"].items():
            facts.files[path] = FileFact(
                path,
                entry["sha256"],
                entry["lines"],
                {name: _function_in(name, item) for name, item in entry["functions"].items()},
                [(name, kind, line) for name, kind, line in entry.get("exports", ())],
                {name: tuple(members) for name, members in entry.get("structs", {}).items()},
                {
                    name: (line, number)
                    for name, (line, number) in entry.get("constants", {}).items()
                },
                {name: (line, digest) for name, (line, digest) in entry.get("data", {}).items()},
            )
    except (ValueError, KeyError, TypeError) as error:
        raise CdiffError(f"{where}: not a baseline: {error}") from None
    return facts


def load(path: Path) -> Facts:
    """Read a baseline. CdiffError if there is none."""
    try:
        return loads(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise CdiffError(f"{path}: {error.strerror}; make it with 'cdiff baseline'") from None
