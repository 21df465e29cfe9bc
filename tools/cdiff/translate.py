# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A C function as the port must have it: canonical statements, parameters, locals, traps."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass

from tools.cdiff import rules
from tools.cdiff.assign import DECLARES
from tools.cdiff.canon import Statement, digest, flatten
from tools.cdiff.config import PortList
from tools.cdiff.control import Control
from tools.cdiff.csource import CFile, CFunction
from tools.cdiff.ctype import Types
from tools.cdiff.syntax import substituted
from tools.cdiff.traps import Trap, traps

_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True)
class Translation:
    """What a C function must look like in Python."""

    function: CFunction
    parameters: tuple[str, ...]
    locals: tuple[str, ...]
    statements: tuple[Statement, ...]
    uses: tuple[str, ...]
    traps: tuple[Trap, ...]
    unsure: tuple[tuple[int, str], ...]


class Translator:
    """Translates the functions of a set of files that know each other's types."""

    def __init__(self, files: dict[str, CFile], types: Types, port: PortList) -> None:
        self._files = files
        self._types = types
        self._port = port

    def translate(self, function: CFunction) -> Translation:
        """One function. Bodies of folded functions take the place of their calls."""
        if function.kind == "text":
            return self._text(function)
        body, control = self._body(function)
        names = self._parameters(function)
        flat = tuple(flatten(body))
        mentioned = _names(body)
        found = [name for name in control.locals if name not in names and name in mentioned]
        own = {*names, *control.env, *_assigned(body)}
        uses = sorted(
            name
            for name in mentioned - own - _BUILTINS - {"goto", "label", "unsupported"}
            if name.isidentifier()
        )
        return Translation(
            function,
            names,
            tuple(found),
            flat,
            tuple(uses),
            tuple(traps(function)),
            tuple(control.unsure),
        )

    def _text(self, function: CFunction) -> Translation:
        """A macro that makes no statements but definitions: one statement stands for its text."""
        text = f"#define {function.name} ..."
        whole = Statement(0, digest(function.text), text, function.line, function.end)
        return Translation(function, self._parameters(function), (), (whole,), (), (), ())

    def _body(self, function: CFunction) -> tuple[list[ast.stmt], Control]:
        special = self._port.rules(function.path)
        control = Control(function, self._types, self._port.defines, special)
        body = control.body()
        inner = _only_call(body)
        if inner is not None and isinstance(inner.func, ast.Name):
            callee = self._folded(function, inner.func.id)
            if callee is not None:
                return self._fold(callee, inner.args), control
        return body, control

    def _folded(self, function: CFunction, name: str) -> CFunction | None:
        if name not in self._port.rules(function.path).fold or name == function.name:
            return None
        return self._files[function.path].functions.get(name)

    def _fold(self, callee: CFunction, arguments: Sequence[ast.expr]) -> list[ast.stmt]:
        """The body of a function with its parameters replaced; what asks for a NULL is gone."""
        body, _ = self._body(callee)
        dropped = self._port.rules(callee.path).drop
        names = [name for name, _ in callee.parameters if name not in dropped]
        values = dict(zip(names, arguments, strict=False))
        lines = [(item, item.lineno, item.end_lineno) for item in _statements(body)]
        made: list[ast.stmt] = []
        for statement in body:
            item = substituted(statement, values)
            made.append(item)
        for item, line, end in lines:
            for child in ast.walk(item):
                if not hasattr(child, "lineno"):
                    vars(child).update(lineno=line, end_lineno=end)
        return _without_null_checks(made)

    def _parameters(self, function: CFunction) -> tuple[str, ...]:
        """The parameters as the port has them."""
        names = [name for name, _ in function.parameters]
        if function.kind == "macro" and function.name in rules.LOOPS:
            parts = rules.LOOPS[function.name][1].split()
            names = ["type" if part == "T" else names[int(part.rstrip("m"))] for part in parts]
        if function.name in rules.FLAGS:
            names = names[:-1]
        out = rules.OUT_PARAMS.get(function.name)
        if out is not None and not out.both:
            names = [name for index, name in enumerate(names) if index not in out.positions]
        drop = self._port.rules(function.path).drop
        found = [name for name in names if name not in drop and name != "void"]
        if function.kind != "function":
            found = ["type_" if name == "type" else name for name in found]
            if DECLARES.match(function.name):
                del found[:1]
            if function.variadic:
                found[-1:] = ["args"]
        elif function.variadic:
            found.append("args")
        return tuple(found)


def _only_call(body: Sequence[ast.stmt]) -> ast.Call | None:
    if len(body) != 1 or not isinstance(body[0], (ast.Return, ast.Expr)):
        return None
    value = body[0].value
    return value if isinstance(value, ast.Call) else None


def _statements(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    return [node for item in body for node in ast.walk(item) if isinstance(node, ast.stmt)]


def _without_null_checks(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements without `if NULL:`."""
    return [
        item
        for item in body
        if not (
            isinstance(item, ast.If)
            and isinstance(item.test, ast.Constant)
            and item.test.value is None
        )
    ]


def _names(body: Sequence[ast.stmt]) -> set[str]:
    """The names that are read or called."""
    return {node.id for item in body for node in ast.walk(item) if isinstance(node, ast.Name)}


def _assigned(body: Sequence[ast.stmt]) -> set[str]:
    """The names that are assigned to, those of folded functions included."""
    found: set[str] = set()
    for item in body:
        for node in ast.walk(item):
            targets: list[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, (ast.For, ast.NamedExpr, ast.AugAssign)):
                targets = [node.target]
            found |= {
                name.id
                for target in targets
                for name in (target.elts if isinstance(target, ast.Tuple) else [target])
                if isinstance(name, ast.Name)
            }
    return found
