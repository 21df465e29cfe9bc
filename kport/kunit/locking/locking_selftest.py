# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The self-test of the lock validator as a suite, `locking_selftest`.

What a case must say is in locking_selftest.tsv, beside this file: the verdict and the headline of
each of the 395 cases as Linux 7.2.13 printed them (`debug_locks_verbose`). A case passes if both
are the same here. It runs with a validator that notes and does not print, as in the kernel.

The suite needs the validator (`kport kunit locking_selftest --check lockdep`) and is skipped
without it. `left_out` names the cases that cannot be run, and why.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from kport.arch.asm import current_thread_info
from kport.kunit.locking import (
    selftest_context,
    selftest_irq,
    selftest_locks,
    selftest_order,
    selftest_ww,
)
from kport.kunit.test import KUNIT_ARRAY_PARAM, KUNIT_CASE_PARAM, kunit_suite, kunit_test_suite
from kport.linux import bug, lockdep_others, lockdep_state
from kport.linux.bug import KernelBug
from kport.linux.kunit import KUNIT_EXPECT_EQ, kunit, kunit_skip
from kport.linux.struct import struct

GROUPS = (selftest_order, selftest_irq, selftest_ww, selftest_context)
cases = selftest_order.cases

left_out: dict[str, str] = {}

# What the kernel does where a case releases a lock twice is nothing; the machine's lock faults, but
# not before the validator has spoken.
FAULTS = (KernelBug, AttributeError)

# These two say nothing of themselves in the kernel's log.
SILENT = ("(run, not verbose)", "not run on UP/UML", "WARNING:")


class expectation(struct, table=True):
    """A row of the table: the case, its locks, "splat" or "clean", and the kernel's headlines."""

    test: str
    lockclass: str
    expected: str
    kernel_report: str


def table() -> list[expectation]:
    """The rows, in the order in which the kernel runs them."""
    path = os.path.join(os.path.dirname(__file__), "locking_selftest.tsv")
    with open(path, encoding="utf-8") as file:
        head, *rows = (line.rstrip("\n").split("\t") for line in file)
    return [expectation(**dict(zip(head, row, strict=True))) for row in rows]


def headline(row: expectation) -> str | None:
    """What the kernel says first; None if its log does not tell."""
    said = [part.strip() for part in row.kernel_report.split(";")]
    told = [part for part in said if part and part not in SILENT]
    if told:
        return told[0]
    return None if row.kernel_report.strip() else ""


def dotest(testcase_fn: Callable[[], None]) -> list[str]:
    """Run a case, and put everything back; returns what the validator said.

    lib/locking-selftest.c:1420-1481, Linux 7.2.13
    """
    ti = current_thread_info()
    saved = ti.preempt_count
    warned = len(bug.warnings)
    lockdep_state.debug_locks_on(silent=1)
    lockdep_state.booting = True
    try:
        testcase_fn()
    except FAULTS:
        if lockdep_state.debug_locks:
            raise
    finally:
        said = lockdep_state.found()
        lockdep_state.booting = False
        del bug.warnings[warned:]
        ti.preempt_count = saved
        ti.irqs_off = 0
        ti.rcu_nesting = 0
        selftest_locks.reset_locks()
        lockdep_state.debug_locks_on()
    return said


def desc(params: expectation) -> str:
    """The name of the case."""
    return params.test


_all = KUNIT_ARRAY_PARAM(table(), desc)
_off = KUNIT_ARRAY_PARAM([expectation(test="CONFIG_PROVE_LOCKING")], desc)


def locking_gen_params(test: kunit, prev: Any) -> tuple[Any, str]:
    """The cases; without a validator one that says so."""
    return (_all if lockdep_state.validating else _off)(test, prev)


def locking_selftest(test: kunit) -> None:
    """One case of the kernel's self-test."""
    row = test.param_value
    if not lockdep_state.validating:
        kunit_skip(test, "the lock validator is off; run with --check lockdep")
    if row.test in left_out:
        kunit_skip(test, left_out[row.test])
    queued = row.test in selftest_context.QUEUED
    lockdep_others.force_read_lock_recursive = not queued
    said = dotest(cases[row.test])
    KUNIT_EXPECT_EQ(test, "splat" if said else "clean", row.expected)
    expected = headline(row)
    if expected is not None:
        KUNIT_EXPECT_EQ(test, said[0] if said else "", expected)


def locking_selftest_init(test: kunit) -> int:
    """The locks are new."""
    selftest_locks.init_locks()
    return 0


def locking_selftest_exit(test: kunit) -> None:
    """Other locks are as they were."""
    lockdep_others.force_read_lock_recursive = False


locking_selftest_suite = kunit_suite(
    name="locking_selftest",
    init=locking_selftest_init,
    exit=locking_selftest_exit,
    test_cases=[KUNIT_CASE_PARAM(locking_selftest, locking_gen_params)],
)

kunit_test_suite(locking_selftest_suite)
