# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Tasks: sleeping, waking, signals (include/linux/sched.h, kernel/sched/core.c of Linux 7.2.13).

Modelled, not translated: the kernel's scheduler is not here, the machine's is. What is kept exactly
is what a caller can observe of a sleep: a task sets its state, tests its condition and calls
schedule(); a wake-up changes the state, so one that comes before schedule() is not lost; timeouts
are in ticks and never early; a signal ends an interruptible sleep.

`comm` keeps the whole name; the kernel's 15 characters apply where a name is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from kport.arch.api import Machine
from kport.arch.asm import (
    WRITE_ONCE,
    atomic_fetch_add,
    current,
    current_thread_info,
    ktime_get,
    spin_lock_irqsave,
    spin_unlock_irqrestore,
    test_and_set_bit,
)
from kport.arch.types import atomic_t, bitmap, spinlock_t, thread_info
from kport.linux import atomic_sleep
from kport.linux.err import ERESTARTSYS
from kport.linux.jiffies import jiffies, jiffies_to_ktime
from kport.linux.printk import pr_err
from kport.linux.spinlock import raw_spin_lock_init
from kport.linux.struct import struct
from kport.linux.types import LONG_MAX, unsigned_long

__all__ = ["ERESTARTSYS", "current"]

TASK_RUNNING = 0x0000
TASK_INTERRUPTIBLE = 0x0001
TASK_UNINTERRUPTIBLE = 0x0002
TASK_PARKED = 0x0040
TASK_DEAD = 0x0080
TASK_WAKEKILL = 0x0100
TASK_KILLABLE = TASK_WAKEKILL | TASK_UNINTERRUPTIBLE
TASK_NORMAL = TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE
TASK_IDLE = TASK_UNINTERRUPTIBLE | 0x0400

PF_EXITING = 0x00000004
PF_WQ_WORKER = 0x00000020
PF_MEMALLOC = 0x00000800
PF_KTHREAD = 0x00200000

MAX_SCHEDULE_TIMEOUT = LONG_MAX
TASK_COMM_LEN = 16
RR_TIMESLICE_NS = 100_000_000

SCHED_NORMAL = 0
SCHED_FIFO = 1
SIGKILL = 9

TIF_NOTIFY_SIGNAL = 1
TIF_SIGPENDING = 2
TIF_KILLED = 3


class task_struct(struct):
    """One task. `thread` is the machine's half, set when the task is made."""

    thread: thread_info | None
    comm: str
    pid: int
    tgid: int
    flags: int
    _state: int
    exit_code: int
    ti_flags: bitmap
    pi_lock: spinlock_t
    group_leader: task_struct | None
    usage: int
    worker_private: Any
    vfork_done: Any
    policy: int
    rt_priority: int
    non_block_count: int
    kunit_test: Any
    files: Any


# The machine of this kernel, set by the boot.
machine: Machine = None

# Set by the files that know: what a worker does around a sleep, and what is left of a dead task.
wq_worker_sleeping: Callable[[Any], None] = lambda task: None
wq_worker_running: Callable[[Any], None] = lambda task: None
free_task: Callable[[Any], None] = lambda task: None
pid_counter = atomic_t()
tasks: dict[int, task_struct] = {}


def reset_tasks() -> None:
    """Forget the tasks of the last kernel; runs before anything that needs `current`."""
    pid_counter._zero()
    tasks.clear()


def new_task(ti: thread_info, flags: int, leader: task_struct | None) -> task_struct:
    """Make the task of a thread; the first task of a process is its own group leader."""
    p = task_struct()
    p.thread = ti
    p.comm = ti.name
    p.flags = flags
    p.pid = atomic_fetch_add(1, pid_counter) + 1
    p.group_leader = leader if leader is not None else p
    p.tgid = p.group_leader.pid
    p.usage = 1
    raw_spin_lock_init(p.pi_lock, "&p->pi_lock")
    ti.task = p
    ti.cpu = p.pid % machine.cpus
    tasks[p.pid] = p
    return p


def get_task_struct(t: task_struct) -> task_struct:
    """Take a reference."""
    flags = spin_lock_irqsave(t.pi_lock)
    t.usage += 1
    spin_unlock_irqrestore(t.pi_lock, flags)
    return t


def put_task_struct(t: task_struct) -> None:
    """Drop a reference; a dead task without references is gone."""
    flags = spin_lock_irqsave(t.pi_lock)
    t.usage -= 1
    last = t.usage == 0
    spin_unlock_irqrestore(t.pi_lock, flags)
    if last:
        free_task(t)


# -- task state --------------------------------------------------------------------------------


def set_current_state(state: int) -> None:
    """Say how the coming schedule() shall sleep; a later wake-up takes it back."""
    p = current()
    flags = spin_lock_irqsave(p.pi_lock)
    p._state = state
    spin_unlock_irqrestore(p.pi_lock, flags)


def __set_current_state(state: int) -> None:
    """set_current_state() without a barrier."""
    WRITE_ONCE(current(), "_state", state)


def set_special_state(state: int) -> None:
    """set_current_state() for states that an ordinary wake-up must not take back."""
    set_current_state(state)


def signal_pending(p: task_struct) -> int:
    """Non-zero if a signal waits for the task."""
    cells = p.ti_flags.cells
    return cells[TIF_SIGPENDING] | cells[TIF_NOTIFY_SIGNAL]


def fatal_signal_pending(p: task_struct) -> int:
    """Non-zero if the task is being killed."""
    return p.ti_flags.cells[TIF_KILLED]


def signal_pending_state(state: int, p: task_struct) -> int:
    """Non-zero if a pending signal must end a sleep in `state`."""
    if not (state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)):
        return 0
    if not signal_pending(p):
        return 0
    return (state & TASK_INTERRUPTIBLE) or fatal_signal_pending(p)


def set_tsk_thread_flag(tsk: task_struct, flag: int) -> None:
    """Raise one of the TIF_ flags of a task."""
    test_and_set_bit(flag, tsk.ti_flags)


def send_sig(sig: int, p: task_struct) -> None:
    """Send a signal; SIGKILL also ends killable sleeps and sets the exit code."""
    set_tsk_thread_flag(p, TIF_SIGPENDING)
    if sig == SIGKILL:
        p.exit_code = sig
        set_tsk_thread_flag(p, TIF_KILLED)
        wake_up_state(p, TASK_INTERRUPTIBLE | TASK_WAKEKILL)
    else:
        wake_up_state(p, TASK_INTERRUPTIBLE)


# -- sleeping and waking -----------------------------------------------------------------------


def schedule() -> None:
    """Give up the CPU; returns when the task's state is TASK_RUNNING."""
    p = current()
    if p.thread.preempt_count:
        atomic_sleep.__schedule_bug(sys._getframe(1))
    if p._state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL) and signal_pending_state(p._state, p):
        p._state = TASK_RUNNING
    if p.flags & PF_WQ_WORKER:
        wq_worker_sleeping(p)
    block = machine.block
    while p._state != TASK_RUNNING:
        block()
    if p.flags & PF_WQ_WORKER:
        wq_worker_running(p)


def schedule_timeout(timeout: int) -> int:
    """Sleep in the state set before, for at most `timeout` ticks.

    Returns the ticks left, 0 if the time ran out; MAX_SCHEDULE_TIMEOUT never runs out.
    """
    if timeout == MAX_SCHEDULE_TIMEOUT:
        schedule()
        return timeout
    if timeout < 0:
        pr_err("%s: wrong timeout value %lx\n", "schedule_timeout", unsigned_long(timeout))
        __set_current_state(TASK_RUNNING)
        return 0
    expire = timeout + jiffies()
    _schedule_until(jiffies_to_ktime(expire))
    timeout = expire - jiffies()
    return 0 if timeout < 0 else timeout


def schedule_hrtimeout(expires: int) -> int:
    """Sleep in the state set before until the clock shows `expires` ns.

    Returns 0 if the time ran out, -EINTR if the task was woken before.
    """
    return 0 if _schedule_until(expires) else -4


def _schedule_until(deadline: int) -> bool:
    """Sleep until woken (False) or until the deadline in ns (True)."""
    p = current()
    if p.thread.preempt_count:
        atomic_sleep.__schedule_bug(sys._getframe(1))
    if signal_pending_state(p._state, p):
        p._state = TASK_RUNNING
    if p.flags & PF_WQ_WORKER:
        wq_worker_sleeping(p)
    expired = False
    while p._state != TASK_RUNNING:
        if not machine.block(deadline) and ktime_get() >= deadline:
            flags = spin_lock_irqsave(p.pi_lock)
            expired = p._state != TASK_RUNNING
            p._state = TASK_RUNNING
            spin_unlock_irqrestore(p.pi_lock, flags)
    if p.flags & PF_WQ_WORKER:
        wq_worker_running(p)
    return expired


def schedule_preempt_disabled() -> None:
    """schedule() from a section with preemption off, which is on while the task sleeps."""
    ti = current_thread_info()
    ti.preempt_count -= 1
    schedule()
    ti.preempt_count += 1


def try_to_wake_up(p: task_struct, state: int, wake_flags: int) -> int:
    """Make the task runnable if its state is in the mask `state`; 1 if it was asleep."""
    flags = spin_lock_irqsave(p.pi_lock)
    if not p._state & state:
        spin_unlock_irqrestore(p.pi_lock, flags)
        return 0
    p._state = TASK_RUNNING
    spin_unlock_irqrestore(p.pi_lock, flags)
    machine.wake(p.thread)
    return 1


def wake_up_process(p: task_struct) -> int:
    """Wake a task from a normal sleep; 1 if it was asleep."""
    return try_to_wake_up(p, TASK_NORMAL, 0)


def wake_up_state(p: task_struct, state: int) -> int:
    """Wake a task that sleeps in one of the states; 1 if it was asleep."""
    return try_to_wake_up(p, state, 0)


def cond_resched() -> int:
    """A place where the CPU may be given to others; the machine preempts anyway."""
    return 0


def yield_to(p: task_struct, preempt: bool) -> bool:
    """Let `p` run until it sleeps or its slice is over; False if there was nothing to run."""
    end = ktime_get() + RR_TIMESLICE_NS
    yielded = p._state == TASK_RUNNING
    while p._state == TASK_RUNNING and (now := ktime_get()) < end:
        machine.block(now + 100_000)
    return yielded


def num_online_cpus() -> int:
    """How many CPUs the machine has (include/linux/cpumask.h)."""
    return machine.cpus


def get_task_comm(tsk: task_struct) -> str:
    """The name of a task, at most 15 characters."""
    return tsk.comm[: TASK_COMM_LEN - 1]


def might_sleep() -> None:
    """Report where sleeping is forbidden; atomic_sleep, when it is on, looks closer."""
    ti = current_thread_info()
    if ti.preempt_count or ti.irqs_off or ti.task.non_block_count:
        atomic_sleep.__might_resched(sys._getframe(1))


def non_block_start() -> None:
    """From here to non_block_end() nothing may be called that may sleep."""
    current().non_block_count += 1


def non_block_end() -> None:
    """It may sleep again."""
    current().non_block_count -= 1


def wait_task_inactive(p: task_struct, match_state: int) -> int:
    """Wait until the task really sleeps in `match_state`; 0 if its state is another."""
    return 1 if p._state == match_state else 0


def sched_set_fifo_low(p: task_struct) -> None:
    """Real-time policy, lowest priority; recorded, the machine does not enforce it."""
    p.policy = SCHED_FIFO
    p.rt_priority = 1


def sched_setscheduler_nocheck(p: task_struct, policy: int, priority: int) -> int:
    """Set policy and priority; recorded, the machine does not enforce them."""
    p.policy = policy
    p.rt_priority = priority
    return 0
