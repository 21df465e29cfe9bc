# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel's log: warnings, oopses and lock reports stand out. Only a running port has one."""

from __future__ import annotations

import re

from tui.scene import Scene
from tui.screens.base import Screen
from tui.table import Row
from tui.text import Line, clean, fit_line

_STAMP = re.compile(r"\[ *(\d+)\.(\d{6})\]").match
_BAD = re.compile(r"WARN|BUG|Oops|oops|deadlock|\*ERROR\*|use-after-free|timed? ?out", re.I).search


def _time(line: str) -> int:
    """When a line was logged in ns, 0 for one that does not say."""
    match = _STAMP(line)
    return int(match[1]) * 1_000_000_000 + int(match[2]) * 1000 if match is not None else 0


def data(scene: Scene) -> list[Row]:
    """The lines up to the moment that pass the filter."""
    words = scene.view.filters.get("dmesg", "").lower().split()
    lines = [line for text in scene.dmesg for line in text.split("\n")]
    if scene.view.at is not None:
        lines = [line for line in lines if _time(line) <= scene.now]
    return [
        {"number": number, "line": line}
        for number, line in enumerate(lines)
        if all(word in line.lower() for word in words)
    ]


def paint(scene: Scene, width: int, height: int) -> list[Line]:
    """The end of the log, or the part around the selected row."""
    rows = data(scene)
    view = scene.view
    room = max(0, height - 1)
    last = view.rows.get("dmesg", 10**9)
    last = max(min(last + 1, len(rows)), min(room, len(rows)))
    view.rows["dmesg"] = 10**9 if last == len(rows) else last - 1
    title = f"{len(rows)} lines" if scene.dmesg else "dmesg"
    out = [fit_line([(title, "head")], width, "head")]
    if not rows:
        text = "nothing in the log" if scene.source.live else "a recording has no log"
        if scene.dmesg:
            text = "no line passes the filter"
        out.append(fit_line([(text, "dim")], width))
    for row in rows[max(0, last - room) : last]:
        line = row["line"]
        out.append(fit_line([(clean(line), "bad" if _BAD(line) else "")], width))
    return [*out, *([fit_line([], width)] * (height - len(out)))][:height]


SCREEN = Screen(paint, data)
