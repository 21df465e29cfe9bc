# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The sink of a debugfs file (include/linux/seq_file.h of Linux 7.2.13): text, read later."""

from __future__ import annotations

from typing import Any

from kport.linux.struct import struct
from kport.linux.vsprintf import sprintf


class seq_file(struct):
    """What has been written so far."""

    text: str


def seq_printf(m: seq_file, fmt: str, *args: Any) -> None:
    """Append formatted text."""
    m.text += sprintf(fmt, *args)


def seq_putc(m: seq_file, c: str) -> None:
    """Append a character."""
    m.text += c


def seq_puts(m: seq_file, s: str) -> None:
    """Append a string."""
    m.text += s
