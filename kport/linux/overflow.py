# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Checked arithmetic and sizes (include/linux/overflow.h of Linux 7.2.13)."""

from __future__ import annotations

from kport.linux.types import roundup_pow_of_two, u32


def check_sub_overflow(a: int, b: int) -> tuple[bool, int]:
    """a - b in a u32: (did it wrap, the wrapped difference)."""
    d = a - b
    return not 0 <= d <= 0xFFFFFFFF, u32(d)


def kmalloc_size_roundup(size: int) -> int:
    """The size of the kmalloc bucket that `size` bytes come from (mm/slab_common.c, x86-64)."""
    if size == 0:
        return 0
    for bucket in (8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192):
        if size <= bucket:
            return bucket
    return roundup_pow_of_two(size)  # above the buckets: whole pages, a power of two of them
