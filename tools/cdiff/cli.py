# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The command line: `python -m tools.cdiff COMMAND`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.cdiff import commands
from tools.cdiff.errors import CdiffError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 if all is well, 1 if there are findings, 2 for bad input."""
    options = commands.parser().parse_args(argv)
    try:
        return int(options.run(options))
    except CdiffError as error:
        print(f"cdiff: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 1


__all__ = ["Path", "argparse", "main"]
