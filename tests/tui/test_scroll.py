# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A lane that is shifted and drawn on at its end equals one that is drawn at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kport.trace.model import Model
from tests.tui.load import GFX, MS, START, Trace
from tui.glyphs import UNICODE
from tui.lanes import LanePainter
from tui.scroll import LaneStore, cut_right, drop
from tui.text import cut, line_width, plain_text

LINE = [("abc", "x"), ("d", ""), ("efgh", "y")]


@pytest.mark.parametrize("width", range(10))
def test_cut_right_is_cut(width):
    assert cut_right(LINE, width) == cut(LINE, width)


@pytest.mark.parametrize("width", range(10))
def test_dropped_and_cut_are_the_whole(width):
    assert plain_text(cut(LINE, width)) + plain_text(drop(LINE, width)) == "abcdefgh"


@settings(max_examples=80)
@given(
    jobs=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=40),
    steps=st.lists(st.integers(0, 25), min_size=1, max_size=40),
)
def test_shifted_equals_drawn_at_once(jobs, steps):
    trace = Trace()
    at = 0
    for seqno, (gap, length) in enumerate(jobs, 1):
        trace.job(GFX, (11, seqno), 1, at, at + gap * 700, at + (gap + length) * 700)
        at += (gap + length) * 700
    events = sorted(trace.events, key=lambda event: event.ts)
    model = Model()
    painter = LanePainter(UNICODE, lambda segment: 0, None)
    store, columns, cell = LaneStore(), 30, 2 * MS
    clock = START

    def draw(begin, end, columns):
        segments = model.lane(GFX, begin, end, columns)
        return painter.draw(segments, columns), segments

    for step in steps:
        clock += step * MS
        fresh = [event for event in events if event.ts <= clock]
        events = events[len(fresh) :]
        model.feed(fresh, clock)
        end = (clock // cell + 1) * cell
        window = end - cell * columns, end
        settled = model.time_of(model.log.end - 1)
        line = store.line("lane", "look", window, columns, settled, draw)
        assert line_width(line) == columns
        # The first column may show an eighth of a bar that ended on its edge: not when shifted.
        assert plain_text(line)[1:] == plain_text(draw(*window, columns)[0])[1:]


def test_another_look_draws_everything():
    store, calls = LaneStore(), []

    def draw(begin, end, columns):
        calls.append(columns)
        return [(" " * columns, "")], []

    for look, end in (("a", 100), ("a", 110), ("b", 110), ("b", 50)):
        store.line("lane", look, (end - 100, end), 10, end, draw)
    assert calls[0] == 10
    assert calls[1] < 10
    assert calls[2:] == [10, 10]
