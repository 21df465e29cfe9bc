# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The command `kport`.

A command is a module with two functions, `parser()` and `main(arguments)`, and a line in
`commands.COMMANDS`. It is imported when it is asked for, so `kport --help` costs nothing.

Exit codes of all commands: 0 it went well, 1 it ran and found something wrong, 2 bad input (one
line on stderr says what, where, and what to do), 130 Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from kport.cli.commands import find, overview
from kport.cli.options import UsageError
from kport.workload.errors import InputError

__all__ = ["main"]

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`, by default that of the process; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not _streams():
        _complain("standard output is closed; give it a file or a pipe")
        return 2
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except (InputError, UsageError) as error:
        _complain(str(error))
        return 2
    except BrokenPipeError:
        _drop(sys.stdout)  # whoever read it has gone
        return 141
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        _drop(sys.stdout)
        _complain(f"the output cannot be written ({error.strerror})")
        return 2
    except KeyboardInterrupt:
        return 130


def _complain(text: str) -> None:
    """One line on stderr, if anybody can read it there."""
    try:
        print(f"kport: {text}", file=sys.stderr, flush=True)
    except OSError:
        _drop(sys.stderr)


def _streams() -> bool:
    """See to it that the standard streams are there and take any file name; False if there is no
    standard output.

    A stream that was closed when the process began is None. In its place comes one that is empty.
    """
    for name, mode in (("stdin", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(null, mode, encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    return sys.stdout is not None


def _drop(stream: TextIO) -> None:
    """What is left in the stream's buffer has nowhere to go; Python would fail on it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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
