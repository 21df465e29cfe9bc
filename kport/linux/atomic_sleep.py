# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/sched/core.c (__might_sleep, __schedule_bug), Linux 7.2.13, on 2026-11-20.
"""CONFIG_DEBUG_ATOMIC_SLEEP: sleeping, or a call that may sleep, where that is forbidden.

`might_sleep()` and `schedule()` look at the context in every kernel. The rest costs something and
is a facility: who set the task's state, who disabled preemption, the depth of RCU readers, which a
preemptible kernel counts here too, and which mutexes a task holds. What is noted of a task is in
`ti.debug[NAME]`; a place is (code, offset of the instruction), made into a line when it is printed.

The kernel reports one such call a second, here it is each place once per execution: time may stand
still on a virtual machine.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from kport.arch.asm import current_thread_info, irqs_disabled, preempt_count
from kport.arch.hook import HOOK, Hook
from kport.arch.types import thread_info
from kport.linux import bug, facility, lockdep_state, printk
from kport.linux.field import raw_get
from kport.linux.module import boot_data

if TYPE_CHECKING:
    from kport.arch.api import Machine

NAME = "atomic_sleep"

Place = tuple[CodeType, int]


class context:
    """What is noted of one thread: places of its last preemption-off and state change, locks."""

    __slots__ = ("blocker", "frame", "locks", "preempt_disable_ip", "since", "task_state_change")

    def __init__(self) -> None:
        self.preempt_disable_ip: Place | None = None
        self.task_state_change: Place | None = None
        self.locks: list[Any] = []  # mutexes and rw-semaphores held, innermost last
        self.blocker: Any = None  # (kind, lock) the task sleeps on
        self.frame: FrameType | None = None  # where it sleeps
        self.since = 0  # ns since boot; when it began to


_seen: dict[tuple[str, int], None] = {}
enabled = False


@boot_data
def forget() -> None:
    """Every place may report again."""
    _seen.clear()


def context_of(ti: thread_info) -> context:
    """The notes of a thread."""
    debug = ti.debug
    if debug is None:
        debug = ti.debug = {}
    found: context | None = debug.get(NAME)
    if found is None:
        found = debug[NAME] = context()
    return found


def notes_on(ti: thread_info | None) -> context | None:
    """The notes of another thread, if it has any: only a thread itself makes its own."""
    debug = ti.debug if ti is not None else None
    return debug.get(NAME) if debug is not None else None


def pid_of(ti: thread_info) -> int:
    """The pid of a thread, 0 if it has no task."""
    return raw_get(ti.task, "pid") if ti.task is not None else 0


def place(at: Place | None) -> str:
    """A noted place as `function+file:line (file.c:line)`."""
    if at is None:
        return "0x0"
    code, lasti = at
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= lasti < end and number is not None:
            line = number
    return f"{code.co_name}+{bug.place_of(code.co_filename, line)}"


def caller(frame: FrameType | None) -> FrameType:
    """The frame itself, or the nearest outside generated code."""
    while frame is not None and frame.f_code.co_filename == HOOK and frame.f_back is not None:
        frame = frame.f_back
    assert frame is not None
    return frame


def dump_stack(frame: FrameType) -> list[str]:
    """The lines of dump_stack() as of a frame."""
    ti = current_thread_info()
    return [
        f"CPU: {ti.cpu} PID: {pid_of(ti)} Comm: {ti.name}",
        "Call Trace:",
        " <TASK>",
        *bug.stack(frame),
        " </TASK>",
    ]


def complain(name: str, headline: str, lines: Sequence[str], frame: FrameType) -> None:
    """Log what was found, keep it as a report and count it among the kernel's warnings."""
    watched = enabled or lockdep_state.validating
    site = (frame.f_code.co_filename + headline[:24], frame.f_lineno)
    if site in _seen and watched:
        return
    _seen[site] = None
    bug.warnings.append(f"WARNING: {bug.place(frame)} at {frame.f_code.co_name}: {headline}")
    if watched:
        facility.splat(name, headline, lines)
        return
    for line in lines:
        printk.emit(printk.ERR, line)


def debug_show_held_locks(ti: thread_info) -> list[str]:
    """The locks of a thread: all, if they are validated, else the sleeping ones that are noted."""
    if lockdep_state.debug_locks and ti.held is not None:
        from kport.linux.lockdep_print import print_held_locks  # there only with the validator

        return print_held_locks(ti, ti.held) if ti.held.depth else []
    held = context_of(ti).locks if enabled else []
    if not held:
        return []
    who = f"{ti.name}/{pid_of(ti)}"
    plural = "lock" if len(held) == 1 else "locks"
    names = [f" #{number}: {bug_name(lock)}" for number, lock in enumerate(held)]
    return [f"{len(held)} {plural} held by {who}:", *names]


def bug_name(lock: Any) -> str:
    """A lock by the structs it is embedded in."""
    parts: list[str] = []
    at = lock
    while getattr(at, "_container", None) is not None and at._member is not None:
        parts.append(at._member)
        at = at._container
    head = type(at).__name__
    return ".".join([f"({head})", *reversed(parts)]) if parts else head


def lock_depth(ti: thread_info) -> int:
    """How many locks the thread holds, as far as they are validated or noted."""
    if lockdep_state.debug_locks and ti.held is not None:
        return int(ti.held.depth)
    return len(context_of(ti).locks) if enabled else 0


def print_preempt_disable_ip(ti: thread_info) -> list[str]:
    """Who disabled preemption, if it is off and that was noted."""
    if not enabled or not ti.preempt_count:
        return []
    return ["Preemption disabled at:", f" {place(context_of(ti).preempt_disable_ip)}"]


def __might_resched(frame: FrameType | None) -> None:
    """Report a call in `frame` that may sleep where it must not; nothing while it boots."""
    if lockdep_state.booting:
        return
    at = caller(frame)
    ti = current_thread_info()
    non_block = raw_get(ti.task, "non_block_count")
    headline = f"BUG: sleeping function called from invalid context at {bug.place(at)}"
    lines = [
        headline,
        (
            f"in_atomic(): {int(ti.preempt_count != 0)}, irqs_disabled(): {irqs_disabled()}, "
            f"non_block: {non_block}, pid: {pid_of(ti)}, name: {ti.name}"
        ),
        f"preempt_count: {preempt_count():x}, expected: 0",
        f"RCU nest depth: {ti.rcu_nesting}, expected: 0",
        *debug_show_held_locks(ti),
        *print_preempt_disable_ip(ti),
        *dump_stack(at),
    ]
    complain(NAME, headline, lines, at)


def __schedule_bug(frame: FrameType | None) -> None:
    """Report a sleep in atomic context; `frame` is who called schedule()."""
    at = caller(frame)
    ti = current_thread_info()
    headline = (
        f"BUG: scheduling while atomic: {ti.name}/{pid_of(ti)}/0x{ti.preempt_count:08x}"
    )
    lines = [
        headline,
        *debug_show_held_locks(ti),
        *print_preempt_disable_ip(ti),
        *dump_stack(at),
    ]
    complain(NAME, headline, lines, at)


# -- the facility ------------------------------------------------------------------------------


def _before_might_sleep() -> None:
    ti = current_thread_info()
    task = ti.task
    state = raw_get(task, "_state")
    if not (state or ti.rcu_nesting):
        return
    frame = caller(sys._getframe(2))
    if state:
        _blocking_with_state(ti, state, frame)
    if ti.rcu_nesting and not (ti.preempt_count or ti.irqs_off):
        __might_resched(frame)


def _blocking_with_state(ti: thread_info, state: int, frame: FrameType) -> None:
    by = place(context_of(ti).task_state_change)
    headline = (
        f"do not call blocking ops when !TASK_RUNNING; state={state:x} set at [<{by}>]"
    )
    where = f"WARNING: {bug.place(frame)} at {frame.f_code.co_name}"
    lines = [
        "------------[ cut here ]------------",
        headline,
        f"{where}, CPU#{ti.cpu}: {ti.name}/{pid_of(ti)}",
        *dump_stack(frame),
        "---[ end trace 0000000000000000 ]---",
    ]
    complain(NAME, headline, lines, frame)


def _after_state(_: None, state: int) -> None:
    if state:
        ti = current_thread_info()
        frame = sys._getframe(2)
        try:
            notes = ti.debug[NAME]
        except (KeyError, TypeError):
            notes = context_of(ti)
        notes.task_state_change = (frame.f_code, frame.f_lasti)


def _after_lock(_: int | None, lock: Any) -> None:
    ti = lock.owner
    if ti.preempt_count == 1:
        frame = sys._getframe(2)
        try:
            notes = ti.debug[NAME]
        except (KeyError, TypeError):
            notes = context_of(ti)
        notes.preempt_disable_ip = (frame.f_code, frame.f_lasti)


def _after_trylock(got: int, lock: Any) -> None:
    if got and lock.owner.preempt_count == 1:
        frame = sys._getframe(2)
        context_of(lock.owner).preempt_disable_ip = (frame.f_code, frame.f_lasti)


def _after_preempt_disable(_: None) -> None:
    ti = current_thread_info()
    if ti.preempt_count == 1:
        frame = sys._getframe(2)
        context_of(ti).preempt_disable_ip = (frame.f_code, frame.f_lasti)


def _before_mutex(lock: Any, state: int, ww_ctx: Any, use_ww_ctx: bool) -> None:
    context_of(current_thread_info()).blocker = ("mutex", lock)


def _after_mutex(ret: int, lock: Any, state: int, ww_ctx: Any, use_ww_ctx: bool) -> None:
    notes = context_of(current_thread_info())
    notes.blocker = None
    if not ret:
        notes.locks.append(lock)


def _after_mutex_trylock(got: bool, lock: Any) -> None:
    if got:
        context_of(current_thread_info()).locks.append(lock)


def _before_unlock(lock: Any) -> None:
    held = context_of(current_thread_info()).locks
    if lock in held:
        held.remove(lock)


def _before_down(sem: Any, write: bool, state: int) -> None:
    kind = "writer" if write else "reader"
    context_of(current_thread_info()).blocker = (kind, sem)


def _after_down(ret: int, sem: Any, write: bool, state: int) -> None:
    notes = context_of(current_thread_info())
    notes.blocker = None
    if not ret:
        notes.locks.append(sem)


def _before_up(sem: Any, write: bool) -> None:
    _before_unlock(sem)


def _hooks() -> dict[Any, Hook]:
    from kport.linux import mutex, rwsem, sched  # they stand on sched, which imports this file

    took = Hook(None, _after_lock)
    state = Hook(None, _after_state)
    return {
        "spin_lock": took,
        "spin_lock_irq": took,
        "spin_lock_irqsave": took,
        "spin_trylock": Hook(None, _after_trylock),
        "preempt_disable": Hook(None, _after_preempt_disable),
        sched.might_sleep: Hook(_before_might_sleep),
        sched.set_current_state: state,
        sched.__set_current_state: state,
        mutex.__mutex_lock_common: Hook(_before_mutex, _after_mutex),
        mutex.mutex_trylock: Hook(None, _after_mutex_trylock),
        mutex.mutex_unlock: Hook(_before_unlock),
        rwsem._down: Hook(_before_down, _after_down),
        rwsem._up: Hook(_before_up),
    }


class atomic_sleep(facility.Facility):
    """Sleeping in the wrong place."""

    name = NAME

    def hooks(self, machine: Machine) -> facility.Hooks:
        return _hooks()

    def start(self, machine: Machine) -> None:
        global enabled
        enabled = True
        forget()

    def begin(self) -> None:
        forget()

    def stop(self) -> None:
        global enabled
        enabled = False
