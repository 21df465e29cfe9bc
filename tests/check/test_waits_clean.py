# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`waits` and `context` over the kernel's own tests: nothing to report."""

from __future__ import annotations

import pytest

from kport.drivers.compat import SCHEDULERS, package
from kport.kunit import all_suites
from kport.kunit.executor import Executor, Setup
from kport.kunit.glob import filter_suites

CHECKS = ("context", "waits")


def reports(glob: str, arch: str, scheduler: str, checks: tuple[str, ...] = CHECKS) -> list[str]:
    """What the facilities say of the suites; all must pass."""
    package(scheduler)
    setup = Setup(arch, {"scheduler": scheduler, "kunit.timeout": 300}, {}, checks)
    executor = Executor(filter_suites(all_suites(), [glob]), setup, lambda line: None)
    executor.run()
    assert executor.broken == ""
    assert all(run.result is not None and run.result.status != "failed" for run in executor.runs)
    assert executor.runs
    return [report for run in executor.runs for report in run.reports]


@pytest.mark.parametrize("glob", ["drm_sched_basic*", "dma-buf-resv"])
def test_the_kernels_tests_are_clean(glob):
    assert reports(glob, "virt", "v7_2") == []


@pytest.mark.long
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("machine", ["virt", "threads"])
@pytest.mark.parametrize("glob", ["drm_sched*", "d[mr][am][-_][be]*", "sync"])
def test_all_of_the_kernels_tests_are_clean(glob, machine, scheduler):
    assert reports(glob, machine, scheduler) == []
