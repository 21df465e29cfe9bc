# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Lines as events: the layouts of three tools, and everything that can be wrong with a trace."""

from __future__ import annotations

import lzma
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kport.trace.events import Event
from kport.trace.reader import Reader, looks_like_trace
from kport.trace.source import TraceError
from tests.trace.mangle import DAMAGE, mangle

RECORDING = Path(__file__).parent.parent / "data" / "linux-7.2-kunit-basic-fifo.trace.xz"
RUN = "dev=0000:03:00.0, fence=4:1, ring=gfx_0.0.0, job count:0, hw job count:1, client_id:7"
VALUES = ("0000:03:00.0", 4, 1, "gfx_0.0.0", 0, 1, 7)
NAME = "drm_sched_job_run"
DONE = "drm_sched_job_done: fence=4:1 signaled"


@pytest.fixture
def read(tmp_path):
    """Reads lines: (events, notes)."""

    def function(*lines):
        path = tmp_path / "trace"
        path.write_text("".join(f"{line}\n" for line in lines))
        reader = Reader(str(path))
        return [event for _, event in reader], reader.notes.texts()

    return function


def line(ts, event=DONE, comm="kworker/u8:0", cpu=0):
    return f"{comm:>16}-11      [{cpu:03d}] ..... {ts:12.6f}: {event}"


@pytest.mark.parametrize(
    ("text", "comm", "pid", "cpu", "flags", "ts"),
    [
        (  # trace, trace_pipe
            f"    kworker/u8:0-11      [000] d.h1.     0.491675: {NAME}: {RUN}",
            "kworker/u8:0", 11, 0, "d.h1.", 491_675_000,
        ),
        (  # with record-tgid
            f"    kworker/u8:0-11      (     11) [003] .....     0.491675: {NAME}: {RUN}",
            "kworker/u8:0", 11, 3, ".....", 491_675_000,
        ),
        (
            f"           <...>-99123   (-------) [003] ..... 99990.491675: {NAME}: {RUN}",
            "<...>", 99123, 3, ".....", 99_990_491_675_000,
        ),
        (  # without irq-info
            f"          <idle>-0       [000]     0.491675: {NAME}: {RUN}",
            "<idle>", 0, 0, ".....", 491_675_000,
        ),
        (  # trace-cmd report, older and newer, with nanoseconds
            f"    kworker/u8:0-11    [000]   217.975284: {NAME}:    {RUN}",
            "kworker/u8:0", 11, 0, ".....", 217_975_284_000,
        ),
        (
            f"gnome-shel:cs0-1706  [004] d..2.    44.895256: {NAME}:    {RUN}",
            "gnome-shel:cs0", 1706, 4, "d..2.", 44_895_256_000,
        ),
        (
            f"    kworker/u8:0-11    [000]   217.975284123: {NAME}:    {RUN}",
            "kworker/u8:0", 11, 0, ".....", 217_975_284_123,
        ),
        (  # perf script: with system, with thread, with period, with nanoseconds
            f"kworker/u8:0    11 [000]   217.975284: gpu_scheduler:{NAME}: {RUN}",
            "kworker/u8:0", 11, 0, ".....", 217_975_284_000,
        ),
        (
            f"GPU Process  1706/1711  [012]  217.975284123:          1 gpu_scheduler:{NAME}: {RUN}",
            "GPU Process", 1706, 12, ".....", 217_975_284_123,
        ),
        (  # names with everything in them
            f"   a-1 [2] 3.4: b-77      [001] ..... 1.000000: {NAME}: {RUN}",
            "a-1 [2] 3.4: b", 77, 1, ".....", 1_000_000_000,
        ),
        (f"                -5       [001] ..... 1.000000: {NAME}: {RUN}", "", 5, 1, ".....", 10**9),
        (f"x-5 [001] weird#fl 1.000000: {NAME}: {RUN}", "x", 5, 1, "weird#fl", 10**9),
    ],
)  # fmt: skip
def test_layouts(read, text, comm, pid, cpu, flags, ts):
    events, notes = read(text)
    assert events == [Event(ts, comm, pid, cpu, flags, NAME, VALUES)]
    assert notes == []


def test_other_lines_are_passed_over(read):
    events, notes = read(
        "# tracer: nop",
        "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION",
        "cpus=2",
        "version = 6",
        "CPU 1 is empty",
        line(1.0, "sched_switch: prev_comm=drm_sched_job_run prev_pid=1 ==> next_comm=x"),
        line(1.0, "drm_sched_job_run_extra: dev=a"),
        line(1.5),
        "        ffffffff81a8b2d5 drm_sched_job_run+0x25 ([kernel.kallsyms])",
        "",
        "  => drm_sched_run_job_work",
    )
    assert [event.ts for event in events] == [1_500_000_000]
    assert notes == []


def test_the_recording_is_read_whole():
    reader = Reader(str(RECORDING))
    events = [event for _, event in reader]
    assert len(events) == reader.events == 31585
    assert reader.lines == 31597
    assert reader.notes.texts() == []
    assert [event.ts for event in events] == sorted(event.ts for event in events)


def test_damaged_lines_are_counted(read):
    events, notes = read(
        line(1.0),
        f"garbage: {DONE}",
        line(2.0, "drm_sched_job_done: fence=4: signaled"),
        line(3.0),
        "x" * 300 + f"-11 [000] ..... 1.000000: {DONE}",
    )
    assert [event.ts for event in events] == [1_000_000_000, 3_000_000_000]
    assert notes == ["damaged lines, skipped: 3 (first at line 2)"]


def test_long_lines_are_counted(read):
    events, notes = read(line(1.0), "x" * 5000, line(2.0))
    assert len(events) == 2
    assert notes == ["lines too long to be events, skipped: 1 (first at line 2)"]


@pytest.mark.parametrize(
    ("marker", "count"),
    [
        ("CPU:1 [LOST 12 EVENTS]", 12),
        ("CPU:1 [LOST EVENTS]", 1),
        ("CPU:7 [204600 EVENTS DROPPED]", 204600),
        ("CPU:7 [EVENTS DROPPED]", 1),
        ("swapper 0 [001] 1.000000: PERF_RECORD_LOST lost 31", 31),
    ],
)
def test_lost_events_are_counted(read, marker, count):
    events, notes = read(line(1.0), marker, line(2.0))
    assert len(events) == 2
    assert notes == [f"events lost by the kernel: {count} (first at line 2)"]


def test_a_wrapped_buffer_is_noted(read):
    _, notes = read(
        "# entries-in-buffer/entries-written: 140080/250280   #P:4",
        line(1.0),
        "##### CPU 1 buffer started ####",
        "##### CPU 0 buffer started ####",
    )
    assert notes == [
        "events overwritten before the trace was saved: 110200 (first at line 1)",
        "CPUs whose trace buffer had wrapped, their first events are missing: 2 (first at line 3)",
    ]


def test_events_of_several_cpus_are_put_in_order(read):
    events, notes = read(line(1.0), line(1.2, cpu=1), line(1.1), line(1.9), line(1.3, cpu=1))
    assert [event.ts // 10**8 for event in events] == [10, 11, 12, 13, 19]
    assert notes == ["lines earlier than the line before: 2 (first at line 3)"]


def test_events_at_one_time_stay_in_order(read):
    events, _ = read(*(line(1.0, f"drm_sched_job_done: fence=1:{n} signaled") for n in range(50)))
    assert [event.values[1] for event in events] == list(range(50))


def test_two_recordings_in_one_are_an_error(tmp_path):
    path = tmp_path / "trace"
    path.write_text("\n".join([line(100.0), line(101.0), line(0.5), line(0.6)]))
    with pytest.raises(TraceError, match=r"time goes back by 100\.500 s") as caught:
        list(Reader(str(path)))
    assert caught.value.line == 3
    assert "split" in caught.value.remedy
    # Not when its readers are collected: the error that is held here holds them.
    files = [os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    assert str(path) not in files


@pytest.mark.parametrize(
    ("lines", "number", "what"),
    [
        ([], 0, "no scheduler event in 0 lines"),
        (["nothing here"] * 7, 0, "no scheduler event in 7 lines"),
        (["\x00\x01\x02" * 50], 0, "no scheduler event in 1 line"),
        (
            [line(1.0, "dma_fence_init: driver=a timeline=b context=1 seqno=2")],
            0,
            "no scheduler event in 1 line",
        ),
        (
            ["# old", line(44.8, "drm_run_job: entity=0xffffa00d52574810, id=135, ring=gfx")],
            2,
            "scheduler events of a kernel before 6.17 name no fences",
        ),
    ],
)
def test_a_file_without_scheduler_events_is_an_error(tmp_path, lines, number, what):
    path = tmp_path / "trace"
    path.write_text("\n".join(lines))
    with pytest.raises(TraceError) as caught:
        list(Reader(str(path)))
    assert (caught.value.line, caught.value.what) == (number, what)
    assert "gpu_scheduler" in caught.value.remedy


@pytest.mark.parametrize(
    "head",
    [
        b"# tracer: nop\n#\n",
        b"##### CPU 1 buffer started ####\n",
        b"CPU:7 [204600 EVENTS DROPPED]\n",
        b"version = 6\ncpus=8\n  kworker/u8:0-11 [000] 217.975284: sched_switch: prev\n",
        line(1.0).encode(),
        b"\n\nkworker/u8:0    11 [000]   217.975284: sched:sched_switch: a\n",
    ],
)
def test_traces_are_recognised(head):
    assert looks_like_trace(head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"1.VCS1.3000.0.1\n1.RCS.1000.-1.0\n",
        b"# a comment\nX.1.0\n",
        b"\x7fELF\0\0\0\0",
        b" " * 100_000,
        b"-1" * 50_000,
        bytes(range(256)) * 200,
    ],
)
def test_other_files_are_not(head):
    assert not looks_like_trace(head)


SAMPLE = lzma.open(RECORDING).read().splitlines(keepends=True)[:400]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(DAMAGE), min_size=1, max_size=4))
def test_a_mangled_recording_is_events_or_one_error(tmp_path_factory, seed, kinds):
    data = mangle(SAMPLE, seed, kinds)
    path = tmp_path_factory.getbasetemp() / "mangled"
    path.write_bytes(data)
    reader = Reader(str(path))
    try:
        events = [event for _, event in reader]
    except TraceError:
        return
    times = [event.ts for event in events]
    assert times == sorted(times)
    assert all(note.isprintable() for note in reader.notes.texts())
    assert len(events) <= data.count(b"\n") + 1
