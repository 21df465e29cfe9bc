# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Dependencies of a recording: on jobs, on strangers, and never in circles."""

from __future__ import annotations

import pytest

from tests.workload.tape import MS, Tape, job_of

A, B = 3, 5  # contexts of two entities


@pytest.fixture
def tape():
    return Tape()


def test_dependencies_on_finished_and_scheduled_fences(tape, tmp_path):
    tape.job(1, 2, 5, (A, 1))
    tape.job(1, 6, 8, (B, 1), (A, 1), ring="dma")
    tape.job(1, 3, 9, (7, 1), (A - 1, 1), ring="dma")
    recording = tape.load(tmp_path)
    (finished,) = job_of(recording, B, 1).depends
    (scheduled,) = job_of(recording, 7, 1).depends
    first = job_of(recording, A, 1)
    assert (finished.job, finished.scheduled) == (first, False)
    assert (scheduled.job, scheduled.scheduled) == (first, True)


def test_a_dependency_on_a_job_queued_later_stays_if_it_ran_before(tape, tmp_path):
    tape.queue(1, (A, 1), (B - 1, 1))  # a gang: the leader waits for its member
    tape.queue(1.1, (B, 1))
    tape.run(2, (B, 1))
    tape.run(3, (A, 1))
    tape.done(4, (B, 1))
    tape.done(5, (A, 1))
    recording = tape.load(tmp_path)
    (dependency,) = job_of(recording, A, 1).depends
    assert dependency.job is job_of(recording, B, 1)
    assert recording.warnings == []


def test_a_dependency_on_a_job_that_ran_later_is_left_out(tape, tmp_path):
    tape.job(1, 2, 5, (A, 1), (B, 1))
    tape.job(1, 3, 6, (B, 1), (A, 1))
    recording = tape.load(tmp_path)
    assert job_of(recording, A, 1).depends == []
    assert len(job_of(recording, B, 1).depends) == 1
    assert recording.warnings == [
        "dependencies on jobs that had not run by then, left out: 1 (first at line 13)"
    ]


def test_a_fence_of_somebody_else_signals_when_it_did(tape, tmp_path):
    tape.job(1, 6, 8, (A, 1), (90, 4))
    tape.signaled(5, (90, 4))
    recording = tape.load(tmp_path)
    (dependency,) = recording.jobs[0].depends
    assert dependency.job is None
    assert (dependency.fence.context, dependency.fence.seqno) == (90, 4)
    assert dependency.fence.signaled == 5 * MS
    assert recording.warnings == []


def test_its_numbers_are_compared_as_32_bits(tape, tmp_path):
    tape.job(1, 6, 8, (A, 1), (90 + (1 << 40), 4 + (7 << 32)))
    tape.signaled(5, (90, 4))
    (dependency,) = tape.load(tmp_path).jobs[0].depends
    assert dependency.fence.signaled == 5 * MS


def test_one_that_had_signalled_already_is_nothing_to_wait_for(tape, tmp_path):
    tape.signaled(0.5, (90, 4))
    tape.job(1, 6, 8, (A, 1), (90, 4))
    recording = tape.load(tmp_path)
    assert recording.jobs[0].depends == []
    assert recording.warnings == []


def test_without_the_signal_it_is_the_run_of_what_was_held_back(tape, tmp_path):
    tape.job(1, 6, 8, (A, 1), (90, 4))
    tape.held(2, (A, 1), (90, 4))
    tape.job(1, 7, 9, (B, 1), (90, 4))
    recording = tape.load(tmp_path)
    fences = {job.depends[0].fence for job in recording.jobs}
    (fence,) = fences
    assert fence.signaled == 6 * MS


def test_what_only_the_run_queue_knew_is_a_dependency_too(tape, tmp_path):
    tape.job(1, 6, 8, (A, 1))
    tape.held(2, (A, 1), (90, 4))
    (dependency,) = tape.load(tmp_path).jobs[0].depends
    assert dependency.fence.signaled == 6 * MS


def test_a_fence_of_which_nothing_is_known_is_left_out(tape, tmp_path):
    tape.job(1, 6, 8, (A, 1), (90, 4), (91, 1))
    recording = tape.load(tmp_path)
    assert recording.jobs[0].depends == []
    assert recording.warnings == [
        "dependencies on fences of which nothing is known, left out: 2 (first at line 13)"
    ]


def test_held_back_by_the_finished_fence_of_the_same_ring_means_no_pipelining(tape, tmp_path):
    tape.job(1, 2, 5, (A, 1))
    tape.job(1, 6, 8, (B, 1), (A, 1))
    tape.held(3, (B, 1), (A, 1))
    recording = tape.load(tmp_path)
    assert not job_of(recording, A, 1).pipelined
    assert len(job_of(recording, B, 1).depends) == 1


def test_held_back_by_the_scheduled_fence_is_the_same_dependency(tape, tmp_path):
    tape.job(1, 4, 5, (A, 1))
    tape.job(1, 6, 8, (B, 1), (A, 1))
    tape.held(3, (B, 1), (A - 1, 1))
    recording = tape.load(tmp_path)
    assert job_of(recording, A, 1).pipelined
    (dependency,) = job_of(recording, B, 1).depends
    assert not dependency.scheduled


def test_waiting_for_a_killed_job_needs_the_time_of_the_kill(tape, tmp_path):
    tape.queue(1, (A, 1))
    tape.signaled(3, (A, 1))
    tape.job(2, 4, 5, (B, 1), (A, 1))
    recording = tape.load(tmp_path)
    assert job_of(recording, B, 1).depends[0].job is job_of(recording, A, 1)
    unknown = Tape()
    unknown.queue(1, (A, 1))
    unknown.job(2, 4, 5, (B, 1), (A, 1))
    assert job_of(unknown.load(tmp_path), B, 1).depends == []


def test_whatever_depends_on_whatever_there_is_no_circle(tape, tmp_path):
    jobs = [(context, seqno) for context in (3, 5, 7, 9) for seqno in range(1, 6)]
    for number, job in enumerate(jobs):
        others = [other for other in jobs if other != job]
        tape.job(1 + number * 0.01, 2 + (number * 7 % 20), 30 + number, job, *others)
    recording = tape.load(tmp_path)
    below = {job: {d.job for d in job.depends} for job in recording.jobs}
    for entity in recording.entities:
        for before, after in zip(entity.jobs, entity.jobs[1:], strict=False):
            below[after].add(before)
    done: set = set()
    while ready := {job for job in below if job not in done and below[job] <= done}:
        done |= ready
    assert done == set(below)
