# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel's own tests, under their kernel names, and KUnit's program that runs them.

Where suites come from: a file in a folder below this one (`drm/`, `dma_buf/`, `lib/`, ...) ends as
the C file does, with

    kunit_test_suite(dma_fence_test_suite)
    kunit_test_suites(drm_sched_basic, drm_sched_timeout)

(from kport.kunit.test), which is all it takes: `all_suites()` imports every module of every folder,
in the order of their names, and gives what they have registered, in the order they did. Tests that
are no KUnit in C (kselftests, lkdtm's crash types, our own) are wrapped in a `kunit_suite` and
registered in the same way. Modules beside this file (test, ktap, ...) are the program, not suites,
and so are the folders in PROGRAMS.

A suite runs in a kernel of its own, and again in one if a fault of the port stopped that kernel.
So a suite may rely on nothing that another suite has left, and what a case keeps outside of
its `test` must not survive the case.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kport.kunit.test import kunit_suite


PROGRAMS = ("conform",)  # folders of the program


def suite_modules() -> list[str]:
    """The names of the modules in the folders, sorted."""
    names = []
    for folder in pkgutil.iter_modules(__path__, f"{__name__}."):
        if not folder.ispkg or folder.name.rpartition(".")[2] in PROGRAMS:
            continue
        path = importlib.import_module(folder.name).__path__
        names += [module.name for module in pkgutil.walk_packages(path, f"{folder.name}.")]
    return sorted(names)


def all_suites() -> list[kunit_suite]:
    """Every suite there is, in the order it runs."""
    from kport.kunit.test import registered_suites

    names = suite_modules()
    for name in names:
        importlib.import_module(name)
    return [suite for name in names for suite in registered_suites(name)]
