# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Holding softirqs off (include/linux/bottom_half.h, kernel/softirq.c of Linux 7.2.13)."""

from __future__ import annotations

from kport.arch.api import HARDIRQ_MASK, SOFTIRQ_MASK, SOFTIRQ_OFFSET
from kport.arch.asm import current_thread_info, preempt_count_add, preempt_count_sub
from kport.linux.interrupt import do_softirq

SOFTIRQ_DISABLE_OFFSET = 2 * SOFTIRQ_OFFSET


def in_softirq() -> int:
    """Non-zero in a softirq handler and where softirqs are held off."""
    return current_thread_info().preempt_count & SOFTIRQ_MASK


def local_bh_disable() -> None:
    """No softirq runs on top of this task until local_bh_enable()."""
    preempt_count_add(SOFTIRQ_DISABLE_OFFSET)


def local_bh_enable() -> None:
    """Softirqs may run again; those that were raised meanwhile run now."""
    preempt_count_sub(SOFTIRQ_DISABLE_OFFSET)
    ti = current_thread_info()
    if ti.softirq_pending and not ti.preempt_count & (HARDIRQ_MASK | SOFTIRQ_MASK):
        do_softirq(ti)
