# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""High resolution timers (hrtimer.h, kernel/time/hrtimer.c of Linux 7.2.13), modelled.

Kept exactly: the callback runs as a hard interrupt, never before its time; NORESTART and RESTART;
`hrtimer_cancel()` waits for a running callback; a start re-arms a queued timer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.asm import (
    cpu_relax,
    ktime_get,
    spin_lock_irqsave,
    spin_unlock_irqrestore,
)
from kport.arch.types import spinlock_t
from kport.linux import tick
from kport.linux.bug import WARN_ON
from kport.linux.ktime import ktime_add, ktime_sub, ktime_t
from kport.linux.module import boot_data
from kport.linux.spinlock import raw_spin_lock_init
from kport.linux.struct import struct
from kport.linux.timerqueue import TimerQueue

CLOCK_MONOTONIC = 1

HRTIMER_MODE_ABS = 0
HRTIMER_MODE_REL = 1

HRTIMER_NORESTART = 0
HRTIMER_RESTART = 1

HRTIMER_STATE_INACTIVE = 0
HRTIMER_STATE_ENQUEUED = 1

hrtimer_restart = int
hrtimer_resolution = 1  # ns


class hrtimer(struct):
    """A timer; `expires` in ns since boot."""

    expires: ktime_t
    function: Callable[[hrtimer], hrtimer_restart] | None
    state: int
    mode: int
    entry: list[Any] | None


class hrtimer_base(struct):
    """The one clock base: the queue, and the timer whose callback runs now."""

    lock: spinlock_t
    queue: TimerQueue | None
    running: hrtimer | None


_base = hrtimer_base()


@boot_data
def _init_hrtimers() -> None:
    _base._zero()
    _base.queue = TimerQueue()
    raw_spin_lock_init(_base.lock, "hrtimer_bases.lock")
    tick.hrtimer_interrupt = hrtimer_interrupt


def hrtimer_setup(
    timer: hrtimer, function: Callable[[hrtimer], hrtimer_restart], clock_id: int, mode: int
) -> None:
    """Prepare a timer; the only clock is CLOCK_MONOTONIC."""
    if WARN_ON(clock_id != CLOCK_MONOTONIC):
        return
    timer.expires = 0
    timer.function = function
    timer.mode = mode
    timer.state = HRTIMER_STATE_INACTIVE
    timer.entry = None


def _enqueue(base: hrtimer_base, timer: hrtimer) -> None:
    timer.entry = base.queue.add(timer.expires, timer)
    timer.state = HRTIMER_STATE_ENQUEUED


def _dequeue(base: hrtimer_base, timer: hrtimer) -> int:
    """Take the timer off the queue; 1 if it was on it."""
    if timer.state != HRTIMER_STATE_ENQUEUED:
        return 0
    base.queue.remove(timer.entry)
    timer.entry = None
    timer.state = HRTIMER_STATE_INACTIVE
    return 1


def _program(base: hrtimer_base) -> None:
    first = base.queue.first()
    tick.tick_program(tick.HRTIMER, first[0] if first else tick.NEVER)


def hrtimer_start(timer: hrtimer, tim: ktime_t, mode: int) -> None:
    """Arm the timer for `tim` ns, absolute or from now; a queued timer is moved."""
    base = _base
    flags = spin_lock_irqsave(base.lock)
    _dequeue(base, timer)
    timer.expires = tim if mode == HRTIMER_MODE_ABS else ktime_add(ktime_get(), tim)
    _enqueue(base, timer)
    if base.queue.first() is timer.entry:
        _program(base)
    spin_unlock_irqrestore(base.lock, flags)


def hrtimer_is_queued(timer: hrtimer) -> bool:
    """True while the timer waits for its time."""
    return timer.state == HRTIMER_STATE_ENQUEUED


def hrtimer_callback_running(timer: hrtimer) -> bool:
    """True while its callback runs."""
    return _base.running is timer


def hrtimer_active(timer: hrtimer) -> bool:
    """True while queued or in its callback."""
    base = _base
    flags = spin_lock_irqsave(base.lock)
    active = timer.state == HRTIMER_STATE_ENQUEUED or base.running is timer
    spin_unlock_irqrestore(base.lock, flags)
    return active


def hrtimer_try_to_cancel(timer: hrtimer) -> int:
    """Take the timer out: 1 if it was queued, 0 if not, -1 if its callback runs now."""
    base = _base
    flags = spin_lock_irqsave(base.lock)
    if base.running is timer:
        ret = -1
    else:
        ret = _dequeue(base, timer)
    spin_unlock_irqrestore(base.lock, flags)
    return ret


def hrtimer_cancel(timer: hrtimer) -> int:
    """Take the timer out and wait for a running callback; 1 if it was queued."""
    while True:
        ret = hrtimer_try_to_cancel(timer)
        if ret >= 0:
            return ret
        cpu_relax()


def hrtimer_get_expires(timer: hrtimer) -> ktime_t:
    """When the timer fires."""
    return timer.expires


def hrtimer_get_remaining(timer: hrtimer) -> ktime_t:
    """How long until the timer fires; negative if it is late."""
    return ktime_sub(timer.expires, ktime_get())


def hrtimer_forward(timer: hrtimer, now: ktime_t, interval: ktime_t) -> int:
    """Move the expiry past `now` by whole intervals; returns how many were skipped."""
    delta = ktime_sub(now, timer.expires)
    if delta < 0:
        return 0
    if WARN_ON(timer.state & HRTIMER_STATE_ENQUEUED):
        return 0
    interval = max(interval, hrtimer_resolution)
    overrun = delta // interval + 1
    timer.expires = ktime_add(timer.expires, overrun * interval)
    return overrun


def hrtimer_forward_now(timer: hrtimer, interval: ktime_t) -> int:
    """hrtimer_forward() past the present."""
    return hrtimer_forward(timer, ktime_get(), interval)


def hrtimer_interrupt() -> None:
    """Call every timer whose time has come; the callbacks run without the base lock."""
    base = _base
    flags = spin_lock_irqsave(base.lock)
    queue = base.queue
    while (first := queue.first()) is not None and first[0] <= ktime_get():
        timer = queue.pop()
        timer.entry = None
        timer.state = HRTIMER_STATE_INACTIVE
        base.running = timer
        function = timer.function
        spin_unlock_irqrestore(base.lock, flags)
        restart = function(timer)
        flags = spin_lock_irqsave(base.lock)
        if restart != HRTIMER_NORESTART and timer.state != HRTIMER_STATE_ENQUEUED:
            _enqueue(base, timer)
        base.running = None
    _program(base)
    spin_unlock_irqrestore(base.lock, flags)
