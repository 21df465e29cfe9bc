# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What each command does: the functions behind the command line in cli.py."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator

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


def run_check(options: argparse.Namespace) -> int:
    """Print the findings; 1 if there are any."""
    project = Project()
    texts = Texts(project, options.kernel)
    if texts.named:
        texts.tree(texts.named)
    findings = list(check(project, texts))
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} finding{'s' * (len(findings) > 1)}", file=sys.stderr)
        return 1
    return 0


def run_baseline(options: argparse.Namespace) -> int:
    """Make the facts of the C from a kernel tree."""
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
    try:
        out.write_text(facts.dumps(found), encoding="utf-8")
    except OSError as error:
        raise CdiffError(f"{out}: {error.strerror}; name another file") from None
    count = sum(len(file.functions) for file in found.files.values())
    print(f"{out}: {len(found.files)} files, {count} functions of Linux {linux}")
    return 0


def run_accept(options: argparse.Namespace) -> int:
    """Pin the tagged differences."""
    project = Project()
    for name in options.names:
        project.find(name)
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


def run_sources(options: argparse.Namespace) -> int:
    """List, or write, the C positions of the docstrings."""
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


def run_linemap(options: argparse.Namespace) -> int:
    """Print, or write, the line map."""
    project = Project()
    if options.write:
        linemap.write(project)
        print(linemap.PATH)
    else:
        print(linemap.dumps(linemap.build(project)), end="")
    return 0


def run_summary(options: argparse.Namespace) -> int:
    """Print how much is ported and equal."""
    made = summary.summary(Project(), options.names)
    if options.json:
        print(json.dumps(made, indent=1))
    else:
        print("\n".join(summary.table(made)))
    return 0


def run_drift(options: argparse.Namespace) -> int:
    """Print what changes between two kernels."""
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


def run_unported(options: argparse.Namespace) -> int:
    """Print what is left out."""
    for line in listings.unported(Project()):
        print(line)
    return 0


def run_undef(options: argparse.Namespace) -> int:
    """Print the symbols that the port does not define."""
    for symbol, users in listings.undef(Project(), options.all):
        more = f" and {len(users) - 3} more" if len(users) > 3 else ""
        print(f"{symbol:32} {len(users):4}  {', '.join(users[:3])}{more}")
    return 0


def run_traps(options: argparse.Namespace) -> int:
    """Print the traps."""
    for line in listings.traps(Project()):
        print(line)
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Print functions side by side, or write a page of them."""
    project = Project()
    texts = Texts(project, options.kernel)
    found = [
        pair
        for name in options.names
        for pair in project.select(name)
        if texts.named in ("", pair.file.version)
    ]
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


def _progress(done: int, count: int) -> None:
    """Where a long run stands, on a terminal."""
    if sys.stderr.isatty() and (done % 100 == 0 or done == count):
        print(f"\r{done} of {count}", end="\n" if done == count else "", file=sys.stderr)


def run_mutants(options: argparse.Namespace) -> int:
    """Make mutants of the port; 1 if one is not found."""
    project = Project()
    files = summary.select(project, options.names)
    made = mutants.run(project, files, options.count, options.seed, _progress)
    for kind, count in sorted(made.made.items()):
        missed = sum(mutant.kind == kind for mutant in made.survivors)
        print(f"{kind:34} {count:6} made, {count - missed:6} found")
    for mutant in made.survivors:
        print(f"not found: {mutant}")
    print(f"{made.made.total()} made, {made.made.total() - len(made.survivors)} found")
    return 1 if made.survivors else 0
