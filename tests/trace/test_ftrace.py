# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Lines and files in the kernel's layout; the kernel's own recording is the model."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from kport.trace import ftrace
from kport.trace.events import Event
from kport.trace.reader import Reader

RECORDING = Path(__file__).parent.parent / "data" / "linux-7.2-kunit-basic-fifo.trace.xz"
DONE = ("drm_sched_job_done", (3, 1))


def test_a_recording_of_the_kernel_is_reproduced_byte_for_byte(tmp_path):
    events = [event for _, event in Reader(str(RECORDING))]
    path = tmp_path / "trace"
    ftrace.write(str(path), events, cpus=2)
    assert path.read_bytes() == lzma.open(RECORDING).read()


@pytest.mark.parametrize(
    ("irqs_off", "count", "marks"),
    [
        (0, 0, "....."),
        (1, 0, "d...."),
        (1, 1, "d..1."),
        (0, 2, "...2."),
        (1, 0x10002, "d.h2."),
        (1, 0x10103, "d.H3."),
        (0, 0x00100, "..s.."),
        (0, 0x0000A, "...a."),
        (0, 0x00010, "...f."),
        (0, 0x000FF, "...f."),
        (0, 0x00200, "....."),
    ],
)
def test_flags(irqs_off, count, marks):
    assert ftrace.flags(irqs_off, count) == marks


def test_interrupts_are_told_by_the_preempt_count():
    assert ftrace.in_interrupt(0x10000)
    assert ftrace.in_interrupt(0x100)
    assert not ftrace.in_interrupt(0xFF)
    assert not ftrace.in_interrupt(0x200)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            Event(491_675_000, "kworker/u8:0", 11, 0, ".....", *DONE),
            "    kworker/u8:0-11      [000] .....     0.491675: drm_sched_job_done: ",
        ),
        (  # 15 characters of the name at most, a number of more than seven digits
            Event(0, "kunit_try_catch_thread", 12345678, 127, "d..1.", *DONE),
            " kunit_try_catch-12345678 [127] d..1.     0.000000: drm_sched_job_done: ",
        ),
        (  # rounded to the nearest microsecond, as ns2usecs() does
            Event(99999_999_999_500, "<idle>", 0, 1, "d.h2.", *DONE),
            "          <idle>-0       [001] d.h2. 100000.000000: drm_sched_job_done: ",
        ),
        (
            Event(1_499, "a", 1, 1, ".....", *DONE),
            "               a-1       [001] .....     0.000001: drm_sched_job_done: ",
        ),
    ],
)
def test_a_line(event, text):
    assert ftrace.line(event) == text + "fence=3:1 signaled"


def test_write_sorts_by_time_and_keeps_the_order_of_equals(tmp_path):
    path = tmp_path / "trace"
    events = [
        Event(2000, "a", 1, 0, ".....", "drm_sched_job_done", (1, 1)),
        Event(1000, "a", 1, 0, ".....", "drm_sched_job_done", (1, 2)),
        Event(2000, "a", 1, 0, ".....", "drm_sched_job_done", (1, 3)),
    ]
    ftrace.write(str(path), iter(events), cpus=4)
    lines = path.read_text().splitlines()
    assert lines[2] == "# entries-in-buffer/entries-written: 3/3   #P:4"
    assert [line.split("fence=")[1] for line in lines[12:]] == [
        "1:2 signaled",
        "1:1 signaled",
        "1:3 signaled",
    ]


def test_an_unwritable_path_is_an_oserror(tmp_path):
    with pytest.raises(OSError, match="directory"):
        ftrace.write(str(tmp_path), [])
