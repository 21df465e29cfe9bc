# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport run`: play workloads, or a recording, and print what came of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import kport
from kport.cli.inputs import kind_of, refuse_recording
from kport.cli.interrupt import StopOnInterrupt
from kport.cli.options import Parser, UsageError, real, whole
from kport.cli.terminal import Bar, Style, width
from kport.cli.timing import brisk
from kport.workload.builtin import builtin_workloads
from kport.workload.wsim.load import load_workload

if TYPE_CHECKING:
    from kport.workload.player.plan import Plan
    from kport.workload.result import Result

Runner = Callable[..., "Result"]  # of progress, stop and trace_out

BUILTIN_SECONDS = 5.0
_USAGE = (
    "kport run [options] [-w FILE|TEXT]... [-W FILE|TEXT]\n       kport run [options] RECORDING"
)
_EPILOG = """\
Without -w a set of its own plays for 5 s: a compositor at 60 Hz, a game, a
video player and a compute hog. Compare --policy fifo with --policy fair.

FILE is a .wsim workload of gem_wsim, TEXT the same with commas for newlines:
    kport run -w '1.RCS.500-1000.0.0,1.RCS.2000.-1.1,p.16667' -r 100
Without -r and --seconds each client runs its workload once.

RECORDING is a trace of gpu_scheduler events: ftrace text, trace-cmd report or
perf script, plain, .gz or .xz, - for standard input. It is played in its own
timing and compared with what the kernel did.

--json prints one object:
    jobs {submitted, finished, failed, cancelled}
    rings [{dev, ring, jobs, busy_pct, wait_us {p50, p99, max}, inversions}]
    entities [{context, name, client, ring, jobs, gpu_ms, share_pct, wait_us}]
    clients [{name, elapsed_s, cycles, per_s, periods, dropped, latency_ms}]
    makespan_s, policy, leaks (number), warnings [text], interrupted
    recorded: null, or jobs, rings, entities and makespan_s of the kernel
A wait is from submission to the moment the scheduler runs the job.
inversions: pairs of jobs of a ring that ran in another order than recorded.

Exit codes: 0; 1 if the kernel warned or leaked or a job failed; 2 for bad
input; 130 after Ctrl-C, which prints the figures of what ran.
"""


class _Given(argparse.Action):
    """-w, -W and -p keep their order: -p is for the workloads behind it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        given = [*(namespace.given or []), (option_string, values)]
        namespace.given = given


def parser() -> Parser:
    """The parser of the command's options."""
    p = Parser(
        prog="kport run",
        usage=_USAGE,
        description="Play workloads, or a recording of a real kernel, through the scheduler.",
        epilog=_EPILOG,
    )
    add = p.add_argument
    add("recording", nargs="?", metavar="RECORDING", help="play it, compare with the kernel")
    given = partial(add, action=_Given, dest="given")
    given("-w", metavar="FILE|TEXT", help="a workload; several play together")
    given("-W", metavar="FILE|TEXT", help="the master: the others run as long as it")
    priority = whole(-1023, 1023)
    given("-p", metavar="N", type=priority, help="priority of the workloads behind it")
    add("-a", metavar="FILE|TEXT", action="append", default=[], help="append it to each workload")
    add("-r", metavar="N", type=whole(1), help="iterations of each client")
    add("-c", metavar="N", type=whole(1, 1000), default=1, help="clients of each workload")
    add("-f", metavar="X", type=real(0, 1e6), default=1.0, help="scale the durations of batches")
    add("-F", metavar="X", type=real(0, 1e6), default=1.0, help="scale the delays of d steps")
    add("-I", metavar="SEED", type=whole(-(2**63), 2**63), default=0, help="random seed, else 0")
    add("-S", action="store_true", help="the same random durations in all clients")
    add("--policy", choices=("rr", "fifo", "fair"), default="fifo", help="default: fifo")
    add("--seconds", metavar="S", type=real(0, 1e6), help="end after S seconds of the run's clock")
    add("--scale", metavar="X", type=real(0.01, 1e4), default=1.0, help="slow the clock X times")
    add("--credits", metavar="N", type=whole(1, 2**32 - 1), help="credits of each ring")
    add("--json", action="store_true", help="print one JSON object instead of tables")
    add("--trace-out", metavar="FILE", help="write the run's trace events as ftrace text")
    p.set_defaults(given=None, heading="", notes=[])
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code. Raises InputError and UsageError."""
    options = parser().parse_args(arguments)
    kind = "workload"
    if options.recording is not None:
        kind = kind_of(options.recording)
        if kind == "workload":
            options.given = [*(options.given or []), ("-w", options.recording)]
        else:
            _refuse_workload_options(options)
    run = _recording(options) if kind == "recording" else _workloads(options)
    with StopOnInterrupt() as interrupts:
        try:
            with brisk(), Bar(sys.stderr) as bar:
                result = run(progress=bar, stop=interrupts.stop, trace_out=options.trace_out)
        except kport.KernelOops as oops:
            print(oops.report, file=sys.stderr)
            return 1
        interrupts.leaving = result.interrupted
        return _show(options, result)


def _refuse_workload_options(options: argparse.Namespace) -> None:
    default = parser().parse_args([])
    for name in ("given", "a", "r", "c", "f", "F", "I", "S", "seconds"):
        if getattr(options, name) != getattr(default, name):
            option = {"given": "-w, -W or -p", "seconds": "--seconds"}.get(name, f"-{name}")
            raise UsageError(
                f"{option} is for workloads, and {options.recording} is a recording; "
                "leave one of them out"
            )


# -- workloads -----------------------------------------------------------------------------------


def make_plan(options: argparse.Namespace) -> Plan:
    """What the options ask to be played. Raises InputError and UsageError."""
    from kport.workload.player.plan import Plan

    repeat, seconds = options.r, options.seconds
    options.given = options.given or []
    if not any(option != "-p" for option, _ in options.given):
        options.given += [("-w", path) for path in builtin_workloads()]
        seconds = BUILTIN_SECONDS if repeat is None and seconds is None else seconds
    if repeat is None and seconds is None:
        repeat = 1
    plan = Plan(
        policy=options.policy,
        repeat=repeat,
        seconds=seconds,
        scale=options.scale,
        credits=options.credits,
        duration_scale=options.f,
        delay_scale=options.F,
    )
    masters = sum(option == "-W" for option, _ in options.given)
    if masters > 1:
        raise UsageError("there can be only one master workload; give -W once")
    for path in (*options.a, *(value for option, value in options.given if option != "-p")):
        refuse_recording(path)
    priority = 0
    for option, value in options.given:
        if option == "-p":
            priority = value
            continue
        plan.add(
            load_workload(value, options.a),
            copies=options.c,
            priority=priority,
            background=masters == 1 and option == "-w",
            seed=options.I,
            same_durations=options.S,
        )
    return plan


def _workloads(options: argparse.Namespace) -> Runner:
    plan = make_plan(options)
    from kport.workload.player.play import play

    clients = len(plan.clients)
    length = [f"{plan.seconds:g} s"] if plan.seconds is not None else []
    length += [f"{plan.repeat} x"] if plan.repeat is not None else []
    options.heading = (
        f"drm_sched of Linux 7.2.13, policy {plan.policy}: {clients} "
        f"client{'s' if clients > 1 else ''}, {' or '.join(length)}, seed {options.I}"
    )
    if options.given[-1][0] == "-p":
        options.notes.append("-p changes nothing here: it goes before the -w that it is for")
    return partial(play, plan)


# -- recordings ----------------------------------------------------------------------------------


def _recording(options: argparse.Namespace) -> Runner:
    from kport.workload.recording import load
    from kport.workload.replay import replay

    with Bar(sys.stderr) as bar:
        recording = load(options.recording, bar.count)
    options.heading = f"drm_sched of Linux 7.2.13, policy {options.policy}: {options.recording}"
    return partial(
        replay,
        recording,
        policy=options.policy,
        scale=options.scale,
        credits=options.credits,
    )


# -- output --------------------------------------------------------------------------------------


def _show(options: argparse.Namespace, result: Result) -> int:
    result.warnings += options.notes
    if options.json:
        print(json.dumps(result.to_json(), indent=2))
    else:
        from kport.cli.report import report

        style = Style(sys.stdout)
        print("\n".join(report(options.heading, result, width(sys.stdout), style)))
    sys.stdout.flush()
    if result.interrupted:
        return 130
    return 0 if result.sound else 1
