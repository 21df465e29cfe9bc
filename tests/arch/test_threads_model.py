# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The instructions of the machine threads, run as a program on virt and watched for races.

Their locks are lists with a token, of which Python promises that pop() and append() are whole, and
nothing else. Here the list is a model: each of the two is one step that may be followed by any
other task, and so is every load and store of a member. The code that runs is that of
kport.arch.threads_asm. What nothing orders is a race, however it was run; what is lost shows in the
sums. Each way to break one of them is found.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from types import FunctionType
from typing import Any

import pytest

import kport
from kport.arch import threads_asm
from kport.arch.asm import cpu_relax, current_thread_info, point
from kport.arch.patch import Edit, applied
from kport.arch.strategy import RoundRobin
from kport.arch.threads import Threads
from kport.check.races import Races
from kport.check.races_clock import Epoch, join, now, release
from kport.linux.facility import Facility
from kport.linux.field import Watcher
from kport.linux.kcsan import Config
from kport.linux.struct import struct

SEEDS = 60
CODE = Threads().table  # the names in threads_asm are the linker's, like those of any module


class token:
    """A list with one element or none."""

    def __init__(self) -> None:
        self.full = True
        self.left: Epoch | None = None

    def pop(self) -> None:
        point()
        if not self.full:
            raise IndexError
        self.full = False
        if self.left is not None:
            join(now(), self.left)

    def append(self, _: None) -> None:
        point()
        self.full = True
        self.left = release()


class counter(struct):
    """An atomic_t."""

    counter: int
    lock: Any


class cells(struct):
    """The cells of a bitmap: one is enough."""

    bit: int

    def __len__(self) -> int:
        return 64

    def __getitem__(self, nr: int) -> int:
        return self.bit

    def __setitem__(self, nr: int, value: int) -> None:
        self.bit = value


class word(struct):
    """A bitmap."""

    cells: cells
    lock: Any


class spin(struct):
    """A spinlock_t, and what it guards."""

    raw: Any
    owner: Any
    name: str
    data: int


class info(struct):
    """A thread_info."""

    preempt_count: int
    irqs_off: int


MODELS = (counter, cells, spin)


class Points(Facility):
    """Every load and store of a model is a place to switch."""

    name = "points"

    def fields(self, machine):
        return [Watcher(_point, _point, first=True, only=lambda cls: cls in MODELS)]


def _point(*access: Any) -> None:
    if current_thread_info().name.startswith("task/"):  # not whoever looks at the end
        point()


class Local:
    """The thread-local store of the model."""

    def __init__(self) -> None:
        self.infos: dict[Any, info] = {}

    @property
    def ti(self) -> info:
        return self.infos.setdefault(current_thread_info(), info())


def wait(raw: Any) -> None:
    while True:
        try:
            raw.pop()
            return
        except IndexError:
            cpu_relax()


def model(name: str) -> Callable[..., Any]:
    """An instruction as it is now, on models."""
    function = CODE[name]
    scope = {
        **vars(threads_asm),
        "_tls": Local(),
        "raw_slow": wait,
        "spin_slow": lambda lock, ti: wait(lock.raw),
    }
    return FunctionType(function.__code__, scope, name, function.__defaults__)


def fresh() -> tuple[counter, word, spin]:
    c, w, s = counter(), word(), spin()
    c.lock, w.lock, s.raw = token(), token(), token()
    return c, w, s


def explore(task: Callable[..., Any], check: Callable[..., bool], tasks: int = 3) -> set[str]:
    """Run `task` on so many tasks, over many interleavings; what was wrong."""
    strategy = RoundRobin(0, 1)
    races = Races(Config.strict())
    wrong: set[str] = set()
    with kport.boot("virt", strategy=strategy, check=[Points(), races]) as kernel:
        for seed in range(SEEDS):
            strategy.seed, strategy.slice = seed, 1 + seed % 4
            models = fresh()
            done: list[Any] = []
            run = partial(_note, done, task, models)
            kernel.machine.run(*[run] * tasks)
            if not check(*models, done):
                wrong.add("sum")
        kernel.machine.halt()  # the tasks of run() are none of a kernel that could be left
        wrong |= {"race" for r in kernel.reports() if r.facility == "races"}
    return wrong


def _note(done: list[Any], task: Callable[..., Any], models: tuple[Any, ...]) -> None:
    done.append(task(*models))


def _add(*names: str) -> Callable[..., Any]:
    def task(c, w, s):
        results = []
        for name in names:
            arguments = {"atomic_cmpxchg": (c, 0, 5), "atomic_xchg": (c, 7), "atomic_set": (c, 3)}
            one = (1, c) if name.endswith(("add", "sub")) else (c,)
            results.append(model(name)(*arguments.get(name, one)))
        return results

    return task


def _locked(c, w, s):
    lock, unlock = model("spin_lock"), model("spin_unlock")
    for _ in range(2):
        lock(s)
        s.data += 1
        unlock(s)


def _saved(c, w, s):
    flags = model("spin_lock_irqsave")(s)
    s.data += 1
    model("spin_unlock_irqrestore")(s, flags)
    model("spin_lock_irq")(s)
    s.data += 1
    model("spin_unlock_irq")(s)


def _tried(c, w, s):
    if not model("spin_trylock")(s):
        return 0
    s.data += 1
    model("spin_unlock")(s)
    return 1


def _bits(c, w, s):
    return model("test_and_set_bit")(0, w)


CASES = {
    "inc, dec": (_add("atomic_inc", "atomic_inc", "atomic_dec"), lambda c, w, s, d: c.counter == 3),
    "add, sub": (_add("atomic_add", "atomic_sub"), lambda c, w, s, d: c.counter == 0),
    "return": (
        _add("atomic_inc_return"),
        lambda c, w, s, d: sorted(r for [r] in d) == [1, 2, 3],
    ),
    "fetch": (_add("atomic_fetch_add"), lambda c, w, s, d: sorted(r for [r] in d) == [0, 1, 2]),
    "fetch sub": (
        _add("atomic_fetch_sub"),
        lambda c, w, s, d: sorted(r for [r] in d) == [-2, -1, 0],
    ),
    "fetch 64": (
        _add("atomic64_fetch_add"),
        lambda c, w, s, d: sorted(r for [r] in d) == [0, 1, 2],
    ),
    "cmpxchg": (_add("atomic_cmpxchg"), lambda c, w, s, d: sorted(r for [r] in d) == [0, 5, 5]),
    "xchg": (_add("atomic_xchg"), lambda c, w, s, d: sorted(r for [r] in d) == [0, 7, 7]),
    "dec and test": (
        _add("atomic_inc", "atomic_dec_and_test"),
        lambda c, w, s, d: c.counter == 0 and any(r for _, r in d),
    ),
    "bits": (_bits, lambda c, w, s, d: sorted(d) == [0, 1, 1]),
    "spin": (_locked, lambda c, w, s, d: s.data == 6 and s.owner is None),
    "spin irq": (_saved, lambda c, w, s, d: s.data == 6 and s.owner is None),
    "try": (_tried, lambda c, w, s, d: s.data == sum(d) >= 1),
}


@pytest.mark.parametrize("case", CASES)
def test_an_instruction_is_whole_and_free_of_races(case):
    assert explore(*CASES[case]) == set()


POP = "try:\n    lock.pop()\nexcept IndexError:\n    raw_slow(lock)"
TOKEN = "try:\n    lock.raw.pop()\nexcept IndexError:\n    spin_slow(lock, ti)"
PLANTED = [
    ("inc, dec", "atomic_inc", POP, ""),
    ("add, sub", "atomic_add", POP, ""),
    ("return", "atomic_inc_return", POP, ""),
    ("fetch", "atomic_fetch_add", POP, ""),
    ("cmpxchg", "atomic_cmpxchg", POP, ""),
    ("xchg", "atomic_xchg", POP, ""),
    ("bits", "test_and_set_bit", POP, ""),
    ("spin", "spin_lock", TOKEN, ""),
    ("spin irq", "spin_lock_irqsave", TOKEN, ""),
    (
        "spin",
        "spin_unlock",
        "lock.owner = None\nlock.raw.append(None)",
        "lock.raw.append(None)\nlock.owner = None",
    ),
]


@pytest.mark.parametrize(("case", "name", "before", "after"), PLANTED)
def test_an_instruction_that_is_broken_is_found(case, name, before, after):
    task, check = CASES[case]
    with ExitStack() as stack:
        stack.enter_context(applied(Edit(CODE[name], before, after)))
        assert "race" in explore(task, check)
