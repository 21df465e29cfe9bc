# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Trace text as events: ftrace's `trace` and `trace_pipe`, `trace-cmd report`, `perf script`.

The layouts differ in how a task is named and in what is optional; one pattern takes them all:

    kworker/u8:0-11      [000] .....     0.491675: drm_sched_job_run: dev=...
    kworker/u8:0-11    (     11) [000] d..1.  0.491675: drm_sched_job_run: dev=...   record-tgid
    kworker/u8:0-11    [000]     0.491675: drm_sched_job_run:    dev=...             trace-cmd
    kworker/u8:0    11 [000]     0.491675: gpu_scheduler:drm_sched_job_run: dev=...  perf

A line that names none of our events is another event, a header or a stack, and is passed over.

What is an error and what only a note: reading ends (TraceError) where the file is not what it says
(damaged compression, two recordings in one, nothing of the scheduler in it). What spoils single
lines is counted, with the number of the first such line, and the rest is read: a line with one of
our events that cannot be parsed, a line too long to be an event, a time before that of the line
above, events that the kernel says it lost.

Events come out in order of time. CPUs may be up to `WINDOW` apart in the file; a larger step back
is not reordering but another boot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from heapq import heappop, heappush

from kport.trace.events import BEFORE_6_17, EVENTS, WRITTEN, Event
from kport.trace.source import TraceError, lines

WINDOW = 1_000_000_000  # ns
PREFIX_MAX = 256  # characters before an event's name

_NAMES = "|".join(sorted(EVENTS, key=len, reverse=True))
_find = re.compile(rf": +(?:\d+ +)?(?:[A-Za-z]\w*:)?({_NAMES}): +").search
_find_any = re.compile(
    rf": +(?:\d+ +)?(?:[A-Za-z]\w*:)?({_NAMES}|{'|'.join(BEFORE_6_17)}): +"
).search
_find_old = re.compile(rf": +(?:\d+ +)?(?:gpu_scheduler:)?({'|'.join(BEFORE_6_17)}): +").search
_prefix = re.compile(
    r" *(.*?)(?:-| +)(\d{1,10})(?:/\d{1,10})? +(?:\( *[\d-]+\) +)?"
    r"\[(\d{1,5})\] +(?:(\S{1,8}) +)?(\d{1,10})\.(\d{6}|\d{9})"
).fullmatch
_lost = re.compile(
    r"CPU:\d+ \[(?:LOST )?(?:(\d{1,20}) )?EVENTS(?: DROPPED)?\]|RECORD_LOST\D+(\d{1,20})"
).search
_wrapped = re.compile(r"##### CPU \d+ buffer started ####").match
_entries = re.compile(r"# entries-in-buffer/entries-written: (\d{1,20})/(\d{1,20}) ").match

REMEDY = "record the events gpu_scheduler:* (Linux 6.17 or later) and, better, dma_fence:* too"


class Notes:
    """Things worth a word: how often each happened, and the line where it first did."""

    def __init__(self) -> None:
        self._notes: dict[str, list[int]] = {}

    def add(self, what: str, line: int = 0, count: int = 1) -> None:
        """Count `what` once, or `count` times."""
        note = self._notes.setdefault(what, [0, line])
        note[0] += count

    def texts(self) -> list[str]:
        """One line for each kind, in order of first appearance."""
        return [
            f"{what}: {count}" + (f" (first at line {line})" if line else "")
            for what, (count, line) in self._notes.items()
        ]


class Reader:
    """The events of one file. `lines` counts lines read, `events` those given out.

    With `old` the scheduler events of kernels before 6.17 are given out too.
    """

    def __init__(self, path: str, *, old: bool = False) -> None:
        self.path = path
        self._find = _find_any if old else _find
        self.lines = 0
        self.events = 0
        self.notes = Notes()
        self._scheduler = False
        self._old = 0

    def __iter__(self) -> Iterator[tuple[int, Event]]:
        """(line number, event) in order of time. Raises TraceError; the file is closed then."""
        with closing(lines(self.path)) as source:
            for number, event in self._in_order(self._parsed(source)):
                self.events += 1
                yield number, event
        self.check()

    def check(self, seen: bool = False) -> None:
        """Raises TraceError if the file had no scheduler event; `seen` says that it had one."""
        if self._scheduler or seen:
            return
        if self._old:
            raise TraceError(
                self._old, "scheduler events of a kernel before 6.17 name no fences", REMEDY
            )
        lines_read = f"{self.lines} line{'s' if self.lines != 1 else ''}"
        raise TraceError(0, f"no scheduler event in {lines_read}", REMEDY)

    def _parsed(self, source: Iterable[str | None]) -> Iterator[tuple[int, Event]]:
        for number, line in enumerate(source, 1):
            event = self.take(number, line)
            if event is not None:
                yield number, event

    def take(self, number: int, line: str | None) -> Event | None:
        """The event of a line, or None; what is to be noted of the line is noted."""
        self.lines = number
        if line is None:
            self.notes.add("lines too long to be events, skipped", number)
            return None
        found = self._find(line)
        if found is None:
            self._other(number, line)
            return None
        event = _event(line, found)
        if event is None:
            self.notes.add("damaged lines, skipped", number)
        elif not event.name.startswith("dma_fence"):
            self._scheduler = True
        return event

    def _other(self, number: int, line: str) -> None:
        """A line without an event of ours; some of these matter."""
        if line.startswith("#"):
            if _wrapped(line):
                self.notes.add(
                    "CPUs whose trace buffer had wrapped, their first events are missing",
                    number,
                )
            elif (entries := _entries(line)) and int(entries[2]) > int(entries[1]):
                lost = int(entries[2]) - int(entries[1])
                self.notes.add("events overwritten before the trace was saved", number, lost)
        elif "LOST" in line or "DROPPED" in line:
            if lost_events := _lost(line):
                count = int(lost_events[1] or lost_events[2] or 1)
                self.notes.add("events lost by the kernel", number, count)
        elif not self._old and _find_old(line):
            self._old = number

    def _in_order(self, events: Iterable[tuple[int, Event]]) -> Iterator[tuple[int, Event]]:
        heap: list[tuple[int, int, Event]] = []
        newest = 0
        before = 0
        for number, event in events:
            ts = event.ts
            if ts < before:
                if ts < newest - WINDOW:
                    raise TraceError(
                        number,
                        f"time goes back by {(newest - ts) / 1e9:.3f} s",
                        "if these are two recordings, split the file here",
                    )
                self.notes.add("lines earlier than the line before", number)
            before = ts
            newest = max(newest, ts)
            heappush(heap, (ts, number, event))
            while heap and heap[0][0] < newest - WINDOW:
                ts, number, event = heappop(heap)
                yield number, event
        while heap:
            ts, number, event = heappop(heap)
            yield number, event


def _event(line: str, found: re.Match[str]) -> Event | None:
    prefix = _prefix(line, 0, found.start()) if found.start() < PREFIX_MAX else None
    if prefix is None:
        return None
    name = found[1]
    values = WRITTEN[name].values(line, found.end())
    if values is None:
        return None
    comm, pid, cpu, flags, seconds, fraction = prefix.groups()
    ts = int(seconds) * 1_000_000_000 + int(fraction) * (1000 if len(fraction) == 6 else 1)
    return Event(ts, comm, int(pid), int(cpu), flags or ".....", name, values)


def parse(line: str) -> Event | None:
    """The event of a line, in the old or the new spelling; None if there is none."""
    found = _find_any(line)
    return _event(line, found) if found is not None else None


def looks_like_trace(head: bytes) -> bool:
    """True if the first bytes of a (decompressed) file look like trace text.

    That is a header of ftrace or trace-cmd, a lost-events marker, or a line in one of the layouts
    with any event at all, ours or not.
    """
    text = head[: 1 << 16].decode("utf-8", "replace")
    for line in text.splitlines()[:2000]:
        if line.startswith(("# tracer:", "# entries-in-buffer/")) or _wrapped(line):
            return True
        if len(line) < 1024 and (_any_event(line) or _lost(line)):
            return True
    return False


_any_event = re.compile(
    r" *.*?(?:-| +)\d{1,10}(?:/\d{1,10})? +(?:\( *[\d-]+\) +)?\[\d{1,5}\] +(?:\S{1,8} +)?"
    r"\d{1,10}\.(?:\d{9}|\d{6}): +(?:\d+ +)?[\w:]+:"
).match
