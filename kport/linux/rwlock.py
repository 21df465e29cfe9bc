# SPDX-FileCopyrightText: 2013-2014 Hewlett-Packard Development Company, L.P.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After include/asm-generic/qrwlock.h, kernel/locking/qrwlock.c and include/linux/rwlock.h,
# Linux 7.2.13, on 2026-11-20.
"""Reader-writer spin locks, queued: who cannot take the lock at once waits in a line.

`cnts` has the readers from bit 9 on, a writer in bits 0 to 7, and in bit 8 that a writer waits. A
reader that comes behind a waiting writer waits too, unless it is an interrupt: that one must not
wait for a writer who waits for the reader it interrupted.

The line is a spin lock that nobody else sees. Waiting is cpu_relax(), on both machines.
"""

from __future__ import annotations

from typing import Any

from kport.arch.asm import (
    atomic_add,
    atomic_cmpxchg,
    atomic_fetch_add,
    atomic_read,
    atomic_set,
    atomic_sub,
    cpu_relax,
    local_irq_restore,
    local_irq_save,
    preempt_disable,
    preempt_enable,
    spin_lock,
    spin_lock_init,
    spin_unlock,
)
from kport.arch.types import atomic_t, spinlock_t
from kport.linux.bottom_half import local_bh_disable, local_bh_enable
from kport.linux.lockdep import lockdep_set_notrack_class
from kport.linux.preempt import in_interrupt
from kport.linux.struct import struct

_QW_WAITING = 0x100
_QW_LOCKED = 0x0FF
_QW_WMASK = 0x1FF
_QR_BIAS = 1 << 9


class rwlock_t(struct):
    """The lock. `dep_map` is the lock validator's."""

    cnts: atomic_t
    wait_lock: spinlock_t
    dep_map: Any


def rwlock_init(lock: rwlock_t, name: str = "") -> None:
    """Make the lock free."""
    atomic_set(lock.cnts, 0)
    spin_lock_init(lock.wait_lock, name)
    lockdep_set_notrack_class(lock.wait_lock)


# -- the lock ------------------------------------------------------------------------------------


def queued_read_lock_slowpath(lock: rwlock_t) -> None:
    """Wait behind the writers; an interrupt waits for the one that has the lock only.

    kernel/locking/qrwlock.c:21-58, Linux 7.2.13
    """
    if in_interrupt():
        while atomic_read(lock.cnts) & _QW_LOCKED:
            cpu_relax()
        return
    atomic_sub(_QR_BIAS, lock.cnts)

    spin_lock(lock.wait_lock)
    atomic_add(_QR_BIAS, lock.cnts)

    while atomic_read(lock.cnts) & _QW_LOCKED:
        cpu_relax()

    spin_unlock(lock.wait_lock)


def queued_write_lock_slowpath(lock: rwlock_t) -> None:
    """Wait until all readers are gone, and let no new ones in.

    kernel/locking/qrwlock.c:64-93, Linux 7.2.13
    """
    spin_lock(lock.wait_lock)

    if atomic_cmpxchg(lock.cnts, 0, _QW_LOCKED) != 0:
        atomic_add(_QW_WAITING, lock.cnts)

        while atomic_cmpxchg(lock.cnts, _QW_WAITING, _QW_LOCKED) != _QW_WAITING:
            cpu_relax()

    spin_unlock(lock.wait_lock)


def do_raw_read_lock(lock: rwlock_t) -> None:
    """Take the lock with other readers.

    include/asm-generic/qrwlock.h:77-89, Linux 7.2.13
    """
    cnts = atomic_fetch_add(_QR_BIAS, lock.cnts)
    if not cnts & _QW_WMASK:
        return

    queued_read_lock_slowpath(lock)


def do_raw_write_lock(lock: rwlock_t) -> None:
    """Take the lock alone.

    include/asm-generic/qrwlock.h:95-103, Linux 7.2.13
    """
    if atomic_cmpxchg(lock.cnts, 0, _QW_LOCKED) == 0:
        return

    queued_write_lock_slowpath(lock)


def do_raw_read_trylock(lock: rwlock_t) -> int:
    """Take the lock with other readers if no writer has it or waits.

    include/asm-generic/qrwlock.h:44-56, Linux 7.2.13
    """
    cnts = atomic_read(lock.cnts)
    if not cnts & _QW_WMASK:
        cnts = atomic_fetch_add(_QR_BIAS, lock.cnts)
        if not cnts & _QW_WMASK:
            return 1
        atomic_sub(_QR_BIAS, lock.cnts)
    return 0


def do_raw_write_trylock(lock: rwlock_t) -> int:
    """Take the lock alone if nobody has it.

    include/asm-generic/qrwlock.h:63-72, Linux 7.2.13
    """
    return int(atomic_cmpxchg(lock.cnts, 0, _QW_LOCKED) == 0)


def do_raw_read_unlock(lock: rwlock_t) -> None:
    """Release the lock as a reader.

    include/asm-generic/qrwlock.h:109-115, Linux 7.2.13
    """
    atomic_sub(_QR_BIAS, lock.cnts)


def do_raw_write_unlock(lock: rwlock_t) -> None:
    """Release the lock as the writer; the bit of one who waits stays.

    include/asm-generic/qrwlock.h:121-124, Linux 7.2.13
    """
    atomic_sub(_QW_LOCKED, lock.cnts)


# -- what kernel code calls ------------------------------------------------------------------------


def read_lock(lock: rwlock_t) -> None:
    """Take the lock with other readers."""
    preempt_disable()
    do_raw_read_lock(lock)


def write_lock(lock: rwlock_t) -> None:
    """Take the lock alone."""
    preempt_disable()
    do_raw_write_lock(lock)


def read_trylock(lock: rwlock_t) -> int:
    """Take the lock with other readers if that can be at once; 1 if taken."""
    preempt_disable()
    if do_raw_read_trylock(lock):
        return 1
    preempt_enable()
    return 0


def write_trylock(lock: rwlock_t) -> int:
    """Take the lock alone if that can be at once; 1 if taken."""
    preempt_disable()
    if do_raw_write_trylock(lock):
        return 1
    preempt_enable()
    return 0


def read_unlock(lock: rwlock_t) -> None:
    """Release the lock as a reader."""
    do_raw_read_unlock(lock)
    preempt_enable()


def write_unlock(lock: rwlock_t) -> None:
    """Release the lock as the writer."""
    do_raw_write_unlock(lock)
    preempt_enable()


def read_lock_irq(lock: rwlock_t) -> None:
    """Disable interrupts and take the lock with other readers."""
    local_irq_save()
    read_lock(lock)


def read_unlock_irq(lock: rwlock_t) -> None:
    """Release the lock as a reader and enable interrupts."""
    read_unlock(lock)
    local_irq_restore(0)


def read_lock_irqsave(lock: rwlock_t) -> int:
    """read_lock_irq(); returns `flags` for read_unlock_irqrestore()."""
    flags = local_irq_save()
    read_lock(lock)
    return flags


def read_unlock_irqrestore(lock: rwlock_t, flags: int) -> None:
    """Release the lock as a reader and put the interrupt state back."""
    read_unlock(lock)
    local_irq_restore(flags)


def write_lock_irq(lock: rwlock_t) -> None:
    """Disable interrupts and take the lock alone."""
    local_irq_save()
    write_lock(lock)


def write_unlock_irq(lock: rwlock_t) -> None:
    """Release the lock as the writer and enable interrupts."""
    write_unlock(lock)
    local_irq_restore(0)


def write_lock_irqsave(lock: rwlock_t) -> int:
    """write_lock_irq(); returns `flags` for write_unlock_irqrestore()."""
    flags = local_irq_save()
    write_lock(lock)
    return flags


def write_unlock_irqrestore(lock: rwlock_t, flags: int) -> None:
    """Release the lock as the writer and put the interrupt state back."""
    write_unlock(lock)
    local_irq_restore(flags)


def read_lock_bh(lock: rwlock_t) -> None:
    """Hold softirqs off and take the lock with other readers."""
    local_bh_disable()
    read_lock(lock)


def read_unlock_bh(lock: rwlock_t) -> None:
    """Release the lock as a reader and let softirqs run."""
    read_unlock(lock)
    local_bh_enable()


def write_lock_bh(lock: rwlock_t) -> None:
    """Hold softirqs off and take the lock alone."""
    local_bh_disable()
    write_lock(lock)


def write_unlock_bh(lock: rwlock_t) -> None:
    """Release the lock as the writer and let softirqs run."""
    write_unlock(lock)
    local_bh_enable()
