# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Lanes: bars as they were, at any zoom, in both conventions."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kport.trace.bulk import Block
from kport.trace.history import CODES, SHIFT
from kport.trace.lanes import Pyramid
from kport.trace.model import Model
from kport.trace.snapshot import Segment
from tests.trace.sample import GFX, US, Trace, random_trace

QUEUE, RUN, DONE = (CODES[f"drm_sched_job_{what}"] for what in ("queue", "run", "done"))


def bars(model, columns=100, begin=0, end=100, **options):
    """(job, first and last eighth) of each segment."""
    segments = model.lane(GFX, begin * US, end * US, columns, **options)
    return [(segment.job, segment.start, segment.end) for segment in segments]


def two_that_overlap():
    """A runs 10..90, B 20..30: they end out of order."""
    trace = Trace().queue(3, 1, at=0).queue(5, 1, client=2)
    return trace.run(3, 1, at=10).run(5, 1, at=20).done(5, 1, at=30).done(3, 1, at=90).model()


def test_a_bar_is_from_run_to_done():
    model = Trace().queue(3, 1, at=0).run(3, 1, at=10).done(3, 1, at=30).model()
    assert bars(model) == [((3, 1), 80, 240)]
    assert bars(model, begin=20, end=40) == [((3, 1), 0, 400)]
    assert bars(model, begin=31, end=40) == []


def test_the_job_that_has_been_on_the_ring_longest_is_shown():
    assert bars(two_that_overlap()) == [((3, 1), 80, 720)]


def test_the_other_convention_lets_the_first_that_came_leave_first():
    assert bars(two_that_overlap(), convention="head") == [
        ((3, 1), 80, 240),
        ((5, 1), 240, 720),
    ]


def test_a_slot_has_each_job_as_it_was():
    model = two_that_overlap()
    assert model.slots(GFX) == 2
    assert bars(model, slot=0) == [((3, 1), 80, 720)]
    assert bars(model, slot=1) == [((5, 1), 160, 240)]
    assert bars(model, slot=7) == []


def test_the_next_of_a_ring_is_shown_when_the_first_is_over():
    trace = Trace().queue(3, 1, at=0).queue(3, 2).run(3, 1, at=10).run(3, 2, at=20)
    model = trace.done(3, 1, at=50).done(3, 2, at=60).model()
    assert bars(model) == [((3, 1), 80, 400), ((3, 2), 400, 480)]


@pytest.mark.parametrize("convention", ["run", "head"])
def test_nothing_after_the_moment_is_drawn(convention):
    model = two_that_overlap()
    assert bars(model, at=2, convention=convention) == [((3, 1), 80, 81)]
    assert bars(model, at=3, convention=convention) == [((3, 1), 80, 160)]
    assert bars(model, at=1, convention=convention) == []


def test_a_bar_that_is_open_ends_now():
    model = Trace().queue(3, 1, at=0).run(3, 1, at=10).queue(3, 2, at=40).model()
    assert bars(model) == [((3, 1), 80, 320)]
    model.clock = 70 * US
    assert bars(model) == [((3, 1), 80, 560)]


def test_a_job_that_ended_without_its_hardware_is_marked():
    trace = Trace().fence("init", 3, 1, at=0).queue(3, 1).run(3, 1, at=10)
    model = trace.fence("signaled", 3, 1, at=20).fence("init", 8, 1, at=30).model()
    (segment,) = model.lane(GFX, 0, 100 * US, 10)
    assert segment.error


@pytest.mark.parametrize(
    ("end", "shown"), [(50, 0), (51, 0), (60, 0), (62, 0), (63, 1), (75, 2), (100, 4)]
)
def test_what_is_left_of_a_bar_is_shown_if_it_is_an_eighth(end, shown):
    trace = Trace().queue(3, 1, at=0).run(3, 1, at=10).done(3, 1, at=end)
    found = bars(trace.model(), columns=1, begin=50, end=150)
    assert found == ([((3, 1), 0, shown)] if shown else [])


def test_a_short_bar_in_the_first_eighth_is_shown():
    model = Trace().queue(3, 1, at=0).run(3, 1, at=50).done(3, 1, at=51).model()
    assert bars(model, columns=1, begin=50, end=150) == [((3, 1), 0, 1)]


def test_bars_in_one_eighth_are_counted():
    trace = Trace().queue(3, 1, at=0)
    for seqno in range(1, 6):
        trace.queue(3, seqno).run(3, seqno, at=100 + 2 * seqno).done(3, seqno)
    model = trace.queue(3, 9, at=10_000).model()
    assert model.lane(GFX, 0, 8000 * US, 10) == [Segment(1, 2, 1, None, 5)]


@pytest.mark.parametrize(("begin", "end", "columns"), [(0, 0, 10), (5, 4, 10), (0, 9, 0)])
def test_an_empty_window_is_empty(begin, end, columns):
    assert bars(two_that_overlap(), begin=begin, end=end, columns=columns) == []


def test_a_ring_that_is_not_there_is_empty():
    assert Model().lane(GFX, 0, 1000, 10) == []


def dense(jobs, gap=3):
    """Jobs one behind another: 7 us each, with gaps."""
    parsed = []
    for i in range(jobs):
        values = "d", 3, i, "r", 0, 1, i // 100 % 5
        start = i * (7 + gap) * US
        parsed.append((start, QUEUE, "a-1", values))
        parsed.append((start, RUN, "a-1", values))
        parsed.append((start + 7 * US, DONE, "a-1", (3, i)))
    model = Model()
    model.add(Block(parsed, events=[]))
    return model


@pytest.mark.parametrize("part", [1, 0.5, 0.07])
def test_sums_of_a_dense_lane_are_right_at_any_zoom(part):
    model = dense(20_000)
    (ring,) = model.rings()
    whole = model.ended - model.began
    segments = model.lane(ring, 0, int(whole * part), 50)
    cells = sum(s.end - s.start for s in segments) / 8
    busy = sum(s.busy * (s.end - s.start) for s in segments) / 8 / cells
    assert cells == 50
    assert busy == pytest.approx(0.7, abs=0.07)
    assert sum(s.count for s in segments) == pytest.approx(20_000 * part, rel=0.05)


def test_a_window_that_begins_before_the_trace_has_nothing_there():
    model = dense(4000)
    (ring,) = model.rings()
    length = model.ended - model.began
    begin = model.began - length
    segments = model.lane(ring, begin, model.ended, 60)
    assert min(segment.start for segment in segments) == 8 * 30
    assert segments == [
        segment._replace(start=segment.start + 240, end=segment.end + 240)
        for segment in model.lane(ring, model.began, model.ended, 30)
    ]


def test_what_is_summed_is_the_same_however_it_came():
    """A lane that is drawn again and again while it grows is that of one that is drawn once."""
    trace = random_trace(3, jobs=600, fences=False).events
    grown, whole = Model(), Model()
    for i in range(0, len(trace), 40):
        grown.feed(trace[i : i + 40])
        grown.lane(GFX, 0, trace[-1].ts, 20)
    grown.settle()
    whole.feed(trace)
    whole.settle()
    for columns in (5, 20, 60):
        window = GFX, whole.began, whole.ended, columns
        assert grown.lane(*window) == whole.lane(*window)


@settings(max_examples=40)
@given(
    st.integers(0, 9999), st.integers(0, 1500), st.integers(1, 1500), st.integers(1, 40),
    st.sampled_from(["run", "head"]), st.sampled_from([None, 0, 1]),
)  # fmt: skip
def test_segments_are_in_order_and_inside(seed, begin, width, columns, convention, slot):
    model = random_trace(seed % 20, jobs=150, fences=False).model()
    segments = model.lane(
        GFX, begin * US, (begin + width) * US, columns, convention=convention, slot=slot
    )
    at = 0
    for segment in segments:
        assert at <= segment.start < segment.end <= 8 * columns
        at = segment.end
        assert segment.count >= 1
        assert 0 < segment.busy <= 1


def test_what_was_prepared_needs_no_more_work(monkeypatch):
    model = dense(4000)
    (ring,) = model.rings()
    prepared = dense(4000)
    prepared.prepare_lanes()
    monkeypatch.setattr(Pyramid, "_add", None)
    with pytest.raises(TypeError):
        model.lane(ring, 0, model.ended, 60)
    assert len(prepared.lane(ring, 0, prepared.ended, 60)) > 1


@pytest.mark.parametrize("columns", [3, 11, 60, 170])
def test_sums_are_those_of_the_bars(columns):
    """Each cell against what is added up bar by bar, exactly."""
    model = random_trace(5, jobs=3000, fences=False).model()
    begin, end = model.began, model.ended
    record = model._history.rings[GFX]
    bars = list(zip(record.bar_from, record.bar_to, strict=True))
    clients = {job.client for job in record.bar_job}
    assert len(bars) > 2 * columns
    exact, shown, jobs = [0.0] * columns, [0.0] * columns, 0
    for x in range(columns):
        a, b = (end - begin) * x // columns, (end - begin) * (x + 1) // columns
        busy = sum(max(0, min(b, q >> SHIFT) - max(a, p >> SHIFT)) for p, q in bars)
        exact[x] = busy / (b - a)
    for segment in model.lane(GFX, begin, end, columns):
        assert segment.job is None
        assert segment.client in clients
        jobs += segment.count
        for x in range(segment.start // 8, segment.end // 8):
            shown[x] = segment.busy
    off = [a - b for a, b in zip(exact, shown, strict=True)]
    assert max(map(abs, off)) <= 0.5 + 1 / 16, "the edges of a cell may be half a cell off"
    assert abs(sum(off)) / columns < 0.03
    assert jobs == pytest.approx(len(bars), rel=0.05)


def test_a_frame_of_many_lanes_is_cheap():
    """40 lanes of 200 columns in 15 ms is 0.4 ms a lane; ten times that on a busy machine."""
    model = dense(100_000, gap=30)
    (ring,) = model.rings()
    model.lane(ring, 0, model.ended, 200)
    for part in (1, 3, 10, 100):
        best = 1.0
        for _ in range(5):
            began = perf_counter()
            model.lane(ring, 0, model.ended // part, 200)
            best = min(best, perf_counter() - began)
        assert best < 0.004
