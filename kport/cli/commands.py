# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The map of commands."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import NamedTuple

from kport.cli.options import UsageError


class Command(NamedTuple):
    """A command: the module that has its `main`, what it is good for, an example."""

    module: str
    summary: str
    example: str


COMMANDS = {
    "run": Command(
        "kport.cli.run",
        "play workloads or a kernel's recording through the scheduler",
        "kport run --policy fair",
    ),
    "monitor": Command(
        "kport.cli.monitor",
        "see what the scheduler does, or did, and why a job waits",
        "kport monitor trace.xz --assert 'p99(wait) < 5ms'",
    ),
    "kunit": Command(
        "kport.cli.kunit",
        "run the kernel's own tests on the port and print KTAP",
        "kport kunit 'drm_sched*' --arch virt",
    ),
    "conform": Command(
        "kport.cli.conform",
        "run scenarios of the kernel itself on the port and compare",
        "kport conform linux-7.2-fair.jsonl.xz",
    ),
    "stress": Command(
        "kport.cli.stress",
        "try to break the scheduler: random operations, all checkers",
        "kport stress --seconds 60",
    ),
    "explore": Command(
        "kport.cli.explore",
        "search the interleavings of a scenario for what goes wrong",
        "kport explore two-jobs --strategy pct:3",
    ),
    "replay": Command(
        "kport.cli.replay",
        "run a schedule that kport explore has found once more",
        "kport replay 'R01~AQAABDIAAQB0Alk8pQ' --step",
    ),
    "litmus": Command(
        "kport.cli.litmus",
        "run litmus tests of the kernel's memory model, all executions",
        "kport litmus 'MP*' --memory tso",
    ),
    "museum": Command(
        "kport.cli.museum",
        "races of the past: find them, see them, see them mended",
        "kport museum R01",
    ),
    "compare-eras": Command(
        "kport.cli.compare_eras",
        "run two kernels' schedulers side by side: what differs, and why",
        "kport compare-eras --sched v6_1 v7_2",
    ),
}


def overview() -> str:
    """What `kport --help` prints."""
    lines = [
        "usage: kport COMMAND ...",
        "",
        "The Linux DRM GPU scheduler, line by line, in Python, alive.",
        "",
        "commands:",
    ]
    width = max(len(name) for name in COMMANDS)
    for name, command in COMMANDS.items():
        lines.append(f"  {name:{width}}  {command.summary}")
        lines.append(f"  {'':{width}}  as in: {command.example}")
    lines += [
        "",
        "  kport COMMAND --help   options of a command",
        "  kport --version        versions of kport and of the kernel it translates",
    ]
    return "\n".join(lines) + "\n"


def find(name: str) -> Callable[[list[str]], int]:
    """The main function of a command. Raises UsageError for one that is not there."""
    command = COMMANDS.get(name)
    if command is None:
        raise UsageError(f"there is no command {name!r}; commands: {', '.join(COMMANDS)}")
    main: Callable[[list[str]], int] = importlib.import_module(command.module).main
    return main
