# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A batch: what an EXECUTE packet runs. All that matters of it is how long it takes."""

from __future__ import annotations

from kport.arch.api import Machine
from kport.arch.types import thread_info


class Batch:
    """GPU work of `duration` ns, or without end (None) until somebody calls `end()`.

    `began` and `ended` are ns since boot, None before that; the engine sets them.
    """

    __slots__ = ("began", "duration", "ended", "engine", "stop_at")

    def __init__(self, duration: int | None) -> None:
        self.duration = duration
        self.began: int | None = None
        self.ended: int | None = None
        self.stop_at: int | None = None
        self.engine: thread_info | None = None

    def end(self, machine: Machine) -> None:
        """Let an endless batch end now, or as soon as it begins. No effect on others."""
        if self.stop_at is None:
            self.stop_at = machine.clock()
        if self.engine is not None:
            machine.wake(self.engine)
