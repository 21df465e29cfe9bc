# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Files as lines: compression, damage, endless lines, bytes that are no text."""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.trace.source import LINE_MAX, TraceError, lines, printable

TEXT = "".join(f"line {number} {number * 7919 % 10007}\n" for number in range(5000)).encode()
WANT = TEXT.decode().splitlines()


def write(tmp_path, data, name="trace"):
    path = tmp_path / name
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gz", "xz"])
def test_lines_of_a_file_whatever_its_name(tmp_path, pack):
    assert list(lines(write(tmp_path, pack(TEXT), "trace.txt"))) == WANT


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gz", "xz"])
def test_lines_of_standard_input(monkeypatch, pack):
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(pack(TEXT))))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert list(lines("-")) == WANT


def test_concatenated_members_are_read_on(tmp_path):
    half = len(TEXT) // 2
    for pack in (gzip.compress, lzma.compress):
        assert list(lines(write(tmp_path, pack(TEXT[:half]) + pack(TEXT[half:])))) == WANT


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gz", "xz"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.999])
def test_a_truncated_file_says_where_it_ends(tmp_path, pack, part):
    packed = pack(TEXT)
    path = write(tmp_path, packed[: max(7, int(len(packed) * part))])
    with pytest.raises(TraceError) as caught:
        list(lines(path))
    assert caught.value.what == "the compressed file ends in the middle"
    assert 1 <= caught.value.line <= len(WANT) + 1


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gz", "xz"])
@given(st.data())
def test_a_damaged_file_is_one_error_or_lines(tmp_path_factory, pack, data):
    packed = bytearray(pack(TEXT))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    path = write(tmp_path_factory.getbasetemp(), bytes(packed), "damaged")
    seen = []
    with contextlib.suppress(TraceError):
        for line in lines(path):
            seen.append(line)
    assert all(line is None or line.isprintable() for line in seen)
    assert len(seen) <= len(packed) * 1100


def test_a_line_that_is_too_long_is_skipped(tmp_path):
    path = write(tmp_path, b"a\n" + b"x" * (LINE_MAX + 1) + b"\nb\n" + b"y" * LINE_MAX + b"\nc")
    assert list(lines(path)) == ["a", None, "b", None, "c"]
    path = write(tmp_path, b"x" * (LINE_MAX - 1) + b"\nb\n")
    assert list(lines(path)) == ["x" * (LINE_MAX - 1), "b"]


def test_a_line_of_100_megabytes_takes_no_memory(tmp_path):
    path = tmp_path / "long"
    with open(path, "wb") as out:
        for _ in range(100):
            out.write(b"x" * 1_000_000)
        out.write(b"\nshort\n")
    tracemalloc.start()
    assert list(lines(str(path))) == [None, "short"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_source_without_lines_ends(monkeypatch):
    monkeypatch.setattr("kport.trace.source.LINE_END", 1 << 20)
    with pytest.raises(TraceError, match="a line of more than"):
        list(lines("/dev/zero"))


@pytest.mark.parametrize(
    ("data", "what", "remedy"),
    [
        (b"\x17\x08\x44tracing6\0", "trace.dat", "trace-cmd report"),
        (b"PERFILE2\0\0\0\0", "perf.data", "perf script"),
    ],
)
def test_binary_traces_get_a_remedy(tmp_path, data, what, remedy):
    with pytest.raises(TraceError) as caught:
        list(lines(write(tmp_path, data)))
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    assert caught.value.line == 0


def test_files_that_cannot_be_opened(tmp_path):
    for path, what in [
        (str(tmp_path / "missing"), "No such file"),
        (str(tmp_path), "directory"),
        ("a\0b", "null byte"),
    ]:
        with pytest.raises(TraceError, match=what):
            list(lines(path))


def test_an_empty_file_has_no_lines(tmp_path):
    assert list(lines(write(tmp_path, b""))) == []


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain \r\n", "plain"),
        (b"tab\there\n", "tab here"),
        (b"\x1b[31mred\n", "\\x1b[31mred"),
        (b"a\0b\n", "a\\x00b"),
        (b"\xff\xfe\n", "\\xff\\xfe"),
        ("naïve\n".encode(), "naïve"),
        ("\u202eback\n".encode(), "\\u202eback"),
    ],
)
def test_lines_are_safe_to_print(raw, text):
    assert printable(raw) == text


@given(st.binary(max_size=200))
def test_any_line_is_printable(raw):
    assert printable(raw).isprintable()
