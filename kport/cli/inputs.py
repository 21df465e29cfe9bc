# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a file is: a workload or a recording. The content decides, never the name."""

from __future__ import annotations

import os
import sys
from typing import Literal

from kport.workload.errors import InputError
from kport.workload.wsim.load import is_text, looks_like_workload

HEAD = 1 << 16
_PACKED = (b"\x1f\x8b", b"\xfd7zXZ")  # gzip, xz

Kind = Literal["workload", "recording"]


def kind_of(path: str) -> Kind:
    """The kind of a file; "-" is standard input. Raises InputError if it is neither or no file."""
    if is_text(path):
        return "workload"
    head = _head(path)
    if _is_recording(head):
        return "recording"
    if looks_like_workload(head):
        return "workload"
    raise InputError(
        "standard input" if path == "-" else path,
        "is neither a workload nor a recording" if head else "is empty",
        "give a .wsim workload, or a trace with gpu_scheduler events",
    )


def refuse_recording(path: str) -> None:
    """Raises InputError if the file is a recording where a workload is wanted."""
    if os.path.isfile(path) and _is_recording(_head(path)):
        raise InputError(path, "is a recording, no workload", "give it without -w, -W or -a")


def _is_recording(head: bytes) -> bool:
    from kport.workload.recording import is_recording

    return head.startswith(_PACKED) or is_recording(head)


def _head(path: str) -> bytes:
    """The first bytes; those of standard input stay there."""
    if path == "-":
        peek = getattr(sys.stdin.buffer, "peek", None)
        head = peek(HEAD) if peek is not None else b""
        return bytes(head[:HEAD])
    try:
        if not os.path.isfile(path) and os.path.exists(path) and not os.path.isdir(path):
            raise InputError(path, "is not a regular file", "use - for standard input")
        with open(path, "rb") as file:
            return file.read(HEAD)
    except FileNotFoundError:
        raise InputError(path or "''", "no such file") from None
    except IsADirectoryError:
        raise InputError(path, "is a directory", "name a file in it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(path, f"cannot be read ({reason})") from None
