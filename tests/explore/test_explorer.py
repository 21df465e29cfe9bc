# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Exploring: what is found, that it is found again, and that what is right stays clean."""

from __future__ import annotations

import pytest

from kport.arch.asm import READ_ONCE, WRITE_ONCE, spin_lock, spin_lock_init, spin_unlock
from kport.arch.types import spinlock_t
from kport.explore import Program, explore, replay
from kport.linux.completion import (
    complete,
    complete_all,
    completion,
    init_completion,
    wait_for_completion,
)
from kport.linux.kthread import kthread_run
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock
from kport.linux.slab import kzalloc_obj
from kport.linux.struct import struct

STRATEGIES = ["random", "pct:3", "pos", "surw", "dfs:2", "dpor"]


class shared(struct):
    value: int


def lost_update() -> Program:
    """Two functions add 1 without a lock."""
    s = shared()

    def add() -> None:
        value = READ_ONCE(s, "value")
        WRITE_ONCE(s, "value", value + 1)

    def check() -> None:
        assert s.value == 2, f"{s.value} of 2 are counted"

    return Program([add, add], check)


def locked_update() -> Program:
    s, lock = shared(), spinlock_t()
    spin_lock_init(lock, "lock")

    def add() -> None:
        spin_lock(lock)
        value = READ_ONCE(s, "value")
        WRITE_ONCE(s, "value", value + 1)
        spin_unlock(lock)

    def check() -> None:
        assert s.value == 2

    return Program([add, add], check)


def spins_for_ever() -> list:
    """One waits busily for what the other never writes."""
    s = shared()

    def wait() -> None:
        while not READ_ONCE(s, "value"):
            pass

    return [wait, lambda: None]


def abba(kernel) -> None:
    """Two threads take two mutexes in opposite orders."""
    a, b = mutex(), mutex()
    mutex_init(a, "a")
    mutex_init(b, "b")
    both(a, b, b, a)


def same_order(kernel) -> None:
    a, b = mutex(), mutex()
    mutex_init(a, "a")
    mutex_init(b, "b")
    both(a, b, a, b)


def both(*locks) -> None:
    start, done = completion(), completion()
    init_completion(start)
    init_completion(done)

    def run(pair) -> int:
        wait_for_completion(start)
        for lock in pair:
            mutex_lock(lock)
        for lock in pair:
            mutex_unlock(lock)
        complete(done)
        return 0

    kthread_run(run, locks[:2], "forth")
    kthread_run(run, locks[2:], "back")
    complete_all(start)
    wait_for_completion(done)
    wait_for_completion(done)


def leaky(kernel) -> None:
    kzalloc_obj(shared)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_lost_update_is_found_and_found_again(strategy):
    result = explore(lost_update, strategy=strategy, schedules=500)
    (failure,) = result.failures
    assert failure.kind == "error"
    assert failure.headline.startswith("AssertionError: 1 of 2 are counted")
    assert failure.repeated
    assert len(failure.token) <= 200
    for carrier in ("greenlet", "thread"):
        again = replay(failure.token, lost_update, carrier=carrier)
        assert (again.headline, again.report) == (failure.headline, failure.report)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_right_stays_clean(strategy):
    result = explore(locked_update, strategy=strategy, schedules=300)
    assert result.failures == []
    assert result.schedules == (300 if not result.exhausted else 2)
    assert explore(same_order, strategy=strategy, schedules=100).failures == []


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_deadlock_of_a_kernel_is_found_and_found_again(strategy):
    result = explore(abba, strategy=strategy, schedules=2000)
    (failure,) = result.failures
    assert failure.kind == "deadlock"
    assert failure.repeated
    assert len(failure.token) <= 200
    reports = {replay(failure.token, abba, carrier=c).report for c in ("greenlet", "thread")}
    assert reports == {failure.report}
    assert "held by back/" in failure.report


def test_waiting_for_ever_is_a_livelock():
    (failure,) = explore(spins_for_ever, schedules=10, bound=500).failures
    assert failure.kind == "livelock"


def test_a_leak_is_a_failure_of_every_schedule():
    (failure,) = explore(leaky, schedules=10).failures
    assert (failure.kind, failure.headline) == ("leak", "leak: 1 x struct shared")
    assert failure.turns == 0


def test_the_same_seed_finds_the_same():
    one, other = (explore(abba, schedules=2000, seed=7).to_json() for _ in range(2))
    for result in (one, other):
        del result["seconds"], result["rate"]
    assert one == other


def test_failures_of_different_causes_are_collected():
    def program() -> Program:
        s = shared()

        def write() -> None:
            WRITE_ONCE(s, "value", 1)
            WRITE_ONCE(s, "value", 2)
            WRITE_ONCE(s, "value", 3)

        def read() -> None:
            if READ_ONCE(s, "value") == 1:
                raise LookupError("seen one")
            if READ_ONCE(s, "value") == 2:
                raise KeyError("seen two")

        return Program([write, read])

    found = explore(program, schedules=300, keep_going=True).failures
    assert {f.headline for f in found} == {"LookupError: seen one", "KeyError: 'seen two'"}


def test_an_unknown_strategy_is_refused():
    with pytest.raises(ValueError, match="unknown strategy 'best'; there is: random, pct"):
        explore(lost_update, strategy="best")
    with pytest.raises(ValueError, match="'x' is no number"):
        explore(lost_update, strategy="pct:x")


def test_a_kernel_that_is_booted_is_in_the_way(kernel):
    with pytest.raises(RuntimeError, match="a kernel is booted"):
        explore(lost_update)


def plain_update() -> Program:
    """A lost update by plain accesses, which are no points unless they are asked for."""
    s = shared()

    def add() -> None:
        value = s.value
        s.value = value + 1

    def check() -> None:
        assert s.value == 2, f"{s.value} of 2 are counted"

    return Program([add, add], check)


@pytest.mark.parametrize("strategy", ["random", "dpor"])
def test_plain_accesses_are_points_when_asked_for(strategy):
    assert explore(plain_update, strategy=strategy, schedules=100).failures == []
    (failure,) = explore(plain_update, strategy=strategy, schedules=100, plain=True).failures
    assert "value = s.value" in failure.report
    again = replay(failure.token, plain_update)
    assert again.report == failure.report


def test_a_bare_search_runs_the_straight_execution():
    from kport.explore import Search
    from kport.museum.scenarios import two_jobs

    result = explore(two_jobs, strategy=Search(), schedules=3)
    assert result.schedules == 3
    assert result.failures == []
    assert result.distinct == 1


@pytest.mark.parametrize("made", [None, 5, [1, 2]])
def test_a_scenario_that_is_none_is_refused(made):
    with pytest.raises(ValueError, match="no parameter for a kernel, so it must return functions"):
        explore(lambda: made, schedules=3)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_who_makes_a_program_and_who_judges_it_may_use_instructions(strategy):
    def program() -> Program:
        s = shared()
        WRITE_ONCE(s, "value", 5)

        def check() -> None:
            assert READ_ONCE(s, "value") in (6, 7)

        def add() -> None:
            WRITE_ONCE(s, "value", READ_ONCE(s, "value") + 1)

        return Program([add, add], check)

    assert explore(program, strategy=strategy, schedules=20).failures == []


def test_what_needs_a_kernel_and_has_none_says_so():
    def program() -> Program:
        done = completion()
        init_completion(done)
        return Program([lambda: wait_for_completion(done)])

    result = explore(program, schedules=3)
    assert "there is no kernel: a scenario gets one by having a parameter" in (
        result.failures[0].report
    )
