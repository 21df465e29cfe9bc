# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Who reads and who writes a local of a C function."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from tools.cdiff.ctype import text_of


def identifiers(node: Node, local: str) -> Iterator[Node]:
    """The places where a local is named, in file order."""
    if node.type == "identifier":
        if text_of(node) == local:
            yield node
        return
    for child in node.named_children:
        yield from identifiers(child, local)


def written(node: Node) -> bool:
    """True if this mention of a local is the plain target of an assignment."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "assignment_expression" and parent.child_by_field_name("left") == node:
        return text_of(parent.child_by_field_name("operator")) == "="
    return parent.type in ("init_declarator", "declaration", "pointer_declarator")


def stepped(node: Node) -> bool:
    """True if this mention changes the local: `x++`, `x += 1`."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "update_expression":
        return True
    return parent.type == "assignment_expression" and parent.child_by_field_name("left") == node


def addressed(node: Node) -> bool:
    """True if the address of the local is taken here."""
    parent = node.parent
    return (
        parent is not None
        and parent.type == "pointer_expression"
        and text_of(parent).startswith("&")
    )


def assigned_in(body: Node, local: str) -> bool:
    """True if the body of a loop changes the local, or gives its address away."""
    return any(stepped(node) or addressed(node) for node in identifiers(body, local))


def read_after(function: Node, loop: Node, local: str) -> bool:
    """True if the value a local has after a loop may be read.

    The next mention behind the loop decides: a plain assignment makes the value unread.
    """
    for node in identifiers(function, local):
        if node.start_byte >= loop.end_byte:
            return not written(node)
    return False
