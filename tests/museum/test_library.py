# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Scenarios by name, and those that a seed makes up."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kport.explore import explore
from kport.museum.generate import generate
from kport.museum.library import LibraryError, find, names
from kport.museum.scenarios import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_library_passes_on_the_scheduler_of_today(name):
    entry = find(name)
    result = explore(entry.scenario, strategy="random", schedules=40, seed=3)
    assert [f.report for f in result.failures] == []
    assert result.schedules == 40


def test_names_are_found_and_others_refused(tmp_path):
    for name in names():
        entry = find(name)
        assert entry.name == name
        assert entry.text
    file = tmp_path / "my.py"
    file.write_text("def storm(kernel):\n    'Of my own.'\n")
    assert find(f"{file}:storm").text == "Of my own."
    for name, why in (
        ("R99", "no scenario 'R99'"),
        ("gen:x", "'x' is no seed"),
        (f"{file}:calm", "no function 'calm'"),
        ("none.py:x", "no file none.py"),
    ):
        with pytest.raises(LibraryError, match=why):
            find(name)
    file.write_text("1 / 0\n")
    with pytest.raises(LibraryError, match="ZeroDivisionError"):
        find(f"{file}:storm")


def test_a_seed_makes_the_same_scenario_in_every_process():
    texts = [generate(seed).text() for seed in range(200)]
    assert len(set(texts)) > 190
    code = (
        "from kport.museum.generate import generate\n"
        "for seed in range(200): print(generate(seed).text())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert out.stdout == "".join(f"{text}\n" for text in texts)


def test_made_up_scenarios_keep_to_the_rules_of_the_api():
    kinds = set()
    for seed in range(500):
        plan = generate(seed)
        owner = {}
        for number, ops in enumerate(plan.tasks):
            kinds |= {name for name, _ in ops}
            pushed = [at for name, at in ops if name == "push"]
            for job in pushed:
                assert owner.setdefault(plan.jobs[job].entity, number) == number
            for name, at in ops:
                if name in ("kill", "modify", "flush"):
                    assert owner.setdefault(at, number) == number
                if name == "kill":
                    later = ops[ops.index((name, at)) :]
                    assert not any(n == "push" and plan.jobs[j].entity == at for n, j in later)
        assert sorted(at for ops in plan.tasks for name, at in ops if name == "push") == list(
            range(len(plan.jobs))
        )
    assert kinds == {"push", "end", "kill", "flush", "modify", "priority", "stop", "start"}


@pytest.mark.parametrize("seed", range(8))
def test_made_up_scenarios_run(seed):
    result = explore(generate(seed).scenario(), strategy="random", schedules=10)
    assert result.schedules == 10
    assert [f.report for f in result.failures] == []
