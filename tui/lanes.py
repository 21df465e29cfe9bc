# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The segments of a lane as one line of text, with edges in eighths of a column.

A cell in which one bar ends and another begins shows both: a left block in the colour of the first
on the ground of the second. One narrow bar in an otherwise idle cell is a thin stroke; a cell with
more than two bars is shaded in the colour of the widest. Where the model summed many jobs up, the
shade says how busy the cell is. Bars wide enough carry the name of their job, or the letter of
their client; the selected job is drawn with a double line, one that failed with crosses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kport.trace.snapshot import JobKey, Segment
from tui.glyphs import Glyphs
from tui.text import Line
from tui.theme import CLIENT_COLOURS, letter

_Piece = tuple[int, int, Segment]


class LanePainter:
    """Draws lanes. `index` gives the number of the client, or entity, that colours a segment."""

    def __init__(
        self, glyphs: Glyphs, index: Callable[[Segment], int], selected: JobKey | None, old: bool
    ) -> None:
        self._glyphs = glyphs
        self._index = index
        self._selected = selected
        self._old = old
        self._out: Line = []

    def draw(self, segments: Sequence[Segment], columns: int) -> Line:
        """The line of a lane, exactly `columns` wide."""
        out: Line = []
        self._out = out
        idle = self._glyphs.idle
        x = 0
        pieces: list[_Piece] = []
        for segment in segments:
            start, end = segment.start, segment.end
            cell = start >> 3
            if cell != x:
                if pieces:
                    self._cell(pieces)
                    pieces = []
                    x += 1
                if cell > x:
                    out.append((idle * (cell - x), ""))
                    x = cell
            if start & 7:
                edge = (cell + 1) << 3
                pieces.append((start & 7, min(end, edge) - (cell << 3), segment))
                if end < edge:
                    continue
                self._cell(pieces)
                pieces = []
                x += 1
                start = edge
            whole = (end >> 3) - (start >> 3)
            if whole > 0:
                self._body(segment, whole)
                x += whole
            if end & 7 and end > start:
                pieces.append((0, end & 7, segment))
        if pieces:
            self._cell(pieces)
            x += 1
        if x < columns:
            out.append((idle * (columns - x), ""))
        return out

    def _tone(self, segment: Segment) -> str:
        tone = "'" if segment.job is not None and segment.job[1] & 1 else ""
        return f"{self._index(segment) % CLIENT_COLOURS}{tone}"

    def _body(self, segment: Segment, cells: int) -> None:
        """Whole cells of one segment."""
        glyphs, out = self._glyphs, self._out
        number = self._index(segment)
        job = segment.job
        if job is None:
            shade = glyphs.shades[min(3, max(0, int(segment.busy * 4 + 0.5) - 1))]
            out.append((shade * cells, f"c{number % CLIENT_COLOURS}"))
            return
        style = "b" + self._tone(segment)
        name = f"#{job[1]}" if self._old else f"{job[0]}:{job[1]}"
        sign = letter(number)
        if job == self._selected:
            fill = glyphs.selected
        elif segment.error:
            fill = glyphs.error
        else:
            fill = glyphs.body or sign
        if cells >= len(name) + 2:
            text = fill + name + fill * (cells - len(name) - 1)
        elif cells >= 2:
            text = sign + fill * (cells - 1)
        else:
            text = fill
        out.append((text, style))

    def _cell(self, pieces: list[_Piece]) -> None:
        """One cell with edges in it."""
        glyphs, out = self._glyphs, self._out
        widest = max(pieces, key=lambda piece: piece[1] - piece[0])
        tone = self._tone(widest[2])
        if not glyphs.left:
            out.append((letter(self._index(widest[2])), "b" + tone))
            return
        if len(pieces) == 1:
            begin, end, _ = pieces[0]
            if begin == 0:
                out.append((glyphs.left[end], f"{tone}|-"))
            elif end == 8:
                out.append((glyphs.left[begin], f"-|{tone}"))
            elif end - begin <= 3:
                out.append((glyphs.thin, f"{tone}|-"))
            else:
                out.append((glyphs.shades[2], f"{tone}|-"))
            return
        if len(pieces) == 2 and pieces[0][0] == 0 and pieces[1][1] == 8:
            left, right = self._tone(pieces[0][2]), self._tone(pieces[1][2])
            edge = (pieces[0][1] + pieces[1][0] + 1) // 2
            out.append((glyphs.left[edge], f"{left}|{right}"))
            return
        busy = sum(end - begin for begin, end, _ in pieces)
        out.append((glyphs.shades[min(2, busy // 3)], f"{tone}|-"))
