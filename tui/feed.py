# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Where the monitor's model gets its events from.

A Feed is asked to `poll()` once per frame, for a few ms at most; the model is fed there and
nowhere else, by the thread that draws. A recording has nothing more to say and can be played.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from kport.trace.model import Model
from tui.gate import Gate
from tui.scene import Source

BUDGET = 4_000_000  # ns of a frame

Told = Mapping[str, str | int]


class Feed(Protocol):
    """A source of events."""

    model: Model
    gate: Gate | None  # of a machine that can be held

    def poll(self, budget: int) -> bool:
        """Take in what came, for at most `budget` ns; True if anything did."""

    def source(self) -> Source:
        """What to say of it."""

    def dmesg(self) -> tuple[str, ...]:
        """The kernel's log, all of it."""

    def commands(self) -> tuple[str, ...]:
        """What the port can be told."""

    def tell(self, command: str, arguments: Told) -> str:
        """Tell the port; returns what to show for it, at once."""

    def answers(self) -> list[str]:
        """What the port answered since the last call."""

    def close(self) -> None:
        """No more of it."""


class RecordingFeed:
    """A recording that was read to its end."""

    def __init__(self, model: Model, name: str) -> None:
        self.model = model
        self.gate: Gate | None = None
        self._source = Source(name=name, state="REPLAY", notes=tuple(model.notes))

    def poll(self, budget: int) -> bool:
        """There is nothing to come."""
        return False

    def source(self) -> Source:
        """Its name, and what reading it noted."""
        return self._source

    def dmesg(self) -> tuple[str, ...]:
        """A recording has no log."""
        return ()

    def commands(self) -> tuple[str, ...]:
        """Nobody listens."""
        return ()

    def tell(self, command: str, arguments: Told) -> str:
        """Nobody listens."""
        return "a recording takes no commands"

    def answers(self) -> list[str]:
        """Nobody answers."""
        return []

    def close(self) -> None:
        """Nothing is open."""
