# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The command line: `python -m tools.cdiff COMMAND`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tools.cdiff import commands, linemap
from tools.cdiff.errors import CdiffError


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Leave with 2."""
        print(f"cdiff: {message}; try '{self.prog} --help'", file=sys.stderr)
        sys.exit(2)


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no number above 0")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line of cdiff."""
    made = _Parser(
        prog="python -m tools.cdiff",
        description="Compares the port with the C, statement by statement.",
        epilog="0: all is well; 1: there are findings; 2: bad input. See tools/cdiff/README.md.",
    )
    group = made.add_subparsers(required=True, metavar="COMMAND")

    one = group.add_parser("check", help="fail on everything that differs from the C untold")
    one.add_argument("--kernel", type=Path, metavar="DIR", help="also verify the tree's files")
    one.set_defaults(run=commands.run_check)

    one = group.add_parser("baseline", help="make the facts of the C from a kernel tree")
    one.add_argument("--kernel", type=Path, metavar="DIR", required=True)
    one.add_argument("--output", type=Path, metavar="FILE", help="default: tools/cdiff/baseline")
    one.set_defaults(run=commands.run_baseline)

    one = group.add_parser("sources", help="the C position at the end of each docstring")
    one.add_argument("--fix", action="store_true", help="write what is missing or wrong")
    one.set_defaults(run=commands.run_sources)

    one = group.add_parser("linemap", help="Python line to C line, as JSON")
    one.add_argument("--write", action="store_true", help=f"write {linemap.PATH}")
    one.set_defaults(run=commands.run_linemap)

    one = group.add_parser("summary", help="per file: functions ported, statements equal")
    one.add_argument("names", nargs="*", metavar="FILE", help="part of a path; default: all")
    one.add_argument("--json", action="store_true")
    one.set_defaults(run=commands.run_summary)

    one = group.add_parser("show", help="functions in C and in Python, side by side")
    one.add_argument("names", nargs="+", metavar="FUNCTION", help="or the path of a ported file")
    one.add_argument("--kernel", type=Path, metavar="DIR", help="for the C text on the left")
    one.add_argument("--html", type=Path, metavar="FILE", help="write a page instead")
    one.set_defaults(run=commands.run_show)

    one = group.add_parser("drift", help="what changes between two kernels")
    one.add_argument("a", metavar="A", help="a kernel tree, or a baseline by name or file")
    one.add_argument("b", metavar="B")
    one.add_argument("--set", default="scheduler", help="the files to look at, from port.toml")
    one.add_argument("--json", action="store_true")
    one.set_defaults(run=commands.run_drift)

    one = group.add_parser("unported", help="what is left out of the C, and why")
    one.set_defaults(run=commands.run_unported)

    one = group.add_parser("undef", help="symbols the C uses and the port has not")
    one.add_argument("--all", action="store_true", help="of functions that are left out, too")
    one.set_defaults(run=commands.run_undef)

    one = group.add_parser("traps", help="where a plain translation is silently wrong")
    one.set_defaults(run=commands.run_traps)

    one = group.add_parser("mutants", help="does cdiff find small errors in the port?")
    one.add_argument("names", nargs="*", metavar="FILE", help="part of a path; default: all")
    one.add_argument("--count", type=_positive, default=1000, metavar="N")
    one.add_argument("--seed", type=int, default=0, metavar="N")
    one.set_defaults(run=commands.run_mutants)

    one = group.add_parser("accept", help="note that tagged differences were reviewed")
    one.add_argument("names", nargs="*", metavar="FUNCTION", help="default: all")
    one.set_defaults(run=commands.run_accept)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 if all is well, 1 if there are findings, 2 for bad input."""
    options = parser().parse_args(argv)
    try:
        return int(options.run(options))
    except CdiffError as error:
        print(f"cdiff: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
