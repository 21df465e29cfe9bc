# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a file is: a workload or a recording. The content decides; only of a file that is neither
does the name tell what it was meant to be, for a better message.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from typing import Literal

from kport.workload.errors import InputError
from kport.workload.wsim.load import UTF_16, is_text, looks_like_workload

HEAD = 1 << 16
STDIN = "standard input"
REMEDY = "give a .wsim workload, or a trace with gpu_scheduler events"
_PACKED = (b"\x1f\x8b", b"\xfd7zXZ")  # gzip, xz

Kind = Literal["workload", "recording"]


def kind_of(path: str) -> Kind:
    """The kind of a file; "-" is standard input. Raises InputError if it is neither or no file."""
    if is_text(path):
        return "workload"
    head = _head(path)
    if not head:
        raise InputError(_shown(path), "is empty", REMEDY)
    if _is_recording(head, path):
        return "recording"
    if looks_like_workload(head) or path.endswith(".wsim"):
        return "workload"
    raise _neither(head, path)


def refuse_recording(path: str) -> None:
    """Raises InputError if the file is a recording where a workload is wanted."""
    if (path == "-" or os.path.isfile(path)) and _is_recording(_head(path), path):
        raise InputError(
            _shown(path), "is a recording, no workload", "give it without -w, -W or -a"
        )


def refuse_target(path: str, sources: Iterable[str]) -> None:
    """Raises InputError if `path` cannot be the name of a file to write: none, a directory, ...

    It is looked at before anything is read or played. `sources` are the files that will be.
    """
    remedy = "give --trace-out the name of a file"
    if path in ("", "-"):
        raise InputError(f"--trace-out {path or repr(path)}", "names no file", remedy)
    if os.path.isdir(path):
        raise InputError(path, "is a directory", remedy)
    parent = os.path.dirname(path)
    if parent and not os.path.isdir(parent):
        raise InputError(path, "there is no such directory", f"make {parent}, or {remedy}")
    for source in sources:
        if os.path.isfile(source) and os.path.isfile(path) and os.path.samefile(source, path):
            raise InputError(path, "is what is to be played", "write the trace to another file")


def _shown(path: str) -> str:
    return STDIN if path == "-" else path


def _is_recording(head: bytes, path: str) -> bool:
    from kport.workload.recording import is_recording, unpacked

    if not head.startswith(_PACKED):
        return is_recording(head)
    content = unpacked(head)
    if looks_like_workload(content) and not is_recording(content):
        raise InputError(_shown(path), "is a compressed workload", "unpack it: only traces may be")
    return True


def _neither(head: bytes, path: str) -> InputError:
    """The error for a file that is no workload and no recording, with the line that shows it."""
    where = f"{_shown(path)}:1"
    if head.startswith(UTF_16):
        return InputError(where, "is UTF-16 text", "save it as UTF-8")
    binary = re.search(rb"[\x00-\x08\x0e-\x1f]", head)
    if binary is not None:
        line = head.count(b"\n", 0, binary.start()) + 1
        what = "binary data, neither a workload nor a recording"
        return InputError(f"{_shown(path)}:{line}", what, REMEDY)
    for number, line_text in enumerate(head.decode("utf-8", "backslashreplace").splitlines(), 1):
        text = line_text.strip()
        if text:
            shown = text if len(text) <= 40 else text[:37] + "..."
            where = f"{_shown(path)}:{number}"
            what = f"{shown!r} is neither a step of a workload nor a line of a recording"
            return InputError(where, what, REMEDY)
    return InputError(where, "is neither a workload nor a recording", REMEDY)


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
        raise InputError(path or "''", "no such file", "check the path") from None
    except IsADirectoryError:
        raise InputError(path, "is a directory", "name a file in it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(path, f"cannot be read ({reason})", "check path and permissions") from None
