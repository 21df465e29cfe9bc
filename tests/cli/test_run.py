# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport run`: plans from options, output, exit codes, bad input in one line."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kport.cli import main
from kport.cli.options import UsageError
from kport.cli.run import make_plan, parser
from kport.cli.sched import SCHEDULERS
from kport.drivers import compat
from kport.workload.player import play
from kport.workload.player.batch import BatchStep
from tests.workload.json_schema import RECORDED, RUN, assert_shape

DATA = Path(__file__).parents[1] / "data"
RECORDING = DATA / "linux-7.2-kunit-basic-fifo.trace.xz"
WORKLOAD = str(DATA / "workloads" / "composited-ui.wsim")


def plan_of(*arguments: str):
    options = parser().parse_args(arguments)
    options.given = options.given or []
    return make_plan(options)


def kport_run(capsys, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a run in this process."""
    code = main(["run", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# -- options ---------------------------------------------------------------------------------------


def test_without_workloads_the_built_in_set_plays_for_5_s():
    plan = plan_of()
    assert [client.name for client in plan.clients] == [
        "compositor-1",
        "game-1",
        "video-1",
        "hog-1",
    ]
    assert (plan.repeat, plan.seconds, plan.policy) == (None, 5.0, "fifo")


def test_a_workload_plays_once_unless_told_otherwise():
    assert (plan_of("-w", "d.1").repeat, plan_of("-w", "d.1").seconds) == (1, None)
    assert (plan_of("-w", "d.1", "-r", "7").repeat) == 7
    bounded = plan_of("-w", "d.1", "--seconds", "2")
    assert (bounded.repeat, bounded.seconds) == (None, 2.0)
    both = plan_of("-w", "d.1", "-r", "3", "--seconds", "2")
    assert (both.repeat, both.seconds) == (3, 2.0)
    assert (plan_of("-r", "2").repeat, plan_of("-r", "2").seconds) == (2, None)


def test_priority_is_for_the_workloads_behind_it():
    plan = plan_of("-w", "d.1", "-p", "1", "-w", "d.2", "-w", "d.3", "-p", "-1", "-W", "d.4")
    assert [client.priority for client in plan.clients] == [0, 1, 1, -1]
    assert [client.background for client in plan.clients] == [True, True, True, False]


def test_clients_seeds_scales_and_the_rest():
    plan = plan_of(
        *("-w", "d.1", "-c", "3", "-I", "7", "-f", "0.5", "-F", "2", "--policy", "rr"),
        *("--scale", "3", "--credits", "9", "-a", "d.5", "-a", "d.6"),
    )
    assert [client.name for client in plan.clients] == ["text-1", "text-2", "text-3"]
    assert len({client.seed for client in plan.clients}) == 3
    assert (plan.duration_scale, plan.delay_scale, plan.policy) == (0.5, 2.0, "rr")
    assert (plan.scale, plan.credits) == (3.0, 9)
    assert [step.us for step in plan.clients[0].workload.steps] == [1, 5, 6]
    same = plan_of("-w", "d.1", "-c", "3", "-S")
    assert len({client.seed for client in same.clients}) == 1


def test_one_master_only():
    with pytest.raises(UsageError, match="only one master"):
        plan_of("-W", "d.1", "-W", "d.2")


@pytest.mark.parametrize("sched", SCHEDULERS)
def test_every_scheduler_plays_workloads(capsys, sched, tmp_path):
    trace = tmp_path / "trace"
    steps = "1.RCS.300.0.0,2.BCS.200.-1.1"
    code, out, err = kport_run(
        capsys, "--sched", sched, "-w", steps, "-r", "3", "--json", "--trace-out", str(trace)
    )
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert result["jobs"]["finished"] == 6
    assert (result["sched"], result["policy"]) == (sched, "fifo" if sched == "v7_2" else "rr")
    event = "drm_sched_job_run: " if sched == "v7_2" else "drm_run_job: "
    assert trace.read_text().count(event) == 6


def test_the_heading_names_the_scheduler(capsys):
    assert tuple(SCHEDULERS) == compat.SCHEDULERS
    _, out, _ = kport_run(capsys, "--sched", "v6_1", "-w", "1.RCS.300.0.0")
    assert out.startswith("drm_sched of Linux 6.1.192, policy rr: 1 client")


@pytest.mark.long
@pytest.mark.parametrize("sched", ["v6_1", "v3_2023"])
def test_a_recording_is_played_on_an_old_scheduler(capsys, sched):
    code, out, err = kport_run(capsys, "--sched", sched, "--json", str(RECORDING))
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert (result["sched"], result["leaks"], result["warnings"]) == (sched, 0, [])
    assert result["jobs"] == result["recorded"]["jobs"]


# -- output ----------------------------------------------------------------------------------------


def test_json_is_one_object_with_the_documented_keys(capsys):
    code, out, err = kport_run(
        capsys, "-w", "1.VCS.200.0.0,2.RCS.300.-1.1,X.1.0", "-r", "3", "--json"
    )
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert_shape(result, RUN)
    assert result["jobs"] == {"submitted": 6, "finished": 6, "failed": 0, "cancelled": 0}
    assert [ring["ring"] for ring in result["rings"]] == [
        "rcs",
        "bcs",
        "vcs1",
        "vcs2",
        "vecs",
        "ccs",
    ]
    ring = result["rings"][0]
    assert (ring["dev"], ring["jobs"], ring["inversions"]) == ("0000:03:00.0", 3, None)
    assert result["entities"][1]["gpu_ms"] == 0.9
    assert result["entities"][1]["share_pct"] == 100.0
    assert result["clients"][0]["cycles"] == 3
    assert (result["leaks"], result["recorded"], result["interrupted"]) == (0, None, False)
    assert result["warnings"] == [
        "text: steps without effect on a scheduler without firmware: 1 x X"
    ]
    assert result["makespan_s"] >= 0.0015


def test_the_help_names_every_key_of_the_json_object(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert all(f" {key} " in text for key in RUN)
    for key, shape in RUN.items():
        if isinstance(shape, list) and isinstance(shape[0], dict):
            assert f"{key} [{{{', '.join(shape[0])}}}]" in text
    assert "wait_us and latency_ms are {p50, p99, max}" in text


def test_tables_answer_the_three_questions(capsys):
    code, out, err = kport_run(capsys, "-f", "0.05", "-F", "0.05", "-r", "2")
    assert (code, err) == (0, "")
    for title in ("CLIENTS", "RINGS", "ENTITIES", "ORDER"):
        assert f"\n{title}  " in out
    assert out.count("compositor-1") >= 3
    assert "\x1b" not in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_the_same_seed_gives_the_same_gpu_time(capsys):
    def gpu_time(seed: str) -> list[float]:
        arguments = ("-w", "1.RCS.10-500.0.1", "-r", "5", "-I", seed, "--json")
        return [
            entity["gpu_ms"] for entity in json.loads(kport_run(capsys, *arguments)[1])["entities"]
        ]

    assert gpu_time("1") == gpu_time("1") != gpu_time("2")


def test_the_trace_is_written_and_can_be_played(tmp_path, capsys):
    trace = str(tmp_path / "trace.txt")
    code, _, _ = kport_run(
        capsys, "-w", "1.RCS.300.0.0,2.BCS.200.-1.1", "-r", "3", "--trace-out", trace
    )
    assert code == 0
    code, out, _ = kport_run(capsys, trace, "--json")
    assert code == 0
    result = json.loads(out)
    assert_shape(result, RECORDED)
    assert (result["clients"], result["leaks"]) == ([], 0)
    assert all(isinstance(ring["inversions"], int) for ring in result["rings"])
    assert all(ring["inversions"] is None for ring in result["recorded"]["rings"])
    assert result["jobs"]["finished"] == 6
    assert result["recorded"]["jobs"]["submitted"] == 6


def test_a_recording_is_known_by_its_content(tmp_path, capsys):
    disguised = tmp_path / "it-is.wsim"
    disguised.write_bytes(RECORDING.read_bytes())
    code = main(["run", str(disguised), "-c", "2"])
    assert code == 2
    assert "-c is for workloads" in capsys.readouterr().err


def test_a_workload_may_be_given_without_w(tmp_path, capsys):
    path = tmp_path / "trace.txt"
    path.write_text("1.RCS.100.0.1\n")
    code, out, _ = kport_run(capsys, str(path), "--json", str(path), "-w", "d.1")
    assert code == 0
    assert [client["name"] for client in json.loads(out)["clients"]] == [
        *("text-1", "trace_txt-1", "trace_txt-2"),
    ]


def test_a_run_that_fails_exits_with_1(capsys, monkeypatch):
    monkeypatch.setattr(play, "STALL_WALL", 0.05)
    monkeypatch.setattr(play, "STALL", 50_000_000)
    code, out, _ = kport_run(capsys, "-w", "q.1,f,1.RCS.10.f-1.0,1.RCS.10.f-2.0,a.-3")
    assert code == 1
    assert "warning: stalled: no job can run" in out


def test_a_priority_without_a_workload_is_said_to_change_nothing(capsys):
    _, out, _ = kport_run(capsys, "-w", "d.1", "-p", "1")
    assert "warning: -p changes nothing here" in out


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-w", "1.RCS.5.0.0,z.1"], "text:1:13: unknown step 'z.1'"),
        (["-w", "1.XXX.5.0.0"], "text:1:3: unknown engine 'XXX'"),
        (["-w", "1.RCS.5.-1.0"], "text:1:9: offset -1 points before the first step"),
        (["-w", "1.RCS.*.0.0"], "text:1:1: nothing ends this endless batch"),
        (["-w", "none.wsim"], "none.wsim: no such file"),
        (["-w", str(RECORDING)], "is a recording, no workload; give it without -w"),
        (["-a", str(RECORDING)], "is a recording, no workload"),
        (["none.wsim"], "none.wsim: no such file"),
        (["-w", "/"], "/: is a directory"),
        (["/"], "/: is a directory"),
        (["/dev/null"], "/dev/null: is not a regular file"),
        ([sys.executable], ":1: binary data, neither a workload nor a recording"),
        (["-W", "d.1", "-W", "d.2"], "only one master workload"),
        (["-c", "0"], "argument -c: '0' is not a whole number from 1 to 1000"),
        (["-c", "1001"], "argument -c: '1001' is not a whole number from 1 to 1000"),
        (["-r", "0"], "argument -r: '0' is not a whole number"),
        (["-r", "x"], "argument -r: 'x' is not a whole number"),
        (["--seconds", "-1"], "argument --seconds: '-1' is not a number above 0 and up to 1e+06"),
        (["--seconds", "nan"], "argument --seconds: 'nan' is not a number"),
        (["--scale", "0"], "argument --scale: '0' is not a number from 0.01 to 10000"),
        (["--scale", "-1"], "argument --scale: '-1' is not a number"),
        (["--scale", "nan"], "argument --scale: 'nan' is not a number"),
        (["--policy", "best"], "argument --policy: invalid choice: 'best'"),
        (["--sched", "v5_4"], "argument --sched: invalid choice: 'v5_4'"),
        (["--sched", "v6_1", "--policy", "fair"], "--policy fair is for --sched v7_2"),
        ([str(RECORDING), "--sched", "v6_1", "--policy", "fifo"], "v6_1 only takes turns"),
        (["--credits", "0"], "argument --credits: '0' is not a whole number"),
        (["--polic", "rr"], "unrecognized arguments: --polic"),
        (["-w"], "argument -w: expected one argument"),
        (["-w", "d.1", "--trace-out", "/"], "/: is a directory"),
        (["-w", "d.1", "--trace-out", ""], "--trace-out '': names no file"),
        (["-w", "d.1", "--trace-out", "-"], "--trace-out -: names no file"),
        (["-w", "d.1", "--trace-out", "/none/x"], "/none/x: there is no such directory"),
        ([str(RECORDING), "--trace-out", str(RECORDING)], "is what is to be played"),
        ([WORKLOAD, "--trace-out", WORKLOAD], "is what is to be played"),
        (["-w", "d.1", "-a", WORKLOAD, "--trace-out", WORKLOAD], "is what is to be played"),
        (["-w", "-", "-a", "-"], "standard input can be read only once"),
        (["-w", "1.RCS.-5.0.1"], "text:1:7: '-5' is no duration"),
        (["-w", "1.RCS.5-.0.1"], "text:1:7: '5-' is no duration"),
        (["-w", "f,1.RCS.5.f-1.1,a.-2"], "text:1:3: waits for ever"),
        ([str(RECORDING), "-w", "d.1"], "-w, -W or -p is for workloads"),
        ([str(RECORDING), "--seconds", "3"], "--seconds is for workloads"),
        (["none1", "none2"], "none1: no such file; check the path"),
        ([str(RECORDING), WORKLOAD], "one recording is played at a time"),
        ([WORKLOAD, str(RECORDING)], "one recording is played at a time"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message, capsys):
    code, out, err = kport_run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("kport: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\nDear reader,\nthis is prose.\n", ":2: 'Dear reader,' is neither a step of a workload"),
        (b"Dear reader,\n\0", ":2: binary data, neither a workload nor a recording"),
        (bytes(range(256)) * 50, ":1: binary data, neither a workload nor a recording"),
        ("d.1\n".encode("utf-16"), ":1: is UTF-16 text; save it as UTF-8"),
        (b" \n", ":1: is neither a workload nor a recording"),
        (gzip.compress(b"1.RCS.5.0.1\n", mtime=0), "is a compressed workload; unpack it"),
        (lzma.compress(b"# nothing\n"), "is a compressed workload; unpack it"),
        (lzma.compress(b""), "no scheduler event in 0 lines"),
        (b"1.RCS.5.0.1\n1." + b"x" * 1000, ":2:1: a batch has 5 fields, this one has 2"),
        (b"\xfd7zXZ\x00\x00", ""),
        (b"\x1f\x8b\x08", ""),
        (RECORDING.read_bytes()[:5000], ""),
        (b"d.1\n" * 2_200_000, "is larger than 8 MiB"),
        (b"# tracer: nop\n#\n", ""),
    ],
)
def test_bad_files_are_one_line_and_exit_code_2(data, message, tmp_path, capsys):
    path = tmp_path / "file"
    path.write_bytes(data)
    code, out, err = kport_run(capsys, str(path))
    assert (code, out) == (2, "")
    assert err.startswith(f"kport: {path}")
    assert message in err
    assert err.count("\n") == 1


def test_a_name_with_wsim_gets_the_error_of_the_workload(tmp_path, capsys):
    path = tmp_path / "x.wsim"
    path.write_bytes(b"d.1\nd.\0\n")
    assert kport_run(capsys, str(path))[2].startswith(f"kport: {path}:2:3: a byte that is no text")
    path.write_bytes("d.1\n".encode("utf-16"))
    assert kport_run(capsys, str(path))[2].startswith(f"kport: {path}:1:1: is UTF-16 text")


def test_pipes_that_nobody_serves_do_not_hang(tmp_path, capsys):
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    for arguments, message in (
        ((pipe,), "is not a regular file"),
        (("-w", pipe), "has no steps"),
        (("-w", "d.1", "--trace-out", pipe), "the trace cannot be written"),
        ((str(RECORDING), "--trace-out", pipe), "the trace cannot be written"),
    ):
        code, out, err = kport_run(capsys, *arguments)
        assert (code, out) == (2, "")
        assert err.startswith(f"kport: {pipe}: {message}")
        assert err.count("\n") == 1


def test_standard_input(monkeypatch, capsys):
    def given(data: bytes, *arguments: str) -> tuple[int, str, str]:
        stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(data)))
        monkeypatch.setattr(sys, "stdin", stream)
        return kport_run(capsys, *arguments)

    code, out, _ = given(b"1.RCS.100.0.1\n", "-", "--json")
    assert (code, json.loads(out)["clients"][0]["name"]) == (0, "stdin-1")
    assert given(b"", "-")[2].startswith("kport: standard input: is empty")
    assert "standard input: is a recording" in given(RECORDING.read_bytes(), "-w", "-")[2]
    assert given(b"d.1\nd.x\n", "-w", "-")[2].startswith("kport: standard input:2:3: 'x' is no")


def test_a_disk_that_is_full_when_the_run_is_over_costs_only_the_trace(capsys):
    code, out, err = kport_run(capsys, "-w", "1.RCS.100.0.1", "--trace-out", "/dev/full")
    assert code == 2
    assert "1 job: 1 finished, 0 failed" in out
    assert err.startswith("kport: /dev/full: the trace cannot be written (No space left on device)")
    assert err.count("\n") == 1


# -- Ctrl-C ----------------------------------------------------------------------------------------


def interrupted(*arguments: str, signals: int = 1) -> tuple[int, str, str]:
    """A process that gets SIGINT once it has begun to play."""
    command = [sys.executable, "-m", "kport", "run", *arguments]
    trace = Path(arguments[arguments.index("--trace-out") + 1])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        end = time.monotonic() + 20
        while not trace.exists():  # it is opened when the run begins
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(0.3)
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def test_ctrl_c_ends_with_the_tables_of_what_ran(tmp_path):
    trace = str(tmp_path / "trace")
    began = time.monotonic()
    code, out, err = interrupted("--seconds", "60", "--trace-out", trace)
    assert time.monotonic() - began < 20
    assert (code, err) == (130, "")
    assert "CLIENTS" in out
    assert "interrupted: these are the figures of what ran" in out
    assert "0 failed" in out


def test_ctrl_c_with_json(tmp_path):
    trace = str(tmp_path / "trace")
    text = "1.RCS.100000000.0.1"
    code, out, err = interrupted("-w", text, "--json", "--trace-out", trace)
    assert (code, err) == (130, "")
    result = json.loads(out)
    assert result["interrupted"]
    assert result["leaks"] == 0
    assert result["jobs"] == {"submitted": 1, "finished": 0, "failed": 0, "cancelled": 1}


def test_a_second_ctrl_c_gives_up_without_a_traceback(tmp_path):
    trace = str(tmp_path / "trace")
    code, out, err = interrupted("--seconds", "60", "--trace-out", trace, signals=20)
    assert code == 130
    assert "Traceback" not in out + err


# -- a kernel that breaks --------------------------------------------------------------------------


def test_an_oops_is_reported_and_ends_the_run(capsys, monkeypatch, tmp_path):
    def broken(self: BatchStep) -> int:
        raise ZeroDivisionError("broken on purpose")

    monkeypatch.setattr(BatchStep, "_duration", broken)
    trace = str(tmp_path / "trace")
    code, out, err = kport_run(capsys, "-w", "1.RCS.10.0.1", "-c", "3", "--trace-out", trace)
    assert (code, out) == (1, "")
    assert "ZeroDivisionError('broken on purpose')" in err
    assert "Comm: text-" in err
    assert "Kernel panic - not syncing" in err
