# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Operations that cannot be meant are named; the interpreter has all that can."""

from __future__ import annotations

import pytest

from kport.kunit.conform.interpreter import Interpreter
from kport.kunit.conform.operations import OPERATIONS, Operation, OperationError, check

SOME = (
    ["sched_new", "S0", 4, None, "mock"],
    ["entity_new", "E0", 2, 0, ["S0"]],
    ["job_new", "J0", "E0", 1, "normal", 0],
    ["push", "J0"],
    ["job_new", "J1", "E0", 1, "normal", 0],
    ["ext_new", "X0", 0],
)


def operations(*ops):
    return [Operation(op[0], tuple(op[1:])) for op in ops]


def test_every_operation_is_one_of_the_interpreter():
    assert all(callable(getattr(Interpreter, name)) for name in OPERATIONS)


def test_what_can_be_meant():
    check(operations(*SOME, ["dep_job", "J1", "J0", "scheduled"], ["dep_ext", "J1", "X0"]))
    check(operations(*SOME, ["job_cleanup", "J1"], ["fence_put", "J0"], ["entity_destroy", "E0"]))


@pytest.mark.parametrize(
    ("op", "what"),
    [
        (["jump"], "unknown operation 'jump'"),
        (["push"], "push takes 1 arguments, here are 0"),
        (["push", "J0", 1], "push takes 1 arguments, here are 2"),
        (["push", "J0"], "push: J0 is pushed"),
        (["push", "J9"], "push: 'J9' is no job that was made before"),
        (["push", "S0"], "push: 'S0' is no job that was made before"),
        (["push", ["J1"]], "push: ['J1'] is no job that was made before"),
        (["sched_new", "S0", 4, None, "mock"], "sched_new: S0 is there already"),
        (["sched_new", "T1", 4, None, "mock"], "sched_new: 'T1' is no name of a scheduler"),
        (["sched_new", "S1", 0, None, "mock"], "sched_new: 0 is no whole number from 1 to"),
        (["sched_new", "S1", 4, -1, "mock"], "sched_new: -1 is no whole number from 0 to"),
        (["sched_new", "S1", 4, 1.5, "mock"], "sched_new: 1.5 is no whole number from 0 to"),
        (["sched_new", "S1", 4, True, "mock"], "sched_new: True is no whole number from 0 to"),
        (["sched_new", "S1", 4, 10, "fast"], "sched_new: 'fast' is none of mock, stop_start"),
        (["entity_new", "E1", 4, 0, ["S0"]], "entity_new: 4 is no whole number from 0 to 3"),
        (["entity_new", "E1", 2, 0, []], "entity_new: [] is no list of schedulers"),
        (["entity_new", "E1", 2, 0, "S0"], "entity_new: 'S0' is no list of schedulers"),
        (["entity_new", "E1", 2, 0, ["S1"]], "entity_new: 'S1' is no scheduler that was made"),
        (["job_new", "J2", "E0", 0, "normal", 0], "job_new: 0 is no whole number from 1 to"),
        (["job_new", "J2", "E0", 1, "slow", 0], "job_new: 'slow' is none of normal, fail"),
        (["job_new", "J2", "E0", 1, "fail", 5], "job_new: 5 is no whole number from -4095 to 0"),
        (["dep_job", "J0", "J0", "finished"], "dep_job: J0 is pushed"),
        (["dep_job", "J1", "J1", "finished"], "dep_job: J1 is not pushed"),
        (["dep_job", "J1", "J0", "hw"], "dep_job: 'hw' is none of finished, scheduled"),
        (["dep_ext", "J1", "X1"], "dep_ext: 'X1' is no external fence that was made before"),
        (["fence_put", "J1"], "fence_put: J1 is not pushed"),
        (["job_cleanup", "J0"], "job_cleanup: J0 is pushed"),
        (["set_priority", "E0", "high"], "set_priority: 'high' is no whole number"),
        (["tick", -1], "tick: -1 is no whole number from 0"),
        (["batch", 0], "batch: 0 is no whole number from 1"),
        (["advance", "S0", 1 << 32], "advance: 4294967296 is no whole number from 0"),
        (["x" * 99], "unknown operation 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ..."),
    ],
)
def test_what_cannot_be_meant(op, what):
    with pytest.raises(OperationError) as caught:
        check(operations(*SOME, op, ["final"]))
    assert caught.value.index == len(SOME)
    assert caught.value.what.startswith(what)


@pytest.mark.parametrize(
    ("end", "use", "what"),
    [
        (["sched_fini", "S0"], ["stop", "S0"], "stop: S0 is gone"),
        (["entity_destroy", "E0"], ["entity_kill", "E0"], "entity_kill: E0 is gone"),
        (["job_cleanup", "J1"], ["push", "J1"], "push: J1 is cleaned up"),
        (["fence_put", "J0"], ["fence_put", "J0"], "fence_put: J0 has no reference"),
        (["final"], ["final"], "there is a second final"),
    ],
)
def test_what_has_ended_cannot_be_used(end, use, what):
    with pytest.raises(OperationError) as caught:
        check(operations(*SOME, end, use))
    assert caught.value.index == len(SOME) + 1
    assert caught.value.what.startswith(what)


def test_an_operation_as_text():
    text = [str(op) for op in operations(["sched_new", "S0", 4, None, "mock"], *SOME[1:2])]
    assert text == ["sched_new S0 4 null mock", "entity_new E0 2 0 [S0]"]
