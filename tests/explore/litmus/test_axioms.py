# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The axioms, on executions made by hand: each forbids what it is there for."""

from __future__ import annotations

import pytest

from kport.explore.litmus.axioms import Execution, acyclic, forbidden, plus, seq


def message(release: str, acquire: str, *, fences: tuple[str, str] = ("", "")) -> Execution:
    """x = 1; y = 1 against a load of y that sees it and a load of x that does not."""
    e = Execution()
    x0, y0 = e.add(-1, "W", "once", 0), e.add(-1, "W", "once", 1)
    wx = e.add(0, "W", "once", 0)
    if fences[0]:
        e.add(0, "F", fences[0])
    wy = e.add(0, "W", release, 1)
    ry = e.add(1, "R", acquire, 1)
    if fences[1]:
        e.add(1, "F", fences[1])
    rx = e.add(1, "R", "once", 0)
    e.rf = {ry: wy, rx: x0}
    e.co = {0: [x0, wx], 1: [y0, wy]}
    return e


@pytest.mark.parametrize(
    ("execution", "axiom"),
    [
        (message("once", "once"), None),
        (message("release", "acquire"), "happens-before"),
        (message("release", "once"), None),
        (message("once", "acquire"), None),
        (message("once", "once", fences=("wmb", "rmb")), "happens-before"),
        (message("once", "once", fences=("rmb", "wmb")), None),
        (message("once", "once", fences=("mb", "mb")), "happens-before"),
    ],
)
def test_messages(execution, axiom):
    assert forbidden(execution) == axiom


@pytest.mark.parametrize(
    ("fences", "axiom"), [((True, True), "propagation"), ((True, False), None)]
)
def test_store_buffers(fences, axiom):
    e = Execution()
    first = [e.add(-1, "W", "once", 0), e.add(-1, "W", "once", 1)]
    stores = []
    for thread in (0, 1):
        stores.append(e.add(thread, "W", "once", thread))
        if fences[thread]:
            e.add(thread, "F", "mb")
        e.rf[e.add(thread, "R", "once", 1 - thread)] = first[1 - thread]
    e.co = {0: [first[0], stores[0]], 1: [first[1], stores[1]]}
    assert forbidden(e) == axiom


def test_a_thread_does_not_see_a_location_go_back():
    e = Execution()
    start, store = e.add(-1, "W", "once", 0), e.add(0, "W", "once", 0)
    e.rf = {e.add(1, "R", "once", 0): store, e.add(1, "R", "once", 0): start}
    e.co = {0: [start, store]}
    assert forbidden(e) == "coherence"


def test_nothing_comes_between_the_halves_of_an_atomic():
    e = Execution()
    start, other = e.add(-1, "W", "once", 0), e.add(0, "W", "once", 0)
    load, store = e.add(1, "R", "once", 0), e.add(1, "W", "once", 0)
    e.rf, e.rmw = {load: start}, [(load, store)]
    e.co = {0: [start, other, store]}
    assert forbidden(e) == "atomic"
    e.co = {0: [start, store, other]}
    assert forbidden(e) is None


def test_a_reader_does_not_see_both_sides_of_a_grace_period():
    e = Execution()
    x0, y0 = e.add(-1, "W", "once", 0), e.add(-1, "W", "once", 1)
    wx = e.add(0, "W", "once", 0)
    e.add(0, "F", "sync-rcu")
    wy = e.add(0, "W", "once", 1)
    e.add(1, "F", "rcu-lock")
    rx, ry = e.add(1, "R", "once", 0), e.add(1, "R", "once", 1)
    e.add(1, "F", "rcu-unlock")
    e.rf = {rx: x0, ry: wy}
    e.co = {0: [x0, wx], 1: [y0, wy]}
    assert forbidden(e) == "rcu"


def test_relations():
    assert plus([0b010, 0b100, 0]) == [0b110, 0b100, 0]
    assert seq([0b010, 0, 0], [0, 0b100, 0]) == [0b100, 0, 0]
    assert acyclic([0b010, 0b100, 0])
    assert not acyclic([0b010, 0b100, 0b001])
