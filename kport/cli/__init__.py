# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The command `kport`.

A command is a module with two functions, `parser()` and `main(arguments)`, and a line in
`commands.COMMANDS`. It is imported when it is asked for, so `kport --help` costs nothing.

Exit codes of all commands: 0 it went well, 1 it ran and found something wrong, 2 bad input (one
line on stderr says what, where, and what to do), 130 Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from kport.cli.commands import find, overview
from kport.cli.options import UsageError
from kport.workload.errors import InputError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`, by default that of the process; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a file name may hold anything
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except (InputError, UsageError) as error:
        print(f"kport: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output has gone; what is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130


def _dispatch(arguments: list[str]) -> int:
    head = arguments[0] if arguments else "--help"
    if head in ("-h", "--help", "help"):
        print(overview(), end="")
        return 0
    if head in ("-V", "--version"):
        from kport import __version__

        print(f"kport {__version__} (drm_sched of Linux 7.2.13)")
        return 0
    return find(head)(arguments[1:])
