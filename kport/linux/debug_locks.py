# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/locking/spinlock_debug.c and kernel/locking/mutex-debug.c, Linux 7.2.13,
# on 2026-11-20.
"""CONFIG_DEBUG_SPINLOCK and CONFIG_DEBUG_MUTEXES: locks that are released or used wrongly.

Always on, in the machine: a lock that was never initialised ("bad magic") and one that its holder
takes again ("recursion") end the kernel with an oops, because neither could go on. Here is what
would go on and should not: the release of a free lock, or of somebody else's.

"wrong CPU" and "cpu recursion" cannot happen: a task does not move while it holds a spin lock, and
`ti.cpu` belongs to the task.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

from kport.arch.api import BadMagic
from kport.arch.asm import current_thread_info
from kport.arch.hook import Hook
from kport.arch.types import thread_info
from kport.linux import bug, facility
from kport.linux.atomic_sleep import caller, complain, dump_stack, pid_of
from kport.linux.field import raw_get

if TYPE_CHECKING:
    from kport.arch.api import Machine

NAME = "debug_locks"
SPINLOCK_MAGIC = 0xDEAD4EAD


def spin_dump(lock: Any, msg: str, frame: FrameType) -> None:
    """Report a misused spin lock."""
    at = caller(frame)
    ti = current_thread_info()
    owner = lock.owner
    known = isinstance(owner, thread_info)
    magic = 0 if isinstance(owner, BadMagic) else SPINLOCK_MAGIC
    who = f"{owner.name}/{pid_of(owner)}" if known else "<none>/-1"
    headline = f"BUG: spinlock {msg} on CPU#{ti.cpu}, {ti.name}/{pid_of(ti)}"
    lines = [
        headline,
        (
            f" lock: {lock.name}, .magic: {magic:08x}, .owner: {who}, "
            f".owner_cpu: {owner.cpu if known else -1}"
        ),
        *dump_stack(at),
    ]
    complain(NAME, headline, lines, at)


def _before_unlock(lock: Any) -> None:
    owner = lock.owner
    if owner is not current_thread_info():
        _bad_unlock(lock, owner)


def _bad_unlock(lock: Any, owner: Any) -> None:
    frame = sys._getframe(3)
    if isinstance(owner, BadMagic):
        spin_dump(lock, "bad magic", frame)
    elif owner is None:
        spin_dump(lock, "already unlocked", frame)
    else:
        spin_dump(lock, "wrong owner", frame)


def _before_unlock_irqrestore(lock: Any, flags: int) -> None:
    owner = lock.owner
    if owner is not current_thread_info():
        _bad_unlock(lock, owner)


def DEBUG_LOCKS_WARN_ON(condition: str, frame: FrameType) -> None:
    """Report that a condition holds that a lock must never be in."""
    at = caller(frame)
    ti = current_thread_info()
    headline = f"DEBUG_LOCKS_WARN_ON({condition})"
    where = f"WARNING: {bug.place(at)} at {at.f_code.co_name}"
    lines = [
        "------------[ cut here ]------------",
        headline,
        f"{where}, CPU#{ti.cpu}: {ti.name}/{pid_of(ti)}",
        *dump_stack(at),
        "---[ end trace 0000000000000000 ]---",
    ]
    complain(NAME, headline, lines, at)


def _magic(lock: Any) -> None:
    if isinstance(lock.wait_lock.owner, BadMagic):
        DEBUG_LOCKS_WARN_ON("lock->magic != lock", sys._getframe(3))


def _before_mutex_lock(lock: Any, state: int, ww_ctx: Any, use_ww_ctx: bool) -> None:
    _magic(lock)


def _before_mutex_trylock(lock: Any) -> None:
    _magic(lock)


def _before_mutex_unlock(lock: Any) -> None:
    _magic(lock)
    if raw_get(lock, "owner") is not current_thread_info().task:
        DEBUG_LOCKS_WARN_ON("__owner_task(owner) != current", sys._getframe(2))


def _before_mutex_destroy(lock: Any) -> None:
    if raw_get(lock, "owner") is not None:
        DEBUG_LOCKS_WARN_ON("mutex_is_locked(lock)", sys._getframe(2))


def _hooks() -> dict[Any, Hook]:
    from kport.linux import mutex

    unlock = Hook(_before_unlock)
    return {
        "spin_unlock": unlock,
        "spin_unlock_irq": unlock,
        "spin_unlock_irqrestore": Hook(_before_unlock_irqrestore),
        mutex.__mutex_lock_common: Hook(_before_mutex_lock),
        mutex.mutex_trylock: Hook(_before_mutex_trylock),
        mutex.mutex_unlock: Hook(_before_mutex_unlock),
        mutex.mutex_destroy: Hook(_before_mutex_destroy),
    }


class debug_locks(facility.Facility):
    """Misuse of spin locks and mutexes."""

    name = NAME

    def hooks(self, machine: Machine) -> facility.Hooks:
        return _hooks()
