# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After include/linux/local_lock.h and local_lock_internal.h, Linux 7.2.13, on 2026-11-20.
"""Local locks: a name for a section that the CPU must not leave.

Without PREEMPT_RT nothing is locked: preemption is off, or interrupts are. The name lets the
validator see who relies on it, and `owner` that the sections do not nest. `this_cpu_ptr()` is not
here: a lock stands for one CPU's.
"""

from __future__ import annotations

from typing import Any

from kport.arch.asm import (
    current_thread_info,
    local_irq_restore,
    local_irq_save,
    preempt_disable,
    preempt_enable,
)
from kport.linux.lockdep_state import DEBUG_LOCKS_WARN_ON
from kport.linux.struct import struct


class local_lock_t(struct):
    """The lock: who is in the section. `dep_map` is the lock validator's."""

    owner: Any
    dep_map: Any


def local_lock_init(lock: local_lock_t) -> None:
    """Nobody is in the section.

    include/linux/local_lock_internal.h:81-93, Linux 7.2.13
    """
    lock.owner = None


def local_lock_acquire(lock: local_lock_t) -> None:
    """Note who enters.

    include/linux/local_lock_internal.h:44-49, Linux 7.2.13
    """
    DEBUG_LOCKS_WARN_ON(lock.owner)
    lock.owner = current_thread_info()


def local_lock_release(lock: local_lock_t) -> None:
    """Note that nobody is in the section any more.

    include/linux/local_lock_internal.h:58-63, Linux 7.2.13
    """
    DEBUG_LOCKS_WARN_ON(lock.owner is not current_thread_info())
    lock.owner = None


def local_lock(lock: local_lock_t) -> None:
    """Enter the section; the task stays on its CPU."""
    preempt_disable()
    local_lock_acquire(lock)


def local_unlock(lock: local_lock_t) -> None:
    """Leave the section."""
    local_lock_release(lock)
    preempt_enable()


def local_lock_irq(lock: local_lock_t) -> None:
    """Disable interrupts and enter the section."""
    local_irq_save()
    local_lock_acquire(lock)


def local_unlock_irq(lock: local_lock_t) -> None:
    """Leave the section and enable interrupts."""
    local_lock_release(lock)
    local_irq_restore(0)


def local_lock_irqsave(lock: local_lock_t) -> int:
    """local_lock_irq(); returns `flags` for local_unlock_irqrestore()."""
    flags = local_irq_save()
    local_lock_acquire(lock)
    return flags


def local_unlock_irqrestore(lock: local_lock_t, flags: int) -> None:
    """Leave the section and put the interrupt state back."""
    local_lock_release(lock)
    local_irq_restore(flags)
