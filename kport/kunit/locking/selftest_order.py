# SPDX-FileCopyrightText: 2006 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After lib/locking-selftest.c and the headers of that name, Linux 7.2.13, on 2026-11-20.
"""The cases about the order of locks, and about readers in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import permutations

from kport.kunit.locking.selftest_locks import (
    MUTEX,
    RLOCK,
    RSEM,
    RTMUTEX,
    SPIN,
    WLOCK,
    WSEM,
    lock,
    lock_type,
    mutexes,
    rtmutex,
    rwlock,
    rwsem,
)
from kport.linux.mutex import mutex_init
from kport.linux.rtmutex import rt_mutex_init
from kport.linux.rwlock import rwlock_init
from kport.linux.rwsem import init_rwsem
from kport.linux.spinlock import spin_lock_init

Case = Callable[[], None]
cases: dict[str, Case] = {}

TYPES = (SPIN, WLOCK, RLOCK, MUTEX, WSEM, RSEM, RTMUTEX)

L, U = SPIN.LOCK, SPIN.UNLOCK
WL, WU = WLOCK.LOCK, WLOCK.UNLOCK
RL, RU = RLOCK.LOCK, RLOCK.UNLOCK
ML, MU = MUTEX.LOCK, MUTEX.UNLOCK
WSL, WSU = WSEM.LOCK, WSEM.UNLOCK
RSL, RSU = RSEM.LOCK, RSEM.UNLOCK


def case(function: Case) -> Case:
    """Register a case under its name."""
    cases[function.__name__] = function
    return function


def _generate(name: str, of: Callable[[lock_type], None]) -> None:
    """GENERATE_TESTCASE for each type."""
    for kind in TYPES:
        cases[f"{name}_{kind.name}"] = partial(of, kind)


def _pairs(*pairs: str) -> Callable[[lock_type], None]:
    def run(kind: lock_type) -> None:
        for pair in pairs:
            kind.LOCK(pair[0])
            kind.LOCK(pair[1])
            kind.UNLOCK(pair[1])
            kind.UNLOCK(pair[0])

    return run


def _aa(kind: lock_type) -> None:
    kind.LOCK("X1")
    kind.LOCK("X2")


def _double_unlock(kind: lock_type) -> None:
    kind.LOCK("A")
    kind.UNLOCK("A")
    kind.UNLOCK("A")


def _init_held(kind: lock_type) -> None:
    kind.LOCK("A")
    if kind is SPIN:
        spin_lock_init(lock["A"], "lock_A")
    elif kind in (WLOCK, RLOCK):
        rwlock_init(rwlock["A"], "rwlock_A")
    elif kind is MUTEX:
        mutex_init(mutexes["A"], "mutex_A")
    elif kind in (WSEM, RSEM):
        init_rwsem(rwsem["A"])
    else:
        rt_mutex_init(rtmutex["A"])


_generate("AA", _aa)
_generate("ABBA", _pairs("AB", "BA"))
_generate("ABBCCA", _pairs("AB", "BC", "CA"))
_generate("ABCABC", _pairs("AB", "CA", "BC"))
_generate("ABBCCDDA", _pairs("AB", "BC", "CD", "DA"))
_generate("ABCDBDDA", _pairs("AB", "CD", "BD", "DA"))
_generate("ABCDBCDA", _pairs("AB", "CD", "BC", "DA"))
_generate("double_unlock", _double_unlock)
_generate("init_held", _init_held)

Step = tuple[Callable[[str], None], str]


def _sequence(name: str, *steps: Step) -> None:
    """A case that is a list of operations."""

    def run() -> None:
        for operation, x in steps:
            operation(x)

    cases[name] = run


_sequence("rlock_AA1", (RL, "X1"), (RL, "X1"))
_sequence("rlock_AA1B", (RL, "X1"), (RL, "X2"))
_sequence("rsem_AA1", (RSL, "X1"), (RSL, "X1"))
_sequence("rsem_AA1B", (RSL, "X1"), (RSL, "X2"))
_sequence("rlock_AA2", (RL, "X1"), (WL, "X2"))
_sequence("rsem_AA2", (RSL, "X1"), (WSL, "X2"))
_sequence("rlock_AA3", (WL, "X1"), (RL, "X2"))
_sequence("rsem_AA3", (WSL, "X1"), (RSL, "X2"))

_R_L = ((RL, "X1"), (L, "Y1"), (U, "Y1"), (RU, "X1"))
_L_W = ((L, "Y1"), (WL, "X1"), (WU, "X1"), (U, "Y1"))
_L_R = ((L, "Y1"), (RL, "X1"), (RU, "X1"), (U, "Y1"))
_W_L = ((WL, "X1"), (L, "Y1"), (U, "Y1"), (WU, "X1"))
_RS_M = ((RSL, "X1"), (ML, "Y1"), (MU, "Y1"), (RSU, "X1"))
_WS_M = ((WSL, "X1"), (ML, "Y1"), (MU, "Y1"), (WSU, "X1"))
_M_WS = ((ML, "Y1"), (WSL, "X1"), (WSU, "X1"), (MU, "Y1"))
_M_RS = ((ML, "Y1"), (RSL, "X1"), (RSU, "X1"), (MU, "Y1"))

_sequence("rlock_ABBA1", *_R_L, *_L_W)
_sequence("rwsem_ABBA1", *_RS_M, *_M_WS)
_sequence("rlock_ABBA2", *_R_L, *_L_R)
_sequence("rwsem_ABBA2", *_RS_M, *_M_RS)
_sequence("rlock_ABBA3", *_W_L, *_L_W)
_sequence("rwsem_ABBA3", *_WS_M, *_M_WS)
_sequence("rlock_chaincache_ABBA1", *_R_L, *_L_R, *_L_W)


def three_events(name: str, *events: Case) -> None:
    """GENERATE_PERMUTATIONS_3_EVENTS."""
    for order in permutations((1, 2, 3)):

        def run(order: tuple[int, ...] = order) -> None:
            for number in order:
                events[number - 1]()

        cases[f"{name}_{''.join(map(str, order))}"] = run


def two_events(name: str, *events: Case) -> None:
    """GENERATE_PERMUTATIONS_2_EVENTS."""
    for order in permutations((1, 2)):

        def run(order: tuple[int, ...] = order) -> None:
            for number in order:
                events[number - 1]()

        cases[f"{name}_{''.join(map(str, order))}"] = run


_KINDS = {"W": WLOCK, "R": RLOCK}


def _nested(outer: str, x: str, inner: str, y: str) -> Case:
    """Take and release one reader-writer lock inside another."""

    def run() -> None:
        _KINDS[outer].LOCK(x)
        _KINDS[inner].LOCK(y)
        _KINDS[inner].UNLOCK(y)
        _KINDS[outer].UNLOCK(x)

    return run


def _triangle(name: str, *kinds: str) -> None:
    events = [
        _nested(kind[0], x, kind[1], y)
        for kind, (x, y) in zip(kinds, (("X1", "Y1"), ("Y1", "Z1"), ("Z1", "X1")), strict=True)
    ]
    three_events(name, *events)


_triangle("W1R2_W2R3_W3R1", "WR", "WR", "WR")
_triangle("W1W2_R2R3_W3R1", "WW", "RR", "WR")
_triangle("W1R2_R2R3_W3W1", "WW", "RR", "RW")
_triangle("W1W2_R2R3_R3W1", "WR", "RR", "WW")

