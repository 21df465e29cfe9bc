# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Tokens: what is written is read, and what is damaged is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.explore.replay import Schedule, Turn
from kport.explore.token import CHECKS, Token, TokenError, parse

turns = st.builds(
    Turn,
    st.integers(0, 300),
    st.integers(0, 10**6),
    st.booleans(),
    st.integers(0, 10**4),
    st.just(""),
    st.just(""),
)
checks = st.lists(st.sampled_from(CHECKS), unique=True)
tokens = st.builds(
    Token,
    st.sampled_from(["abba", "museum:R01", "file.py:f~g"]),
    st.sampled_from(["v7_2", "v6_1", "v3_2023"]),
    st.sampled_from(["sc", "tso", "lkmm"]),
    st.booleans(),
    st.integers(1, 500),
    st.integers(0, 1000),
    st.integers(0, 10**9),
    checks.map(lambda found: tuple(sorted(found, key=CHECKS.index))),
    st.builds(
        Schedule,
        st.lists(turns, max_size=20).map(lambda found: sorted(found, key=lambda t: t[:2])),
        st.dictionaries(st.integers(0, 10**6), st.integers(0, 300), max_size=5),
        st.booleans(),
    ),
)


@given(tokens)
def test_what_is_written_is_read(token):
    again = parse(str(token))
    assert str(again) == str(token)
    assert again == token


@given(st.integers(0, 1 << 64), st.integers(0, 1 << 40))
def test_a_seed_stands_for_a_schedule(seed, execution):
    token = Token("x", drawn=("pct:3", seed, execution))
    assert parse(str(token)).drawn == ("pct:3", seed, execution)


def test_one_wrong_character_is_seen():
    text = str(Token("abba", schedule=Schedule([Turn(0, 5, False, 2), Turn(2, 3, True, 0)])))
    at = text.index("~") + 1
    for i in range(len(text) - 1):  # the last character has bits that are not used
        other = text[:i] + ("A" if text[i] != "A" else "B") + text[i + 1 :]
        with pytest.raises(TokenError):
            parse(other)
    for wrong in ("", "abba", "~AAAA", "abba~", "abba~A", "abba~!!!!", text[: at + 8]):
        with pytest.raises(TokenError):
            parse(wrong)
