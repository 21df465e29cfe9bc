# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Lines: widths are what they say, whatever the text holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.text import clean, cut, fit, fit_line, fit_tail, line_width, plain_text, short, width_of


@given(st.text(max_size=40), st.integers(0, 30), st.sampled_from("<>"))
def test_a_fitted_text_is_as_wide_as_asked(text, width, align):
    assert width_of(fit(clean(text), width, align)) == width


@given(st.lists(st.tuples(st.text(max_size=9), st.just("")), max_size=6), st.integers(0, 40))
def test_a_fitted_line_is_as_wide_as_asked(line, width):
    line = [(clean(text), style) for text, style in line]
    assert line_width(fit_line(line, width)) == width


@given(st.text(max_size=30))
def test_nothing_that_moves_the_cursor_is_left(text):
    assert clean(text).isprintable()
    assert "\x1b" not in clean("\x1b[2J")


def test_cutting_keeps_the_spans_before():
    assert cut([("abc", "x"), ("def", "y")], 4) == [("abc", "x"), ("d", "y")]
    assert cut([("abc", "x")], 9) == [("abc", "x")]
    assert cut([("abc", "x")], 0) == []


def test_a_long_name_keeps_its_end():
    assert fit_tail("drm-mock-scheduler@7", 10) == "drm-moc~@7"
    assert fit_tail("gfx@03:00.0", 9) == "gfx@03:00"
    assert fit_tail("g@0000:03:00.0", 9) == "g@0000:03"
    assert fit_tail("compositor-1-16", 10) == "compo~1-16"
    assert fit_tail("gfx", 5) == "gfx  "


@given(st.text(max_size=30), st.integers(0, 20))
def test_a_fitted_name_is_as_wide_as_asked(text, width):
    assert width_of(fit_tail(clean(text), width)) == width


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (None, "-"), (0, "0ns"), (999, "999ns"), (1_000, "1.00us"), (3_400, "3.40us"),
        (12_100_000, "12.1ms"), (2_350_000_000, "2.35s"), (-5_000_000, "-5.00ms"),
        (999_980_000, "1.00s"), (999_940_000, "999.9ms"), (999_999, "1.00ms"),
    ],
)  # fmt: skip
def test_lengths_of_time(ns, text):
    assert short(ns) == text


@given(st.integers(0, 10**15))
def test_lengths_of_time_are_short(ns):
    assert len(short(ns)) <= 8


def test_plain_text_is_the_texts():
    assert plain_text([("a", "x"), ("b", "")]) == "ab"
