# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Rounds until time is up or something breaks, and what came of them."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import kport
from kport.drivers.compat import package
from kport.linux import facility
from kport.linux.completion import (
    DECLARE_COMPLETION_ONSTACK,
    complete_all,
    wait_for_completion_timeout,
)
from kport.linux.facility import Facility, Report
from kport.linux.init import Kernel
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.kthread import kthread_run
from kport.workload.stress.client import PATIENCE, Client, Stuck
from kport.workload.stress.device import Device
from kport.workload.stress.topology import Topology, throw

KNOWN = re.compile(r"^ known: +([^:\n]+)", re.MULTILINE)
COUNTED = re.compile(r"\w+: known: (\d+) x (.+)$")
RING = re.compile(r"\bring(\d)\b")
SHOWN = 40  # operations in a report
SLACK = 3  # threads get so many times the patience of a wait


@dataclass
class Plan:
    """What is asked for. `machine(dice)` makes the machine of a round; `first` is its number."""

    sched: str
    seed: int
    threads: int
    known: bool
    check: Sequence[str | Facility]
    machine: Callable[[random.Random], Any]
    rounds: int | None = None
    seconds: float | None = None
    first: int = 0
    keep_going: bool = False


@dataclass
class Failure:
    """What broke: the number of the round, a headline, all that was said, the operations before."""

    round: int
    headline: str
    report: str
    topology: str
    operations: list[str]
    times: int = 1

    @property
    def kind(self) -> str:
        """The headline without its numbers."""
        return re.sub(r"0x[0-9a-f]+|\bffff[0-9a-f]+|\d+", "#", self.headline)


@dataclass
class Outcome:
    """What all rounds came to; `known` counts the known faults of the kernel that were met.

    `failures` has one of each kind, with how many rounds failed like that.
    """

    rounds: int = 0
    jobs: int = 0
    timeouts: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    failures: dict[str, Failure] = field(default_factory=dict)
    interrupted: bool = False
    elapsed: float = 0.0


class Round:
    """One kernel and its threads."""

    def __init__(self, plan: Plan, number: int) -> None:
        self.plan = plan
        self.number = number
        self.dice = random.Random(f"{plan.seed}/{number}")
        self.topology: Topology = throw(self.dice, plan.sched, plan.threads, plan.known)
        self.clients: list[Client] = []
        self.jobs = self.timeouts = 0
        self.operations: Counter[str] = Counter()
        self.kernel: Kernel | None = None

    def play(self) -> Failure | None:
        """Boot, play, leave; returns what broke."""
        params = {"scheduler": self.plan.sched, "sched_policy": self.topology.policy}
        machine = self.plan.machine(self.dice)
        try:
            with kport.boot(machine, params=params, debug=True, check=self.plan.check) as kernel:
                self.kernel = kernel
                for life in range(self.topology.lives):
                    self._live(life)
        except kport.KernelOops as oops:
            return self._failure(str(oops).splitlines()[0], oops.report)
        except Stuck as stuck:
            return self._failure(str(stuck), str(stuck))
        return self._after()

    def _live(self, life: int) -> None:
        device = Device(self.topology, not self.plan.known)
        seed = f"{self.plan.seed}/{self.number}/{life}"
        self.clients = [
            Client(n, f"{seed}/{n}", device) for n in range(self.topology.clients)
        ]
        done = [DECLARE_COMPLETION_ONSTACK() for _ in self.clients]

        def body(data: Any) -> int:
            client, over = data
            try:
                client.run()
            except Stuck as stuck:
                failed.append(stuck)
            complete_all(over)
            return 0

        failed: list[Stuck] = []
        for client, over in zip(self.clients, done, strict=True):
            kthread_run(body, (client, over), f"client/{client.number}")
        for client, over in zip(self.clients, done, strict=True):
            if not wait_for_completion_timeout(over, msecs_to_jiffies(SLACK * PATIENCE)):
                raise Stuck(f"client {client.number} is still at: {client.at}")
        for stuck in failed:
            raise stuck
        for client in self.clients:
            self.operations += client.count
        device.close()
        self.jobs += device.jobs.counter
        self.timeouts += device.timeouts.counter
        if device.jobs.counter != device.freed.counter:
            lost = device.jobs.counter - device.freed.counter
            raise Stuck(f"{lost} of {device.jobs.counter} jobs were not freed")

    def _after(self) -> Failure | None:
        """A kernel that ended by itself: reports, leaks and warnings."""
        assert self.kernel is not None
        new = self._new_reports()
        if new:
            return self._failure(new[0].headline, "\n\n".join(each.text for each in new))
        if self.kernel.leaks:
            lines = self.kernel.leaks.lines()
            return self._failure(lines[0], "\n".join(lines))
        warnings = self.kernel.warnings()
        if warnings:
            return self._failure(warnings[0], "\n".join(warnings))
        return None

    def _new_reports(self) -> list[Report]:
        """The reports that are of no known fault."""
        return [report for report in list(facility.reports) if not KNOWN.search(report.text)]

    def known(self) -> Counter[str]:
        """The known faults that were met: reports say so, and those not reported are in the log."""
        found = (KNOWN.search(report.text) for report in list(facility.reports))
        count = Counter(match.group(1) for match in found if match)
        for line in self.kernel.dmesg() if self.kernel is not None else ():
            if (match := COUNTED.search(line)) is not None:
                count[match.group(2)] += int(match.group(1))
        return count

    def _failure(self, headline: str, report: str) -> Failure:
        new = self._new_reports()
        if new and new[0].text not in report:
            headline = f"{new[0].headline} (then: {headline})"
            report = "\n\n".join([*(each.text for each in new), report])
        named = RING.search(report)
        ring = int(named.group(1)) if named else None
        operations = [
            f"client {client.number}: {text}"
            for client in self.clients
            for rings, text in list(client.log)
            if ring is None or ring in rings
        ]
        return Failure(self.number, headline, report, self.topology.text(), operations)


def play(
    plan: Plan,
    progress: Callable[[Outcome], None] = lambda outcome: None,
    stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Play rounds until time is up or `stop()`, and if not to keep going, until one fails.

    `progress` is told after each.
    """
    package(plan.sched)
    outcome = Outcome()
    began = monotonic()
    number = plan.first
    while True:
        outcome.elapsed = monotonic() - began
        if stop():
            outcome.interrupted = True
            return outcome
        if plan.rounds is not None and outcome.rounds >= plan.rounds:
            return outcome
        if plan.seconds is not None and outcome.elapsed >= plan.seconds:
            return outcome
        each = Round(plan, number)
        failure = each.play()
        outcome.rounds += 1
        outcome.jobs += each.jobs
        outcome.timeouts += each.timeouts
        outcome.operations += each.operations
        outcome.known += each.known()
        if failure is not None:
            first = outcome.failures.setdefault(failure.kind, failure)
            if first is not failure:
                first.times += 1
        progress(outcome)
        if failure is not None and not plan.keep_going:
            outcome.elapsed = monotonic() - began
            return outcome
        number += 1
