# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The exploration: run a scenario under a search until something goes wrong or all is seen.

A failure is not believed because it was seen once. The same execution is run again with its
schedule written down, then from what was written, then without each of its turns until none can be
left out (`kport.explore.shrink`). What remains is played a last time under a recorder that makes
the picture of the report.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kport.explore.plain import Coverage
from kport.explore.playback import make_token, picture_of, play, teach
from kport.explore.replay import Recorder, Replay, Schedule
from kport.explore.result import Failure, Result
from kport.explore.runner import Runner, Scenario, Setup, Trouble
from kport.explore.search import Search
from kport.explore.shrink import shrink
from kport.explore.strategies import strategy as strategy_of
from kport.explore.token import LIMIT

Progress = Callable[[Result], None]


def explore(
    scenario: Scenario,
    *,
    strategy: str | Search = "random",
    schedules: int | None = 1000,
    seconds: float | None = None,
    seed: int = 0,
    sched: str = "v7_2",
    check: str | Iterable[Any] = (),
    keep_going: bool = False,
    memory: str = "sc",
    plain: bool = False,
    cpus: int = 4,
    bound: int = 0,
    carrier: str | None = None,
    params: Mapping[str, Any] | None = None,
    name: str | None = None,
    first: int = 0,
    progress: Progress | None = None,
) -> Result:
    """Run a scenario (`kport.explore.runner`) under a strategy until something goes wrong.

    It ends after `schedules` executions (None: no limit), after `seconds` of wall time, when there
    is nothing left to look at, or at the first failure; with `keep_going` failures of different
    causes are collected. `sched`, `params`, `check`, `cpus` and `memory` are those of the boot;
    `plain` makes accesses to members of structs points too. `bound` is the number of steps that is
    a livelock.
    `first` is the number of the first execution, for searches whose executions do not depend on
    those before them. `progress` is called now and then.

    Raises ValueError for an unknown strategy, RuntimeError while a kernel is booted.
    """
    search = strategy_of(strategy, seed) if isinstance(strategy, str) else strategy
    setup = Setup(sched, check, memory, plain, cpus, bound, carrier, params or {})
    result = Result(name or name_of(scenario), search.spec or search.name, seed, sched)
    with Runner(scenario, setup) as runner:
        _Exploration(runner, search, result, keep_going, progress).run(schedules, seconds, first)
    return result


def name_of(scenario: Scenario) -> str:
    """The name of a scenario in tokens: of its library, or its function's."""
    return str(getattr(scenario, "scenario_name", None) or scenario.__name__)


class _Exploration:
    """The loop, and what is done about a failure."""

    def __init__(
        self,
        runner: Runner,
        search: Search,
        result: Result,
        keep_going: bool,
        progress: Progress | None,
    ) -> None:
        self.runner = runner
        self.search = search
        self.result = result
        self.keep_going = keep_going
        self.progress = progress
        self._causes: set[str] = set()

    def run(self, schedules: int | None, seconds: float | None, first: int) -> None:
        """The loop."""
        search, result, runner = self.search, self.result, self.runner
        clock = time.perf_counter
        start = told = clock()
        end = start + seconds if seconds is not None else float("inf")
        limit = first + schedules if schedules is not None else 1 << 60
        traces = result.traces
        steps = 0
        number = first if search.numbered else 0
        if search.numbered:
            trouble, trace = teach(search, runner)
            if number == 0:  # the first execution is the straight one
                result.schedules, steps = 1, runner.steps
                traces.add(trace)
                result.count(dict.fromkeys(runner.races, 1))
                number = 1
                if trouble is not None:
                    self._failed(trouble, 0, Schedule())
        while number < limit and not (result.failures and not self.keep_going):
            if not search.prepare(number):
                result.exhausted = search.claim()
                break
            trouble = runner.run(search)
            result.schedules += 1
            steps += runner.steps
            traces.add(search.trace)
            if runner.races:
                result.count(dict.fromkeys(runner.races, 1))
            if trouble is not None:
                search.failed(trouble.kind)
                self._failed(trouble, number, None)
            number += 1
            now = clock()
            if now >= end:
                break
            if self.progress is not None and now - told >= 0.2:
                told = now
                self._sum_up(now - start, steps)
                self.progress(result)
        self._sum_up(clock() - start, steps)

    def _sum_up(self, seconds: float, steps: int) -> None:
        result = self.result
        result.seconds = seconds
        result.distinct = len(result.traces)
        result.points = round(steps / max(1, result.schedules), 1)
        result.pruned = getattr(self.search, "pruned", 0)

    # -- a failure ---------------------------------------------------------------------------------

    def _failed(self, trouble: Trouble, number: int, schedule: Schedule | None) -> None:
        if trouble.cause in self._causes:
            return
        self._causes.add(trouble.cause)
        search, runner = self.search, self.runner
        token = make_token(self.result.scenario, runner.setup, search)
        repeated = True
        if schedule is None:
            search.again()
            recorder = Recorder(search)
            second = runner.run(recorder)
            repeated = second is not None and second.cause == trouble.cause
            schedule = recorder.schedule
        shrunk = shrink(runner, schedule, trouble.cause, search.step_ns)
        if shrunk is not None:
            token.schedule = shrunk
        elif search.numbered and search.spec:
            token.drawn = (search.spec, self.result.seed, number)
        else:
            repeated = False
        if len(str(token)) > LIMIT and search.numbered and search.spec:
            token.schedule, token.drawn = Schedule(), (search.spec, self.result.seed, number)
        final = play(token, runner)
        if final is not None and final.cause == trouble.cause:
            trouble = final
        else:
            repeated = False
        said = f"\nkport replay {token}"
        steps = 0
        if token.drawn is None and repeated:
            lines, steps = picture_of(token, runner, trouble)
            said = "\n".join(["", *lines, said])
        turns = len(token.schedule.turns) + len(token.schedule.numbers)
        self.result.failures.append(
            Failure(
                trouble.kind,
                trouble.headline,
                trouble.report + "\n" + said,
                str(token),
                number,
                steps=steps,
                turns=turns,
                repeated=repeated,
                cause=trouble.cause,
            )
        )


def cover(scenario: Scenario, result: Result, **options: Any) -> None:
    """Run a scenario once more, straight, and note in `result` what is and what is not a point.

    `options` are those of `explore()` that concern the boot. Nothing is noted of a scenario that
    fails when it runs straight.
    """
    setup = Setup(**options)
    with Runner(scenario, setup) as runner:
        coverage = Coverage(fields=runner.kernel and not setup.plain)
        if runner.run(Replay(), coverage.watch) is None:
            result.instructions, result.unseen = coverage.instructions, coverage.unseen
