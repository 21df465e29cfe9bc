# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Numbers with a name in C: `#define` and enum."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tree_sitter import Node

from tools.cdiff.csource import CFile, line_of
from tools.cdiff.ctype import text_of
from tools.cdiff.pydata import value_of

_SUFFIX = re.compile(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b")


def evaluate(text: str, known: dict[str, int]) -> int | None:
    """The number a C constant expression is, or None."""
    written = _SUFFIX.sub(r"\1", text).replace("/", "//").strip()
    try:
        return value_of(ast.parse(written, mode="eval").body, known)
    except (SyntaxError, ValueError, ArithmeticError):
        return None


def _enums(node: Node) -> Iterator[Node]:
    if node.type == "enum_specifier" and node.child_by_field_name("body") is not None:
        yield node
    for child in node.named_children:
        if child.type not in ("function_definition", "compound_statement"):
            yield from _enums(child)


def constants(file: CFile, others: dict[str, int]) -> dict[str, tuple[int, int]]:
    """(line, value) of the numbers that a C file names; `others`: those of other files.

    A global with a number as initialiser is one, too.
    """
    found: dict[str, tuple[int, int]] = {}
    known = dict(others)
    for macro in file.text.macros:
        value = evaluate(macro.body, known) if macro.params is None else None
        if value is not None:
            known[macro.name] = value
            found[macro.name] = (macro.line, value)
    for node in _enums(file.root):
        following = 0
        body = node.child_by_field_name("body")
        for item in body.named_children if body is not None else ():
            name = text_of(item.child_by_field_name("name"))
            written = item.child_by_field_name("value")
            given = evaluate(text_of(written), known) if written is not None else following
            if item.type != "enumerator" or given is None:
                break
            known[name] = given
            found[name] = (line_of(item), given)
            following = given + 1
    for name, (_, node) in file.data.items():
        number = evaluate(text_of(node), known)
        if number is not None:
            found[name] = (line_of(node), number)
    return found
