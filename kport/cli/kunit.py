# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport kunit`: run the kernel's own tests and print KTAP."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from kport.cli.checks import add_check, tell
from kport.cli.interrupt import StopOnInterrupt
from kport.cli.options import Parser, UsageError, real, whole
from kport.cli.sched import add_options, policy_of
from kport.cli.terminal import Bar
from kport.cli.timing import brisk

if TYPE_CHECKING:
    from kport.kunit.executor import Executor, SuiteRun
    from kport.kunit.ktap import Test
    from kport.kunit.test import kunit_suite

POLICIES = {"rr": 0, "fifo": 1, "fair": 2}

_EPILOG = """\
GLOB is a suite, or suite.case, with * ? [a-z] [!a-z] as in kunit.filter_glob:
    kport kunit 'drm_sched_basic*'
    kport kunit 'drm_sched_basic_tests.drm_sched_basic_submit' --arch virt
Several are a union; none is all.

The output is the kernel's log, and so KTAP, the format of KUnit: what reads a
kernel's test log (tools/testing/kunit/kunit.py parse) reads this.
The scheduler's tests are those of 7.2. They run on the mock GPU, which has a
thin layer for the older schedulers (--sched); there a job is a credit.
Each suite runs in a kernel of its own. A fault of the port fails the case it
happens in, and the suite goes on in another kernel. On virt suites run in
several processes at once; the output is the same. On threads some tests fail if
a thread comes late, as in the kernel; on a busy machine --scale 4 helps.

--json prints one object, when all is over:
    arch, sched, policy, seed (null on threads), interrupted, broken (why the
    output was no KTAP, else "")
    totals {passed, failed, skipped, total}: of the results with no subtests
    suites [{name, status, leaks [text], warnings [text], oopses [text],
             reports [text], tests [...]}], reports: of what --check watches
    tests [{name, status, comment, ms, lines [text], tests [...]}]
status is passed, failed or skipped; comment says why it was skipped; ms is
kernel time; lines are the diagnostics; tests within a test are its parameters.

Exit codes: 0; 1 if a test failed, a suite left something behind or --check
found something new; 2 for bad input; 130 after Ctrl-C, which ends the run
behind the current case.
"""


def parser() -> Parser:
    """The parser of the command's options."""
    p = Parser(
        prog="kport kunit",
        usage="kport kunit [options] [GLOB...]",
        description="Run the kernel's own tests on the port and print KTAP.",
        epilog=_EPILOG,
    )
    add = p.add_argument
    add("globs", nargs="*", metavar="GLOB", help="which suites, or which cases of which")
    add("--arch", choices=("threads", "virt"), default="threads", help="default: threads")
    add_options(p)
    add("--seed", metavar="N", type=whole(0, 2**63), help="of the machine virt; default: 0")
    add("--timeout", metavar="S", type=whole(1, 10**6), default=300, help="of a case; default: 300")
    add("--scale", metavar="X", type=real(0.01, 1e4), help="slow the clock of threads X times")
    add("--jobs", metavar="N", type=whole(1, 256), help="suites at once; virt: as many as CPUs")
    add("--list", action="store_true", help="print suite.case of what would run")
    add_check(p)
    add("--json", action="store_true", help="print one JSON object instead of KTAP")
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code. Raises UsageError."""
    options = parser().parse_args(arguments)
    if options.seed is not None and options.arch != "virt":
        raise UsageError("--seed is for the machine virt; add --arch virt or leave it out")
    if (options.jobs or 1) > 1 and options.arch == "threads":
        raise UsageError("--jobs is for --arch virt; suites in real time would hinder each other")
    if options.scale is not None and options.arch != "threads":
        raise UsageError("--scale is for the machine threads; leave it out with --arch virt")
    options.policy = policy_of(options)
    suites = _suites(options.globs)
    if options.list:
        for suite in suites:
            for case in suite.test_cases:
                print(f"{suite.name}.{case.name}")
        return 0
    return _run(options, suites)


def _suites(globs: list[str]) -> list[kunit_suite]:
    """The suites that are meant. Raises UsageError if one glob means nothing."""
    from kport.kunit import all_suites
    from kport.kunit.glob import NothingMatches, filter_suites

    try:
        return filter_suites(all_suites(), globs)
    except NothingMatches as nothing:
        near = ", ".join(nothing.nearest)
        remedy = f"the nearest: {near}" if near else "kport kunit --list prints all"
        raise UsageError(f"no test matches {nothing.glob!r}; {remedy}") from None


class _Console:
    """Prints lines as they come, or with --json a progress bar; `gone` if nobody reads them."""

    def __init__(self, bar: Bar | None) -> None:
        self.gone: OSError | None = None
        self._bar = bar
        self.executor: Executor | None = None

    def __call__(self, line: str) -> None:
        try:
            if self._bar is None:
                print(line, flush=True)
            elif self.executor is not None:
                self._bar(len(self.executor.reader.tests), len(self.executor.suites))
        except OSError as error:  # a kernel thread prints; main() raises it
            self.gone = error


def _jobs(arch: str) -> int:
    """How many suites may run at once by default: real time is for one."""
    return 1 if arch == "threads" else os.cpu_count() or 1


def _run(options: argparse.Namespace, suites: list[kunit_suite]) -> int:
    from kport.drivers.compat import package
    from kport.kunit.executor import Executor, Setup
    from kport.kunit.workers import possible, workers

    if options.arch == "virt":
        machine = {"seed": options.seed or 0}
    else:
        machine = {} if options.scale is None else {"scale": options.scale}
    package(options.sched)  # to be there before a kernel is told which one
    params = {
        "scheduler": options.sched,
        "sched_policy": POLICIES[options.policy],
        "kunit.timeout": options.timeout,
    }
    setup = Setup(options.arch, params, machine, tuple(options.check))
    with ExitStack() as stack:
        processes = min(options.jobs or _jobs(options.arch), len(suites))
        runner = None
        if processes > 1 and possible():
            runner = stack.enter_context(workers(suites, setup, processes)).run
        interrupts = stack.enter_context(StopOnInterrupt())
        stack.enter_context(brisk())
        console = _Console(stack.enter_context(Bar(sys.stderr)) if options.json else None)
        executor = Executor(suites, setup, console)
        console.executor = executor
        executor.run(lambda: interrupts.stop.is_set() or console.gone is not None, runner)
        interrupts.leaving = interrupts.stop.is_set()
    if console.gone is not None:
        raise console.gone
    if options.json:
        print(json.dumps(_to_json(options, executor, interrupts.leaving), indent=2))
    else:
        _complain(executor, interrupts.leaving)
    if interrupts.leaving:
        return 130
    return 0 if executor.sound else 1


def _complain(executor: Executor, interrupted: bool) -> None:
    """Say on stderr what the KTAP does not."""
    for run in executor.runs:
        for leak in run.leaks:
            print(f"kport: {run.suite.name}: {leak}", file=sys.stderr)
    tell([text for run in executor.runs for text in run.reports])
    if executor.broken and not interrupted:
        print(f"kport: the output is no KTAP: {executor.broken}", file=sys.stderr)


# -- JSON ----------------------------------------------------------------------------------------


def _to_json(options: argparse.Namespace, executor: Executor, interrupted: bool) -> dict[str, Any]:
    from kport.kunit.ktap import count

    leaves = [leaf for test in executor.reader.tests for leaf in test.leaves()]
    names = ("passed", "failed", "skipped", "total")
    return {
        "arch": options.arch,
        "sched": options.sched,
        "policy": options.policy,
        "seed": (options.seed or 0) if options.arch == "virt" else None,
        "interrupted": interrupted,
        "broken": "" if interrupted else executor.broken,
        "totals": dict(zip(names, count(leaves), strict=True)),
        "suites": [_suite_to_json(run) for run in executor.runs if run.result is not None],
    }


def _suite_to_json(run: SuiteRun) -> dict[str, Any]:
    assert run.result is not None
    return {
        "name": run.result.name,
        "status": run.result.status,
        "leaks": run.leaks,
        "reports": run.reports,
        "warnings": run.warnings,
        "oopses": run.oopses,
        "tests": [_test_to_json(test) for test in run.result.subtests],
    }


def _test_to_json(test: Test) -> dict[str, Any]:
    return {
        "name": test.name,
        "status": test.status,
        "comment": test.comment,
        "ms": round((test.ended - test.began) / 1e6, 3),
        "lines": test.lines,
        "tests": [_test_to_json(each) for each in test.subtests],
    }
