# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Old scheduler events as new ones: the numbers of fences from dma_fence events."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from kport.cli import main
from kport.drivers import compat
from kport.drivers.compat_trace import told_as_of_7_2
from kport.linux.tracepoint import tracepoint_probe_register, tracepoint_probe_unregister
from kport.trace.events import Event
from kport.trace.numbering import Numbering
from kport.trace.reader import Notes, Reader
from kport.trace.source import TraceError
from kport.workload.recording import load


class Tape:
    """Events in the making, a us apart, each on a line of its own."""

    def __init__(self):
        self.events = []
        self.thread = "app", 7

    def add(self, name, *values, thread=None):
        line = len(self.events) + 1
        comm, pid = thread or self.thread
        self.events.append((line, Event(line * 1000, comm, pid, 0, ".....", name, values)))
        return line

    def arm(self, ring, context, seqno, thread=None):
        for each in (context - 1, context):
            values = "drm_sched", ring, each & 0xFFFFFFFF, seqno
            self.add("dma_fence_init", *values, thread=thread)

    def queue(self, entity, number, fence, ring="gfx", thread=None):
        return self.add("drm_sched_job", entity, number, fence, ring, 2, 1, thread=thread)

    def run(self, entity, number, fence, ring="gfx"):
        return self.add("drm_run_job", entity, number, fence, ring, 0, 1, thread=("gfx", 9))

    def told(self):
        self.notes = Notes()
        return list(Numbering(self.notes).tell(self.events))

    def jobs(self):
        """(line, event, context, seqno) of what is told of jobs."""
        return [
            (line, event.name.removeprefix("drm_sched_job_"), *event.values[-6:][:2])
            if event.name.endswith(("queue", "run"))
            else (line, event.name.removeprefix("drm_sched_job_"), *event.values[:2])
            for line, event in self.told()
            if event.name.startswith("drm_sched")
        ]


@pytest.fixture
def tape():
    return Tape()


def test_the_life_of_a_job(tape):
    tape.arm("gfx", 12, 5)
    tape.queue("e1", 40, "f1")
    tape.add("drm_sched_job_wait_dep", "gfx", 40, "f0", 77, 3)
    tape.run("e1", 40, "f1")
    tape.add("drm_sched_process_job", "f1")
    told = [event for _, event in tape.told() if event.name.startswith("drm_sched")]
    assert [(event.name, event.values) for event in told] == [
        ("drm_sched_job_queue", ("", 12, 5, "gfx", 2, 1, 0)),
        ("drm_sched_job_add_dep", (12, 5, 77, 3)),
        ("drm_sched_job_run", ("", 12, 5, "gfx", 0, 1, 0)),
        ("drm_sched_job_done", (12, 5)),
    ]
    assert (told[0].comm, told[0].pid, told[2].comm) == ("app", 7, "gfx")
    assert tape.notes.texts() == []


def test_threads_that_arm_at_once(tape):
    a, b = ("a", 1), ("b", 2)
    tape.add("dma_fence_init", "drm_sched", "gfx", 11, 1, thread=a)
    tape.add("dma_fence_init", "drm_sched", "gfx", 21, 1, thread=b)
    tape.add("dma_fence_init", "drm_sched", "gfx", 22, 1, thread=b)
    tape.add("dma_fence_init", "drm_sched", "gfx", 12, 1, thread=a)
    first = tape.queue("ea", 1, "fa", thread=a)
    second = tape.queue("eb", 2, "fb", thread=b)
    assert tape.jobs() == [(first, "queue", 12, 1), (second, "queue", 22, 1)]


def test_several_jobs_armed_before_the_first_is_queued(tape):
    tape.arm("gfx", 12, 1)
    tape.queue("e1", 1, "f1")
    tape.arm("sdma", 32, 1)
    tape.arm("gfx", 22, 1)
    tape.arm("gfx", 12, 2)
    tape.arm("gfx", 12, 3)
    lines = [
        tape.queue("e1", 2, "f2"),
        tape.queue("e2", 3, "f3"),
        tape.queue("e1", 4, "f4"),
        tape.queue("e3", 5, "f5", ring="sdma"),
    ]
    keys = [(12, 2), (22, 1), (12, 3), (32, 1)]
    expected = [(line, "queue", *key) for line, key in zip(lines, keys, strict=True)]
    assert tape.jobs()[1:] == expected


def test_an_address_that_is_used_again(tape):
    tape.arm("gfx", 12, 1)
    tape.queue("e1", 1, "f1")
    tape.add("drm_sched_process_job", "f1")
    tape.arm("gfx", 14, 1)
    entity = tape.queue("e1", 2, "f1")
    tape.arm("gfx", 12, 2)
    other = tape.queue("e2", 3, "f2")
    done = tape.add("drm_sched_process_job", "f1")
    assert tape.jobs()[2:] == [
        (entity, "queue", 14, 1), (other, "queue", 12, 2), (done, "done", 14, 1),
    ]  # fmt: skip


def test_numbers_that_wrap(tape):
    tape.arm("gfx", 1 << 32, 1)
    line = tape.queue("e1", 1, "f1")
    tape.add("drm_sched_job_wait_dep", "gfx", 1, "f0", (5 << 32) + 6, 3)
    told = dict(tape.told())
    assert told[line].values[1:3] == (0, 1), "as dma_fence events number it"
    assert told[line + 1].values == (0, 1, 6, 3)


def test_new_events_and_other_fences_pass(tape):
    tape.add("drm_sched_job_queue", "dev", 1 << 40, 2, "gfx", 0, 0, 5)
    tape.add("dma_fence_init", "amdgpu", "gfx", 11, 1)
    tape.add("dma_fence_init", "amdgpu", "gfx", 12, 1)
    tape.add("dma_fence_signaled", "amdgpu", "gfx", 11, 1)
    assert tape.told() == tape.events


def test_what_a_recording_begins_with_is_left_out_and_noted(tape):
    tape.run("e1", 1, "f1")
    tape.add("drm_sched_job_wait_dep", "gfx", 2, "f1", 12, 4)
    tape.queue("e1", 2, "f2")
    tape.add("drm_sched_process_job", "f1")
    tape.arm("gfx", 12, 6)
    line = tape.queue("e1", 3, "f3")
    assert tape.jobs() == [(line, "queue", 12, 6)]
    assert tape.notes.texts() == [
        "jobs run whose fences are not known, left out: 1 (first at line 1)",
        "dependencies of jobs whose fences are not known, left out: 1 (first at line 2)",
        "jobs queued without a trace of their fences, left out: 1 (first at line 3)",
        "jobs done whose fences are not known, left out: 1 (first at line 4)",
    ]


def test_a_lost_queueing_spoils_the_jobs_up_to_its_run_at_most(tape):
    tape.arm("gfx", 12, 1)
    tape.queue("e1", 1, "f1")
    tape.arm("gfx", 12, 2)  # its drm_sched_job is lost
    tape.add("dma_fence_signaled", "drm_sched", "gfx", 11, 2, thread=("gfx", 9))
    tape.arm("gfx", 12, 3)
    line = tape.queue("e1", 3, "f3")
    assert tape.jobs()[1:] == [(line, "queue", 12, 3)]


def test_without_fence_events_nothing_can_be_told(tape, tmp_path):
    tape.queue("e1", 1, "f1")
    with pytest.raises(TraceError) as caught:
        tape.told()
    assert (caught.value.line, caught.value.what) == (
        1, "scheduler events of a kernel before 6.17 name no fences",
    )  # fmt: skip
    assert "dma_fence:*" in caught.value.remedy


def _said(name, values):
    """What must be told exactly: counts of jobs change from one probe to the next."""
    return name, values[1:4] if len(values) == 7 else values


def test_the_numbers_are_the_right_ones(tmp_path, capsys):
    """Against what a probe sees that is passed the jobs themselves."""
    compat.package("v6_1")
    seen = Counter()

    def note(name, ti, ts, values):
        if name == "drm_sched_job_unschedulable":
            name = "drm_sched_job_add_dep"
        seen[_said(name, values)] += 1

    probes = told_as_of_7_2(note)
    for tp, probe in probes:
        tracepoint_probe_register(tp, probe)
    trace = str(tmp_path / "trace")
    steps = "1.RCS.300.0.0,2.BCS.200.-1.0,1.RCS.100.-1.0,2.RCS.100.-2.1"
    try:
        args = ["run", "--sched", "v6_1", "-w", steps, "-c", "3", "-r", "5", "--trace-out", trace]
        assert main(args) == 0
    finally:
        for tp, probe in probes:
            tracepoint_probe_unregister(tp, probe)
    notes = Notes()
    told = [event for _, event in Numbering(notes).tell(Reader(trace, old=True))]
    assert notes.texts() == []
    found = Counter(_said(e.name, e.values) for e in told if e.name.startswith("drm_sched"))
    assert found == seen
    assert sum(count for (name, _), count in seen.items() if name.endswith("queue")) == 60
    assert any(name.endswith("add_dep") for name, _ in seen)
    recording = load(trace)
    assert len(recording.jobs) == 60
    assert len(recording.entities) == 9
    assert recording.warnings == []


@pytest.mark.long
def test_a_trace_of_6_1_is_played(tmp_path, capsys):
    trace = str(tmp_path / "trace")
    assert main(["run", "--sched", "v6_1", "--seconds", "1", "--trace-out", trace]) == 0
    capsys.readouterr()
    assert main(["run", "--sched", "v6_1", "--json", trace]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["jobs"] == result["recorded"]["jobs"]
    assert result["warnings"] == []
