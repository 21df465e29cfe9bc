# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The test module of the xarray as a suite, `xarray`: one case per check of the module.

A check counts what it has tested and what of it was right, and the two must be equal. What the
model of the xarray in kport.linux.xarray does not have cannot be checked; `left_out` names each
check of C that is missing here, and why.
"""

from __future__ import annotations

from collections.abc import Callable

from kport.kunit.lib import test_xarray
from kport.kunit.test import (
    KUNIT_CASE,
    KUNIT_CASE_SLOW,
    kunit_case,
    kunit_suite,
    kunit_test_suite,
)
from kport.linux.kunit import KUNIT_EXPECT_EQ, KUNIT_EXPECT_GT, kunit
from kport.linux.printk import printk
from kport.linux.xarray import xarray

ADVANCED = "the advanced API: states (xas_*), or the nodes of the tree"
MULTI = "entries of several indices (CONFIG_XARRAY_MULTI)"

left_out = {
    "check_xas_retry": ADVANCED,
    "check_xa_mark_2": ADVANCED,
    "check_xa_mark_3": MULTI,
    "check_xa_shrink": ADVANCED,
    "check_xas_erase": ADVANCED,
    "check_cmpxchg_order": MULTI,
    "check_multi_store": MULTI,
    "check_multi_store_advanced": MULTI,
    "check_get_order": MULTI,
    "check_xas_get_order": MULTI,
    "check_xas_conflict_get_order": MULTI,
    "check_multi_find_1": MULTI,
    "check_multi_find_2": ADVANCED,
    "check_multi_find_3": MULTI,
    "check_find_3": ADVANCED,
    "check_find_entry": ADVANCED,
    "check_pause": ADVANCED,
    "check_account": MULTI,
    "check_move_tiny": ADVANCED,
    "check_move_max": ADVANCED,
    "check_move_small": ADVANCED,
    "check_move": ADVANCED,
    "check_create_range_1": ADVANCED,
    "check_create_range_2": ADVANCED,
    "check_create_range_3": ADVANCED,
    "check_create_range_4": ADVANCED,
    "check_create_range_5": ADVANCED,
    "check_create_range": ADVANCED,
    "__check_store_range": MULTI,
    "check_store_range": MULTI,
    "__check_store_iter": ADVANCED,
    "check_store_iter": ADVANCED,
    "check_split": MULTI,
    "check_workingset": ADVANCED,
}


def _case(check: Callable[[], None], name: str, slow: bool = False) -> kunit_case:
    """A case that runs one check of the module."""

    def run(test: kunit) -> None:
        before = test_xarray.tests_run, test_xarray.tests_passed
        check()
        run = test_xarray.tests_run - before[0]
        passed = test_xarray.tests_passed - before[1]
        KUNIT_EXPECT_GT(test, run, 0)
        KUNIT_EXPECT_EQ(test, passed, run)

    run.__name__ = name
    return KUNIT_CASE_SLOW(run) if slow else KUNIT_CASE(run)


def _on(check: Callable[[xarray], None], xa: xarray) -> Callable[[], None]:
    return lambda: check(xa)


def xarray_suite_exit(suite: kunit_suite) -> None:
    """What the module says at its end."""
    printk(
        "XArray: %u of %u tests passed\n", test_xarray.tests_passed, test_xarray.tests_run
    )


_array, _xa0 = test_xarray.array, test_xarray.xa0

xarray_cases = [
    _case(_on(test_xarray.check_xa_err, _array), "check_xa_err"),
    _case(_on(test_xarray.check_xa_load, _array), "check_xa_load", slow=True),
    _case(_on(test_xarray.check_xa_mark, _array), "check_xa_mark"),
    _case(_on(test_xarray.check_insert, _array), "check_insert"),
    _case(_on(test_xarray.check_cmpxchg, _array), "check_cmpxchg"),
    _case(_on(test_xarray.check_reserve, _array), "check_reserve_array"),
    _case(_on(test_xarray.check_reserve, _xa0), "check_reserve_xa0"),
    _case(test_xarray.check_xa_alloc, "check_xa_alloc"),
    _case(_on(test_xarray.check_find, _array), "check_find", slow=True),
    _case(_on(test_xarray.check_destroy, _array), "check_destroy"),
    _case(_on(test_xarray.check_align, _xa0), "check_align"),
]

xarray_suite = kunit_suite(
    name="xarray",
    test_cases=xarray_cases,
    suite_exit=xarray_suite_exit,
)

kunit_test_suite(xarray_suite)
