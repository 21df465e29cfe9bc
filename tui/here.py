# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A port in the monitor's own process as a feed: it says what it costs, and may have a gate."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic, thread_time

from kport.trace.client import Attachment
from tui.gate import Gate
from tui.port import PortFeed
from tui.scene import Source


class HereFeed(PortFeed):
    """The feed of a port that a thread of this process plays.

    With a gate it is a deterministic machine, which stands still between events: what has come is
    all there is, and nothing is held back to be sorted.
    """

    def __init__(self, port: Attachment, name: str, gate: Gate | None = None) -> None:
        super().__init__(port, name)
        self.gate = gate
        self._since = monotonic()
        self._cpu = thread_time()
        self._share = 0.0

    def poll(self, budget: int) -> bool:
        """Take in what came, for at most `budget` ns; True if anything did."""
        news = super().poll(budget)
        if self.gate is not None and self.gate.held and self.model.settle():
            news = True
        return news

    def source(self) -> Source:
        """Its name, how it is, and what looking at it costs."""
        source = super().source()
        now = monotonic()
        if now - self._since >= 1.0:
            cpu = thread_time()
            self._share = 100 * (cpu - self._cpu) / (now - self._since)
            self._since, self._cpu = now, cpu
        badge = f"HERE screen {self._share:.0f}% observer {self.port.counters.observer_pct:.1f}%"
        if self.gate is None:
            return replace(source, badge=badge)
        state = source.state
        if source.live:
            state = "HELD" if self.gate.held else "VIRT"
        return replace(source, state=state, badge="virtual time", lag_ns=0)

    def commands(self) -> tuple[str, ...]:
        """What the port can be told: nothing while all that happens must follow from a seed."""
        return () if self.gate is not None else super().commands()
