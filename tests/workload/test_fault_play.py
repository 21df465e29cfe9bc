# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Workloads on a device in which things go wrong."""

from __future__ import annotations

import pytest

from kport.arch.virt import Virt
from kport.drivers.compat import SCHEDULERS
from kport.workload.faults import DISASTERS, load_faults
from kport.workload.player import world
from kport.workload.player.plan import Plan
from kport.workload.player.play import play
from kport.workload.result import Result
from kport.workload.wsim.load import parse_workload

BUSY = "1.RCS.1000.0.0\n2.VCS.800.0.0\n1.BCS.300.-2.1\n"


@pytest.fixture
def machine(arch, monkeypatch):
    """A machine to play on; on threads a hang is noticed sooner."""
    if arch == "virt":
        return Virt(seed=1)
    monkeypatch.setattr(world, "FAULTY_HANG_MS", 60)
    return "threads"


def run(machine, faults: str, *, clients: int = 2, repeat: int = 60, sched: str = "v7_2") -> Result:
    plan = Plan(repeat=repeat, faults=load_faults(faults), sched=sched)
    plan.add(parse_workload(BUSY, "busy"), copies=clients)
    result = play(plan, machine=machine, debug=True)
    jobs = result.jobs
    assert jobs.submitted == jobs.finished + jobs.failed + jobs.cancelled
    assert result.sound, result.warnings
    assert not result.leaks
    return result


@pytest.mark.parametrize("sched", SCHEDULERS)
@pytest.mark.parametrize("name", DISASTERS)
def test_every_disaster_is_survived_and_every_job_accounted_for(machine, name, sched):
    result = run(machine, name, sched=sched)
    recovery = result.recovery
    assert recovery is not None
    assert recovery.faults >= 1
    assert recovery.device_lost is (name == "device-loss")
    if name == "hang":
        assert (recovery.soft, recovery.ring, recovery.full) >= (1, 0, 1)
        assert recovery.guilty
    if name == "reset-storm":
        assert recovery.full >= 2
    if name == "device-loss":
        assert any("(-ENODEV); the client ended" in text for text in result.warnings)
    else:
        assert [client.cycles for client in result.clients] == [60, 60], "they all come through"


def test_the_innocent_are_run_again_and_the_guilty_make_a_new_context(machine):
    result = run(machine, "RCS.20.hang.*.ring", clients=3)
    recovery = result.recovery
    assert recovery is not None
    assert (recovery.ring, len(recovery.guilty)) == (1, 1)
    assert recovery.lost >= 1
    assert len(result.entities) > 9, "a new entity for each that lost a job"


def test_without_faults_there_is_no_recovery(machine):
    plan = Plan(repeat=2)
    plan.add(parse_workload(BUSY, "busy"))
    assert play(plan, machine=machine).recovery is None


def test_faults_that_did_not_strike_are_named(machine):
    result = run(machine, "RCS.1.lost,CCS.1.lost,RCS.100000.hang.*", repeat=5)
    assert [text for text in result.warnings if "strike" in text] == [
        "text:1:12: the fault did not strike",
        "text:1:23: the fault did not strike",
    ]


def test_flaky_interrupts_lose_no_job(machine, monkeypatch):
    monkeypatch.setattr(world, "FAULTY_HANG_MS", 5000)  # the fallback timer comes first
    result = run(machine, "*.1/3.lost,*.2/3.late.2000", repeat=20)
    assert result.jobs.finished == result.jobs.submitted
    assert result.recovery is not None
    assert result.recovery.lost == 0


def test_a_run_that_is_cut_short_while_the_device_hangs_ends(machine):
    plan = Plan(repeat=None, seconds=0.3, faults=load_faults("*.5/2.hang.*.full"))
    plan.add(parse_workload(BUSY, "busy"), copies=2)
    result = play(plan, machine=machine)
    jobs = result.jobs
    assert jobs.submitted == jobs.finished + jobs.failed + jobs.cancelled
    assert result.sound, result.warnings
