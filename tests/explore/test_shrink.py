# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Shrinking: what is left is needed, every turn of it; and schedules played again."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kport.arch.asm import READ_ONCE, WRITE_ONCE
from kport.explore import Program, Schedule, explore, replay
from kport.explore.playback import teach
from kport.explore.replay import Recorder, Replay
from kport.explore.runner import Runner, Setup
from kport.explore.shrink import shrink
from kport.explore.strategies import strategy
from kport.explore.token import parse
from kport.museum.library import find


class Cell:
    value = 0


def ordered(n: int):
    """Fails when two tasks of n steps take turns, one step each, n times."""

    def program() -> Program:
        cell, seen = Cell(), []

        def work(name: str) -> None:
            for _ in range(n):
                READ_ONCE(cell, "value")
                seen.append(name)

        def check() -> None:
            assert seen != ["a", "b"] * n

        return Program([lambda: work("a"), lambda: work("b")], check)

    return program


@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_turn_of_what_is_left_can_be_dropped(n):
    found = explore(ordered(n), strategy="random:1", schedules=3000).failures[0]
    token = parse(found.token)
    with Runner(ordered(n), Setup()) as runner:
        assert runner.run(Replay(token.schedule)).cause == found.cause
        for at in range(len(token.schedule.turns)):
            turns = token.schedule.turns
            fewer = Schedule(turns[:at] + turns[at + 1 :], token.schedule.numbers)
            assert runner.run(Replay(fewer)) is None
    assert found.turns <= 2 * n


def test_a_schedule_that_does_not_fail_is_not_shrunk():
    with Runner(ordered(2), Setup()) as runner:
        assert shrink(runner, Schedule(), "error: AssertionError", 50) is None


@pytest.mark.parametrize("name", ["random:1", "random:5", "pct:3", "pos", "surw"])
def test_what_is_written_down_plays_the_same_execution(name):
    """The order in which the steps were made, of a hundred executions of each strategy."""
    order: list[str] = []

    def program() -> Program:
        order.clear()
        cell = Cell()

        def work(name: str) -> None:
            for value in range(5):
                WRITE_ONCE(cell, "value", value)
                order.append(name)

        return Program([lambda: work("a"), lambda: work("b"), lambda: work("c")])

    seen = set()
    search = strategy(name, 5)
    with Runner(program, Setup()) as runner:
        for number in range(1, 100):
            search.prepare(number)
            assert runner.run(search) is None
            first = list(order)
            search.again()
            recorder = Recorder(search)
            assert runner.run(recorder) is None
            assert order == first
            assert runner.run(Replay(recorder.schedule)) is None
            assert order == first
            seen.add(tuple(first))
    assert len(seen) > 10


@pytest.mark.parametrize("times", [10, pytest.param(100, marks=pytest.mark.long)])
@pytest.mark.parametrize("carrier", ["greenlet", "thread"])
def test_a_token_plays_the_same_each_time(carrier, times):
    (found,) = explore(ordered(2), strategy="random:1", schedules=3000).failures
    reports = {replay(found.token, ordered(2), carrier=carrier).report for _ in range(times)}
    assert reports == {found.report}


@pytest.mark.parametrize("count", [10, pytest.param(400, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", ["random", "pct:3", "pos"])
def test_both_carriers_run_the_same_executions(name, count):
    """Of a small program and of the scheduler: the same steps, the same turns, the same end."""
    for scenario in (ordered(4), find("timeout-reset").scenario):
        seen = []
        for carrier in ("greenlet", "thread"):
            search = strategy(name, 1)
            with Runner(scenario, Setup(carrier=carrier)) as runner:
                teach(search, runner)
                ends = []
                for number in range(1, count):
                    search.prepare(number)
                    trouble = runner.run(search)
                    ends.append((search.trace, runner.steps, trouble and trouble.report))
            seen.append(ends)
        assert seen[0] == seen[1]


def test_a_schedule_too_long_for_a_token_is_kept_as_its_seed():
    found = explore(ordered(6), strategy="random:1", schedules=20_000, seed=1)
    if not found.failures:
        found = explore(long_order, strategy="random:1", schedules=3000)
    (failure,) = found.failures
    assert len(failure.token) <= 200


def long_order() -> Program:
    """Fails for about every other order of some eighty steps, whatever is left out."""
    cell, seen = Cell(), []

    def work(name: str) -> None:
        for _ in range(40):
            READ_ONCE(cell, "value")
            seen.append(name)

    def check() -> None:
        turns = sum(a != b for a, b in pairwise(seen))
        assert turns < 38

    return Program([lambda: work("a"), lambda: work("b")], check)


def test_a_seed_in_a_token_plays_the_same():
    (failure,) = explore(long_order, strategy="random:1", schedules=100).failures
    assert len(failure.token) <= 200
    again = replay(failure.token, long_order)
    assert (again.headline, again.report) == (failure.headline, failure.report)
