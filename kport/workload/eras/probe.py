# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A probe: a few jobs that show one difference between schedulers, and what they showed.

A probe runs in a kernel of its own on the machine virt, where time is virtual and a seed gives the
same run again. It returns facts: counts, orders, times, errors, names, as it has met them. Two
schedulers differ if their facts do; what a probe says of the reason is printed only then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import kport
from kport.arch.api import Machine
from kport.drivers.compat import package
from kport.linux.init import Kernel
from kport.workload.eras.place import At, Position, position

LABELS = {"v6_1": "6.1", "v3_2023": "2023", "v7_2": "7.2"}
BOUND = 20_000_000  # steps: a scheduler that never comes to rest ends with an error

Facts = dict[str, Any]  # numbers, texts, and lists of them


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a scheduler does what it does: a clause behind its name, and the statement."""

    clause: str
    at: At


def _nothing(facts: Facts, kernel: Kernel) -> None:
    """What most probes find in a kernel that is gone."""


@dataclass(frozen=True, slots=True)
class Probe:
    """`run` returns the facts, `tell` makes one line of them.

    `reasons`: by scheduler; that of 2023 has those of 6.1 unless it has its own. `policy` is that
    of 7.2. `after` may add facts when the kernel has been left; then leaks and warnings are facts.
    """

    name: str
    scene: str
    run: Callable[[], Facts]
    tell: Callable[[Facts], str]
    reasons: Mapping[str, Reason]
    policy: int = 1
    after: Callable[[Facts, Kernel], None] = _nothing


@dataclass(frozen=True, slots=True)
class Measure:
    """As a probe, but its facts are measured while a workload plays."""

    name: str
    scene: str
    tell: Callable[[Facts], str]
    reasons: Mapping[str, Reason]


def reason(aspect: Probe | Measure, sched: str) -> Reason:
    """Why this scheduler does what it does."""
    return aspect.reasons.get(sched) or aspect.reasons["v6_1"]


@dataclass(slots=True)
class Seen:
    """What one scheduler showed. `problems`: leaks and warnings that are no part of it."""

    sched: str
    facts: Facts
    text: str
    where: Position
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Finding:
    """What the schedulers showed; if they differ also a sentence of why, else ""."""

    name: str
    scene: str
    seen: list[Seen]
    differs: bool
    why: str

    @property
    def problems(self) -> list[str]:
        """What went wrong, by scheduler."""
        return [f"{each.sched}: {text}" for each in self.seen for text in each.problems]


def look(probe: Probe, sched: str, seed: int = 0, machine: Machine | None = None) -> Seen:
    """Run the probe on one scheduler. Raises KernelOops if that failed.

    `machine` stands in for one with this seed.
    """
    package(sched)
    params = {"scheduler": sched, "sched_policy": probe.policy}
    with kport.boot(machine or "virt", params=params, seed=seed, bound=BOUND) as kernel:
        facts = probe.run()
    problems = []
    if probe.after is _nothing:
        problems = [*kernel.warnings(), *kernel.leaks.lines()]
    probe.after(facts, kernel)
    return seen(probe, sched, facts, problems)


def seen(aspect: Probe | Measure, sched: str, facts: Facts, problems: list[str]) -> Seen:
    """What one scheduler showed, in words and with the statement that is the reason."""
    where = position(sched, reason(aspect, sched).at)
    return Seen(sched, facts, aspect.tell(facts), where, problems)


def compare(probe: Probe, scheds: tuple[str, str], seed: int = 0) -> Finding:
    """Run the probe on both schedulers."""
    return finding(probe, [look(probe, sched, seed) for sched in scheds])


def finding(aspect: Probe | Measure, shown: list[Seen]) -> Finding:
    """What they showed, with the reason if it is not the same.

    Figures of a workload are never quite the same on two schedulers; where the rule is one and the
    same, that is no difference. A probe has no such excuse.
    """
    clauses = [reason(aspect, each.sched).clause for each in shown]
    differs = any(each.facts != shown[0].facts for each in shown)
    if isinstance(aspect, Measure) and len(set(clauses)) == 1:
        differs = False
    named = [f"{LABELS[each.sched]} {clause}" for each, clause in zip(shown, clauses, strict=True)]
    why = "; ".join(named) + "." if differs else ""
    return Finding(aspect.name, aspect.scene, shown, differs, why)
