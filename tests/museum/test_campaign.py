# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Findings in the baselines, and the search that goes on behind them."""

from __future__ import annotations

import pytest

from kport.arch.patch import Edit, applied
from kport.drm.scheduler.v7_2 import sched_main
from kport.explore import explore
from kport.museum.campaign import campaign
from kport.museum.findings import FINDINGS, mends
from kport.museum.library import find
from kport.museum.play import visit


@pytest.mark.parametrize("number", FINDINGS)
def test_a_finding_is_found_and_its_mend_mends(number):
    shown = visit(FINDINGS[number], "pct:3", schedules=20_000, replays=1, survive=150)
    assert shown.hunt.found, shown.hunt.other
    assert shown.broke == []
    assert FINDINGS[number].as_it_stands
    assert FINDINGS[number].note


@pytest.mark.parametrize(
    ("number", "seed", "where", "known"),
    [
        ("F01", 1, "dma_fence_remove_callback", "work-behind-stop: sched_main.c:140-144"),
        ("F03", 2, "drm_sched_entity_wakeup", "wakeup-against-fini: sched_entity.c:443-452"),
    ],
)
def test_a_use_after_free_that_is_a_finding_says_so(number, seed, where, known):
    """`kport stress` counts these apart."""
    entry = find(number)
    result = explore(entry.scenario, strategy="pct:3", schedules=6000, seed=seed, check="memory")
    (failure,) = result.failures
    assert f"slab-use-after-free in {where}" in failure.headline
    assert f"\n known: {known}" in failure.report


def test_mends_are_of_the_scheduler_that_is_asked_for():
    for sched in ("v7_2", "v6_1", "v3_2023"):
        edits = [edit for mend in mends(sched) for edit in mend]
        assert {edit.function.__module__.split(".")[3] for edit in edits} == {sched}
        for mend in mends(sched):
            with applied(*mend):
                assert all(callable(edit.function) for edit in mend)


@pytest.mark.long
def test_what_the_mends_cure_is_known():
    """gen:8 meets the work that is queued behind a stop, and nothing else."""
    found = campaign(scenarios=1, seed=8, schedules=1500)
    assert found.broken == 1
    assert len(found.known) >= 1
    assert found.failures == []
    assert found.schedules > 1500


def test_news_are_told_once_and_end_the_search(monkeypatch):
    def broken(kernel):
        raise AssertionError("always")

    entry = find("two-jobs")
    fake = type(entry)("gen:0", "", broken)
    monkeypatch.setattr("kport.museum.campaign.find", lambda name: fake)
    found = campaign(scenarios=5, schedules=3, keep_going=False)
    assert [f.headline for f in found.failures] == ["AssertionError: always"]
    assert found.scenarios == 1
    found = campaign(scenarios=3, schedules=2)
    assert found.scenarios == found.broken == 3
    assert len(found.failures) == 1
    assert found.to_json()["failures"][0]["headline"] == "AssertionError: always"


def test_a_change_of_a_user_is_news_even_where_a_mend_changes_the_same_function():
    edit = Edit(sched_main.drm_sched_free_job_work, "drm_sched_run_job_queue(sched)")
    with applied(edit):
        found = campaign(scenarios=1, seed=14, schedules=5)
        assert [f.kind for f in found.failures] == ["deadlock"]
        for f in found.failures:
            assert f.token.startswith("gen:14+mends~")
    assert campaign(scenarios=1, seed=14, schedules=5).broken == 0


def test_a_search_ends_in_time():
    found = campaign(seconds=0.3, schedules=5)
    assert 0.3 <= found.seconds < 20
    assert found.scenarios >= 1


def test_a_mended_scenario_is_named_and_found_again():
    entry = find("gen:8+mends")
    with entry.stage():
        result = explore(entry.scenario, strategy="pct:3", schedules=200, seed=8)
    assert result.scenario == "gen:8+mends"
    assert result.failures == []
