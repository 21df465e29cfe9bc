# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The one kind of error that bad input causes: where it is, what is wrong, how to mend it."""

from __future__ import annotations


class InputError(Exception):
    """Input that cannot be played. `str()` is one line: `where: what; remedy`."""

    def __init__(self, where: str, what: str, remedy: str = "") -> None:
        super().__init__(where, what, remedy)
        self.where = where
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")
        return " ".join(text.split())
