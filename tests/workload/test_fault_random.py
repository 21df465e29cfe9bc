# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random faults while workloads play: every submitted job is accounted for, nothing is left."""

from __future__ import annotations

import random

import pytest

from kport.arch.virt import Virt
from kport.drivers.compat import SCHEDULERS
from kport.workload.faults.parse import FORMS, parse_faults
from kport.workload.player.plan import Plan
from kport.workload.player.play import play
from kport.workload.result import JobCount
from kport.workload.wsim.engines import CLASSES
from kport.workload.wsim.load import parse_workload

WORKLOADS = (
    "1.RCS.1000.0.0\n2.VCS.800.0.0\n1.BCS.300.-2.1\n",
    "1.RCS.200-900.0.0\nd.500\n1.RCS.300.-2.0\n2.CCS.700.f-1.1\n",
    "f\n1.VCS.500.f-1.0\na.-2\n2.RCS.100.s-2.1\nt.2\n",
    "1.RCS.*.0.0\n2.BCS.500.0.1\nT.-2\ns.-3\n",
)
BOUND = 20_000_000  # steps: a livelock is an error, and soon


def random_line(rng: random.Random) -> str:
    """A line of a fault file."""
    ring = rng.choice(["*", *CLASSES])
    at = rng.choice([f"{rng.randint(1, 9)}", f"@{rng.randint(0, 20_000)}"])
    if rng.random() < 0.4:
        at += f"/{rng.randint(3, 9) * (5000 if at[0] == '@' else 1)}"
    kind = rng.choice([kind.value for kind in FORMS])
    us = rng.choice(["*", str(rng.randint(0, 40_000))])
    if kind == "late":
        kind += f".{rng.randint(0, 40_000)}"
    elif kind in ("hang", "silent", "dead"):
        kind += f".{us}"
    if kind.startswith(("hang", "fault")):
        kind += rng.choice(["", ".soft", ".ring", ".full", ".never"])
    return f"{ring}.{at}.{kind}"


def play_one(seed: int) -> JobCount:
    """Play what comes of a seed; returns the jobs."""
    rng = random.Random(seed)
    text = "\n".join(random_line(rng) for _ in range(rng.randint(1, 4)))
    plan = Plan(
        repeat=rng.randint(3, 20),
        sched=rng.choice(SCHEDULERS),
        policy=rng.choice(["rr", "fifo", "fair"]),
        faults=parse_faults(text, "f", inline=False),
    )
    if plan.sched == "v7_2" and rng.random() < 0.4:
        # Before 7.2 killing queued jobs may leak a fence.
        plan.repeat, plan.seconds = None, 0.05
    for _ in range(rng.randint(1, 3)):
        plan.add(parse_workload(rng.choice(WORKLOADS), "w"), seed=seed)
    result = play(plan, machine=Virt(seed=seed, bound=BOUND), debug=True)
    jobs = result.jobs
    told = (seed, text, jobs, result.recovery, result.warnings)
    assert jobs.submitted == jobs.finished + jobs.failed + jobs.cancelled, told
    assert result.sound, told
    return jobs


def play_many(seeds: range) -> None:
    jobs = [play_one(seed) for seed in seeds]
    assert sum(each.finished for each in jobs) > len(seeds)
    assert sum(each.failed for each in jobs) > 0
    assert sum(each.cancelled for each in jobs) > 0


def test_some_random_faults():
    play_many(range(40))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_many_random_faults():
    play_many(range(1000))
