# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Globs of suites and cases: those of lib/glob.c, split as kunit.filter_glob."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.kunit.glob import NothingMatches, filter_suites, glob_match
from kport.kunit.test import KUNIT_CASE, kunit_suite


def case(name):
    def run(test):
        raise AssertionError("no test runs here")

    run.__name__ = name
    return KUNIT_CASE(run)


SUITES = [
    kunit_suite("drm_sched_basic", [case("submit"), case("submit_late")]),
    kunit_suite("drm_sched_credits", [case("credits")]),
    kunit_suite("list", [case("list_add"), case("list_del")]),
]


def names(*globs):
    return [f"{s.name}.{c.name}" for s in filter_suites(SUITES, globs) for c in s.test_cases]


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("", [""], ["a"]),
        ("a", ["a"], ["", "b", "aa", "A"]),
        ("a*c", ["ac", "abc", "abcc"], ["ab", "abcd"]),
        ("?b", ["ab", "bb"], ["b", "abb"]),
        ("[a-c]", ["a", "b", "c"], ["d", "-"]),
        ("[!a-c]", ["d", "-", "]"], ["a", "c", ""]),
        ("[]a]", ["]", "a"], ["[", "b"]),
        ("[!]a]", ["[", "b"], ["]", "a"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("[a-c-e-g]", ["b", "-", "f"], ["d"]),
        ("[c-a]", [], ["a", "b", "c", "-"]),
        ("[ab", ["[ab"], ["a", "b"]),
        ("[^a]", ["^", "a"], ["b"]),
        (r"\*", ["*"], ["a", r"\*"]),
        (r"a\[b]", ["a[b]"], ["ab"]),
        ("a.c", ["a.c"], ["abc"]),
        ("(a|b)+", ["(a|b)+"], ["a"]),
    ],
)
def test_a_pattern(pattern, matching, others):
    assert [text for text in matching if not glob_match(pattern, text)] == []
    assert [text for text in others if glob_match(pattern, text)] == []


@given(st.text("ab*?[]!-", max_size=8), st.text("ab-!]", max_size=6))
def test_as_fnmatch_where_the_two_agree(pattern, text):
    reversed_span = any(
        pattern[at : at + 1] == "-" and pattern[at - 1] > pattern[at + 1]
        for at in range(1, len(pattern) - 1)
    )
    if "-" in pattern and ("!" in pattern or "--" in pattern or reversed_span or "]-" in pattern):
        return  # spans that Python reads in another way
    assert glob_match(pattern, text) == fnmatch.fnmatchcase(text, pattern)


def test_a_suite_means_all_its_cases():
    assert names("list") == ["list.list_add", "list.list_del"]
    assert names("drm_sched*") == [
        "drm_sched_basic.submit",
        "drm_sched_basic.submit_late",
        "drm_sched_credits.credits",
    ]


def test_a_case_is_asked_for_behind_the_first_period():
    assert names("drm*.submit") == ["drm_sched_basic.submit"]
    assert names("*.*_*") == ["drm_sched_basic.submit_late", "list.list_add", "list.list_del"]


def test_several_globs_are_a_union_in_the_order_of_the_suites():
    assert names("list.list_del", "drm*.credits", "list.*del") == [
        "drm_sched_credits.credits",
        "list.list_del",
    ]


def test_no_glob_is_everything():
    assert len(names()) == 5


def test_the_suites_themselves_stay_as_they_are():
    (found,) = filter_suites(SUITES, ["list.list_del"])
    assert found is not SUITES[2]
    assert len(SUITES[2].test_cases) == 2


@pytest.mark.parametrize(
    ("glob", "nearest"),
    [
        ("drm_shed*", "drm_sched_basic"),
        ("list.list_ad", "list.list_add"),
        ("sched", "drm_sched_basic"),
        ("", None),
        ("list.", None),
    ],
)
def test_a_glob_that_means_nothing_says_what_is_near(glob, nearest):
    with pytest.raises(NothingMatches) as caught:
        names("list", glob)
    assert caught.value.glob == glob
    assert nearest is None or nearest in caught.value.nearest
