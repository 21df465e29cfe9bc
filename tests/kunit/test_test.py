# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""KUnit's program: KTAP, statistics, aborts, timeouts, skips; each line as the kernel prints it."""

from __future__ import annotations

from kport.kunit.test import (
    KUNIT_ARRAY_PARAM,
    KUNIT_CASE,
    KUNIT_CASE_PARAM,
    KUNIT_CASE_SLOW,
    kunit_init_suite,
    kunit_run_tests,
    kunit_suite,
    kunit_suite_has_succeeded,
)
from kport.linux.delay import msleep
from kport.linux.kthread import kthread_should_stop
from kport.linux.kunit import (
    KUNIT_ASSERT_EQ,
    KUNIT_EXPECT_EQ,
    KUNIT_FAILURE,
    KUNIT_SKIPPED,
    KUNIT_SUCCESS,
    kunit_add_action,
    kunit_skip,
)


def ktap(kernel, suite):
    """The lines a suite prints, without the time stamps."""
    kunit_init_suite(suite)
    kunit_run_tests(suite)
    return [line[15:] for line in kernel.dmesg()]


def good(test):
    KUNIT_ASSERT_EQ(test, 1, 1)


def bad(test):
    answer = 41
    KUNIT_EXPECT_EQ(test, answer, 42)
    test.priv.append("went on")


def worse(test):
    answer = 41
    KUNIT_ASSERT_EQ(test, answer, 42)
    test.priv.append("never")


def skipped(test):
    kunit_skip(test, "no %s here", "GPU")


def odd(test):
    KUNIT_ASSERT_EQ(test, test.param_value % 2, 1)


def test_a_suite_that_passes(kernel):
    assert ktap(kernel, kunit_suite("nice", [KUNIT_CASE(good)])) == [
        "    KTAP version 1",
        "    # Subtest: nice",
        "    1..1",
        "    ok 1 good",
        "ok 1 nice",
    ]


def test_failures_name_the_expression_and_the_value(kernel):
    seen: list[str] = []

    def init(test):
        test.priv = seen
        return 0

    suite = kunit_suite("mixed", [KUNIT_CASE(good), KUNIT_CASE(bad), KUNIT_CASE(worse)], init=init)
    lines = ktap(kernel, suite)
    assert lines[3] == "    ok 1 good"
    failed = "\n".join(lines[4:5])
    assert failed.startswith("    # bad: EXPECTATION FAILED at tests/kunit/test_test.py:")
    assert "    Expected answer == 42, but\n        answer == 41 (0x29)" in failed
    assert "42 ==" not in failed
    assert lines[5] == "    not ok 2 bad"
    assert lines[6].startswith("    # worse: ASSERTION FAILED at ")
    assert lines[7:] == [
        "    not ok 3 worse",
        "# mixed: pass:1 fail:2 skip:0 total:3",
        "# Totals: pass:1 fail:2 skip:0 total:3",
        "not ok 1 mixed",
    ]
    assert seen == ["went on"]
    assert kunit_suite_has_succeeded(suite) == KUNIT_FAILURE


def test_a_case_that_skips_itself(kernel):
    suite = kunit_suite("later", [KUNIT_CASE(skipped)])
    assert ktap(kernel, suite)[3:] == ["    ok 1 skipped # SKIP no GPU here", "ok 1 later # SKIP "]
    assert kunit_suite_has_succeeded(suite) == KUNIT_SKIPPED


def test_parameters_are_subtests(kernel):
    numbers = KUNIT_ARRAY_PARAM([1, 3, 4], lambda n: f"the number {n}" if n != 3 else "")
    lines = ktap(kernel, kunit_suite("numbers", [KUNIT_CASE_PARAM(odd, numbers)]))
    assert lines[3:7] == [
        "        KTAP version 1",
        "        # Subtest: odd",
        "        ok 1 the number 1",
        "        ok 2 param-2",
    ]
    assert lines[8:] == [
        "        not ok 3 the number 4",
        "    # odd: pass:2 fail:1 skip:0 total:3",
        "    not ok 1 odd",
        "# Totals: pass:2 fail:1 skip:0 total:3",
        "not ok 1 numbers",
    ]


def test_the_end_of_a_case_runs_whatever_happened_to_it(kernel):
    order: list[str] = []

    def init(test):
        test.priv = order
        kunit_add_action(test, order.append, "first added")
        kunit_add_action(test, order.append, "last added")
        return 0

    suite = kunit_suite("ends", [KUNIT_CASE(worse)], init=init, exit=lambda t: order.append("exit"))
    ktap(kernel, suite)
    assert order == ["exit", "last added", "first added"]


def test_an_init_that_fails_fails_the_case(kernel):
    lines = ktap(kernel, kunit_suite("no", [KUNIT_CASE(good)], init=lambda test: -22))
    assert lines[3] == "    # good: failed to initialize: -22"
    assert lines[4:] == ["    not ok 1 good", "not ok 1 no"]


def test_a_suite_whose_init_fails_runs_nothing(kernel):
    ran: list[int] = []
    suite = kunit_suite("no", [KUNIT_CASE(lambda test: ran.append(1))], suite_init=lambda s: -12)
    assert ktap(kernel, suite)[-1] == "not ok 1 no"
    assert ran == []


def test_a_case_that_takes_too_long_is_stopped(boot):
    def sleeps(test):
        while not kthread_should_stop():
            msleep(1)

    with boot(params={"kunit.timeout": 1}, scale=0.2) as kernel:
        lines = ktap(kernel, kunit_suite("slow", [KUNIT_CASE(sleeps)]))
    assert "    # sleeps: try timed out" in lines
    assert "    # sleeps: test case timed out" in lines
    assert "    not ok 1 sleeps" in lines


def test_slow_cases_say_so(kernel):
    suite = kunit_suite("slow", [KUNIT_CASE_SLOW(good)])
    assert "    # good.speed: slow" in ktap(kernel, suite)
    assert kunit_suite_has_succeeded(suite) == KUNIT_SUCCESS
