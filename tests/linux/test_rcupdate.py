# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""RCU: a callback runs when every reader that was there has left, never before."""

from __future__ import annotations

import random

import pytest

from kport.arch.asm import rcu_read_lock, rcu_read_unlock
from kport.linux.cleanup import guard
from kport.linux.ktime import ktime_get
from kport.linux.preempt import in_interrupt
from kport.linux.rcupdate import (
    RCU_INIT_POINTER,
    _state,
    call_rcu,
    kfree_rcu,
    rcu_access_pointer,
    rcu_assign_pointer,
    rcu_barrier,
    rcu_dereference,
    rcu_dereference_check,
    rcu_dereference_protected,
    rcu_dereference_raw,
    rcu_head,
    rcu_pending,
    rcu_pointer_handoff,
    rcu_replace_pointer,
    synchronize_rcu,
)
from kport.linux.sched import might_sleep
from kport.linux.slab import kfree, kzalloc_obj, live
from kport.linux.struct import container_of, struct
from tests.support import (
    US,
    Gate,
    Thread,
    eventually,
    never,
    sleep_ms,
    spin_until,
    take_warnings,
    together,
)

pytestmark = pytest.mark.usefixtures("kernel")


class node(struct):
    """A published object."""

    rcu: rcu_head
    value: int


class holder(struct):
    """Who publishes."""

    p: node | None


def reader(gate: Gate) -> Thread:
    """A thread inside a read-side section until the gate opens."""

    def read() -> None:
        rcu_read_lock()
        gate.enter()
        rcu_read_unlock()

    thread = Thread(read)
    gate.arrived()
    return thread


def test_a_callback_runs_after_a_grace_period_and_gets_its_head():
    ran = []
    head = rcu_head()
    with guard("rcu"):
        call_rcu(head, ran.append)
        end = ktime_get() + 100 * US
        spin_until(lambda: ktime_get() > end)
        assert ran == []
    rcu_barrier()
    assert ran == [head]
    assert rcu_pending() == 0


@pytest.mark.boot(check="")  # its readers sleep
def test_a_callback_waits_for_a_reader_that_was_there_before():
    gate, ran = Gate(), []
    thread = reader(gate)
    call_rcu(rcu_head(), ran.append)
    never(lambda: ran, msecs=40)
    gate.open()
    thread.join()
    eventually(lambda: ran)


@pytest.mark.boot(check="")  # its readers sleep
def test_a_reader_that_comes_later_is_not_waited_for():
    early, late, ran = Gate(), Gate(), []
    first = reader(early)
    call_rcu(rcu_head(), ran.append)
    sleep_ms(15)  # the grace period has begun
    second = reader(late)
    early.open()
    first.join()
    eventually(lambda: ran)
    assert not second.done
    late.open()
    second.join()


@pytest.mark.boot(check="")  # its readers sleep
def test_nested_sections_count_as_the_outermost():
    gate, middle, ran = Gate(), Gate(), []

    def nested() -> None:
        rcu_read_lock()
        rcu_read_lock()
        middle.enter()
        rcu_read_unlock()
        gate.enter()
        rcu_read_unlock()

    thread = Thread(nested)
    middle.arrived()
    call_rcu(rcu_head(), ran.append)
    sleep_ms(15)  # the grace period has begun
    middle.open()
    gate.arrived()
    never(lambda: ran, msecs=30)
    gate.open()
    thread.join()
    eventually(lambda: ran)


def test_a_reader_that_leaves_and_comes_back_does_not_hold_up_a_grace_period():
    stop, ran, shared = [], [], rcu_head()

    def busy() -> None:
        while not stop:
            with guard("rcu"):
                rcu_dereference(shared, "next")

    thread = Thread(busy)
    call_rcu(rcu_head(), ran.append)
    eventually(lambda: ran)
    stop.append(1)
    thread.join()


@pytest.mark.boot(check="")  # its readers sleep
def test_synchronize_waits_for_readers():
    gate = Gate()
    thread = reader(gate)
    waiter = Thread(synchronize_rcu)
    never(lambda: waiter.done, msecs=30)
    gate.open()
    thread.join()
    waiter.join()


def test_barrier_waits_for_every_callback_queued_before():
    ran = []
    for n in range(50):
        call_rcu(rcu_head(), lambda head, n=n: ran.append(n))
    rcu_barrier()
    assert ran == list(range(50)), "callbacks run in order"


def test_callbacks_may_queue_callbacks():
    ran = []

    def first(head: rcu_head) -> None:
        ran.append("first")
        call_rcu(rcu_head(), lambda head: ran.append("second"))

    call_rcu(rcu_head(), first)
    rcu_barrier()
    rcu_barrier()
    assert ran == ["first", "second"]


@pytest.mark.boot(check="")  # wrong on purpose
def test_callbacks_run_in_softirq_context_and_must_not_sleep(kernel):
    seen = []
    call_rcu(rcu_head(), lambda head: seen.append(bool(in_interrupt())))
    rcu_barrier()
    assert seen == [True]
    call_rcu(rcu_head(), lambda head: might_sleep())
    rcu_barrier()
    assert "sleeping function called from invalid context" in take_warnings(kernel)[0]


@pytest.mark.boot(check="")  # it looks at what was freed
def test_kfree_rcu_frees_after_the_readers_have_left():
    gate = Gate()
    obj = kzalloc_obj(node)
    obj.value = 5
    thread = reader(gate)
    kfree_rcu(obj, "rcu")
    sleep_ms(20)
    assert obj.value == 5
    assert id(obj) in live
    gate.open()
    thread.join()
    rcu_barrier()
    with pytest.raises(AttributeError):
        obj.value += 1


def test_pointers():
    h, a, b = holder(), node(), node()
    RCU_INIT_POINTER(h, "p", a)
    assert rcu_access_pointer(h, "p") is rcu_dereference_raw(h, "p") is a
    rcu_assign_pointer(h, "p", b)
    with guard("rcu"):
        assert rcu_dereference(h, "p") is b
    assert rcu_dereference_check(h, "p", True) is rcu_dereference_protected(h, "p", True) is b
    assert rcu_replace_pointer(h, "p", a, True) is b
    assert h.p is a
    assert rcu_pointer_handoff(a) is a
    assert rcu_dereference_check([a, b], 1, True) is b


def test_readers_never_see_freed_memory():
    """Publish, replace, free after a grace period; readers look all the time."""
    h = holder()
    stop, reads = [], []

    def fresh(value: int) -> node:
        made = kzalloc_obj(node)
        made.value = value
        return made

    def free(head: rcu_head) -> None:
        kfree(container_of(head, node, "rcu"))

    rcu_assign_pointer(h, "p", fresh(0))

    def read(seed: int) -> int:
        rng, seen = random.Random(seed), 0
        while not stop:
            rcu_read_lock()
            p = rcu_dereference(h, "p")
            for _ in range(rng.randrange(3)):
                assert p.value >= seen
            seen = p.value
            reads.append(1)
            rcu_read_unlock()
        return seen

    def write() -> None:
        for value in range(1, 60):
            old = rcu_replace_pointer(h, "p", fresh(value), True)
            if value % 2:
                call_rcu(old.rcu, free)
            else:
                synchronize_rcu() if value % 10 == 0 else None
                kfree_rcu(old, "rcu")
        stop.append(1)

    results = together(lambda: read(1), lambda: read(2), write)
    assert len(reads) > 100
    assert all(r is None or 0 <= r < 60 for r in results)
    kfree_rcu(h.p, "rcu")
    rcu_barrier()


def test_a_grace_period_is_counted():
    before = _state.gp_seq
    synchronize_rcu()
    synchronize_rcu()
    assert _state.gp_seq >= before + 2
