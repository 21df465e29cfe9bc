# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""dma_fence_chain: points of a timeline, found by number, signalled with all before them."""

from __future__ import annotations

import random

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_driver_name,
    dma_fence_enable_sw_signaling,
    dma_fence_get,
    dma_fence_is_chain,
    dma_fence_is_container,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_set_deadline,
    dma_fence_signal,
    dma_fence_test_signaled_flag,
    dma_fence_timeline_name,
    dma_fence_wait_timeout,
)
from kport.dma_buf.dma_fence_chain import (
    dma_fence_chain,
    dma_fence_chain_alloc,
    dma_fence_chain_contained,
    dma_fence_chain_find_seqno,
    dma_fence_chain_for_each,
    dma_fence_chain_free,
    dma_fence_chain_init,
    dma_fence_chain_walk,
    to_dma_fence_chain,
)
from kport.linux.cleanup import guard
from kport.linux.err import EINVAL
from kport.linux.rcupdate import rcu_barrier
from kport.linux.slab import fail_nth, live
from tests.dma_buf.fences import drop, kept_ops, new, ops_with, references
from tests.support import Thread, eventually, never, take_warnings, together

pytestmark = pytest.mark.usefixtures("kernel")


def link(prev: dma_fence | None, fence: dma_fence, seqno: int) -> dma_fence:
    """A link behind `prev`; it takes references of its own."""
    chain = dma_fence_chain_alloc()
    dma_fence_chain_init(chain, dma_fence_get(prev), dma_fence_get(fence), seqno)
    return chain.base


class Timeline:
    """Links with the given numbers, each around a fence of its own."""

    def __init__(self, *numbers: int) -> None:
        self.fences = [new() for _ in numbers]
        self.links: list[dma_fence] = []
        for fence, number in zip(self.fences, numbers, strict=True):
            self.links.append(link(self.links[-1] if self.links else None, fence, number))

    @property
    def tail(self) -> dma_fence:
        return self.links[-1]

    def find(self, seqno: int) -> tuple[int, dma_fence | None]:
        """dma_fence_chain_find_seqno(), which takes over a reference to the tail.

        The caller puts what it gives.
        """
        return dma_fence_chain_find_seqno(dma_fence_get(self.tail), seqno)

    def close(self) -> None:
        for fence in self.fences:
            dma_fence_signal(fence)
        for made in (*self.links, *self.fences):
            dma_fence_put(made)


@pytest.fixture
def ten():
    """A timeline with the points 1 to 10."""
    made = Timeline(*range(1, 11))
    yield made
    made.close()


def visited(head: dma_fence) -> list[int]:
    return [fence.seqno for fence in dma_fence_chain_for_each(head)]


# -- one link --------------------------------------------------------------------------------------


def test_a_link_is_a_fence_around_a_fence():
    fence = new()
    made = link(None, fence, 1)
    assert dma_fence_is_chain(made)
    assert dma_fence_is_container(made)
    assert not dma_fence_is_chain(fence)
    assert to_dma_fence_chain(made).fence is fence
    assert to_dma_fence_chain(fence) is to_dma_fence_chain(None) is None
    assert dma_fence_chain_contained(made) is fence
    assert dma_fence_chain_contained(fence) is fence
    with guard("rcu"):
        assert dma_fence_driver_name(made) == "dma_fence_chain"
        assert dma_fence_timeline_name(made) == "unbound"
    assert references(fence) == 2
    assert not dma_fence_is_signaled(made)
    dma_fence_signal(fence)
    assert dma_fence_is_signaled(made)
    dma_fence_put(made)
    assert references(fence) == 1
    dma_fence_put(fence)


def test_links_of_one_timeline_share_a_context_and_know_the_number_before():
    made = Timeline(1, 5, 9)
    assert len({f.context for f in made.links}) == 1
    assert [to_dma_fence_chain(f).prev_seqno for f in made.links] == [0, 1, 5]
    made.close()


def test_a_number_that_does_not_grow_begins_a_new_context():
    made = Timeline(5, 3, 5)
    assert len({f.context for f in made.links}) == 3
    assert [f.seqno for f in made.links] == [5, 5, 5], "and does not go back"
    assert [to_dma_fence_chain(f).prev_seqno for f in made.links] == [0, 0, 0]
    made.close()


def test_memory_of_a_link():
    fail_nth(1)
    assert dma_fence_chain_alloc() is None
    dma_fence_chain_free(dma_fence_chain_alloc())


def test_a_link_around_a_link_is_a_warning(kernel):
    fence = new()
    inner = link(None, fence, 1)
    outer = link(None, inner, 1)
    assert len(take_warnings(kernel)) == 1
    dma_fence_signal(fence)
    dma_fence_put(outer)
    dma_fence_put(inner)
    dma_fence_put(fence)


# -- walking ---------------------------------------------------------------------------------------


def test_walking_goes_back_and_drops_the_reference(ten):
    assert visited(ten.tail) == list(range(10, 0, -1))
    assert visited(None) == []
    fence = dma_fence_get(ten.links[3])
    before = references(fence)
    walked = dma_fence_chain_walk(fence)
    assert walked is ten.links[2]
    assert references(ten.links[3]) == before - 1
    dma_fence_put(walked)
    assert dma_fence_chain_walk(dma_fence_get(ten.links[0])) is None


def test_walking_takes_signalled_links_out_of_the_chain(ten):
    for n in (4, 5, 6):
        dma_fence_signal(ten.fences[n])
    assert visited(ten.tail) == [10, 9, 8, 4, 3, 2, 1]
    assert to_dma_fence_chain(ten.links[7]).prev is ten.links[3]


def test_a_chain_may_end_in_a_plain_fence():
    plain, contained = new(), new()
    tail = link(plain, contained, 2)
    assert visited(tail) == [2, 1]
    dma_fence_signal(plain)
    assert visited(tail) == [2]
    assert dma_fence_chain_walk(dma_fence_get(plain)) is None
    dma_fence_signal(contained)
    dma_fence_put(tail)
    drop(plain, contained)


# -- finding a point -------------------------------------------------------------------------------


def test_every_point_is_found(ten):
    for n in range(1, 11):
        ret, fence = ten.find(n)
        assert ret == 0
        assert fence is ten.links[n - 1]
        dma_fence_put(fence)


def test_0_is_whatever_is_there(ten):
    assert ten.find(0) == (0, ten.tail)
    dma_fence_put(ten.tail)
    assert dma_fence_chain_find_seqno(None, 0) == (0, None)


def test_a_point_that_has_not_come_yet_is_einval(ten):
    assert ten.find(11) == (-EINVAL, ten.tail), "and the reference stays with the caller"
    dma_fence_put(ten.tail)
    assert dma_fence_chain_find_seqno(None, 1) == (-EINVAL, None)
    assert dma_fence_chain_find_seqno(ten.fences[0], 1) == (-EINVAL, ten.fences[0])


def test_a_point_that_has_signalled_is_nothing(ten):
    for n in range(5):
        dma_fence_signal(ten.fences[n])
    for seqno in range(1, 6):
        assert ten.find(seqno) == (0, None), "everything up to it has signalled"
    assert ten.find(6) == (0, ten.links[5])
    dma_fence_put(ten.links[5])
    for n in range(5, 10):
        dma_fence_signal(ten.fences[n])
    assert ten.find(10) == (0, ten.tail), "the tail itself is not looked into"
    dma_fence_put(ten.tail)
    assert ten.find(9) == (0, None)


def test_between_two_points_the_later_one_counts():
    made = Timeline(1, 5, 9)
    for seqno, expected in ((1, 1), (2, 5), (5, 5), (6, 9), (9, 9)):
        ret, fence = made.find(seqno)
        assert (ret, fence.seqno) == (0, expected)
        dma_fence_put(fence)
    assert made.find(10) == (-EINVAL, made.tail)
    dma_fence_put(made.tail)
    made.close()


def test_out_of_order_signalling_keeps_the_points_before():
    made = Timeline(*range(1, 11))
    dma_fence_signal(made.fences[4])
    for seqno in (4, 5):
        ret, fence = made.find(seqno)
        assert (ret, fence) == (0, made.links[3]), "5 is waiting for 4 and no longer for itself"
        dma_fence_put(fence)
    made.close()


# -- signalling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["forward", "backward", "random"])
def test_a_point_signals_when_its_fence_and_all_before_it_have(order):
    made = Timeline(*range(1, 9))
    numbers = list(range(8))
    if order == "backward":
        numbers.reverse()
    elif order == "random":
        random.Random(7).shuffle(numbers)
    signalled: set[int] = set()
    for n in numbers:
        dma_fence_signal(made.fences[n])
        signalled.add(n)
        for at, fence in enumerate(made.links):
            assert dma_fence_is_signaled(fence) == (set(range(at + 1)) <= signalled)
    made.close()


@pytest.mark.parametrize("order", ["forward", "backward", "random"])
def test_enabled_points_signal_by_themselves(order):
    made = Timeline(*range(1, 9))
    for fence in made.links:
        dma_fence_enable_sw_signaling(fence)
    numbers = list(range(8))
    if order == "backward":
        numbers.reverse()
    elif order == "random":
        random.Random(3).shuffle(numbers)
    signalled: set[int] = set()
    for n in numbers:
        dma_fence_signal(made.fences[n])
        signalled.add(n)
        ready = {at for at in range(8) if set(range(at + 1)) <= signalled}
        eventually(
            lambda ready=ready: (
                ready == {at for at, f in enumerate(made.links) if dma_fence_test_signaled_flag(f)}
            )
        )
    made.close()


def test_waiting_for_a_point():
    made = Timeline(1, 2, 3)
    waiter = Thread(dma_fence_wait_timeout, made.links[1], False, 10_000)
    dma_fence_signal(made.fences[1])
    never(lambda: waiter.done)
    dma_fence_signal(made.fences[0])
    assert waiter.join() > 0
    made.close()


def test_finders_and_signallers_race():
    for seed in range(6):
        made = Timeline(*range(1, 21))
        rng = random.Random(seed)
        order = rng.sample(range(20), 20)

        def find(seed: int, made=made) -> None:
            inner = random.Random(seed)
            for _ in range(40):
                seqno = inner.randrange(1, 21)
                ret, fence = made.find(seqno)
                assert ret == 0
                # What is found for a number signals no earlier than that number.
                if fence is None or dma_fence_is_signaled(fence):
                    assert dma_fence_is_signaled(made.links[seqno - 1])
                dma_fence_put(fence)

        def signal(made=made, order=order) -> None:
            for n in order:
                dma_fence_signal(made.fences[n])

        together(lambda: find(1), lambda: find(2), signal)
        assert dma_fence_is_signaled(made.tail)
        made.close()


# -- the rest --------------------------------------------------------------------------------------


def test_a_deadline_reaches_every_fence_that_has_not_signalled():
    wanted = []
    ops = ops_with(set_deadline=lambda f, t: wanted.append((f.seqno, t)), release=kept_ops.release)
    fences = [new(seqno=n, ops=ops) for n in (1, 2, 3)]
    tail = None
    for n, fence in enumerate(fences):
        before, tail = tail, link(tail, fence, n + 1)
        if before is not None:
            dma_fence_put(before)
    dma_fence_signal(fences[1])
    dma_fence_set_deadline(tail, 5)
    assert wanted == [(3, 5), (1, 5)]
    for fence in fences:
        dma_fence_signal(fence)
    dma_fence_put(tail)
    for fence in fences:
        dma_fence_put(fence)


def test_a_long_chain_goes_without_recursion():
    length = 3000
    fence = new()
    dma_fence_signal(fence)
    tail = None
    for n in range(length):
        before, tail = tail, link(tail, fence, n + 1)
        if before is not None:
            dma_fence_put(before)
    assert sum(type(o) is dma_fence_chain for o in live.values()) == length
    dma_fence_put(tail)
    rcu_barrier()
    assert not any(type(o) is dma_fence_chain for o in live.values())
    assert references(fence) == 1
    dma_fence_put(fence)


def test_a_link_somebody_else_holds_keeps_what_is_before_it():
    made = Timeline(1, 2, 3)
    middle = dma_fence_get(made.links[1])
    for fence in made.links:
        dma_fence_put(fence)
    made.links.clear()
    rcu_barrier()
    assert to_dma_fence_chain(middle).prev.seqno == 1
    for fence in made.fences:
        dma_fence_signal(fence)
    dma_fence_put(middle)
    for fence in made.fences:
        dma_fence_put(fence)
