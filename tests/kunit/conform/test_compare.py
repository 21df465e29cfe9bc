# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""All recorded scenarios on the port; and what is changed in a record is found where it is."""

from __future__ import annotations

import copy
import json

import pytest

from kport.dma_buf import dma_fence
from kport.drm.scheduler.v7_2 import sched_entity
from kport.kunit.conform.compare import Field, compare, differing_fields
from kport.kunit.conform.discipline import MACHINE
from kport.kunit.conform.interpreter import Interpreter, run
from kport.kunit.conform.record import parse, scenarios
from kport.linux.completion import completion, init_completion, wait_for_completion
from kport.linux.ktime import ktime_get
from kport.linux.tracepoint import tracepoints
from tests.kunit.conform.files import FILES, records, scenario


def parsed(record):
    return parse(json.dumps(record).encode(), "test:1")


@pytest.mark.parametrize("policy", FILES)
def test_the_port_does_what_the_kernel_did(policy):
    """Events, snapshots and final states of 57 scenarios; and nothing is left behind."""
    count, events, states = 0, 0, 0
    for each in scenarios(str(FILES[policy])):
        assert compare(each) is None, each.id
        assert run(each, lambda *_: True) == [], each.id
        count += 1
        events += sum(map(len, each.events))
        states += len(each.states)
    assert (count, states) == (57, 171 + 57)
    assert events > 2000


def test_the_average_of_a_negative_duration_is_a_64_bit_one():
    """J1 ends before J0, which is in front of it: 2000 us for J0, then -1000 us for J1."""
    ops = (
        ["sched_new", "S0", 4, None, "mock"],
        ["entity_new", "E0", 2, 0, ["S0"]],
        ["entity_new", "E1", 2, 0, ["S0"]],
        ["job_new", "J0", "E0", 1, "normal", 0],
        ["push", "J0"],
        ["tick", 1_000_000],
        ["job_new", "J1", "E1", 1, "null", 0],
        ["push", "J1"],
        ["tick", 1_000_000],
        ["advance", "S0", 1],
        ["final"],
    )
    states = []

    def happened(index, events, state, read):
        states.append(read())
        return True

    run(scenario(*ops), happened)
    final = states[-1]
    assert final["S0"]["avg"] == (3 * 2000 - 1000) // 4
    assert (final["E0"]["runtime"], final["E0"]["avg"]) == (2_000_000, 2000)
    assert (final["E1"]["runtime"], final["E1"]["avg"]) == (-1_000_000, (1 << 58) - 1000)


@pytest.mark.parametrize("policy", FILES)
def test_a_changed_event_is_found_in_its_operation(policy):
    for record in list(records(policy).values())[::8]:
        at = [i for i, events in enumerate(record["events"]) if events]
        for index in (at[0], at[len(at) // 2], at[-1]):
            for change in (drop, double, swap, alter):
                changed = copy.deepcopy(record)
                if not change(changed["events"][index]):
                    continue
                difference = compare(parsed(changed))
                assert difference is not None
                assert (difference.index, difference.kind) == (index, "events")
                assert difference.port == record["events"][index]
                assert difference.state


def drop(events):
    events.pop()
    return True


def double(events):
    events.append(events[0])
    return True


def swap(events):
    events.reverse()
    return len(events) > 1


def alter(events):
    events[0].append(7)
    return True


def test_an_event_that_did_not_happen_is_found_too():
    changed = records("rr")["hand-fifo_order"]
    index = next(i for i, events in enumerate(changed["events"]) if not events)
    changed["events"][index] = [["done", "J0"]]
    difference = compare(parsed(changed))
    assert difference is not None
    assert (difference.index, difference.kernel, difference.port) == (index, [["done", "J0"]], [])


def test_a_changed_state_is_found_with_its_field():
    changed = records("fair")["hand-fair_priorities"]
    changed["final"]["E1"]["vruntime"] += 1
    index = [op[0] for op in changed["ops"]].index("final")
    difference = compare(parsed(changed))
    assert difference is not None
    assert (difference.index, difference.kind) == (index, "state")
    vruntime = changed["final"]["E1"]["vruntime"]
    assert difference.fields == [Field("E1", "vruntime", vruntime, vruntime - 1)]


def test_another_policy_makes_another_run():
    record = parsed(records("rr")["hand-rr_uneven_queues"])
    assert compare(record) is None
    difference = compare(record, "fair")
    assert difference is not None
    assert difference.policy == "fair"


def test_fields_and_things_that_only_one_side_has():
    kernel = {"S0": {"a": 1, "b": 2}, "S1": {"a": 1}}
    port = {"S0": {"a": 1, "c": None}, "S2": {"a": 1}}
    assert differing_fields(kernel, port) == [
        Field("S0", "b", 2, None),
        Field("S0", "c", None, None),
        Field("S1", "a", 1, None),
        Field("S2", "a", None, 1),
    ]


def test_a_fault_of_the_port_is_a_difference_where_it_happens():
    """A job is pushed to an entity none of whose schedulers is ready: a fault in the kernel too."""
    bad = scenario(
        ["sched_new", "S0", 4, None, "mock"],
        ["sched_new", "S1", 4, None, "mock"],
        ["entity_new", "E0", 2, 0, ["S0", "S1"]],
        ["set_ready", "S0", 0],
        ["set_ready", "S1", 0],
        ["job_new", "J0", "E0", 1, "normal", 0],
        ["push", "J0"],
        ["final"],
    )
    difference = compare(bad)
    assert difference is not None
    assert (difference.index, difference.kind) == (6, "stopped")
    assert "drm_sched_job_arm" in difference.why


def test_a_scenario_without_end_is_a_difference(monkeypatch):
    """A timeout of 0 for a job whose timeouts change nothing: it times out for ever."""
    monkeypatch.setitem(MACHINE, "bound", 200_000)
    bad = scenario(
        ["sched_new", "S0", 4, 100_000, "mock"],
        ["entity_new", "E0", 2, 0, ["S0"]],
        ["job_new", "J0", "E0", 1, "dont_reset", 0],
        ["push", "J0"],
        ["tdr_queue_imm", "S0"],
        events=[
            [],
            [],
            [],
            [
                ["queue", "J0", "S0", 0, 0],
                ["run", "J0", "S0", 0, 1],
                ["run_job", "J0", "hw", 1],
                ["signaled", "J0.scheduled"],
            ],
            [],
        ],
    )
    difference = compare(bad)
    assert difference is not None
    assert (difference.index, difference.kind) == (4, "stopped")
    assert "livelock" in difference.why
    assert difference.port[:2] == [["timedout_job", "J0", "NO_HANG"]] * 2


def test_a_scenario_that_waits_for_ever_is_a_difference(monkeypatch):
    """Nobody completes what the operation waits for: the machine tells who waits."""

    def fault(self, name):
        done = completion()
        init_completion(done)
        wait_for_completion(done)

    monkeypatch.setattr(Interpreter, "fault", fault)
    difference = compare(scenario(["sched_new", "S0", 4, 500, "mock"], ["fault", "S0"]))
    assert difference is not None
    assert (difference.index, difference.kind) == (1, "stopped")
    assert "deadlock" in difference.why


def test_what_the_port_refuses_is_a_difference():
    """Nobody has a reference on J0's fences any more, so nothing can depend on them."""
    bad = scenario(
        ["sched_new", "S0", 4, None, "mock"],
        ["entity_new", "E0", 2, 0, ["S0"]],
        ["entity_new", "E1", 2, 0, ["S0"]],
        ["job_new", "J0", "E0", 1, "null", 0],
        ["push", "J0"],
        ["entity_destroy", "E0"],
        ["fence_put", "J0"],
        ["job_new", "J1", "E1", 1, "normal", 0],
        ["dep_job", "J1", "J0", "finished"],
        events=[
            [],
            [],
            [],
            [],
            [
                ["queue", "J0", "S0", 0, 0],
                ["run", "J0", "S0", 0, 1],
                ["run_job", "J0", "null"],
                ["signaled", "J0.scheduled"],
                ["done", "J0"],
                ["signaled", "J0.finished", 0],
                ["free_job", "J0"],
            ],
            [["ret", 0]],
            [["destroy", "J0.finished"], ["destroy", "J0.scheduled"]],
            [],
            [],
        ],
    )
    difference = compare(bad)
    assert difference is not None
    assert (difference.index, difference.kind) == (8, "stopped")
    assert difference.why.startswith("J0.finished has been destroyed")


def test_a_guilty_flag_that_the_scheduler_does_not_know():
    """The flag is there and in the state; an entity made without a pointer to it goes on."""
    ops = (
        ["sched_new", "S0", 4, None, "mock"],
        ["entity_new", "E0", 2, 0, ["S0"]],
        ["set_guilty", "E0", 1],
        ["job_new", "J0", "E0", 1, "null", 0],
        ["push", "J0"],
        ["final"],
    )
    states = []
    run(scenario(*ops), lambda index, events, state, read: states.append(read()) or True)
    assert states[-1]["E0"]["guilty"] == 1
    assert states[-1]["J0"]["error"] == 0


def test_a_scenario_leaves_nothing_of_itself_in_the_port():
    record = next(scenarios(str(FILES["rr"])))
    for happened in (lambda *_: True, lambda index, *_: index < 3):
        run(record, happened)
        for file in (dma_fence, sched_entity):
            assert vars(file)["ktime_get"] is ktime_get
        assert not any(tracepoint.funcs for tracepoint in tracepoints.values())


def test_what_a_scenario_does_not_end_is_named():
    open_ = scenario(["sched_new", "S0", 4, None, "mock"], ["entity_new", "E0", 2, 0, ["S0"]])
    assert run(open_, lambda *_: True) == ["S0 is left", "E0 is left"]
