# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The races that the kernel itself has, from races_known.json.

Each entry names the struct and the member, the two functions, where in C the two accesses stand,
and why it is the kernel's and not the port's. A race is known by struct, member and functions; the
positions are for whoever wants to read the C. The member of an embedded struct can be named from
any of those around it: `next` of list_head is the next of all lists, `cb.node.next` of
drm_sched_entity that of one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from typing import Any, TypedDict

_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "races_known.json")


class Known(TypedDict):
    """One race: `functions` in order of their names, `accesses` as "file.c:line, what it does"."""

    struct: str
    member: str
    functions: list[str]
    kernel: str
    accesses: list[str]
    why: str


@cache
def known_races() -> list[Known]:
    """All of them, in file order."""
    with open(_FILE, encoding="utf-8") as file:
        races: list[Known] = json.load(file)["races"]
    return races


@cache
def _titles() -> dict[tuple[str, ...], str]:
    return {
        (race["struct"], race["member"], *sorted(race["functions"])): (
            f"data-race in {' / '.join(sorted(race['functions']))}"
            f" ({race['struct']}.{race['member']})"
        )
        for race in known_races()
    }


def known_as(obj: Any, member: str, first: set[str], second: set[str]) -> str | None:
    """The title of a known race, or None.

    Each access may go by the name of its function and by that of the one it was compiled into.
    """
    for kind, path in _places(obj, member):
        for one in sorted(first):
            for other in sorted(second):
                title = _titles().get((kind, path, *sorted((one, other))))
                if title is not None:
                    return title
    return None


def _places(obj: Any, member: str) -> Iterator[tuple[str, str]]:
    """The member of the object, and of each struct around it."""
    yield type(obj).__name__, member
    while (container := obj._container) is not None:
        member = f"{obj._member}.{member}"
        obj = container
        yield type(obj).__name__, member
