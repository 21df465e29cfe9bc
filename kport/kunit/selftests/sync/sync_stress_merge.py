# SPDX-FileCopyrightText: 2012-2013 Google, Inc
# SPDX-FileCopyrightText: 2015-2016 Collabora Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from tools/testing/selftests/sync/sync_stress_merge.c,
# Linux 7.2.13, on 2026-11-21.
"""Merging fences of random timelines and numbers into one."""

from __future__ import annotations

from kport.kunit.selftests.libc import rand, srand, time
from kport.kunit.selftests.sync.sync import (
    sw_sync_fence_create,
    sw_sync_fence_destroy,
    sw_sync_fence_is_valid,
    sw_sync_timeline_create,
    sw_sync_timeline_destroy,
    sw_sync_timeline_inc,
    sync_fence_size,
    sync_merge,
    sync_wait,
)
from kport.kunit.selftests.sync.synctest import ASSERT, ASSERTS, SCALE


@ASSERTS
def test_merge_stress_random_merge() -> int:
    """The merged fence has the latest fence of each timeline, and signals after all of them.

    tools/testing/selftests/sync/sync_stress_merge.c:36-115, Linux 7.2.13
    """
    timeline_count = 32
    merge_count = 1024 * 32 // SCALE  # kport: model
    timelines = [0] * timeline_count

    srand(time())  # kport: model

    for i in range(0, timeline_count):
        timelines[i] = sw_sync_timeline_create()

    fence = sw_sync_fence_create(timelines[0], "fence", 0)
    valid = sw_sync_fence_is_valid(fence)
    ASSERT(valid, "Failure creating fence\n")

    fence_map = [-1] * timeline_count  # kport: model
    fence_map[0] = 0

    for i in range(0, merge_count):
        timeline_offset = rand() % timeline_count
        timeline = timelines[timeline_offset]
        sync_point = rand()

        if fence_map[timeline_offset] == -1:
            fence_map[timeline_offset] = sync_point
        elif fence_map[timeline_offset] < sync_point:
            fence_map[timeline_offset] = sync_point

        tmpfence = sw_sync_fence_create(timeline, "fence", sync_point)
        merged = sync_merge("merge", tmpfence, fence)
        sw_sync_fence_destroy(tmpfence)
        sw_sync_fence_destroy(fence)
        fence = merged

        valid = sw_sync_fence_is_valid(merged)
        ASSERT(valid, "Failure creating fence i\n")

    size = 0
    for i in range(0, timeline_count):
        if fence_map[i] != -1:
            size += 1

    ASSERT(sync_fence_size(fence) == size, "Quantity of elements not matching\n")

    for i in range(0, timeline_count):
        if fence_map[i] != -1:
            ret = sync_wait(fence, 0)
            ASSERT(ret == 0, "Failure waiting on fence until timeout\n")
            sw_sync_timeline_inc(timelines[i], fence_map[i])

    ret = sync_wait(fence, 0)
    ASSERT(ret > 0, "Failure triggering fence\n")

    sw_sync_fence_destroy(fence)

    for i in range(0, timeline_count):
        sw_sync_timeline_destroy(timelines[i])

    return 0
