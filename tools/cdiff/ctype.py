# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""C types, as far as a translation into Python must know them.

Three questions need an answer: is this expression a pointer (`==` becomes `is`), what does it point
to (`kzalloc_obj(*p)` becomes `kzalloc_obj(T)`), and is this variable an object or a number
(`struct x y;` becomes `y = x()`, `int i;` vanishes).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tree_sitter import Node


class CType(NamedTuple):
    """`base` with `ptr` levels of pointer or array around it; `()` is a function type."""

    base: str
    ptr: int = 0
    struct: bool = False
    returns: CType | None = None

    def pointer(self) -> CType:
        """The type of a pointer to this."""
        return self._replace(ptr=self.ptr + 1)

    def target(self) -> CType:
        """What this points to; itself if it is no pointer."""
        return self._replace(ptr=max(self.ptr - 1, 0))

    @property
    def known(self) -> bool:
        """False for the type of an expression nobody could tell."""
        return bool(self.base)

    @property
    def object(self) -> bool:
        """True for a struct or union by value."""
        return self.struct and not self.ptr


UNKNOWN = CType("")
INT = CType("int")
BOOL = CType("bool")
STRING = CType("char", 1)

# Typedefs of structs in headers that are not read.
STRUCT_TYPEDEFS = frozenset(
    "spinlock_t raw_spinlock_t rwlock_t atomic_t atomic64_t atomic_long_t refcount_t seqlock_t "
    "wait_queue_head_t wait_queue_entry_t arch_spinlock_t cpumask_t nodemask_t".split()
)


def text_of(node: Node | None) -> str:
    """The source text of a node."""
    return node.text.decode() if node is not None and node.text is not None else ""


def part(node: Node, name: str) -> Node:
    """A field of a node that C's grammar says is there."""
    found = node.child_by_field_name(name)
    assert found is not None, f"{node.type} without {name}"
    return found


def base_type(node: Node | None) -> CType:
    """The type a declaration starts with."""
    if node is None:
        return UNKNOWN
    if node.type in ("struct_specifier", "union_specifier"):
        return CType(text_of(node.child_by_field_name("name")) or "<anonymous>", 0, True)
    if node.type == "enum_specifier":
        return CType("enum")
    if node.type == "type_identifier" and text_of(node) in STRUCT_TYPEDEFS:
        return CType(text_of(node), 0, True)
    return CType(" ".join(text_of(node).split()))


def declared(node: Node, kind: CType) -> tuple[str, CType, Node | None]:
    """(name, type, parameter list) of a declarator around a base type."""
    parameters: Node | None = None
    while True:
        if node.type in ("pointer_declarator", "abstract_pointer_declarator"):
            kind = kind.pointer()
        elif node.type in ("array_declarator", "abstract_array_declarator"):
            kind = kind.pointer()
        elif node.type in ("function_declarator", "abstract_function_declarator"):
            kind = CType("()", returns=kind)
            parameters = node.child_by_field_name("parameters")
        elif node.type not in ("parenthesized_declarator", "init_declarator"):
            return text_of(node), kind, parameters
        inner = node.child_by_field_name("declarator")
        if inner is None:
            inner = next(
                (
                    child
                    for child in node.named_children
                    if child.type.endswith(("declarator", "identifier"))
                ),
                None,
            )
        if inner is None:
            return "", kind, parameters
        node = inner


@dataclass
class Types:
    """What is known of structs, typedefs and functions, gathered over all files that are read."""

    structs: dict[str, dict[str, CType]] = field(default_factory=dict)
    typedefs: dict[str, CType] = field(default_factory=dict)
    functions: dict[str, CType] = field(default_factory=dict)
    parameters: dict[str, tuple[CType, ...]] = field(default_factory=dict)
    objects: dict[str, CType] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)

    def resolve(self, kind: CType) -> CType:
        """The type behind a typedef."""
        seen = 0
        while not kind.struct and kind.base in self.typedefs and seen < 8:
            behind = self.typedefs[kind.base]
            kind = behind._replace(ptr=behind.ptr + kind.ptr)
            seen += 1
        return kind

    def member(self, kind: CType, name: str) -> CType:
        """The type of a member of a struct."""
        return self.structs.get(self.resolve(kind).base, {}).get(name, UNKNOWN)

    def add(self, root: Node) -> None:
        """Learn from a parsed file."""
        for node in root.children:
            self._add_top(node)

    def _add_top(self, node: Node) -> None:
        if node.type in ("declaration", "function_definition", "type_definition"):
            kind_node = node.child_by_field_name("type")
            kind = self._specifier(kind_node)
            for child in node.children_by_field_name("declarator"):
                name, full, parameters = declared(child, kind)
                if node.type == "type_definition":
                    self.typedefs[name] = full
                elif full.base == "()" and not full.ptr and full.returns is not None:
                    self.functions[name] = full.returns
                    self.parameters[name] = tuple(kind for _, kind in parameter_list(parameters))
                else:
                    self.objects[name] = full
        elif node.type in ("struct_specifier", "union_specifier", "enum_specifier"):
            self._specifier(node)
        elif node.type in ("linkage_specification", "preproc_if", "preproc_ifdef"):
            self.add(node)

    def _specifier(self, node: Node | None) -> CType:
        kind = base_type(node)
        if node is not None and node.type == "enum_specifier":
            body = node.child_by_field_name("body")
            for child in body.named_children if body is not None else ():
                if child.type == "enumerator":
                    self.numbers.add(text_of(child.child_by_field_name("name")))
        body = node.child_by_field_name("body") if node is not None and kind.struct else None
        if body is not None:
            members = self._members(body)
            if kind.base == "<anonymous>":
                kind = kind._replace(base=f"<anonymous {len(self.structs)}>")
            self.structs[kind.base] = members
        return kind

    def _members(self, body: Node) -> dict[str, CType]:
        members: dict[str, CType] = {}
        for declaration in body.named_children:
            if declaration.type != "field_declaration":
                continue
            kind = self._specifier(declaration.child_by_field_name("type"))
            declarators = declaration.children_by_field_name("declarator")
            for child in declarators:
                name, full, _ = declared(child, kind)
                members[name] = full
            if not declarators and kind.struct:
                members.update(self.structs.get(kind.base, {}))
        return members


def parameter_list(node: Node | None) -> list[tuple[str, CType]]:
    """(name, type) of the parameters; `...` is named so."""
    found: list[tuple[str, CType]] = []
    for child in node.named_children if node is not None else ():
        if child.type == "variadic_parameter":
            found.append(("...", UNKNOWN))
        if child.type != "parameter_declaration":
            continue
        kind = base_type(child.child_by_field_name("type"))
        declarator = child.child_by_field_name("declarator")
        if declarator is not None:
            name, kind, _ = declared(declarator, kind)
            found.append((name, kind))
        elif kind.base != "void":
            found.append(("", kind))
    return found
