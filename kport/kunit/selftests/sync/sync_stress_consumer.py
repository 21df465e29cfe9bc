# SPDX-FileCopyrightText: 2012-2013 Google, Inc
# SPDX-FileCopyrightText: 2015-2016 Collabora Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from tools/testing/selftests/sync/sync_stress_consumer.c,
# Linux 7.2.13, on 2026-11-21.
"""Several producers and a consumer, in step by timelines; some of them wait busily."""

from __future__ import annotations

from typing import Any

from kport.kunit.selftests.libc import (
    pthread_create,
    pthread_join,
    pthread_mutex_init,
    pthread_mutex_lock,
    pthread_mutex_t,
    pthread_mutex_unlock,
)
from kport.kunit.selftests.sync.sync import (
    FENCE_STATUS_ACTIVE,
    FENCE_STATUS_ERROR,
    sw_sync_fence_create,
    sw_sync_fence_destroy,
    sw_sync_fence_is_valid,
    sw_sync_timeline_create,
    sw_sync_timeline_inc,
    sync_fence_count_with_status,
    sync_merge,
    sync_wait,
)
from kport.kunit.selftests.sync.synctest import ASSERT, ASSERTS, SCALE
from kport.linux.struct import struct


@ASSERTS
def busy_wait_on_fence(fence: int) -> int:
    """Ask until the fence has signalled: 0, or 1 for an error.

    tools/testing/selftests/sync/sync_stress_consumer.c:40-52, Linux 7.2.13
    """
    while True:
        error = sync_fence_count_with_status(fence, FENCE_STATUS_ERROR)
        ASSERT(error == 0, "Error occurred on fence\n")
        active = sync_fence_count_with_status(fence, FENCE_STATUS_ACTIVE)
        if not active:
            break

    return 0


class struct_test_data_mpsc(struct):
    """What the threads share."""

    iterations: int
    threads: int
    counter: int
    consumer_timeline: int
    producer_timelines: list[int] | None
    lock: pthread_mutex_t


test_data_mpsc = struct_test_data_mpsc()


@ASSERTS
def mpsc_producer_thread(d: Any) -> int:
    """Wait for the consumer, count, and move one's own timeline on.

    tools/testing/selftests/sync/sync_stress_consumer.c:63-104, Linux 7.2.13
    """
    id = d
    producer_timelines = test_data_mpsc.producer_timelines
    consumer_timeline = test_data_mpsc.consumer_timeline
    iterations = test_data_mpsc.iterations

    for i in range(0, iterations):
        fence = sw_sync_fence_create(consumer_timeline, "fence", i)
        valid = sw_sync_fence_is_valid(fence)
        ASSERT(valid, "Failure creating fence\n")

        if (iterations + id) % 8 != 0:
            ASSERT(sync_wait(fence, -1) > 0, "Failure waiting on fence\n")
        else:
            ASSERT(busy_wait_on_fence(fence) == 0, "Failure waiting on fence\n")

        pthread_mutex_lock(test_data_mpsc.lock)
        test_data_mpsc.counter += 1
        pthread_mutex_unlock(test_data_mpsc.lock)

        ASSERT(
            sw_sync_timeline_inc(producer_timelines[id], 1) == 0,
            "Error advancing producer timeline\n",
        )

        sw_sync_fence_destroy(fence)

    return 0


@ASSERTS
def mpcs_consumer_thread() -> int:
    """Wait for all producers at once, check their count, and let them go on.

    tools/testing/selftests/sync/sync_stress_consumer.c:106-151, Linux 7.2.13
    """
    producer_timelines = test_data_mpsc.producer_timelines
    consumer_timeline = test_data_mpsc.consumer_timeline
    iterations = test_data_mpsc.iterations
    n = test_data_mpsc.threads

    for it in range(1, iterations + 1):
        fence = sw_sync_fence_create(producer_timelines[0], "name", it)
        for i in range(1, n):
            tmp = sw_sync_fence_create(producer_timelines[i], "name", it)
            merged = sync_merge("name", tmp, fence)
            sw_sync_fence_destroy(tmp)
            sw_sync_fence_destroy(fence)
            fence = merged

        valid = sw_sync_fence_is_valid(fence)
        ASSERT(valid, "Failure merging fences\n")

        if iterations % 8 != 0:
            ASSERT(sync_wait(fence, -1) > 0, "Producers did not increment as expected\n")
        else:
            ASSERT(
                busy_wait_on_fence(fence) == 0,
                "Producers did not increment as expected\n",
            )

        ASSERT(test_data_mpsc.counter == n * it, "Counter value mismatch!\n")

        ASSERT(
            sw_sync_timeline_inc(consumer_timeline, 1) == 0,
            "Failure releasing producer threads\n",
        )

        sw_sync_fence_destroy(fence)

    return 0


def test_consumer_stress_multi_producer_single_consumer() -> int:
    """Every producer counts once between two steps of the consumer.

    tools/testing/selftests/sync/sync_stress_consumer.c:153-185, Linux 7.2.13
    """
    iterations = (1 << 12) // SCALE  # kport: model
    n = 5
    producer_timelines = [0] * n
    threads: list[Any] = [None] * n  # kport: model

    consumer_timeline = sw_sync_timeline_create()
    for i in range(0, n):
        producer_timelines[i] = sw_sync_timeline_create()

    test_data_mpsc.producer_timelines = producer_timelines
    test_data_mpsc.consumer_timeline = consumer_timeline
    test_data_mpsc.iterations = iterations
    test_data_mpsc.threads = n
    test_data_mpsc.counter = 0
    pthread_mutex_init(test_data_mpsc.lock)  # kport: model

    for i in range(0, n):
        threads[i] = pthread_create(mpsc_producer_thread, i)  # kport: model

    ret = mpcs_consumer_thread()

    for i in range(0, n):
        pthread_join(threads[i])  # kport: model

    return ret
