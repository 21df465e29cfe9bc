# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""C declarations, assignments and calls that are statements, as Python syntax trees."""

from __future__ import annotations

import ast
import re

from tree_sitter import Node

from tools.cdiff import rules
from tools.cdiff.calls import Calls
from tools.cdiff.config import FileRules
from tools.cdiff.csource import CFunction, line_of
from tools.cdiff.ctype import CType, Types, base_type, declared, part, text_of
from tools.cdiff.expr import unparenthesized
from tools.cdiff.syntax import as_target, call, name, substituted

DECLARES = re.compile(r"(?:DEFINE|DECLARE)_\w+|LIST_HEAD$")
_IGNORED = frozenset(("va_start", "va_end"))


class Assignments(Calls):
    """Adds statements that set something. `locals`: the locals by name, with their lines."""

    def __init__(
        self,
        function: CFunction,
        types: Types,
        config: dict[str, int],
        special: FileRules | None = None,
    ) -> None:
        super().__init__(function, types, config, special)
        self.locals: dict[str, int] = {}

    def _declaration(self, node: Node) -> list[ast.stmt]:
        kind = base_type(node.child_by_field_name("type"))
        made: list[ast.stmt] = []
        static = any(text_of(child) == "static" for child in node.children)
        for child in node.children_by_field_name("declarator"):
            local, full, _ = declared(child, kind)
            value = child.child_by_field_name("value")
            full = self.types.resolve(full)
            if static and not full.ptr:
                continue
            size = _array_declarator(child)
            empty = value is None or (
                value.type == "initializer_list" and not value.named_child_count
            )
            if size is not None and empty and full.target().base == "char":
                continue
            if size is not None and empty:
                made += self._assigned(local, self._array(size, full.target()))
            elif value is not None and value.type == "initializer_list":
                made += self._assigned(local, self.initial(full, value))
            elif value is not None:
                made += self._set(name(local), value, child)
            elif full.object and full.base != "va_list":
                made += self._assigned(local, ast.Call(self.type_name(full.base), [], []))
        return made

    def _array(self, node: Node, kind: CType) -> ast.expr:
        """An array of zeros, of NULLs, or of structs of their own."""
        size = node.child_by_field_name("size")
        count = self.translate(size) if size is not None else ast.Constant(0)
        item = self.zero(kind)
        if not kind.object:
            return ast.BinOp(ast.List([item], ast.Load()), ast.Mult(), count)
        turn = ast.comprehension(name("_"), call("range", count), [], 0)
        return ast.ListComp(item, [turn])

    def _assigned(self, target: str, value: ast.expr) -> list[ast.stmt]:
        return [ast.Assign([name(target)], value)]

    def _sequence(self, node: Node) -> list[ast.stmt]:
        """`a = b, c = d` as statements."""
        made: list[ast.stmt] = []
        for side in ("left", "right"):
            item = unparenthesized(part(node, side))
            if item.type == "comma_expression":
                made += self._sequence(item)
            elif item.type == "assignment_expression":
                made += self._assignment(item)
            elif item.type == "update_expression":
                made.append(self.step(item))
            else:
                made.append(ast.Expr(self.translate(item)))
        return made

    def _assignment(self, node: Node) -> list[ast.stmt]:
        left = part(node, "left")
        right = part(node, "right")
        operator = text_of(node.child_by_field_name("operator"))
        target = self.translate(left)
        if operator != "=":
            made = self.translate_operator(operator[:-1])
            return [ast.AugAssign(as_target(target), made, self.translate(right))]
        return self._set(target, right, node)

    def translate_operator(self, operator: str) -> ast.operator:
        """The operator of `a op= b`."""
        made = ast.parse(f"a {'//' if operator == '/' else operator} b", mode="eval").body
        assert isinstance(made, ast.BinOp)
        return made.op

    def _set(self, target: ast.expr, right: Node, node: Node) -> list[ast.stmt]:
        """`target = right`, chains and out-parameters included."""
        value = unparenthesized(right)
        if (
            value.type == "assignment_expression"
            and text_of(value.child_by_field_name("operator")) == "="
        ):
            inner = self.translate(part(value, "left"))
            chained = self._set(inner, part(value, "right"), node)
            first = chained[0]
            if isinstance(first, ast.Assign) and len(chained) == 1:
                first.targets.insert(0, target)
            return chained
        function = text_of(value.child_by_field_name("function"))
        if value.type == "call_expression" and function in rules.OUT_PARAMS:
            arguments = part(value, "arguments")
            outs, passed = self.out_arguments(function, arguments.named_children)
            self.used.add("out-param")
            return [ast.Assign([ast.Tuple([target, *outs], ast.Store())], passed)]
        if isinstance(target, ast.Attribute) and self._addressed(node):
            self.used.add("addressed")
            method = ast.Attribute(target, "assign", ast.Load())
            return [ast.Expr(ast.Call(method, [self.translate(right)], []))]
        if value.type != "call_expression" and self.infer.of(value).object:
            self.used.add("struct-copy")
        return [ast.Assign([target], self.translate(right))]

    def _addressed(self, node: Node) -> bool:
        left = node.child_by_field_name("left")
        if left is None or left.type != "field_expression":
            return False
        owner = self.infer.of(left.child_by_field_name("argument")).base
        return (owner, text_of(left.child_by_field_name("field"))) in rules.ADDRESSED

    def _call_statement(self, node: Node) -> list[ast.stmt]:
        function = text_of(node.child_by_field_name("function"))
        arguments = part(node, "arguments")
        given = arguments.named_children
        if function == "snprintf" and self._is_buffer(given[0]):
            self.used.add("string")
            printed = call("sprintf", *[self.translate(item) for item in given[2:]])
            return [ast.Assign([self.translate(given[0])], printed)]
        called = node.child_by_field_name("function")
        if function in _IGNORED or (called is not None and self.dropped(called)):
            return []
        template = self.special.expand.get(function, "")
        if " = " in template:
            made: list[ast.stmt] = substituted(
                ast.parse(template), self._letters(function, given)
            ).body
            return made
        if DECLARES.match(function) and given:
            more = [self.translate(item) for item in given[1:]]
            self.locals.setdefault(text_of(given[0]), line_of(node))
            return [ast.Assign([self.translate(given[0])], call(function, *more))]
        if function in rules.FLAGS:
            taken = call(function, *[self.translate(item) for item in given[:-1]])
            if self.function.name in rules.FLAGS:
                return [ast.Return(taken)]
            return [ast.Assign([self.translate(given[-1])], taken)]
        if function in rules.OUT_PARAMS and not rules.OUT_PARAMS[function].result:
            outs, passed = self.out_arguments(function, given)
            self.used.add("out-param")
            target = outs[0] if len(outs) == 1 else ast.Tuple(outs, ast.Store())
            return [ast.Assign([target], passed)]
        return [ast.Expr(self.translate(node))]

    def _is_buffer(self, node: Node) -> bool:
        """True for a local array of characters: a str here."""
        return text_of(node) in self.locals and self.infer.of(node).base == "char"


def _array_declarator(node: Node) -> Node | None:
    """The array in a declarator, behind any number of pointers."""
    inner: Node | None = node
    while inner is not None and inner.type != "array_declarator":
        inner = inner.child_by_field_name("declarator")
    return inner
