# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Scope guards, and forward gotos that fall through their labels as in C."""

from __future__ import annotations

import pytest

from kport.arch.asm import current_thread_info, irqs_disabled
from kport.linux.cleanup import goto, guard, labels
from kport.linux.mutex import mutex, mutex_init, mutex_is_locked
from kport.linux.spinlock import spin_is_locked, spin_lock_init, spinlock_t

pytestmark = pytest.mark.usefixtures("kernel")


def run(jump: str | None) -> list[str]:
    """A C function with three labels and a jump to one of them, or none."""
    path = ["begin"]
    with labels("one", "two", "three") as label:
        if jump:
            raise goto(jump)
        path.append("body")
    if label("one"):
        path.append("one")
    if label("two"):
        path.append("two")
    if label("three"):
        path.append("three")
    return path


@pytest.mark.parametrize(
    ("jump", "path"),
    [
        (None, ["begin", "body", "one", "two", "three"]),
        ("one", ["begin", "one", "two", "three"]),
        ("two", ["begin", "two", "three"]),
        ("three", ["begin", "three"]),
    ],
)
def test_control_falls_through_labels(jump, path):
    assert run(jump) == path


def test_a_return_passes_no_label():
    def early() -> str:
        with labels("out") as label:
            return "returned"
        if label("out"):
            return "fell through"

    assert early() == "returned"


def test_a_jump_to_a_label_of_another_function_goes_on():
    with pytest.raises(goto), labels("out"):
        raise goto("elsewhere")


def test_labels_of_an_outer_function_are_not_those_of_an_inner_one():
    path = []

    def inner() -> None:
        with labels("out"):
            raise goto("out")
        path.append("inner out")

    with labels("out") as label:
        inner()
        path.append("goes on")
    assert label("out")
    assert path == ["inner out", "goes on"]


def test_other_errors_are_not_jumps():
    with pytest.raises(ValueError, match="x"), labels("out"):
        raise ValueError("x")


@pytest.mark.parametrize("kind", ["spinlock", "spinlock_irqsave"])
def test_spin_lock_guards(kind):
    lock = spinlock_t()
    spin_lock_init(lock)
    with guard(kind, lock):
        assert spin_is_locked(lock)
        assert irqs_disabled() == (kind == "spinlock_irqsave")
    assert not spin_is_locked(lock)
    assert not irqs_disabled()

    def leave() -> int:
        with guard(kind, lock):
            return 5

    assert leave() == 5
    assert not spin_is_locked(lock)
    with pytest.raises(LookupError), guard(kind, lock):
        raise LookupError
    assert not spin_is_locked(lock)


def test_a_mutex_guard():
    lock = mutex()
    mutex_init(lock)
    with guard("mutex", lock):
        assert mutex_is_locked(lock)
    assert not mutex_is_locked(lock)


def test_an_rcu_guard():
    ti = current_thread_info()
    with guard("rcu"), guard("rcu"):
        assert ti.rcu_nesting == 2
    assert ti.rcu_nesting == 0


def test_an_unknown_guard_is_refused():
    with pytest.raises(KeyError), guard("rwsem"):
        pass
