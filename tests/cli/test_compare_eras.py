# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport compare-eras`: what it prints, its JSON object, bad input and Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys

import pytest

from kport.cli import main
from kport.workload.eras import meter
from kport.workload.eras.probes import PROBES
from kport.workload.player import play
from tests.workload.json_schema import RUN, assert_shape

WHERE = {"version": str, "file": str, "line": int, "function": str}
SEEN = {"sched": str, "text": str, "facts": None, "where": WHERE, "problems": [str]}
FINDING = {
    "name": str,
    "source": str,
    "scene": str,
    "differs": bool,
    "why": str,
    "seen": [SEEN],
}
SCHEMA = {
    "scheds": [str],
    "machine": str,
    "seed": int,
    "seconds": float,
    "differences": int,
    "findings": [FINDING],
    "results": [RUN],
    "interrupted": bool,
    "reports": [str],
}


def output(capsys, *arguments, code=0):
    """What the command prints; on stderr it must print nothing."""
    assert main(["compare-eras", *arguments]) == code
    out, err = capsys.readouterr()
    assert err == ""
    return out


def assert_json(text):
    """The object, whose shape is pinned."""
    made = json.loads(text)
    for finding in made["findings"]:
        for seen in finding["seen"]:
            facts = seen["facts"]
            assert isinstance(facts, dict)
            assert facts
            seen["facts"] = None
    assert_shape(made, {**SCHEMA, "findings": [{**FINDING, "seen": [{**SEEN, "facts": object}]}]})
    return made


# -- what it prints --------------------------------------------------------------------------------


def test_the_desktop_on_6_1_and_7_2(capsys):
    out = output(capsys)
    lines = out.splitlines()
    assert lines[:2] == [
        "drm_sched of Linux 6.1.192 beside drm_sched of Linux 7.2.13",
        "machine virt, seed 0; the workload for 1 s",
    ]
    assert all(len(line) <= 80 for line in lines)
    assert not any(line != line.rstrip() for line in lines)
    assert "\x1b" not in out
    assert lines[-1] == "30 differences, 3 the same"
    heads = [int(m.group(1)) for m in map(re.compile(r" ?(\d+) [a-z_-]+: ").match, lines) if m]
    assert heads == list(range(1, 31))
    assert "    6.1  timed out after 20 ms; jobs that had followed: 1" in lines
    assert "    7.2  timed out after 100 ms; jobs that had followed: 8" in lines
    assert "client        /s 6.1  /s 7.2  late 6.1  late 7.2  p99 ms 6.1  p99 ms 7.2" in lines


def test_every_difference_has_two_positions(capsys):
    lines = output(capsys, "--seconds", "0.2").splitlines()
    see = [place for place, line in enumerate(lines) if line.startswith("    see  ")]
    assert len(see) >= 24
    for place in see:
        assert re.fullmatch(r"    see  6\.1  sched_\w+\.c:\d+  drm_sched_\w+\(\)", lines[place])
        assert re.fullmatch(r"         7\.2  sched_\w+\.c:\d+  drm_sched_\w+\(\)", lines[place + 1])


def test_a_seed_gives_the_same_text(capsys):
    first = output(capsys, "--seed", "7", "--seconds", "0.2")
    assert output(capsys, "--seed", "7", "--seconds", "0.2") == first
    assert "machine virt, seed 7" in first


def test_other_schedulers_are_compared_in_the_order_given(capsys):
    out = output(capsys, "--sched", "v7_2", "v3_2023", "--seconds", "0.2")
    assert out.startswith("drm_sched of Linux 7.2.13 beside drm_sched as proposed in 2023\n")
    assert "hidden-job: A job waits for a fence" in out
    assert "    7.2  the other ran\n   2023  neither ran\n" in out
    assert "         2023 drm_sched_main(), patch 02/13 of 2023\n" in out


def test_what_is_the_same_is_not_counted(capsys):
    out = output(capsys, "--sched", "v6_1", "v3_2023", "--seconds", "0.2")
    same = out.split("the same rule on both, not counted\n\n")[1].split("\n\n")[0]
    assert "  fence-error: who waits for the job sees no error\n" in same
    assert re.search(r"^7 differences, 26 the same$", out, re.MULTILINE)


# -- workloads -------------------------------------------------------------------------------------


def test_a_workload_of_ones_own(capsys, tmp_path):
    file = tmp_path / "mine.wsim"
    file.write_text("1.RCS.1000.0.1\np.4000\n")
    made = assert_json(output(capsys, str(file), "-c", "3", "--seconds", "0.1", "--json"))
    for result, sched in zip(made["results"], ("v6_1", "v7_2"), strict=True):
        assert result["sched"] == sched
        assert [client["name"] for client in result["clients"]] == ["mine-1", "mine-2", "mine-3"]
        assert result["jobs"]["finished"] > 60
    late = next(f for f in made["findings"] if f["name"] == "late-frames")
    assert late["seen"][0]["text"].startswith("mine ")


def test_many_clients_do_not_fill_the_screen(capsys):
    lines = output(capsys, "1.RCS.1000.0.1,p.4000", "-c", "100", "--seconds", "0.05").splitlines()
    assert len(lines) < 300
    assert all(len(line) <= 80 for line in lines)
    assert sum(line.startswith("text-") for line in lines) == 16
    assert "and 84 more: --json has all" in lines


def test_the_text_of_a_workload(capsys):
    out = output(capsys, "1.RCS.500.0.0,1.VCS.300.-1.1", "--seconds", "0.1")
    assert "  order: 0 of " in out  # one client overtakes nobody


# -- JSON ------------------------------------------------------------------------------------------


def test_json(capsys):
    made = assert_json(output(capsys, "--json", "--seed", "2", "--seconds", "0.5"))
    assert made["scheds"] == ["v6_1", "v7_2"]
    assert (made["machine"], made["seed"], made["seconds"]) == ("virt", 2, 0.5)
    assert not made["interrupted"]
    names = [finding["name"] for finding in made["findings"]]
    assert names[: len(PROBES)] == [probe.name for probe in PROBES]
    sources = [finding["source"] for finding in made["findings"]]
    assert sources == ["probe"] * len(PROBES) + ["workload"] * len(meter.MEASURES)
    assert made["differences"] == sum(finding["differs"] for finding in made["findings"]) == 30
    for finding in made["findings"]:
        assert [seen["sched"] for seen in finding["seen"]] == ["v6_1", "v7_2"]
        assert [seen["where"]["version"] for seen in finding["seen"]] == [
            "Linux 6.1.192",
            "Linux 7.2.13",
        ]
        for seen in finding["seen"]:
            assert seen["where"]["file"].startswith("drivers/gpu/drm/scheduler/sched_")
            assert seen["where"]["line"] > 0
            assert seen["problems"] == []


def test_help_names_every_key(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["compare-eras", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(len(line) <= 80 for line in text.splitlines())
    for key in (*SCHEMA, *FINDING, *SEEN, *WHERE):
        assert re.search(rf"\b{key}\b", text), key


# -- what goes wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sched", "v6_1", "v6_1"], "--sched v6_1 v6_1 is one scheduler; name two"),
        (["--sched", "v6_1"], "argument --sched: expected 2 arguments"),
        (["--sched", "v6_1", "v5"], "invalid choice: 'v5'"),
        (["--seed", "-1"], "'-1' is not a whole number from 0"),
        (["--seconds", "0"], "'0' is not a number above 0"),
        (["-c", "0"], "'0' is not a whole number from 1 to 100"),
        (["a", "b"], "unrecognized arguments: b"),
        (["no/such.wsim"], "no/such.wsim: no such file"),
        (["1.RCS.x.0.0"], "text:1:7: 'x' is no duration"),
    ],
)
def test_bad_input_is_one_line(arguments, message, capsys):
    assert main(["compare-eras", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("kport: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_bad_line_of_a_workload_is_named(capsys, tmp_path):
    file = tmp_path / "bad.wsim"
    file.write_text("1.RCS.500.0.0\n1.XYZ.500.0.0\n")
    assert main(["compare-eras", str(file)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"kport: {file}:2:")


def test_a_recording_is_no_workload(capsys):
    trace = "tests/data/linux-7.2-kunit-basic-fifo.trace.xz"
    assert main(["compare-eras", trace]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"{trace}: is a recording, no workload" in err


def test_a_leak_is_told_and_fails(capsys, monkeypatch):
    from kport.linux.slab import kzalloc_obj
    from kport.workload.eras import probes
    from kport.workload.eras.ring import eras_job

    def leak():
        kzalloc_obj(eras_job)
        return {"n": 1}

    bad = type(PROBES[0])("bad", "It leaks.", leak, str, PROBES[0].reasons)
    monkeypatch.setattr(probes, "PROBES", [bad])
    assert main(["compare-eras", "--seconds", "0.1"]) == 1
    err = capsys.readouterr().err.splitlines()
    assert err == [f"kport: bad on {s}: leak: 1 x struct eras_job" for s in ("v6_1", "v7_2")]


def test_an_oops_is_reported(capsys, monkeypatch):
    from kport.workload.eras import probes

    def broken():
        from kport.linux.bug import BUG_ON

        BUG_ON(True)

    bad = type(PROBES[0])("bad", "It breaks.", broken, str, PROBES[0].reasons)
    monkeypatch.setattr(probes, "PROBES", [bad])
    assert main(["compare-eras", "--seconds", "0.1"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("kernel BUG at ")
    assert "Kernel panic - not syncing" in err


# -- Ctrl-C ----------------------------------------------------------------------------------------


def test_stopped_behind_the_first_run_it_prints_what_there_is(capsys, monkeypatch):
    played = []

    def play_and_stop(plan, *, progress, stop, machine):
        played.append(plan.sched)
        result = play.play(plan, progress=progress, machine=machine)
        stop.set()
        return result

    monkeypatch.setattr(meter, "play", play_and_stop)
    out = output(capsys, "--seconds", "0.1", code=130)
    assert played == ["v6_1"]
    assert out.endswith("\n0 differences, 0 the same; interrupted\n")
    made = assert_json(output(capsys, "--seconds", "0.1", "--json", code=130))
    assert made["interrupted"]
    assert made["findings"] == []
    assert len(made["results"]) == 1


def test_ctrl_c_ends_a_long_run():
    """On a terminal the run shows its progress, so it is known to have begun."""
    command = [sys.executable, "-m", "kport", "compare-eras", "--seconds", "9999"]
    terminal, end = os.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=end, text=True) as process:
        os.close(end)
        shown = b""
        while b"%" not in shown:
            assert select.select([terminal], [], [], 30)[0], shown
            shown += os.read(terminal, 1000)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    os.close(terminal)
    assert process.returncode == 130
    assert shown.startswith(b"\r[")
    assert out.endswith("; interrupted\n")
