# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`cdiff check`: everything that makes the port something else than the C it says it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tools.cdiff.compare import Row
from tools.cdiff.facts import FileFact
from tools.cdiff.linemap import stale
from tools.cdiff.project import Pair, Project
from tools.cdiff.pydata import python_constants
from tools.cdiff.pysource import PyFile
from tools.cdiff.rules import DECORATORS, EXPORTS
from tools.cdiff.sources import expected, wrong
from tools.cdiff.texts import Texts


@dataclass(frozen=True)
class Problem:
    """One finding; `details` are further lines."""

    path: str
    line: int
    text: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.path}:{self.line}: {self.text}"]
        return "\n".join([*lines, *(f"    {detail}" for detail in self.details)])


def check(project: Project, texts: Texts) -> Iterator[Problem]:
    """All findings, file by file."""
    changed: set[tuple[str, str]] = set()
    for file in project.files.values():
        sources = project.sources(file)
        for pair, problem in _functions(project, file, texts):
            changed.add((file.path, pair.function.name))
            yield problem
        yield from _presence(project, file, sources)
        yield from _form(project, file)
        yield from _order(project, file)
        yield from _exports(file, sources)
        yield from _data(project, file, sources)
        yield from _sources(project, file)
        yield from _tags(file)
    yield from _lists(project)
    for path, line, name in stale(project):
        if (path, name) not in changed:
            yield Problem(path, line, f"{name}: the line map is stale; run 'cdiff linemap --write'")


# -- statements


def _functions(project: Project, file: PyFile, texts: Texts) -> Iterator[tuple[Pair, Problem]]:
    for pair in project.pairs(file):
        made = project.compare(pair)
        if made.clean:
            continue
        for row in made.rows:
            if row.state == "different":
                yield pair, _statement(pair, row, texts)
        for text in made.problems:
            name, line = pair.function.name, pair.function.line
            where = f"{pair.source.path}:{pair.fact.line}"
            yield pair, Problem(file.path, line, f"{name}: {text} ({where})")


_ADVICE = {
    "differs": "differs from C",
    "not accepted": "is tagged, but this difference was never accepted; see 'cdiff accept'",
}


def _statement(pair: Pair, row: Row, texts: Texts) -> Problem:
    c_line = row.c[0].line if row.c else pair.fact.line
    line = row.python[0].line if row.python else _neighbour(pair, row)
    what = _ADVICE.get(row.problem, row.problem)
    text = f"{pair.function.name}: {what} ({pair.source.path}:{c_line})"
    known = [f"{pair.fact.name}({', '.join(pair.fact.parameters)})"] if row.head else None
    details = [
        f"C  {item.line:5d}: {'    ' * item.depth}{found}"
        for item, found in zip(row.c, known or texts.of(pair, row.c), strict=True)
    ]
    if not row.c:
        details.append(f"C  {c_line:5d}: has nothing here")
    details += [
        f"py {item.line:5d}: {'    ' * max(item.depth, 0)}{item.text}" for item in row.python
    ]
    if not row.python:
        details.append(f"py {line:5d}: has nothing here")
    return Problem(pair.file.path, line, text, tuple(details))


def _neighbour(pair: Pair, row: Row) -> int:
    """Where in the port a missing statement would stand: behind what precedes it in C."""
    before = [item for item in pair.fact.statements if item.line < row.c[0].line]
    hashes = {item.hash for item in before}
    lines = [item.line for item in pair.function.statements if item.hash in hashes]
    return max(lines, default=pair.function.line)


# -- functions


def _presence(project: Project, file: PyFile, sources: Sequence[FileFact]) -> Iterator[Problem]:
    port = project.port
    for name, line in file.twice:
        yield Problem(file.path, line, f"{name}: defined twice")
    for function, row in project.added(file):
        text = f"{function.name}: is no function of {' or '.join(file.sources)}"
        if not port.added_reason(file.path, function.name):
            yield Problem(file.path, function.line, f"{text}; list it under [added] in port.toml")
        elif row.state == "different":
            yield Problem(
                file.path, function.line, f"{text}, and it was changed; see 'cdiff accept'"
            )
    for name, function in file.functions.items():
        found = [source for source in sources if name in source.functions]
        for source in found[:1]:
            if port.reason(source.path, name):
                text = f"{name}: listed as left out of {source.path}, but ported"
                yield Problem(file.path, function.line, text)
    for source in sources:
        for name, fact in source.functions.items():
            if not project.owns(file, source.path) or port.reason(source.path, name):
                continue
            if name not in project.ported[file.version, source.path]:
                text = f"{name}: missing; list it under [left-out] in port.toml with a reason"
                yield Problem(source.path, fact.line, text)


def _form(project: Project, file: PyFile) -> Iterator[Problem]:
    """Decorators and default values: C has none."""
    for pair in project.pairs(file):
        node, name = pair.function.node, pair.function.name
        arguments = node.args
        for decorator in node.decorator_list:
            if not isinstance(decorator, ast.Name) or decorator.id not in DECORATORS:
                text = f"{name}: the decorator '{ast.unparse(decorator)}' is none of C's"
                yield Problem(file.path, decorator.lineno, text)
        if arguments.defaults or arguments.kwonlyargs or arguments.kwarg:
            yield Problem(file.path, node.lineno, f"{name}: C has no default values or keywords")


def _order(project: Project, file: PyFile) -> Iterator[Problem]:
    last: dict[tuple[str, str], Pair] = {}
    for pair in project.pairs(file):
        where = (pair.source.path, pair.fact.kind)
        before = last.get(where)
        if before is not None and pair.fact.line < before.fact.line:
            yield Problem(
                file.path,
                pair.function.line,
                f"{pair.function.name}: stands behind {before.function.name}, in C before it "
                f"({pair.source.path}:{pair.fact.line} and {before.fact.line})",
            )
        else:
            last[where] = pair


def _exports(file: PyFile, sources: Sequence[FileFact]) -> Iterator[Problem]:
    found = {(name, kind): line for name, kind, line in file.exports}
    wanted: dict[tuple[str, str], tuple[str, int]] = {}
    for source in sources:
        for name, kind, line in source.exports:
            if name in file.functions:
                wanted[name, kind] = (source.path, line)
    for (name, kind), (path, line) in wanted.items():
        at = found.get((name, kind))
        function = file.functions[name]
        if at is None:
            text = f"{name}: {kind}({name}) is missing ({path}:{line})"
            yield Problem(file.path, function.end, text)
            continue
        between = [f for f in file.functions.values() if function.line < f.line < at]
        if kind in EXPORTS and (at < function.end or between):
            text = f"{name}: {kind}({name}) must stand behind the function ({path}:{line})"
            yield Problem(file.path, at, text)
    for (name, kind), line in found.items():
        ours = any(name in source.functions for source in sources)
        if ours and (name, kind) not in wanted:
            yield Problem(file.path, line, f"{name}: C has no {kind}({name})")


# -- data


def _data(project: Project, file: PyFile, sources: Sequence[FileFact]) -> Iterator[Problem]:
    constants = python_constants(file.tree)
    present: set[str] = set()
    for label, source, row in project.parts(file):
        present.add(label)
        if row.state == "different":
            what = _ADVICE.get(row.problem, row.problem)
            text = f"{label}: {what} ({source.path}:{row.c[0].line})"
            yield Problem(file.path, row.python[0].line, text)
    for source in sources:
        for name, (c_line, value) in source.constants.items():
            if name in constants and constants[name][1] != value:
                line, number = constants[name]
                text = f"{name}: is {number}, in C {value} ({source.path}:{c_line})"
                yield Problem(file.path, line, text)
        for name, (c_line, _) in source.data.items():
            if name not in present and not project.port.reason(source.path, name):
                text = f"{name}: missing; list it under [left-out] in port.toml with a reason"
                yield Problem(source.path, c_line, text)


def _sources(project: Project, file: PyFile) -> Iterator[Problem]:
    for pair, old in wrong(project, file):
        name, line = pair.function.name, pair.function.line
        says = f"says {old}, not" if old else "lacks its source,"
        text = f"{name}: the docstring {says} {expected(pair)}; run 'cdiff sources --fix'"
        yield Problem(file.path, line, text)


# -- tags and lists


def _tags(file: PyFile) -> Iterator[Problem]:
    for line in sorted(set(file.tags) - file.placed):
        names = ", ".join(sorted(file.tags[line]))
        yield Problem(file.path, line, f"the tag '{names}' belongs to no statement of a function")


def _lists(project: Project) -> Iterator[Problem]:
    """Entries of port.toml and of the pins that fit nothing any more."""
    port = project.port
    names: dict[str, set[str]] = {}
    for file in project.files.values():
        names[file.path] = {*file.functions, *file.data, *file.classes}
        for source in project.sources(file):
            names.setdefault(source.path, set()).update(source.functions, source.data)
            names[file.path].update(source.structs, source.data)
    for table in (port.left_out, port.added):
        for path, reasons in table.items():
            for patterns in reasons.values():
                for pattern in patterns:
                    if not any(fnmatchcase(name, pattern) for name in names.get(path, ())):
                        yield Problem(port.where, 1, f"{path}: '{pattern}' fits no function")
    for path, functions in project.pins.items():
        for name in functions:
            name = name.removeprefix("struct ")
            if name not in names.get(path, ()):
                yield Problem("accepted.json", 1, f"{path}: {name} is gone; run 'cdiff accept'")
