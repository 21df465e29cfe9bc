# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Runs that survive what a kernel does not: faults, deadlocks, leaks; and the kernel's parser."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from kport.kunit import executor, ktap
from kport.kunit.executor import Executor, Setup
from kport.kunit.test import (
    KUNIT_ARRAY_PARAM,
    KUNIT_CASE,
    KUNIT_CASE_PARAM,
    kunit_suite,
)
from kport.linux.completion import DECLARE_COMPLETION_ONSTACK, wait_for_completion
from kport.linux.delay import msleep
from kport.linux.kthread import kthread_run
from kport.linux.kunit import KUNIT_ASSERT_EQ, KUNIT_ASSERT_NOT_NULL, kunit_kzalloc, kunit_skip
from kport.linux.list import list_head
from kport.linux.printk import pr_info
from kport.linux.slab import kzalloc_obj
from kport.linux.struct import struct


class thing(struct):
    value: int
    link: list_head


def good(test):
    KUNIT_ASSERT_EQ(test, 1, 1)


def bad(test):
    KUNIT_ASSERT_EQ(test, 1, 2)


def skips(test):
    kunit_skip(test, "not today")


def faults(test):
    KUNIT_ASSERT_EQ(test, 0, 0)
    gone = None
    return gone.value


def even(test):
    if test.param_value == 3:
        faults(test)
    KUNIT_ASSERT_EQ(test, test.param_value % 2, 0)


def leaks(test):
    kzalloc_obj(thing)


def allocates(test):
    KUNIT_ASSERT_NOT_NULL(test, kunit_kzalloc(test, thing))


def hangs(test):
    never = DECLARE_COMPLETION_ONSTACK()
    wait_for_completion(never)


def run(arch, *suites, **setup):
    """(executor, lines) of a run."""
    lines = []
    it = Executor(suites, Setup(arch, **setup), lines.append)
    it.run()
    assert it.broken == ""
    assert ktap.read("\n".join(lines)) is not None
    return it, lines


def statuses(tests):
    return [(t.name, t.status, statuses(t.subtests)) if t.group else (t.name, t.status)
            for t in tests]  # fmt: skip


def test_suites_one_after_the_other(arch):
    it, lines = run(
        arch,
        kunit_suite("one", [KUNIT_CASE(good), KUNIT_CASE(allocates)]),
        kunit_suite("two", [KUNIT_CASE(skips)]),
    )
    assert lines == [
        "KTAP version 1",
        "1..2",
        "    KTAP version 1",
        "    # Subtest: one",
        "    1..2",
        "    ok 1 good",
        "    ok 2 allocates",
        "# one: pass:2 fail:0 skip:0 total:2",
        "# Totals: pass:2 fail:0 skip:0 total:2",
        "ok 1 one",
        "    KTAP version 1",
        "    # Subtest: two",
        "    1..1",
        "    ok 1 skips # SKIP not today",
        "ok 2 two # SKIP ",
    ]
    assert it.sound


def test_lines_come_when_they_are_said(arch):
    seen = []
    suite = kunit_suite(
        "one", [KUNIT_CASE(lambda test: seen.append(list(lines))), KUNIT_CASE(good)]
    )
    lines = []
    Executor([suite], Setup(arch), lines.append).run()
    assert seen[0] == lines[:5]


def test_a_failure(arch):
    it, lines = run(arch, kunit_suite("one", [KUNIT_CASE(bad), KUNIT_CASE(good)]))
    assert not it.sound
    assert it.runs[0].oopses == []
    assert lines[5].startswith("    # bad: ASSERTION FAILED at tests/kunit/test_executor.py:")
    assert statuses(it.reader.tests) == [("one", "failed", [("bad", "failed"), ("good", "passed")])]


def test_a_fault_fails_the_case_and_the_run_goes_on(arch):
    suite = kunit_suite("one", [KUNIT_CASE(good), KUNIT_CASE(faults), KUNIT_CASE(good)])
    it, lines = run(arch, suite, kunit_suite("two", [KUNIT_CASE(good)]))
    assert statuses(it.reader.tests) == [
        ("one", "failed", [("good", "passed"), ("faults", "failed"), ("good", "passed")]),
        ("two", "passed", [("good", "passed")]),
    ]
    (report,) = it.runs[0].oopses
    assert report.startswith("Oops: AttributeError")
    at = lines.index("    not ok 2 faults")
    assert lines[at - 1] == (
        "    # faults: internal error occurred preventing test case from running: -4"
    )
    assert lines[at - 2].startswith("    # faults: try faulted: last line seen tests/kunit/")
    said = [line.removeprefix("    # faults: ") for line in lines[6 : at - 2]]
    assert said == report.splitlines()
    assert "# Totals: pass:2 fail:1 skip:0 total:3" in lines
    assert not it.sound


def test_a_fault_of_one_parameter_costs_the_others_nothing(arch):
    numbers = KUNIT_ARRAY_PARAM([2, 3, 4, 5], lambda n: f"number {n}")
    it, lines = run(arch, kunit_suite("one", [KUNIT_CASE_PARAM(even, numbers), KUNIT_CASE(good)]))
    assert statuses(it.reader.tests[0].subtests) == [
        (
            "even",
            "failed",
            [
                ("number 2", "passed"),
                ("number 3", "failed"),
                ("number 4", "passed"),
                ("number 5", "failed"),
            ],
        ),
        ("good", "passed"),
    ]
    assert "    # even: pass:2 fail:2 skip:0 total:4" in lines
    assert len(it.runs[0].oopses) == 1


def test_a_suite_is_initialised_again_in_the_next_kernel(arch):
    state = []
    suite = kunit_suite(
        "one",
        [KUNIT_CASE(faults), KUNIT_CASE(lambda test: KUNIT_ASSERT_EQ(test, state, ["up", "up"]))],
        suite_init=lambda suite: state.append("up") or 0,
        suite_exit=lambda suite: state.append("down"),
    )
    it, _ = run(arch, suite)
    assert [test.status for test in it.reader.tests[0].subtests] == ["failed", "passed"]
    assert state == ["up", "up", "down"]


def test_faults_of_the_suites_own_functions(arch):
    def broken(*_):
        return None + 1

    it, lines = run(
        arch,
        kunit_suite("init", [KUNIT_CASE(good)], suite_init=broken),
        kunit_suite("exit", [KUNIT_CASE(good)], suite_exit=broken),
        kunit_suite("params", [KUNIT_CASE_PARAM(good, broken), KUNIT_CASE(good)]),
    )
    assert statuses(it.reader.tests) == [
        ("init", "failed"),
        ("exit", "failed", [("good", "passed")]),
        ("params", "failed", [("good", "failed", []), ("good", "passed")]),
    ]
    assert [len(run.oopses) for run in it.runs] == [1, 1, 1]
    assert any("# failed to initialize (-14)" in line for line in lines)


def test_a_case_that_blocks_for_ever(arch, monkeypatch):
    monkeypatch.setattr(executor, "GRACE", 0.3)
    suite = kunit_suite("one", [KUNIT_CASE(hangs), KUNIT_CASE(good)])
    it, _ = run(arch, suite, params={"kunit.timeout": 1})
    assert statuses(it.reader.tests[0].subtests) == [("hangs", "failed"), ("good", "passed")]
    (report,) = it.runs[0].oopses
    assert report.startswith(
        "BUG: deadlock" if arch == "virt" else "INFO: the test blocked for more than 2 seconds."
    )
    assert "kunit_try_catch_thread" in report
    assert "wait_for_completion" in report


def test_a_fault_when_all_is_over_is_the_suites(arch):
    def later(data):
        msleep(1)
        faults(data)
        return 0

    def starts(test):
        kthread_run(later, test, "later")

    it, lines = run(arch, kunit_suite("one", [KUNIT_CASE(starts)]))
    assert statuses(it.reader.tests) == [("one", "passed", [("starts", "passed")])]
    assert not it.sound
    assert any(line.startswith("# one: Oops: AttributeError") for line in lines)


def test_what_a_suite_leaves_behind(arch):
    it, _ = run(
        arch, kunit_suite("one", [KUNIT_CASE(leaks)]), kunit_suite("two", [KUNIT_CASE(good)])
    )
    assert [run.leaks for run in it.runs] == [["leak: 1 x struct thing"], []]
    assert [run.sound for run in it.runs] == [False, True]
    assert not it.sound


def test_stop_ends_the_run_behind_a_case(arch):
    stopped = []
    lines = []

    def last(test):
        stopped.append(True)

    suite = kunit_suite("one", [KUNIT_CASE(last), KUNIT_CASE(good)])
    it = Executor([suite, suite], Setup(arch), lines.append)
    it.run(lambda: bool(stopped))
    assert lines[-1].startswith("    ok 1 ")
    assert len(it.runs) == 1
    assert not it.sound


def test_output_that_is_no_ktap_is_noticed(arch):
    suite = kunit_suite("one", [KUNIT_CASE(lambda test: pr_info("ok 7 hello\n"))])
    it = Executor([suite], Setup(arch), lambda line: None)
    it.run()
    assert "ok 7 hello" in it.broken
    assert not it.sound


KERNELS = Path(os.environ.get("KPORT_KERNELS", "~/.cache/kport-linux")).expanduser()
TREE = KERNELS / "linux-source-7.2/tools/testing/kunit"


@pytest.fixture
def kernels_parser(monkeypatch):
    """The kernel's own parser of KTAP, from a tree."""
    if not TREE.is_dir():
        pytest.skip("no kernel tree")
    monkeypatch.syspath_prepend(str(TREE))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loaded = {}
    for name in ("kunit_printer", "kunit_parser"):
        spec = importlib.util.spec_from_file_location(name, TREE / f"{name}.py")
        loaded[name] = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, loaded[name])
        spec.loader.exec_module(loaded[name])
    return loaded["kunit_parser"], loaded["kunit_printer"]


def test_the_parser_of_the_kernel_reads_it(arch, kernels_parser):
    parser, printer = kernels_parser
    numbers = KUNIT_ARRAY_PARAM([2, 3, 4, 5], lambda n: f"number {n}")
    it, lines = run(
        arch,
        kunit_suite("one", [KUNIT_CASE(good), KUNIT_CASE(faults), KUNIT_CASE(skips)]),
        kunit_suite("two", [KUNIT_CASE_PARAM(even, numbers), KUNIT_CASE(bad)]),
        kunit_suite("three", [KUNIT_CASE(good)]),
    )
    found = parser.parse_run_tests(lines, printer.null_printer)
    leaves = [leaf for test in it.reader.tests for leaf in test.leaves()]
    passed, failed, skipped, total = ktap.count(leaves)
    counts = found.counts
    assert (counts.passed, counts.failed, counts.skipped) == (passed, failed, skipped)
    assert (counts.crashed, counts.errors, counts.total()) == (0, 0, total)
    assert [test.name for test in found.subtests] == ["one", "two", "three"]
