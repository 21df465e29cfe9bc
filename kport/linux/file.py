# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""File descriptors (include/linux/file.h, fs/file.c of Linux 7.2.13), modelled.

A table of descriptors belongs to a process. Kernel threads share one, `init_files`, and so does
whoever boots; a thread that plays a user process gets its own with `unshare_files()`. Descriptors
0 to 2 are the standard streams that a process is born with, so the first free one is 3.
"""

from __future__ import annotations

from kport.arch.asm import current
from kport.linux.atomic import atomic_dec_and_test, atomic_inc, atomic_set, atomic_t
from kport.linux.bug import BUG_ON
from kport.linux.err import EBADF, EMFILE
from kport.linux.fs import file, fput, get_file
from kport.linux.module import boot_data
from kport.linux.sched import task_struct
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock, spinlock_t
from kport.linux.struct import struct

RLIMIT_NOFILE = 1024
_FIRST = 3


class files_struct(struct):
    """A table: descriptors in use, and the files of those that are installed."""

    count: atomic_t
    file_lock: spinlock_t
    open_fds: dict[int, file | None] | None
    next_fd: int


init_files = files_struct()


def _init(files: files_struct) -> files_struct:
    atomic_set(files.count, 1)
    spin_lock_init(files.file_lock)
    files.open_fds = {}
    files.next_fd = _FIRST
    return files


@boot_data
def _reset_init_files() -> None:
    _init(init_files)


def files_of(tsk: task_struct) -> files_struct:
    """The table of a task."""
    return init_files if tsk.files is None else tsk.files


def unshare_files(parent: files_struct | None) -> None:
    """Give the running task a table of its own: a copy of `parent`, or an empty one."""
    files = _init(files_struct())
    if parent is not None:
        spin_lock(parent.file_lock)
        for fd, filp in parent.open_fds.items():
            if filp is not None:
                files.open_fds[fd] = get_file(filp)
        spin_unlock(parent.file_lock)
    current().files = files


def share_files(files: files_struct) -> None:
    """Make the running task a user of a process' table, as one of its threads."""
    atomic_inc(files.count)
    current().files = files


def exit_files(tsk: task_struct) -> None:
    """The task is done with its table; its last user closes everything."""
    files, tsk.files = tsk.files, None
    if files is None or not atomic_dec_and_test(files.count):
        return
    for filp in files.open_fds.values():
        if filp is not None:
            fput(filp)
    files.open_fds = None


def get_unused_fd_flags(flags: int) -> int:
    """Reserve the lowest free descriptor, or -EMFILE."""
    files = files_of(current())
    spin_lock(files.file_lock)
    fd = files.next_fd
    while fd in files.open_fds:
        fd += 1
    if fd >= RLIMIT_NOFILE:
        spin_unlock(files.file_lock)
        return -EMFILE
    files.open_fds[fd] = None
    files.next_fd = fd + 1
    spin_unlock(files.file_lock)
    return fd


def _free(files: files_struct, fd: int) -> None:
    del files.open_fds[fd]
    if fd < files.next_fd:
        files.next_fd = fd


def put_unused_fd(fd: int) -> None:
    """Give back a reserved descriptor."""
    files = files_of(current())
    spin_lock(files.file_lock)
    _free(files, fd)
    spin_unlock(files.file_lock)


def fd_install(fd: int, filp: file) -> None:
    """Make a reserved descriptor mean `filp`; takes over the reference."""
    files = files_of(current())
    spin_lock(files.file_lock)
    BUG_ON(files.open_fds.get(fd, filp) is not None)
    files.open_fds[fd] = filp
    spin_unlock(files.file_lock)


def fget(fd: int) -> file | None:
    """The file of a descriptor with a reference, or NULL."""
    files = files_of(current())
    spin_lock(files.file_lock)
    filp = files.open_fds.get(fd)
    if filp is not None:
        get_file(filp)
    spin_unlock(files.file_lock)
    return filp


def close_fd(fd: int) -> int:
    """Close a descriptor: 0 or -EBADF."""
    files = files_of(current())
    spin_lock(files.file_lock)
    filp = files.open_fds.get(fd)
    if filp is not None:
        _free(files, fd)
    spin_unlock(files.file_lock)
    if filp is None:
        return -EBADF
    fput(filp)
    return 0
