# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Recordings with holes: what is made of them, and what is said about it."""

from __future__ import annotations

import pytest

from tests.workload.tape import MS, Tape, job_of

A, B = 3, 5  # contexts of two entities


@pytest.fixture
def tape():
    return Tape()


def test_a_plain_job(tape, tmp_path):
    tape.job(1, 2, 5, (A, 1))
    recording = tape.load(tmp_path)
    (job,) = recording.jobs
    assert (job.arrival, job.run, job.done) == (1 * MS, 2 * MS, 5 * MS)
    assert job.gpu_ns == 3 * MS
    assert job.wait_ns == 1 * MS
    assert (job.client, job.comm, job.pid) == (1, "app", 100)
    assert (recording.begin, recording.end) == (1 * MS, 5 * MS)
    assert recording.warnings == []


def test_gpu_time_is_from_the_done_before_on_the_same_ring(tape, tmp_path):
    tape.job(1, 2, 5, (A, 1))
    tape.job(1, 2, 9, (B, 1))
    tape.job(1, 2, 4, (7, 1), ring="dma")
    tape.job(1, 12, 13, (A, 2))
    recording = tape.load(tmp_path)
    gpu = {(job.entity.context, job.seqno): job.gpu_ns // MS for job in recording.jobs}
    assert gpu == {(A, 1): 3, (B, 1): 4, (7, 1): 2, (A, 2): 1}


def test_jobs_done_out_of_order_share_the_time(tape, tmp_path):
    tape.queue(1, (A, 1))
    tape.queue(1, (B, 1))
    tape.run(2, (A, 1))
    tape.run(2, (B, 1))
    tape.done(6, (B, 1))
    tape.done(7, (A, 1))
    recording = tape.load(tmp_path)
    assert job_of(recording, B, 1).gpu_ns == 4 * MS
    assert job_of(recording, A, 1).gpu_ns == 1 * MS


def test_the_same_ring_name_on_two_devices_is_two_rings(tape, tmp_path):
    tape.job(1, 2, 3, (A, 1), dev="one")
    tape.job(1, 2, 3, (B, 1), dev="two")
    recording = tape.load(tmp_path)
    assert [(ring.dev, len(ring.jobs)) for ring in recording.rings()] == [("one", 1), ("two", 1)]


def test_run_without_queue_arrives_just_in_time(tape, tmp_path):
    tape.run(1, (A, 7))
    tape.done(3, (A, 7))
    tape.run(5, (A, 8))
    tape.queue(2, (A, 9))
    tape.run(6, (A, 9))
    tape.done(6.5, (A, 8))
    tape.done(7, (A, 9))
    recording = tape.load(tmp_path)
    assert [(job.seqno, job.arrival // MS, job.seen) for job in recording.jobs] == [
        (7, 1, False),
        (8, 2, False),  # not at 5: the next job of the entity was queued at 2
        (9, 2, True),
    ]
    assert [job.wait_ns for job in recording.jobs] == [None, None, 4 * MS]
    assert recording.warnings == [
        "jobs run but never queued, taken to arrive just in time: 2 (first at line 13)"
    ]


def test_queue_without_run_at_the_end_is_a_killed_entity(tape, tmp_path):
    tape.job(1, 2, 5, (A, 1))
    tape.queue(3, (A, 2))
    tape.queue(4, (A, 3))
    tape.signaled(6, (A, 2))
    tape.signaled(6.5, (A, 3))
    tape.job(7, 8, 20, (B, 1))
    recording = tape.load(tmp_path)
    entity = recording.entities[0]
    assert [job.cancelled for job in entity.jobs] == [False, True, True]
    assert entity.killed == 6 * MS
    assert recording.warnings == [
        "jobs queued but never run, cancelled here too: 2 (first at line 15)"
    ]


def test_without_a_signal_the_kill_is_the_end_of_the_recording(tape, tmp_path):
    tape.queue(3, (A, 1))
    tape.job(7, 8, 20, (B, 1))
    recording = tape.load(tmp_path)
    assert recording.entities[0].killed == 20 * MS


def test_queue_without_run_in_the_middle_did_run(tape, tmp_path):
    tape.queue(1, (A, 1))
    tape.job(2, 3, 5, (A, 2))
    recording = tape.load(tmp_path)
    job = job_of(recording, A, 1)
    assert not job.cancelled
    assert job.gpu_ns == 0
    assert recording.entities[0].killed is None
    what = "jobs never run though later ones of their entity were, taken to need no time"
    assert recording.warnings == [f"{what}: 1 (first at line 13)"]


def test_run_without_done_at_the_end_lasts_to_the_end(tape, tmp_path):
    tape.job(1, 2, 5, (A, 1))
    tape.queue(1, (A, 2))
    tape.run(3, (A, 2))
    tape.job(1, 2, 30, (B, 1), ring="dma")
    recording = tape.load(tmp_path)
    assert job_of(recording, A, 2).gpu_ns == 25 * MS
    assert recording.warnings == ["jobs run but never done: 1 (first at line 14)"]


def test_run_without_done_in_the_middle_is_in_the_time_of_the_next(tape, tmp_path):
    tape.queue(1, (A, 1))
    tape.run(2, (A, 1))
    tape.job(1, 3, 9, (A, 2))
    recording = tape.load(tmp_path)
    assert job_of(recording, A, 1).gpu_ns == 0
    assert job_of(recording, A, 2).gpu_ns == 6 * MS


def test_done_without_run_counts_from_the_arrival(tape, tmp_path):
    tape.queue(1, (A, 1))
    tape.done(4, (A, 1))
    recording = tape.load(tmp_path)
    (job,) = recording.jobs
    assert job.gpu_ns == 3 * MS
    assert not job.cancelled
    assert recording.warnings == [
        "jobs done but never run, taken to run when they can: 1 (first at line 14)"
    ]


def test_contradictions_are_ignored_and_counted(tape, tmp_path):
    tape.done(0, (9, 9))
    tape.job(1, 2, 5, (A, 1))
    tape.queue(6, (A, 1))
    tape.run(7, (A, 1))
    tape.done(8, (A, 1))
    tape.add(8, "drm_sched_job_add_dep", 9, 9, A, 1)
    tape.queue(9, (B, 1))
    tape.run(10, (B, 1), ring="dma")
    tape.done(11, (B, 1))
    recording = tape.load(tmp_path)
    assert [(job.run, job.done) for job in recording.jobs] == [
        (2 * MS, 5 * MS),
        (10 * MS, 11 * MS),
    ]
    assert job_of(recording, B, 1).ring.name == "dma"
    assert recording.warnings == [
        "done events of jobs never seen, ignored: 1 (first at line 13)",
        "queue events of jobs that had been queued or run, ignored: 1 (first at line 17)",
        "run events of jobs that had run or were done, ignored: 1 (first at line 18)",
        "jobs done a second time, ignored: 1 (first at line 19)",
        "dependencies of jobs never seen, ignored: 1 (first at line 20)",
        "jobs run on another ring than they were queued to: 1 (first at line 22)",
    ]


def test_an_idle_entity_may_change_its_ring(tape, tmp_path):
    tape.job(1, 2, 5, (A, 1))
    tape.job(6, 7, 8, (A, 2), ring="dma")
    recording = tape.load(tmp_path)
    assert [job.ring.name for job in recording.jobs] == ["gfx", "dma"]
    assert recording.warnings == []


def test_a_busy_one_cannot(tape, tmp_path):
    tape.job(1, 2, 5, (A, 1))
    tape.job(4, 7, 8, (A, 2), ring="dma")
    recording = tape.load(tmp_path)
    assert [job.ring.name for job in recording.jobs] == ["gfx", "gfx"]
    assert len(list(recording.rings())) == 1
    assert recording.warnings == [
        "jobs on another ring while their entity is busy, kept on the old one: 1 (first at line 15)"
    ]
