# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Data races in explorations: the two accesses are named and shown, known ones are counted."""

from __future__ import annotations

from kport.arch.asm import READ_ONCE, WRITE_ONCE
from kport.explore import explore, replay
from kport.explore.racing import race_of
from kport.linux.completion import complete, completion, init_completion, wait_for_completion
from kport.linux.init import Kernel
from kport.linux.kthread import kthread_run
from kport.linux.struct import struct
from kport.museum.scenarios import SCENARIOS


class shared(struct):
    value: int


def the_read_is_plain(kernel: Kernel) -> None:
    s, done = shared(), completion()
    init_completion(done)

    def writer(_: object) -> int:
        s.value = 1
        complete(done)
        return 0

    kthread_run(writer, None, "writer")
    seen = s.value
    wait_for_completion(done)
    assert seen in (0, 1)


def every_access_is_marked(kernel: Kernel) -> None:
    s, done = shared(), completion()
    init_completion(done)

    def writer(_: object) -> int:
        WRITE_ONCE(s, "value", 1)
        complete(done)
        return 0

    kthread_run(writer, None, "writer")
    READ_ONCE(s, "value")
    wait_for_completion(done)


def test_the_two_accesses_are_named_and_shown() -> None:
    result = explore(the_read_is_plain, schedules=200, check="races")
    (failure,) = result.failures
    assert failure.kind == "races"
    assert failure.repeated
    (sentence,) = [line for line in failure.report.splitlines() if "nothing orders" in line]
    assert sentence.startswith("shared.value: nothing orders ")
    assert "writer (writes, writer, " in sentence
    assert "MainThread (reads, the_read_is_plain, " in sentence
    rows = failure.report.partition("  step  ")[2]
    assert "s.value = 1" in rows
    assert "seen = s.value" in rows
    assert failure.steps <= 12
    again = replay(failure.token, the_read_is_plain)
    assert again is not None
    assert again.report == failure.report


def test_what_is_marked_is_no_race() -> None:
    result = explore(every_access_is_marked, schedules=200, check="races")
    assert result.failures == []
    assert result.known == {}


def test_races_that_the_kernel_is_known_for_are_counted_and_no_failure() -> None:
    result = explore(SCENARIOS["timeout-late"], schedules=120, check="races")
    assert result.failures == []
    title = "data-race in drm_sched_job_cleanup / drm_sched_job_done (drm_sched_job.s_fence)"
    assert result.known[title] >= 1
    assert result.to_json()["known"] == result.known


def test_a_report_of_another_kind_is_about_no_race() -> None:
    assert race_of("BUG: KASAN: slab-use-after-free in f\n\nread of size 8\n") is None
