# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Each bug of the past is found, and the code that mended it passes the same search."""

from __future__ import annotations

import re

import pytest

from kport.explore import explore, replay
from kport.museum.exhibits import EXHIBITS
from kport.museum.library import find
from kport.museum.play import hunt, is_it, visit

# What takes more than a second or two to find.
SLOW = ("R01", "R09", "R24", "R25")


def test_every_record_of_the_history_is_shown():
    assert list(EXHIBITS) == sorted(EXHIBITS)
    assert all(re.fullmatch(r"R\d\d", number) for number in EXHIBITS)
    assert len({e.slug for e in EXHIBITS.values()}) == len(EXHIBITS)
    for exhibit in EXHIBITS.values():
        assert exhibit.scenario.__doc__
        assert exhibit.as_it_stands == (exhibit.mended != "")


def test_edits_are_undone():
    before = {
        edit.function: edit.function.__code__
        for exhibit in EXHIBITS.values()
        for edit in (*exhibit.setting(), *exhibit.edits())
    }
    for exhibit in EXHIBITS.values():
        with exhibit.broken():
            for edit in exhibit.edits():
                assert edit.function.__code__ is not before[edit.function]
        with exhibit.fixed():
            pass
    assert all(function.__code__ is code for function, code in before.items())


@pytest.mark.parametrize(
    "number",
    [pytest.param(n, marks=pytest.mark.long) if n in SLOW else n for n in EXHIBITS],
)
def test_a_bug_is_found_replayed_and_mended(number):
    shown = visit(EXHIBITS[number], "pct:3", seconds=120, replays=2, survive=60)
    assert shown.hunt.found, shown.hunt.other
    assert shown.broke == []
    assert shown.replays == 2
    assert len(shown.hunt.failure.token) <= 200


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", EXHIBITS)
def test_two_strategies_find_a_bug_within_a_minute(number):
    finders = []
    for strategy in ("pct:3", "pos", "random", "surw"):
        found = hunt(EXHIBITS[number], strategy, seconds=60)
        assert not found.other
        finders += [strategy] if found.found else []
        if len(finders) == 2:
            return
    raise AssertionError(f"found by {finders} only")


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("number", EXHIBITS)
def test_mended_code_survives(number):
    entry = find(f"{number}-fixed")
    with entry.stage():
        result = explore(
            entry.scenario,
            strategy="pct:3",
            schedules=20_000,
            sched=entry.sched,
            check=entry.check,
            memory=entry.memory,
            plain=entry.plain,
        )
    assert [f.report for f in result.failures] == []


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", EXHIBITS)
def test_a_token_is_played_again_a_hundred_times(number):
    found = hunt(EXHIBITS[number], "pct:3", seconds=120)
    assert found.found
    entry = find(number)
    with entry.stage():
        for _ in range(100):
            again = replay(found.failure.token, entry.scenario)
            assert again is not None
            assert is_it(EXHIBITS[number], again)
            assert again.report == found.failure.report
