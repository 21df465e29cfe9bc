# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Files of scenarios: packed or not; what is wrong in them is said with its line."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import sys

import pytest

from kport.kunit.conform import record as module
from kport.kunit.conform.record import RecordError, scenarios
from tests.kunit.conform.files import FILES, record

LINE = json.dumps(record(["sched_new", "S0", 4, None, "mock"], ["snapshot"])).encode() + b"\n"


def error_of(path):
    with pytest.raises(RecordError) as caught:
        list(scenarios(str(path)))
    return caught.value


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_the_content_decides_how_a_file_is_packed(pack, tmp_path):
    file = tmp_path / "any.name"
    file.write_bytes(pack(LINE + b"\n" + LINE))
    found = list(scenarios(str(file)))
    assert [s.line for s in found] == [1, 3]
    assert [op.name for op in found[0].ops] == ["sched_new", "snapshot"]
    assert found[0].states == {1: {}}


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(LINE))))
    assert len(list(scenarios("-"))) == 1


@pytest.mark.parametrize(
    ("pack", "suffix"), [(gzip.compress, "gz"), (lambda data: lzma.compress(data), "xz")]
)
def test_a_packed_file_that_ends_in_the_middle(pack, suffix, tmp_path):
    file = tmp_path / f"cut.{suffix}"
    file.write_bytes(pack(LINE * 3)[:-20])
    error = error_of(file)
    assert error.what == "the compressed file ends in the middle"
    assert error.where.startswith(f"{file}:")


def test_a_real_file_that_ends_in_the_middle(tmp_path):
    file = tmp_path / "cut.xz"
    file.write_bytes(FILES["rr"].read_bytes()[:5000])
    assert "ends in the middle" in error_of(file).what


@pytest.mark.parametrize("at", [20, 200, -30])
def test_a_packed_file_with_a_flipped_byte(at, tmp_path):
    data = bytearray(FILES["rr"].read_bytes())
    data[at] ^= 0xFF
    file = tmp_path / "flipped.xz"
    file.write_bytes(data)
    assert error_of(file).what.startswith("the compressed file is damaged (")


def test_no_file_and_no_file_to_read(tmp_path):
    assert error_of(tmp_path / "none").what == "no such file"
    assert error_of(tmp_path).what == "is a directory"
    assert error_of("").what == "no such file"
    assert "cannot be read" in error_of("a\0b").what


@pytest.mark.parametrize("content", [b"", b"\n\n", lzma.compress(b"")])
def test_a_file_with_nothing_in_it(content, tmp_path):
    file = tmp_path / "empty"
    file.write_bytes(content)
    assert error_of(file).what == "there is no scenario in it"


def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LINE_MAX", 1000)
    file = tmp_path / "long"
    file.write_bytes(LINE + b" " * 1001)
    error = error_of(file)
    assert (error.where, error.what) == (f"{file}:2", "a line of more than 1000 bytes")


def changed(**fields):
    return json.dumps(record(["snapshot"], ["final"], **fields)).encode()


def without(key):
    made = record(["snapshot"], ["final"])
    del made[key]
    return json.dumps(made).encode()


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"{", "is no JSON (expecting property name enclosed in double quotes"),
        (b"id: 1", "is no JSON (expecting value, column 1)"),
        (b"[" * 100_000, "is no JSON (maximum recursion depth exceeded"),
        (b"\xff\xfe{}", "is no text in UTF-8"),
        (b"[1]", "is no JSON object"),
        (b"7", "is no JSON object"),
        (b"{}", "the field 'id' is missing"),
        (without("policy"), "the field 'policy' is missing"),
        (without("ops"), "the field 'ops' is missing"),
        (without("events"), "the field 'events' is missing"),
        (without("snapshots"), "test: there is no state for operation 0 (snapshot)"),
        (without("final"), "test: there is no state for operation 1 (final)"),
        (changed(id=7), "the field 'id' is not text"),
        (changed(ops={}), "the field 'ops' is not a list"),
        (changed(snapshots=[]), "the field 'snapshots' is not an object"),
        (changed(snapshots={"0": {"S0": 1}}), "test: there is no state for operation 0"),
        (changed(snapshots={"0": {}, "9": {}}), "test: there are more states in snapshots"),
        (changed(policy="cfs"), "test: unknown policy 'cfs'; there is: rr, fifo, fair"),
        (changed(events=[[]]), "test: events of 1 operations, and 2 operations"),
        (changed(events=[[], [[]]]), "test: the events of operation 1 are no list of events"),
        (changed(events=[{}, []]), "test: the events of operation 0 are no list of events"),
        (changed(ops=[["snapshot"], []]), "test: operation 1 is no list that begins with a name"),
        (changed(ops=[["snapshot"], ["fly", 1]]), "operation 1 of test: unknown operation 'fly'"),
    ],
)
def test_a_damaged_line_is_named(line, what, tmp_path):
    file = tmp_path / "damaged"
    file.write_bytes(LINE + line + b"\n" + LINE)
    error = error_of(file)
    assert error.what.startswith(what)
    assert error.where == f"{file}:2"


def test_text_of_a_file_cannot_reach_the_terminal_as_it_is(tmp_path):
    file = tmp_path / "rude"
    file.write_bytes(changed(id="a\x1b[31m\nb", doc="c\x07  d"))
    (found,) = scenarios(str(file))
    assert (found.id, found.doc) == ("a\\x1b[31m b", "c\\x07 d")
