# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Real-time mutexes: exclusion, and who is next."""

from __future__ import annotations

import pytest

from kport.arch.api import KernelBug
from kport.arch.asm import cpu_relax
from kport.linux.err import EINTR
from kport.linux.list import list_count_nodes
from kport.linux.rtmutex import (
    rt_mutex,
    rt_mutex_init,
    rt_mutex_lock,
    rt_mutex_lock_interruptible,
    rt_mutex_trylock,
    rt_mutex_unlock,
)
from kport.linux.sched import current, send_sig
from tests.support import Thread, eventually, take_warnings, together

pytestmark = pytest.mark.usefixtures("kernel")


def made() -> rt_mutex:
    lock = rt_mutex()
    rt_mutex_init(lock)
    return lock


def test_one_at_a_time():
    lock, seen = made(), [0]

    def work():
        for _ in range(25):
            rt_mutex_lock(lock)
            value = seen[0]
            cpu_relax()
            seen[0] = value + 1
            rt_mutex_unlock(lock)

    together(work, work, work)
    assert seen == [75]
    assert lock.owner is None


def test_a_try_takes_a_free_one_only():
    lock = made()
    assert rt_mutex_trylock(lock) == 1
    assert Thread(rt_mutex_trylock, lock).join() == 0
    rt_mutex_unlock(lock)
    assert Thread(lambda: (rt_mutex_trylock(lock), rt_mutex_unlock(lock))[0]).join() == 1


def test_the_higher_priority_is_next_and_the_first_among_equals():
    lock, order = made(), []
    rt_mutex_lock(lock)

    def work(name, priority):
        current().rt_priority = priority
        rt_mutex_lock(lock)
        order.append(name)
        rt_mutex_unlock(lock)

    threads = []
    for name, priority in (("a", 0), ("b", 5), ("c", 5), ("d", 9)):
        threads.append(Thread(work, name, priority))
        eventually(lambda: list_count_nodes(lock.waiters) == len(threads))
    rt_mutex_unlock(lock)
    for thread in threads:
        thread.join()
    assert order == ["d", "b", "c", "a"]


def test_a_signal_ends_an_interruptible_wait():
    lock = made()
    rt_mutex_lock(lock)
    waiter = Thread(rt_mutex_lock_interruptible, lock)
    eventually(lambda: list_count_nodes(lock.waiters) == 1)
    send_sig(15, waiter.task)
    assert waiter.join() == -EINTR
    assert list_count_nodes(lock.waiters) == 0
    rt_mutex_unlock(lock)


@pytest.mark.boot(check="")  # wrong on purpose
def test_recursion_is_a_bug_and_a_strangers_unlock_a_warning(kernel):
    lock = made()
    rt_mutex_lock(lock)
    with pytest.raises(KernelBug, match="takes an rt_mutex it already owns"):
        rt_mutex_lock(lock)
    Thread(rt_mutex_unlock, lock).join()
    assert len(take_warnings(kernel)) == 1
    rt_mutex_unlock(lock)
