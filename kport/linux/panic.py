# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The taints of a kernel (include/linux/panic.h, kernel/panic.c of Linux 7.2.13)."""

from __future__ import annotations

from kport.linux.bitops import bitmap, set_bit, test_bit
from kport.linux.module import boot_data

TAINT_WARN = 9
TAINT_SOFTLOCKUP = 14

LOCKDEP_STILL_OK = 0
LOCKDEP_NOW_UNRELIABLE = 1

tainted_mask = bitmap()


@boot_data
def _reset_taints() -> None:
    tainted_mask._zero()


def add_taint(flag: int, lockdep_ok: int) -> None:
    """Note that something has happened after which a report about this kernel means less.

    The lock validator goes on in any case: it has no state that could have become wrong.
    """
    set_bit(flag, tainted_mask)


def test_taint(flag: int) -> int:
    """1 if the kernel has this taint."""
    return test_bit(flag, tainted_mask)
