# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""dma_fence_unwrap: every fence inside containers, and merging: flat, without duplicates."""

from __future__ import annotations

import itertools

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_signal_timestamp,
    dma_fence_timestamp,
)
from kport.dma_buf.dma_fence_array import dma_fence_array_create, to_dma_fence_array
from kport.dma_buf.dma_fence_chain import dma_fence_chain_alloc, dma_fence_chain_init
from kport.dma_buf.dma_fence_unwrap import (
    dma_fence_dedup_array,
    dma_fence_unwrap,
    dma_fence_unwrap_for_each,
    dma_fence_unwrap_merge,
    fence_cmp,
)
from kport.linux.slab import fail_nth, kzalloc_objs, pointer
from tests.dma_buf.fences import drop, new, references
from tests.support import Thread, together

pytestmark = pytest.mark.usefixtures("kernel")


def array_of(*fences: dma_fence) -> dma_fence:
    """An array with references of its own."""
    table = kzalloc_objs(pointer, len(fences))
    table[:] = [dma_fence_get(f) for f in fences]
    return dma_fence_array_create(len(fences), table, dma_fence_context_alloc(1), 1).base


def link(prev: dma_fence | None, fence: dma_fence, seqno: int) -> dma_fence:
    """A link with references of its own."""
    chain = dma_fence_chain_alloc()
    dma_fence_chain_init(chain, dma_fence_get(prev), dma_fence_get(fence), seqno)
    return chain.base


def inside(head: dma_fence) -> list[dma_fence]:
    """The fences in it."""
    return list(dma_fence_unwrap_for_each(dma_fence_unwrap(), head))


def test_a_plain_fence_is_all_there_is():
    fence = new()
    assert inside(fence) == [fence]
    assert references(fence) == 1
    drop(fence)


def test_null_has_nothing_inside():
    assert inside(None) == []


def test_arrays_in_a_chain_come_from_the_last_link_back():
    a, b, c, d = (new() for _ in range(4))
    first, second = array_of(a, b), array_of(c, d)
    one = link(None, first, 1)
    two = link(one, second, 2)
    assert inside(two) == [c, d, a, b]
    for fence in (two, one, second, first):
        dma_fence_put(fence)
    drop(a, b, c, d)


def test_what_has_signalled_in_a_chain_is_passed_over():
    a, b, c = new(), new(), new()
    one = link(None, a, 1)
    two = link(one, b, 2)
    three = link(two, c, 3)
    dma_fence_signal(b)
    assert inside(three) == [c, a]
    for fence in (three, two, one):
        dma_fence_put(fence)
    drop(a, b, c)


def test_leaving_the_loop_early_keeps_the_reference_of_the_cursor():
    a, b = new(), new()
    one = link(None, a, 1)
    two = link(one, b, 2)
    cursor = dma_fence_unwrap()
    for fence in dma_fence_unwrap_for_each(cursor, two):
        assert fence is b
        break
    assert (cursor.chain, references(two)) == (two, 2)
    dma_fence_put(cursor.chain)
    dma_fence_put(two)
    dma_fence_put(one)
    drop(a, b)


def test_fences_are_ordered_by_context_and_then_the_latest_first():
    context = dma_fence_context_alloc(2)
    early, late, other = new(context, 1), new(context, 2), new(context + 1, 1)
    assert fence_cmp(early, other) == -1
    assert fence_cmp(other, early) == 1
    assert fence_cmp(early, late) == 1
    assert fence_cmp(late, early) == -1
    assert fence_cmp(late, late) == 0
    drop(early, late, other)


def test_of_each_context_the_latest_is_kept_whatever_the_order():
    context = dma_fence_context_alloc(2)
    fences = [new(context + n // 2, 1 + n % 2) for n in range(4)]
    for order in itertools.permutations(fences):
        table = [dma_fence_get(f) for f in order]
        assert dma_fence_dedup_array(table, 4) == 2
        assert table[:2] == [fences[1], fences[3]]
        assert [references(f) for f in fences] == [1, 2, 1, 2]
        for fence in table[:2]:
            dma_fence_put(fence)
    drop(*fences)


def test_a_seqno_that_has_wrapped_is_the_later_one():
    context = dma_fence_context_alloc(1)
    before, after = new(context, 0xFFFFFFFF), new(context, 1)
    table = [dma_fence_get(before), dma_fence_get(after)]
    assert dma_fence_dedup_array(table, 2) == 1
    assert table[0] is after
    dma_fence_put(after)
    drop(before, after)


def test_nothing_is_left_of_nothing():
    assert dma_fence_dedup_array([], 0) == 0


def test_merging_signalled_fences_is_a_signalled_fence_with_the_last_time():
    a, b = new(), new()
    dma_fence_signal_timestamp(a, 700)
    dma_fence_signal_timestamp(b, 300)
    merged = dma_fence_unwrap_merge(a, b)
    assert dma_fence_is_signaled(merged)
    assert dma_fence_timestamp(merged) == 700
    dma_fence_put(merged)
    drop(a, b)


def test_merging_with_one_fence_left_is_that_fence():
    a, b = new(), new()
    dma_fence_signal(a)
    assert dma_fence_unwrap_merge(a, b) is b
    assert references(b) == 2
    dma_fence_put(b)
    drop(a, b)


def test_merging_makes_one_flat_array():
    a, b, c = new(), new(), new()
    first, second = array_of(a, b), link(None, c, 1)
    merged = dma_fence_unwrap_merge(first, second)
    assert to_dma_fence_array(merged).fences == [a, b, c]
    for fence in (merged, first, second):
        dma_fence_put(fence)
    drop(a, b, c)


def test_merging_two_fences_of_one_context_is_the_later_one():
    context = dma_fence_context_alloc(1)
    early, late = new(context, 1), new(context, 2)
    assert dma_fence_unwrap_merge(early, late) is late
    assert [references(f) for f in (early, late)] == [1, 2]
    dma_fence_put(late)
    drop(early, late)


@pytest.mark.parametrize("nth", [1, 2])
def test_merging_without_memory_is_null_and_keeps_no_reference(nth):
    a, b = new(), new()
    fail_nth(nth)
    assert dma_fence_unwrap_merge(a, b) is None
    fail_nth(0)
    assert [references(f) for f in (a, b)] == [1, 1]
    drop(a, b)


def test_merging_while_the_fences_signal_gives_a_fence_that_signals():
    def signal(fences):
        for fence in fences:
            dma_fence_signal(fence)

    for _ in range(10):
        fences = [new() for _ in range(6)]
        merged, _ = together(
            lambda fences=fences: dma_fence_unwrap_merge(*fences),
            lambda fences=fences: signal(fences),
        )
        assert dma_fence_is_signaled(merged)
        dma_fence_put(merged)
        drop(*fences)


def test_chains_that_are_collected_meanwhile_do_no_harm():
    fences = [new() for _ in range(30)]
    tail = None
    links = []
    for seqno, fence in enumerate(fences, 1):
        tail = link(tail, fence, seqno)
        links.append(tail)

    def walk() -> None:
        while not dma_fence_is_signaled(tail):
            inside(tail)

    walkers = [Thread(walk) for _ in range(2)]
    for fence in fences:
        dma_fence_signal(fence)
    for walker in walkers:
        walker.join()
    assert inside(tail) == [fences[-1]]
    for fence in links:
        dma_fence_put(fence)
    drop(*fences)
