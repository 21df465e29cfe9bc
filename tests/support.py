# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the tests of kernel code share: threads with a result, bounded waits, warnings.

Everything here is made of kernel primitives, so it works on any machine, real time or virtual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.asm import cpu_relax
from kport.linux import bug
from kport.linux.completion import (
    DECLARE_COMPLETION_ONSTACK,
    complete,
    complete_all,
    wait_for_completion,
    wait_for_completion_timeout,
)
from kport.linux.delay import usleep_range
from kport.linux.init import Kernel
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.kthread import kthread_create, kthread_stop_put
from kport.linux.ktime import NSEC_PER_MSEC, NSEC_PER_USEC, ktime_get
from kport.linux.sched import get_task_struct, wake_up_process

MS = NSEC_PER_MSEC
US = NSEC_PER_USEC


class Thread:
    """A kernel thread that runs `fn(*args)`; `join()` gives its result or raises its error."""

    def __init__(self, fn: Callable[..., Any], *args: Any, name: str = "test") -> None:
        self.finished = DECLARE_COMPLETION_ONSTACK()
        self.result: Any = None
        self.error: Exception | None = None
        self._call = (fn, args)
        self._returned = False
        # Before it runs: a thread that has ended is freed with its last reference.
        self.task = get_task_struct(kthread_create(self._run, None, name))
        wake_up_process(self.task)

    def _run(self, data: Any) -> int:
        fn, args = self._call
        try:
            self.result = fn(*args)
        except (AssertionError, LookupError, TypeError, ValueError, AttributeError) as error:
            self.error = error
        self._returned = True
        complete_all(self.finished)
        return 0

    @property
    def done(self) -> bool:
        """True once the function has returned."""
        return self._returned

    def join(self, msecs: int = 10_000) -> Any:
        """Wait for the thread's end, at most `msecs` kernel milliseconds; returns its result."""
        if not wait_for_completion_timeout(self.finished, msecs_to_jiffies(msecs)):
            raise AssertionError(f"thread {self.task.comm} has not ended after {msecs} ms")
        kthread_stop_put(self.task)
        if self.error is not None:
            raise self.error
        return self.result


def together(*functions: Callable[[], Any], msecs: int = 20_000) -> list[Any]:
    """Run the functions in threads that start at the same moment; returns their results."""
    go = DECLARE_COMPLETION_ONSTACK()

    def wait_and_call(function: Callable[[], Any]) -> Any:
        wait_for_completion(go)
        return function()

    threads = [
        Thread(wait_and_call, function, name=f"test/{number}")
        for number, function in enumerate(functions)
    ]
    complete_all(go)
    return [thread.join(msecs) for thread in threads]


def eventually(condition: Callable[[], Any], msecs: int = 5_000) -> Any:
    """Wait until the condition holds and return it; fails after `msecs` kernel milliseconds."""
    end = ktime_get() + msecs * MS
    while not (value := condition()):
        if ktime_get() > end:
            raise AssertionError(f"not within {msecs} ms")
        usleep_range(200, 400)
    return value


def sleep_ms(msecs: float) -> None:
    """Sleep for kernel milliseconds."""
    usleep_range(int(msecs * 1000), int(msecs * 1000) + 100)


def spin_until(condition: Callable[[], Any]) -> None:
    """Busy-wait until the condition holds; for code that must not sleep."""
    while not condition():
        cpu_relax()


def never(condition: Callable[[], Any], msecs: int = 20) -> None:
    """Fail if the condition holds within the next `msecs` kernel milliseconds."""
    end = ktime_get() + msecs * MS
    while ktime_get() < end:
        assert not condition()
        usleep_range(500, 1000)


class Gate:
    """A closed gate: kernel threads wait in `enter()` until somebody opens it."""

    def __init__(self) -> None:
        self._open = DECLARE_COMPLETION_ONSTACK()
        self._arrived = DECLARE_COMPLETION_ONSTACK()

    def enter(self) -> None:
        """Say that one has arrived, and wait for `open()`."""
        complete(self._arrived)
        wait_for_completion(self._open)

    def arrived(self, msecs: int = 5_000) -> None:
        """Wait until one more has arrived."""
        if not wait_for_completion_timeout(self._arrived, msecs_to_jiffies(msecs)):
            raise AssertionError(f"nobody came to the gate within {msecs} ms")

    def open(self) -> None:
        """Let everybody pass from now on."""
        complete_all(self._open)


def take_warnings(kernel: Kernel) -> list[str]:
    """The warnings of the kernel so far, and forget them: the test expected these."""
    taken = kernel.warnings()
    bug.warnings.clear()
    return taken


def messages(kernel: Kernel) -> list[str]:
    """The kernel log without the time stamps."""
    return [line.split("] ", 1)[1] for line in kernel.dmesg()]
