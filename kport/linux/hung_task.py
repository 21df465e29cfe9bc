# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/hung_task.c, Linux 7.2.13, on 2026-11-20.
"""What a sleeping task waits for, and tasks that have slept too long.

`waits_for()` reads from the stack of a task what it waits for: the frame of the function that waits
has it as a local, so nothing is noted while all is well. Whoever knows more about the cause of a
wait puts itself into `explainers`.

The detector (CONFIG_DETECT_HUNG_TASK) is a facility. It notes where and since when a task sleeps
and looks at all of them once every `hung_task_timeout_secs`. On `threads` khungtaskd does that, a
thread as in the kernel. On `virt` a thread that wakes up for ever would hide a deadlock, so the
look comes with the next sleep or tick after the time is over: it adds no event and changes no
execution. What can happen only there: all is asleep for ever, and the machine says so itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from kport.arch.asm import current_thread_info, ktime_get
from kport.arch.hook import Hook
from kport.linux import bug, facility, fork, sched, tick
from kport.linux.atomic_sleep import context_of, notes_on
from kport.linux.field import raw_get
from kport.linux.kconfig import HZ
from kport.linux.ktime import NSEC_PER_SEC
from kport.linux.module import boot_data, late_initcall, module_param_named
from kport.linux.struct import struct

if TYPE_CHECKING:
    from kport.arch.api import Machine

NAME = "hung_task"

# Functions that wait, and the local that says for what; the outermost on the stack is the cause.
_WAITS = {
    "__mutex_lock_common": "lock",
    "_down": "sem",
    "wait_for_common": "x",
    "__wait_for_common": "x",
    "___wait_event": "wq_head",
    "wait_event": "wq_head",
    "dma_fence_default_wait": "fence",
    "dma_fence_wait_timeout": "fence",
    "__flush_work": "work",
    "flush_workqueue": "wq",
    "kthread_stop": "k",
    "kthread_park": "k",
    "kthread_flush_work": "work",
    "kthread_flush_worker": "worker",
    "synchronize_rcu": "",
    "rcu_barrier": "",
}
_DEPTH = 40

Explainer = Callable[[str, Any, FrameType], list[str]]

# Each is given the function that waits, what it waits for and the innermost frame; answers lines.
explainers: list[Explainer] = []

sysctl_hung_task_timeout_secs = 120
module_param_named("hung_task_timeout_secs", "sysctl_hung_task_timeout_secs", int, 0o644)
sysctl_hung_task_warnings = 10
_enabled = False
_next_check = 0


@boot_data
def _reset() -> None:
    global sysctl_hung_task_warnings, _next_check
    sysctl_hung_task_warnings = 10
    _next_check = sysctl_hung_task_timeout_secs * NSEC_PER_SEC


def waits_for(frame: FrameType | None) -> str:
    """What the task whose innermost frame this is waits for, and who holds it; "" if unknown.

    Lines after the first name the cause, if somebody knows it.
    """
    found = ""
    cause: list[str] = []
    for at in _frames(frame):
        name = at.f_code.co_name
        if name in _WAITS and at.f_globals.get("__name__", "").startswith("kport."):
            local = _WAITS[name]
            obj = at.f_locals.get(local) if local else None
            found = f"{name}({describe(obj) if local else ''})" + _holder(obj)
            for explain in explainers:
                cause = explain(name, obj, at) or cause
    return "\n  ".join([found, *cause])


def _frames(frame: FrameType | None) -> list[FrameType]:
    frames: list[FrameType] = []
    while frame is not None and len(frames) < _DEPTH:
        frames.append(frame)
        frame = frame.f_back
    return frames


def describe(obj: Any) -> str:
    """An object as C would name it: where it is embedded, or its type and name."""
    parts: list[str] = []
    at = obj
    while isinstance(at, struct) and at._container is not None and at._member is not None:
        parts.append(at._member)
        at = at._container
    kind = type(at).__name__
    name = getattr(at, "name", "") or getattr(at, "comm", "")
    head = f"{kind} {name}" if isinstance(name, str) and name else kind
    return ".".join([f"({head})", *reversed(parts)]) if parts else head


def _holder(obj: Any) -> str:
    owner = getattr(obj, "owner", None)
    comm = getattr(owner, "comm", None)
    return f", held by {comm}/{owner.pid}" if owner is not None and comm is not None else ""


# -- a task as sysrq shows it ------------------------------------------------------------------

_STATES = ((sched.TASK_DEAD, "X"), (sched.TASK_PARKED, "P"), (0x0400, "I"))


def task_state_to_char(p: sched.task_struct) -> str:
    """The letter that ps prints."""
    state = p._state
    for bit, letter in _STATES:
        if state & bit:
            return letter
    if state & sched.TASK_UNINTERRUPTIBLE:
        return "D"
    return "S" if state & sched.TASK_INTERRUPTIBLE else "R"


def sched_show_task(p: sched.task_struct) -> list[str]:
    """The lines about one task: its state and, if it sleeps, its stack."""
    ti = p.thread
    running = "  running task    " if p._state == sched.TASK_RUNNING else ""
    lines = [
        (
            f"task:{p.comm[:15]:15} state:{task_state_to_char(p)}{running} stack:{0:<5} "
            f"pid:{p.pid:<5} tgid:{p.tgid:<5} ppid:{0:<6} task_flags:0x{p.flags:04x} "
            f"flags:0x{int(p.ti_flags):08x}"
        )
    ]
    worker = p.worker_private.data if p.flags & sched.PF_WQ_WORKER else None
    if worker is not None:
        pwq, func = worker.current_pwq, worker.current_func  # it may be about to forget both
        if pwq is not None and func is not None:
            lines.append(f"Workqueue: {pwq.wq.name} {func.__name__}")
    notes = notes_on(ti)
    frame = notes.frame if notes is not None else None
    if frame is not None:
        lines += ["Call Trace:", " <TASK>", *bug.stack(frame), " </TASK>"]
    return lines


# -- the detector ------------------------------------------------------------------------------


def task_is_hung(t: sched.task_struct, now: int) -> int:
    """How many seconds the task has been blocked, 0 if less than the limit; `now` in ns."""
    state = raw_get(t, "_state")
    if not state & sched.TASK_UNINTERRUPTIBLE or state & (sched.TASK_WAKEKILL | 0x0400):
        return 0
    notes = notes_on(raw_get(t, "thread"))
    if notes is None or notes.frame is None:
        return 0
    blocked = (now - notes.since) // NSEC_PER_SEC
    return blocked if blocked >= sysctl_hung_task_timeout_secs else 0


def debug_show_blocker(task: sched.task_struct, now: int) -> list[str]:
    """The lock the task is blocked on and who has it, or whatever else it waits for."""
    notes = notes_on(task.thread)
    blocker = notes.blocker if notes is not None else None
    who = f"INFO: task {task.comm}:{task.pid}"
    if blocker is None:
        what = waits_for(notes.frame if notes is not None else None)
        return [f"{who} waits for {what}"] if what.strip() else []
    kind, lock = blocker
    owner = next((t for t in list(sched.tasks.values()) if _owns(t, lock)), None)
    if kind == "mutex":
        if owner is None:
            return [f"{who} is blocked on a mutex, but the owner is not found."]
        line = f"{who} is blocked on a mutex likely owned by task {owner.comm}:{owner.pid}."
    else:
        if owner is None:
            return [f"{who} is blocked on an rw-semaphore, but the owner is not found."]
        line = (
            f"{who} <{kind}> blocked on an rw-semaphore likely owned by task "
            f"{owner.comm}:{owner.pid} <{'writer' if lock.count < 0 else 'reader'}>"
        )
    return [line] if task_is_hung(owner, now) else [line, *sched_show_task(owner)]


def _owns(t: sched.task_struct, lock: Any) -> bool:
    notes = notes_on(t.thread)
    return notes is not None and any(held is lock for held in notes.locks)


def hung_task_info(t: sched.task_struct, blocked: int, now: int) -> None:
    """Report one hung task, as long as there are warnings left."""
    global sysctl_hung_task_warnings
    if not sysctl_hung_task_warnings:
        return
    sysctl_hung_task_warnings -= 1
    headline = f"INFO: task {t.comm}:{t.pid} blocked for more than {blocked} seconds."
    lines = [
        headline,
        "      Not tainted 7.2.13",
        '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
        *sched_show_task(t),
        *debug_show_blocker(t, now),
    ]
    if not sysctl_hung_task_warnings:
        lines.append(
            "Future hung task reports are suppressed, see sysctl kernel.hung_task_warnings"
        )
    facility.splat(NAME, headline, lines)


def check_hung_uninterruptible_tasks() -> None:
    """Look at every task once."""
    now = ktime_get()
    for t in list(sched.tasks.values()):
        if blocked := task_is_hung(t, now):
            hung_task_info(t, blocked, now)


def watchdog() -> None:
    """khungtaskd: look, sleep."""
    while True:
        sched.set_current_state(sched.TASK_INTERRUPTIBLE)
        sched.schedule_timeout(max(sysctl_hung_task_timeout_secs, 1) * HZ)
        if sysctl_hung_task_timeout_secs:
            check_hung_uninterruptible_tasks()


def hung_task_init() -> int:
    """Start khungtaskd, where it is wanted and does no harm."""
    if _enabled and sched.machine.name == "threads":
        fork.kernel_task(watchdog, "khungtaskd")
    return 0


late_initcall(hung_task_init)


# -- the facility ------------------------------------------------------------------------------


def _before_schedule() -> None:
    notes = context_of(current_thread_info())
    notes.frame = sys._getframe(2)
    notes.since = now = ktime_get()
    if now >= _next_check:
        _look(now)


def _after_schedule(_: None) -> None:
    context_of(current_thread_info()).frame = None


def _before_schedule_until(deadline: int) -> None:
    _before_schedule()


def _after_schedule_until(_: bool, deadline: int) -> None:
    context_of(current_thread_info()).frame = None


def _before_tick() -> None:
    now = ktime_get()
    if now >= _next_check:
        _look(now)


def _look(now: int) -> None:
    global _next_check
    _next_check = now + sysctl_hung_task_timeout_secs * NSEC_PER_SEC
    if sysctl_hung_task_timeout_secs and sched.machine.name != "threads":
        check_hung_uninterruptible_tasks()


class hung_task(facility.Facility):
    """Tasks that do not come back."""

    name = NAME

    def hooks(self, machine: Machine) -> facility.Hooks:
        return {
            sched.schedule: Hook(_before_schedule, _after_schedule),
            sched._schedule_until: Hook(_before_schedule_until, _after_schedule_until),
            tick.tick_handle: Hook(_before_tick),
        }

    def start(self, machine: Machine) -> None:
        global _enabled
        _enabled = True

    def begin(self) -> None:
        _reset()

    def stop(self) -> None:
        global _enabled
        _enabled = False
