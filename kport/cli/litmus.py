# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport litmus`: run litmus tests of the kernel's memory model on the machine virt."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kport.cli.options import Parser, UsageError, whole
from kport.cli.terminal import Bar

if TYPE_CHECKING:
    from kport.explore.litmus.program import Program
    from kport.explore.litmus.search import Result

_EPILOG = """\
TEST is the name of a built-in test (with * ? [a-z]), or a .litmus file, or a
folder of them. None is all that is built in: the tests of the kernel's
tools/memory-model/litmus-tests, in a notation of kport's own.
    kport litmus
    kport litmus 'MP*' --memory tso
    kport litmus --kernel ~/linux        the kernel's own files
    kport litmus --show SB+poonceonces   what runs, and how it can end

Each test is searched exhaustively: all interleavings, all stores that a load
can return, all orders of stores. The verdict says whether the test's condition
holds in none, some or all of the executions. Under lkmm each execution is also
held against the axioms of linux-kernel.cat; `refused` counts those they forbid
(the machine should have none).

--json prints one object:
    memory, kernel
    tests [{name, verdict, expected, same, executions, refused, exhausted,
            seconds, ends [{state, times}]}]
expected is what the test's file says, null where it says nothing; same is null
for sc and tso, of which the files do not speak.

Exit codes: 0; 1 if a verdict is not the expected one; 2 for bad input.
"""


def parser() -> Parser:
    """The parser of the command's options."""
    p = Parser(
        prog="kport litmus",
        usage="kport litmus [options] [TEST...]",
        description="Run litmus tests of the kernel's memory model.",
        epilog=_EPILOG,
    )
    add = p.add_argument
    add("tests", nargs="*", metavar="TEST", help="which tests, or files; default: all")
    add("--kernel", metavar="TREE", type=Path, help="a kernel tree: its own test files")
    add("--memory", choices=("sc", "tso", "lkmm"), default="lkmm", help="default: lkmm")
    add("--limit", metavar="N", type=whole(1), default=1_000_000, help="executions of a test")
    add("--list", action="store_true", help="print the names of the tests")
    add("--show", action="store_true", help="print what runs, and every way in which it ends")
    add("--json", action="store_true", help="print one JSON object")
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code. Raises UsageError."""
    options = parser().parse_args(arguments)
    tests = _tests(options)
    if options.list:
        print("\n".join(test.name for test in tests))
        return 0
    return _run(options, tests)


def _tests(options: argparse.Namespace) -> list[Program]:
    from kport.explore.litmus.program import LitmusError

    try:
        return _named(options)
    except LitmusError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from None


def _named(options: argparse.Namespace) -> list[Program]:
    from kport.explore.litmus import catalog
    from kport.explore.litmus.kernel_file import read_file

    if options.kernel is not None:
        folder = options.kernel / "tools/memory-model/litmus-tests"
        if not folder.is_dir():
            raise UsageError(f"{options.kernel}: no kernel tree: it has no {folder.name}")
        known = [read_file(file) for file in sorted(folder.glob("*.litmus"))]
    else:
        known = list(catalog.programs())
    if not options.tests:
        return known
    found: dict[str, Program] = {}
    for name in options.tests:
        path = Path(name)
        if path.is_dir() or path.suffix == ".litmus":
            files = sorted(path.glob("*.litmus")) if path.is_dir() else [path]
            if not files:
                raise UsageError(f"{name}: there is no .litmus file in this folder")
            chosen = [read_file(file) for file in files]
        else:
            chosen = [test for test in known if fnmatchcase(test.name, name)]
        if not chosen:
            near = get_close_matches(name, [test.name for test in known], 3, 0.3)
            remedy = f"the nearest: {', '.join(near)}" if near else "--list prints all"
            raise UsageError(f"no test matches {name!r}; {remedy}")
        found.update((test.name, test) for test in chosen)
    return list(found.values())


def _run(options: argparse.Namespace, tests: list[Program]) -> int:
    from kport.explore.litmus.search import search

    results = []
    with Bar(sys.stderr) as bar:
        for number, test in enumerate(tests):
            bar(number, len(tests))
            results.append(search(test, options.memory, options.limit))
    wrong = [r for r in results if _same(r) is False]
    if options.json:
        print(json.dumps(_to_json(options, results), indent=2))
    else:
        for result in results:
            _print(options, result)
        _summary(options, results, len(wrong))
    return 1 if wrong else 0


def _expected(result: Result) -> str | None:
    sometimes = result.program.sometimes
    return None if sometimes is None else ("Never", "Sometimes")[sometimes]


def _same(result: Result) -> bool | None:
    """Whether the verdict is the expected one; None where nothing is expected."""
    sometimes = result.program.sometimes
    if result.memory != "lkmm" or sometimes is None:
        return None
    return result.sometimes == sometimes


def _print(options: argparse.Namespace, result: Result) -> None:
    if options.show:
        from kport.explore.litmus.tasks import source

        print(f"{result.program.name}\n\n{source(result.program)}")
        for end, times in sorted(result.ends.items()):
            print(f"  {times:6} x  " + " ".join(f"{name}={value}" for name, value in end))
        print()
    notes = []
    if _same(result) is False:
        notes.append(f"expected: {_expected(result)}")
    if result.refused:
        notes.append(f"{sum(result.refused.values())} refused")
    if not result.exhausted:
        notes.append("not exhausted, see --limit")
    print(
        f"{result.verdict:9} {result.executions:7} {1000 * result.seconds:7.1f} ms  "
        f"{result.program.name}" + (f"  ({'; '.join(notes)})" if notes else "")
    )


def _summary(options: argparse.Namespace, results: list[Result], wrong: int) -> None:
    never = sum(not r.sometimes for r in results)
    text = f"{len(results)} tests under {options.memory}: {never} Never, {len(results) - never} not"
    if options.memory == "lkmm":
        text += f"; {wrong} not as expected"
    executions = sum(r.executions for r in results)
    print(f"{text}; {executions} executions in {sum(r.seconds for r in results):.2f} s")


def _to_json(options: argparse.Namespace, results: list[Result]) -> dict[str, Any]:
    return {
        "memory": options.memory,
        "kernel": None if options.kernel is None else str(options.kernel),
        "tests": [
            {
                "name": r.program.name,
                "verdict": r.verdict,
                "expected": _expected(r),
                "same": _same(r),
                "executions": r.executions,
                "refused": sum(r.refused.values()),
                "exhausted": r.exhausted,
                "seconds": round(r.seconds, 6),
                "ends": [
                    {"state": dict(end), "times": times} for end, times in sorted(r.ends.items())
                ],
            }
            for r in results
        ],
    }
