# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The compact notation of litmus tests, and what becomes of it."""

from __future__ import annotations

import pytest

from kport.explore.litmus.program import (
    Fence,
    If,
    Let,
    LitmusError,
    Lock,
    Read,
    Update,
    Write,
    program,
)
from kport.explore.litmus.tasks import source


def test_every_statement_is_read():
    text = (
        "x = 1; x =release 2; a := x; b :=acquire x; mb; lock s; c := is_locked s; unlock s; "
        "inc x; d :=xchg.relaxed x 3; e :=cmpxchg x 0 1; f :=fetch_add x 2; let g = a ^ b; *a = 1; "
        "if g == 0 { x = 4; rmb }"
    )
    var = ("var", "x")
    assert program("all", [text], "x=1").threads == [
        (
            Write("once", var, 1),
            Write("release", var, 2),
            Read("a", "once", var),
            Read("b", "acquire", var),
            Fence("mb"),
            Lock("lock", "s"),
            Lock("is_locked", "s", "c"),
            Lock("unlock", "s"),
            Update("add", "", "", var, (1,)),
            Update("xchg", "relaxed", "d", var, (3,)),
            Update("cmpxchg", "mb", "e", var, (0, 1)),
            Update("fetch_add", "mb", "f", var, (2,)),
            Let("g", ("^", ("reg", "a"), ("reg", "b"))),
            Write("once", ("reg", "a"), 1),
            If(("==", ("reg", "g"), 0), (Write("once", var, 4), Fence("rmb"))),
        )
    ]


def test_the_text_that_runs_is_that_of_the_port():
    test = program("two", ["x =release 1; wmb; y = 1", "if 1 { a := x }; mb"], "1:a=1")
    assert source(test).splitlines() == [
        "def P0():",
        '    smp_store_release(x, "counter", 1)',
        "    smp_wmb()",
        '    WRITE_ONCE(y, "counter", 1)',
        "",
        "def P1():",
        "    a = 0",
        "    if 1:",
        '        a = READ_ONCE(x, "counter")',
        "    smp_mb()",
        "    registers[1, 'a'] = a",
    ]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("0:a=1 & x=2", True),
        ("0:a=1 & x=3", False),
        ("0:a=2 | x=2", True),
        ("!(0:a=1) | x=3", False),
        ("!(0:a=1 & x=3)", True),
        ("0:p=&x", True),
        ("x=-2", False),
    ],
)
def test_conditions(condition, holds):
    test = program("c", ["a := x"], condition)
    registers = {(0, "a"): 1, (0, "p"): ("addr", "x")}
    assert test.holds(registers, {"x": 2}) is holds


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("x <- 1", "t, P0: cannot read 'x <- 1'"),
        ("a :=xchg x", "t, P0: cannot read 'a :=xchg x'"),
        ("a :=cmpxchg.seqcst x 0 1", "t, P0: cannot read"),
        ("x = 1 $", "t, P0: cannot read '$'"),
        ("x = 1 1", "t, P0: nothing expected behind '1 1'"),
    ],
)
def test_what_cannot_be_read_is_named(statement, message):
    with pytest.raises(LitmusError) as error:
        program("t", [statement], "x=1")
    assert str(error.value).startswith(message)


def test_a_condition_that_goes_on_is_refused():
    with pytest.raises(LitmusError, match="t: nothing expected behind the condition, not '='"):
        program("t", ["x = 1"], "x=1=2")
