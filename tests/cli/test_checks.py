# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""--check on the commands."""

from __future__ import annotations

import json

import pytest

from kport.arch.patch import Edit, applied
from kport.check import NAMES
from kport.cli import main
from kport.cli.checks import CHECKS, checks, tell, there_are
from kport.drm.scheduler.v7_2 import sched_main

BATCH = ["-w", "1.RCS.100.0.1"]


def test_the_names_are_those_of_the_package():
    assert tuple(CHECKS) == NAMES


def test_all_is_all_there_are_and_a_name_counts_once():
    assert checks("all") == there_are()
    assert checks("oracles, oracles") == ["oracles"]
    assert checks("none") == checks("") == []


def test_a_wrong_name_is_one_line_and_exit_code_2(capsys):
    assert main(["run", *BATCH, "--check", "orcles"]) == 2
    line = "argument --check: 'orcles' is no check; did you mean oracles?; see kport run --help"
    assert capsys.readouterr().err == f"kport: {line}\n"


@pytest.fixture
def forgets_the_score():
    with applied(Edit(sched_main.drm_sched_job_done, "atomic_dec(sched.score)")):
        yield


def test_run_says_what_is_found(forgets_the_score, capsys):
    assert main(["run", *BATCH, "--check", "oracles"]) == 1
    captured = capsys.readouterr()
    assert "BUG: oracle score: the load of a scheduler is wrong" in captured.err
    assert "1 job: 1 finished" in captured.out
    assert main(["run", *BATCH, "--check", "oracles", "--json"]) == 1
    reports = json.loads(capsys.readouterr().out)["reports"]
    assert [text.splitlines()[2] for text in reports] == [" expected: 1 for its entities"] * len(
        reports
    )
    assert reports


def test_run_without_it_watches_nothing(forgets_the_score, capsys):
    assert main(["run", *BATCH, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reports"] == []


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_kunit_says_what_is_found(forgets_the_score, capsys, jobs):
    command = ["kunit", "drm_sched_basic_tests", "drm_sched_basic_timeout_tests", "--arch", "virt"]
    assert main([*command, "--json", "--jobs", jobs]) == 0
    capsys.readouterr()
    assert main([*command, "--json", "--jobs", jobs, "--check", "oracles"]) == 1
    suites = json.loads(capsys.readouterr().out)["suites"]
    assert all("oracle score" in suite["reports"][0] for suite in suites)


def test_conform_says_what_is_found(forgets_the_score, capsys):
    path = "tests/data/conformance/linux-7.2-fair.jsonl.xz"
    command = ["conform", path, "--id", "hand-pipeline_same_sched", "--json"]
    assert main([*command, "--check", "oracles"]) == 1
    reports = json.loads(capsys.readouterr().out)["reports"]
    assert reports
    assert all("oracle score" in text for text in reports)


def test_a_known_fault_of_the_kernel_is_told_and_fails_nobody(capsys):
    known = "BUG: oracle x: y\n object:   z\n known:    slug: why"
    assert not tell([known, known])
    assert capsys.readouterr().err == "kport: 2 x a known fault of the kernel: slug: why\n"
    assert tell([known, "BUG: new"])
