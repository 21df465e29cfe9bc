# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The scheduler's own tests pass, under each policy: those that take seconds in the quick suite."""

from __future__ import annotations

import re

import pytest

from kport.kunit.drm import tests_basic, tests_scheduler
from kport.kunit.test import (
    KUNIT_SUCCESS,
    kunit_init_suite,
    kunit_run_tests,
    registered_suites,
)
from kport.kunit.test import kunit_suite_has_succeeded as result

basic_suites = registered_suites(tests_basic.__name__)
scheduler_suites = registered_suites(tests_scheduler.__name__)

POLICIES = {"rr": 0, "fifo": 1, "fair": 2}
# The other policies are played by tests/cli/test_kunit.py, on virt.
QUICK = [
    pytest.param(policy, marks=() if policy == "fifo" else pytest.mark.long) for policy in POLICIES
]

# A GPU job of the mock may take less than its time if two are on the hardware and the timer of the
# first is late; the test warns of it, in the kernel on a busy machine as well as here.
TOO_SHORT = "drm_sched_client_work"


# Two of the kernel's suites have little patience with a thread that comes late: the time-out suite
# 100 ms, and a chain of dependent jobs 1 ms (it looks at the fence of a job that may have gone).
# On a clock that is three times slower a busy machine comes too late less often.
SLOWER = {
    "drm_sched_basic_tests": {"scale": 3.0},
    "drm_sched_basic_timeout_tests": {"scale": 3.0},
}


def run(boot, suite, policy, options=None):
    with boot(params={"sched_policy": POLICIES[policy]}, **(options or {})) as kernel:
        kunit_init_suite(suite)
        kunit_run_tests(suite)
        log = "\n".join(kernel.dmesg())
    assert result(suite) == KUNIT_SUCCESS, log
    assert not kernel.leaks, kernel.leaks.lines()
    assert [w for w in kernel.warnings() if TOO_SHORT not in w] == []
    return log


def test_all_ten_suites_with_their_forty_runs_are_there():
    runs = 0
    for suite in basic_suites + scheduler_suites:
        for case in suite.test_cases:
            if case.generate_params is None:
                runs += 1
                continue
            class_, previous = type("test", (), {})(), None
            class_.params_array = type("params", (), {})()
            while (previous := case.generate_params(class_, previous)[0]) is not None:
                runs += 1
    assert (len(basic_suites + scheduler_suites), runs) == (10, 40)


@pytest.mark.parametrize("policy", QUICK)
@pytest.mark.parametrize("suite", basic_suites, ids=lambda s: s.name)
def test_basic(boot, arch, suite, policy):
    run(boot, suite, policy, SLOWER.get(suite.name) if arch == "threads" else None)


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("suite", scheduler_suites, ids=lambda s: s.name)
def test_scheduler(boot, suite, policy):
    log = run(boot, suite, policy)
    for expected, actual in re.findall(r"Expected (\d+)us, actual (\d+)us", log):
        assert int(actual) >= int(expected)
