# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A pytest plugin: tests that are explored.

    @pytest.mark.explore(strategy="pct:3", schedules=2000, check="lockdep,races")
    def test_two_submitters(kernel):
        ...                            # the main task of a freshly booted kernel

The test is a scenario (`kport.explore.runner`), run once for each schedule; the arguments of the
mark are those of `kport.explore.explore()`. Its first parameter, of whatever name, is a booted
kernel; without one it returns functions that run at once. Further parameters are fixtures; those
are made once, not for each schedule, and so are the ones that are used without being named. What
fails is the report of the first failure, token and all; for `pytest --explore-replay TOKEN` the
tests of that name run that schedule and no other.

The plugin is loaded where the package is installed; `-p kport.explore.plugin` loads it elsewhere.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kport.explore.result import Failure


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option --explore-replay."""
    group = parser.getgroup("kport")
    group.addoption("--explore-replay", metavar="TOKEN", help="replay the schedule of a token")


def pytest_configure(config: pytest.Config) -> None:
    """The mark `explore`."""
    config.addinivalue_line(
        "markers",
        "explore(**options): run the test under many schedules (kport.explore.explore)",
    )
    token = config.getoption("--explore-replay")
    if token:
        from kport.explore.token import TokenError, parse

        try:
            parse(token)
        except TokenError as error:
            raise pytest.UsageError(f"--explore-replay: {error}") from None


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: Any, name: str, obj: Any) -> Any:
    """A function with the mark is a test of ours."""
    marks = _marks(obj)
    if not marks or not collector.istestfunction(obj, name):
        return None
    if isinstance(collector, pytest.Class):
        raise collector.CollectError(f"{name}: an explored test is a function of a module")
    if any(mark.name == "parametrize" for mark in obj.pytestmark):
        raise collector.CollectError(f"{name}: explored tests cannot be parametrized; write two")
    item = Explored.from_parent(collector, name=name, callobj=_with_fixtures(obj))
    item.scenario = obj
    item.options = dict(marks[0].kwargs)
    return [item]


def _marks(obj: Any) -> list[pytest.Mark]:
    if not inspect.isfunction(obj):
        return []
    found = getattr(obj, "pytestmark", [])
    return [mark for mark in found if mark.name == "explore"]


def _with_fixtures(function: Any) -> Any:
    """What pytest sees: the same without its first parameter, the kernel."""

    @functools.wraps(function)
    def seen(**fixtures: Any) -> Any:
        return function

    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())[1:]
    seen.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return seen


class Explored(pytest.Function):
    """One test under many schedules."""

    scenario: Any
    options: dict[str, Any]

    def _with_arguments(self) -> Any:
        """The scenario, with what its fixtures made."""
        given = {name: self.funcargs[name] for name in self._fixtureinfo.argnames}
        if not given:
            return self.scenario

        def scenario(kernel: Any) -> Any:
            return self.scenario(kernel, **given)

        return scenario

    def runtest(self) -> None:
        """Explore it; the first failure fails the test."""
        from kport.explore import explore, replay  # a run without such tests loads nothing
        from kport.explore.token import parse

        token = self.config.getoption("--explore-replay")
        if token:
            if parse(token).name != self.name:
                pytest.skip(f"the token is of {parse(token).name}")
            failure = replay(token, self._with_arguments())
            failures = [] if failure is None else [failure]
        else:
            failures = explore(self._with_arguments(), name=self.name, **self.options).failures
        if failures:
            raise Found(failures)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The reports, or what pytest says of any other error."""
        if isinstance(excinfo.value, Found):
            return "\n\n".join(failure.report for failure in excinfo.value.failures)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> Any:
        """Where the test stands."""
        return self.path, self.scenario.__code__.co_firstlineno - 1, self.name


class Found(Exception):
    """What exploring a test has found."""

    def __init__(self, failures: list[Failure]) -> None:
        super().__init__(failures[0].headline)
        self.failures = failures
