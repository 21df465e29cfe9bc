# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""dma_resv: slots, usages, replacement, iteration with and without the lock, waiting."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_is_array,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_wait_timeout,
)
from kport.dma_buf.dma_fence_array import to_dma_fence_array
from kport.dma_buf.dma_resv import (
    DMA_RESV_USAGE_BOOKKEEP,
    DMA_RESV_USAGE_KERNEL,
    DMA_RESV_USAGE_READ,
    DMA_RESV_USAGE_WRITE,
    dma_resv,
    dma_resv_add_fence,
    dma_resv_copy_fences,
    dma_resv_describe,
    dma_resv_fini,
    dma_resv_for_each_fence,
    dma_resv_for_each_fence_unlocked,
    dma_resv_get_fences,
    dma_resv_get_singleton,
    dma_resv_held,
    dma_resv_init,
    dma_resv_is_locked,
    dma_resv_iter,
    dma_resv_iter_begin,
    dma_resv_iter_end,
    dma_resv_iter_first_unlocked,
    dma_resv_iter_is_restarted,
    dma_resv_iter_next_unlocked,
    dma_resv_iter_usage,
    dma_resv_lock,
    dma_resv_lock_interruptible,
    dma_resv_lock_slow,
    dma_resv_lock_slow_interruptible,
    dma_resv_locking_ctx,
    dma_resv_replace_fences,
    dma_resv_reserve_fences,
    dma_resv_set_deadline,
    dma_resv_test_signaled,
    dma_resv_trylock,
    dma_resv_unlock,
    dma_resv_usage_rw,
    dma_resv_wait_timeout,
    reservation_ww_class,
)
from kport.linux.bug import KernelBug
from kport.linux.err import EALREADY, EDEADLK, EINTR, EINVAL, ENOMEM, ERESTARTSYS
from kport.linux.jiffies import jiffies
from kport.linux.sched import send_sig
from kport.linux.seq_file import seq_file
from kport.linux.slab import fail_nth, kfree
from kport.linux.ww_mutex import ww_acquire_ctx, ww_acquire_fini, ww_acquire_init
from tests.dma_buf.fences import drop, kept_ops, new, ops_with, references
from tests.support import Gate, Thread, eventually, never, take_warnings, together

USAGES = (
    DMA_RESV_USAGE_KERNEL,
    DMA_RESV_USAGE_WRITE,
    DMA_RESV_USAGE_READ,
    DMA_RESV_USAGE_BOOKKEEP,
)


@pytest.fixture
def resv(kernel):
    made = dma_resv()
    dma_resv_init(made)
    yield made
    dma_resv_fini(made)


@pytest.fixture
def locked(resv):
    """A reservation locked by the test."""
    assert dma_resv_lock(resv, None) == 0
    yield resv
    dma_resv_unlock(resv)


def add(resv: dma_resv, fence, usage: int) -> None:
    assert dma_resv_reserve_fences(resv, 1) == 0
    dma_resv_add_fence(resv, fence, usage)


def fences_of(resv: dma_resv, usage: int = DMA_RESV_USAGE_BOOKKEEP) -> list[tuple[object, int]]:
    cursor = dma_resv_iter()
    return [
        (fence, dma_resv_iter_usage(cursor))
        for fence in dma_resv_for_each_fence(cursor, resv, usage)
    ]


def unlocked(resv: dma_resv, usage: int = DMA_RESV_USAGE_BOOKKEEP) -> list[object]:
    cursor = dma_resv_iter()
    dma_resv_iter_begin(cursor, resv, usage)
    found = list(dma_resv_for_each_fence_unlocked(cursor))
    dma_resv_iter_end(cursor)
    return found


# -- locking ---------------------------------------------------------------------------------------


def test_the_lock(resv):
    assert not dma_resv_is_locked(resv)
    assert not dma_resv_held(resv)
    assert dma_resv_lock(resv, None) == 0
    assert dma_resv_is_locked(resv)
    assert dma_resv_held(resv)
    assert dma_resv_locking_ctx(resv) is None
    assert dma_resv_trylock(resv) == 0
    assert Thread(dma_resv_held, resv).join() is False
    dma_resv_unlock(resv)
    assert dma_resv_trylock(resv) == 1
    dma_resv_unlock(resv)
    assert dma_resv_lock_interruptible(resv, None) == 0
    dma_resv_unlock(resv)


@pytest.mark.boot(check="")  # one task plays two, with a context each
def test_locking_with_a_context(resv):
    other = dma_resv()
    dma_resv_init(other)
    old, young = ww_acquire_ctx(), ww_acquire_ctx()
    ww_acquire_init(old, reservation_ww_class)
    ww_acquire_init(young, reservation_ww_class)
    gate = Gate()
    holder = Thread(lambda: (dma_resv_lock(resv, old), gate.enter(), dma_resv_unlock(resv)))
    gate.arrived()
    assert dma_resv_locking_ctx(resv) is old
    assert dma_resv_lock(other, young) == 0
    assert dma_resv_lock(other, young) == -EALREADY
    assert dma_resv_lock(resv, young) == -EDEADLK, "wait-die: the younger backs off"
    dma_resv_unlock(other)
    gate.open()
    holder.join()
    dma_resv_lock_slow(resv, young)
    assert dma_resv_locking_ctx(resv) is young
    dma_resv_unlock(resv)
    ww_acquire_fini(young)
    dma_resv_fini(other)


def test_interrupted_locking(resv):
    gate = Gate()
    holder = Thread(lambda: (dma_resv_lock(resv, None), gate.enter(), dma_resv_unlock(resv)))
    gate.arrived()
    waiter = Thread(dma_resv_lock_interruptible, resv, None)
    eventually(lambda: waiter.task._state)
    send_sig(15, waiter.task)
    assert waiter.join() == -EINTR
    gate.open()
    holder.join()


def test_interrupted_slow_locking(kernel, resv):
    ctx = ww_acquire_ctx()
    ww_acquire_init(ctx, reservation_ww_class)
    assert dma_resv_lock_slow_interruptible(resv, ctx) == 0
    assert len(take_warnings(kernel)) == 1, "slow without contention"
    dma_resv_unlock(resv)
    ww_acquire_fini(ctx)


def test_changing_an_unlocked_reservation_is_reported(kernel, resv):
    fence = new()
    dma_resv_reserve_fences(resv, 1)
    dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_READ)
    assert all("lock is not held" in text for text in take_warnings(kernel))
    drop(fence)


# -- slots -----------------------------------------------------------------------------------------


def test_reserving_nothing_is_einval_with_a_warning(kernel, locked):
    assert dma_resv_reserve_fences(locked, 0) == -EINVAL
    assert len(take_warnings(kernel)) == 1


def test_adding_without_a_slot_is_a_bug(resv):
    fences = [new() for _ in range(8)]
    dma_resv_lock(resv, None)
    assert dma_resv_reserve_fences(resv, 1) == 0
    room = resv.fences.max_fences
    assert room >= 4, "as many as the allocation rounds up to"
    with pytest.raises(KernelBug, match="kernel BUG at"):
        for fence in fences:
            dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_READ)
    assert resv.fences.num_fences == room
    dma_fence_put(fences[room])  # the reference that add took before it failed
    dma_resv_unlock(resv)
    drop(*fences)


def test_slots_that_are_not_used_are_gone_with_the_lock(resv):
    first, second = new(), new()
    dma_resv_lock(resv, None)
    dma_resv_reserve_fences(resv, 2)
    dma_resv_add_fence(resv, first, DMA_RESV_USAGE_READ)
    dma_resv_unlock(resv)
    dma_resv_lock(resv, None)
    assert resv.fences.max_fences == 1
    with pytest.raises(KernelBug):
        dma_resv_add_fence(resv, second, DMA_RESV_USAGE_READ)
    dma_fence_put(second)
    assert dma_resv_reserve_fences(resv, 1) == 0
    dma_resv_add_fence(resv, second, DMA_RESV_USAGE_READ)
    assert [f for f, _ in fences_of(resv)] == [first, second]
    dma_resv_unlock(resv)
    drop(first, second)


def test_growing_keeps_what_has_not_signalled(locked):
    fences = [new() for _ in range(12)]
    for n, fence in enumerate(fences):
        add(locked, fence, USAGES[n % 4])
    assert [f for f, _ in fences_of(locked)] == fences
    for fence in fences[:6]:
        dma_fence_signal(fence)
    room = locked.fences.max_fences
    assert dma_resv_reserve_fences(locked, room) == 0
    assert [f for f, _ in fences_of(locked)] == fences[6:], "signalled ones are dropped"
    assert all(references(f) == 1 for f in fences[:6])
    assert [u for _, u in fences_of(locked)] == [USAGES[n % 4] for n in range(6, 12)]
    drop(*fences)


def test_without_memory_nothing_changes(locked):
    fence = new()
    add(locked, fence, DMA_RESV_USAGE_READ)
    before = locked.fences
    fail_nth(1)
    assert dma_resv_reserve_fences(locked, 1000) == -ENOMEM
    assert locked.fences is before
    drop(fence)


@pytest.mark.parametrize(("asked", "slots"), [(1, 5), (5, 9), (9, 21), (2000, 4093)])
def test_the_number_of_slots_is_what_the_allocation_rounds_up_to(locked, asked, slots):
    """24 bytes of header and 8 for each of at least 4, or a power of two, rounded to a bucket."""
    assert dma_resv_reserve_fences(locked, asked) == 0
    assert locked.fences.max_fences == slots


# -- adding and replacing --------------------------------------------------------------------------


def test_a_later_fence_of_a_context_takes_the_place_of_an_earlier_one(locked):
    context = dma_fence_context_alloc(1)
    first, second = new(context, 1), new(context, 2)
    add(locked, first, DMA_RESV_USAGE_READ)
    add(locked, second, DMA_RESV_USAGE_READ)
    assert fences_of(locked) == [(second, DMA_RESV_USAGE_READ)]
    assert references(first) == 1
    add(locked, second, DMA_RESV_USAGE_READ)
    assert fences_of(locked) == [(second, DMA_RESV_USAGE_READ)]
    drop(first, second)


def test_an_earlier_fence_of_a_context_does_not(locked):
    context = dma_fence_context_alloc(1)
    first, second = new(context, 1), new(context, 2)
    add(locked, second, DMA_RESV_USAGE_READ)
    add(locked, first, DMA_RESV_USAGE_READ)
    assert [f for f, _ in fences_of(locked)] == [second, first]
    drop(first, second)


@pytest.mark.parametrize(
    ("old_usage", "new_usage", "replaces"),
    [
        (DMA_RESV_USAGE_BOOKKEEP, DMA_RESV_USAGE_READ, True),
        (DMA_RESV_USAGE_READ, DMA_RESV_USAGE_READ, True),
        (DMA_RESV_USAGE_READ, DMA_RESV_USAGE_BOOKKEEP, False),
        (DMA_RESV_USAGE_KERNEL, DMA_RESV_USAGE_WRITE, False),
    ],
)
def test_a_less_important_fence_does_not_replace_a_more_important_one(
    locked, old_usage, new_usage, replaces
):
    context = dma_fence_context_alloc(1)
    first, second = new(context, 1), new(context, 2)
    add(locked, first, old_usage)
    add(locked, second, new_usage)
    expected = [(second, new_usage)]
    assert fences_of(locked) == (expected if replaces else [(first, old_usage), *expected])
    drop(first, second)


def test_a_signalled_fence_gives_its_place_to_any_other(locked):
    first, second = new(), new()
    add(locked, first, DMA_RESV_USAGE_KERNEL)
    dma_fence_signal(first)
    add(locked, second, DMA_RESV_USAGE_BOOKKEEP)
    assert fences_of(locked) == [(second, DMA_RESV_USAGE_BOOKKEEP)]
    assert references(first) == 1
    drop(first, second)


def test_a_container_is_a_warning(kernel, locked):
    a, b = new(), new()
    add(locked, a, DMA_RESV_USAGE_READ)
    add(locked, b, DMA_RESV_USAGE_READ)
    ret, array = dma_resv_get_singleton(locked, DMA_RESV_USAGE_READ)
    assert ret == 0
    assert kernel.warnings() == []
    add(locked, array, DMA_RESV_USAGE_READ)
    assert len(take_warnings(kernel)) == 1
    dma_fence_signal(a)
    dma_fence_signal(b)
    assert dma_fence_is_signaled(array)
    dma_fence_put(array)
    dma_fence_put(a)
    dma_fence_put(b)


def test_replacing_the_fences_of_a_context(locked):
    context = dma_fence_context_alloc(1)
    a, b, other, replacement = new(context, 2), new(context, 1), new(), new()
    add(locked, a, DMA_RESV_USAGE_READ)
    add(locked, other, DMA_RESV_USAGE_READ)
    add(locked, b, DMA_RESV_USAGE_READ)
    dma_resv_replace_fences(locked, context, replacement, DMA_RESV_USAGE_KERNEL)
    assert fences_of(locked) == [
        (replacement, DMA_RESV_USAGE_KERNEL),
        (other, DMA_RESV_USAGE_READ),
        (replacement, DMA_RESV_USAGE_KERNEL),
    ]
    assert references(replacement) == 3
    drop(a, b, other, replacement)


def test_replacing_in_an_empty_reservation(locked):
    fence = new()
    dma_resv_replace_fences(locked, 1, fence, DMA_RESV_USAGE_READ)
    assert fences_of(locked) == []
    drop(fence)


# -- iteration -------------------------------------------------------------------------------------


def test_who_asks_for_a_usage_gets_it_and_all_more_important_ones(locked):
    fences = {usage: new() for usage in reversed(USAGES)}
    for usage, fence in fences.items():
        add(locked, fence, usage)
    for usage in USAGES:
        wanted = {f for u, f in fences.items() if u <= usage}
        assert {f for f, _ in fences_of(locked, usage)} == wanted
        assert set(unlocked(locked, usage)) == wanted
    drop(*fences.values())


def test_what_new_reads_and_writes_wait_for():
    assert dma_resv_usage_rw(write=False) == DMA_RESV_USAGE_WRITE
    assert dma_resv_usage_rw(write=True) == DMA_RESV_USAGE_READ


def test_a_locked_iteration_shows_signalled_fences_an_unlocked_one_does_not(locked):
    a, b = new(), new()
    add(locked, a, DMA_RESV_USAGE_READ)
    add(locked, b, DMA_RESV_USAGE_READ)
    dma_fence_signal(a)
    assert [f for f, _ in fences_of(locked)] == [a, b]
    assert unlocked(locked) == [b]
    drop(a, b)


def test_an_unlocked_iteration_holds_a_reference_to_the_current_fence(resv):
    a, b = new(), new()
    dma_resv_lock(resv, None)
    add(resv, a, DMA_RESV_USAGE_READ)
    add(resv, b, DMA_RESV_USAGE_READ)
    dma_resv_unlock(resv)
    cursor = dma_resv_iter()
    dma_resv_iter_begin(cursor, resv, DMA_RESV_USAGE_READ)
    assert dma_resv_iter_first_unlocked(cursor) is a
    assert dma_resv_iter_is_restarted(cursor)
    assert (references(a), references(b)) == (3, 2)
    assert dma_resv_iter_next_unlocked(cursor) is b
    assert not dma_resv_iter_is_restarted(cursor)
    assert (references(a), references(b)) == (2, 3)
    assert dma_resv_iter_next_unlocked(cursor) is None
    dma_resv_iter_end(cursor)
    assert (references(a), references(b)) == (2, 2)
    drop(a, b)


def test_an_unlocked_iteration_begins_again_when_the_list_was_replaced(resv):
    fences = [new() for _ in range(8)]
    dma_resv_lock(resv, None)
    add(resv, fences[0], DMA_RESV_USAGE_READ)
    add(resv, fences[1], DMA_RESV_USAGE_READ)
    cursor = dma_resv_iter()
    dma_resv_iter_begin(cursor, resv, DMA_RESV_USAGE_READ)
    assert dma_resv_iter_first_unlocked(cursor) is fences[0]
    for fence in fences[2:]:
        add(resv, fence, DMA_RESV_USAGE_READ)
    assert dma_resv_iter_next_unlocked(cursor) is fences[0]
    assert dma_resv_iter_is_restarted(cursor), "forget what was gathered before"
    rest = []
    while fence := dma_resv_iter_next_unlocked(cursor):
        assert not dma_resv_iter_is_restarted(cursor)
        rest.append(fence)
    assert rest == fences[1:]
    dma_resv_iter_end(cursor)
    dma_resv_unlock(resv)
    drop(*fences)


def test_iterating_over_nothing(resv):
    assert unlocked(resv) == []
    dma_resv_lock(resv, None)
    assert fences_of(resv) == []
    dma_resv_unlock(resv)


# -- copies ----------------------------------------------------------------------------------------


def test_getting_all_fences(resv):
    assert dma_resv_get_fences(resv, DMA_RESV_USAGE_READ)[:2] == (0, 0)
    fences = [new() for _ in range(3)]
    dma_resv_lock(resv, None)
    for fence in fences:
        add(resv, fence, DMA_RESV_USAGE_READ)
    dma_resv_unlock(resv)
    ret, count, array = dma_resv_get_fences(resv, DMA_RESV_USAGE_READ)
    assert (ret, count) == (0, 3)
    assert array[:3] == fences
    assert all(references(f) == 3 for f in fences)
    for fence in array[:3]:
        dma_fence_put(fence)
    kfree(array)
    fail_nth(1)
    assert dma_resv_get_fences(resv, DMA_RESV_USAGE_READ) == (-ENOMEM, 0, None)
    drop(*fences)


def test_a_singleton_is_nothing_the_fence_or_an_array(resv):
    assert dma_resv_get_singleton(resv, DMA_RESV_USAGE_READ) == (0, None)
    a, b = new(), new()
    dma_resv_lock(resv, None)
    add(resv, a, DMA_RESV_USAGE_READ)
    ret, fence = dma_resv_get_singleton(resv, DMA_RESV_USAGE_READ)
    assert (ret, fence) == (0, a)
    dma_fence_put(fence)
    add(resv, b, DMA_RESV_USAGE_READ)
    ret, fence = dma_resv_get_singleton(resv, DMA_RESV_USAGE_READ)
    assert ret == 0
    assert dma_fence_is_array(fence)
    assert to_dma_fence_array(fence).fences[:2] == [a, b]
    dma_resv_unlock(resv)
    dma_fence_signal(a)
    dma_fence_signal(b)
    assert dma_fence_wait_timeout(fence, False, 1000) > 0
    dma_fence_put(fence)
    dma_fence_put(a)
    dma_fence_put(b)


@pytest.mark.parametrize("nth", [1, 2])
def test_a_singleton_without_memory(resv, nth):
    a, b = new(), new()
    dma_resv_lock(resv, None)
    add(resv, a, DMA_RESV_USAGE_READ)
    add(resv, b, DMA_RESV_USAGE_READ)
    dma_resv_unlock(resv)
    fail_nth(nth)
    assert dma_resv_get_singleton(resv, DMA_RESV_USAGE_READ) == (-ENOMEM, None)
    assert (references(a), references(b)) == (2, 2)
    drop(a, b)


@pytest.mark.boot(check="")  # two reservations locked without a context
def test_copying(resv, locked):
    source = dma_resv()
    dma_resv_init(source)
    old, a, b = new(), new(), new()
    add(locked, old, DMA_RESV_USAGE_READ)
    dma_resv_lock(source, None)
    add(source, a, DMA_RESV_USAGE_WRITE)
    add(source, b, DMA_RESV_USAGE_BOOKKEEP)
    dma_resv_unlock(source)
    assert dma_resv_copy_fences(locked, source) == 0
    assert fences_of(locked) == [(a, DMA_RESV_USAGE_WRITE), (b, DMA_RESV_USAGE_BOOKKEEP)]
    assert (references(old), references(a), references(b)) == (1, 3, 3)
    fail_nth(1)
    assert dma_resv_copy_fences(locked, source) == -ENOMEM
    assert fences_of(locked) == [(a, DMA_RESV_USAGE_WRITE), (b, DMA_RESV_USAGE_BOOKKEEP)]
    empty = dma_resv()
    dma_resv_init(empty)
    assert dma_resv_copy_fences(locked, empty) == 0
    assert fences_of(locked) == []
    dma_resv_fini(empty)
    dma_resv_fini(source)
    drop(old, a, b)


# -- waiting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("usage", USAGES)
def test_signalled_means_all_fences_of_the_usage_and_above(resv, usage):
    fence, less = new(), new()
    dma_resv_lock(resv, None)
    add(resv, fence, usage)
    dma_resv_unlock(resv)
    for asked in USAGES:
        assert dma_resv_test_signaled(resv, asked) == (usage > asked)
    dma_fence_signal(fence)
    assert all(dma_resv_test_signaled(resv, asked) for asked in USAGES)
    dma_fence_put(fence)
    drop(less)


def test_waiting_for_all_fences(resv):
    assert dma_resv_wait_timeout(resv, DMA_RESV_USAGE_READ, False, 0) == 1
    assert dma_resv_wait_timeout(resv, DMA_RESV_USAGE_READ, False, 7) == 7
    a, b = new(), new()
    dma_resv_lock(resv, None)
    add(resv, a, DMA_RESV_USAGE_READ)
    add(resv, b, DMA_RESV_USAGE_WRITE)
    dma_resv_unlock(resv)
    assert dma_resv_wait_timeout(resv, DMA_RESV_USAGE_READ, False, 0) == 0
    began = jiffies()
    assert dma_resv_wait_timeout(resv, DMA_RESV_USAGE_READ, False, 3) == 0
    assert jiffies() - began >= 3
    waiter = Thread(dma_resv_wait_timeout, resv, DMA_RESV_USAGE_READ, False, 10_000)
    writer = Thread(dma_resv_wait_timeout, resv, DMA_RESV_USAGE_WRITE, False, 10_000)
    dma_fence_signal(b)
    assert writer.join() > 0, "a reader waits for the writer only"
    never(lambda: waiter.done)
    dma_fence_signal(a)
    assert waiter.join() > 0
    dma_fence_put(a)
    dma_fence_put(b)


def test_an_interrupted_wait(resv):
    fence = new()
    dma_resv_lock(resv, None)
    add(resv, fence, DMA_RESV_USAGE_READ)
    dma_resv_unlock(resv)
    waiter = Thread(dma_resv_wait_timeout, resv, DMA_RESV_USAGE_READ, True, 10_000)
    eventually(lambda: waiter.task._state)
    send_sig(15, waiter.task)
    assert waiter.join() == -ERESTARTSYS
    assert references(fence) == 2
    drop(fence)


def test_deadlines_and_descriptions(resv):
    wanted = []
    ops = ops_with(set_deadline=lambda f, t: wanted.append((f.seqno, t)), release=kept_ops.release)
    kernel_fence, reader, background = (new(40, 1, ops), new(41, 2, ops), new(42, 3, ops))
    dma_resv_lock(resv, None)
    add(resv, kernel_fence, DMA_RESV_USAGE_KERNEL)
    add(resv, reader, DMA_RESV_USAGE_READ)
    add(resv, background, DMA_RESV_USAGE_BOOKKEEP)
    dma_resv_set_deadline(resv, DMA_RESV_USAGE_READ, 99)
    assert wanted == [(1, 99), (2, 99)]
    m = seq_file()
    dma_resv_describe(resv, m)
    dma_resv_unlock(resv)
    assert m.text == (
        "\tkernel fence:40:1 test-timeline test-driver unsignalled\n"
        "\tread fence:41:2 test-timeline test-driver unsignalled\n"
    )
    drop(kernel_fence, reader, background)


def test_readers_see_a_consistent_list_while_writers_change_it(resv):
    stop, reads = [], []
    always = new()
    dma_resv_lock(resv, None)
    add(resv, always, DMA_RESV_USAGE_KERNEL)
    dma_resv_unlock(resv)

    def read() -> None:
        while not stop:
            found = []
            cursor = dma_resv_iter()
            dma_resv_iter_begin(cursor, resv, DMA_RESV_USAGE_BOOKKEEP)
            for fence in dma_resv_for_each_fence_unlocked(cursor):
                if dma_resv_iter_is_restarted(cursor):
                    found.clear()
                found.append(fence)
            dma_resv_iter_end(cursor)
            assert found.count(always) == 1
            assert len(found) == len(set(found))
            reads.append(1)

    def write() -> None:
        for turn in range(40):
            eventually(lambda turn=turn: len(reads) > turn)
            fences = [new() for _ in range(3)]
            dma_resv_lock(resv, None)
            assert dma_resv_reserve_fences(resv, 3) == 0
            for fence in fences:
                dma_resv_add_fence(resv, dma_fence_get(fence), DMA_RESV_USAGE_READ)
                dma_fence_put(fence)
            dma_resv_unlock(resv)
            drop(*fences)
        stop.append(1)

    together(read, read, write)
    drop(always)
