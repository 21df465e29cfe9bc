# SPDX-FileCopyrightText: 2006 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After lib/locking-selftest.c and the headers of that name, Linux 7.2.13, on 2026-11-20.
"""The cases about locks that interrupts take."""

from __future__ import annotations

from kport.kunit.locking.selftest_locks import (
    HARD,
    RLOCK,
    SOFT,
    SPIN,
    WLOCK,
    irq_type,
    lock_type,
)
from kport.kunit.locking.selftest_order import Case, three_events, two_events

L, U = SPIN.LOCK, SPIN.UNLOCK
WL, WU = WLOCK.LOCK, WLOCK.UNLOCK
RL, RU = RLOCK.LOCK, RLOCK.UNLOCK


def _in_irq(irq: irq_type, body: Case) -> Case:
    def run() -> None:
        irq.ENTER()
        body()
        irq.EXIT()

    return run


def _irqs_off(irq: irq_type, body: Case) -> Case:
    def run() -> None:
        irq.DISABLE()
        body()
        irq.ENABLE()

    return run


def _locked(kind: lock_type, x: str, body: Case | None = None) -> Case:
    def run() -> None:
        kind.LOCK(x)
        if body is not None:
            body()
        kind.UNLOCK(x)

    return run


def _enables_inside(irq: irq_type, kind: lock_type) -> Case:
    def run() -> None:
        irq.DISABLE()
        kind.LOCK("A")
        irq.ENABLE()
        kind.UNLOCK("A")

    return run


for _irq in (HARD, SOFT):
    for _kind in (SPIN, WLOCK, RLOCK):
        _how = f"{_irq.name}_{_kind.name}"
        _a, _b = _locked(_kind, "A"), _locked(_kind, "B")
        _ab = _locked(_kind, "A", _b)
        two_events(f"irqsafe1_{_how}", _in_irq(_irq, _a), _a)
        two_events(f"irqsafe2B_{_how}", _in_irq(_irq, _a), _enables_inside(_irq, _kind))
        three_events(f"irqsafe3_{_how}", _ab, _b, _in_irq(_irq, _a))
        three_events(f"irqsafe4_{_how}", _irqs_off(_irq, _ab), _b, _in_irq(_irq, _a))
        three_events(
            f"irq_inversion_{_how}",
            _irqs_off(_irq, _locked(WLOCK, "A", _b)),
            _b,
            _in_irq(_irq, _locked(RLOCK, "A")),
        )
    for _kind in (WLOCK, RLOCK):
        _how = f"{_irq.name}_{_kind.name}"
        _reader, _spin_b = _locked(RLOCK, "A"), _locked(SPIN, "B")
        _a = _locked(_kind, "A")
        three_events(
            f"irq_read_recursion_{_how}",
            _irqs_off(_irq, _locked(WLOCK, "A")),
            _reader,
            _in_irq(_irq, _locked(_kind, "A", _spin_b)),
        )
        three_events(
            f"irq_read_recursion2_{_how}",
            _irqs_off(_irq, _locked(SPIN, "B", _a)),
            _reader,
            _in_irq(_irq, _spin_b),
        )
        three_events(
            f"irq_read_recursion3_{_how}",
            _irqs_off(_irq, _locked(WLOCK, "B", _a)),
            _reader,
            _in_irq(_irq, _locked(RLOCK, "B")),
        )

for _kind in (SPIN, WLOCK, RLOCK):
    two_events(
        f"irqsafe2A_{_kind.name}",
        _in_irq(SOFT, _locked(_kind, "A")),
        _enables_inside(HARD, _kind),
    )
