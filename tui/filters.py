# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a person types to see fewer rows.

Terms with blanks between them, all of which must hold:

    gfx                the row's text contains it, in whatever case
    -gfx               it does not
    ring=gfx           the column is it (text: contains it); also !=
    wait>5ms           the column is more; also >=, <, <=; units ns, us, ms, s

A term that names no column of the table, or compares a text with a number, is an error of one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Cell = int | float | str | None
Row = Mapping[str, Cell]

_TERM = re.compile(r"([a-z_]+)(>=|<=|!=|=|>|<)(.*)").fullmatch
_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)(ns|us|ms|s)?").fullmatch
_UNITS = {None: 1.0, "ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


class FilterError(Exception):
    """A filter that cannot be meant; `str()` is one line."""


class Filter:
    """A filter over rows with these columns. Raises FilterError."""

    def __init__(self, text: str, columns: tuple[str, ...]) -> None:
        self.text = text
        self._tests = [_test(term, columns) for term in text.split()]

    def __call__(self, row: Row) -> bool:
        return all(test(row) for test in self._tests)


def number(text: str) -> float | None:
    """A number with or without a unit of time, in ns; None if it is none."""
    match = _NUMBER(text)
    return None if match is None else float(match[1]) * _UNITS[match[2]]


def _test(term: str, columns: tuple[str, ...]) -> Callable[[Row], bool]:
    match = _TERM(term)
    if match is None:
        negative = len(term) > 1 and term[0] == "-"
        word = (term[1:] if negative else term).lower()
        return lambda row: _contains(row, word) is not negative
    name, operator, value = match.groups()
    if name not in columns:
        raise FilterError(f"no column {name!r}; there are {', '.join(columns)}")
    wanted = number(value)
    if operator in ("=", "!="):
        equal = _equal(name, value.lower(), wanted)
        return equal if operator == "=" else lambda row: not equal(row)
    if wanted is None:
        raise FilterError(f"{term}: {value!r} is no number; say {name}{operator}5 or 5ms")
    return _compared(name, operator, wanted)


def _contains(row: Row, word: str) -> bool:
    return any(word in str(value).lower() for value in row.values() if value is not None)


def _equal(name: str, value: str, wanted: float | None) -> Callable[[Row], bool]:
    def equal(row: Row) -> bool:
        cell = row[name]
        if isinstance(cell, int | float):
            return wanted is not None and cell == wanted
        return value in (cell or "").lower() if value else not cell

    return equal


def _compared(name: str, operator: str, wanted: float) -> Callable[[Row], bool]:
    def compared(row: Row) -> bool:
        cell = row[name]
        if not isinstance(cell, int | float):
            return False
        if operator == ">":
            return cell > wanted
        if operator == "<":
            return cell < wanted
        return cell >= wanted if operator == ">=" else cell <= wanted

    return compared
