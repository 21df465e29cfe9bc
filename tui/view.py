# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the person at the monitor has chosen: moment, window, selection, filters.

Plain data without a screen. The moment is an event number (the state directly after it), or None
to follow the source. The window is `span` ns wide and ends at `right`, or at the moment while it
follows it. Nothing in here is known to the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kport.trace.lanes import Convention
from kport.trace.model import Model
from kport.trace.snapshot import FenceKey, JobKey, RingKey

SPAN_MIN = 1_000  # ns
SPAN_MAX = 10**14
SCREENS = ("rings", "queues", "fences", "why", "latency", "events", "dmesg", "threads")
TITLES = {
    "rings": "Rings",
    "queues": "Run queues",
    "fences": "Fences",
    "why": "Why waiting?",
    "latency": "Latency",
    "events": "Events",
    "dmesg": "dmesg",
    "threads": "Threads",
}


@dataclass(slots=True)
class View:
    """One person's view of one source."""

    screen: str = "rings"
    at: int | None = None
    span: int = 10_000_000_000
    right: int | None = None
    ring: RingKey | None = None
    job: JobKey | None = None
    fence: FenceKey | None = None
    marks: dict[str, int] = field(default_factory=dict)
    hidden: set[RingKey] = field(default_factory=set)
    pinned: list[RingKey] = field(default_factory=list)
    convention: Convention = "run"
    maximised: bool = False
    focus: str = "body"
    theme: str = "dark"
    colours: str = ""  # "client", "entity", or "" for client if there are several
    filters: dict[str, str] = field(default_factory=dict)
    sorts: dict[str, tuple[str, bool]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    chosen: dict[str, Any] = field(default_factory=dict)  # what the selected rows are of
    tops: dict[str, int] = field(default_factory=dict)
    lane_top: int = 0

    # -- time ------------------------------------------------------------------------------------

    def now(self, model: Model) -> int:
        """The moment in ns."""
        return model.time_of(self.at)

    def window(self, model: Model, columns: int) -> tuple[int, int]:
        """Begin and end of the lanes' window in ns.

        While it follows the source its end moves by whole columns, so that it is drawn again only
        when there is something else to see.
        """
        if self.right is not None:
            return self.right - self.span, self.right
        cell = max(1, self.span // max(1, columns))
        end = (self.now(model) // cell + 1) * cell
        return end - cell * columns, end

    def zoom(self, model: Model, factor: float, around: int | None = None) -> None:
        """Make the window `factor` times as wide; the time `around` stays where it is."""
        begin, end = self.window(model, 1000)
        span = max(SPAN_MIN, min(SPAN_MAX, int(self.span * factor)))
        if around is None:
            around = self.now(model)
        if self.right is None or not begin <= around <= end:
            if self.right is not None:
                middle = (begin + end) // 2
                self.right = middle + span // 2
            self.span = span
            return
        self.right = around + int((end - around) * span / self.span)
        self.span = span

    def pan(self, model: Model, part: float) -> None:
        """Move the window by a part of its width; it stops following."""
        _, end = self.window(model, 1000)
        self.right = end + int(self.span * part)

    def follow(self) -> None:
        """Back to the newest moment, with the window behind it."""
        self.at = self.right = None

    def show_all(self, model: Model) -> None:
        """A window that holds everything."""
        begin, end = model.began, model.ended
        length = max(SPAN_MIN, end - begin)
        self.span = min(SPAN_MAX, length + length // 50 + 1)
        self.right = begin + self.span - length // 100

    def fit(self, begin: int, end: int) -> None:
        """A window around a stretch of time."""
        length = max(SPAN_MIN, end - begin)
        self.span = min(SPAN_MAX, length * 2)
        self.right = begin - length // 2 + self.span

    # -- moments ---------------------------------------------------------------------------------

    def pause(self, model: Model) -> None:
        """Stay at the newest event."""
        if self.at is None:
            _, end = self.window(model, 1000)
            self.at = model.log.end - 1
            self.right = end

    def go_to(self, model: Model, at: int) -> None:
        """Show the moment after an event, and keep it in the window."""
        at = max(model.log.first - 1, min(at, model.log.end - 1))
        begin, end = self.window(model, 1000)
        self.at = at
        now = model.time_of(at)
        if begin <= now < end:
            self.right = end
        else:
            self.right = now + self.span // 2

    def step(self, model: Model, events: int) -> None:
        """Go that many events on, or back."""
        now = model.log.end - 1 if self.at is None else self.at
        self.go_to(model, now + events)

    def go_to_time(self, model: Model, ns: int) -> None:
        """Show the moment of a time."""
        self.go_to(model, model.at_time(ns))

    def distance(self) -> int | None:
        """From marker A to marker B in ns."""
        if "A" in self.marks and "B" in self.marks:
            return self.marks["B"] - self.marks["A"]
        return None

    # -- lanes -----------------------------------------------------------------------------------

    def lanes(self, model: Model) -> list[RingKey]:
        """The rings that are shown, pinned ones first."""
        rings = model.rings()
        pinned = [ring for ring in self.pinned if ring in rings]
        return pinned + [r for r in rings if r not in self.hidden and r not in pinned]

    def current_ring(self, model: Model) -> RingKey | None:
        """The selected ring, else the first one."""
        lanes = self.lanes(model)
        if self.ring in lanes:
            return self.ring
        return lanes[0] if lanes else None
