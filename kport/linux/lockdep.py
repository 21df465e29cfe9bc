# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Lock assertions (include/linux/lockdep.h, kernel/locking/lockdep.c, Linux 7.2.13).

The state is that of a kernel built with CONFIG_LOCKDEP whose validator has been turned off
(`debug_locks` 0, as after its first report): the maps of the validator are accepted and not
followed, and `lock_is_held_type()` answers 1 for a map, as `lockdep_enabled()` makes it do there.
`boot(debug_locks=True)` turns the assertions about locks with an owner on.
"""

from __future__ import annotations

import sys
from typing import Any

from kport.arch.asm import current_thread_info, irqs_disabled, lockdep_assert_held
from kport.linux import bug
from kport.linux.bug import WARN_ON_ONCE
from kport.linux.struct import struct

__all__ = ["lockdep_assert_held"]

LOCK_STATE_UNKNOWN = -1


class lockdep_map(struct, table=True):
    """What the validator knows of a lock: its class, here only by name."""

    name: str


class lock_class_key(struct):
    """The identity of a lock class."""

    subkeys: int


def lockdep_is_held(lock: Any) -> bool:
    """True if the running thread holds the lock: a spin lock, or a mutex by its task."""
    ti = current_thread_info()
    return lock.owner is ti or (lock.owner is ti.task and ti.task is not None)


def check_held(lock: Any) -> None:
    """What lockdep_assert_held() is while lock debugging is on."""
    if lock.owner is not current_thread_info() and not lockdep_is_held(lock):
        bug.report("lock is not held", sys._getframe(1))


DEBUG_LOCKS = {"lockdep_assert_held": check_held}


def lockdep_assert_irqs_enabled() -> None:
    """Warn if interrupts are off."""
    WARN_ON_ONCE(irqs_disabled())


def lockdep_assert_RT_in_threaded_ctx() -> None:
    """Nothing to assert without PREEMPT_RT."""


def lock_is_held_type(lock: lockdep_map, read: int) -> int:
    """Whether the map is held; 1 while the validator is off."""
    return 1


def lock_acquire(
    lock: lockdep_map,
    subclass: int,
    trylock: int,
    read: int,
    check: int,
    nest_lock: lockdep_map | None,
    ip: Any,
) -> None:
    """Tell the validator of an acquisition; it is off."""


def lock_release(lock: lockdep_map, ip: Any) -> None:
    """Tell the validator of a release; it is off."""


def lock_map_acquire(lock: lockdep_map) -> None:
    """Tell the validator of an exclusive acquisition; it is off."""


def lock_map_release(lock: lockdep_map) -> None:
    """Tell the validator of a release; it is off."""


_RET_IP_ = 0
_THIS_IP_ = 0


def lockdep_set_class(lock: Any, key: lock_class_key) -> None:
    """Give a lock a class of its own; the validator is off."""


def lockdep_assert_none_held_once() -> None:
    """Warn if the task holds any lock the validator knows; it is off."""
