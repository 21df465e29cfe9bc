# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport run`: play workloads, or a recording, and print what came of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import kport
from kport.cli.checks import add_check, checked, tell
from kport.cli.inputs import kind_of, refuse_recording, refuse_target
from kport.cli.interrupt import StopOnInterrupt
from kport.cli.options import Parser, UsageError, real, whole
from kport.cli.sched import SCHEDULERS, add_options, policy_of
from kport.cli.serve import served
from kport.cli.terminal import Bar, Style, width
from kport.cli.timing import brisk
from kport.workload.builtin import builtin_workloads
from kport.workload.wsim.load import load_workload

if TYPE_CHECKING:
    from kport.workload.player.plan import Plan
    from kport.workload.result import Result

Runner = Callable[..., "Result"]  # of progress, stop and trace_out

BUILTIN_SECONDS = 5.0
_USAGE = """\
kport run [options] [-w FILE|TEXT]... [-W FILE|TEXT]
       kport run [options] RECORDING"""
_EPILOG = """\
Without a workload a set of its own plays for 5 s: a compositor at 60 Hz, a
game, a video player and a compute hog. Compare --policy fifo and --policy fair.

FILE is a .wsim workload of gem_wsim, TEXT the same with commas for newlines:
    kport run -w '1.RCS.500-1000.0.0,1.RCS.2000.-1.1,p.16667' -r 100
Workloads play together. Without -r and --seconds each client runs its workload
once. The options of one letter are those of gem_wsim; they and --seconds are
for workloads only.

RECORDING is a trace of gpu_scheduler events: ftrace text, trace-cmd report or
perf script, plain, .gz or .xz, - for standard input. It is played in its own
timing and compared with what the kernel did. Which of the two a file is, is
told by its content.

--fault lets things go wrong. It is a disaster (hang, flaky-irq, reset-storm,
device-loss), a fault file, or the text of one: ring.at.kind, as in
    kport run --fault 'RCS.20.hang.*,VCS.@1000000.late.5000'
Kinds: hang.us|*[.soft|ring|full|never], fault, swap, lost, late.us,
silent.us|*, dead[.us|*]; at is n, n/k (again every k), @us or @us/us.

--json prints one object; its keys are stable, new ones may come:
    jobs         {submitted, finished, failed, cancelled}
    rings        [{dev, ring, jobs, busy_pct, wait_us, inversions}]
    entities     [{context, name, client, ring, jobs, gpu_ms, share_pct,
                 wait_us}]
    makespan_s   from the first submission to the end of the last job
    sched        "v7_2", "v6_1" or "v3_2023"
    policy       "rr", "fifo" or "fair"
    clients      [{name, elapsed_s, cycles, per_s, periods, dropped,
                 latency_ms}]
    recovery     null, or with --fault {faults, timeouts, soft, ring, full,
                 failed, guilty, lost, resubmitted, device_lost}
    leaks        number of objects, work items and threads left behind
    warnings     [text]
    reports      [text], of what --check watches
    recorded     null, or jobs, rings, entities and makespan_s of the kernel
    interrupted  true after Ctrl-C
wait_us and latency_ms are {p50, p99, max}. A wait is from submission to the
moment the scheduler runs the job. inversions: pairs of jobs of a ring that ran
in another order than recorded; null without a recording.

Exit codes: 0; 1 if the kernel warned or leaked, --check found something new, or
a job failed without --fault; 2 for bad input; 130 after Ctrl-C, which prints
the figures of what ran.
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
    add("files", nargs="*", metavar="RECORDING", help="play it; a workload is taken as with -w")
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
    seed = whole(-(2**63), 2**63 - 1)
    add("-I", metavar="SEED", type=seed, default=0, help="of random durations, default: 0")
    add("-S", action="store_true", help="the same random durations in all clients")
    add_options(p)
    add("--seconds", metavar="S", type=real(0, 1e6), help="end after S seconds of the run's clock")
    scale = real(0.01, 1e4)
    add("--scale", metavar="X", type=scale, default=1.0, help="slow the clock X times, default: 1")
    limit = whole(1, 2**32 - 1)
    add("--credits", metavar="N", type=limit, help="of each ring, else the driver's or recorded")
    add("--fault", metavar="NAME|FILE|TEXT", action="append", default=[], help="what goes wrong")
    add_check(p)
    add("--json", action="store_true", help="print one JSON object instead of tables")
    add("--trace-out", metavar="FILE", help="write the run's trace events as ftrace text")
    add("--serve", metavar="SOCKET", help="let viewers follow: kport monitor --attach SOCKET")
    add("--serve-wait", metavar="S", type=real(0, 1e6), default=0.0,
        help="do not begin before a viewer has come, for S seconds at most")  # fmt: skip
    p.set_defaults(given=None, recording=None, heading="", notes=[], threads=1)
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code. Raises InputError and UsageError."""
    options = parser().parse_intermixed_args(arguments)
    options.given = options.given or []
    _sort_files(options)
    sources = [options.recording] if options.recording else _sources(options)
    if sources.count("-") > 1:
        raise UsageError("standard input can be read only once; give - once")
    if options.trace_out is not None:
        refuse_target(options.trace_out, sources)
    run = _recording(options) if options.recording else _workloads(options)
    with StopOnInterrupt() as interrupts:
        try:
            with (
                checked(options.check) as reports,
                served(options.serve, options.serve_wait),
                brisk(options.threads),
                Bar(sys.stderr) as bar,
            ):
                result = run(progress=bar, stop=interrupts.stop, trace_out=options.trace_out)
        except kport.KernelOops as oops:
            tell([report.text for report in reports])
            print(oops.report, file=sys.stderr)
            return 1
        interrupts.leaving = result.interrupted
        return _show(options, result, [report.text for report in reports])


def _sort_files(options: argparse.Namespace) -> None:
    """A recording among the files is what to play; workloads are taken as with -w."""
    kinds = {path: kind_of(path) for path in options.files}
    if "recording" not in kinds.values():
        options.given += [("-w", path) for path in options.files]
        return
    if len(options.files) > 1:
        raise UsageError(
            f"{' and '.join(options.files[:2])}: one recording is played at a time, and by itself"
        )
    (options.recording,) = options.files
    _refuse_workload_options(options)


def _sources(options: argparse.Namespace) -> list[str]:
    """The files, or texts, of all workloads."""
    workloads = (value for option, value in options.given if option != "-p")
    return [*options.a, *options.fault, *workloads]


def _refuse_workload_options(options: argparse.Namespace) -> None:
    default = parser().parse_args([])
    default.given = []
    for name in ("given", "a", "r", "c", "f", "F", "I", "S", "seconds", "fault"):
        if getattr(options, name) != getattr(default, name):
            option = "-w, -W or -p" if name == "given" else f"-{name}"
            option = f"--{name}" if name in ("seconds", "fault") else option
            raise UsageError(
                f"{option} is for workloads, and {options.recording} is a recording; "
                "leave one of them out"
            )


# -- workloads -----------------------------------------------------------------------------------


def make_plan(options: argparse.Namespace) -> Plan:
    """What the options ask to be played. Raises InputError and UsageError."""
    from kport.workload.faults import load_faults
    from kport.workload.player.plan import Plan

    repeat, seconds = options.r, options.seconds
    if not any(option != "-p" for option, _ in options.given):
        options.given += [("-w", path) for path in builtin_workloads()]
        seconds = BUILTIN_SECONDS if repeat is None and seconds is None else seconds
    if repeat is None and seconds is None:
        repeat = 1
    plan = Plan(
        policy=policy_of(options),
        sched=options.sched,
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
    for path in _sources(options):
        if path not in options.fault:
            refuse_recording(path)
    for path in options.fault:
        plan.faults += load_faults(path)
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

    clients = options.threads = len(plan.clients)
    length = [f"{plan.seconds:g} s"] if plan.seconds is not None else []
    length += [f"{plan.repeat} x"] if plan.repeat is not None else []
    options.heading = (
        f"{SCHEDULERS[plan.sched]}, policy {plan.policy}: {clients} "
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
    name = "standard input" if options.recording == "-" else os.path.basename(options.recording)
    options.heading = f"{SCHEDULERS[options.sched]}, policy {policy_of(options)}: {name}"
    return partial(
        replay,
        recording,
        policy=policy_of(options),
        sched=options.sched,
        scale=options.scale,
        credits=options.credits,
    )


# -- output --------------------------------------------------------------------------------------


def _show(options: argparse.Namespace, result: Result, reports: Sequence[str] = ()) -> int:
    result.warnings += options.notes
    result.reports += reports
    if options.json:
        print(json.dumps(result.to_json(), indent=2))
    else:
        from kport.cli.report import report

        style = Style(sys.stdout)
        print("\n".join(report(options.heading, result, width(sys.stdout), style)))
    sys.stdout.flush()
    told = tell(reports)
    if result.unwritten is not None:
        raise result.unwritten
    if result.interrupted:
        return 130
    return 0 if result.sound and not told else 1
