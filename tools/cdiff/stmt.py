# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""C statements as Python syntax trees.

Declarations without an initialiser vanish, unless they make an object; what is left of C's control
flow has one Python form each, described in "How C becomes Python". `goto` and labels become pseudo
statements (see canon), because in Python they are spread over `with labels(...)` and
`if label(...)`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tree_sitter import Node

from tools.cdiff.assign import Assignments
from tools.cdiff.config import FileRules
from tools.cdiff.csource import CFunction, line_of
from tools.cdiff.ctype import Types, base_type, declared, part, text_of
from tools.cdiff.expr import unparenthesized
from tools.cdiff.normal import normal
from tools.cdiff.syntax import at, call, goto, label, mark, name

_LEAVES = (ast.Return, ast.Continue, ast.Break, ast.Raise)


class Statements(Assignments):
    """Translates the body of one function."""

    def __init__(
        self,
        function: CFunction,
        types: Types,
        config: dict[str, int],
        special: FileRules | None = None,
    ) -> None:
        super().__init__(function, types, config, special)
        self._backward = _backward_labels(function.body)
        self._steps: list[Sequence[Node] | None] = []
        self._once = 0

    def body(self) -> list[ast.stmt]:
        """The function's statements."""
        self._declare(self.function.body)
        made = self.block(self.function.body.named_children)
        if self.function.kind == "macro":
            made = self._value_of(made)
        if self.outs and self.function.returns.base == "void" and not self.function.returns.ptr:
            made.append(self._return(None, self.function.end))
        return normal(made)

    def _declare(self, node: Node) -> None:
        """Learn the types of all locals before anything is translated."""
        if node.type == "declaration":
            kind = base_type(node.child_by_field_name("type"))
            for child in node.children_by_field_name("declarator"):
                local, full, _ = declared(child, kind)
                self.env[local] = full
                if full.ptr or all(text_of(item) != "static" for item in node.children):
                    self.locals.setdefault(local, line_of(node))
        for item in node.named_children:
            self._declare(item)

    def _value_of(self, made: list[ast.stmt]) -> list[ast.stmt]:
        """A macro returns what its last expression is."""
        if made and isinstance(made[-1], ast.Expr):
            value = made[-1].value
            called = value.func if isinstance(value, ast.Call) else None
            if not (isinstance(called, ast.Name) and called.id in ("goto", "label")):
                made[-1] = ast.copy_location(ast.Return(value), made[-1])
        return made

    # -- blocks

    def block(self, nodes: Sequence[Node]) -> list[ast.stmt]:
        """The statements of a block; behind a guard or a backward label the rest is nested."""
        made: list[ast.stmt] = []
        for index, node in enumerate(nodes):
            if node.type == "comment":
                continue
            guard = self._guard(node)
            if guard is not None:
                guard.body = self.block(nodes[index + 1 :]) or guard.body
                return [*made, guard]
            if node.type == "labeled_statement":
                target = text_of(node.child_by_field_name("label"))
                if target in self._backward:
                    return [*made, self._repeat(node, nodes[index + 1 :])]
            made.extend(self.statement(node))
        return made

    def _repeat(self, node: Node, more: Sequence[Node]) -> ast.stmt:
        inner = [child for child in node.named_children if child.type != "statement_identifier"]
        body = self.block([*inner, *more])
        if body and isinstance(body[-1], ast.Continue):
            del body[-1]
        elif not (body and isinstance(body[-1], _LEAVES)):
            body.append(at(ast.Break(), node.end_point[0] + 1))
        return at(ast.While(ast.Constant(True), body, []), line_of(node))

    def _guard(self, node: Node) -> ast.With | None:
        """`guard(kind)(&lock);`"""
        inner = node.named_children[0] if node.named_child_count else None
        if node.type != "expression_statement" or inner is None or inner.type != "call_expression":
            return None
        function = inner.child_by_field_name("function")
        if function is None or text_of(function.child_by_field_name("function")) != "guard":
            return None
        return self._with(node, function, inner)

    def _with(self, node: Node, kind: Node, lock: Node) -> ast.With:
        kinds = part(kind, "arguments")
        locks = part(lock, "arguments")
        arguments: list[ast.expr] = [ast.Constant(text_of(kinds.named_children[0]))]
        arguments += [self.translate(item) for item in locks.named_children]
        made = ast.With([ast.withitem(call("guard", *arguments), None)], [ast.Pass()])
        return at(made, line_of(node))

    def suite(self, node: Node | None) -> list[ast.stmt]:
        """The body of a statement, a block or a single statement; empty is `continue`-free."""
        if node is None:
            return []
        if node.type == "compound_statement":
            return self.block(node.named_children)
        return self.block([node])

    def statement(self, node: Node) -> list[ast.stmt]:
        """One C statement."""
        method = getattr(self, f"_{node.type}", None)
        outer = (self.before, self.after, self.used)
        self.before, self.after, self.used = [], [], set()
        try:
            if method is None or node.type.endswith("_expression"):
                made = [ast.Expr(call("unsupported", ast.Constant(node.type)))]
            else:
                made = method(node)
            line, end = line_of(node), node.end_point[0] + 1
            for item in made:
                at(item, line, end)
            if made:
                mark(made[0], self.used)
            return [*self.before, *made, *self.after]
        finally:
            self.before, self.after, self.used = outer

    # -- simple statements

    def _compound_statement(self, node: Node) -> list[ast.stmt]:
        return self.block(node.named_children)

    def _expression_statement(self, node: Node) -> list[ast.stmt]:
        inner = unparenthesized(node.named_children[0]) if node.named_child_count else None
        if inner is None:
            return []
        if inner.type == "parenthesized_expression":
            return self.suite(inner.named_children[0])
        if inner.type == "compound_statement":
            return self.suite(inner)
        if inner.type == "cast_expression" and text_of(inner.child_by_field_name("type")) == "void":
            inner = unparenthesized(part(inner, "value"))
        if inner.type == "update_expression":
            return [self.step(inner)]
        if inner.type == "assignment_expression":
            return self._assignment(inner)
        if inner.type == "call_expression":
            return self._call_statement(inner)
        if inner.type == "comma_expression":
            return self._sequence(inner)
        if inner.type == "identifier" and node.child_count == 2 and self.function.kind != "macro":
            return []
        return [ast.Expr(self.translate(inner))]

    def _return_statement(self, node: Node) -> list[ast.stmt]:
        value = node.named_children[0] if node.named_child_count else None
        return [self._return(value, line_of(node))]

    def _return(self, value: Node | None, line: int) -> ast.stmt:
        self.returning = True
        made = self.translate(value) if value is not None else None
        self.returning = False
        if not self.outs:
            return at(ast.Return(made), line)
        self.used.add("out-param")
        parts = [made] if made is not None else []
        parts += [name(out) for out in self.outs]
        result = parts[0] if len(parts) == 1 else ast.Tuple(parts, ast.Load())
        return mark(at(ast.Return(result), line), {"out-param"})

    def _goto_statement(self, node: Node) -> list[ast.stmt]:
        target = text_of(node.child_by_field_name("label"))
        if target in self._backward:
            return [ast.Continue()]
        return [goto(target, line_of(node))]

    def _labeled_statement(self, node: Node) -> list[ast.stmt]:
        target = text_of(node.child_by_field_name("label"))
        inner = [child for child in node.named_children if child.type != "statement_identifier"]
        return [label(target, line_of(node)), *self.block(inner)]

    def _break_statement(self, node: Node) -> list[ast.stmt]:
        return [ast.Return(None) if self._once and not self._steps else ast.Break()]

    def _continue_statement(self, node: Node) -> list[ast.stmt]:
        step = self._steps[-1] if self._steps else None
        made: list[ast.stmt] = []
        for item in step or ():
            made += self._expression_like(item)
        return [*made, ast.Continue()]

    def _expression_like(self, node: Node) -> list[ast.stmt]:
        """An init or step expression of a `for`."""
        node = unparenthesized(node)
        if node.type == "comma_expression":
            made = self._sequence(node)
        elif node.type == "assignment_expression":
            made = self._assignment(node)
        elif node.type == "update_expression":
            made = [self.step(node)]
        else:
            made = [ast.Expr(self.translate(node))]
        for item in made:
            at(item, line_of(node), node.end_point[0] + 1)
        return made


def _backward_labels(body: Node) -> frozenset[str]:
    """The labels that every goto reaches from below."""
    labels: dict[str, int] = {}
    jumps: dict[str, list[int]] = {}
    stack = [body]
    while stack:
        node = stack.pop()
        target = node.child_by_field_name("label")
        if target is not None and node.type == "labeled_statement":
            labels[text_of(target)] = node.start_byte
        elif target is not None and node.type == "goto_statement":
            jumps.setdefault(text_of(target), []).append(node.start_byte)
        stack.extend(node.named_children)
    return frozenset(
        target
        for target, places in jumps.items()
        if target in labels and all(place > labels[target] for place in places)
    )
