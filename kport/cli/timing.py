# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Settings of the process for runs in real time: short hand-overs between threads.

A chain of dependent jobs goes through four threads from one to the next. Two defaults are made for
throughput and cost it some 0.1 ms a job each: the interpreter lets a thread that computes keep it
for 5 ms, and Linux rounds sleeps to 50 us. The latter is inherited by threads started from here.

Every thread that waits for the interpreter looks at it once in an interval. A thousand of them at
5,000 looks a second would do nothing else, so the interval grows with their number.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_INTERVAL, SWITCH_INTERVAL_MAX = 0.0002, 0.005  # s
FEW = 8  # so many threads may look as often as they like
_PR_SET_TIMERSLACK, _PR_GET_TIMERSLACK = 29, 30


@contextmanager
def brisk(threads: int = 1) -> Iterator[None]:
    """Run the block with these settings, for about so many threads that play."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(SWITCH_INTERVAL * max(1.0, threads / FEW), SWITCH_INTERVAL_MAX))
    slack = _set_slack(1)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
        _set_slack(slack)


def _set_slack(nanoseconds: int) -> int:
    """Set the timer slack of this thread; returns the old one, 0 (the default) if unknown."""
    before = 0
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        before = libc.prctl(_PR_GET_TIMERSLACK, 0, 0, 0, 0)
        libc.prctl(_PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0)
    return before
