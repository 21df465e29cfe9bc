# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport stress`: random operations from many threads, watched by all checkers."""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any

from kport.cli.checks import add_check, there_are
from kport.cli.interrupt import StopOnInterrupt
from kport.cli.options import Parser, real, whole
from kport.cli.sched import SCHEDULERS
from kport.cli.terminal import Bar, Style
from kport.cli.timing import brisk

if TYPE_CHECKING:
    from kport.workload.stress.rounds import Outcome, Plan

_EPILOG = """\
Each round is a kernel of its own: some rings with random limits and timeouts,
threads that submit jobs with dependencies, flush, kill, destroy, change
priorities and schedulers, stop and start rings, and hardware that is quick,
slow, hung or faulty. On threads they run in real time, with random delays; on
virt an interleaving is chosen, and the same seed is the same run.

The first thing that breaks ends it: an oops, a report of a checker, a leak, a
warning, a job that is never over; with --keep-going one of each kind is kept.
What is known to break in the kernel itself is kept away from, or counted apart;
--known goes there on purpose.

    kport stress --seconds 60
    kport stress --machine virt --sched v6_1 --seed 7
    kport stress --machine virt --seed 7 --from 123 --rounds 1   that one again

--json prints one object:
    sched, machine, seed, threads, check [name], seconds
    rounds, jobs, timeouts, operations {name: number}
    known    {name: number} of reports of known faults of the kernel
    failures [{round, headline, report, topology, operations [text], times,
             again}]: again is the command that plays this round only
    interrupted

Exit codes: 0; 1 if something broke; 2 for bad input; 130 after Ctrl-C, which
prints what was played.
"""


def parser() -> Parser:
    """The parser of the command's options."""
    p = Parser(
        prog="kport stress",
        usage="kport stress [options]",
        description="Try to break the scheduler: random operations, random delays, all checkers.",
        epilog=_EPILOG,
    )
    add = p.add_argument
    add("--seconds", metavar="S", type=real(0, 1e6), help="end after S seconds; default: 10")
    add("--rounds", metavar="N", type=whole(1), help="end after N rounds")
    add("--threads", metavar="N", type=whole(1, 64), default=6, help="at most; default: 6")
    add("--seed", metavar="N", type=whole(0, 2**63), help="of everything; default: a random one")
    add("--from", metavar="N", type=whole(0), default=0, dest="first", help="begin with round N")
    add("--sched", choices=SCHEDULERS, default="v7_2", help="of which kernel, default: v7_2")
    add("--machine", choices=("threads", "virt"), default="threads", help="default: threads")
    add_check(p, "all")
    add("--known", action="store_true", help="do what is known to break, too")
    add("--keep-going", action="store_true", help="go on when something has broken")
    add("--json", action="store_true", help="print one JSON object instead of text")
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    options = parser().parse_args(arguments)
    if options.seconds is None and options.rounds is None:
        options.seconds = 10.0
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    from kport.workload.stress.rounds import play

    with StopOnInterrupt() as interrupts, brisk(options.threads), Bar(sys.stderr) as bar:
        outcome = play(_plan(options), _progress(options, bar), interrupts.stop.is_set)
        interrupts.leaving = outcome.interrupted
    if options.json:
        print(json.dumps(_to_json(options, outcome), indent=2))
    else:
        _show(options, outcome)
    sys.stdout.flush()
    if outcome.failures:
        return 1
    return 130 if outcome.interrupted else 0


def _plan(options: argparse.Namespace) -> Plan:
    from kport.check.chaos import Chaos
    from kport.workload.stress.rounds import Plan

    return Plan(
        sched=options.sched,
        seed=options.seed,
        threads=options.threads,
        known=options.known,
        check=[*options.check, Chaos(options.seed)],
        machine=_virt if options.machine == "virt" else _threads,
        rounds=options.rounds,
        seconds=options.seconds,
        first=options.first,
        keep_going=options.keep_going,
    )


def _threads(dice: random.Random) -> Any:
    return "threads"


def _virt(dice: random.Random) -> Any:
    """A machine whose threads take turns of a length that is typical of the round."""
    from kport.arch.strategy import RoundRobin
    from kport.arch.virt import Virt

    strategy = RoundRobin(dice.getrandbits(32), dice.choice([2, 5, 12, 40, 100]))
    return Virt(strategy, cpus=dice.choice([1, 2, 4]))


def _progress(options: argparse.Namespace, bar: Bar) -> Callable[[Outcome], None]:
    began = monotonic()

    def progress(outcome: Outcome) -> None:
        if options.seconds is not None:
            bar(int(1000 * (monotonic() - began)), int(1000 * options.seconds))
        else:
            bar(outcome.rounds, options.rounds)

    return progress


def _again(options: argparse.Namespace, number: int) -> str:
    """The command that plays one round."""
    words = [f"kport stress --machine {options.machine} --sched {options.sched}"]
    words += [f"--seed {options.seed} --threads {options.threads} --from {number} --rounds 1"]
    if options.check != there_are():
        words.append(f"--check {','.join(options.check) or 'none'}")
    if options.known:
        words.append("--known")
    return " ".join(words)


def _to_json(options: argparse.Namespace, outcome: Outcome) -> dict[str, Any]:
    failures = [
        asdict(failure) | {"again": _again(options, failure.round)}
        for failure in outcome.failures.values()
    ]
    return {
        "sched": options.sched,
        "machine": options.machine,
        "seed": options.seed,
        "threads": options.threads,
        "check": list(options.check),
        "seconds": round(outcome.elapsed, 3),
        "rounds": outcome.rounds,
        "jobs": outcome.jobs,
        "timeouts": outcome.timeouts,
        "operations": dict(sorted(outcome.operations.items())),
        "known": dict(sorted(outcome.known.items())),
        "failures": failures,
        "interrupted": outcome.interrupted,
    }


def _show(options: argparse.Namespace, outcome: Outcome) -> None:
    from kport.workload.stress.rounds import SHOWN

    style = Style(sys.stdout)
    for failure in outcome.failures.values():
        print(style(failure.headline, "bold", "red"))
        print(failure.report)
        also = f" (and {failure.times - 1} more rounds)" if failure.times > 1 else ""
        print(f"\nround {failure.round}{also}: {failure.topology}")
        left_out = len(failure.operations) - SHOWN
        if left_out > 0:
            print(f"({left_out} operations before these: --json has all)")
        print("\n".join(failure.operations[-SHOWN:]))
        often = "" if options.machine == "virt" else "   (in real time it need not show again)"
        print(f"\nagain: {_again(options, failure.round)}{often}\n")
    watching = ", ".join(options.check) or "nothing"
    print(f"{SCHEDULERS[options.sched]} on {options.machine}, seed {options.seed}, {watching}")
    counts = ", ".join(f"{n:,} {name}" for name, n in sorted(outcome.operations.items()))
    print(f"{outcome.rounds:,} rounds in {outcome.elapsed:.1f} s: {outcome.jobs:,} jobs, "
        f"{outcome.timeouts:,} timeouts")  # fmt: skip
    if counts:
        print(f"operations: {counts}")
    for name, count in sorted(outcome.known.items()):
        print(f"known fault of the kernel: {count} x {name}")

