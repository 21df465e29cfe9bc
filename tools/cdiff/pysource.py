# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The port's files: their functions in canonical form, with the tags on their lines."""

from __future__ import annotations

import ast
import copy
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.cdiff import rules
from tools.cdiff.canon import Statement, at, flatten, goto, label, normal
from tools.cdiff.errors import CdiffError

ROOT = Path(__file__).resolve().parent.parent.parent
_TAG = re.compile(r"#\s*kport:\s*([\w-]+(?:\s*,\s*[\w-]+)*)\s*$")
_HEADER = re.compile(r"Translated to Python from (.+?), Linux ([\d.]+), on (\d{4}-\d{2}-\d{2})\.")


@dataclass(frozen=True)
class PyFunction:
    """A function of the port. `tags`: what stands on its `def` line."""

    name: str
    line: int
    end: int
    parameters: tuple[str, ...]
    variadic: bool
    names: frozenset[str]
    statements: tuple[Statement, ...]
    docstring: str
    node: ast.FunctionDef
    tags: frozenset[str] = frozenset()


@dataclass
class PyFile:
    """A ported file: the C files it names in its header, and what is in it, in order."""

    path: str
    sources: tuple[str, ...]
    version: str
    date: str
    functions: dict[str, PyFunction] = field(default_factory=dict)
    exports: list[tuple[str, str, int]] = field(default_factory=list)
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    class_lines: dict[str, int] = field(default_factory=dict)
    data: dict[str, Statement] = field(default_factory=dict)
    defined: set[str] = field(default_factory=set)
    tags: dict[int, frozenset[str]] = field(default_factory=dict)
    text: str = ""


def header(text: str) -> tuple[tuple[str, ...], str, str]:
    """(C files, version, date) of a ported file; no files for one that is not ported."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").rstrip())
    match = _HEADER.search(" ".join(lines))
    if match is None:
        return (), "", ""
    files = tuple(re.split(r",\s*|\s+and\s+", match.group(1)))
    return files, match.group(2), match.group(3)


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
    files, version, date = header(text)
    result = PyFile(path, files, version, date, tags=_tags(text), text=text)
    reader = _Reader(result, _qualifiers(tree, root))
    for node in tree.body:
        reader.top_level(node)
    return result


def _tags(text: str) -> dict[int, frozenset[str]]:
    """The reasons on each tagged line."""
    found: dict[int, frozenset[str]] = {}
    if "# kport:" not in text:
        return found
    for number, line in enumerate(text.splitlines(), 1):
        if "kport:" not in line:
            continue
        match = _TAG.search(line)
        if match is not None:
            found[number] = frozenset(re.split(r"\s*,\s*", match.group(1)))
    comments = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    }
    return {number: tags for number, tags in found.items() if number in comments}


def _qualifiers(tree: ast.Module, root: Path) -> frozenset[str]:
    """Names that only say where another name lives: imported modules, enums."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            base = root.joinpath(*node.module.split("."))
            for alias in node.names:
                if (base / f"{alias.name}.py").exists():
                    found.add(alias.asname or alias.name)
        elif isinstance(node, ast.ClassDef) and not node.bases and not node.decorator_list:
            body = [item for item in node.body if not isinstance(item, ast.Expr)]
            if body and all(isinstance(item, ast.Assign) for item in body):
                found.add(node.name)
    return frozenset(found)


class _Python(ast.NodeTransformer):
    """What Python writes and C does not, taken out."""

    def __init__(self, qualifiers: frozenset[str], names: frozenset[str]) -> None:
        self._qualifiers = qualifiers - names

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`module.name` is `name`."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in self._qualifiers:
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return node

    def visit_Global(self, node: ast.Global) -> None:
        """C needs no declaration to write to a global."""

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        """Neither does it for an outer local."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """`x: T = v` is `x = v`; without a value it declares and vanishes."""
        self.generic_visit(node)
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        """`return bool(x)`: C converts to the type of the function by itself."""
        self.generic_visit(node)
        value = node.value
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            if value.func.id in ("bool", "int") and len(value.args) == 1:
                node.value = value.args[0]
        return node


def _names(node: ast.FunctionDef) -> frozenset[str]:
    """Parameters and locals of a function."""
    found = {item.arg for item in ast.walk(node) if isinstance(item, ast.arg)}
    found |= {
        item.id
        for item in ast.walk(node)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    }
    return frozenset(found)


class _Reader:
    def __init__(self, file: PyFile, qualifiers: frozenset[str]) -> None:
        self._file = file
        self._qualifiers = qualifiers

    def top_level(self, node: ast.stmt) -> None:
        """Note what a statement of the module defines."""
        file = self._file
        if isinstance(node, ast.FunctionDef):
            file.defined.add(node.name)
            file.functions[node.name] = self._function(node)
        elif isinstance(node, ast.ClassDef):
            file.defined.add(node.name)
            file.class_lines[node.name] = node.lineno
            file.classes[node.name] = tuple(
                item.target.id
                for item in node.body
                if isinstance(item, ast.AnnAssign)
                and isinstance(item.target, ast.Name)
                and not item.target.id.startswith("_knots")
            )
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
        if isinstance(node.func, ast.Name) and node.func.id.startswith("EXPORT_SYMBOL"):
            name = node.args[0].id if node.args and isinstance(node.args[0], ast.Name) else ""
            self._file.exports.append((name, node.func.id, node.lineno))

    def _data(self, node: ast.Assign | ast.AnnAssign) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name):
                    self._file.defined.add(name.id)
        statements = self._canonical([node], frozenset())
        if len(targets) == 1 and isinstance(targets[0], ast.Name) and statements:
            self._file.data[targets[0].id] = statements[0]

    def _function(self, node: ast.FunctionDef) -> PyFunction:
        names = _names(node)
        body = list(node.body)
        docstring = ast.get_docstring(node, clean=False) or ""
        if docstring:
            body = body[1:]
        arguments = node.args
        parameters = [item.arg for item in (*arguments.posonlyargs, *arguments.args)]
        if arguments.vararg is not None:
            parameters.append(arguments.vararg.arg)
        first = node.lineno
        head = range(first, (body[0].lineno if body else node.body[0].lineno))
        tags = frozenset(tag for line in head for tag in self._file.tags.get(line, ()))
        if node.name in rules.OUT_PARAMS:
            body = self._results(node.name, body)
        made = self._canonical(body, names)
        return PyFunction(
            node.name,
            first,
            node.end_lineno or first,
            tuple(parameters),
            arguments.vararg is not None,
            names,
            tuple(made),
            docstring,
            node,
            tags if not docstring or not body else frozenset(),
        )

    def _results(self, name: str, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The body of a function with out-parameters as C has it.

        Python must bind a name before it returns it: `out = None` at the top is a declaration, and
        `return ret, None` before anybody assigned the result returns what C leaves unset.
        """
        out = rules.OUT_PARAMS[name]
        found: list[ast.stmt] = []
        for item in copy.deepcopy(list(body)):
            tags = self._file.tags.get(item.lineno, frozenset())
            if not out.both and _is_unset(item, out.names) and "out-param" in tags:
                del self._file.tags[item.lineno]
            else:
                found.append(item)
        if out.both:
            return found
        stores = {
            result: [node.lineno for node in _named(found) if _stores(node, result)]
            for result in out.names
        }
        for item in found:
            for node in ast.walk(item):
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                    parts = node.value.elts
                    for index, result in enumerate(out.names, len(parts) - len(out.names)):
                        early = min(stores[result], default=node.lineno) >= node.lineno
                        if early and _is_nothing(parts[index]):
                            parts[index] = ast.copy_location(
                                ast.Name(result, ast.Load()), parts[index]
                            )
        return found

    def _canonical(self, body: Sequence[ast.stmt], names: frozenset[str]) -> list[Statement]:

        cleaned: list[ast.stmt] = []
        transformer = _Python(self._qualifiers, names)
        for item in copy.deepcopy(list(body)):
            found = transformer.visit(item)
            if found is not None:
                cleaned.append(found)
        flat = list(flatten(normal(_labels(cleaned))))
        return self._tagged(flat, body)

    def _tagged(self, flat: list[Statement], body: Sequence[ast.stmt]) -> list[Statement]:
        """The statements with their tags; a tag on a line of its own stands for a statement."""
        if not body:
            return flat
        first, last = body[0].lineno, max(item.end_lineno or 0 for item in body)
        lines = {n: t for n, t in self._file.tags.items() if first <= n <= last + 1}
        if not lines:
            return flat
        result: list[Statement] = []
        for item in flat:
            span = range(item.line, max(item.end, item.line) + 1)
            tags = frozenset(tag for line in span for tag in lines.pop(line, ()))
            result.append(
                Statement(item.depth, item.key, item.text, item.line, item.end, tags)
                if tags
                else item
            )
        return _with_placeholders(result, lines, self._file.text)


def _with_placeholders(
    flat: list[Statement], lines: dict[int, frozenset[str]], text: str
) -> list[Statement]:
    source = text.splitlines()
    for number, tags in sorted(lines.items()):
        line = source[number - 1]
        if not line.lstrip().startswith("#"):
            continue
        index = sum(1 for item in flat if item.line < number)
        made = Statement(-1, "(left out)", line.strip(), number, number, tags)
        flat.insert(index, made)
    return flat


def _labels(body: list[ast.stmt]) -> list[ast.stmt]:
    """`with labels(...)` and `if label(...)` as C has it: a flat list with labels in it."""
    made: list[ast.stmt] = []
    waiting: list[str] = []
    for node in body:
        names = _label_names(node)
        reached = _reached(node)
        if names:
            waiting = list(names)
            assert isinstance(node, ast.With)
            made += _labels(node.body)
        elif reached and reached in waiting:
            assert isinstance(node, ast.If)
            made += [label(name, node.lineno) for name in _through(waiting, reached)]
            made += _labels(node.body)
        else:
            if len(waiting) == 1:
                made.append(label(waiting.pop(), node.lineno))
            made.append(_inner(node))
    return made


def _through(waiting: list[str], reached: str) -> Iterator[str]:
    """The labels up to the one that is reached, taken from the list."""
    while waiting:
        name = waiting.pop(0)
        if name == reached:
            yield name
            return
        yield f"{name} is skipped"


def _inner(node: ast.stmt) -> ast.stmt:
    """A statement with the labels inside it resolved, and a jump as the pseudo statement."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        call = node.exc
        if isinstance(call.func, ast.Name) and call.func.id == "goto" and call.args:
            target = call.args[0]
            if isinstance(target, ast.Constant):
                return goto(str(target.value), node.lineno)
    for attribute in ("body", "orelse", "finalbody"):
        inner = getattr(node, attribute, None)
        if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
            setattr(node, attribute, _labels(inner))
    if isinstance(node, ast.Match):
        for case in node.cases:
            case.body = _labels(case.body)
    return node


def _label_names(node: ast.stmt) -> tuple[str, ...]:
    if not isinstance(node, ast.With) or len(node.items) != 1:
        return ()
    call = node.items[0].context_expr
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "labels":
        return tuple(str(arg.value) for arg in call.args if isinstance(arg, ast.Constant))
    return ()


def _reached(node: ast.stmt) -> str:
    if isinstance(node, ast.If) and isinstance(node.test, ast.Call) and not node.orelse:
        call = node.test
        if isinstance(call.func, ast.Name) and call.func.id == "label" and call.args:
            target = call.args[0]
            return str(target.value) if isinstance(target, ast.Constant) else ""
    return ""


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (None, 0)


def _is_unset(node: ast.stmt, names: Sequence[str]) -> bool:
    """True for `out = None`."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in names
        and _is_nothing(node.value)
    )


def _named(body: Sequence[ast.stmt]) -> list[ast.Name]:
    return [node for item in body for node in ast.walk(item) if isinstance(node, ast.Name)]


def _stores(node: ast.Name, name: str) -> bool:
    return node.id == name and isinstance(node.ctx, ast.Store)


__all__ = ["PyFile", "PyFunction", "at", "header", "parse", "ported_files", "read"]
