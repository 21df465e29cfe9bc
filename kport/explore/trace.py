# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What happened in one execution, step by step, for the report.

The schedule of a failure is played once more with a hook before and after every instruction. Before
it, the place is noted: the frames above the machine; after it, which is in the same step as the
action, the step joins the list. What was begun and never ended (the lock of a deadlock) is
`waiting`. Hooks count no steps and ask nothing, so the execution is the same as without them.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from kport.arch.hook import HOOK, Hook
from kport.arch.virt_asm import CPU
from kport.check import reports
from kport.explore import ops
from kport.explore.ops import Op
from kport.explore.plain import Hooks, Watch
from kport.explore.replay import Replay, Schedule
from kport.linux.bug import place_of
from kport.linux.field import Watcher

DEPTH = 16
_MACHINE = ("kport/arch/", "kport/explore/", "kport/check/")
_BOTTOM = ("_forever", "_run_kernel", "_run_program")  # below it nothing is the scenario's
_PRIMITIVES = "kport/linux/"


@dataclass
class Event:
    """One step: `at` is which of all it is, `frames` are (file, line, function), innermost first.

    `began` is how many steps had been made when it was begun.
    """

    at: int
    task: int
    name: str
    op: Op
    frames: list[tuple[str, int, str]]
    began: int = 0

    @property
    def inside(self) -> bool:
        """Whether nothing above the primitives of the kernel has asked for it."""
        return all(_of_primitives(file) for file, _, _ in self.frames)

    @property
    def direct(self) -> bool:
        """Whether no primitive of the kernel stands between the code and the step."""
        return bool(self.frames) and not _of_primitives(self.frames[0][0])

    @property
    def _frame(self) -> tuple[str, int, str]:
        """The innermost frame above the primitives, or the innermost."""
        for frame in self.frames:
            if not _of_primitives(frame[0]):
                return frame
        return self.frames[0] if self.frames else ("", 0, "")

    @property
    def function(self) -> str:
        """The function that made the step."""
        return self._frame[2]

    @property
    def place(self) -> str:
        """Where: the line in Python, and in C where it is known."""
        file, line, _ = self._frame
        return place_of(file, line) if file else ""

    @property
    def text(self) -> str:
        """The statement."""
        file, line, _ = self._frame
        source = linecache.getline(file, line).strip().split("  # kport:")[0]
        return source or ops.NAMES[self.op[0]]

    @property
    def what(self) -> str:
        """The step in words: read value, lock a."""
        kind, of, member = self.op
        name = ops.label(of)
        if kind in (ops.READ, ops.WRITE):
            what = f"{name}.{member}" if member != "" else name
            return f"{'reads' if kind == ops.READ else 'writes'} {what}"
        verbs = {
            ops.ACQUIRE: "takes",
            ops.RELEASE: "releases",
            ops.TRY: "tries",
            ops.TEST: "tests",
            ops.BLOCK: "sleeps",
            ops.WAKE: "wakes",
            ops.START: "starts",
        }
        if kind == ops.BLOCK:
            return "sleeps"
        return f"{verbs.get(kind, 'runs')} {name if of is not None else ''}".strip()


class Tracer(Replay):
    """Plays a schedule and writes down what happens."""

    name = "tracer"

    def __init__(self, schedule: Schedule, step_ns: int) -> None:
        super().__init__(schedule, step_ns)
        self.events: list[Event] = []
        self.waiting: dict[int, Event] = {}
        self.switched: list[int] = []  # len(events) at each turn of the schedule
        self.told: int | None = None  # len(events) when a debug option reported something
        self.only: Callable[[Any, str], bool] | None = None  # plain accesses to write down
        self._extra = 0  # of these

    def begin(self) -> None:
        super().begin()
        self.events.clear()
        self.waiting.clear()
        self.switched.clear()
        self.told = None
        self._extra = 0
        self.machine.tracer = self

    def next(self, candidates: Any, current: Any, step: int) -> tuple[Any, int]:
        chosen, steps = super().next(candidates, current, step)
        if current is not None and chosen is not current:
            self.switched.append(len(self.events))
        return chosen, steps

    def before(self, op: Op) -> None:
        """The running task is about to make a step."""
        task = CPU.machine.current
        task.op = op
        frames = _frames(sys._getframe(1))
        event = Event(0, task.number, task.name, op, frames, len(self.events))
        self.waiting[task.number] = event

    def after(self) -> None:
        """The running task has made it."""
        event = self.waiting.pop(CPU.machine.current.number, None)
        if reports and self.told is None:
            self.told = len(self.events)
        if event is not None:
            self.events.append(event)
            event.at = len(self.events) - self._extra

    def plain(self, op: Op) -> None:
        """A plain access, which acts at once; one of those in `only` is no step of its own."""
        machine = CPU.machine
        if not machine.quiet if self.only is None else self.only(op[1], op[2]):
            task, at = machine.current, len(self.events) - self._extra
            self._extra += self.only is not None
            event = Event(at + 1, task.number, task.name, op, _frames(sys._getframe(2)), at)
            self.events.append(event)

    def watch(self, plain: bool) -> Watch:
        """The debug option: a hook before and after each instruction, and plain accesses."""
        return Watch(_HOOKS, [_WATCHER] if plain or self.only is not None else [])


# The hooks are functions of this module, which ask the machine for its tracer (there is none while
# a kernel boots): they are made once, and so are the instructions that the linker makes of them.


def _hook(hook: Hook) -> Hook:
    note = hook.before
    assert callable(note)

    def before(*args: Any) -> None:
        note(*args)
        machine = CPU.machine
        if (tracer := machine.tracer) is not None:
            tracer.before(machine.current.op)

    return Hook(before, _after)


def _after(*_: Any) -> None:
    if (tracer := CPU.machine.tracer) is not None:
        tracer.after()


def _reads(obj: Any, name: str) -> None:
    if (tracer := CPU.machine.tracer) is not None:
        tracer.plain((ops.READ, obj, name))


def _writes(obj: Any, name: str, value: Any) -> None:
    if (tracer := CPU.machine.tracer) is not None:
        tracer.plain((ops.WRITE, obj, name))


_HOOKS: Hooks = {name: _hook(hook) for name, hook in ops.HOOKS.items()}
_WATCHER = Watcher(_reads, _writes)


def of_machine(file: str) -> bool:
    """Whether a file is the machine's or the explorer's."""
    return any(part in file.replace("\\", "/") for part in _MACHINE)


def _of_primitives(file: str) -> bool:
    return _PRIMITIVES in file.replace("\\", "/")


def _frames(frame: FrameType | None) -> list[tuple[str, int, str]]:
    found: list[tuple[str, int, str]] = []
    while frame is not None and len(found) < DEPTH:
        code = frame.f_code
        file = code.co_filename
        if code.co_name in _BOTTOM and of_machine(file):
            break
        if file != HOOK and not of_machine(file):
            found.append((file, frame.f_lineno, code.co_name))
        frame = frame.f_back
    return found
