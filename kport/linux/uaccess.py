# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""User memory (include/linux/uaccess.h of Linux 7.2.13), modelled.

A user pointer is the Python object itself: a struct, or a list for an array and for a single
number. NULL, an object with other members and an array that is too short are bad addresses. A copy
goes by value, member by member, so neither side sees what the other does to its own afterwards;
members that are user pointers stay what they are.
"""

from __future__ import annotations

from typing import Any

from kport.linux.struct import struct


def _copy_struct(to: struct, from_: struct) -> bool:
    if to._fields != from_._fields:
        return False
    for field in to._fields:
        value = getattr(from_, field)
        if isinstance(value, struct):
            if not _copy_struct(getattr(to, field), value):
                return False
        else:
            setattr(to, field, value)
    return True


def _copy(to: Any, from_: Any, kernel: Any) -> bool:
    """True if everything of the kernel's side was copied."""
    if isinstance(to, struct) and isinstance(from_, struct):
        return _copy_struct(to, from_)
    if not isinstance(to, list) or not isinstance(from_, list) or to is from_:
        return False
    if min(len(to), len(from_)) < len(kernel):
        return False
    for i in range(len(kernel)):
        if isinstance(to[i], struct) != isinstance(from_[i], struct):
            return False
        if not isinstance(to[i], struct):
            to[i] = from_[i]
        elif not _copy_struct(to[i], from_[i]):
            return False
    return True


def copy_from_user(to: Any, from_: Any, n: int) -> int:
    """Copy `n` bytes, the whole of `to`, from user memory; returns how many were not copied."""
    return 0 if _copy(to, from_, to) else n


def copy_to_user(to: Any, from_: Any, n: int) -> int:
    """Copy `n` bytes, the whole of `from_`, to user memory; returns how many were not copied."""
    return 0 if _copy(to, from_, from_) else n


def u64_to_user_ptr(x: Any) -> Any:
    """The user pointer in a member that C declares as a number (include/linux/util_macros.h)."""
    return x or None
