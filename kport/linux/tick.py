# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The clock event: one hardware timer for two users, hrtimers and the timer wheel.

Each user says when he wants to be called next; the machine is programmed with the earlier. There
is no periodic tick (as with NO_HZ): jiffies is computed from the clock.
"""

from __future__ import annotations

from collections.abc import Callable

from kport.arch.asm import ktime_get, spin_lock_irqsave, spin_unlock_irqrestore
from kport.arch.types import spinlock_t
from kport.linux import sched
from kport.linux.interrupt import TIMER_SOFTIRQ, irq_enter, irq_exit, raise_softirq_irqoff
from kport.linux.module import boot_data
from kport.linux.spinlock import raw_spin_lock_init

HRTIMER, WHEEL = 0, 1
NEVER = 1 << 80

_lock = spinlock_t()
_next = [NEVER, NEVER]
_programmed = NEVER
hrtimer_interrupt: Callable[[], None] = lambda: None


@boot_data
def _reset_tick() -> None:
    global _programmed
    raw_spin_lock_init(_lock, "clockevents_lock")
    _next[:] = [NEVER, NEVER]
    _programmed = NEVER


def tick_program(user: int, deadline: int) -> None:
    """`user` wants its call at `deadline` ns (NEVER: not at all)."""
    global _programmed
    flags = spin_lock_irqsave(_lock)
    _next[user] = deadline
    earliest = min(_next)
    if earliest != _programmed:
        _programmed = earliest
        sched.machine.set_event(None if earliest == NEVER else earliest)
    spin_unlock_irqrestore(_lock, flags)


def tick_handle() -> None:
    """The machine's timer interrupt: high resolution timers now, the wheel as a softirq."""
    global _programmed
    irq_enter()
    now = ktime_get()
    flags = spin_lock_irqsave(_lock)
    _programmed = NEVER
    high, wheel = _next[HRTIMER] <= now, _next[WHEEL] <= now
    if high:
        _next[HRTIMER] = NEVER
    if wheel:
        _next[WHEEL] = NEVER
    spin_unlock_irqrestore(_lock, flags)
    if high:
        hrtimer_interrupt()
    if wheel:
        raise_softirq_irqoff(TIMER_SOFTIRQ)
    irq_exit()
    flags = spin_lock_irqsave(_lock)
    earliest = min(_next)
    if earliest < _programmed:
        _programmed = earliest
        sched.machine.set_event(earliest)
    spin_unlock_irqrestore(_lock, flags)
