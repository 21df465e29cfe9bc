# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport explore`: search the interleavings of scenarios for what goes wrong."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from kport.cli.checks import checks
from kport.cli.options import Parser, UsageError, real, whole
from kport.cli.sched import SCHEDULERS

if TYPE_CHECKING:
    from kport.explore import Failure, Result
    from kport.museum.campaign import Campaign
    from kport.museum.library import Entry

_EXAMPLES = """\
SCENARIO is a name of the library (--list), gen:SEED for one that is made up, or
FILE.py:FUNCTION. A function with a parameter gets a booted kernel; one without
returns functions that run at once.

strategies:
  random[:TURN]         a random walk with turns of so many steps
  pct[:DEPTH]           random priorities, for bugs of that depth
  pos, surw             samples of the orders of conflicting steps
  dfs[:PREEMPTIONS]     all interleavings, those with few preemptions first
  dpor                  one of each order of conflicting steps

examples:
  kport explore two-jobs --strategy pct:3 --schedules 20000
  kport explore my.py:storm --strategy dpor
  kport explore R01 --json | jq -r '.[].failures[].token'
  kport explore --generate --seconds 600 --sched v6_1

--generate makes up a scenario from --seed, explores it (--schedules, default
200), and goes on with the next seed for --seconds (default 60). A scenario that
breaks is explored again, five times as long, with the mends of all findings
(kport museum F01...): what is over then was known, what is left is told.

exit codes: 0 nothing went wrong, 1 something did, 2 bad input, 130 Ctrl-C.

--json prints an array with an object for each scenario: scenario, strategy,
seed, sched, schedules, seconds, rate, distinct, points, pruned, exhausted (what
is proved, or ""), instructions, unseen (members shared by plain accesses, which
were no points), known (races that the kernel is known to have, with in how many
schedules), and failures, each with kind, headline, report, token, schedule
(the number of the execution), steps, turns, repeated and cause.
"""


def parser() -> Parser:
    """The options."""
    p = Parser(prog="kport explore", description=__doc__, epilog=_EXAMPLES)
    add = p.add_argument
    add("scenarios", nargs="*", metavar="SCENARIO", help="what to run")
    add("--list", action="store_true", help="print the scenarios of the library")
    add("--generate", action="store_true", help="make up scenarios, explore each, go on")
    add("--strategy", default="random", help="how schedules are chosen, default: random")
    add("--schedules", metavar="N", type=whole(1), help="at most; default: 1000 without --seconds")
    add("--seconds", metavar="S", type=real(0), help="wall time at most, for each scenario")
    add("--seed", metavar="N", type=whole(0, (1 << 64) - 1), default=0, help="default: 0")
    add("--sched", choices=SCHEDULERS, help="of which kernel, default: v7_2")
    add("--check", metavar="NAMES", type=checks, help="what watches: all, lockdep,races, ...")
    add("--points", choices=("sync", "plain"), help="plain: plain accesses are points, too")
    add("--memory", choices=("sc", "tso", "lkmm"), help="memory model, default: sc")
    add("--keep-going", action="store_true", help="collect failures of different causes")
    add("--jobs", metavar="K", type=whole(1, 256), default=1, help="processes, default: 1")
    add("--dask", metavar="ADDRESS", help="on a Dask cluster; the extra cluster has what it needs")
    add("--json", action="store_true", help="print one JSON array")
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code. Raises UsageError."""
    options = parser().parse_args(arguments)
    from kport.museum.library import LibraryError, find, names

    if options.list:
        _list([find(name) for name in names()], options.json)
        return 0
    if options.generate:
        if options.scenarios:
            raise UsageError("--generate makes up its scenarios: it takes none")
        return _generate(options)
    if not options.scenarios:
        raise UsageError("no scenario; kport explore --list prints those of the library")
    try:
        entries = [find(name) for name in options.scenarios]
    except LibraryError as error:
        raise UsageError(str(error)) from None
    results = []
    for entry in entries:
        result = _explore(entry, options)
        results.append(result)
        if not options.json:
            _print(result, options)
    if options.json:
        print(json.dumps([result.to_json() for result in results], indent=2))
    return 1 if any(result.failures for result in results) else 0


def _generate(options: argparse.Namespace) -> int:
    """Explore made-up scenarios. Raises UsageError."""
    from kport.museum.campaign import campaign

    with _Told("made up") as told:
        try:
            found = campaign(
                seconds=options.seconds or 60.0,
                schedules=options.schedules or 200,
                seed=options.seed,
                strategy=options.strategy,
                sched=options.sched or "v7_2",
                check=options.check or (),
                memory=options.memory or "sc",
                plain=options.points == "plain",
                progress=told.scenarios,
            )
        except ValueError as error:
            raise UsageError(f"{error}; see kport explore --help") from None
    if options.json:
        print(json.dumps(found.to_json(), indent=2))
        return 1 if found.failures else 0
    from kport.museum.library import find

    for failure in found.failures:
        print(find(failure.token.split("~")[0]).text)
        print()
        _print_failure(failure)
    for failure in found.known:
        print(f"known: {failure.headline}")
        print(f"       kport replay {failure.token}")
    _print_known(found.races)
    print(
        f"{found.scenarios:,} scenarios, {found.schedules:,} schedules in {found.seconds:.1f} s "
        f"({found.rate:,.0f}/s); {found.strategy}, seeds {found.seed} to "
        f"{found.seed + found.scenarios - 1}, {found.sched}"
    )
    print(
        f"  {found.broken} break as they stand; not known: {len(found.failures) or 'none'}"
    )
    return 1 if found.failures else 0


def _list(entries: list[Entry], as_json: bool) -> None:
    if as_json:
        print(json.dumps([{"name": e.name, "text": e.text} for e in entries], indent=2))
        return
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        print(f"{entry.name:{width}}  {entry.text}")


def _explore(entry: Entry, options: argparse.Namespace) -> Result:
    """One scenario. Raises UsageError for options that do not fit it."""
    from kport.explore import cover, explore
    from kport.explore.jobs import LostWorker, explore_jobs
    from kport.museum.library import find

    boot: dict[str, Any] = {
        "sched": options.sched or entry.sched,
        "check": options.check if options.check is not None else list(entry.check),
        "memory": options.memory or entry.memory,
        "plain": options.points == "plain" if options.points else entry.plain,
    }
    how: dict[str, Any] = {
        "strategy": options.strategy,
        "seed": options.seed,
        "keep_going": options.keep_going,
        "schedules": options.schedules or (None if options.seconds else 1000),
        "seconds": options.seconds,
    }
    try:
        with _Told(entry.name) as told:
            if options.dask:
                from kport.explore.cluster import explore_cluster

                result = explore_cluster(
                    find, entry.name, options.dask, progress=told, **how, **boot
                )
            elif options.jobs > 1:
                result = explore_jobs(
                    find, entry.name, options.jobs, progress=told, **how, **boot
                )
            else:
                with entry.stage():
                    result = explore(
                        entry.scenario, name=entry.name, progress=told, **how, **boot
                    )
    except ValueError as error:
        raise UsageError(f"{error}; see kport explore --help") from None
    except LostWorker as error:
        raise UsageError(str(error)) from None
    with entry.stage():
        cover(entry.scenario, result, **boot)
    return result


class _Told:
    """How far it is, on a terminal; elsewhere nothing. A context manager that wipes it away."""

    PERIOD = 0.2

    def __init__(self, name: str) -> None:
        self._name = name
        self._on = sys.stderr.isatty()
        self._last = 0.0
        self._drawn = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            sys.stderr.write("\r" + " " * self._drawn + "\r")
            sys.stderr.flush()

    def __call__(self, result: Result) -> None:
        self._draw(
            f"{self._name}: {result.schedules:,} schedules, {result.rate:,.0f}/s, "
            f"{result.distinct:,} distinct, {len(result.failures)} failures"
        )

    def scenarios(self, found: Campaign) -> None:
        """The same of a search over made-up scenarios."""
        self._draw(
            f"{found.scenarios:,} scenarios, {found.schedules:,} schedules, {found.rate:,.0f}/s, "
            f"{found.broken} break, {len(found.failures)} not known"
        )

    def _draw(self, text: str) -> None:
        now = monotonic()
        if not self._on or now - self._last < self.PERIOD:
            return
        self._last = now
        text = text[:79]
        sys.stderr.write("\r" + text.ljust(self._drawn))
        sys.stderr.flush()
        self._drawn = len(text)


# -- what is printed -------------------------------------------------------------------------------


def _print(result: Result, options: argparse.Namespace) -> None:
    for failure in result.failures:
        _print_failure(failure)
    many = "schedule" if result.schedules == 1 else "schedules"
    print(
        f"{result.scenario}: {result.schedules:,} {many} in {result.seconds:.1f} s "
        f"({result.rate:,.0f}/s), {result.distinct:,} distinct, {result.points:,.0f} points each; "
        f"{result.strategy}, seed {result.seed}, {result.sched}"
    )
    if result.exhausted:
        what = "plain accesses are points" if options.points == "plain" else "at instructions"
        print(f"  exhausted: {result.exhausted}, {what}")
    if result.pruned:
        print(f"  {result.pruned:,} of them were left early: they only repeat others")
    if result.instructions:
        print(f"  points: {len(result.instructions)} kinds of instructions that synchronise")
    if result.unseen:
        shown = ", ".join(result.unseen[:6]) + (", ..." if len(result.unseen) > 6 else "")
        print(
            f"  no points: plain accesses to {len(result.unseen)} members that tasks share "
            f"({shown}); --points plain has them"
        )
    _print_known(result.known)
    count = len(result.failures)
    print(f"  {count or 'no'} failure{'' if count == 1 else 's'}")


def _print_known(races: Mapping[str, int]) -> None:
    for title, count in sorted(races.items()):
        many = "schedule" if count == 1 else "schedules"
        print(f"  a known race of the kernel, in {count:,} {many}: {title}")


def _print_failure(failure: Failure) -> None:
    if not failure.repeated:
        print("this did not come again when the same schedule was run:")
    print(failure.report)
    print()
