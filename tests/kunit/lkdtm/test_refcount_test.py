# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The 18 crash types of reference counters are noticed, and a counter that wraps is, too."""

from __future__ import annotations

from functools import partial

import pytest

from kport.kunit.lkdtm import refcount
from kport.kunit.lkdtm.refcount_test import lkdtm_expectations, lkdtm_refcount_suite
from kport.kunit.test import kunit_init_suite, kunit_run_tests
from kport.linux.refcount import refcount_set
from tests.kunit.lib.runs import run, run_seeds, totals
from tests.support import take_warnings


def test_all_18_are_noticed(boot):
    log = run(partial(boot, check=""), lkdtm_refcount_suite)
    assert totals(log) == (18, 0, 0, 18)
    for number, row in enumerate(lkdtm_expectations, 1):
        assert f" ok {number} {row.name}\n" in log


def test_on_virt_with_several_seeds():
    run_seeds(lkdtm_refcount_suite)


@pytest.mark.boot(check="")  # wrong on purpose
def test_again_in_the_same_kernel(kernel):
    for _ in range(2):
        kunit_init_suite(lkdtm_refcount_suite)
        kunit_run_tests(lkdtm_refcount_suite)
    log = "\n".join(kernel.dmesg())
    assert log.count("pass:18 fail:0") == 4, log


def wrapping(r):
    refcount_set(r, -(1 << 31))


def silent(r):
    refcount_set(r, refcount.REFCOUNT_SATURATED)


@pytest.mark.parametrize("broken", [wrapping, silent])
def test_a_counter_that_does_not_complain_fails(boot, monkeypatch, broken):
    monkeypatch.setattr(refcount, "refcount_inc", broken)
    with boot(check="") as kernel:
        kunit_init_suite(lkdtm_refcount_suite)
        kunit_run_tests(lkdtm_refcount_suite)
        log = "\n".join(kernel.dmesg())
        take_warnings(kernel)
    for name in ("REFCOUNT_INC_ZERO", "REFCOUNT_INC_SATURATED"):
        assert f"not ok {[e.name for e in lkdtm_expectations].index(name) + 1} {name}" in log
