# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What runs around the maps that stand for no lock, and around the naming of classes.

A work item holds the map of its queue and its own while its function runs; whoever waits for it
takes and releases the map. So a flush under a lock that the item takes is an order of locks. The
same is done for timers.
"""

from __future__ import annotations

from sys import _getframe as frame
from typing import Any

from kport.arch.asm import current_thread_info
from kport.linux.lockdep_acquire import downgrade, set_class
from kport.linux.lockdep_class import (
    __lockdep_no_validate__ as no_validate,
    __lockdep_no_track__ as no_track,
    class_of,
    graph_lock,
    lockdep_init_map_type,
    ready,
    register_key,
    shared_map,
    site_map,
    unregister_key,
)
from kport.linux.lockdep_hooks import SHARED, acquire, acquire_nested, release, task_of
from kport.linux.lockdep_print import call_argument
from kport.linux.lockdep_types import (
    LD_LOCK_NORMAL,
    LD_WAIT_INV,
    STEP_IRQS_OFF,
    STEP_NO_CHECK,
    STEP_READ,
    STEP_SYNC,
    STEP_TRYLOCK,
    lockdep_map,
)


# -- maps that are locks of their own --------------------------------------------------------------


def lock_acquire(
    lock: Any, subclass: int, trylock: int, read: int, check: int, nest_lock: Any, ip: Any
) -> None:
    """Before lock_acquire()."""
    flags = read * STEP_READ | (STEP_TRYLOCK if trylock else 0) | (0 if check else STEP_NO_CHECK)
    _known(lock)
    acquire_nested(lock, subclass, flags, nest_lock, frame(2))


def lock_release(lock: Any, ip: Any) -> None:
    """Before lock_release()."""
    release(lock)


def lock_map_acquire(lock: Any) -> None:
    """Before lock_map_acquire()."""
    _known(lock)
    acquire(lock, 0, frame(2))


def lock_map_release(lock: Any) -> None:
    """Before lock_map_release()."""
    release(lock)


def _known(lock: Any) -> None:
    if type(lock) is lockdep_map:
        ready(lock)


def lock_sync(
    lock: Any, subclass: int, read: int, check: int, nest_lock: Any, ip: Any
) -> None:
    """Before lock_sync()."""
    flags = read * STEP_READ | (0 if check else STEP_NO_CHECK) | STEP_SYNC
    _known(lock)
    acquire_nested(lock, subclass, flags, nest_lock, frame(2))


def lock_downgrade(lock: Any, ip: Any) -> None:
    """Before lock_downgrade()."""
    ti, caller = current_thread_info(), frame(2)
    with graph_lock:
        downgrade(ti, task_of(ti), lock, (caller.f_code, caller.f_lasti))


def lock_set_class(lock: Any, name: str, key: Any, subclass: int, ip: Any) -> None:
    """Before lock_set_class()."""
    ti, caller = current_thread_info(), frame(2)
    with graph_lock:
        dep_map = shared_map((key, name), name, key, 0, lock.dep_map)
        set_class(ti, task_of(ti), lock, dep_map, subclass, (caller.f_code, caller.f_lasti))


def might_lock(lock: Any) -> None:
    """Before might_lock()."""
    acquire(lock, 0, frame(2))
    release(lock)


def might_lock_read(lock: Any) -> None:
    """Before might_lock_read()."""
    acquire(lock, SHARED, frame(2))
    release(lock)


def lockdep_init_map(lock: lockdep_map, name: str, key: Any, subclass: int) -> None:
    """Before lockdep_init_map()."""
    lockdep_init_map_type(lock, name, key, subclass, LD_WAIT_INV, LD_WAIT_INV, LD_LOCK_NORMAL)


def lockdep_register_key(key: Any) -> None:
    """Before lockdep_register_key()."""
    register_key(key)


def lockdep_unregister_key(key: Any) -> None:
    """Before lockdep_unregister_key()."""
    unregister_key(key)


def lockdep_set_class(lock: Any, key: Any) -> None:
    """Before lockdep_set_class(): the class is named like the argument."""
    caller = frame(2)
    name = f"&{call_argument(caller, 1) or 'key'}"
    lock.dep_map = shared_map((key, name), name, key, 0, lock.dep_map)


def lockdep_set_class_and_name(lock: Any, key: Any, name: str) -> None:
    """Before lockdep_set_class_and_name()."""
    lock.dep_map = shared_map((key, name), name, key, 0, lock.dep_map)


def lockdep_set_subclass(lock: Any, sub: int) -> None:
    """Before lockdep_set_subclass()."""
    old = lock.dep_map
    lock.dep_map = shared_map((old.key, old.name, sub), old.name, old.key, sub, old)


def lockdep_set_novalidate_class(lock: Any) -> None:
    """Before lockdep_set_novalidate_class()."""
    key = no_validate
    lock.dep_map = shared_map((key, lock.dep_map.name), lock.dep_map.name, key, 0, lock.dep_map)


def lockdep_set_notrack_class(lock: Any) -> None:
    """Before lockdep_set_notrack_class()."""
    lock.dep_map = shared_map(no_track, "no track", no_track, 0, lock.dep_map)


def lock_set_cmp_fn(lock: Any, cmp_fn: Any, print_fn: Any) -> None:
    """Before lock_set_cmp_fn()."""
    klass: Any = class_of(lock.dep_map, 0)
    klass.cmp_fn, klass.print_fn = cmp_fn, print_fn


# -- work items and timers -------------------------------------------------------------------------


def _function_map(form: str, caller: Any) -> lockdep_map:
    code, lasti = caller.f_code, caller.f_lasti
    return site_map(code, lasti, "", form, LD_WAIT_INV, LD_WAIT_INV, LD_LOCK_NORMAL)


def init_work(_: None, work: Any, func: Any) -> None:
    """After INIT_WORK()."""
    work.lockdep_map = _function_map("(work_completion)(%s)", frame(2))


def init_delayed_work(_: None, dwork: Any, func: Any) -> None:
    """After INIT_DELAYED_WORK()."""
    dwork.work.lockdep_map = _function_map("(work_completion)(&(%s)->work)", frame(2))
    dwork.timer.lockdep_map = _function_map("&(%s)->timer", frame(2))


def timer_setup(_: None, timer: Any, callback: Any, flags: int) -> None:
    """After timer_setup()."""
    timer.lockdep_map = _function_map("(%s)", frame(2))


def _run(dep_map: Any, caller: Any) -> None:
    if dep_map is not None:
        acquire(ready(dep_map), 0, caller)
    task_of(current_thread_info()).running.append(dep_map)


def _ran() -> None:
    dep_map = task_of(current_thread_info()).running.pop()
    if dep_map is not None:
        release(dep_map)


def call_work(wq: Any, work: Any, func: Any) -> None:
    """Before call_work()."""
    _run(wq.lockdep_map, frame(2))
    _run(work.lockdep_map, frame(2))


def called_work(_: None, *gone: Any) -> None:
    """After call_work()."""
    _ran()
    _ran()


def call_timer_fn(timer: Any, fn: Any) -> None:
    """Before call_timer_fn()."""
    _run(timer.lockdep_map, frame(2))


def called_timer_fn(_: None, *gone: Any) -> None:
    """After call_timer_fn()."""
    _ran()


def timer_delete_sync(timer: Any, *how: Any) -> None:
    """Before __timer_delete_sync(): its callback is waited for."""
    if timer.lockdep_map is not None:
        acquire(ready(timer.lockdep_map), STEP_IRQS_OFF, frame(2))
        release(timer.lockdep_map)


