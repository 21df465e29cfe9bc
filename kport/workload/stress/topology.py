# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The dice of a round: which machine the threads find, and what they like to do."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

# What a job does on the hardware.
NULL = "null"  # nothing: run_job() returns NULL
INSTANT = "instant"  # it is over when run_job() returns
SHORT = "short"  # some microseconds
LONG = "long"  # up to two milliseconds
ERROR = "error"  # run_job() fails
LATE = "late"  # so long that it times out, but it is not hung
HANG = "hang"  # until a timeout resets the ring

QUICK = (NULL, INSTANT, SHORT, SHORT, LONG)
TIMED = (*QUICK, *QUICK, ERROR, LATE, HANG)

OPERATIONS = {
    "submit": 60,
    "burst": 8,
    "wait": 6,
    "sleep": 4,
    "priority": 4,
    "modify": 4,
    "flush": 3,
    "renew": 5,  # flush and destroy the entity, take a new one
    "kill": 3,  # end it with what is queued
    "reset": 2,  # stop a ring and start it again
    "fault": 1,  # the driver reports a fault: the timeout handler runs at once
}


@dataclass
class Topology:
    """A device and the threads on it. Times of jobs in us, timeouts in ticks (None: none)."""

    rings: int
    limits: list[int]
    timeouts: list[int | None]
    policy: int
    clients: int
    entities: int
    operations: int
    lives: int
    kinds: tuple[str, ...]
    shared_score: bool
    hang_limit: int
    depend: float
    resubmit: bool
    early: bool
    weights: dict[str, int] = field(default_factory=dict)

    def text(self) -> str:
        """One line of it for a report."""
        return (
            f"{self.rings} rings of {self.limits} credits, timeouts {self.timeouts}, policy "
            f"{self.policy}, {self.clients} threads with {self.entities} entities each, "
            f"{self.lives} lives of {self.operations} operations"
        )


def throw(dice: random.Random, sched: str, threads: int, known: bool) -> Topology:
    """A random topology for a scheduler."""
    rings = dice.randint(1, 4)
    timed = dice.random() < 0.5
    timeouts = [dice.randint(2, 12) if timed else None for _ in range(rings)]
    depend = 0.0 if sched == "v3_2023" and not known else dice.choice([0.0, 0.3, 0.7])
    return Topology(
        rings=rings,
        limits=[dice.choice([1, 1, 2, 3, 8]) for _ in range(rings)],
        timeouts=timeouts,
        policy=dice.randint(0, 2) if sched == "v7_2" else 0,
        clients=dice.randint(1, threads),
        entities=dice.randint(1, 3),
        operations=dice.randint(10, 40),
        lives=dice.choice([1, 1, 2, 3]),
        kinds=TIMED if any(timeouts) else (*QUICK, ERROR),
        shared_score=dice.random() < 0.2,
        hang_limit=dice.choice([0, 0, 2]),
        depend=depend,
        resubmit=dice.random() < 0.3,
        early=dice.random() < 0.5,
        weights={name: dice.randint(0, 2 * weight) for name, weight in OPERATIONS.items()}
        | {"submit": OPERATIONS["submit"]},
    )
