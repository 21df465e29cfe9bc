# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The order of work items: workers of the port's workqueues against the specification's two lists.

Random scenarios run twice, once on the real workqueues, once on two plain lists and a loop
(`plain_queues`), and must do the same in every operation.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest

import kport
from kport.kunit.conform.discipline import MACHINE, OneAfterTheOther, Queues
from kport.kunit.conform.interpreter import run
from kport.kunit.conform.operations import OPERATIONS
from kport.kunit.conform.record import parse
from kport.linux.workqueue import (
    INIT_WORK,
    cancel_work_sync,
    queue_work,
    schedule_work,
    system_percpu_wq,
    work_pending,
    work_struct,
)
from tests.kunit.conform.plain_queues import installed
from tests.kunit.conform.random_ops import random_record


def outcome(scenario):
    """Everything a scenario does."""
    done = []

    def happened(index, events, state, read):
        done.append((index, events, read()))
        return True

    assert run(scenario, happened) == []
    assert len(done) == len(scenario.ops)
    return done


def on_plain_queues(scenario):
    with pytest.MonkeyPatch.context() as patch:
        installed(patch)
        return outcome(scenario)


def compare_random(seeds, policies=("rr", "fifo", "fair")):
    seen = Counter()
    for seed in seeds:
        for policy in policies:
            scenario = parse(json.dumps(random_record(seed, policy)).encode(), f"{seed}:1")
            done = outcome(scenario)
            assert done == on_plain_queues(scenario), (seed, policy)
            seen.update(op.name for op in scenario.ops)
            seen.update(event[0] for _, events, _ in done for event in events)
            seen.update(
                event[2] for _, events, _ in done for event in events if event[0] == "timedout_job"
            )
    return seen


def test_work_items_run_as_the_specification_has_it():
    seen = compare_random(range(40))
    assert set(OPERATIONS) <= set(seen)
    assert {"unschedulable", "destroy", "free_job", "cancel_job", "ret"} <= set(seen)
    assert {"RESET", "ENODEV", "STOP_START", "NO_HANG", "NOHW"} <= set(seen)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_many_more_of_them():
    assert compare_random(range(40, 1000))["cancel_job"] > 100


@pytest.fixture
def queues():
    with kport.boot("virt", strategy=OneAfterTheOther(), debug=True, **MACHINE) as kernel:
        made = Queues()
        yield made
        made.close()
    assert not kernel.leaks, kernel.leaks.lines()
    assert not kernel.warnings()


def item(function):
    made = work_struct()
    INIT_WORK(made, function)
    return made


def test_submit_is_held_until_rest(queues):
    ran = []
    first, second = item(lambda w: ran.append(1)), item(lambda w: ran.append(2))
    queue_work(queues.submit, first)
    queue_work(queues.submit, second)
    queues.drain()
    assert ran == []
    assert work_pending(first)
    assert cancel_work_sync(first)
    queues.rest()
    assert ran == [2]


def test_system_runs_behind_each_item_of_submit(queues):
    ran = []
    other = item(lambda w: ran.append("system"))

    def submit(w):
        ran.append("submit")
        schedule_work(other)

    for work in [item(submit) for _ in range(3)]:
        queue_work(queues.submit, work)
    queues.rest()
    assert ran == ["submit", "system"] * 3


def test_an_item_that_queues_itself_goes_to_the_tail(queues):
    ran = []

    def again(w):
        ran.append("again")
        if ran.count("again") < 3:
            queue_work(queues.submit, w)

    queue_work(queues.submit, item(again))
    queue_work(queues.submit, item(lambda w: ran.append("once")))
    queues.rest()
    assert ran == ["again", "once", "again", "again"]


def test_system_is_first_come_first_served_and_drains_what_it_queues(queues):
    ran = []
    late = item(lambda w: ran.append("late"))

    def early(w):
        ran.append("early")
        schedule_work(late)

    for function in (early, lambda w: ran.append("second")):
        queue_work(system_percpu_wq, item(function))
    queues.drain()
    assert ran == ["early", "second", "late"]
