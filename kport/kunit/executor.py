# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Runs suites, each in a kernel of its own, and reads what they print.

The kernel's log is the output, as it is in the kernel: each record goes to the console when it is
made. The reader of KTAP listens too, and what it has understood is the result.

A fault of the port stops its kernel. The suite then goes on behind that case in the next kernel:
its steps (kport.kunit.test) live outside of any. Booting is cheap, so there is no kernel to spare.

Where nothing depends on real time, suites may run in several processes (kport.kunit.workers); the
output is the same.
"""

from __future__ import annotations

import inspect
from _thread import allocate_lock
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import kport
from kport.arch.api import Halted
from kport.arch.asm import current_thread_info
from kport.kunit import test as kunit_test
from kport.kunit.ktap import KtapError, Reader, Test
from kport.kunit.test import (
    kunit_init_suite,
    kunit_oops,
    kunit_run_steps,
    kunit_suite,
    kunit_suite_steps,
    kunit_test_timeout,
)
from kport.kunit.watchdog import watched
from kport.linux import printk
from kport.linux.init import Kernel
from kport.linux.kconfig import HZ

CONSOLE_LEVEL = printk.DEBUG  # records less urgent than this or equal are not for the console
GRACE = 10.0  # s that a test gets to end when its timeout is over


@dataclass
class Setup:
    """The kernels that suites run in: machine, its options, module parameters, what watches."""

    arch: str = "threads"
    params: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    check: tuple[str, ...] = ()


@dataclass
class SuiteRun:
    """A suite that has run: its result, and what its kernels had to say besides."""

    suite: kunit_suite
    result: Test | None = None
    oopses: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """It has passed, without a fault, and has left nothing behind."""
        good = self.result is not None and self.result.status != "failed"
        new = any("\n known: " not in text for text in self.reports)  # not a fault of the kernel
        return good and not self.oopses and not self.leaks and not new


Say = Callable[[str, int], None]
Runner = Callable[[int, SuiteRun, Say, Callable[[], bool]], None]


class Stopped(Exception):
    """Whoever runs the suites wants no more of them."""


class SuiteRunner:
    """Runs one suite, the `number`th from 1. `say(text, ts)` takes what is printed."""

    def __init__(
        self, number: int, run: SuiteRun, setup: Setup, say: Say, stop: Callable[[], bool]
    ) -> None:
        self._number = number
        self._run = run
        self._setup = setup
        self._say = say
        self._stop = stop

    def run(self) -> None:
        """Run it to its end, through as many kernels as it takes. Raises Stopped."""
        run = self._run
        kunit_init_suite(run.suite)
        steps = kunit_suite_steps(run.suite)
        oops: kunit_oops | None = None
        ended = False
        while True:
            try:
                with self._kernel() as kernel:
                    kunit_test.kunit_suite_counter = self._number
                    kunit_run_steps(steps, oops, partial(self._call, kernel))
                    ended = True
                run.leaks += kernel.leaks.lines()
                return
            except kport.KernelOops as error:
                run.oopses.append(error.report)
                if inspect.getgeneratorstate(steps) != inspect.GEN_SUSPENDED:
                    self._late(error.report, ended)
                    return
                oops = kunit_oops(error.report)

    def _call(self, kernel: Kernel, step: Callable[[], Any]) -> Any:
        """One step, on the watch. Raises Halted or a fault if the kernel has stopped in it."""
        if self._stop():
            raise Stopped
        with self._watch(kernel):
            try:
                value = step()
            except Exception as error:
                if not kernel.oopses:
                    kernel.oops(error, current_thread_info())
                raise
        if kernel.oopses:
            raise Halted
        return value

    def _watch(self, kernel: Kernel) -> AbstractContextManager[None]:
        if self._setup.arch != "threads":
            return nullcontext()
        suite = self._run.suite
        ticks = max((kunit_test_timeout(suite, case) for case in suite.test_cases), default=0)
        seconds = 2 * ticks / HZ * self._setup.options.get("scale", 1.0)  # the case, and its end
        return watched(kernel, seconds + GRACE)

    def _late(self, report: str, ended: bool) -> None:
        """A fault behind the last case, or between two: it is nobody's but the suite's."""
        name = self._run.suite.name
        for line in report.splitlines():
            self._say(f"# {name}: {line}", 0)
        if not ended:
            self._say(f"not ok {self._number} {name}", 0)

    @contextmanager
    def _kernel(self) -> Iterator[Kernel]:
        """A kernel whose log is said; what it warned of is noted."""
        setup = self._setup
        booted: Kernel | None = None
        try:
            with kport.boot(
                setup.arch, params=setup.params, check=setup.check, **setup.options
            ) as booted:
                printk.listeners.append(self._record)
                try:
                    yield booted
                finally:
                    printk.listeners.remove(self._record)
                    self._run.warnings += booted.warnings()
        finally:
            if booted is not None:
                self._run.reports += [report.text for report in booted.reports()]

    def _record(self, record: printk.record) -> None:
        if record.level < CONSOLE_LEVEL:
            self._say(record.text, record.ts)


class Executor:
    """Runs suites. `console` is called with each line of output, from any thread; it must not fail.

    After `run()`, `reader` has the results and `broken` says why the output is no KTAP, if it is
    none.
    """

    def __init__(
        self, suites: Sequence[kunit_suite], setup: Setup, console: Callable[[str], None]
    ) -> None:
        self.suites = suites
        self.setup = setup
        self.reader = Reader()
        self.runs: list[SuiteRun] = []
        self.broken = ""
        self._console = console
        self._lock = allocate_lock()  # output and reader; a leaf

    @property
    def sound(self) -> bool:
        """Everything has run and passed."""
        whole = len(self.runs) == len(self.suites)
        return whole and not self.broken and all(run.sound for run in self.runs)

    def run(self, stop: Callable[[], bool] = lambda: False, runner: Runner | None = None) -> None:
        """Run all; returns after the current case if `stop()`. `runner` runs a suite."""
        self.say("KTAP version 1")
        self.say(f"1..{len(self.suites)}")
        for number, suite in enumerate(self.suites, 1):
            run = SuiteRun(suite)
            self.runs.append(run)
            with suppress(Stopped):
                if runner is not None:
                    runner(number, run, self.say, stop)
                else:
                    SuiteRunner(number, run, self.setup, self.say, stop).run()
            if len(self.reader.tests) == number:
                run.result = self.reader.tests[-1]
            if stop():
                return
        try:
            self.reader.close()
        except KtapError as error:
            self.broken = self.broken or str(error)

    def say(self, text: str, ts: int = 0) -> None:
        """Print, and read."""
        with self._lock:
            for line in text.split("\n"):
                self._console(line)
                if not self.broken:
                    try:
                        self.reader.feed(line, ts)
                    except KtapError as error:
                        self.broken = str(error)
