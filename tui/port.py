# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A running port as a feed: attached to, or started for this monitor.

All that comes is taken in by `poll()`, in the thread that draws. A port that goes away, in good
order or not, leaves its model behind: the monitor stays, says so, and can look back.
"""

from __future__ import annotations

import gc
from time import monotonic

from kport.trace.client import KEEP, Attachment
from kport.trace.model import Model
from kport.trace.snapshot import Port
from tui.feed import Told
from tui.gate import Gate
from tui.scene import Source

LINES = 20_000  # of the log that are kept
_QUIET = 0.25  # s without a word that are not yet worth telling


class LoggedModel(Model):
    """A model that keeps the log as well."""

    def __init__(self, keep: int | None = KEEP) -> None:
        super().__init__(keep=keep)
        self.lines: list[str] = []

    def add_port(self, port: Port) -> None:
        """Take in what a port says of itself."""
        super().add_port(port)
        if port.dmesg:
            self.lines += port.dmesg
            del self.lines[:-LINES]


class PortFeed:
    """The feed of a port. `name` is for the title; `message` is the last answer to a command."""

    def __init__(self, port: Attachment, name: str) -> None:
        self.port = port
        self.model: Model = LoggedModel()
        self.gate: Gate | None = None
        self.ended = False
        self._name = name
        self._heard = monotonic()
        self._clock = 0
        self._lines: tuple[str, ...] = ()

    def poll(self, budget: int) -> bool:
        """Take in what came, for at most `budget` ns; True if anything did."""
        if self.ended:
            return False
        before = self.port.events, self.model.clock, len(self.port.replies)
        first = self.model.log.first
        alive = self.port.poll(self.model, budget / 1e9)
        if self.model.log.first != first:
            gc.collect()  # half of the history: now it is worth it
        if not alive:
            self.ended = True
            return True
        if self.model.clock != self._clock:
            self._clock, self._heard = self.model.clock, monotonic()
        return (self.port.events, self.model.clock, len(self.port.replies)) != before

    def source(self) -> Source:
        """Its name and how it is."""
        quiet = monotonic() - self._heard
        state = "LIVE"
        notes: tuple[str, ...] = ()
        if self.ended:
            gone = self.port.why.startswith(("the port has gone", "the port talks"))
            state = "LOST" if gone else "ENDED"
            notes = (self.port.why,)
        share = self.port.counters.observer_pct
        return Source(
            name=self._name,
            state=state,
            live=not self.ended,
            lag_ns=int(quiet * 10) * 100_000_000 if quiet > _QUIET and not self.ended else 0,
            lost=self.port.dropped,
            badge=f"observer {share:.1f}%" if share else "",
            notes=notes,
        )

    def dmesg(self) -> tuple[str, ...]:
        """The kernel's log since the monitor came, and before that what the port still had."""
        model = self.model
        assert isinstance(model, LoggedModel)
        if len(model.lines) != len(self._lines):
            self._lines = tuple(model.lines)
        return self._lines

    def commands(self) -> tuple[str, ...]:
        """What the port can be told."""
        port = self.model.port()
        return port.commands if port is not None and not self.ended else ()

    def tell(self, command: str, arguments: Told) -> str:
        """Ask the port; the answer is in `answers()` later."""
        if self.ended:
            return "the port is gone"
        self.port.command(command, **arguments)
        return f"told the port: {command}"

    def answers(self) -> list[str]:
        """Answers to commands that came since the last call."""
        out = []
        while self.port.replies:
            reply = self.port.replies.popleft()
            out.append(reply.text if reply.ok else f"no: {reply.text}")
        return out

    def close(self) -> None:
        """Nothing: who has attached hangs up."""
