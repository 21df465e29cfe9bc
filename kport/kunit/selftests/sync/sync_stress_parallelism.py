# SPDX-FileCopyrightText: 2012-2013 Google, Inc
# SPDX-FileCopyrightText: 2015-2016 Collabora Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from tools/testing/selftests/sync/sync_stress_parallelism.c,
# Linux 7.2.13, on 2026-11-21.
"""Two threads that take turns by one timeline."""

from __future__ import annotations

from typing import Any

from kport.kunit.selftests.libc import pthread_create, pthread_join
from kport.kunit.selftests.sync.sync import (
    sw_sync_fence_create,
    sw_sync_fence_destroy,
    sw_sync_fence_is_valid,
    sw_sync_timeline_create,
    sw_sync_timeline_destroy,
    sw_sync_timeline_inc,
    sw_sync_timeline_is_valid,
    sync_wait,
)
from kport.kunit.selftests.sync.synctest import ASSERT, ASSERTS, SCALE
from kport.linux.struct import struct


class struct_test_data_two_threads(struct):
    """What the threads share; only the one whose turn it is touches `counter`."""

    iterations: int
    timeline: int
    counter: int


test_data_two_threads = struct_test_data_two_threads()


@ASSERTS
def test_stress_two_threads_shared_timeline_thread(d: Any) -> int:
    """Wait for one's turn, count, and give the turn to the other.

    tools/testing/selftests/sync/sync_stress_parallelism.c:40-73, Linux 7.2.13
    """
    thread_id = d
    timeline = test_data_two_threads.timeline
    iterations = test_data_two_threads.iterations

    for i in range(0, iterations):
        fence = sw_sync_fence_create(timeline, "fence", i * 2 + thread_id)
        valid = sw_sync_fence_is_valid(fence)
        ASSERT(valid, "Failure allocating fence\n")

        ret = sync_wait(fence, -1)
        ASSERT(ret > 0, "Problem occurred on prior thread\n")

        ASSERT(
            test_data_two_threads.counter == i * 2 + thread_id,
            "Counter got damaged!\n",
        )
        test_data_two_threads.counter += 1

        ret = sw_sync_timeline_inc(timeline, 1)
        ASSERT(ret == 0, "Advancing timeline failed\n")

        sw_sync_fence_destroy(fence)

    return 0


@ASSERTS
def test_stress_two_threads_shared_timeline() -> int:
    """The threads do not get in each other's way.

    tools/testing/selftests/sync/sync_stress_parallelism.c:75-111, Linux 7.2.13
    """
    timeline = sw_sync_timeline_create()

    valid = sw_sync_timeline_is_valid(timeline)
    ASSERT(valid, "Failure allocating timeline\n")

    test_data_two_threads.iterations = (1 << 16) // SCALE  # kport: model
    test_data_two_threads.counter = 0
    test_data_two_threads.timeline = timeline

    a = pthread_create(test_stress_two_threads_shared_timeline_thread, 0)  # kport: model
    b = pthread_create(test_stress_two_threads_shared_timeline_thread, 1)  # kport: model

    pthread_join(a)  # kport: model
    pthread_join(b)  # kport: model

    ASSERT(
        test_data_two_threads.counter == test_data_two_threads.iterations * 2,
        "Counter has unexpected value\n",
    )

    sw_sync_timeline_destroy(timeline)

    return 0
