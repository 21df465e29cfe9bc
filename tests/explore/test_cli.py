# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""kport explore and kport replay: what they print, and what they refuse."""

from __future__ import annotations

import json
import re

import pytest

from kport.cli import main

PROGRAM = '''
from kport.arch.asm import READ_ONCE, WRITE_ONCE
from kport.explore import Program
from kport.linux.struct import struct

class cell(struct):
    value: int

def lost():
    """A lost update."""
    c = cell()

    def add():
        value = READ_ONCE(c, "value")
        WRITE_ONCE(c, "value", value + 1)

    def check():
        assert c.value == 2, "one is lost"

    return Program([add, add], check)
'''


@pytest.fixture
def program(tmp_path, monkeypatch) -> str:
    (tmp_path / "toy.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    return "toy.py:lost"


def test_a_failure_is_shown_and_its_token_plays_it_again(program, capsys):
    assert main(["explore", program]) == 1
    text = capsys.readouterr().out
    assert text.startswith("AssertionError: one is lost")
    assert "and before it writes cell.value" in text
    (token,) = re.findall(r"^kport replay (\S+)$", text, re.M)
    report = text.partition(token)[0]
    for more in ([], ["--carrier", "thread"]):
        assert main(["replay", token, *more]) == 1
        assert capsys.readouterr().out.partition(token)[0] == report
    assert main(["replay", token, "--step"]) == 1
    steps = capsys.readouterr().out
    assert "-- task/0 runs" in steps
    assert "reads cell.value, add+" in steps


def test_json_has_all_of_it(program, capsys):
    assert main(["explore", program, "--json", "--strategy", "dpor", "--keep-going"]) == 1
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["strategy"], result["schedules"]) == ("dpor", 4)
    (failure,) = result["failures"]
    assert failure["repeated"] is True
    assert main(["replay", failure["token"], "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["headline"] == failure["headline"]


def test_what_is_right_is_proved(capsys):
    assert main(["explore", "two-jobs", "--schedules", "20", "--strategy", "pct"]) == 0
    text = capsys.readouterr().out
    assert "two-jobs: 20 schedules" in text
    assert "no points: plain accesses to" in text
    assert "no failures" in text


def test_the_library_is_listed(capsys):
    assert main(["explore", "--list"]) == 0
    assert "two-jobs" in capsys.readouterr().out
    assert main(["explore", "--list", "--json"]) == 0
    assert "two-jobs" in {entry["name"] for entry in json.loads(capsys.readouterr().out)}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explore"], "no scenario; kport explore --list"),
        (["explore", "nothing"], "no scenario 'nothing'"),
        (["explore", "no.py:f"], "there is no file no.py"),
        (["explore", "two-jobs", "--strategy", "best"], "unknown strategy 'best'"),
        (["explore", "two-jobs", "--strategy", "pct:0"], "a bug has depth 1 or more"),
        (["explore", "two-jobs", "--strategy", "dpor", "--jobs", "2"], "one process only"),
        (["replay", "x"], "'x' is no token: it looks like NAME~TEXT"),
        (["replay", "x~AAAA"], "damaged"),
    ],
)
def test_bad_input_is_one_line(arguments, said, capsys, program):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_scenarios_are_made_up(capsys):
    assert main(["explore", "--generate", "--seconds", "0.2", "--schedules", "3"]) == 0
    out = capsys.readouterr().out
    assert "scenarios, " in out
    assert "not known: none" in out
    assert main(["explore", "--generate", "--seconds", "0.1", "--schedules", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scenarios"] >= 1
    assert found["failures"] == []
    assert main(["explore", "--generate", "two-jobs"]) == 2
    assert "takes none" in capsys.readouterr().err
