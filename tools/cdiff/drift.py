# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`cdiff drift A B`: what another kernel changes, and which ported functions that touches.

Two functions are identical if their canonical statements and parameters are, wherever they stand
and however they are laid out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path, PurePosixPath
from typing import Any

from tools.cdiff import facts
from tools.cdiff.config import BASELINES, PortList
from tools.cdiff.errors import CdiffError
from tools.cdiff.facts import Facts
from tools.cdiff.project import Project


@dataclass(frozen=True)
class Shape:
    """A function, as far as drift looks at it."""

    path: str
    line: int
    parameters: tuple[str, ...]
    hashes: tuple[str, ...]


@dataclass
class Side:
    """One kernel."""

    linux: str
    functions: dict[str, Shape]
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Changed:
    """A function that both kernels have; `statements` of `of` are equal."""

    name: str
    old: Shape
    new: Shape
    statements: int
    of: int


@dataclass
class Drift:
    """The difference of two kernels."""

    old: Side
    new: Side
    identical: list[str]
    changed: list[Changed]
    gone: list[str]
    added: list[str]


def wanted(path: str, patterns: Sequence[str]) -> bool:
    """True if the path of a C file fits one of the patterns of a set."""
    return any(PurePosixPath(path).match(pattern) for pattern in patterns)


def _from_facts(known: Facts, patterns: Sequence[str]) -> Side:
    found = {
        name: Shape(path, fact.line, fact.parameters, fact.hashes)
        for path, file in known.files.items()
        if wanted(path, patterns)
        for name, fact in file.functions.items()
        if fact.kind == "function"
    }
    return Side(known.linux, found)


def _paths(root: Path, patterns: Sequence[str]) -> list[str]:
    found = [
        path.relative_to(root).as_posix()
        for pattern in patterns
        for path in sorted(root.glob(pattern))
    ]
    return list(dict.fromkeys(found))


def _from_tree(root: Path, port: PortList, patterns: Sequence[str], types: Sequence[str]) -> Side:
    try:
        from tools.cdiff.tree import Tree
    except ImportError:
        raise CdiffError("tree-sitter is missing: pip install -e '.[cdiff]'") from None
    paths = _paths(root, patterns)
    tree = Tree(root, port, paths, [path for path in types if path not in paths])
    if not paths:
        raise CdiffError(f"{root}: no file fits {' '.join(patterns)}")
    made = Side(tree.linux, {})
    for path in paths:
        for name, function in tree.files[path].functions.items():
            if function.broken is not None:
                made.broken.append(f"{path}:{function.line}: {name}")
                continue
            done = tree.translate(function)
            hashes = tuple(item.hash for item in done.statements)
            made.functions[name] = Shape(path, function.line, done.parameters, hashes)
    return made


def _baseline(name: str) -> Facts | None:
    """The facts of a baseline by name or by path; None if this is a folder."""
    if Path(name).is_dir():
        return None
    path = BASELINES / f"{name}.json"
    if path.exists():
        return facts.load(path)
    if Path(name).is_file():
        return facts.load(Path(name))
    known = ", ".join(path.stem for path in sorted(BASELINES.glob("v*.json")))
    raise CdiffError(f"{name}: neither a kernel tree nor a baseline; there is: {known}")


def drift(project: Project, a: str, b: str, patterns: Sequence[str]) -> Drift:
    """Compare two kernels; each is a tree, the name of a baseline, or a baseline's file."""
    known = [_baseline(name) for name in (a, b)]
    types: list[str] = []
    for facts_of in known:
        if facts_of is not None:
            types = [*project.port.baselines[facts_of.name].headers, *facts_of.files]
    sides = [
        _from_tree(Path(name), project.port, patterns, types)
        if facts_of is None
        else _from_facts(facts_of, patterns)
        for name, facts_of in zip((a, b), known, strict=True)
    ]
    old, new = sides
    common = [name for name in new.functions if name in old.functions]
    identical = [
        name
        for name in common
        if old.functions[name].hashes == new.functions[name].hashes
        and old.functions[name].parameters == new.functions[name].parameters
    ]
    same = frozenset(identical)
    return Drift(
        old,
        new,
        identical,
        [_changed(name, old, new) for name in common if name not in same],
        [name for name in old.functions if name not in new.functions],
        [name for name in new.functions if name not in old.functions],
    )


def _changed(name: str, old: Side, new: Side) -> Changed:
    was, now = old.functions[name], new.functions[name]
    matcher = SequenceMatcher(None, was.hashes, now.hashes, autojunk=False)
    equal = sum(block.size for block in matcher.get_matching_blocks())
    return Changed(name, was, now, equal, max(len(was.hashes), len(now.hashes)))


def _ported(project: Project, made: Drift) -> dict[str, str]:
    """Where the port has a function: in the older kernel's files, else in the first baseline's."""
    found: dict[str, str] = {}
    files = list(reversed(project.files.values()))
    for file in sorted(files, key=lambda file: file.version == made.old.linux):
        for pair in project.pairs(file):
            found[pair.function.name] = f"{file.path}:{pair.function.line}"
    return found


def lines(project: Project, made: Drift, what: str) -> Iterator[str]:
    """The report as text; functions that the port has are marked with where it has them."""
    ported = _ported(project, made)
    old, new = made.old, made.new
    yield (
        f"{what}: {len(old.functions)} functions in {old.linux}, {len(new.functions)} in "
        f"{new.linux}: {len(made.identical) + len(made.changed)} common, of these "
        f"{len(made.identical)} identical and {len(made.changed)} changed; {len(made.gone)} gone, "
        f"{len(made.added)} new"
    )
    for title, names, side in (("gone", made.gone, old), ("new", made.added, new)):
        yield f"{title}:"
        for name in names:
            shape = side.functions[name]
            yield f"  {shape.path}:{shape.line}: {name}{_mark(ported, name)}"
    yield "changed (statements that stayed):"
    for item in made.changed:
        moved = "" if item.old.path == item.new.path else f", from {item.old.path}"
        yield (
            f"  {item.new.path}:{item.new.line}: {item.name} "
            f"({item.statements} of {item.of}{moved}){_mark(ported, item.name)}"
        )
    yield "identical:"
    for name in made.identical:
        shape = new.functions[name]
        yield f"  {shape.path}:{shape.line}: {name}"
    for side in (old, new):
        for where in side.broken:
            yield f"not parsed in {side.linux}: {where}"


def _mark(ported: dict[str, str], name: str) -> str:
    return f"  [ported: {ported[name]}]" if name in ported else ""


def as_json(project: Project, made: Drift) -> dict[str, Any]:
    """The report as a table."""
    ported = _ported(project, made)
    touched = [item.name for item in made.changed if item.name in ported]
    return {
        "old": {"linux": made.old.linux, "functions": len(made.old.functions)},
        "new": {"linux": made.new.linux, "functions": len(made.new.functions)},
        "common": len(made.identical) + len(made.changed),
        "identical": made.identical,
        "changed": [item.name for item in made.changed],
        "gone": made.gone,
        "added": made.added,
        "ported_and_changed": touched,
        "ported_and_gone": [name for name in made.gone if name in ported],
        "not_parsed": [*made.old.broken, *made.new.broken],
    }
