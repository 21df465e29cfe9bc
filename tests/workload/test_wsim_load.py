# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Workloads from files and texts."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.workload.builtin import builtin_workloads
from kport.workload.errors import InputError
from kport.workload.wsim.load import load_workload, looks_like_workload, parse_workload
from kport.workload.wsim.steps import Batch, Delay

TEXT = "1.RCS.100.0.1\nd.50\n"


def test_a_file(tmp_path):
    path = tmp_path / "my game.wsim"
    path.write_text(TEXT)
    workload = load_workload(str(path))
    assert (workload.name, workload.source) == ("my_game", str(path))
    assert [type(step) for step in workload.steps] == [Batch, Delay]
    assert workload.notes == []


def test_a_text():
    workload = load_workload("1.RCS.100.0.1,d.50")
    assert workload.name == "text"
    assert [type(step) for step in workload.steps] == [Batch, Delay]


def test_a_file_wins_over_a_text_of_the_same_letters(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.50").write_text("d.7")
    assert load_workload("d.50").steps[0].us == 7


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"d.7\n")))
    assert load_workload("-").steps[0].us == 7


def test_appended_workloads_keep_their_offsets():
    workload = load_workload("d.1", ["1.RCS.5.0.0,1.RCS.6.-1.0", "d.2"])
    assert len(workload.steps) == 4
    with pytest.raises(InputError, match="points before the first step"):
        load_workload("1.RCS.5.0.0", ["1.RCS.6.-1.0"])  # not into what stands before


def test_steps_without_effect_are_counted_in_one_note(tmp_path):
    path = tmp_path / "x.wsim"
    path.write_text("X.1.0\nS.1.1\nX.2.0\nV.1\nv.1.1\nd.1")
    (note,) = load_workload(str(path)).notes
    assert note.endswith("without firmware: 1 x S, 1 x V, 2 x X, 1 x v")


@pytest.mark.parametrize("path", builtin_workloads())
def test_the_built_in_workloads(path):
    assert load_workload(path).notes == []


@pytest.mark.parametrize(
    ("data", "where", "message"),
    [
        (b"", "", "has no steps"),
        (b"# only\n", "", "has no steps"),
        (b"d.1\nd.\x00", ":2:3", "a byte that is no text"),
        (b"d.1\n\xff\xfe", ":2:1", "a byte that is no text"),
        (b"\x7fELF\x02", ":1:1", "a byte that is no text"),
        (b"d.1\n" * 2_200_000, "", "is larger than 8 MiB"),
        ("d.1\n".encode("utf-16"), ":1:1", "is UTF-16 text; save it as UTF-8"),
        (b"d.1\n\n# x\n1.RCS.5.-1.1", ":4:9", "it must point to a batch"),
    ],
)
def test_bad_files(tmp_path, data, where, message):
    path = tmp_path / "bad.wsim"
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        load_workload(str(path))
    assert str(error.value).startswith(f"{path}{where}: ")
    assert message in str(error.value)


@pytest.mark.parametrize("given_path", ["none.wsim", "a/b/none", "", "1.wsim", "x" * 5000])
def test_no_such_file(given_path):
    with pytest.raises(InputError, match=r"no such file|cannot be read"):
        load_workload(given_path)


def test_a_directory_and_an_unreadable_file(tmp_path):
    with pytest.raises(InputError, match="is a directory"):
        load_workload(str(tmp_path))
    with pytest.raises(InputError, match="cannot be read"):
        load_workload("/proc/self/mem")


def test_a_byte_order_mark_and_other_scripts_in_comments_are_fine(tmp_path):
    path = tmp_path / "x.wsim"
    path.write_text("\ufeff# été 你好\nd.1", encoding="utf-8")
    assert len(load_workload(str(path)).steps) == 1


def test_what_looks_like_a_workload():
    assert looks_like_workload(TEXT.encode())
    assert looks_like_workload(b"# comment\n\nz.3\n")  # wrong, but meant as one
    assert not looks_like_workload(b"hello world\n")
    assert not looks_like_workload(b"d.1\n\x00\x01")
    assert not looks_like_workload(b"\n")


@given(st.text(alphabet="0123456789.,-/*#fswrdpTM|RVCSB\n \t\x00é", max_size=60))
def test_any_text_is_a_workload_or_an_input_error_of_one_line(text):
    message = ""
    try:
        assert parse_workload(text).steps
    except InputError as error:
        message = str(error)
    assert "\n" not in message
