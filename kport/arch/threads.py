# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The machine `threads`: one OS thread per task, real time.

This is the machine people watch and stress. Three kinds of thread live here: tasks, which linux
starts; the clock event, which turns "the next timer is due" into a hard interrupt; and one thread
per interrupt line, so that an interrupt really arrives while others run. Devices of `kport.hw` are
started like tasks but have no task_struct.

All are daemons and carry the kernel's names. Each owns a park, a lock used as a binary semaphore.
Nothing here waits without a way out: `halt()` releases every park, and `block()` raises `Halted`.

The scale stretches time: on a machine with scale 10 one kernel millisecond takes ten, so Python's
slowness weighs a tenth. Only `clock()` and the sleeps know it.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import threading
from _thread import allocate_lock
from collections.abc import Callable, Mapping
from time import monotonic, monotonic_ns, sleep
from typing import Any

from kport.arch import link, threads_asm
from kport.arch.api import Halted, Hooks, Line
from kport.arch.types import thread_info

_PR_SET_TIMERSLACK = 29
_TABLE = link.instructions(threads_asm)
_MAX_SLEEP = 3600.0  # s; a longer deadline is slept in pieces
_WAKING = 20_000  # ns it takes to wake up: the clock event is awake so long before it is due
_NEVER = 1 << 80


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _precise_sleep() -> None:
    """Ask Linux not to round this thread's sleeps (50 us by default); where it cannot, so be it."""
    with contextlib.suppress(AttributeError, OSError):
        _libc().prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)


class Threads:
    """`Machine` on OS threads. `scale` is wall seconds per kernel second."""

    name = "threads"

    def __init__(self, scale: float = 1.0, cpus: int | None = None) -> None:
        self.table: Mapping[str, Any] = _TABLE
        if not scale > 0:
            raise ValueError(f"the clock scale must be positive, not {scale}")
        if cpus is not None and cpus < 1:
            raise ValueError(f"a machine has 1 CPU or more, not {cpus}")
        self.scale = scale
        self.cpus = cpus or os.cpu_count() or 1
        self.dead = False
        self._hooks: Hooks
        self._base = 0
        self._lock = allocate_lock()  # guards the members below; a leaf, nothing is called under it
        self._threads: dict[thread_info, threading.Thread] = {}
        self._adopted: list[thread_info] = []
        self._starting: dict[int, thread_info] = {}
        self._lines = 0
        self._event: int | None = None
        self._event_ti: thread_info | None = None

    # -- power ---------------------------------------------------------------------------------

    def power_on(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._base = monotonic_ns()
        threads_asm._machine = self
        threads_asm._base = self._base
        threads_asm._scale = self.scale
        link.link(self.table)
        threads_asm._tls = threads_asm.Local(self)

    def booted(self) -> None:
        """Time is real: it has begun already."""

    def halt(self) -> None:
        self.dead = True
        with self._lock:
            parked = [*self._adopted, *self._threads]
        for ti in parked:
            self.wake(ti)

    def power_off(self, timeout: float) -> list[str]:
        self.halt()
        end = monotonic() + timeout
        while True:
            with self._lock:
                threads = list(self._threads.values())
            threads = [t for t in threads if t is not threading.current_thread()]
            if not threads or monotonic() > end:
                break
            for thread in threads:
                thread.join(max(0.0, min(0.05, end - monotonic())))
            self.halt()
        threads_asm._tls = threads_asm.NoKernel()
        return sorted(t.name for t in threads if t.is_alive())

    # -- threads of execution ------------------------------------------------------------------

    def _park(self, ti: thread_info) -> None:
        ti.park = allocate_lock()
        ti.park.acquire()

    def adopt(self) -> thread_info:
        """The thread_info of a thread that runs its first instruction: its own, or a new one."""
        ti = self._starting.pop(threading.get_ident(), None)
        if ti is None:
            ti = thread_info(threading.current_thread().name)
            self._park(ti)
            with self._lock:
                self._adopted.append(ti)
            self._hooks.adopt(ti)
        return ti

    def start(self, ti: thread_info, function: Callable[[], None]) -> None:
        self._park(ti)
        thread = threading.Thread(target=self._run, args=(ti, function), name=ti.name, daemon=True)
        with self._lock:
            if self.dead:
                raise Halted
            self._threads[ti] = thread
        thread.start()

    def _run(self, ti: thread_info, function: Callable[[], None]) -> None:
        self._starting[threading.get_ident()] = ti
        try:
            function()
        except Halted:
            return
        except BaseException as error:
            if not self.dead:
                self._hooks.oops(error, ti)
                self.halt()
        finally:
            self._starting.pop(threading.get_ident(), None)
            with self._lock:
                self._threads.pop(ti, None)

    def block(self, deadline: int | None = None) -> bool:
        park = threads_asm._tls.ti.park
        if self.dead:
            raise Halted
        if deadline is None:
            park.acquire()
            woken = True
        else:
            while True:
                left = (deadline - self.clock()) * self.scale * 1e-9
                if left <= 0:
                    woken = park.acquire(False)
                    break
                woken = park.acquire(True, min(left, _MAX_SLEEP))
                if woken:
                    break
        if self.dead:
            raise Halted
        return woken

    def wake(self, ti: thread_info) -> None:
        with contextlib.suppress(RuntimeError):  # already awake: the token is there
            ti.park.release()

    # -- clock ---------------------------------------------------------------------------------

    def clock(self) -> int:
        wall = monotonic_ns() - self._base
        return wall if self.scale == 1.0 else int(wall / self.scale)

    def set_event(self, deadline: int | None) -> None:
        with self._lock:
            before = self._event
            self._event = deadline
            ti = self._event_ti
        if deadline is None:
            return
        if ti is None:
            self._start_clock_event()
        elif before is None or deadline < before:
            self.wake(ti)

    def _start_clock_event(self) -> None:
        ti = thread_info("clockevent/0")
        with self._lock:
            if self._event_ti is not None:
                return
            self._event_ti = ti
        self._hooks.adopt(ti)
        self.start(ti, lambda: self._clock_event(ti))

    def _clock_event(self, ti: thread_info) -> None:
        _precise_sleep()
        early = int(_WAKING / self.scale)
        while True:
            with self._lock:
                deadline = self._event
                left = _NEVER if deadline is None else deadline - self.clock()
                if left <= 0:
                    self._event = None
            if left <= 0:
                self._interrupt(ti, self._hooks.tick)
            elif left > early:
                self.block(None if deadline is None else deadline - early)
            elif self.dead:
                raise Halted
            else:
                sleep(0)

    # -- interrupts ----------------------------------------------------------------------------

    @staticmethod
    def _interrupt(ti: thread_info, handler: Callable[[], None]) -> None:
        ti.irqs_off = 1
        handler()
        ti.irqs_off = 0

    def line(self, name: str, action: Callable[[Line], None]) -> Line:
        with self._lock:
            self._lines += 1
            line = Line(23 + self._lines, name, action)
        ti = line.ti = thread_info(f"irq/{line.number}-{name}")
        self._hooks.adopt(ti)
        self.start(ti, lambda: self._serve(line, ti))
        return line

    def _serve(self, line: Line, ti: thread_info) -> None:
        _precise_sleep()
        while line.ti is not None:
            if line.pending:
                line.pending = False
                self._interrupt(ti, lambda: self._hooks.interrupt(line))
            else:
                self.block()

    def raise_line(self, line: Line) -> None:
        ti = line.ti
        if ti is not None:
            line.pending = True
            with self._lock:
                line.raised += 1
            self.wake(ti)

    def free_line(self, line: Line) -> None:
        ti = line.ti
        line.ti = None
        if ti is None:
            return
        self.wake(ti)
        with self._lock:
            thread = self._threads.get(ti)
        if thread is not None and thread is not threading.current_thread():
            thread.join(10.0)
