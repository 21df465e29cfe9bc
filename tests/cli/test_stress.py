# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport stress`: what it prints, and how it ends."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time

import pytest

from kport.arch.patch import Edit, applied
from kport.cli import main
from kport.drm.scheduler.v7_2 import sched_main
from tests.workload.json_schema import assert_shape

VIRT = ["stress", "--machine", "virt", "--seed", "3", "--check", "oracles"]
FAILURE = {
    "round": int,
    "headline": str,
    "report": str,
    "topology": str,
    "operations": [str],
    "times": int,
    "again": str,
}
SCHEMA = {
    "sched": str,
    "machine": str,
    "seed": int,
    "threads": int,
    "check": [str],
    "seconds": float,
    "rounds": int,
    "jobs": int,
    "timeouts": int,
    "operations": object,
    "known": object,
    "failures": [FAILURE],
    "interrupted": bool,
}


@pytest.fixture
def broken():
    with applied(Edit(sched_main.drm_sched_job_done, "atomic_dec(sched.score)")):
        yield


def test_a_clean_run(capsys):
    assert main([*VIRT, "--rounds", "2"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("drm_sched of Linux 7.2.13 on virt, seed 3, oracles\n2 rounds in ")


def test_a_failure_is_told_and_can_be_had_again(broken, capsys):
    assert main([*VIRT, "--rounds", "9"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("BUG: oracle score: the load of a scheduler is wrong\n")
    (again,) = [line for line in out.splitlines() if line.startswith("again: kport stress")]
    words = shlex.split(again)[2:]
    assert main(words) == 1
    assert capsys.readouterr().out.partition("\nround")[0] == out.partition("\nround")[0]


def test_json(broken, capsys):
    assert main([*VIRT, "--rounds", "3", "--keep-going", "--json"]) == 1
    made = json.loads(capsys.readouterr().out)
    assert made["operations"]["submit"] > 0
    for name in ("operations", "known"):
        assert isinstance(made[name], dict)
        made[name] = None
    assert_shape(made, SCHEMA)
    assert made["failures"][0]["again"].startswith("kport stress --machine virt --sched v7_2")


def test_real_threads_for_a_second(capsys):
    command = ["stress", "--seconds", "1", "--seed", "1", "--check", "oracles,context"]
    assert main([*command, "--sched", "v6_1"]) == 0
    assert " on threads, seed 1, oracles, context\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["--seconds", "0"], ["--threads", "65"], ["--machine", "paper"], ["--check", "x"], ["more"]],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, capsys):
    assert main(["stress", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("kport: ")
    assert err.count("\n") == 1


def test_ctrl_c_ends_it_with_the_summary():
    command = [sys.executable, "-m", "kport", "stress", "--seconds", "60", "--check", "oracles"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert " rounds in " in out
