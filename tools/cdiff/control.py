# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""C control flow as Python syntax trees: if, switch, and the loops."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tree_sitter import Node

from tools.cdiff import rules
from tools.cdiff.csource import line_of
from tools.cdiff.ctype import part, text_of
from tools.cdiff.expr import unparenthesized
from tools.cdiff.reads import assigned_in, read_after
from tools.cdiff.stmt import Statements
from tools.cdiff.syntax import at, call, name


class Control(Statements):
    """The rest of the statements. `_restarted`: how deep the loop is that a macro jumps to."""

    _restarted = 0

    # -- if

    def _if_statement(self, node: Node) -> list[ast.stmt]:
        condition = part(node, "condition")
        consequence = node.child_by_field_name("consequence")
        alternative = node.child_by_field_name("alternative")
        dropped = self._null_check(condition, consequence, alternative)
        if dropped is not None:
            return dropped
        tests, before = self._tests(condition)
        if not before:
            return [self._if(tests, consequence, alternative)]
        if alternative is not None:
            return [ast.Expr(call("unsupported", ast.Constant("side effect before else")))]
        split = next(index for index, (_, early) in enumerate(tests) if early)
        inner: list[ast.stmt] = list(tests[split][1])
        inner.append(self._if([(test, []) for test, _ in tests[split:]], consequence, None))
        if split == 0:
            self.before += inner[:-1]
            return inner[-1:]
        outer = ast.If(_all([test for test, _ in tests[:split]]), inner, [])
        return [at(outer, line_of(node))]

    def _tests(self, node: Node) -> tuple[list[tuple[ast.expr, list[ast.stmt]]], bool]:
        """The operands of a chain of `&&`, each with what must happen before it."""
        outer = self.before
        found: list[tuple[ast.expr, list[ast.stmt]]] = []
        for operand in _operands(node):
            self.before = []
            test = self.translate(operand)
            found.append((test, self.before))
        self.before = outer
        return found, any(early for _, early in found)

    def _if(
        self,
        tests: Sequence[tuple[ast.expr, list[ast.stmt]]],
        consequence: Node | None,
        alternative: Node | None,
    ) -> ast.If:
        test = _all([test for test, _ in tests])
        made = ast.If(test, self.suite(consequence), [])
        at(made, tests[0][0].lineno, tests[-1][0].end_lineno)
        if alternative is not None:
            inner = alternative.named_children[0] if alternative.named_child_count else None
            made.orelse = self.suite(inner)
            if not made.orelse:
                made.orelse = []
            vars(made)["else_line"] = line_of(alternative)
        return made

    def _null_check(
        self, condition: Node, consequence: Node | None, alternative: Node | None
    ) -> list[ast.stmt] | None:
        """`if (out) *out = x;`: a tuple has room for every result, wanted or not."""
        if text_of(unparenthesized(condition)) not in self.outs or alternative is not None:
            return None
        made = self.suite(consequence)
        self.used.add("out-param")
        return made

    # -- switch

    def _switch_statement(self, node: Node) -> list[ast.stmt]:
        subject = self.translate(part(node, "condition"))
        body = node.child_by_field_name("body")
        cases: list[ast.match_case] = []
        waiting: list[ast.pattern] = []
        self._steps.append(None)
        for case in body.named_children if body is not None else ():
            value = case.child_by_field_name("value")
            pattern: ast.pattern = ast.MatchAs()
            if value is not None:
                pattern = ast.MatchValue(self.translate(value))
            at(pattern, line_of(case))
            waiting.append(pattern)
            inner = [child for child in case.named_children if child != value]
            if not inner:
                continue
            found = self.block(inner)
            if found and isinstance(found[-1], ast.Break):
                found.pop()
            both = waiting[0] if len(waiting) == 1 else ast.MatchOr(waiting)
            cases.append(ast.match_case(at(both, line_of(case)), None, found))
            waiting = []
        self._steps.pop()
        return [ast.Match(subject, cases)]

    # -- loops

    def _loop_body(self, node: Node | None, step: Sequence[Node] | None = None) -> list[ast.stmt]:
        self._steps.append(step)
        try:
            return self.suite(node)
        finally:
            self._steps.pop()

    def _while_statement(self, node: Node) -> list[ast.stmt]:
        condition = part(node, "condition")
        body = node.child_by_field_name("body")
        inner = unparenthesized(condition)
        function = text_of(inner.child_by_field_name("function"))
        if inner.type == "call_expression" and (function in rules.LOOPS or "for_each" in function):
            return [self._for_each(inner, function, body)]
        if inner.type == "call_expression" and function == "scoped_guard":
            return [self._scoped_guard(inner, body)]
        outer = self.after
        self.before, self.after = [], []
        test = self.translate(condition)
        early, late, self.before, self.after = self.before, self.after, [], outer
        line = line_of(node)
        if early:
            leave = ast.If(ast.UnaryOp(ast.Not(), test), [ast.Break()], [])
            made = [*early, at(leave, line), *self._loop_body(body)]
            return [at(ast.While(ast.Constant(True), made, []), line)]
        return [ast.While(test, [*late, *self._loop_body(body)], [])]

    def _for_each(self, node: Node, function: str, body: Node | None) -> ast.stmt:
        arguments = part(node, "arguments")
        given = arguments.named_children
        if function not in rules.LOOPS:
            return ast.Expr(call("unsupported", ast.Constant(function)))
        targets, more = rules.LOOPS[function]
        names = [self.translate(given[int(index)]) for index in targets.split()]
        passed: list[ast.expr] = []
        for word in more.split():
            if word == "T":
                passed.append(self.type_name(self.infer.of(given[0]).base))
            elif word.endswith("m"):
                passed.append(self._member(given[int(word[:-1])]))
            else:
                passed.append(self.translate(given[int(word)]))
        names = names or [name("_")]
        target = names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())
        outer = self._restarted
        if function in rules.RESTARTED:
            self._restarted = len(self._steps) + 1
        inner = self._loop_body(body)
        self._restarted = outer
        head = at(call(function, *passed), line_of(node), node.end_point[0] + 1)
        made = ast.For(target, head, inner or [ast.Continue()], [])
        return at(made, line_of(node))

    def _call_statement(self, node: Node) -> list[ast.stmt]:
        """A macro that jumps to the head of its loop is `if f(x): continue` in it, not deeper."""
        function = text_of(node.child_by_field_name("function"))
        if function not in rules.JUMPS:
            return super()._call_statement(node)
        if len(self._steps) != self._restarted:
            return [ast.Expr(call("unsupported", ast.Constant(function)))]
        given = part(node, "arguments").named_children
        test = call(function, *[self.translate(item) for item in given])
        return [ast.If(test, [ast.Continue()], [])]

    def _scoped_guard(self, node: Node, body: Node | None) -> ast.stmt:
        given = part(node, "arguments").named_children
        arguments: list[ast.expr] = [ast.Constant(text_of(given[0]))]
        arguments += [self.translate(item) for item in given[1:]]
        head = at(call("guard", *arguments), line_of(node), node.end_point[0] + 1)
        made = ast.With([ast.withitem(head, None)], self._loop_body(body))
        return at(made, line_of(node))

    def _do_statement(self, node: Node) -> list[ast.stmt]:
        condition = part(node, "condition")
        body = node.child_by_field_name("body")
        always = text_of(unparenthesized(condition))
        if always in ("0", "false"):
            self._once += 1
            made = self.suite(body)
            self._once -= 1
            return made
        line = line_of(condition)
        inner = self._loop_body(body)
        if always not in ("1", "true"):
            test = self.translate(condition)
            inner += self.before
            leave = ast.If(ast.UnaryOp(ast.Not(), test), [at(ast.Break(), line)], [])
            inner += [at(leave, line, node.end_point[0] + 1), *self.after]
            self.before, self.after = [], []
        return [at(ast.While(ast.Constant(True), inner, []), line_of(node))]

    def _for_statement(self, node: Node) -> list[ast.stmt]:
        init = node.child_by_field_name("initializer")
        condition = node.child_by_field_name("condition")
        update = node.child_by_field_name("update")
        body = node.child_by_field_name("body")
        started: list[ast.stmt] = []
        if init is not None:
            started = self._declaration(init) if init.type == "declaration" else []
            started = started or self._expression_like(init)
        if condition is None and update is None:
            always = ast.While(ast.Constant(True), self._loop_body(body), [])
            return [*started, at(always, line_of(node))]
        bounds = self._range(node, started, condition, update)
        if bounds is not None:
            others, loop = bounds
            loop.body = self._loop_body(body)
            return [*others, at(loop, line_of(node))]
        test = self.translate(condition) if condition is not None else ast.Constant(True)
        late, self.after = self.after, []
        steps = [update] if update is not None else []
        yields = self._generator_yield(started, body)
        inner = yields or self._loop_body(body, steps)
        for step in steps:
            inner = [*inner, *self._expression_like(step)]
        made = ast.While(test, [*late, *inner], [])
        return [*started, at(made, line_of(node))]

    def _generator_yield(self, started: list[ast.stmt], body: Node | None) -> list[ast.stmt]:
        """The `for` of a loop macro has no body: its cursor is what a generator yields."""
        if self.function.kind != "macro" or text_of(body) not in (";", ""):
            return []
        cursors = [
            target
            for statement in started
            if isinstance(statement, ast.Assign)
            for target in statement.targets
        ]
        value = cursors[0] if len(cursors) == 1 else ast.Tuple(cursors, ast.Load())
        return [at(ast.Expr(ast.Yield(value)), self.function.line)]

    def _range(
        self,
        node: Node,
        started: list[ast.stmt],
        condition: Node | None,
        update: Node | None,
    ) -> tuple[list[ast.stmt], ast.For] | None:
        """`for (i = a; i < n; i++)` as a range, if nobody reads or writes i but the loop."""
        if condition is None or update is None or update.type != "update_expression":
            return None
        if "++" not in text_of(update) or condition.type != "binary_expression":
            return None
        index = text_of(update.child_by_field_name("argument"))
        left = condition.child_by_field_name("left")
        right = condition.child_by_field_name("right")
        operator = text_of(condition.child_by_field_name("operator"))
        if operator not in ("<", "<=") or text_of(left) != index:
            return None
        first = next((s for s in started if _sets(s, index)), None)
        body = node.child_by_field_name("body")
        if not isinstance(first, ast.Assign) or right is None or body is None:
            return None
        if assigned_in(body, index) or read_after(self.function.body, node, index):
            return None
        others = [statement for statement in started if statement is not first]
        end = self.translate(right)
        if operator == "<=":
            end = ast.BinOp(end, ast.Add(), ast.Constant(1))
        span = call("range", first.value, end)
        return others, ast.For(name(index), at(span, line_of(node)), [], [])


def _sets(statement: ast.stmt, index: str) -> bool:
    if not isinstance(statement, ast.Assign):
        return False
    target = statement.targets[0]
    return isinstance(target, ast.Name) and target.id == index


def _all(tests: list[ast.expr]) -> ast.expr:
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)


def _operands(node: Node) -> list[Node]:
    """The operands of a chain of `&&`."""
    node = unparenthesized(node)
    if node.type == "binary_expression":
        if text_of(node.child_by_field_name("operator")) == "&&":
            return [*_operands(part(node, "left")), *_operands(part(node, "right"))]
    return [node]
