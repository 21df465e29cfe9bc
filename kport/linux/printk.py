# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel log: pr_err() and its family, and the buffer that `dmesg` reads.

A record is kept whole with its level and time; the buffer holds the last 4096. Listeners (a
console, the monitor) are called with each record as it is made.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from kport.arch.asm import ktime_get
from kport.linux.module import boot_data
from kport.linux.vsprintf import sprintf

EMERG, ALERT, CRIT, ERR, WARNING, NOTICE, INFO, DEBUG = range(8)
LOG_LINES = 4096

KERN_ALERT = "\0011"  # in front of a format; ASCII SOH and the level


class record(NamedTuple):
    """One message: level 0 (emergency) to 7 (debug), ns since boot, text with no newline."""

    level: int
    ts: int
    text: str

    def line(self) -> str:
        """The record as dmesg prints it."""
        return f"[{self.ts // 1_000_000_000:5d}.{self.ts // 1000 % 1_000_000:06d}] {self.text}"


log_buf: deque[record] = deque(maxlen=LOG_LINES)
listeners: list[Callable[[record], None]] = []
_once: dict[tuple[str, int], object] = {}


@boot_data
def _reset_log() -> None:
    log_buf.clear()
    _once.clear()


def emit(level: int, text: str) -> None:
    """Put one message into the log."""
    entry = record(level, ktime_get(), text.rstrip("\n"))
    log_buf.append(entry)
    for listener in listeners:
        listener(entry)


def dmesg(level: int = DEBUG) -> list[str]:
    """The log as lines, oldest first; only records at least as urgent as `level`."""
    return [entry.line() for entry in list(log_buf) if entry.level <= level]


def pr_err(fmt: str, *args: Any) -> None:
    """Log an error."""
    emit(ERR, sprintf(fmt, *args))


def pr_warn(fmt: str, *args: Any) -> None:
    """Log a warning."""
    emit(WARNING, sprintf(fmt, *args))


def pr_info(fmt: str, *args: Any) -> None:
    """Log a fact."""
    emit(INFO, sprintf(fmt, *args))


def pr_warn_once(fmt: str, *args: Any) -> None:
    """Log a warning; each place once per kernel."""
    frame = sys._getframe(1)
    if first_time((frame.f_code.co_filename, frame.f_lineno)):
        emit(WARNING, sprintf(fmt, *args))


def printk(fmt: str, *args: Any) -> None:
    """Log at the level that the format begins with (KERN_ALERT), by default as a warning."""
    if fmt.startswith("\001"):
        emit(int(fmt[1]), sprintf(fmt[2:], *args))
        return
    emit(WARNING, sprintf(fmt, *args))


def first_time(site: tuple[str, int]) -> bool:
    """True once per kernel for a place in the source; what the *_once() macros ask."""
    mine = object()
    return _once.setdefault(site, mine) is mine  # one call: of two threads one is the first


def clear_warn_once() -> None:
    """Let every place that logs only once log again; in C by way of debugfs."""
    _once.clear()
