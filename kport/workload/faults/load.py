# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Faults by the name of a ready-made disaster, from a file, or from a text."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from kport.hw.faults import Fault
from kport.workload.errors import InputError
from kport.workload.faults.parse import FORM, parse_faults

DISASTERS = {
    "hang": "the render engine hangs: a kill helps, then only a reset of the ring, then of all",
    "flaky-irq": "interrupts are lost, come late, or fail to come for a while",
    "reset-storm": "one hang after the other on two rings; the whole device is reset each time",
    "device-loss": "the device falls off the bus",
}
MAX_BYTES = 1 << 20
_TEXT = re.compile(r"\s*(\*|[A-Za-z][A-Za-z0-9]*)\.")


def load_faults(given: str) -> list[Fault]:
    """The faults that `given` names or is; "-" is standard input.

    Raises InputError for whatever cannot be read or is no fault.
    """
    if given in DISASTERS:
        path = Path(__file__).with_name(f"{given}.faults")
        return parse_faults(path.read_text(encoding="utf-8"), f"{given}.faults", inline=False)
    if given != "-" and not os.path.exists(given) and not given.endswith(".faults"):
        if not _TEXT.match(given):
            raise InputError(
                given or "''",
                "is no disaster and no file",
                f"disasters are {', '.join(DISASTERS)}; a text is like RCS.20.hang.*",
            )
        return _checked(parse_faults(given, "text", inline=True), "text")
    source = "standard input" if given == "-" else given
    return _checked(parse_faults(_read(given, source), source, inline=False), source)


def _checked(faults: list[Fault], source: str) -> list[Fault]:
    if not faults:
        raise InputError(source, "has no faults", FORM)
    return faults


def _read(path: str, source: str) -> str:
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
                raise InputError(source, "is not a regular file", "use - for standard input")
            with open(path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        names = ", ".join(DISASTERS)
        raise InputError(source, "no such file", f"check the path; disasters are {names}") from None
    except IsADirectoryError:
        raise InputError(source, "is a directory", "name a fault file in it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(
            source, f"cannot be read ({reason})", "check path and permissions"
        ) from None
    if len(data) > MAX_BYTES:
        raise InputError(source, "is larger than 1 MiB", "let faults come again: ring.n/k.kind")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text, bad = data[: error.start].decode("utf-8", "replace"), True
    else:
        control = re.search(r"[^\t\r\n -~\xa0-\U0010ffff]", text)
        bad = control is not None
        text = text[: control.start()] if control is not None else text
    if bad:
        line = text.count("\n") + 1
        raise InputError(f"{source}:{line}", "a byte that is no text", "is this a fault file?")
    return text
