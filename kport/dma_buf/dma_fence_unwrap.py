# SPDX-FileCopyrightText: 2022 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/dma-buf/dma-fence-unwrap.c and include/linux/dma-fence-unwrap.h,
# Linux 7.2.13, on 2026-11-21.
"""The fences inside chains and arrays, one by one; merging them into one flat array."""

from __future__ import annotations

from collections.abc import Iterator

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_allocate_private_stub,
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_is_later,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_timestamp,
)
from kport.dma_buf.dma_fence_array import (
    dma_fence_array_create,
    dma_fence_array_first,
    dma_fence_array_next,
)
from kport.dma_buf.dma_fence_chain import dma_fence_chain_contained, dma_fence_chain_walk
from kport.linux.cleanup import goto, labels
from kport.linux.ktime import ktime_after, ns_to_ktime
from kport.linux.module import EXPORT_SYMBOL_GPL
from kport.linux.slab import kfree, kmalloc_objs, pointer
from kport.linux.sort import sort
from kport.linux.struct import struct
from kport.linux.types import ARRAY_SIZE

# -- include/linux/dma-fence-unwrap.h ----------------------------------------------------------


class dma_fence_unwrap(struct):
    """Where an iteration stands: the link of the chain, the array in it, the index in that."""

    chain: dma_fence | None
    array: dma_fence | None
    index: int


def dma_fence_unwrap_for_each(cursor: dma_fence_unwrap, head: dma_fence) -> Iterator[dma_fence]:
    """Each fence in `head`; leaving the loop early keeps the reference of the cursor.

    include/linux/dma-fence-unwrap.h:47-49, Linux 7.2.13
    """
    fence = dma_fence_unwrap_first(head, cursor)
    while fence:
        yield fence
        fence = dma_fence_unwrap_next(cursor)


def dma_fence_unwrap_merge(*fences: dma_fence) -> dma_fence | None:  # kport: variadic
    """One fence that signals when all of these have, or NULL.

    include/linux/dma-fence-unwrap.h:69-75, Linux 7.2.13
    """
    __f = [*fences]  # kport: variadic
    __c = [dma_fence_unwrap() for _ in range(ARRAY_SIZE(__f))]

    return __dma_fence_unwrap_merge(ARRAY_SIZE(__f), __f, __c)


# -- drivers/dma-buf/dma-fence-unwrap.c --------------------------------------------------------


def __dma_fence_unwrap_array(cursor: dma_fence_unwrap) -> dma_fence | None:
    """Begin with the array in the current link; its first fence.

    drivers/dma-buf/dma-fence-unwrap.c:18-24, Linux 7.2.13
    """
    cursor.array = dma_fence_chain_contained(cursor.chain)
    cursor.index = 0
    return dma_fence_array_first(cursor.array)


def dma_fence_unwrap_first(head: dma_fence, cursor: dma_fence_unwrap) -> dma_fence | None:
    """Begin an iteration; the first fence, or NULL.

    drivers/dma-buf/dma-fence-unwrap.c:34-39, Linux 7.2.13
    """
    cursor.chain = dma_fence_get(head)
    return __dma_fence_unwrap_array(cursor)


EXPORT_SYMBOL_GPL(dma_fence_unwrap_first)


def dma_fence_unwrap_next(cursor: dma_fence_unwrap) -> dma_fence | None:
    """The next fence, or NULL, which ends the iteration and leaves no reference.

    drivers/dma-buf/dma-fence-unwrap.c:49-60, Linux 7.2.13
    """
    cursor.index += 1
    tmp = dma_fence_array_next(cursor.array, cursor.index)
    if tmp:
        return tmp

    cursor.chain = dma_fence_chain_walk(cursor.chain)
    return __dma_fence_unwrap_array(cursor)


EXPORT_SYMBOL_GPL(dma_fence_unwrap_next)


def fence_cmp(_a: dma_fence, _b: dma_fence) -> int:
    """Order by context, and in a context the latest first.

    drivers/dma-buf/dma-fence-unwrap.c:64-80, Linux 7.2.13
    """
    a = _a  # kport: model
    b = _b  # kport: model

    if a.context < b.context:
        return -1
    elif a.context > b.context:
        return 1

    if dma_fence_is_later(b, a):
        return 1
    elif dma_fence_is_later(a, b):
        return -1

    return 0


def dma_fence_dedup_array(fences: list[dma_fence], num_fences: int) -> int:
    """Sort, keep the latest fence of each context and drop the references to the others.

    Returns how many are left; they are the first ones.

    drivers/dma-buf/dma-fence-unwrap.c:96-117, Linux 7.2.13
    """
    if not num_fences:
        return 0

    sort(fences, num_fences, fence_cmp)  # kport: model

    j = 0
    for i in range(1, num_fences):
        if fences[i].context == fences[j].context:
            dma_fence_put(fences[i])
        else:
            j += 1  # kport: side-effect
            fences[j] = fences[i]

    j += 1  # kport: side-effect
    return j


EXPORT_SYMBOL_GPL(dma_fence_dedup_array)


def __dma_fence_unwrap_merge(
    num_fences: int, fences: list[dma_fence], iter: list[dma_fence_unwrap]
) -> dma_fence | None:
    """The fence that dma_fence_unwrap_merge() makes; `iter` is room for as many cursors.

    Without an unsignalled fence it is a signalled one with the time of the last, with a single one
    it is that one, else a flat array; NULL without memory.

    drivers/dma-buf/dma-fence-unwrap.c:121-205, Linux 7.2.13
    """
    unsignaled = None

    count = 0
    timestamp = ns_to_ktime(0)
    for i in range(0, num_fences):
        for tmp in dma_fence_unwrap_for_each(iter[i], fences[i]):
            if not dma_fence_is_signaled(tmp):
                dma_fence_put(unsignaled)
                unsignaled = dma_fence_get(tmp)
                count += 1
            else:
                t = dma_fence_timestamp(tmp)

                if ktime_after(t, timestamp):
                    timestamp = t

    if count == 0:
        return dma_fence_allocate_private_stub(timestamp)
    elif count == 1:
        return unsignaled

    dma_fence_put(unsignaled)

    array = kmalloc_objs(pointer, count)
    if not array:
        return None

    with labels("return_fastpath", "return_tmp") as label:
        count = 0
        for i in range(0, num_fences):
            for tmp in dma_fence_unwrap_for_each(iter[i], fences[i]):
                if not dma_fence_is_signaled(tmp):
                    array[count] = dma_fence_get(tmp)
                    count += 1  # kport: side-effect
                else:
                    t = dma_fence_timestamp(tmp)

                    if ktime_after(t, timestamp):
                        timestamp = t

        if count == 0 or count == 1:
            raise goto("return_fastpath")

        count = dma_fence_dedup_array(array, count)

        if count > 1:
            result = dma_fence_array_create(count, array, dma_fence_context_alloc(1), 1)
            if not result:
                for i in range(0, count):
                    dma_fence_put(array[i])
                tmp = None
                raise goto("return_tmp")
            return result.base

    if label("return_fastpath"):
        if count == 0:
            tmp = dma_fence_allocate_private_stub(timestamp)
        else:
            tmp = array[0]

    if label("return_tmp"):
        kfree(array)
    return tmp


EXPORT_SYMBOL_GPL(__dma_fence_unwrap_merge)
