# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Local locks, softirqs held off, and the RCU readers that do that."""

from __future__ import annotations

import pytest

from kport.arch.asm import cpu_relax, current_thread_info, irqs_disabled, preempt_count
from kport.linux.bottom_half import in_softirq, local_bh_disable, local_bh_enable
from kport.linux.interrupt import irq_enter, irq_exit, open_softirq, raise_softirq_irqoff
from kport.linux.local_lock import (
    local_lock,
    local_lock_init,
    local_lock_irq,
    local_lock_irqsave,
    local_lock_t,
    local_unlock,
    local_unlock_irq,
    local_unlock_irqrestore,
)
from kport.linux.preempt import in_serving_softirq, local_irq_disable, local_irq_enable
from kport.linux.rcupdate import (
    call_rcu,
    rcu_barrier,
    rcu_head,
    rcu_read_lock_bh,
    rcu_read_lock_sched,
    rcu_read_unlock_bh,
    rcu_read_unlock_sched,
)
from kport.linux.struct import struct
from tests.support import Thread, eventually, sleep_ms, take_warnings

pytestmark = pytest.mark.usefixtures("kernel")


def test_the_section_holds_off_what_its_flavour_says(kernel):
    lock = local_lock_t()
    local_lock_init(lock)
    local_lock(lock)
    assert (preempt_count(), irqs_disabled()) == (1, 0)
    assert lock.owner is current_thread_info()
    local_unlock(lock)
    local_lock_irq(lock)
    assert (preempt_count(), irqs_disabled()) == (0, 1)
    local_unlock_irq(lock)
    flags = local_lock_irqsave(lock)
    assert irqs_disabled()
    local_unlock_irqrestore(lock, flags)
    assert (preempt_count(), irqs_disabled(), lock.owner) == (0, 0, None)


@pytest.mark.boot(check="")  # wrong on purpose
def test_sections_do_not_nest(kernel):
    lock = local_lock_t()
    local_lock_init(lock)
    local_lock(lock)
    local_lock(lock)
    assert len(take_warnings(kernel)) == 1
    local_unlock(lock)
    local_unlock(lock)
    assert len(take_warnings(kernel)) == 1


def test_a_softirq_waits_for_bh_to_be_enabled():
    ran = []
    open_softirq(7, lambda: ran.append((bool(in_serving_softirq()), irqs_disabled())))
    local_bh_disable()
    assert in_softirq()
    assert not in_serving_softirq()
    local_irq_disable()
    irq_enter()
    raise_softirq_irqoff(7)
    irq_exit()
    local_irq_enable()
    assert ran == []
    local_bh_disable()
    local_bh_enable()
    assert ran == []
    local_bh_enable()
    assert ran == [(True, 0)]
    assert preempt_count() == 0


class guarded(struct):
    """Freed after a grace period."""

    head: rcu_head


@pytest.mark.parametrize(
    ("enter", "leave"),
    [(rcu_read_lock_bh, rcu_read_unlock_bh), (rcu_read_lock_sched, rcu_read_unlock_sched)],
)
def test_a_grace_period_waits_for_these_readers_too(enter, leave):
    done, reading, go = [], [], []

    def read():
        enter()
        reading.append(1)
        while not go:
            cpu_relax()
        assert done == []
        leave()

    reader = Thread(read)
    eventually(lambda: reading)
    obj = guarded()
    call_rcu(obj.head, lambda head: done.append(1))
    sleep_ms(20)
    assert done == []
    go.append(1)
    reader.join()
    rcu_barrier()
    assert done == [1]
