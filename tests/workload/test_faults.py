# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Fault files: what they mean, what is refused and where, and the disasters that are ready made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.hw.faults import Cure, Fault, Kind
from kport.workload.errors import InputError
from kport.workload.faults import DISASTERS, load_faults
from kport.workload.faults.parse import FORMS, parse_faults


def parsed(text: str) -> list[Fault]:
    return parse_faults(text, "f", inline=False)


def one(text: str) -> Fault:
    (fault,) = parsed(text)
    return fault


# -- what is meant ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("RCS.20.hang.*", (Kind.HANG, "rcs", 20, None, None, None, Cure.SOFT)),
        ("RCS.20.hang.500.full", (Kind.HANG, "rcs", 20, None, None, 500_000, Cure.FULL)),
        ("vcs2.1/7.hang.*.never", (Kind.HANG, "vcs2", 1, None, 7, None, Cure.NEVER)),
        ("BCS.@3000.fault", (Kind.FAULT, "bcs", None, 3_000_000, None, None, Cure.SOFT)),
        ("BCS.@0/10.fault.ring", (Kind.FAULT, "bcs", None, 0, 10_000, None, Cure.RING)),
        ("*.1.swap", (Kind.SWAP, None, 1, None, None, None, Cure.SOFT)),
        ("*.2.lost", (Kind.LOST, None, 2, None, None, None, Cure.SOFT)),
        ("CCS.2.late.0", (Kind.LATE, "ccs", 2, None, None, 0, Cure.SOFT)),
        ("CCS.2.silent.*", (Kind.SILENT, "ccs", 2, None, None, None, Cure.SOFT)),
        ("VECS.9.dead", (Kind.DEAD, "vecs", 9, None, None, 0, Cure.SOFT)),
        ("VECS.9.dead.7", (Kind.DEAD, "vecs", 9, None, None, 7000, Cure.SOFT)),
        ("VECS.9.dead.*", (Kind.DEAD, "vecs", 9, None, None, None, Cure.SOFT)),
    ],
)
def test_a_line_is_a_fault(text, what):
    f = one(text)
    assert (f.kind, f.ring, f.at, f.time, f.every, f.duration, f.cure) == what


def test_a_class_of_engines_means_each_of_its_rings():
    assert [fault.ring for fault in parsed("VCS.3.lost")] == ["vcs1", "vcs2"]


def test_comments_blank_lines_and_the_place_of_a_fault():
    faults = parsed("# a comment\n\n  RCS.1.lost   # here\r\n\nBCS.2.swap\n")
    assert [fault.place for fault in faults] == ["f:3", "f:5"]


def test_a_text_on_the_command_line_has_commas():
    faults = load_faults("RCS.1.lost, BCS.2.swap,")
    assert [(fault.ring, fault.place) for fault in faults] == [
        ("rcs", "text:1:1"),
        ("bcs", "text:1:13"),
    ]


def test_a_file_is_found_by_its_path(tmp_path):
    path = tmp_path / "my.faults"
    path.write_text("\ufeffRCS.1.lost\n", encoding="utf-8")
    assert load_faults(str(path)) == parse_faults("RCS.1.lost", str(path), inline=False)


@pytest.mark.parametrize("name", DISASTERS)
def test_disasters_are_fault_files(name):
    faults = load_faults(name)
    assert faults
    assert all(fault.place.startswith(f"{name}.faults:") for fault in faults)


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("RCS", "f:1:1", "'RCS' is no fault; a fault is ring.at.kind"),
        ("\nRCS.1", "f:2:1", "is no fault"),
        ("XCS.1.lost", "f:1:1", "unknown ring 'XCS'"),
        ("DEFAULT.1.lost", "f:1:1", "unknown ring"),
        (".1.lost", "f:1:1", "unknown ring ''"),
        ("RCS.0.lost", "f:1:5", "'0' is not a packet number"),
        ("RCS.-1.lost", "f:1:5", "is not a packet number"),
        ("RCS.x.lost", "f:1:5", "is not a packet number"),
        ("RCS.1/0.lost", "f:1:7", "'0' is not packets until it comes again"),
        ("RCS.1/2/3.lost", "f:1:5", "is no time for a fault"),
        ("RCS.@.lost", "f:1:6", "'' is not a time in us"),
        ("RCS.@5/x.lost", "f:1:8", "'x' is not us until it comes again"),
        ("RCS.1.bang", "f:1:7", "unknown kind 'bang'"),
        ("RCS.1.hang", "f:1:1", "is no hang; its form is ring.at.hang.us|*"),
        ("RCS.1.hang.soft", "f:1:1", "is no hang"),
        ("RCS.1.hang.5.mild", "f:1:1", "is no hang"),
        ("RCS.1.hang.-5", "f:1:12", "'-5' is not a duration in us"),
        ("RCS.1.late.*", "f:1:12", "'*' is not a duration in us"),
        ("RCS.1.late", "f:1:1", "is no late"),
        ("RCS.1.swap.5", "f:1:12", "'5' is too much for a swap"),
        ("RCS.1.fault.5", "f:1:13", "'5' is too much for a fault"),
        ("RCS.1.dead.5.6", "f:1:1", "is no dead"),
        ("RCS.1.lost\nRCS.9999999999999.lost", "f:2:5", "is not a packet number"),
        ("RCS.\u0661.lost", "f:1:5", "is not a packet number"),
    ],
)
def test_bad_lines_are_told_with_their_place(text, where, what):
    with pytest.raises(InputError) as error:
        parsed(text)
    assert error.value.where == where
    assert what in str(error.value)
    assert error.value.remedy
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "has no faults"),
        (b"# nothing\n", "has no faults"),
        (b"RCS.1.lost\n\xff", ":2: a byte that is no text"),
        (b"RCS.1.lost\n\x00", ":2: a byte that is no text"),
        (b"#" * (1 << 20) + b"##", "is larger than 1 MiB"),
        (b"VCS.1.lost\n" * 6000, "more than 10000 faults"),
    ],
)
def test_bad_files(tmp_path, content, what):
    path = tmp_path / "x.faults"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        load_faults(str(path))
    assert what in str(error.value)


@pytest.mark.parametrize(
    ("given_", "what"),
    [
        ("", "is no disaster and no file"),
        ("earthquake", "disasters are hang, flaky-irq, reset-storm, device-loss"),
        ("none.faults", "no such file"),
        ("/", "is a directory"),
        ("/dev/null", "is not a regular file"),
    ],
)
def test_what_is_neither_name_nor_file_nor_text(given_, what):
    with pytest.raises(InputError) as error:
        load_faults(given_)
    assert what in str(error.value)


@given(st.text(alphabet="RCSVB*.@/0123456789hangsoftlued, #\n", max_size=60))
def test_any_text_is_faults_or_an_input_error(text):
    try:
        faults = parsed(text)
    except InputError as error:
        told = str(error)
    else:
        told = "f:"
        assert all(isinstance(fault, Fault) for fault in faults)
    assert told.startswith("f:")


def test_every_kind_has_a_form():
    assert set(FORMS) == set(Kind)
