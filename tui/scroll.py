# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Lanes that move: what has been drawn is shifted, and only the right end is drawn again.

A live window moves by whole columns, so its lanes are those of the frame before, shifted, but for
what happened since. What is older than the youngest event of the model stays as it is, with one
exception: the bar that was not closed then. So a lane is drawn again from there on, which keeps a
frame of 40 busy lanes at a few ms. Anything else that changes the picture (another width, zoom,
selection, convention) has another key, and everything is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from kport.trace.snapshot import Segment
from tui.text import Line

Draw = Callable[[int, int, int], tuple[Line, Sequence[Segment]]]


@dataclass(slots=True)
class _Drawn:
    look: Hashable
    end: int
    line: Line
    settled: int  # columns from the left that will not change


class LaneStore:
    """Lines of lanes as they were drawn last."""

    def __init__(self) -> None:
        self._drawn: dict[Hashable, _Drawn] = {}

    def line(
        self,
        lane: Hashable,
        look: Hashable,
        window: tuple[int, int],
        columns: int,
        settled: int,
        draw: Draw,
    ) -> Line:
        """The line of a lane. `draw(begin, end, columns)` makes a part of it.

        The window's length is `columns` whole cells; up to `settled` (ns) all events are known.
        """
        begin, end = window
        cell = (end - begin) // columns
        before = self._drawn.get(lane)
        keep = 0
        line: Line = []
        if before is not None and before.look == (look, columns, cell):
            shift, odd = divmod(end - before.end, cell)
            if not odd and 0 <= shift <= columns:
                keep = max(0, before.settled - shift)
                line = drop(cut_right(before.line, before.settled), shift)
        lead = min(keep, 1)  # a bar that ends on the edge shows in the first column: not that one
        first = keep - lead
        drawn, segments = draw(begin + first * cell, end, columns - first)
        line = line + drop(drawn, lead) if keep else drawn
        last = (settled - begin) // cell - 1
        if segments:
            tail = segments[-1]
            if first * 8 + tail.end >= 8 * last:
                last = min(last, first + tail.start // 8)
        self._drawn[lane] = _Drawn(
            (look, columns, cell), end, line, max(0, min(last, columns))
        )
        return line


def cut_right(line: Line, width: int) -> Line:
    """Like `cut()`, but quick for a width near to that of the line: from its end."""
    total = sum([len(text) for text, _ in line])
    over = total - width
    stop = len(line)
    while stop and over > 0:
        size = len(line[stop - 1][0])
        if size > over:
            text, style = line[stop - 1]
            return [*line[: stop - 1], (text[: size - over], style)]
        over -= size
        stop -= 1
    return line[:stop]


def drop(line: Line, width: int) -> Line:
    """The line without its first `width` columns, all of single width."""
    for number, (text, style) in enumerate(line):
        if len(text) > width:
            return [(text[width:], style), *line[number + 1 :]]
        width -= len(text)
    return []
