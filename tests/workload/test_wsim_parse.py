# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Every step of the format, as text and as the step it becomes, and what is refused."""

from __future__ import annotations

import pytest

from kport.workload.errors import InputError
from kport.workload.wsim.parse import parse_steps
from kport.workload.wsim.steps import (
    Balance,
    Batch,
    Bond,
    DataDep,
    Delay,
    Duration,
    EngineMap,
    FenceDep,
    Ignored,
    NewFence,
    Offset,
    Period,
    Place,
    Priority,
    QueueThrottle,
    SetDep,
    SignalFence,
    SubmitDep,
    Sync,
    Terminate,
    Throttle,
    WorkingSet,
)


def parse(text: str, inline: bool = False):
    return parse_steps(text, "f", inline)


def one(text: str):
    (step,) = parse(text)
    return step


def at(column: int, line: int = 1) -> Place:
    return Place("f", line, column)


def batch(deps: str) -> Batch:
    step = one(f"1.RCS.10.{deps}.0")
    assert isinstance(step, Batch)
    return step


def test_a_batch_has_context_engine_duration_dependencies_and_wait():
    assert one("12.VCS1.300-500.0.1") == Batch(
        at(1), 12, "VCS1", at(4), Duration(300, 500), (), True
    )
    assert one("1.RCS.700.0.0").duration == Duration(700, 700)
    assert one("1.RCS.*.0.0").duration is None
    assert one("1.rcs.5.0.0").engine == "RCS"


@pytest.mark.parametrize(
    "engine", ["DEFAULT", "RCS", "BCS", "VCS", "VCS1", "VCS2", "VECS", "CCS", "RCS1", "default"]
)
def test_engines(engine):
    assert one(f"1.{engine}.5.0.0").engine == engine.upper()


def test_every_kind_of_dependency_and_where_it_stands():
    assert batch("-2").deps == (DataDep(Offset(-2, at(10))),)
    assert batch("f-1").deps == (FenceDep(Offset(-1, at(10))),)
    assert batch("s-11").deps == (SubmitDep(Offset(-11, at(10))),)
    assert batch("r1-0").deps == (SetDep(1, 0, 0, False, at(10)),)
    assert batch("w2-3-7").deps == (SetDep(2, 3, 7, True, at(10)),)
    assert batch("-1/f-2/s-3/r0-0-1").deps == (
        DataDep(Offset(-1, at(10))),
        FenceDep(Offset(-2, at(13))),
        SubmitDep(Offset(-3, at(17))),
        SetDep(0, 0, 1, False, at(21)),
    )


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("d.36394", Delay(at(1), 36394)),
        ("p.16667", Period(at(1), 16667)),
        ("s.-3", Sync(at(1), Offset(-3, at(3)))),
        ("t.4", Throttle(at(1), 4)),
        ("t.0", Throttle(at(1), 0)),
        ("q.5", QueueThrottle(at(1), 5)),
        ("f", NewFence(at(1))),
        ("a.-1", SignalFence(at(1), Offset(-1, at(3)))),
        ("P.2.-1", Priority(at(1), 2, -1)),
        ("M.3.VCS", EngineMap(at(1), 3, ("vcs1", "vcs2"))),
        ("M.3.RCS|VECS|RCS", EngineMap(at(1), 3, ("rcs", "vecs"))),
        ("B.1", Balance(at(1), 1)),
        ("b.2.VCS2|VCS1.RCS", Bond(at(1), 2, ("vcs2", "vcs1"), "rcs")),
        ("T.-4", Terminate(at(1), Offset(-4, at(3)))),
        ("w.0.4k", WorkingSet(at(1), 0, ((4096, 4096),), False)),
        ("W.7.2n1M/5-6", WorkingSet(at(1), 7, ((1 << 20,) * 2,) * 2 + ((5, 6),), True)),
        ("w.1.1-4m", WorkingSet(at(1), 1, ((1, 4 << 20),), False)),
        ("X.1.0", Ignored(at(1), "X")),
        ("S.1.-1", Ignored(at(1), "S")),
        ("V.1", Ignored(at(1), "V")),
        ("v.1.2", Ignored(at(1), "v")),
    ],
)
def test_the_other_steps(text, step):
    assert one(text) == step


def test_comments_blank_lines_and_white_space_are_no_steps():
    text = "# one, two\n\n  d.1 # a delay, short\r\n\t\n,, d.2,d.3,\n#"
    assert [(s.us, s.place.line, s.place.column) for s in parse(text)] == [
        (1, 3, 3),
        (2, 5, 4),
        (3, 5, 8),
    ]


def test_on_a_command_line_a_comment_ends_at_the_comma():
    assert [s.us for s in parse("d.1,# no step,d.2 # x,d.3", inline=True)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("d.5\nz.3", "f:2:1", "unknown step 'z.3'"),
        ("hello", "f:1:1", "unknown step 'hello'"),
        ("1.XCS.5.0.0", "f:1:3", "unknown engine 'XCS'; engines are DEFAULT, RCS"),
        ("1.VCS3.5.0.0", "f:1:3", "unknown engine 'VCS3'"),
        ("1.VCS0.5.0.0", "f:1:3", "unknown engine"),
        ("1..5.0.0", "f:1:3", "unknown engine ''"),
        ("1.RCS.5.0", "f:1:1", "a batch has 5 fields, this one has 4"),
        ("1.RCS.5.0.0.0", "f:1:1", "this one has 6"),
        ("0.RCS.5.0.0", "f:1:1", "0 is no context"),
        ("1.RCS.0.0.0", "f:1:7", "0 is no duration in us"),
        ("1.RCS.x.0.0", "f:1:7", "'x' is no duration in us"),
        ("1.RCS.5-.0.0", "f:1:7", "'5-' is no duration"),
        ("1.RCS.9-5.0.0", "f:1:7", "the range 9-5 is empty"),
        ("1.RCS.1-2-3.0.0", "f:1:7", "'1-2-3' is no duration"),
        ("1.RCS.**.0.0", "f:1:7", "'**' is no duration"),
        ("1.RCS.9999999999999.0.0", "f:1:7", "9999999999999 is no duration"),
        ("1.RCS." + "9" * 5000 + ".0.0", "f:1:7", "is no duration"),
        ("1.RCS.5.1.0", "f:1:9", "'1' is no dependency"),
        ("1.RCS.5.-0.0", "f:1:9", "'-0' is no offset"),
        ("1.RCS.5.f1.0", "f:1:9", "'1' is no offset"),
        ("1.RCS.5.0/-1.0", "f:1:9", "'0' is no dependency"),
        ("1.RCS.5.-1/.0", "f:1:12", "'' is no dependency"),
        ("1.RCS.5.r1.0", "f:1:9", "'r1' is no use of a working set"),
        ("1.RCS.5.r1-3-2.0", "f:1:9", "the range of r1-3-2 is empty"),
        ("1.RCS.5.0.2", "f:1:11", "'2' is no wait field"),
        ("d.0", "f:1:3", "0 is no delay"),
        ("d.-5", "f:1:3", "-5 is no delay"),
        ("d", "f:1:1", "'d' is no d step; its form is d.us"),
        ("d.1.2", "f:1:1", "its form is d.us"),
        ("f.1", "f:1:1", "'f.1' is no f step"),
        ("p.", "f:1:1", "'p.' is no p step"),
        ("s.1", "f:1:3", "'1' is no offset; write -1"),
        ("t.-1", "f:1:3", "-1 is no number of batches"),
        ("P.1", "f:1:1", "its form is P.context.priority"),
        ("P.1.5000", "f:1:5", "5000 is no priority"),
        ("M.1.DEFAULT", "f:1:5", "unknown engine 'DEFAULT'"),
        ("M.1.VCS|XX", "f:1:9", "unknown engine 'XX'"),
        ("b.1.VCS1.VCS", "f:1:10", "'VCS' is more than one engine"),
        ("w.1.4x", "f:1:5", "'4x' is no buffer size"),
        ("w.1.0", "f:1:5", "'0' is no buffer size"),
        ("w.1.8k-4k", "f:1:5", "is no buffer size"),
        ("w.1.99999999n4k", "f:1:5", "working set 1 has more than 65536 objects"),
        ("X.1.-1", "f:1:5", "-1 is no time in us"),
        ("٣.RCS.5.0.0", "f:1:1", "unknown step"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_its_place(text, place, message):
    with pytest.raises(InputError) as error:
        parse(text)
    assert error.value.where == place
    assert message in str(error.value)
    assert "\n" not in str(error.value)
