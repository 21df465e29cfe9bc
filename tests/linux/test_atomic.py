# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Atomics: values and wrap of each operation, and exact counts under eight threads."""

from __future__ import annotations

import pytest

from kport.arch.asm import (
    READ_ONCE,
    WRITE_ONCE,
    cmpxchg,
    smp_load_acquire,
    smp_mb,
    smp_rmb,
    smp_store_release,
    smp_wmb,
    xchg,
)
from kport.linux import atomic as a
from kport.linux.struct import cas, struct
from kport.linux.types import INT_MAX, INT_MIN, LONG_MAX, LONG_MIN
from tests.support import together

pytestmark = pytest.mark.usefixtures("kernel")

THREADS, TURNS = 8, 400


class holder(struct):
    """Something with a member to exchange."""

    p: cas[object | None]
    n: int


def test_reading_and_setting():
    v = a.ATOMIC_INIT(5)
    assert a.atomic_read(v) == a.atomic_read_acquire(v) == 5
    a.atomic_set(v, -1)
    assert a.atomic_read(v) == -1
    a.atomic_set_release(v, 0)
    assert a.atomic_read(v) == 0
    w = a.ATOMIC64_INIT(1 << 40)
    assert a.atomic64_read(w) == 1 << 40
    a.atomic64_set(w, 3)
    assert a.atomic64_read(w) == 3


@pytest.mark.parametrize(
    ("start", "operation", "returned", "value"),
    [
        (5, lambda v: a.atomic_add(3, v), None, 8),
        (5, lambda v: a.atomic_sub(7, v), None, -2),
        (5, lambda v: a.atomic_inc(v), None, 6),
        (5, lambda v: a.atomic_dec(v), None, 4),
        (5, lambda v: a.atomic_inc_return(v), 6, 6),
        (5, a.atomic_dec_return, 4, 4),
        (5, lambda v: a.atomic_add_return(3, v), 8, 8),
        (5, lambda v: a.atomic_sub_return(3, v), 2, 2),
        (5, lambda v: a.atomic_fetch_add(3, v), 5, 8),
        (5, lambda v: a.atomic_fetch_sub(3, v), 5, 2),
        (5, lambda v: a.atomic_fetch_add_relaxed(3, v), 5, 8),
        (5, lambda v: a.atomic_fetch_sub_release(3, v), 5, 2),
        (5, a.atomic_fetch_inc, 5, 6),
        (1, lambda v: a.atomic_dec_and_test(v), True, 0),
        (2, lambda v: a.atomic_dec_and_test(v), False, 1),
        (0, lambda v: a.atomic_dec_and_test(v), False, -1),
        (-1, a.atomic_inc_and_test, True, 0),
        (0, a.atomic_inc_and_test, False, 1),
        (4, lambda v: a.atomic_sub_and_test(4, v), True, 0),
        (5, lambda v: a.atomic_sub_and_test(4, v), False, 1),
        (0b0101, lambda v: a.atomic_fetch_or(0b0011, v), 0b0101, 0b0111),
        (0b0101, lambda v: a.atomic_fetch_andnot(0b0001, v), 0b0101, 0b0100),
        (5, lambda v: a.atomic_xchg(v, 9), 5, 9),
        (5, lambda v: a.atomic_cmpxchg(v, 5, 9), 5, 9),
        (5, lambda v: a.atomic_cmpxchg(v, 4, 9), 5, 5),
        (5, lambda v: a.atomic_try_cmpxchg(v, 5, 9), (True, 5), 9),
        (5, lambda v: a.atomic_try_cmpxchg_relaxed(v, 4, 9), (False, 5), 5),
        (5, lambda v: a.atomic_try_cmpxchg_release(v, 5, 9), (True, 5), 9),
        (0, a.atomic_inc_not_zero, False, 0),
        (1, a.atomic_inc_not_zero, True, 2),
        (-1, a.atomic_inc_not_zero, True, 0),
        (7, lambda v: a.atomic_add_unless(v, 3, 7), False, 7),
        (6, lambda v: a.atomic_add_unless(v, 3, 7), True, 9),
    ],
)
def test_each_operation(start, operation, returned, value):
    v = a.ATOMIC_INIT(start)
    assert operation(v) == returned
    assert a.atomic_read(v) == value


@pytest.mark.parametrize(
    ("start", "operation", "value"),
    [
        (INT_MAX, lambda v: a.atomic_inc(v), INT_MIN),
        (INT_MIN, lambda v: a.atomic_dec(v), INT_MAX),
        (INT_MAX, lambda v: a.atomic_inc_return(v), INT_MIN),
        (INT_MIN, a.atomic_dec_return, INT_MAX),
        (INT_MIN, lambda v: a.atomic_dec_and_test(v), INT_MAX),
        (INT_MAX, lambda v: a.atomic_add(2, v), INT_MIN + 1),
        (INT_MIN, lambda v: a.atomic_sub(2, v), INT_MAX - 1),
        (INT_MAX, lambda v: a.atomic_fetch_add(INT_MAX, v), -2),
        (INT_MIN, lambda v: a.atomic_fetch_sub(1, v), INT_MAX),
        (INT_MAX, lambda v: a.atomic_add_return(1, v), INT_MIN),
        (INT_MIN, lambda v: a.atomic_sub_return(1, v), INT_MAX),
        (INT_MAX, lambda v: a.atomic_add_unless(v, 1, 0), INT_MIN),
    ],
)
def test_32_bits_wrap(start, operation, value):
    v = a.ATOMIC_INIT(start)
    returned = operation(v)
    assert a.atomic_read(v) == value
    if returned not in (None, True, False, start):
        assert returned == value


def test_64_bits_wrap():
    v = a.ATOMIC64_INIT(LONG_MAX)
    assert a.atomic64_fetch_add(1, v) == LONG_MAX
    assert a.atomic64_read(v) == LONG_MIN
    a.atomic64_add(-1, v)
    assert a.atomic64_read(v) == LONG_MAX
    a.atomic64_inc(v)
    assert a.atomic64_read(v) == LONG_MIN
    assert a.atomic64_inc_return(v) == LONG_MIN + 1


def test_an_atomic_long_takes_references():
    first, second = object(), object()
    v = a.atomic_long_t(first)
    assert a.atomic_long_read(v) is first
    assert a.atomic_long_xchg(v, second) is first
    assert a.atomic_long_cmpxchg(v, first, None) is second
    assert a.atomic_long_read(v) is second
    assert a.atomic_long_cmpxchg(v, second, None) is second
    a.atomic_long_set(v, first)
    assert a.atomic_long_read(v) is first


@pytest.mark.parametrize(
    ("operation", "each"),
    [
        (lambda v: a.atomic_inc(v), 1),
        (lambda v: a.atomic_dec(v), -1),
        (lambda v: a.atomic_add(3, v), 3),
        (lambda v: a.atomic_sub(3, v), -3),
        (lambda v: a.atomic_inc_return(v), 1),
        (lambda v: a.atomic_dec_and_test(v), -1),
        (lambda v: a.atomic_fetch_add(2, v), 2),
        (lambda v: a.atomic_fetch_sub(2, v), -2),
        (lambda v: a.atomic_add_unless(v, 1, -5), 1),
    ],
)
def test_no_update_is_lost_with_eight_threads(operation, each):
    v = a.ATOMIC_INIT(0)
    together(*[lambda: [operation(v) for _ in range(TURNS)]] * THREADS)
    assert a.atomic_read(v) == THREADS * TURNS * each


def test_no_64_bit_update_is_lost_with_eight_threads():
    v = a.ATOMIC64_INIT(1 << 33)
    seen = together(*[lambda: [a.atomic64_fetch_add(1, v) for _ in range(TURNS)]] * THREADS)
    assert a.atomic64_read(v) == (1 << 33) + THREADS * TURNS
    assert len({n for values in seen for n in values}) == THREADS * TURNS


def test_each_value_is_returned_to_one_thread():
    v = a.ATOMIC_INIT(0)
    seen = together(*[lambda: [a.atomic_inc_return(v) for _ in range(TURNS)]] * THREADS)
    assert sorted(n for values in seen for n in values) == list(range(1, THREADS * TURNS + 1))
    for values in seen:
        assert values == sorted(values)


def test_exactly_one_reaches_zero():
    for _ in range(20):
        v = a.ATOMIC_INIT(THREADS)
        assert sum(together(*[lambda v=v: a.atomic_dec_and_test(v)] * THREADS)) == 1


def test_exactly_one_wins_a_cmpxchg():
    v = a.atomic_long_t(None)
    seen = together(
        *[lambda n=n: a.atomic_long_cmpxchg(v, None, n) is None for n in range(THREADS)]
    )
    assert sum(seen) == 1
    assert seen.index(True) == a.atomic_long_read(v)


def test_every_value_exchanged_in_comes_out_once():
    v = a.ATOMIC_INIT(-1)

    def exchange(number: int) -> list[int]:
        return [a.atomic_xchg(v, number * TURNS + i) for i in range(TURNS)]

    seen = together(*[lambda n=n: exchange(n) for n in range(THREADS)])
    out = [n for values in seen for n in values] + [a.atomic_read(v)]
    assert sorted(out) == list(range(-1, THREADS * TURNS))


def test_members_are_read_written_and_exchanged_by_name():
    o = holder()
    thing = object()
    WRITE_ONCE(o, "p", thing)
    assert READ_ONCE(o, "p") is smp_load_acquire(o, "p") is thing
    smp_store_release(o, "n", 4)
    assert o.n == 4
    assert xchg(o, "n", 7) == 4
    assert o.n == 7
    assert cmpxchg(o, "p", None, 1) is thing
    assert o.p is thing
    assert cmpxchg(o, "p", thing, None) is thing
    assert o.p is None
    for barrier in (smp_mb, smp_rmb, smp_wmb, a.smp_mb__after_atomic, a.smp_mb__before_atomic):
        barrier()


def test_exactly_one_wins_a_cmpxchg_of_a_member():
    o = holder()
    for _ in range(20):
        o.p = None
        seen = together(*[lambda n=n: cmpxchg(o, "p", None, f"{n}") is None for n in range(8)])
        assert sum(seen) == 1
        assert o.p == f"{seen.index(True)}"


def test_a_store_is_ordered_against_an_exchange_of_the_same_member():
    """Nobody may store between the comparison and the exchange, or the store would be lost."""
    o = holder()
    stores, taken = [], []

    def producer(number: int) -> None:
        for i in range(TURNS):
            o.p = (number, i)
            stores.append((number, i))

    def taker() -> None:
        for _ in range(TURNS):
            was = o.p
            if was is not None and cmpxchg(o, "p", was, None) is was:
                taken.append(was)

    together(lambda: producer(0), taker, taker, lambda: producer(1))
    assert len(taken) == len(set(taken))
    assert set(taken) <= set(stores)
