# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Waiting for a variable (include/linux/wait_bit.h, kernel/sched/wait_bit.c of Linux 7.2.13).

Modelled with one queue where the kernel hashes the address to one of 256: a waiter may be woken for
another variable, as it may be there, and tests its condition again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.linux.module import boot_data
from kport.linux.wait import (
    init_waitqueue_head,
    wait_event,
    wait_event_timeout,
    wait_queue_head,
    wake_up_all,
)

_wait_table = wait_queue_head()


@boot_data
def _reset_wait_table() -> None:
    init_waitqueue_head(_wait_table)


def wake_up_var(var: Any) -> None:
    """Wake who waits for `var`, after it was changed."""
    wake_up_all(_wait_table)


def wait_var_event(var: Any, condition: Callable[[], Any]) -> None:
    """Sleep until the condition on `var` holds."""
    wait_event(_wait_table, condition)


def wait_var_event_timeout(var: Any, condition: Callable[[], Any], timeout: int) -> int:
    """Sleep at most `timeout` ticks: ticks left (at least 1) if the condition holds, else 0."""
    return wait_event_timeout(_wait_table, condition, timeout)
