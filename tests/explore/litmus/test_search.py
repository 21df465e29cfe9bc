# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The machine's memory, judged by the kernel's litmus tests and by the axioms of its model."""

from __future__ import annotations

import time

import pytest

from kport.arch.strategy import Random
from kport.explore.litmus import catalog
from kport.explore.litmus.candidates import ends
from kport.explore.litmus.program import Program, Update, program
from kport.explore.litmus.search import Exhaust, search
from tests.explore.litmus.programs import made

UPDATE = "y = 1; sync-rcu; x = 1"
SLOW = ("IRIW", "Z6", "ISA2+pooncelock")
TSO = {"R+poonceonces", "SB+poonceonces", "SB+rfionceonce-poonceonces"}


def test_there_are_all_35_tests_23_never_and_12_sometimes():
    answers = [test.sometimes for test in catalog.programs()]
    assert (len(answers), answers.count(False), answers.count(True)) == (35, 23, 12)


@pytest.mark.parametrize("name", catalog.names())
def test_the_verdict_is_the_kernels_and_the_ends_are_those_of_the_axioms(name):
    test = catalog.test(name)
    began = time.process_time()
    result = search(test)
    assert time.process_time() - began < 1.0
    assert result.exhausted
    assert result.refused == {}  # the machine does nothing that the axioms forbid
    assert result.sometimes == test.sometimes
    allowed = ends(test)
    assert set(result.ends) == set(allowed)
    assert any(allowed.values()) == test.sometimes


@pytest.mark.parametrize("name", catalog.names())
def test_a_strong_memory_shows_nothing_of_it(name):
    assert search(catalog.test(name), "sc").verdict == "Never"


@pytest.mark.parametrize("name", [n for n in catalog.names() if not n.startswith(SLOW)])
def test_total_store_order_shows_store_buffers_only(name):
    result = search(catalog.test(name), "tso")
    assert result.exhausted
    assert result.sometimes == (name in TSO)


@pytest.mark.long
@pytest.mark.parametrize("name", [n for n in catalog.names() if n.startswith(SLOW)])
def test_total_store_order_is_one_order(name):
    result = search(catalog.test(name), "tso")
    assert result.exhausted
    assert not result.sometimes


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.long] if name.startswith(SLOW) else [])
        for name in catalog.names()
    ],
)
def test_the_machine_for_kernels_shows_all_but_load_buffering(name):
    test = catalog.test(name)
    result = search(test, "views")
    assert result.refused == {}
    assert result.sometimes == (test.sometimes and not name.startswith("LB+"))


def _early(test: Program) -> bool:
    """Whether the test has atomics that the model lets be late; the machine makes them at once."""
    updates = [s for s in test.statements() if isinstance(s, Update)]
    return any(s.mode != "mb" or s.what == "cmpxchg" for s in updates)


def agree(seed: int) -> tuple[int, int]:
    """Hold all machines against the axioms; returns how many ends there are, and for kernels."""
    test = made(seed)
    allowed = set(ends(test))
    exact = search(test)
    assert exact.exhausted, test.text
    assert exact.refused == {}, test.text
    if _early(test):
        assert set(exact.ends) <= allowed, test.text
    else:
        assert set(exact.ends) == allowed, test.text
    strong = set(search(test, "sc").ends)
    views = search(test, "views")
    assert views.refused == {}, test.text
    assert strong <= set(views.ends) <= allowed, test.text
    tso = search(test, "tso", 20_000)
    assert set(tso.ends) <= allowed, test.text
    assert not tso.exhausted or strong <= set(tso.ends), test.text
    return len(allowed), len(views.ends)


@pytest.mark.parametrize("seed", range(6))
def test_random_programs_end_as_the_axioms_say(seed):
    agree(seed)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_many_random_programs_end_as_the_axioms_say():
    counts = [agree(seed) for seed in range(100, 400)]
    exact, views = (sum(column) for column in zip(*counts, strict=True))
    assert views > 0.95 * exact  # the machine for kernels shows nearly all there is


@pytest.mark.parametrize(
    ("threads", "question", "sometimes"),
    [
        # The kernel's fence: parent is set by a release, the flag by set_bit() under a lock.
        (
            ("p =release 1; a := f", "lock s; inc f; unlock s; b :=acquire p"),
            "0:a=0 & 1:b=0",
            True,
        ),
        # One full barrier is not enough for store buffering, two are.
        (
            ("p =release 1; mb; a := f", "lock s; inc f; unlock s; b :=acquire p"),
            "0:a=0 & 1:b=0",
            True,
        ),
        (
            ("p =release 1; mb; a := f", "lock s; inc f; unlock s; mb; b :=acquire p"),
            "0:a=0 & 1:b=0",
            False,
        ),
        # Two stores and two orders.
        (("x = 1; y = 2", "y = 1; x = 2"), "x=1 & y=1", True),
        (("x = 1; wmb; y = 2", "y = 1; wmb; x = 2"), "x=1 & y=1", True),
        (("x = 1; mb; y = 2", "y = 1; mb; x = 2"), "x=1 & y=1", False),
        # A strong fence reaches whoever comes after it by happens-before.
        (
            ("x = 1; mb; y = 1", "a := y; z = a", "b := z; rmb; c := x"),
            "2:b=1 & 2:c=0",
            False,
        ),
        (
            ("x = 1; wmb; y = 1", "a := y; z = a", "b := z; rmb; c := x"),
            "2:b=1 & 2:c=0",
            True,
        ),
        # Out of thin air.
        (("a := x; y = a", "b := y; x = b"), "0:a=1", False),
        # smp_rmb() does not order loads before stores.
        (("a := x; rmb; y = 1", "b := y; rmb; x = 1"), "0:a=1 & 1:b=1", True),
        # Atomics without a result are no acquire, and smp_rmb() does not count them.
        (("x = 1; wmb; y = 1", "a :=xchg.relaxed y 2; rmb; b := x"), "1:a=1 & 1:b=0", False),
        # A failed compare-and-exchange orders nothing.
        (("x = 1; wmb; y = 1", "a :=cmpxchg y 5 6; b := x"), "1:a=1 & 1:b=0", True),
        (("x = 1; wmb; y = 1", "a :=cmpxchg y 1 6; b := x"), "1:a=1 & 1:b=0", False),
        # RCU: a reader is before or behind a grace period.
        (("rcu-lock; a := x; b := y; rcu-unlock", UPDATE), "0:a=1 & 0:b=0", False),
        (("rcu-lock; a := x; rcu-unlock; b := y", UPDATE), "0:a=1 & 0:b=0", False),
        (("b := y; rcu-lock; a := x; rcu-unlock", UPDATE), "0:a=1 & 0:b=0", True),
        (
            ("rcu-lock; x = 1; a := y; rcu-unlock", "y = 1; sync-rcu; b := x"),
            "0:a=0 & 1:b=0",
            False,
        ),
    ],
)
def test_what_the_model_says_of_other_programs(threads, question, sometimes):
    test = program("other", threads, question)
    result = search(test)
    assert result.sometimes is sometimes
    assert any(ends(test).values()) is sometimes
    assert set(result.ends) == set(ends(test))


def test_a_search_that_is_cut_short_says_so():
    result = search(catalog.test("IRIW+poonceonces+OnceOnce"), limit=10)
    assert (result.executions, result.exhausted) == (10, False)


def test_exhaust_walks_a_tree_once():
    strategy, random, leaves = Exhaust(), Random(1), []
    shape: dict[tuple[int, ...], int] = {}
    while True:
        strategy.begin()
        path: tuple[int, ...] = ()
        while len(path) < 4:
            n = shape.setdefault(path, 1 + random.below(3))
            path += (strategy.number(n),)
        leaves.append(path)
        if not strategy.advance():
            break
    assert len(set(leaves)) == len(leaves)
    assert sorted(leaves) == leaves
    inner = [path for path in shape if len(path) == 3]
    assert len(leaves) == sum(shape[path] for path in inner)


def test_an_execution_that_is_not_repeatable_is_an_error():
    strategy = Exhaust()
    strategy.number(2)
    strategy.advance()
    strategy.begin()
    with pytest.raises(RuntimeError, match="not repeatable: 2 choices became 3"):
        strategy.number(3)
