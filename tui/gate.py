# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Holding a deterministic machine, and letting it go one event at a time.

The machine calls `event()` at each of its trace events, in its own thread, and waits there until
the monitor lets it go on. Its time is virtual, so it does not notice. While it runs, the gate keeps
that time from passing faster than the wall's.
"""

from __future__ import annotations

import threading
from time import monotonic

WAIT = 0.05  # s between two looks at whether to go on


class Gate:
    """The gate of one machine. It is held at first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._permits = 0
        self._running = False
        self._closed = False
        self._began = 0.0  # wall and virtual time at which it was let run
        self._from = 0
        self.events = 0

    # -- the machine's side ------------------------------------------------------------------------

    def event(self, ts: int) -> None:
        """An event at `ts` (ns of virtual time) has happened: return when the next one may."""
        with self._changed:
            self.events += 1
            while not self._closed:
                if self._permits:
                    self._permits -= 1
                    return
                if self._running:
                    if not self._began:
                        self._began, self._from = monotonic(), ts
                    ahead = (ts - self._from) / 1e9 - (monotonic() - self._began)
                    if ahead <= 0:
                        return
                    self._changed.wait(min(ahead, WAIT))
                else:
                    self._changed.wait()

    # -- the monitor's side ------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """True while the machine stands still, or will at its next event."""
        return not self._running and not self._closed

    def step(self, events: int) -> None:
        """Let so many events happen, and no more."""
        with self._changed:
            self._running = False
            self._permits += events
            self._changed.notify_all()

    def run(self) -> None:
        """Let it run, as fast as the wall's clock."""
        with self._changed:
            self._running = True
            self._permits = 0
            self._began = 0.0
            self._changed.notify_all()

    def hold(self) -> None:
        """Stop it at its next event."""
        with self._changed:
            self._running = False
            self._permits = 0
            self._changed.notify_all()

    def close(self) -> None:
        """Let it go for good: nobody looks any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
