# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The widget of every panel: lines in, strips out, and only rows that changed are drawn again."""

from __future__ import annotations

from rich.segment import Segment as RichSegment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.text import Line, Span, line_width
from tui.theme import DARK, Theme


class Panel(Widget, can_focus=False):
    """Shows lines that somebody else made: `show()` them whenever they may have changed."""

    DEFAULT_CSS = "Panel { height: 1; width: 100%; }"

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self.ground: Theme = DARK
        self._lines: list[Line] = []
        self._strips: list[Strip | None] = []
        self._known: dict[Span, RichSegment] = {}  # spans come again and again

    def show(self, lines: list[Line], theme: Theme) -> int:
        """Show these; returns how many rows are drawn again."""
        before = self._lines
        if theme is not self.ground or len(lines) != len(before):
            self.ground = theme
            self._known.clear()
            self._lines = lines
            self._strips = [None] * len(lines)
            self.refresh()
            return len(lines)
        changed = [y for y, line in enumerate(lines) if line != before[y]]
        self._lines = lines
        for y in changed:
            self._strips[y] = None
        if changed:
            width = self.size.width
            self.refresh(*[Region(0, y, width, 1) for y in changed])
        return len(changed)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips of a part of the panel.

        Textual would ask for `render_line()` and then put the borders, margins and colour filters
        of a widget around it, of which a panel has none: that costs more than the strips do.
        """
        width = self.size.width
        strips = [self.render_line(y) for y in range(crop.y, crop.bottom)]
        if crop.x == 0 and crop.width >= width:
            return strips
        return [strip.crop(crop.x, crop.right) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """Row `y` as a strip."""
        width = self.size.width
        if y >= len(self._lines):
            return Strip([RichSegment(" " * width, self.ground.style(""))], width)
        strip = self._strips[y]
        if strip is None or strip.cell_length != width:
            strip = self._strips[y] = self._strip(self._lines[y], width)
        return strip

    def _strip(self, line: Line, width: int) -> Strip:
        known, style = self._known, self.ground.style
        if len(known) > 20_000:
            known.clear()
        segments = []
        for span in line:
            segment = known.get(span)
            if segment is None:
                segment = known[span] = RichSegment(span[0], style(span[1]))
            segments.append(segment)
        size = line_width(line)
        strip = Strip(segments, size)
        return strip if size == width else strip.adjust_cell_length(width, style(""))
