# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""poll(): who is asked, who wakes it, when it ends."""

from __future__ import annotations

import pytest

from kport.linux.err import EINTR
from kport.linux.file import close_fd, fd_install, get_unused_fd_flags
from kport.linux.fs import anon_inode_getfile, file_operations
from kport.linux.ktime import NSEC_PER_MSEC, ktime_get
from kport.linux.poll import (
    DEFAULT_POLLMASK,
    EPOLLERR,
    EPOLLIN,
    EPOLLNVAL,
    EPOLLOUT,
    do_sys_poll,
    poll_wait,
    pollfd,
)
from kport.linux.sched import send_sig
from kport.linux.struct import struct
from kport.linux.wait import (
    __wake_up,
    init_waitqueue_head,
    wait_queue_head,
    waitqueue_active,
    wake_up_all,
)
from tests.support import Thread, eventually, sleep_ms

pytestmark = pytest.mark.usefixtures("kernel")

TASK_NORMAL = 3


class source(struct):
    """A file that is ready when somebody says so."""

    wq: wait_queue_head
    mask: int


def ready(filp, pt) -> int:
    """The poll operation."""
    poll_wait(filp, filp.private_data.wq, pt)
    return filp.private_data.mask


FOPS = file_operations(poll=ready)


def new_source() -> tuple[source, int]:
    """A source and its descriptor."""
    made = source()
    init_waitqueue_head(made.wq)
    fd = get_unused_fd_flags(0)
    fd_install(fd, anon_inode_getfile("source", FOPS, made, 0))
    return made, fd


def pfd(fd: int, events: int = EPOLLIN) -> pollfd:
    """A descriptor to poll."""
    one = pollfd()
    one.fd, one.events = fd, events
    return one


def test_only_the_events_that_are_asked_for_and_errors_count():
    made, fd = new_source()
    one = pfd(fd)
    made.mask = EPOLLOUT
    assert do_sys_poll([one], 0) == 0
    made.mask = EPOLLIN | EPOLLOUT
    assert (do_sys_poll([one], 0), one.revents) == (1, EPOLLIN)
    made.mask = EPOLLERR
    assert (do_sys_poll([one], 0), one.revents) == (1, EPOLLERR)
    close_fd(fd)


def test_a_closed_descriptor_is_an_event_and_a_negative_one_is_none():
    closed, negative = pfd(99), pfd(-1)
    negative.revents = 7
    assert do_sys_poll([closed, negative], 100) == 1
    assert (closed.revents, negative.revents) == (EPOLLNVAL, 0)


def test_a_file_that_cannot_say_is_always_ready():
    fd = get_unused_fd_flags(0)
    fd_install(fd, anon_inode_getfile("plain", file_operations(), None, 0))
    one = pfd(fd, EPOLLIN | EPOLLOUT)
    assert (do_sys_poll([one], -1), one.revents) == (1, DEFAULT_POLLMASK & (EPOLLIN | EPOLLOUT))
    close_fd(fd)


def test_it_sleeps_until_one_of_several_is_ready():
    sources = [new_source() for _ in range(3)]
    fds = [pfd(fd) for _, fd in sources]
    waiting = Thread(do_sys_poll, fds, -1)
    eventually(lambda: all(waitqueue_active(made.wq) for made, _ in sources))
    made = sources[1][0]
    wake_up_all(made.wq)
    sleep_ms(2)
    assert not waiting.done
    made.mask = EPOLLIN
    wake_up_all(made.wq)
    assert waiting.join() == 1
    assert [one.revents for one in fds] == [0, EPOLLIN, 0]
    assert not any(waitqueue_active(made.wq) for made, _ in sources)
    for _, fd in sources:
        close_fd(fd)


def test_a_wake_up_for_another_event_is_not_one():
    made, fd = new_source()
    waiting = Thread(do_sys_poll, [pfd(fd)], -1)
    eventually(lambda: waitqueue_active(made.wq))
    made.mask = EPOLLIN
    __wake_up(made.wq, TASK_NORMAL, 0, EPOLLOUT)
    sleep_ms(2)
    assert not waiting.done
    __wake_up(made.wq, TASK_NORMAL, 0, EPOLLIN)
    assert waiting.join() == 1
    close_fd(fd)


def test_it_ends_after_its_time_and_not_before():
    _, fd = new_source()
    begin = ktime_get()
    assert do_sys_poll([pfd(fd)], 3) == 0
    assert ktime_get() - begin >= 3 * NSEC_PER_MSEC
    close_fd(fd)


def test_without_descriptors_it_is_a_sleep():
    assert do_sys_poll([], 1) == 0


def test_a_signal_ends_it():
    made, fd = new_source()
    waiting = Thread(do_sys_poll, [pfd(fd)], -1)
    eventually(lambda: waitqueue_active(made.wq))
    send_sig(10, waiting.task)
    assert waiting.join() == -EINTR
    assert not waitqueue_active(made.wq)
    close_fd(fd)
