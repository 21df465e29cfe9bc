# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Where in C the reason for a difference stands.

A probe names the ported function and a piece of the statement. The line is looked up: first in the
map of lines, which knows single statements, then in the docstring, which names the lines of the
function. So no number is written down here, and a statement that is gone is an error.
"""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from kport.drivers.compat import package
from kport.linux import linemap

_SOURCE = re.compile(r"^ *(\S+\.[ch]):(\d+)(?:-\d+)?, (Linux \S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class At:
    """A statement: module and function of a scheduler package, and a part of its text."""

    module: str
    function: str
    text: str


@dataclass(frozen=True, slots=True)
class Position:
    """Where that is: `version` of the kernel, `file` and `line`; line 0 if no file has it yet."""

    version: str
    file: str
    line: int
    function: str

    def __str__(self) -> str:
        if not self.line:
            return f"{self.function}(), {self.version}"
        return f"{self.file.rpartition('/')[2]}:{self.line}  {self.function}()"


def _module(sched: str, name: str) -> Any:
    found = getattr(package(sched), name, None)
    return found or importlib.import_module(f"kport.drm.scheduler.{sched}.{name}")


@cache
def position(sched: str, at: At) -> Position:
    """The position of a statement in C. Raises LookupError if it is not in the port.

    What the patch of 2023 added has no line in a released kernel.
    """
    function = getattr(_module(sched, at.module), at.function, None)
    if function is None:
        raise LookupError(f"{sched}: no function {at.module}.{at.function}()")
    lines, first = inspect.getsourcelines(function)
    doc = function.__doc__ or ""
    body = "".join(lines).find(doc) + len(doc) if doc else 0
    start = "".join(lines)[:body].count("\n")
    for number in range(start, len(lines)):
        if at.text in lines[number]:
            break
    else:
        raise LookupError(f"{sched}: no {at.text!r} in {at.function}()")
    source = _SOURCE.search(doc)
    if source is None or "# kport: patch" in lines[number]:
        return Position("patch 02/13 of 2023", "", 0, at.function)
    path, line, version = source.groups()
    c = linemap.position(inspect.getfile(function), first + number)
    if c:
        path, _, line = c.partition(":")
    return Position(version, path, int(line.partition("-")[0]), at.function)
