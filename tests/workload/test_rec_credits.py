# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Credits of jobs and limits of rings, as far as a recording shows them."""

from __future__ import annotations

import pytest

from tests.workload.tape import Tape

A = 3  # context of an entity


@pytest.fixture
def tape():
    return Tape()


def fill(tape, jobs, at_once, step=10):
    """`jobs` jobs queued at 1 ms, always `at_once` of them on the ring."""
    for number in range(1, jobs + 1):
        tape.queue(1, (A, number))
    events = [(2 + number * step, number, "done") for number in range(1, jobs + 1)]
    for number in range(1, jobs + 1):
        behind = number - at_once  # the job that makes room for this one
        events.append((2.5 + behind * step if behind > 0 else 2, number, "run"))
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
