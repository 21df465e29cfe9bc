# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The order on the rings as a picture: a row for each ring, a letter for each client.

A column is a stretch of time and shows who ran longest in it, so that short batches are seen too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from string import ascii_letters

from kport.cli.terminal import COLOURS, Style
from kport.workload.result import Run

COLUMN_NS = 2_000_000
IDLE = "."


def letter(client: int) -> str:
    """The letter of a client, counted from 1."""
    return ascii_letters[client - 1] if client <= len(ascii_letters) else "?"


def order_lines(runs: Sequence[Run], names: Sequence[str], width: int, style: Style) -> list[str]:
    """The picture of the last stretch in which all clients ran; nothing for no runs."""
    if not runs:
        return []
    rings = list(dict.fromkeys(run.ring for run in sorted(runs, key=lambda run: run.ring)))
    margin = max(len(ring) for ring in rings) + 2
    columns = max(8, min(width - margin, 72))
    last: dict[int, int] = {}
    for run in runs:
        last[run.client] = max(last.get(run.client, 0), run.ended)
    end = min(last.values())
    begin = max(min(run.began for run in runs), end - columns * COLUMN_NS)
    columns = min(columns, -(-(end - begin) // COLUMN_NS) or 1)
    shown = [run for run in runs if run.ended > begin and run.began < end]
    lines = [
        style(
            f"ORDER  who ran on each ring, the last {columns * COLUMN_NS // 1_000_000} ms; "
            f"a column is {COLUMN_NS // 1_000_000} ms; {IDLE} is idle",
            "bold",
        )
    ]
    for ring in rings:
        row = _row([run for run in shown if run.ring == ring], begin, columns)
        marks = (_mark(client, len(list(same)), style) for client, same in groupby(row))
        lines.append(ring.ljust(margin) + "".join(marks))
    seen = sorted({run.client for run in shown})
    lines += _legend(seen, names, width, style)
    return lines


def _row(runs: Sequence[Run], begin: int, columns: int) -> list[int]:
    """The client that ran longest in each column, 0 for nobody."""
    times: list[dict[int, int]] = [{} for _ in range(columns)]
    for run in runs:
        first = max(0, (run.began - begin) // COLUMN_NS)
        for column in range(first, columns):
            left = begin + column * COLUMN_NS
            if left >= run.ended:
                break
            inside = min(run.ended, left + COLUMN_NS) - max(run.began, left)
            times[column][run.client] = times[column].get(run.client, 0) + inside
    return [max(each, key=lambda client: each[client]) if each else 0 for each in times]


def _mark(client: int, columns: int, style: Style) -> str:
    if not client:
        return style(IDLE * columns, "dim")
    return style(letter(client) * columns, COLOURS[(client - 1) % len(COLOURS)])


def _legend(clients: Sequence[int], names: Sequence[str], width: int, style: Style) -> list[str]:
    """What the letters mean, as many to a line as fit."""
    lines: list[str] = []
    room = 0
    for client in clients:
        text = f"{letter(client)} {names[client - 1]}"
        if room < len(text):
            lines.append("")
            room = width
        gap = "  " if lines[-1] else ""
        lines[-1] += gap + _mark(client, 1, style) + text[1:]
        room -= len(text) + 2
    return lines
