# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Data races on virt: planted into small programs, each with the same program as it should be.

Happens-before depends on who came first to a lock, and on nothing else that a schedule decides:
each program is run a few times, with either task first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import kport
from kport.arch.asm import (
    READ_ONCE,
    WRITE_ONCE,
    atomic_dec_and_test,
    atomic_inc,
    atomic_read,
    atomic_set,
    atomic_xchg,
    cmpxchg,
    cpu_relax,
    local_irq_restore,
    local_irq_save,
    set_bit,
    smp_load_acquire,
    smp_mb,
    smp_rmb,
    smp_store_release,
    smp_wmb,
    spin_lock,
    spin_lock_init,
    spin_trylock,
    spin_unlock,
    xchg,
)
from kport.arch.strategy import RoundRobin
from kport.arch.types import atomic_t, bitmap, spinlock_t
from kport.check.races import Races
from kport.linux import bitops
from kport.linux.atomic import atomic_read_acquire, atomic_set_release
from kport.linux.completion import complete, completion, init_completion, wait_for_completion
from kport.linux.fork import kernel_task
from kport.linux.interrupt import IRQ_HANDLED, free_irq, request_irq
from kport.linux.kcsan import Config
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_trylock, mutex_unlock
from kport.linux.rcupdate import (
    RCU_INIT_POINTER,
    rcu_assign_pointer,
    rcu_dereference,
    rcu_read_lock,
    rcu_read_unlock,
)
from kport.linux.struct import struct


class box(struct):
    """What two tasks share."""

    data: int
    more: int
    flag: int
    ptr: box | None
    lock: spinlock_t
    other: spinlock_t
    m: mutex
    n: mutex
    count: atomic_t
    bits: bitmap


def fresh() -> box:
    b = box()
    spin_lock_init(b.lock, "&b->lock")
    spin_lock_init(b.other, "&b->other")
    mutex_init(b.m, "m")
    mutex_init(b.n, "n")
    return b


Task = Callable[[box], Any]


def headlines(*tasks: Task, config: Config | None = None, seed: int = 0) -> list[str]:
    """The reports of one execution in which each task works on the same box."""
    with kport.boot("virt", strategy=RoundRobin(seed, 2), check=[Races(config)]) as kernel:
        b = fresh()
        done = [completion() for _ in tasks]
        for task, end in zip(tasks, done, strict=True):
            init_completion(end)
            kernel_task(lambda task=task, end=end: (task(b), complete(end)), task.__name__)
        for end in done:
            wait_for_completion(end)
        return [r.headline for r in kernel.reports()]


# Small programs: `write_*` and `read_*` of one program are right together.


def write_plain(b):
    b.data = 1


def read_plain(b):
    return b.data


def write_locked(b):
    spin_lock(b.lock)
    b.data = 1
    spin_unlock(b.lock)


def read_locked(b):
    spin_lock(b.lock)
    value = b.data
    spin_unlock(b.lock)
    return value


def read_other_lock(b):
    spin_lock(b.other)
    value = b.data
    spin_unlock(b.other)
    return value


def read_after_unlock(b):
    spin_lock(b.lock)
    spin_unlock(b.lock)
    return b.data


def write_before_lock(b):
    b.data = 1
    spin_lock(b.lock)
    spin_unlock(b.lock)


def read_tried(b):
    while not spin_trylock(b.lock):
        cpu_relax()
    value = b.data
    spin_unlock(b.lock)
    return value


def read_not_looking(b):
    taken = spin_trylock(b.lock)
    value = b.data
    if taken:
        spin_unlock(b.lock)
    return value


def hold_and_write(b):
    spin_lock(b.lock)
    for _ in range(9):
        smp_mb()
    b.data = 1
    spin_unlock(b.lock)


def write_mutex(b):
    mutex_lock(b.m)
    b.data = 1
    mutex_unlock(b.m)


def count_mutex(b):
    for _ in range(5):
        mutex_lock(b.m)
        b.data += 1
        mutex_unlock(b.m)


def read_mutex(b):
    mutex_lock(b.m)
    value = b.data
    mutex_unlock(b.m)
    return value


def read_other_mutex(b):
    mutex_lock(b.n)
    value = b.data
    mutex_unlock(b.n)
    return value


def read_mutex_tried(b):
    taken = mutex_trylock(b.m)
    value = b.data if taken else 0
    if taken:
        mutex_unlock(b.m)
    return value


def read_mutex_not_looking(b):
    taken = mutex_trylock(b.m)
    value = b.data
    if taken:
        mutex_unlock(b.m)
    return value


def publish_release(b):
    b.data = 1
    smp_store_release(b, "flag", 1)


def publish_once(b):
    b.data = 1
    WRITE_ONCE(b, "flag", 1)


def publish_plain(b):
    b.data = 1
    b.flag = 1


def publish_wmb(b):
    b.data = 1
    smp_wmb()
    WRITE_ONCE(b, "flag", 1)


def publish_wmb_late(b):
    WRITE_ONCE(b, "flag", 1)
    smp_wmb()
    b.data = 1


def look_acquire(b):
    while not smp_load_acquire(b, "flag"):
        cpu_relax()
    return b.data


def look_once(b):
    while not READ_ONCE(b, "flag"):
        cpu_relax()
    return b.data


def look_rmb(b):
    while not READ_ONCE(b, "flag"):
        cpu_relax()
    smp_rmb()
    return b.data


def look_rmb_early(b):
    smp_rmb()
    while not READ_ONCE(b, "flag"):
        cpu_relax()
    return b.data


def look_plain(b):
    while not b.flag:
        cpu_relax()
    return 0


def atomic_last(b):
    b.data = 1
    atomic_dec_and_test(b.count)


def atomic_relaxed(b):
    b.data = 1
    atomic_inc(b.count)


def atomic_stored(b):
    b.data = 1
    atomic_set(b.count, 1)


def atomic_released(b):
    b.data = 1
    atomic_set_release(b.count, 1)


def atomic_wait(b):
    while not atomic_read(b.count):
        cpu_relax()
    return b.data


def atomic_wait_acquire(b):
    while not atomic_read_acquire(b.count):
        cpu_relax()
    return b.data


def atomic_wait_full(b):
    while not atomic_xchg(b.count, 0):
        cpu_relax()
    return b.data


def bit_set(b):
    b.data = 1
    set_bit(0, b.bits)


def bit_test_and_set(b):
    b.data = 1
    bitops.test_and_set_bit(0, b.bits)


def bit_wait(b):
    while not bitops.test_bit(0, b.bits):
        cpu_relax()
    return b.data


def bit_wait_fence(b):
    while not bitops.test_bit(0, b.bits):
        cpu_relax()
    smp_mb()
    return b.data


def publish_xchg(b):
    b.data = 1
    xchg(b, "flag", 1)


def look_cmpxchg(b):
    while cmpxchg(b, "flag", 1, 2) != 1:
        cpu_relax()
    return b.data


def look_failed_cmpxchg(b):
    while cmpxchg(b, "flag", 7, 2) != 1:
        cpu_relax()
    return b.data


def publish_rcu(b):
    new = box()
    new.data = 5
    rcu_assign_pointer(b, "ptr", new)


def publish_rcu_init(b):
    new = box()
    new.data = 5
    RCU_INIT_POINTER(b, "ptr", new)


def publish_rcu_late(b):
    new = box()
    rcu_assign_pointer(b, "ptr", new)
    new.data = 5


def look_rcu(b):
    while True:
        rcu_read_lock()
        p = rcu_dereference(b, "ptr")
        if p is not None:
            value = p.data
            rcu_read_unlock()
            return value
        rcu_read_unlock()
        cpu_relax()


# (what was broken, the broken program, the program as it should be)
PLANTED: list[tuple[str, tuple[Task, Task], tuple[Task, Task]]] = [
    ("no lock", (write_plain, read_plain), (write_locked, read_locked)),
    ("the lock is lost on one side", (write_locked, read_plain), (write_locked, read_locked)),
    ("another lock", (write_locked, read_other_lock), (write_locked, read_locked)),
    ("a load behind the unlock", (write_locked, read_after_unlock), (write_locked, read_locked)),
    ("a store before the lock", (write_before_lock, read_locked), (write_locked, read_locked)),
    ("a failed trylock", (hold_and_write, read_not_looking), (hold_and_write, read_tried)),
    ("another mutex", (write_mutex, read_other_mutex), (write_mutex, read_mutex)),
    ("a mutex on one side", (write_mutex, read_plain), (write_mutex, read_mutex)),
    ("a spin lock for a mutex", (write_mutex, read_locked), (write_mutex, read_mutex)),
    ("no release", (publish_once, look_acquire), (publish_release, look_acquire)),
    ("no acquire", (publish_release, look_once), (publish_release, look_acquire)),
    ("a plain flag stored", (publish_plain, look_plain), (publish_release, look_acquire)),
    ("a plain flag loaded", (publish_release, look_plain), (publish_release, look_acquire)),
    ("no smp_wmb()", (publish_once, look_rmb), (publish_wmb, look_rmb)),
    ("smp_wmb() too late", (publish_wmb_late, look_rmb), (publish_wmb, look_rmb)),
    ("no smp_rmb()", (publish_wmb, look_once), (publish_wmb, look_rmb)),
    ("smp_rmb() too early", (publish_wmb, look_rmb_early), (publish_wmb, look_rmb)),
    ("a relaxed atomic", (atomic_relaxed, atomic_wait_acquire), (atomic_last, atomic_wait_acquire)),
    ("atomic_set()", (atomic_stored, atomic_wait_acquire), (atomic_released, atomic_wait_acquire)),
    ("atomic_read()", (atomic_released, atomic_wait), (atomic_released, atomic_wait_full)),
    ("set_bit()", (bit_set, bit_wait_fence), (bit_test_and_set, bit_wait_fence)),
    ("test_bit()", (bit_test_and_set, bit_wait), (bit_test_and_set, bit_wait_fence)),
    ("a failed cmpxchg()", (publish_xchg, look_failed_cmpxchg), (publish_xchg, look_cmpxchg)),
    ("RCU_INIT_POINTER()", (publish_rcu_init, look_rcu), (publish_rcu, look_rcu)),
    ("stored when published", (publish_rcu_late, look_rcu), (publish_rcu, look_rcu)),
]


@pytest.mark.parametrize(("broken", "right"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED])
def test_a_planted_race_is_found_and_its_repair_is_clean(broken, right):
    writer, reader = broken
    names = sorted((writer.__name__, reader.__name__))
    runs = [(order, seed) for order in (1, -1) for seed in range(3)]
    found = {text for order, seed in runs for text in headlines(*broken[::order], seed=seed)}
    assert found == {f"BUG: KCSAN: data-race in {names[0]} / {names[1]}"}
    for order, seed in runs:
        assert headlines(*right[::order], seed=seed) == []


def test_the_report_has_the_kernels_text():
    with kport.boot("virt", check=[Races(stacks=True)]) as kernel:
        b = fresh()
        kernel.machine.run(lambda: write_plain(b), lambda: read_plain(b))
        [report] = kernel.reports()
        kernel.machine.halt()
    lines = list(report.lines)
    assert lines[0] == lines[-1] == "=" * 66
    assert lines[1] == "BUG: KCSAN: data-race in read_plain / write_plain"
    assert lines[2] == ""
    kinds = [line.split(" to 0x")[0] for line in lines if " of 8 bytes by task 0 on cpu 0:" in line]
    assert kinds == ["read", "write"]
    assert lines[4].startswith(" read_plain+")
    assert "value changed: 0x0000000000000000 -> 0x0000000000000001" in lines
    assert "member data of struct box" in lines
    assert "Reported by Kernel Concurrency Sanitizer on:" in lines
    stacks = [line.split("+")[0] for line in lines if line.startswith(" ")]
    assert stacks == [" read_plain", " <lambda>", " write_plain", " <lambda>"]


def test_a_store_that_changes_nothing_is_a_race_only_if_asked():
    def same(b):
        b.data = 0

    assert headlines(same, read_plain) == []
    assert headlines(same, read_plain, config=Config(report_value_change_only=False)) != []


def test_a_store_of_the_same_value_is_told_of_rcu_functions():
    def write_rcu_(b):
        b.data = 0

    assert headlines(read_plain, write_rcu_) != []


def test_two_plain_stores_race_if_plain_stores_are_not_whole():
    def other(b):
        b.data = 2

    assert headlines(write_plain, other) == []
    config = Config(assume_plain_writes_atomic=False)
    assert headlines(write_plain, other, config=config) == [
        "BUG: KCSAN: data-race in other / write_plain"
    ]


def test_a_marked_load_and_a_plain_store_race_if_strict():
    def marked(b):
        return READ_ONCE(b, "data")

    assert headlines(write_plain, marked) == []
    for order in ((write_plain, marked), (marked, write_plain)):
        assert headlines(*order, config=Config.strict()) == [
            "BUG: KCSAN: data-race in marked / write_plain"
        ]


def test_one_bit_is_forgiven_if_permissive():
    def one_bit(b):
        b.data = b.data | 0x10000

    assert headlines(read_plain, one_bit) != []
    assert headlines(read_plain, one_bit, config=Config(permissive=True)) == []
    assert headlines(read_plain, write_plain, config=Config(permissive=True)) != []


def test_marked_accesses_do_not_race():
    def write(b):
        WRITE_ONCE(b, "data", 1)

    def read(b):
        return READ_ONCE(b, "data")

    assert headlines(write, read, write, config=Config.strict()) == []


def test_an_execution_does_not_race_with_the_next():
    with kport.boot("virt", check=[Races()]) as kernel:
        b = fresh()
        for value in range(1, 4):
            b.more = value
            kernel.machine.run(lambda: write_plain(b), lambda: b.more)
            assert b.data == 1
            kernel.machine.run(lambda: read_plain(b))
        assert kernel.reports() == []
        kernel.machine.run(lambda: write_plain(b), lambda: read_plain(b))
        assert kernel.reports() == []  # it was 1 before
        b.data = 0
        kernel.machine.run(lambda: write_plain(b), lambda: read_plain(b))
        assert len(kernel.reports()) == 1
        kernel.machine.halt()


def test_each_execution_reports_again():
    with kport.boot("virt", check=[Races()]) as kernel:
        for _ in range(3):
            b = fresh()
            kernel.machine.run(lambda b=b: write_plain(b), lambda b=b: read_plain(b))
        assert len(kernel.reports()) == 3
        kernel.machine.halt()


def test_many_readers_are_all_remembered():
    def read_last(b):
        spin_lock(b.lock)
        value = b.data
        spin_unlock(b.lock)
        return value

    # The last reader is ordered before the writer by the lock, the first one is not.
    assert headlines(read_plain, read_last, write_locked) == [
        "BUG: KCSAN: data-race in read_plain / write_locked"
    ]


def test_a_mutex_is_order_from_the_moment_it_is_free():
    for seed in range(20):  # its wait lock is let go a little later
        with kport.boot("virt", strategy=RoundRobin(seed, 3), check=[Races()]) as kernel:
            b = fresh()
            tasks = [completion() for _ in range(3)]
            for end in tasks:
                init_completion(end)
                kernel_task(lambda end=end, b=b: (count_mutex(b), complete(end)), "task")
            for end in tasks:
                wait_for_completion(end)
            assert [r.headline for r in kernel.reports()] == []


def interrupts(raised: int, free: bool) -> list[str]:
    """The reports of a task that looks at what a handler counts when it is over; ten schedules."""
    found = []
    for seed in range(10):
        with kport.boot("virt", strategy=RoundRobin(seed, 2), check=[Races()]) as kernel:
            b = fresh()

            def handler(irq: int, b: box) -> int:
                b.data += 1
                WRITE_ONCE(b, "flag", READ_ONCE(b, "flag") + 1)
                return IRQ_HANDLED

            line = request_irq(handler, "test", b)
            for number in range(raised):
                flags = local_irq_save()  # for another CPU to take it
                kernel.machine.raise_line(line)
                while READ_ONCE(b, "flag") <= number:
                    cpu_relax()
                local_irq_restore(flags)
            if free:
                free_irq(line)
            assert b.data == raised
            found += [r.headline for r in kernel.reports()]
    return found


def test_what_a_handler_did_is_seen_when_its_line_is_freed():
    assert interrupts(1, free=True) == []
    assert set(interrupts(1, free=False)) == {"BUG: KCSAN: data-race in handler / interrupts"}


def test_the_handlers_of_a_line_come_one_after_another():
    assert interrupts(5, free=True) == []
