# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport run --fault`: the table, the JSON object, and what is refused."""

from __future__ import annotations

import io
import json

import pytest

from kport.cli import main
from kport.cli.report import report
from kport.cli.terminal import Style
from kport.workload.player import world
from kport.workload.result import Recovery, Result
from tests.workload.json_schema import FAULTY, assert_shape

WORK = ["-w", "1.RCS.500.0.1", "-r", "30"]


@pytest.fixture
def soon(monkeypatch):
    """A hang is noticed sooner."""
    monkeypatch.setattr(world, "FAULTY_HANG_MS", 60)


def test_the_tables_show_what_came_of_it(capsys, soon):
    assert main(["run", *WORK, "--fault", "RCS.10.hang.*.full"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("RECOVERY"))
    head, row, guilty = lines[at + 1].split(), lines[at + 2].split(), lines[at + 3]
    figures = dict(zip(head, map(int, row), strict=True))
    assert figures["faults"] == figures["full"] == 1
    assert figures["lost"] >= 1
    assert guilty == "guilty: text-1:1"


def test_the_json_object_has_a_recovery(capsys, soon):
    assert main(["run", *WORK, "--json", "--fault", "hang", "--fault", "RCS.1.lost"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert_shape(told, FAULTY)
    jobs = told["jobs"]
    assert jobs["submitted"] == jobs["finished"] + jobs["failed"] + jobs["cancelled"] == 30
    assert told["recovery"]["soft"] == 1
    assert "hang.faults:8: the fault did not strike" in told["warnings"]


@pytest.mark.parametrize("width", [40, 80, 132])
def test_the_table_fits(width):
    recovery = Recovery(7, 6, 1, 2, 3, 4, ["client-1:1"] * 3 + ["other:2"] * 30, 1234, 99, True)
    lines = report("heading", Result(recovery=recovery), width, Style(io.StringIO()))
    assert all(len(line) <= max(width, 80) for line in lines)
    assert any("client-1:1 x3" in line for line in lines)
    assert "the device was lost" in lines


def test_bad_fault_files_are_one_line_and_code_2(tmp_path, capsys):
    path = tmp_path / "bad.faults"
    path.write_text("RCS.1.lost\nRCS.2.boom\n")
    for given, said in (
        (str(path), f"{path}:2:7: unknown kind 'boom'"),
        ("nonesuch", "is no disaster and no file"),
        ("RCS.1.late", "text:1:1: 'RCS.1.late' is no late"),
    ):
        assert main(["run", *WORK, "--fault", given]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert said in captured.err


def test_faults_are_for_workloads(tmp_path, capsys):
    path = tmp_path / "t.trace"
    path.write_text(
        "  x-1  [000] .....  1.000000: drm_sched_job_queue: dev=a, fence=1:1, ring=r, "
        "job count:0, hw job count:0, client_id:1\n"
    )
    assert main(["run", "--fault", "hang", str(path)]) == 2
    assert "--fault is for workloads" in capsys.readouterr().err
