# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`cdiff show`: a function in C and in Python, side by side, aligned by statement.

With a kernel tree the whole text of the C stands on the left, comments and all. Without one the
left side is the statement as the port must have it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tools.cdiff.compare import Row
from tools.cdiff.project import Pair, Project
from tools.cdiff.texts import UNKNOWN, Texts

Numbered = tuple[int, str]

MARKS = {"equal": "=", "rule": "~", "pinned": "!", "different": "X"}
MEANING = {
    "equal": "equal",
    "rule": "equal by a rule that needs a tag",
    "pinned": "differs, tagged and accepted",
    "different": "differs",
}
_COLOURS = {"equal": "", "rule": "\033[36m", "pinned": "\033[33m", "different": "\033[31m"}
_PLAIN = "\033[0m"


@dataclass
class Band:
    """Lines of both sides that belong together. `state` is "" for what is no statement."""

    state: str
    left: list[Numbered] = field(default_factory=list)
    right: list[Numbered] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class View:
    """One function, ready to be shown."""

    name: str
    left: str
    right: str
    bands: tuple[Band, ...]
    counts: dict[str, int]


class _Side:
    """The lines of a text, handed out in order."""

    def __init__(self, lines: Sequence[str], first: int, last: int) -> None:
        self._lines = lines
        self._at = first
        self._last = last

    def until(self, line: int) -> list[Numbered]:
        """The lines before `line` that were not handed out yet."""
        end = max(min(line, self._last + 1), self._at)
        found = [(n, self._lines[n - 1].expandtabs(4)) for n in range(self._at, end)]
        self._at = end
        return found

    def rest(self) -> list[Numbered]:
        """All that is left."""
        return self.until(self._last + 1)


def view(project: Project, pair: Pair, texts: Texts) -> View:
    """A function of both sides."""
    made = project.compare(pair)
    tree = texts.tree(pair.file.version) if texts.named else None
    python = pair.file.text.split("\n")
    right = _Side(python, pair.function.line, pair.function.end)
    rows = [row for row in made.rows if not row.head]
    if tree is None:
        bands = _without_tree(pair, rows, texts, right)
    else:
        source = (tree.root / pair.source.path).read_text(encoding="utf-8", errors="replace")
        left = _Side(source.split("\n"), pair.fact.line, pair.fact.end)
        bands = _with_tree(rows, left, right)
    counts = dict.fromkeys(MARKS, 0)
    for row in rows:
        counts[row.state] += max(len(row.c), 1)
    return View(
        pair.function.name,
        f"{pair.source.path}:{pair.fact.line}-{pair.fact.end}, Linux {pair.file.version}",
        f"{pair.file.path}:{pair.function.line}-{pair.function.end}",
        tuple(bands),
        counts,
    )


def _note(row: Row) -> str:
    return ", ".join(sorted(row.tags)) or row.problem


def _next_lines(rows: Sequence[Row], index: int) -> tuple[int, int]:
    """Where the statements behind a row begin, on both sides."""
    huge = 1 << 30
    c = next((row.c[0].line for row in rows[index + 1 :] if row.c), huge)
    python = next((row.python[0].line for row in rows[index + 1 :] if row.python), huge)
    return c, python


def _with_tree(rows: Sequence[Row], left: _Side, right: _Side) -> list[Band]:
    first_c, first_python = _next_lines(rows, -1)
    bands = [Band("", left.until(first_c), right.until(first_python))]
    for index, row in enumerate(rows):
        c, python = _next_lines(rows, index)
        made = Band(row.state, note=_note(row))
        if row.c:
            made.left = left.until(c)
        if row.python:
            made.right = right.until(python)
        bands.append(made)
    bands.append(Band("", left.rest(), right.rest()))
    return bands


def _without_tree(pair: Pair, rows: Sequence[Row], texts: Texts, right: _Side) -> list[Band]:
    _, first_python = _next_lines(rows, -1)
    bands = [Band("", [], right.until(first_python))]
    for index, row in enumerate(rows):
        _, python = _next_lines(rows, index)
        known = [UNKNOWN] * len(row.c)
        if row.state in ("equal", "rule"):
            known = [item.text for item in row.python]
        elif row.c:
            known = texts.of(pair, row.c)
        left = [
            (item.line, "    " * (item.depth + 1) + line)
            for item, text in zip(row.c, known, strict=True)
            for line in text.split("\n")[:1]
        ]
        made = Band(row.state, left, note=_note(row))
        if row.python:
            made.right = right.until(python)
        bands.append(made)
    bands.append(Band("", [], right.rest()))
    return bands


def _cut(item: Numbered | None, width: int) -> str:
    if item is None:
        return " " * width
    line, text = item
    whole = f"{line:5d} {text}"
    return whole[: width - 1] + "…" if len(whole) > width else whole.ljust(width)


def text_lines(made: View, colour: bool) -> Iterator[str]:
    """The view for a terminal of its width, or for a pipe."""
    columns = shutil.get_terminal_size((160, 50)).columns
    width = max((columns - 3) // 2, 40)
    counts = ", ".join(f"{count} {state}" for state, count in made.counts.items() if count)
    yield f"{made.name}: {counts or 'no statements'}"
    yield f"{made.left[:width].ljust(width)}   {made.right}"
    for band in made.bands:
        on = _COLOURS[band.state] if colour and band.state else ""
        height = max(len(band.left), len(band.right))
        for number in range(height):
            left = band.left[number] if number < len(band.left) else None
            right = band.right[number] if number < len(band.right) else None
            mark = MARKS.get(band.state, " ") if number == 0 else " "
            line = f"{_cut(left, width)} {mark} {_cut(right, width)}".rstrip()
            yield f"{on}{line}{_PLAIN}" if on else line
    yield ""


def legend() -> str:
    """What the marks mean."""
    return "; ".join(f"{MARKS[state]} {MEANING[state]}" for state in MARKS)
