# SPDX-FileCopyrightText: 2012-2013 Google, Inc
# SPDX-FileCopyrightText: 2015-2016 Collabora Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from tools/testing/selftests/sync/sync_alloc.c, Linux 7.2.13, on 2026-11-21.
"""Making timelines and fences."""

from __future__ import annotations

from kport.kunit.selftests.sync.sync import (
    sw_sync_fence_create,
    sw_sync_fence_destroy,
    sw_sync_fence_is_valid,
    sw_sync_timeline_create,
    sw_sync_timeline_destroy,
    sw_sync_timeline_is_valid,
)
from kport.kunit.selftests.sync.synctest import ASSERT, ASSERTS


@ASSERTS
def test_alloc_timeline() -> int:
    """A timeline can be opened.

    tools/testing/selftests/sync/sync_alloc.c:32-42, Linux 7.2.13
    """
    timeline = sw_sync_timeline_create()
    valid = sw_sync_timeline_is_valid(timeline)
    ASSERT(valid, "Failure allocating timeline\n")

    sw_sync_timeline_destroy(timeline)
    return 0


@ASSERTS
def test_alloc_fence() -> int:
    """A fence can be made.

    tools/testing/selftests/sync/sync_alloc.c:44-59, Linux 7.2.13
    """
    timeline = sw_sync_timeline_create()
    valid = sw_sync_timeline_is_valid(timeline)
    ASSERT(valid, "Failure allocating timeline\n")

    fence = sw_sync_fence_create(timeline, "allocFence", 1)
    valid = sw_sync_fence_is_valid(fence)
    ASSERT(valid, "Failure allocating fence\n")

    sw_sync_fence_destroy(fence)
    sw_sync_timeline_destroy(timeline)
    return 0


@ASSERTS
def test_alloc_fence_negative() -> int:
    """No fence without a timeline.

    tools/testing/selftests/sync/sync_alloc.c:61-74, Linux 7.2.13
    """
    timeline = sw_sync_timeline_create()
    ASSERT(timeline > 0, "Failure allocating timeline\n")

    fence = sw_sync_fence_create(-1, "fence", 1)
    ASSERT(fence < 0, "Success allocating negative fence\n")

    sw_sync_fence_destroy(fence)
    sw_sync_timeline_destroy(timeline)
    return 0
