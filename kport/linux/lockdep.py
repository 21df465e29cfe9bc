# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The runtime locking correctness validator, as kernel code calls it (include/linux/lockdep.h).

It is on with `boot(check="lockdep")`. Off, the state is that of a kernel whose validator has been
turned off (`debug_locks` 0, as after its first report): maps are accepted and not followed, and
`lock_is_held_type()` does not know. On, the functions that are empty here are hooked by
`kport.check.lockdep` like the operations on locks themselves; what they do then is in

    lockdep_types    what is kept of classes, chains, held locks
    lockdep_class    classes, keys and names
    lockdep_graph    the dependencies and the search in them
    lockdep_usage    interrupts and wait types
    lockdep_chain    what is checked of a new chain
    lockdep_acquire  taking and releasing
    lockdep_hooks    the fast half of that
    lockdep_print, lockdep_report    what it says
    lockdep_state    whether it is on

`boot(debug=True)` turns the assertions about locks with an owner on without the validator.
"""

from __future__ import annotations

import sys
from typing import Any

from kport.arch.api import HARDIRQ_MASK, SOFTIRQ_MASK
from kport.arch.asm import (
    current_thread_info,
    irqs_disabled,
    lockdep_assert_held,
    preempt_count,
)
from kport.linux import bug, lockdep_state
from kport.linux.bug import WARN_ON_ONCE
from kport.linux.lockdep_types import lock_class_key, lockdep_map

__all__ = ["lock_class_key", "lockdep_assert_held", "lockdep_map"]

LOCK_STATE_UNKNOWN = -1
LOCK_STATE_NOT_HELD = 0
LOCK_STATE_HELD = 1
SINGLE_DEPTH_NESTING = 1

_RET_IP_ = 0  # the place of a call is found in the stack
_THIS_IP_ = 0


# -- asking ----------------------------------------------------------------------------------------


def lock_is_held_type(lock: Any, read: int) -> int:
    """Whether the running task holds the lock: as writer (`read` 0), as reader (1), at all (-1).

    LOCK_STATE_UNKNOWN, which is not 0, while the validator is off.

    kernel/locking/lockdep.c:5960-5983, Linux 7.2.13
    """
    if not lockdep_state.debug_locks:
        return LOCK_STATE_UNKNOWN
    curr = current_thread_info().held
    if curr is None:
        return LOCK_STATE_NOT_HELD
    return lockdep_state.is_held(curr, lock, read)


def lock_is_held(lock: Any) -> int:
    """Whether the running task holds the lock in any way."""
    return lock_is_held_type(lock, -1)


def lockdep_is_held(lock: Any) -> bool:
    """True if the running thread holds the lock, by the validator or by the lock's owner."""
    if lockdep_state.debug_locks:
        return lock_is_held_type(lock, -1) != LOCK_STATE_NOT_HELD
    ti = current_thread_info()
    return lock.owner is ti or (lock.owner is ti.task and ti.task is not None)


def lockdep_depth() -> int:
    """How many locks the running task holds; 0 while the validator is off."""
    curr = current_thread_info().held
    return curr.depth if lockdep_state.debug_locks and curr is not None else 0


def check_held(lock: Any) -> None:
    """What lockdep_assert_held() is while lock debugging is on."""
    if lock.owner is not current_thread_info() and not lockdep_is_held(lock):
        bug.report("lock is not held", sys._getframe(1))


DEBUG_LOCKS = {"lockdep_assert_held": check_held}


# -- asserting -------------------------------------------------------------------------------------


def lockdep_assert_not_held(lock: Any) -> None:
    """Warn if the running task holds the lock; the validator knows."""


def lockdep_assert_held_write(lock: Any) -> None:
    """Warn unless the running task holds the lock as a writer; the validator knows."""


def lockdep_assert_held_read(lock: Any) -> None:
    """Warn unless the running task holds the lock as a reader; the validator knows."""


def lockdep_assert_held_once(lock: Any) -> None:
    """Warn unless the running task holds the lock, once at each place; the validator knows."""


def lockdep_assert_none_held_once() -> None:
    """Warn if the task holds any lock the validator knows; it is off."""


def lockdep_assert_irqs_enabled() -> None:
    """Warn if interrupts are off."""
    WARN_ON_ONCE(irqs_disabled())


def lockdep_assert_irqs_disabled() -> None:
    """Warn if interrupts are on."""
    WARN_ON_ONCE(not irqs_disabled())


def lockdep_assert_in_irq() -> None:
    """Warn outside hard interrupts."""
    WARN_ON_ONCE(not preempt_count() & HARDIRQ_MASK)


def lockdep_assert_no_hardirq() -> None:
    """Warn in a hard interrupt and with interrupts off."""
    WARN_ON_ONCE(preempt_count() & HARDIRQ_MASK or irqs_disabled())


def lockdep_assert_in_softirq() -> None:
    """Warn unless softirqs are served or held off, and no hard interrupt is."""
    count = preempt_count()
    WARN_ON_ONCE(not count & SOFTIRQ_MASK or count & HARDIRQ_MASK)


def lockdep_assert_preemption_disabled() -> None:
    """Warn where the task could be preempted."""
    WARN_ON_ONCE(preempt_count() == 0 and not irqs_disabled())


def lockdep_assert_preemption_enabled() -> None:
    """Warn where the task cannot be preempted."""
    WARN_ON_ONCE(preempt_count() != 0 or irqs_disabled())


def lockdep_assert_RT_in_threaded_ctx() -> None:
    """Nothing to assert without PREEMPT_RT."""


# -- telling ---------------------------------------------------------------------------------------


def lock_acquire(
    lock: Any,
    subclass: int,
    trylock: int,
    read: int,
    check: int,
    nest_lock: Any,
    ip: Any,
) -> None:
    """Tell the validator of an acquisition; `read` is 1 for a reader, 2 for a recursive one."""


def lock_release(lock: Any, ip: Any) -> None:
    """Tell the validator of a release."""


def lock_sync(
    lock: Any, subclass: int, read: int, check: int, nest_lock: Any, ip: Any
) -> None:
    """Tell the validator that the lock is waited for, and not taken."""


def lock_map_acquire(lock: Any) -> None:
    """Tell the validator of an exclusive acquisition."""


def lock_map_release(lock: Any) -> None:
    """Tell the validator of a release."""


def might_lock(lock: Any) -> None:
    """Tell the validator that the lock may be taken here."""


def might_lock_read(lock: Any) -> None:
    """Tell the validator that the lock may be taken by a reader here."""


def lock_downgrade(lock: Any, ip: Any) -> None:
    """Tell the validator that a writer has become a reader."""


def lock_set_class(
    lock: Any, name: str, key: lock_class_key, subclass: int, ip: Any
) -> None:
    """Give a lock that is held another class."""


def lock_pin_lock(lock: Any) -> Any:
    """Let nobody release the lock before lock_unpin_lock() with the cookie that is returned."""
    if not lockdep_state.debug_locks:
        return None
    return lockdep_state.pin(lock)


def lock_unpin_lock(lock: Any, cookie: Any) -> None:
    """The lock may be released again."""
    if lockdep_state.debug_locks:
        lockdep_state.unpin(lock, cookie)


# -- classes ---------------------------------------------------------------------------------------


def lockdep_set_class(lock: Any, key: lock_class_key) -> None:
    """Give a lock a class of its own, named like the key."""


def lockdep_set_class_and_name(lock: Any, key: lock_class_key, name: str) -> None:
    """Give a lock a class of its own."""


def lockdep_set_subclass(lock: Any, sub: int) -> None:
    """Let the lock be of a subclass of its class, without saying so at each acquisition."""


def lockdep_set_novalidate_class(lock: Any) -> None:
    """Let the validator note the lock and check nothing of it."""


def lockdep_set_notrack_class(lock: Any) -> None:
    """Let the validator not see the lock at all."""


def lockdep_init_map(lock: lockdep_map, name: str, key: lock_class_key, subclass: int) -> None:
    """Prepare a map that stands for no lock."""


def lockdep_register_key(key: lock_class_key) -> None:
    """Let a key in an allocated object be used."""


def lockdep_unregister_key(key: lock_class_key) -> None:
    """The key's object is about to be freed."""


def lock_set_cmp_fn(lock: Any, cmp_fn: Any, print_fn: Any) -> None:
    """Let locks of the class be taken together in the order of `cmp_fn`."""
