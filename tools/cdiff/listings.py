# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`cdiff unported`, `undef` and `traps`: lists of what is left out, missing and treacherous."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from tools.cdiff.facts import FileFact
from tools.cdiff.linemap import pairs
from tools.cdiff.project import Pair, Project
from tools.cdiff.rules import LEFT_OUT
from tools.cdiff.traplist import KINDS


def _sources(project: Project) -> Iterator[tuple[str, FileFact]]:
    """(version, C file) of the port, each once."""
    for file in project.files.values():
        for source in project.sources(file):
            if project.owns(file, source.path):
                yield file.version, source


def unported(project: Project) -> Iterator[str]:
    """The functions and macros that are left out, by file and reason."""
    for _, source in _sources(project):
        by_reason: dict[str, list[str]] = defaultdict(list)
        for name, fact in source.functions.items():
            reason = project.port.reason(source.path, name)
            if reason:
                by_reason[reason].append(f"{name}:{fact.line}")
        if by_reason:
            count = sum(map(len, by_reason.values()))
            yield f"{source.path}: {count} of {len(source.functions)}"
        for reason, names in sorted(by_reason.items()):
            yield f"  {reason} ({LEFT_OUT[reason]}):"
            for name in names:
                yield f"    {name}"


def _defined(project: Project) -> set[str]:
    """Every name that any module of kport defines at its top level."""
    found: set[str] = set()
    for path in (project.root / "kport").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found.add(node.name.removeprefix("struct_"))
                body = node.body if isinstance(node, ast.ClassDef) else []
                found |= {name for item in body for name in _stored(item)}
            else:
                found.update(_stored(node))
    return found


def _stored(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            yield alias.asname or alias.name
    for item in ast.walk(node):
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
            yield item.id


def undef(project: Project, everything: bool) -> Iterator[tuple[str, list[str]]]:
    """(name, the functions that use it) of what the port does not define, most used first.

    With `everything` the functions that are left out count, too.
    """
    defined = _defined(project)
    used: dict[str, list[str]] = defaultdict(list)
    for version, source in _sources(project):
        for name, fact in source.functions.items():
            has = name in project.ported[version, source.path]
            if not has and not everything:
                continue
            for use in fact.uses:
                symbol = use.removeprefix("struct_")
                if symbol not in defined and symbol not in source.functions:
                    used[symbol].append(name)
    for symbol in sorted(used, key=lambda item: (-len(used[item]), item)):
        yield symbol, used[symbol]


def traps(project: Project) -> Iterator[str]:
    """Every trap in a ported function: the C line, and the line of the port beside it."""
    for file in project.files.values():
        for pair in project.pairs(file):
            for kind, line, name in pair.fact.traps:
                at, tags = _beside(project, pair, line)
                tagged = f" [{', '.join(sorted(tags))}]" if tags else ""
                yield (
                    f"{pair.source.path}:{line}: {pair.fact.name}: {kind}: {name or 'continue'}: "
                    f"{KINDS[kind]}; {file.path}:{at}{tagged}"
                )


def _beside(project: Project, pair: Pair, line: int) -> tuple[int, frozenset[str]]:
    """The line of the port beside a line of C, and the tags there."""
    made = project.compare(pair)
    near = [(abs(c - line), at) for at, c in pairs(made)]
    at = min(near)[1]
    tags = [item.rules for item in pair.function.statements if item.line == at]
    return at, tags[0] if tags else frozenset()
