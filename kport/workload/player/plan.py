# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What is to be played: clients with their workloads, and how."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from kport.hw.faults import Fault
from kport.workload.wsim.steps import Workload

POLICIES = {"rr": 0, "fifo": 1, "fair": 2}  # values of the parameter sched_policy


@dataclass(slots=True)
class ClientPlan:
    """One client. `priority` is that of its contexts until a step sets another.

    A background client runs until the others have ended. `seed` begins its random durations.
    """

    name: str
    workload: Workload
    priority: int = 0
    background: bool = False
    seed: str = "0"


@dataclass(slots=True)
class Plan:
    """A run.

    `sched` names the scheduler; only v7_2 has policies. `repeat`: iterations of each client, None
    for no end. `seconds` bound the run, on the kernel's clock; `scale` is wall seconds for each of
    them. `credits`: of each ring, None for the driver's default. `duration_scale` and
    `delay_scale` stretch batches and `d` steps. `faults` strike the device.
    """

    clients: list[ClientPlan] = field(default_factory=list)
    policy: str = "fifo"
    sched: str = "v7_2"
    repeat: int | None = 1
    seconds: float | None = None
    scale: float = 1.0
    credits: int | None = None
    duration_scale: float = 1.0
    delay_scale: float = 1.0
    faults: list[Fault] = field(default_factory=list)

    def add(
        self,
        workload: Workload,
        *,
        copies: int = 1,
        priority: int = 0,
        background: bool = False,
        seed: int = 0,
        same_durations: bool = False,
    ) -> None:
        """Add clients that play a workload, called after it and numbered from 1.

        They share its `W` working sets. Each client of a plan has durations of its own, unless
        they shall be the same for all.
        """
        taken = Counter(client.workload.name for client in self.clients)[workload.name]
        for copy in range(copies):
            number = len(self.clients)
            self.clients.append(
                ClientPlan(
                    f"{workload.name}-{taken + copy + 1}",
                    workload,
                    priority,
                    background,
                    str(seed) if same_durations else f"{seed}/{number}",
                )
            )
