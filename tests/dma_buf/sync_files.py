# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the tests of sync files share: timelines and fences by system calls."""

from __future__ import annotations

from kport.dma_buf.sw_sync import (
    SW_SYNC_IOC_CREATE_FENCE,
    SW_SYNC_IOC_INC,
    sw_sync_create_fence_data,
)
from kport.dma_buf.sync_file import (
    SYNC_IOC_FILE_INFO,
    SYNC_IOC_MERGE,
    struct_sync_file_info,
    sync_fence_info,
    sync_merge_data,
)
from kport.linux.fs import O_RDWR
from kport.linux.poll import POLLIN, pollfd
from kport.linux.syscalls import sys_close, sys_ioctl, sys_open, sys_poll

SW_SYNC = "/sys/kernel/debug/sync/sw_sync"
INFO = "/sys/kernel/debug/sync/info"


def timeline() -> int:
    """A new timeline."""
    fd = sys_open(SW_SYNC, O_RDWR)
    assert fd >= 0
    return fd


def fence(fd: int, value: int) -> int:
    """A fence of a timeline."""
    data = sw_sync_create_fence_data()
    data.value = value
    assert sys_ioctl(fd, SW_SYNC_IOC_CREATE_FENCE, data) == 0
    return data.fence


def inc(fd: int, count: int) -> None:
    """Move a timeline on."""
    assert sys_ioctl(fd, SW_SYNC_IOC_INC, [count]) == 0


def merge(name: str, fd1: int, fd2: int) -> int:
    """A merged fence."""
    data = sync_merge_data()
    data.name = name
    data.fd2 = fd2
    assert sys_ioctl(fd1, SYNC_IOC_MERGE, data) == 0
    return data.fence


def wait(fd: int, timeout: int) -> int:
    """Poll for the fence."""
    one = pollfd()
    one.fd, one.events = fd, POLLIN
    return sys_poll([one], timeout)


def info(fd: int, room: int | None = None) -> struct_sync_file_info:
    """All about a sync file; `room`: for so many fences, or for all."""
    data = struct_sync_file_info()
    assert sys_ioctl(fd, SYNC_IOC_FILE_INFO, data) == 0
    data.num_fences = data.num_fences if room is None else room
    data.sync_fence_info = [sync_fence_info() for _ in range(data.num_fences)]
    assert sys_ioctl(fd, SYNC_IOC_FILE_INFO, data) == 0
    return data


def statuses(fd: int) -> list[int]:
    """The status of each fence in a sync file."""
    data = info(fd)
    return [one.status for one in data.sync_fence_info[: data.num_fences]]


def close(*fds: int) -> None:
    """Close descriptors."""
    for fd in fds:
        assert sys_close(fd) == 0
