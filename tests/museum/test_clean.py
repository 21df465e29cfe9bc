# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The scenarios of the library under all checkers: with the mends of the findings, no report."""

from __future__ import annotations

import pytest

from kport.explore import explore
from kport.museum.library import find
from kport.museum.scenarios import SCENARIOS


@pytest.mark.parametrize("name", ["two-jobs", "kill-foreign"])
def test_a_scenario_is_clean(name):
    with find("gen:0+mends").stage():
        assert explore(SCENARIOS[name], strategy="pct:3", schedules=60, check="all").failures == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_millions_of_points_are_clean():
    points = 0.0
    with find("gen:0+mends").stage():
        for scenario in SCENARIOS.values():
            result = explore(scenario, strategy="pct:3", schedules=200, seed=1, check="all")
            assert [failure.report for failure in result.failures] == []
            points += result.points * result.schedules
    assert points > 1_000_000
