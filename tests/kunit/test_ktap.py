# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The strict reader of KTAP: what it understands, and that it lets no damage through."""

from __future__ import annotations

import pytest

from kport.kunit.ktap import KtapError, count, read

GOOD = """\
KTAP version 1
1..2
    KTAP version 1
    # Subtest: one
    1..3
    # plain: something to say
    ok 1 plain
        KTAP version 1
        # Subtest: many
        ok 1 a b, c
    a line of the kernel's log
        not ok 2 param-2
        ok 3 d # SKIP no GPU
    # many: pass:1 fail:1 skip:1 total:3
    not ok 2 many
    ok 3 last # SKIP \n\
# one: pass:1 fail:1 skip:1 total:3
# Totals: pass:2 fail:1 skip:2 total:5
not ok 1 one
not ok 2 two
"""


def test_a_whole_output():
    one, two = read(GOOD)
    assert (one.name, one.status) == ("one", "failed")
    assert [(t.name, t.status, t.comment) for t in one.subtests] == [
        ("plain", "passed", ""),
        ("many", "failed", ""),
        ("last", "skipped", ""),
    ]
    plain, many, _ = one.subtests
    assert plain.lines == ["    # plain: something to say"]
    assert [(t.name, t.status, t.comment) for t in many.subtests] == [
        ("a b, c", "passed", ""),
        ("param-2", "failed", ""),
        ("d", "skipped", "no GPU"),
    ]
    assert many.subtests[1].lines == ["    a line of the kernel's log"]
    assert (two.name, two.status, two.group) == ("two", "failed", False)
    assert count([leaf for test in (one, two) for leaf in test.leaves()]) == [2, 2, 2, 6]


def test_a_run_of_no_suites():
    assert read("KTAP version 1\n1..0\n") == []


@pytest.mark.parametrize("number", range(len(GOOD.splitlines())))
def test_a_line_that_is_missing_is_noticed(number):
    lines = GOOD.splitlines()
    gone = lines.pop(number)
    if "something to say" in gone or "kernel's log" in gone or "pass:" in gone:
        read("\n".join(lines))  # diagnostics may come or not
        return
    with pytest.raises(KtapError):
        read("\n".join(lines))


@pytest.mark.parametrize("number", range(len(GOOD.splitlines())))
def test_a_line_that_comes_twice_is_noticed(number):
    lines = GOOD.splitlines()
    twice = lines[number]
    lines.insert(number, twice)
    if "something to say" in twice or "kernel's log" in twice or "pass:" in twice:
        read("\n".join(lines))
        return
    with pytest.raises(KtapError):
        read("\n".join(lines))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("KTAP version 1\n1..2", "KTAP version 2\n1..2", "version is not 1"),
        ("1..2\n", "1..3\n", "3 results were planned, 2 came"),
        ("    1..3", "    1..4", "4 results were planned, 3 came"),
        ("    # Subtest: one\n", "    # Subtest: eins\n", "the result of eins is missing"),
        ("        # Subtest: many", "       # Subtest: many", "at this indentation"),
        ("    ok 1 plain", "     ok 1 plain", "at this indentation"),
        ("    ok 1 plain", "    ok 2 plain", "result 1 is missing"),
        ("    not ok 2 many", "    ok 2 many", "a subtest has failed"),
        ("not ok 1 one", "ok 1 one", "a subtest has failed"),
        ("        ok 3 d", "        not ok 3 d", "skipped, and not ok"),
        ("# one: pass:1", "# one: pass:2", "the results so far are [1, 1, 1, 3]"),
        ("# Totals: pass:2", "# Totals: pass:1", "the results so far are [2, 1, 2, 5]"),
        ("# many: pass:1 fail:1", "# many: pass:2 fail:0", "so far are [1, 1, 1, 3]"),
        ("not ok 1 one\nnot ok 2 two\n", "", "subtests of one have no result"),
        ("KTAP version 1\n1..2\n", "", "indentation is 4, not 0"),
        ("1..2\n", "# Subtest: all\n1..2\n", "does not follow its version line"),
        ("    1..3\n", "    1..3\n    1..3\n", "a second plan"),
    ],
)
def test_damage(old, new, why):
    assert GOOD.count(old) >= 1
    with pytest.raises(KtapError) as error:
        read(GOOD.replace(old, new, 1))
    assert why in str(error.value)
    assert str(error.value).startswith("line ")


def test_the_end_before_the_beginning():
    with pytest.raises(KtapError, match="no KTAP version line"):
        read("nothing\n")
