# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Poison pointers: what a deleted list entry points to (include/linux/poison.h, Linux 7.2.13)."""

from __future__ import annotations

from typing import Any


class _poison:
    """A pointer value that no object has; going through it is a fault."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


LIST_POISON1: Any = _poison("LIST_POISON1")
LIST_POISON2: Any = _poison("LIST_POISON2")
TIMER_ENTRY_STATIC: Any = _poison("TIMER_ENTRY_STATIC")
