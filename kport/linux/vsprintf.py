# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel's printf formats, by way of Python's.

A format is translated once and cached: length modifiers go, %u and %i are %d, %p and its relatives
print a struct by its type, never by an address, so that two runs print the same text.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_SPEC = re.compile(r"%([-+ #0]*)(\*|\d+)?(\.\d+)?(?:hh|h|ll|l|z|j|t|L)?([a-zA-Z%])([xsSBKf]?)")


def _one(match: re.Match[str]) -> str:
    flags, width, precision, kind, tail = match.groups()
    head = f"%{flags}{width or ''}{precision or ''}"
    if kind == "p":
        return "%s"
    if kind in "ui":
        kind = "d"
    return f"{head}{kind}{tail}"


@cache
def translate(fmt: str) -> str:
    """The Python %-format that prints what the kernel format prints."""
    return _SPEC.sub(_one, fmt)


def sprintf(fmt: str, *args: Any) -> str:
    """Format as the kernel's vsnprintf() does, without a limit on length."""
    return translate(fmt) % args if args else fmt.replace("%%", "%")
