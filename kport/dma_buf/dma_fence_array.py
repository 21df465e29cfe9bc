# SPDX-FileCopyrightText: 2016 Collabora Ltd
# SPDX-FileCopyrightText: 2016 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/dma-buf/dma-fence-array.c and include/linux/dma-fence-array.h,
# Linux 7.2.13, on 2026-11-20.
"""A fence that signals when all fences of an array have."""

from __future__ import annotations

from collections.abc import Iterator

from kport.arch.asm import cmpxchg
from kport.dma_buf.dma_fence import (
    DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT,
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_free,
    dma_fence_get,
    dma_fence_init,
    dma_fence_is_array,
    dma_fence_is_container,
    dma_fence_is_signaled,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_set_deadline,
    dma_fence_signal,
)
from kport.linux.atomic import (
    atomic_dec_and_test,
    atomic_read_acquire,
    atomic_set,
    atomic_t,
)
from kport.linux.bitops import test_bit
from kport.linux.bug import WARN_ON
from kport.linux.cleanup import goto, labels
from kport.linux.irq_work import init_irq_work, irq_work, irq_work_queue
from kport.linux.ktime import ktime_t
from kport.linux.lockdep import lock_class_key, lockdep_set_class
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.slab import kfree, kzalloc_flex
from kport.linux.struct import container_of, struct

PENDING_ERROR = 1


class dma_fence_array_cb(struct):
    """The callback on one fence of the array."""

    cb: dma_fence_cb
    array: dma_fence_array | None


class dma_fence_array(struct):
    """The array; `num_pending` fences have not signalled yet."""

    base: dma_fence
    num_fences: int
    num_pending: atomic_t
    fences: list[dma_fence] | None
    work: irq_work
    callbacks: list[dma_fence_array_cb] | None


def to_dma_fence_array(fence: dma_fence) -> dma_fence_array | None:
    """The array a fence is, or NULL.

    include/linux/dma-fence-array.h:56-63, Linux 7.2.13
    """
    if not fence or not dma_fence_is_array(fence):
        return None

    return container_of(fence, dma_fence_array, "base")


def dma_fence_array_for_each(head: dma_fence) -> Iterator[tuple[int, dma_fence]]:
    """Index and fence of each fence of an array, or of the one fence that is none.

    include/linux/dma-fence-array.h:76-78, Linux 7.2.13
    """
    index = 0
    fence = dma_fence_array_first(head)
    while fence:
        yield index, fence
        index += 1
        fence = dma_fence_array_next(head, index)


def dma_fence_array_get_driver_name(fence: dma_fence) -> str:
    """The driver name of arrays.

    drivers/dma-buf/dma-fence-array.c:18-21, Linux 7.2.13
    """
    return "dma_fence_array"


def dma_fence_array_get_timeline_name(fence: dma_fence) -> str:
    """The timeline name of arrays.

    drivers/dma-buf/dma-fence-array.c:23-26, Linux 7.2.13
    """
    return "unbound"


def dma_fence_array_set_pending_error(array: dma_fence_array, error: int) -> None:
    """Keep the first error that any of the fences reports.

    drivers/dma-buf/dma-fence-array.c:28-37, Linux 7.2.13
    """
    if error:
        cmpxchg(array.base, "error", PENDING_ERROR, error)


def dma_fence_array_clear_pending_error(array: dma_fence_array) -> None:
    """No fence reported an error: the array has none.

    drivers/dma-buf/dma-fence-array.c:39-43, Linux 7.2.13
    """
    cmpxchg(array.base, "error", PENDING_ERROR, 0)


def irq_dma_fence_array_work(wrk: irq_work) -> None:
    """All fences have signalled: signal the array, away from their locks.

    drivers/dma-buf/dma-fence-array.c:45-53, Linux 7.2.13
    """
    array = container_of(wrk, dma_fence_array, "work")

    dma_fence_array_clear_pending_error(array)

    dma_fence_signal(array.base)
    dma_fence_put(array.base)


def dma_fence_array_cb_func(f: dma_fence, cb: dma_fence_cb) -> None:
    """One fence has signalled.

    drivers/dma-buf/dma-fence-array.c:55-68, Linux 7.2.13
    """
    array_cb = container_of(cb, dma_fence_array_cb, "cb")
    array = array_cb.array

    dma_fence_array_set_pending_error(array, f.error)

    if atomic_dec_and_test(array.num_pending):
        irq_work_queue(array.work)
    else:
        dma_fence_put(array.base)


def dma_fence_array_enable_signaling(fence: dma_fence) -> bool:
    """Wait for every fence of the array; False if all have signalled.

    drivers/dma-buf/dma-fence-array.c:70-101, Linux 7.2.13
    """
    array = to_dma_fence_array(fence)
    cb = array.callbacks

    for i in range(0, array.num_fences):
        cb[i].array = array
        dma_fence_get(array.base)
        if dma_fence_add_callback(array.fences[i], cb[i].cb, dma_fence_array_cb_func):
            error = array.fences[i].error

            dma_fence_array_set_pending_error(array, error)
            dma_fence_put(array.base)
            if atomic_dec_and_test(array.num_pending):
                dma_fence_array_clear_pending_error(array)
                return False

    return True


def dma_fence_array_signaled(fence: dma_fence) -> bool:
    """True if enough fences have signalled.

    drivers/dma-buf/dma-fence-array.c:103-138, Linux 7.2.13
    """
    array = to_dma_fence_array(fence)

    with labels("signal"):
        num_pending = atomic_read_acquire(array.num_pending)
        if test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, array.base.flags):
            if num_pending <= 0:
                raise goto("signal")
            return False

        for i in range(0, array.num_fences):
            if dma_fence_is_signaled(array.fences[i]):
                num_pending -= 1  # kport: side-effect
                if not num_pending:
                    raise goto("signal")
        return False

    dma_fence_array_clear_pending_error(array)
    return True


def dma_fence_array_release(fence: dma_fence) -> None:
    """The last reference is gone: drop the fences.

    drivers/dma-buf/dma-fence-array.c:140-150, Linux 7.2.13
    """
    array = to_dma_fence_array(fence)

    for i in range(0, array.num_fences):
        dma_fence_put(array.fences[i])

    kfree(array.fences)
    dma_fence_free(fence)


def dma_fence_array_set_deadline(fence: dma_fence, deadline: ktime_t) -> None:
    """Pass a deadline on to every fence.

    drivers/dma-buf/dma-fence-array.c:152-160, Linux 7.2.13
    """
    array = to_dma_fence_array(fence)

    for i in range(0, array.num_fences):
        dma_fence_set_deadline(array.fences[i], deadline)


dma_fence_array_ops = dma_fence_ops(
    get_driver_name=dma_fence_array_get_driver_name,
    get_timeline_name=dma_fence_array_get_timeline_name,
    enable_signaling=dma_fence_array_enable_signaling,
    signaled=dma_fence_array_signaled,
    release=dma_fence_array_release,
    set_deadline=dma_fence_array_set_deadline,
)


def dma_fence_array_alloc(num_fences: int) -> dma_fence_array | None:
    """Memory for an array of `num_fences`, or NULL.

    drivers/dma-buf/dma-fence-array.c:178-183, Linux 7.2.13
    """
    return kzalloc_flex(dma_fence_array, "callbacks", dma_fence_array_cb, num_fences)


EXPORT_SYMBOL(dma_fence_array_alloc)

dma_fence_array_lock_key = lock_class_key()


def dma_fence_array_init(
    array: dma_fence_array,
    num_fences: int,
    fences: list[dma_fence],
    context: int,
    seqno: int,
) -> None:
    """Initialise an array; it takes over `fences` and the references in it.

    drivers/dma-buf/dma-fence-array.c:197-241, Linux 7.2.13
    """
    WARN_ON(not num_fences or not fences)

    array.num_fences = num_fences

    dma_fence_init(array.base, dma_fence_array_ops, None, context, seqno)
    init_irq_work(array.work, irq_dma_fence_array_work)

    lockdep_set_class(array.base.inline_lock, dma_fence_array_lock_key)

    atomic_set(array.num_pending, num_fences)
    array.fences = fences

    array.base.error = PENDING_ERROR

    while num_fences:
        num_fences -= 1  # kport: side-effect
        WARN_ON(dma_fence_is_container(fences[num_fences]))


EXPORT_SYMBOL(dma_fence_array_init)


def dma_fence_array_create(
    num_fences: int, fences: list[dma_fence], context: int, seqno: int
) -> dma_fence_array | None:
    """A new array that takes over `fences`, or NULL.

    drivers/dma-buf/dma-fence-array.c:262-275, Linux 7.2.13
    """
    array = dma_fence_array_alloc(num_fences)
    if not array:
        return None

    dma_fence_array_init(array, num_fences, fences, context, seqno)

    return array


EXPORT_SYMBOL(dma_fence_array_create)


def dma_fence_match_context(fence: dma_fence, context: int) -> bool:
    """True if the fence, or every fence of the array, is of the context.

    drivers/dma-buf/dma-fence-array.c:287-301, Linux 7.2.13
    """
    array = to_dma_fence_array(fence)

    if not dma_fence_is_array(fence):
        return fence.context == context

    for i in range(0, array.num_fences):
        if array.fences[i].context != context:
            return False

    return True


EXPORT_SYMBOL(dma_fence_match_context)


def dma_fence_array_first(head: dma_fence) -> dma_fence | None:
    """The first fence of an array, or the one fence that is none.

    drivers/dma-buf/dma-fence-array.c:304-319, Linux 7.2.13
    """
    if not head:
        return None

    array = to_dma_fence_array(head)
    if not array:
        return head

    if not array.num_fences:
        return None

    return array.fences[0]


EXPORT_SYMBOL(dma_fence_array_first)


def dma_fence_array_next(head: dma_fence, index: int) -> dma_fence | None:
    """The fence at `index` of an array, or NULL.

    drivers/dma-buf/dma-fence-array.c:322-331, Linux 7.2.13
    """
    array = to_dma_fence_array(head)

    if not array or index >= array.num_fences:
        return None

    return array.fences[index]


EXPORT_SYMBOL(dma_fence_array_next)
