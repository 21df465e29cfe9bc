# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the machine `virt` says when nothing can go on."""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from kport.arch.hook import HOOK

if TYPE_CHECKING:
    from kport.arch.virt import Task, Virt

_DEPTH = 24


def deadlock(machine: Virt) -> str:
    """Every task waits and nothing is to come."""
    return _report(machine, "BUG: deadlock: no task can run and no event is to come")


def livelock(machine: Virt) -> str:
    """The bound of steps is exceeded."""
    return _report(machine, f"BUG: livelock: {machine.bound} steps and no end")


def _report(machine: Virt, head: str) -> str:
    lines = [head]
    for task in machine.tasks:
        lines += ["", f"{_name(task)}: {_state(machine, task)}", *_trace(machine, task)]
    return "\n".join(lines)


def _name(task: Task) -> str:
    pid = task.ti.task.pid if task.ti.task is not None else 0
    return f"{task.name}/{pid}"


def _state(machine: Virt, task: Task) -> str:
    """What the task waits for and who holds it."""
    if task.waits is not None:
        owner = task.waits.owner
        holder = next((t for t in machine.tasks if t.ti is owner), None)
        by = _name(holder) if holder is not None else f"{owner.name}, which has ended"
        return f"spins on the lock {task.waits.name}, held by {by}"
    if not task.asleep:
        return "can run" if task.stack is not None or task is machine.main else "has not run yet"
    frame = _frame(machine, task)
    what = machine.hooks.waits_for(frame) if frame is not None else ""
    return f"sleeps{', waits for ' + what if what else ''}"


def _frame(machine: Virt, task: Task) -> FrameType | None:
    """The innermost frame of the task outside the machine."""
    if task is machine.current:
        frame: FrameType | None = sys._getframe()
    else:
        frame = task.stack.frame() if task.stack is not None else None
    while frame is not None and _of_machine(machine, frame):
        frame = frame.f_back
    return frame


def _of_machine(machine: Virt, frame: FrameType) -> bool:
    """Whether a frame is the machine's own, that of a class made from it, or generated.

    An OS thread that carries a task may still be on its way out of Thread.start().
    """
    file = frame.f_code.co_filename
    if file in (HOOK, threading.__file__) or "kport/arch/" in file.replace("\\", "/"):
        return True
    return frame.f_globals.get("__name__") == type(machine).__module__


def _trace(machine: Virt, task: Task) -> list[str]:
    """The task's stack, innermost first."""
    lines: list[str] = []
    frame = _frame(machine, task)
    while frame is not None and len(lines) < _DEPTH:
        code = frame.f_code
        if code.co_name == "_forever" and _of_machine(machine, frame):
            break  # below it is what carries the task
        if not _of_machine(machine, frame):
            lines.append(f"  {code.co_name}+{machine.hooks.place(frame)}")
        frame = frame.f_back
    return lines
