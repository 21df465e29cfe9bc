# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Depth-first search and DPOR, held against each other and against counts made by hand.

What DPOR calls exhausted is checked on small random programs: depth-first search runs all their
interleavings, the test sorts these into classes by its own idea of what commutes, and DPOR must
have run one of each class and none twice.
"""

from __future__ import annotations

import random
from math import factorial

import pytest

from kport.arch.asm import (
    READ_ONCE,
    WRITE_ONCE,
    atomic_inc_return,
    spin_lock,
    spin_lock_init,
    spin_trylock,
    spin_unlock,
)
from kport.arch.types import atomic_t, spinlock_t
from kport.arch.virt_asm import CPU
from kport.explore import Program, explore


class Cell:
    value = 0


def locked(n: int):
    def program() -> list:
        lock = spinlock_t()
        spin_lock_init(lock, "lock")

        def work() -> None:
            spin_lock(lock)
            spin_unlock(lock)

        return [work] * n

    return program


@pytest.mark.parametrize("n", [2, 3, 4])
def test_threads_with_one_lock_have_as_many_orders_as_permutations(n):
    result = explore(locked(n), strategy="dpor", schedules=None)
    assert (result.schedules, result.pruned) == (factorial(n), 0)
    assert result.exhausted == "all orders of conflicting steps"


def test_all_interleavings_are_counted():
    def program() -> list:
        cell = Cell()

        def work() -> None:
            READ_ONCE(cell, "value")
            WRITE_ONCE(cell, "value", 1)

        return [work, work]

    result = explore(program, strategy="dfs", schedules=None)
    assert (result.schedules, result.exhausted) == (6, "all executions")
    bounded = [explore(program, strategy=f"dfs:{n}", schedules=None) for n in range(4)]
    assert [r.schedules for r in bounded] == [2, 4, 6, 6]
    assert bounded[1].exhausted == "all executions with at most 1 preemptions"
    assert bounded[3].exhausted == "all executions"


# -- random programs -------------------------------------------------------------------------------

READS, WRITES = "r", "w"


def random_program(seed: int):
    """2 or 3 tasks of up to 3 steps over two cells, a counter and two locks, one of them tried."""
    lots = random.Random(seed)
    tasks = []
    for _ in range(lots.choice([2, 2, 3])):
        steps = []
        for _ in range(lots.randint(1, 3)):
            kind = lots.choice(["read", "write", "read", "write", "inc", "locked", "try"])
            steps.append((kind, lots.randrange(2)))
        tasks.append(steps)
    return tasks


class Recorded:
    """A program that notes what was done: (task, step of the task, location, how)."""

    def __init__(self, tasks) -> None:
        self.tasks = tasks
        self.logs: list[list] = []

    def __call__(self) -> Program:
        log: list = []
        cells, counter = [Cell(), Cell()], atomic_t()
        locks = [spinlock_t(), spinlock_t()]
        for lock in locks:
            spin_lock_init(lock, "lock")

        def run(task, steps) -> None:
            for kind, at in steps:
                if kind == "read":
                    log.append((task, f"cell{at}", READS, READ_ONCE(cells[at], "value")))
                elif kind == "write":
                    WRITE_ONCE(cells[at], "value", task)
                    log.append((task, f"cell{at}", WRITES, task))
                elif kind == "inc":
                    log.append((task, "counter", WRITES, atomic_inc_return(counter)))
                elif kind == "locked":
                    spin_lock(locks[at])
                    log.append((task, f"lock{at}", WRITES, 0))
                    spin_unlock(locks[at])
                    log.append((task, f"lock{at}", WRITES, 1))
                else:
                    got = spin_trylock(locks[at])
                    log.append((task, f"lock{at}", WRITES, got))
                    if got:
                        spin_unlock(locks[at])
                        log.append((task, f"lock{at}", WRITES, 1))

        def check() -> None:
            self.logs.append(list(log))

        return Program([lambda t=t, s=s: run(t, s) for t, s in enumerate(self.tasks)], check)


def trace(log) -> tuple:
    """The class of an execution: for each step which steps come before it, in whatever way."""
    before: list[set] = []
    times: dict[int, int] = {}
    names = []
    for i, (task, where, how, got) in enumerate(log):
        times[task] = times.get(task, 0) + 1
        names.append((task, times[task], got))
        mine: set = set()
        for j in range(i):
            same_task = log[j][0] == task
            same_place = log[j][1] == where and WRITES in (how, log[j][2])
            if same_task or same_place:
                mine |= before[j] | {names[j]}
        before.append(mine)
    return tuple(sorted((name, tuple(sorted(b))) for name, b in zip(names, before, strict=True)))


@pytest.mark.parametrize("group", range(6))
def test_the_certificate_agrees_with_brute_force(group):
    checked = 0
    for seed in range(group * 10, group * 10 + 10):
        tasks = random_program(seed)
        brute, dpor = Recorded(tasks), Recorded(tasks)
        full = explore(brute, strategy="dfs", schedules=6000, name="brute")
        if not full.exhausted:
            continue
        checked += 1
        result = explore(dpor, strategy="dpor", schedules=None, name="dpor")
        assert result.exhausted
        classes = [trace(log) for log in dpor.logs]
        assert len(classes) == len(set(classes)), (seed, tasks)
        assert set(classes) == {trace(log) for log in brute.logs}, (seed, tasks)
    assert checked >= 7


# -- sleeping and waking ---------------------------------------------------------------------------


def waiters(n: int, lost: bool):
    """n tasks wait for a flag, one sets it and wakes them all.

    Right: the flag is tested and the sleeper enlists under the lock. `lost`: tested before it.
    """

    def program() -> Program:
        machine = CPU.machine
        lock, cell, queue = spinlock_t(), Cell(), []
        spin_lock_init(lock, "lock")

        def wait() -> None:
            if lost and READ_ONCE(cell, "value"):
                return
            spin_lock(lock)
            if not lost and cell.value:
                spin_unlock(lock)
                return
            queue.append(CPU.ti)
            spin_unlock(lock)
            machine.block()

        def wake() -> None:
            if lost:
                WRITE_ONCE(cell, "value", 1)
            spin_lock(lock)
            cell.value = 1
            for ti in queue:
                machine.wake(ti)
            spin_unlock(lock)

        return Program([*[wait] * n, wake])

    return program


def test_three_waiters_are_proved_and_a_lost_wake_up_is_found():
    right = explore(waiters(3, lost=False), strategy="dpor", schedules=200)
    assert right.failures == []
    assert right.exhausted == "all orders of conflicting steps"
    assert right.schedules <= 200
    wrong = explore(waiters(3, lost=True), strategy="dpor", schedules=200)
    assert [f.kind for f in wrong.failures] == ["deadlock"]


def test_sleepers_agree_with_brute_force():
    for lost in (False, True):
        found = {
            strategy: explore(
                waiters(2, lost), strategy=strategy, schedules=None, keep_going=True
            )
            for strategy in ("dfs", "dpor")
        }
        kinds = {name: {f.cause for f in r.failures} for name, r in found.items()}
        assert kinds["dfs"] == kinds["dpor"]
        assert bool(kinds["dfs"]) == lost
        assert found["dpor"].schedules < found["dfs"].schedules
