# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Assertions about a trace, for machines: `p99(wait) < 5ms`.

    assertion   comparison { "and" comparison }
    comparison  term ( "<" | "<=" | ">" | ">=" | "==" | "!=" ) limit
    term        function "(" stage { "," filter } ")"
    function    p50, p90, p99, p99.9 (any number up to 100), min, mean, max, count
    stage       a stage of a job's life: wait, run, latency, ... (kport.trace.stats)
    filter      ring=NAME or client=NUMBER
    limit       a number and its unit: ns, us, ms or s; of count a number alone

    p99(wait) < 5ms and max(run, ring=gfx) <= 100ms
    count(latency, client=13) >= 100

A percentile of nothing is nothing to be content with: unless at least one job has the stage, a
comparison is false, whatever it says; count() alone may be 0.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import NamedTuple

from kport.trace.model import Model
from kport.trace.stats import STAGES, percentile
from kport.trace.why import length

_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_FUNCTIONS = "p50, p90, p99, min, mean, max or count"
_token = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w.:\-]*)|(?P<sign><=|>=|==|!=|[<>(),=]))"
)
_rank = re.compile(r"p(\d{1,3}(?:\.\d{1,6})?)$").match


class ExprError(ValueError):
    """The text is no assertion; `str()` is one line that says where."""


class Term(NamedTuple):
    """A number taken of a trace: percentile `rank`, or `function` if that is None."""

    function: str
    rank: float | None
    stage: str
    ring: str | None
    client: int | None

    def value(self, model: Model) -> float | None:
        """The number in ns (of count: jobs); None if no job has the stage."""
        found = model.lengths(self.stage, ring=self.ring, client=self.client)
        if self.function == "count":
            return len(found)
        if not found:
            return None
        if self.rank is not None:
            return percentile(found, self.rank)
        if self.function == "mean":
            return sum(found) / len(found)
        return found[0] if self.function == "min" else found[-1]


class Comparison(NamedTuple):
    """One comparison and its text."""

    term: Term
    sign: str
    limit: float
    text: str

    def check(self, model: Model) -> tuple[bool, str]:
        """Whether it holds, and one line that says what the value is."""
        value = self.term.value(model)
        if value is None:
            return False, f"{self.text}: no job has this stage"
        shown = str(value) if self.term.function == "count" else length(round(value))
        holds = _OPERATORS[self.sign](value, self.limit)
        return holds, f"{self.text}: {'true' if holds else 'false'}, it is {shown}"


class _Tokens:
    """The words of a text, one after another."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.start = 0

    def error(self, what: str) -> ExprError:
        return ExprError(f"{what} at character {self.start + 1} of {self.text!r}")

    def next(self) -> tuple[str, str]:
        """Kind and text of the next word; ("end", "") behind the last."""
        rest = self.text[self.at :]
        self.start = self.at + len(rest) - len(rest.lstrip())
        if not rest.strip():
            return "end", ""
        match = _token.match(self.text, self.at)
        if match is None:
            raise self.error(f"{rest.strip()[:10]!r} means nothing")
        self.at = match.end()
        kind = match.lastgroup or ""
        return kind, match[kind]

    def want(self, sign: str) -> None:
        """The next word is this sign."""
        _, text = self.next()
        if text != sign:
            raise self.error(f"{text or 'the end'!r} where {sign!r} is wanted")


def parse(text: str) -> list[Comparison]:
    """The comparisons of an assertion, all of which are to hold. Raises ExprError."""
    tokens = _Tokens(text)
    found = []
    while True:
        found.append(_comparison(tokens))
        kind, word = tokens.next()
        if kind == "end":
            return found
        if word != "and":
            raise tokens.error(f"{word!r} where 'and' or the end is wanted")


def _comparison(tokens: _Tokens) -> Comparison:
    begin = tokens.at
    term = _term(tokens)
    kind, sign = tokens.next()
    if sign not in _OPERATORS:
        raise tokens.error(f"{sign or 'the end'!r} where a comparison such as '<' is wanted")
    kind, number = tokens.next()
    if kind != "number":
        raise tokens.error(f"{number or 'the end'!r} where a number is wanted")
    limit = float(number)
    if term.function != "count":
        kind, unit = tokens.next()
        if unit not in _UNITS:
            raise tokens.error(f"{unit or 'the end'!r} where a unit is wanted: ns, us, ms or s")
        limit *= _UNITS[unit]
    return Comparison(term, sign, limit, tokens.text[begin : tokens.at].strip())


def _term(tokens: _Tokens) -> Term:
    _, function = tokens.next()
    rank = _rank(function)
    if rank is None and function not in ("min", "mean", "max", "count"):
        raise tokens.error(f"{function or 'the end'!r} is no function; it is {_FUNCTIONS}")
    if rank is not None and not 0 < float(rank[1]) <= 100:
        raise tokens.error(f"{function!r}: percentiles go up to p100")
    tokens.want("(")
    _, stage = tokens.next()
    if stage not in STAGES:
        raise tokens.error(f"{stage or 'the end'!r} is no stage; it is {', '.join(STAGES)}")
    ring: str | None = None
    client: int | None = None
    while True:
        _, word = tokens.next()
        if word == ")":
            return Term(function, float(rank[1]) if rank else None, stage, ring, client)
        if word != ",":
            raise tokens.error(f"{word or 'the end'!r} where ',' or ')' is wanted")
        _, name = tokens.next()
        if name not in ("ring", "client"):
            raise tokens.error(f"{name or 'the end'!r} is no filter; it is ring=NAME or client=N")
        tokens.want("=")
        kind, value = tokens.next()
        if name == "ring" and kind in ("name", "number"):
            ring = value
        elif name == "client" and kind == "number" and value.isdigit():
            client = int(value)
        else:
            raise tokens.error(f"{value or 'the end'!r} is no {name}")
