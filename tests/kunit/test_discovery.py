# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Where suites come from: the modules of the folders, in the order of their names."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter

from kport import kunit
from kport.kunit import all_suites, suite_modules
from kport.kunit.test import (
    KUNIT_CASE,
    kunit_suite,
    kunit_test_suite,
    kunit_test_suites,
    registered_suites,
)


def test_every_folder_is_searched_but_the_program():
    folders = {folder.name for folder in pkgutil.iter_modules(kunit.__path__) if folder.ispkg}
    assert {"drm", "conform"} <= folders
    searched = {name.split(".")[2] for name in suite_modules()}
    assert searched == folders - set(kunit.PROGRAMS)
    assert suite_modules() == sorted(suite_modules())


def test_names_are_unique_and_fit_for_ktap():
    suites = all_suites()
    assert len(suites) >= 11
    names = Counter(suite.name for suite in suites)
    assert [name for name, n in names.items() if n > 1] == []
    for suite in suites:
        cases = Counter(case.name for case in suite.test_cases)
        assert cases, suite.name
        assert [name for name, n in cases.items() if n > 1] == [], suite.name
        for name in (suite.name, *cases):
            assert name == name.strip()
            assert not set(name) & set("#.\n"), name


def test_the_order_is_that_of_the_modules_whoever_is_imported_first():
    expected = [s for name in suite_modules() for s in registered_suites(name)]
    importlib.import_module("kport.kunit.drm.tests_scheduler")
    assert all_suites() == expected


def test_suites_are_registered_for_the_module_that_calls():
    one, two, three = (kunit_suite(name, [KUNIT_CASE(lambda test: None)]) for name in "abc")
    before = registered_suites(__name__)
    kunit_test_suites(one, two)
    kunit_test_suite(three)
    assert registered_suites(__name__) == [*before, one, two, three]
    assert registered_suites("kport.kunit.nobody") == []

