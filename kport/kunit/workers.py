# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Suites in several processes at once, printed as if they ran one after the other.

Good for machines whose time is their own: what a suite does on virt is the same in any process.
A worker is a fork of this one, so that suites need not travel; it takes one that nobody has taken,
and sends home what that suite says, and in the end what became of it. What comes before its turn
is kept. The workers take suites from the front, so that there is something to print, but one of
them from the back: a long last suite would else begin last.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

from kport.kunit.executor import Say, Setup, Stopped, SuiteRun, SuiteRunner
from kport.kunit.test import kunit_suite

POLL = 0.1  # s between two looks at stop()
_FATES = ("oopses", "leaks", "warnings", "reports")


def possible() -> bool:
    """Whether a fork of this process is a good one: it has no threads, and this is Linux."""
    return sys.platform == "linux" and threading.active_count() == 1


class _Worker:
    """A process, and the number of the suite it is at."""

    def __init__(self, home: Connection, process: Any) -> None:
        self.home = home
        self.process = process
        self.suite: int | None = None


class _Untaken:
    """The suites that no process has taken yet: those from `front` to before `back`."""

    def __init__(self, context: Any, count: int) -> None:
        self._ends = context.Array("i", [0, count])

    def take(self, from_back: bool) -> int | None:
        """The index of a suite, or None if there is none left."""
        with self._ends.get_lock():
            front, back = self._ends[:]
            if front >= back:
                return None
            self._ends[:] = [front, back - 1] if from_back else [front + 1, back]
            return int(back - 1 if from_back else front)


class Workers:
    """`run` is the `runner` of an Executor."""

    def __init__(self, suites: Sequence[kunit_suite], setup: Setup, count: int) -> None:
        context = multiprocessing.get_context("fork")
        self._stop = context.Value("b", 0)
        self._said: dict[int, list[tuple[str, int]]] = {}
        self._fates: dict[int, dict[str, Any]] = {}
        self._workers: list[_Worker] = []
        untaken = _Untaken(context, len(suites))
        sys.stdout.flush()
        sys.stderr.flush()
        for last in (False,) * (count - 1) + (count > 1,):
            home, away = context.Pipe(duplex=False)
            homes = [home, *(worker.home for worker in self._workers)]
            arguments = (suites, setup, partial(untaken.take, last), self._stop, away, homes)
            process = context.Process(target=_work, args=arguments, daemon=True)
            process.start()
            away.close()
            self._workers.append(_Worker(home, process))

    def run(self, number: int, run: SuiteRun, say: Say, stop: Callable[[], bool]) -> None:
        """Print what a suite says, until it is over. Raises Stopped."""
        while True:
            for text, ts in self._said.pop(number, ()):
                say(text, ts)
            fate = self._fates.pop(number, None)
            if fate is not None:
                break
            if stop():
                self._stop.value = 1
            if not self._workers:
                raise Stopped
            self._receive()
        for name in _FATES:
            getattr(run, name).extend(fate[name])
        if fate["end"] == "stopped":
            raise Stopped
        if fate["end"] == "gone":
            for line in run.oopses:
                say(f"# {run.suite.name}: {line}", 0)
            say(f"not ok {number} {run.suite.name}", 0)

    def _receive(self) -> None:
        """Take what has come, or wait a moment."""
        ready = wait([worker.home for worker in self._workers], POLL)
        for worker in list(self._workers):
            if worker.home not in ready:
                continue
            try:
                number, what, value = worker.home.recv()
            except EOFError:
                self._gone(worker)
                continue
            worker.suite = None if what == "ends" else number
            if what == "says":
                self._said.setdefault(number, []).append(value)
            elif what == "ends":
                self._fates[number] = value

    def _gone(self, worker: _Worker) -> None:
        """A process has ended; if within a suite, that is the suite's fault."""
        worker.process.join()
        worker.home.close()
        self._workers.remove(worker)
        if worker.suite is not None:
            report = f"BUG: the process of this suite has ended with {worker.process.exitcode}"
            fate: dict[str, Any] = {"oopses": [report], "leaks": [], "warnings": [], "reports": []}
            fate["end"] = "gone"
            self._fates[worker.suite] = fate

    def close(self) -> None:
        """End what still runs."""
        for worker in self._workers:
            worker.process.terminate()
            worker.process.join()
            worker.home.close()


@contextmanager
def workers(suites: Sequence[kunit_suite], setup: Setup, count: int) -> Iterator[Workers]:
    """So many processes, none of which survives the block."""
    them = Workers(suites, setup, count)
    try:
        yield them
    finally:
        them.close()


def _work(
    suites: Sequence[kunit_suite],
    setup: Setup,
    take: Callable[[], int | None],
    stop: Any,
    away: Connection,
    homes: Sequence[Connection],
) -> None:
    """The life of a worker. It ends when nobody listens any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's business
    for home in homes:
        home.close()  # the fork's copies of the other ends
    with suppress(BrokenPipeError):
        while not stop.value and (at := take()) is not None:
            run = SuiteRun(suites[at])
            away.send((at + 1, "begins", None))
            say = partial(_say, away, at + 1)
            end = "ended"
            try:
                SuiteRunner(at + 1, run, setup, say, lambda: bool(stop.value)).run()
            except Stopped:
                end = "stopped"
            fate: dict[str, Any] = {name: getattr(run, name) for name in _FATES}
            away.send((at + 1, "ends", fate | {"end": end}))


def _say(away: Connection, number: int, text: str, ts: int) -> None:
    away.send((number, "says", (text, ts)))
