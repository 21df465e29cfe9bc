# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport compare-eras`: what two schedulers do otherwise, shown by running both."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import kport
from kport.arch.virt import Virt
from kport.cli.checks import add_check, checked, tell
from kport.cli.inputs import refuse_recording
from kport.cli.interrupt import StopOnInterrupt
from kport.cli.options import Parser, UsageError, real, whole
from kport.cli.sched import SCHEDULERS
from kport.cli.table import number, table
from kport.cli.terminal import Bar, Style, width
from kport.workload.builtin import builtin_workloads
from kport.workload.wsim.load import load_workload

if TYPE_CHECKING:
    from kport.workload.eras.meter import Measured
    from kport.workload.eras.probe import Finding
    from kport.workload.player.plan import Plan

SECONDS = 1.0
ROWS = 16  # clients in the table
_EPILOG = """\
WORKLOAD is a .wsim file or its text, as for kport run -w; without one the
desktop of kport run plays. It and some 25 probes, each a few jobs that make one
difference visible, run on both schedulers, on the machine virt: time is
virtual, and a seed gives the same figures again. What is printed of a scheduler
is what it did; where both did the same, that is said and not counted. 7.2 has
its default policy, FIFO; older schedulers take turns.

--sched takes two of v6_1, v3_2023 (as proposed in 2023) and v7_2.

--json prints one object; its keys are stable, new ones may come:
    scheds       ["v6_1", "v7_2"]
    machine      "virt"
    seed         number
    seconds      of the workload, in virtual time
    differences  number of findings that differ
    findings     [{name, source, scene, differs, why, seen}]
    results      [of each scheduler what kport run --json prints]
    reports      [text], of what --check watches
    interrupted  true after Ctrl-C
source is "probe" or "workload"; why is a sentence, "" where nothing differs;
seen has for each scheduler {sched, text, facts, where, problems}: text as it is
printed, facts it was made of, where {version, file, line, function} the reason
stands in C (line 0: in no released kernel), problems what the kernel complained
of or leaked that does not belong to it.

Exit codes: 0; 1 if a kernel warned or leaked where it should not; 2 for bad
input; 130 after Ctrl-C, which prints what was found.
"""


def parser() -> Parser:
    """The parser of the command's options."""
    p = Parser(
        prog="kport compare-eras",
        usage="kport compare-eras [options] [WORKLOAD]",
        description="Run two schedulers side by side and print what they do otherwise, and why.",
        epilog=_EPILOG,
    )
    add = p.add_argument
    add("workload", nargs="?", metavar="WORKLOAD", help="a .wsim workload, else a desktop")
    names = tuple(SCHEDULERS)
    add("--sched", nargs=2, choices=names, metavar=("A", "B"), default=["v6_1", "v7_2"],
        help="which two, default: v6_1 v7_2")  # fmt: skip
    add("-c", metavar="N", type=whole(1, 100), default=1, help="clients of the workload")
    seconds = real(0, 1e4)
    add("--seconds", metavar="S", type=seconds, default=SECONDS, help="virtual time, default: 1")
    add("--seed", metavar="N", type=whole(0), default=0, help="of the machine virt, default: 0")
    add_check(p)
    add("--json", action="store_true", help="print one JSON object instead of text")
    return p


class _Comparison:
    """What has been found so far."""

    def __init__(self, options: argparse.Namespace, plans: Sequence[Plan]) -> None:
        self.options = options
        self.scheds: tuple[str, str] = tuple(options.sched)
        self.plans = plans
        self.runs: list[Measured] = []
        self.probed: list[Finding] = []
        self.measured: list[Finding] = []
        self.interrupted = False

    def run(self, bar: Bar, interrupts: StopOnInterrupt) -> None:
        """Play the workload and run the probes, until all is done or Ctrl-C."""
        from kport.workload.eras.meter import findings, measure
        from kport.workload.eras.probe import compare
        from kport.workload.eras.probes import PROBES

        stop = interrupts.stop
        for place, plan in enumerate(self.plans):

            def progress(done: int, total: int, place: int = place) -> None:
                bar(done + place * total, 2 * total)

            self.runs.append(measure(plan, Virt(seed=self.options.seed), progress, stop))
            if stop.is_set():
                break
        else:
            self.measured = findings(self.runs)
        for probe in PROBES:
            if stop.is_set():
                break
            self.probed.append(compare(probe, self.scheds, self.options.seed))
        self.interrupted = stop.is_set()

    @property
    def findings(self) -> list[Finding]:
        """All of them."""
        return self.probed + self.measured

    @property
    def different(self) -> list[Finding]:
        """Those that differ."""
        return [finding for finding in self.findings if finding.differs]

    @property
    def problems(self) -> Iterator[str]:
        """What went wrong, a line each."""
        for run in self.runs:
            for text in run.problems:
                yield f"workload on {run.meter.sched}: {text}"
        for finding in self.findings:
            for text in finding.problems:
                yield f"{finding.name} on {text}"


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code. Raises InputError and UsageError."""
    options = parser().parse_args(arguments)
    if options.sched[0] == options.sched[1]:
        raise UsageError(f"--sched {' '.join(options.sched)} is one scheduler; name two")
    comparison = _Comparison(options, [_plan(options, sched) for sched in options.sched])
    with StopOnInterrupt() as interrupts:
        try:
            with checked(options.check) as found, Bar(sys.stderr) as bar:
                comparison.run(bar, interrupts)
        except kport.KernelOops as oops:
            tell([report.text for report in found])
            print(oops.report, file=sys.stderr)
            return 1
        interrupts.leaving = comparison.interrupted
        reports = [report.text for report in found]
        if options.json:
            print(json.dumps(_to_json(comparison) | {"reports": reports}, indent=2))
        else:
            print("\n".join(_report(comparison, width(sys.stdout), Style(sys.stdout))))
        sys.stdout.flush()
        for problem in comparison.problems:
            print(f"kport: {problem}", file=sys.stderr)
        told = tell(reports)
    if comparison.interrupted:
        return 130
    return 1 if told or any(comparison.problems) else 0


def _plan(options: argparse.Namespace, sched: str) -> Plan:
    """The workload on a scheduler. Raises InputError."""
    from kport.workload.player.plan import Plan

    policy = "fifo" if sched == "v7_2" else "rr"
    plan = Plan(policy=policy, sched=sched, repeat=None, seconds=options.seconds)
    given = [options.workload] if options.workload is not None else builtin_workloads()
    for path in given:
        refuse_recording(path)
        plan.add(load_workload(path, []), copies=options.c)
    return plan


# -- output --------------------------------------------------------------------------------------


def _report(comparison: _Comparison, columns: int, style: Style) -> list[str]:
    from kport.workload.eras.probe import LABELS

    first, second = comparison.scheds
    lines = [f"{SCHEDULERS[first]} beside {SCHEDULERS[second]}"]
    options = comparison.options
    lines += [f"machine virt, seed {options.seed}; the workload for {options.seconds:g} s", ""]
    count = 0
    for head, found in (("probes", comparison.probed), ("workload", comparison.measured)):
        differing = [finding for finding in found if finding.differs]
        if differing:
            lines += [style(head, "bold"), ""]
        for finding in differing:
            count += 1
            lines += [*_finding(count, finding, columns, style), ""]
    same = [finding for finding in comparison.findings if not finding.differs]
    if same:
        lines += [style("the same rule on both, not counted", "bold"), ""]
        for finding in same:
            texts = "; ".join(dict.fromkeys(seen.text for seen in finding.seen))
            lines += _filled("  ", f"{finding.name}: {texts}", columns, 4)
        lines.append("")
    if len(comparison.runs) == 2:
        labels = [LABELS[run.meter.sched] for run in comparison.runs]
        lines += [*_clients(comparison.runs, labels, columns, style), ""]
    ending = "; interrupted" if comparison.interrupted else ""
    lines.append(f"{count} differences, {len(same)} the same{ending}")
    return lines


def _filled(lead: str, text: str, columns: int, indent: int = 9) -> list[str]:
    """Lines of a text behind a lead; those after the first are indented."""
    return wrap(
        text,
        columns,
        initial_indent=lead,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )


def _finding(count: int, finding: Finding, columns: int, style: Style) -> list[str]:
    from kport.workload.eras.probe import LABELS

    name, *scene = _filled(f"{count:2} ", f"{finding.name}: {finding.scene}", columns, 3)
    lines = [style(name, "bold"), *scene]
    for seen in finding.seen:
        lines += _filled(f"   {LABELS[seen.sched]:>4}  ", seen.text, columns)
    lines += _filled("    why  ", finding.why, columns)
    for lead, seen in zip(("    see  ", "         "), finding.seen, strict=True):
        lines.append(style(f"{lead}{LABELS[seen.sched]:<4} {seen.where}", "dim"))
    return lines


def _clients(
    runs: Sequence[Measured], labels: Sequence[str], columns: int, style: Style
) -> list[str]:
    """The table of what the clients of the workload felt."""
    headers = ["client", *(f"{what} {label}" for what in ("/s", "late", "p99 ms")
               for label in labels)]  # fmt: skip
    rows = []
    for pair in zip(*(run.result.clients for run in runs), strict=True):
        row = [pair[0].name]
        row += [number(client.per_s) for client in pair]
        row += [str(client.dropped) if client.periods else "-" for client in pair]
        row += [number(client.latency_ms.p99) for client in pair]
        rows.append(row)
    lines = table("clients of the workload", headers, rows[:ROWS], columns, style)
    if len(rows) > ROWS:
        lines.append(f"and {len(rows) - ROWS} more: --json has all")
    return lines


def _to_json(comparison: _Comparison) -> dict[str, Any]:
    return {
        "scheds": list(comparison.scheds),
        "machine": "virt",
        "seed": comparison.options.seed,
        "seconds": comparison.options.seconds,
        "differences": len(comparison.different),
        "findings": [
            *(_finding_to_json("probe", finding) for finding in comparison.probed),
            *(_finding_to_json("workload", finding) for finding in comparison.measured),
        ],
        "results": [run.result.to_json() for run in comparison.runs],
        "interrupted": comparison.interrupted,
    }


def _finding_to_json(source: str, finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.name,
        "source": source,
        "scene": finding.scene,
        "differs": finding.differs,
        "why": finding.why,
        "seen": [
            {
                "sched": seen.sched,
                "text": seen.text,
                "facts": seen.facts,
                "where": {
                    "version": seen.where.version,
                    "file": seen.where.file,
                    "line": seen.where.line,
                    "function": seen.where.function,
                },
                "problems": seen.problems,
            }
            for seen in finding.seen
        ],
    }
