# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Sleeping for a time (include/linux/delay.h, kernel/time/sleep_timeout.c of Linux 7.2.13)."""

from __future__ import annotations

from kport.arch.asm import ktime_get
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.ktime import NSEC_PER_USEC
from kport.linux.sched import (
    TASK_UNINTERRUPTIBLE,
    __set_current_state,
    schedule_hrtimeout,
    schedule_timeout,
)


def msleep(msecs: int) -> None:
    """Sleep for at least `msecs` ms, to the next tick."""
    timeout = msecs_to_jiffies(msecs) + 1
    while timeout:
        __set_current_state(TASK_UNINTERRUPTIBLE)
        timeout = schedule_timeout(timeout)


def usleep_range(min: int, max: int) -> None:
    """Sleep for at least `min` us; `max` is how much a machine may be late."""
    expires = ktime_get() + min * NSEC_PER_USEC
    while True:
        __set_current_state(TASK_UNINTERRUPTIBLE)
        if not schedule_hrtimeout(expires):
            return


def fsleep(usecs: int) -> None:
    """Sleep for at least `usecs` us."""
    usleep_range(usecs, usecs + usecs // 4)
