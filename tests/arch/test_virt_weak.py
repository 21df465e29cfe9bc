# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The machine virt with a weak memory: what may be seen, what not, and that kernels run on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import kport
from kport.arch import asm, virt
from kport.arch.strategy import RoundRobin
from kport.arch.types import atomic_t, bitmap, spinlock_t
from kport.arch.virt import Bare, Virt
from kport.explore.litmus.search import Exhaust

WEAK = ("tso", "lkmm")
LONG = [pytest.mark.long, pytest.mark.timeout(600)]


class Cell:
    """A location."""

    __slots__ = ("value",)

    def __init__(self, value: Any = 0) -> None:
        self.value = value


@contextmanager
def machine(memory: str, strategy: Any = None, **options: Any) -> Iterator[Virt]:
    on = Virt(strategy or Exhaust(), memory=memory, step_ns=0, bound=5_000, **options)
    on.power_on(Bare())
    try:
        yield on
    finally:
        on.power_off(1.0)


def ends(memory: str, make: Callable[[], tuple[list[Callable[[], None]], list[Any]]]) -> set[Any]:
    """Every value of the list that the tasks leave, over all executions."""
    found: set[Any] = set()
    with machine(memory) as on:
        exhaust: Any = on.strategy
        while True:
            tasks, out = make()
            on.run(*tasks)
            found.add(tuple(out))
            if not exhaust.advance():
                return found


def store_buffering() -> tuple[list[Callable[[], None]], list[Any]]:
    x, y, out = Cell(), Cell(), [None, None]

    def one() -> None:
        asm.WRITE_ONCE(x, "value", 1)
        out[0] = asm.READ_ONCE(y, "value")

    def two() -> None:
        asm.WRITE_ONCE(y, "value", 1)
        out[1] = asm.READ_ONCE(x, "value")

    return [one, two], out


def messages() -> tuple[list[Callable[[], None]], list[Any]]:
    data, flag, out = Cell(), Cell(), [None, None]

    def one() -> None:
        asm.WRITE_ONCE(data, "value", 1)
        asm.WRITE_ONCE(flag, "value", 1)

    def two() -> None:
        out[0] = asm.READ_ONCE(flag, "value")
        out[1] = asm.READ_ONCE(data, "value")

    return [one, two], out


@pytest.mark.parametrize(("memory", "seen"), [("sc", False), ("tso", True), ("lkmm", True)])
def test_stores_are_buffered(memory, seen):
    assert ((0, 0) in ends(memory, store_buffering)) is seen


@pytest.mark.parametrize(("memory", "seen"), [("sc", False), ("tso", False), ("lkmm", True)])
def test_messages_overtake_data_only_under_the_kernels_model(memory, seen):
    assert ((1, 0) in ends(memory, messages)) is seen


def test_a_pointer_orders_what_is_reached_through_it():
    def make() -> tuple[list[Callable[[], None]], list[Any]]:
        new, root, out = Cell(), Cell(None), [None]

        def one() -> None:
            asm.WRITE_ONCE(new, "value", 1)
            asm.smp_store_release(root, "value", new)

        def two() -> None:
            found = asm.READ_ONCE(root, "value")
            if found is not None:
                out[0] = asm.READ_ONCE(found, "value")

        return [one, two], out

    assert ends("lkmm", make) == {(None,), (1,)}


def test_bits_of_one_word_are_one_location():
    """set_bit() twice: who sees the second sees the first, without any barrier."""

    def make() -> tuple[list[Callable[[], None]], list[Any]]:
        word, out = bitmap(), [None, None]

        def one() -> None:
            asm.set_bit(0, word)
            asm.set_bit(12, word)

        def two() -> None:
            out[0] = asm.test_bit(12, word)
            out[1] = asm.test_bit(0, word)

        return [one, two], out

    assert ends("lkmm", make) == {(0, 0), (0, 1), (1, 1)}


@pytest.mark.parametrize("memory", WEAK)
def test_atomics_lose_nothing(memory):
    def make() -> tuple[list[Callable[[], None]], list[Any]]:
        count, out = atomic_t(), [None]

        def one() -> None:
            asm.atomic_inc(count)
            asm.atomic_fetch_add(2, count)
            out[0] = count.counter

        return [one, lambda: asm.atomic_add(4, count)], out

    counted = ends(memory, make)
    assert (7,) in counted
    assert counted <= {(3,), (7,)}


@pytest.mark.parametrize("memory", WEAK)
def test_a_lock_orders_everything_in_it(memory):
    def make() -> tuple[list[Callable[[], None]], list[Any]]:
        lock, a, b, out = spinlock_t(), Cell(), Cell(), [None, None]
        virt.STRONG["spin_lock_init"](lock)

        def one() -> None:
            asm.spin_lock(lock)
            asm.WRITE_ONCE(a, "value", 1)
            asm.WRITE_ONCE(b, "value", 1)
            asm.spin_unlock(lock)

        def two() -> None:
            asm.spin_lock(lock)
            out[0] = asm.READ_ONCE(b, "value")
            out[1] = asm.READ_ONCE(a, "value")
            asm.spin_unlock(lock)

        return [one, two], out

    assert ends(memory, make) == {(0, 0), (1, 1)}


@pytest.mark.parametrize("memory", WEAK)
def test_a_plain_store_is_seen_by_all(memory):
    def make() -> tuple[list[Callable[[], None]], list[Any]]:
        x, out = Cell(), [None]

        def one() -> None:
            asm.WRITE_ONCE(x, "value", 1)
            x.value = 2
            out[0] = asm.READ_ONCE(x, "value")

        return [one], out

    assert ends(memory, make) == {(2,)}


def test_a_store_that_leaves_late_does_not_undo_a_plain_one():
    x, y, other = Cell(), Cell(), Cell()

    def one() -> None:
        asm.WRITE_ONCE(x, "value", 1)
        x.value = 2
        asm.WRITE_ONCE(y, "value", 1)

    def two() -> None:
        asm.WRITE_ONCE(other, "value", asm.READ_ONCE(y, "value"))

    with machine("tso", RoundRobin(3, 1)) as on:
        for _ in range(20):
            x.value = y.value = 0
            on.run(one, two)
            on.memory.finish()
            assert x.value == 2


def test_a_loop_that_waits_for_a_store_ends():
    """Who reads an old value again and again sees the new one after a while."""

    class Stubborn(RoundRobin):
        def number(self, n: int) -> int:
            return n - 1  # always the oldest there is

    x = Cell()
    turns: list[int] = []

    def waiter() -> None:
        while not asm.READ_ONCE(x, "value"):
            turns.append(1)
            asm.cpu_relax()

    with machine("lkmm", Stubborn(0, 2)) as on:
        on.run(lambda: asm.WRITE_ONCE(x, "value", 1), waiter)
    assert len(turns) < 50


def test_what_is_behind_the_horizon_is_forgotten():
    cells = [Cell() for _ in range(40)]

    def busy() -> None:
        for turn in range(60):
            for cell in cells:
                asm.WRITE_ONCE(cell, "value", turn)

    with machine("lkmm", RoundRobin(1)) as on:
        on.run(busy, busy)
        assert on.memory.ticks == 4800
        assert len(on.memory.locs) <= 40
        assert all(len(loc.writes) <= on.memory.depth for loc in on.memory.locs.values())
        assert max(len(thread.seen) for thread in on.memory.threads.values()) <= 40


def test_a_strong_machine_has_nothing_of_it():
    assert Virt().table is virt.STRONG
    assert Virt().memory is None
    script = "import sys, kport.arch.virt; print([m for m in sys.modules if 'virt_weak' in m])"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n"


def test_an_unknown_memory_is_refused():
    with pytest.raises(ValueError, match="there is no memory 'weird'; there is: sc, tso, lkmm"):
        Virt(memory="weird")


def test_machines_follow_each_other_in_any_order():
    """The linker binds names in the modules of the instructions, too."""
    for memory in ("lkmm", "sc", "tso", "lkmm", "sc"):
        assert ends(memory, store_buffering) >= {(0, 1), (1, 0)}
        with kport.boot("threads"):
            pass


def kernel_events(memory: str, seed: int, **options: Any) -> list[str]:
    from kport.linux.completion import complete, completion, init_completion, wait_for_completion
    from kport.linux.kthread import kthread_run

    on = Virt(seed=seed, memory=memory, log=True, **options)
    with kport.boot(on):
        done, word = completion(), bitmap()
        init_completion(done)

        def work(data: Any) -> int:
            asm.set_bit(0, word)
            complete(done)
            return 0

        kthread_run(work, None, "worker")
        wait_for_completion(done)
        assert asm.test_bit(0, word) == 1  # the completion orders it
    assert on.events is not None
    return on.events


@pytest.mark.parametrize("memory", WEAK)
def test_a_kernel_runs_and_the_same_seed_is_the_same_run(memory):
    for seed in range(5):
        first = kernel_events(memory, seed)
        assert first == kernel_events(memory, seed)
    assert first == kernel_events(memory, 4, carrier="thread")


@pytest.mark.parametrize("memory", WEAK)
def test_a_grace_period_orders_readers(memory):
    from kport.linux.kthread import kthread_run
    from kport.linux.rcupdate import synchronize_rcu

    for seed in range(20):
        with kport.boot(Virt(RoundRobin(seed, 2), memory=memory)):
            x, y, seen = Cell(), Cell(), []

            def reader(data: Any, x: Cell = x, y: Cell = y, seen: list[Any] = seen) -> int:
                asm.rcu_read_lock()
                seen.append(asm.READ_ONCE(y, "value"))
                seen.append(asm.READ_ONCE(x, "value"))
                asm.rcu_read_unlock()
                return 0

            kthread_run(reader, None, "reader")
            asm.WRITE_ONCE(x, "value", 1)
            synchronize_rcu()
            asm.WRITE_ONCE(y, "value", 1)
            asm.cpu_relax()
        assert seen != [1, 0]


@pytest.mark.parametrize(
    ("memory", "glob"),
    [
        *((memory, "drm_sched_basic_c*") for memory in WEAK),
        *(pytest.param(memory, "drm_sched_basic*", marks=LONG) for memory in WEAK),
    ],
)
def test_the_kernels_own_tests_pass(memory, glob):
    from kport.drivers.compat import package
    from kport.kunit import all_suites
    from kport.kunit.executor import Executor, Setup
    from kport.kunit.glob import filter_suites

    package("v7_2")
    setup = Setup("virt", {"scheduler": "v7_2"}, {"memory": memory, "seed": 3})
    executor = Executor(filter_suites(all_suites(), [glob]), setup, lambda line: None)
    executor.run()
    assert executor.sound
