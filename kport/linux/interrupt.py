# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Interrupt handlers and softirqs (include/linux/interrupt.h, kernel/softirq.c of Linux 7.2.13).

The machine calls in with interrupts off. `irq_enter()` and `irq_exit()` keep the context count; the
exit of the outermost interrupt runs the softirqs it raised, with interrupts on, on the same thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.api import HARDIRQ_MASK, HARDIRQ_OFFSET, SOFTIRQ_MASK, SOFTIRQ_OFFSET, Line
from kport.arch.asm import current_thread_info
from kport.arch.types import thread_info
from kport.linux import sched
from kport.linux.module import boot_data

IRQ_NONE = 0
IRQ_HANDLED = 1

TIMER_SOFTIRQ = 1
NR_SOFTIRQS = 10

softirq_vec: list[Callable[[], None] | None] = [None] * NR_SOFTIRQS
irq_desc: dict[int, tuple[Line, Callable[[int, Any], int], Any]] = {}


@boot_data
def _reset_irqs() -> None:
    irq_desc.clear()


def irq_enter() -> None:
    """The thread enters a hard interrupt."""
    current_thread_info().preempt_count += HARDIRQ_OFFSET


def irq_exit() -> None:
    """The thread leaves it; softirqs run if this was the outermost."""
    ti = current_thread_info()
    ti.preempt_count -= HARDIRQ_OFFSET
    if ti.softirq_pending and not ti.preempt_count & (HARDIRQ_MASK | SOFTIRQ_MASK):
        ti.irqs_off = 0
        do_softirq(ti)
        ti.irqs_off = 1


def do_softirq(ti: thread_info) -> None:
    """Run the softirqs that are pending; interrupts are on."""
    ti.preempt_count += SOFTIRQ_OFFSET
    while pending := ti.softirq_pending:
        ti.softirq_pending = 0
        for nr, action in enumerate(softirq_vec):
            if pending & (1 << nr) and action is not None:
                action()
    ti.preempt_count -= SOFTIRQ_OFFSET


def open_softirq(nr: int, action: Callable[[], None]) -> None:
    """Set the function of a softirq."""
    softirq_vec[nr] = action


def raise_softirq_irqoff(nr: int) -> None:
    """Run softirq `nr` when this interrupt is left; only from a hard interrupt."""
    current_thread_info().softirq_pending |= 1 << nr


def do_IRQ(line: Line) -> None:
    """Deliver a raised line to its handler."""
    irq_enter()
    handle_irq_event(line)
    irq_exit()


def handle_irq_event(line: Line) -> None:
    """Call the handler of a line. In C a line's lock is taken around that, and by free_irq()."""
    entry = irq_desc.get(line.number)
    if entry is not None:
        entry[1](line.number, entry[2])


def request_irq(handler: Callable[[int, Any], int], name: str, dev: Any) -> Line:
    """Take a new interrupt line; `handler(irq, dev)` runs as a hard interrupt when it is raised.

    Returns the line, which the device raises; `line.number` is the interrupt's number.
    """
    line = sched.machine.line(name, do_IRQ)
    irq_desc[line.number] = (line, handler, dev)
    return line


def free_irq(line: Line) -> None:
    """Give the line back; its handler does not run after this returns."""
    irq_desc.pop(line.number, None)
    sched.machine.free_line(line)
