# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport monitor` without a person: JSON, assertions, ports that are attached to or started."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kport.cli import main
from kport.trace.stats import STAGES

DATA = Path(__file__).parents[1] / "data"
RECORDING = str(DATA / "linux-7.2-kunit-basic-fifo.trace.xz")
WORKLOAD = "1.RCS.500.0.0,1.VCS.1000.-1.1"


def monitor(capsys, *arguments):
    """Exit code, stdout and stderr of the command in this process."""
    code = main(["monitor", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


# -- recordings ------------------------------------------------------------------------------------


def test_a_recording_as_json(capsys):
    code, out, err = monitor(capsys, "--json", RECORDING)
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert set(told) == {
        "source", "events", "snapshot", "stats", "rings", "clients", "assertions", "notes",
    }  # fmt: skip
    assert told["source"] == RECORDING
    assert told["events"] == {"count": 31_585, "lost": 0}
    assert told["snapshot"]["finished"] == 2606
    assert set(told["stats"]) == set(STAGES)
    assert told["stats"]["wait"]["count"] == 2606
    assert sum(ring["jobs"] for ring in told["rings"]) == 2606
    assert sum(client["jobs"] for client in told["clients"]) == 2606
    assert told["rings"][0]["stats"]["run"]["max"] > 0


@pytest.mark.parametrize(
    ("at", "event"), [("#0", 0), ("#31584", 31_584), ("+0", 1), ("+1.5", 6323), ("1.91", 6323)]
)
def test_a_moment_of_a_recording(capsys, at, event):
    code, out, _ = monitor(capsys, "--json", "--at", at, RECORDING)
    assert code == 0
    assert json.loads(out)["snapshot"]["event"] == event


@pytest.mark.parametrize(
    ("at", "what"),
    [
        ("#31585", "--at: there is no event #31585; they go from #0 to #31584"),
        ("0.1", "--at: nothing is known of 0.100000 s; the events go from 0.410000 to"),
        ("+9999", "--at: nothing is known of"),
        ("noon", "'noon' is no time such as 12.5, +1.25 or #4711"),
        ("#1.5", "'#1.5' is no time"),
        ("-3", "--at"),
    ],
)
def test_a_moment_that_is_not_there(capsys, at, what):
    code, out, err = monitor(capsys, "--json", f"--at={at}", RECORDING)
    assert (code, out) == (2, "")
    assert what in err
    assert err.count("\n") == 1


def test_assertions_that_hold_and_that_do_not(capsys):
    code, out, err = monitor(
        capsys, RECORDING, "--assert", "count(wait) == 2606", "--assert", "p50(run) > 1ms"
    )
    assert (code, err) == (0, "")
    assert [line.rpartition(", it is")[0] for line in out.splitlines()] == [
        "count(wait) == 2606: true",
        "p50(run) > 1ms: true",
    ]
    code, out, _ = monitor(capsys, RECORDING, "--assert", "count(wait) == 2606 and max(run) < 1us")
    assert code == 1
    assert [": true" in line for line in out.splitlines()] == [True, False]


def test_assertions_are_in_the_json_too(capsys):
    code, out, _ = monitor(capsys, RECORDING, "--json", "--assert", "count(wait) < 5")
    assert code == 1
    assert json.loads(out)["assertions"] == [
        {"text": "count(wait) < 5", "holds": False, "value": "false, it is 2606"}
    ]


def test_a_truncated_recording_is_read_as_far_as_it_goes(capsys, tmp_path):
    path = tmp_path / "cut.xz"
    path.write_bytes(Path(RECORDING).read_bytes()[:60_000])
    code, out, err = monitor(capsys, str(path), "--assert", "count(wait) > 500")
    assert code == 0
    assert out.startswith("count(wait) > 500: true")
    assert err.startswith("kport: the compressed file ends in the middle: 1 (first at line ")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--json", "/no/such/file"], "/no/such/file: no such file; check the path"),
        (["--json", RECORDING, RECORDING], "one recording is looked at at a time, by itself"),
        (["--json", RECORDING, "--", "--seconds", "1"], "give --play with them"),
        (["--json", "--attach", "/no/such"], "/no/such: no such socket; start `kport run --serve`"),
        (["--json", "--attach", "x", RECORDING], "give no files with it"),
        (["--json", "--attach", RECORDING], "is no socket; start"),
        (["--assert", "p99(wait) < 5", RECORDING], "a unit is wanted: ns, us, ms or s"),
        (["--assert", ""], "'the end' is no function"),
        (["--seconds", "0"], "'0' is not a number above 0"),
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["--json", "--", "--policy", "bogus"], "invalid choice: 'bogus'"),
        (["--json", "-w"], "unrecognized arguments: -w"),
        ([], "the monitor needs a terminal; without one use"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, arguments, what):
    code, out, err = monitor(capsys, *arguments)
    assert (code, out) == (2, "")
    assert what in err
    assert err.count("\n") == 1


# -- ports that are started ------------------------------------------------------------------------


def test_a_workload_in_a_process_of_its_own(capsys):
    code, out, err = monitor(capsys, "--json", WORKLOAD, "--assert", "count(run) == 400", "--",
                             "-r", "200", "--policy", "fair")  # fmt: skip
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told["source"] == WORKLOAD
    assert told["events"]["lost"] == 0
    assert {ring["ring"]: ring["jobs"] for ring in told["rings"]}["rcs"] == 200
    assert told["snapshot"]["port"]["policy"] == "fair"
    assert told["stats"]["latency"]["p50"] > 500_000


def test_a_recording_that_is_played(capsys, tmp_path):
    trace = str(tmp_path / "trace")
    assert main(["run", "-w", WORKLOAD, "-r", "5", "--trace-out", trace]) == 0
    capsys.readouterr()
    code, out, err = monitor(capsys, "--play", trace, "--assert", "count(run) == 10")
    assert (code, err) == (0, "")
    assert out.startswith("count(run) == 10: true")


def test_a_port_that_fails_is_said(capsys):
    code, _, err = monitor(capsys, "--json", "1.RCS.500.f-9.0")
    assert code == 2
    assert err.count("\n") == 1


# -- ports that are attached to --------------------------------------------------------------------


@pytest.fixture
def port(tmp_path):
    """Starts `kport run --serve` with these arguments; gives the process and the socket."""
    started = []

    def start(*arguments):
        path = str(tmp_path / f"port{len(started)}")
        process = subprocess.Popen(
            [sys.executable, "-m", "kport", "run", "--serve", path, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        until(lambda: os.path.exists(path) or process.poll() is not None)
        return process, path

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=20)


def test_following_a_port_to_its_end(capsys, port):
    process, path = port("-w", WORKLOAD, "-r", "300")
    code, out, err = monitor(capsys, "--attach", path, "--assert", "count(run) == 600")
    assert (code, err) == (0, "")
    assert out.startswith("count(run) == 600: true")
    assert process.wait(20) == 0
    assert not os.path.exists(path)


def test_following_for_some_seconds(capsys, port):
    process, path = port("--seconds", "30")
    code, out, err = monitor(capsys, "--attach", path, "--json", "--seconds", "0.5")
    assert (code, err) == (0, "")
    assert json.loads(out)["events"]["count"] > 100
    assert process.poll() is None


def test_a_port_that_is_killed(capsys, port):
    process, path = port("--seconds", "30")
    killer = subprocess.Popen(["sh", "-c", f"sleep 1; kill -9 {process.pid}"])
    code, out, err = monitor(capsys, "--attach", path, "--assert", "count(run) > 0")
    assert killer.wait(10) == 0
    assert code == 1
    assert out.startswith("count(run) > 0: true")
    assert err == f"kport: {path}: the port has gone\n"
    assert os.path.exists(path)  # it could not remove it
    code, _, err = monitor(capsys, "--attach", path, "--json")
    assert code == 2
    assert "nobody serves this socket any more" in err
    process, _ = port()
    assert process.poll() is None


def test_an_interrupted_monitor_reports_and_leaves_the_port(port):
    process, path = port("--seconds", "30")
    command = [sys.executable, "-m", "kport", "monitor", "--attach", path, "--json"]
    viewer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(2)
    viewer.send_signal(signal.SIGINT)
    out, err = viewer.communicate(timeout=20)
    assert (viewer.returncode, err) == (130, b"")
    assert json.loads(out)["events"]["count"] > 0
    assert process.poll() is None


# -- serving ---------------------------------------------------------------------------------------


def test_a_socket_that_cannot_be_is_one_line(capsys, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("x")
    for path, what in (
        (str(taken), "there is something else of that name"),
        (str(tmp_path / "no" / "folder"), "the socket cannot be made (No such file or directory)"),
        (str(tmp_path / ("x" * 200)), "a socket's path has at most 107 bytes"),
        ("", "the socket cannot be made"),
    ):
        assert main(["run", "-w", WORKLOAD, "--serve", path]) == 2
        captured = capsys.readouterr()
        assert what in captured.err
        assert captured.err.count("\n") == 1
        assert captured.out == ""


def test_a_port_that_is_served_is_not_displaced(capsys, port):
    _, path = port("--seconds", "30")
    assert main(["run", "-w", WORKLOAD, "--serve", path]) == 2
    assert "another port is served there; give --serve another path" in capsys.readouterr().err
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.connect(path)


def test_a_run_is_the_same_with_and_without_a_socket(capsys, tmp_path):
    path = str(tmp_path / "port")
    assert main(["run", "-w", WORKLOAD, "-r", "20", "--json", "--serve", path]) == 0
    served = json.loads(capsys.readouterr().out)
    assert served["jobs"]["finished"] == 40
    assert (served["leaks"], served["warnings"]) == (0, [])
    assert not os.path.exists(path)
