# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Reader-writer semaphores (include/linux/rwsem.h of Linux 7.2.13), modelled.

First come, first served: a reader that comes behind a waiting writer waits too.
"""

from __future__ import annotations

from typing import Any

from kport.linux.bug import WARN_ON
from kport.linux.err import EINTR
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add_tail,
    list_del,
    list_empty,
    list_first_entry,
    list_head,
)
from kport.linux.lockdep import _RET_IP_, lock_downgrade
from kport.linux.sched import (
    TASK_KILLABLE,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    __set_current_state,
    current,
    might_sleep,
    schedule,
    set_current_state,
    signal_pending_state,
    task_struct,
    wake_up_process,
)
from kport.linux.spinlock import (
    raw_spin_lock_init,
    raw_spin_lock_irqsave,
    raw_spin_unlock_irqrestore,
    raw_spinlock_t,
)
from kport.linux.struct import struct


class rw_semaphore(struct):
    """The semaphore: `count` readers, or -1 for a writer. `dep_map` is the lock validator's."""

    count: int
    wait_lock: raw_spinlock_t
    wait_list: list_head
    dep_map: Any


class rwsem_waiter(struct):
    """One waiter; `granted` once the semaphore is his."""

    list: list_head
    task: task_struct | None
    write: bool
    granted: bool


def init_rwsem(sem: rw_semaphore) -> None:
    """Make the semaphore free."""
    sem.count = 0
    raw_spin_lock_init(sem.wait_lock, "&sem->wait_lock")
    INIT_LIST_HEAD(sem.wait_list)


def _grant(sem: rw_semaphore) -> list[Any]:
    """Hand the semaphore to whoever is in front; returns the tasks to wake. Locked."""
    woken: list[Any] = []
    while not list_empty(sem.wait_list):
        waiter = list_first_entry(sem.wait_list, rwsem_waiter, "list")
        if sem.count < 0 or (waiter.write and sem.count):
            break
        sem.count = -1 if waiter.write else sem.count + 1
        list_del(waiter.list)
        waiter.granted = True
        woken.append(waiter.task)
    return woken


def _down(sem: rw_semaphore, write: bool, state: int) -> int:
    might_sleep()
    waiter = rwsem_waiter()
    waiter.task = current()
    waiter.write = write
    flags = raw_spin_lock_irqsave(sem.wait_lock)
    list_add_tail(waiter.list, sem.wait_list)
    woken = _grant(sem)
    ret = 0
    while not waiter.granted:
        if signal_pending_state(state, current()):
            list_del(waiter.list)
            woken = _grant(sem)
            ret = -EINTR
            break
        set_current_state(state)
        raw_spin_unlock_irqrestore(sem.wait_lock, flags)
        schedule()
        flags = raw_spin_lock_irqsave(sem.wait_lock)
    __set_current_state(TASK_RUNNING)
    raw_spin_unlock_irqrestore(sem.wait_lock, flags)
    for task in woken:
        if task is not current():
            wake_up_process(task)
    return ret


def _try(sem: rw_semaphore, write: bool) -> int:
    flags = raw_spin_lock_irqsave(sem.wait_lock)
    taken = list_empty(sem.wait_list) and (sem.count == 0 if write else sem.count >= 0)
    if taken:
        sem.count = -1 if write else sem.count + 1
    raw_spin_unlock_irqrestore(sem.wait_lock, flags)
    return int(taken)


def _up(sem: rw_semaphore, write: bool) -> None:
    flags = raw_spin_lock_irqsave(sem.wait_lock)
    WARN_ON(sem.count != -1 if write else sem.count <= 0)
    sem.count = 0 if write else sem.count - 1
    woken = _grant(sem)
    raw_spin_unlock_irqrestore(sem.wait_lock, flags)
    for task in woken:
        wake_up_process(task)


def down_read(sem: rw_semaphore) -> None:
    """Take the semaphore with other readers."""
    _down(sem, False, TASK_UNINTERRUPTIBLE)


def down_read_killable(sem: rw_semaphore) -> int:
    """down_read(), or -EINTR if the task is killed first."""
    return _down(sem, False, TASK_KILLABLE)


def down_read_nested(sem: rw_semaphore, subclass: int) -> None:
    """down_read() inside another semaphore of its class."""
    _down(sem, False, TASK_UNINTERRUPTIBLE)


def down_read_trylock(sem: rw_semaphore) -> int:
    """Take the semaphore with other readers if that can be at once; 1 if taken."""
    return _try(sem, False)


def up_read(sem: rw_semaphore) -> None:
    """Release it as a reader."""
    _up(sem, False)


def down_write(sem: rw_semaphore) -> None:
    """Take the semaphore alone."""
    _down(sem, True, TASK_UNINTERRUPTIBLE)


def down_write_killable(sem: rw_semaphore) -> int:
    """down_write(), or -EINTR if the task is killed first."""
    return _down(sem, True, TASK_KILLABLE)


def down_write_nested(sem: rw_semaphore, subclass: int) -> None:
    """down_write() inside another semaphore of its class."""
    _down(sem, True, TASK_UNINTERRUPTIBLE)


def down_write_trylock(sem: rw_semaphore) -> int:
    """Take the semaphore alone if nobody has it; 1 if taken."""
    return _try(sem, True)


def downgrade_write(sem: rw_semaphore) -> None:
    """The writer becomes a reader; readers in front of the line come in, too."""
    lock_downgrade(sem, _RET_IP_)
    flags = raw_spin_lock_irqsave(sem.wait_lock)
    WARN_ON(sem.count != -1)
    sem.count = 1
    woken = _grant(sem)
    raw_spin_unlock_irqrestore(sem.wait_lock, flags)
    for task in woken:
        wake_up_process(task)


def up_write(sem: rw_semaphore) -> None:
    """Release it as the writer."""
    _up(sem, True)
