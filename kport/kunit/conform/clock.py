# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The scenario's clock, which only the operation `tick` moves.

The kernel that made the records had ktime_get() replaced by such a clock in two files, dma-fence.c
and sched_entity.c, and nowhere else; here the same name is replaced in the same two modules.
Timers and timeouts are on the machine's own clock, which stands still (`discipline`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kport.dma_buf import dma_fence
from kport.drm.scheduler.v7_2 import sched_entity

START_NS = 1_000_000_000
FILES = (dma_fence, sched_entity)


class Clock:
    """`now` in nanoseconds."""

    def __init__(self) -> None:
        self.now = START_NS

    def ktime_get(self) -> int:
        """What time it is, in ns."""
        return self.now


@contextmanager
def scenario_clock() -> Iterator[Clock]:
    """A clock that the two files read while the block runs; a kernel must be booted."""
    clock = Clock()
    before = [vars(file)["ktime_get"] for file in FILES]
    for file in FILES:
        vars(file)["ktime_get"] = clock.ktime_get
    try:
        yield clock
    finally:
        for file, ktime_get in zip(FILES, before, strict=True):
            vars(file)["ktime_get"] = ktime_get
