# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Tables: alignment, width, numbers."""

from __future__ import annotations

import io

import pytest

from kport.cli.table import number, shorten, shorten_all, table
from kport.cli.terminal import Style

PLAIN = Style(io.StringIO())


def test_columns_are_aligned():
    rows = [["a", "1", ("22", "red")], ["long name", "333", "4"]]
    assert table("T", ["", "x", "yyyy"], rows, 80, PLAIN) == [
        "T",
        "             x  yyyy",
        "a            1    22",
        "long name  333     4",
    ]


def test_names_give_way_in_a_narrow_table():
    lines = table("T", ["", "x"], [["n" * 30 + "-1", "12345"]], 20, PLAIN)
    assert lines[2] == "nnnnnnnn..n-1  12345"
    assert len(lines[2]) == 20


def test_colour_does_not_move_columns():
    on = Style(io.StringIO())
    on.on = True
    (line,) = table("T", ["", "x"], [["a", ("1", "yellow")]], 80, on)[2:]
    assert line == "a         \x1b[33m1\x1b[0m"


def test_an_empty_table_is_its_headers():
    assert table("T", ["", "x"], [], 80, PLAIN) == ["T", "          x"]


@pytest.mark.parametrize(
    ("text", "size", "short"),
    [("abc", 3, "abc"), ("abcdefgh", 6, "ab..gh"), ("abcdefgh", 4, "a..h"), ("abcd", 3, "a..")],
)
def test_shorten(text, size, short):
    assert shorten(text, size) == short


def test_shortened_names_are_told_apart_where_they_can_be():
    assert shorten_all(["abcdefghij-1", "abcdefghij-2"], 9) == ["abcd..j-1", "abcd..j-2"]
    assert shorten_all(["one", "abcdefghij-1"], 9) == ["one", "abcd..j-1"]
    assert shorten_all(["abcdefg-1-xx", "abcdefg-2-xx"], 12) == ["abcdefg-1-xx", "abcdefg-2-xx"]
    assert shorten_all(["abcdefg-1-xx", "abcdefg-2-xx"], 10) == ["abcd..1-xx", "abcd..2-xx"]
    assert shorten_all(["abcdefghij-1", "abcdefghij-1"], 9) == ["abcd..j-1"] * 2
    assert len(set(shorten_all(["x" * 20 + "a" + "x" * 20, "x" * 41], 9))) == 1
    assert shorten_all([], 9) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00"), (0.123, "0.12"), (9.876, "9.88"), (12.34, "12.3"), (123, "123"), (4567, "4,567")],
)
def test_numbers(value, text):
    assert number(value) == text
