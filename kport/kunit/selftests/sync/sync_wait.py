# SPDX-FileCopyrightText: 2012-2013 Google, Inc
# SPDX-FileCopyrightText: 2015-2016 Collabora Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from tools/testing/selftests/sync/sync_wait.c, Linux 7.2.13, on 2026-11-21.
"""Waiting for fences of several timelines."""

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
    sync_fence_count_with_status,
    sync_merge,
    sync_wait,
)
from kport.kunit.selftests.sync.synctest import ASSERT, ASSERTS


@ASSERTS
def test_fence_multi_timeline_wait() -> int:
    """The merged fence signals when the last timeline gets there.

    tools/testing/selftests/sync/sync_wait.c:32-91, Linux 7.2.13
    """
    timelineA = sw_sync_timeline_create()
    timelineB = sw_sync_timeline_create()
    timelineC = sw_sync_timeline_create()

    fenceA = sw_sync_fence_create(timelineA, "fenceA", 5)
    fenceB = sw_sync_fence_create(timelineB, "fenceB", 5)
    fenceC = sw_sync_fence_create(timelineC, "fenceC", 5)

    merged = sync_merge("mergeFence", fenceB, fenceA)
    merged = sync_merge("mergeFence", fenceC, merged)

    valid = sw_sync_fence_is_valid(merged)
    ASSERT(valid, "Failure merging fence from various timelines\n")

    active = sync_fence_count_with_status(merged, FENCE_STATUS_ACTIVE)
    ASSERT(active == 3, "Fence signaled too early!\n")

    ret = sync_wait(merged, 0)
    ASSERT(ret == 0, "Failure waiting on fence until timeout\n")

    ret = sw_sync_timeline_inc(timelineA, 5)
    active = sync_fence_count_with_status(merged, FENCE_STATUS_ACTIVE)
    signaled = sync_fence_count_with_status(merged, FENCE_STATUS_SIGNALED)
    ASSERT(active == 2 and signaled == 1, "Fence did not signal properly!\n")

    ret = sw_sync_timeline_inc(timelineB, 5)
    active = sync_fence_count_with_status(merged, FENCE_STATUS_ACTIVE)
    signaled = sync_fence_count_with_status(merged, FENCE_STATUS_SIGNALED)
    ASSERT(active == 1 and signaled == 2, "Fence did not signal properly!\n")

    ret = sw_sync_timeline_inc(timelineC, 5)
    active = sync_fence_count_with_status(merged, FENCE_STATUS_ACTIVE)
    signaled = sync_fence_count_with_status(merged, FENCE_STATUS_SIGNALED)
    ASSERT(active == 0 and signaled == 3, "Fence did not signal properly!\n")

    ret = sync_wait(merged, 100)
    ASSERT(ret > 0, "Failure waiting on signaled fence\n")

    sw_sync_fence_destroy(merged)
    sw_sync_fence_destroy(fenceC)
    sw_sync_fence_destroy(fenceB)
    sw_sync_fence_destroy(fenceA)
    sw_sync_timeline_destroy(timelineC)
    sw_sync_timeline_destroy(timelineB)
    sw_sync_timeline_destroy(timelineA)

    return 0
