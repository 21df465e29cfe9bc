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
    assert recording.warnings == [
        "jobs never run though later ones of their entity were, taken to need no time: 1 "
        "(first at line 13)"
    ]


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


# -- dependencies ----------------------------------------------------------------------------------


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


# -- credits ---------------------------------------------------------------------------------------


def fill(tape, jobs, at_once, step=10):
    """`jobs` jobs queued at 1 ms, always `at_once` of them on the ring."""
    for number in range(1, jobs + 1):
        tape.queue(1, (A, number))
    events = [
        *((2 + max(0, n - at_once) * step + 0.5 * (n > at_once), n, "run") for n in range(1, jobs + 1)),
        *((2 + n * step, n, "done") for n in range(1, jobs + 1)),
    ]  # fmt: skip
    for ms, number, what in sorted(events):
        getattr(tape, what)(ms, (A, number))


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_limit_shows_where_jobs_wait_for_it(tape, tmp_path, limit):
    fill(tape, 12, limit)
    (ring,) = tape.load(tmp_path).rings()
    assert ring.credit_limit == limit


def test_without_waiting_there_is_no_limit(tape, tmp_path):
    fill(tape, 12, 12)
    (ring,) = tape.load(tmp_path).rings()
    assert ring.credit_limit is None
    assert ring.slots == 12


def test_credits_of_jobs_that_take_several(tape, tmp_path):
    sizes = [3, 1, 4, 1, 5, 9, 2, 6]
    used = 0
    for number, size in enumerate(sizes, 1):
        tape.queue(number, (A, number))
        used += size
        tape.run(number + 0.1, (A, number), used=used)
    for number in range(1, len(sizes) + 1):
        tape.done(100 + number, (A, number))
    recording = tape.load(tmp_path)
    assert [job.credits for job in recording.jobs] == sizes


def test_a_counter_that_is_off_once_does_not_matter(tape, tmp_path):
    for number in range(1, 21):
        tape.queue(number, (A, number))
        tape.run(number + 0.1, (A, number), used=7 if number == 5 else None)
        tape.done(number + 0.5, (A, number))
    recording = tape.load(tmp_path)
    assert {job.credits for job in recording.jobs} == {1}


@pytest.mark.parametrize("used", [-5, 0, 0x7FFFFFFF])
def test_absurd_counters_give_usable_credits(tape, tmp_path, used):
    for number in range(1, 6):
        tape.queue(number, (A, number))
        tape.run(number + 0.1, (A, number), used=used)
        tape.done(number + 0.5, (A, number))
    recording = tape.load(tmp_path)
    assert all(1 <= job.credits <= 1 << 31 for job in recording.jobs)
