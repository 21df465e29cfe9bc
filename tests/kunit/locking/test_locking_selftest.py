# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The validator's self-test: all cases of the kernel, and the same verdicts and headlines."""

from __future__ import annotations

import collections
import time

import pytest

from kport.arch.patch import Edit, applied
from kport.kunit.locking import locking_selftest as selftest
from kport.kunit.locking import selftest_context, selftest_locks
from kport.linux import lockdep_chain, lockdep_graph, lockdep_others, lockdep_usage

ROWS = selftest.table()


def run(boot):
    """What each case says, by name."""
    said = {}
    with boot(check="lockdep", debug=False) as kernel:
        selftest_locks.init_locks()
        for row in ROWS:
            queued = row.test in selftest_context.QUEUED
            lockdep_others.force_read_lock_recursive = not queued
            said[row.test] = selftest.dotest(selftest.cases[row.test])
        lockdep_others.force_read_lock_recursive = False
    assert kernel.reports() == []
    return said


def differences(said):
    """The cases whose verdict or headline is not the kernel's."""
    bad = []
    for row in ROWS:
        found = said[row.test]
        expected = selftest.headline(row)
        verdict = "splat" if found else "clean"
        first = found[0] if found else ""
        if verdict != row.expected or (expected is not None and first != expected):
            bad.append(row.test)
    return bad


def test_the_table_is_the_kernels():
    verdicts = collections.Counter(row.expected for row in ROWS)
    assert verdicts == {"splat": 250, "clean": 145}
    assert len({row.test for row in ROWS}) == 395
    assert {row.test for row in ROWS} == set(selftest.cases)
    assert selftest.left_out == {}


def test_every_verdict_and_headline_is_the_kernels(boot):
    began = time.perf_counter()
    assert differences(run(boot)) == []
    assert time.perf_counter() - began < 10  # about 0.1 s on a machine that is not busy


def test_nothing_of_a_case_is_left_for_the_next(boot):
    first = run(boot)
    assert run(boot) == first


WEAKER = {
    "readers are as strong as writers": Edit(
        lockdep_graph.bfs, "lock.only_xr = not dep & (DEP_SN_MASK | DEP_EN_MASK)"
    ),
    "no dependency is checked for a cycle": Edit(
        lockdep_chain.check_prev_add,
        "if not check_noncircular(ti, curr, next, prev):\n    return 0",
    ),
    "no dependency is checked for interrupts": Edit(
        lockdep_chain.check_prev_add,
        "if not check_irq_usage(ti, curr, prev, next):\n    return 0",
    ),
    "a new usage is not checked against others": Edit(
        lockdep_usage.mark_lock_irq,
        "forwards = not new_bit & LOCK_USAGE_DIR_MASK\n"
        "return check_usage(ti, curr, this, excl_bit, forwards)",
        "return 1",
    ),
    "a lock may be taken twice": Edit(
        lockdep_chain.check_deadlock, "print_deadlock_bug(ti, curr, prev, next)\nreturn 0"
    ),
    "wait types do not matter": Edit(
        lockdep_usage.check_wait_context, "next_inner = klass.wait_type_inner", "return 0"
    ),
}


@pytest.mark.virt_only("the validator is the same on both machines")
@pytest.mark.parametrize("name", WEAKER)
def test_a_weaker_validator_fails(boot, name):
    with applied(WEAKER[name]):
        assert len(differences(run(boot))) >= 3
