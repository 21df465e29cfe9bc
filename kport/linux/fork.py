# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Making and ending kernel threads (kernel/fork.c, kernel/exit.c of Linux 7.2.13), modelled.

A thread ends by returning from its function or by do_exit(); either way its `vfork_done` completion
is completed when nothing of the thread runs any more but the machine's own epilogue.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NoReturn

from kport.arch.asm import current
from kport.arch.types import thread_info
from kport.linux import sched
from kport.linux.err import ENOMEM, ERR_PTR
from kport.linux.sched import (
    PF_EXITING,
    PF_KTHREAD,
    TASK_DEAD,
    new_task,
    put_task_struct,
    task_struct,
)

PF_SERVICE = 0x80000000  # ours: a thread of the kernel itself, not a leak when the kernel is left


class TaskExit(BaseException):
    """Unwinds a thread that called do_exit()."""

    def __init__(self, code: int) -> None:
        self.code = code


def do_exit(code: int) -> NoReturn:
    """End the calling kernel thread with `code`."""
    raise TaskExit(code)


def kernel_thread(fn: Callable[[Any], int], arg: Any, name: str, flags: int = 0) -> task_struct:
    """Start a kernel thread that runs `fn(arg)`; returns its task, or ERR_PTR(-ENOMEM).

    The service threads, which the kernel has from its boot on and which here start when they are
    first needed, are not subject to injected failures of their user's allocations.
    """
    ti = thread_info(name)
    p = new_task(ti, PF_KTHREAD | flags, None)
    with no_failures() if flags & PF_SERVICE else nullcontext():
        made = set_kthread_struct(p)
    if not made:
        sched.tasks.pop(p.pid, None)
        return ERR_PTR(-ENOMEM)
    sched.machine.start(ti, lambda: _ret_from_fork(p, fn, arg))
    return p


def kernel_task(fn: Callable[[], None], name: str, flags: int = 0) -> task_struct:
    """Start a service thread of the kernel itself, such as a worker or the RCU thread."""

    def run(arg: Any) -> int:
        fn()
        return 0

    return kernel_thread(run, None, name, flags | PF_SERVICE)


def _ret_from_fork(p: task_struct, fn: Callable[[Any], int], arg: Any) -> None:
    try:
        code = fn(arg)
    except TaskExit as exit:
        code = exit.code
    _exit(p, code)


def _exit(p: task_struct, code: int) -> None:
    """do_exit() of a kernel thread: result, state, completion, reference."""
    p.flags |= PF_EXITING
    kthread_do_exit(p.worker_private, code)
    p._state = TASK_DEAD
    sched.tasks.pop(p.pid, None)
    done = p.vfork_done
    if done is not None:
        p.vfork_done = None
        complete(done)
    put_task_struct(p)


def exit_signals(code: int) -> None:
    """The calling user task begins to exit, as a process that is closing its files."""
    p = current()
    p.flags |= PF_EXITING
    p.exit_code = code


# extern
from kport.linux.completion import complete
from kport.linux.kthread import kthread_do_exit, set_kthread_struct
from kport.linux.slab import no_failures
