# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The canonical form: what a function of either side becomes before it is compared.

Both sides arrive here as Python syntax trees. A function is then a flat list of statements, each
with its nesting depth, its line and a key; two statements are equal if depth and key are. The key
is written by this module and not by `ast.unparse`, so that it is the same under every version of
Python; a baseline holds only a hash of it. `ast.unparse` serves the reader.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeVar

N = TypeVar("N", bound=ast.AST)

_LABEL = "label"
_GOTO = "goto"


@dataclass(frozen=True)
class Statement:
    """One canonical statement. `rules`: the tags its translation calls for, or has."""

    depth: int
    key: str
    text: str
    line: int
    end: int
    rules: frozenset[str] = frozenset()

    @property
    def hash(self) -> str:
        """Twelve hex digits that stand for depth and key."""
        return digest(f"{self.depth} {self.key}")


def field(text: str) -> str:
    """A member name; two leading underscores become one, because Python mangles them."""
    text = text + "_" if keyword.iskeyword(text) else text
    return "_" + text.lstrip("_") if text.startswith("__") else text


def digest(text: str) -> str:
    """Twelve hex digits for a text."""
    return blake2b(text.encode(), digest_size=6).hexdigest()


def key(node: Any) -> str:
    """A text that is equal for equal syntax trees, whatever made them."""
    if isinstance(node, ast.AST):
        parts = [
            key(value)
            for name, value in ast.iter_fields(node)
            if name not in ("ctx", "kind", "type_comment", "type_params")
        ]
        return f"({type(node).__name__} {' '.join(parts)})"
    if isinstance(node, list):
        return f"[{' '.join(key(item) for item in node)}]"
    return repr(node)


def unparsed(node: ast.AST) -> str:
    """Python text for a reader."""
    return ast.unparse(node)


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


_JUMPS = (ast.Return, ast.Break, ast.Continue, ast.Raise)


def _is_label(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == _LABEL
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


def label(name: str, line: int) -> ast.stmt:
    """The pseudo statement for a label of C."""
    return _pseudo(_LABEL, name, line)


def goto(name: str, line: int) -> ast.stmt:
    """The pseudo statement for a forward goto."""
    return _pseudo(_GOTO, name, line)


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


def flatten(body: Sequence[ast.stmt], depth: int = 0) -> Iterator[Statement]:
    """The statements of a block and of the blocks in it, in order."""
    for node in body:
        yield from _flatten_one(node, depth)


def _head(
    node: ast.stmt, depth: int, parts: Sequence[Any], text: str, end: int, word: str = ""
) -> Statement:
    name = word or type(node).__name__
    written = f"({name} {' '.join(key(part) for part in parts)})"
    rules = frozenset(getattr(node, "rules", ()))
    return Statement(depth, written, text, node.lineno, end, rules)


def _block(body: Sequence[ast.stmt], depth: int) -> Iterator[Statement]:
    yield from flatten(body, depth + 1)


def _otherwise(node: ast.stmt, body: Sequence[ast.stmt], depth: int) -> Iterator[Statement]:
    if body:
        line = getattr(node, "else_line", 0) or body[0].lineno - 1
        yield Statement(depth, "(else)", "else:", line, line)
        yield from _block(body, depth)


def _colon(node: ast.stmt, last: ast.AST) -> int:
    """The line of the colon: behind the condition, or on the next line if that is in brackets."""
    end = getattr(last, "end_lineno", None) or node.lineno
    return end + (1 if getattr(last, "lineno", node.lineno) > node.lineno else 0)


def _flatten_if(node: ast.If, depth: int, word: str) -> Iterator[Statement]:
    end = _colon(node, node.test)
    text = f"{word} {unparsed(node.test)}:"
    yield _head(node, depth, [node.test], text, end, word)
    yield from _block(node.body, depth)
    rest = node.orelse
    if len(rest) == 1 and isinstance(rest[0], ast.If):
        yield from _flatten_if(rest[0], depth, "elif")
    else:
        yield from _otherwise(node, rest, depth)


def _flatten_one(node: ast.stmt, depth: int) -> Iterator[Statement]:
    if isinstance(node, ast.If):
        yield from _flatten_if(node, depth, "if")
    elif isinstance(node, ast.While):
        end = _colon(node, node.test)
        yield _head(node, depth, [node.test], f"while {unparsed(node.test)}:", end)
        yield from _block(node.body, depth)
        yield from _otherwise(node, node.orelse, depth)
    elif isinstance(node, ast.For):
        end = _colon(node, node.iter)
        text = f"for {unparsed(node.target)} in {unparsed(node.iter)}:"
        yield _head(node, depth, [node.target, node.iter], text, end)
        yield from _block(node.body, depth)
        yield from _otherwise(node, node.orelse, depth)
    elif isinstance(node, ast.With):
        end = _colon(node, node.items[-1].context_expr)
        text = f"with {', '.join(unparsed(item) for item in node.items)}:"
        yield _head(node, depth, node.items, text, end)
        yield from _block(node.body, depth)
    elif isinstance(node, ast.Match):
        end = node.subject.end_lineno or node.lineno
        yield _head(node, depth, [node.subject], f"match {unparsed(node.subject)}:", end)
        for case in node.cases:
            line = case.pattern.lineno
            text = f"case {unparsed(case.pattern)}:"
            yield Statement(depth + 1, f"(case {key(case.pattern)})", text, line, line)
            yield from _block(case.body, depth + 1)
    elif isinstance(node, ast.Try):
        yield _head(node, depth, [], "try:", node.lineno)
        yield from _block(node.body, depth)
        if node.finalbody:
            line = node.finalbody[0].lineno
            yield Statement(depth, "(finally)", "finally:", line, line)
            yield from _block(node.finalbody, depth)
    elif isinstance(node, ast.FunctionDef):
        yield _head(node, depth, [node.name, node.args], f"def {node.name}:", node.lineno)
        yield from _block(node.body, depth)
    else:
        end = node.end_lineno or node.lineno
        text = unparsed(node)
        yield Statement(
            depth, key(node), text, node.lineno, end, frozenset(getattr(node, "rules", ()))
        )
