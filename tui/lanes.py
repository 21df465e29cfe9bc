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
_TONES = [(f"{number}", f"{number}'") for number in range(CLIENT_COLOURS)]


class LanePainter:
    """Draws lanes. `index` gives the number of the client, or entity, that colours a segment.

    `old`: the jobs are of a kernel before 6.17, which names them by numbers alone.
    """

    def __init__(
        self,
        glyphs: Glyphs,
        index: Callable[[Segment], int],
        selected: JobKey | None,
        old: bool = False,
    ) -> None:
        self._glyphs = glyphs
        self._index = index
        self._selected = selected
        self._old = old
        self._out: Line = []

    def draw(self, segments: Sequence[Segment], columns: int) -> Line:
        """The line of a lane, exactly `columns` wide."""
        self._out = []
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
                    self._idle(cell - x)
                    x = cell
            if start & 7:
                edge = (cell + 1) << 3
                pieces.append((start & 7, (end if end < edge else edge) - (cell << 3), segment))
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
            self._idle(columns - x)
        return self._out

    def _put(self, text: str, style: str) -> None:
        """Append, to the span before if that looks the same: fewer spans are fewer bytes."""
        out = self._out
        if out and out[-1][1] == style:
            out[-1] = out[-1][0] + text, style
        else:
            out.append((text, style))

    def _idle(self, cells: int) -> None:
        """Nothing runs. Blanks look the same in every style that has the common ground."""
        out = self._out
        text = self._glyphs.idle * cells
        if out and (out[-1][1][-1:] == "-" or out[-1][1][:1] in ("c", "")):
            out[-1] = out[-1][0] + text, out[-1][1]
        else:
            out.append((text, ""))

    def _tone(self, segment: Segment) -> str:
        number = self._index(segment) % CLIENT_COLOURS
        job = segment.job
        return _TONES[number][job[1] & 1 if job is not None else 0]

    def _body(self, segment: Segment, cells: int) -> None:
        """Whole cells of one segment."""
        glyphs = self._glyphs
        number = self._index(segment)
        job = segment.job
        if job is None:
            shade = glyphs.shades[min(3, max(0, int(segment.busy * 4 + 0.5) - 1))]
            self._put(shade * cells, f"c{number % CLIENT_COLOURS}")
            return
        sign = letter(number)
        if job == self._selected:
            fill = glyphs.selected
        elif segment.error:
            fill = glyphs.error
        else:
            fill = glyphs.body or sign
        text = fill
        if cells >= 2:
            name = f"#{job[1]}" if self._old else f"{job[0]}:{job[1]}"
            if cells >= len(name) + 2:
                text = fill + name + fill * (cells - len(name) - 1)
            else:
                text = sign + fill * (cells - 1)
        self._put(text, "-|" + self._tone(segment))

    def _cell(self, pieces: list[_Piece]) -> None:
        """One cell with edges in it."""
        glyphs = self._glyphs
        if not glyphs.left:
            segment = max(pieces, key=_size)[2]
            self._put(letter(self._index(segment)), "-|" + self._tone(segment))
            return
        if len(pieces) == 1:
            begin, end, segment = pieces[0]
            tone = self._tone(segment)
            if end == 8:
                self._put(glyphs.left[begin], "-|" + tone)
            elif begin == 0:
                self._put(glyphs.left[end], tone + "|-")
            elif end - begin <= 3:
                self._put(glyphs.thin, tone + "|-")
            else:
                self._put(glyphs.shades[2], tone + "|-")
            return
        if len(pieces) == 2 and pieces[0][0] == 0 and pieces[1][1] == 8:
            left, right = self._tone(pieces[0][2]), self._tone(pieces[1][2])
            edge = (pieces[0][1] + pieces[1][0] + 1) // 2
            self._put(glyphs.left[edge], f"{left}|{right}")
            return
        busy = sum(end - begin for begin, end, _ in pieces)
        tone = self._tone(max(pieces, key=_size)[2])
        self._put(glyphs.shades[min(2, busy // 3)], tone + "|-")


def _size(piece: _Piece) -> int:
    return piece[1] - piece[0]
