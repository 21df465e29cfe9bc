# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The facility `oracles`: watches the schedulers of a kernel while they run.

What the callbacks of a driver are called with is seen by standing in for them in `sched->ops`; the
rest by hooks around functions of the scheduler. A hook takes a note (`oracles_model`) and compares.
What it can tell at once it tells at once, with the place in C:

- `once`: a job runs once, ends once, is freed once, and not before it has ended;
- `order`: scheduled comes before finished, and the jobs of an entity run in the order of numbers;
- `dependencies`: a job runs when what it depends on has signalled, or is ahead of it on the same
  hardware; it ends by a kill only when all of it has signalled;
- `stopped`: the scheduler's own workers neither run nor free jobs while it is stopped;
- `ended`: an entity, a scheduler or a job is not used after its end, nothing of a killed entity is
  run;
- `tree`, `credits`, `score`: see `oracles`; whenever a scheduler has no job left, and at its end;
- `containers`: an array or a chain of fences signals when what is in it has signalled;
- `locks`: free_job() is never called where nobody may sleep.

When a kernel is left healthy, stood still for ever (a deadlock on `virt`), or was left by an
AssertionError (a test waited in vain), it looks at what is left with the oracles for schedulers at
rest: that is where a lost wake-up shows. A scheduler with an operation half done is left out then.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kport.arch.hook import Hook
from kport.check import oracles, oracles_era, oracles_hooks, oracles_jobs, oracles_model
from kport.check import oracles_hooks as hooks
from kport.check.oracles_model import Model, Now
from kport.linux import init
from kport.linux.facility import Facility, Hooks
from kport.linux.field import raw_get, watched

if TYPE_CHECKING:
    from kport.arch.api import Machine

LOOKING = (oracles, oracles_era, oracles_hooks, oracles_jobs, oracles_model)
SCHEDULERS = "kport.drm.scheduler."


class Oracles(Facility):
    """What must always be true of the schedulers that are loaded when the kernel boots."""

    name = "oracles"

    def hooks(self, machine: Machine) -> Hooks:
        found: dict[str | Callable[..., Any], Hook] = {}
        found.update(hooks.FENCES)
        for name, parts in hooks.PARTS.items():
            for part, functions in parts.items():
                module = sys.modules.get(f"{SCHEDULERS}{name}.{part}")
                if module is not None:
                    for function, hook in functions.items():
                        found.setdefault(getattr(module, function), hook)
        return found

    def start(self, machine: Machine) -> None:
        Now.model = Model()
        _look_past_watchers()

    def begin(self) -> None:
        self.start(init.current_kernel().machine)

    def finish(self) -> None:
        look()

    def fail(self) -> None:
        if _stands_still():
            look()

    def stop(self) -> None:
        Now.model = None
        for module in LOOKING:
            vars(module)["raw"] = raw_get


def _look_past_watchers() -> None:
    """Read members as cheaply as can be: past those who watch accesses, if anybody does."""
    load: Any = raw_get if watched() else getattr
    for module in LOOKING:
        vars(module)["raw"] = load


def _stands_still() -> bool:
    """True if the kernel came to its end in a deadlock, or somebody waited in vain and said so."""
    oopses = init.current_kernel().oopses
    if oopses:
        return oopses[0].startswith("BUG: deadlock")
    return isinstance(sys.exc_info()[1], AssertionError)


def look() -> None:
    """Report what is wrong with each scheduler; nothing runs."""
    model = Now.model
    if model is None:
        return
    for scheduler in list(model.schedulers.values()):
        found = oracles.leftover(scheduler.sched) if scheduler.gone else []
        for violation in found:
            hooks.report_at_rest(violation)
    quiet = [n.sched for n in list(model.schedulers.values()) if not n.gone and not n.busy]
    for violation in oracles.check(*quiet):
        hooks.report_at_rest(violation)
