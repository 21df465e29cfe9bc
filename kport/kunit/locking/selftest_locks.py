# SPDX-FileCopyrightText: 2006 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After lib/locking-selftest.c and the headers of that name, Linux 7.2.13, on 2026-11-20.
"""The locks of the self-test, its shorthand for them, and how they become new.

`A` to `D` are of four classes; `X1` and `X2` are of one, and so are the Ys and Zs. After a case the
classes of all of them are forgotten, and the locks are initialised again, held or not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kport.arch.api import SOFTIRQ_OFFSET
from kport.arch.asm import (
    current_thread_info,
    preempt_count_add,
    preempt_count_sub,
    spin_lock,
    spin_lock_init,
    spin_unlock,
)
from kport.arch.types import spinlock_t
from kport.linux.bottom_half import in_softirq, local_bh_disable, local_bh_enable
from kport.linux.bug import WARN_ON
from kport.linux.interrupt import irq_enter, irq_exit
from kport.linux.local_lock import local_lock_init, local_lock_t
from kport.linux.lockdep_acquire import lockdep_init_task
from kport.linux.lockdep_class import zap_keys
from kport.linux.lockdep_hooks import task_of
from kport.linux.lockdep_types import STEP_THREADED
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock
from kport.linux.preempt import in_hardirq, local_irq_disable, local_irq_enable
from kport.linux.rtmutex import rt_mutex, rt_mutex_init, rt_mutex_lock, rt_mutex_unlock
from kport.linux.rwlock import (
    read_lock,
    read_unlock,
    rwlock_init,
    rwlock_t,
    write_lock,
    write_unlock,
)
from kport.linux.rwsem import (
    down_read,
    down_write,
    init_rwsem,
    rw_semaphore,
    up_read,
    up_write,
)
from kport.linux.spinlock import raw_spin_lock_init, raw_spinlock_t
from kport.linux.ww_mutex import DEFINE_WD_CLASS, ww_acquire_ctx, ww_mutex, ww_mutex_init

ww_lockdep = DEFINE_WD_CLASS("ww_lockdep")

t, t2 = ww_acquire_ctx(), ww_acquire_ctx()
o, o2, o3 = ww_mutex(), ww_mutex(), ww_mutex()
raw_lock_A, raw_lock_B = raw_spinlock_t(), raw_spinlock_t()
local_A = local_lock_t()

NAMES = ("A", "B", "C", "D", "X1", "X2", "Y1", "Y2", "Z1", "Z2")
lock = {name: spinlock_t() for name in NAMES}
rwlock = {name: rwlock_t() for name in NAMES}
mutexes = {name: mutex() for name in NAMES}
rwsem = {name: rw_semaphore() for name in NAMES}
rtmutex = {name: rt_mutex() for name in NAMES}


def init_class_A(x: str) -> None:
    """A has classes of its own."""
    spin_lock_init(lock[x], "lock_A")
    rwlock_init(rwlock[x], "rwlock_A")
    mutex_init(mutexes[x], "mutex_A")
    init_rwsem(rwsem[x])
    rt_mutex_init(rtmutex[x])


def init_class_B(x: str) -> None:
    """B has classes of its own."""
    spin_lock_init(lock[x], "lock_B")
    rwlock_init(rwlock[x], "rwlock_B")
    mutex_init(mutexes[x], "mutex_B")
    init_rwsem(rwsem[x])
    rt_mutex_init(rtmutex[x])


def init_class_C(x: str) -> None:
    """C has classes of its own."""
    spin_lock_init(lock[x], "lock_C")
    rwlock_init(rwlock[x], "rwlock_C")
    mutex_init(mutexes[x], "mutex_C")
    init_rwsem(rwsem[x])
    rt_mutex_init(rtmutex[x])


def init_class_D(x: str) -> None:
    """D has classes of its own."""
    spin_lock_init(lock[x], "lock_D")
    rwlock_init(rwlock[x], "rwlock_D")
    mutex_init(mutexes[x], "mutex_D")
    init_rwsem(rwsem[x])
    rt_mutex_init(rtmutex[x])


def init_class_X(x: str) -> None:
    """The Xs share their classes.

    lib/locking-selftest.c:162-175, Linux 7.2.13
    """
    spin_lock_init(lock[x], "lock")
    rwlock_init(rwlock[x], "rwlock")
    mutex_init(mutexes[x], "mutex")
    init_rwsem(rwsem[x])
    rt_mutex_init(rtmutex[x])


def init_class_Y(x: str) -> None:
    """The Ys share their classes."""
    spin_lock_init(lock[x], "lock")
    rwlock_init(rwlock[x], "rwlock")
    mutex_init(mutexes[x], "mutex")
    init_rwsem(rwsem[x])
    rt_mutex_init(rtmutex[x])


def init_class_Z(x: str) -> None:
    """The Zs share their classes."""
    spin_lock_init(lock[x], "lock")
    rwlock_init(rwlock[x], "rwlock")
    mutex_init(mutexes[x], "mutex")
    init_rwsem(rwsem[x])
    rt_mutex_init(rtmutex[x])


INIT = {
    "A": init_class_A,
    "B": init_class_B,
    "C": init_class_C,
    "D": init_class_D,
    "X": init_class_X,
    "Y": init_class_Y,
    "Z": init_class_Z,
}


def init_locks() -> None:
    """All locks are new and free."""
    for name in NAMES:
        INIT[name[0]](name)
    raw_spin_lock_init(raw_lock_A, "raw_lock_A")
    raw_spin_lock_init(raw_lock_B, "raw_lock_B")
    local_lock_init(local_A)
    for w in (o, o2, o3):
        ww_mutex_init(w, ww_lockdep)
    t._zero()
    t2._zero()


def reset_locks() -> None:
    """The task holds nothing, all locks are new, and nothing is known of them.

    lib/locking-selftest.c:1389-1411, Linux 7.2.13
    """
    ti = current_thread_info()
    ti.held = lockdep_init_task()
    keys = {ww_lockdep.acquire_key, ww_lockdep.mutex_key}
    tables: Any = (lock, rwlock, mutexes, rwsem, rtmutex)
    single: Any = (raw_lock_A, raw_lock_B, local_A)
    for table in tables:
        keys |= {entry.dep_map.key for entry in table.values()}
    keys |= {entry.dep_map.key for entry in single}
    zap_keys(keys)
    init_locks()


# -- shorthand -------------------------------------------------------------------------------------


def L(x: str) -> None:
    """Take a spin lock."""
    spin_lock(lock[x])


def U(x: str) -> None:
    """Release it."""
    spin_unlock(lock[x])


def WL(x: str) -> None:
    """Take a reader-writer lock alone."""
    write_lock(rwlock[x])


def WU(x: str) -> None:
    """Release it."""
    write_unlock(rwlock[x])


def RL(x: str) -> None:
    """Take a reader-writer lock with others."""
    read_lock(rwlock[x])


def RU(x: str) -> None:
    """Release it."""
    read_unlock(rwlock[x])


def ML(x: str) -> None:
    """Take a mutex."""
    mutex_lock(mutexes[x])


def MU(x: str) -> None:
    """Release it."""
    mutex_unlock(mutexes[x])


def WSL(x: str) -> None:
    """Take a semaphore alone."""
    down_write(rwsem[x])


def WSU(x: str) -> None:
    """Release it."""
    up_write(rwsem[x])


def RSL(x: str) -> None:
    """Take a semaphore with others."""
    down_read(rwsem[x])


def RSU(x: str) -> None:
    """Release it."""
    up_read(rwsem[x])


def RTL(x: str) -> None:
    """Take a real-time mutex."""
    rt_mutex_lock(rtmutex[x])


def RTU(x: str) -> None:
    """Release it."""
    rt_mutex_unlock(rtmutex[x])


class lock_type(NamedTuple):
    """How locks of one type are taken and released."""

    name: str
    LOCK: Callable[[str], Any]
    UNLOCK: Callable[[str], Any]


SPIN = lock_type("spin", L, U)
WLOCK = lock_type("wlock", WL, WU)
RLOCK = lock_type("rlock", RL, RU)
MUTEX = lock_type("mutex", ML, MU)
WSEM = lock_type("wsem", WSL, WSU)
RSEM = lock_type("rsem", RSL, RSU)
RTMUTEX = lock_type("rtmutex", RTL, RTU)


# -- interrupts ------------------------------------------------------------------------------------


def HARDIRQ_ENTER() -> None:
    """Be in a hard interrupt that is a thread with PREEMPT_RT."""
    NOTTHREADED_HARDIRQ_ENTER()
    task_of(current_thread_info()).threaded = STEP_THREADED


def NOTTHREADED_HARDIRQ_ENTER() -> None:
    """Be in a hard interrupt."""
    local_irq_disable()
    irq_enter()
    task_of(current_thread_info()).threaded = 0
    WARN_ON(not in_hardirq())


def HARDIRQ_EXIT() -> None:
    """Leave it."""
    task_of(current_thread_info()).threaded = 0
    irq_exit()
    local_irq_enable()


def SOFTIRQ_ENTER() -> None:
    """Be in a softirq."""
    local_bh_disable()
    local_irq_disable()
    preempt_count_add(SOFTIRQ_OFFSET)
    WARN_ON(not in_softirq())


def SOFTIRQ_EXIT() -> None:
    """Leave it."""
    preempt_count_sub(SOFTIRQ_OFFSET)
    local_irq_enable()
    local_bh_enable()


class irq_type(NamedTuple):
    """How to hold off one kind of interrupt, and how to be in it."""

    name: str
    DISABLE: Callable[[], None]
    ENABLE: Callable[[], None]
    ENTER: Callable[[], None]
    EXIT: Callable[[], None]


def HARDIRQ_DISABLE() -> None:
    """Hold hard interrupts off."""
    local_irq_disable()


def HARDIRQ_ENABLE() -> None:
    """Let them come."""
    local_irq_enable()


def SOFTIRQ_DISABLE() -> None:
    """Hold softirqs off."""
    local_bh_disable()


def SOFTIRQ_ENABLE() -> None:
    """Let them run."""
    local_bh_enable()


HARD = irq_type("hard", HARDIRQ_DISABLE, HARDIRQ_ENABLE, HARDIRQ_ENTER, HARDIRQ_EXIT)
SOFT = irq_type("soft", SOFTIRQ_DISABLE, SOFTIRQ_ENABLE, SOFTIRQ_ENTER, SOFTIRQ_EXIT)
