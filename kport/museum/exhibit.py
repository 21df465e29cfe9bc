# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""An exhibit: a bug that shipped, the statements that bring it back, and what shows it.

`edits` put the bug back (`kport.arch.patch`), on the port in memory. `setting` is the stage: edits
that stay when the bug is mended, where the code of today hides what was possible then. A bug that a
baseline still has needs no edits: then `mended` is the scheduler that does not have it, or `mend`
are edits that would mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from kport.arch.patch import Edit, applied
from kport.drivers import compat

Edits = Callable[[], Sequence[Edit]]


def no_edits() -> Sequence[Edit]:
    """Nothing is changed."""
    return ()


@dataclass(frozen=True)
class Exhibit:
    """One bug. `finds` is a regular expression that the first line of the report must match.

    `affected` are the kernel versions that had it, `fix` the commit that mended it and `subject`
    its first line. `check` names the facilities it is found with, besides deadlocks and oopses. A
    report that `signature` matches is this one wherever it is met.
    """

    id: str
    slug: str
    title: str
    fix: str
    subject: str
    affected: str
    sched: str
    scenario: Callable[..., Any]
    finds: str
    cve: str = ""
    edits: Edits = no_edits
    setting: Edits = no_edits
    mended: str = ""
    mend: Edits = no_edits
    check: Sequence[str] = ()
    memory: str = "sc"
    points: str = "sync"
    signature: str = ""
    note: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def as_it_stands(self) -> bool:
        """True if the baseline has the bug without any edit."""
        return self.edits is no_edits

    def broken(self) -> AbstractContextManager[None]:
        """With the bug."""
        return self._applied([*self.setting(), *self.edits()])

    def fixed(self) -> AbstractContextManager[None]:
        """Without the bug, on the same stage (and on the scheduler `mended`, if there is one)."""
        return self._applied([*self.setting(), *self.mend()])

    def _applied(self, edits: Sequence[Edit]) -> AbstractContextManager[None]:
        return applied(*edits) if edits else nullcontext()


def port(module: str, sched: str = "v7_2") -> ModuleType:
    """A file of the scheduler: "sched_main", "sched_entity" ..."""
    compat.package(sched)
    return import_module(f"kport.drm.scheduler.{sched}.{module}")
