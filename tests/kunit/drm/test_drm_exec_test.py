# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""KUnit's tests of drm_exec pass, all 7, and notice one that is broken."""

from __future__ import annotations

import pytest

from kport.kunit.drm import drm_exec_test
from kport.kunit.drm.drm_exec_test import drm_exec_test_suite
from kport.kunit.test import KUNIT_FAILURE, kunit_init_suite, kunit_run_tests
from kport.linux.err import EALREADY, ENOMEM
from tests.kunit.lib.runs import run, run_seeds, totals


def test_all_7_pass(boot):
    assert totals(run(boot, drm_exec_test_suite)) == (7, 0, 0, 7)


def test_on_virt_with_several_seeds():
    run_seeds(drm_exec_test_suite)


@pytest.mark.parametrize(
    ("function", "broken", "cases"),
    [
        ("drm_exec_lock_obj", -EALREADY, ["test_lock", "test_lock_unlock", "test_duplicates"]),
        ("drm_exec_prepare_obj", -ENOMEM, ["test_prepare"]),
        ("drm_exec_prepare_array", -ENOMEM, ["test_prepare_array"]),
    ],
)
def test_a_wrong_result_fails(boot, monkeypatch, function, broken, cases):
    monkeypatch.setattr(drm_exec_test, function, lambda *args: broken)
    with boot():
        kunit_init_suite(drm_exec_test_suite)
        kunit_run_tests(drm_exec_test_suite)
    failed = [c.name for c in drm_exec_test_suite.test_cases if c.status == KUNIT_FAILURE]
    assert failed == cases
