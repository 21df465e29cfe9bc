# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`cdiff mutants`: is a wrong statement really found?

Functions of the port are changed, one small change at a time, the way a slip of the translator
would change them, and compared again. A mutant that compares clean is a hole in cdiff, unless it
means the same as the original; such changes are not made.
"""

from __future__ import annotations

import ast
import copy
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from tools.cdiff.canon import key
from tools.cdiff.compare import compare
from tools.cdiff.project import Pair, Project
from tools.cdiff.pysource import PyFile, reread

# What is done, on which line, and the function that does it.
Change = tuple[str, int, Callable[[], None]]

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True)
class Mutant:
    """One changed function: what was done to it, and where."""

    kind: str
    pair: Pair
    line: int
    node: ast.FunctionDef

    def __str__(self) -> str:
        return f"{self.pair.file.path}:{self.line}: {self.pair.function.name}: {self.kind}"


@dataclass
class Result:
    """How many mutants there were of each kind, and which compared clean."""

    made: Counter[str] = field(default_factory=Counter)
    survivors: list[Mutant] = field(default_factory=list)


def _blocks(node: ast.FunctionDef) -> Iterator[list[ast.stmt]]:
    """Every block of statements of a function; the docstring is not in it."""
    for item in ast.walk(node):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(item, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _declares(node: ast.stmt) -> bool:
    """True for a statement that does nothing: an annotation, `global`."""
    if isinstance(node, ast.AnnAssign):
        return node.value is None
    return isinstance(node, (ast.Global, ast.Nonlocal, ast.Pass))


def _same(a: ast.AST, b: ast.AST) -> bool:
    return key(a) == key(b)


def _statements(node: ast.FunctionDef) -> Iterator[Change]:
    """(kind, line, change) of the changes to whole statements."""
    for block in _blocks(node):
        first = 1 if block is node.body and _is_docstring(block[0]) else 0
        for index in range(first, len(block)):
            item = block[index]
            if _declares(item):
                continue
            yield "drop a statement", item.lineno, partial(_drop, block, index)
            if index + 1 < len(block) and not _same(item, block[index + 1]):
                if not _declares(block[index + 1]):
                    yield "swap two statements", item.lineno, partial(_swap, block, index)
            if isinstance(item, (ast.If, ast.While, ast.For, ast.With)):
                last = item.body[-1]
                if not isinstance(last, (ast.Break, ast.Continue, ast.Return, ast.Raise)):
                    change = partial(_hoist, block, index)
                    yield "move a statement out of its block", last.lineno, change


def _drop(block: list[ast.stmt], index: int) -> None:
    line = block[index].lineno
    del block[index]
    if not block:
        block.append(ast.Pass(lineno=line, col_offset=0, end_lineno=line, end_col_offset=0))


def _swap(block: list[ast.stmt], index: int) -> None:
    block[index], block[index + 1] = block[index + 1], block[index]


def _hoist(block: list[ast.stmt], index: int) -> None:
    inner = block[index].body  # type: ignore[attr-defined]
    last = inner[-1]
    _drop(inner, len(inner) - 1)
    block.insert(index + 1, last)


def _expressions(node: ast.FunctionDef, members: Sequence[str]) -> Iterator[Change]:
    """(kind, line, change) of the changes inside expressions."""
    for item in ast.walk(node):
        if isinstance(item, (ast.If, ast.While, ast.IfExp)):
            yield "negate a condition", item.lineno, partial(_negate, item)
        elif isinstance(item, ast.Compare) and type(item.ops[0]) in _COMPARE:
            yield "another comparison", item.lineno, partial(_compare, item)
            if isinstance(item.ops[0], ast.Eq):
                yield "is for ==", item.lineno, partial(_identity, item)
        elif isinstance(item, ast.BoolOp):
            yield "and for or", item.lineno, partial(_junction, item)
        elif isinstance(item, ast.BinOp) and type(item.op) in _BINARY:
            yield "another operator", item.lineno, partial(_operator, item)
        elif isinstance(item, ast.AugAssign) and type(item.op) in _BINARY:
            yield "another operator", item.lineno, partial(_operator, item)
        elif isinstance(item, ast.Attribute):
            other = members[(members.index(item.attr) + 1) % len(members)]
            if other != item.attr:
                yield "another member", item.lineno, partial(setattr, item, "attr", other)
        elif isinstance(item, ast.Call):
            for index in range(len(item.args) - 1):
                if not _same(item.args[index], item.args[index + 1]):
                    yield "swap two arguments", item.lineno, partial(_arguments, item, index)
        elif isinstance(item, ast.Constant) and type(item.value) in (int, bool):
            yield "another constant", item.lineno, partial(_constant, item)


def _negate(node: ast.If | ast.While | ast.IfExp) -> None:
    test = node.test
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        node.test = test.operand
    else:
        node.test = ast.copy_location(ast.UnaryOp(ast.Not(), test), test)


def _compare(node: ast.Compare) -> None:
    node.ops[0] = _COMPARE[type(node.ops[0])]()


def _identity(node: ast.Compare) -> None:
    node.ops[0] = ast.Is()


def _junction(node: ast.BoolOp) -> None:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _operator(node: ast.BinOp | ast.AugAssign) -> None:
    node.op = _BINARY[type(node.op)]()


def _arguments(node: ast.Call, index: int) -> None:
    node.args[index], node.args[index + 1] = node.args[index + 1], node.args[index]


def _constant(node: ast.Constant) -> None:
    value = node.value
    node.value = not value if isinstance(value, bool) else int(str(value)) + 1


def _changes(node: ast.FunctionDef, members: Sequence[str]) -> list[Change]:
    return [*_statements(node), *_expressions(node, members)]


def _body_only(node: ast.FunctionDef) -> ast.FunctionDef:
    """A copy whose annotations and decorators cannot be mutated: they mean nothing in C."""
    made = copy.deepcopy(node)
    made.decorator_list = []
    made.returns = None
    for item in ast.walk(made):
        if isinstance(item, ast.arg):
            item.annotation = None
        elif isinstance(item, ast.AnnAssign):
            item.annotation = ast.copy_location(ast.Name("Any", ast.Load()), item.annotation)
    return made


def _members(node: ast.FunctionDef) -> list[str]:
    return sorted({item.attr for item in ast.walk(node) if isinstance(item, ast.Attribute)})


def mutants(project: Project, files: Sequence[PyFile], count: int, seed: int) -> Iterator[Mutant]:
    """`count` mutants of the functions of some files, chosen by a seed."""
    sites: list[tuple[Pair, int]] = []
    for file in files:
        for pair in project.pairs(file):
            plain = _body_only(pair.function.node)
            changes = _changes(plain, _members(plain))
            sites += [(pair, index) for index in range(len(changes))]
    chosen = random.Random(seed).sample(sites, min(count, len(sites)))
    for pair, index in chosen:
        node = _body_only(pair.function.node)
        kind, line, change = _changes(node, _members(node))[index]
        change()
        yield Mutant(kind, pair, line, node)


def caught(project: Project, mutant: Mutant) -> bool:
    """True if cdiff finds the change."""
    pair = mutant.pair
    function = reread(pair.file, mutant.node, project.root)
    pins = project.pins.get(pair.file.path, {}).get(function.name, [])
    return not compare(pair.fact, function, pins).clean


def run(
    project: Project,
    files: Sequence[PyFile],
    count: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, count: None,
) -> Result:
    """Make mutants and see which are found; `progress` is told how many are done."""
    result = Result()
    for done, mutant in enumerate(mutants(project, files, count, seed), 1):
        progress(done, count)
        result.made[mutant.kind] += 1
        if not caught(project, mutant):
            result.survivors.append(mutant)
    return result
