# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The selftest of sync files passes as a suite and as a program, and fails where it must."""

from __future__ import annotations

import functools

import pytest

import kport
from kport.arch.strategy import RoundRobin
from kport.dma_buf import sw_sync
from kport.kunit.selftests import libc
from kport.kunit.selftests.libc import ProcessExit, fork, waitpid
from kport.kunit.selftests.sync import (
    sync_stress_consumer,
    sync_stress_merge,
    sync_stress_parallelism,
    sync_test,
)
from kport.kunit.selftests.sync.sync import sw_sync_fence_create, sw_sync_timeline_create
from kport.kunit.test import KUNIT_FAILURE, kunit_init_suite, kunit_run_tests
from kport.linux.fs import special_files
from tests.kunit.lib.runs import run, totals
from tests.support import messages

SUITE = sync_test.sync_test_suite
STRESS = (sync_stress_consumer, sync_stress_merge, sync_stress_parallelism)


def scale(monkeypatch, factor: int) -> None:
    """Make the loops of the stress tests so many times shorter than in C."""
    for module in STRESS:
        monkeypatch.setattr(module, "SCALE", factor)


@pytest.mark.timeout(120)
def test_the_suite_passes(boot):
    assert totals(run(boot, SUITE)) == (10, 0, 0, 10)


@pytest.mark.virt_only("the seeds are those of the machine virt")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_suite_passes_with_other_seeds_and_short_turns(monkeypatch, seed):
    scale(monkeypatch, 256)
    strategy = RoundRobin(seed, 5)
    log = run(functools.partial(kport.boot, "virt", strategy=strategy, debug=True), SUITE)
    assert totals(log) == (10, 0, 0, 10)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_suite_passes_with_long_loops(boot, monkeypatch):
    scale(monkeypatch, 4)
    assert totals(run(boot, SUITE)) == (10, 0, 0, 10)


def test_the_program_prints_what_the_program_prints(boot, monkeypatch):
    scale(monkeypatch, 512)
    with boot() as kernel:
        status = sync_test.run_program()
        lines = messages(kernel)
    assert status == 0
    assert lines == [
        "TAP version 13",
        "1..10",
        "# [RUN]\tTesting sync framework",
        "ok 1 [RUN]\ttest_alloc_timeline",
        "ok 2 [RUN]\ttest_alloc_fence",
        "ok 3 [RUN]\ttest_alloc_fence_negative",
        "ok 4 [RUN]\ttest_fence_one_timeline_wait",
        "ok 5 [RUN]\ttest_fence_one_timeline_merge",
        "ok 6 [RUN]\ttest_fence_merge_same_fence",
        "ok 7 [RUN]\ttest_fence_multi_timeline_wait",
        "ok 8 [RUN]\ttest_stress_two_threads_shared_timeline",
        "ok 9 [RUN]\ttest_consumer_stress_multi_producer_single_consumer",
        "ok 10 [RUN]\ttest_merge_stress_random_merge",
        "# Totals: pass:10 fail:0 xfail:0 xpass:0 skip:0 error:0",
    ]
    assert not kernel.leaks, kernel.leaks.lines()


def test_the_program_is_skipped_without_the_driver(boot):
    with boot() as kernel:
        special_files.clear()
        assert sync_test.run_program() == 4
        assert messages(kernel) == [
            "TAP version 13",
            "1..0 # SKIP Sync framework not supported by kernel",
        ]


def never_signalled(fence) -> bool:
    """A wrong timeline_fence_signaled()."""
    return False


def test_a_timeline_that_signals_nothing_fails_the_program(boot, monkeypatch):
    """The stress tests are left out: they would wait for ever, as in C."""
    monkeypatch.setattr(sync_test, "TESTS", sync_test.TESTS[:7])
    monkeypatch.setattr(sw_sync, "timeline_fence_signaled", never_signalled)
    monkeypatch.setattr(sw_sync.timeline_fence_ops, "signaled", never_signalled)
    with boot() as kernel:
        assert sync_test.run_program() == 1
        lines = messages(kernel)
    assert "# [ERROR]\tFailure waiting on fence" in lines
    assert "not ok 4 [RUN]\ttest_fence_one_timeline_wait" in lines
    assert "ok 1 [RUN]\ttest_alloc_timeline" in lines
    assert "Bail out! 4 out of 7 sync tests failed" in lines
    assert lines[-1] == "# Totals: pass:3 fail:4 xfail:0 xpass:0 skip:0 error:0"


def test_a_failed_test_is_a_failed_case_with_its_message(boot, monkeypatch):
    def broken() -> int:
        sync_stress_merge.ASSERT(0, "broken\n")
        return 0

    broken.__name__ = "broken"
    case = sync_test._case(sync_stress_merge.ASSERTS(broken))
    monkeypatch.setattr(SUITE, "test_cases", [case])
    with boot() as kernel:
        kunit_init_suite(SUITE)
        kunit_run_tests(SUITE)
        lines = messages(kernel)
    assert case.status == KUNIT_FAILURE
    assert "    # [ERROR]\tbroken" in lines
    assert "    not ok 1 broken" in lines


def test_a_process_that_ends_kills_its_threads_and_closes_its_files(boot):
    ends = []

    def sleeper(fence: int) -> int:
        try:
            libc.poll([_pollfd(fence)], -1)
        except ProcessExit as leave:
            ends.append(leave.code)
            raise
        return 0

    def _pollfd(fd: int) -> libc.pollfd:
        one = libc.pollfd()
        one.fd, one.events = fd, libc.POLLIN
        return one

    def program() -> int:
        line = sw_sync_timeline_create()
        fence = sw_sync_fence_create(line, "never", 1)
        for _ in range(3):
            libc.pthread_create(sleeper, fence)
        libc.exit(7)
        return 0

    with boot() as kernel:
        assert waitpid(fork(program, "program")) == (True, 7)
    assert ends == [137, 137, 137]
    assert not kernel.leaks, kernel.leaks.lines()


def test_processes_have_descriptors_of_their_own(boot):
    def opens() -> int:
        return libc.open("/sys/kernel/debug/sync/sw_sync", libc.O_RDWR)

    with boot() as kernel:
        assert [waitpid(fork(opens, "program")) for _ in range(2)] == [(True, 3), (True, 3)]
    assert not kernel.leaks, kernel.leaks.lines()


def test_a_failed_call_is_minus_one_and_errno(boot):
    def program() -> int:
        assert libc.open("/nowhere", libc.O_RDWR) == -1
        assert libc.errno() == 2
        assert libc.close(99) == -1
        return libc.errno()

    with boot():
        assert waitpid(fork(program, "program")) == (True, 9)
