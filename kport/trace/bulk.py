# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A recording of a million events in a few seconds.

One pattern goes over a whole block of lines, in C, and takes out what the history needs: time,
thread, numbers. Only a block in which it has matched every line is believed; of any other (another
layout, other events between ours, damage, the spellings of other kernels) each line is given to the
Reader, which knows everything and is slower. So both ways give the same events, and the text of a
block is kept: the rest of an event is parsed when somebody looks at it.

A file whose times go back is read by the Reader from its start, as that sorts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kport.trace.events import Event, Values
from kport.trace.history import CODES, Parsed
from kport.trace.reader import Reader
from kport.trace.source import LINE_MAX, blocks, printable

_find_all = re.compile(
    r"^ *(.{1,32}?-\d{1,10}) +\[\d{1,5}\] \S{5} +(\d{1,10})\.(\d{6}): (?:"
    r"dma_fence_(emit|init|destroy|enable_signal|signaled|wait_start|wait_end): "
    r"driver=(\S{1,200}) timeline=(.{0,200}?) context=(\d{1,10}) seqno=(\d{1,10})"
    r"|drm_sched_job_(queue|run): dev=(.{0,200}?), fence=(\d{1,20}):(\d{1,20}), "
    r"ring=([^,\n]{0,200}), job count:(\d{1,10}), hw job count:(-?\d{1,10}), client_id:(\d{1,20})"
    r"|drm_sched_job_done: fence=(\d{1,20}):(\d{1,20}) signaled"
    r"|drm_sched_job_(add_dep|unschedulable): fence=(\d{1,20}):(\d{1,20}) "
    r"depends on (?:unsignalled )?fence=(\d{1,20}):(\d{1,20})"
    r")$",
    re.MULTILINE,
).findall
_ASCII = bytes(range(32, 127)) + b"\n"
_DONE = CODES["drm_sched_job_done"]
_FENCE = {name[10:]: code for name, code in CODES.items() if name.startswith("dma_fence_")}
_JOB = {name[14:]: code for name, code in CODES.items() if name.startswith("drm_sched_job_")}


class Unsorted(Exception):
    """The times of the file go back."""


@dataclass(slots=True)
class Block:
    """Events of a file: for the history, and for who wants more, as lines or whole."""

    parsed: list[Parsed]
    text: str = ""
    events: list[Event] | None = None


def parsed_of(event: Event) -> Parsed:
    """What the history takes of an event."""
    return event.ts, CODES[event.name], f"{event.comm}-{event.pid}", event.values


def quick(path: str, reader: Reader) -> Iterator[Block]:
    """The blocks of a file in its order; `reader` counts and notes. Raises TraceError, Unsorted."""
    number = 0
    before = 0
    seen = False
    for raw in blocks(path):
        for part in _split(raw):
            count = part.count(b"\n") + (not part.endswith(b"\n"))
            block = _fast(part, count)
            if block is None:
                block = _slow(part, number, reader)
            else:
                reader.lines = number + count
            number += count
            if block.parsed:
                seen = seen or any(code < 5 for _, code, _, _ in block.parsed)
                before = _checked(block.parsed, before)
                reader.events += len(block.parsed)
                yield block
    reader.check(seen)


def _split(raw: bytes) -> list[bytes]:
    """The header lines of a block, if it begins with some, and the rest."""
    head = 0
    while raw.startswith(b"#", head):
        head = raw.find(b"\n", head) + 1 or len(raw)
    return [part for part in (raw[:head], raw[head:]) if part]


def _checked(parsed: list[Parsed], before: int) -> int:
    """The time of the last event. Raises Unsorted if one is before the one above it."""
    for event in parsed:
        ts = event[0]
        if ts < before:
            raise Unsorted
        before = ts
    return before


def _fast(raw: bytes, count: int) -> Block | None:
    if raw.translate(None, _ASCII):
        return None
    text = raw.decode("ascii")
    rows = _find_all(text)
    if len(rows) != count:
        return None
    out: list[Parsed] = []
    append = out.append
    code: int
    values: Values
    for (
        thread, seconds, micros, fence, driver, timeline, context, seqno, job, dev, job_context,
        job_seqno, ring, depth, held, client, done_context, done_seqno, depend, depend_context,
        depend_seqno, on_context, on_seqno,
    ) in rows:  # fmt: skip
        if fence:
            code, values = _FENCE[fence], (driver, timeline, int(context), int(seqno))
        elif job:
            code = _JOB[job]
            values = (
                dev, int(job_context), int(job_seqno), ring, int(depth), int(held), int(client),
            )  # fmt: skip
        elif done_context:
            code, values = _DONE, (int(done_context), int(done_seqno))
        else:
            code = _JOB[depend]
            values = int(depend_context), int(depend_seqno), int(on_context), int(on_seqno)
        append((int(seconds + micros) * 1000, code, thread, values))
    return Block(out, text)


def _slow(raw: bytes, number: int, reader: Reader) -> Block:
    events = []
    lines = raw.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for offset, line in enumerate(lines, 1):
        text = None if len(line) >= LINE_MAX else printable(line)
        event = reader.take(number + offset, text)
        if event is not None:
            events.append(event)
    return Block([parsed_of(event) for event in events], events=events)


def sorted_blocks(reader: Reader, size: int = 4096) -> Iterator[Block]:
    """All events by the Reader alone, in order of time. Raises TraceError."""
    events: list[Event] = []
    for _, event in reader:
        events.append(event)
        if len(events) == size:
            yield Block([parsed_of(e) for e in events], events=events)
            events = []
    if events:
        yield Block([parsed_of(e) for e in events], events=events)
