# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Tables: which columns fit, which rows pass the filter, in which order, and which is selected.

A row is a mapping of plain values (times in ns), so that filters and sorting see values and only
the rows on the screen are made into text. Columns go when the screen is narrow, those of the
highest `rank` first; the widest text column takes what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tui.filters import Cell, Filter, FilterError
from tui.scene import Scene
from tui.text import Line, clean, fit, fit_line, fit_tail, styled

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `show` makes a value text, `style` gives the name of its style.

    `grows`: it takes what is left. `tail`: of a long text the end is kept as well.
    """

    name: str
    width: int
    show: Callable[[Any], str] = str
    right: bool = False
    rank: int = 0
    grows: bool = False
    tail: bool = False
    style: Callable[[Row], str] | None = None
    title: str = ""


class Table:
    """A kind of table. `key` is the screen whose filter, order and row it has."""

    def __init__(self, key: str, columns: Sequence[Column], empty: str) -> None:
        self.key = key
        self.columns = tuple(columns)
        self.names = tuple(column.name for column in columns)
        self.empty = empty

    def arrange(self, scene: Scene, rows: Sequence[Row]) -> tuple[list[Row], str]:
        """The rows that pass, in order; and what is wrong with the filter, if anything."""
        view, error = scene.view, ""
        out = list(rows)
        text = view.filters.get(self.key, "")
        if text:
            try:
                wanted = Filter(text, self.names)
                out = [row for row in out if wanted({n: row.get(n) for n in self.names})]
            except FilterError as problem:
                error = str(problem)
        if self.key in view.sorts:
            name, reverse = view.sorts[self.key]
            if name in self.names:
                out.sort(key=lambda row: _order(row.get(name)), reverse=reverse)
        return out, error

    def fitting(self, width: int) -> list[tuple[Column, int]]:
        """The columns that fit into `width`, with their widths."""
        columns = list(self.columns)
        while len(columns) > 1 and sum(c.width for c in columns) + len(columns) - 1 > width:
            columns.remove(max(columns, key=lambda c: (c.rank, columns.index(c))))
        spare = width - sum(c.width for c in columns) - len(columns) + 1
        growing = sum(c.grows for c in columns) or 1
        return [(c, c.width + (spare // growing if c.grows else 0)) for c in columns]

    def lines(self, scene: Scene, rows: Sequence[Row], width: int, height: int) -> list[Line]:
        """A head line and the rows that there is room for."""
        view = scene.view
        shown, error = self.arrange(scene, rows)
        fitted = self.fitting(width)
        out = [self._head(scene, fitted, width)]
        room = max(0, height - 1)
        row = self.row(scene, shown)
        top = max(0, min(view.tops.get(self.key, 0), len(shown) - room))
        top = max(min(top, row), row - room + 1, 0)
        view.tops[self.key] = top
        for number, item in enumerate(shown[top : top + room], top):
            line: Line = []
            for column, size in fitted:
                if line:
                    line.append((" ", ""))
                value = item.get(column.name)
                text = "" if value is None else clean(column.show(value))
                style = column.style(item) if column.style is not None else ""
                align = ">" if column.right else "<"
                if column.tail:
                    line.append((fit_tail(text, size, scene.glyphs.ellipsis), style))
                else:
                    line.append((fit(text, size, align, scene.glyphs.ellipsis), style))
            line = fit_line(line, width)
            out.append(styled(line, "select") if number == row else line)
        if error:
            out[1:] = [fit_line([(f"filter: {error}", "bad")], width)]
        elif not shown:
            text = "nothing passes the filter" if rows else self.empty
            out.append(fit_line([(text, "dim")], width))
        return [*out, *([fit_line([], width)] * (height - len(out)))][:height]

    def _head(self, scene: Scene, fitted: list[tuple[Column, int]], width: int) -> Line:
        name, reverse = scene.view.sorts.get(self.key, ("", False))
        line: Line = []
        for column, size in fitted:
            if line:
                line.append((" ", "head"))
            title = column.title or column.name
            mark = ""
            if column.name == name:
                mark = scene.glyphs.down if reverse else scene.glyphs.up
            title = fit(title, min(size - len(mark), len(title))) + mark
            line.append((fit(title, size, ">" if column.right else "<"), "head"))
        return fit_line(line, width, "head")

    def selected(self, scene: Scene, rows: Sequence[Row]) -> Row | None:
        """The selected row."""
        shown, _ = self.arrange(scene, rows)
        return shown[self.row(scene, shown)] if shown else None

    def row(self, scene: Scene, shown: Sequence[Row]) -> int:
        """The number of the selected row: it stays on what it is of while the others move."""
        view = scene.view
        chosen = view.chosen.get(self.key)
        if chosen is not None:
            for number, row in enumerate(shown):
                if row.get("_id") == chosen:
                    view.rows[self.key] = number
                    return number
        return max(0, min(view.rows.get(self.key, 0), len(shown) - 1))

    def select(self, scene: Scene, shown: Sequence[Row], number: int) -> None:
        """Select another row, as far as there are so many."""
        number = max(0, min(number, len(shown) - 1))
        scene.view.rows[self.key] = number
        scene.view.chosen[self.key] = shown[number].get("_id") if shown else None


def _order(cell: Cell) -> tuple[int, Any]:
    """Nothing sorts before numbers, numbers before texts."""
    if cell is None:
        return 0, 0
    return (1, cell) if isinstance(cell, int | float) else (2, str(cell))
