# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Waiting for files (include/linux/poll.h, fs/select.c of Linux 7.2.13), modelled.

A poll asks every file for its events, and has each one put an entry on its wait queue meanwhile;
then it sleeps until an entry is woken, and asks again. Only poll() is here, not select() or epoll.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.asm import current, smp_wmb
from kport.linux.barrier import smp_store_mb
from kport.linux.err import EINTR, EINVAL
from kport.linux.file import RLIMIT_NOFILE, fget
from kport.linux.fs import file, fput, get_file
from kport.linux.ktime import NSEC_PER_MSEC, ktime_get
from kport.linux.sched import (
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    __set_current_state,
    schedule,
    schedule_hrtimeout,
    set_current_state,
    signal_pending,
    task_struct,
    try_to_wake_up,
)
from kport.linux.struct import container_of, struct
from kport.linux.wait import (
    add_wait_queue,
    remove_wait_queue,
    wait_queue_entry,
    wait_queue_head_t,
)

EPOLLIN = 0x001
EPOLLPRI = 0x002
EPOLLOUT = 0x004
EPOLLERR = 0x008
EPOLLHUP = 0x010
EPOLLNVAL = 0x020
EPOLLRDNORM = 0x040
EPOLLWRNORM = 0x100
DEFAULT_POLLMASK = EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM

POLLIN = EPOLLIN
POLLOUT = EPOLLOUT
POLLERR = EPOLLERR
POLLNVAL = EPOLLNVAL


class poll_table(struct):
    """What a file is asked with: whom to give the wait queue to, and which events matter."""

    _qproc: Callable[[file, wait_queue_head_t, poll_table], None] | None
    _key: int


class poll_wqueues(struct):
    """One poll: the task that sleeps, whether somebody woke it, and its entries."""

    pt: poll_table
    polling_task: task_struct | None
    triggered: int
    entries: list[Any] | None


class poll_table_entry(struct):
    """An entry on the wait queue of a file."""

    filp: file | None
    key: int
    wait: wait_queue_entry
    wait_address: wait_queue_head_t | None


class pollfd(struct):
    """One file to wait for; `revents` is what has happened."""

    fd: int
    events: int
    revents: int


def poll_wait(filp: file, wait_address: wait_queue_head_t, p: poll_table | None) -> None:
    """What a file's poll operation calls for the queue it wakes; adds an entry the first time."""
    if p is not None and p._qproc is not None:
        p._qproc(filp, wait_address, p)


def pollwake(wait: wait_queue_entry, mode: int, sync: int, key: Any) -> int:
    """The wake function of an entry: note the event and wake the task."""
    entry = container_of(wait, poll_table_entry, "wait")
    if key and not key & entry.key:
        return 0
    pwq = wait.private
    smp_wmb()
    pwq.triggered = 1
    return try_to_wake_up(pwq.polling_task, mode, sync)


def __pollwait(filp: file, wait_address: wait_queue_head_t, p: poll_table) -> None:
    """Put an entry on the queue; it holds the file."""
    pwq = container_of(p, poll_wqueues, "pt")
    entry = poll_table_entry()
    entry.filp = get_file(filp)
    entry.wait_address = wait_address
    entry.key = p._key
    entry.wait.flags = 0
    entry.wait.private = pwq
    entry.wait.func = pollwake
    pwq.entries.append(entry)
    add_wait_queue(wait_address, entry.wait)


def poll_initwait(pwq: poll_wqueues) -> None:
    """Begin a poll of the running task."""
    pwq.pt._qproc = __pollwait
    pwq.polling_task = current()
    pwq.triggered = 0
    pwq.entries = []


def poll_freewait(pwq: poll_wqueues) -> None:
    """End a poll: take the entries off their queues."""
    for entry in pwq.entries:
        remove_wait_queue(entry.wait_address, entry.wait)
        fput(entry.filp)
    pwq.entries = None


def poll_schedule_timeout(pwq: poll_wqueues, state: int, expires: int | None) -> int:
    """Sleep until an entry is woken: -EINTR, or 0 when the clock shows `expires` ns."""
    rc = -EINTR
    set_current_state(state)
    if not pwq.triggered:
        if expires is None:
            schedule()
        else:
            rc = schedule_hrtimeout(expires)
    __set_current_state(TASK_RUNNING)
    smp_store_mb(pwq, "triggered", 0)
    return rc


def vfs_poll(filp: file, pt: poll_table) -> int:
    """The events of a file; one that cannot say is always ready."""
    poll = filp.f_op.poll
    return DEFAULT_POLLMASK if poll is None else poll(filp, pt)


def do_pollfd(pfd: pollfd, pwait: poll_table) -> int:
    """The events of one descriptor that matter; a negative one has none."""
    if pfd.fd < 0:
        return 0
    filp = fget(pfd.fd)
    if filp is None:
        return EPOLLNVAL
    filter = pfd.events | EPOLLERR | EPOLLHUP
    pwait._key = filter
    mask = vfs_poll(filp, pwait)
    fput(filp)
    return mask & filter


def do_poll(fds: list[pollfd], wait: poll_wqueues, timeout_msecs: int) -> int:
    """The loop of a poll; returns as do_sys_poll()."""
    pt = wait.pt
    expire = None if timeout_msecs < 0 else ktime_get() + timeout_msecs * NSEC_PER_MSEC
    timed_out = timeout_msecs == 0
    if timed_out:
        pt._qproc = None
    while True:
        count = 0
        for pfd in fds:
            pfd.revents = do_pollfd(pfd, pt)
            if pfd.revents:
                count += 1
                pt._qproc = None
        pt._qproc = None
        if not count and signal_pending(current()):
            count = -EINTR
        if count or timed_out:
            return count
        if not poll_schedule_timeout(wait, TASK_INTERRUPTIBLE, expire):
            timed_out = True


def do_sys_poll(ufds: list[pollfd], timeout_msecs: int) -> int:
    """Wait until one of the descriptors has an event that it asks for.

    Returns how many have, 0 after `timeout_msecs` (negative: never), -EINTR for a signal, -EINVAL
    for more descriptors than a process can have.
    """
    if len(ufds) > RLIMIT_NOFILE:
        return -EINVAL
    table = poll_wqueues()
    poll_initwait(table)
    count = do_poll(ufds, table, timeout_msecs)
    poll_freewait(table)
    return count
