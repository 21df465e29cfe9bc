# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The option --check of several commands: every kernel they boot is watched."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kport.linux.facility import Report

# By the names of kport.check, which would load a kernel to be asked.
CHECKS = {
    "lockdep": "order of locks, interrupt states",
    "waits": "waits on fences, completions, queues and work items",
    "memory": "freed and leaked objects, timers and work items",
    "races": "accesses that nothing orders",
    "context": "sleeping where it is forbidden, lockups, hung tasks",
    "oracles": "what must always be true of the scheduler",
}
SHOWN = 10  # reports printed as a whole


def there_are() -> list[str]:
    """The checks that this installation has."""
    return [name for name in CHECKS if find_spec(f"kport.check.{name}") is not None]


def checks(text: str) -> list[str]:
    """The type of --check: names, separated by commas; "all" and "none" are names, too."""
    found: list[str] = []
    for part in text.split(","):
        name = part.strip()
        if name in ("", "none"):
            continue
        known = there_are()
        if name != "all" and name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are all, {', '.join(known)}"
            raise argparse.ArgumentTypeError(f"{name!r} is no check; {hint}")
        found += known if name == "all" else [name]
    return list(dict.fromkeys(found))


def add_check(parser: argparse.ArgumentParser, default: str = "") -> None:
    """Add --check."""
    text = f'watch the kernel: "all", or of {", ".join(CHECKS)}'
    parser.add_argument("--check", metavar="NAMES", type=checks, default=checks(default),
        help=text)  # fmt: skip


@contextmanager
def checked(names: Sequence[str]) -> Iterator[list[Report]]:
    """Watch every kernel that boots in the block; the list grows by what is reported of each."""
    from kport.linux.facility import standing

    with standing(names) as reports:
        yield reports


def known(text: str) -> str:
    """What a report says of a fault of the kernel that is known, else ""."""
    for line in text.splitlines():
        if line.startswith(" known: "):
            return line.removeprefix(" known: ").strip()
    return ""


def tell(reports: Sequence[str]) -> bool:
    """Print reports on stderr, the first new ones as a whole; True if one of them is new.

    A fault of the kernel itself that is known gets one line.
    """
    new = [text for text in reports if not known(text)]
    for text in new[:SHOWN]:
        print(f"{text}\n", file=sys.stderr)
    for text in new[SHOWN:]:
        print(text.partition("\n")[0], file=sys.stderr)
    for fault, count in Counter(filter(None, map(known, reports))).items():
        print(f"kport: {count} x a known fault of the kernel: {fault}", file=sys.stderr)
    if new:
        many = "1 report" if len(new) == 1 else f"{len(new)} reports"
        print(f"kport: {many} of what --check watches", file=sys.stderr)
    return bool(new)
