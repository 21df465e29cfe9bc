# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""xarray: the lowest free index, -EBUSY, NULL, iteration while it changes, failed allocations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kport
from kport.linux.err import EBUSY, EINVAL, ENOMEM, ERR_PTR
from kport.linux.slab import GFP_KERNEL, fail_nth
from kport.linux.spinlock import spin_is_locked
from kport.linux.xarray import (
    XA_FLAGS_ALLOC,
    XA_FLAGS_ALLOC1,
    XA_LIMIT,
    XA_MARK_0,
    XA_MARK_1,
    XA_MARK_2,
    XA_PRESENT,
    XA_ZERO_ENTRY,
    xa_alloc,
    xa_alloc_cyclic,
    xa_clear_mark,
    xa_cmpxchg,
    xa_destroy,
    xa_empty,
    xa_erase,
    xa_err,
    xa_find,
    xa_find_after,
    xa_for_each,
    xa_get_mark,
    xa_init,
    xa_init_flags,
    xa_insert,
    xa_is_err,
    xa_is_value,
    xa_limit_16b,
    xa_limit_32b,
    xa_load,
    xa_lock,
    xa_lock_irq,
    xa_marked,
    xa_mk_value,
    xa_release,
    xa_reserve,
    xa_set_mark,
    xa_store,
    xa_to_value,
    xa_unlock,
    xa_unlock_irq,
    xarray,
)
from tests.support import together


@pytest.fixture
def xa(kernel):
    made = xarray()
    xa_init(made)
    return made


@pytest.fixture
def alloc(kernel):
    made = xarray()
    xa_init_flags(made, XA_FLAGS_ALLOC)
    return made


@pytest.fixture
def alloc1(kernel):
    made = xarray()
    xa_init_flags(made, XA_FLAGS_ALLOC1)
    return made


def store(xa: xarray, index: int, entry: object) -> object:
    return xa_store(xa, index, entry, GFP_KERNEL)


# -- store, load, erase ----------------------------------------------------------------------------


def test_store_load_and_erase_return_what_was_there(xa):
    assert xa_empty(xa)
    assert xa_load(xa, 5) is None
    assert store(xa, 5, "a") is None
    assert store(xa, 5, "b") == "a"
    assert xa_load(xa, 5) == "b"
    assert not xa_empty(xa)
    assert xa_erase(xa, 5) == "b"
    assert xa_erase(xa, 5) is None
    assert xa_empty(xa)


def test_storing_null_erases(xa):
    store(xa, 3, "a")
    assert store(xa, 3, None) == "a"
    assert xa_empty(xa)


def test_insert_wants_a_free_index(xa):
    assert xa_insert(xa, 7, "a", GFP_KERNEL) == 0
    assert xa_insert(xa, 7, "b", GFP_KERNEL) == -EBUSY
    assert xa_load(xa, 7) == "a"


def test_a_reserved_index_is_stored_but_loads_as_null(xa):
    assert xa_reserve(xa, 4, GFP_KERNEL) == 0
    assert xa_reserve(xa, 4, GFP_KERNEL) == 0
    assert xa_load(xa, 4) is None
    assert not xa_empty(xa)
    assert xa_insert(xa, 4, "a", GFP_KERNEL) == -EBUSY
    assert store(xa, 4, "a") is None
    xa_release(xa, 4)
    assert xa_load(xa, 4) == "a", "release leaves what holds an entry"
    assert xa_insert(xa, 5, None, GFP_KERNEL) == 0
    xa_release(xa, 5)
    assert xa_erase(xa, 4) == "a"
    assert xa_empty(xa)


def test_cmpxchg(xa):
    assert xa_cmpxchg(xa, 1, None, "a", GFP_KERNEL) is None
    assert xa_cmpxchg(xa, 1, None, "b", GFP_KERNEL) == "a"
    assert xa_cmpxchg(xa, 1, "a", "b", GFP_KERNEL) == "a"
    assert xa_load(xa, 1) == "b"
    assert xa_cmpxchg(xa, 1, "b", None, GFP_KERNEL) == "b"
    assert xa_empty(xa)


def test_destroy_forgets_everything(alloc):
    for n in range(5):
        assert xa_alloc(alloc, f"{n}", xa_limit_32b, GFP_KERNEL) == (0, n)
    xa_destroy(alloc)
    assert xa_empty(alloc)
    assert xa_alloc(alloc, "again", xa_limit_32b, GFP_KERNEL) == (0, 0)


def test_errors_are_told_from_entries():
    assert xa_err(ERR_PTR(-ENOMEM)) == -ENOMEM
    assert xa_err("entry") == xa_err(None) == 0
    assert xa_is_err(ERR_PTR(-EBUSY))
    assert not xa_is_err(None)


# -- allocation ------------------------------------------------------------------------------------


def test_the_lowest_free_index_is_taken(alloc):
    for n in range(6):
        assert xa_alloc(alloc, n + 100, xa_limit_32b, GFP_KERNEL) == (0, n)
    for index in (4, 1, 3):
        xa_erase(alloc, index)
    assert [xa_alloc(alloc, "x", xa_limit_32b, GFP_KERNEL)[1] for _ in range(4)] == [1, 3, 4, 6]


def test_alloc1_begins_at_1(alloc1):
    assert xa_alloc(alloc1, "a", xa_limit_32b, GFP_KERNEL) == (0, 1)
    assert xa_alloc(alloc1, "b", xa_limit_32b, GFP_KERNEL) == (0, 2)
    xa_erase(alloc1, 1)
    assert xa_alloc(alloc1, "c", xa_limit_32b, GFP_KERNEL) == (0, 1)


def test_a_full_range_is_ebusy(alloc):
    for n in range(10, 13):
        assert xa_alloc(alloc, "x", XA_LIMIT(10, 12), GFP_KERNEL) == (0, n)
    assert xa_alloc(alloc, "x", XA_LIMIT(10, 12), GFP_KERNEL) == (-EBUSY, 0)
    assert xa_alloc(alloc, "x", XA_LIMIT(0, 12), GFP_KERNEL) == (0, 0)
    xa_erase(alloc, 11)
    assert xa_alloc(alloc, "x", XA_LIMIT(10, 12), GFP_KERNEL) == (0, 11)


def test_allocations_of_different_ranges_do_not_confuse_each_other(alloc):
    assert xa_alloc(alloc, "x", XA_LIMIT(5, 9), GFP_KERNEL) == (0, 5)
    assert xa_alloc(alloc, "x", xa_limit_16b, GFP_KERNEL) == (0, 0)
    assert xa_alloc(alloc, "x", XA_LIMIT(3, 9), GFP_KERNEL) == (0, 3)
    assert [xa_alloc(alloc, "x", xa_limit_16b, GFP_KERNEL)[1] for _ in range(4)] == [1, 2, 4, 6]


def test_allocating_null_reserves(alloc):
    assert xa_alloc(alloc, None, xa_limit_32b, GFP_KERNEL) == (0, 0)
    assert xa_load(alloc, 0) is None
    assert xa_alloc(alloc, "b", xa_limit_32b, GFP_KERNEL) == (0, 1)
    assert [entry for _, entry in xa_for_each(alloc)] == ["b"]


def test_only_an_allocating_array_allocates(xa):
    assert xa_alloc(xa, "a", xa_limit_32b, GFP_KERNEL) == (-EINVAL, 0)


@given(st.lists(st.one_of(st.none(), st.integers(0, 12)), max_size=60), st.booleans())
def test_allocation_against_a_model(steps, from_1):
    with kport.boot():
        xa = xarray()
        xa_init_flags(xa, XA_FLAGS_ALLOC1 if from_1 else XA_FLAGS_ALLOC)
        model: set[int] = set()
        for step in steps:
            if step is None:
                expected = min(set(range(int(from_1), 11)) - model, default=None)
                got = xa_alloc(xa, "x", XA_LIMIT(0, 10), GFP_KERNEL)
                assert got == ((-EBUSY, 0) if expected is None else (0, expected))
                if expected is not None:
                    model.add(expected)
            else:
                assert (xa_erase(xa, step) is not None) == (step in model)
                model.discard(step)
        assert [index for index, _ in xa_for_each(xa)] == sorted(model)


def test_many_threads_get_different_indices(alloc):
    def take() -> list[int]:
        got = []
        for n in range(60):
            got.append(xa_alloc(alloc, "x", xa_limit_32b, GFP_KERNEL)[1])
            if n % 3 == 2:
                xa_erase(alloc, got.pop(0))
        return got

    kept = [index for got in together(*[take] * 5) for index in got]
    assert len(kept) == len(set(kept)) == 200
    assert sorted(kept) == [index for index, _ in xa_for_each(alloc)]


# -- iteration -------------------------------------------------------------------------------------


def test_iteration_is_in_order_of_index(xa):
    for index in (7, 1, 1000, 3):
        store(xa, index, f"{index}")
    assert list(xa_for_each(xa)) == [(1, "1"), (3, "3"), (7, "7"), (1000, "1000")]


def test_what_is_visited_may_be_erased(xa):
    for index in range(10):
        store(xa, index, index + 1)
    seen = []
    for index, _entry in xa_for_each(xa):
        seen.append(index)
        xa_erase(xa, index)
    assert seen == list(range(10))
    assert xa_empty(xa)


def test_what_is_erased_ahead_is_not_visited(xa):
    for index in range(6):
        store(xa, index, index + 1)
    seen = []
    for index, _entry in xa_for_each(xa):
        seen.append(index)
        xa_erase(xa, index + 1)
    assert seen == [0, 2, 4]


def test_what_is_stored_ahead_is_visited_and_what_is_stored_behind_is_not(xa):
    store(xa, 2, "2")
    store(xa, 8, "8")
    seen = []
    for index, _entry in xa_for_each(xa):
        seen.append(index)
        if index == 2:
            store(xa, 0, "0")
            store(xa, 5, "5")
            store(xa, 20, "20")
    assert seen == [2, 5, 8, 20]


def test_find(xa):
    for index in (3, 9):
        store(xa, index, f"{index}")
    xa_reserve(xa, 5, GFP_KERNEL)
    assert xa_find(xa, 0, 100, XA_PRESENT) == ("3", 3)
    assert xa_find(xa, 3, 100, XA_PRESENT) == ("3", 3)
    assert xa_find(xa, 4, 100, XA_PRESENT) == ("9", 9)
    assert xa_find(xa, 4, 8, XA_PRESENT) == (None, 4)
    assert xa_find_after(xa, 3, 100, XA_PRESENT) == ("9", 9)
    assert xa_find_after(xa, 9, 100, XA_PRESENT) == (None, 9)


# -- marks -----------------------------------------------------------------------------------------


def test_a_mark_goes_with_its_entry(xa):
    xa_set_mark(xa, 3, XA_MARK_0)
    assert not xa_get_mark(xa, 3, XA_MARK_0), "there is nothing to mark"
    store(xa, 3, "3")
    store(xa, 9, "9")
    xa_set_mark(xa, 9, XA_MARK_1)
    assert xa_get_mark(xa, 9, XA_MARK_1)
    assert not xa_get_mark(xa, 9, XA_MARK_0)
    assert not xa_get_mark(xa, 3, XA_MARK_1)
    assert xa_marked(xa, XA_MARK_1)
    assert not xa_marked(xa, XA_MARK_0)
    assert xa_find(xa, 0, 100, XA_MARK_1) == ("9", 9)
    assert xa_find(xa, 0, 100, XA_MARK_2) == (None, 0)
    store(xa, 9, "10")
    assert xa_get_mark(xa, 9, XA_MARK_1), "another entry in its place keeps it"
    xa_clear_mark(xa, 9, XA_MARK_1)
    assert not xa_get_mark(xa, 9, XA_MARK_1)
    xa_set_mark(xa, 9, XA_MARK_1)
    xa_erase(xa, 9)
    store(xa, 9, "9")
    assert not xa_get_mark(xa, 9, XA_MARK_1)


# -- entries that are no pointers ------------------------------------------------------------------


def test_an_integer_has_one_entry(xa):
    assert xa_mk_value(5) is xa_mk_value(5) is not xa_mk_value(6)
    assert xa_mk_value(0)
    assert xa_to_value(xa_mk_value(1 << 62)) == 1 << 62
    assert xa_is_value(xa_mk_value(0))
    assert not xa_is_value(0)


# -- allocation in circles -------------------------------------------------------------------------


def test_allocation_goes_on_behind_the_last_one(alloc):
    limit = XA_LIMIT(2, 4)
    assert xa_alloc_cyclic(alloc, 0, "a", limit, 0, GFP_KERNEL) == (0, 2, 3)
    xa_erase(alloc, 2)
    assert xa_alloc_cyclic(alloc, 2, "b", limit, 3, GFP_KERNEL) == (0, 3, 4)
    assert xa_alloc_cyclic(alloc, 3, "c", limit, 4, GFP_KERNEL) == (0, 4, 5)
    assert xa_alloc_cyclic(alloc, 4, "d", limit, 5, GFP_KERNEL) == (0, 2, 3)
    assert xa_alloc_cyclic(alloc, 2, "e", limit, 3, GFP_KERNEL) == (-EBUSY, 2, 3)


def test_null_reserves_in_an_array_that_allocates(alloc):
    assert xa_alloc(alloc, "a", xa_limit_32b, GFP_KERNEL) == (0, 0)
    assert store(alloc, 0, None) == "a"
    assert xa_load(alloc, 0) is None
    assert xa_alloc(alloc, "b", xa_limit_32b, GFP_KERNEL) == (0, 1)


def test_an_exchange_tells_what_is_reserved_from_nothing(xa):
    assert xa_reserve(xa, 3, GFP_KERNEL) == 0
    assert xa_cmpxchg(xa, 3, None, "a", GFP_KERNEL) is None
    assert xa_load(xa, 3) is None, "NULL is not what is there"
    assert xa_cmpxchg(xa, 3, XA_ZERO_ENTRY, "a", GFP_KERNEL) is None
    assert xa_load(xa, 3) == "a"


# -- memory and locks ------------------------------------------------------------------------------


def test_failed_allocations_change_nothing(alloc):
    fail_nth(1)
    assert xa_alloc(alloc, "a", xa_limit_32b, GFP_KERNEL) == (-ENOMEM, 0)
    fail_nth(1)
    assert xa_err(store(alloc, 3, "a")) == -ENOMEM
    fail_nth(1)
    assert xa_insert(alloc, 3, "a", GFP_KERNEL) == -ENOMEM
    fail_nth(1)
    assert xa_reserve(alloc, 3, GFP_KERNEL) == -ENOMEM
    fail_nth(1)
    assert xa_err(xa_cmpxchg(alloc, 3, None, "a", GFP_KERNEL)) == -ENOMEM
    assert xa_empty(alloc)
    assert xa_alloc(alloc, "a", xa_limit_32b, GFP_KERNEL) == (0, 0)


def test_overwriting_and_erasing_need_no_memory(xa):
    store(xa, 3, "a")
    fail_nth(1)
    assert store(xa, 3, "b") == "a"
    assert xa_erase(xa, 3) == "b"
    fail_nth(0)


def test_the_lock_is_the_arrays(xa):
    xa_lock(xa)
    assert spin_is_locked(xa.xa_lock)
    assert xa_load(xa, 0) is None, "loads do not take it"
    xa_unlock(xa)
    xa_lock_irq(xa)
    xa_unlock_irq(xa)
    assert not spin_is_locked(xa.xa_lock)
