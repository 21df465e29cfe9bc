# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Mutexes: one owner, first come first served, hand-off, interruptible waits."""

from __future__ import annotations

import pytest

import kport
from kport.arch.asm import current, preempt_count
from kport.linux.err import EINTR
from kport.linux.list import list_count_nodes
from kport.linux.mutex import (
    __mutex_owner,
    mutex,
    mutex_destroy,
    mutex_init,
    mutex_is_locked,
    mutex_lock,
    mutex_lock_interruptible,
    mutex_lock_killable,
    mutex_lock_nested,
    mutex_trylock,
    mutex_unlock,
)
from kport.linux.sched import SIGKILL, send_sig, wake_up_process
from tests.support import Gate, Thread, eventually, never, take_warnings, together


@pytest.fixture
def lock(kernel):
    made = mutex()
    mutex_init(made, "lock")
    return made


def waiters(lock: mutex) -> int:
    return list_count_nodes(lock.wait_list)


def holding(lock: mutex, gate: Gate) -> Thread:
    """A thread that holds the lock until the gate opens."""
    thread = Thread(lambda: (mutex_lock(lock), gate.enter(), mutex_unlock(lock)))
    gate.arrived()
    return thread


def test_an_owner_and_its_state(lock):
    assert not mutex_is_locked(lock)
    assert __mutex_owner(lock) is None
    mutex_lock(lock)
    assert mutex_is_locked(lock)
    assert __mutex_owner(lock) is current()
    assert preempt_count() == 0, "who holds a mutex may sleep"
    mutex_unlock(lock)
    assert not mutex_is_locked(lock)
    mutex_lock_nested(lock, 1)
    mutex_unlock(lock)
    mutex_destroy(lock)


def test_trylock_does_not_wait(lock):
    gate = Gate()
    holder = holding(lock, gate)
    assert mutex_trylock(lock) is False
    gate.open()
    holder.join()
    assert mutex_trylock(lock) is True
    assert Thread(mutex_trylock, lock).join() is False
    mutex_unlock(lock)


def test_exclusion(lock):
    inside, worst = [], []

    def critical() -> None:
        for _ in range(100):
            mutex_lock(lock)
            inside.append(1)
            worst.append(len(inside))
            inside.pop()
            mutex_unlock(lock)

    together(*[critical] * 6)
    assert len(worst) == 600
    assert set(worst) == {1}
    assert waiters(lock) == 0


def test_waiters_get_it_in_the_order_they_came(lock):
    gate, order = Gate(), []
    holder = holding(lock, gate)

    def waiter(number: int) -> None:
        mutex_lock(lock)
        order.append(number)
        mutex_unlock(lock)

    threads = []
    for number in range(5):
        threads.append(Thread(waiter, number))
        eventually(lambda number=number: waiters(lock) == number + 1)
    gate.open()
    holder.join()
    for thread in threads:
        thread.join()
    assert order == list(range(5))


def test_a_waiter_that_was_overtaken_is_handed_the_lock(lock):
    gate = Gate()
    holder = holding(lock, gate)
    waiter = Thread(mutex_lock, lock)
    eventually(lambda: waiters(lock) == 1)
    # What a wake-up looks like to a waiter that finds the lock taken again.
    eventually(lambda: wake_up_process(waiter.task))
    eventually(lambda: lock.handoff)
    assert mutex_trylock(lock) is False
    gate.open()
    holder.join()
    waiter.join()
    assert lock.owner is waiter.task
    assert not lock.handoff


@pytest.mark.parametrize(
    ("take", "signal", "ends"),
    [
        (mutex_lock_interruptible, 15, True),
        (mutex_lock_interruptible, SIGKILL, True),
        (mutex_lock_killable, 15, False),
        (mutex_lock_killable, SIGKILL, True),
    ],
)
def test_signals(lock, take, signal, ends):
    gate = Gate()
    holder = holding(lock, gate)
    waiter = Thread(lambda: (take(lock), lock.owner is current()))
    eventually(lambda: waiters(lock) == 1)
    send_sig(signal, waiter.task)
    if ends:
        assert waiter.join() == (-EINTR, False)
        assert waiters(lock) == 0
        gate.open()
        holder.join()
    else:
        never(lambda: waiter.done)
        gate.open()
        holder.join()
        assert waiter.join() == (0, True)


def test_a_free_lock_is_taken_even_with_a_signal_pending(lock):
    def run() -> int:
        send_sig(SIGKILL, current())
        ret = mutex_lock_interruptible(lock)
        mutex_unlock(lock)
        return ret

    assert Thread(run).join() == 0


def test_a_second_waiter_that_gives_up_does_not_lose_the_first_one_its_lock(lock):
    """The lock has been handed to the first waiter, which has not run yet."""
    gate = Gate()
    holder = holding(lock, gate)
    first = Thread(lambda: (mutex_lock(lock), mutex_unlock(lock)))
    eventually(lambda: waiters(lock) == 1)
    eventually(lambda: wake_up_process(first.task))
    eventually(lambda: lock.handoff)
    second = Thread(mutex_lock_interruptible, lock)
    eventually(lambda: waiters(lock) == 2)
    send_sig(15, second.task)
    assert second.join() == -EINTR
    assert lock.handoff, "the promise to the first waiter stands"
    gate.open()
    holder.join()
    first.join()
    assert lock.owner is None


def test_interrupted_and_served_waiters_in_a_crowd(lock):
    def patient() -> None:
        for _ in range(60):
            mutex_lock(lock)
            mutex_unlock(lock)

    def impatient() -> int:
        given_up = 0
        for _ in range(60):
            if mutex_lock_interruptible(lock) == 0:
                mutex_unlock(lock)
            else:
                given_up += 1
        return given_up

    stop = []
    victims = [Thread(impatient) for _ in range(3)]

    def pester() -> None:
        while not stop:
            for victim in victims:
                send_sig(15, victim.task)
                victim.task.ti_flags._zero()
            eventually(lambda: True)

    pest = Thread(pester)
    together(patient, patient, patient, patient)
    for victim in victims:
        victim.join()
    stop.append(1)
    pest.join()
    assert lock.owner is None
    assert waiters(lock) == 0


@pytest.mark.boot(check="")  # wrong on purpose
def test_only_the_owner_unlocks(kernel, lock):
    gate = Gate()
    holder = holding(lock, gate)
    mutex_unlock(lock)
    assert len(take_warnings(kernel)) == 1
    assert lock.owner is holder.task
    mutex_destroy(lock)
    assert len(take_warnings(kernel)) == 1, "destroyed while locked"
    gate.open()
    holder.join()


def test_recursion_is_a_deadlock_report(boot):
    with pytest.raises(kport.KernelOops, match="BUG: deadlock: AA takes a mutex it already owns"):
        with boot():
            lock = mutex()
            mutex_init(lock)
            Thread(lambda: (mutex_lock(lock), mutex_lock(lock)), name="AA").join()
