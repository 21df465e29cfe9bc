# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""C expressions as Python syntax trees, by the table "How C becomes Python"."""

from __future__ import annotations

import ast
import re

from tree_sitter import Node

from tools.cdiff import rules
from tools.cdiff.config import FileRules
from tools.cdiff.csource import CFunction, line_of
from tools.cdiff.ctype import STRING, CType, Types, base_type, part, text_of
from tools.cdiff.infer import Inference
from tools.cdiff.syntax import as_target, at, call, field, mark, name

_BINARY: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.FloorDiv,
    "%": ast.Mod,
    "<<": ast.LShift,
    ">>": ast.RShift,
    "&": ast.BitAnd,
    "|": ast.BitOr,
    "^": ast.BitXor,
}
_COMPARE: dict[str, type[ast.cmpop]] = {
    "<": ast.Lt,
    ">": ast.Gt,
    "<=": ast.LtE,
    ">=": ast.GtE,
    "==": ast.Eq,
    "!=": ast.NotEq,
}
_NUMBER = re.compile(r"(-?)(0[xX][0-9a-fA-F]+|\d+)[uUlL]*$")


def _number(text: str) -> int:
    """The value of a number of C, whose octals begin with a mere 0."""
    octal = len(text) > 1 and text.isdigit() and text[0] == "0"
    return int(text, 8 if octal else 0)


def unparenthesized(node: Node) -> Node:
    """The expression inside any number of parentheses."""
    while node.type == "parenthesized_expression" and node.named_child_count == 1:
        node = node.named_children[0]
    return node


class Expressions:
    """Translates the expressions of one function.

    What an expression does besides having a value comes out as statements: those in `before` stand
    before the statement that the expression is part of, those in `after` behind it. `used` gathers
    the names of the rules that were applied.
    """

    def __init__(
        self,
        function: CFunction,
        types: Types,
        config: dict[str, int],
        special: FileRules | None = None,
    ) -> None:
        self.function = function
        self.types = types
        self.config = config
        self.special = special or FileRules()
        self.macro_names = (
            frozenset(name for name, _ in function.parameters)
            if function.kind == "macro"
            else frozenset()
        )
        self.env: dict[str, CType] = dict(function.parameters)
        self.infer = Inference(types, self.env)
        self.before: list[ast.stmt] = []
        self.after: list[ast.stmt] = []
        self.used: set[str] = set()
        self.unsure: list[tuple[int, str]] = []
        out = rules.OUT_PARAMS.get(function.name)
        self.outs = out.names if out is not None else ()
        self.returning = False

    def translate(self, node: Node) -> ast.expr:
        """The Python expression; lines are those of the C."""
        method = getattr(self, f"_{node.type}", self._unsupported)
        if node.type.endswith(("_statement", "declaration")):
            method = self._unsupported
        result: ast.expr = method(node)
        return at(result, line_of(node), node.end_point[0] + 1)

    def _unsupported(self, node: Node) -> ast.expr:
        return call("unsupported", ast.Constant(node.type))

    # -- leaves

    def _identifier(self, node: Node) -> ast.expr:
        text = text_of(node)
        if text in rules.CALLED and text not in self.env:
            return call(text)
        if text in self.macro_names:
            if text == "type":
                return name("type_")
            if text == "condition" and not _is_argument(node):
                return call(text)
        if text == "__func__":
            return ast.Constant(self.function.name)
        if self.function.variadic and self.function.kind == "macro":
            if text == self.function.parameters[-1][0]:
                return ast.Starred(name("args"), ast.Load())
        return name(text)

    def _number_literal(self, node: Node) -> ast.expr:
        match = _NUMBER.match(text_of(node))
        if match is None:
            return self._unsupported(node)
        value = ast.Constant(_number(match.group(2)))
        return ast.UnaryOp(ast.USub(), value) if match.group(1) else value

    def _string_literal(self, node: Node) -> ast.expr:
        return ast.Constant(ast.literal_eval(text_of(node)))

    def _char_literal(self, node: Node) -> ast.expr:
        return ast.Constant(ast.literal_eval(text_of(node)))

    def _concatenated_string(self, node: Node) -> ast.expr:
        result: ast.expr | None = None
        for child in node.named_children:
            part = self.translate(child)
            if isinstance(result, ast.Constant) and isinstance(part, ast.Constant):
                result = ast.Constant(str(result.value) + str(part.value))
            elif result is None:
                result = part
            else:
                result = ast.BinOp(result, ast.Add(), part)
        return result or ast.Constant("")

    def _true(self, node: Node) -> ast.expr:
        return ast.Constant(True)

    def _false(self, node: Node) -> ast.expr:
        return ast.Constant(False)

    def _null(self, node: Node) -> ast.expr:
        return ast.Constant(None)

    # -- operators

    def _parenthesized_expression(self, node: Node) -> ast.expr:
        inner = node.named_children
        if len(inner) == 1 and inner[0].type != "compound_statement":
            return self.translate(inner[0])
        return self._unsupported(node)

    def _field_expression(self, node: Node) -> ast.expr:
        value = self.translate(part(node, "argument"))
        member = text_of(node.child_by_field_name("field"))
        if member in self.macro_names:
            return call("getattr", value, name(member))
        return ast.Attribute(value, field(member), ast.Load())

    def _subscript_expression(self, node: Node) -> ast.expr:
        value = self.translate(part(node, "argument"))
        index = self.translate(part(node, "index"))
        return ast.Subscript(value, index, ast.Load())

    def _pointer_expression(self, node: Node) -> ast.expr:
        argument = unparenthesized(part(node, "argument"))
        if text_of(node).startswith("*"):
            if self.infer.of(argument).ptr > 1 and text_of(argument) not in self.outs:
                self.used.add("pointer-to-pointer")
                return ast.Starred(self.translate(argument), ast.Load())
            return self.translate(argument)
        if argument.type == "field_expression" and self.infer.of(argument).ptr:
            self.used.add("pointer-to-pointer")
            return ast.Tuple(self._lvalue(argument), ast.Load())
        return self.translate(argument)

    def _unary_expression(self, node: Node) -> ast.expr:
        operator = text_of(node.child_by_field_name("operator"))
        argument = part(node, "argument")
        if operator == "!" and text_of(unparenthesized(argument)).startswith("!"):
            return call("bool", self.translate(part(unparenthesized(argument), "argument")))
        value = self.translate(argument)
        if operator == "!":
            return ast.UnaryOp(ast.Not(), value)
        if operator == "~":
            return ast.UnaryOp(ast.Invert(), value)
        return ast.UnaryOp(ast.USub(), value) if operator == "-" else value

    def _binary_expression(self, node: Node) -> ast.expr:
        operator = text_of(node.child_by_field_name("operator"))
        left_node = part(node, "left")
        right_node = part(node, "right")
        left = self.translate(left_node)
        right = self.translate(right_node)
        if operator in ("&&", "||"):
            kind = ast.And() if operator == "&&" else ast.Or()
            return ast.BoolOp(kind, [left, right])
        if operator in ("==", "!="):
            if self._pointers(left_node, right_node):
                if isinstance(right, ast.Constant) and right.value == 0:
                    right = ast.Constant(None)
                same: ast.cmpop = ast.Is() if operator == "==" else ast.IsNot()
                return ast.Compare(left, [same], [right])
        if operator in _COMPARE:
            return ast.Compare(left, [_COMPARE[operator]()], [right])
        if operator == "+" and self._in_array(left_node):
            return ast.Subscript(left, right, ast.Load())
        if operator == "+" and self.infer.of(left_node) == STRING:
            return ast.Subscript(left, ast.Slice(right, None, None), ast.Load())
        return ast.BinOp(left, _BINARY[operator](), right)

    def _in_array(self, node: Node) -> bool:
        """True for a pointer into an array of structs."""
        kind = self.types.resolve(self.infer.of(node))
        return kind.ptr == 1 and kind.target().object

    def _pointers(self, left: Node, right: Node) -> bool:
        known = [self.infer.pointer(left), self.infer.pointer(right)]
        if True in known:
            return True
        if False in known:
            return False
        self.unsure.append((line_of(left), f"{text_of(left)} and {text_of(right)}"))
        return self.function.kind == "macro"

    def _conditional_expression(self, node: Node) -> ast.expr:
        test = self.translate(part(node, "condition"))
        other = self.translate(part(node, "alternative"))
        consequence = node.child_by_field_name("consequence")
        if consequence is None:
            return ast.BoolOp(ast.Or(), [test, other])
        return ast.IfExp(test, self.translate(consequence), other)

    def _cast_expression(self, node: Node) -> ast.expr:
        value_node = part(node, "value")
        descriptor = part(node, "type")
        value = self.translate(value_node)
        kind = base_type(descriptor.child_by_field_name("type"))
        if descriptor.child_by_field_name("declarator") is not None or kind.struct:
            return value
        if kind.base not in rules.INTEGER_CASTS or self.infer.pointer(value_node):
            return value
        return call(rules.INTEGER_CASTS[kind.base], value)

    def _sizeof_expression(self, node: Node) -> ast.expr:
        kind = node.child_by_field_name("type")
        if kind is not None and kind.child_by_field_name("declarator") is not None:
            return call("sizeof", name("pointer"))
        if kind is not None:
            return call("sizeof", self.type_name(text_of(kind).split()[-1]))
        inner = unparenthesized(part(node, "value"))
        if inner.type == "pointer_expression":
            inner = part(inner, "argument")
        return call("sizeof", self.translate(inner))

    def _assignment_expression(self, node: Node) -> ast.expr:
        left = part(node, "left")
        right = part(node, "right")
        target = self.translate(left)
        value = self.translate(right)
        if text_of(node.child_by_field_name("operator")) != "=":
            return self._unsupported(node)
        if isinstance(target, ast.Name):
            return ast.NamedExpr(target, value)
        line = line_of(node)
        assign = at(ast.Assign([target], value), line, node.end_point[0] + 1)
        self.before.append(mark(assign, self._take() | {"walrus"}))
        return self.translate(left)

    def _update_expression(self, node: Node) -> ast.expr:
        argument = part(node, "argument")
        step = self.step(node)
        if self.returning and text_of(node)[0] not in "+-":
            # Nothing stands behind a return: the step stands before it, and is taken back.
            self.before.append(mark(step, {"side-effect"}))
            self.used.add("side-effect")
            back: ast.operator = ast.Sub() if "++" in text_of(node) else ast.Add()
            return ast.BinOp(self.translate(argument), back, ast.Constant(1))
        (self.before if text_of(node)[0] in "+-" else self.after).append(
            mark(step, {"side-effect"})
        )
        return self.translate(argument)

    def _comma_expression(self, node: Node) -> ast.expr:
        return self._unsupported(node)

    def _type_argument(self, node: Node) -> ast.expr:
        if not text_of(node).startswith("typeof"):
            text = text_of(node).replace("*", " ").split()[-1]
            return self.translate(node) if text in self.macro_names else self.type_name(text)
        inner = unparenthesized(part(node, "arguments").named_children[0])
        kind = self.infer.of(inner)
        if kind.known:
            return self.type_name(kind.base)
        if self.function.name in rules.LOOPS:
            return name("type_")
        if inner.type == "pointer_expression":
            inner = part(inner, "argument")
        return call("type", self.translate(inner))

    def dropped(self, node: Node) -> bool:
        """True for a name that port.toml says does nothing here, and what is reached through it."""
        while (inner := node.child_by_field_name("argument")) is not None:
            node = inner
        return node.type == "identifier" and text_of(node) in self.special.drop

    def _member(self, node: Node) -> ast.expr:
        if text_of(node) in self.macro_names:
            return name(text_of(node))
        return ast.Constant(".".join(field(part) for part in text_of(node).split(".")))

    def type_name(self, text: str) -> ast.expr:
        """The class of a struct; `struct_x` where a function has the same name."""
        if text in rules.INTEGER_CASTS:
            text = rules.INTEGER_CASTS[text]
        return name(f"struct_{text}" if text in self.types.functions else text)

    def _lvalue(self, node: Node) -> list[ast.expr]:
        """An lvalue as object and member, array and index, or itself if it is a local."""
        node = unparenthesized(node)
        if node.type == "pointer_expression" and text_of(node).startswith("&"):
            node = unparenthesized(part(node, "argument"))
        if node.type == "field_expression":
            made = self._field_expression(node)
            assert isinstance(made, ast.Attribute)
            return [made.value, ast.Constant(made.attr)]
        if node.type == "subscript_expression":
            item = self._subscript_expression(node)
            assert isinstance(item, ast.Subscript)
            return [item.value, item.slice]
        return [self.translate(node)]

    def _take(self) -> set[str]:
        used, self.used = self.used, set()
        return used

    def step(self, node: Node) -> ast.stmt:
        """`x++` as a statement."""
        operator: ast.operator = ast.Add() if "++" in text_of(node) else ast.Sub()
        target = as_target(self.translate(part(node, "argument")))
        return at(ast.AugAssign(target, operator, ast.Constant(1)), line_of(node))


def _is_argument(node: Node) -> bool:
    return node.parent is not None and node.parent.type == "argument_list"
