# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Trace events (include/linux/tracepoint.h, include/trace/events of Linux 7.2.13).

An event is defined by what it records and how that prints:

    job_class = DECLARE_EVENT_CLASS(TP_fast_assign, TP_printk)
    trace_drm_sched_job_run = DEFINE_EVENT("gpu_scheduler", "drm_sched_job_run", 2, job_class)

`trace_...()` does one test while nobody listens: it looks at none of its arguments. A probe is
called with the event, the thread, the time in ns and the recorded values; strings are copied when
the event happens, and pointers hashed, so an object may be gone by the time the record is printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from kport.arch.asm import current_thread_info, ktime_get
from kport.arch.types import thread_info
from kport.linux.vsprintf import pointer, translate

Probe = Callable[["tracepoint", thread_info, int, tuple[Any, ...]], None]

_CONVERSION = re.compile(r"%(?:ll)?([a-z])")

tracepoints: dict[str, tracepoint] = {}


class raw_probe:
    """A probe that sees what is passed to the trace function instead of what is recorded."""

    __slots__ = ("function",)

    def __init__(self, function: Probe) -> None:
        self.function = function

    def __call__(
        self, tp: tracepoint, ti: thread_info, ts: int, args: tuple[Any, ...]
    ) -> None:
        self.function(tp, ti, ts, args)


class event_class(NamedTuple):
    """What events of a class record, and their print format."""

    fields: tuple[str, ...]
    assign: Callable[..., tuple[Any, ...]]
    printk: str


class tracepoint:
    """One event: its probes, and the trace function the kernel code calls."""

    __slots__ = ("_format", "_pointers", "cls", "funcs", "name", "system")

    def __init__(self, system: str, name: str, cls: event_class) -> None:
        self.system = system
        self.name = name
        self.cls = cls
        self.funcs: list[Probe] = []
        self._format = translate(cls.printk)
        self._pointers = [
            number
            for number, conversion in enumerate(_CONVERSION.findall(cls.printk))
            if conversion == "p"
        ]

    def text(self, values: tuple[Any, ...]) -> str:
        """The recorded values as the kernel prints them."""
        return self._format % values

    def hit(self, *args: Any) -> None:
        """Record the event and call every probe."""
        ti, ts = current_thread_info(), ktime_get()
        values = self.cls.assign(*args)
        if self._pointers:
            hashed = list(values)
            for number in self._pointers:
                hashed[number] = pointer(hashed[number])
            values = tuple(hashed)
        for func in tuple(self.funcs):
            func(self, ti, ts, args if type(func) is raw_probe else values)


def DECLARE_EVENT_CLASS(
    fields: tuple[str, ...], assign: Callable[..., tuple[Any, ...]], printk: str
) -> event_class:
    """A class of events: names of the recorded fields, how they are taken, how they print."""
    return event_class(fields, assign, printk)


def DEFINE_EVENT(system: str, name: str, nargs: int, cls: event_class) -> Callable[..., None]:
    """Define an event whose trace function takes `nargs` arguments (1 or 2); returns it."""
    tp = tracepoint(system, name, cls)
    tracepoints[name] = tp
    funcs, hit = tp.funcs, tp.hit

    def trace1(a: Any) -> None:
        if funcs:
            hit(a)

    def trace2(a: Any, b: Any) -> None:
        if funcs:
            hit(a, b)

    functions: dict[int, Callable[..., None]] = {1: trace1, 2: trace2}
    function = functions[nargs]
    function.__name__ = function.__qualname__ = f"trace_{name}"
    return function


def trace_enabled(name: str) -> Callable[[], bool]:
    """The function `trace_<name>_enabled()`."""
    funcs = tracepoints[name].funcs

    def enabled() -> bool:
        return bool(funcs)

    enabled.__name__ = enabled.__qualname__ = f"trace_{name}_enabled"
    return enabled


def tracepoint_probe_register(tp: tracepoint, probe: Probe) -> None:
    """Call `probe` at every hit from now on."""
    tp.funcs.append(probe)


def tracepoint_probe_unregister(tp: tracepoint, probe: Probe) -> None:
    """Stop calling `probe`. Raises ValueError if it is not registered."""
    tp.funcs.remove(probe)
