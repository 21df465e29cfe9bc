# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the validator knows when it is asked: assertions, pins, locks at an end, RCU readers."""

from __future__ import annotations

from sys import _getframe as frame
from types import FrameType
from typing import Any

from kport.arch.asm import current_thread_info, ktime_get
from kport.linux import bug, lockdep, lockdep_state, printk
from kport.linux.lockdep_acquire import (
    LOCK_STATE_HELD,
    LOCK_STATE_NOT_HELD,
    LOCK_STATE_UNKNOWN,
    __lock_is_held,
    match_held_lock,
    warn,
)
from kport.linux.lockdep_class import graph_lock
from kport.linux.lockdep_hooks import acquire, check_no_locks_freed, release, task_of
from kport.linux.lockdep_print import c_place, forget_trace
from kport.linux.lockdep_report import (
    lockdep_rcu_suspicious,
    lockdep_sys_exit,
    print_held_locks_bug,
)
from kport.linux.lockdep_types import (
    LD_WAIT_CONFIG,
    LD_WAIT_FREE,
    LD_WAIT_SPIN,
    STEP_NO_CHECK,
    STEP_READ,
    STEP_THREADED,
    lockdep_map,
    pin_cookie,
)

# -- tasks and memory ------------------------------------------------------------------------------


def interrupt(*what: Any) -> None:
    """Before a handler that is a thread with PREEMPT_RT, or a timer that is a softirq there."""
    task_of(current_thread_info()).threaded = STEP_THREADED


def interrupted(*what: Any) -> None:
    """After it."""
    task_of(current_thread_info()).threaded = 0


def task_exits(task: Any, code: int) -> None:
    """Before the end of a kernel thread."""
    ti = current_thread_info()
    curr = ti.held
    if curr is not None and curr.depth:
        with graph_lock:
            forget_trace()
            print_held_locks_bug(ti, curr)


def returns_to_user(result: Any, *what: Any) -> None:
    """After a system call."""
    ti = current_thread_info()
    curr = ti.held
    if curr is not None and curr.depth:
        with graph_lock:
            lockdep_sys_exit(ti, curr)


def memory_freed(obj: Any) -> None:
    """Before an object is emptied by kfree() or kmem_cache_free()."""
    check_no_locks_freed(obj)


# -- assertions ------------------------------------------------------------------------------------


def _assert(c: bool, caller: FrameType) -> None:
    if not c:
        lines = bug.block("", caller)
        lockdep_state.report(lines[1].rpartition(", CPU#")[0], lines)


def _held(lock: Any, read: int) -> int:
    if not lockdep_state.debug_locks:
        return LOCK_STATE_UNKNOWN
    return __lock_is_held(task_of(current_thread_info()), lock, read)


def assert_held_at(lock: Any, caller: FrameType) -> None:
    """Report the caller unless he holds the lock; in a debug kernel check_held() has warned."""
    if getattr(lockdep.lockdep_assert_held, "__wrapped__", None) is lockdep.check_held:
        return
    _assert(_held(lock, -1) != LOCK_STATE_NOT_HELD, caller)


def assert_held(lock: Any) -> None:
    """Before lockdep_assert_held()."""
    curr = current_thread_info().held
    if curr is not None:
        held = curr.held_locks
        for i in range(curr.depth):
            if held[i].instance is lock:
                return
    assert_held_at(lock, frame(2))


def assert_not_held(lock: Any) -> None:
    """Before lockdep_assert_not_held()."""
    _assert(_held(lock, -1) != LOCK_STATE_HELD, frame(2))


def assert_held_write(lock: Any) -> None:
    """Before lockdep_assert_held_write()."""
    _assert(_held(lock, 0) != LOCK_STATE_NOT_HELD, frame(2))


def assert_held_read(lock: Any) -> None:
    """Before lockdep_assert_held_read()."""
    _assert(_held(lock, 1) != LOCK_STATE_NOT_HELD, frame(2))


def assert_held_once(lock: Any) -> None:
    """Before lockdep_assert_held_once()."""
    caller = frame(2)
    if _held(lock, -1) == LOCK_STATE_NOT_HELD:
        if printk.first_time((caller.f_code.co_filename, caller.f_lineno)):
            _assert(False, caller)


def assert_none_held_once() -> None:
    """Before lockdep_assert_none_held_once()."""
    curr = current_thread_info().held
    caller = frame(2)
    if lockdep_state.debug_locks and curr is not None and curr.depth:
        if printk.first_time((caller.f_code.co_filename, caller.f_lineno)):
            _assert(False, caller)


def pin_lock(lock: Any) -> pin_cookie:
    """lock_pin_lock() while the validator is on."""
    cookie = pin_cookie()
    curr = task_of(current_thread_info())
    for hlock in curr.held_locks[: curr.depth]:
        if match_held_lock(hlock, lock):
            cookie.val = 1 + (ktime_get() & 0xFFFF)
            hlock.pin_count += cookie.val
            hlock.special = True
            return cookie
    warn("pinning an unheld lock")
    return cookie


def unpin_lock(lock: Any, cookie: pin_cookie) -> None:
    """lock_unpin_lock() while the validator is on."""
    curr = task_of(current_thread_info())
    for hlock in curr.held_locks[: curr.depth]:
        if match_held_lock(hlock, lock):
            if not hlock.pin_count:
                warn("unpinning an unpinned lock")
                return
            hlock.pin_count -= cookie.val
            if hlock.pin_count < 0:
                warn("pin count corrupted")
                hlock.pin_count = 0
            return
    warn("unpinning an unheld lock")


lockdep_state.is_held = __lock_is_held
lockdep_state.pin = pin_lock
lockdep_state.unpin = unpin_lock


# -- RCU -------------------------------------------------------------------------------------------

rcu_lock_map = lockdep_map(
    name="rcu_read_lock", wait_type_outer=LD_WAIT_FREE, wait_type_inner=LD_WAIT_CONFIG
)
rcu_bh_lock_map = lockdep_map(
    name="rcu_read_lock_bh", wait_type_outer=LD_WAIT_FREE, wait_type_inner=LD_WAIT_CONFIG
)
rcu_sched_lock_map = lockdep_map(
    name="rcu_read_lock_sched", wait_type_outer=LD_WAIT_FREE, wait_type_inner=LD_WAIT_SPIN
)
READER = 2 * STEP_READ | STEP_NO_CHECK


def on_rcu_read_lock() -> None:
    """Before rcu_read_lock()."""
    acquire(rcu_lock_map, READER, frame(2))


def on_rcu_read_unlock() -> None:
    """Before rcu_read_unlock()."""
    release(rcu_lock_map)


def on_rcu_read_lock_bh(_: None) -> None:
    """After rcu_read_lock_bh()."""
    acquire(rcu_bh_lock_map, READER, frame(2))


def on_rcu_read_unlock_bh() -> None:
    """Before rcu_read_unlock_bh()."""
    release(rcu_bh_lock_map)


def on_rcu_read_lock_sched(_: None) -> None:
    """After rcu_read_lock_sched()."""
    acquire(rcu_sched_lock_map, READER, frame(2))


def on_rcu_read_unlock_sched() -> None:
    """Before rcu_read_unlock_sched()."""
    release(rcu_sched_lock_map)


def on_rcu_dereference(o: Any, f: Any) -> None:
    """Before rcu_dereference(): only for readers."""
    ti = current_thread_info()
    if not ti.rcu_nesting and lockdep_state.debug_locks:
        caller = frame(2)
        if printk.first_time((caller.f_code.co_filename, caller.f_lineno)):
            forget_trace()
            message = "suspicious rcu_dereference_check() usage"
            lockdep_rcu_suspicious(ti, task_of(ti), c_place(caller), message)
