# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""dma_fence_array: signals with the last of its fences, reports the first error."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_context_alloc,
    dma_fence_driver_name,
    dma_fence_enable_sw_signaling,
    dma_fence_get,
    dma_fence_get_status,
    dma_fence_is_array,
    dma_fence_is_container,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_set_deadline,
    dma_fence_set_error,
    dma_fence_signal,
    dma_fence_test_signaled_flag,
    dma_fence_timeline_name,
    dma_fence_wait_timeout,
)
from kport.dma_buf.dma_fence_array import (
    PENDING_ERROR,
    dma_fence_array,
    dma_fence_array_alloc,
    dma_fence_array_create,
    dma_fence_array_first,
    dma_fence_array_for_each,
    dma_fence_array_init,
    dma_fence_array_next,
    dma_fence_match_context,
    to_dma_fence_array,
)
from kport.linux.cleanup import guard
from kport.linux.err import ECANCELED, EIO
from kport.linux.irq_work import irq_work_sync
from kport.linux.slab import fail_nth, kfree, kzalloc_objs, pointer
from tests.dma_buf.fences import drop, kept_ops, new, ops_with, references
from tests.support import Thread, eventually, never, take_warnings, together

pytestmark = pytest.mark.usefixtures("kernel")


def array_of(*fences: dma_fence, context: int = 0, seqno: int = 1) -> dma_fence_array:
    """An array over these fences; it takes a reference of its own to each."""
    table = kzalloc_objs(pointer, len(fences))
    table[:] = [dma_fence_get(f) for f in fences]
    return dma_fence_array_create(len(fences), table, context or dma_fence_context_alloc(1), seqno)


def finish(array: dma_fence_array, *fences: dma_fence) -> None:
    """Signal the fences, drop everything."""
    for fence in fences:
        dma_fence_signal(fence)
    irq_work_sync(array.work)
    dma_fence_put(array.base)
    for fence in fences:
        dma_fence_put(fence)


def test_an_array_is_a_fence_with_names_of_its_own():
    a, b = new(), new()
    array = array_of(a, b, context=7, seqno=3)
    fence = array.base
    assert (fence.context, fence.seqno, array.num_fences) == (7, 3, 2)
    assert dma_fence_is_array(fence)
    assert dma_fence_is_container(fence)
    assert to_dma_fence_array(fence) is array
    assert to_dma_fence_array(a) is None
    assert to_dma_fence_array(None) is None
    with guard("rcu"):
        assert dma_fence_driver_name(fence) == "dma_fence_array"
        assert dma_fence_timeline_name(fence) == "unbound"
    finish(array, a, b)


def test_it_signals_when_the_last_of_its_fences_does():
    fences = [new() for _ in range(3)]
    array = array_of(*fences)
    dma_fence_enable_sw_signaling(array.base)
    for n, fence in enumerate(fences):
        irq_work_sync(array.work)
        assert not dma_fence_test_signaled_flag(array.base), n
        dma_fence_signal(fence)
    eventually(lambda: dma_fence_test_signaled_flag(array.base))
    assert dma_fence_get_status(array.base) == 1
    finish(array, *fences)


def test_it_is_signalled_when_asked_although_nobody_enabled_it():
    a, b = new(), new()
    array = array_of(a, b)
    assert not dma_fence_is_signaled(array.base)
    dma_fence_signal(a)
    assert not dma_fence_is_signaled(array.base)
    dma_fence_signal(b)
    assert dma_fence_is_signaled(array.base)
    assert array.base.error == 0
    finish(array, a, b)


def test_enabling_an_array_whose_fences_have_all_signalled_signals_it():
    a, b = new(), new()
    dma_fence_signal(a)
    dma_fence_signal(b)
    array = array_of(a, b)
    called = []
    assert dma_fence_add_callback(array.base, dma_fence_cb(), lambda f, c: called.append(1)) != 0
    assert dma_fence_test_signaled_flag(array.base)
    assert called == []
    finish(array, a, b)


def test_it_signals_away_from_the_locks_of_its_fences():
    """By irq_work: a callback of the array may take any fence's lock."""
    a, b = new(), new()
    array, seen = array_of(a, b), []

    def func(f: dma_fence, cb: dma_fence_cb) -> None:
        seen.append((dma_fence_get_status(a), dma_fence_get_status(b)))

    dma_fence_add_callback(array.base, dma_fence_cb(), func)
    dma_fence_signal(a)
    dma_fence_signal(b)
    irq_work_sync(array.work)
    assert seen == [(1, 1)]
    finish(array, a, b)


# -- errors ----------------------------------------------------------------------------------------


def test_the_error_is_pending_until_it_has_signalled():
    a, b = new(), new()
    array = array_of(a, b)
    assert array.base.error == PENDING_ERROR
    assert dma_fence_get_status(array.base) == 0
    finish(array, a, b)


@pytest.mark.parametrize("enable", [False, True])
def test_the_first_error_of_its_fences_is_its_error(enable):
    fences = [new() for _ in range(3)]
    array = array_of(*fences)
    if enable:
        dma_fence_enable_sw_signaling(array.base)
    for fence, error in zip(fences, (0, -ECANCELED, -EIO), strict=True):
        if error:
            dma_fence_set_error(fence, error)
        dma_fence_signal(fence)
    irq_work_sync(array.work)
    expected = -ECANCELED if enable else 1
    assert dma_fence_get_status(array.base) == expected
    finish(array, *fences)


def test_an_error_that_was_there_when_it_was_enabled_counts():
    a, b = new(), new()
    dma_fence_set_error(a, -EIO)
    dma_fence_signal(a)
    array = array_of(a, b)
    dma_fence_enable_sw_signaling(array.base)
    dma_fence_signal(b)
    irq_work_sync(array.work)
    assert dma_fence_get_status(array.base) == -EIO
    finish(array, a, b)


# -- references ------------------------------------------------------------------------------------


def test_it_holds_its_fences_until_it_goes():
    a, b = new(), new()
    array = array_of(a, b)
    assert (references(a), references(b)) == (2, 2)
    dma_fence_signal(a)
    dma_fence_signal(b)
    dma_fence_put(array.base)
    assert (references(a), references(b)) == (1, 1)
    drop(a, b)


def test_while_it_waits_each_callback_holds_the_array():
    a, b = new(), new()
    array = array_of(a, b)
    dma_fence_enable_sw_signaling(array.base)
    assert references(array.base) == 3
    dma_fence_signal(a)
    assert references(array.base) == 2
    dma_fence_signal(b)
    irq_work_sync(array.work)
    assert references(array.base) == 1
    finish(array, a, b)


def test_without_memory_there_is_no_array():
    fail_nth(1)
    assert dma_fence_array_alloc(2) is None
    a = new()
    table = kzalloc_objs(pointer, 1)
    table[0] = a
    fail_nth(1)
    assert dma_fence_array_create(1, table, 1, 1) is None
    kfree(table)
    drop(a)


# -- misuse ----------------------------------------------------------------------------------------


def test_an_array_of_nothing_is_a_warning(kernel):
    array = dma_fence_array_alloc(0)
    table = kzalloc_objs(pointer, 1)
    dma_fence_array_init(array, 0, table, 1, 1)
    assert len(take_warnings(kernel)) == 1
    assert dma_fence_array_first(array.base) is None
    dma_fence_put(array.base)


def test_an_array_in_an_array_is_a_warning(kernel):
    a = new()
    inner = array_of(a)
    outer = array_of(inner.base)
    assert len(take_warnings(kernel)) == 1
    dma_fence_signal(a)
    assert dma_fence_is_signaled(inner.base)
    dma_fence_put(outer.base)
    finish(inner, a)


# -- the rest --------------------------------------------------------------------------------------


def test_iteration_over_arrays_and_plain_fences():
    a, b, c = new(), new(), new()
    array = array_of(a, b, c)
    assert list(dma_fence_array_for_each(array.base)) == [(0, a), (1, b), (2, c)]
    assert list(dma_fence_array_for_each(a)) == [(0, a)]
    assert list(dma_fence_array_for_each(None)) == []
    assert dma_fence_array_first(None) is None
    assert dma_fence_array_next(array.base, 2) is c
    assert dma_fence_array_next(array.base, 3) is None
    assert dma_fence_array_next(a, 0) is None
    finish(array, a, b, c)


def test_matching_a_context():
    a, b, c = new(5, 1), new(5, 2), new(6, 1)
    same, mixed = array_of(a, b), array_of(a, c)
    assert dma_fence_match_context(a, 5)
    assert not dma_fence_match_context(a, 6)
    assert dma_fence_match_context(same.base, 5)
    assert not dma_fence_match_context(same.base, 6)
    assert not dma_fence_match_context(mixed.base, 5)
    for fence in (a, b, c):
        dma_fence_signal(fence)
    dma_fence_put(same.base)
    finish(mixed, a, b, c)


def test_a_deadline_reaches_every_fence():
    wanted = []
    ops = ops_with(set_deadline=lambda f, t: wanted.append((f, t)), release=kept_ops.release)
    a, b = new(ops=ops), new(ops=ops)
    array = array_of(a, b)
    dma_fence_set_deadline(array.base, 9)
    assert wanted == [(a, 9), (b, 9)]
    finish(array, a, b)


def test_waiting_for_an_array():
    fences = [new() for _ in range(4)]
    array = array_of(*fences)
    waiter = Thread(dma_fence_wait_timeout, array.base, False, 10_000)
    never(lambda: waiter.done)
    together(*[lambda f=f: dma_fence_signal(f) for f in fences])
    assert waiter.join() > 0
    finish(array, *fences)


def test_fences_that_signal_at_once_from_many_threads():
    for _ in range(20):
        fences = [new() for _ in range(6)]
        array, called = array_of(*fences), []

        def enable(array=array, called=called) -> int:
            return dma_fence_add_callback(
                array.base, dma_fence_cb(), lambda f, cb: called.append(1)
            )

        ret, *_ = together(enable, *[lambda f=f: dma_fence_signal(f) for f in fences])
        irq_work_sync(array.work)
        assert dma_fence_is_signaled(array.base)
        assert len(called) == (ret == 0)
        assert array.base.error == 0
        finish(array, *fences)
