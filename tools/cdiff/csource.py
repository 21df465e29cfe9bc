# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""C files as lists of functions, macros, structs, constants, data and exports, in file order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import tree_sitter_c
from tree_sitter import Language, Node, Parser

from tools.cdiff.ctype import (
    UNKNOWN,
    CType,
    Types,
    base_type,
    declared,
    parameter_list,
    text_of,
)
from tools.cdiff.errors import CdiffError
from tools.cdiff.rules import EXPORTS, INITCALLS
from tools.cdiff.text import Macro, Text, prepare, preprocess

_STRINGIZED = re.compile(r"(?<!#)#\s*(\w+)")


@cache
def parser() -> Parser:
    """The one C parser."""
    return Parser(Language(tree_sitter_c.language()))


@dataclass(frozen=True)
class CFunction:
    """A function, or a macro with parameters; lines count from 1, `end` is the last one."""

    name: str
    kind: str
    path: str
    line: int
    end: int
    parameters: tuple[tuple[str, CType], ...]
    returns: CType
    body: Node
    variadic: bool = False
    text: str = ""

    @property
    def broken(self) -> Node | None:
        """The first node of the body that did not parse."""
        return first_error(self.body)


@dataclass
class CFile:
    """A parsed file."""

    path: str
    text: Text
    root: Node
    functions: dict[str, CFunction] = field(default_factory=dict)
    macros: dict[str, CFunction] = field(default_factory=dict)
    exports: list[tuple[str, str, int]] = field(default_factory=list)
    structs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    data: dict[str, tuple[CType, Node]] = field(default_factory=dict)


def first_error(node: Node) -> Node | None:
    """The first ERROR or MISSING node below a node."""
    if not node.has_error:
        return None
    if node.type == "ERROR" or node.is_missing:
        return node
    for child in node.children:
        if (found := first_error(child)) is not None:
            return found
    return None


def line_of(node: Node) -> int:
    """The line a node begins on, from 1."""
    return node.start_point[0] + 1


def read(root: Path, path: str, config: dict[str, int]) -> CFile:
    """Read and parse a file of a kernel tree. CdiffError if it is not there."""
    try:
        text = (root / path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CdiffError(f"{root / path}: {error.strerror}; is this a kernel tree?") from None
    return parse(preprocess(path, text, config))


def parse(text: Text) -> CFile:
    """The functions, macros and data of a preprocessed file."""
    root = parser().parse(text.code.encode()).root_node
    file = CFile(text.path, text, root)
    for node in root.children:
        _top_level(file, node)
    for macro in text.macros:
        if macro.params is not None and macro.body.strip():
            file.macros[macro.name] = _macro(text.path, macro)
    return file


def _top_level(file: CFile, node: Node) -> None:
    if node.type == "function_definition":
        function = _function(file.path, node)
        if function is not None:
            file.functions[function.name] = function
    elif node.type in ("declaration", "struct_specifier", "union_specifier", "type_definition"):
        _declaration(file, node)
    elif node.type == "expression_statement" and node.named_child_count:
        call = node.named_children[0]
        name = text_of(call.child_by_field_name("function"))
        arguments = call.child_by_field_name("arguments")
        if name in (*EXPORTS, *INITCALLS) and arguments is not None:
            file.exports.append((text_of(arguments.named_children[0]), name, line_of(node)))


def _function(path: str, node: Node) -> CFunction | None:
    declarator = node.child_by_field_name("declarator")
    body = node.child_by_field_name("body")
    if declarator is None or body is None:
        return None
    kind = base_type(node.child_by_field_name("type"))
    name, full, parameters = declared(declarator, kind)
    if full.base != "()" or full.returns is None or not name.isidentifier():
        return None
    found = parameter_list(parameters)
    return CFunction(
        name,
        "function",
        path,
        line_of(node),
        node.end_point[0] + 1,
        tuple((name, kind) for name, kind in found if name != "..."),
        full.returns,
        body,
        variadic=any(name == "..." for name, _ in found),
    )


def _declaration(file: CFile, node: Node) -> None:
    specifier = node if node.type.endswith("specifier") else node.child_by_field_name("type")
    kind = base_type(specifier)
    if specifier is not None and kind.struct and kind.base != "<anonymous>":
        if specifier.child_by_field_name("body") is not None:
            known = Types()
            known.add(node)
            known._add_top(node)
            file.structs[kind.base] = tuple(known.structs.get(kind.base, {}))
    if node.type != "declaration":
        return
    for child in node.children_by_field_name("declarator"):
        value = child.child_by_field_name("value")
        if child.type == "init_declarator" and value is not None:
            name, full, _ = declared(child, kind)
            file.data[name] = (full, value)


def _macro(path: str, macro: Macro) -> CFunction:
    """A macro with parameters as a function: its body parsed as a block, or kept as text."""
    assert macro.params is not None
    names = [name.removesuffix("...") or "__VA_ARGS__" for name in macro.params]
    variadic = any(name.endswith("...") for name in macro.params)
    body = _STRINGIZED.sub(r'"\1"', macro.body)
    body = prepare(body.replace("##", "  "))
    for tail in (";", "", ";;"):
        code = "\n" * (macro.line - 1) + f"void macro(void) {{ {body}{tail} }}"
        root = parser().parse(code.encode()).root_node
        found = root.children[0] if root.children else None
        block = found.child_by_field_name("body") if found is not None else None
        whole = not root.has_error and root.child_count == 1
        if block is not None and whole and "##" not in re.sub(r",\s*##", "", macro.body):
            return _as_function(path, macro, "macro", names, block, variadic)
    root = parser().parse(f'void macro(void) {{ "{macro.name}"; }}'.encode()).root_node
    block = root.children[0].child_by_field_name("body")
    assert block is not None
    return _as_function(path, macro, "text", names, block, variadic)


def _as_function(
    path: str, macro: Macro, kind: str, names: list[str], block: Node, variadic: bool
) -> CFunction:
    parameters = tuple((name, UNKNOWN) for name in names)
    return CFunction(
        macro.name,
        kind,
        path,
        macro.line,
        macro.end,
        parameters,
        UNKNOWN,
        block,
        variadic,
        " ".join(macro.body.split()),
    )
