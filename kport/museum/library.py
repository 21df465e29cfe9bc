# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Scenarios by name: the library's, the exhibits', those made up by a seed, and a user's own.

    two-jobs            a scenario of the library
    R01, R01-fixed      an exhibit with its bug, and without
    F01, F01-fixed      a finding in a baseline as it stands, and with the mend proposed
    gen:7, gen:7+mends  made up by the seed 7; and with the mends of all findings
    my.py:storm         the function `storm` of a file

A name is what tokens carry, so that `kport replay` finds the scenario again. The stage of an entry
is what must be in force while it runs: the edits of an exhibit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

from kport.arch.patch import EditError, applied
from kport.drivers.compat import SCHEDULERS
from kport.museum.exhibits import EXHIBITS
from kport.museum.findings import FINDINGS, mends
from kport.museum.generate import generate
from kport.museum.scenarios import SCENARIOS

MENDED = "+mends"
SHOWN = {**EXHIBITS, **FINDINGS}


class LibraryError(ValueError):
    """No such scenario; `str()` is one line."""


@dataclass(frozen=True)
class Entry:
    """A scenario and how it wants to be run, where the user does not say otherwise."""

    name: str
    text: str
    scenario: Callable[..., Any]
    stage: Callable[[], AbstractContextManager[None]] = nullcontext
    sched: str = "v7_2"
    check: Sequence[str] = ()
    memory: str = "sc"
    plain: bool = False


def names() -> list[str]:
    """All names of the library and the museum."""
    exhibits = [name for number in SHOWN for name in (number, f"{number}-fixed")]
    return [*SCENARIOS, *exhibits]


def find(name: str) -> Entry:
    """The entry of a name. Raises LibraryError."""
    if name in SCENARIOS:
        return Entry(name, _first_line(SCENARIOS[name]), _named(SCENARIOS[name], name))
    number = name.removesuffix("-fixed")
    if number in SHOWN:
        return _exhibit(number, name)
    kind, colon, rest = name.rpartition(":")
    if kind == "gen":
        seed = rest.removesuffix(MENDED)
        if not seed.isdecimal():
            raise LibraryError(f"scenario {name!r}: {seed!r} is no seed; as in gen:7")
        plan = generate(int(seed))
        stage = _mended if rest.endswith(MENDED) else nullcontext
        return Entry(name, plan.text(), _named(plan.scenario(), name), stage)
    if colon and kind.endswith(".py"):
        return _of_file(name, Path(kind), rest)
    raise LibraryError(f"no scenario {name!r}; `kport explore --list` has them all")


@contextmanager
def _mended() -> Iterator[None]:
    """All schedulers without what is known to be wrong with them.

    A mend that does not fit, because somebody has changed the function, is left out.
    """
    with ExitStack() as stack:
        for sched in SCHEDULERS:
            for mend in mends(sched):
                with suppress(EditError):
                    stack.enter_context(applied(*mend))
        yield


def _first_line(function: Callable[..., Any]) -> str:
    return (function.__doc__ or "").strip().split("\n")[0]


def _named(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function, under the name that tokens shall have."""

    def with_kernel(kernel: Any) -> Any:
        return function(kernel)

    def without() -> Any:
        return function()

    scenario: Any = with_kernel if signature(function).parameters else without
    scenario.__name__ = function.__name__
    scenario.__doc__ = function.__doc__
    scenario.scenario_name = name
    found: Callable[..., Any] = scenario
    return found


def _exhibit(number: str, name: str) -> Entry:
    shown = SHOWN[number]
    fixed = name != number
    return Entry(
        name,
        f"{shown.title} ({'mended' if fixed else shown.slug})",
        _named(shown.scenario, name),
        shown.fixed if fixed else shown.broken,
        (fixed and shown.mended) or shown.sched,
        tuple(shown.check),
        shown.memory,
        shown.points == "plain",
    )


def _of_file(name: str, file: Path, function: str) -> Entry:
    """A function of a Python file, which is run for it."""
    if not file.is_file():
        raise LibraryError(f"scenario {name!r}: there is no file {file}")
    module = ModuleType(f"scenario_{file.stem}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # the linker looks for instructions there
    try:
        exec(compile(file.read_text(), str(file), "exec"), vars(module))
    except Exception as error:
        raise LibraryError(f"{file}: {type(error).__name__}: {error}") from error
    found = getattr(module, function, None)
    if not callable(found):
        raise LibraryError(f"{file} has no function {function!r}")
    found.scenario_name = name
    return Entry(name, _first_line(found), found)
