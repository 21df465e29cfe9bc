# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The check `memory`: what the kernel's memory debugging finds, as facilities.

- `debugobjects`: timers, hrtimers, work items and RCU callbacks that are freed or initialised while
  they are active, or used before they are initialised (`kport.linux.debugobjects`)
- `kasan`: uses after free, double and invalid frees (`kport.linux.kasan`)
- `kmemleak`: what is allocated at the end and cannot be reached (`kport.linux.kmemleak`)
- `refcount_t`, `list`: reference counters that saturate, damaged lists. The kernel warns of them
  anyway; here the warnings become reports
- `dma_fence_union`: the members that share memory in a fence (`kport.check.memory_union`)

The order matters: an object must be looked at by debugobjects before kasan poisons it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from kport.arch.api import Machine
from kport.arch.hook import Hook
from kport.check.memory_union import FenceUnion
from kport.check.oracles_known import known
from kport.linux import (
    bug,
    debugobjects,
    hrtimer,
    kasan,
    kmemleak,
    printk,
    rcupdate,
    slab,
    timer,
    workqueue,
)
from kport.linux.debugobjects import (
    SHUTDOWN,
    debug_object_activate,
    debug_object_assert_init,
    debug_object_free,
    debug_object_init,
    hrtimer_debug_descr,
    rcuhead_debug_descr,
    timer_debug_descr,
    work_debug_descr,
)
from kport.linux.facility import Facility, Hooks, Report, reports, splat
from kport.linux.init import current_kernel
from kport.linux.kasan_report import Track
from kport.linux.list import DEBUG_LIST
from kport.linux.stackdepot import Stack, kernel_frames


def _private(module: Any, name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = vars(module)[name]
    return function


# -- debugobjects ------------------------------------------------------------------------------


def _timer_setup(t: Any, callback: Any, flags: int) -> None:
    debug_object_init(t, timer_debug_descr)


def _timer_used(t: Any, *args: Any) -> None:
    debug_object_assert_init(t, timer_debug_descr)


def _timer_stopped(ret: int, t: Any, shutdown: bool) -> None:
    if shutdown:
        t.flags |= SHUTDOWN


def _timer_ends(t: Any) -> None:
    debug_object_free(t, timer_debug_descr)


def _hrtimer_setup(t: Any, *args: Any) -> None:
    debug_object_init(t, hrtimer_debug_descr)


def _hrtimer_used(t: Any, *args: Any) -> None:
    debug_object_assert_init(t, hrtimer_debug_descr)


def _work_init(work: Any, func: Any) -> None:
    debug_object_init(work, work_debug_descr)


def _work_queued(cpu: int, wq: Any, work: Any) -> None:
    debug_object_activate(work, work_debug_descr)


def _rcu_queued(head: Any, func: Any) -> None:
    debug_object_activate(head, rcuhead_debug_descr)


ODEBUG: Hooks = {
    timer.timer_setup: Hook(_timer_setup, None),
    timer.mod_timer: Hook(_timer_used, None),
    timer.timer_delete: Hook(_timer_used, None),
    _private(timer, "__try_to_del_timer_sync"): Hook(_timer_used, _timer_stopped),
    timer.destroy_timer_on_stack: Hook(_timer_ends, None),
    hrtimer.hrtimer_setup: Hook(_hrtimer_setup, None),
    hrtimer.hrtimer_start: Hook(_hrtimer_used, None),
    workqueue.INIT_WORK: Hook(_work_init, None),
    _private(workqueue, "__queue_work"): Hook(_work_queued, None),
    rcupdate.call_rcu: Hook(_rcu_queued, None),
    slab.release: Hook(debugobjects.debug_check_no_obj_freed, None),
}


class DebugObjects(Facility):
    """Follows timers, work items and RCU callbacks (CONFIG_DEBUG_OBJECTS_*)."""

    name = "debugobjects"

    def hooks(self, machine: Machine) -> Hooks:
        return ODEBUG

    def begin(self) -> None:
        debugobjects.debug_objects_rearm()


# -- kasan -------------------------------------------------------------------------------------


def _queued(cpu: int, wq: Any, work: Any) -> None:
    kasan.kasan_record_aux_stack(work)


def _called(head: Any, func: Any) -> None:
    kasan.kasan_record_aux_stack(head)


def _freed_later(ptr: Any, rhf: str) -> None:
    kasan.kasan_record_aux_stack(ptr)


def _known(stack: Stack, went: Track | None) -> str:
    """drm_sched_fini() of 7.2 may free run queues below drm_sched_run_job_work().

    The item that frees jobs may do so below whoever has stopped it, and the caller of
    drm_sched_entity_fini() an entity below its callback.
    """
    freed = {code.co_name for code, _ in went.stack} if went is not None else set()
    stack = kernel_frames(stack)
    for code, _ in stack:
        scheduler = os.path.basename(os.path.dirname(code.co_filename))
        if code.co_name == "drm_sched_run_job_work" and "drm_sched_fini" in freed:
            return known("work-behind-fini", scheduler)
        if code.co_name in _STOPPED and "drm_sched_free_job_work" in freed:
            return known("work-behind-stop", scheduler)
        if code is stack[0][0] and code.co_name == "drm_sched_entity_wakeup":
            return known("wakeup-against-fini", scheduler)
    return ""


_STOPPED = ("drm_sched_stop", "drm_sched_cancel_remaining_jobs")  # they walk the list without lock

_ALLOCATED = Hook(None, kasan.kasan_kmalloc)
KASAN: Hooks = {
    slab.kzalloc_obj: _ALLOCATED,
    slab.kzalloc_objs: _ALLOCATED,
    slab.kmem_cache_zalloc: Hook(None, kasan.kasan_slab_alloc),
    slab.release: Hook(kasan.kasan_slab_free, None),
    slab.invalid_free: Hook(kasan.kasan_invalid_free, None),
    _private(workqueue, "__queue_work"): Hook(_queued, None),
    rcupdate.call_rcu: Hook(_called, None),
    rcupdate.kfree_rcu: Hook(_freed_later, None),
    rcupdate.release_rcu: Hook(kasan.kasan_record_aux_stack, None),
}


class Kasan(Facility):
    """Poisons what is freed (CONFIG_KASAN)."""

    name = kasan.NAME

    def hooks(self, machine: Machine) -> Hooks:
        return KASAN

    def start(self, machine: Machine) -> None:
        kasan.kasan_init()
        kasan.known[:] = [_known]

    def begin(self) -> None:
        kasan.kasan_rearm()

    def stop(self) -> None:
        kasan.kasan_exit()


# -- kmemleak ----------------------------------------------------------------------------------


class Kmemleak(Facility):
    """Looks for what nobody points to when a kernel is left (CONFIG_DEBUG_KMEMLEAK)."""

    name = "kmemleak"

    def finish(self) -> None:
        current_kernel().leaks.traces = kmemleak.traces()
        leaked = kmemleak.scan()
        if leaked:
            head = f"kmemleak: {len(leaked)} new suspected memory leaks"
            splat(self.name, head, [head, *(x for o in leaked for x in kmemleak.describe(o))])


# -- refcount_t and DEBUG_LIST -------------------------------------------------------------------
# Their messages are warnings of the kernel; a report is made of each.

_KINDS = (
    ("refcount_t: ", "refcount_t"),
    ("list_add ", "list"),
    ("list_del ", "list"),
    ("ODEBUG: ", "debugobjects"),
)


_LKDTM = os.path.join(os.path.dirname(os.path.dirname(__file__)), "kunit", "lkdtm") + os.sep
_PROVOKED = " known: lkdtm: makes this mistake to see whether it is noticed"


def _warned(message: str, frame: FrameType) -> None:
    for prefix, name in _KINDS:
        if message.startswith(prefix):
            lines = bug.block(message, frame)
            at: FrameType | None = frame
            while at is not None and not at.f_code.co_filename.startswith(_LKDTM):
                at = at.f_back
            if at is not None:
                lines.append(_PROVOKED)
            reports.append(Report(name, message.rstrip(), tuple(lines)))


WARNINGS: Hooks = {bug.report: Hook(_warned, None)}


class Warnings(Facility):
    """Checks lists, and makes reports of the warnings of refcount_t, DEBUG_LIST, DEBUG_OBJECTS."""

    name = "warnings"

    def variants(self) -> Mapping[str, Callable[..., Any]]:
        return DEBUG_LIST

    def hooks(self, machine: Machine) -> Hooks:
        return WARNINGS

    def begin(self) -> None:
        printk.clear_warn_once()


def facilities() -> Sequence[Facility]:
    """All facilities of the check."""
    return (DebugObjects(), Kasan(), Kmemleak(), Warnings(), FenceUnion())
