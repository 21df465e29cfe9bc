# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The system calls on files, as a program in user space makes them (include/linux/syscalls.h).

They return what the kernel returns: a result, or a negative error number.
"""

from __future__ import annotations

from typing import Any

from kport.linux.err import EBADF, EINVAL, IS_ERR, ENOTTY, PTR_ERR
from kport.linux.file import close_fd, fd_install, fget, get_unused_fd_flags, put_unused_fd
from kport.linux.fs import filp_open, fput
from kport.linux.poll import do_sys_poll, pollfd

F_GETFD = 1
FD_CLOEXEC = 1


def sys_open(filename: str, flags: int) -> int:
    """Open a special file: a descriptor, -ENOENT, -EMFILE, -ENOMEM, or what its driver says."""
    fd = get_unused_fd_flags(flags)
    if fd < 0:
        return fd
    filp = filp_open(filename, flags)
    if IS_ERR(filp):
        put_unused_fd(fd)
        return PTR_ERR(filp)
    fd_install(fd, filp)
    return fd


def sys_close(fd: int) -> int:
    """Close a descriptor: 0 or -EBADF."""
    return close_fd(fd)


def sys_ioctl(fd: int, cmd: int, arg: Any) -> int:
    """An ioctl: what the driver says, -EBADF, or -ENOTTY for a file that has none."""
    filp = fget(fd)
    if filp is None:
        return -EBADF
    ioctl = filp.f_op.unlocked_ioctl
    error = -ENOTTY if ioctl is None else ioctl(filp, cmd, arg)
    fput(filp)
    return error


def sys_read(fd: int) -> str | int:
    """All that a file has to tell, as text: -EBADF, or -EINVAL for a file that cannot be read."""
    filp = fget(fd)
    if filp is None:
        return -EBADF
    read = filp.f_op.read
    text = -EINVAL if read is None else read(filp)
    fput(filp)
    return text


def sys_poll(ufds: list[pollfd], timeout_msecs: int) -> int:
    """Wait for events; see do_sys_poll()."""
    return do_sys_poll(ufds, timeout_msecs)


def sys_fcntl(fd: int, cmd: int) -> int:
    """F_GETFD: the flags of a descriptor, -EBADF if it is not open; -EINVAL for other commands."""
    filp = fget(fd)
    if filp is None:
        return -EBADF
    fput(filp)
    return 0 if cmd == F_GETFD else -EINVAL
