# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport conform`: run scenarios of the kernel itself on the port, and compare."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from kport.cli.checks import add_check, checked, tell
from kport.cli.options import Parser, UsageError, whole
from kport.cli.terminal import Bar, Style, width
from kport.workload.errors import InputError

if TYPE_CHECKING:
    from kport.kunit.conform.compare import Difference
    from kport.kunit.conform.record import Scenario

_EPILOG = """\
FILE holds scenarios that ran on the real scheduler: JSON lines, plain, .gz or
.xz, - for standard input. Each scenario runs in a kernel of its own, on the
machine virt, under the policy it was recorded with.

    kport conform tests/data/conformance/linux-7.2-*.jsonl.xz
    kport conform FILE --id '*timeout*'

Events must be the same in the same order, states the same in every field.
Between two lists of events: | another event, < only the kernel had it, > only
the port had it.

--json prints one object:
    files [{file, scenarios, same, different [...]}]
    reports [text], of what --check watches
    different [{id, line, doc, policy, kind, index, op, kernel, port, fields,
                state, why}]
kind is events, state or stopped (why says why); index counts operations from
0; kernel and port are the events of operation op; fields [[thing, field,
kernel, port]] what differs in the state; state is the port's after op.

Exit codes: 0; 1 if a scenario differs or --check found something new; 2 for bad
input.
"""


class Verdict:
    """A file, how many of its scenarios ran, and those that differ."""

    def __init__(self, path: str, scenarios: Sequence[Scenario]) -> None:
        self.path = path
        self.scenarios = scenarios
        self.different: list[Difference] = []

    @property
    def same(self) -> int:
        """How many scenarios are the same."""
        return len(self.scenarios) - len(self.different)


def parser() -> Parser:
    """The parser of the command's options."""
    p = Parser(
        prog="kport conform",
        usage="kport conform [options] FILE...",
        description="Run scenarios of the kernel itself on the port, and compare exactly.",
        epilog=_EPILOG,
    )
    add = p.add_argument
    add("files", nargs="+", metavar="FILE", help="scenarios and what the kernel did")
    add("--policy", choices=("rr", "fifo", "fair"), help="instead of the recorded one")
    add("--id", metavar="GLOB", help="only scenarios whose id matches")
    add("--reports", metavar="N", type=whole(0), default=5, help="differences shown; default: 5")
    add_check(p)
    add("--json", action="store_true", help="print one JSON object instead of text")
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code. Raises InputError and UsageError."""
    options = parser().parse_args(arguments)
    verdicts = _load(options.files, options.id)
    with checked(options.check) as found:
        _run(verdicts, options.policy)
    reports = [report.text for report in found]
    if options.json:
        files = [_to_json(verdict) for verdict in verdicts]
        print(json.dumps({"files": files, "reports": reports}, indent=2))
    else:
        _show(verdicts, options.reports)
    sys.stdout.flush()
    told = tell(reports)
    return 1 if told or any(verdict.different for verdict in verdicts) else 0


def _load(paths: Sequence[str], glob: str | None) -> list[Verdict]:
    """The scenarios of all files, before any of them runs."""
    from kport.kunit.conform.record import RecordError, scenarios

    verdicts, ids = [], []
    try:
        for path in paths:
            found = list(scenarios(path))
            ids += [scenario.id for scenario in found]
            wanted = [s for s in found if glob is None or fnmatchcase(s.id, glob)]
            verdicts.append(Verdict(path, wanted))
    except RecordError as error:
        raise InputError(error.where, error.what, error.remedy) from None
    if not any(verdict.scenarios for verdict in verdicts):
        close = get_close_matches(str(glob).strip("*"), dict.fromkeys(ids), n=3, cutoff=0.3)
        nearest = f"; nearest: {', '.join(close)}" if close else ""
        raise UsageError(f"no scenario matches --id {glob!r}{nearest}")
    return verdicts


def _run(verdicts: Sequence[Verdict], policy: str | None) -> None:
    from kport.kunit.conform.compare import compare

    total = sum(len(verdict.scenarios) for verdict in verdicts)
    done = 0
    with Bar(sys.stderr) as bar:
        for verdict in verdicts:
            for scenario in verdict.scenarios:
                bar(done, total)
                difference = compare(scenario, policy)
                if difference is not None:
                    verdict.different.append(difference)
                done += 1


def _to_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "file": verdict.path,
        "scenarios": len(verdict.scenarios),
        "same": verdict.same,
        "different": [difference.to_json() for difference in verdict.different],
    }


def _show(verdicts: Sequence[Verdict], reports: int) -> None:
    from kport.kunit.conform.report import report, summary

    style = Style(sys.stdout)
    columns = width(sys.stdout)
    differences = [difference for verdict in verdicts for difference in verdict.different]
    for difference in differences[:reports]:
        head, *lines = report(difference, columns)
        print("\n".join([style(head, "bold"), *lines]), end="\n\n")
    for difference in differences[reports:]:
        print(summary(difference))
    for verdict in verdicts:
        total = len(verdict.scenarios)
        name = "standard input" if verdict.path == "-" else PurePath(verdict.path).name
        colour = "red" if verdict.different else "green"
        print(f"{name}: " + style(f"{verdict.same} of {total}", colour))
