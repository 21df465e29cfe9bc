# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport kunit`: what it prints and how it exits."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest

import kport.kunit
from kport.cli import main
from kport.kunit import ktap
from kport.kunit.test import KUNIT_CASE, kunit_suite
from kport.linux.kunit import KUNIT_ASSERT_EQ, kunit_skip
from kport.linux.printk import pr_info
from kport.linux.slab import kzalloc_obj
from kport.linux.struct import struct


class thing(struct):
    value: int


def good(test):
    pr_info("something to say\n")


def bad(test):
    KUNIT_ASSERT_EQ(test, 1, 2)


def leaks(test):
    kzalloc_obj(thing)


def faults(test):
    return test.nothing


def skips(test):
    kunit_skip(test, "no GPU")


@pytest.fixture
def suites(monkeypatch):
    """The suites there are, for this test."""
    kport.kunit.all_suites()  # parameters are those of the loaded modules

    def these(*suites):
        monkeypatch.setattr(kport.kunit, "all_suites", lambda: list(suites))

    return these


def kunit(capsys, *arguments):
    """(exit code, stdout, stderr)."""
    code = main(["kunit", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_whole_of_it(capsys, suites):
    suites(kunit_suite("one", [KUNIT_CASE(good)]), kunit_suite("two", [KUNIT_CASE(skips)]))
    code, out, err = kunit(capsys)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "KTAP version 1",
        "1..2",
        "    KTAP version 1",
        "    # Subtest: one",
        "    1..1",
        "something to say",
        "    ok 1 good",
        "ok 1 one",
        "    KTAP version 1",
        "    # Subtest: two",
        "    1..1",
        "    ok 1 skips # SKIP no GPU",
        "ok 2 two # SKIP ",
    ]


@pytest.mark.parametrize("case", [bad, faults])
def test_a_failure_is_exit_1(capsys, suites, arch, case):
    suites(kunit_suite("one", [KUNIT_CASE(case), KUNIT_CASE(good)]))
    code, out, err = kunit(capsys, "--arch", arch)
    assert (code, err) == (1, "")
    assert f"    not ok 1 {case.__name__}\n" in out
    assert out.splitlines()[-4:] == [
        "    ok 2 good",
        "# one: pass:1 fail:1 skip:0 total:2",
        "# Totals: pass:1 fail:1 skip:0 total:2",
        "not ok 1 one",
    ]


def test_a_leak_is_exit_1(capsys, suites):
    suites(kunit_suite("one", [KUNIT_CASE(leaks)]))
    code, out, err = kunit(capsys)
    assert (code, err) == (1, "kport: one: leak: 1 x struct thing\n")
    assert out.endswith("ok 1 one\n")


def test_globs_and_the_list(capsys):
    code, out, _ = kunit(capsys, "--list", "drm_sched_basic_t*", "drm_sched_basic_tests.*submit")
    assert code == 0
    assert out.splitlines() == [
        "drm_sched_basic_tests.drm_sched_basic_submit",
        "drm_sched_basic_tests.drm_sched_basic_test",
        "drm_sched_basic_tests.drm_sched_basic_entity_cleanup",
        "drm_sched_basic_timeout_tests.drm_sched_basic_timeout",
        "drm_sched_basic_timeout_tests.drm_sched_skip_reset",
    ]


def test_only_what_a_glob_means_runs(capsys, suites):
    suites(kunit_suite("one", [KUNIT_CASE(bad), KUNIT_CASE(good)]), kunit_suite("two", []))
    code, out, _ = kunit(capsys, "one.go*")
    assert code == 0
    assert [line for line in out.splitlines() if "ok" in line] == ["    ok 1 good", "ok 1 one"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["drm_shed*"],
            "kport: no test matches 'drm_shed*'; the nearest: drm_",
        ),
        (["list", "''"], "kport: no test matches"),
        (["qqqqqqqq"], "kport: no test matches 'qqqqqqqq'; kport kunit --list prints all\n"),
        (["--policy", "lifo"], "kport: argument --policy: invalid choice: 'lifo'"),
        (["--sched", "v5_4"], "kport: argument --sched: invalid choice: 'v5_4'"),
        (["--sched", "v6_1", "--policy", "fifo"], "kport: --policy fifo is for --sched v7_2"),
        (["--seed", "x", "--arch", "virt"], "kport: argument --seed: 'x' is "),
        (["--seed", "1"], "kport: --seed is for the machine virt; add --arch virt or"),
        (["--scale", "2", "--arch", "virt"], "kport: --scale is for the machine threads;"),
        (["--jobs", "2"], "kport: --jobs is for --arch virt;"),
        (["--timeout", "0"], "kport: argument --timeout: '0' is "),
    ],
)
def test_bad_input_is_one_line_and_exit_2(capsys, arguments, message):
    code, out, err = kunit(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_json(capsys, suites):
    suites(
        kunit_suite("one", [KUNIT_CASE(good), KUNIT_CASE(bad), KUNIT_CASE(skips)]),
        kunit_suite("two", [KUNIT_CASE(leaks), KUNIT_CASE(faults)]),
    )
    code, out, err = kunit(capsys, "--json", "--arch", "virt", "--policy", "fair", "--seed", "3")
    assert (code, err) == (1, "")
    found = json.loads(out)
    one, two = found.pop("suites")
    assert found == {
        "arch": "virt",
        "sched": "v7_2",
        "policy": "fair",
        "seed": 3,
        "interrupted": False,
        "broken": "",
        "totals": {"passed": 2, "failed": 2, "skipped": 1, "total": 5},
    }
    assert (one["name"], one["status"], one["leaks"], one["oopses"]) == ("one", "failed", [], [])
    first, second, third = one["tests"]
    assert first == {
        "name": "good",
        "status": "passed",
        "comment": "",
        "ms": first["ms"],
        "lines": ["something to say"],
        "tests": [],
    }
    assert 0 < first["ms"] < 100
    assert second["lines"][0].startswith("    # bad: ASSERTION FAILED at")
    assert (third["status"], third["comment"]) == ("skipped", "no GPU")
    assert [len(two["oopses"]), two["status"]] == [1, "failed"]


def test_a_run_on_virt_prints_the_same_again(capsys):
    arguments = ["--arch", "virt", "--seed", "7", "drm_sched_basic*"]
    first, second = kunit(capsys, *arguments), kunit(capsys, *arguments, "--jobs", "1")
    assert first == second
    assert first[0] == 0


@pytest.mark.parametrize("policy", ["rr", "fifo", "fair"])
def test_the_forty_runs_of_the_scheduler_on_virt(capsys, policy):
    code, out, err = kunit(capsys, "drm_sched*", "--arch", "virt", "--policy", policy)
    assert (code, err) == (0, "")
    tests = ktap.read(out)
    assert len(tests) == 10
    assert ktap.count([leaf for test in tests for leaf in test.leaves()]) == [40, 0, 0, 40]


@pytest.mark.long
@pytest.mark.parametrize("sched", ["v6_1", "v3_2023"])
def test_they_pass_on_the_older_schedulers_too(capsys, sched):
    code, out, err = kunit(capsys, "drm_sched*", "--arch", "virt", "--sched", sched)
    assert (code, err) == (0, "")
    tests = ktap.read(out)
    assert ktap.count([leaf for test in tests for leaf in test.leaves()]) == [40, 0, 0, 40]


def start(*arguments, **options):
    """`kport kunit` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "kport", "kunit", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_ctrl_c_ends_the_run_behind_a_case():
    with start("drm_sched_scheduler_overhead_tests") as process:
        for line in process.stdout:
            if line.startswith("    1..2"):
                break
        time.sleep(0.3)  # the first case takes a second
        process.send_signal(signal.SIGINT)
        out, err = process.stdout.read(), process.stderr.read()
        process.wait(timeout=30)
    assert (process.returncode, err) == (130, "")
    # On a busy machine the case fails, as it measures time; what matters is that it ended.
    assert out.splitlines()[-1].endswith("ok 1 drm_sched_scheduler_queue_overhead")


@pytest.mark.long
def test_lines_reach_a_pipe_at_once():
    with start("drm_sched_basic_tests", "drm_sched_scheduler_overhead_tests") as process:
        seen = {}
        for line in process.stdout:
            seen[line.rstrip()] = time.monotonic()
        process.wait(timeout=30)
    assert process.returncode == 0
    end = seen["ok 2 drm_sched_scheduler_overhead_tests"]
    assert end - seen["ok 1 drm_sched_basic_tests"] > 1.5


def test_a_reader_that_goes_away_is_no_fault():
    with start("drm_sched_basic*") as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=30)
    assert (process.returncode, err) == (141, "")


def test_json_shows_progress_on_a_terminal_only(capsys, suites, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    suites(*(kunit_suite(f"suite{n}", [KUNIT_CASE(good)]) for n in range(3)))
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("kport.cli.terminal.Bar.PERIOD", 0.0)
    assert main(["kunit", "--json"]) == 0
    assert "67%" in terminal.getvalue()
    json.loads(capsys.readouterr().out)


def test_help_documents_the_object():
    process = start("--help", env={**os.environ, "COLUMNS": "80"})
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    for word in ("--arch", "--policy", "--seed", "--list", "--json", "totals", "Exit codes"):
        assert word in out
    assert max(map(len, out.splitlines())) <= 80
