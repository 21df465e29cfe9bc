# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport conform`: what it prints, what it finds, and what it says of bad input."""

from __future__ import annotations

import json
import lzma
import subprocess
import sys

import pytest

from kport.cli import main
from tests.kunit.conform.files import FILES, record, records


@pytest.fixture
def write(tmp_path):
    """Write records as a file of JSON lines; returns its path."""

    def write(*made, name="some.jsonl"):
        file = tmp_path / name
        file.write_text("".join(json.dumps(each) + "\n" for each in made))
        return str(file)

    return write


def test_the_recorded_files_are_the_same(capsys):
    assert main(["conform", *map(str, FILES.values())]) == 0
    out, err = capsys.readouterr()
    assert out == "".join(f"linux-7.2-{policy}.jsonl.xz: 57 of 57\n" for policy in FILES)
    assert err == ""


def test_a_difference_is_reported_and_counted(write, capsys):
    good, bad = records("rr")["hand-fifo_order"], records("rr")["hand-fence_lifetime"]
    bad["events"][7].remove(["destroy", "J0.scheduled"])
    assert main(["conform", write(good, bad)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("hand-fence_lifetime: other events in operation 7 (advance)\n")
    assert "  -->   7  advance S0 1\n" in out
    assert "> destroy J0.scheduled\n" in out
    assert out.endswith("\nsome.jsonl: 1 of 2\n")
    assert err == ""
    assert all(len(line) <= 80 for line in out.splitlines())


def test_no_more_reports_than_asked_for(write, capsys):
    bad = []
    for each in list(records("fifo").values())[:4]:
        each["events"][0] = [["ret", 1]]
        bad.append(each)
    assert main(["conform", "--reports", "1", write(*bad)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines.count("  operations") == 1
    assert [line.split(":")[1] for line in lines[-4:-1]] == [
        " other events in operation 0 (sched_new)"
    ] * 3
    assert lines[-1] == "some.jsonl: 0 of 4"


def test_only_what_matches_runs(capsys):
    assert main(["conform", "--id", "*timeout*", str(FILES["fair"])]) == 0
    assert capsys.readouterr().out == "linux-7.2-fair.jsonl.xz: 8 of 8\n"


def test_an_id_that_matches_nothing_names_the_nearest(capsys):
    assert main(["conform", "--id", "fifo_oder", str(FILES["fair"])]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("kport: no scenario matches --id 'fifo_oder'; nearest: hand-fifo_order")
    assert err.count("\n") == 1


def test_another_policy_than_the_recorded_one(capsys):
    arguments = ["conform", "--id", "hand-rr_three_entities", "--policy"]
    assert main([*arguments, "rr", str(FILES["rr"])]) == 0
    assert main([*arguments, "fair", str(FILES["rr"])]) == 1
    assert "policy fair, recorded with rr\n" in capsys.readouterr().out


def test_json(write, capsys):
    bad = records("rr")["hand-fifo_order"]
    index = [op[0] for op in bad["ops"]].index("final")
    bad["final"]["S0"]["score"] = -3
    path = write(bad)
    assert main(["conform", "--json", path]) == 1
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert (file["file"], file["scenarios"], file["same"]) == (path, 1, 0)
    (found,) = file["different"]
    assert (found["id"], found["line"], found["policy"]) == ("hand-fifo_order", 1, "rr")
    assert (found["kind"], found["index"], found["op"]) == ("state", index, ["final"])
    ((thing, name, kernel, port),) = found["fields"]
    assert (thing, name, kernel) == ("S0", "score", -3)
    assert found["state"]["S0"]["score"] == port
    assert main(["conform", "--json", str(FILES["rr"])]) == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert (file["scenarios"], file["same"], file["different"]) == (57, 57, [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there is no scenario in it"),
        (b"nonsense", "is no JSON"),
        (lzma.compress(b"{}" * 5000)[:-30], "the compressed file ends in the middle"),
        (json.dumps(record(["jump", "S0"])).encode(), "operation 0 of test: unknown operation"),
        (json.dumps(record(["push", "J0"])).encode(), "operation 0 of test: push: 'J0' is no job"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(content, said, tmp_path, capsys):
    file = tmp_path / "bad"
    file.write_bytes(content)
    assert main(["conform", str(FILES["rr"]), str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"kport: {file}")
    assert said in err
    assert err.count("\n") == 1
    assert err.isascii()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: FILE; see kport conform --help"),
        (["nowhere"], "nowhere: no such file"),
        (["x", "--policy", "cfs"], "argument --policy: invalid choice: 'cfs'"),
        (["x", "--reports", "-1"], "argument --reports: '-1' is not a whole number"),
    ],
)
def test_a_command_line_that_cannot_be_meant(arguments, said, capsys):
    assert main(["conform", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"kport: {said}")


def test_as_a_process_from_standard_input():
    command = [sys.executable, "-m", "kport", "conform", "-"]
    with FILES["fifo"].open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"standard input: 57 of 57\n", b"")
