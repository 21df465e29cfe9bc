# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a terminal gets and a pipe does not: colour, and a progress bar.

Colour only repeats what the text says. It is off in a pipe, with NO_COLOR set (no-color.org) and
on a dumb terminal.
"""

from __future__ import annotations

import os
import shutil
from time import monotonic
from typing import Self, TextIO

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")


class Style:
    """Colours for one stream."""

    def __init__(self, stream: TextIO) -> None:
        self.on = (
            stream.isatty()
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM", "dumb") != "dumb"
        )

    def __call__(self, text: str, *names: str) -> str:
        """The text in these colours, or as it is."""
        if not self.on or not names or not text:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"


def width(stream: TextIO) -> int:
    """How wide a table may be: 80 columns, less on a narrower terminal."""
    if not stream.isatty():
        return 80
    return max(40, min(80, shutil.get_terminal_size().columns))


class Bar:
    """A progress bar on a terminal; elsewhere nothing. A context manager that wipes it away."""

    PERIOD = 0.1  # s between two drawings
    SIZE = 40

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._on = stream.isatty()
        self._began = monotonic()
        self._last = 0.0
        self._drawn = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._draw("")

    def __call__(self, done: int, total: int) -> None:
        """So much is done, of so much."""
        if total > 0 and self._due():
            part = min(1.0, done / total)
            full = round(part * self.SIZE)
            seconds = monotonic() - self._began
            self._draw(f"[{'#' * full}{'.' * (self.SIZE - full)}] {part:4.0%}  {seconds:.0f} s")

    def count(self, lines: int) -> None:
        """So many lines are read, of nobody knows how many."""
        if self._due():
            self._draw(f"reading, {lines:,} lines")

    def _due(self) -> bool:
        now = monotonic()
        if not self._on or now - self._last < self.PERIOD:
            return False
        self._last = now
        return True

    def _draw(self, text: str) -> None:
        if not self._on or (not text and not self._drawn):
            return
        self._stream.write("\r" + text.ljust(self._drawn) + ("" if text else "\r"))
        self._stream.flush()
        self._drawn = len(text)
