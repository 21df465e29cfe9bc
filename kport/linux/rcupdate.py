# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""RCU (include/linux/rcupdate.h, kernel/rcu of Linux 7.2.13), modelled with real grace periods.

A reader counts its nesting in its own thread_info, and its completed sections. One kthread,
`rcu_preempt`, takes the callbacks that have gathered, sleeps a tick, and then waits for every
reader it finds inside a section to leave it once. Only then do the callbacks run, in order, with
softirqs accounted so that they cannot sleep. The tick at the beginning is not only batching: it is
far longer than any store of a reader needs to become visible, which is all the ordering a reader's
plain increment needs on a Python without the GIL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.asm import (
    READ_ONCE,
    WRITE_ONCE,
    current_thread_info,
    preempt_disable,
    preempt_enable,
    rcu_read_lock,
    rcu_read_unlock,
    smp_store_release,
    spin_lock_irqsave,
    spin_unlock_irqrestore,
)
from kport.arch.types import spinlock_t, thread_info
from kport.linux import sched
from kport.linux.bottom_half import local_bh_disable, local_bh_enable
from kport.linux.completion import completion, complete, init_completion, wait_for_completion
from kport.linux.fork import kernel_task
from kport.linux.module import boot_data
from kport.linux.preempt import softirq_enter, softirq_exit
from kport.linux.sched import (
    TASK_IDLE,
    TASK_UNINTERRUPTIBLE,
    might_sleep,
    schedule,
    schedule_timeout,
    set_current_state,
    task_struct,
    wake_up_state,
)
from kport.linux.slab import kfree, release
from kport.linux.spinlock import raw_spin_lock_init
from kport.linux.struct import struct

__all__ = ["rcu_read_lock", "rcu_read_unlock"]


class rcu_head(struct):
    """A callback that waits for a grace period."""

    next: rcu_head | None
    func: Callable[[rcu_head], None] | None


class rcu_state(struct):
    """The callbacks that wait for the next grace period, and who will serve them."""

    lock: spinlock_t
    waiting: list[rcu_head]
    gp_kthread: task_struct | None
    gp_seq: int


_state = rcu_state()


@boot_data
def _reset_rcu() -> None:
    _state._zero()
    _state.waiting = []
    raw_spin_lock_init(_state.lock, "rcu_state.lock")


def rcu_read_lock_bh() -> None:
    """Begin a read-side section with softirqs held off."""
    local_bh_disable()
    current_thread_info().rcu_nesting += 1


def rcu_read_unlock_bh() -> None:
    """End it."""
    _leave()
    local_bh_enable()


def rcu_read_lock_sched() -> None:
    """Begin a read-side section with preemption off."""
    preempt_disable()
    current_thread_info().rcu_nesting += 1


def rcu_read_unlock_sched() -> None:
    """End it."""
    _leave()
    preempt_enable()


def _leave() -> None:
    ti = current_thread_info()
    ti.rcu_nesting -= 1
    if not ti.rcu_nesting:
        ti.rcu_passes += 1


# Pointers. All but the assignment are plain marked accesses.

rcu_dereference = READ_ONCE
rcu_access_pointer = READ_ONCE
rcu_dereference_raw = READ_ONCE
rcu_assign_pointer = smp_store_release
RCU_INIT_POINTER = WRITE_ONCE


def rcu_dereference_check(o: Any, f: Any, c: int) -> Any:
    """Read an RCU pointer, a member or an array element; `c` is why that is allowed here."""
    return READ_ONCE(o, f) if type(f) is str else o[f]


rcu_dereference_protected = rcu_dereference_check


def rcu_replace_pointer(o: Any, f: str, ptr: Any, c: bool) -> Any:
    """Exchange an RCU pointer under its writer lock; returns the old one."""
    old = READ_ONCE(o, f)
    smp_store_release(o, f, ptr)
    return old


def rcu_pointer_handoff(p: Any) -> Any:
    """The pointer is now kept alive by other means."""
    return p


def call_rcu(head: rcu_head, func: Callable[[rcu_head], None]) -> None:
    """Call `func(head)` after a grace period."""
    state = _state
    head.func = func
    flags = spin_lock_irqsave(state.lock)
    state.waiting.append(head)
    first = len(state.waiting) == 1
    task = state.gp_kthread
    if first and task is None:
        task = state.gp_kthread = kernel_task(_gp_kthread, "rcu_preempt")
    spin_unlock_irqrestore(state.lock, flags)
    if first:
        wake_up_state(task, TASK_IDLE)


class _kfree_head(struct):
    """The callback kfree_rcu() makes: what to free."""

    head: rcu_head
    ptr: Any


def _kfree_rcu_cb(head: rcu_head) -> None:
    kfree(head._container.ptr)


def kfree_rcu(ptr: Any, rhf: str) -> None:
    """kfree() the object after a grace period; `rhf` is its rcu_head member."""
    cb = _kfree_head()
    cb.ptr = ptr
    call_rcu(cb.head, _kfree_rcu_cb)


def _release_rcu_cb(head: rcu_head) -> None:
    release(head._container.ptr)


def release_rcu(obj: Any) -> None:
    """Empty an object after a grace period; its cache no longer knows it."""
    cb = _kfree_head()
    cb.ptr = obj
    call_rcu(cb.head, _release_rcu_cb)


def synchronize_rcu() -> None:
    """Wait for a grace period; sleeps."""
    might_sleep()
    done = _rcu_synchronize()
    init_completion(done.completion)
    call_rcu(done.head, _wakeme_after_rcu)
    wait_for_completion(done.completion)


class _rcu_synchronize(struct):
    """A waiter for one grace period."""

    head: rcu_head
    completion: completion


def _wakeme_after_rcu(head: rcu_head) -> None:
    complete(head._container.completion)


def rcu_barrier() -> None:
    """Wait until every callback queued before has run; sleeps. Callbacks run in order."""
    synchronize_rcu()


def queued(head: rcu_head) -> bool:
    """True while the callback waits for a grace period to begin."""
    return head in _state.waiting


def rcu_pending() -> int:
    """How many callbacks wait for the next grace period."""
    return len(_state.waiting)


def _gp_kthread() -> None:
    """The grace-period thread: gather, wait for readers, call."""
    state = _state
    while True:
        set_current_state(TASK_IDLE)
        flags = spin_lock_irqsave(state.lock)
        idle = not state.waiting
        spin_unlock_irqrestore(state.lock, flags)
        if idle:
            schedule()
            continue
        schedule_timeout(1)
        flags = spin_lock_irqsave(state.lock)
        batch = state.waiting
        state.waiting = []
        spin_unlock_irqrestore(state.lock, flags)
        _order("gp-begin")
        _wait_for_readers()
        _order("gp-end")
        state.gp_seq += 1
        softirq_enter()
        for head in batch:
            head.func(head)
        softirq_exit()


def _order(kind: str) -> None:
    """Tell a machine whose memory is weak where a grace period begins and ends."""
    fence = getattr(sched.machine, "fence", None)
    if fence is not None:
        fence(kind)


def _wait_for_readers() -> None:
    """Sleep until each thread that is in a read-side section now has left it once."""
    seen: list[tuple[thread_info, int]] = []
    for task in list(sched.tasks.values()):
        ti = task.thread
        passes = ti.rcu_passes
        if ti.rcu_nesting:
            seen.append((ti, passes))
    while seen:
        seen = [(ti, n) for ti, n in seen if ti.rcu_nesting and ti.rcu_passes == n]
        if seen:
            set_current_state(TASK_UNINTERRUPTIBLE)
            schedule_timeout(1)
