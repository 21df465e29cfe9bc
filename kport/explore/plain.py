# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Plain accesses to members of structs as points, and what is said of those that are none.

By default a point is an instruction that synchronises, as the C code marks it; a plain load or
store is part of the step before it. That is what a program without data races needs. With `plain`
each plain access (`kport.linux.field`) counts a step and can be preempted before it acts.

`Coverage` is a debug option for one execution: which instructions it used, and which members were
accessed plainly by several tasks, one of them writing. Those are what an exploration without
`plain` does not split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kport.arch.api import INSTRUCTIONS
from kport.arch.hook import Hook
from kport.arch.virt import Task
from kport.arch.virt_asm import CPU, point
from kport.check import Facility
from kport.explore.machine import Explorer
from kport.explore.ops import READ, WRITE
from kport.linux.field import Watcher

Hooks = Mapping[str | Callable[..., Any], Hook]


class PlainExplorer(Explorer):
    """The machine when plain accesses are points; not while it decides, or looks at the port."""

    def explore(self) -> None:
        super().explore()
        self.quiet = False

    def settle(self) -> None:
        self.quiet = True
        super().settle()

    def _choose(self, current: Task | None) -> Task:
        before, self.quiet = self.quiet, True
        try:
            return super()._choose(current)
        finally:
            self.quiet = before


def _read(obj: Any, name: str) -> None:
    machine = CPU.machine
    if not machine.quiet:
        machine.current.op = (READ, obj, name)
        CPU.left = left = CPU.left - 1
        if left < 0:
            point()


def _write(obj: Any, name: str, value: Any) -> None:
    machine = CPU.machine
    if not machine.quiet:
        machine.current.op = (WRITE, obj, name)
        CPU.left = left = CPU.left - 1
        if left < 0:
            point()


POINTS = Watcher(_read, _write, {}, True)


class Watch(Facility):
    """What an explorer puts around a kernel, as a debug option of it."""

    name = "explore"

    def __init__(
        self,
        hooks: Hooks | None = None,
        fields: Sequence[Watcher] = (),
    ) -> None:
        self._hooks = hooks or {}
        self._fields = fields

    def hooks(self, machine: Any) -> Hooks:
        return self._hooks

    def fields(self, machine: Any) -> Sequence[Watcher]:
        return self._fields


class Coverage:
    """Notes what one execution uses; `watch` is the debug option."""

    def __init__(self, fields: bool) -> None:
        self._used: set[str] = set()
        self._members: dict[str, tuple[set[int], set[int]]] = {}
        seen = [name for name in INSTRUCTIONS if name not in _OWN]
        hooks: Hooks = {name: Hook(after=self._note(name)) for name in seen}
        watchers = [Watcher(self._reads, self._writes)] if fields else []
        self.watch = Watch(hooks, watchers)

    def _note(self, name: str) -> Callable[..., None]:
        def note(*_: Any) -> None:
            self._used.add(name)

        return note

    def _access(self, obj: Any, name: str, kind: int) -> None:
        machine = CPU.machine
        if getattr(machine, "strategy", None) is getattr(machine, "search", None):
            users = self._members.setdefault(f"{type(obj).__name__}.{name}", (set(), set()))
            users[kind].add(machine.current.number)

    def _reads(self, obj: Any, name: str) -> None:
        self._access(obj, name, 0)

    def _writes(self, obj: Any, name: str, value: Any) -> None:
        self._access(obj, name, 1)

    @property
    def instructions(self) -> list[str]:
        """The instructions that were used."""
        return sorted(self._used)

    @property
    def unseen(self) -> list[str]:
        """Members that several tasks accessed plainly, one of them with a store."""
        return sorted(
            member
            for member, (reads, writes) in self._members.items()
            if writes and len(reads | writes) > 1
        )


# The state of the running thread itself, which are no points, and what is no kernel instruction.
_OWN = (
    "point",
    "current",
    "current_thread_info",
    "ktime_get",
    "irqs_disabled",
    "preempt_disable",
    "preempt_enable",
    "preempt_count",
    "preempt_count_add",
    "preempt_count_sub",
    "rcu_read_lock",
    "rcu_read_unlock",
    "spin_lock_init",
    "lockdep_assert_held",
)
