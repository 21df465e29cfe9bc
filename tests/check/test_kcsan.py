# SPDX-FileCopyrightText: 2020 Google LLC
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/kcsan/kcsan_test.c, Linux 7.2.13, on 2026-11-20.
"""KCSAN's own tests: what it must report, and what it must not.

Each case has two access functions; threads run them in turn, the first, the second, the first ...
22 of the 30 cases are here, on virt with 2 to 5 threads; some of them again with sampling on
threads. The others:

- test_barrier_nothreads looks into KCSAN's own state of a reordered access, which is not modelled:
  here barriers are order (tests/check/test_races.py has what each of them orders);
- test_write_write_struct, test_write_write_struct_part and test_zero_size_access are about accesses
  of other sizes than a word, and a member is a word;
- test_seqlock_noreport: there are no seqlocks in the port;
- test_atomic_builtins, test_atomic_builtins_correct_barrier and ..._missing_barrier are about what
  a compiler makes of its built-in functions.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

import kport
from kport.arch.asm import READ_ONCE, WRITE_ONCE, cmpxchg, smp_store_release
from kport.arch.strategy import RoundRobin
from kport.check.races import Races
from kport.linux.completion import complete, completion, init_completion, wait_for_completion
from kport.linux.field import raw_get, raw_set
from kport.linux.fork import kernel_task
from kport.linux.jiffies import jiffies
from kport.linux.kcsan import (
    ASSERT_EXCLUSIVE_ACCESS,
    ASSERT_EXCLUSIVE_ACCESS_SCOPED,
    ASSERT_EXCLUSIVE_BITS,
    ASSERT_EXCLUSIVE_WRITER,
    ASSERT_EXCLUSIVE_WRITER_SCOPED,
    Config,
    data_race,
    data_race_store,
)
from kport.linux.struct import struct


class shared(struct):
    """The test's variables."""

    test_var: int
    test_sink: int
    flag: int
    test_data_racy: __data_racy[int]  # noqa: F821


V: Any = None
array: list[Any] = []
Access = Callable[[], Any]


def run(
    first: Access,
    second: Access,
    config: Config | None = None,
    threads: int = 2,
    turns: int = 4,
) -> set[str]:
    """The reports of threads that run the functions in turn on virt, without the head."""
    global V
    found: set[str] = set()
    for seed in range(3):
        with kport.boot("virt", strategy=RoundRobin(seed, 3), check=[Races(config)]) as kernel:
            V = shared()
            array[:] = [shared() for _ in range(8)]
            _start(first, second, threads, lambda turn: turn < turns)
            found |= {r.headline.removeprefix("BUG: KCSAN: ") for r in kernel.reports()}
    return found


def _start(
    first: Access, second: Access, threads: int, more: Callable[[int], bool]
) -> None:
    ends = [completion() for _ in range(threads)]

    def access_thread(number: int) -> None:
        turn = 0
        while more(turn):
            (second if (turn + number) % 2 else first)()
            turn += 1
        complete(ends[number])

    for number, end in enumerate(ends):
        init_completion(end)
        kernel_task(lambda number=number: access_thread(number), f"access/{number}")
    for end in ends:
        wait_for_completion(end)


def sample(first: Access, second: Access, wanted: str, seconds: float = 8.0) -> set[str]:
    """The same on threads, until `wanted` is reported or time is up."""
    global V
    config = Config(skip_watch=8, udelay_task=300)
    with kport.boot("threads", check=[Races(config)]) as kernel:
        V = shared()
        end = monotonic() + seconds

        def more(turn: int) -> bool:
            if monotonic() > end:
                return False
            return not any(wanted in r.headline for r in kernel.reports())

        _start(first, second, 2, more)
        return {r.headline.removeprefix("BUG: KCSAN: ") for r in kernel.reports()}


# -- access functions ----------------------------------------------------------------------------


def kernel_read():
    return V.test_var


def kernel_write():
    V.test_var = raw_get(V, "test_sink") + 1
    raw_set(V, "test_sink", raw_get(V, "test_sink") + 1)


def kernel_write_nochange():
    V.test_var = 42


def kernel_write_nochange_rcu():
    V.test_var = 42


def kernel_read_atomic():
    return READ_ONCE(V, "test_var")


def kernel_write_atomic():
    WRITE_ONCE(V, "test_var", raw_get(V, "test_sink") + 1)
    raw_set(V, "test_sink", raw_get(V, "test_sink") + 1)


def kernel_atomic_rmw():
    old = raw_get(V, "test_var")
    cmpxchg(V, "test_var", old, old + 1)


def kernel_write_uninstrumented():
    raw_set(V, "test_var", raw_get(V, "test_var") + 1)


def kernel_data_race():
    data_race_store(V, "test_var", data_race(V, "test_var") + 1)


def kernel_data_racy_qualifier():
    V.test_data_racy += 1


def kernel_assert_writer():
    ASSERT_EXCLUSIVE_WRITER(V, "test_var")


def kernel_assert_access():
    ASSERT_EXCLUSIVE_ACCESS(V, "test_var")


CHANGE_BITS = 0xFF00FF00


def kernel_change_bits():
    WRITE_ONCE(V, "test_var", READ_ONCE(V, "test_var") ^ CHANGE_BITS)


def kernel_assert_bits_change():
    ASSERT_EXCLUSIVE_BITS(V, "test_var", CHANGE_BITS)


def kernel_assert_bits_nochange():
    ASSERT_EXCLUSIVE_BITS(V, "test_var", ~CHANGE_BITS & 0xFFFFFFFF)


def enter_scope():
    READ_ONCE(V, "test_sink")


def kernel_assert_writer_scoped():
    with ASSERT_EXCLUSIVE_WRITER_SCOPED(V, "test_var"):
        enter_scope()


def kernel_assert_access_scoped():
    with ASSERT_EXCLUSIVE_ACCESS_SCOPED(V, "test_var"):
        enter_scope()


def kernel_rmw_array():
    for one in array:
        one.test_var += 1


def kernel_jiffies_reader():
    return jiffies()


def kernel_xor_1bit():
    data_race_store(V, "test_sink", 0)
    WRITE_ONCE(V, "test_var", raw_get(V, "test_var") ^ 0x10000)


def kernel_with_memorder():
    if cmpxchg(V, "flag", 0, 1) != 0:
        return
    for _ in range(3):
        V.test_var += 1
    smp_store_release(V, "flag", 0)


def kernel_wrong_memorder():
    if READ_ONCE(V, "flag") != 0:
        return
    WRITE_ONCE(V, "flag", 1)
    for _ in range(3):
        V.test_var += 1
    WRITE_ONCE(V, "flag", 0)


# -- cases ---------------------------------------------------------------------------------------


def race(first: Access, second: Access, kind: str = "data-race") -> str:
    names = sorted((first.__name__, second.__name__))
    return f"{kind} in {names[0]} / {names[1]}"


NTHREADS = (2, 3, 4, 5)
STRICT_VALUES = Config(report_value_change_only=False)


@pytest.mark.parametrize("n", NTHREADS)
def test_basic(n):
    assert run(kernel_write, kernel_read, threads=n) == {race(kernel_write, kernel_read)}
    assert run(kernel_read, kernel_read, threads=n) == set()


@pytest.mark.parametrize("n", NTHREADS)
def test_concurrent_races(n):
    expect = {race(kernel_rmw_array, kernel_rmw_array)}
    assert run(kernel_rmw_array, kernel_rmw_array, threads=n) == expect


def test_novalue_change():
    def first():
        raw_set(V, "test_var", 42)
        kernel_write_nochange()

    assert run(first, kernel_read) == set()
    expect = race(kernel_write_nochange, kernel_read)
    assert expect in run(first, kernel_read, STRICT_VALUES)


def test_novalue_change_exception():
    def first():
        raw_set(V, "test_var", 42)
        kernel_write_nochange_rcu()

    assert run(first, kernel_read) == {race(kernel_write_nochange_rcu, kernel_read)}


def test_unknown_origin():
    found = sample(kernel_write_uninstrumented, kernel_read, "data-race in kernel_read")
    assert found == {"data-race in kernel_read"}


def test_write_write_assume_atomic():
    assert run(kernel_write, kernel_write) == set()
    config = Config(assume_plain_writes_atomic=False)
    assert run(kernel_write, kernel_write, config) == {race(kernel_write, kernel_write)}


def test_read_atomic_write_atomic():
    assert run(kernel_read_atomic, kernel_write_atomic) == set()


def test_read_plain_atomic_write():
    expect = {race(kernel_read, kernel_write_atomic)}
    assert run(kernel_read, kernel_write_atomic) == expect


def test_read_plain_atomic_rmw():
    assert run(kernel_read, kernel_atomic_rmw) == {race(kernel_read, kernel_atomic_rmw)}


def test_data_race():
    assert run(kernel_data_race, kernel_data_race) == set()


def test_data_racy_qualifier():
    assert run(kernel_data_racy_qualifier, kernel_data_racy_qualifier) == set()


def test_assert_exclusive_writer():
    expect = {race(kernel_assert_writer, kernel_write_nochange, "assert: race")}
    assert run(kernel_assert_writer, kernel_write_nochange) == expect


def test_assert_exclusive_access():
    expect = race(kernel_assert_access, kernel_read, "assert: race")
    assert expect in run(kernel_assert_access, kernel_read)


def test_assert_exclusive_access_writer():
    found = run(kernel_assert_access, kernel_assert_writer, threads=3)
    assert race(kernel_assert_access, kernel_assert_writer, "assert: race") in found
    assert race(kernel_assert_access, kernel_assert_access, "assert: race") in found
    assert race(kernel_assert_writer, kernel_assert_writer, "assert: race") not in found


def test_assert_exclusive_bits_change():
    expect = {race(kernel_assert_bits_change, kernel_change_bits, "assert: race")}
    assert run(kernel_assert_bits_change, kernel_change_bits) == expect


def test_assert_exclusive_bits_nochange():
    assert run(kernel_assert_bits_nochange, kernel_change_bits) == set()


def test_assert_exclusive_writer_scoped():
    expect = {race(kernel_assert_writer_scoped, kernel_write_nochange, "assert: race")}
    assert run(kernel_assert_writer_scoped, kernel_write_nochange) == expect


def test_assert_exclusive_access_scoped():
    found = run(kernel_assert_access_scoped, kernel_read)
    assert race(kernel_assert_access_scoped, kernel_read, "assert: race") in found
    assert not any("enter_scope" in text for text in found)


def test_jiffies_noreport():
    assert run(kernel_jiffies_reader, kernel_jiffies_reader) == set()


def test_1bit_value_change():
    assert run(kernel_read, kernel_xor_1bit) == {race(kernel_read, kernel_xor_1bit)}
    assert run(kernel_read, kernel_xor_1bit, Config(permissive=True)) == set()


def test_correct_barrier():
    assert run(kernel_with_memorder, kernel_with_memorder, threads=3, turns=8) == set()


def test_missing_barrier():
    expect = {race(kernel_wrong_memorder, kernel_wrong_memorder)}
    assert run(kernel_wrong_memorder, kernel_wrong_memorder, threads=3, turns=8) == expect


# -- the same by sampling, on threads --------------------------------------------------------------


SAMPLED = [
    (kernel_write, kernel_read, "data-race"),
    (kernel_write_atomic, kernel_read, "data-race"),
    (kernel_assert_writer, kernel_write_nochange, "assert: race"),
    (kernel_assert_access, kernel_read, "assert: race"),
    (kernel_assert_bits_change, kernel_change_bits, "assert: race"),
]


@pytest.mark.parametrize(("first", "second", "kind"), SAMPLED)
def test_sampling(first, second, kind):
    expect = race(first, second, kind)
    assert expect in sample(first, second, expect)


SILENT = [
    (kernel_read, kernel_read),
    (kernel_write, kernel_write),
    (kernel_read_atomic, kernel_write_atomic),
    (kernel_data_race, kernel_data_race),
    (kernel_assert_bits_nochange, kernel_change_bits),
    (kernel_with_memorder, kernel_with_memorder),
]


@pytest.mark.parametrize(("first", "second"), SILENT)
def test_sampling_of_what_is_no_race(first, second):
    assert sample(first, second, "race", 0.2) == set()
