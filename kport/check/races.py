# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The check `races`: accesses to a struct's member that nothing orders, one of them plain.

On `virt` it is exact for the execution that it sees: two accesses that are unordered are found
however far apart they happened (`races_clock`, `races_access`, `races_marked`). On `threads` a few
accesses are watched for a moment, as KCSAN does it (`races_sample`).

What counts is KCSAN's default: a plain load, and any store that changes the value.
`Races(Config.strict())` makes it the memory model's. Files that the kernel builds without KCSAN
are without it here, and so is what is not translated from C at all: the models beneath the port
(`kport.linux.sched` and others) are the machine that these rules are about.

Races that the kernel itself has are listed with their reasons in races_known.json. They are counted
and said when the kernel is left, one report for each, with a line " known: " that tells it from a
new one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import FrameType
from typing import Any

from kport.arch.api import HARDIRQ_MASK, SOFTIRQ_MASK, Machine
from kport.arch.asm import current_thread_info
from kport.arch.virt import Virt
from kport.check import races_access, races_clock, races_sample
from kport.check.races_access import LIST, Race
from kport.check.races_assert import ASSERTIONS
from kport.check.races_clock import RULES, TIME
from kport.check.races_known import known_as
from kport.check.races_marked import ACCESSES
from kport.check.races_scope import inline, silent, watched
from kport.linux.facility import Facility, Hooks, splat
from kport.linux.field import Watcher
from kport.linux.kcsan import Config, kcsan_ignore_data_race
from kport.linux.kcsan_report import access_info, c_function, print_report
from kport.linux.stackdepot import Stack, kernel_frames, stack_depot_save

_VIRT = {**RULES, **ACCESSES, **ASSERTIONS}


class Races(Facility):
    """The facility; `known` counts the races of races_known.json by their titles.

    Of the first of two accesses a report has the function and the line. With `stacks` it has the
    callers, too, for twice the cost: to run an execution again whose race is known.
    """

    name = "races"

    def __init__(self, config: Config | None = None, stacks: bool = False) -> None:
        self.config = config if config is not None else Config()
        self.stacks = stacks
        self.known: Counter[str] = Counter()
        self._seen: set[Any] = set()
        self._machine: Machine | None = None

    def hooks(self, machine: Machine) -> Hooks:
        return _VIRT if isinstance(machine, Virt) else races_sample.HOOKS

    def fields(self, machine: Machine) -> Sequence[Watcher]:
        LIST.strict = not self.config.assume_plain_writes_atomic
        LIST.stacks = self.stacks
        LIST.value_change_only = self.config.report_value_change_only
        if isinstance(machine, Virt):
            return races_access.watchers(watched, inline)
        return races_sample.watchers(watched)

    def start(self, machine: Machine) -> None:
        self._machine = machine
        self._seen.clear()
        self.known.clear()
        LIST.marked_loads = LIST.strict
        LIST.tell = self._found
        races_access.forget()
        if isinstance(machine, Virt):
            TIME.begin()
            races_clock.connect(machine)
        else:
            races_sample.start(self.config, self._report)

    def begin(self) -> None:
        self._seen.clear()
        TIME.begin()

    def finish(self) -> None:
        for title, count in sorted(self.known.items()):
            headline = f"KCSAN: {count} x {title}"
            splat(self.name, headline, [headline, f" known: {title}"])

    def stop(self) -> None:
        if isinstance(self._machine, Virt):
            races_clock.disconnect(self._machine)
        else:
            races_sample.stop()

    def _found(self, race: Race) -> None:
        """A race on virt: `frame` is the second access, which came into the way of the first."""
        code, lasti, kind, _, callers = race.place
        key = (type(race.obj), race.member, code, lasti, race.frame.f_code, race.frame.f_lasti)
        if key in self._seen:
            return
        self._seen.add(key)
        thread = TIME.thread(race.epoch)
        first = access_info(kind, thread.pid, thread.cpu, ((code, lasti), *callers))
        second = here(race.kind, race.frame)
        self._report(
            race.obj, race.member, first, second, race.old, race.new, race.mask, thread.name
        )

    def _report(
        self,
        obj: Any,
        member: str,
        first: access_info,
        second: access_info | None,
        old: Any,
        new: Any,
        mask: int = 0,
        comm: str = "",
    ) -> None:
        stacks = [first.stack] if second is None else [first.stack, second.stack]
        if any(silent(stack, type(obj)) for stack in stacks):
            return
        if kcsan_ignore_data_race(self.config, first.access_type, old, new):
            return
        names = [_names(stack) for stack in stacks]
        title = known_as(obj, member, names[0], names[-1])
        if title is not None:
            self.known[title] += 1
            return
        headline, lines = print_report(
            obj, member, first, second, old, new, mask, comm or current_thread_info().name
        )
        splat(self.name, headline, lines)


def _names(stack: Stack) -> set[str]:
    """The names of the innermost function of a stack, and of the one it is compiled into."""
    return {c_function(stack)[0], *(code.co_name for code, _ in kernel_frames(stack)[:1])}


def here(kind: str, frame: FrameType | None) -> access_info:
    """The access of the running thread, which stands in `frame`."""
    ti = current_thread_info()
    task = ti.task.pid if ti.task is not None else 0
    if ti.preempt_count & (HARDIRQ_MASK | SOFTIRQ_MASK):
        task = -1
    stack: Stack = stack_depot_save(frame)
    return access_info(kind, task, ti.cpu, stack)


def facilities() -> Sequence[Facility]:
    """The check by its name, with the kernel's default configuration."""
    return [Races()]
