# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Workloads are played on every scheduler, and the accounts are complete on each."""

from __future__ import annotations

import pytest

from kport.drivers.compat import SCHEDULERS
from kport.workload.player.plan import Plan
from kport.workload.player.play import play
from kport.workload.wsim.load import load_workload


@pytest.mark.parametrize("sched", SCHEDULERS)
def test_a_workload_is_played_to_the_end(sched):
    plan = Plan(repeat=5, seconds=20, scale=0.2, sched=sched)
    steps = "1.RCS.100-300.0.0,1.VCS.200.-1.0,2.VCS.100.-2.1,3.BCS.50.0.0"
    plan.add(load_workload(steps), copies=3)
    result = play(plan)
    assert (result.leaks, result.warnings) == (0, [])
    assert result.jobs.submitted == result.jobs.finished == 3 * 5 * 4
    assert sum(ring.jobs for ring in result.rings) == 60
    assert any(ring.wait_us.max > 0 for ring in result.rings)
    assert sum(entity.jobs for entity in result.entities) == 60


@pytest.mark.parametrize("sched", SCHEDULERS)
def test_clients_that_are_stopped_leave_nothing_behind(sched):
    plan = Plan(repeat=None, seconds=0.05, sched=sched)
    plan.add(load_workload("1.RCS.1000.0.0,1.VCS.500.-1.0"), copies=4)
    result = play(plan)
    assert result.leaks == 0
    count = result.jobs
    assert count.submitted == count.finished + count.failed + count.cancelled


def test_an_unknown_scheduler_is_refused():
    plan = Plan(sched="v5_4")
    plan.add(load_workload("1.RCS.100.0.0"))
    with pytest.raises(ValueError, match="unknown scheduler 'v5_4'"):
        play(plan)
