# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After lib/sort.c and include/linux/sort.h, Linux 7.2.13, on 2026-11-20.
"""Sorting in place, modelled.

It is the kernel's heapsort, with the same comparisons in the same order: the sort is not stable,
and which of two equals comes first is seen by whoever drops one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

cmp_func_t = Callable[[Any, Any], int]


def _sift(base: list[Any], a: int, n: int, cmp_func: cmp_func_t) -> None:
    """Move the element at `a` down the heap of `n`: to a leaf, back up to its place, then shift."""
    b = a
    while (c := 2 * b + 1) + 1 < n:
        b = c if cmp_func(base[c], base[c + 1]) > 0 else c + 1
    if c + 1 == n:
        b = c
    while b != a and cmp_func(base[a], base[b]) >= 0:
        b = (b - 1) // 2
    c = b
    while b != a:
        b = (b - 1) // 2
        base[b], base[c] = base[c], base[b]


def sort(base: list[Any], num: int, cmp_func: cmp_func_t) -> None:
    """Sort the first `num` elements; `cmp_func(a, b)` is negative, 0 or positive."""
    n, a, second = num, num // 2, 0
    if not a:
        return
    while True:
        if a:
            a -= 1 << second
        elif n > 3:
            n -= 1
            base[0], base[n] = base[n], base[0]
            second = int(cmp_func(base[1], base[2]) <= 0)
            a = 1 << second
            n -= 1
            base[a], base[n] = base[n], base[a]
        else:
            break
        _sift(base, a, n, cmp_func)
    n -= 1
    base[0], base[n] = base[n], base[0]
    if n == 2 and cmp_func(base[0], base[1]) > 0:
        base[0], base[1] = base[1], base[0]
