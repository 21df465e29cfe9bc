# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Python syntax trees, made piece by piece."""

from __future__ import annotations

import ast
import copy
import keyword
from typing import Any, TypeVar

N = TypeVar("N", bound=ast.AST)

LABEL = "label"
GOTO = "goto"


def name(text: str) -> ast.expr:
    """A name; a C name that is a keyword here ends in an underscore."""
    return ast.Name(text + "_" if keyword.iskeyword(text) else text, ast.Load())


def call(function: str, *arguments: ast.expr) -> ast.Call:
    """A call of a function by name."""
    return ast.Call(name(function), list(arguments), [])


def field(text: str) -> str:
    """A member name; two leading underscores become one, because Python mangles them."""
    text = text + "_" if keyword.iskeyword(text) else text
    return "_" + text.lstrip("_") if text.startswith("__") else text


def label(name: str, line: int) -> ast.stmt:
    """The pseudo statement for a label of C."""
    return _pseudo(LABEL, name, line)


def goto(name: str, line: int) -> ast.stmt:
    """The pseudo statement for a forward goto."""
    return _pseudo(GOTO, name, line)


def _pseudo(kind: str, name: str, line: int) -> ast.stmt:
    call = ast.Call(ast.Name(kind, ast.Load()), [ast.Constant(name)], [])
    return at(ast.Expr(call), line)


def at(node: N, line: int, end: int | None = None) -> N:
    """Give a made node, and everything in it that has none, its line."""
    for child in ast.walk(node):
        if not hasattr(child, "lineno"):
            place = {"lineno": line, "end_lineno": end or line, "col_offset": 0}
            vars(child).update(place, end_col_offset=0)
    return node


def mark(node: ast.stmt, rules: set[str]) -> ast.stmt:
    """Note on a statement which rules made it what it is."""
    if rules:
        vars(node)["rules"] = rules | vars(node).get("rules", set())
    return node


def as_target(node: ast.expr) -> ast.Name | ast.Attribute | ast.Subscript:
    """An expression that can be assigned to."""
    if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        return node
    return ast.Name("unsupported", ast.Store())


def is_gfp(node: ast.expr) -> bool:
    """True for an allocation flag, which the allocators of the port do not take."""
    if isinstance(node, ast.BinOp):
        return is_gfp(node.left) and is_gfp(node.right)
    return isinstance(node, ast.Name) and node.id.startswith(("GFP_", "__GFP_"))


def substituted(tree: Any, values: dict[str, ast.expr]) -> Any:
    """A template with its letters replaced, without lines."""

    class Replace(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return copy.deepcopy(values.get(node.id, node))

    result = Replace().visit(tree)
    for node in ast.walk(result):
        vars(node).pop("lineno", None)
        vars(node).pop("end_lineno", None)
    return result
