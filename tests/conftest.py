# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Fixtures: the machine, the scheduler, and a kernel that must end clean.

Every test that takes `arch`, or a fixture made from it, runs on both machines. What is a fact of
one machine alone says so with `@pytest.mark.threads_only(reason)` or `virt_only(reason)` and is
skipped on the other (`pytest -rs` lists them). `--arch` selects one machine. On virt `--virt-seed`
and `--virt-slice` choose the interleaving: with slice 1 to 3 nearly every instruction that
synchronises is followed by one of another task.

With `--stress N` each test on threads is run N times, to see whether it always holds.

Tests of kernel code take `kernel`: a booted kernel with all its debug checks on. When the test is
over the kernel is left, and must have no oops, no leak and no warning but those the test has taken
with `take_warnings()`. `@pytest.mark.boot(...)` gives options to that boot. Tests that end a kernel
themselves (by an oops, say) take `boot`, the function, with the machine filled in.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

import hypothesis
import pytest

import kport
from kport.arch.api import Halted
from kport.arch.strategy import RoundRobin
from kport.linux import init

ARCHES = ("threads", "virt")
BASELINES = ("v7_2",)
BOUND = 50_000_000  # steps on virt, some 20 s of wall time: a livelock ends before the test does

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


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kport")
    group.addoption("--arch", choices=ARCHES, help="run the tests of one machine only")
    group.addoption("--virt-seed", type=int, default=0, help="seed of the machine virt (0)")
    group.addoption(
        "--stress", type=int, default=1, metavar="N", help="run each test on threads N times"
    )
    group.addoption("--check", default="", help='checks of every kernel: "all", "lockdep,races"')
    group.addoption(
        "--virt-slice", type=int, default=100, help="mean steps of a task's turn on virt (100)"
    )


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        "boot(**options): options of the `kernel` fixture's boot; `scale` is for threads only",
        "threads_only(reason): a fact of the machine threads; skipped on virt",
        "virt_only(reason): a fact of the machine virt; skipped on threads",
    ):
        config.addinivalue_line("markers", line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make each test that uses `arch` once for each machine that was asked for."""
    if "arch" in metafunc.fixturenames:
        only = metafunc.config.getoption("--arch")
        arches = [only] if only else list(ARCHES)
        times = metafunc.config.getoption("--stress")
        if times > 1 and "threads" in arches:
            params = [pytest.param("threads", id=f"threads-{n}") for n in range(times)]
            others = [arch for arch in arches if arch != "threads"]
            metafunc.parametrize("arch", [*params, *others], indirect=True)
        else:
            metafunc.parametrize("arch", arches, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        callspec = getattr(item, "callspec", None)
        arch = callspec.params.get("arch") if callspec else None
        for name in ARCHES:
            marker = item.get_closest_marker(f"{name}_only")
            if marker is not None and arch not in (None, name):
                item.add_marker(pytest.mark.skip(reason=marker.args[0]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
        if report.failed and init._booted is not None:
            # Whatever state the test left, neither its fixtures nor the kernel wait for threads.
            init._booted.machine.halt()
    return report


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> Any:
    """Fixtures of a test that failed find its kernel halted: that is no error of their own.

    Nor may it get as far as pytest: at a BaseException that leaves one fixture's teardown, pytest
    leaves out that of the others, and all tests behind this one fail.
    """
    add = request.addfinalizer

    def add_bounded(finalizer: Callable[[], object]) -> None:
        def finish() -> None:
            try:
                finalizer()
            except Halted:
                if not request.node.stash.get(_failed, False):
                    raise AssertionError("the kernel was halted under its fixtures") from None

        add(finish)

    request.addfinalizer = add_bounded  # type: ignore[method-assign]
    return (yield)


@pytest.fixture
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
def machine_options(request: pytest.FixtureRequest, arch: str) -> dict[str, Any]:
    """The options of the machine under test."""
    if arch == "threads":
        return {}
    seed = request.config.getoption("--virt-seed")
    steps = request.config.getoption("--virt-slice")
    return {"strategy": RoundRobin(seed, steps), "bound": BOUND}


@pytest.fixture
def boot(request: pytest.FixtureRequest, arch: str, machine_options: dict[str, Any]) -> Boot:
    """`kport.boot()` on the machine under test, with debug checks on unless they are off.

    With `--check` each kernel is watched too, and what its facilities report is an error, unless
    it is a fault of the kernel that is known.

    `scale` is left out on virt: its time costs nothing.
    """

    check = request.config.getoption("--check")

    @contextmanager
    def boot_arch(**options: Any) -> Iterator[init.Kernel]:
        if arch != "threads":
            options.pop("scale", None)
        options = {"debug": True, "check": check} | machine_options | options
        with kport.boot(arch, **options) as booted:
            yield booted
        if options["check"] == check:
            new = [r.text for r in booted.reports() if "\n known: " not in r.text]
            assert not new, "\n".join(new)

    return boot_arch


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
