# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A trace file as lines: plain, gzip or xz (told by content, not by name), or "-" for stdin.

Nothing is ever held but one line, and of a line no more than `LINE_MAX` bytes: no event is that
long, so a longer line is skipped to its end and given out as None. A "line" of more than `LINE_END`
bytes ends the reading, or a device that never ends would be read for ever.

A line is given out as printable text: bytes that are no UTF-8, and control characters, appear as
\\x escapes, so a damaged file cannot reach the terminal.
"""

from __future__ import annotations

import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

LINE_MAX = 4096
LINE_END = 1 << 28
BLOCK = 1 << 17  # bytes; what is made of so many fits a second-level cache

GZIP = b"\x1f\x8b"
XZ = b"\xfd7zXZ\x00"

# Binary formats that hold the same events, and what turns them into text.
BINARY = (
    (b"\x17\x08\x44tracing", "a binary trace.dat file", "make it text: trace-cmd report -i FILE"),
    (b"PERFILE2", "a binary perf.data file", "make it text: perf script -i FILE"),
)


class TraceError(Exception):
    """The file cannot be read on. `line` is the number of the line, 0 if it is about the file."""

    def __init__(self, line: int, what: str, remedy: str = "") -> None:
        super().__init__(line, what, remedy)
        self.line = line
        self.what = what
        self.remedy = remedy


@contextmanager
def _opened(path: str) -> Iterator[io.BufferedReader]:
    if path == "-":
        yield cast("io.BufferedReader", sys.stdin.buffer)
        return
    with open(path, "rb") as file:
        yield file


def _unpacked(file: io.BufferedReader) -> BinaryIO:
    """The file's content, decompressed."""
    head = file.peek(16)
    if head.startswith(GZIP):
        return cast("BinaryIO", io.BufferedReader(gzip.GzipFile(fileobj=file)))
    if head.startswith(XZ):
        packed = cast("io.RawIOBase", lzma.LZMAFile(file))
        return io.BufferedReader(packed)
    for magic, what, remedy in BINARY:
        if head.startswith(magic):
            raise TraceError(0, f"this is {what}", remedy)
    return file


def printable(raw: bytes) -> str:
    """Bytes of a line as text that is safe to print."""
    text = raw.decode("utf-8", "backslashreplace").expandtabs(1).rstrip()
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _lines(stream: BinaryIO) -> Iterator[str | None]:
    while raw := stream.readline(LINE_MAX):
        if raw.endswith(b"\n") or len(raw) < LINE_MAX:
            yield printable(raw)
            continue
        size = len(raw)
        while not raw.endswith(b"\n"):
            raw = stream.readline(1 << 16)
            size += len(raw)
            if not raw:
                break
            if size > LINE_END:
                raise TraceError(0, f"a line of more than {LINE_END} bytes", "is it a trace?")
        yield None


def lines(path: str) -> Generator[str | None, None, None]:
    """The lines of a file, without newline; None for a line that is too long.

    Raises TraceError for everything that can go wrong, with the number of the line it happened at.
    """
    at = Place()
    with reading(at), _opened(path) as file:
        for line in _lines(_unpacked(file)):
            at.line += 1
            yield line


def blocks(path: str, size: int = BLOCK) -> Iterator[bytes]:
    """The bytes of a file, decompressed, in blocks of whole lines of about `size` bytes.

    A line of a block may be longer than LINE_MAX. Raises TraceError like `lines()`.
    """
    at = Place()
    with reading(at), _opened(path) as file:
        stream = _unpacked(file)
        rest = b""
        while block := stream.read(size):
            block = rest + block
            cut = block.rfind(b"\n") + 1
            block, rest = block[:cut], block[cut:]
            if len(rest) > LINE_END:
                raise TraceError(0, f"a line of more than {LINE_END} bytes", "is it a trace?")
            if block:
                at.line += block.count(b"\n")
                yield block
        if rest:
            yield rest


class Place:
    """How far a reader has come."""

    def __init__(self) -> None:
        self.line = 0


@contextmanager
def reading(at: Place) -> Iterator[None]:
    """Whatever goes wrong in the block is a TraceError with the number of the line behind `at`."""
    try:
        yield
    except TraceError as error:
        raise TraceError(at.line and at.line + 1, error.what, error.remedy) from None
    except EOFError:
        raise TraceError(
            at.line + 1, "the compressed file ends in the middle", "copy it again, it is incomplete"
        ) from None
    except (lzma.LZMAError, gzip.BadGzipFile, zlib.error) as error:
        what = str(error).lower() or type(error).__name__
        raise TraceError(
            at.line + 1, f"the compressed file is damaged ({what})", "copy it again"
        ) from None
    except OSError as error:
        raise TraceError(at.line and at.line + 1, error.strerror or str(error)) from None
    except ValueError as error:  # a path with a null byte, a closed stdin
        raise TraceError(at.line and at.line + 1, str(error)) from None
