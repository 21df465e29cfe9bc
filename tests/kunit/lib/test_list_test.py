# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""KUnit's tests of lists pass, all 39, and notice a list that is broken."""

from __future__ import annotations

import pytest

from kport.kunit.lib import list_test
from kport.kunit.lib.list_test import list_test_module
from kport.kunit.test import KUNIT_FAILURE, kunit_init_suite, kunit_run_tests
from tests.kunit.lib.runs import run, run_seeds, totals


def test_all_39_pass(boot):
    assert totals(run(boot, list_test_module)) == (39, 0, 0, 39)


def test_on_virt_with_several_seeds():
    run_seeds(list_test_module)


@pytest.mark.parametrize(
    ("function", "by"),
    [
        ("list_add", "list_add_tail"),
        ("list_splice", "list_splice_tail"),
        ("list_cut_before", "list_cut_position"),
        ("list_is_first", "list_is_last"),
        ("list_for_each_prev", "list_for_each"),
    ],
)
def test_a_wrong_function_fails(boot, monkeypatch, function, by):
    monkeypatch.setattr(list_test, function, getattr(list_test, by))
    with boot():
        kunit_init_suite(list_test_module)
        kunit_run_tests(list_test_module)
    failed = [c.name for c in list_test_module.test_cases if c.status == KUNIT_FAILURE]
    assert any(function in name for name in failed), failed
