# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Windows and moments, without a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.app import recording_view
from tests.tui.load import DMA, GFX, MS, OTHER, START, live_model, model
from tui.view import SPAN_MAX, SPAN_MIN, View

MADE = model()


@given(st.lists(st.sampled_from((0.5, 2.0, 1.25, 0.8)), max_size=60), st.integers(0, 95))
def test_zooming_keeps_what_it_zooms_at_in_the_window(factors, ms):
    view = recording_view(MADE)
    at = START + ms * MS
    for factor in factors:
        before, _ = view.window(MADE, 1000)
        place = (at - before) / view.span
        view.zoom(MADE, factor, at)
        begin, end = view.window(MADE, 1000)
        assert SPAN_MIN <= view.span <= SPAN_MAX
        assert begin <= at <= end
        assert abs((at - begin) / view.span - place) < 0.01


@given(st.lists(st.integers(-300, 300), max_size=30))
def test_steps_there_and_back_lead_to_the_same_moment(steps):
    view = View(at=250)
    visited = []
    for step in steps:
        visited.append(view.at)
        view.step(MADE, step)
        assert -1 <= view.at < len(MADE.log)
    moved = sum(steps)
    if all(0 <= at + step < len(MADE.log) for at, step in zip(visited, steps, strict=True)):
        assert view.at == 250 + moved


def test_the_moment_stays_in_the_window():
    view = recording_view(MADE)
    view.zoom(MADE, 0.01)
    for at in range(0, len(MADE.log), 7):
        view.go_to(MADE, at)
        begin, end = view.window(MADE, 100)
        assert begin <= MADE.time_of(at) <= end


def test_a_window_that_follows_moves_by_whole_columns():
    made = live_model()
    view = View(span=100 * MS)
    begin, end = view.window(made, 50)
    assert (end - begin, end % (2 * MS)) == (100 * MS, 0)
    assert end - 2 * MS <= made.ended < end
    made.clock += MS // 10
    assert view.window(made, 50) == (begin, end)
    made.clock += 2 * MS
    assert view.window(made, 50) == (begin + 2 * MS, end + 2 * MS)


def test_everything_is_in_the_window_that_shows_all():
    view = View()
    view.show_all(MADE)
    begin, end = view.window(MADE, 100)
    assert begin < MADE.began
    assert MADE.ended < end
    assert end - begin < 1.1 * (MADE.ended - MADE.began)


def test_lanes_pinned_and_hidden():
    view = View()
    assert view.lanes(MADE) == [GFX, OTHER, DMA]
    view.pinned.append(DMA)
    view.hidden.add(GFX)
    assert view.lanes(MADE) == [DMA, OTHER]
    view.ring = GFX
    assert view.current_ring(MADE) == DMA


@pytest.mark.parametrize(("a", "b", "distance"), [(5, 9, 4), (9, 5, -4), (None, 5, None)])
def test_markers(a, b, distance):
    view = View(marks={name: at for name, at in (("A", a), ("B", b)) if at is not None})
    assert view.distance() == distance
