# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What each probe sees on each scheduler, whatever the interleaving."""

from __future__ import annotations

import pytest

from kport.arch.strategy import RoundRobin
from kport.arch.virt import Virt
from kport.workload.eras.place import position
from kport.workload.eras.probe import BOUND, compare, look, reason
from kport.workload.eras.probes import PROBES

BY_NAME = {probe.name: probe for probe in PROBES}
SCHEDS = ("v6_1", "v7_2", "v3_2023")

PENDING = "(NULL device *): Tearing down scheduler while jobs are pending!"
KILLED = {"ran": 0, "said": ["Trying to push to a killed entity"]}
LEFT = {"cancelled": 0, "over": 0, "freed": 0, "said": [], "leaked": 2}

# Facts of 6.1, of 7.2, and of the scheduler of 2023 where they are not those of 6.1.
EXPECTED = {
    "hang-found": (
        {"timeout_ms": 20, "fired_ms": 20, "followed": 1},
        {"timeout_ms": 20, "fired_ms": 100, "followed": 8},
    ),
    "wake-ups": (
        {"jobs": 10, "by": "wake_up_interruptible", "told": 20, "looked": 50},
        {"jobs": 10, "by": "queue_work", "told": 40, "looked": 30},
        {"jobs": 10, "by": "queue_work", "told": 40, "looked": 40},
    ),
    "gpu-time": ({"used_ms": 18, "known_ms": None}, {"used_ms": 18, "known_ms": 18}),
    "turns": (
        {"order": ["A1", "B1", "C1", "A2", "B2", "A3"]},
        {"order": ["A1", "A2", "A3", "B1", "B2", "C1"]},
    ),
    "share": ({"long_pct": 80}, {"long_pct": 55}),
    "set-priority": ({"order": ["changed", "normal"]}, {"order": ["normal", "changed"]}),
    "room": (
        {"limit": 4, "credits": 3, "on_hardware": 4},
        {"limit": 4, "credits": 3, "on_hardware": 1},
    ),
    "behind-a-large-job": ({"ran": ["large", "small"]}, {"ran": []}),
    "hidden-job": ({"ran": ["ready"]}, {"ran": ["ready"]}, {"ran": []}),
    "fence-error": (
        {"hardware": "-EIO", "finished": "no error"},
        {"hardware": "-EIO", "finished": "-EIO"},
    ),
    "behind-an-error": (
        {"error": "-ECANCELED", "early": True},
        {"error": "-ECANCELED", "early": False},
    ),
    "lost-in-a-reset": (
        {"over": 3, "errors": ["no error"] * 3},
        {"over": 3, "errors": ["-ECANCELED"] * 3},
    ),
    "false-timeout": (
        {"asked": 1, "over": True, "freed": False, "leaked": 1},
        {"asked": 1, "over": True, "freed": True, "leaked": 0},
    ),
    "kill": (
        {"closer_ms": 50, "over_ms": 50, "error": "-ESRCH"},
        {"closer_ms": 0, "over_ms": 50, "error": "-ESRCH"},
    ),
    "killed-job-ends": (
        {"closer_ms": 0, "over_ms": 0, "error": "-ESRCH"},
        {"closer_ms": 0, "over_ms": 50, "error": "-ESRCH"},
    ),
    "fini-cancels": (LEFT, {"cancelled": 2, "over": 2, "freed": 2, "said": [], "leaked": 0}),
    "fini-says": (LEFT, LEFT | {"said": [PENDING]}),
    "push-to-a-killed-entity": (KILLED, KILLED),
    "who": (
        {"rings": 2, "threads": 2}
        | dict.fromkeys(("run", "free"), "thread ring0, SCHED_FIFO"),
        {"rings": 2, "threads": 0} | dict.fromkeys(("run", "free"), "a kworker, SCHED_NORMAL"),
        {"rings": 2, "threads": 0} | dict.fromkeys(("run", "free"), "a kworker, SCHED_NORMAL"),
    ),
    "stop-and-start": (
        {"state": "its thread is parked", "freed_first": 3},
        {"state": "pause_submit is set", "freed_first": 0},
        {"state": "pause_submit is set", "freed_first": 1},
    ),
    "stop-twice": (
        {"ran": 1, "warnings": 1},
        {"ran": 1, "warnings": 0},
        {"ran": 1, "warnings": 0},
    ),
    "scheduled-and-parent": ({"parent_known": False}, {"parent_known": True}),
    "dependencies": ({"needs": 3, "kept": 0}, {"needs": 3, "kept": 3}),
    "deadline": ({"reached": 0}, {"reached": 1}),
    "trace-events": (
        {
            "events": [
                "drm_sched_job",
                "drm_sched_job_wait_dep",
                "drm_run_job",
                "drm_sched_process_job",
            ],
            "fields_of_run": ["entity", "id", "fence", "name", "job_count", "hw_job_count"],
        },
        {
            "events": [
                "drm_sched_job_queue",
                "drm_sched_job_add_dep",
                "drm_sched_job_unschedulable",
                "drm_sched_job_run",
                "drm_sched_job_done",
            ],
            "fields_of_run": [
                "dev",
                "fence_context",
                "fence_seqno",
                "name",
                "job_count",
                "hw_job_count",
                "client_id",
            ],
        },
    ),
    "priority-numbers": (
        {"KERNEL": 3, "HIGH": 2, "NORMAL": 1, "LOW": 0},
        {"KERNEL": 0, "HIGH": 1, "NORMAL": 2, "LOW": 3},
    ),
    "run_job-reference": ({"references": 1}, {"references": 1}),
}


def expected(name: str, sched: str) -> dict[str, object]:
    """The facts of a probe on a scheduler."""
    facts = EXPECTED[name]
    return facts[SCHEDS.index(sched)] if SCHEDS.index(sched) < len(facts) else facts[0]


def test_each_probe_is_expected_to_see_something():
    assert list(EXPECTED) == [probe.name for probe in PROBES]
    assert len(BY_NAME) == len(PROBES)


@pytest.mark.parametrize("sched", SCHEDS)
@pytest.mark.parametrize("name", EXPECTED)
def test_facts(name, sched):
    """The same with several seeds, with turns of one step, and with long ones."""
    for steps, seed in ((100, 0), (100, 1), (1, 2), (3, 3), (30, 4), (1000, 5)):
        machine = Virt(strategy=RoundRobin(seed, steps), bound=BOUND)
        shown = look(BY_NAME[name], sched, machine=machine)
        assert shown.facts == expected(name, sched), (steps, seed)
        assert shown.problems == []
        assert shown.text == BY_NAME[name].tell(shown.facts)


@pytest.mark.parametrize("sched", SCHEDS)
def test_every_reason_stands_in_c(sched):
    version = {"v7_2": "Linux 7.2.13", "v6_1": "Linux 6.1.192"}.get(sched)
    for probe in PROBES:
        found = position(sched, reason(probe, sched).at)
        if version is not None:
            assert found.version == version
            assert found.line > 0
        assert found.function == reason(probe, sched).at.function


def test_at_least_twenty_probes_differ():
    found = [compare(probe, ("v6_1", "v7_2")) for probe in PROBES]
    differing = [finding for finding in found if finding.differs]
    assert len(differing) == 24
    assert {finding.name for finding in found if not finding.differs} == {
        name for name, facts in EXPECTED.items() if facts[0] == facts[1]
    }
    for finding in found:
        assert bool(finding.why) == finding.differs
        if finding.differs:
            assert finding.why.startswith("6.1 ")
            assert "; 7.2 " in finding.why
            assert finding.why.endswith(".")


def test_a_probe_that_leaks_has_a_problem(monkeypatch):
    from kport.linux.slab import kzalloc_obj
    from kport.workload.eras.ring import eras_job

    def leak():
        kzalloc_obj(eras_job)
        return {"n": 1}

    probe = BY_NAME["turns"]
    bad = type(probe)("bad", "It leaks.", leak, str, probe.reasons)
    finding = compare(bad, ("v6_1", "v7_2"))
    assert not finding.differs
    assert finding.problems == [
        "v6_1: leak: 1 x struct eras_job",
        "v7_2: leak: 1 x struct eras_job",
    ]
