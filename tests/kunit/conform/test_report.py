# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A difference as text: where it is, what both sides did, what the port's state was."""

from __future__ import annotations

import json

from kport.kunit.conform.compare import compare
from kport.kunit.conform.record import parse
from kport.kunit.conform.report import report, side_by_side, summary
from tests.kunit.conform.files import records


def difference_of(change, name="hand-fifo_ties_batch"):
    record = records("rr")[name]
    change(record)
    difference = compare(parse(json.dumps(record).encode(), "file:3", 3))
    assert difference is not None
    return difference


def test_events_that_differ_are_marked_beside_each_other():
    def change(record):
        record["events"][16][1][2] = "S9"
        del record["events"][16][5]

    difference = difference_of(change)
    lines = report(difference)
    assert lines[0] == summary(difference)
    assert lines[0] == "hand-fifo_ties_batch: other events in operation 16 (push)"
    assert "line 3 of its file, policy rr" in lines[1]
    assert "  -->  16  push J5" in lines
    assert "       15  push J4" in lines
    assert "       18  advance S0 1" in lines
    assert [line for line in lines if " | " in line] != []
    assert [line for line in lines if " > " in line] != []
    assert all(len(line) <= 80 for line in lines)
    assert any(line.startswith("    S0   score=") for line in lines)


def test_a_state_that_differs_is_shown_field_by_field():
    difference = difference_of(lambda record: record["final"]["J0"].update(flags=9, karma=None))
    text = "\n".join(report(difference))
    assert "another state in operation 24 (final)" in text
    assert "    J0.flags  kernel  9\n              port    1\n" in text
    assert "    J0.karma  kernel  null\n              port    0\n" in text


def test_a_doc_is_wrapped():
    difference = difference_of(lambda record: record["events"].__setitem__(16, []))
    assert difference.scenario.doc == ""
    long = difference_of(
        lambda record: record["events"].__setitem__(3, [["done", "J9"]]),
        "hand-kill_scheduled_dep",
    )
    assert "a killed job waits for finished" in report(long)[2]
    assert all(len(line) <= 40 for line in report(long, 40)[2:5])


def test_two_columns():
    left = [["a"], ["b", 1], ["c"], ["d"]]
    right = [["a"], ["b", 2], ["d"], ["e", None]]
    assert side_by_side(("kernel", "port"), left, right, 40) == [
        "    kernel             port",
        "    a                  a",
        "    b 1              | b 2",
        "    c                <",
        "    d                  d",
        "                     > e null",
    ]
    assert side_by_side(("k", "p"), [], [], 20)[1] == "    (none)   (none)"


def test_of_long_lists_the_part_with_the_first_difference():
    left = [["x", i] for i in range(1000)]
    right = [*left[:500], ["y"], *left[501:700]]
    rows = side_by_side(("kernel", "port"), left, right, 80)
    assert len(rows) < 70
    assert any("x 500" in row and "| y" in row for row in rows)
    assert rows[1].split() == "... 470 before that the same".split()
    assert rows[-1].split() == "... 470 more ... 170 more".split()
    shorter = side_by_side(("kernel", "port"), left, left[:200], 80)
    assert any(row.split()[:3] == ["x", "200", "<"] for row in shorter)


def test_a_long_or_rude_event_is_cut_and_made_printable():
    rows = side_by_side(("k", "p"), [["x" * 99]], [["a\x1b[1m"]], 40)
    assert rows[1] == "    " + "x" * 13 + "... | a\\x1b[1m"
