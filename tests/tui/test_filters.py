# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a filter lets through, and what it says of one that cannot be meant."""

from __future__ import annotations

import pytest

from tui.filters import Filter, FilterError, number

ROWS = [
    {"ring": "gfx", "wait": 5_000_000, "flags": ""},
    {"ring": "sdma0", "wait": None, "flags": "GUILTY"},
    {"ring": "gfx_low", "wait": 12, "flags": "stopped"},
]


def passed(text):
    wanted = Filter(text, ("ring", "wait", "flags"))
    return [number for number, row in enumerate(ROWS) if wanted(row)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [0, 1, 2]),
        ("gfx", [0, 2]),
        ("GFX -low", [0]),
        ("guilty", [1]),
        ("ring=gfx", [0, 2]),
        ("ring!=gfx", [1]),
        ("wait>1ms", [0]),
        ("wait>=12", [0, 2]),
        ("wait<12ns", []),
        ("wait<=12ns", [2]),
        ("wait=5ms", [0]),
        ("flags=", [0]),
        ("flags!= wait<1us", [2]),
        ("ring=gfx wait<1s -low", [0]),
        ("-", []),
    ],
)
def test_rows(text, rows):
    assert passed(text) == rows


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nowhere=1", "no column 'nowhere'; there are ring, wait, flags"),
        ("wait>soon", "wait>soon: 'soon' is no number; say wait>5 or 5ms"),
    ],
)
def test_errors_are_one_line(text, says):
    with pytest.raises(FilterError) as error:
        Filter(text, ("ring", "wait", "flags"))
    assert str(error.value) == says


@pytest.mark.parametrize(
    ("text", "ns"),
    [("5", 5), ("5ns", 5), ("2.5us", 2500), ("-3ms", -3e6), ("1s", 1e9), ("x", None)],
)
def test_numbers(text, ns):
    assert number(text) == ns
