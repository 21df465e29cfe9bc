# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Spin locks: exclusion, the owner, interrupt state, and the reports of wrong use."""

from __future__ import annotations

import re

import pytest

import kport
from kport.arch.asm import (
    current_thread_info,
    irqs_disabled,
    local_irq_restore,
    local_irq_save,
    preempt_count,
)
from kport.linux import spinlock
from kport.linux.bug import KernelBug
from kport.linux.ktime import ktime_get
from kport.linux.lockdep import lockdep_assert_held
from kport.linux.spinlock import (
    DEFINE_SPINLOCK,
    assert_spin_locked,
    raw_spin_lock,
    raw_spin_lock_init,
    raw_spin_lock_irq,
    raw_spin_lock_irqsave,
    raw_spin_unlock,
    raw_spin_unlock_irq,
    raw_spin_unlock_irqrestore,
    spin_is_locked,
    spin_lock,
    spin_lock_init,
    spin_lock_irq,
    spin_lock_irqsave,
    spin_lock_nested,
    spin_trylock,
    spin_unlock,
    spin_unlock_irq,
    spin_unlock_irqrestore,
    spinlock_t,
)
from tests.support import (
    MS,
    Gate,
    Thread,
    eventually,
    sleep_ms,
    spin_until,
    take_warnings,
    together,
)


@pytest.fixture
def lock(kernel):
    made = spinlock_t()
    spin_lock_init(made, "the_lock")
    return made


def test_a_lock_is_held_by_one_and_knows_its_owner(lock):
    assert not spin_is_locked(lock)
    assert lock.owner is None
    spin_lock(lock)
    assert spin_is_locked(lock)
    assert lock.owner is current_thread_info()
    spin_unlock(lock)
    assert not spin_is_locked(lock)
    assert lock.owner is None


def test_trylock_does_not_wait(lock):
    gate = Gate()
    other = Thread(lambda: (gate.enter(), spin_trylock(lock), preempt_count()))
    gate.arrived()
    assert spin_trylock(lock) == 1
    assert lock.owner is current_thread_info()
    assert spin_trylock(lock) == 0, "also not for the owner"
    assert preempt_count() == 1
    gate.open()
    spin_until(lambda: other.done)
    spin_unlock(lock)
    assert other.join() == (None, 0, 0)


def test_who_finds_it_taken_waits_for_the_unlock(lock):
    gate, trying, order = Gate(), [], []

    def take() -> None:
        gate.enter()
        trying.append(1)
        spin_lock(lock)
        order.append(lock.owner is current_thread_info())
        spin_unlock(lock)

    threads = [Thread(take) for _ in range(3)]
    for _ in threads:
        gate.arrived()
    spin_lock(lock)
    gate.open()
    spin_until(lambda: len(trying) == 3)
    until = ktime_get() + 5 * MS
    spin_until(lambda: ktime_get() > until)
    order.append("unlock")
    spin_unlock(lock)
    for thread in threads:
        thread.join()
    assert order == ["unlock", True, True, True]


def test_nobody_gets_in_while_it_is_held(lock):
    inside = []
    worst = []

    def contend() -> None:
        for _ in range(300):
            spin_lock(lock)
            inside.append(1)
            worst.append(len(inside))
            inside.pop()
            spin_unlock(lock)

    together(*[contend] * 6)
    assert len(worst) == 1800
    assert set(worst) == {1}


def test_preemption_is_off_while_it_is_held(lock):
    other = spinlock_t()
    spin_lock_init(other, "other")
    assert preempt_count() == 0
    spin_lock(lock)
    assert preempt_count() == 1
    spin_lock_nested(other, 1)
    assert preempt_count() == 2
    spin_unlock(other)
    spin_unlock(lock)
    assert preempt_count() == 0
    assert spin_trylock(lock)
    assert preempt_count() == 1
    spin_unlock(lock)
    assert preempt_count() == 0


def test_irqsave_nests_and_puts_back_what_it_found(lock):
    other = spinlock_t()
    spin_lock_init(other, "other")
    assert not irqs_disabled()
    outer = spin_lock_irqsave(lock)
    assert irqs_disabled()
    inner = spin_lock_irqsave(other)
    assert (outer, inner) == (0, 1)
    spin_unlock_irqrestore(other, inner)
    assert irqs_disabled(), "the inner restore must not enable what the outer save disabled"
    spin_unlock_irqrestore(lock, outer)
    assert not irqs_disabled()


def test_irqsave_unlocked_out_of_order(lock):
    other = spinlock_t()
    spin_lock_init(other, "other")
    outer = spin_lock_irqsave(lock)
    inner = spin_lock_irqsave(other)
    spin_unlock_irqrestore(lock, inner)
    assert irqs_disabled()
    assert preempt_count() == 1
    spin_unlock_irqrestore(other, outer)
    assert not irqs_disabled()


def test_lock_irq_disables_and_unlock_irq_enables_whatever_was_before(lock):
    flags = local_irq_save()
    spin_lock_irq(lock)
    assert irqs_disabled()
    spin_unlock_irq(lock)
    assert not irqs_disabled(), "as in C: unlock_irq() enables without asking"
    local_irq_restore(flags)


def test_raw_locks_are_the_same(kernel):
    lock = DEFINE_SPINLOCK()
    raw_spin_lock_init(lock, "raw")
    raw_spin_lock(lock)
    raw_spin_unlock(lock)
    raw_spin_lock_irq(lock)
    assert irqs_disabled()
    raw_spin_unlock_irq(lock)
    flags = raw_spin_lock_irqsave(lock)
    assert lock.owner is current_thread_info()
    raw_spin_unlock_irqrestore(lock, flags)
    assert not irqs_disabled()
    assert preempt_count() == 0


# Instructions are bound at boot, so parameters name them.
@pytest.mark.parametrize(
    "take", ["spin_lock", "spin_trylock", "spin_lock_irq", "spin_lock_irqsave", "spin_unlock"]
)
def test_a_lock_that_was_never_initialised_is_bad_magic(boot, take):
    with pytest.raises(kport.KernelOops, match="BUG: spinlock bad magic") as caught, boot():
        getattr(spinlock, take)(spinlock_t())
    assert "never given to spin_lock_init" in str(caught.value)


@pytest.mark.parametrize("take", ["spin_lock", "spin_lock_irq", "spin_lock_irqsave"])
def test_recursion_is_reported_with_lock_and_thread(boot, take):
    with pytest.raises(kport.KernelOops) as caught, boot():
        lock = spinlock_t()
        spin_lock_init(lock, "&rq->lock")
        spin_lock(lock)
        getattr(spinlock, take)(lock)
    assert "BUG: spinlock recursion on CPU#" in str(caught.value).splitlines()[0]
    assert "MainThread, lock: &rq->lock" in str(caught.value)


def test_recursion_in_a_kernel_thread_is_an_oops(boot):
    def twice(lock: spinlock_t) -> None:
        spin_lock(lock)
        spin_lock(lock)

    with pytest.raises(kport.KernelOops, match=r"spinlock recursion.*AA, lock: L"), boot():
        lock = spinlock_t()
        spin_lock_init(lock, "L")
        Thread(twice, lock, name="AA").join()


def test_a_lockup_names_the_owner(boot, monkeypatch):
    monkeypatch.setattr("kport.arch.threads_asm.LOCKUP_NS", 50_000_000)
    with pytest.raises(kport.KernelOops) as caught, boot(debug=False):
        lock = spinlock_t()
        spin_lock_init(lock, "L")

        def holder() -> None:
            spin_lock(lock)
            spin_until(lambda: False)

        Thread(holder, name="holder")
        eventually(lambda: lock.owner)
        spin_lock(lock)
    reports = ("spinlock lockup suspected on CPU", "soft lockup - CPU")
    assert any(report in str(caught.value) for report in reports)


def test_a_lockup_of_a_lock_says_who_waits_for_whom(boot, monkeypatch):
    monkeypatch.setattr("kport.arch.threads_asm.LOCKUP_NS", 50_000_000)
    with pytest.raises(kport.KernelOops) as caught, boot(debug=False):
        lock = spinlock_t()
        spin_lock_init(lock, "L")
        Thread(spin_lock, lock, name="holder").join()
        spin_lock(lock)
    assert re.match("BUG: (spinlock lockup suspected|deadlock)", str(caught.value))
    assert re.search(r"MainThread.*\block:? L, .*\bholder\b", str(caught.value))


def test_a_busy_wait_without_end_is_a_soft_lockup(boot, monkeypatch):
    monkeypatch.setattr("kport.arch.threads_asm.LOCKUP_NS", 50_000_000)
    with pytest.raises(kport.KernelOops) as caught, boot(debug=False):
        spin_until(lambda: False)
    assert "BUG: soft lockup - CPU#" in str(caught.value)
    assert "stuck for 22s! [MainThread]" in str(caught.value)


def test_assertions_about_holders(kernel, lock):
    gate = Gate()
    stranger = Thread(lambda: (gate.enter(), lockdep_assert_held(lock)))
    gate.arrived()
    spin_lock(lock)
    lockdep_assert_held(lock)
    assert_spin_locked(lock)
    assert kernel.warnings() == []
    gate.open()
    spin_until(lambda: stranger.done)
    spin_unlock(lock)
    stranger.join()
    (text,) = take_warnings(kernel)
    assert "lock is not held" in text
    lockdep_assert_held(lock)
    (text,) = take_warnings(kernel)
    assert "test_assertions_about_holders" in text


def test_without_lock_debugging_assertions_are_nothing(boot):
    with boot(debug=False) as kernel:
        lock = spinlock_t()
        spin_lock_init(lock)
        lockdep_assert_held(lock)
        with pytest.raises(KernelBug, match="recursion"):
            spin_lock(lock)
            spin_lock(lock)
        spin_unlock(lock)
        current_thread_info().preempt_count = 0
        sleep_ms(1)
    assert kernel.warnings() == []
