# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Executions that are had again: from a token, for the picture of a report, step by step.

A token has a schedule, or where that would be too long what drew it; then the straight execution
comes first, from which the search learns what it learnt when it was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kport.explore.freed import second_look
from kport.explore.freed import sentence as who_freed
from kport.explore.picture import picture, sentence
from kport.explore.racing import race_of
from kport.explore.replay import Census, Replay
from kport.explore.result import Failure
from kport.explore.runner import Runner, Scenario, Setup, Trouble
from kport.explore.search import Search, Trial
from kport.explore.strategies import strategy as strategy_of
from kport.explore.token import CHECKS, Token, parse
from kport.explore.trace import Event, Tracer


def teach(search: Search, runner: Runner) -> tuple[Trouble | None, int]:
    """The straight execution, from which a search that draws lots learns how long one is.

    Returns what went wrong in it, and what tells it from other executions.
    """
    straight = Census(search.step_ns) if search.needs_ops else Replay(step_ns=search.step_ns)
    trouble = runner.run(straight)
    places = straight.places if isinstance(straight, Census) else {}
    search.learn(Trial(runner.steps, straight.steps_by_name(), places))
    return trouble, straight.trace


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
    trouble, _ = teach(search, runner)
    if number == 0:
        return trouble
    search.prepare(number)
    return runner.run(search)


def picture_of(token: Token, runner: Runner, trouble: Trouble) -> tuple[list[str], int]:
    """The picture of a failure and why, and how many steps it shows; nothing if it went away."""
    tracer = Tracer(token.schedule, token.step_ns)
    race = race_of(trouble.report) if trouble.kind == "races" else None
    if race is not None and not token.plain:
        tracer.only = race.is_about
    again = runner.run(tracer, tracer.watch(token.plain))
    if again is None or again.cause != trouble.cause:
        return [], 0
    race = race_of(again.report) if race is not None else None
    lines, steps = picture(tracer, trouble.kind, race.steps(tracer.events) if race else ())
    why = race.sentence(tracer.events) if race else ""
    freed = second_look(token, runner, trouble)
    why = why or who_freed("\n".join(freed) or trouble.report)
    why = why or sentence(tracer, trouble.kind, trouble.report)
    return [*freed, *([""] if freed else []), *([why, ""] if why else []), *lines], steps


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


def _setup(
    said: Token, carrier: str | None, params: Mapping[str, Any] | None = None
) -> Setup:
    return Setup(
        said.sched,
        said.check,
        said.memory,
        said.plain,
        said.cpus,
        said.bound,
        carrier,
        params or {},
    )


def replay(
    token: str | Token,
    scenario: Scenario,
    *,
    carrier: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> Failure | None:
    """Run what a token says once more; the failure, or None if nothing goes wrong.

    `carrier` is what carries the tasks ("greenlet" or "thread"), `params` are the parameters that
    explore() was given: a token does not have them. Raises TokenError, a ValueError.
    """
    said = parse(token) if isinstance(token, str) else token
    with Runner(scenario, _setup(said, carrier, params)) as runner:
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
