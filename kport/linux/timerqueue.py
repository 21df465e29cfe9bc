# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The queue under both kinds of timer: a heap whose entries can be taken back.

An entry is a list `[expires, number, owner]`; the number breaks ties in order of insertion. Taking
an entry back empties its owner, so the queue never touches a timer that may have been freed. Empty
entries are swept when they are the majority.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any

Entry = list[Any]


class TimerQueue:
    """A heap of entries. Callers hold the lock of their timer base."""

    __slots__ = ("_dead", "_heap", "_number")

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._number = 0
        self._dead = 0

    def add(self, expires: int, owner: Any) -> Entry:
        """Queue `owner`; returns its entry."""
        self._number += 1
        entry = [expires, self._number, owner]
        heappush(self._heap, entry)
        return entry

    def remove(self, entry: Entry) -> None:
        """Take an entry back."""
        entry[2] = None
        self._dead += 1
        if self._dead > 64 and self._dead * 2 > len(self._heap):
            self._heap = [e for e in self._heap if e[2] is not None]
            heapify(self._heap)
            self._dead = 0

    def first(self) -> Entry | None:
        """The earliest entry that is still owned."""
        heap = self._heap
        while heap and heap[0][2] is None:
            heappop(heap)
            self._dead -= 1
        return heap[0] if heap else None

    def pop(self) -> Any:
        """Remove the entry that first() returned; returns its owner."""
        return heappop(self._heap)[2]
