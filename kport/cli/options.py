# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Option parsing: argparse with errors of one line, and types that say what they want."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any, NoReturn


class UsageError(Exception):
    """A command line that cannot be meant; `str()` is one line."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageError and takes no abbreviations."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise UsageError(" ".join(f"{message}; see {self.prog} --help".split()))


def whole(low: int, high: int = 10**9) -> Callable[[str], int]:
    """The type of a whole number within low..high."""

    def convert(text: str) -> int:
        try:
            value = int(text, 0)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return value

    return convert


def real(low: float, high: float = 1e9) -> Callable[[str], float]:
    """The type of a number within low..high, `low` itself excluded when it is 0."""

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (low <= value <= high and (value or low)):
            least = f"from {low:g}" if low else "above 0 and up"
            raise argparse.ArgumentTypeError(f"{text!r} is not a number {least} to {high:g}")
        return value

    return convert
