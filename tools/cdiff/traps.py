# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Places where a plain translation is silently wrong.

`cursor`: a list cursor is read behind its loop; in C it is the list head then. `index`: an index is
read behind its loop; in C it is one more than in a Python range. `address`: the address of a number
is taken, so that it cannot be a Python number. `continue`: in a `for` whose step is not that of a
range, where the step must come before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from tools.cdiff import rules
from tools.cdiff.csource import CFunction, line_of
from tools.cdiff.ctype import base_type, declared, part, text_of
from tools.cdiff.expr import unparenthesized
from tools.cdiff.reads import addressed, identifiers, read_after


class Trap(NamedTuple):
    """One place: what kind, the C line, the name."""

    kind: str
    line: int
    name: str


def traps(function: CFunction) -> Iterator[Trap]:
    """The traps of a function, in file order."""
    numbers = set(_numbers(function.body))
    for node in _walk(function.body):
        if node.type == "while_statement":
            yield from _cursors(function, node)
        elif node.type == "for_statement":
            yield from _indices(function, node)
        elif node.type == "identifier" and text_of(node) in numbers and addressed(node):
            yield Trap("address", line_of(node), text_of(node))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.named_children:
        yield from _walk(child)


def _numbers(body: Node) -> Iterator[str]:
    for node in _walk(body):
        if node.type == "declaration":
            kind = base_type(node.child_by_field_name("type"))
            for child in node.children_by_field_name("declarator"):
                name, full, _ = declared(child, kind)
                if not full.struct and not full.ptr:
                    yield name


def _cursors(function: CFunction, loop: Node) -> Iterator[Trap]:
    call = unparenthesized(part(loop, "condition"))
    name = text_of(call.child_by_field_name("function"))
    arguments = call.child_by_field_name("arguments")
    if name not in rules.LOOPS or arguments is None:
        return
    for index in rules.LOOPS[name][0].split():
        cursor = text_of(arguments.named_children[int(index)])
        if read_after(function.body, loop, cursor):
            after = next(
                node
                for node in identifiers(function.body, cursor)
                if node.start_byte >= loop.end_byte
            )
            yield Trap("cursor", line_of(after), cursor)


def _indices(function: CFunction, loop: Node) -> Iterator[Trap]:
    update = loop.child_by_field_name("update")
    if update is None or update.type != "update_expression":
        if any(node.type == "continue_statement" for node in _walk(loop)):
            yield Trap("continue", line_of(loop), text_of(update))
        return
    index = text_of(update.child_by_field_name("argument"))
    if read_after(function.body, loop, index):
        after = next(
            node for node in identifiers(function.body, index) if node.start_byte >= loop.end_byte
        )
        yield Trap("index", line_of(after), index)
