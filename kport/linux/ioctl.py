# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Numbers of ioctls (include/uapi/asm-generic/ioctl.h of Linux 7.2.13).

The size is what the argument has in C on 64 bits, so the numbers are those of the kernel.
"""

from __future__ import annotations

_IOC_NONE = 0
_IOC_WRITE = 1
_IOC_READ = 2


def _IOC(dir: int, type: str, nr: int, size: int) -> int:
    """Direction in bits 30-31, size of the argument in 16-29, type in 8-15, number in 0-7."""
    return dir << 30 | size << 16 | ord(type) << 8 | nr


def _IO(type: str, nr: int) -> int:
    """An ioctl without an argument."""
    return _IOC(_IOC_NONE, type, nr, 0)


def _IOR(type: str, nr: int, argtype: int) -> int:
    """An ioctl that fills an argument of `argtype` bytes."""
    return _IOC(_IOC_READ, type, nr, argtype)


def _IOW(type: str, nr: int, argtype: int) -> int:
    """An ioctl that takes an argument of `argtype` bytes."""
    return _IOC(_IOC_WRITE, type, nr, argtype)


def _IOWR(type: str, nr: int, argtype: int) -> int:
    """An ioctl that takes and fills an argument of `argtype` bytes."""
    return _IOC(_IOC_READ | _IOC_WRITE, type, nr, argtype)
