# SPDX-FileCopyrightText: 2012-2013 Google, Inc
# SPDX-FileCopyrightText: 2015-2016 Collabora Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from tools/testing/selftests/sync/sync_test.c, Linux 7.2.13, on 2026-11-21.
"""The program: main() prints what the program prints; the suite `sync` has the same ten tests.

Each test runs in a process of its own, which closes the descriptors that it leaves open.
"""

from __future__ import annotations

from collections.abc import Callable

import kport.dma_buf.sync_debug  # noqa: F401  # the driver must be there
from kport.kunit.selftests.kselftest import (
    ksft_exit_fail_msg,
    ksft_exit_pass,
    ksft_exit_skip,
    ksft_get_fail_cnt,
    ksft_indent,
    ksft_print_header,
    ksft_print_msg,
    ksft_reset,
    ksft_set_plan,
    ksft_test_num,
    ksft_test_result_fail,
    ksft_test_result_pass,
)
from kport.kunit.selftests.libc import errno, fork, stat, waitpid
from kport.kunit.selftests.sync.sync_alloc import (
    test_alloc_fence,
    test_alloc_fence_negative,
    test_alloc_timeline,
)
from kport.kunit.selftests.sync.sync_fence import (
    test_fence_one_timeline_merge,
    test_fence_one_timeline_wait,
)
from kport.kunit.selftests.sync.sync_merge import test_fence_merge_same_fence
from kport.kunit.selftests.sync.sync_stress_consumer import (
    test_consumer_stress_multi_producer_single_consumer,
)
from kport.kunit.selftests.sync.sync_stress_merge import test_merge_stress_random_merge
from kport.kunit.selftests.sync.sync_stress_parallelism import (
    test_stress_two_threads_shared_timeline,
)
from kport.kunit.selftests.sync.sync_wait import test_fence_multi_timeline_wait
from kport.kunit.test import (
    KUNIT_CASE,
    KUNIT_CASE_SLOW,
    kunit_case,
    kunit_suite,
    kunit_test_suite,
)
from kport.linux.err import EACCES, ENOENT
from kport.linux.kunit import KUNIT_EXPECT_EQ, KUNIT_SUBTEST_INDENT, kunit

TESTS: tuple[Callable[[], int], ...] = (
    test_alloc_timeline,
    test_alloc_fence,
    test_alloc_fence_negative,
    test_fence_one_timeline_wait,
    test_fence_one_timeline_merge,
    test_fence_merge_same_fence,
    test_fence_multi_timeline_wait,
    test_stress_two_threads_shared_timeline,
    test_consumer_stress_multi_producer_single_consumer,
    test_merge_stress_random_merge,
)


def run_test(test: Callable[[], int], name: str) -> int:
    """Run a test in a process and print its result; 0 if it has passed.

    tools/testing/selftests/sync/sync_test.c:40-63, Linux 7.2.13
    """
    childpid = fork(test, "sync_test")  # kport: model

    if childpid:
        exited, ret = waitpid(childpid)  # kport: model
        if exited:  # kport: model
            if not ret:
                ksft_test_result_pass("[RUN]\t%s\n", name)
            else:
                ksft_test_result_fail("[RUN]\t%s\n", name)
            return ret
        return 1

    # kport: model
    return 1  # kport: model


def sync_api_supported() -> None:
    """End the program if this kernel has no sw_sync.

    tools/testing/selftests/sync/sync_test.c:65-82, Linux 7.2.13
    """
    ret = stat("/sys/kernel/debug/sync/sw_sync")  # kport: model
    if not ret:
        return

    if errno() == ENOENT:  # kport: model
        ksft_exit_skip("Sync framework not supported by kernel\n")

    if errno() == EACCES:  # kport: model
        ksft_exit_skip("Run Sync test as root.\n")

    ksft_exit_fail_msg(  # kport: model
        "stat failed on /sys/kernel/debug/sync/sw_sync: %d", errno()
    )


def main() -> int:
    """The program.

    tools/testing/selftests/sync/sync_test.c:84-113, Linux 7.2.13
    """
    ksft_print_header()

    sync_api_supported()
    ksft_set_plan(3 + 7)

    ksft_print_msg("[RUN]\tTesting sync framework\n")

    for test in TESTS:  # kport: inlined
        run_test(test, test.__name__)  # kport: inlined

    err = ksft_get_fail_cnt()
    if err:
        ksft_exit_fail_msg(
            "%d out of %d sync tests failed\n",
            err,
            ksft_test_num(),
        )

    ksft_exit_pass()
    return 0  # kport: annotation


def run_program() -> int:
    """Run main() as a program of its own; returns its exit status."""
    ksft_reset()
    exited, status = waitpid(fork(main, "sync_test"))
    return status if exited else -1


STRESS = TESTS[7:]


def _case(program_test: Callable[[], int]) -> kunit_case:
    """A test of the program as a case: its lines are diagnostics, KUnit prints the result."""

    def run(test: kunit) -> None:
        ksft_reset()
        ksft_indent(KUNIT_SUBTEST_INDENT)
        ksft_print_msg("[RUN]\t%s\n", program_test.__name__)
        exited, status = waitpid(fork(program_test, "sync_test"))
        KUNIT_EXPECT_EQ(test, (exited, status), (True, 0))

    run.__name__ = program_test.__name__
    return KUNIT_CASE_SLOW(run) if program_test in STRESS else KUNIT_CASE(run)


sync_test_suite = kunit_suite(
    name="sync",
    test_cases=[_case(test) for test in TESTS],
)

kunit_test_suite(sync_test_suite)
