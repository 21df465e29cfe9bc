# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A function of the port in canonical form: what Python writes and C does not, taken out."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence

from tools.cdiff import rules
from tools.cdiff.canon import Statement, flatten
from tools.cdiff.normal import normal
from tools.cdiff.syntax import goto, label

Tags = dict[int, frozenset[str]]


class Cleaner(ast.NodeTransformer):
    """Removes qualifiers and annotations.

    `qualifiers` are names that only say where another name lives, `names` the locals that hide
    them.
    """

    def __init__(self, qualifiers: frozenset[str], names: frozenset[str]) -> None:
        self._qualifiers = qualifiers - names

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`module.name` is `name`."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in self._qualifiers:
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return node

    def visit_Global(self, node: ast.Global) -> None:
        """C needs no declaration to write to a global."""

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        """Neither does it for an outer local."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """`x: T = v` is `x = v`; without a value it declares and vanishes."""
        self.generic_visit(node)
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)


def names_of(node: ast.FunctionDef) -> frozenset[str]:
    """Parameters and locals of a function."""
    found = {item.arg for item in ast.walk(node) if isinstance(item, ast.arg)}
    found |= {
        item.id
        for item in ast.walk(node)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    }
    return frozenset(found)


def canonical(
    body: Sequence[ast.stmt], cleaner: Cleaner, tags: Tags, text: Sequence[str], first: int
) -> tuple[list[Statement], set[int]]:
    """The statements of a block from line `first` on, and the lines of the tags in it."""
    cleaned = [cleaner.visit(item) for item in copy.deepcopy(list(body))]
    folded = _conditions([item for item in cleaned if item is not None])
    flat = list(flatten(normal(_labels(folded))))
    if not body or not tags:
        return flat, set()
    last = max(item.end_lineno or 0 for item in body)
    inside = {line: found for line, found in tags.items() if first <= line <= last + 1}
    return _tagged(flat, inside, text), set(inside)


def _tagged(flat: list[Statement], tags: Tags, text: Sequence[str]) -> list[Statement]:
    """The statements with their tags; a tag on a line of its own stands for missing ones."""
    waiting = dict(tags)
    result: list[Statement] = []
    for item in flat:
        span = range(item.line, max(item.end, item.line) + 1)
        found = frozenset(tag for line in span for tag in waiting.pop(line, ()))
        if found:
            item = Statement(item.depth, item.key, item.text, item.line, item.end, found)
        result.append(item)
    for number, found in sorted(waiting.items()):
        line = text[number - 1]
        if line.lstrip().startswith("#"):
            index = sum(1 for item in result if item.line < number)
            result.insert(index, Statement(-1, "(left out)", line.strip(), number, number, found))
    return result


# -- conditions


def _conditions(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """A condition that sets locals of its function has a name here, and none in C.

    `def condition(): nonlocal x; return (x := f())` before `wait_event(wq, condition)` is
    `wait_event(wq, lambda: (x := f()))`.
    """
    made: list[ast.stmt] = []
    for node in body:
        for attribute in ("body", "orelse", "finalbody"):
            inner = getattr(node, attribute, None)
            if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
                setattr(node, attribute, _conditions(inner))
        before = made[-1] if made else None
        value = _condition(before)
        call = node.value if isinstance(node, ast.Expr) else None
        if value is not None and isinstance(before, ast.FunctionDef) and isinstance(call, ast.Call):
            for index, item in enumerate(call.args):
                if isinstance(item, ast.Name) and item.id == before.name:
                    call.args[index] = ast.copy_location(ast.Lambda(before.args, value), before)
                    made.pop()
                    node.lineno = before.lineno
                    break
        made.append(node)
    return made


def _condition(node: ast.stmt | None) -> ast.expr | None:
    """What a function without parameters returns, if it does nothing else."""
    if not isinstance(node, ast.FunctionDef) or node.args.args or len(node.body) != 1:
        return None
    only = node.body[0]
    return only.value if isinstance(only, ast.Return) else None


# -- labels


def _labels(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """`with labels(...)` and `if label(...)` as C has it: a flat list with labels in it."""
    made: list[ast.stmt] = []
    waiting: list[str] = []
    for node in body:
        names = _label_names(node)
        reached = _reached(node)
        if names and isinstance(node, ast.With):
            waiting = list(names)
            made += _labels(_jumps(node.body, names))
        elif reached in waiting and isinstance(node, ast.If):
            made += [label(name, node.lineno) for name in _through(waiting, reached)]
            made += _labels(node.body)
        else:
            if len(waiting) > 1:
                waiting[:] = [f"{waiting[0]} is skipped"]
            made += [label(name, node.lineno) for name in waiting]
            waiting.clear()
            made.append(_inner(node))
    return made


def _jumps(body: list[ast.stmt], names: Sequence[str]) -> list[ast.stmt]:
    """`raise goto("x")` inside the block that has the label x, as a jump."""

    class Jumps(ast.NodeTransformer):
        def visit_Raise(self, node: ast.Raise) -> ast.AST:
            target = _argument(node.exc, "goto")
            return goto(target, node.lineno) if target in names else node

    return [Jumps().visit(item) for item in body]


def _through(waiting: list[str], reached: str) -> Iterator[str]:
    """The labels up to the one that is reached, taken from the list."""
    while waiting:
        name = waiting.pop(0)
        if name == reached:
            yield name
            return
        yield f"{name} is skipped"


def _inner(node: ast.stmt) -> ast.stmt:
    """A statement with the labels inside it resolved."""
    for attribute in ("body", "orelse", "finalbody"):
        inner = getattr(node, attribute, None)
        if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
            setattr(node, attribute, _labels(inner))
    if isinstance(node, ast.Match):
        for case in node.cases:
            case.body = _labels(case.body)
    return node


def _argument(node: ast.AST | None, function: str) -> str:
    """The text that a function is called with, "" if this is no such call."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        target = node.args[0]
        if node.func.id == function and isinstance(target, ast.Constant):
            return str(target.value)
    return ""


def _label_names(node: ast.stmt) -> tuple[str, ...]:
    if not isinstance(node, ast.With) or len(node.items) != 1:
        return ()
    call = node.items[0].context_expr
    if not _argument(call, "labels") or not isinstance(call, ast.Call):
        return ()
    return tuple(str(item.value) for item in call.args if isinstance(item, ast.Constant))


def _reached(node: ast.stmt) -> str:
    return _argument(node.test, "label") if isinstance(node, ast.If) and not node.orelse else ""


# -- out-parameters


def results(name: str, body: Sequence[ast.stmt], tags: Tags) -> list[ast.stmt]:
    """The body of a function with out-parameters as C has it.

    `return ret, None` before anybody assigned the result returns what C leaves unset. Python must
    bind a name before it returns it: a tagged `out = None` assigns nothing.
    """
    out = rules.OUT_PARAMS[name]
    found = copy.deepcopy(list(body))
    if out.both:
        return found
    assigned = [
        item
        for item in found
        if not (_is_unset(item, out.names) and "out-param" in tags.get(item.lineno, ()))
    ]
    named = [node for item in assigned for node in ast.walk(item) if isinstance(node, ast.Name)]
    for item in found:
        for node in ast.walk(item):
            if not isinstance(node, ast.Return) or not isinstance(node.value, ast.Tuple):
                continue
            parts = node.value.elts
            for index, result in enumerate(out.names, len(parts) - len(out.names)):
                stores = [
                    store.lineno
                    for store in named
                    if store.id == result and isinstance(store.ctx, ast.Store)
                ]
                early = min(stores, default=node.lineno) >= node.lineno
                if early and _is_nothing(parts[index]):
                    made = ast.Name(result, ast.Load())
                    parts[index] = ast.copy_location(made, parts[index])
    return found


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (None, 0)


def _is_unset(node: ast.stmt, names: Sequence[str]) -> bool:
    """True for `out = None`."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in names
        and _is_nothing(node.value)
    )
