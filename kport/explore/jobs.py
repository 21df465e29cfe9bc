# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""One exploration on several processes.

Executions of a search that draws lots depend on their number alone, so their numbers are cut into
shares, and the shares are added up in order: what is found is what one process would have found. A
failure in a share makes those behind it superfluous, not those before it. A process that dies loses
its shares; they are run again, by new processes.

A process finds the scenario by its name: `find(name)` is a function of a module and returns what
has a `scenario` and a `stage()` in which it runs.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import pairwise
from typing import Any, Protocol

from kport.explore.explorer import explore
from kport.explore.result import Result
from kport.explore.search import Search
from kport.explore.strategies import strategy

SHARES = 8  # for each process: the more, the sooner the last is done
TRIES = 3
FAR = 1 << 32  # numbers between the shares of an exploration that is limited by time alone

Progress = Callable[[Result], None]

_one = threading.Lock()


class Found(Protocol):
    """What `find` returns."""

    @property
    def scenario(self) -> Callable[..., Any]:
        """What runs."""

    @property
    def stage(self) -> Callable[[], Any]:
        """Makes the context it runs in."""


class LostWorker(RuntimeError):
    """Processes died again and again."""


def explore_share(find: Callable[[str], Found], name: str, options: dict[str, Any]) -> Result:
    """Run one share; called in a process, of whose threads one at a time can have a kernel."""
    with _one:
        found = find(name)
        with found.stage():
            return explore(found.scenario, name=name, **options)


def numbered(options: dict[str, Any]) -> Search:
    """The search of the options. Raises ValueError if its executions depend on one another."""
    search = strategy(options["strategy"], options.get("seed", 0))
    if not search.numbered:
        raise ValueError(f"{search.name} goes on from one execution to the next: one process only")
    return search


def shares(schedules: int | None, seconds: float | None, count: int) -> list[dict[str, Any]]:
    """The numbers and times of so many shares, or fewer."""
    if schedules is None:
        return [{"first": n * FAR, "schedules": None, "seconds": seconds} for n in range(count)]
    count = max(1, min(schedules, count))
    cuts = [schedules * n // count for n in range(count + 1)]
    return [
        {"first": a, "schedules": b - a, "seconds": seconds}
        for a, b in pairwise(cuts)
    ]


def explore_jobs(
    find: Callable[[str], Found],
    name: str,
    jobs: int,
    *,
    schedules: int | None,
    seconds: float | None,
    progress: Progress | None = None,
    **options: Any,
) -> Result:
    """`explore()` of the scenario of a name on `jobs` processes; options are those of explore().

    Raises ValueError for a strategy whose executions depend on one another, LostWorker when
    processes die again and again.
    """
    search = numbered(options)
    plan = shares(schedules, seconds, jobs * SHARES if schedules is not None else jobs)
    results: dict[int, Result] = {}
    start = time.perf_counter()
    total = Result(name, search.spec, options.get("seed", 0), options.get("sched", "v7_2"))
    for _ in range(TRIES):
        left = [n for n in range(len(plan)) if n not in results]
        try:
            _run(find, name, jobs, {n: plan[n] | options for n in left}, results, total, progress)
        except BrokenProcessPool:
            continue
        total = merged(results, total, bool(options.get("keep_going")))
        total.seconds = time.perf_counter() - start
        return total
    raise LostWorker(f"processes died {TRIES} times over; run with --jobs 1 to see why")


def _run(
    find: Callable[[str], Found],
    name: str,
    jobs: int,
    plan: dict[int, dict[str, Any]],
    results: dict[int, Result],
    total: Result,
    progress: Progress | None,
) -> None:
    """Fill in results; stops early when those in front have failed."""
    start = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        jobs, context, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)
    ) as pool:
        futures: dict[Future[Result], int] = {
            pool.submit(explore_share, find, name, options): n for n, options in plan.items()
        }
        try:
            for future in as_completed(futures):
                if future.cancelled():
                    continue
                n = futures[future]
                results[n] = result = future.result()
                if progress is not None:
                    total.schedules = sum(r.schedules for r in results.values())
                    total.seconds = time.perf_counter() - start
                    progress(total)
                if result.failures and not plan[n].get("keep_going"):
                    for other, m in futures.items():
                        if m > n:
                            other.cancel()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()  # what runs there can last
            raise


def merged(results: dict[int, Result], total: Result, keep_going: bool) -> Result:
    """The sum of the shares, in order; without `keep_going` up to the first that failed."""
    causes: set[str] = set()
    steps = 0.0
    total.schedules, total.known = 0, {}
    for n in sorted(results):
        result = results[n]
        total.schedules += result.schedules
        steps += result.points * result.schedules
        total.traces |= result.traces
        total.count(result.known)
        fresh = [f for f in result.failures if f.cause not in causes]
        causes.update(f.cause for f in fresh)
        total.failures += fresh
        if result.failures and not keep_going:
            break
    total.distinct = len(total.traces)
    total.points = round(steps / max(1, total.schedules), 1)
    return total
