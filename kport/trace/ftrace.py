# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Events as ftrace prints them (kernel/trace/trace.c, trace_output.c of Linux 7.2.13).

What the columns say, left to right: the task (15 characters of its name at most) and its number,
the CPU, five flags, seconds since boot, the event. The flags are "interrupts off" (d), "reschedule
wanted" (never here: the machine preempts without asking), the context (h hard interrupt, s soft
interrupt, H a hard one on top of a soft one), the depth of preempt_disable() as one hex digit, and
"migration disabled" (never here). A dot stands for no and for zero.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TextIO

from kport.trace.events import WRITTEN, Event

COMM_LEN = 15
IDLE = "<idle>"

_PREEMPT_MASK = 0xFF
_SERVING_SOFTIRQ = 0x100
_HARDIRQ_MASK = 0xF0000
_INTERRUPT = _SERVING_SOFTIRQ | _HARDIRQ_MASK

_HEADER = """\
# tracer: nop
#
# entries-in-buffer/entries-written: {entries}/{entries}   #P:{cpus}
#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
"""


def in_interrupt(preempt_count: int) -> bool:
    """True for a count (include/linux/preempt.h) of a hard or soft interrupt."""
    return bool(preempt_count & _INTERRUPT)


def flags(irqs_off: int, preempt_count: int) -> str:
    """The five flag characters for the state of a thread."""
    hard, soft = preempt_count & _HARDIRQ_MASK, preempt_count & _SERVING_SOFTIRQ
    context = ("H" if soft else "h") if hard else ("s" if soft else ".")
    depth = min(preempt_count & _PREEMPT_MASK, 0xF)
    return f"{'d' if irqs_off else '.'}.{context}{f'{depth:x}' if depth else '.'}."


def line(event: Event) -> str:
    """One event as a line, without its newline. The time is rounded to microseconds."""
    ts, comm, pid, cpu, marks, name, values = event
    seconds, micros = divmod((ts + 500) // 1000, 1_000_000)
    text = WRITTEN[name].text(values)
    return (
        f"{comm[:COMM_LEN]:>16}-{pid:<7d} [{cpu:03d}] {marks} {seconds:5d}.{micros:06d}: "
        f"{name}: {text}"
    )


def header(entries: int, cpus: int) -> str:
    """The lines above the first event: how many events there are, on how many CPUs."""
    return _HEADER.format(entries=entries, cpus=cpus)


def open_output(path: str) -> TextIO:
    """The file to write a trace to. Raises OSError, also for a named pipe that nobody reads."""
    out = open(
        path, "w", encoding="utf-8", errors="backslashreplace", newline="\n", opener=_opened
    )
    os.set_blocking(out.fileno(), True)
    return out


def _opened(path: str, flags: int) -> int:
    """Open without waiting."""
    return os.open(path, flags | os.O_NONBLOCK, 0o666)


def write(path: str, events: Iterable[Event], cpus: int | None = None) -> None:
    """Write events, in order of time, as the kernel's `trace` file. Raises OSError.

    `cpus` is what the header says, by default the CPUs of this machine.
    """
    ordered = sorted(events, key=lambda event: event.ts)
    with open_output(path) as out:
        out.write(header(len(ordered), cpus or os.cpu_count() or 1))
        out.writelines(_lines(ordered))


def _lines(events: Iterable[Event]) -> Iterator[str]:
    for event in events:
        yield line(event) + "\n"
