# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Stages of jobs' lives, and percentiles."""

from __future__ import annotations

import pytest

from kport.trace.snapshot import Stats
from kport.trace.stats import STAGES, percentile, stats
from tests.trace.sample import DMA, GFX, US, Trace, random_trace, whole_life


def test_stages_of_a_whole_life():
    model = whole_life(Trace()).model()
    found = {stage: model.lengths(stage) for stage in STAGES}
    assert found == {
        "wait": [10 * US], "depend": [0], "pick": [10 * US], "run": [50 * US], "hw": [40 * US],
        "signal": [10 * US], "free": [10 * US], "latency": [70 * US], "pass": [60 * US],
    }  # fmt: skip


def test_dependencies_are_clear_with_the_last_of_them():
    trace = Trace().queue(9, 1, DMA, at=0).queue(9, 2, DMA).queue(3, 1, at=1)
    trace.depend(3, 1, 9, 1).depend(3, 1, 9, 2)
    trace.run(9, 1, DMA, at=2).run(9, 2, DMA).done(9, 1, at=20).done(9, 2, at=50)
    model = trace.run(3, 1, at=60).model()
    assert model.lengths("depend", ring=GFX) == [49 * US]
    assert model.lengths("pick", ring=GFX) == [10 * US]
    assert model.job((3, 1)).ready == 50 * US
    assert model.job((3, 1), model.log.end - 3).ready is None


def test_what_the_scheduler_found_unsignalled_is_a_dependency_too():
    trace = Trace().fence("init", 50, 7, at=0).queue(3, 1).look(3, 1, 50, 7, at=5)
    model = trace.fence("signaled", 50, 7, at=30).run(3, 1, at=40).model()
    assert model.lengths("depend") == [30 * US]
    assert model.job((3, 1), 2).ready is None


def test_a_job_that_ran_was_ready():
    """A signal may stand a microsecond behind the run that it allowed."""
    trace = Trace().queue(9, 1, DMA, at=0).run(9, 1, DMA).queue(3, 1).depend(3, 1, 9, 1)
    model = trace.run(3, 1, at=60).done(9, 1, at=61).model()
    assert model.lengths("depend", ring=GFX) == [60 * US]


def test_filters_and_windows():
    trace = Trace()
    for i in range(1, 11):
        trace.queue(3, i, client=i % 2, at=100 * i).run(3, i, at=100 * i + i)
    model = trace.queue(9, 1, DMA, at=5000).run(9, 1, DMA, at=5500).model()
    assert model.stats("wait").count == 11
    assert model.stats("wait", ring=GFX).max == 10 * US
    assert model.lengths("wait", ring="sdma0") == [500 * US]
    assert model.lengths("wait", client=0) == [i * US for i in (2, 4, 6, 8, 10)]
    assert model.stats("wait", begin=302 * US, end=505 * US).count == 3
    assert model.stats("wait", begin=303 * US, end=504 * US).count == 1
    assert model.stats("wait", begin=6000 * US).count == 0


def test_windows_together_have_everything_once():
    model = random_trace(8, jobs=200).model()
    middle = (model.began + model.ended) // 2
    for stage in STAGES:
        both = model.lengths(stage, end=middle) + model.lengths(stage, begin=middle)
        assert sorted(both) == model.lengths(stage)


def test_a_ring_has_the_same_in_a_window_by_key_and_by_name():
    model = random_trace(9, jobs=300).model()
    span = model.ended - model.began
    for stage in STAGES:
        for part in range(0, 9, 2):
            begin, end = model.began + span * part // 10, model.began + span * (part + 2) // 10
            found = model.lengths(stage, ring=GFX, begin=begin, end=end)
            assert found == model.lengths(stage, ring=GFX.ring, begin=begin, end=end)
            assert found or stage in ("signal", "free")


def test_percentiles_are_nearest_ranks():
    values = list(range(1, 101))
    assert [percentile(values, p) for p in (0.1, 1, 50, 99, 99.5, 100)] == [1, 1, 50, 99, 100, 100]
    assert percentile([], 50) == 0
    assert stats(values) == Stats(100, 50.5, 50, 90, 99, 100)
    assert stats([]) == Stats()


def test_a_stage_that_is_not_there():
    with pytest.raises(KeyError):
        Trace().queue(3, 1).model().stats("sleep")
