# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport replay`: run once more what a token of `kport explore` says."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from kport.cli.options import Parser, UsageError

if TYPE_CHECKING:
    from kport.explore.trace import Event
    from kport.museum.library import Entry

_EXAMPLES = """\
examples:
  kport replay 'R01~AQAABDIAAQB0Alk8pQ'
  kport replay 'my.py:storm~AQAABDIAAgQBAgQCAcKGXg' --step
  kport replay 'storm~AQAABDIAAgQBAgQCAcKGXg' --scenario my.py:storm

exit codes: 0 nothing went wrong, 1 it failed, 2 bad input, 130 Ctrl-C.

--json prints the failure as kport explore does, or null.
"""


def parser() -> Parser:
    """The options."""
    p = Parser(prog="kport replay", description=__doc__, epilog=_EXAMPLES)
    add = p.add_argument
    add("token", metavar="TOKEN", help="the last line of a failure's report")
    add("--scenario", metavar="NAME", help="where the scenario is, if not where its name says")
    add("--step", action="store_true", help="show each step; on a terminal wait for Enter")
    add("--carrier", choices=("greenlet", "thread"), help="what carries the tasks")
    add("--json", action="store_true", help="print one JSON object")
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code. Raises UsageError."""
    options = parser().parse_args(arguments)
    from kport.explore import TokenError, replay
    from kport.explore.token import parse
    from kport.museum.library import LibraryError, find

    try:
        token = parse(options.token)
        entry: Entry = find(options.scenario or token.name)
    except TokenError as error:
        raise UsageError(str(error)) from None
    except LibraryError as error:
        raise UsageError(f"{error}; --scenario says where it is") from None
    try:
        with entry.stage():
            if options.step:
                from kport.explore.playback import steps_of

                _walk(steps_of(token, entry.scenario, carrier=options.carrier))
            failure = replay(token, entry.scenario, carrier=options.carrier)
    except (ValueError, RuntimeError) as error:
        raise UsageError(str(error)) from None
    if options.json:
        print(json.dumps(asdict(failure) if failure is not None else None, indent=2))
    elif failure is not None:
        print(failure.report)
    else:
        print(f"{token.name}: nothing went wrong")
    return 1 if failure is not None else 0


def _walk(events: list[Event]) -> None:
    """Print the steps; on a terminal one at a time, to the end after an input of "q"."""
    one_by_one = sys.stdin.isatty() and sys.stdout.isatty()
    task = -1
    for event in events:
        if event.task != task:
            print(f"-- {event.name} runs")
            task = event.task
        print(f"{event.at:6}  {event.text}\n        {event.what}, {event.function}+{event.place}")
        if one_by_one:
            try:
                if input("        [Enter: next step, q: to the end] ").strip() == "q":
                    one_by_one = False
            except EOFError:
                one_by_one = False
