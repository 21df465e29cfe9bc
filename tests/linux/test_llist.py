# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Lock-less lists and the interrupt work made of them."""

from __future__ import annotations

import pytest

from kport.arch.asm import irqs_disabled
from kport.linux.bug import KernelBug
from kport.linux.irq_work import (
    init_irq_work,
    irq_work,
    irq_work_is_busy,
    irq_work_is_pending,
    irq_work_queue,
    irq_work_run_list,
    irq_work_sync,
)
from kport.linux.llist import (
    init_llist_head,
    init_llist_node,
    llist_add,
    llist_add_batch,
    llist_del_all,
    llist_del_first,
    llist_del_first_this,
    llist_empty,
    llist_entry,
    llist_for_each_entry_safe,
    llist_head,
    llist_next,
    llist_node,
    llist_on_list,
    llist_reverse_order,
)
from kport.linux.preempt import in_hardirq, preempt_disable, preempt_enable
from kport.linux.struct import struct
from tests.support import Thread, eventually, never, spin_until, take_warnings, together

pytestmark = pytest.mark.usefixtures("kernel")


class item(struct):
    """An entry."""

    n: int
    node: llist_node


def new(n: int) -> item:
    it = item()
    it.n = n
    return it


def chain(node: llist_node | None) -> list[int]:
    return [it.n for it, _ in llist_for_each_entry_safe(node, item, "node")]


@pytest.fixture
def head():
    made = llist_head()
    init_llist_head(made)
    return made


def test_adding_says_whether_the_list_was_empty(head):
    assert llist_empty(head)
    assert llist_add(new(1).node, head) is True
    assert llist_add(new(2).node, head) is False
    assert not llist_empty(head)


def test_the_newest_comes_first(head):
    for n in range(4):
        llist_add(new(n).node, head)
    assert llist_entry(head.first, item, "node").n == 3
    assert llist_entry(llist_next(head.first), item, "node").n == 2
    nodes = llist_del_all(head)
    assert llist_empty(head)
    assert chain(nodes) == [3, 2, 1, 0]
    assert llist_del_all(head) is None


def test_reversing_gives_the_order_of_adding(head):
    for n in range(4):
        llist_add(new(n).node, head)
    assert chain(llist_reverse_order(llist_del_all(head))) == [0, 1, 2, 3]
    assert llist_reverse_order(None) is None


def test_taking_the_first(head):
    items = [new(n) for n in range(3)]
    for it in items:
        llist_add(it.node, head)
    assert llist_del_first(head) is items[2].node
    assert llist_del_first_this(head, items[0].node) is False
    assert llist_del_first_this(head, items[1].node) is True
    assert llist_del_first(head) is items[0].node
    assert llist_del_first(head) is None


def test_adding_a_chain(head):
    a, b = new(1), new(2)
    a.node.next = b.node
    assert llist_add_batch(a.node, b.node, head) is True
    c = new(3)
    assert llist_add_batch(c.node, c.node, head) is False
    assert chain(llist_del_all(head)) == [3, 1, 2]


def test_a_node_that_points_to_itself_is_on_no_list(head):
    it = new(1)
    init_llist_node(it.node)
    assert not llist_on_list(it.node)
    llist_add(it.node, head)
    assert llist_on_list(it.node)


def test_a_visited_entry_may_be_queued_again(head):
    for n in range(3):
        llist_add(new(n).node, head)
    seen = []
    for it, _ in llist_for_each_entry_safe(llist_del_all(head), item, "node"):
        seen.append(it.n)
        llist_add(it.node, head)
    assert seen == [2, 1, 0]
    assert chain(llist_del_all(head)) == [0, 1, 2]


def test_many_producers_and_consumers_lose_nothing(head):
    done = []

    def produce(k: int) -> int:
        return sum(llist_add(new(k * 1000 + n).node, head) for n in range(200))

    def consume() -> list[int]:
        got = []
        while len(done) < 4 or not llist_empty(head):
            got += chain(llist_del_all(head))
        return got

    *firsts, a, b = together(
        *[lambda k=k: (produce(k), done.append(1))[0] for k in range(4)], consume, consume
    )
    assert sorted(a + b) == sorted(k * 1000 + n for k in range(4) for n in range(200))
    for k in range(4):
        for got in (a, b):
            own = [n for n in got if n // 1000 == k]
            assert len(own) == len(set(own))
    assert sum(firsts) >= 1


# -- irq_work --------------------------------------------------------------------------------------


def work(function) -> irq_work:
    made = irq_work()
    init_irq_work(made, function)
    return made


def test_it_runs_as_a_hard_interrupt():
    seen = []
    w = work(lambda w: seen.append((bool(in_hardirq()), irqs_disabled())))
    assert irq_work_queue(w) is True
    irq_work_sync(w)
    assert seen == [(True, 1)]


def test_queueing_what_is_pending_is_false_and_it_runs_once():
    entered, leave, runs = [], [], []
    blocker = work(lambda w: (entered.append(1), spin_until(lambda: leave)))
    queuer = Thread(irq_work_queue, blocker)  # the interrupt may come on top of who queues
    eventually(lambda: entered)
    w = work(lambda w: runs.append(1))
    assert not irq_work_is_pending(w)
    assert irq_work_queue(w) is True
    assert irq_work_is_pending(w)
    assert irq_work_is_busy(w)
    assert irq_work_queue(w) is False
    leave.append(1)
    irq_work_sync(w)
    assert runs == [1]
    assert not irq_work_is_busy(w)
    assert queuer.join() is True


def test_it_is_not_pending_but_busy_while_it_runs_and_may_queue_itself():
    seen, runs = [], []

    def run(w: irq_work) -> None:
        runs.append(1)
        seen.append((bool(irq_work_is_pending(w)), bool(irq_work_is_busy(w))))
        if len(runs) < 3:
            assert irq_work_queue(w) is True

    w = work(run)
    irq_work_queue(w)
    eventually(lambda: len(runs) == 3)
    irq_work_sync(w)
    assert seen == [(False, True)] * 3


def test_sync_waits_for_the_function():
    entered, leave, left = [], [], []
    w = work(lambda w: (entered.append(1), spin_until(lambda: leave), left.append(1)))
    queuer = Thread(irq_work_queue, w)
    eventually(lambda: entered)
    waiter = Thread(lambda: (irq_work_sync(w), len(left)))
    never(lambda: waiter.done)
    leave.append(1)
    assert waiter.join() == (None, 1)
    assert queuer.join() is True


def test_different_work_queued_at_once_all_runs():
    runs = []
    items = [work(lambda w, n=n: runs.append(n)) for n in range(40)]
    together(*[lambda k=k: [irq_work_queue(w) for w in items[k::4]] for k in range(4)])
    for w in items:
        irq_work_sync(w)
    assert sorted(runs) == list(range(40))


def test_the_work_may_be_freed_or_reused_by_its_function():
    runs = []

    def run(w: irq_work) -> None:
        runs.append(1)
        if len(runs) == 1:
            init_irq_work(w, run)
            irq_work_queue(w)

    irq_work_queue(work(run))
    eventually(lambda: len(runs) == 2)


def test_running_the_list_with_interrupts_on_is_a_bug():
    with pytest.raises(KernelBug, match=r"kernel BUG at kport/linux/irq_work.py:\d+"):
        irq_work_run_list(llist_head())


@pytest.mark.boot(check="")  # wrong on purpose
def test_syncing_in_atomic_context_is_reported(kernel):
    w = work(lambda w: None)
    preempt_disable()
    irq_work_sync(w)
    preempt_enable()
    (text,) = take_warnings(kernel)
    assert "sleeping function called from invalid context" in text
