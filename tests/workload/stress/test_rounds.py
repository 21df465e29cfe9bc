# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Rounds of stress: clean on every scheduler, the same for the same seed, and what breaks is told.

How long they can go on is `make test-long`.
"""

from __future__ import annotations

import random

import pytest

from kport.arch.patch import Edit, applied
from kport.arch.strategy import RoundRobin
from kport.arch.virt import Virt
from kport.check.chaos import Chaos
from kport.drivers.compat import SCHEDULERS
from kport.drm.scheduler.v7_2 import sched_entity, sched_main
from kport.workload.stress.rounds import Outcome, Plan, play
from kport.workload.stress.topology import OPERATIONS, throw

ROUNDS = {"threads": 4, "virt": 12}


def virt(dice: random.Random) -> Virt:
    return Virt(RoundRobin(dice.getrandbits(32), dice.choice([3, 20])), cpus=2)


def plan(arch: str, sched: str = "v7_2", seed: int = 3, **more) -> Plan:
    machine = virt if arch == "virt" else lambda dice: "threads"
    options = {"threads": 5, "known": False, "check": ["oracles", Chaos(seed)]}
    options["rounds"] = ROUNDS[arch]
    return Plan(sched=sched, seed=seed, machine=machine, **options | more)


def text(outcome: Outcome) -> str:
    return "\n\n".join(f"{f.report}\n{f.topology}" for f in outcome.failures.values())


@pytest.mark.parametrize("sched", SCHEDULERS)
def test_some_rounds_are_clean(arch, sched):
    outcome = play(plan(arch, sched))
    assert not outcome.failures, text(outcome)
    assert outcome.rounds == ROUNDS[arch]
    assert outcome.jobs > 20 * outcome.rounds
    assert set(outcome.operations) <= set(OPERATIONS)
    assert len(outcome.operations) >= len(OPERATIONS) - 3


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("sched", SCHEDULERS)
def test_many_rounds_are_clean(arch, sched):
    outcome = play(plan(arch, sched, seed=5, rounds=None, seconds=40))
    assert not outcome.failures, text(outcome)


@pytest.mark.virt_only("threads run in real time")
def test_the_same_seed_is_the_same_run(arch):
    one, two = (play(plan(arch, rounds=4)) for _ in range(2))
    assert (one.jobs, one.timeouts, one.operations) == (two.jobs, two.timeouts, two.operations)
    other = play(plan(arch, rounds=4, seed=4))
    assert (one.jobs, one.operations) != (other.jobs, other.operations)


@pytest.mark.virt_only("the failing round is the same again")
def test_a_fault_is_found_told_and_found_again(arch):
    fault = Edit(sched_main.drm_sched_job_done, "atomic_dec(sched.score)")
    with applied(fault):
        outcome = play(plan(arch))
        (failure,) = outcome.failures.values()
        assert failure.headline == "BUG: oracle score: the load of a scheduler is wrong"
        assert f"{outcome.rounds - 1}" == str(failure.round)
        assert "rings of" in failure.topology
        assert any("submitted entity" in line for line in failure.operations)
        again = play(plan(arch, rounds=1, first=failure.round))
        assert [f.report for f in again.failures.values()] == [failure.report]


@pytest.mark.virt_only("a deadlock is one for sure")
def test_only_the_operations_of_the_failing_ring_are_told(arch):
    fault = Edit(sched_entity.drm_sched_entity_wakeup, "drm_sched_wakeup(entity.rq.sched)")
    with applied(fault):
        outcome = play(plan(arch, rounds=60))
    (failure,) = outcome.failures.values()
    assert "oracle quiescence" in failure.headline
    assert failure.operations
    ring = failure.report.split(" of ")[1].split("\n")[0]
    assert all(ring in line for line in failure.operations)


@pytest.mark.virt_only("many rounds in a short time")
def test_it_keeps_going_and_keeps_one_of_each_kind(arch):
    with applied(Edit(sched_main.drm_sched_job_done, "atomic_dec(sched.score)")):
        outcome = play(plan(arch, rounds=6, keep_going=True))
    assert outcome.rounds == 6
    assert 1 <= len(outcome.failures) <= 2
    assert sum(failure.times for failure in outcome.failures.values()) > 3


@pytest.mark.virt_only("many rounds in a short time")
def test_what_is_known_to_break_breaks_on_purpose_only(arch):
    outcome = play(plan(arch, known=True, rounds=24, keep_going=True))
    assert outcome.known["tree-after-kill"] + outcome.known["work-behind-stop"] > 0


def test_topologies_differ_and_keep_the_contract():
    seen = set()
    for number in range(200):
        thrown = throw(random.Random(number), "v3_2023", 4, known=False)
        seen.add(thrown.text())
        assert 1 <= thrown.clients <= 4
        assert thrown.depend == 0.0
        assert len(thrown.limits) == len(thrown.timeouts) == thrown.rings
    assert len(seen) == 200


def test_it_can_be_stopped():
    stops = iter([False, False, True])
    outcome = play(plan("virt", rounds=None), stop=lambda: next(stops))
    assert outcome.interrupted
    assert outcome.rounds == 2
