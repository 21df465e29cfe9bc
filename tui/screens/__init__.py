# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The screens. Each is a function of a Scene and a size that returns the lines of its panel.

`SCREENS` has them by name. A Screen also says how many rows there are to move among, and what
choosing a row means.
"""

from __future__ import annotations

from tui.screens import dmesg, events, fences, latency, queues, rings, threads, why
from tui.screens.base import Screen

SCREENS: dict[str, Screen] = {
    "rings": rings.SCREEN,
    "queues": queues.SCREEN,
    "fences": fences.SCREEN,
    "why": why.SCREEN,
    "latency": latency.SCREEN,
    "events": events.SCREEN,
    "dmesg": dmesg.SCREEN,
    "threads": threads.SCREEN,
}
