# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The characters beyond letters that the monitor draws with, and what stands for them in ASCII.

A terminal whose encoding is not UTF-8 gets the ASCII set: bars are letters of the clients there.
"""

from __future__ import annotations

import codecs
import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set. `left` are blocks of 0 to 8 eighths of a column, `shades` 1 to 4 quarters dense."""

    name: str
    left: str
    shades: str
    thin: str
    body: str
    selected: str
    error: str
    idle: str
    ruler: str
    tick: str
    cursor: str
    branch: str
    last: str
    through: str
    gauge: str
    empty: str
    levels: str
    up: str
    down: str
    ellipsis: str
    rule: str
    dot: str
    arrow: str


UNICODE = Glyphs(
    name="unicode",
    left=" ▏▎▍▌▋▊▉█",
    shades="░▒▓█",
    thin="│",
    body=" ",
    selected="═",
    error="▚",
    idle=" ",
    ruler="─",
    tick="┬",
    cursor="▼",
    branch="├─ ",
    last="└─ ",
    through="│  ",
    gauge="█",
    empty="░",
    levels=" ▁▂▃▄▅▆▇█",
    up="▲",
    down="▼",
    ellipsis="…",
    rule="─",
    dot="·",
    arrow="→",
)

ASCII = Glyphs(
    name="ascii",
    left="",
    shades=".:+#",
    thin="|",
    body="",
    selected="=",
    error="x",
    idle=" ",
    ruler="-",
    tick="+",
    cursor="v",
    branch="|- ",
    last="`- ",
    through="|  ",
    gauge="#",
    empty=".",
    levels=" .:-=+*%#",
    up="^",
    down="v",
    ellipsis="~",
    rule="-",
    dot=".",
    arrow="->",
)


def for_encoding(encoding: str | None) -> Glyphs:
    """The set that a terminal of this encoding can show."""
    if os.environ.get("TERM") in ("linux", "dumb"):
        return ASCII
    try:
        utf8 = codecs.lookup(encoding or "ascii").name == "utf-8"
    except LookupError:
        utf8 = False
    return UNICODE if utf8 else ASCII
