# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What runs around the locks that sleep, reader-writer locks, RCU and the maps without a lock.

Most functions that take a lock alone are watched by `take`, those that release by `drop`, and so
on; ww_mutexes, work items and timers have functions of their own. Where the kernel's text has
`mutex_acquire(&lock->dep_map, ...)`, the hook around that function does it.
"""

from __future__ import annotations

from sys import _getframe as frame
from typing import Any

from kport.arch.asm import current_thread_info
from kport.linux.err import EALREADY
from kport.linux.lockdep_asserts import assert_held_at
from kport.linux.lockdep_class import (
    shared_map,
)
from kport.linux.lockdep_hooks import (
    RECURSIVE,
    SHARED,
    acquire,
    acquire_nested,
    check_no_locks_freed,
    init_at,
    release,
    release_slow,
)
from kport.linux.lockdep_types import (
    LD_LOCK_NORMAL,
    LD_LOCK_PERCPU,
    LD_WAIT_CONFIG,
    LD_WAIT_INV,
    LD_WAIT_SLEEP,
    STEP_TRYLOCK,
    lockdep_map,
)
from kport.linux.preempt import in_interrupt
from kport.linux.struct import struct

# -- other locks -----------------------------------------------------------------------------------


def init_sleeping(_: None, lock: Any, *name: str) -> None:
    """After mutex_init(), init_rwsem() and their like."""
    init_at(lock, name[0] if name else "", LD_WAIT_SLEEP, LD_LOCK_NORMAL, frame(2))


def init_percpu(_: None, lock: Any) -> None:
    """After local_lock_init()."""
    init_at(lock, "", LD_WAIT_CONFIG, LD_LOCK_PERCPU, frame(2))


def init_rwlock(_: None, lock: Any, name: str) -> None:
    """After rwlock_init()."""
    init_at(lock, name, LD_WAIT_CONFIG, LD_LOCK_NORMAL, frame(2))


def take(lock: Any, *_: Any) -> None:
    """Before a function that takes a lock alone."""
    acquire(lock, 0, frame(2))


def take_shared(lock: Any, *_: Any) -> None:
    """Before a function that takes a lock with others, but not twice."""
    acquire(lock, SHARED, frame(2))


def take_nested(lock: Any, subclass: int) -> None:
    """Before a function that takes a lock with a subclass."""
    acquire_nested(lock, subclass, 0, None, frame(2))


def take_nest_lock(lock: Any, nest_lock: Any) -> None:
    """Before a function that takes a lock inside another that serialises the takers."""
    acquire_nested(lock, 0, 0, nest_lock, frame(2))


def failed(error: int, lock: Any, *_: Any) -> None:
    """After a function that takes a lock and may fail."""
    if error:
        release_slow(current_thread_info(), lock, frame(2))


def tried(taken: Any, lock: Any, *_: Any) -> None:
    """After a function that tries to take a lock alone."""
    if taken:
        acquire(lock, STEP_TRYLOCK, frame(2))


def tried_shared(taken: Any, lock: Any, *_: Any) -> None:
    """After a function that tries to take a lock with others."""
    if taken:
        acquire(lock, STEP_TRYLOCK | SHARED, frame(2))


def take_shared_nested(lock: Any, subclass: int) -> None:
    """Before down_read_nested()."""
    acquire_nested(lock, subclass, SHARED, None, frame(2))


force_read_lock_recursive = False  # set by the self-test


def _read() -> int:
    # An interrupt does not wait for a writer that only waits: it may take the lock again.
    recursive = force_read_lock_recursive or in_interrupt()
    return RECURSIVE if recursive else SHARED


def take_read(lock: Any) -> None:
    """Before read_lock()."""
    acquire(lock, _read(), frame(2))


def tried_read(taken: int, lock: Any) -> None:
    """After read_trylock()."""
    if taken:
        acquire(lock, STEP_TRYLOCK | _read(), frame(2))


def dropped(_: None, lock: Any) -> None:
    """After a function that releases a lock."""
    release(lock)


def drop(lock: Any, *_: Any) -> None:
    """Before a function that releases a lock."""
    release(lock)


# -- ww_mutexes ------------------------------------------------------------------------------------


class first_lock(struct):
    """Stands for the first ww_mutex of a context until there is one."""

    dep_map: Any


def _ww_map(ww_class: Any, form: str, inner: int) -> lockdep_map:
    like = lockdep_map(wait_type_inner=inner)
    name = form % ww_class.name
    return shared_map((ww_class, form), name, ww_class_key(ww_class, form), 0, like)


def ww_class_key(ww_class: Any, form: str) -> Any:
    """The key of a class's mutexes or contexts."""
    return ww_class.acquire_key if "acquire" in form else ww_class.mutex_key


def ww_mutex_init(_: None, lock: Any, ww_class: Any) -> None:
    """After ww_mutex_init()."""
    lock.base.dep_map = _ww_map(ww_class, "%s_mutex", LD_WAIT_SLEEP)


def ww_acquire_init(_: None, ctx: Any, ww_class: Any) -> None:
    """After ww_acquire_init()."""
    check_no_locks_freed(ctx)
    ctx.dep_map = _ww_map(ww_class, "%s_acquire", LD_WAIT_INV)
    ctx.first_lock = first_lock()
    ctx.first_lock.dep_map = _ww_map(ww_class, "%s_mutex", LD_WAIT_SLEEP)
    acquire(ctx, 0, frame(2))
    acquire_nested(ctx.first_lock, 0, 0, ctx, frame(2))


def ww_acquire_done(ctx: Any) -> None:
    """Before ww_acquire_done()."""
    assert_held_at(ctx, frame(2))


def ww_acquire_fini(ctx: Any) -> None:
    """Before ww_acquire_fini()."""
    release_slow(current_thread_info(), ctx.first_lock, frame(2))
    release_slow(current_thread_info(), ctx, frame(2))


def ww_mutex_lock(lock: Any, ctx: Any) -> None:
    """Before ww_mutex_lock() and ww_mutex_lock_interruptible()."""
    if ctx is None or ctx is not lock.ctx:
        acquire_nested(lock.base, 0, 0, ctx, frame(2))


def ww_mutex_locked(ret: int, lock: Any, ctx: Any) -> None:
    """After them."""
    if ret and ret != -EALREADY:
        release_slow(current_thread_info(), lock.base, frame(2))


def ww_mutex_tried(taken: int, lock: Any, ctx: Any) -> None:
    """After ww_mutex_trylock(), whose mutex_trylock() has been noted without the context."""
    if taken and ctx is not None:
        release_slow(current_thread_info(), lock.base, frame(2))
        acquire_nested(lock.base, 0, STEP_TRYLOCK, ctx, frame(2))
