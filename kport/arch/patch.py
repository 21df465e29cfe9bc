# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Changing a statement of the port while it is loaded: what if this line were not there?

    edit = Edit(pop_job, "smp_wmb()", "")
    with applied(edit):
        ...                         # every caller runs the changed function
    print(edit.diff())

`before` is one statement or several in a row, `after` what stands in their place ("" for nothing).
They are compared as syntax, so spaces, comments and line breaks do not matter; they must be found
exactly once, or `Edit(..., which=n)` says which of them (from 0), or `Edit(..., every=True)` that
all are meant. The rest of the function keeps its lines, so reports still know where in C it is, and
what is new stands at the line of what it replaces. Nothing is written to disk.

The function object stays and its code is exchanged (`link.patched`): tables of callbacks and names
that were imported long ago see the change as well. Names in `after` are looked up in the file of
the function; `names` adds some for as long as the edit is applied.
"""

from __future__ import annotations

import __future__
import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from kport.arch.link import code_of_today, patched

_FLAGS = __future__.annotations.compiler_flag
_MISSING = object()


class EditError(ValueError):
    """The statement is not in the function, or more than once, or the function cannot be edited."""


@dataclass(frozen=True)
class Edit:
    """One statement (or a few in a row) of one function, and what stands in its place."""

    function: Callable[..., Any]
    before: str
    after: str = ""
    which: int | None = None
    every: bool = False
    names: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the function."""
        return str(inspect.unwrap(self.function).__name__)

    def diff(self) -> str:
        """The change as lines with - and +, below the name of the function."""
        lines = [f"@@ {self.name}() @@"]
        lines += [f"-{line}" for line in _dedent(self.before).splitlines()]
        lines += [f"+{line}" for line in _dedent(self.after).splitlines()]
        return "\n".join(lines)


def _dedent(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def _statements(text: str) -> list[ast.stmt]:
    """The statements of a text; `return`, `break` and `continue` may stand alone."""
    wrapped = "def _():\n while 1:\n" + textwrap.indent(_dedent(text), "  ")
    loop = ast.parse(wrapped).body[0].body[0]  # type: ignore[attr-defined]
    body: list[ast.stmt] = loop.body
    return body


def _source(function: FunctionType) -> ast.FunctionDef:
    """The syntax of a function, with the lines of its file."""
    try:
        lines, first = inspect.getsourcelines(function)
    except OSError as error:
        raise EditError(f"{function.__name__}: its source is not to be had") from error
    tree = ast.parse(_dedent("".join(lines)))
    node = tree.body[0]
    if not isinstance(node, ast.FunctionDef):
        raise EditError(f"{function.__name__} is not a plain function")
    node.decorator_list = []
    ast.increment_lineno(tree, first - 1)
    return node


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every list of statements in a function, outermost first."""
    for child in ast.walk(node):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(child, name, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                yield body


def _replace(node: ast.FunctionDef, edit: Edit) -> None:
    """Carry out one edit in the syntax of its function."""
    wanted = [ast.dump(statement) for statement in _statements(edit.before)]
    found = [
        (body, at)
        for body in _bodies(node)
        for at in range(len(body) - len(wanted) + 1)
        if [ast.dump(statement) for statement in body[at : at + len(wanted)]] == wanted
    ]
    places = sorted(found, key=lambda place: place[0][place[1]].lineno)
    if not places:
        raise EditError(f"{edit.name} has no statement {_dedent(edit.before)!r}")
    if edit.which is not None:
        if edit.which >= len(places):
            raise EditError(f"{edit.name} has {len(places)} of {_dedent(edit.before)!r}")
        places = [places[edit.which]]
    elif len(places) > 1 and not edit.every:
        raise EditError(f"{edit.name} has {len(places)} of {_dedent(edit.before)!r}: which?")
    for body, at in reversed(places):
        old = body[at]
        new = _statements(edit.after) if edit.after.strip() else []
        if not new and len(body) == len(wanted):
            new = [ast.Pass()]
        for statement in new:
            for part in ast.walk(statement):
                if hasattr(part, "lineno") or isinstance(part, ast.stmt | ast.expr):
                    ast.copy_location(part, old)
        body[at : at + len(wanted)] = new


def _compile(function: FunctionType, node: ast.FunctionDef) -> FunctionType:
    """The edited function, with the defaults of the old one."""
    ast.fix_missing_locations(node)
    module = ast.Module([node], [])
    code = compile(module, function.__code__.co_filename, "exec", _FLAGS, dont_inherit=True)
    inner = next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == node.name)
    return FunctionType(
        inner, function.__globals__, function.__name__, function.__defaults__
    )


@contextmanager
def applied(*edits: Edit) -> Iterator[None]:
    """Run the body with the edits in force, for every caller everywhere.

    Several edits of one function are carried out in the order given, behind those that are in force
    already. Raises EditError.
    """
    wanted: dict[FunctionType, list[Edit]] = {}
    for edit in edits:
        function = inspect.unwrap(edit.function)
        if not isinstance(function, FunctionType) or function.__closure__:
            raise EditError(f"{edit.function!r} is not a plain function")
        if function not in wanted:
            code, before = _in_force.get(function, (None, []))
            wanted[function] = list(before) if code is function.__code__ else []
        wanted[function].append(edit)
    functions: dict[FunctionType, ast.FunctionDef] = {}
    for function, all_of_it in wanted.items():
        functions[function] = node = _source(function)
        for edit in all_of_it:
            _replace(node, edit)
    with ExitStack() as stack:
        for edit in edits:
            space: dict[str, Any] = inspect.unwrap(edit.function).__globals__
            for name, value in edit.names.items():
                stack.callback(_restore, space, name, space.get(name, _MISSING))
                space[name] = code_of_today(name, value)
        for function, node in functions.items():
            edited = _compile(function, node)
            stack.enter_context(patched(function, edited))
            stack.callback(_forget, function, _in_force.get(function))
            _in_force[function] = (edited.__code__, wanted[function])
        yield


# Of a function with edits: its code, and the edits that made it so.
_in_force: dict[FunctionType, tuple[CodeType, list[Edit]]] = {}


def _forget(function: FunctionType, before: tuple[CodeType, list[Edit]] | None) -> None:
    if before is None:
        del _in_force[function]
    else:
        _in_force[function] = before


def _restore(space: dict[str, Any], name: str, value: Any) -> None:
    if value is _MISSING:
        space.pop(name, None)
    else:
        space[name] = value
