# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""sync_file: a fence behind a descriptor: names, merging, polling, asking, and every error."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_is_array,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal,
)
from kport.dma_buf.sync_file import (
    SYNC_IOC_FILE_INFO,
    SYNC_IOC_MERGE,
    SYNC_IOC_SET_DEADLINE,
    struct_sync_file_info,
    sync_fence_info,
    sync_file_create,
    sync_file_get_fence,
    sync_file_get_name,
    sync_merge_data,
    sync_set_deadline,
)
from kport.linux.err import (
    EBADF,
    EFAULT,
    EINVAL,
    EIO,
    EMFILE,
    ENOENT,
    ENOMEM,
    ENOTTY,
)
from kport.linux.file import RLIMIT_NOFILE, fd_install, get_unused_fd_flags
from kport.linux.fs import fput
from kport.linux.slab import fail_nth
from kport.linux.syscalls import sys_close, sys_ioctl
from tests.dma_buf import sync_files
from tests.dma_buf.fences import drop, new, ops_with, references
from tests.dma_buf.sync_files import close, info, merge, wait
from tests.support import Thread, sleep_ms

pytestmark = pytest.mark.usefixtures("kernel")


def fd_of(fence: dma_fence) -> int:
    """A descriptor of a new sync file with the fence."""
    fd = get_unused_fd_flags(0)
    fd_install(fd, sync_file_create(fence).file)
    return fd


def test_the_numbers_of_the_ioctls_are_those_of_the_kernel():
    assert (SYNC_IOC_MERGE, SYNC_IOC_FILE_INFO) == (0xC0303E03, 0xC0383E04)
    assert SYNC_IOC_SET_DEADLINE == 0x40103E05


def test_a_sync_file_holds_its_fence_until_it_is_closed():
    fence = new()
    fd = fd_of(fence)
    assert references(fence) == 2
    assert sync_file_get_fence(fd) is fence
    dma_fence_put(fence)
    close(fd)
    assert references(fence) == 1
    assert sync_file_get_fence(fd) is None
    drop(fence)


def test_another_file_is_no_sync_file():
    fd = sync_files.timeline()
    assert sync_file_get_fence(fd) is None
    close(fd)


@pytest.mark.parametrize("nth", [1, 2])
def test_no_sync_file_without_memory(nth):
    fence = new()
    fail_nth(nth)
    assert sync_file_create(fence) is None
    fail_nth(0)
    assert references(fence) == 1
    drop(fence)


def test_the_name_is_made_from_the_fence_and_cut():
    fence = new(7, 9)
    sync_file = sync_file_create(fence)
    assert sync_file_get_name(sync_file, "", 64) == "test-driver-test-timeline7-9"
    assert sync_file_get_name(sync_file, "", 12) == "test-driver"
    dma_fence_signal(fence)
    assert sync_file_get_name(sync_file, "", 64) == "detached-driver-signaled-timeline7-9"
    fput(sync_file.file)
    drop(fence)


def test_the_name_of_a_merged_one_is_the_programs_and_has_31_characters():
    fence, other = new(), new()
    a, b = fd_of(fence), fd_of(other)
    c = merge("n" * 40, a, b)
    assert info(c).name == "n" * 31
    close(a, b, c)
    drop(fence, other)


def test_a_merged_file_signals_with_the_last_of_both():
    fence, other = new(), new()
    a, b = fd_of(fence), fd_of(other)
    c = merge("both", a, b)
    dma_fence_signal(fence)
    assert (wait(a, 0), wait(b, 0), wait(c, 0)) == (1, 0, 0)
    dma_fence_signal(other)
    assert wait(c, 0) == 1
    close(a, b, c)
    drop(fence, other)


def test_merging_a_file_with_itself_is_its_fence():
    fence = new()
    a = fd_of(fence)
    b = merge("same", a, a)
    merged = sync_file_get_fence(b)
    assert merged is fence
    assert not dma_fence_is_array(merged)
    dma_fence_put(merged)
    close(a, b)
    drop(fence)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"flags": 1}, -EINVAL),
        ({"pad": 1}, -EINVAL),
        ({"fd2": 99}, -ENOENT),
        ({}, 0),
    ],
)
def test_what_a_merge_refuses_leaves_no_descriptor(change, error):
    fence = new()
    fd = fd_of(fence)
    data = sync_merge_data()
    data.fd2 = fd
    for member, value in change.items():
        setattr(data, member, value)
    assert sys_ioctl(fd, SYNC_IOC_MERGE, data) == error
    assert sys_close(fd + 1) == (-EBADF if error else 0)
    close(fd)
    drop(fence)


def test_a_timeline_is_nothing_to_merge_with():
    fence = new()
    fd, timeline = fd_of(fence), sync_files.timeline()
    data = sync_merge_data()
    data.fd2 = timeline
    assert sys_ioctl(fd, SYNC_IOC_MERGE, data) == -ENOENT
    close(fd, timeline)
    drop(fence)


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_merge_without_memory(nth):
    fence, other = new(), new()
    a, b = fd_of(fence), fd_of(other)
    data = sync_merge_data()
    data.fd2 = b
    fail_nth(nth)
    assert sys_ioctl(a, SYNC_IOC_MERGE, data) == -ENOMEM
    fail_nth(0)
    assert [references(f) for f in (fence, other)] == [2, 2]
    close(a, b)
    drop(fence, other)


def test_a_merge_without_a_free_descriptor():
    fence = new()
    fd = fd_of(fence)
    taken = [get_unused_fd_flags(0) for _ in range(RLIMIT_NOFILE - fd - 1)]
    assert taken[-1] == RLIMIT_NOFILE - 1
    assert sys_ioctl(fd, SYNC_IOC_MERGE, sync_merge_data()) == -EMFILE
    close(fd)
    drop(fence)


@pytest.mark.parametrize("cmd", [SYNC_IOC_MERGE, SYNC_IOC_FILE_INFO, SYNC_IOC_SET_DEADLINE])
@pytest.mark.parametrize("arg", [None, [0], sync_fence_info()])
def test_a_bad_address(cmd, arg):
    fence = new()
    fd = fd_of(fence)
    assert sys_ioctl(fd, cmd, arg) == -EFAULT
    close(fd)
    drop(fence)


def test_an_unknown_ioctl_and_a_closed_descriptor():
    fence = new()
    fd = fd_of(fence)
    assert sys_ioctl(fd, 0x1234, None) == -ENOTTY
    close(fd)
    assert sys_ioctl(fd, SYNC_IOC_FILE_INFO, struct_sync_file_info()) == -EBADF
    drop(fence)


def test_the_info_of_one_fence():
    fence = new()
    fd = fd_of(fence)
    data = info(fd)
    (one,) = data.sync_fence_info
    assert (data.num_fences, data.status) == (1, 0)
    assert (one.obj_name, one.driver_name) == ("test-timeline", "test-driver")
    assert (one.status, one.timestamp_ns) == (0, 0)
    dma_fence_signal(fence)
    data = info(fd)
    (one,) = data.sync_fence_info
    assert (data.status, one.status, one.timestamp_ns) == (1, 1, fence.timestamp)
    assert (one.obj_name, one.driver_name) == ("signaled-timeline", "detached-driver")
    close(fd)
    drop(fence)


def test_the_info_of_several_has_the_worst_status():
    good, active, bad = new(), new(), new()
    a, b, c = fd_of(good), fd_of(active), fd_of(bad)
    ab = merge("ab", a, b)
    all_ = merge("abc", ab, c)
    dma_fence_set_error(bad, -EIO)
    dma_fence_signal(bad)
    assert sorted(one.status for one in info(all_).sync_fence_info) == [-EIO, 0, 0]
    dma_fence_signal(good)
    dma_fence_signal(active)
    data = info(all_)
    assert (sorted(one.status for one in data.sync_fence_info), data.status) == ([-EIO, 1, 1], -EIO)
    close(a, b, c, ab, all_)
    drop(good, active, bad)


def test_the_info_without_room_is_the_number_and_the_status():
    fence, other = new(), new()
    a, b = fd_of(fence), fd_of(other)
    c = merge("two", a, b)
    data = struct_sync_file_info()
    assert sys_ioctl(c, SYNC_IOC_FILE_INFO, data) == 0
    assert (data.num_fences, data.status, data.name) == (2, 0, "two")
    close(a, b, c)
    drop(fence, other)


def test_what_the_info_refuses():
    fence, other = new(), new()
    a, b = fd_of(fence), fd_of(other)
    c = merge("two", a, b)
    for member in ("flags", "pad"):
        data = struct_sync_file_info()
        setattr(data, member, 1)
        assert sys_ioctl(c, SYNC_IOC_FILE_INFO, data) == -EINVAL
    data = struct_sync_file_info()
    data.num_fences = 1
    assert sys_ioctl(c, SYNC_IOC_FILE_INFO, data) == -EINVAL
    data.num_fences = 2
    data.sync_fence_info = [sync_fence_info()]
    assert sys_ioctl(c, SYNC_IOC_FILE_INFO, data) == -EFAULT
    fail_nth(1)
    assert sys_ioctl(c, SYNC_IOC_FILE_INFO, data) == -ENOMEM
    close(a, b, c)
    drop(fence, other)


def test_more_room_than_fences_is_no_error():
    fence = new()
    fd = fd_of(fence)
    data = info(fd, room=3)
    assert data.num_fences == 1
    assert [one.driver_name for one in data.sync_fence_info] == ["test-driver", "", ""]
    close(fd)
    drop(fence)


def test_a_deadline_reaches_the_fence():
    told = []
    fence = new(ops=ops_with(set_deadline=lambda f, deadline: told.append((f, deadline))))
    fd = fd_of(fence)
    data = sync_set_deadline()
    data.deadline_ns = 123_456_789
    assert sys_ioctl(fd, SYNC_IOC_SET_DEADLINE, data) == 0
    data.pad = 1
    assert sys_ioctl(fd, SYNC_IOC_SET_DEADLINE, data) == -EINVAL
    assert told == [(fence, 123_456_789)]
    close(fd)
    drop(fence)


def test_a_poll_sleeps_until_the_fence_signals():
    fence = new()
    fd = fd_of(fence)
    waiting = [Thread(wait, fd, -1) for _ in range(3)]
    sleep_ms(5)
    assert not any(thread.done for thread in waiting)
    dma_fence_signal(fence)
    assert [thread.join() for thread in waiting] == [1, 1, 1]
    close(fd)
    drop(fence)


def test_a_poll_ends_after_its_time():
    fence = new()
    fd = fd_of(fence)
    assert wait(fd, 5) == 0
    close(fd)
    drop(fence)


def test_closing_takes_the_callback_of_a_poll_back():
    fence = new()
    fd = fd_of(fence)
    assert wait(fd, 0) == 0
    close(fd)
    dma_fence_signal(fence)
    assert references(fence) == 1
    drop(fence)


def test_a_poller_keeps_the_file_that_another_closes():
    fence = new()
    fd = fd_of(fence)
    waiting = Thread(wait, fd, -1)
    sleep_ms(5)
    close(fd)
    assert references(fence) == 2
    dma_fence_signal(fence)
    waiting.join()
    assert references(fence) == 1
    drop(fence)
