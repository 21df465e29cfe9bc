# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Reader-writer spin locks: who excludes whom, and who comes next."""

from __future__ import annotations

import pytest

from kport.arch.asm import atomic_read, cpu_relax, irqs_disabled, preempt_count
from kport.linux import rwlock as rw
from kport.linux.bottom_half import in_softirq
from kport.linux.interrupt import irq_enter, irq_exit
from kport.linux.rwlock import (
    read_lock,
    read_lock_bh,
    read_lock_irq,
    read_lock_irqsave,
    read_trylock,
    read_unlock,
    read_unlock_bh,
    read_unlock_irq,
    read_unlock_irqrestore,
    rwlock_init,
    rwlock_t,
    write_lock,
    write_lock_bh,
    write_lock_irq,
    write_lock_irqsave,
    write_trylock,
    write_unlock,
    write_unlock_bh,
    write_unlock_irq,
    write_unlock_irqrestore,
)
from kport.linux.struct import struct
from tests.support import Thread, eventually, together

pytestmark = pytest.mark.usefixtures("kernel")


def made() -> rwlock_t:
    lock = rwlock_t()
    rwlock_init(lock, "lock")
    return lock


def test_readers_share_and_writers_do_not():
    lock = made()
    read_lock(lock)
    assert read_trylock(lock) == 1
    assert write_trylock(lock) == 0
    read_unlock(lock)
    read_unlock(lock)
    assert write_trylock(lock) == 1
    assert read_trylock(lock) == 0
    assert write_trylock(lock) == 0
    write_unlock(lock)
    assert atomic_read(lock.cnts) == 0
    assert preempt_count() == 0


def test_the_flavours_hold_off_what_they_say():
    lock = made()
    for take, drop in (
        (read_lock_irq, read_unlock_irq),
        (write_lock_irq, write_unlock_irq),
        (read_lock_bh, read_unlock_bh),
        (write_lock_bh, write_unlock_bh),
    ):
        take(lock)
        assert bool(irqs_disabled()) == (take in (read_lock_irq, write_lock_irq))
        assert bool(in_softirq()) == (take in (read_lock_bh, write_lock_bh))
        drop(lock)
        assert not irqs_disabled()
        assert preempt_count() == 0
    for take, drop in (
        (read_lock_irqsave, read_unlock_irqrestore),
        (write_lock_irqsave, write_unlock_irqrestore),
    ):
        outer = take(lock)
        assert irqs_disabled()
        drop(lock, outer)
        assert not irqs_disabled()


class shared(struct):
    """What the lock protects."""

    a: int
    b: int


def test_writers_exclude_readers_and_each_other():
    lock, data = made(), shared()
    torn = []

    def write():
        for _ in range(60):
            write_lock(lock)
            value = data.a
            cpu_relax()
            data.a = value + 1
            cpu_relax()
            data.b = data.b + 1
            write_unlock(lock)

    def read():
        for _ in range(60):
            read_lock(lock)
            seen = data.a
            cpu_relax()
            if seen != data.b:
                torn.append((seen, data.b))
            read_unlock(lock)

    together(write, write, read, read)
    assert (data.a, data.b) == (120, 120)
    assert torn == []
    assert atomic_read(lock.cnts) == 0


@pytest.mark.boot(check="")  # the interrupt is played by the task
def test_a_reader_waits_behind_a_writer_that_waits_but_an_interrupt_does_not():
    lock = made()
    order, go = [], []

    def write():
        eventually(lambda: "writer" in go)
        write_lock(lock)
        order.append("writer")
        write_unlock(lock)

    def read():
        eventually(lambda: "reader" in go)
        read_lock(lock)
        order.append("reader")
        read_unlock(lock)

    writer, reader = Thread(write), Thread(read)
    read_lock(lock)
    go.append("writer")
    while not atomic_read(lock.cnts) & rw._QW_WAITING:
        cpu_relax()
    go.append("reader")
    assert read_trylock(lock) == 0
    irq_enter()
    read_lock(lock)  # would wait for ever if it waited for the writer
    read_unlock(lock)
    irq_exit()
    assert order == []
    read_unlock(lock)
    writer.join()
    reader.join()
    assert order[0] == "writer"
    assert sorted(order) == ["reader", "writer"]
