# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The strategies: what they promise, measured."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from kport.arch.asm import READ_ONCE, WRITE_ONCE, cpu_relax
from kport.explore import Program, choose, explore, replay
from kport.linux.completion import (
    complete,
    completion,
    init_completion,
    wait_for_completion,
    wait_for_completion_timeout,
)
from kport.linux.delay import msleep
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.kthread import kthread_run


class Cell:
    value = 0


def orders(n: int, into: Counter):
    """Counts the orders in which two tasks of n steps came."""

    def program() -> Program:
        cell, seen = Cell(), []

        def work(name: str) -> None:
            for _ in range(n):
                WRITE_ONCE(cell, "value", 1)
                seen.append(name)

        def check() -> None:
            into["".join(seen)] += 1

        return Program([lambda: work("a"), lambda: work("b")], check)

    return program


@pytest.mark.parametrize("name", ["random:1", "pos", "surw", "dfs", "dpor"])
def test_all_orders_come(name):
    seen: Counter = Counter()
    explore(orders(3, seen), strategy=name, schedules=600)
    assert len(seen) == 20


def test_surw_is_nearly_uniform_where_one_location_is_all_there_is():
    """A random walk is not: it prefers orders in which one task is done early."""
    counts = {}
    for name in ("surw", "random:1"):
        seen: Counter = Counter()
        explore(orders(4, seen), strategy=name, schedules=7000)
        counts[name] = seen
    assert len(counts["surw"]) == 70
    spread = {name: max(c.values()) / min(c.values()) for name, c in counts.items()}
    assert spread["surw"] < 2.5 < spread["random:1"]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_pct_keeps_its_promise(depth):
    """A bug of depth d is found in at least 1 of n * k ** (d - 1) executions: see its docstring."""
    n, k = 2, 4 * depth
    bugs: Counter = Counter()

    def program() -> Program:
        cell, seen = Cell(), []

        def work(name: str) -> None:
            for _ in range(2 * depth):
                WRITE_ONCE(cell, "value", 1)
                seen.append(name)

        def check() -> None:
            turns = sum(a != b for a, b in pairwise(seen))
            bugs[turns >= depth] += 1

        return Program([lambda: work("a"), lambda: work("b")], check)

    explore(program, strategy=f"pct:{depth}", schedules=3000)
    assert bugs[True] / 3000 >= 1 / (n * k ** (depth - 1))


@pytest.mark.parametrize("name", ["random", "pct:3", "pos", "surw", "dfs:1", "dpor"])
def test_busy_waiting_ends(name):
    """One task spins without a word until the other has written; nobody starves."""

    def program() -> list:
        cell = Cell()

        def spin() -> None:
            while not READ_ONCE(cell, "value"):
                pass

        def relax() -> None:
            while not READ_ONCE(cell, "value"):
                cpu_relax()

        return [spin, relax, lambda: WRITE_ONCE(cell, "value", 1)]

    result = explore(program, strategy=name, schedules=40)
    assert result.failures == []
    assert result.exhausted == ""


def with_faults() -> Program:
    """Fails if the second of three faults happens and the others do not."""
    cell, seen = Cell(), []

    def work() -> None:
        for _ in range(3):
            READ_ONCE(cell, "value")
            seen.append(choose(2))

    def check() -> None:
        assert seen != [0, 1, 0]

    return Program([work], check)


@pytest.mark.parametrize("name", ["random", "pct:3", "pos", "surw", "dfs"])
def test_faults_are_choices_of_the_schedule(name):
    (failure,) = explore(with_faults, strategy=name, schedules=100).failures
    assert failure.turns == 1
    assert replay(failure.token, with_faults).report == failure.report
    assert explore(with_faults, strategy="dpor").exhausted == ""
    assert choose(5) == 0


def timed_out(kernel) -> None:
    """Fails if the timer comes before the thread that is to complete."""
    done = completion()
    init_completion(done)

    def body(data) -> int:
        complete(done)
        return 0

    kthread_run(body, None, "completer")
    late = not wait_for_completion_timeout(done, msecs_to_jiffies(1000))
    wait_for_completion(done) if late else None
    assert not late, "the timer was first"


@pytest.mark.parametrize("name", ["random", "pct:3", "pos"])
def test_a_timer_may_come_before_a_task(name):
    (failure,) = explore(timed_out, strategy=name, schedules=300).failures
    assert failure.headline.startswith("AssertionError: the timer was first")
    assert failure.repeated


def test_timers_come_in_their_order():
    """However slow the tasks: a timer of one second does not overtake one of a millisecond."""
    order: list[str] = []

    def scenario(kernel) -> None:
        order.clear()
        done = completion()
        init_completion(done)

        def body(ms) -> int:
            msleep(ms)
            order.append(str(ms))
            complete(done)
            return 0

        begun = [kthread_run(body, ms, "sleeper%d", ms) for ms in (5, 1000)]
        for _ in begun:
            wait_for_completion(done)
        assert order == ["5", "1000"], order

    for name in ("random", "pct:3"):
        failures = explore(scenario, strategy=name, schedules=100).failures
        # The second may be asleep and over before the first has begun to sleep: no other way.
        assert all("['1000', '5']" in f.headline for f in failures)
