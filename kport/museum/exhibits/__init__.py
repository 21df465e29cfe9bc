# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""All exhibits, by number. What they have in common in history and in detectors shares a file."""

from __future__ import annotations

from kport.museum.exhibit import Exhibit
from kport.museum.exhibits import freed, leaks, locks, memory, order, wakeups

EXHIBITS: dict[str, Exhibit] = {
    exhibit.id: exhibit
    for exhibit in sorted(
        (
            *wakeups.EXHIBITS,
            *freed.EXHIBITS,
            *leaks.EXHIBITS,
            *order.EXHIBITS,
            *locks.EXHIBITS,
            *memory.EXHIBITS,
        ),
        key=lambda exhibit: exhibit.id,
    )
}
