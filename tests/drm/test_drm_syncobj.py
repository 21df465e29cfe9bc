# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Sync objects: handles, fences in and out, timeline points, waiting for a point to come."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence_get_stub,
    dma_fence_is_chain,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_signal,
)
from kport.dma_buf.dma_fence_chain import dma_fence_chain_alloc, to_dma_fence_chain
from kport.drm import drm_syncobj as syncobj_file
from kport.drm.drm_syncobj import (
    DRM_SYNCOBJ_CREATE_SIGNALED,
    DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT,
    drm_file,
    drm_syncobj_add_point,
    drm_syncobj_create,
    drm_syncobj_create_as_handle,
    drm_syncobj_destroy,
    drm_syncobj_fence_get,
    drm_syncobj_find,
    drm_syncobj_find_fence,
    drm_syncobj_get,
    drm_syncobj_get_handle,
    drm_syncobj_open,
    drm_syncobj_put,
    drm_syncobj_release,
    drm_syncobj_replace_fence,
)
from kport.linux.err import EINVAL, ENOENT, ENOMEM, ERESTARTSYS, ETIME
from kport.linux.kref import kref_read
from kport.linux.list import list_empty
from kport.linux.sched import send_sig
from kport.linux.slab import fail_nth
from tests.dma_buf.fences import drop, new, references
from tests.support import Thread, eventually, messages, never

WAIT = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT


@pytest.fixture
def file(kernel):
    made = drm_file()
    drm_syncobj_open(made)
    yield made
    drm_syncobj_release(made)


def create(flags: int = 0, fence=None):
    ret, obj = drm_syncobj_create(flags, fence)
    assert ret == 0
    return obj


# -- objects and handles ---------------------------------------------------------------------------


def test_an_object_holds_its_fence(kernel):
    fence = new()
    obj = create(0, fence)
    assert references(fence) == 2
    got = drm_syncobj_fence_get(obj)
    assert got is fence
    dma_fence_put(got)
    drm_syncobj_get(obj)
    drm_syncobj_put(obj)
    drm_syncobj_put(obj)
    assert references(fence) == 1
    drop(fence)


def test_an_object_may_be_empty_or_signalled_from_the_beginning(kernel):
    empty, signalled = create(), create(DRM_SYNCOBJ_CREATE_SIGNALED)
    assert drm_syncobj_fence_get(empty) is None
    fence = drm_syncobj_fence_get(signalled)
    assert dma_fence_is_signaled(fence)
    dma_fence_put(fence)
    drm_syncobj_put(empty)
    drm_syncobj_put(signalled)


def test_replacing_the_fence(kernel):
    a, b = new(), new()
    obj = create(0, a)
    drm_syncobj_replace_fence(obj, b)
    assert (references(a), references(b)) == (1, 2)
    drm_syncobj_replace_fence(obj, b)
    assert references(b) == 2
    drm_syncobj_replace_fence(obj, None)
    assert references(b) == 1
    drm_syncobj_put(obj)
    drop(a, b)


def test_handles_begin_at_1_and_the_lowest_free_one_is_taken(file):
    handles = [drm_syncobj_create_as_handle(file, 0) for _ in range(3)]
    assert handles == [(0, 1), (0, 2), (0, 3)]
    assert drm_syncobj_destroy(file, 2) == 0
    assert drm_syncobj_destroy(file, 2) == -EINVAL
    assert drm_syncobj_create_as_handle(file, 0) == (0, 2)


def test_finding_by_handle_takes_a_reference(file):
    obj = create()
    ret, handle = drm_syncobj_get_handle(file, obj)
    assert ret == 0
    assert drm_syncobj_find(file, handle) is obj
    assert kref_read(obj.refcount) == 3
    drm_syncobj_put(obj)
    drm_syncobj_put(obj)
    assert drm_syncobj_find(file, 99) is None


@pytest.mark.parametrize("nth", [1, 2])
def test_creating_without_memory(file, nth):
    fail_nth(nth)
    ret, handle = drm_syncobj_create_as_handle(file, DRM_SYNCOBJ_CREATE_SIGNALED)
    assert (ret, handle) == (-ENOMEM, 0)


def test_a_handle_without_memory(file):
    obj = create()
    fail_nth(1)
    assert drm_syncobj_get_handle(file, obj) == (-ENOMEM, 0)
    assert kref_read(obj.refcount) == 1
    drm_syncobj_put(obj)


def test_closing_a_file_drops_its_objects(kernel):
    file, fence = drm_file(), new()
    drm_syncobj_open(file)
    obj = create(0, fence)
    drm_syncobj_get_handle(file, obj)
    drm_syncobj_put(obj)
    drm_syncobj_release(file)
    assert references(fence) == 1
    drop(fence)


# -- finding a fence -------------------------------------------------------------------------------


def test_the_fence_of_a_handle(file):
    fence = new()
    obj = create(0, fence)
    _, handle = drm_syncobj_get_handle(file, obj)
    assert drm_syncobj_find_fence(file, handle, 0, 0) == (0, fence)
    dma_fence_put(fence)
    assert drm_syncobj_find_fence(file, 99, 0, 0) == (-ENOENT, None)
    assert drm_syncobj_find_fence(file, handle, 0, 1 << 5) == (-EINVAL, None)
    drm_syncobj_replace_fence(obj, None)
    assert drm_syncobj_find_fence(file, handle, 0, 0) == (-EINVAL, None)
    drm_syncobj_put(obj)
    drop(fence)


def add_point(obj, fence, point: int) -> None:
    drm_syncobj_add_point(obj, dma_fence_chain_alloc(), fence, point)


def test_points_of_a_timeline(file):
    obj = create()
    _, handle = drm_syncobj_get_handle(file, obj)
    fences = [new() for _ in range(3)]
    for n, fence in enumerate(fences):
        add_point(obj, fence, 2 * (n + 1))
    for point, expected in ((1, 2), (2, 2), (3, 4), (6, 6)):
        ret, fence = drm_syncobj_find_fence(file, handle, point, 0)
        assert ret == 0
        assert dma_fence_is_chain(fence)
        assert fence.seqno == expected
        assert to_dma_fence_chain(fence).fence is fences[expected // 2 - 1]
        dma_fence_put(fence)
    ret, _ = drm_syncobj_find_fence(file, handle, 7, 0)
    assert ret == -EINVAL, "the fence that comes with it is not the caller's, as in C"
    dma_fence_signal(fences[0])
    ret, fence = drm_syncobj_find_fence(file, handle, 2, 0)
    assert ret == 0
    assert dma_fence_is_signaled(fence), "a point that has passed is the stub"
    dma_fence_put(fence)
    drm_syncobj_put(obj)
    for fence in fences:
        dma_fence_signal(fence)
        dma_fence_put(fence)


def test_a_point_out_of_order_is_noted_in_the_log(kernel):
    obj = create()
    a, b = new(), new()
    add_point(obj, a, 5)
    add_point(obj, b, 3)
    assert messages(kernel) == [
        "[drm:drm_syncobj_add_point] You are adding an unorder point to timeline!"
    ]
    dma_fence_signal(a)
    dma_fence_signal(b)
    drm_syncobj_put(obj)
    dma_fence_put(a)
    dma_fence_put(b)


# -- waiting for a point to come -------------------------------------------------------------------


def test_waiting_for_a_fence_to_be_put_in(file):
    obj, fence = create(), new()
    _, handle = drm_syncobj_get_handle(file, obj)
    waiters = [Thread(drm_syncobj_find_fence, file, handle, 0, WAIT) for _ in range(2)]
    never(lambda: any(w.done for w in waiters))
    drm_syncobj_replace_fence(obj, fence)
    for waiter in waiters:
        assert waiter.join() == (0, fence)
        dma_fence_put(fence)
    assert list_empty(obj.cb_list)
    drm_syncobj_put(obj)
    drop(fence)


def test_waiting_for_a_point_that_is_not_there_yet(file):
    obj = create()
    _, handle = drm_syncobj_get_handle(file, obj)
    a, b = new(), new()
    add_point(obj, a, 1)
    waiter = Thread(drm_syncobj_find_fence, file, handle, 2, WAIT)
    never(lambda: waiter.done)
    add_point(obj, b, 2)
    ret, fence = waiter.join()
    assert (ret, fence.seqno) == (0, 2)
    dma_fence_put(fence)
    dma_fence_signal(a)
    dma_fence_signal(b)
    drm_syncobj_put(obj)
    dma_fence_put(a)
    dma_fence_put(b)


def test_a_signal_ends_the_wait(file):
    obj = create()
    _, handle = drm_syncobj_get_handle(file, obj)
    waiter = Thread(drm_syncobj_find_fence, file, handle, 0, WAIT)
    eventually(lambda: waiter.task._state)
    send_sig(15, waiter.task)
    assert waiter.join() == (-ERESTARTSYS, None)
    assert list_empty(obj.cb_list)
    drm_syncobj_put(obj)


def test_after_five_seconds_the_wait_is_over(file, monkeypatch):
    monkeypatch.setattr(syncobj_file, "DRM_SYNCOBJ_WAIT_FOR_SUBMIT_TIMEOUT", 8_000_000)
    obj = create()
    _, handle = drm_syncobj_get_handle(file, obj)
    assert drm_syncobj_find_fence(file, handle, 0, WAIT) == (-ETIME, None)
    assert list_empty(obj.cb_list)
    drm_syncobj_put(obj)


def test_a_fence_that_is_there_needs_no_wait(file):
    obj = create(0, dma_fence_get_stub())
    dma_fence_put(drm_syncobj_fence_get(obj))
    _, handle = drm_syncobj_get_handle(file, obj)
    ret, fence = drm_syncobj_find_fence(file, handle, 0, WAIT)
    assert ret == 0
    assert dma_fence_is_signaled(fence)
    dma_fence_put(fence)
    dma_fence_put(fence)
    drm_syncobj_put(obj)
