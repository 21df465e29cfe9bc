# SPDX-FileCopyrightText: 2012-2013 Google, Inc
# SPDX-FileCopyrightText: 2015-2016 Collabora Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from tools/testing/selftests/sync/sync_merge.c, Linux 7.2.13, on 2026-11-21.
"""Merging a fence with itself."""

from __future__ import annotations

from kport.kunit.selftests.sync.sync import (
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
)
from kport.kunit.selftests.sync.synctest import ASSERT, ASSERTS


@ASSERTS
def test_fence_merge_same_fence() -> int:
    """The merged fence signals with the one.

    tools/testing/selftests/sync/sync_merge.c:32-60, Linux 7.2.13
    """
    timeline = sw_sync_timeline_create()

    valid = sw_sync_timeline_is_valid(timeline)
    ASSERT(valid, "Failure allocating timeline\n")

    fence = sw_sync_fence_create(timeline, "allocFence", 5)
    valid = sw_sync_fence_is_valid(fence)
    ASSERT(valid, "Failure allocating fence\n")

    merged = sync_merge("mergeFence", fence, fence)
    valid = sw_sync_fence_is_valid(fence)
    ASSERT(valid, "Failure merging fence\n")

    ASSERT(
        sync_fence_count_with_status(merged, FENCE_STATUS_SIGNALED) == 0,
        "fence signaled too early!\n",
    )

    sw_sync_timeline_inc(timeline, 5)
    ASSERT(
        sync_fence_count_with_status(merged, FENCE_STATUS_SIGNALED) == 1,
        "fence did not signal!\n",
    )

    sw_sync_fence_destroy(merged)
    sw_sync_fence_destroy(fence)
    sw_sync_timeline_destroy(timeline)

    return 0
