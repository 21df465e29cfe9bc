# SPDX-FileCopyrightText: 2012-2013 Google, Inc
# SPDX-FileCopyrightText: 2015-2016 Collabora Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from tools/testing/selftests/sync/sync.c,
# tools/testing/selftests/sync/sync.h and tools/testing/selftests/sync/sw_sync.h,
# Linux 7.2.13, on 2026-11-21.
"""Timelines, fences, merging, waiting and asking, by system calls."""

from __future__ import annotations

from kport.dma_buf.sync_file import (
    SYNC_IOC_FILE_INFO,
    SYNC_IOC_MERGE,
    struct_sync_file_info,
    sync_fence_info,
    sync_merge_data,
)
from kport.kunit.selftests.libc import (
    F_GETFD,
    O_RDWR,
    POLLERR,
    POLLIN,
    calloc,
    close,
    fcntl,
    free,
    ioctl,
    open,
    poll,
    pollfd,
)
from kport.linux.ioctl import _IOW, _IOWR
from kport.linux.struct import struct

FENCE_STATUS_ERROR = -1
FENCE_STATUS_ACTIVE = 0
FENCE_STATUS_SIGNALED = 1

_NAME = 32  # the size of the names in bytes


class sw_sync_create_fence_data(struct):
    """Make a fence for `value`; `fence` returns the descriptor of its sync file."""

    value: int
    name: str
    fence: int


SW_SYNC_IOC_MAGIC = "W"
SW_SYNC_IOC_CREATE_FENCE = _IOWR(SW_SYNC_IOC_MAGIC, 0, 40)
SW_SYNC_IOC_INC = _IOW(SW_SYNC_IOC_MAGIC, 1, 4)


def sync_wait(fd: int, timeout: int) -> int:
    """Wait for a fence: 1, or 0 after `timeout` ms (negative: never), or -1.

    tools/testing/selftests/sync/sync.c:58-66, Linux 7.2.13
    """
    fds = pollfd()

    fds.fd = fd
    fds.events = POLLIN | POLLERR

    return poll([fds], timeout)  # kport: model


def sync_merge(name: str, fd1: int, fd2: int) -> int:
    """A fence that signals when both have: its descriptor, or -1.

    tools/testing/selftests/sync/sync.c:68-82, Linux 7.2.13
    """
    data = sync_merge_data()

    data.fd2 = fd2
    data.name = name[: _NAME - 1]  # kport: string

    err = ioctl(fd1, SYNC_IOC_MERGE, data)
    if err < 0:
        return err

    return data.fence


def sync_file_info(fd: int) -> struct_sync_file_info | None:
    """All about a fence, to be given to sync_file_info_free(); or NULL.

    tools/testing/selftests/sync/sync.c:84-123, Linux 7.2.13
    """
    info = calloc(1, struct_sync_file_info)  # kport: model
    if info is None:
        return None

    err = ioctl(fd, SYNC_IOC_FILE_INFO, info)
    if err < 0:
        free(info)
        return None

    num_fences = info.num_fences

    if num_fences:
        info.flags = 0
        info.num_fences = num_fences

        fence_info = [calloc(1, sync_fence_info) for _ in range(num_fences)]  # kport: model
        if not fence_info:
            free(info)
            return None

        info.sync_fence_info = fence_info

        err = ioctl(fd, SYNC_IOC_FILE_INFO, info)
        if err < 0:
            free(fence_info)
            free(info)
            return None

    return info


def sync_file_info_free(info: struct_sync_file_info) -> None:
    """Free what sync_file_info() gave.

    tools/testing/selftests/sync/sync.c:125-129, Linux 7.2.13
    """
    free(info.sync_fence_info)  # kport: model
    free(info)


def sync_fence_size(fd: int) -> int:
    """How many fences there are in a fence; 0 if it is none.

    tools/testing/selftests/sync/sync.c:131-144, Linux 7.2.13
    """
    info = sync_file_info(fd)

    if not info:
        return 0

    count = info.num_fences

    sync_file_info_free(info)

    return count


def sync_fence_count_with_status(fd: int, status: int) -> int:
    """How many fences in a fence have a status; -1 if it is none.

    tools/testing/selftests/sync/sync.c:146-164, Linux 7.2.13
    """
    count = 0
    fence_info = None
    info = sync_file_info(fd)

    if not info:
        return -1

    fence_info = info.sync_fence_info  # kport: model
    for i in range(0, info.num_fences):
        if fence_info[i].status == status:
            count += 1

    sync_file_info_free(info)

    return count


def sw_sync_timeline_create() -> int:
    """A new timeline: its descriptor, or -1.

    tools/testing/selftests/sync/sync.c:166-169, Linux 7.2.13
    """
    return open("/sys/kernel/debug/sync/sw_sync", O_RDWR)


def sw_sync_timeline_inc(fd: int, count: int) -> int:
    """Move a timeline on: 0 or -1.

    tools/testing/selftests/sync/sync.c:171-176, Linux 7.2.13
    """
    arg = [count]  # kport: addressed

    return ioctl(fd, SW_SYNC_IOC_INC, arg)


def sw_sync_timeline_is_valid(fd: int) -> int:
    """1 for an open descriptor.

    tools/testing/selftests/sync/sync.c:178-187, Linux 7.2.13
    """
    if fd == -1:
        return 0

    status = fcntl(fd, F_GETFD, 0)
    return status >= 0


def sw_sync_timeline_destroy(fd: int) -> None:
    """Close it.

    tools/testing/selftests/sync/sync.c:189-193, Linux 7.2.13
    """
    if sw_sync_timeline_is_valid(fd):
        close(fd)


def sw_sync_fence_create(fd: int, name: str, value: int) -> int:
    """A fence of a timeline: its descriptor, or -1.

    tools/testing/selftests/sync/sync.c:195-209, Linux 7.2.13
    """
    data = sw_sync_create_fence_data()

    data.value = value
    data.name = name[: _NAME - 1]  # kport: string

    err = ioctl(fd, SW_SYNC_IOC_CREATE_FENCE, data)
    if err < 0:
        return err

    return data.fence


def sw_sync_fence_is_valid(fd: int) -> int:
    """1 for an open descriptor.

    tools/testing/selftests/sync/sync.c:211-215, Linux 7.2.13
    """
    return sw_sync_timeline_is_valid(fd)


def sw_sync_fence_destroy(fd: int) -> None:
    """Close it.

    tools/testing/selftests/sync/sync.c:217-221, Linux 7.2.13
    """
    if sw_sync_fence_is_valid(fd):
        close(fd)
