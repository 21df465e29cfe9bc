# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""User processes: a thread that is its own group leader, sleeps interruptibly, and exits.

The sleeps and waits here raise `Interrupted` when a signal is pending, so that a stopped client
unwinds from wherever it waits.
"""

from __future__ import annotations

from collections.abc import Callable

from kport.arch.types import thread_info
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_test_signaled_flag,
    dma_fence_wait,
)
from kport.linux import sched
from kport.linux.ktime import ktime_get
from kport.linux.sched import (
    PF_EXITING,
    TASK_DEAD,
    TASK_INTERRUPTIBLE,
    current,
    new_task,
    schedule_hrtimeout,
    send_sig,
    set_current_state,
    signal_pending,
    task_struct,
)

SIGTERM = 15


class Interrupted(Exception):
    """A signal ended a wait."""


def start_process(name: str, body: Callable[[], None]) -> task_struct:
    """Start a process called `name` whose only thread runs `body`. What it raises is an oops."""
    ti = thread_info(name)
    task = new_task(ti, 0, None)

    def run() -> None:
        body()
        task.flags |= PF_EXITING
        task._state = TASK_DEAD
        sched.tasks.pop(task.pid, None)

    sched.machine.start(ti, run)
    return task


def interrupt(task: task_struct) -> None:
    """Send the process a signal; it stays pending."""
    send_sig(SIGTERM, task)


def sleep_until(deadline: int) -> None:
    """Sleep until the clock shows `deadline` ns."""
    while ktime_get() < deadline:
        if signal_pending(current()):
            raise Interrupted
        set_current_state(TASK_INTERRUPTIBLE)
        schedule_hrtimeout(deadline)


def wait_for(fence: dma_fence) -> None:
    """Wait until the fence signals; its error does not matter here."""
    if not dma_fence_test_signaled_flag(fence) and dma_fence_wait(fence, True):
        raise Interrupted
