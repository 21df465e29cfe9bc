# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""C calls and initialisers as Python syntax trees.

Half of what the kernel's C calls are macros; what each of them takes (a type, a member, an lvalue)
is in the tables of rules.py.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tree_sitter import Node

from tools.cdiff import rules
from tools.cdiff.csource import line_of
from tools.cdiff.ctype import UNKNOWN, CType, part, text_of
from tools.cdiff.expr import Expressions, unparenthesized
from tools.cdiff.syntax import at, call, field, is_gfp, mark, name, substituted


class Calls(Expressions):
    """Adds calls to the expressions."""

    def _compound_literal_expression(self, node: Node) -> ast.expr:
        return self.initialiser(text_of(part(node, "type")).split()[-1], part(node, "value"))

    def _call_expression(self, node: Node) -> ast.expr:
        function = part(node, "function")
        arguments = part(node, "arguments")
        given = [child for child in arguments.named_children if child.type != "comment"]
        text = text_of(function)
        if text in rules.TRANSPARENT and len(given) == 1:
            return self.translate(given[0])
        if text in self.special.expand:
            return self._expanded(text, given)
        if text == "OFFSETOF":
            return call("offsetof", self._type_argument(given[0]), self._member(given[1]))
        if text == "IS_ENABLED" and given:
            return ast.Constant(text_of(given[0]) in self.config)
        if text in rules.ALLOCATORS:
            return self._allocation(text, given)
        if text in ("kunit_kcalloc", "kunit_kzalloc"):
            kept = [item for item in given if not is_gfp(self.translate(item))]
            size = self._element(kept.pop())
            return call(text, *[self.translate(item) for item in kept], size)
        if text == "timer_container_of":
            kind = self.infer.of(given[0])
            owner = self.type_name(kind.base)
            return call(text, self.translate(given[1]), owner, self._member(given[2]))
        if text in rules.OUT_PARAMS and rules.OUT_PARAMS[text].result:
            return self._result_of(text, node, given)
        if text.startswith("rcu_dereference") and text_of(given[0]) in self.env:
            self.used.add("rcu-value")
            return self.translate(given[0])
        if text in rules.LVALUE:
            parts = self._lvalue(given[0])
            return call(text, *parts, *(self._argument(text, i, a) for i, a in rest(given)))
        translated = [
            self._argument(text, index, item)
            for index, item in enumerate(given)
            if not self.dropped(item)
        ]
        if text.startswith(rules.WAITS) and len(translated) > 1:
            nothing = ast.arguments([], [], None, [], [], None, [])
            translated[1] = ast.Lambda(nothing, translated[1])
        if text in self.env and text in ("max", "min"):
            return call(f"_{text}", *translated)
        return ast.Call(self.translate(function), translated, [])

    def _argument(self, function: str, index: int, node: Node) -> ast.expr:
        kind = rules.NAMED.get(function, {}).get(index)
        if kind == "m":
            return self._member(node)
        if kind == "t":
            return self._type_argument(node)
        return self.translate(node)

    def _allocation(self, text: str, given: Sequence[Node]) -> ast.expr:
        kind = self.infer.of(given[0])
        if given[0].type in ("identifier", "type_identifier") and not kind.known:
            kind = CType(text_of(given[0]), 0, True)
        what = name("pointer") if kind.ptr else self.type_name(kind.base)
        more = [self.translate(item) for item in given[1:] if item.type != "sizeof_expression"]
        if text == "krealloc_array":
            return call(text, self.translate(given[0]), more[0])
        if text == "kzalloc_flex":
            item = self.types.member(kind, text_of(given[1])).base
            more[:1] = [self._member(given[1]), self.type_name(item)]
        return call(text, what, *[item for item in more if not is_gfp(item)])

    def _element(self, size: Node) -> ast.expr:
        """What an array of `sizeof(*p)` elements holds."""
        if size.type != "sizeof_expression":
            return self.translate(size)
        inner = unparenthesized(part(size, "value"))
        kind = self.infer.of(inner)
        return self.zero(kind) if not kind.object else self.type_name(kind.base)

    def zero(self, kind: CType) -> ast.expr:
        """What an element of an array is before anybody sets it."""
        if kind.ptr:
            return name("pointer")
        if kind.struct:
            return ast.Call(self.type_name(kind.base), [], [])
        return ast.Constant(0)

    def _expanded(self, text: str, given: Sequence[Node]) -> ast.expr:
        """A macro that stands expanded in the port; the template names its arguments a, b, c."""
        template = ast.parse(self.special.expand[text], mode="eval").body
        made: ast.expr = substituted(template, self._letters(text, given))
        return made

    def _letters(self, text: str, given: Sequence[Node]) -> dict[str, ast.expr]:
        return {
            letter: self._argument(text, index, item)
            for index, (letter, item) in enumerate(zip("abcd", given, strict=False))
        }

    def _result_of(self, text: str, node: Node, given: Sequence[Node]) -> ast.expr:
        """A call with out-parameters inside an expression: it stands before the statement."""
        result = rules.OUT_PARAMS[text].result
        outs, passed = self.out_arguments(text, given)
        target = ast.Tuple([name(result), *outs], ast.Store())
        assign = ast.Assign([target], passed)
        self.before.append(mark(at(assign, line_of(node)), self._take() | {"out-param"}))
        return name(result)

    def out_arguments(self, text: str, given: Sequence[Node]) -> tuple[list[ast.expr], ast.expr]:
        """The targets that receive a call's out-parameters, and the call without them."""
        out = rules.OUT_PARAMS[text]
        outs: list[ast.expr] = []
        passed: list[ast.expr] = []
        for index, node in enumerate(given):
            if index in out.positions:
                inner = unparenthesized(node)
                if inner.type == "pointer_expression":
                    inner = unparenthesized(part(inner, "argument"))
                target = name("_") if inner.type == "null" else self.translate(inner)
                outs.append(target)
                if out.both:
                    passed.append(self.translate(inner))
            elif index == 0 and text in rules.LVALUE:
                passed.extend(self._lvalue(node))
            else:
                passed.append(self.translate(node))
        return outs, call(text, *passed)

    def initialiser(self, kind: str, node: Node) -> ast.expr:
        """`{ .a = b }` as `kind(a=b)`; `.a[0] = b, .a[1] = c` is `a=(b, c)`."""
        words: dict[str, ast.expr] = {}
        plain: list[ast.expr] = []
        for child in node.named_children:
            if child.type != "initializer_pair":
                plain.append(self.translate(child))
                continue
            designators = child.children_by_field_name("designator")
            member = text_of(designators[0]).lstrip(".")
            full = self.types.member(CType(kind, 0, True), member)
            value = part(child, "value")
            if len(designators) == 1:
                words[field(member)] = self.initial(full, value)
                continue
            items = words.setdefault(field(member), ast.Tuple([], ast.Load()))
            assert isinstance(items, ast.Tuple)
            items.elts.append(self.initial(full.target(), value))
        given = [ast.keyword(name, value) for name, value in words.items()]
        return ast.Call(self.type_name(kind), plain, given)

    def initial(self, kind: CType, node: Node) -> ast.expr:
        """What initialises a member or an element."""
        kind = self.types.resolve(kind)
        if node.type == "initializer_list":
            return self.initialiser(kind.base, node) if kind.object else self.array(kind, node)
        return self.translate(node)

    def array(self, kind: CType, node: Node) -> ast.expr:
        """`{ a, b, {} }` as a tuple; constants that designate positions are taken in order."""
        items: list[ast.expr] = []
        for child in node.named_children:
            value = part(child, "value") if child.type == "initializer_pair" else child
            if value.type == "initializer_list" and not value.named_child_count:
                continue
            items.append(self.initial(kind.target(), value))
        return ast.Tuple(items, ast.Load())

    def _initializer_list(self, node: Node) -> ast.expr:
        return self.array(UNKNOWN, node)


def rest(given: Sequence[Node]) -> list[tuple[int, Node]]:
    """The arguments behind the first one, with their index."""
    return list(enumerate(given))[1:]
