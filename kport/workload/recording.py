# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Loading a recording of a real kernel's scheduler, or of ours.

    recording = load("trace.xz")

Any text that `kport.trace.reader` reads will do, of kernels before 6.17 with dma_fence events. A
file that cannot be played is an InputError with file, line and remedy; what spoils single events is
in `recording.warnings`, counted.
"""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Callable

from kport.trace.numbering import Numbering
from kport.trace.reader import Reader, looks_like_trace
from kport.trace.source import BINARY, GZIP, XZ, TraceError
from kport.workload.errors import InputError
from kport.workload.rec_build import Seen
from kport.workload.rec_derive import derive
from kport.workload.rec_model import Dependency, Device, Entity, Fence, Job, Recording, Ring

__all__ = [
    "Dependency",
    "Device",
    "Entity",
    "Fence",
    "Job",
    "Recording",
    "Ring",
    "is_recording",
    "load",
]

_EVERY = 1 << 14  # events between two calls of `progress`


def load(path: str, progress: Callable[[int], None] | None = None) -> Recording:
    """Read a recording; "-" is stdin. `progress` is told the lines read so far, now and then.

    Raises InputError.
    """
    reader = Reader(path, old=True)
    seen = Seen(reader.notes)
    try:
        for line, event in Numbering(reader.notes).tell(reader):
            seen.feed(line, event)
            if progress is not None and not reader.events % _EVERY:
                progress(reader.lines)
        return derive(seen, path)
    except TraceError as error:
        where = "standard input" if path == "-" else path
        if error.line:
            where += f":{error.line}"
        raise InputError(where, error.what, error.remedy) from None


def is_recording(head: bytes) -> bool:
    """True if a file that begins like this is a recording (of any kind: `load` may refuse it).

    `head` may be compressed; a few kilobytes are enough.
    """
    if head.startswith(tuple(magic for magic, _, _ in BINARY)):
        return True
    return looks_like_trace(unpacked(head))


def unpacked(head: bytes) -> bytes:
    """As much of the content as a compressed beginning gives."""
    try:
        if head.startswith(GZIP):
            return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, 1 << 16)
        if head.startswith(XZ):
            return lzma.LZMADecompressor().decompress(head, 1 << 16)
    except (zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError):
        return b""
    return head
