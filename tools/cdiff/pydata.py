# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The port's data: numbers with a name, and trace events."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

from tools.cdiff.canon import key
from tools.cdiff.normal import normal

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
}


def value_of(node: ast.expr, known: dict[str, int]) -> int | None:
    """The number an expression of numbers and known names is; None if it is something else."""
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.UnaryOp):
        inner = value_of(node.operand, known)
        if inner is None:
            return None
        if isinstance(node.op, ast.USub):
            return -inner
        return ~inner if isinstance(node.op, ast.Invert) else None
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = value_of(node.left, known), value_of(node.right, known)
        if left is None or right is None:
            return None
        return _OPERATORS[type(node.op)](left, right)
    return None


def python_constants(tree: ast.Module) -> dict[str, tuple[int, int]]:
    """(line, value) of the numbers that a module of the port names, its enum classes included."""
    found: dict[str, tuple[int, int]] = {}
    known: dict[str, int] = {}
    blocks = [tree.body, *(n.body for n in tree.body if isinstance(n, ast.ClassDef))]
    for block in blocks:
        for node in block:
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
                continue
            value = value_of(node.value, known)
            if value is not None:
                known[node.targets[0].id] = value
                found[node.targets[0].id] = (node.lineno, value)
    return found


def event_key(names: list[str], fields: list[str], values: list[ast.expr], printk: str) -> str:
    """An event in canonical form: parameters, fields, values and format, as they are printed."""
    flat = [key(normal([ast.Expr(value)])) for value in values]
    return repr((names, fields, flat, printk))


class PyEvents:
    """The events of a module of the port."""

    def __init__(self, tree: ast.Module) -> None:
        self._values: dict[str, ast.expr] = {}
        self._functions: dict[str, ast.FunctionDef] = {}
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._values[node.targets[0].id] = node.value
            elif isinstance(node, ast.FunctionDef):
                self._functions[node.name] = node

    def _resolved(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Name) and node.id in self._values:
            return self._values[node.id]
        return node

    def found(self) -> dict[str, tuple[int, str]]:
        """(line, canonical form) of each event, as `event NAME`."""
        made: dict[str, tuple[int, str]] = {}
        for value in self._values.values():
            if _called(value) == "DEFINE_EVENT" and isinstance(value, ast.Call):
                name, owner = value.args[1], self._resolved(value.args[3])
                if isinstance(name, ast.Constant) and isinstance(owner, ast.Call):
                    made[f"event {name.value!s}"] = (value.lineno, self._class(owner))
        return made

    def _class(self, node: ast.Call) -> str:
        fields = ast.literal_eval(self._resolved(node.args[0]))
        printk = ast.literal_eval(self._resolved(node.args[2]))
        function = node.args[1]
        body = self._functions[function.id] if isinstance(function, ast.Name) else None
        returned = body.body[-1] if body is not None else None
        if body is None or not isinstance(returned, ast.Return):
            return ""
        assert isinstance(returned.value, ast.Tuple)
        names = [item.arg for item in body.args.args]
        return event_key(names, list(fields), returned.value.elts, printk)


def _called(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id
    return ""
