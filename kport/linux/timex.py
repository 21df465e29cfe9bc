# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The processor's cycle counter (asm/timex.h of Linux 7.2.13); a cycle is a nanosecond here."""

from __future__ import annotations

from kport.linux.ktime import ktime_get


def get_cycles() -> int:
    """Nanoseconds since boot."""
    return ktime_get()
