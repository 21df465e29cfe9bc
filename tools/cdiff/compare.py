# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A function of the port beside the facts of its C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from tools.cdiff.accepted import pin
from tools.cdiff.canon import Statement, digest
from tools.cdiff.facts import FunctionFact, StatementFact
from tools.cdiff.pysource import PyFunction
from tools.cdiff.rules import REASONS


@dataclass(frozen=True)
class Row:
    """C statements beside Python statements. `state`: equal, rule, pinned or different.

    `head`: not of statements, but of parameters. `between`: the hashes of the C statements before
    and behind.
    """

    state: str
    c: tuple[StatementFact, ...]
    python: tuple[Statement, ...]
    problem: str = ""
    head: bool = False
    between: tuple[str, str] = ("", "")

    @property
    def tags(self) -> frozenset[str]:
        """The tags on the Python statements."""
        return frozenset(tag for item in self.python for tag in item.rules)

    @property
    def pinnable(self) -> bool:
        """True for a deviation that is tagged throughout."""
        return self.state == "pinned" or self.problem == "not accepted"

    @property
    def pin(self) -> str:
        """The hash that pins this pair."""
        return pin(
            [self.between[0], *(item.hash for item in self.c), self.between[1]],
            [item.hash for item in self.python],
            sorted(self.tags),
        )


@dataclass(frozen=True)
class Comparison:
    """One function of both sides."""

    fact: FunctionFact
    function: PyFunction
    rows: tuple[Row, ...]
    problems: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """True if there is nothing to report."""
        return not self.problems and all(row.state != "different" for row in self.rows)


def _as_macro(statements: Sequence[Statement]) -> list[Statement]:
    """A macro's value is its last expression; a function that returns nothing does not say so."""
    made = list(statements)
    if made and made[-1].depth == 0 and made[-1].key.startswith("(Expr (Call"):
        last = made[-1]
        key = "(Return" + last.key.removeprefix("(Expr")
        made[-1] = Statement(0, key, last.text, last.line, last.end, last.rules)
    return made


def compare(fact: FunctionFact, function: PyFunction, pins: Sequence[str] = ()) -> Comparison:
    """Align the statements of both sides and judge every one of them."""
    python = list(function.statements)
    if fact.kind == "text":
        return Comparison(fact, function, (_whole(fact, function, list(pins)),))
    if fact.kind == "macro":
        python = _as_macro(python)
    matcher = SequenceMatcher(None, fact.hashes, [item.hash for item in python], autojunk=False)
    left = list(pins)
    rows: list[Row] = []
    for kind, c1, c2, p1, p2 in matcher.get_opcodes():
        if kind == "equal":
            pairs = zip(fact.statements[c1:c2], python[p1:p2], strict=True)
            rows += [_equal(c, item) for c, item in pairs]
        else:
            around = ("", *fact.hashes, "")
            row = Row("pinned", fact.statements[c1:c2], tuple(python[p1:p2]))
            rows.append(_deviation(replace(row, between=(around[c1], around[c2 + 1])), left))
    head = _signature(fact, function, left)
    if head is not None:
        rows.insert(0, head)
    problems = _locals(fact, function, rows)
    if left:
        problems.append("an accepted difference is gone; see 'cdiff accept'")
    return Comparison(fact, function, tuple(rows), tuple(problems))


def _whole(fact: FunctionFact, function: PyFunction, pins: list[str]) -> Row:
    """A macro that is no list of statements beside the function it has become."""
    head = _head(function)
    row = Row("pinned", fact.statements, (head, *function.statements))
    return _deviation(row, pins, whole=True)


def _head(function: PyFunction) -> Statement:
    found = ", ".join(function.parameters)
    text = f"{function.name}({found})"
    return Statement(0, f"({found})", text, function.line, function.line, function.tags)


def added(function: PyFunction, pins: list[str]) -> Row:
    """A function that C does not have: nothing to compare, but a change must be seen."""
    row = Row("pinned", (), (_head(function), *function.statements))
    if row.pin in pins:
        return row
    return replace(row, state="different", problem="not accepted")


def _equal(c: StatementFact, item: Statement) -> Row:
    missing = c.rules - item.rules
    unneeded = item.rules - c.rules
    if missing:
        return Row("different", (c,), (item,), f"needs the tag '{sorted(missing)[0]}'")
    if unneeded:
        return Row("different", (c,), (item,), f"does not need the tag '{sorted(unneeded)[0]}'")
    return Row("rule" if c.rules else "equal", (c,), (item,))


def _deviation(row: Row, pins: list[str], whole: bool = False) -> Row:
    """A difference: pinned if it is tagged throughout and was accepted."""
    unknown = row.tags - REASONS.keys()
    if unknown:
        problem = f"'{sorted(unknown)[0]}' is no known reason"
        return replace(row, state="different", problem=problem)
    tagged = row.python[:1] if whole else row.python
    if not row.python or not all(item.rules for item in tagged):
        return replace(row, state="different", problem="differs")
    if row.pin not in pins:
        return replace(row, state="different", problem="not accepted")
    pins.remove(row.pin)
    return row


def _signature(fact: FunctionFact, function: PyFunction, pins: list[str]) -> Row | None:
    """A row for the parameters, if they are not equal or the `def` line has a tag."""
    if fact.parameters == function.parameters and not function.tags:
        return None
    wanted = ", ".join(fact.parameters)
    c = StatementFact(fact.line, 0, digest(f"0 ({wanted})"))
    row = replace(judge(c, _head(function), pins), head=True)
    if row.problem == "differs":
        return replace(row, problem=f"has other parameters than C: ({wanted})")
    return row


def judge(c: StatementFact, item: Statement, pins: list[str]) -> Row:
    """One thing of C and one of the port: parameters, the members of a struct, a table."""
    if c.hash == item.hash:
        return _equal(c, item)
    return _deviation(Row("pinned", (c,), (item,)), pins)


def _locals(fact: FunctionFact, function: PyFunction, rows: Sequence[Row]) -> list[str]:
    """Locals of C that the port has lost, unless a deviation explains it."""
    lost = [name for name in fact.locals if name not in function.names]
    if not lost or any(row.state == "pinned" for row in rows):
        return []
    return [f"the local '{name}' of C is lost" for name in lost]
