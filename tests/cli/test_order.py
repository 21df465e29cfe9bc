# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The picture of the order on the rings."""

from __future__ import annotations

import io

from kport.cli.order import letter, order_lines
from kport.cli.terminal import Style
from kport.workload.result import Run

MS = 1_000_000
PLAIN = Style(io.StringIO())


def picture(*runs: tuple[str, int, float, float], names=("one", "two", "three")) -> list[str]:
    made = [Run(ring, client, int(a * MS), int(b * MS)) for ring, client, a, b in runs]
    return order_lines(made, names, 80, PLAIN)


def test_no_runs_no_picture():
    assert picture() == []


def test_a_row_for_each_ring_and_a_letter_for_each_client():
    lines = picture(("rcs", 1, 0, 4), ("rcs", 2, 4, 8), ("bcs", 1, 6, 8), ("rcs", 1, 10, 12))
    assert lines[0] == "ORDER  who ran on each ring, the last 8 ms; a column is 2 ms; . is idle"
    assert lines[1:] == ["bcs  ...a", "rcs  aabb", "a one  b two"]


def test_a_column_shows_who_ran_longest_in_it():
    assert picture(("r", 1, 0, 0.3), ("r", 2, 0.3, 1.9), ("r", 1, 2, 2.1))[1] == "r  b"
    assert picture(("r", 1, 0, 0.1), ("r", 1, 3.9, 4))[1] == "r  aa"


def test_the_picture_ends_when_the_first_client_has_its_last_run():
    lines = picture(("r", 1, 0, 10), ("r", 2, 10, 500), ("r", 2, 500, 900))
    assert lines[1] == "r  aaaaa"


def test_a_long_run_shows_its_last_part_in_80_columns():
    lines = picture(*[("rcs", 1 + turn % 2, turn * 4, turn * 4 + 4) for turn in range(500)])
    assert lines[1].startswith("rcs  ")
    assert len(lines[1]) == 5 + 72
    assert "aabbaabb" in lines[1]


def test_letters_run_out():
    assert [letter(1), letter(26), letter(27), letter(52), letter(53)] == list("azAZ?")


def test_the_legend_is_broken_into_lines():
    names = [f"client-with-a-name-{number}" for number in range(1, 9)]
    runs = [("r", number, number, number + 1) for number in range(1, 9)]
    last = [("r", number, 20 + number, 21 + number) for number in range(1, 9)]
    lines = picture(*runs, *last, names=names)
    assert len(lines) > 3
    assert all(len(line) <= 80 for line in lines)
