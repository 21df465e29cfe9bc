# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from include/linux/err.h, Linux 7.2.13, on 2026-11-20.
"""Error pointers and the error numbers the port uses.

An error pointer is one interned object per number: truthy, as in C, and never None.
"""

from __future__ import annotations

from typing import Any

EPERM = 1
ENOENT = 2
ESRCH = 3
EINTR = 4
EIO = 5
EBADF = 9
EAGAIN = 11
ENOMEM = 12
EACCES = 13
EFAULT = 14
EBUSY = 16
EEXIST = 17
ENODEV = 19
EINVAL = 22
EMFILE = 24
ENOTTY = 25
ENOSPC = 28
EPIPE = 32
ERANGE = 34
EDEADLK = 35
ENOSYS = 38
ENODATA = 61
ETIME = 62
EPROTO = 71
EALREADY = 114
EOPNOTSUPP = 95
ETIMEDOUT = 110
ECANCELED = 125
EHWPOISON = 133
ERESTARTSYS = 512

MAX_ERRNO = 4095

ERRNO_NAMES = {
    value: name
    for name, value in list(globals().items())
    if name.startswith("E") and isinstance(value, int)
}


class errptr:
    """The pointer ERR_PTR(error) makes; `error` is negative."""

    __slots__ = ("error",)

    def __init__(self, error: int) -> None:
        self.error = error

    def __repr__(self) -> str:
        return f"ERR_PTR({self.error})"


_interned = tuple(errptr(-number) for number in range(MAX_ERRNO + 1))


def ERR_PTR(error: int) -> Any:
    """The error pointer of a negative error number; the same object each time.

    include/linux/err.h:39-42, Linux 7.2.13
    """
    return _interned[-error]  # kport: packed


def PTR_ERR(ptr: Any) -> int:
    """The negative error number of an error pointer.

    include/linux/err.h:63-66, Linux 7.2.13
    """
    return ptr.error  # kport: packed


def IS_ERR(ptr: Any) -> bool:
    """True for an error pointer.

    include/linux/err.h:76-79, Linux 7.2.13
    """
    return type(ptr) is errptr  # kport: packed


def IS_ERR_OR_NULL(ptr: Any) -> bool:
    """True for an error pointer and for NULL.

    include/linux/err.h:90-93, Linux 7.2.13
    """
    return ptr is None or type(ptr) is errptr  # kport: packed


def ERR_CAST(ptr: Any) -> Any:
    """The same error pointer, as a pointer of another type.

    include/linux/err.h:102-106, Linux 7.2.13
    """
    return ptr


def PTR_ERR_OR_ZERO(ptr: Any) -> int:
    """The error number of an error pointer, 0 for any other pointer.

    include/linux/err.h:125-131, Linux 7.2.13
    """
    if IS_ERR(ptr):
        return PTR_ERR(ptr)
    else:
        return 0
