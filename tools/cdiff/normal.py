# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Differences of form that mean nothing, removed on both sides."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tools.cdiff.syntax import LABEL

_JUMPS = (ast.Return, ast.Break, ast.Continue, ast.Raise)


class _Normal(ast.NodeTransformer):
    """Differences of form that mean nothing, removed on both sides."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """`a and (b and c)` is `a and b and c`."""
        self.generic_visit(node)
        values: list[ast.expr] = []
        for value in node.values:
            if isinstance(value, ast.BoolOp) and type(value.op) is type(node.op):
                values.extend(value.values)
            else:
                values.append(value)
        stops = isinstance(node.op, ast.Or)
        kept: list[ast.expr] = []
        for value in values:
            known = _known(value)
            if known is None or known is stops:
                kept.append(value)
            if known is stops:
                break
        if not kept:
            return ast.copy_location(ast.Constant(not stops), node)
        if len(kept) == 1 or _known(kept[0]) is stops:
            return kept[0]
        node.values = kept
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """An option of the configuration that is known decides here."""
        self.generic_visit(node)
        known = _known(node.test)
        if known is None:
            return node
        return node.body if known else node.orelse

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """`not not x` is x: C has it in conditions only."""
        self.generic_visit(node)
        inner = node.operand
        known = _known(inner)
        if isinstance(node.op, ast.Not) and known is not None:
            return ast.copy_location(ast.Constant(not known), node)
        if (
            isinstance(node.op, ast.Not)
            and isinstance(inner, ast.UnaryOp)
            and isinstance(inner.op, ast.Not)
        ):
            return inner.operand
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        """`return bool(x)`: C converts to the type of the function by itself, or has `!!`."""
        self.generic_visit(node)
        value = node.value
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            if value.func.id in ("bool", "int") and len(value.args) == 1:
                node.value = value.args[0]
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Nothing stands behind a jump."""
        super().generic_visit(node)
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, _live(block))
        return node


def _known(node: ast.expr) -> bool | None:
    """The value of True and False."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, bool) else None


def _is_label(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == LABEL
    )


def _leaves(node: ast.stmt) -> bool:
    """True if control does not go on behind a statement."""
    if isinstance(node, ast.While) and _known(node.test):
        return not any(_breaks(item) for item in node.body)
    return isinstance(node, _JUMPS)


def _breaks(node: ast.stmt) -> bool:
    """True if a statement of a loop can leave the loop."""
    if isinstance(node, (ast.For, ast.While)):
        return False
    if isinstance(node, ast.Match):
        return any(_breaks(item) for case in node.cases for item in case.body)
    inner = [item for name in ("body", "orelse") for item in getattr(node, name, ())]
    return isinstance(node, ast.Break) or any(_breaks(item) for item in inner)


def _live(block: list[ast.stmt]) -> list[ast.stmt]:
    """A block without what no path reaches; a label is reached from elsewhere."""
    for index, node in enumerate(block[:-1]):
        if _leaves(node) and not any(_is_label(later) for later in block[index:]):
            return block[: index + 1]
    return block


def normal(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The statements in normal form."""
    made: list[ast.stmt] = []
    for statement in body:
        found = _Normal().visit(statement)
        made.extend(found if isinstance(found, list) else [found])
    return _live(made)
