# SPDX-FileCopyrightText: 2019 Google LLC
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from lib/kunit/test.c, include/kunit/test.h and lib/kunit/attributes.c,
# Linux 7.2.13, on 2026-11-20.
"""Suites, cases and parameters, and the KTAP that a run prints into the kernel's log.

    suite = kunit_suite(name="x_tests", init=x_init, exit=x_exit, test_cases=[KUNIT_CASE(x_one)])
    kunit_run_tests(suite)

Each case runs in a thread of its own with a timeout, and its `exit` in another one. Left out:
debugfs, filters, modules, the suites of the boot; attributes other than the speed.

In C a fault ends the thread of the case and the kernel goes on. Here it stops the kernel, so who
runs the suite must be able to go on with it in another one. `kunit_suite_steps()` is therefore a
generator: it gives each piece of the suite's own code as a function to call, and gets the result,
or a kunit_oops thrown in if that function has stopped the kernel. `kunit_run_tests()` is the
driver without a second kernel; kport.kunit.executor has the one with.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any

from kport.arch.asm import current
from kport.linux import printk
from kport.linux.bug import WARN, place_of
from kport.linux.cleanup import goto, labels
from kport.linux.err import EFAULT, EINTR, ETIMEDOUT
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.ktime import NSEC_PER_SEC, ktime_get
from kport.linux.kunit import (
    KUNIT_FAILURE,
    KUNIT_INDENT_LEN,
    KUNIT_SKIPPED,
    KUNIT_SUBTEST_INDENT,
    KUNIT_SUCCESS,
    kunit,
    kunit_cleanup,
    kunit_err,
    kunit_init_test,
    kunit_log,
    kunit_set_failure,
    kunit_status,
    kunit_try_catch_init,
    kunit_try_catch_run,
    kunit_warn,
)
from kport.linux.module import EXPORT_SYMBOL_GPL, boot_data, module_param_named
from kport.linux.mutex import mutex, mutex_init, mutex_lock_interruptible, mutex_unlock
from kport.linux.printk import pr_err, pr_info
from kport.linux.struct import struct

MSEC_PER_SEC = 1000

kunit_speed = int
KUNIT_SPEED_UNSET = 0
KUNIT_SPEED_VERY_SLOW = 1
KUNIT_SPEED_SLOW = 2
KUNIT_SPEED_NORMAL = 3
KUNIT_SPEED_MAX = KUNIT_SPEED_NORMAL

KUNIT_LEVEL_SUITE = 0
KUNIT_LEVEL_CASE = 1
KUNIT_LEVEL_CASE_PARAM = 2

# A test is slow from twice this on.
KUNIT_SPEED_WARNING_MULTIPLIER = 2
KUNIT_SPEED_SLOW_THRESHOLD_S = 1
KUNIT_SPEED_SLOW_WARNING_THRESHOLD_S = (
    KUNIT_SPEED_WARNING_MULTIPLIER * KUNIT_SPEED_SLOW_THRESHOLD_S
)

generate_params_t = Callable[[kunit, Any], tuple[Any, str]]

# Gives functions to call, takes what they return.
kunit_steps = Generator[Callable[[], Any], Any, None]

kunit_run_lock = mutex()
kunit_suite_counter = 1

# Module parameters: seconds a case may take (times 3 if slow, 12 if very slow); 0 no statistics,
# 1 for more than one subtest, 2 always.
kunit_base_timeout = 300
kunit_stats_enabled = 1
module_param_named("kunit.timeout", "kunit_base_timeout", int, 0o644)
module_param_named("kunit.stats_enabled", "kunit_stats_enabled", int, 0o644)


@boot_data
def _reset_kunit() -> None:
    global kunit_suite_counter
    kunit_suite_counter = 1
    mutex_init(kunit_run_lock)


class kunit_case:
    """A test case; `generate_params(test, previous)` gives the next parameter and its text."""

    def __init__(
        self,
        run_case: Callable[[kunit], None],
        generate_params: generate_params_t | None = None,
        speed: kunit_speed = KUNIT_SPEED_UNSET,
    ) -> None:
        self.run_case = run_case
        self.name = run_case.__name__
        self.generate_params = generate_params
        self.speed = speed
        self.status: kunit_status = KUNIT_SUCCESS
        self.log: list[str] = []


class kunit_suite:
    """Test cases with what runs before and after each (`init`, `exit`) and around all."""

    def __init__(
        self,
        name: str,
        test_cases: Sequence[kunit_case],
        init: Callable[[kunit], int] | None = None,
        exit: Callable[[kunit], None] | None = None,
        suite_init: Callable[[kunit_suite], int] | None = None,
        suite_exit: Callable[[kunit_suite], None] | None = None,
        speed: kunit_speed = KUNIT_SPEED_UNSET,
    ) -> None:
        self.name = name
        self.test_cases = test_cases
        self.init = init
        self.exit = exit
        self.suite_init = suite_init
        self.suite_exit = suite_exit
        self.speed = speed
        self.status_comment = ""
        self.suite_init_err = 0
        self.log: list[str] = []


class kunit_result_stats(struct):
    """How many cases, or parameters of a case, ended how."""

    passed: int
    skipped: int
    failed: int
    total: int


class kunit_try_catch_context(struct):
    """What the thread of a case needs."""

    test: kunit | None
    suite: Any
    test_case: Any


def KUNIT_CASE(test_name: Callable[[kunit], None]) -> kunit_case:
    """A case."""
    return kunit_case(test_name)


def KUNIT_CASE_SLOW(test_name: Callable[[kunit], None]) -> kunit_case:
    """A case that may take long."""
    return kunit_case(test_name, speed=KUNIT_SPEED_SLOW)


def KUNIT_CASE_PARAM(
    test_name: Callable[[kunit], None], gen_params: generate_params_t
) -> kunit_case:
    """A case that runs once per parameter."""
    return kunit_case(test_name, gen_params)


def KUNIT_CASE_PARAM_ATTR(
    test_name: Callable[[kunit], None], gen_params: generate_params_t, speed: kunit_speed
) -> kunit_case:
    """A case that runs once per parameter, with a speed."""
    return kunit_case(test_name, gen_params, speed)


def KUNIT_ARRAY_PARAM(
    array: Sequence[Any], get_desc: Callable[[Any], str] | None
) -> generate_params_t:
    """A generator of the array's elements: (element, description), then (None, "")."""

    at = 0  # in C an element knows its place, being at it

    def gen_params(test: kunit, prev: Any) -> tuple[Any, str]:
        nonlocal at
        if prev is None:
            test.params_array.params = array
            test.params_array.num_params = len(array)
            at = 0
        else:
            at += 1
        if at < len(array):
            return array[at], get_desc(array[at]) if get_desc else ""
        return None, ""

    return gen_params


def kunit_status_to_ok_not_ok(status: kunit_status) -> str:
    """The word of KTAP."""
    return "not ok" if status == KUNIT_FAILURE else "ok"


def kunit_should_print_stats(stats: kunit_result_stats) -> bool:
    """Whether the statistics are worth a line."""
    if kunit_stats_enabled == 0:
        return False

    if kunit_stats_enabled == 2:
        return True

    return stats.total > 1


def kunit_print_test_stats(test: kunit, stats: kunit_result_stats) -> None:
    """The totals of a case's parameters."""
    if not kunit_should_print_stats(stats):
        return

    kunit_log(
        printk.INFO,
        test,
        KUNIT_SUBTEST_INDENT + "# %s: pass:%lu fail:%lu skip:%lu total:%lu",
        test.name,
        stats.passed,
        stats.failed,
        stats.skipped,
        stats.total,
    )


def kunit_suite_num_test_cases(suite: kunit_suite) -> int:
    """How many cases."""
    return len(suite.test_cases)


EXPORT_SYMBOL_GPL(kunit_suite_num_test_cases)


def kunit_print_suite_start(suite: kunit_suite) -> None:
    """The head of a suite."""
    pr_info(KUNIT_SUBTEST_INDENT + "KTAP version 1\n")
    pr_info(KUNIT_SUBTEST_INDENT + "# Subtest: %s\n", suite.name)
    kunit_print_attr(suite, False, KUNIT_LEVEL_CASE)
    pr_info(KUNIT_SUBTEST_INDENT + "1..%zd\n", kunit_suite_num_test_cases(suite))


_SPEEDS = {KUNIT_SPEED_VERY_SLOW: "very_slow", KUNIT_SPEED_SLOW: "slow"}


def kunit_print_attr(test_or_suite: Any, is_test: bool, test_level: int) -> None:
    """The speed, where it is not the normal one."""
    if test_or_suite.speed in (KUNIT_SPEED_UNSET, KUNIT_SPEED_NORMAL):
        return
    name = f"{test_or_suite.name}." if is_test else ""
    kunit_log(
        printk.INFO,
        test_or_suite,
        "%*s# %sspeed: %s",
        KUNIT_INDENT_LEN * test_level,
        "",
        name,
        _SPEEDS[test_or_suite.speed],
    )


def kunit_print_ok_not_ok(
    test: kunit | None,
    test_level: int,
    status: kunit_status,
    test_number: int,
    description: str,
    directive: str,
) -> None:
    """A line of results; without `test` that of a suite."""
    directive_header = " # SKIP " if status == KUNIT_SKIPPED else ""
    directive_body = directive if status == KUNIT_SKIPPED else ""

    WARN(not test and test_level, "suite test level can't be %u!\n", test_level)

    if not test:
        pr_info(
            "%s %zd %s%s%s\n",
            kunit_status_to_ok_not_ok(status),
            test_number,
            description,
            directive_header,
            directive_body,
        )
    else:
        kunit_log(
            printk.INFO,
            test,
            "%*s%s %zd %s%s%s",
            KUNIT_INDENT_LEN * test_level,
            "",
            kunit_status_to_ok_not_ok(status),
            test_number,
            description,
            directive_header,
            directive_body,
        )


def kunit_suite_has_succeeded(suite: kunit_suite) -> kunit_status:
    """Failed if one case has failed, skipped if all were skipped."""
    status = KUNIT_SKIPPED

    if suite.suite_init_err:
        return KUNIT_FAILURE

    for test_case in suite.test_cases:
        if test_case.status == KUNIT_FAILURE:
            return KUNIT_FAILURE
        elif test_case.status == KUNIT_SUCCESS:
            status = KUNIT_SUCCESS

    return status


EXPORT_SYMBOL_GPL(kunit_suite_has_succeeded)


def kunit_print_suite_end(suite: kunit_suite) -> None:
    """The result of a suite."""
    global kunit_suite_counter
    kunit_print_ok_not_ok(
        None,
        KUNIT_LEVEL_SUITE,
        kunit_suite_has_succeeded(suite),
        kunit_suite_counter,
        suite.name,
        suite.status_comment,
    )
    kunit_suite_counter += 1


def kunit_test_case_num(suite: kunit_suite, test_case: kunit_case) -> int:
    """The number of a case in its suite, from 1; 0 if it is not in it."""
    i = 1

    for tc in suite.test_cases:
        if tc is test_case:
            return i
        i += 1

    return 0


EXPORT_SYMBOL_GPL(kunit_test_case_num)


def kunit_run_case_check_speed(test: kunit, test_case: kunit_case, duration: int) -> None:
    """Complain of a case that is slow and does not say so; `duration` in ns."""
    slow_thr = KUNIT_SPEED_SLOW_WARNING_THRESHOLD_S * NSEC_PER_SEC
    speed = test_case.speed

    if duration < slow_thr:
        return

    if speed == KUNIT_SPEED_VERY_SLOW or speed == KUNIT_SPEED_SLOW:
        return

    kunit_warn(
        test,
        "Test should be marked slow (runtime: %lld.%09lds)",
        duration // NSEC_PER_SEC,
        duration % NSEC_PER_SEC,
    )


def kunit_timeout_mult(speed: kunit_speed) -> int:
    """How many times the timeout a case of this speed gets."""
    if speed == KUNIT_SPEED_SLOW:
        return 3
    if speed == KUNIT_SPEED_VERY_SLOW:
        return 12
    return 1


def kunit_test_timeout(suite: kunit_suite, test_case: kunit_case) -> int:
    """The timeout of a case in ticks."""
    mult = 1

    if suite.speed != KUNIT_SPEED_UNSET:
        mult = kunit_timeout_mult(suite.speed)
    if test_case.speed != KUNIT_SPEED_UNSET:
        mult = kunit_timeout_mult(test_case.speed)
    return mult * kunit_base_timeout * msecs_to_jiffies(MSEC_PER_SEC)


def kunit_run_case_internal(test: kunit, suite: kunit_suite, test_case: kunit_case) -> None:
    """Initialise and run a case."""
    if suite.init:
        ret = suite.init(test)
        if ret:
            kunit_err(test, "failed to initialize: %d\n", ret)
            kunit_set_failure(test)
            return

    start = ktime_get()

    test_case.run_case(test)

    end = ktime_get()

    kunit_run_case_check_speed(test, test_case, end - start)


def kunit_case_internal_cleanup(test: kunit) -> None:
    """Free what the case has."""
    kunit_cleanup(test)


def kunit_run_case_cleanup(test: kunit, suite: kunit_suite) -> None:
    """What follows a case, however it ended."""
    if suite.exit:
        suite.exit(test)

    kunit_case_internal_cleanup(test)


def kunit_try_run_case(data: Any) -> None:
    """The thread of a case."""
    ctx = data
    test = ctx.test
    suite = ctx.suite
    test_case = ctx.test_case

    current().kunit_test = test

    kunit_run_case_internal(test, suite, test_case)


def kunit_try_run_case_cleanup(data: Any) -> None:
    """The thread of what follows a case."""
    ctx = data
    test = ctx.test
    suite = ctx.suite

    current().kunit_test = test

    kunit_run_case_cleanup(test, suite)


def kunit_catch_run_case_cleanup(data: Any) -> None:
    """What follows a case did not end well."""
    ctx = data
    test = ctx.test
    try_exit_code = test.try_catch.try_result

    kunit_set_failure(test)

    if try_exit_code:
        if try_exit_code == -ETIMEDOUT:
            kunit_err(test, "test case cleanup timed out\n")
        else:
            kunit_err(
                test,
                "internal error occurred during test case cleanup: %d\n",
                try_exit_code,
            )
        return

    kunit_err(test, "test aborted during cleanup. continuing without cleaning up\n")


def kunit_catch_run_case(data: Any) -> None:
    """A case was aborted, or did not end well."""
    ctx = data
    test = ctx.test
    try_exit_code = test.try_catch.try_result

    if try_exit_code:
        kunit_set_failure(test)
        if try_exit_code == -ETIMEDOUT:
            kunit_err(test, "test case timed out\n")
        else:
            kunit_err(
                test,
                "internal error occurred preventing test case from running: %d\n",
                try_exit_code,
            )
        return


def kunit_run_case_catch_errors(
    suite: kunit_suite, test_case: kunit_case, test: kunit
) -> None:
    """Run a case and what follows it, each in its thread."""
    context = kunit_try_catch_context()

    try_catch = test.try_catch

    kunit_try_catch_init(
        try_catch,
        test,
        kunit_try_run_case,
        kunit_catch_run_case,
        kunit_test_timeout(suite, test_case),
    )
    context.test = test
    context.suite = suite
    context.test_case = test_case
    kunit_try_catch_run(try_catch, context)

    kunit_try_catch_init(
        try_catch,
        test,
        kunit_try_run_case_cleanup,
        kunit_catch_run_case_cleanup,
        kunit_test_timeout(suite, test_case),
    )
    kunit_try_catch_run(try_catch, context)

    if test.status == KUNIT_FAILURE:
        test_case.status = KUNIT_FAILURE
    elif test_case.status != KUNIT_FAILURE and test.status == KUNIT_SUCCESS:
        test_case.status = KUNIT_SUCCESS


def kunit_print_suite_stats(
    suite: kunit_suite, suite_stats: kunit_result_stats, param_stats: kunit_result_stats
) -> None:
    """The totals of a suite."""
    if kunit_should_print_stats(suite_stats):
        kunit_log(
            printk.INFO,
            suite,
            "# %s: pass:%lu fail:%lu skip:%lu total:%lu",
            suite.name,
            suite_stats.passed,
            suite_stats.failed,
            suite_stats.skipped,
            suite_stats.total,
        )

    if kunit_should_print_stats(param_stats):
        kunit_log(
            printk.INFO,
            suite,
            "# Totals: pass:%lu fail:%lu skip:%lu total:%lu",
            param_stats.passed,
            param_stats.failed,
            param_stats.skipped,
            param_stats.total,
        )


def kunit_update_stats(stats: kunit_result_stats, status: kunit_status) -> None:
    """Count a result."""
    if status == KUNIT_SUCCESS:
        stats.passed += 1
    elif status == KUNIT_SKIPPED:
        stats.skipped += 1
    else:
        stats.failed += 1

    stats.total += 1


def kunit_accumulate_stats(total: kunit_result_stats, add: kunit_result_stats) -> None:
    """Add up."""
    total.passed += add.passed
    total.skipped += add.skipped
    total.failed += add.failed
    total.total += add.total


class kunit_oops(Exception):
    """Thrown into kunit_steps: the step has stopped its kernel, another one runs. The report."""


def kunit_catch_oops(test: Any, oops: kunit_oops) -> None:
    """The diagnostics of a fault; `test` is a test or a suite."""
    for line in str(oops).splitlines():
        kunit_err(test, "%s\n", line)
    last_seen = getattr(test, "last_seen", None)
    if last_seen:
        kunit_err(test, "try faulted: last line seen %s\n", place_of(*last_seen))
    else:
        kunit_err(test, "try faulted\n")


def kunit_catch_case_oops(suite: kunit_suite, test: kunit, oops: kunit_oops) -> kunit_steps:
    """A case has faulted: note it, and do in the new kernel what the suite did in the old one."""
    kunit_catch_oops(test, oops)
    kunit_err(
        test, "internal error occurred preventing test case from running: %d\n", -EINTR
    )
    kunit_set_failure(test)
    yield from kunit_init_again(suite)


def kunit_init_again(suite: kunit_suite) -> kunit_steps:
    """Initialise a suite in a new kernel."""
    if suite.suite_init:
        yield from kunit_call_suite_init(suite)


def kunit_call_suite_init(suite: kunit_suite) -> kunit_steps:
    """Initialise a suite."""
    assert suite.suite_init
    try:
        suite.suite_init_err = yield partial(suite.suite_init, suite)
    except kunit_oops as oops:
        kunit_catch_oops(suite, oops)
        suite.suite_init_err = -EFAULT
    if suite.suite_init_err:
        kunit_err(
            suite,
            KUNIT_SUBTEST_INDENT + "# failed to initialize (%d)",
            suite.suite_init_err,
        )


def kunit_run_test(suite: kunit_suite, test_case: kunit_case, test: kunit) -> kunit_steps:
    """Run a case or a case with one parameter, and survive it."""
    try:
        yield partial(kunit_run_case_catch_errors, suite, test_case, test)
    except kunit_oops as oops:
        yield from kunit_catch_case_oops(suite, test, oops)
        test_case.status = KUNIT_FAILURE


def kunit_run_param_test(
    suite: kunit_suite,
    test_case: kunit_case,
    test: kunit,
    param_stats: kunit_result_stats,
) -> kunit_steps:
    """Run a case once per parameter."""
    assert test_case.generate_params
    test_case.status = KUNIT_SKIPPED
    kunit_log(
        printk.INFO, test, KUNIT_SUBTEST_INDENT + KUNIT_SUBTEST_INDENT + "KTAP version 1\n"
    )
    kunit_log(
        printk.INFO,
        test,
        KUNIT_SUBTEST_INDENT + KUNIT_SUBTEST_INDENT + "# Subtest: %s",
        test_case.name,
    )

    curr_param = None
    while True:
        try:
            curr_param, param_desc = yield partial(test_case.generate_params, test, curr_param)
        except kunit_oops as oops:
            yield from kunit_catch_case_oops(suite, test, oops)
            test_case.status = KUNIT_FAILURE
            break
        if curr_param is None:
            break

        param_test = kunit()
        param_test.param_value = curr_param
        test.param_index += 1
        param_test.param_index = test.param_index
        param_test.parent = test
        kunit_init_test(param_test, test_case.name, None)
        param_test.log = test_case.log
        yield from kunit_run_test(suite, test_case, param_test)

        if not param_desc:
            param_desc = f"param-{param_test.param_index}"

        kunit_print_ok_not_ok(
            param_test,
            KUNIT_LEVEL_CASE_PARAM,
            param_test.status,
            param_test.param_index,
            param_desc,
            param_test.status_comment,
        )

        kunit_update_stats(param_stats, param_test.status)
    kunit_cleanup(test)


def kunit_run_one_test(
    suite: kunit_suite,
    test_case: kunit_case,
    suite_stats: kunit_result_stats,
    total_stats: kunit_result_stats,
) -> kunit_steps:
    """Run a case and print its results."""
    test = kunit()
    param_stats = kunit_result_stats()

    kunit_init_test(test, test_case.name, test_case.log)
    if test_case.status == KUNIT_SKIPPED:
        test.status = KUNIT_SKIPPED
        kunit_update_stats(param_stats, test.status)
    elif not test_case.generate_params:
        test_case.status = KUNIT_SKIPPED
        yield from kunit_run_test(suite, test_case, test)
        kunit_update_stats(param_stats, test.status)
    else:
        yield from kunit_run_param_test(suite, test_case, test, param_stats)
    kunit_print_attr(test_case, True, KUNIT_LEVEL_CASE)

    kunit_print_test_stats(test, param_stats)

    kunit_print_ok_not_ok(
        test,
        KUNIT_LEVEL_CASE,
        test_case.status,
        kunit_test_case_num(suite, test_case),
        test_case.name,
        test.status_comment,
    )

    kunit_update_stats(suite_stats, test_case.status)
    kunit_accumulate_stats(total_stats, param_stats)


def kunit_suite_steps(suite: kunit_suite) -> kunit_steps:
    """Run a suite, step by step."""
    suite_stats = kunit_result_stats()
    total_stats = kunit_result_stats()

    with labels("suite_end"):
        if suite.suite_init:
            yield from kunit_call_suite_init(suite)
            if suite.suite_init_err:
                raise goto("suite_end")

        kunit_print_suite_start(suite)

        for test_case in suite.test_cases:
            yield from kunit_run_one_test(suite, test_case, suite_stats, total_stats)
            if suite.suite_init_err:
                raise goto("suite_end")

        if suite.suite_exit:
            try:
                yield partial(suite.suite_exit, suite)
            except kunit_oops as oops:
                kunit_catch_oops(suite, oops)
                suite.suite_init_err = -EFAULT

        kunit_print_suite_stats(suite, suite_stats, total_stats)
    kunit_print_suite_end(suite)


def kunit_run_steps(
    steps: kunit_steps,
    oops: kunit_oops | None = None,
    call: Callable[[Callable[[], Any]], Any] = lambda step: step(),
) -> None:
    """Take the steps there are, or if a kernel has stopped at one (`oops`), those that are left."""
    try:
        step = steps.throw(oops) if oops else next(steps)
        while True:
            step = steps.send(call(step))
    except StopIteration:
        return


def kunit_run_tests(suite: kunit_suite) -> int:
    """Run a suite."""
    kunit_run_steps(kunit_suite_steps(suite))

    return 0


EXPORT_SYMBOL_GPL(kunit_run_tests)


def kunit_init_suite(suite: kunit_suite) -> None:
    """Make a suite ready to run, again if need be."""
    suite.status_comment = ""
    suite.suite_init_err = 0
    suite.log.clear()
    for test_case in suite.test_cases:
        test_case.status = KUNIT_SUCCESS


def __kunit_test_suites_init(suites: Sequence[kunit_suite], num_suites: int) -> int:
    """Run suites, one program at a time: 0 or -EINTR."""
    global kunit_suite_counter
    if num_suites == 0:
        return 0

    kunit_suite_counter = 1

    if mutex_lock_interruptible(kunit_run_lock):
        pr_err("kunit: test interrupted\n")
        return -EINTR

    for i in range(num_suites):
        kunit_init_suite(suites[i])
        kunit_run_tests(suites[i])

    mutex_unlock(kunit_run_lock)
    return 0


EXPORT_SYMBOL_GPL(__kunit_test_suites_init)


# What the linker gathers in the section .kunit_test_suites, by the module that it is from.
_section: dict[str, list[kunit_suite]] = {}


def kunit_test_suites(*suites: kunit_suite) -> None:
    """Register suites of the calling module; see kport.kunit."""
    _section.setdefault(sys._getframe(1).f_globals["__name__"], []).extend(suites)


def kunit_test_suite(suite: kunit_suite) -> None:
    """Register the one suite of the calling module."""
    _section.setdefault(sys._getframe(1).f_globals["__name__"], []).append(suite)


def registered_suites(module: str) -> list[kunit_suite]:
    """What a module has registered."""
    return list(_section.get(module, ()))
