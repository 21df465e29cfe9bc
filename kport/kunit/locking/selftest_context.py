# SPDX-FileCopyrightText: 2006 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After lib/locking-selftest.c, Linux 7.2.13, on 2026-11-20.
"""The cases about queued readers, reclaim, wait types, local locks, and two that stand alone."""

from __future__ import annotations

from collections.abc import Callable

from kport.arch.asm import rcu_read_lock, rcu_read_unlock, spin_lock, spin_unlock
from kport.kunit.locking.selftest_locks import (
    HARDIRQ_DISABLE,
    HARDIRQ_ENABLE,
    HARDIRQ_ENTER,
    HARDIRQ_EXIT,
    ML,
    MU,
    NOTTHREADED_HARDIRQ_ENTER,
    RL,
    RU,
    SOFTIRQ_DISABLE,
    SOFTIRQ_ENABLE,
    SOFTIRQ_ENTER,
    SOFTIRQ_EXIT,
    WL,
    WU,
    L,
    U,
    local_A,
    raw_lock_A,
    raw_lock_B,
    rwsem,
)
from kport.kunit.locking.selftest_order import Case, case, cases
from kport.linux.local_lock import local_lock, local_unlock
from kport.linux.lockdep import lockdep_set_subclass
from kport.linux.lockdep_state import DEBUG_LOCKS_WARN_ON
from kport.linux.mm import (
    GFP_NOFS,
    fs_reclaim_acquire,
    fs_reclaim_release,
    memalloc_nofs_restore,
    memalloc_nofs_save,
    might_alloc,
)
from kport.linux.rcupdate import (
    rcu_read_lock_bh,
    rcu_read_lock_sched,
    rcu_read_unlock_bh,
    rcu_read_unlock_sched,
)
from kport.linux.slab import GFP_KERNEL

# Cases that run without `force_read_lock_recursive`: in C they come after it is cleared.
QUEUED = (
    "queued_read_lock_hardirq_RE_Er",
    "queued_read_lock_hardirq_ER_rE",
    "queued_read_lock_hardirq_inversion",
)

# The file's last LOCK is the writer of a reader-writer lock, so that is what these take as B.
LOCK, UNLOCK = WL, WU


@case
def queued_read_lock_hardirq_RE_Er() -> None:
    """A reader that is not an interrupt waits for a writer that waits."""
    HARDIRQ_ENTER()
    RL("A")
    LOCK("B")
    UNLOCK("B")
    RU("A")
    HARDIRQ_EXIT()

    HARDIRQ_DISABLE()
    LOCK("B")
    RL("A")
    RU("A")
    UNLOCK("B")
    HARDIRQ_ENABLE()


@case
def queued_read_lock_hardirq_ER_rE() -> None:
    """A reader that is an interrupt does not."""
    HARDIRQ_ENTER()
    LOCK("B")
    RL("A")
    RU("A")
    UNLOCK("B")
    HARDIRQ_EXIT()

    HARDIRQ_DISABLE()
    RL("A")
    LOCK("B")
    UNLOCK("B")
    RU("A")
    HARDIRQ_ENABLE()


@case
def queued_read_lock_hardirq_inversion() -> None:
    """A reader held with interrupts on lets a waiting writer stop an interrupt."""
    HARDIRQ_ENTER()
    LOCK("B")
    UNLOCK("B")
    HARDIRQ_EXIT()

    HARDIRQ_DISABLE()
    LOCK("B")
    RL("A")
    RU("A")
    UNLOCK("B")
    HARDIRQ_ENABLE()

    RL("A")
    RU("A")


@case
def fs_reclaim_correct_nesting() -> None:
    """Reclaim may allocate what does not reclaim."""
    fs_reclaim_acquire(GFP_KERNEL)
    might_alloc(GFP_NOFS)
    fs_reclaim_release(GFP_KERNEL)


@case
def fs_reclaim_wrong_nesting() -> None:
    """Reclaim must not allocate what reclaims."""
    fs_reclaim_acquire(GFP_KERNEL)
    might_alloc(GFP_KERNEL)
    fs_reclaim_release(GFP_KERNEL)


@case
def fs_reclaim_protected_nesting() -> None:
    """A task can say that it is in reclaim."""
    fs_reclaim_acquire(GFP_KERNEL)
    flags = memalloc_nofs_save()
    might_alloc(GFP_KERNEL)
    memalloc_nofs_restore(flags)
    fs_reclaim_release(GFP_KERNEL)


# -- one context in another ------------------------------------------------------------------------

Pair = tuple[Callable[[], None], Callable[[], None]]


def _raw(lock: str) -> Pair:
    which = {"A": raw_lock_A, "B": raw_lock_B}[lock]
    return lambda: spin_lock(which), lambda: spin_unlock(which)


OUTER: dict[str, Pair] = {
    "HARDIRQ": (HARDIRQ_ENTER, HARDIRQ_EXIT),
    "NOTTHREADED_HARDIRQ": (NOTTHREADED_HARDIRQ_ENTER, HARDIRQ_EXIT),
    "SOFTIRQ": (SOFTIRQ_ENTER, SOFTIRQ_EXIT),
    "RCU": (lambda: rcu_read_lock(), lambda: rcu_read_unlock()),
    "RCU_BH": (lambda: rcu_read_lock_bh(), lambda: rcu_read_unlock_bh()),
    "RCU_SCHED": (lambda: rcu_read_lock_sched(), lambda: rcu_read_unlock_sched()),
    "raw_spinlock": _raw("A"),
    "spinlock": (lambda: L("A"), lambda: U("A")),
    "mutex": (lambda: ML("A"), lambda: MU("A")),
}

INNER: dict[str, Pair] = {
    "RCU": OUTER["RCU"],
    "raw_spinlock": _raw("B"),
    "spinlock": (lambda: L("B"), lambda: U("B")),
    "mutex": (lambda: ML("B"), lambda: MU("B")),
}


def _inside(outer: Pair, inner: Pair) -> Case:
    def run() -> None:
        outer[0]()
        inner[0]()
        inner[1]()
        outer[1]()

    return run


for _outer, _outer_pair in OUTER.items():
    for _inner, _inner_pair in INNER.items():
        cases[f"{_inner}_in_{_outer}"] = _inside(_outer_pair, _inner_pair)


# -- local locks -----------------------------------------------------------------------------------


def _local_under_spin() -> None:
    HARDIRQ_ENTER()
    L("A")
    U("A")
    HARDIRQ_EXIT()

    HARDIRQ_DISABLE()
    L("A")
    local_lock(local_A)
    local_unlock(local_A)
    U("A")
    HARDIRQ_ENABLE()


@case
def local_lock_2() -> None:
    """A local lock with interrupts on, and under a lock that interrupts take."""
    local_lock(local_A)
    local_unlock(local_A)
    _local_under_spin()


@case
def local_lock_3A() -> None:
    """The same with another lock inside."""
    local_lock(local_A)
    L("B")
    U("B")
    local_unlock(local_A)
    _local_under_spin()


@case
def local_lock_3B() -> None:
    """The other lock is taken under the interrupt's lock, too."""
    local_lock_3A()

    HARDIRQ_DISABLE()
    L("A")
    L("B")
    U("B")
    U("A")
    HARDIRQ_DISABLE()


@case
def hardirq_deadlock_softirq_not_deadlock() -> None:
    """Two ways from one lock, and only the second one's end is used in the same interrupt."""
    ML("A")
    HARDIRQ_DISABLE()
    L("C")
    U("C")
    HARDIRQ_ENABLE()
    MU("A")

    HARDIRQ_ENTER()
    L("A")
    U("A")
    HARDIRQ_EXIT()

    HARDIRQ_DISABLE()
    L("A")
    L("B")
    U("B")
    U("A")
    HARDIRQ_ENABLE()

    HARDIRQ_DISABLE()
    L("B")
    L("C")
    U("C")
    U("B")
    HARDIRQ_ENABLE()

    SOFTIRQ_ENTER()
    L("D")
    U("D")
    SOFTIRQ_EXIT()

    SOFTIRQ_DISABLE()
    L("D")
    U("D")
    SOFTIRQ_ENABLE()

    HARDIRQ_DISABLE()
    L("C")
    L("D")
    U("D")
    U("C")
    HARDIRQ_ENABLE()


@case
def test_lockdep_set_subclass_name() -> None:
    """A subclass does not change the name."""
    name_before = rwsem["X1"].dep_map.name
    lockdep_set_subclass(rwsem["X1"], 1)
    name_after = rwsem["X1"].dep_map.name
    DEBUG_LOCKS_WARN_ON(name_before != name_after)
