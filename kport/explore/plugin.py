# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A pytest plugin: tests that are explored.

    @pytest.mark.explore(strategy="pct:3", schedules=2000, check="lockdep,races")
    def test_two_submitters(kernel):
        ...                            # the main task of a freshly booted kernel

The test is a scenario (`kport.explore.runner`), run once for each schedule; the arguments of the
mark are those of `kport.explore.explore()`. With a parameter, of whatever name, it gets a booted
kernel; without one it returns functions that run at once. It uses no fixtures: those would be made
once and not for each schedule. What fails is the report of the first failure, token and all; for
`pytest --explore-replay TOKEN` the tests of that name run that schedule and no other.

The plugin is loaded where the package is installed; `-p kport.explore.plugin` loads it elsewhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
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
    return list(_items(collector, name, obj, marks[0]))


def _marks(obj: Any) -> list[pytest.Mark]:
    if not inspect.isfunction(obj):
        return []
    found = getattr(obj, "pytestmark", [])
    return [mark for mark in found if mark.name == "explore"]


def _items(collector: Any, name: str, obj: Any, mark: pytest.Mark) -> Iterator[Explored]:
    item = Explored.from_parent(collector, name=name)
    item.scenario = obj
    item.options = dict(mark.kwargs)
    item.own_markers.extend(obj.pytestmark)
    item.keywords.update({each.name: each for each in obj.pytestmark})
    yield item


class Explored(pytest.Item):
    """One test under many schedules."""

    scenario: Any
    options: dict[str, Any]

    def runtest(self) -> None:
        """Explore it; the first failure fails the test."""
        from kport.explore import explore, replay  # a run without such tests loads nothing
        from kport.explore.token import parse

        token = self.config.getoption("--explore-replay")
        if token:
            if parse(token).name != self.name:
                pytest.skip(f"the token is of {parse(token).name}")
            failure = replay(token, self.scenario)
            failures = [] if failure is None else [failure]
        else:
            failures = explore(self.scenario, name=self.name, **self.options).failures
        if failures:
            raise Found(failures)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The reports, or what pytest says of any other error."""
        if isinstance(excinfo.value, Found):
            return "\n\n".join(failure.report for failure in excinfo.value.failures)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> Any:
        """Where the test stands."""
        return self.path, self.scenario.__code__.co_firstlineno - 1, self.name


class Found(Exception):
    """What exploring a test has found."""

    def __init__(self, failures: list[Failure]) -> None:
        super().__init__(failures[0].headline)
        self.failures = failures
