# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Locking several buffers: contention, duplicates, errors, references."""

from __future__ import annotations

import pytest

import kport
from kport.arch.strategy import RoundRobin
from kport.dma_buf.dma_resv import (
    dma_resv_is_locked,
    dma_resv_lock,
    dma_resv_locking_ctx,
    dma_resv_unlock,
)
from kport.drm.drm_exec import (
    DRM_EXEC_DUMMY,
    DRM_EXEC_IGNORE_DUPLICATES,
    DRM_EXEC_INTERRUPTIBLE_WAIT,
    drm_exec,
    drm_exec_cleanup,
    drm_exec_fini,
    drm_exec_for_each_locked_object,
    drm_exec_for_each_locked_object_reverse,
    drm_exec_init,
    drm_exec_is_contended,
    drm_exec_lock_obj,
    drm_exec_obj,
    drm_exec_prepare_array,
    drm_exec_prepare_obj,
    drm_exec_retry_on_contention,
    drm_exec_ticket,
    drm_exec_unlock_obj,
    drm_exec_until_all_locked,
)
from kport.drm.drm_gem import (
    drm_gem_object,
    drm_gem_object_put,
    drm_gem_private_object_init,
)
from kport.linux.err import EALREADY, EDEADLK, EINTR, ENOMEM
from kport.linux.kref import kref_read
from kport.linux.list import list_count_nodes
from kport.linux.page import PAGE_SIZE
from kport.linux.sched import send_sig
from kport.linux.slab import fail_nth, kzalloc_obj
from tests.support import Gate, Thread, eventually, together


def buffers(n):
    made = [kzalloc_obj(drm_gem_object) for _ in range(n)]
    for obj in made:
        drm_gem_private_object_init(obj, PAGE_SIZE)
    return made


def put(*objects):
    """Drop the references of buffers(), which must be the last ones."""
    for obj in objects:
        assert kref_read(obj.refcount) == 1
        drm_gem_object_put(obj)


def begun(flags=0, nr=0):
    """An exec in its first round."""
    ex = drm_exec()
    drm_exec_init(ex, flags, nr)
    assert drm_exec_cleanup(ex)
    return ex


# -- one thread ------------------------------------------------------------------------------------


def test_a_round_locks_and_the_end_unlocks(kernel):
    a, b, c = objects = buffers(3)
    ex = drm_exec()
    drm_exec_init(ex, 0, 0)
    assert drm_exec_is_contended(ex)
    assert ex.contended is DRM_EXEC_DUMMY
    rounds = 0
    for _ in drm_exec_until_all_locked(ex):
        rounds += 1
        for obj in objects:
            assert drm_exec_lock_obj(ex, obj) == 0
            assert not drm_exec_retry_on_contention(ex)
    assert rounds == 1
    assert list(drm_exec_for_each_locked_object(ex)) == [a, b, c]
    assert list(drm_exec_for_each_locked_object_reverse(ex)) == [c, b, a]
    assert [kref_read(obj.refcount) for obj in objects] == [2, 2, 2]
    assert drm_exec_ticket(ex) is ex.ticket is dma_resv_locking_ctx(a.resv)
    assert drm_exec_obj(ex, 2) is c
    assert drm_exec_obj(ex, 3) is None
    drm_exec_fini(ex)
    assert not any(dma_resv_is_locked(obj.resv) for obj in objects)
    put(*objects)


def test_an_exec_without_objects_has_none_in_either_order(kernel):
    ex = begun()
    assert list(drm_exec_for_each_locked_object(ex)) == []
    assert list(drm_exec_for_each_locked_object_reverse(ex)) == []
    drm_exec_fini(ex)


def test_unlock_takes_one_out_of_the_middle(kernel):
    a, b, c = buffers(3)
    ex = begun()
    for obj in (a, b, c):
        assert drm_exec_lock_obj(ex, obj) == 0
    drm_exec_unlock_obj(ex, b)
    assert list(drm_exec_for_each_locked_object(ex)) == [a, c]
    assert not dma_resv_is_locked(b.resv)
    assert kref_read(b.refcount) == 1
    drm_exec_unlock_obj(ex, b)  # not there any more: nothing
    assert list(drm_exec_for_each_locked_object(ex)) == [a, c]
    drm_exec_fini(ex)
    put(a, b, c)


@pytest.mark.parametrize(
    ("flags", "result"), [(0, -EALREADY), (DRM_EXEC_IGNORE_DUPLICATES, 0)], ids=["error", "ignored"]
)
def test_a_duplicate(kernel, flags, result):
    (a,) = buffers(1)
    ex = begun(flags)
    assert drm_exec_lock_obj(ex, a) == 0
    assert drm_exec_lock_obj(ex, a) == result
    assert ex.num_objects == 1
    assert kref_read(a.refcount) == 2
    drm_exec_fini(ex)
    put(a)


@pytest.mark.parametrize("nr", [0, 1, 512])
def test_the_table_grows(kernel, nr):
    objects = buffers(513)
    ex = begun(nr=nr)
    assert drm_exec_prepare_array(ex, objects, len(objects), 1) == 0
    assert ex.num_objects == 513
    assert ex.max_objects >= 513
    assert list(drm_exec_for_each_locked_object(ex)) == objects
    drm_exec_fini(ex)
    put(*objects)


def test_no_memory_at_first_is_made_good_at_the_first_lock(kernel):
    (a,) = buffers(1)
    fail_nth(1)
    ex = begun()
    assert ex.max_objects == 0
    assert drm_exec_lock_obj(ex, a) == 0
    assert ex.max_objects == 512
    drm_exec_fini(ex)
    put(a)


def test_no_memory_to_remember_a_lock(kernel):
    (a,) = buffers(1)
    fail_nth(1)
    ex = begun()
    fail_nth(1)
    assert drm_exec_lock_obj(ex, a) == -ENOMEM
    assert not dma_resv_is_locked(a.resv)
    assert ex.num_objects == 0
    drm_exec_fini(ex)
    put(a)


def test_no_memory_for_the_fences(kernel):
    (a,) = buffers(1)
    ex = begun()
    fail_nth(1)
    assert drm_exec_prepare_obj(ex, a, 1) == -ENOMEM
    assert not dma_resv_is_locked(a.resv)
    assert ex.num_objects == 0
    drm_exec_fini(ex)
    put(a)


def test_an_array_stops_at_the_first_error(kernel):
    a, b = buffers(2)
    ex = begun()
    assert drm_exec_prepare_array(ex, [a, a, b], 3, 1) == -EALREADY
    assert list(drm_exec_for_each_locked_object(ex)) == [a]
    assert drm_exec_prepare_array(ex, [], 0, 1) == 0
    drm_exec_fini(ex)
    put(a, b)


def waiters(obj):
    return list_count_nodes(obj.resv.lock.base.wait_list)


# -- contention ------------------------------------------------------------------------------------


def held_by_an_older_one(a):
    """A thread that holds `a` in an older round, until its gate is opened."""
    gate = Gate()
    ex = begun()

    def hold():
        assert drm_exec_lock_obj(ex, a) == 0
        gate.enter()
        drm_exec_fini(ex)

    holder = Thread(hold)
    gate.arrived()
    return gate, holder


@pytest.mark.boot(check="")  # a context that another task began
def test_the_contended_one_is_locked_first_in_the_next_round(kernel):
    a, b = buffers(2)
    gate, holder = held_by_an_older_one(a)
    ex = drm_exec()
    drm_exec_init(ex, 0, 0)
    seen = []
    for _ in drm_exec_until_all_locked(ex):
        assert ex.num_objects == 0
        ret = drm_exec_lock_obj(ex, b)
        seen.append((ret, ex.prelocked))
        if drm_exec_retry_on_contention(ex):
            continue
        ret = drm_exec_lock_obj(ex, a)
        if drm_exec_retry_on_contention(ex):
            assert ret == -EDEADLK
            assert ex.contended is a
            assert kref_read(a.refcount) == 3  # ours, the holder's, that of `contended`
            gate.open()
            continue
        assert ret == 0
    assert seen == [(0, None), (0, a)]
    assert ex.prelocked is None
    assert list(drm_exec_for_each_locked_object(ex)) == [b, a]
    holder.join()
    drm_exec_fini(ex)
    put(a, b)


@pytest.mark.boot(check="")  # a context that another task began
def test_one_that_was_locked_ahead_and_is_not_wanted_any_more_is_dropped(kernel):
    a, b = buffers(2)
    gate, holder = held_by_an_older_one(a)
    ex = drm_exec()
    drm_exec_init(ex, 0, 0)
    wanted = [b, a]
    for _ in drm_exec_until_all_locked(ex):
        drm_exec_prepare_array(ex, wanted, len(wanted), 1)
        if drm_exec_retry_on_contention(ex):
            gate.open()
            wanted = [b]
            continue
    assert list(drm_exec_for_each_locked_object(ex)) == [b]
    holder.join()
    assert not dma_resv_is_locked(a.resv)
    drm_exec_fini(ex)
    put(a, b)


@pytest.mark.boot(check="")  # a context that another task began
def test_a_contention_is_met_even_if_nothing_is_wanted_any_more(kernel):
    a, b = buffers(2)
    gate, holder = held_by_an_older_one(a)
    ex = begun()
    assert drm_exec_prepare_array(ex, [b, a], 2, 1) == -EDEADLK
    assert drm_exec_cleanup(ex)
    gate.open()
    assert drm_exec_prepare_array(ex, [], 0, 1) == 0
    assert ex.prelocked is a
    assert not drm_exec_cleanup(ex)
    assert ex.prelocked is None
    assert not dma_resv_is_locked(a.resv)
    assert not dma_resv_is_locked(b.resv)
    holder.join()
    drm_exec_fini(ex)
    put(a, b)


@pytest.mark.boot(check="")  # a context that another task began
def test_giving_up_in_a_contention_leaves_nothing_behind(kernel):
    a, b = buffers(2)
    gate, holder = held_by_an_older_one(a)
    ex = begun()
    assert drm_exec_lock_obj(ex, b) == 0
    assert drm_exec_lock_obj(ex, a) == -EDEADLK
    drm_exec_fini(ex)
    gate.open()
    holder.join()
    put(a, b)


@pytest.mark.boot(check="")  # a context that another task began
def test_a_signal_ends_the_wait_for_a_contended_one(kernel):
    a, b = buffers(2)
    gate, holder = held_by_an_older_one(a)
    ex = begun(DRM_EXEC_INTERRUPTIBLE_WAIT)

    def lock():
        assert drm_exec_lock_obj(ex, b) == 0
        assert drm_exec_lock_obj(ex, a) == -EDEADLK
        assert drm_exec_cleanup(ex)
        ret = drm_exec_lock_obj(ex, a)
        drm_exec_fini(ex)
        return ret

    waiter = Thread(lock)
    eventually(lambda: waiters(a))
    send_sig(15, waiter.task)
    assert waiter.join() == -EINTR
    gate.open()
    holder.join()
    put(a, b)


@pytest.mark.boot(check="")  # a context that another task began
def test_an_uninterruptible_wait_lasts(kernel):
    (a,) = buffers(1)
    assert dma_resv_lock(a.resv, None) == 0
    ex = begun()

    def lock():
        ret = drm_exec_lock_obj(ex, a)
        drm_exec_fini(ex)
        return ret

    waiter = Thread(lock)
    eventually(lambda: waiters(a))
    send_sig(15, waiter.task)
    dma_resv_unlock(a.resv)
    assert waiter.join() == 0
    put(a)


# -- many ------------------------------------------------------------------------------------------


def crowd(rounds):
    """Threads that lock the same buffers in different orders; the number of contentions met."""
    objects = buffers(4)
    orders = [objects, objects[::-1], objects[2:] + objects[:2], objects[1:] + objects[:1]]
    inside = []

    def work(order):
        met = 0
        for _ in range(rounds):
            ex = drm_exec()
            drm_exec_init(ex, 0, 0)
            for _ in drm_exec_until_all_locked(ex):
                ret = 0
                for obj in order:
                    ret = drm_exec_prepare_obj(ex, obj, 1)
                    if ret:
                        break
                if drm_exec_retry_on_contention(ex):
                    met += 1
                    continue
                assert ret == 0
            assert not inside
            inside.append(order)
            assert inside.pop() is order
            drm_exec_fini(ex)
        return met

    met = sum(together(*(lambda order=order: work(order) for order in orders)))
    put(*objects)
    return met


def test_a_crowd_never_deadlocks(kernel):
    crowd(50)


def test_a_crowd_on_virt_meets_contention_in_each_interleaving():
    for seed in range(1, 6):
        with kport.boot("virt", strategy=RoundRobin(seed, 5), debug=True) as kernel:
            assert crowd(5) > 0
        assert not kernel.leaks, kernel.leaks.lines()
        assert kernel.warnings() == []
