# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What each command does."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.cdiff import (
    accepted,
    drift,
    html,
    linemap,
    listings,
    mutants,
    show,
    sources,
    summary,
)
from tools.cdiff.check import check
from tools.cdiff.compare import Row
from tools.cdiff.config import BASELINES
from tools.cdiff.errors import CdiffError
from tools.cdiff.project import Project
from tools.cdiff.pysource import PyFile
from tools.cdiff.texts import Texts


def _check(options: argparse.Namespace) -> int:
    project = Project()
    texts = Texts(project, options.kernel)
    if options.kernel is not None:
        for version in sorted({file.version for file in project.files.values()}):
            texts.tree(version)
    findings = list(check(project, texts))
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} findings", file=sys.stderr)
        return 1
    return 0


def _baseline(options: argparse.Namespace) -> int:
    try:
        from tools.cdiff import facts, tree
    except ImportError:
        raise CdiffError("tree-sitter is missing: pip install -e '.[cdiff]'") from None
    project = Project()
    linux = tree.version(options.kernel)
    baseline = project.port.by_version(linux)
    if baseline is None:
        known = ", ".join(item.linux for item in project.port.baselines.values())
        raise CdiffError(f"{options.kernel}: is Linux {linux}; port.toml knows {known}")
    files = [file for file in project.files.values() if file.version == linux]
    paths = list(dict.fromkeys(path for file in files for path in file.sources))
    ported = frozenset(name for file in files for name in file.functions)
    made = tree.Tree(options.kernel, project.port, paths, baseline.headers)
    found = tree.facts_of(made, baseline.name, baseline.package, ported)
    out = options.output or BASELINES / f"{baseline.name}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(facts.dumps(found), encoding="utf-8")
    count = sum(len(file.functions) for file in found.files.values())
    print(f"{out}: {len(found.files)} files, {count} functions of Linux {linux}")
    return 0


def _accept(options: argparse.Namespace) -> int:
    project = Project()
    pins: accepted.Pins = {}
    count = 0
    for file in project.files.values():
        kept = project.pins.get(file.path, {})
        made: dict[str, list[str]] = {}
        for name, line, rows in _deviations(project, file):
            if options.names and name not in options.names:
                made[name] = kept.get(name, [])
                continue
            made[name] = [row.pin for row in rows]
            for row in rows:
                if row.pin not in kept.get(name, ()):
                    count += 1
                    at = row.python[0].line if row.python else line
                    print(f"{file.path}:{at}: {name}: {', '.join(sorted(row.tags))}")
        pins[file.path] = made
    accepted.save(pins)
    print(f"{count} deviations accepted")
    return 0


def _deviations(project: Project, file: PyFile) -> Iterator[tuple[str, int, list[Row]]]:
    """(name, line, rows that can be pinned) of all that a file has."""
    for pair in project.pairs(file):
        rows = [row for row in project.compare(pair).rows if row.pinnable]
        yield pair.function.name, pair.function.line, rows
    for function, row in project.added(file):
        yield function.name, function.line, [row]
    for label, _, row in project.parts(file):
        yield label, row.python[0].line, [row] if row.pinnable else []


def _sources(options: argparse.Namespace) -> int:
    project = Project()
    count = 0
    for file in project.files.values():
        if options.fix:
            count += sources.fix(project, file)
            continue
        for pair, _ in sources.wrong(project, file):
            count += 1
            print(f"{file.path}:{pair.function.line}: {sources.expected(pair)}")
    print(f"{count} docstrings {'fixed' if options.fix else 'without their source'}")
    return 1 if count and not options.fix else 0


def _linemap(options: argparse.Namespace) -> int:
    project = Project()
    if options.write:
        linemap.write(project)
        print(linemap.PATH)
    else:
        print(linemap.dumps(linemap.build(project)), end="")
    return 0


def _summary(options: argparse.Namespace) -> int:
    made = summary.summary(Project(), options.names)
    if options.json:
        print(json.dumps(made, indent=1))
    else:
        print("\n".join(summary.table(made)))
    return 0


def _drift(options: argparse.Namespace) -> int:
    project = Project()
    sets = project.port.drift
    if options.set not in sets:
        raise CdiffError(
            f"{options.set}: no set of files in port.toml; there is: {', '.join(sets)}"
        )
    made = drift.drift(project, options.a, options.b, sets[options.set])
    if options.json:
        print(json.dumps(drift.as_json(project, made), indent=1))
    else:
        for line in drift.lines(project, made, options.set):
            print(line)
    return 0


def _unported(options: argparse.Namespace) -> int:
    for line in listings.unported(Project()):
        print(line)
    return 0


def _undef(options: argparse.Namespace) -> int:
    missing = 0
    for symbol, users, ported in listings.undef(Project(), options.all):
        missing += ported
        more = f" and {len(users) - 3} more" if len(users) > 3 else ""
        print(f"{symbol:32} {len(users):4}  {', '.join(users[:3])}{more}")
    return 0


def _traps(options: argparse.Namespace) -> int:
    for line in listings.traps(Project()):
        print(line)
    return 0


def _show(options: argparse.Namespace) -> int:
    project = Project()
    texts = Texts(project, options.kernel)
    found = [pair for name in options.names for pair in project.select(name)]
    views = [show.view(project, pair, texts) for pair in found]
    if options.html is not None:
        try:
            options.html.write_text(html.page(views), encoding="utf-8")
        except OSError as error:
            raise CdiffError(f"{options.html}: {error.strerror}; name another file") from None
        print(f"{options.html}: {len(views)} functions")
        return 0
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for made in views:
        for line in show.text_lines(made, colour):
            print(line)
    print(show.legend())
    return 0


def _mutants(options: argparse.Namespace) -> int:
    project = Project()
    files = summary.select(project, options.names)
    made = mutants.run(project, files, options.count, options.seed)
    for kind, count in sorted(made.made.items()):
        missed = sum(mutant.kind == kind for mutant in made.survivors)
        print(f"{kind:34} {count:6} made, {count - missed:6} found")
    for mutant in made.survivors:
        print(f"not found: {mutant}")
    print(f"{made.made.total()} made, {made.made.total() - len(made.survivors)} found")
    return 1 if made.survivors else 0


def parser() -> argparse.ArgumentParser:
    """The command line of cdiff."""
    made = argparse.ArgumentParser(
        prog="cdiff", description="Compares the port with the C, statement by statement."
    )
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("check", help="fail on everything that differs from the C untold")
    one.add_argument("--kernel", type=Path, metavar="DIR", help="also verify the tree's files")
    one.set_defaults(run=_check)

    one = commands.add_parser("baseline", help="make the facts of the C from a kernel tree")
    one.add_argument("--kernel", type=Path, metavar="DIR", required=True)
    one.add_argument("--output", type=Path, metavar="FILE", help="default: tools/cdiff/baseline")
    one.set_defaults(run=_baseline)

    one = commands.add_parser("sources", help="the C position at the end of each docstring")
    one.add_argument("--fix", action="store_true", help="write what is missing or wrong")
    one.set_defaults(run=_sources)

    one = commands.add_parser("linemap", help="Python line to C line, as JSON")
    one.add_argument("--write", action="store_true", help=f"write {linemap.PATH}")
    one.set_defaults(run=_linemap)

    one = commands.add_parser("summary", help="per file: functions ported, statements equal")
    one.add_argument("names", nargs="*", metavar="FILE", help="part of a path; default: all")
    one.add_argument("--json", action="store_true")
    one.set_defaults(run=_summary)

    one = commands.add_parser("show", help="functions in C and in Python, side by side")
    one.add_argument("names", nargs="+", metavar="FUNCTION", help="or the path of a ported file")
    one.add_argument("--kernel", type=Path, metavar="DIR", help="for the C text on the left")
    one.add_argument("--html", type=Path, metavar="FILE", help="write a page instead")
    one.set_defaults(run=_show)

    one = commands.add_parser("drift", help="what changes between two kernels")
    one.add_argument("a", metavar="A", help="a kernel tree, or a baseline by name or file")
    one.add_argument("b", metavar="B")
    one.add_argument("--set", default="scheduler", help="the files to look at, from port.toml")
    one.add_argument("--json", action="store_true")
    one.set_defaults(run=_drift)

    one = commands.add_parser("unported", help="what is left out of the C, and why")
    one.set_defaults(run=_unported)

    one = commands.add_parser("undef", help="symbols the C uses and the port has not")
    one.add_argument("--all", action="store_true", help="of functions that are left out, too")
    one.set_defaults(run=_undef)

    one = commands.add_parser("traps", help="where a plain translation is silently wrong")
    one.set_defaults(run=_traps)

    one = commands.add_parser("mutants", help="does cdiff find small errors in the port?")
    one.add_argument("names", nargs="*", metavar="FILE", help="part of a path; default: all")
    one.add_argument("--count", type=int, default=1000, metavar="N")
    one.add_argument("--seed", type=int, default=0, metavar="N")
    one.set_defaults(run=_mutants)

    one = commands.add_parser("accept", help="note that tagged differences were reviewed")
    one.add_argument("names", nargs="*", metavar="FUNCTION", help="default: all")
    one.set_defaults(run=_accept)
    return made
