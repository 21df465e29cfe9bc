# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The scheduler's barriers: each that matters is missed, and the code as it is has none missing."""

from __future__ import annotations

import pytest

from kport.explore.litmus.candidates import ends
from kport.explore.litmus.program import program
from kport.explore.litmus.search import search
from kport.museum.barriers import SITES, exhaust, look, parent_told, queue_told

NAMES = [site.name for site in SITES]
BY_NAME = {site.name: site for site in SITES}
SMALL = ("push-mb", "push-wmb", "pop-rmb", "pop-rmb-peek", "entity-wmb", "entity-rmb")


def test_the_eight_sites_and_the_rcu_pointer_are_there():
    assert len({site.where for site in SITES}) == len(SITES) == 10


@pytest.mark.parametrize("name", NAMES)
def test_the_code_as_it_is_is_clean(name):
    site = BY_NAME[name]
    for memory in ("tso", "lkmm"):
        assert look(site.program, site.setting, memory=memory, schedules=100).failures == []


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SMALL])
def test_without_the_barrier_it_fails_where_the_model_says_so(name):
    site = BY_NAME[name]
    edits = [*site.setting, *site.edits]
    found = look(site.program, edits, schedules=1000 if site.matters else 300).failures
    assert bool(found) == site.matters


@pytest.mark.parametrize("name", [name for name in NAMES if BY_NAME[name].matters])
def test_a_strong_memory_misses_none_of_them(name):
    site = BY_NAME[name]
    edits = [*site.setting, *site.edits]
    assert look(site.program, edits, memory="sc", schedules=100).failures == []


@pytest.mark.parametrize("name", SMALL)
def test_all_executions_say_the_same(name):
    site = BY_NAME[name]
    _, wrong, whole = exhaust(site.program, site.setting)
    assert (wrong, whole) == (0, True)
    _, wrong, whole = exhaust(site.program, [*site.setting, *site.edits])
    assert whole
    assert bool(wrong) == site.matters


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_many_executions_say_the_same(name):
    site = BY_NAME[name]
    assert look(site.program, site.setting, schedules=20_000).failures == []
    if not site.matters:
        assert look(site.program, [*site.setting, *site.edits], schedules=20_000).failures == []


@pytest.mark.parametrize("memory", ["tso", "lkmm"])
def test_a_deadline_is_lost_between_a_release_and_an_acquire(memory):
    """A finding in 7.2: set_parent and set_deadline each store, then load what the other stores.

    A release and an acquire do not order a store before a later load, on x86 neither.
    """
    (failure,) = look(parent_told, memory=memory).failures
    assert "the deadline of a fence never reached its hardware fence" in failure.headline
    assert look(parent_told, memory="sc").failures == []


def test_the_lost_deadline_as_a_litmus_test():
    threads = ["p =release 1; a := f", "lock s; inc f; unlock s; b :=acquire p"]
    fixed = ["p =release 1; mb; a := f", "lock s; inc f; unlock s; mb; b :=acquire p"]
    for bodies, sometimes in ((threads, True), (fixed, False)):
        test = program("deadline", bodies, "0:a=0 & 1:b=0")
        assert search(test).sometimes is sometimes
        assert any(ends(test).values()) is sometimes


def test_a_failure_is_found_again_by_the_same_seed():
    site = BY_NAME["push-wmb"]
    tokens = [look(queue_told, site.edits, seed=5).failures[0].token for _ in range(2)]
    assert tokens[0] == tokens[1]
