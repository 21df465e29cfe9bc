# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Which context runs (include/linux/preempt.h, Linux 7.2.13)."""

from __future__ import annotations

from kport.arch.api import HARDIRQ_MASK, PREEMPT_OFFSET, SOFTIRQ_MASK, SOFTIRQ_OFFSET
from kport.arch.asm import (
    irqs_disabled,
    local_irq_restore,
    local_irq_save,
    preempt_count,
    preempt_count_add,
    preempt_count_sub,
    preempt_disable,
    preempt_enable,
)

__all__ = [
    "PREEMPT_OFFSET",
    "in_atomic",
    "in_hardirq",
    "in_interrupt",
    "in_serving_softirq",
    "irqs_disabled",
    "local_irq_disable",
    "local_irq_enable",
    "local_irq_restore",
    "local_irq_save",
    "preempt_count",
    "preempt_disable",
    "preempt_enable",
    "softirq_enter",
    "softirq_exit",
]


def in_atomic() -> bool:
    """True where sleeping is forbidden: a lock held, preemption off, softirq or hardirq."""
    return preempt_count() != 0


def in_hardirq() -> int:
    """Non-zero in a hard interrupt."""
    return preempt_count() & HARDIRQ_MASK


def in_serving_softirq() -> int:
    """Non-zero in a softirq handler."""
    return preempt_count() & SOFTIRQ_OFFSET


def in_interrupt() -> int:
    """Non-zero in a hard interrupt or a softirq."""
    return preempt_count() & (HARDIRQ_MASK | SOFTIRQ_MASK)


def softirq_enter() -> None:
    """The thread begins to serve softirqs."""
    preempt_count_add(SOFTIRQ_OFFSET)


def softirq_exit() -> None:
    """The thread has served its softirqs."""
    preempt_count_sub(SOFTIRQ_OFFSET)


def local_irq_disable() -> None:
    """Interrupts off."""
    local_irq_save()


def local_irq_enable() -> None:
    """Interrupts on."""
    local_irq_restore(0)
