# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Segments as lines: exactly as wide as the lane, with edges where they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.trace.snapshot import Segment
from tui.glyphs import ASCII, UNICODE
from tui.lanes import LanePainter
from tui.text import line_width, plain_text


def painted(segments, columns, glyphs=UNICODE, selected=None):
    painter = LanePainter(glyphs, lambda segment: segment.client, selected)
    return painter.draw(segments, columns)


def bar(start, end, client=0, seqno=2, **more):
    return Segment(start, end, client, (5, seqno), **more)


@st.composite
def lanes(draw):
    """Columns, and segments that do not overlap."""
    columns = draw(st.integers(1, 30))
    edges = sorted(draw(st.sets(st.integers(0, 8 * columns), max_size=24)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return columns, [
        bar(a, b, draw(st.integers(0, 20)), draw(st.integers(1, 9)))
        if draw(st.booleans())
        else Segment(a, b, draw(st.integers(0, 3)), None, 5, draw(st.sampled_from((0.1, 0.6, 1.0))))
        for a, b in pairs
    ]


@given(lanes())
def test_a_lane_is_as_wide_as_asked(lane):
    columns, segments = lane
    assert line_width(painted(segments, columns)) == columns


@given(lanes())
def test_ascii_lanes_are_ascii_and_as_wide(lane):
    columns, segments = lane
    text = plain_text(painted(segments, columns, ASCII))
    assert text.isascii()
    assert len(text) == columns


@given(lanes())
def test_a_whole_cell_of_a_bar_is_never_idle(lane):
    columns, segments = lane
    cells = [style for text, style in painted(segments, columns) for _ in text]
    for segment in segments:
        for x in range(-(-segment.start // 8), segment.end // 8):
            assert cells[x] != ""


@pytest.mark.parametrize(
    ("segments", "text"),
    [
        ([], "    "),
        ([bar(0, 8)], "    "),
        ([bar(4, 16)], "▌   "),
        ([bar(8, 19)], "  ▍ "),
        ([bar(3, 5)], "│   "),
        ([bar(0, 4), bar(4, 8, 1)], "▌   "),
        ([bar(0, 2), bar(3, 5, 1), bar(6, 8)], "▓   "),
        ([Segment(0, 32, 1, None, 99, 0.25)], "░░░░"),
        ([Segment(0, 16, 1, None, 9, 0.5), Segment(16, 32, 1, None, 9, 1.0)], "▒▒██"),
    ],
)
def test_what_is_drawn(segments, text):
    assert plain_text(painted(segments, 4)) == text


def test_a_bar_carries_the_name_of_its_job_or_the_letter_of_its_client():
    assert plain_text(painted([bar(0, 64)], 8)) == " 5:2    "
    assert plain_text(painted([bar(0, 24, 2)], 8)) == "c       "
    old = LanePainter(UNICODE, lambda segment: 0, None, old=True)
    assert plain_text(old.draw([bar(0, 64, seqno=17)], 8)) == " #17    "


def test_the_selected_job_and_one_that_failed_look_different_without_colours():
    assert plain_text(painted([bar(0, 64)], 8, selected=(5, 2))) == "═5:2════"
    assert plain_text(painted([bar(0, 64, error=True)], 8)) == "▚5:2▚▚▚▚"


def test_neighbours_of_one_client_have_two_tones():
    styles = [style for _, style in painted([bar(0, 16, seqno=1), bar(16, 32, seqno=2)], 4)]
    assert styles == ["-|0'", "-|0"]
