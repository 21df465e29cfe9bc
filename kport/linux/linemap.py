# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Where a line of the port stands in C, for reports.

linemap.json is made by tools/cdiff from the statements that it compares, and read at the first
report. For each function it has the lines as offsets from its `def`, so that a change elsewhere in
the file does no harm; a function whose own text has changed since has no position.
"""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_right
from functools import cache
from typing import Any
from zlib import crc32

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = os.path.dirname(_HERE)
_DEF = re.compile(rb"def (\w+)\(")


class _Function:
    """One function of a file: its first line, how many it has, and offset -> C line."""

    def __init__(self, source: str, entry: list[Any], first: int) -> None:
        self.first = first
        _, self.length, _, pairs = entry
        self._source = source
        split = [pair.split(":") for pair in pairs.split(" ")]
        self._offsets = [int(offset) for offset, _ in split]
        self._lines = [line for _, line in split]

    def position(self, line: int) -> str:
        """`file.c:line` of a line of the function."""
        at = bisect_right(self._offsets, line - self.first) - 1
        return f"{self._source}:{self._lines[at]}" if at >= 0 else ""


@cache
def _map() -> dict[str, Any]:
    path = os.path.join(_HERE, "linemap.json")
    try:
        with open(path, encoding="utf-8") as file:
            table: dict[str, Any] = json.load(file)["files"]
    except (OSError, ValueError, KeyError):
        return {}
    return table


def checksum(lines: list[bytes]) -> int:
    """A number that stands for the text of a function."""
    return crc32(b"\n".join(line.rstrip() for line in lines))


@cache
def _functions(file: str) -> list[_Function]:
    """The functions of a file whose text is the one the map was made of, in file order."""
    inside = os.path.relpath(os.path.abspath(file), _PACKAGE).replace(os.sep, "/")
    entry = _map().get(f"kport/{inside}")
    if entry is None:
        return []
    try:
        with open(file, "rb") as opened:
            lines = opened.read().split(b"\n")
    except OSError:
        return []
    found: list[_Function] = []
    for number, line in enumerate(lines):
        match = _DEF.match(line)
        made = entry.get(match.group(1).decode()) if match else None
        if made is not None and checksum(lines[number : number + made[1]]) == made[2]:
            found.append(_Function(made[0], made, number + 1))
    return found


def position(file: str, line: int) -> str:
    """`drivers/.../file.c:123` for a line of a ported function, else ""."""
    found = _functions(file)
    at = bisect_right([function.first for function in found], line) - 1
    if at < 0 or line >= found[at].first + found[at].length:
        return ""
    return found[at].position(line)
