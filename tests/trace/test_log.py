# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Events by number: looking up, searching, forgetting."""

from __future__ import annotations

import pytest

from kport.trace.model import Model, open_recording
from tests.trace.sample import RECORDING, US, Trace


@pytest.fixture(scope="module")
def log():
    return open_recording(str(RECORDING)).log


def test_an_event_by_its_number(log):
    assert len(log) == log.end == 31_585
    assert log[0].name == "dma_fence_init"
    assert log.line(4).split()[4] == "drm_sched_job_queue:"
    assert log.text(31_000) in log.line(31_000)
    for number in (-1, 31_585):
        with pytest.raises(IndexError):
            log[number]


def test_slices_end_where_the_log_ends(log):
    assert [event.name for event in log.slice(-5, 2)] == ["dma_fence_init", "dma_fence_signaled"]
    assert len(log.slice(31_580, 99_999)) == 5


def test_finding_text(log):
    everything = [n for n, event in enumerate(log.slice(0, log.end)) if "add_dep" in event.name]
    assert len(everything) == 297
    assert log.find("add_dep", 0, limit=1000) == everything
    assert log.find("add_dep", everything[7]) == [everything[7]]
    assert log.find("add_dep", everything[7] + 1) == [everything[8]]
    assert log.find("add_dep", everything[7] - 1, backwards=True) == [everything[6]]
    assert log.find("add_dep", 31_584, backwards=True, limit=1000) == everything[::-1]
    assert log.find("no such thing", 0, limit=10) == []


def test_finding_by_a_function_within_bounds(log):
    found = log.find(lambda event: event.name == "drm_sched_job_run", 100, limit=3)
    assert len(found) == 3
    assert log.find(lambda event: True, 100, limit=100, scan=7) == list(range(100, 107))
    assert log.find(lambda event: True, 100, limit=9, scan=3, backwards=True) == [100, 99, 98, 97]


def test_times_and_numbers():
    model = Trace().queue(3, 1, at=5).queue(3, 2, at=5).queue(3, 3, at=9).model()
    assert [model.at_time(us * US) for us in (4, 5, 6, 9, 99)] == [-1, 1, 1, 2, 2]
    assert [model.time_of(at) for at in (-1, 0, 1, 2, None)] == [us * US for us in (5, 5, 5, 9, 9)]


def events(first, count):
    trace = Trace()
    for i in range(first, first + count):
        trace.queue(3, i, at=10 * i).run(3, i).done(3, i, at=10 * i + 5)
    return trace.events


def test_a_long_session_forgets_its_beginning():
    model = Model(keep=3000)
    for i in range(0, 10_000, 50):
        model.feed(events(i, 50))
        assert len(model.log) <= 3000 + 150
    model.settle()
    log = model.log
    assert log.end == 30_000
    assert len(log) >= 1500
    assert log.first == log.end - len(log) > 0
    assert log[log.end - 1].values == (3, 9999)
    assert log[log.first].ts == model.time_of(log.first) == model.began
    assert model.time_of(log.end - 1) == 99_995 * US
    with pytest.raises(IndexError):
        log[log.first - 1]
    assert log.find("fence=3:9999", log.first) == [log.end - 3]
    jobs = model.stats("run").count
    assert jobs == len(log) // 3 == 1500 or jobs >= 1500
    (ring,) = model.snapshot().rings
    assert (ring.running, ring.waiting) == (0, 0)
    state = model.snapshot(log.end - 2)
    assert [job.key for job in state.jobs] == [(3, 9999)]


def test_what_was_queued_before_the_beginning_is_cut():
    model = Model(keep=200)
    model.feed(Trace().queue(5, 1, at=0).events)
    for i in range(1, 200, 10):
        model.feed(events(i, 10))
        model.settle()
    model.feed(Trace().run(5, 1, at=9000).events)
    model.settle()
    assert model.job((5, 1)).cut


def test_a_block_that_is_larger_than_what_is_kept_is_kept():
    model = Model(keep=200)
    model.feed(events(1, 500))
    model.settle()
    assert len(model.log) == 1500
    assert model.job((3, 7)).state == "over"
