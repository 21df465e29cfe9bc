# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Fences that a replay signals itself, and what it does when others are signalled.

A fence of a driver that is not in the replay is one without a driver here. So is a relay, which
stands for a fence of a job that is submitted later: in the kernel a job can depend on one that is
armed but not pushed yet (the members of a gang do); here the later job does not exist, so the
earlier one waits for a relay, and the later one's fence signals that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_init,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_signal,
)
from kport.linux.err import ENOENT, ENOMEM
from kport.linux.lockdep import lock_class_key, lockdep_set_class
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.struct import container_of, struct
from kport.linux.workqueue import INIT_WORK, schedule_work, work_struct


def _driver_name(fence: dma_fence) -> str:
    return "replay"


def _timeline_name(fence: dma_fence) -> str:
    return "recorded"


_ops = dma_fence_ops(get_driver_name=_driver_name, get_timeline_name=_timeline_name)


class relay_cb(struct):
    """The callback that signals `fence`, to which it holds a reference."""

    cb: dma_fence_cb
    fence: Any


def new_fence() -> dma_fence:
    """A fence with one reference and a context of its own. Raises OSError (ENOMEM)."""
    fence = kzalloc_obj(dma_fence)
    if fence is None:
        raise OSError(ENOMEM, "no memory for a fence")
    dma_fence_init(fence, _ops, None, dma_fence_context_alloc(1), 1)
    return fence


relay_lock_key = lock_class_key()


def new_relay() -> dma_fence:
    """The like, to be signalled from the callback of another, whose lock is held then.

    Raises OSError (ENOMEM).
    """
    fence = new_fence()
    lockdep_set_class(fence.inline_lock, relay_lock_key)
    return fence


def _relay(f: dma_fence, cb: dma_fence_cb) -> None:
    relay = container_of(cb, relay_cb, "cb")
    dma_fence_signal(relay.fence)
    dma_fence_put(relay.fence)
    kfree(relay)


def signal_after(fence: dma_fence, earlier: dma_fence) -> None:
    """Signal `fence`, a relay, as soon as `earlier` is signalled. Raises OSError (ENOMEM)."""
    relay = kzalloc_obj(relay_cb)
    if relay is None:
        raise OSError(ENOMEM, "no memory for a callback")
    relay.fence = dma_fence_get(fence)
    if dma_fence_add_callback(earlier, relay.cb, _relay) == -ENOENT:
        _relay(earlier, relay.cb)


class deferred_call(struct):
    """The callback on `fence`, with a reference to it, and the work that calls `function`."""

    cb: dma_fence_cb
    work: work_struct
    fence: Any
    function: Any


def _defer(f: dma_fence, cb: dma_fence_cb) -> None:
    call = container_of(cb, deferred_call, "cb")
    INIT_WORK(call.work, _call)
    schedule_work(call.work)


def _call(work: work_struct) -> None:
    call = container_of(work, deferred_call, "work")
    call.function()
    dma_fence_put(call.fence)
    kfree(call)


def call_after(fence: dma_fence, function: Callable[[], None]) -> None:
    """Call `function` once `fence` is signalled: now, or in a work item. It may sleep.

    Raises OSError (ENOMEM).
    """
    call = kzalloc_obj(deferred_call)
    if call is None:
        raise OSError(ENOMEM, "no memory for a callback")
    call.fence = dma_fence_get(fence)
    call.function = function
    if dma_fence_add_callback(fence, call.cb, _defer) == -ENOENT:
        _call(call.work)
