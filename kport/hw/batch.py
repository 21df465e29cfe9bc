# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A batch: what an EXECUTE packet runs. All that matters of it is how long it takes."""

from __future__ import annotations

from kport.arch.api import Machine
from kport.arch.types import thread_info


class Batch:
    """GPU work of `duration` ns, or without end (None) until somebody calls `end()`.

    `began` and `ended` are ns since boot, None before that; the engine sets them. `spent` is the
    part of the duration that was done before a preemption, in ns: the rest runs when the batch
    comes again.
    """

    __slots__ = ("began", "duration", "ended", "engine", "spent", "stop_at")

    def __init__(self, duration: int | None) -> None:
        self.duration = duration
        self.began: int | None = None
        self.ended: int | None = None
        self.stop_at: int | None = None
        self.spent = 0
        self.engine: thread_info | None = None

    def end(self, machine: Machine) -> None:
        """Let an endless batch end now, or as soon as it begins. No effect on others."""
        if self.stop_at is None:
            self.stop_at = machine.clock()
        if self.engine is not None:
            machine.wake(self.engine)

    def end_at(self, began: int) -> int | None:
        """When the batch ends that begins at `began`, None if nobody knows yet."""
        if self.duration is not None:
            return began + max(0, self.duration - self.spent)
        return None if self.stop_at is None else max(began, self.stop_at)
