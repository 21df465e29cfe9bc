# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random delays: threads wait, virt does not, and nothing is reported."""

from __future__ import annotations

from kport.check import chaos
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock, spinlock_t


def count_delays(boot, monkeypatch, times=20_000):
    """How often somebody slept while a lock was taken so many times."""
    slept = []
    monkeypatch.setattr(chaos, "sleep", slept.append)
    with boot(check=[chaos.Chaos(1)]) as kernel:
        lock = spinlock_t()
        spin_lock_init(lock, "lock")
        for _ in range(times):
            spin_lock(lock)
            spin_unlock(lock)
    assert not kernel.reports()
    return slept


def test_delays_are_short_and_on_threads_only(boot, arch, monkeypatch):
    slept = count_delays(boot, monkeypatch)
    if arch == "virt":
        assert slept == []
    else:
        assert slept
        assert max(slept) <= max(chaos.LONGEST, chaos.WINDOW)


def test_priorities_come_from_the_seed():
    one, two = (chaos._Dice(7, 3) for _ in range(2))
    assert (one.salt, one.starved) == (two.salt, two.starved)
    assert chaos._Dice(8, 3).salt != one.salt
