# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Assertions about a trace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.trace.expr import ExprError, parse
from tests.trace.sample import DMA, Trace


@pytest.fixture(scope="module")
def model():
    trace = Trace()
    for i in range(1, 101):
        trace.queue(3, i, client=i % 4, at=100 * i).run(3, i, at=100 * i + i)
    return trace.queue(9, 1, DMA, at=50_000).run(9, 1, DMA, at=57_000).model()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p99(wait) < 5ms", True),
        ("p99(wait, ring=gfx) <= 99us", True),
        ("p99(wait,ring=gfx)<99us", False),
        ("p50 ( wait , ring = gfx ) == 50us", True),
        ("p99.5(wait, ring=gfx) == 100 us", True),
        ("max(wait) == 7ms", True),
        ("max(wait) != 7ms", False),
        ("min(wait) >= 1000ns", True),
        ("mean(wait, ring=gfx) > 50us", True),
        ("mean(wait, ring=gfx) < 0.051ms", True),
        ("count(wait, client=2) == 25", True),
        ("count(wait, client=2, ring=sdma0) == 0", True),
        ("count(free) > 0", False),
        ("max(wait, ring=gfx) < 1s and count(wait) == 101", True),
    ],
)
def test_what_holds(model, text, expected):
    assert all(comparison.check(model)[0] for comparison in parse(text)) is expected


def test_a_figure_of_nothing_does_not_hold(model):
    for text in ("p99(free) < 1s", "p99(free) > 0ns", "mean(wait, client=77) < 1s"):
        (comparison,) = parse(text)
        assert comparison.check(model) == (False, f"{text}: no job has this stage")


def test_what_is_said(model):
    (comparison,) = parse("  max(wait) < 5ms ")
    assert comparison.check(model) == (False, "max(wait) < 5ms: false, it is 7.0 ms")
    (comparison,) = parse("count(wait) > 5")
    assert comparison.check(model) == (True, "count(wait) > 5: true, it is 101")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'the end' is no function"),
        ("p99", "'the end' where '(' is wanted at character 4"),
        ("q99(wait) < 5ms", "'q99' is no function; it is p50, p90, p99, min, mean, max or count"),
        ("p0(wait) < 5ms", "percentiles go up to p100"),
        ("p101(wait) < 5ms", "percentiles go up to p100"),
        ("p99(sleep) < 5ms", "'sleep' is no stage; it is wait, depend,"),
        ("p99(wait < 5ms", "'<' where ',' or ')' is wanted at character 10"),
        ("p99(wait, dev=x) < 5ms", "'dev' is no filter"),
        ("p99(wait, client=x) < 5ms", "'x' is no client"),
        ("p99(wait, client=1.5) < 5ms", "'1.5' is no client"),
        ("p99(wait, ring=) < 5ms", "')' is no ring"),
        ("p99(wait) 5ms", "'5' where a comparison such as '<' is wanted"),
        ("p99(wait) < ms", "'ms' where a number is wanted"),
        ("p99(wait) < 5", "'the end' where a unit is wanted: ns, us, ms or s"),
        ("p99(wait) < 5m", "'m' where a unit is wanted"),
        ("p99(wait) < 5ms or", "'or' where 'and' or the end is wanted"),
        ("p99(wait) < 5ms and", "'the end' is no function"),
        ("p99(wait) < -5ms", "'-5ms' means nothing at character 13"),
        ("count(wait) < 5ms", "'ms' where 'and' or the end is wanted"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, message):
    with pytest.raises(ExprError) as error:
        parse(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@given(st.text(alphabet="p59(wait),=<> andringms.-&é\n", max_size=30))
def test_any_text_is_an_assertion_or_an_error(text):
    try:
        found = parse(text)
    except ExprError as error:
        message = str(error)
        assert "\n" not in message
    else:
        assert found
