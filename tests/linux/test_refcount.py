# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Reference counts: every way to leave 1..INT_MAX saturates, and says so once (lkdtm's table)."""

from __future__ import annotations

import pytest

from kport.arch.asm import irqs_disabled
from kport.linux.kref import (
    kref,
    kref_get,
    kref_get_unless_zero,
    kref_init,
    kref_put,
    kref_put_lock,
    kref_put_mutex,
    kref_read,
)
from kport.linux.mutex import mutex, mutex_init, mutex_is_locked, mutex_unlock
from kport.linux.refcount import (
    REFCOUNT_MAX,
    REFCOUNT_SATURATED,
    refcount_add,
    refcount_add_not_zero,
    refcount_dec,
    refcount_dec_and_lock,
    refcount_dec_and_lock_irqsave,
    refcount_dec_and_mutex_lock,
    refcount_dec_and_test,
    refcount_dec_if_one,
    refcount_dec_not_one,
    refcount_inc,
    refcount_inc_not_zero,
    refcount_read,
    refcount_set,
    refcount_sub_and_test,
    refcount_t,
    refcount_warn_saturate,
)
from kport.linux.spinlock import (
    spin_is_locked,
    spin_lock_init,
    spin_unlock,
    spin_unlock_irqrestore,
    spinlock_t,
)
from kport.linux.struct import container_of, struct
from kport.linux.types import INT_MAX, INT_MIN, u32
from tests.support import take_warnings, together

OVERFLOW = "refcount_t: saturated; leaking memory."
ADD_ON_0 = "refcount_t: addition on 0; use-after-free."
UNDERFLOW = "refcount_t: underflow; use-after-free."
LEAK = "refcount_t: decrement hit 0; leaking memory."

SATURATED = u32(REFCOUNT_SATURATED)


def count(n: int) -> refcount_t:
    r = refcount_t()
    refcount_set(r, n)
    return r


def test_the_limits():
    assert REFCOUNT_MAX == INT_MAX
    assert REFCOUNT_SATURATED == INT_MIN // 2
    assert SATURATED == 0xC0000000


@pytest.mark.parametrize(
    ("start", "operation", "returned", "value"),
    [
        (1, refcount_inc, None, 2),
        (1, lambda r: refcount_add(5, r), None, 6),
        (2, refcount_dec, None, 1),
        (1, refcount_dec_and_test, True, 0),
        (2, refcount_dec_and_test, False, 1),
        (5, lambda r: refcount_sub_and_test(5, r), True, 0),
        (5, lambda r: refcount_sub_and_test(4, r), False, 1),
        (1, refcount_inc_not_zero, True, 2),
        (0, refcount_inc_not_zero, False, 0),
        (1, lambda r: refcount_add_not_zero(4, r), True, 5),
        (0, lambda r: refcount_add_not_zero(4, r), False, 0),
        (1, refcount_dec_if_one, True, 0),
        (2, refcount_dec_if_one, False, 2),
        (0, refcount_dec_if_one, False, 0),
        (1, refcount_dec_not_one, False, 1),
        (2, refcount_dec_not_one, True, 1),
        (INT_MAX - 1, refcount_inc, None, INT_MAX),
        (INT_MAX, refcount_dec, None, INT_MAX - 1),
    ],
)
def test_within_the_limits(kernel, start, operation, returned, value):
    r = count(start)
    assert operation(r) == returned
    assert refcount_read(r) == value
    assert kernel.warnings() == []


@pytest.mark.parametrize(
    ("start", "operation", "returned", "message"),
    [
        # overflow
        (INT_MAX, refcount_inc, None, OVERFLOW),
        (INT_MAX, lambda r: refcount_add(1, r), None, OVERFLOW),
        (INT_MAX - 3, lambda r: refcount_add(7, r), None, OVERFLOW),
        (INT_MAX, refcount_inc_not_zero, True, OVERFLOW),
        (INT_MAX - 3, lambda r: refcount_add_not_zero(7, r), True, OVERFLOW),
        # addition on 0
        (0, refcount_inc, None, ADD_ON_0),
        (0, lambda r: refcount_add(2, r), None, ADD_ON_0),
        # decrement to and below 0
        (1, refcount_dec, None, LEAK),
        (0, refcount_dec, None, LEAK),
        (0, refcount_dec_and_test, False, UNDERFLOW),
        (0, lambda r: refcount_sub_and_test(3, r), False, UNDERFLOW),
        (2, lambda r: refcount_sub_and_test(3, r), False, UNDERFLOW),
        # saturated stays saturated
        (REFCOUNT_SATURATED, refcount_inc, None, OVERFLOW),
        (REFCOUNT_SATURATED, lambda r: refcount_add(8, r), None, OVERFLOW),
        (REFCOUNT_SATURATED, refcount_inc_not_zero, True, OVERFLOW),
        (REFCOUNT_SATURATED, lambda r: refcount_add_not_zero(6, r), True, OVERFLOW),
        (REFCOUNT_SATURATED, refcount_dec, None, LEAK),
        (REFCOUNT_SATURATED, refcount_dec_and_test, False, UNDERFLOW),
        (REFCOUNT_SATURATED, lambda r: refcount_sub_and_test(8, r), False, UNDERFLOW),
    ],
)
@pytest.mark.boot(check="")  # wrong on purpose
def test_every_way_out_of_the_limits_saturates_and_says_why(
    kernel, start, operation, returned, message
):
    r = count(start)
    assert operation(r) == returned
    assert refcount_read(r) == SATURATED
    (text,) = take_warnings(kernel)
    assert text.endswith(message)


@pytest.mark.boot(check="")  # wrong on purpose
def test_a_saturated_counter_is_not_decremented_by_not_one(kernel):
    r = count(REFCOUNT_SATURATED)
    assert refcount_dec_not_one(r) is True
    assert refcount_read(r) == SATURATED
    r = count(0)
    assert refcount_dec_not_one(r) is True
    assert refcount_read(r) == 0
    (text,) = take_warnings(kernel)
    assert text.endswith(UNDERFLOW)


@pytest.mark.boot(check="")  # wrong on purpose
def test_each_kind_is_said_once_per_kernel(kernel, boot):
    for _ in range(3):
        refcount_inc(count(0))
        refcount_dec(count(1))
    assert len(take_warnings(kernel)) == 2


@pytest.mark.boot(check="")  # wrong on purpose
def test_an_unknown_kind(kernel):
    r = count(1)
    refcount_warn_saturate(r, 99)
    (text,) = take_warnings(kernel)
    assert text.endswith("refcount_t: unknown saturation event!?.")
    assert refcount_read(r) == SATURATED


@pytest.mark.boot(check="")  # wrong on purpose
def test_a_saturated_counter_survives_a_storm(kernel):
    r = count(INT_MAX)
    refcount_inc(r)
    together(
        *[lambda: [refcount_inc(r) for _ in range(200)]] * 4,
        *[lambda: [refcount_dec_and_test(r) for _ in range(200)]] * 4,
    )
    assert take_warnings(kernel)
    assert INT_MAX < refcount_read(r) < 2**32 - 10_000, "far from 0 whatever was counted"


# -- with a lock -----------------------------------------------------------------------------------


def test_the_last_reference_takes_the_lock(kernel):
    lock, sleeping = spinlock_t(), mutex()
    spin_lock_init(lock)
    mutex_init(sleeping)

    r = count(2)
    assert refcount_dec_and_lock(r, lock) is False
    assert not spin_is_locked(lock)
    assert refcount_dec_and_lock(r, lock) is True
    assert spin_is_locked(lock)
    spin_unlock(lock)
    assert refcount_read(r) == 0

    r = count(2)
    assert refcount_dec_and_lock_irqsave(r, lock) == (False, 0)
    assert not irqs_disabled()
    last, flags = refcount_dec_and_lock_irqsave(r, lock)
    assert (last, flags) == (True, 0)
    assert irqs_disabled()
    spin_unlock_irqrestore(lock, flags)
    assert not irqs_disabled()

    r = count(2)
    assert refcount_dec_and_mutex_lock(r, sleeping) is False
    assert not mutex_is_locked(sleeping)
    assert refcount_dec_and_mutex_lock(r, sleeping) is True
    assert mutex_is_locked(sleeping)
    mutex_unlock(sleeping)


# -- kref ------------------------------------------------------------------------------------------


class thing(struct):
    """An object with a reference count."""

    refs: kref
    released: int


def release(ref: kref) -> None:
    container_of(ref, thing, "refs").released += 1


def test_the_last_put_releases_once(kernel):
    obj = thing()
    kref_init(obj.refs)
    kref_get(obj.refs)
    assert kref_read(obj.refs) == 2
    assert kref_put(obj.refs, release) == 0
    assert obj.released == 0
    assert kref_put(obj.refs, release) == 1
    assert obj.released == 1
    assert kref_get_unless_zero(obj.refs) is False


def test_get_unless_zero(kernel):
    obj = thing()
    assert kref_get_unless_zero(obj.refs) is False
    kref_init(obj.refs)
    assert kref_get_unless_zero(obj.refs) is True
    assert kref_read(obj.refs) == 2


def test_put_with_a_lock(kernel):
    lock, sleeping = spinlock_t(), mutex()
    spin_lock_init(lock)
    mutex_init(sleeping)
    obj = thing()
    kref_init(obj.refs)
    kref_get(obj.refs)
    assert kref_put_lock(obj.refs, release, lock) == 0
    assert kref_put_lock(obj.refs, release, lock) == 1
    assert spin_is_locked(lock)
    spin_unlock(lock)
    kref_init(obj.refs)
    kref_get(obj.refs)
    assert kref_put_mutex(obj.refs, release, sleeping) == 0
    assert kref_put_mutex(obj.refs, release, sleeping) == 1
    assert mutex_is_locked(sleeping)
    mutex_unlock(sleeping)
    assert obj.released == 2


def test_one_release_whoever_is_last(kernel):
    for _ in range(20):
        obj = thing()
        kref_init(obj.refs)
        for _ in range(7):
            kref_get(obj.refs)
        assert sum(together(*[lambda o=obj: kref_put(o.refs, release)] * 8)) == 1
        assert obj.released == 1


def test_getters_and_putters_balance(kernel):
    obj = thing()
    kref_init(obj.refs)

    def use() -> None:
        for _ in range(200):
            assert kref_get_unless_zero(obj.refs)
            assert kref_put(obj.refs, release) == 0

    together(*[use] * 6)
    assert kref_read(obj.refs) == 1
    assert kref_put(obj.refs, release) == 1


@pytest.mark.boot(check="")  # wrong on purpose
def test_put_after_the_end_is_an_underflow(kernel):
    obj = thing()
    kref_init(obj.refs)
    kref_put(obj.refs, release)
    assert kref_put(obj.refs, release) == 0
    (text,) = take_warnings(kernel)
    assert text.endswith(UNDERFLOW)
    assert obj.released == 1
