# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Reading much at once: the same events as line by line, whatever the file."""

from __future__ import annotations

import gzip
import lzma

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kport.trace.bulk import Unsorted, quick, sorted_blocks
from kport.trace.model import Model, open_recording
from kport.trace.reader import Reader
from kport.trace.source import TraceError
from tests.trace.mangle import DAMAGE, mangle
from tests.trace.sample import RECORDING, Trace, whole_life

LINES = lzma.decompress(RECORDING.read_bytes()).splitlines(keepends=True)


def fast(path):
    """What quick() makes of a file: events, notes, or an error."""
    reader = Reader(str(path), old=True)
    try:
        blocks = list(quick(str(path), reader))
    except TraceError as error:
        return "error", error.what
    parsed = [event for block in blocks for event in block.parsed]
    return parsed, reader.notes.texts(), reader.lines, reader.events


def slow(path):
    """The same by the reader, line by line."""
    reader = Reader(str(path), old=True)
    try:
        blocks = list(sorted_blocks(reader))
    except TraceError as error:
        return "error", error.what
    parsed = [event for block in blocks for event in block.parsed]
    return parsed, reader.notes.texts(), reader.lines, reader.events


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_both_ways_read_the_same(tmp_path, pack):
    path = tmp_path / "trace"
    path.write_bytes(pack(b"".join(LINES[:9000])))
    assert fast(path) == slow(path)
    assert len(fast(path)[0]) == 8988


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.lists(st.sampled_from(DAMAGE), min_size=1, max_size=3))
def test_a_damaged_file_is_read_alike(tmp_path_factory, seed, kinds):
    start = seed % 3000
    path = tmp_path_factory.mktemp("bulk") / "trace"
    path.write_bytes(mangle(LINES[:12] + LINES[start + 12 : start + 400], seed, kinds))
    expected = slow(path)
    try:
        found = fast(path)
    except Unsorted:
        return
    assert found == expected


def test_a_line_of_another_tool_or_event_between_ours(tmp_path):
    odd = [
        b"            <...>-1  [000] d..2.  1.5: sched_switch: prev_comm=x\n",
        b"CPU:1 [LOST 17 EVENTS]\n",
        b"    kworker/u8:0-11  [000]  99.491675: drm_sched_job_done: fence=3:1 signaled\n",
        b"    a:b - c-11  [000] .....  99.500000: drm_sched_job_done: fence=3:2 signaled \n",
        b"kworker/u8:0    11 [000]  99.6: gpu_scheduler:drm_sched_job_done: fence=3:3 signaled\n",
        b"\xff\xfe\n", b"x" * 5000 + b"\n", b"\r\n",
    ]  # fmt: skip
    path = tmp_path / "trace"
    path.write_bytes(b"".join(LINES[:500] + odd))
    assert fast(path) == slow(path)


def test_no_newline_at_the_end(tmp_path):
    path = tmp_path / "trace"
    path.write_bytes(b"".join(LINES[:100]).rstrip(b"\n"))
    assert fast(path) == slow(path)


def test_old_spellings_are_read(tmp_path):
    trace = Trace()
    trace("drm_sched_job", "ffff01", 17, "00aa", "gfx", 0, 0, at=1)
    trace("drm_run_job", "ffff01", 17, "00aa", "gfx", 0, 1, at=2)
    model = open_recording(trace.write(tmp_path / "trace"))
    assert model.job((0xFFFF01, 17)).run == 2000
    assert model.log.text(1).startswith("entity=ffff01, id=17, fence=00aa, ring=gfx")


def test_times_that_go_back_a_little_are_sorted(tmp_path):
    trace = whole_life(Trace())
    trace.events[3], trace.events[4] = trace.events[4], trace.events[3]
    path = trace.write(tmp_path / "trace")
    with pytest.raises(Unsorted):
        list(quick(path, Reader(path, old=True)))
    model = open_recording(path)
    assert [model.log[i].ts for i in range(13)] == [i * 10_000 for i in range(13)]
    assert model.notes == ["lines earlier than the line before: 1 (first at line 5)"]


def test_a_file_that_ends_in_the_middle_is_read_as_far_as_it_goes(tmp_path):
    path = tmp_path / "trace.xz"
    path.write_bytes(RECORDING.read_bytes()[:70_000])
    model = open_recording(str(path))
    assert len(model.log) > 10_000
    assert model.notes == [
        f"the compressed file ends in the middle: 1 (first at line {len(model.log) + 13})"
    ]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "no scheduler event in 0 lines"),
        (b"hello\nworld\n", "no scheduler event in 2 lines"),
        (b"\x17\x08\x44tracing6", "this is a binary trace.dat file"),
        (RECORDING.read_bytes()[:60], "the compressed file ends in the middle"),
        (b"\xfd7zXZ\x00" + b"x" * 100, "the compressed file is damaged"),
    ],
)
def test_a_file_that_is_no_trace(tmp_path, content, what):
    path = tmp_path / "trace"
    path.write_bytes(content)
    with pytest.raises(TraceError, match=what):
        open_recording(str(path))


def test_two_recordings_in_one_are_refused(tmp_path):
    path = tmp_path / "trace"
    path.write_bytes(b"".join(LINES[-200:] + LINES[:200]))
    with pytest.raises(TraceError, match="time goes back"):
        open_recording(str(path))


def test_progress_is_told(tmp_path):
    told = []
    open_recording(str(RECORDING), told.append)
    assert told == sorted(told)
    assert told[-1] == len(LINES)


def test_blocks_of_text_and_of_events_give_the_same_log(tmp_path):
    path = tmp_path / "trace"
    path.write_bytes(b"".join(LINES[:3000]))
    by_text, by_event = open_recording(str(path)), Model()
    for block in sorted_blocks(Reader(str(path), old=True)):
        by_event.add(block)
    numbers = range(len(by_text.log))
    assert [by_text.log[n] for n in numbers] == [by_event.log[n] for n in numbers]
    assert [by_text.log.line(n) for n in numbers] == [by_event.log.line(n) for n in numbers]
