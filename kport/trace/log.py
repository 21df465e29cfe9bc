# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The events themselves, by number, for lists and searches.

Events are numbered from 0 on; when a long session forgets its oldest ones, `first` grows and the
numbers stay. They lie in blocks: of a file, text that is parsed when somebody looks, or events.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable

from sortedcontainers import SortedKeyList

from kport.trace.bulk import Block
from kport.trace.events import WRITTEN, Event
from kport.trace.ftrace import line as ftrace_line
from kport.trace.reader import parse

_CACHED = 64  # blocks of text that are kept split


class _Stored:
    """A block, from its first number on."""

    __slots__ = ("count", "events", "first", "text")

    def __init__(self, first: int, block: Block) -> None:
        self.first = first
        self.count = len(block.parsed)
        self.text = block.text
        self.events = block.events


def _first(block: _Stored) -> int:
    return block.first


class EventLog:
    """Events `first` <= n < `end`, in order of time; `positions[n - first]` as in the history."""

    def __init__(self) -> None:
        self.first = 0
        self.positions: list[int] = []
        self._blocks: SortedKeyList[_Stored, int] = SortedKeyList(key=_first)
        self._lines: OrderedDict[int, list[str]] = OrderedDict()

    @property
    def end(self) -> int:
        """One more than the number of the last event."""
        return self.first + len(self.positions)

    def __len__(self) -> int:
        return len(self.positions)

    def add(self, block: Block) -> None:
        """Append the events of a block whose positions are in `positions` already."""
        self._blocks.add(_Stored(self.end - len(block.parsed), block))

    def forget(self, number: int) -> None:
        """Drop the blocks before the one with this event."""
        while len(self._blocks) > 1 and self._blocks[1].first <= number:
            self._lines.pop(self._blocks[0].first, None)
            del self._blocks[0]
        if self._blocks:
            del self.positions[: self._blocks[0].first - self.first]
            self.first = self._blocks[0].first

    def position(self, number: int) -> int:
        """The position of an event, -1 for one before the first."""
        return self.positions[number - self.first] if number >= self.first else -1

    def number_at(self, position: int) -> int:
        """The last event at or before a position; `first` - 1 if there is none."""
        return self.first + bisect_right(self.positions, position) - 1

    def __getitem__(self, number: int) -> Event:
        """Event `number`. Raises IndexError."""
        block = self._block(number)
        if block.events is not None:
            return block.events[number - block.first]
        event = parse(self._split(block)[number - block.first])
        assert event is not None  # the block was kept because each line is an event
        return event

    def line(self, number: int) -> str:
        """Event `number` as a line of trace text. Raises IndexError."""
        block = self._block(number)
        if block.events is None:
            return self._split(block)[number - block.first]
        return ftrace_line(block.events[number - block.first])

    def text(self, number: int) -> str:
        """What event `number` says, without time and thread. Raises IndexError."""
        event = self[number]
        return WRITTEN[event.name].text(event.values)

    def slice(self, begin: int, end: int) -> list[Event]:
        """The events begin <= n < end, as far as they are there."""
        return [self[n] for n in range(max(begin, self.first), min(end, self.end))]

    def find(
        self,
        wanted: Callable[[Event], bool] | str,
        start: int,
        *,
        backwards: bool = False,
        limit: int = 1,
        scan: int = 1_000_000,
    ) -> list[int]:
        """Numbers of up to `limit` events from `start` on that match, the nearest first.

        `wanted` is a function, or text that the event's line is to contain. At most `scan` events
        are looked at.
        """
        found: list[int] = []
        if backwards:
            numbers = range(min(start, self.end - 1), max(self.first, start - scan) - 1, -1)
        else:
            numbers = range(max(start, self.first), min(self.end, start + scan))
        low, high, skip = 0, 0, False  # of the block that was looked at last
        for number in numbers:
            if not low <= number < high:
                block = self._block(number)
                low, high = block.first, block.first + block.count
                skip = isinstance(wanted, str) and not block.events and wanted not in block.text
            if skip:
                continue
            if wanted in self.line(number) if isinstance(wanted, str) else wanted(self[number]):
                found.append(number)
                if len(found) == limit:
                    break
        return found

    def _block(self, number: int) -> _Stored:
        if not self.first <= number < self.end:
            raise IndexError(f"no event {number}, there are {self.first} to {self.end - 1}")
        block: _Stored = self._blocks[self._blocks.bisect_key_right(number) - 1]
        return block

    def _split(self, block: _Stored) -> list[str]:
        lines = self._lines.get(block.first)
        if lines is None:
            lines = self._lines[block.first] = block.text.split("\n")
            if len(self._lines) > _CACHED:
                self._lines.popitem(last=False)
        return lines
