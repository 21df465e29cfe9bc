# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel's printf formats, by way of Python's.

A format is translated once and cached: length modifiers go, %u and %i are %d, %p and its relatives
print a struct by its type, never by an address, so that two runs print the same text. Trace events
need to tell two structs apart: what they record for a %p is `pointer()`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from kport.arch.types import XCHG_LOCK
from kport.linux.module import boot_data

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


_addresses = 0
_epoch = object()


@boot_data
def _reset_addresses() -> None:
    global _addresses, _epoch
    _addresses = 0
    _epoch = object()


def pointer(obj: Any) -> str:
    """A pointer to a struct as `%p` prints it: a hash, the same for the same object.

    The hash is of the order in which structs were asked for it in this kernel, so two runs of the
    same events print the same text.
    """
    global _addresses
    if obj is None:
        return "(null)"
    with XCHG_LOCK:
        epoch, number = getattr(obj, "_address", (None, 0))
        if epoch is not _epoch:
            _addresses += 1
            number = _addresses
            obj._address = (_epoch, number)
    return f"{number * 0x9E3779B1 & 0xFFFFFFFF:016x}"


def sprintf(fmt: str, *args: Any) -> str:
    """Format as the kernel's vsnprintf() does, without a limit on length."""
    return translate(fmt) % args if args else fmt.replace("%%", "%")
