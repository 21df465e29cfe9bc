# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The litmus tests of tools/memory-model/litmus-tests (Linux 7.2.13) in our own notation.

Same names, same accesses, same question; the answer is what the kernel's file says. What each shows
is told there and in tools/memory-model/Documentation/explanation.txt. All variables begin at 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from kport.explore.litmus.program import Expr, Program, program

NEVER, SOMETIMES = False, True

_P0_LOCKED = "lock s; x = 1; y = 1; unlock s"
_TESTS: dict[str, tuple[tuple[str, ...], str, bool]] = {
    "CoRR+poonceonce+Once": (("x = 1", "a := x; b := x"), "1:a=1 & 1:b=0", NEVER),
    "CoRW+poonceonce+Once": (("a := x; x = 1", "x = 2"), "x=2 & 0:a=2", NEVER),
    "CoWR+poonceonce+Once": (("x = 1; a := x", "x = 2"), "x=1 & 0:a=2", NEVER),
    "CoWW+poonceonce": (("x = 1; x = 2",), "x=1", NEVER),
    "IRIW+fencembonceonces+OnceOnce": (
        ("x = 1", "a := x; mb; b := y", "y = 1", "a := y; mb; b := x"),
        "1:a=1 & 1:b=0 & 3:a=1 & 3:b=0",
        NEVER,
    ),
    "IRIW+poonceonces+OnceOnce": (
        ("x = 1", "a := x; b := y", "y = 1", "a := y; b := x"),
        "1:a=1 & 1:b=0 & 3:a=1 & 3:b=0",
        SOMETIMES,
    ),
    "ISA2+pooncelock+pooncelock+pombonce": (
        (_P0_LOCKED, "lock s; a := y; z = 1; unlock s", "c := z; mb; b := x"),
        "1:a=1 & 2:c=1 & 2:b=0",
        NEVER,
    ),
    "ISA2+poonceonces": (
        ("x = 1; y = 1", "a := y; z = 1", "a := z; b := x"),
        "1:a=1 & 2:a=1 & 2:b=0",
        SOMETIMES,
    ),
    "ISA2+pooncerelease+poacquirerelease+poacquireonce": (
        ("x = 1; y =release 1", "a :=acquire y; z =release 1", "a :=acquire z; b := x"),
        "1:a=1 & 2:a=1 & 2:b=0",
        NEVER,
    ),
    "LB+fencembonceonce+ctrlonceonce": (
        ("a := x; if a { y = 1 }", "a := y; mb; x = 1"),
        "0:a=1 & 1:a=1",
        NEVER,
    ),
    "LB+poacquireonce+pooncerelease": (
        ("a := x; y =release 1", "a :=acquire y; x = 1"),
        "0:a=1 & 1:a=1",
        NEVER,
    ),
    "LB+poonceonces": (("a := x; y = 1", "a := y; x = 1"), "0:a=1 & 1:a=1", SOMETIMES),
    "LB+unlocklockonceonce+poacquireonce": (
        ("lock s; a := x; unlock s; lock t; y = 1; unlock t", "b :=acquire y; x = 1"),
        "0:a=1 & 1:b=1",
        NEVER,
    ),
    "MP+fencewmbonceonce+fencermbonceonce": (
        ("x = 1; wmb; y = 1", "a := y; rmb; b := x"),
        "1:a=1 & 1:b=0",
        NEVER,
    ),
    "MP+onceassign+derefonce": (
        ("x = 1; p =release &x", "rcu-lock; r := p; b := *r; rcu-unlock"),
        "1:r=&x & 1:b=0",
        NEVER,
    ),
    "MP+polockmbonce+poacquiresilsil": (
        (
            "lock s; after-spinlock; x = 1; unlock s",
            "a :=acquire x; b := is_locked s; c := is_locked s",
        ),
        "1:a=1 & 1:b=0 & 1:c=1",
        NEVER,
    ),
    "MP+polockonce+poacquiresilsil": (
        ("lock s; x = 1; unlock s", "a :=acquire x; b := is_locked s; c := is_locked s"),
        "1:a=1 & 1:b=0 & 1:c=1",
        SOMETIMES,
    ),
    "MP+polocks": (
        ("x = 1; lock s; y = 1; unlock s", "lock s; a := y; unlock s; b := x"),
        "1:a=1 & 1:b=0",
        NEVER,
    ),
    "MP+poonceonces": (("x = 1; y = 1", "a := y; b := x"), "1:a=1 & 1:b=0", SOMETIMES),
    "MP+pooncerelease+poacquireonce": (
        ("x = 1; y =release 1", "a :=acquire y; b := x"),
        "1:a=1 & 1:b=0",
        NEVER,
    ),
    "MP+porevlocks": (
        ("a := y; lock s; b := x; unlock s", "lock s; x = 1; unlock s; y = 1"),
        "0:a=1 & 0:b=0",
        NEVER,
    ),
    "MP+unlocklockonceonce+fencermbonceonce": (
        ("lock s; x = 1; unlock s; lock t; y = 1; unlock t", "a := y; rmb; b := x"),
        "1:a=1 & 1:b=0",
        NEVER,
    ),
    "R+fencembonceonces": (("x = 1; mb; y = 1", "y = 2; mb; a := x"), "y=2 & 1:a=0", NEVER),
    "R+poonceonces": (("x = 1; y = 1", "y = 2; a := x"), "y=2 & 1:a=0", SOMETIMES),
    "S+fencewmbonceonce+poacquireonce": (
        ("x = 2; wmb; y = 1", "a :=acquire y; x = 1"),
        "x=2 & 1:a=1",
        NEVER,
    ),
    "S+poonceonces": (("x = 2; y = 1", "a := y; x = 1"), "x=2 & 1:a=1", SOMETIMES),
    "SB+fencembonceonces": (("x = 1; mb; a := y", "y = 1; mb; a := x"), "0:a=0 & 1:a=0", NEVER),
    "SB+poonceonces": (("x = 1; a := y", "y = 1; a := x"), "0:a=0 & 1:a=0", SOMETIMES),
    "SB+rfionceonce-poonceonces": (
        ("x = 1; a := x; b := y", "y = 1; c := y; d := x"),
        "0:b=0 & 1:d=0",
        SOMETIMES,
    ),
    "WRC+poonceonces+Once": (
        ("x = 1", "a := x; y = 1", "a := y; b := x"),
        "1:a=1 & 2:a=1 & 2:b=0",
        SOMETIMES,
    ),
    "WRC+pooncerelease+fencermbonceonce+Once": (
        ("x = 1", "a := x; y =release 1", "a := y; rmb; b := x"),
        "1:a=1 & 2:a=1 & 2:b=0",
        NEVER,
    ),
    "Z6.0+pooncelock+poonceLock+pombonce": (
        (_P0_LOCKED, "lock s; after-spinlock; a := y; z = 1; unlock s", "z = 2; mb; b := x"),
        "1:a=1 & z=2 & 2:b=0",
        NEVER,
    ),
    "Z6.0+pooncelock+pooncelock+pombonce": (
        (_P0_LOCKED, "lock s; a := y; z = 1; unlock s", "z = 2; mb; b := x"),
        "1:a=1 & z=2 & 2:b=0",
        SOMETIMES,
    ),
    "Z6.0+pooncerelease+poacquirerelease+fencembonceonce": (
        ("x = 1; y =release 1", "a :=acquire y; z =release 1", "z = 2; mb; b := x"),
        "1:a=1 & z=2 & 2:b=0",
        SOMETIMES,
    ),
    "dep+plain": (
        ("a := x; let b = a; let c = b; if c == 1 { y = 1 }", "r :=acquire y; x =release r"),
        "x=1 & y=1",
        NEVER,
    ),
}
_INIT: dict[str, dict[str, Expr]] = {"MP+onceassign+derefonce": {"p": ("addr", "y")}}


def names() -> list[str]:
    """The names of the tests, in the order of the alphabet."""
    return list(_TESTS)


def test(name: str) -> Program:
    """One test. Raises KeyError."""
    threads, question, sometimes = _TESTS[name]
    return program(name, threads, question, sometimes, _INIT.get(name))


def programs() -> Iterator[Program]:
    """All tests."""
    for name in _TESTS:
        yield test(name)
