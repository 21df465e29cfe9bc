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

from kport.explore.picture import picture, sentence
from kport.explore.plain import Coverage
from kport.explore.replay import Census, Recorder, Replay, Schedule
from kport.explore.result import Failure, Result
from kport.explore.runner import Runner, Scenario, Setup, Trouble
from kport.explore.search import Search, Trial
from kport.explore.shrink import shrink
from kport.explore.strategies import strategy as strategy_of
from kport.explore.token import CHECKS, LIMIT, Token, parse
from kport.explore.trace import Event, Tracer

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
            trouble = teach(search, runner)
            if number == 0:  # the first execution is the straight one
                result.schedules, steps = 1, runner.steps
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
        elif search.numbered:
            token.drawn = (search.spec, self.result.seed, number)
        else:
            repeated = False
        if len(str(token)) > LIMIT and search.numbered:
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


def teach(search: Search, runner: Runner) -> Trouble | None:
    """The straight execution, from which a search that draws lots learns how long one is."""
    straight = Census(search.step_ns) if search.needs_ops else Replay(step_ns=search.step_ns)
    trouble = runner.run(straight)
    places = straight.places if isinstance(straight, Census) else {}
    search.learn(Trial(runner.steps, straight.steps_by_name(), places))
    return trouble


def make_token(name: str, setup: Setup, search: Search) -> Token:
    """A token without a schedule."""
    check = setup.check.split(",") if isinstance(setup.check, str) else setup.check
    names = [c if isinstance(c, str) else c.name for c in check]
    if "all" in names:
        names = list(CHECKS)
    return Token(
        name,
        setup.sched,
        setup.memory,
        setup.plain,
        setup.cpus,
        search.step_ns,
        setup.bound,
        tuple(name for name in CHECKS if name in names),
    )


def play(token: Token, runner: Runner) -> Trouble | None:
    """Run what a token says."""
    if token.drawn is None:
        return runner.run(Replay(token.schedule, token.step_ns))
    spec, seed, number = token.drawn
    search = strategy_of(spec, seed)
    trouble = teach(search, runner)
    if number == 0:
        return trouble
    search.prepare(number)
    return runner.run(search)


def picture_of(token: Token, runner: Runner, trouble: Trouble) -> tuple[list[str], int]:
    """The picture of a failure and why, and how many steps it shows; nothing if it went away."""
    tracer = Tracer(token.schedule, token.step_ns)
    again = runner.run(tracer, tracer.watch(token.plain))
    if again is None or again.cause != trouble.cause:
        return [], 0
    lines, steps = picture(tracer, trouble.kind)
    why = sentence(tracer, trouble.kind, trouble.report)
    return [*([why, ""] if why else []), *lines], steps


def steps_of(token: Token, scenario: Scenario, *, carrier: str | None = None) -> list[Event]:
    """All steps of the execution that a token says, in order.

    Raises ValueError for a token that names a seed in place of a schedule.
    """
    if token.drawn is not None:
        raise ValueError("the token names a seed and no schedule: there are no single steps")
    with Runner(scenario, _setup(token, carrier)) as runner:
        tracer = Tracer(token.schedule, token.step_ns)
        runner.run(tracer, tracer.watch(token.plain))
    return tracer.events


def _setup(said: Token, carrier: str | None) -> Setup:
    return Setup(said.sched, said.check, said.memory, said.plain, said.cpus, said.bound, carrier)


def replay(
    token: str | Token, scenario: Scenario, *, carrier: str | None = None
) -> Failure | None:
    """Run what a token says once more; the failure, or None if nothing goes wrong.

    `carrier` is what carries the tasks ("greenlet" or "thread"). Raises TokenError, a ValueError.
    """
    said = parse(token) if isinstance(token, str) else token
    with Runner(scenario, _setup(said, carrier)) as runner:
        trouble = play(said, runner)
        if trouble is None:
            return None
        report, steps = trouble.report + "\n", 0
        if said.drawn is None:
            lines, steps = picture_of(said, runner, trouble)
            report = "\n".join([report, *lines, ""])
    turns = len(said.schedule.turns) + len(said.schedule.numbers)
    return Failure(
        trouble.kind,
        trouble.headline,
        f"{report}\nkport replay {said}",
        str(said),
        said.drawn[2] if said.drawn else 0,
        steps=steps,
        turns=turns,
        cause=trouble.cause,
    )
