# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""C integers: names for annotations, and casts that wrap.

`u32(x)` is C's `(u32)x`. To the type checker each name is plain `int`; at run time it is the cast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

INT_MAX = 0x7FFFFFFF
INT_MIN = -INT_MAX - 1
UINT_MAX = 0xFFFFFFFF
U32_MAX = UINT_MAX
LONG_MAX = 0x7FFFFFFFFFFFFFFF
LONG_MIN = -LONG_MAX - 1
ULONG_MAX = 0xFFFFFFFFFFFFFFFF
U64_MAX = ULONG_MAX
BITS_PER_LONG = 64

if TYPE_CHECKING:
    u8: TypeAlias = int
    u32: TypeAlias = int
    s32: TypeAlias = int
    u64: TypeAlias = int
    s64: TypeAlias = int
    unsigned_long: TypeAlias = int
    long: TypeAlias = int
else:

    def u8(x: int) -> int:
        """Wrap to 0..2^8-1."""
        return x & 0xFF

    def u32(x: int) -> int:
        """Wrap to 0..2^32-1."""
        return x & 0xFFFFFFFF

    def s32(x: int) -> int:
        """Wrap to -2^31..2^31-1."""
        return (x + 0x80000000 & 0xFFFFFFFF) - 0x80000000

    def u64(x: int) -> int:
        """Wrap to 0..2^64-1."""
        return x & 0xFFFFFFFFFFFFFFFF

    def s64(x: int) -> int:
        """Wrap to -2^63..2^63-1."""
        return (x + 0x8000000000000000 & 0xFFFFFFFFFFFFFFFF) - 0x8000000000000000

    unsigned_long = u64
    long = s64


def lower_32_bits(n: int) -> int:
    """The low half of a 64-bit number (include/linux/wordpart.h)."""
    return n & 0xFFFFFFFF


def BIT(nr: int) -> int:
    """1 << nr (include/vdso/bits.h)."""
    return 1 << nr


def ilog2(n: int) -> int:
    """The exponent of the highest power of two in n > 0 (include/linux/log2.h)."""
    return n.bit_length() - 1


def roundup_pow_of_two(n: int) -> int:
    """The least power of two that is >= n > 0 (include/linux/log2.h)."""
    return 1 << (n - 1).bit_length()


def DIV_ROUND_UP(n: int, d: int) -> int:
    """n / d, rounded up (include/vdso/math.h)."""
    return -(-n // d)


def div_u64(dividend: int, divisor: int) -> int:
    """n / d of unsigned numbers (include/linux/math64.h)."""
    return dividend // divisor


ARRAY_SIZE = len


def max_t(type_: Callable[[int], int], x: int, y: int) -> int:
    """The greater of two numbers, both cast (include/linux/minmax.h)."""
    return max(type_(x), type_(y))


def min_t(type_: Callable[[int], int], x: int, y: int) -> int:
    """The lesser of two numbers, both cast (include/linux/minmax.h)."""
    return min(type_(x), type_(y))
