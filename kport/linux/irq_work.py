# SPDX-FileCopyrightText: 2010 Red Hat, Inc., Peter Zijlstra
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from kernel/irq_work.c and include/linux/irq_work.h,
# Linux 7.2.13, on 2026-11-20.
"""Work for a hard interrupt of one's own: queued from anywhere, run as soon as interrupts allow.

Config: SMP, not PREEMPT_RT; the architecture has the interrupt. There is one raised list, not one
per CPU, and its interrupt is a line of the machine that is taken when first needed. Left out: lazy
work for the tick, queueing on another CPU, the PREEMPT_RT threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.asm import cpu_relax, preempt_disable, preempt_enable, smp_mb
from kport.linux import sched
from kport.linux.atomic import (
    atomic_cmpxchg,
    atomic_fetch_or,
    atomic_read,
    atomic_set,
    atomic_t,
)
from kport.linux.bug import BUG_ON
from kport.linux.interrupt import IRQ_HANDLED, request_irq
from kport.linux.llist import (
    init_llist_head,
    llist_add,
    llist_del_all,
    llist_empty,
    llist_for_each_entry_safe,
    llist_head,
    llist_node,
)
from kport.linux.lockdep import lockdep_assert_irqs_enabled
from kport.linux.module import EXPORT_SYMBOL_GPL, boot_data
from kport.linux.preempt import irqs_disabled
from kport.linux.sched import might_sleep
from kport.linux.spinlock import (
    DEFINE_SPINLOCK,
    spin_lock_init,
    spin_lock_irqsave,
    spin_unlock_irqrestore,
)
from kport.linux.struct import struct

CSD_TYPE_IRQ_WORK = 0x20

IRQ_WORK_PENDING = 0x01
IRQ_WORK_BUSY = 0x02
IRQ_WORK_LAZY = 0x04
IRQ_WORK_HARD_IRQ = 0x08
IRQ_WORK_CLAIMED = IRQ_WORK_PENDING | IRQ_WORK_BUSY


class __call_single_node(struct):
    """The link and the flags of one request (include/linux/smp_types.h)."""

    llist: llist_node
    a_flags: atomic_t


class irq_work(struct):
    """One piece of work."""

    node: __call_single_node
    func: Callable[[irq_work], None] | None


raised_list = llist_head()
_line: Any = None
_running = False
_line_lock = DEFINE_SPINLOCK()


@boot_data
def _reset_irq_work() -> None:
    global _line, _running
    init_llist_head(raised_list)
    _line = None
    _running = False
    spin_lock_init(_line_lock, "irq_work_line")


def init_irq_work(work: irq_work, func: Callable[[irq_work], None]) -> None:
    """Prepare a piece of work.

    include/linux/irq_work.h:31-35, Linux 7.2.13
    """
    work._zero()  # kport: struct-copy
    work.func = func  # kport: struct-copy


def irq_work_is_pending(work: irq_work) -> int:
    """Non-zero from the queueing until the function is about to run.

    include/linux/irq_work.h:37-40, Linux 7.2.13
    """
    return atomic_read(work.node.a_flags) & IRQ_WORK_PENDING


def irq_work_is_busy(work: irq_work) -> int:
    """Non-zero from the queueing until the function has run.

    include/linux/irq_work.h:42-45, Linux 7.2.13
    """
    return atomic_read(work.node.a_flags) & IRQ_WORK_BUSY


def irq_work_claim(work: irq_work) -> bool:
    """Take the right to queue the work; False if it is queued already.

    kernel/irq_work.c:57-70, Linux 7.2.13
    """
    oflags = atomic_fetch_or(IRQ_WORK_CLAIMED | CSD_TYPE_IRQ_WORK, work.node.a_flags)
    if oflags & IRQ_WORK_PENDING:
        return False
    return True


def arch_irq_work_raise() -> None:
    """Raise the interrupt that runs the list.

    kernel/irq_work.c:72-77, Linux 7.2.13
    """
    global _line
    flags = spin_lock_irqsave(_line_lock)  # kport: model
    if _line is None:  # kport: model
        _line = request_irq(_irq_work_interrupt, "irq_work", None)  # kport: model
    spin_unlock_irqrestore(_line_lock, flags)  # kport: model
    sched.machine.raise_line(_line)  # kport: model


def _irq_work_interrupt(irq: int, dev: Any) -> int:
    global _running
    _running = True
    irq_work_run()
    _running = False
    return IRQ_HANDLED


def irq_work_drain() -> None:
    """Wait until no work is queued or runs.

    On hardware a work runs on top of the code that queued it, as soon as interrupts are on; here
    the interrupt may be taken elsewhere, and is a moment late.
    """
    while not llist_empty(raised_list) or _running:
        cpu_relax()


def irq_work_raise(work: irq_work) -> None:
    """Raise the interrupt for a piece of work.

    kernel/irq_work.c:79-85, Linux 7.2.13
    """
    # kport: tracing
    arch_irq_work_raise()


def __irq_work_queue_local(work: irq_work) -> None:
    """Put claimed work on the list; the first one raises the interrupt.

    kernel/irq_work.c:88-113, Linux 7.2.13
    """
    # kport: timer-tick
    if not llist_add(work.node.llist, raised_list):  # kport: timer-tick
        return

    irq_work_raise(work)  # kport: timer-tick


def irq_work_queue(work: irq_work) -> bool:
    """Queue the work; False if it is queued already.

    kernel/irq_work.c:116-128, Linux 7.2.13
    """
    if not irq_work_claim(work):
        return False

    preempt_disable()
    __irq_work_queue_local(work)
    preempt_enable()

    return True


EXPORT_SYMBOL_GPL(irq_work_queue)


def irq_work_single(arg: Any) -> None:
    """Run one piece of work; it may be queued again from the moment its function begins.

    kernel/irq_work.c:201-233, Linux 7.2.13
    """
    work: irq_work = arg

    flags = atomic_read(work.node.a_flags)
    flags &= ~IRQ_WORK_PENDING
    atomic_set(work.node.a_flags, flags)

    smp_mb()

    # kport: annotation
    work.func(work)
    # kport: annotation

    atomic_cmpxchg(work.node.a_flags, flags, flags & ~IRQ_WORK_BUSY)
    # kport: rt


def irq_work_run_list(list: llist_head) -> None:
    """Run everything on the list.

    kernel/irq_work.c:235-253, Linux 7.2.13
    """
    BUG_ON(not irqs_disabled())

    if llist_empty(list):
        return

    llnode = llist_del_all(list)
    for work, tmp in llist_for_each_entry_safe(llnode, irq_work, "node.llist"):
        irq_work_single(work)


def irq_work_run() -> None:
    """The interrupt's handler.

    kernel/irq_work.c:259-266, Linux 7.2.13
    """
    irq_work_run_list(raised_list)  # kport: per-cpu
    # kport: timer-tick


EXPORT_SYMBOL_GPL(irq_work_run)


def irq_work_sync(work: irq_work) -> None:
    """Wait until the work is neither queued nor running.

    kernel/irq_work.c:286-306, Linux 7.2.13
    """
    lockdep_assert_irqs_enabled()
    might_sleep()

    # kport: rt
    while irq_work_is_busy(work):
        cpu_relax()


EXPORT_SYMBOL_GPL(irq_work_sync)
