# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A running kernel's trace events into a file.

A probe must cost the kernel next to nothing: it appends one tuple to a deque, which needs no lock,
and formats nothing. A short run is formatted when it is over. In a long one a writer thread moves
the oldest events to a spool on disk whenever more than `IN_MEMORY` are waiting, so memory stays
bounded however long the run is.

Order: every thread reads the clock before it appends, and may be held up in between, so the deque
is not quite in order of time. The writer keeps the last `SETTLE` ns back and sorts. An event that
comes later still is kept aside and merged when the file is made, so the order is always exact. The
header says how many events there are, which is known only then, so the file is made from the spool
in one more pass.

An event in an interrupt is shown as the kernel shows it: on the idle task of the CPU, which holds
one preempt count. The machine's interrupts come on threads of their own, so no task is interrupted.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from heapq import merge
from operator import itemgetter
from time import sleep
from typing import Any

from kport.linux.tracepoint import (
    tracepoint,
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)
from kport.trace import ftrace
from kport.trace.events import WRITTEN, Event

IN_MEMORY = 100_000
SETTLE = 1_000_000_000
_PERIOD = 0.25  # s between two looks of the writer
_SLICE = 32  # events formatted at a stretch while the kernel runs

Raw = tuple[int, str, str, int, int, int, int, tuple[Any, ...]]
_time = itemgetter(0)


def event_of(raw: Raw) -> Event:
    """What a probe noted, as an event."""
    ts, name, comm, pid, cpu, irqs_off, count, values = raw
    if ftrace.in_interrupt(count):
        comm, pid, count = ftrace.IDLE, 0, count + 1
    return Event(ts, comm, pid, cpu, ftrace.flags(irqs_off, count), name, values)


def note_into(raw: deque[Raw]) -> Callable[[str, Any, int, tuple[Any, ...]], None]:
    """A function that notes an event in `raw`: of its name, thread, time and values."""
    append = raw.append

    def note(name: str, ti: Any, ts: int, values: tuple[Any, ...]) -> None:
        task = ti.task
        # An interrupt may find its CPU idle.
        comm, pid = (task.comm, task.pid) if task is not None else (ftrace.IDLE, 0)
        append((ts, name, comm, pid, ti.cpu, ti.irqs_off, ti.preempt_count, values))

    return note


def probes_into(
    raw: deque[Raw], kinds: Container[str] = WRITTEN
) -> list[tuple[tracepoint, Callable[..., None]]]:
    """From now on note every event of `kinds` in `raw`; returns the probes, to unregister."""
    append = raw.append

    def probe(tp: tracepoint, ti: Any, ts: int, values: tuple[Any, ...]) -> None:
        task = ti.task
        # An interrupt may find its CPU idle.
        comm, pid = (task.comm, task.pid) if task is not None else (ftrace.IDLE, 0)
        append((ts, tp.name, comm, pid, ti.cpu, ti.irqs_off, ti.preempt_count, values))

    probes = []
    for name, tp in list(tracepoints.items()):
        if name in kinds:
            tracepoint_probe_register(tp, probe)
            probes.append((tp, probe))
    return probes


class Recorder:
    """Collects the events of `WRITTEN` while it is attached; then `save()` makes the file.

    `entries` is the number of events that have left memory for the spool.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self.in_memory = in_memory
        self.entries = 0
        self._raw: deque[Raw] = deque()
        self._held: list[Raw] = []
        self._late: list[tuple[int, str]] = []
        self._newest = -1  # time of the last event in the spool
        self._spool = tempfile.TemporaryFile(
            "w+", encoding="utf-8", errors="backslashreplace", newline="\n"
        )
        self._probes: list[tuple[tracepoint, Callable[..., None]]] = []
        self._stop = threading.Event()
        self._error: OSError | None = None
        self._writer: threading.Thread | None = None

    # -- the kernel's side -----------------------------------------------------------------------

    def attach(self) -> None:
        """Record from now on."""
        self._probes = probes_into(self._raw)
        self._writer = threading.Thread(target=self._write, name="trace-writer", daemon=True)
        self._writer.start()

    def detach(self) -> None:
        """Record no more."""
        for tp, probe in self._probes:
            tracepoint_probe_unregister(tp, probe)
        self._probes.clear()
        self._stop.set()
        if self._writer is not None:
            self._writer.join()
            self._writer = None

    # -- the writer ------------------------------------------------------------------------------

    def _write(self) -> None:
        while not self._stop.wait(_PERIOD):
            if len(self._raw) + len(self._held) > self.in_memory:
                try:
                    self._flush(keep=SETTLE)
                except OSError as error:
                    self._error = error
                    self._discard()
                    return

    def _discard(self) -> None:
        """The disk is full: go on without the trace, and say so in the end."""
        while not self._stop.wait(_PERIOD):
            self._raw.clear()
            self._held.clear()

    def _flush(self, keep: int) -> None:
        """Move events to the spool, but for the last `keep` ns."""
        held, raw = self._held, self._raw
        for _ in range(len(raw)):
            held.append(raw.popleft())
        held.sort(key=_time)
        if not held:
            return
        limit = held[-1][0] - keep
        cut = len(held)
        while keep and cut and held[cut - 1][0] > limit:
            cut -= 1
        for number, item in enumerate(held[:cut]):
            text = ftrace.line(event_of(item)).replace("\n", " ")
            if item[0] < self._newest:
                self._late.append((item[0], text))
            else:
                self._newest = item[0]
                self._spool.write(f"{item[0]:020d}{text}\n")
            if keep and not number % _SLICE:
                sleep(0)  # the kernel runs: let it have the interpreter
        del held[:cut]
        self.entries += cut

    def _spooled(self) -> Iterator[tuple[int, str]]:
        self._spool.seek(0)
        for text in self._spool:
            yield int(text[:20]), text[20:-1]

    def save(self, out: Any, cpus: int | None = None) -> None:
        """Write everything recorded to an open text file. Raises OSError, also a writer's."""
        if self._error is not None:
            raise self._error
        self._flush(keep=0)
        self._late.sort(key=_time)
        lines: Iterable[tuple[int, str]] = merge(self._spooled(), self._late, key=_time)
        out.write(ftrace.header(self.entries, cpus or os.cpu_count() or 1))
        out.writelines(f"{text}\n" for _, text in lines)

    def close(self) -> None:
        """Drop the spool."""
        self._spool.close()


@contextmanager
def recording_to(path: str, cpus: int | None = None) -> Iterator[Recorder]:
    """Record the block's trace events, and write them to `path` when it ends, however it ends.

    `cpus` is what the header says, by default the CPUs of this machine. Raises OSError: at once if
    `path` cannot be written, at the end if the disk is full.
    """
    with ftrace.open_output(path) as out:
        recorder = Recorder()
        try:
            recorder.attach()
            try:
                yield recorder
            finally:
                recorder.detach()
                recorder.save(out, cpus)
        finally:
            recorder.close()
