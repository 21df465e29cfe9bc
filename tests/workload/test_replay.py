# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Recordings through the port: a real one, and small ones with one difficulty each."""

from __future__ import annotations

import lzma
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kport.trace.reader import Reader
from kport.workload.errors import InputError
from kport.workload.recording import load
from kport.workload.replay import POLICIES, late_note, replay
from kport.workload.result import JobCount
from tests.trace.mangle import DAMAGE, mangle
from tests.workload.tape import MS, Tape, job_of

RECORDING = Path(__file__).parent.parent / "data" / "linux-7.2-kunit-basic-fifo.trace.xz"
A, B, C = 3, 5, 7  # contexts of entities


@pytest.fixture
def tape():
    return Tape()


@pytest.fixture
def play(tmp_path):
    """Plays a tape: (result, the port's own trace as a recording)."""

    def function(tape, **options):
        out = str(tmp_path / "out")
        result = replay(tape.load(tmp_path), trace_out=out, **options)
        return result, load(out)

    return function


def clean(result, **jobs):
    """The run ended as it should: every job accounted for, nothing warned of, nothing leaked."""
    count = JobCount(**jobs)
    count.submitted = sum(jobs.values())
    assert result.jobs == count
    assert result.leaks == 0
    assert not result.interrupted


def order(recording, ring=None):
    """The port's jobs in the order they ran: (number of the entity, number of the job)."""
    numbers = {entity.context: number for number, entity in enumerate(recording.entities)}
    jobs = [job for job in recording.jobs if ring in (None, job.ring.name) and job.run is not None]
    jobs.sort(key=lambda job: job.started)
    return [(numbers[job.entity.context], job.seqno) for job in jobs]


# -- the kernel's own recording --------------------------------------------------------------------


@pytest.fixture(scope="module")
def kunit(tmp_path_factory):
    """The kernel's unit tests at five times their speed: (result, trace written, progress)."""
    out = tmp_path_factory.mktemp("replay") / "out"
    told = []
    result = replay(
        load(str(RECORDING)),
        policy="fifo",
        scale=0.2,
        trace_out=str(out),
        progress=lambda *done: told.append(done),
    )
    return result, out, told


def test_every_job_of_the_kernel_s_tests_is_played(kunit):
    result, _, _ = kunit
    clean(result, finished=2606)
    assert result.warnings == []
    assert len(result.rings) == 15
    assert sum(ring.jobs for ring in result.rings) == 2606
    assert result.policy == "fifo"


def test_the_port_runs_them_in_the_kernel_s_order(kunit):
    result, _, _ = kunit
    inversions = {ring.dev.split(".")[0]: 0 for ring in result.rings}
    for ring in result.rings:
        inversions[ring.dev.split(".")[0]] += ring.inversions
    # Their order was made by priorities, of which a recording says nothing.
    assert inversions.pop("drm_sched_priorities") > 1000
    assert inversions.pop("drm_sched_change_priority") > 100_000
    assert set(inversions.values()) == {0}
    assert "drm_sched_basic_test" in inversions
    assert "drm_sched_basic_entity_cleanup" in inversions


def test_the_times_are_those_of_the_recording(kunit):
    result, _, _ = kunit
    assert result.recorded.makespan_s == pytest.approx(5.284947)
    # The first arrival may be late and make it a little shorter; a busy machine makes it longer.
    assert result.makespan_s > 5.0
    for port, kernel in zip(result.rings, result.recorded.rings, strict=True):
        assert (port.dev, port.ring, port.jobs) == (kernel.dev, kernel.ring, kernel.jobs)
        gpu_s = kernel.busy_pct * result.recorded.makespan_s / 100
        assert port.busy_pct * result.makespan_s / 100 == pytest.approx(gpu_s, rel=0.02, abs=0.01)
    for port, kernel in zip(result.entities, result.recorded.entities, strict=True):
        assert (port.context, port.name, port.ring) == (kernel.context, kernel.name, kernel.ring)
        assert port.gpu_ms == kernel.gpu_ms


def test_progress_is_told_up_to_the_end(kunit):
    _, _, told = kunit
    assert told == sorted(told)
    assert told[-1] == (2606, 2606)
    assert len(told) > 5


def test_the_trace_of_the_replay_is_a_recording_of_the_same(kunit):
    _, out, _ = kunit
    again = load(str(out))
    assert again.warnings == []
    before = load(str(RECORDING))
    assert [(ring.dev, ring.name, len(ring.jobs)) for ring in again.rings()] == [
        (ring.dev, ring.name, len(ring.jobs)) for ring in before.rings()
    ]
    assert [len(entity.jobs) for entity in again.entities] == [
        len(entity.jobs) for entity in before.entities
    ]
    for one, two in zip(before.jobs, again.jobs, strict=True):  # the order of arrivals, exactly
        assert (one.seqno, one.ring.dev, one.comm, one.client) == (
            two.seqno, two.ring.dev, two.comm, two.client,
        )  # fmt: skip
        assert [d.job.index for d in one.depends] == [d.job.index for d in two.depends]
    reader = Reader(str(out))
    flags = {(event.name, event.flags) for _, event in reader if "job" in event.name}
    assert ("drm_sched_job_done", "d.h2.") in flags
    assert ("drm_sched_job_queue", ".....") in flags


# -- one difficulty each ---------------------------------------------------------------------------


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_policies(tape, play, policy):
    for number in range(1, 6):
        tape.job(number, number + 0.1, number + 0.5, (A, number))
        tape.job(number, number + 0.2, number + 0.6, (B, number))
    result, _ = play(tape, policy=policy)
    clean(result, finished=10)
    assert result.policy == policy
    assert result.warnings == []


def test_arrivals_wait_for_their_time_and_gpu_time_passes(tape, play):
    tape.job(0, 0.1, 10, (A, 1))
    tape.job(50, 50.1, 55, (A, 2))
    result, ours = play(tape)
    clean(result, finished=2)
    first, second = ours.jobs
    assert second.arrival - first.arrival >= 30 * MS  # 50, if the first was not late
    assert first.done - first.run >= 9.9 * MS
    assert result.makespan_s >= 0.035
    assert result.entities[0].gpu_ms == 14.8


def test_the_scale_changes_wall_time_only(tape, play):
    tape.job(0, 0.1, 10, (A, 1))
    tape.job(300, 300.1, 305, (A, 2))
    begin = time.monotonic()
    result, _ = play(tape, scale=0.1)
    assert time.monotonic() - begin < 0.305 + 2
    assert result.makespan_s >= 0.2


def test_a_dependency_across_rings_holds_a_job_back(tape, play):
    tape.job(1, 2, 22, (A, 1), ring="one")
    tape.job(1, 23, 24, (B, 1), (A, 1), ring="two")
    result, ours = play(tape)
    clean(result, finished=2)
    first, second = ours.jobs
    assert second.run >= first.done


def test_on_one_ring_it_does_not_unless_pipelining_is_off(tape, play):
    tape.job(1, 2, 22, (A, 1))
    tape.job(1, 3, 23, (B, 1), (A, 1))
    result, ours = play(tape)
    clean(result, finished=2)
    assert ours.jobs[1].run < ours.jobs[0].done
    tape.held(2.5, (B, 1), (A, 1))
    result, ours = play(tape)
    clean(result, finished=2)
    assert ours.jobs[1].run >= ours.jobs[0].done


def test_a_dependency_on_a_scheduled_fence(tape, play):
    tape.job(1, 10, 40, (A, 1), (90, 1), ring="one")
    tape.signaled(10, (90, 1))
    tape.job(1, 11, 12, (B, 1), (A - 1, 1), ring="two")
    result, ours = play(tape)
    clean(result, finished=2)
    one, two = ours.jobs
    assert one.run < two.run < one.done


def test_a_gang_depends_on_jobs_that_are_queued_later(tape, play):
    for number in range(1, 6):
        at = number * 5
        tape.queue(at, (A, number), (B - 1, number), (C, number), ring="one")
        tape.queue(at + 0.01, (B, number), ring="two")
        tape.queue(at + 0.02, (C, number), ring="one")
        tape.run(at + 0.1, (B, number), ring="two")
        tape.run(at + 0.1, (C, number), ring="one")
        tape.done(at + 0.2, (C, number))
        tape.run(at + 0.3, (A, number), ring="one")
        tape.done(at + 0.9, (B, number))
        tape.done(at + 1, (A, number))
    result, ours = play(tape)
    clean(result, finished=15)
    assert result.warnings == []
    assert [ring.inversions for ring in result.rings] == [0, 0]
    for leader in ours.entities[0].jobs:
        member = job_of(ours, ours.entities[1].context, leader.seqno)
        assert leader.run > member.run


def test_a_stranger_s_fence_signals_when_it_did(tape, play):
    tape.job(1, 30, 31, (A, 1), (90, 1))
    tape.signaled(29, (90, 1))
    tape.job(2, 3, 4, (B, 1))
    result, ours = play(tape)
    clean(result, finished=2)
    assert order(ours) == [(1, 1), (0, 1)]
    assert ours.jobs[0].run - ours.jobs[0].arrival >= 15 * MS
    assert result.rings[0].inversions == 0


def test_a_killed_entity_s_jobs_are_cancelled_when_they_were(tape, play):
    tape.job(1, 2, 5, (A, 1))
    for number in range(2, 30):
        tape.queue(3, (A, number))
        tape.signaled(20, (A, number))
    tape.job(4, 21, 22, (B, 1), (A, 29), ring="other")
    tape.job(4, 6, 30, (C, 1))
    result, ours = play(tape)
    clean(result, finished=3, cancelled=28)
    assert result.recorded.jobs == JobCount(31, 3, 0, 28)
    assert order(ours, "other") == [(1, 1)]
    waiting = job_of(ours, ours.entities[1].context, 1)
    killed = ours.entities[0].killed
    assert waiting.run >= killed
    assert killed - ours.jobs[0].arrival >= 10 * MS


def test_a_job_that_did_run_is_not_killed_because_the_port_is_late(tape, play):
    # At this speed the port is nowhere near when the entity is to be killed.
    for number in range(1, 40):
        tape.job(1 + number * 0.01, 2 + number * 0.01, 3 + number * 0.01, (A, number))
    tape.queue(3.5, (A, 40))
    tape.signaled(3.6, (A, 40))
    result, _ = play(tape, scale=0.002)
    clean(result, finished=39, cancelled=1)


def test_an_entity_that_moves_is_served_by_both_rings(tape, play):
    for number in range(1, 21):
        at = number * 3
        tape.job(at, at + 0.1, at + 1, (A, number), ring="one" if number % 3 else "two")
    result, ours = play(tape)
    clean(result, finished=20)
    assert [ring.jobs for ring in result.rings] == [14, 6]
    assert [ring.inversions for ring in result.rings] == [0, 0]
    assert [job.ring.name for job in ours.jobs] == [
        "one" if number % 3 else "two" for number in range(1, 21)
    ]


def on_ring(path):
    """The greatest number of credits in use at a run."""
    runs = (event for _, event in Reader(path) if event.name == "drm_sched_job_run")
    return max(event.values[5] for event in runs)


def test_the_recorded_credit_limit_holds(tape, play, tmp_path):
    for number in range(1, 11):
        tape.queue(1, (A, number))
    for number in range(1, 11):
        tape.run(2 + (number - 1) * 5, (A, number))
        tape.done(2 + number * 5 - 0.1, (A, number))
    result, _ = play(tape)
    clean(result, finished=10)
    assert on_ring(str(tmp_path / "out")) == 1


def test_another_can_be_asked_for(tape, play, tmp_path):
    for number in range(1, 11):
        tape.queue(1, (A, number))
    for number in range(1, 11):
        tape.run(2, (A, number))
        tape.done(2 + number, (A, number))
    play(tape)
    assert on_ring(str(tmp_path / "out")) > 3
    result, _ = play(tape, credits=3)
    clean(result, finished=10)
    assert on_ring(str(tmp_path / "out")) == 3


@pytest.mark.long
def test_thousands_of_jobs_fit_on_a_ring(tape, play, tmp_path):
    jobs = 4500
    tape.queue(0, (A, 1))
    tape.run(0, (A, 1))
    for number in range(2, jobs + 1):
        tape.queue(0.001 * number, (A, number))
        tape.run(0.001 * number, (A, number))
    tape.done(1500, (A, 1))
    for number in range(2, jobs + 1):
        tape.done(1500 + 0.001 * number, (A, number))
    result, _ = play(tape)
    clean(result, finished=jobs)
    assert result.warnings == []
    assert on_ring(str(tmp_path / "out")) > 4200


def test_jobs_of_many_credits(tape, play):
    used = 0
    for number, size in enumerate([3, 1, 4, 1, 5, 9, 2, 6], 1):
        tape.queue(number, (A, number))
        used += size
        tape.run(number + 0.1, (A, number), used=used)
    for number in range(1, 9):
        tape.done(20 + number, (A, number))
    result, ours = play(tape)
    clean(result, finished=8)
    assert [job.credits for job in ours.jobs] == [3, 1, 4, 1, 5, 9, 2, 6]
    result, _ = play(tape, credits=4)
    clean(result, finished=8)
    assert result.warnings == []


def test_a_recording_that_began_and_ended_in_the_middle(tape, play):
    tape.run(1, (A, 7))
    tape.done(3, (A, 7))
    tape.done(3.5, (B, 2))
    tape.job(1, 4, 5, (A, 8), (A, 6), (90, 1))
    tape.queue(6, (A, 9))
    tape.run(7, (A, 9))
    tape.queue(6, (B, 3))
    tape.job(1, 2, 30, (C, 1), ring="other")
    result, _ = play(tape)
    clean(result, finished=4, cancelled=1)
    assert len(result.warnings) == 5
    assert result.entities[0].gpu_ms == pytest.approx(2 + 1 + 23, abs=0.001)


# -- endings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.0, 0.05, 0.3])
def test_a_stopped_replay_ends_soon_and_accounts_for_every_job(tape, tmp_path, after):
    for number in range(1, 200):  # on two rings, with every kind of dependency
        at = number * 10
        tape.queue(at, (A, number), (90, number), ring="one")
        tape.queue(at, (B, number), (A, number), (C - 1, number), ring="two")
        tape.queue(at + 1, (C, number), ring="one")
        tape.run(at + 2, (C, number), ring="one")
        tape.signaled(at + 3, (90, number))
    for number in range(1, 200):
        at = 3000 + number * 10_000
        tape.run(at, (A, number), ring="one")
        tape.done(at + 5000, (A, number))
        tape.done(at + 5001, (C, number))
        tape.run(at + 5002, (B, number), ring="two")
        tape.done(at + 6000, (B, number))
    tape.queue(2_500_000, (9, 1))
    tape.queue(2_600_000, (9, 2))
    recording = tape.load(tmp_path)
    stop = threading.Event()
    timer = threading.Timer(after, stop.set)
    timer.start()
    begin = time.monotonic()
    result = replay(recording, stop=stop)
    timer.join()
    assert time.monotonic() - begin < after + 15  # not half an hour
    assert result.interrupted
    count = result.jobs
    assert count.submitted == count.finished + count.cancelled
    assert count.failed == 0
    assert result.leaks == 0
    assert not [text for text in result.warnings if "WARN" in text]


def test_a_trace_that_cannot_be_written_is_one_line(tape, tmp_path):
    tape.job(1, 2, 3, (A, 1))
    with pytest.raises(
        InputError, match=r"the trace cannot be written \(No such file or directory\)"
    ):
        replay(tape.load(tmp_path), trace_out=str(tmp_path / "missing" / "out"))


SAMPLE = [
    line
    for line in lzma.open(RECORDING).read().splitlines(keepends=True)[3700:6000]
    if b"_init" not in line and b"_destroy" not in line
]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(0, len(SAMPLE) - 300),
    st.lists(st.sampled_from(DAMAGE), min_size=1, max_size=3),
    st.sampled_from(sorted(POLICIES)),
)
def test_what_is_left_of_a_mangled_recording_plays(tmp_path_factory, seed, start, kinds, policy):
    path = tmp_path_factory.getbasetemp() / "mangled"
    path.write_bytes(mangle(SAMPLE[start : start + 300], seed, kinds))
    try:
        recording = load(str(path))
    except InputError:
        return
    if recording.end - recording.begin > 20 * 10**9:
        return
    result = replay(recording, policy=policy, scale=0.02)
    cancelled = sum(job.cancelled for job in recording.jobs)
    clean(result, finished=len(recording.jobs) - cancelled, cancelled=cancelled)
    assert result.warnings == recording.warnings


# -- a port that is too slow -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late_ms", "scale", "note"),
    [
        (0, 1.0, None),
        (999, 1.0, None),  # not worth a word
        (1000, 1.0, "1.0 s late with the jobs of 4.0 s; --scale 2 "),
        (15_000, 1.0, "15.0 s late with the jobs of 4.0 s; --scale 5 "),
        (15_000, 10.0, "15.0 s late with the jobs of 4.0 s; --scale 48 "),
        (15_000, 0.05, None),  # 0.75 s on the wall
        (190, 10.0, None),  # a small part of the recording
    ],
)
def test_a_port_that_falls_behind_is_said_to(tape, tmp_path, late_ms, scale, note):
    tape.job(0, 1, 2, (A, 1))
    tape.job(4000, 4001, 4002, (A, 2))
    text = late_note(tape.load(tmp_path), late_ms * MS, scale)
    assert text is None if note is None else note in text


def test_a_port_that_keeps_up_is_not(tape, play, monkeypatch):
    monkeypatch.setattr("kport.workload.replay.LATE", 0.0)
    for number in range(5):
        tape.job(number * 200, number * 200 + 1, number * 200 + 2, (A, number + 1))
    monkeypatch.setattr("kport.workload.replay.LATE_PART", 1.0)
    assert play(tape)[0].warnings == []
    monkeypatch.setattr("kport.workload.replay.LATE_PART", 0.0)
    (note,) = play(tape)[0].warnings
    assert note.startswith("the port was up to 0.")
