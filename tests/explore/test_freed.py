# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A use after free in an exploration: the report says who freed what, and who used it."""

from __future__ import annotations

import pytest

from kport.explore import explore, replay
from kport.explore.freed import sentence
from kport.linux.completion import complete, completion, init_completion, wait_for_completion
from kport.linux.init import Kernel
from kport.linux.kthread import kthread_run
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.struct import struct
from kport.museum.findings.late_6_1 import kill_behind_a_job_that_is_over


class shared(struct):
    value: int


def freed_under_a_reader(kernel: Kernel) -> None:
    s, done = kzalloc_obj(shared), completion()
    init_completion(done)

    def reader(_: object) -> int:
        seen = s.value
        complete(done)
        return int(seen)

    kthread_run(reader, None, "reader")
    kfree(s)
    wait_for_completion(done)


@pytest.mark.parametrize("check", ["", "memory"])
def test_who_freed_it_is_said_with_and_without_the_check(check: str) -> None:
    result = explore(freed_under_a_reader, schedules=200, check=check)
    (failure,) = result.failures
    assert failure.repeated
    assert failure.kind == "oops"
    for text in ("BUG: KASAN: slab-use-after-free in reader", "Allocated by task 1:",
                 "Freed by task 1:", "The member is struct shared.value"):  # fmt: skip
        assert failure.report.count(text) >= 1
    assert ("The same with --check memory:" in failure.report) is (check == "")
    (why,) = [line for line in failure.report.splitlines() if ", then reader/" in line]
    assert why.startswith("shared.value: task 1 freed it (freed_under_a_reader, ")
    assert " used it (reader, " in why
    again = replay(failure.token, freed_under_a_reader)
    assert again is not None
    assert again.report == failure.report


def test_who_allocated_what_a_kernel_leaves_is_said() -> None:
    result = explore(kill_behind_a_job_that_is_over, schedules=1, sched="v6_1")
    (failure,) = result.failures
    assert "Slab cache still has objects" in failure.headline
    assert "kmemleak: 1 new suspected memory leaks" in failure.report
    assert "    drm_sched_fence_alloc+kport/drm/scheduler/v6_1/" in failure.report


def test_a_null_pointer_has_no_second_look() -> None:
    def scenario(kernel: Kernel) -> None:
        done = completion()
        init_completion(done)

        def user(_: object) -> int:
            complete(done)
            nothing = None
            return int(nothing.value)  # type: ignore[attr-defined]

        kthread_run(user, None, "user")
        wait_for_completion(done)

    result = explore(scenario, schedules=50)
    (failure,) = result.failures
    assert "has no attribute 'value'" in failure.headline
    assert "KASAN" not in failure.report


def test_a_report_of_another_kind_has_no_sentence() -> None:
    assert sentence("BUG: deadlock: no task can run and no event is to come") == ""
