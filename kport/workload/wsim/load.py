# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Workloads from files and from command-line text, checked and ready to be played."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import BinaryIO

from kport.workload.errors import InputError
from kport.workload.wsim.check import check_steps
from kport.workload.wsim.parse import parse_steps
from kport.workload.wsim.steps import Step, Workload

MAX_BYTES = 8 << 20  # some 500,000 steps
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # how text in UTF-16 begins
TEXT = "text"  # the name and the source of a workload given as text
_STEP = re.compile(r"\s*(#|[A-Za-z](\.|,|$)|[0-9]+\.)")


def load_workload(given: str, append: Sequence[str] = ()) -> Workload:
    """The workload in a file, or in `given` itself, with the workloads `append` behind it.

    "-" is standard input. Raises InputError for whatever cannot be read or played.
    """
    name, source, steps = _read(given)
    if append:
        check_steps(steps)
    for other in append:
        _, _, more = _read(other)
        check_steps(more)
        steps += more
    workload = Workload(name, source, steps)
    workload.notes += check_steps(steps)
    ignored = workload.ignored()
    if ignored:
        workload.notes.append(
            f"{source}: steps without effect on a scheduler without firmware: "
            + ", ".join(f"{count} x {letter}" for letter, count in sorted(ignored.items()))
        )
    return workload


def parse_workload(text: str, name: str = TEXT) -> Workload:
    """The workload in a text of lines. Raises InputError."""
    steps = _parse(text, name, inline=False)
    return Workload(name, name, steps, check_steps(steps))


def _read(given: str) -> tuple[str, str, list[Step]]:
    """Name, source and steps of a file or of a text."""
    if is_text(given):
        return TEXT, TEXT, _parse(given, TEXT, inline=True)
    if given == "-":
        data = _all_of(sys.stdin.buffer)
        return "stdin", given, _parse(decode(data, "standard input"), "standard input", False)
    source = os.path.basename(given)
    name = re.sub(r"[^A-Za-z0-9_+-]", "_", source.removesuffix(".wsim")) or TEXT
    return name, given, _parse(decode(read_bytes(given), given), given, inline=False)


def is_text(given: str) -> bool:
    """Whether `given` is no file and looks like the text of a workload."""
    if given.endswith(".wsim") or os.path.exists(given):
        return False
    return _STEP.match(given) is not None


def looks_like_workload(head: bytes) -> bool:
    """Whether a file that begins like this may be a workload: text whose first step has a form."""
    text = head.decode("utf-8-sig", "replace")
    if re.search(r"[\x00-\x08\x0e-\x1f]", text):
        return False
    for line in text.splitlines():
        step = line.partition("#")[0].strip()
        if step:
            return _STEP.match(step) is not None
    return "#" in text


def read_bytes(path: str) -> bytes:
    """What is in a file, or a little more than its first `MAX_BYTES`. Raises InputError."""
    try:
        with open(path, "rb", opener=_opened) as file:
            os.set_blocking(file.fileno(), True)
            data = _all_of(file)
    except FileNotFoundError:
        raise InputError(
            path or "''", "no such file", "check the path; a workload text is like 1.RCS.500.0.1"
        ) from None
    except IsADirectoryError:
        raise InputError(path, "is a directory", "name a workload file in it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(path, f"cannot be read ({reason})", "check path and permissions") from None
    return data


def _opened(path: str, flags: int) -> int:
    """Open without waiting: a named pipe that nobody writes to is empty."""
    return os.open(path, flags | os.O_NONBLOCK)


def _all_of(stream: BinaryIO) -> bytes:
    """What a stream holds, and no more than shows that it is too much."""
    return stream.read(MAX_BYTES + 1)


def decode(data: bytes, source: str) -> str:
    """The bytes as text. Raises InputError with the place of what is no text."""
    if len(data) > MAX_BYTES:
        raise InputError(
            source,
            f"is larger than {MAX_BYTES >> 20} MiB, as no workload is",
            "cut it: a workload is repeated with -r",
        )
    if data.startswith(UTF_16):
        raise InputError(f"{source}:1:1", "is UTF-16 text", "save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_text(source, data[: error.start]) from None
    for match in re.finditer(r"[^\t\r\n -~\xa0-\U0010ffff]", text):
        raise _no_text(source, text[: match.start()].encode())
    return text


def _no_text(source: str, before: bytes) -> InputError:
    line = before.count(b"\n") + 1
    column = len(before) - (before.rfind(b"\n") + 1) + 1
    return InputError(
        f"{source}:{line}:{column}", "a byte that is no text", "is this a workload file?"
    )


def _parse(text: str, source: str, inline: bool) -> list[Step]:
    steps = parse_steps(text, source, inline)
    if not steps:
        raise InputError(source, "has no steps", "a workload has one step on each line")
    return steps
