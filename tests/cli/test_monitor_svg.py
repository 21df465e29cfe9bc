# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport monitor --svg`: a picture without a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from kport.cli import main

TRACE = str(Path(__file__).parents[1] / "data" / "linux-7.2-kunit-basic-fifo.trace.xz")


def test_a_picture_of_a_moment(capsys):
    arguments = ["--screen", "why", "--at", "#21000", "--span", "5", "--theme", "light"]
    assert main(["monitor", TRACE, "--svg", "-", "--size", "100x30", *arguments]) == 0
    out = capsys.readouterr().out
    assert out.startswith("<svg")
    assert "event 21000/31584" in out
    assert "5.00ms" in out
    assert "#fafafa" in out


def test_a_picture_of_a_workload_with_its_log(tmp_path):
    file = tmp_path / "out.svg"
    arguments = ["--svg", str(file), "--screen", "rings"]
    assert main(["monitor", *arguments, "--", "--seconds", "0.5"]) == 0
    text = file.read_text()
    assert "rcs" in text
    assert "built-in workload" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--svg", "/nowhere/out.svg"], "kport: --svg /nowhere/out.svg: No such file or directory"),
        (["--svg", "-", "--size", "9x9"], "'9x9' is no size from 20x5 to 1000x500, as 120x40"),
        (["--svg", "-", "--screen", "moon"], "invalid choice: 'moon'"),
        (["--svg", "-", "--at", "#99999999"], "there is no event #99999999"),
        ([], "the monitor needs a terminal; without one use --json, --assert or --svg"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments, says, capsys):
    assert main(["monitor", TRACE, *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
