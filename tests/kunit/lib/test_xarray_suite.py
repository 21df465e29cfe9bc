# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel's test of the xarray passes as far as it is here, and what is not here is listed."""

from __future__ import annotations

import pytest

from kport.kunit.lib import test_xarray
from kport.kunit.lib.xarray_suite import left_out, xarray_suite
from kport.kunit.test import KUNIT_FAILURE, kunit_init_suite, kunit_run_tests
from kport.linux import xarray
from kport.linux.err import EINVAL
from kport.linux.types import ULONG_MAX
from tests.kunit.lib.runs import run, run_seeds, totals
from tools.cdiff.project import Project

SHORT = (
    "check_xa_err",
    "check_insert",
    "check_cmpxchg",
    "check_reserve_array",
    "check_reserve_xa0",
    "check_xa_alloc",
    "check_destroy",
    "check_align",
)


def test_all_checks_pass(boot):
    log = run(boot, xarray_suite)
    assert totals(log) == (11, 0, 0, 11)
    assert "XArray: 3199850 of 3199850 tests passed" in log


def test_on_virt_with_several_seeds(monkeypatch):
    short = [case for case in xarray_suite.test_cases if case.name in SHORT]
    monkeypatch.setattr(xarray_suite, "test_cases", short)
    run_seeds(xarray_suite)


def test_each_check_of_c_is_here_or_listed_with_its_reason():
    source = Project().facts("7.2.13").files["lib/test_xarray.c"]
    checks = {name for name in source.functions if name.lstrip("_").startswith("check_")}
    here = {name for name in checks if hasattr(test_xarray, name)}
    assert here
    assert not here & left_out.keys()
    assert here | left_out.keys() == checks


def erases_null(xa, index, entry, gfp):
    """xa_store() that erases, also in an array that allocates."""
    if entry is None:
        return xarray.xa_erase(xa, index)
    return xarray.xa_store(xa, index, entry, gfp)


def overwrites(xa, index, entry, gfp):
    xarray.xa_store(xa, index, entry, gfp)
    return 0


def forgets_marks(xa, index, mark):
    return False


def finds_nothing(xa, index, last, wanted):
    return None, index


def loads_something(xa, index):
    return xarray.xa_load(xa, index) or (index == ULONG_MAX - 1)


def refuses(xa, entry, limit, gfp):
    return -EINVAL, 0


@pytest.mark.parametrize(
    ("function", "broken", "case"),
    [
        ("xa_store", erases_null, "check_xa_alloc"),
        ("xa_insert", overwrites, "check_cmpxchg"),
        ("xa_get_mark", forgets_marks, "check_xa_mark"),
        ("xa_find_after", finds_nothing, "check_find"),
        ("xa_load", loads_something, "check_insert"),
        ("xa_alloc", refuses, "check_align"),
    ],
)
def test_a_wrong_array_is_noticed(boot, monkeypatch, function, broken, case):
    monkeypatch.setattr(test_xarray, function, broken)
    monkeypatch.setattr(test_xarray, "printk", lambda *args: None)
    only = [c for c in xarray_suite.test_cases if c.name == case]
    monkeypatch.setattr(xarray_suite, "test_cases", only)
    with boot():
        kunit_init_suite(xarray_suite)
        kunit_run_tests(xarray_suite)
        assert test_xarray.tests_passed < test_xarray.tests_run
    assert only[0].status == KUNIT_FAILURE


def test_a_failed_test_says_where(kernel):
    test_xarray.XA_BUG_ON(test_xarray.array, False)
    assert kernel.dmesg() == []
    test_xarray.XA_BUG_ON(test_xarray.array, True)
    assert "BUG at test_a_failed_test_says_where:" in kernel.dmesg()[0]
    assert (test_xarray.tests_run, test_xarray.tests_passed) == (2, 1)
