# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The result of a run."""

from __future__ import annotations

import json

import pytest

from kport.workload.result import JobCount, Result, Run, Waits, percentile


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, 0),
        ([7], 50, 7),
        ([7], 99, 7),
        ([1, 2, 3, 4], 50, 2),
        ([1, 2, 3, 4], 75, 3),
        ([1, 2, 3, 4], 76, 4),
        (list(range(1, 101)), 99, 99),
        (list(range(1, 1001)), 99, 990),
    ],
)
def test_the_nearest_rank(values, percent, expected):
    assert percentile(values, percent) == expected


def test_waits_in_us_and_ms():
    waits = [3_000_000, 1_000_500, 2_000_000]
    assert Waits.of(waits) == Waits(2000.0, 3000.0, 3000.0)
    assert Waits.of(waits[1:2], 1_000_000) == Waits(1.0, 1.0, 1.0)  # to 3 digits: 1.0005
    assert Waits.of([]) == Waits(0.0, 0.0, 0.0)


def test_json_has_no_picture():
    result = Result(order=[Run("rcs", 1, 2, 3)])
    assert "order" not in json.loads(json.dumps(result.to_json()))


@pytest.mark.parametrize(
    ("changes", "sound"),
    [
        ({}, True),
        ({"jobs": JobCount(5, 3, 0, 2)}, True),
        ({"jobs": JobCount(5, 3, 1, 1)}, False),
        ({"jobs": JobCount(5, 3, 0, 1)}, False),
        ({"leaks": 1}, False),
        ({"warnings": ["WARNING: sched_main.py:1 at f"]}, False),
        ({"warnings": ["stalled: no job can run"]}, False),
        ({"warnings": ["x.wsim: steps without effect"]}, True),
    ],
)
def test_what_is_sound(changes, sound):
    assert Result(**changes).sound is sound
