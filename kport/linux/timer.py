# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Timers in ticks (include/linux/timer.h, kernel/time/timer.c of Linux 7.2.13), modelled.

Kept exactly: a timer fires once, in softirq context, never before jiffies reaches `expires`; the
return values tell whether it was pending; `timer_delete_sync()` waits for a running callback;
`expires` is readable at any time. The wheel itself is a heap. A timer that is moved to a later time
keeps its entry, which is put back when it comes up, so a timer that is pushed out with every job
(the job timeout) costs one store.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from kport.arch.asm import cpu_relax, spin_lock_irqsave, spin_unlock_irqrestore
from kport.arch.types import spinlock_t
from kport.linux.bug import WARN_ON, WARN_ON_ONCE
from kport.linux.interrupt import TIMER_SOFTIRQ, open_softirq
from kport.linux.jiffies import jiffies, jiffies_to_ktime
from kport.linux.module import boot_data
from kport.linux.spinlock import raw_spin_lock_init
from kport.linux.struct import container_of, struct
from kport.linux.tick import NEVER, WHEEL, tick_program
from kport.linux.timerqueue import TimerQueue

T = TypeVar("T")

TIMER_IRQSAFE = 0x00200000
TIMER_DEFERRABLE = 0x00080000


class timer_list(struct):
    """A timer. Its queue entry may stand at an earlier tick than `expires`."""

    expires: int
    function: Callable[[timer_list], None] | None
    flags: int
    entry: list[Any] | None
    lockdep_map: Any


class timer_base(struct):
    """The one timer base: the queue, and the timer whose callback runs now.

    `clk` is the first tick whose timers have not run yet: nothing is queued before it, so a
    callback that starts its timer for now runs again in the next tick and not for ever in this one.
    """

    lock: spinlock_t
    clk: int
    queue: TimerQueue | None
    running_timer: timer_list | None


_base = timer_base()


@boot_data
def _init_timers() -> None:
    _base._zero()
    _base.queue = TimerQueue()
    raw_spin_lock_init(_base.lock, "&base->lock")
    open_softirq(TIMER_SOFTIRQ, run_timer_softirq)


def timer_setup(timer: timer_list, callback: Callable[[timer_list], None], flags: int) -> None:
    """Prepare a timer that is not pending."""
    timer.function = callback
    timer.flags = flags
    timer.entry = None


timer_setup_on_stack = timer_setup
timer_container_of = container_of


def timer_pending(timer: timer_list) -> bool:
    """True from add to expiry or deletion; False while the callback runs."""
    return timer.entry is not None


def _program(base: timer_base) -> None:
    first = base.queue.first()
    tick_program(WHEEL, jiffies_to_ktime(first[0]) if first else NEVER)


def _detach(base: timer_base, timer: timer_list) -> int:
    """Take the timer off the queue; 1 if it was on it."""
    entry = timer.entry
    if entry is None:
        return 0
    base.queue.remove(entry)
    timer.entry = None
    return 1


def mod_timer(timer: timer_list, expires: int) -> int:
    """Let the timer expire at tick `expires`; 1 if it was pending, else 0.

    A timer that was shut down stays as it is.
    """
    base = _base
    flags = spin_lock_irqsave(base.lock)
    if timer.function is None:
        spin_unlock_irqrestore(base.lock, flags)
        return 0
    entry = timer.entry
    was = 0 if entry is None else 1
    timer.expires = expires
    if entry is None or expires < entry[0]:
        _detach(base, timer)
        timer.entry = base.queue.add(expires if expires > base.clk else base.clk, timer)
        if base.queue.first() is timer.entry:
            _program(base)
    spin_unlock_irqrestore(base.lock, flags)
    return was


def add_timer(timer: timer_list) -> None:
    """Start a timer whose `expires` is set and which is not pending."""
    if WARN_ON_ONCE(timer_pending(timer)):
        return
    mod_timer(timer, timer.expires)


def timer_delete(timer: timer_list) -> int:
    """Take the timer out; 1 if it was pending. Its callback may be running."""
    base = _base
    flags = spin_lock_irqsave(base.lock)
    was = _detach(base, timer)
    spin_unlock_irqrestore(base.lock, flags)
    return was


def __try_to_del_timer_sync(timer: timer_list, shutdown: bool) -> int:
    """As timer_delete(), or -1 if its callback runs now; `shutdown` takes its function away."""
    base = _base
    flags = spin_lock_irqsave(base.lock)
    ret = -1
    if base.running_timer is not timer:
        ret = _detach(base, timer)
    if shutdown:
        timer.function = None
    spin_unlock_irqrestore(base.lock, flags)
    return ret


def try_to_del_timer_sync(timer: timer_list) -> int:
    """As timer_delete(), or -1 if its callback runs now."""
    return __try_to_del_timer_sync(timer, False)


def __timer_delete_sync(timer: timer_list, shutdown: bool) -> int:
    """Take the timer out and wait for a running callback; 1 if it was pending."""
    while True:
        ret = __try_to_del_timer_sync(timer, shutdown)
        if ret >= 0:
            return ret
        cpu_relax()


def timer_delete_sync(timer: timer_list) -> int:
    """Take the timer out and wait for a running callback; 1 if it was pending."""
    return __timer_delete_sync(timer, False)


del_timer = timer_delete
del_timer_sync = timer_delete_sync


def timer_shutdown_sync(timer: timer_list) -> int:
    """timer_delete_sync(), and the timer can never be started again, not by its callback either."""
    return __timer_delete_sync(timer, True)


def destroy_timer_on_stack(timer: timer_list) -> None:
    """A timer of a function's own ends here; it must not be pending."""
    WARN_ON(timer_pending(timer))


timer_destroy_on_stack = destroy_timer_on_stack


def call_timer_fn(timer: timer_list, fn: Callable[[timer_list], None]) -> None:
    """Run the callback of a timer, which may free it."""
    fn(timer)


def run_timer_softirq() -> None:
    """Call every timer whose tick has come; the callbacks run without the base lock."""
    base = _base
    flags = spin_lock_irqsave(base.lock)
    queue = base.queue
    now = jiffies()
    base.clk = now + 1
    while (first := queue.first()) is not None and first[0] <= now:
        timer = queue.pop()
        if timer.expires > now:
            timer.entry = queue.add(timer.expires, timer)
            continue
        timer.entry = None
        base.running_timer = timer
        function: Any = timer.function
        spin_unlock_irqrestore(base.lock, flags)
        if function is not None:
            call_timer_fn(timer, function)
        flags = spin_lock_irqsave(base.lock)
        base.running_timer = None
    _program(base)
    spin_unlock_irqrestore(base.lock, flags)
