# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Fixtures: the machine, the scheduler, and a kernel that must end clean.

Tests of kernel code take `kernel`: a booted kernel with all its debug checks on. When the test is
over the kernel is left, and must have no oops, no leak and no warning but those the test has taken
with `take_warnings()`. `@pytest.mark.boot(...)` gives options to that boot. Tests that end a kernel
themselves (by an oops, say) take `boot`, the function, with the machine filled in.
"""

from __future__ import annotations

import functools
import importlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any

import hypothesis
import pytest

import kport
from kport.linux import init

ARCHES = ("threads",)
BASELINES = ("v7_2",)

Boot = Callable[..., AbstractContextManager[init.Kernel]]

_failed = pytest.StashKey[bool]()

# A machine that is shared is sometimes slow: no deadline for an example, pytest has one for a test.
# The examples of a test may share a kernel: what they test is not in it.
hypothesis.settings.register_profile(
    "kport",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("kport")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "boot(**options): options of the `kernel` fixture's boot")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report


@pytest.fixture(params=ARCHES)
def arch(request: pytest.FixtureRequest) -> str:
    """The name of a machine; the tests run on each."""
    return str(request.param)


@pytest.fixture(params=BASELINES)
def baseline(request: pytest.FixtureRequest) -> ModuleType:
    """A scheduler package, by the kernel version it was translated from."""
    return importlib.import_module(f"kport.drm.scheduler.{request.param}")


@pytest.fixture(autouse=True)
def clean_process() -> Iterator[None]:
    """No kernel and none of its threads survive a test."""
    before = set(threading.enumerate())
    yield
    left, init._booted = init._booted, None
    assert left is None, "the test left a kernel booted"
    end = time.monotonic() + 2
    while left := [t.name for t in threading.enumerate() if t.daemon and t not in before]:
        assert time.monotonic() < end, f"threads left behind: {left}"
        time.sleep(0.001)


@pytest.fixture
def boot(arch: str) -> Boot:
    """`kport.boot()` on the machine under test, with debug checks on."""
    return functools.partial(kport.boot, arch, debug=True)


@pytest.fixture
def kernel(request: pytest.FixtureRequest, boot: Boot) -> Iterator[init.Kernel]:
    """A booted kernel, which must be clean at the end."""
    marker = request.node.get_closest_marker("boot")
    with boot(**(marker.kwargs if marker else {})) as booted:
        yield booted
        failed = request.node.stash.get(_failed, True)
        if failed:
            booted.machine.halt()  # whatever state the test left: do not wait for its threads
    if not failed:
        assert not booted.leaks, booted.leaks.lines()
        assert not booted.warnings(), booted.warnings()
