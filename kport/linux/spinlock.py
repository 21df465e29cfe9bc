# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Spin locks (include/linux/spinlock.h). All flavours are the machine's one lock.

Raw and ordinary spin locks are the same without PREEMPT_RT. The owner is always known, so
`lockdep_assert_held()` is a real check.
"""

from __future__ import annotations

from typing import Any

from kport.arch.asm import (
    spin_is_locked,
    spin_lock,
    spin_lock_init,
    spin_lock_irq,
    spin_lock_irqsave,
    spin_trylock,
    spin_unlock,
    spin_unlock_irq,
    spin_unlock_irqrestore,
)
from kport.arch.types import spinlock_t
from kport.linux.lockdep import lockdep_assert_held

__all__ = [
    "DEFINE_SPINLOCK",
    "assert_spin_locked",
    "raw_spin_lock",
    "raw_spin_lock_init",
    "raw_spin_lock_irq",
    "raw_spin_lock_irqsave",
    "raw_spin_unlock",
    "raw_spin_unlock_irq",
    "raw_spin_unlock_irqrestore",
    "raw_spinlock_t",
    "spin_is_locked",
    "spin_lock",
    "spin_lock_init",
    "spin_lock_irq",
    "spin_lock_irqsave",
    "spin_lock_nest_lock",
    "spin_lock_nested",
    "spin_trylock",
    "spin_unlock",
    "spin_unlock_irq",
    "spin_unlock_irqrestore",
    "spinlock_t",
]

raw_spinlock_t = spinlock_t
raw_spin_lock_init = spin_lock_init
raw_spin_lock = spin_lock
raw_spin_unlock = spin_unlock
raw_spin_lock_irq = spin_lock_irq
raw_spin_unlock_irq = spin_unlock_irq
raw_spin_lock_irqsave = spin_lock_irqsave
raw_spin_unlock_irqrestore = spin_unlock_irqrestore
assert_spin_locked = lockdep_assert_held


def spin_lock_nested(lock: spinlock_t, subclass: int) -> None:
    """Take the lock inside another of its class; the subclass tells lockdep which."""
    spin_lock(lock)


def spin_lock_nest_lock(lock: spinlock_t, nest_lock: Any) -> None:
    """Take the lock inside others of its class, all of whose takers hold `nest_lock`."""
    spin_lock(lock)


def DEFINE_SPINLOCK() -> spinlock_t:
    """A lock for static data: its file calls spin_lock_init() in its boot_data function."""
    return spinlock_t()
