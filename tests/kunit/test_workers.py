# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Suites in several processes print what they print in one, and a process may die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kport.kunit import ktap
from kport.kunit.executor import Executor, Setup
from kport.kunit.test import KUNIT_CASE, kunit_suite
from kport.kunit.workers import possible, workers
from kport.linux.delay import msleep
from kport.linux.kunit import KUNIT_ASSERT_EQ, kunit_info
from kport.linux.slab import kzalloc_obj
from kport.linux.struct import struct

ROOT = Path(__file__).parents[2]
SETUP = Setup("virt", {}, {"seed": 1})


class thing(struct):
    value: int


def good(test):
    msleep(3)
    kunit_info(test, "something to say\n")


def bad(test):
    KUNIT_ASSERT_EQ(test, 1, 2)


def faults(test):
    return test.nothing


def leaks(test):
    kzalloc_obj(thing)


def dies(test):
    os.kill(os.getpid(), signal.SIGKILL)


def sleeps(test):
    time.sleep(0.3)


def suite(name, *functions):
    return kunit_suite(name, [KUNIT_CASE(function) for function in functions])


def run(suites, count, stop=lambda: False):
    lines = []
    it = Executor(suites, SETUP, lines.append)
    if count == 1:
        it.run(stop)
    else:
        with workers(suites, SETUP, count) as them:
            it.run(stop, them.run)
    return it, lines


@pytest.mark.parametrize("count", [2, 3, 9])
def test_the_output_is_that_of_one_process(count):
    suites = [
        suite("one", good, faults, good),
        suite("two", leaks),
        suite("three", bad, sleeps),
        suite("four", good),
        suite("five", faults),
    ]
    (alone, expected), (together, lines) = run(suites, 1), run(suites, count)
    assert lines == expected
    assert together.broken == ""
    assert [r.leaks for r in together.runs] == [r.leaks for r in alone.runs]
    assert [r.leaks for r in together.runs][1] == ["leak: 1 x struct thing"]
    assert [len(r.oopses) for r in together.runs] == [1, 0, 0, 0, 1]
    assert [r.sound for r in together.runs] == [False, False, False, True, False]


def test_they_run_at_the_same_time():
    suites = [suite(f"suite{n}", sleeps) for n in range(4)]
    began = time.monotonic()
    it, _ = run(suites, 4)
    assert it.sound
    assert time.monotonic() - began < 4 * 0.3


def test_a_process_that_dies_is_the_suites_fault():
    it, lines = run([suite("one", good), suite("two", good, dies), suite("three", good)], 2)
    assert not it.sound
    at = lines.index("not ok 2 two")
    assert lines[at - 1] == "# two: BUG: the process of this suite has ended with -9"
    assert lines[-1] == "ok 3 three"
    assert it.runs[1].oopses == ["BUG: the process of this suite has ended with -9"]


def test_all_processes_may_die():
    it, lines = run([suite("one", dies), suite("two", dies), suite("three", good)], 2)
    assert not it.sound
    assert "not ok 1 one" in lines


def test_stop():
    stopped = threading.Event()
    timer = threading.Timer(0.1, stopped.set)
    suites = [suite(f"suite{n}", *[sleeps] * 20) for n in range(4)]
    lines = []
    it = Executor(suites, SETUP, lines.append)
    with workers(suites, SETUP, 2) as them:
        timer.start()
        began = time.monotonic()
        it.run(stopped.is_set, them.run)
    timer.join()
    assert time.monotonic() - began < 3
    assert 5 <= len(lines) < 12
    assert not it.sound


def test_fork_is_for_a_process_without_threads():
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    assert possible()
    thread.start()
    assert not possible()
    ended.set()
    thread.join()


def test_it_reads_as_ktap():
    _, lines = run([suite("one", good, bad), suite("two", good)], 2)
    assert [test.status for test in ktap.read("\n".join(lines))] == ["failed", "passed"]


def test_workers_end_when_the_parent_is_killed():
    code = (
        "import os, signal\n"
        "from tests.kunit.test_workers import SETUP, Executor, good, suite, workers\n"
        "suites = [suite(f'suite{n}', *[good] * 2000) for n in range(4)]\n"
        "with workers(suites, SETUP, 2) as them:\n"
        "    print(*(worker.process.pid for worker in them._workers), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == -signal.SIGKILL
    left = {int(pid) for pid in done.stdout.split()}
    assert len(left) == 2
    end = time.monotonic() + 20
    while left and time.monotonic() < end:
        time.sleep(0.02)
        left = {pid for pid in left if Path(f"/proc/{pid}").exists() and not _zombie(pid)}
    assert left == set()


def _zombie(pid):
    """Whether a process has ended and nobody has asked for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
