# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Lock assertions (include/linux/lockdep.h, kernel/locking/lockdep.c, Linux 7.2.13).

The state is that of a kernel built with CONFIG_LOCKDEP whose validator has been turned off
(`debug_locks` 0, as after its first report): assertions about locks with an owner are checked, the
maps of the validator are accepted and not followed, and `lock_is_held_type()` answers 1 for a map,
as `lockdep_enabled()` makes it do there.
"""

from __future__ import annotations

from typing import Any

from kport.arch.asm import current_thread_info, irqs_disabled
from kport.linux.bug import WARN_ON, WARN_ON_ONCE
from kport.linux.struct import struct

LOCK_STATE_UNKNOWN = -1


class lockdep_map(struct):
    """What the validator knows of a lock: its class, here only by name."""

    name: str


class lock_class_key(struct):
    """The identity of a lock class."""

    subkeys: int


def lockdep_is_held(lock: Any) -> bool:
    """True if the running thread holds the lock: a spin lock, or a mutex by its task."""
    ti = current_thread_info()
    return lock.owner is ti or (lock.owner is ti.task and ti.task is not None)


def lockdep_assert_held(lock: Any) -> None:
    """Warn unless the running thread holds the lock."""
    if lock.owner is not current_thread_info() and not lockdep_is_held(lock):
        WARN_ON(True)


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
