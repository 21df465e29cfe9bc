# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What is measured of a scheduler while a workload plays."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kport.arch.virt import Virt
from kport.drivers.compat import package
from kport.linux.tracepoint import tracepoints
from kport.workload.builtin import builtin_workloads
from kport.workload.eras.calls import counted
from kport.workload.eras.meter import CALLS, MEASURES, findings, measure
from kport.workload.player.plan import Plan
from kport.workload.wsim.load import load_workload


def run(sched, text=None, clients=1, seconds=0.2, seed=0):
    plan = Plan(
        sched=sched, policy="fifo" if sched == "v7_2" else "rr", repeat=None, seconds=seconds
    )
    for path in [text] if text else builtin_workloads():
        plan.add(load_workload(path, []), copies=clients)
    return measure(plan, Virt(seed=seed))


def test_the_calls_of_a_module_are_counted():
    module = SimpleNamespace(f=lambda x: x, g=lambda: True)
    before = module.f
    with counted(module, "f", "g", "none") as calls:
        assert [module.f(1), module.f(True), module.g()] == [1, True, True]
    assert calls == {"f": 2, "f/true": 1, "g": 1, "g/true": 1}
    assert module.f is before
    with pytest.raises(ZeroDivisionError), counted(module, "f"):
        raise ZeroDivisionError
    assert module.f is before


@pytest.mark.parametrize("sched", ["v6_1", "v7_2", "v3_2023"])
def test_a_run_is_measured_and_leaves_no_trace(sched):
    main = package(sched).sched_main
    before = {name: getattr(main, name, None) for name in CALLS}
    measured = run(sched)
    assert measured.problems == []
    assert {name: getattr(main, name, None) for name in CALLS} == before
    assert not any(tp.funcs for tp in tracepoints.values() if tp.system == "gpu_scheduler")
    meter, jobs = measured.meter, measured.result.jobs
    assert meter.jobs == jobs.finished > 50
    assert meter.calls["drm_sched_select_entity"] >= jobs.finished
    assert sum(meter.events.values()) >= 3 * jobs.finished


def test_the_same_seed_gives_the_same_figures():
    first, second = run("v7_2", seed=3), run("v7_2", seed=3)
    for facts, _ in MEASURES:
        assert facts(first.meter, first.result) == facts(second.meter, second.result)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_desktop_shows_six_differences(seed):
    found = findings([run("v6_1", seed=seed), run("v7_2", seed=seed)])
    assert [finding.name for finding in found] == [
        "order", "late-frames", "threads", "wake-ups-per-job", "timer-starts", "events",
    ]  # fmt: skip
    assert all(finding.differs for finding in found)
    facts = {finding.name: [seen.facts for seen in finding.seen] for finding in found}
    old, new = facts["order"]
    assert old["overtaking"] / old["jobs"] > 3 * new["overtaking"] / new["jobs"]
    old, new = facts["late-frames"]
    assert sum(old.values()) < sum(new.values())
    assert facts["threads"][1] == {"threads": ["a kworker"]}
    assert "rcs" in facts["threads"][0]["threads"]
    old, new = facts["timer-starts"]
    assert old["set_per_job"] <= 1.2 < new["set_per_job"]
    assert set(facts["events"][0]).isdisjoint(facts["events"][1])


def test_one_rule_is_no_difference():
    """Round robin on both: that the figures are not quite the same has no reason to print."""
    found = {f.name: f for f in findings([run("v6_1", seconds=1), run("v3_2023", seconds=1)])}
    order = found["order"]
    assert order.seen[0].facts != order.seen[1].facts
    assert not order.differs
    assert order.why == ""
    assert found["threads"].differs


def test_jobs_of_one_client_overtake_nobody():
    measured = run("v6_1", "1.RCS.500.0.0")
    assert measured.meter.overtaking == 0
    assert measured.meter.jobs > 50
