# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random valid workloads, alone and together, to the end and cut short: every run is sound."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kport.workload.player.plan import POLICIES, Plan
from kport.workload.player.play import play
from kport.workload.wsim.load import parse_workload
from tests.workload.wsim_files import wsim_text

# Runs take real time on real threads: no shrinking, which needs runs that repeat themselves.
_SETTINGS = settings(
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Up to three workloads with up to three clients each, under any policy."""
    seconds = draw(st.sampled_from((None, None, 0.005, 0.02)))
    endless = seconds is not None and draw(st.booleans())
    plan = Plan(
        policy=draw(st.sampled_from(("rr", "fifo", "fair"))),
        repeat=None if endless else draw(st.integers(1, 3)),
        seconds=seconds,
        credits=draw(st.integers(1, 4)),
    )
    for number in range(draw(st.integers(1, 3))):
        plan.add(
            parse_workload(draw(wsim_text()), f"file{number}"),
            copies=draw(st.integers(1, 3)),
            priority=draw(st.integers(-1, 1)),
            seed=draw(st.integers(0, 9)),
            same_durations=draw(st.booleans()),
        )
    return plan


def check(plan: Plan) -> None:
    result = play(plan, debug=True)
    assert result.sound, (result.jobs, result.warnings)
    if plan.seconds is None:
        assert result.jobs.cancelled == 0
        assert all(client.cycles == plan.repeat for client in result.clients)


def check_stopped(plan: Plan, after: float) -> None:
    plan.repeat = None
    stop = threading.Event()
    timer = threading.Timer(after, stop.set)
    timer.start()
    result = play(plan, stop=stop, debug=True)
    timer.cancel()
    timer.join()
    assert result.sound, (result.jobs, result.warnings)


@settings(_SETTINGS, max_examples=20)
@given(plans())
def test_random_workloads(plan):
    check(plan)


@settings(_SETTINGS, max_examples=15)
@given(plans(), st.floats(0, 0.03))
def test_random_workloads_that_are_stopped(plan, after):
    check_stopped(plan, after)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("policy", POLICIES)
@settings(_SETTINGS, max_examples=300)
@given(plans())
def test_300_random_workloads_under_each_policy(policy, plan):
    plan.policy = policy
    check(plan)


@pytest.mark.long
@pytest.mark.timeout(1200)
@settings(_SETTINGS, max_examples=300)
@given(plans(), st.floats(0, 0.03))
def test_300_random_workloads_that_are_stopped(plan, after):
    check_stopped(plan, after)
