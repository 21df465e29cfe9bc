# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After lib/debugobjects.c and the descriptions in kernel/time/timer.c, kernel/time/hrtimer.c and
# kernel/workqueue.c, Linux 7.2.13, on 2026-11-20.
"""DEBUG_OBJECTS: the life of timers, work items and RCU callbacks.

C keeps a table of all such objects and their states, because an object alone does not tell. Here
it does: memory that was never initialised is zero, and an object that is active knows the queue it
is on. So the state is read off the object (`state_of()`), and what C does at each change of state
is done at the changes that can be wrong: initialising or freeing what is active, starting what was
never initialised. The repairs are the kernel's: what is active is stopped first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kport.linux.bug import WARN
from kport.linux.field import raw_get
from kport.linux.hrtimer import HRTIMER_STATE_ENQUEUED, hrtimer, hrtimer_cancel
from kport.linux.kthread import kthread_delayed_work_timer_fn
from kport.linux.kasan_poison import container_of_any, is_dead, slot_of
from kport.linux.module import boot_data
from kport.linux.rcupdate import queued as rcu_queued, rcu_head
from kport.linux.struct import array, struct
from kport.linux.timer import timer_delete_sync, timer_list, timer_setup
from kport.linux.workqueue import cancel_work_sync, delayed_work_timer_fn, work_struct

ODEBUG_STATE_INACTIVE = "inactive"
ODEBUG_STATE_ACTIVE = "active"
ODEBUG_STATE_NOTAVAILABLE = "not available"

LIMIT = 5
SHUTDOWN = 1 << 31  # in timer.flags: it has no function because it was shut down


class debug_obj_descr(NamedTuple):
    """A kind of object: its state, the function that a report shows, how to stop and to repair."""

    name: str
    state: Callable[[Any], str]
    hint: Callable[[Any], Any]
    stop: Callable[[Any], Any]
    repair: Callable[[Any], Any] | None


_limit: list[None] = []


@boot_data
def debug_objects_rearm() -> None:
    """Report again, also if there were five reports: a new execution begins."""
    _limit.clear()


def _stub_timer(timer: timer_list) -> None:
    """What a timer runs that was started without having been initialised."""
    WARN(1, "ODEBUG: a timer that was never initialised has fired\n")


def _repair_timer(timer: timer_list) -> None:
    timer_setup(timer, _stub_timer, 0)


# Past whoever watches plain accesses: these are not the kernel's.
_entry = slot_of(timer_list, "entry").__get__
_timer_function = slot_of(timer_list, "function").__get__
_timer_flags = slot_of(timer_list, "flags").__get__
_hrtimer_function = slot_of(hrtimer, "function").__get__
_hrtimer_queued = slot_of(hrtimer, "state").__get__
_queued = slot_of(work_struct, "queued").__get__
_work_func = slot_of(work_struct, "func").__get__
_rcu_func = slot_of(rcu_head, "func").__get__


def _timer_state(timer: timer_list) -> str:
    if _entry(timer) is not None:
        return ODEBUG_STATE_ACTIVE
    if _timer_function(timer) is None and not _timer_flags(timer) & SHUTDOWN:
        return ODEBUG_STATE_NOTAVAILABLE
    return ODEBUG_STATE_INACTIVE


def timer_debug_hint(timer: timer_list) -> Any:
    """The function of a timer, or of the work item it queues."""
    container: Any = timer._container
    function = _timer_function(timer)
    if function in (delayed_work_timer_fn, kthread_delayed_work_timer_fn):
        return raw_get(container.work, "func")
    return function


def _hrtimer_state(timer: hrtimer) -> str:
    if _hrtimer_queued(timer) == HRTIMER_STATE_ENQUEUED:
        return ODEBUG_STATE_ACTIVE
    function = _hrtimer_function(timer)
    return ODEBUG_STATE_NOTAVAILABLE if function is None else ODEBUG_STATE_INACTIVE


def _work_state(work: work_struct) -> str:
    if _queued(work):
        return ODEBUG_STATE_ACTIVE
    return ODEBUG_STATE_NOTAVAILABLE if _work_func(work) is None else ODEBUG_STATE_INACTIVE


def _rcu_state(head: rcu_head) -> str:
    return ODEBUG_STATE_ACTIVE if rcu_queued(head) else ODEBUG_STATE_INACTIVE


timer_debug_descr = debug_obj_descr(
    "timer_list", _timer_state, timer_debug_hint, timer_delete_sync, _repair_timer
)
hrtimer_debug_descr = debug_obj_descr(
    "hrtimer", _hrtimer_state, _hrtimer_function, hrtimer_cancel, None
)
work_debug_descr = debug_obj_descr("work_struct", _work_state, _work_func, cancel_work_sync, None)
rcuhead_debug_descr = debug_obj_descr("rcu_head", _rcu_state, _rcu_func, bool, None)

_descr: dict[type[Any], debug_obj_descr] = {
    timer_list: timer_debug_descr,
    hrtimer: hrtimer_debug_descr,
    work_struct: work_debug_descr,
}


def debug_print_object(obj: Any, descr: debug_obj_descr, msg: str, state: str) -> None:
    """Report an object; only the first five in a kernel."""
    _limit.append(None)
    if len(_limit) > LIMIT:
        return
    hint = descr.hint(obj)
    WARN(
        1,
        "ODEBUG: %s %s (active state %u) object: %p object type: %s hint: %pS\n",
        msg,
        state,
        0,
        obj,
        descr.name,
        getattr(hint, "__name__", "0x0"),
    )


def debug_object_init(obj: Any, descr: debug_obj_descr) -> None:
    """An object is about to be initialised: it must not be active."""
    state = descr.state(obj)
    if state == ODEBUG_STATE_ACTIVE:
        debug_print_object(obj, descr, "init", state)
        descr.stop(obj)


def debug_object_activate(obj: Any, descr: debug_obj_descr) -> None:
    """An object is about to be queued: it must be initialised and not active."""
    state = descr.state(obj)
    if state != ODEBUG_STATE_INACTIVE:
        debug_print_object(obj, descr, "activate", state)
        if state == ODEBUG_STATE_NOTAVAILABLE and descr.repair is not None:
            descr.repair(obj)


def debug_object_free(obj: Any, descr: debug_obj_descr) -> None:
    """An object is about to go: it must not be active."""
    state = descr.state(obj)
    if state == ODEBUG_STATE_ACTIVE:
        debug_print_object(obj, descr, "free", state)
        descr.stop(obj)


def debug_object_assert_init(obj: Any, descr: debug_obj_descr) -> None:
    """An object is about to be used: it must have been initialised."""
    state = descr.state(obj)
    if state == ODEBUG_STATE_NOTAVAILABLE:
        debug_print_object(obj, descr, "assert_init", state)
        if descr.repair is not None:
            descr.repair(obj)


# -- freed memory --------------------------------------------------------------------------------
# Which members of a class are such objects, or may have some in them. A class with a member that
# is made by the scheduler that was booted is looked at anew in each kernel.

_paths: dict[type[Any], tuple[str, ...]] = {}
_varying: set[type[Any]] = set()


@boot_data
def _reset_paths() -> None:
    for cls in _varying:
        _paths.pop(cls, None)


def _varies(cls: type[Any]) -> bool:
    scope = cls.__init__.__globals__
    return any(hasattr(kind, "_actual") for name, kind in scope.items() if name.startswith("_k"))


def _find(obj: Any) -> tuple[str, ...]:
    """The embedded members of an object in which there is something to look at."""
    found = []
    for name in obj._fields:
        if name in obj._plain:
            continue
        member = slot_of(type(obj), name).__get__(obj)
        if type(member) in _descr:
            found.append(name)
        elif isinstance(member, array):
            if any(_members(element) for element in member):
                found.append(name)
        elif isinstance(member, struct) and _members(member):
            found.append(name)
    return tuple(found)


def _members(obj: Any) -> tuple[str, ...]:
    cls = type(obj)
    names = _paths.get(cls)
    if names is None:
        names = _paths[cls] = _find(obj) if isinstance(obj, struct) else ()
        if isinstance(obj, struct) and _varies(cls):
            _varying.add(cls)
    return names


def debug_check_no_obj_freed(obj: Any) -> None:
    """Memory is about to be freed: nothing in it may be active."""
    if is_dead(obj):  # freed before, which KASAN reports, or declared dead
        return
    if isinstance(obj, list):
        for element in obj:
            if isinstance(element, struct) and container_of_any(element) is obj:
                _check(element)
    else:
        _check(obj)


def _check(obj: Any) -> None:
    descr = _descr.get(type(obj))
    if descr is not None:
        debug_object_free(obj, descr)
        return
    for name in _members(obj):
        member = slot_of(type(obj), name).__get__(obj)
        if isinstance(member, array):
            debug_check_no_obj_freed(member)
        elif not is_dead(member):
            _check(member)
