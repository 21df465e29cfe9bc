# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""sw_sync: timelines and their fences, deadlines, the end of a timeline, debugfs, the trace."""

from __future__ import annotations

import pytest

from kport.dma_buf import sync_debug
from kport.dma_buf.dma_fence import (
    dma_fence_get_status,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_set_deadline,
    dma_fence_timeline_name,
)
from kport.dma_buf.sw_sync import (
    SW_SYNC_GET_DEADLINE,
    SW_SYNC_IOC_CREATE_FENCE,
    SW_SYNC_IOC_INC,
    dma_fence_to_sync_pt,
    sw_sync_create_fence_data,
    sw_sync_get_deadline,
)
from kport.dma_buf.sync_debug import dma_fence_parent, sync_status_str
from kport.dma_buf.sync_file import SYNC_IOC_MERGE, sync_file_create, sync_file_get_fence
from kport.linux.cleanup import guard
from kport.linux.err import EBADF, EFAULT, EINVAL, EMFILE, ENOENT, ENOMEM, ENOTTY
from kport.linux.file import RLIMIT_NOFILE, fd_install, get_unused_fd_flags
from kport.linux.fs import O_RDONLY, O_RDWR
from kport.linux.panic import TAINT_SOFTLOCKUP
from kport.linux.panic import test_taint as tainted
from kport.linux.slab import fail_nth
from kport.linux.syscalls import sys_close, sys_ioctl, sys_open, sys_read
from kport.linux.tracepoint import (
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)
from tests.dma_buf.fences import drop, new
from tests.dma_buf.sync_files import (
    INFO,
    SW_SYNC,
    close,
    fence,
    inc,
    merge,
    statuses,
    timeline,
    wait,
)
from tests.support import Thread, sleep_ms

pytestmark = pytest.mark.usefixtures("kernel")


def test_the_numbers_of_the_ioctls_are_those_of_the_kernel():
    assert (SW_SYNC_IOC_CREATE_FENCE, SW_SYNC_IOC_INC) == (0xC0285700, 0x40045701)
    assert SW_SYNC_GET_DEADLINE == 0xC0105702


def test_a_fence_signals_when_the_timeline_gets_there():
    line = timeline()
    fd = fence(line, 3)
    inc(line, 2)
    assert wait(fd, 0) == 0
    inc(line, 1)
    assert wait(fd, 0) == 1
    close(fd, line)


def test_a_fence_of_the_past_has_signalled():
    line = timeline()
    inc(line, 10)
    fd = fence(line, 10)
    assert (wait(fd, 0), statuses(fd)) == (1, [1])
    close(fd, line)


def test_fences_signal_in_order_however_they_were_made():
    line = timeline()
    fds = {value: fence(line, value) for value in (5, 2, 8, 1, 9, 3, 7, 4, 6)}
    for value in range(1, 10):
        inc(line, 1)
        assert [wait(fds[n], 0) for n in range(1, 10)] == [1] * value + [0] * (9 - value)
    close(*fds.values(), line)


def test_a_number_that_is_waited_for_has_one_fence():
    line = timeline()
    a, b = fence(line, 4), fence(line, 4)
    first, second = sync_file_get_fence(a), sync_file_get_fence(b)
    assert first is second
    dma_fence_put(first)
    dma_fence_put(second)
    close(a)
    inc(line, 4)
    assert wait(b, 0) == 1
    close(b, line)


def test_a_fence_that_is_closed_leaves_the_timeline():
    line = timeline()
    keep, gone = fence(line, 5), fence(line, 3)
    close(gone)
    info = sys_open(INFO, O_RDONLY)
    assert ": 3 /" not in sys_read(info)
    inc(line, 5)
    assert wait(keep, 0) == 1
    close(info, keep, line)


def test_a_timeline_wraps_as_32_bits():
    line = timeline()
    inc(line, 0x7FFFFFFF)
    inc(line, 0x7FFFFFFF)
    inc(line, 1)
    fd = fence(line, 2)
    assert wait(fd, 0) == 0
    inc(line, 3)
    assert wait(fd, 0) == 1
    close(fd, line)


def test_more_than_an_int_is_taken_in_steps():
    line = timeline()
    near, far = fence(line, 0x40000000), fence(line, 0x7FFFFFFF)
    inc(line, 0x80000000)
    assert (wait(near, 0), wait(far, 0)) == (1, 1)
    close(near, far, line)


def test_closing_the_timeline_ends_its_fences_with_an_error():
    line = timeline()
    done, left = fence(line, 1), fence(line, 2)
    inc(line, 1)
    close(line)
    assert (statuses(done), statuses(left)) == ([1], [-ENOENT])
    assert wait(left, 0) == 1
    close(done, left)


def test_a_fence_knows_its_timeline_and_its_name():
    line = timeline()
    fd = fence(line, 1)
    one = sync_file_get_fence(fd)
    with guard("rcu"):
        assert dma_fence_timeline_name(one) == dma_fence_parent(one).name
    assert dma_fence_to_sync_pt(one).base is one
    other = new()
    assert dma_fence_to_sync_pt(other) is None
    drop(other)
    dma_fence_put(one)
    close(fd, line)


def test_the_timeline_outlives_its_descriptor_with_its_fences():
    line = timeline()
    fd = fence(line, 1)
    close(line)
    one = sync_file_get_fence(fd)
    close(fd)
    assert (dma_fence_is_signaled(one), dma_fence_get_status(one)) == (True, -ENOENT)
    dma_fence_put(one)


def test_making_a_fence_taints_the_kernel():
    line = timeline()
    assert not tainted(TAINT_SOFTLOCKUP)
    close(fence(line, 1), line)
    assert tainted(TAINT_SOFTLOCKUP)


@pytest.mark.parametrize("nth", [1, 2])
def test_no_timeline_without_memory(nth):
    fail_nth(nth)
    assert sys_open(SW_SYNC, O_RDWR) == -ENOMEM
    fail_nth(0)
    assert sys_close(3) == -EBADF


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_no_fence_without_memory(nth):
    line = timeline()
    fail_nth(nth)
    assert sys_ioctl(line, SW_SYNC_IOC_CREATE_FENCE, sw_sync_create_fence_data()) == -ENOMEM
    fail_nth(0)
    assert sys_close(line + 1) == -EBADF
    close(line)


def test_what_the_ioctls_refuse():
    line = timeline()
    for cmd in (SW_SYNC_IOC_CREATE_FENCE, SW_SYNC_IOC_INC, SW_SYNC_GET_DEADLINE):
        assert sys_ioctl(line, cmd, None) == -EFAULT
    assert sys_ioctl(line, SW_SYNC_IOC_INC, []) == -EFAULT
    assert sys_ioctl(line, SYNC_IOC_MERGE, None) == -ENOTTY
    assert sys_close(line + 1) == -EBADF
    for _ in range(RLIMIT_NOFILE - line - 1):
        get_unused_fd_flags(0)
    assert sys_ioctl(line, SW_SYNC_IOC_CREATE_FENCE, sw_sync_create_fence_data()) == -EMFILE
    close(line)


def deadline(line: int, fd: int, **members: int) -> tuple[int, int]:
    """The error and the deadline that the ioctl gives."""
    data = sw_sync_get_deadline()
    data.fence_fd = fd
    for member, value in members.items():
        setattr(data, member, value)
    return sys_ioctl(line, SW_SYNC_GET_DEADLINE, data), data.deadline_ns


def test_the_earliest_deadline_is_kept():
    line = timeline()
    fd = fence(line, 1)
    one = sync_file_get_fence(fd)
    assert deadline(line, fd) == (-ENOENT, 0)
    for at in (500, 900, 300):
        dma_fence_set_deadline(one, at)
    assert deadline(line, fd) == (0, 300)
    dma_fence_put(one)
    close(fd, line)


def test_what_asking_for_a_deadline_refuses():
    line = timeline()
    fd = fence(line, 1)
    other = new()
    foreign = get_unused_fd_flags(0)
    fd_install(foreign, sync_file_create(other).file)
    assert deadline(line, fd, pad=1) == (-EINVAL, 0)
    assert deadline(line, fd, deadline_ns=7) == (-EINVAL, 7)
    assert deadline(line, line) == (-EINVAL, 0)
    assert deadline(line, foreign) == (-EINVAL, 0)
    close(fd, line, foreign)
    drop(other)


def test_debugfs_shows_the_timelines_and_their_fences():
    line = timeline()
    a, b = fence(line, 2), fence(line, 5)
    one = sync_file_get_fence(a)
    with guard("rcu"):
        name = dma_fence_timeline_name(one)
    dma_fence_put(one)
    inc(line, 1)
    info = sys_open(INFO, O_RDONLY)
    assert sys_read(info) == (
        f"objs:\n--------------\n{name}: 1\n"
        "  fence active: 2 / 1\n  fence active: 5 / 1\n\n"
        "fences:\n--------------\n"
    )
    close(info, a, b, line)


def test_debugfs_shows_the_error_and_the_time_of_a_timeline_that_has_ended():
    line = timeline()
    fd = fence(line, 5)
    one = sync_file_get_fence(fd)
    close(line)
    info = sys_open(INFO, O_RDONLY)
    seconds, ns = divmod(one.timestamp, 1_000_000_000)
    assert f"  fence error@{seconds}.{ns:09d}: 5 / 0\n" in sys_read(info)
    dma_fence_put(one)
    close(info, fd)


def test_the_words_of_a_status():
    assert [sync_status_str(n) for n in (-EINVAL, 0, 1)] == ["error", "active", "signaled"]


def test_a_kernel_forgets_the_timelines_of_the_last_one():
    assert sync_debug.sync_timeline_list_head.next is sync_debug.sync_timeline_list_head


def test_the_trace_tells_the_value_before_the_step():
    seen = []

    def probe(event, ti, ts, values) -> None:
        seen.append(event.text(values).split(" ")[-1])

    tp = tracepoints["sync_timeline"]
    tracepoint_probe_register(tp, probe)
    line = timeline()
    inc(line, 2)
    inc(line, 0x80000000)
    tracepoint_probe_unregister(tp, probe)
    assert seen == ["value=0", "value=2", "value=-2147483647"]
    close(line)


def test_threads_that_wait_for_different_numbers_wake_in_turn():
    line = timeline()
    order: list[int] = []

    def waiter(value: int) -> None:
        fd = fence(line, value)
        assert wait(fd, -1) == 1
        order.append(value)
        inc(line, 1)
        close(fd)

    threads = [Thread(waiter, value) for value in (4, 2, 3, 1)]
    sleep_ms(5)
    assert order == []
    inc(line, 1)
    for thread in threads:
        thread.join()
    assert order == [1, 2, 3, 4]
    close(line)


def test_a_merge_across_timelines_waits_for_the_slowest():
    lines = [timeline() for _ in range(3)]
    fds = [fence(line, 1) for line in lines]
    both = merge("two", fds[0], fds[1])
    all_ = merge("three", both, fds[2])
    waiting = Thread(wait, all_, -1)
    for line in lines:
        assert not waiting.done
        inc(line, 1)
        sleep_ms(2)
    assert waiting.join() == 1
    close(*fds, both, all_, *lines)
