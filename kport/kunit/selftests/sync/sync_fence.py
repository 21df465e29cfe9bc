# SPDX-FileCopyrightText: 2012-2013 Google, Inc
# SPDX-FileCopyrightText: 2015-2016 Collabora Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from tools/testing/selftests/sync/sync_fence.c, Linux 7.2.13, on 2026-11-21.
"""One timeline: waiting for a fence, and merging fences of one timeline."""

from __future__ import annotations

from kport.kunit.selftests.sync.sync import (
    FENCE_STATUS_ACTIVE,
    FENCE_STATUS_SIGNALED,
    sw_sync_fence_create,
    sw_sync_fence_destroy,
    sw_sync_fence_is_valid,
    sw_sync_timeline_create,
    sw_sync_timeline_destroy,
    sw_sync_timeline_inc,
    sw_sync_timeline_is_valid,
    sync_fence_count_with_status,
    sync_merge,
    sync_wait,
)
from kport.kunit.selftests.sync.synctest import ASSERT, ASSERTS


@ASSERTS
def test_fence_one_timeline_wait() -> int:
    """A fence signals when its timeline gets there, and stays so.

    tools/testing/selftests/sync/sync_fence.c:32-74, Linux 7.2.13
    """
    timeline = sw_sync_timeline_create()

    valid = sw_sync_timeline_is_valid(timeline)
    ASSERT(valid, "Failure allocating timeline\n")

    fence = sw_sync_fence_create(timeline, "allocFence", 5)
    valid = sw_sync_fence_is_valid(fence)
    ASSERT(valid, "Failure allocating fence\n")

    ret = sync_wait(fence, 0)
    ASSERT(ret == 0, "Failure waiting on fence until timeout\n")

    ret = sw_sync_timeline_inc(timeline, 1)
    ASSERT(ret == 0, "Failure advancing timeline\n")

    ret = sync_wait(fence, 0)
    ASSERT(ret == 0, "Failure waiting on fence until timeout\n")

    ret = sw_sync_timeline_inc(timeline, 4)
    ASSERT(ret == 0, "Failure signaling the fence\n")

    ret = sync_wait(fence, 0)
    ASSERT(ret > 0, "Failure waiting on fence\n")

    ret = sw_sync_timeline_inc(timeline, 10)
    ASSERT(ret == 0, "Failure going further\n")
    ret = sync_wait(fence, 0)
    ASSERT(ret > 0, "Failure waiting ahead\n")

    sw_sync_fence_destroy(fence)
    sw_sync_timeline_destroy(timeline)

    return 0


@ASSERTS
def test_fence_one_timeline_merge() -> int:
    """Fences of one timeline merge into the latest.

    tools/testing/selftests/sync/sync_fence.c:76-132, Linux 7.2.13
    """
    timeline = sw_sync_timeline_create()

    a = sw_sync_fence_create(timeline, "allocFence", 1)
    b = sw_sync_fence_create(timeline, "allocFence", 2)
    c = sw_sync_fence_create(timeline, "allocFence", 3)

    valid = (
        sw_sync_fence_is_valid(a) and sw_sync_fence_is_valid(b) and sw_sync_fence_is_valid(c)
    )
    ASSERT(valid, "Failure allocating fences\n")

    d = sync_merge("mergeFence", b, a)
    d = sync_merge("mergeFence", c, d)
    valid = sw_sync_fence_is_valid(d)
    ASSERT(valid, "Failure merging fences\n")

    ASSERT(
        sync_fence_count_with_status(a, FENCE_STATUS_ACTIVE) == 1,
        "a has too many active fences!\n",
    )
    ASSERT(
        sync_fence_count_with_status(a, FENCE_STATUS_ACTIVE) == 1,
        "b has too many active fences!\n",
    )
    ASSERT(
        sync_fence_count_with_status(a, FENCE_STATUS_ACTIVE) == 1,
        "c has too many active fences!\n",
    )
    ASSERT(
        sync_fence_count_with_status(a, FENCE_STATUS_ACTIVE) == 1,
        "d has too many active fences!\n",
    )

    sw_sync_timeline_inc(timeline, 1)
    ASSERT(sync_fence_count_with_status(a, FENCE_STATUS_SIGNALED) == 1, "a did not signal!\n")
    ASSERT(
        sync_fence_count_with_status(d, FENCE_STATUS_ACTIVE) == 1,
        "d signaled too early!\n",
    )

    sw_sync_timeline_inc(timeline, 1)
    ASSERT(sync_fence_count_with_status(b, FENCE_STATUS_SIGNALED) == 1, "b did not signal!\n")
    ASSERT(
        sync_fence_count_with_status(d, FENCE_STATUS_ACTIVE) == 1,
        "d signaled too early!\n",
    )

    sw_sync_timeline_inc(timeline, 1)
    ASSERT(sync_fence_count_with_status(c, FENCE_STATUS_SIGNALED) == 1, "c did not signal!\n")
    ASSERT(
        sync_fence_count_with_status(d, FENCE_STATUS_ACTIVE) == 0
        and sync_fence_count_with_status(d, FENCE_STATUS_SIGNALED) == 1,
        "d did not signal!\n",
    )

    sw_sync_fence_destroy(d)
    sw_sync_fence_destroy(c)
    sw_sync_fence_destroy(b)
    sw_sync_fence_destroy(a)
    sw_sync_timeline_destroy(timeline)
    return 0
