# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After drivers/misc/lkdtm/lkdtm.h, Linux 7.2.13, on 2026-11-20.
"""What all crash types share: their table, and the name of the module before each message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.linux import printk
from kport.linux.struct import struct


class crashtype(struct):
    """A mistake: its name, and the function that makes it."""

    name: str
    func: Callable[[], None] | None


def CRASHTYPE(func: Callable[[], None]) -> crashtype:
    """An entry of the table; C derives the function's name from the type's."""
    made = crashtype()
    made.name = func.__name__.removeprefix("lkdtm_")
    made.func = func
    return made


def pr_fmt(fmt: str) -> str:
    """A format with the name of the module in front."""
    return "lkdtm: " + fmt


def pr_err(fmt: str, *args: Any) -> None:
    """Log an error."""
    printk.pr_err(pr_fmt(fmt), *args)


def pr_warn(fmt: str, *args: Any) -> None:
    """Log a warning."""
    printk.pr_warn(pr_fmt(fmt), *args)


def pr_info(fmt: str, *args: Any) -> None:
    """Log a fact."""
    printk.pr_info(pr_fmt(fmt), *args)
