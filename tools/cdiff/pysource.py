# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The port's files: functions, classes, data, exports and tags, in file order."""

from __future__ import annotations

import ast
import copy
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.cdiff import rules
from tools.cdiff.canon import Statement
from tools.cdiff.errors import CdiffError
from tools.cdiff.pycanon import Cleaner, Tags, canonical, names_of, results

ROOT = Path(__file__).resolve().parent.parent.parent
_TAG = re.compile(r"#\s*kport:\s*(\S.*?)\s*$")
_HEADER = re.compile(r"Translated to Python from (.+?), Linux ([\d.]+), on (\d{4}-\d{2}-\d{2})\.")


@dataclass(frozen=True)
class PyFunction:
    """A function of the port. `tags`: what stands on its `def` line."""

    name: str
    line: int
    end: int
    parameters: tuple[str, ...]
    names: frozenset[str]
    statements: tuple[Statement, ...]
    docstring: str
    node: ast.FunctionDef
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PyClass:
    """A struct of the port: its members and the tags on its first line."""

    name: str
    line: int
    members: tuple[str, ...]
    tags: frozenset[str] = frozenset()


@dataclass
class PyFile:
    """A ported file: the C files it names in its header, and what is in it, in order."""

    path: str
    sources: tuple[str, ...]
    version: str
    text: str
    tree: ast.Module
    tags: Tags
    functions: dict[str, PyFunction] = field(default_factory=dict)
    exports: list[tuple[str, str, int]] = field(default_factory=list)
    classes: dict[str, PyClass] = field(default_factory=dict)
    data: dict[str, Statement] = field(default_factory=dict)
    defined: set[str] = field(default_factory=set)
    twice: list[tuple[str, int]] = field(default_factory=list)
    placed: set[int] = field(default_factory=set)


def header(text: str) -> tuple[tuple[str, ...], str]:
    """(C files, Linux version) of a ported file; no files for one that is not ported."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").rstrip())
    match = _HEADER.search(" ".join(lines))
    if match is None:
        return (), ""
    return tuple(re.split(r",\s*|\s+and\s+", match.group(1))), match.group(2)


def ported_files(root: Path = ROOT) -> list[str]:
    """The paths of all files whose header names the C they are translated from."""
    found = []
    for path in sorted((root / "kport").rglob("*.py")):
        with path.open(encoding="utf-8") as file:
            start = "".join(line for line, _ in zip(file, range(16), strict=False))
        if header(start)[0]:
            found.append(path.relative_to(root).as_posix())
    return found


def read(path: str, root: Path = ROOT) -> PyFile:
    """A ported file. CdiffError if it is missing or no Python."""
    try:
        text = (root / path).read_text(encoding="utf-8")
    except OSError as error:
        raise CdiffError(f"{path}: {error.strerror}") from None
    return parse(path, text, root)


def parse(path: str, text: str, root: Path = ROOT) -> PyFile:
    """A ported file from its text."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise CdiffError(f"{path}:{error.lineno}: not Python: {error.msg}") from None
    files, version = header(text)
    result = PyFile(path, files, version, text, tree, _tags(text))
    reader = _Reader(result, _qualifiers(tree, root))
    for node in tree.body:
        reader.top_level(node)
    return result


def reread(file: PyFile, node: ast.FunctionDef, root: Path = ROOT) -> PyFunction:
    """A function of a file from another syntax tree of it, with the tags of the file's lines."""
    return _Reader(file, _qualifiers(file.tree, root)).function(node)


def _tags(text: str) -> Tags:
    """The reasons on each tagged line."""
    found: Tags = {}
    if "kport:" not in text:
        return found
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and (match := _TAG.match(token.string)):
            found[token.start[0]] = frozenset(re.split(r"\s*,\s*", match.group(1)))
    return found


def _qualifiers(tree: ast.Module, root: Path) -> frozenset[str]:
    """Names that only say where another name lives: imported modules, enums."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            base = root.joinpath(*node.module.split("."))
            found |= {
                alias.asname or alias.name
                for alias in node.names
                if (base / f"{alias.name}.py").exists()
            }
        elif isinstance(node, ast.ClassDef) and not node.bases and not node.decorator_list:
            body = [item for item in node.body if not isinstance(item, ast.Expr)]
            if body and all(isinstance(item, ast.Assign) for item in body):
                found.add(node.name)
    return frozenset(found)


class _Reader:
    """Fills a PyFile from the statements of its module."""

    def __init__(self, file: PyFile, qualifiers: frozenset[str]) -> None:
        self._file = file
        self._qualifiers = qualifiers
        self._lines = file.text.splitlines()

    def top_level(self, node: ast.stmt) -> None:
        """Note what a statement of the module defines."""
        file = self._file
        if isinstance(node, ast.FunctionDef):
            if node.name in file.functions:
                file.twice.append((node.name, node.lineno))
            file.defined.add(node.name)
            file.functions[node.name] = self.function(node)
        elif isinstance(node, ast.ClassDef):
            file.defined.add(node.name)
            file.classes[node.name] = self._class(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._export(node.value)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            file.defined |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            self._data(node)
        elif isinstance(node, (ast.If, ast.With, ast.Try)):
            for inner in node.body:
                self.top_level(inner)

    def _export(self, node: ast.Call) -> None:
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        if called in rules.EXPORTS or called in rules.INITCALLS:
            name = node.args[0].id if node.args and isinstance(node.args[0], ast.Name) else ""
            self._file.exports.append((name, called, node.lineno))

    def _class(self, node: ast.ClassDef) -> PyClass:
        members = tuple(
            item.target.id
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        )
        tags = self._head(node.lineno, node.body[0].lineno)
        return PyClass(node.name, node.lineno, members, tags)

    def _head(self, first: int, behind: int) -> frozenset[str]:
        """The tags on the lines of a `def` or `class`."""
        lines = [
            line
            for line in range(first, behind)
            if line in self._file.tags and not self._lines[line - 1].lstrip().startswith("#")
        ]
        self._file.placed.update(lines)
        return frozenset(tag for line in lines for tag in self._file.tags[line])

    def _data(self, node: ast.Assign | ast.AnnAssign) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        stored = [name for target in targets for name in ast.walk(target)]
        self._file.defined |= {name.id for name in stored if isinstance(name, ast.Name)}
        statements = self._canonical([_as_tuple(node)], frozenset(), node.lineno)
        if len(targets) == 1 and isinstance(targets[0], ast.Name) and statements:
            self._file.data[targets[0].id] = statements[0]

    def function(self, node: ast.FunctionDef) -> PyFunction:
        """A function from its syntax tree."""
        names = names_of(node)
        body = list(node.body)
        docstring = ast.get_docstring(node, clean=False) or ""
        if docstring:
            del body[0]
        if node.name in rules.OUT_PARAMS:
            body = results(node.name, body, self._file.tags)
        return PyFunction(
            node.name,
            node.lineno,
            node.end_lineno or node.lineno,
            tuple(_parameters(node.args)),
            names,
            tuple(self._canonical(body, names, node.lineno + 1)),
            docstring,
            node,
            self._head(node.lineno, node.body[0].lineno),
        )

    def _canonical(
        self, body: list[ast.stmt], names: frozenset[str], first: int
    ) -> list[Statement]:
        cleaner = Cleaner(self._qualifiers, names)
        made, lines = canonical(body, cleaner, self._file.tags, self._lines, first)
        self._file.placed |= lines
        return made


def _as_tuple(node: ast.Assign | ast.AnnAssign) -> ast.Assign | ast.AnnAssign:
    """A table is an array in C, whether it is a list or a tuple here."""
    if isinstance(node.value, ast.List):
        made = copy.copy(node)
        made.value = ast.copy_location(ast.Tuple(node.value.elts, ast.Load()), node.value)
        return made
    return node


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    for item in (*arguments.posonlyargs, *arguments.args):
        yield item.arg
    if arguments.vararg is not None:
        yield arguments.vararg.arg
