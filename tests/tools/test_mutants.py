# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Small errors in ported functions: cdiff finds every one."""

from __future__ import annotations

import ast

import pytest

from tools.cdiff.mutants import caught, mutants, run
from tools.cdiff.project import Project

KINDS = {
    "and for or",
    "another comparison",
    "another constant",
    "another member",
    "another operator",
    "drop a statement",
    "is for ==",
    "move a statement out of its block",
    "negate a condition",
    "swap two arguments",
    "swap two statements",
}


def test_a_sample(project: Project) -> None:
    made = run(project, list(project.files.values()), 150, seed=1)
    assert made.made.total() == 150
    assert made.survivors == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_thousands(project: Project) -> None:
    made = run(project, list(project.files.values()), 3000, seed=2)
    assert made.made.total() == 3000
    assert set(made.made) == KINDS
    assert [str(mutant) for mutant in made.survivors] == []


def test_the_same_seed_makes_the_same_mutants(project: Project) -> None:
    files = [project.files["kport/drm/scheduler/v7_2/sched_rq.py"]]
    first = [str(mutant) for mutant in mutants(project, files, 40, seed=7)]
    assert first == [str(mutant) for mutant in mutants(project, files, 40, seed=7)]
    assert first != [str(mutant) for mutant in mutants(project, files, 40, seed=8)]
    assert len(set(first)) > 20


def test_a_mutant_is_a_change(project: Project) -> None:
    files = [project.files["kport/drm/scheduler/v7_2/sched_fence.py"]]
    for mutant in mutants(project, files, 60, seed=3):
        original = mutant.pair.function.node
        assert ast.dump(ast.Module(mutant.node.body, [])) != ast.dump(
            ast.Module(original.body, [])
        ), str(mutant)


def test_what_was_not_changed_is_not_found(project: Project) -> None:
    files = [project.files["kport/drm/scheduler/v7_2/sched_fence.py"]]
    mutant = next(mutants(project, files, 1, seed=1))
    same = type(mutant)(mutant.kind, mutant.pair, mutant.line, mutant.pair.function.node)
    assert caught(project, mutant)
    assert not caught(project, same)
