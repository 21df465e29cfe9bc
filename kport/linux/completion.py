# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from kernel/sched/completion.c and include/linux/completion.h,
# Linux 7.2.13, on 2026-11-20.
"""Completions: a counter one can wait for. complete() lets one waiter pass, complete_all() all."""

from __future__ import annotations

from collections.abc import Callable

from kport.arch.asm import READ_ONCE
from kport.linux.err import ERESTARTSYS
from kport.linux.lockdep import lockdep_assert_RT_in_threaded_ctx
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.sched import (
    MAX_SCHEDULE_TIMEOUT,
    TASK_INTERRUPTIBLE,
    TASK_KILLABLE,
    TASK_UNINTERRUPTIBLE,
    __set_current_state,
    current,
    might_sleep,
    schedule_timeout,
    signal_pending_state,
)
from kport.linux.spinlock import (
    raw_spin_lock_irq,
    raw_spin_lock_irqsave,
    raw_spin_unlock_irq,
    raw_spin_unlock_irqrestore,
)
from kport.linux.struct import struct
from kport.linux.swait import (
    DECLARE_SWAITQUEUE,
    __finish_swait,
    __prepare_to_swait,
    init_swait_queue_head,
    swait_queue_head,
    swake_up_all_locked,
    swake_up_locked,
)
from kport.linux.types import UINT_MAX

WF_CURRENT_CPU = 0x40


class completion(struct):
    """`done`: how many waiters may still pass; UINT_MAX: all."""

    done: int
    wait: swait_queue_head


def complete_acquire(x: completion) -> None:
    """Nothing: the annotation has been empty since cross-release lockdep went.

    include/linux/completion.h:32, Linux 7.2.13
    """


def complete_release(x: completion) -> None:
    """Nothing; see complete_acquire().

    include/linux/completion.h:33, Linux 7.2.13
    """


def COMPLETION_INITIALIZER_ONSTACK() -> completion:  # kport: initialiser
    """A new completion of a function's own.

    include/linux/completion.h:41-42, Linux 7.2.13
    """
    work = completion()  # kport: initialiser
    init_completion(work)  # kport: initialiser
    return work  # kport: initialiser


DECLARE_COMPLETION_ONSTACK = COMPLETION_INITIALIZER_ONSTACK


def init_completion(x: completion) -> None:
    """Nobody may pass.

    include/linux/completion.h:84-88, Linux 7.2.13
    """
    x.done = 0
    init_swait_queue_head(x.wait)


def reinit_completion(x: completion) -> None:
    """Nobody may pass any more; those who wait go on waiting.

    include/linux/completion.h:97-100, Linux 7.2.13
    """
    x.done = 0


def complete_with_flags(x: completion, wake_flags: int) -> None:
    """Let one waiter pass.

    kernel/sched/completion.c:21-31, Linux 7.2.13
    """
    flags = raw_spin_lock_irqsave(x.wait.lock)

    if x.done != UINT_MAX:
        x.done += 1
    swake_up_locked(x.wait, wake_flags)
    raw_spin_unlock_irqrestore(x.wait.lock, flags)


def complete_on_current_cpu(x: completion) -> None:
    """complete(), with the waiter to run here.

    kernel/sched/completion.c:33-36, Linux 7.2.13
    """
    return complete_with_flags(x, WF_CURRENT_CPU)


def complete(x: completion) -> None:
    """Let one waiter pass, the first in line or the next to come.

    kernel/sched/completion.c:50-53, Linux 7.2.13
    """
    complete_with_flags(x, 0)


EXPORT_SYMBOL(complete)


def complete_all(x: completion) -> None:
    """Let everybody pass until reinit_completion().

    kernel/sched/completion.c:72-82, Linux 7.2.13
    """
    lockdep_assert_RT_in_threaded_ctx()

    flags = raw_spin_lock_irqsave(x.wait.lock)
    x.done = UINT_MAX
    swake_up_all_locked(x.wait)
    raw_spin_unlock_irqrestore(x.wait.lock, flags)


EXPORT_SYMBOL(complete_all)


def do_wait_for_common(
    x: completion, action: Callable[[int], int], timeout: int, state: int
) -> int:
    """Wait, with the queue locked on entry and exit; returns as wait_for_common().

    kernel/sched/completion.c:85-110, Linux 7.2.13
    """
    if not x.done:
        wait = DECLARE_SWAITQUEUE()

        while True:
            if signal_pending_state(state, current()):
                timeout = -ERESTARTSYS
                break
            __prepare_to_swait(x.wait, wait)
            __set_current_state(state)
            raw_spin_unlock_irq(x.wait.lock)
            timeout = action(timeout)
            raw_spin_lock_irq(x.wait.lock)
            if not (not x.done and timeout):
                break
        __finish_swait(x.wait, wait)
        if not x.done:
            return timeout
    if x.done != UINT_MAX:
        x.done -= 1
    return timeout or 1


def __wait_for_common(
    x: completion, action: Callable[[int], int], timeout: int, state: int
) -> int:
    """Wait; returns as wait_for_common().

    kernel/sched/completion.c:112-127, Linux 7.2.13
    """
    might_sleep()

    complete_acquire(x)

    raw_spin_lock_irq(x.wait.lock)
    timeout = do_wait_for_common(x, action, timeout, state)
    raw_spin_unlock_irq(x.wait.lock)

    complete_release(x)

    return timeout


def wait_for_common(x: completion, timeout: int, state: int) -> int:
    """Wait `timeout` ticks in `state`: ticks left (at least 1), 0 if too late, or -ERESTARTSYS.

    kernel/sched/completion.c:129-133, Linux 7.2.13
    """
    return __wait_for_common(x, schedule_timeout, timeout, state)


def wait_for_completion(x: completion) -> None:
    """Wait, without limit.

    kernel/sched/completion.c:151-154, Linux 7.2.13
    """
    wait_for_common(x, MAX_SCHEDULE_TIMEOUT, TASK_UNINTERRUPTIBLE)


EXPORT_SYMBOL(wait_for_completion)


def wait_for_completion_timeout(x: completion, timeout: int) -> int:
    """Wait at most `timeout` ticks: ticks left (at least 1), or 0 if too late.

    kernel/sched/completion.c:169-173, Linux 7.2.13
    """
    return wait_for_common(x, timeout, TASK_UNINTERRUPTIBLE)


EXPORT_SYMBOL(wait_for_completion_timeout)


def wait_for_completion_interruptible(x: completion) -> int:
    """Wait until done (0) or signalled (-ERESTARTSYS).

    kernel/sched/completion.c:219-226, Linux 7.2.13
    """
    t = wait_for_common(x, MAX_SCHEDULE_TIMEOUT, TASK_INTERRUPTIBLE)

    if t == -ERESTARTSYS:
        return t
    return 0


EXPORT_SYMBOL(wait_for_completion_interruptible)


def wait_for_completion_interruptible_timeout(x: completion, timeout: int) -> int:
    """Ticks left (at least 1), 0 if too late, -ERESTARTSYS if signalled.

    kernel/sched/completion.c:240-245, Linux 7.2.13
    """
    return wait_for_common(x, timeout, TASK_INTERRUPTIBLE)


EXPORT_SYMBOL(wait_for_completion_interruptible_timeout)


def wait_for_completion_killable(x: completion) -> int:
    """Wait until done (0) or killed (-ERESTARTSYS).

    kernel/sched/completion.c:257-264, Linux 7.2.13
    """
    t = wait_for_common(x, MAX_SCHEDULE_TIMEOUT, TASK_KILLABLE)

    if t == -ERESTARTSYS:
        return t
    return 0


EXPORT_SYMBOL(wait_for_completion_killable)


def wait_for_completion_state(x: completion, state: int) -> int:
    """Wait in `state` until done (0) or signalled (-ERESTARTSYS).

    kernel/sched/completion.c:267-274, Linux 7.2.13
    """
    t = wait_for_common(x, MAX_SCHEDULE_TIMEOUT, state)

    if t == -ERESTARTSYS:
        return t
    return 0


EXPORT_SYMBOL(wait_for_completion_state)


def wait_for_completion_killable_timeout(x: completion, timeout: int) -> int:
    """Ticks left (at least 1), 0 if too late, -ERESTARTSYS if killed.

    kernel/sched/completion.c:289-294, Linux 7.2.13
    """
    return wait_for_common(x, timeout, TASK_KILLABLE)


EXPORT_SYMBOL(wait_for_completion_killable_timeout)


def try_wait_for_completion(x: completion) -> bool:
    """Pass without waiting; False if that was not possible.

    kernel/sched/completion.c:309-330, Linux 7.2.13
    """
    ret = True

    if not READ_ONCE(x, "done"):
        return False

    flags = raw_spin_lock_irqsave(x.wait.lock)
    if not x.done:
        ret = False
    elif x.done != UINT_MAX:
        x.done -= 1
    raw_spin_unlock_irqrestore(x.wait.lock, flags)
    return ret


EXPORT_SYMBOL(try_wait_for_completion)


def completion_done(x: completion) -> bool:
    """True if a waiter would pass; whoever completed it is then done with it.

    kernel/sched/completion.c:342-357, Linux 7.2.13
    """
    if not READ_ONCE(x, "done"):
        return False

    flags = raw_spin_lock_irqsave(x.wait.lock)
    raw_spin_unlock_irqrestore(x.wait.lock, flags)
    return True


EXPORT_SYMBOL(completion_done)
