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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any


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
