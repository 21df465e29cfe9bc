# SPDX-FileCopyrightText: 2022 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/dma-buf/st-dma-fence-unwrap.c, Linux 7.2.13, on 2026-11-21.
"""Unwrapping arrays and chains, and merging them without duplicates, in order.

In C test_unwrap_merge_order leaks `a1` and `c2` when it passes: an array, two links, two fences. A
leak is reported here when the kernel is left, so this one is mended.
"""

from __future__ import annotations

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_enable_sw_signaling,
    dma_fence_get,
    dma_fence_get_stub,
    dma_fence_init,
    dma_fence_ops,
    dma_fence_put,
)
from kport.dma_buf.dma_fence_array import dma_fence_array_create
from kport.dma_buf.dma_fence_chain import dma_fence_chain_alloc, dma_fence_chain_init
from kport.dma_buf.dma_fence_unwrap import (
    dma_fence_unwrap,
    dma_fence_unwrap_for_each,
    dma_fence_unwrap_merge,
)
from kport.kunit.test import KUNIT_CASE, kunit_suite, kunit_test_suite
from kport.linux.cleanup import goto, labels
from kport.linux.kunit import KUNIT_ASSERT_NOT_NULL, KUNIT_FAIL, kunit
from kport.linux.slab import kfree, kmalloc_obj, kzalloc_objs, pointer
from kport.linux.spinlock import spin_lock_init, spinlock_t
from kport.linux.struct import struct

CHAIN_SZ = 4 << 10


class struct_mock_fence(struct):
    """A fence with its lock."""

    base: dma_fence
    lock: spinlock_t


def mock_name(f: dma_fence) -> str:
    """The name of all fences, for both questions.

    drivers/dma-buf/st-dma-fence-unwrap.c:20-23, Linux 7.2.13
    """
    return "mock"


mock_ops = dma_fence_ops(
    get_driver_name=mock_name,
    get_timeline_name=mock_name,
)


def __mock_fence(context: int, seqno: int) -> dma_fence | None:
    """A fence of a context, or NULL.

    drivers/dma-buf/st-dma-fence-unwrap.c:30-42, Linux 7.2.13
    """
    f = kmalloc_obj(struct_mock_fence)
    if not f:
        return None

    spin_lock_init(f.lock)
    dma_fence_init(f.base, mock_ops, f.lock, context, seqno)

    return f.base


def mock_fence() -> dma_fence | None:
    """A fence of a context of its own, or NULL.

    drivers/dma-buf/st-dma-fence-unwrap.c:44-47, Linux 7.2.13
    """
    return __mock_fence(dma_fence_context_alloc(1), 1)


def mock_array(num_fences: int, *valist: dma_fence | None) -> dma_fence | None:  # kport: variadic
    """An array that takes over the fences, or NULL.

    drivers/dma-buf/st-dma-fence-unwrap.c:49-81, Linux 7.2.13
    """
    with labels("error_free", "error_put") as label:
        fences = kzalloc_objs(pointer, num_fences)
        if not fences:
            raise goto("error_put")

        for i in range(0, num_fences):
            fences[i] = valist[i]  # kport: variadic

        array = dma_fence_array_create(num_fences, fences, dma_fence_context_alloc(1), 1)
        if not array:
            raise goto("error_free")
        return array.base

    if label("error_free"):
        kfree(fences)

    if label("error_put"):
        for i in range(0, num_fences):
            dma_fence_put(valist[i])  # kport: variadic
    return None


def mock_chain(prev: dma_fence | None, fence: dma_fence | None) -> dma_fence | None:
    """A link that takes over both, or NULL.

    drivers/dma-buf/st-dma-fence-unwrap.c:83-97, Linux 7.2.13
    """
    f = dma_fence_chain_alloc()
    if not f:
        dma_fence_put(prev)
        dma_fence_put(fence)
        return None

    dma_fence_chain_init(f, prev, fence, 1)
    return f.base


def test_sanitycheck(test: kunit) -> None:
    """An array in a chain can be made and dropped.

    drivers/dma-buf/st-dma-fence-unwrap.c:99-115, Linux 7.2.13
    """
    f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    array = mock_array(1, f)
    KUNIT_ASSERT_NOT_NULL(test, array)

    chain = mock_chain(None, array)
    KUNIT_ASSERT_NOT_NULL(test, chain)

    dma_fence_put(chain)


def test_unwrap_array(test: kunit) -> None:
    """Each fence of an array is seen.

    drivers/dma-buf/st-dma-fence-unwrap.c:117-153, Linux 7.2.13
    """
    iter = dma_fence_unwrap()

    f1 = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f1)

    dma_fence_enable_sw_signaling(f1)

    f2 = mock_fence()
    if not f2:
        KUNIT_FAIL(test, "Failed to create mock fence")
        dma_fence_put(f1)
        return

    dma_fence_enable_sw_signaling(f2)

    array = mock_array(2, f1, f2)
    KUNIT_ASSERT_NOT_NULL(test, array)

    for fence in dma_fence_unwrap_for_each(iter, array):
        if fence is f1:
            f1 = None
        elif fence is f2:
            f2 = None
        else:
            KUNIT_FAIL(test, "Unexpected fence!")

    if f1 or f2:
        KUNIT_FAIL(test, "Not all fences seen!")

    dma_fence_put(array)


def test_unwrap_chain(test: kunit) -> None:
    """Each fence of a chain is seen.

    drivers/dma-buf/st-dma-fence-unwrap.c:155-191, Linux 7.2.13
    """
    iter = dma_fence_unwrap()

    f1 = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f1)

    dma_fence_enable_sw_signaling(f1)

    f2 = mock_fence()
    if not f2:
        KUNIT_FAIL(test, "Failed to create mock fence")
        dma_fence_put(f1)
        return

    dma_fence_enable_sw_signaling(f2)

    chain = mock_chain(f1, f2)
    KUNIT_ASSERT_NOT_NULL(test, chain)

    for fence in dma_fence_unwrap_for_each(iter, chain):
        if fence is f1:
            f1 = None
        elif fence is f2:
            f2 = None
        else:
            KUNIT_FAIL(test, "Unexpected fence!")

    if f1 or f2:
        KUNIT_FAIL(test, "Not all fences seen!")

    dma_fence_put(chain)


def test_unwrap_chain_array(test: kunit) -> None:
    """Each fence of an array in a chain is seen.

    drivers/dma-buf/st-dma-fence-unwrap.c:193-232, Linux 7.2.13
    """
    iter = dma_fence_unwrap()

    f1 = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f1)

    dma_fence_enable_sw_signaling(f1)

    f2 = mock_fence()
    if not f2:
        KUNIT_FAIL(test, "Failed to create mock fence")
        dma_fence_put(f1)
        return

    dma_fence_enable_sw_signaling(f2)

    array = mock_array(2, f1, f2)
    KUNIT_ASSERT_NOT_NULL(test, array)

    chain = mock_chain(None, array)
    KUNIT_ASSERT_NOT_NULL(test, chain)

    for fence in dma_fence_unwrap_for_each(iter, chain):
        if fence is f1:
            f1 = None
        elif fence is f2:
            f2 = None
        else:
            KUNIT_FAIL(test, "Unexpected fence!")

    if f1 or f2:
        KUNIT_FAIL(test, "Not all fences seen!")

    dma_fence_put(chain)


def test_unwrap_merge(test: kunit) -> None:
    """Two fences become an array of both.

    drivers/dma-buf/st-dma-fence-unwrap.c:234-278, Linux 7.2.13
    """
    iter = dma_fence_unwrap()

    f1 = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f1)

    dma_fence_enable_sw_signaling(f1)

    with labels("error_put_f2", "error_put_f1") as label:
        f2 = mock_fence()
        if not f2:
            KUNIT_FAIL(test, "Failed to create mock fence")
            raise goto("error_put_f1")

        dma_fence_enable_sw_signaling(f2)

        f3 = dma_fence_unwrap_merge(f1, f2)
        if not f3:
            KUNIT_FAIL(test, "Failed to merge fences")
            raise goto("error_put_f2")

        for fence in dma_fence_unwrap_for_each(iter, f3):
            if fence is f1:
                dma_fence_put(f1)
                f1 = None
            elif fence is f2:
                dma_fence_put(f2)
                f2 = None
            else:
                KUNIT_FAIL(test, "Unexpected fence!")

        if f1 or f2:
            KUNIT_FAIL(test, "Not all fences seen!")

        dma_fence_put(f3)
    if label("error_put_f2"):
        dma_fence_put(f2)
    if label("error_put_f1"):
        dma_fence_put(f1)


def test_unwrap_merge_duplicate(test: kunit) -> None:
    """A fence merged with itself is there once.

    drivers/dma-buf/st-dma-fence-unwrap.c:280-311, Linux 7.2.13
    """
    iter = dma_fence_unwrap()

    f1 = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f1)

    dma_fence_enable_sw_signaling(f1)

    with labels("error_put_f1"):
        f2 = dma_fence_unwrap_merge(f1, f1)
        if not f2:
            KUNIT_FAIL(test, "Failed to merge fences")
            raise goto("error_put_f1")

        for fence in dma_fence_unwrap_for_each(iter, f2):
            if fence is f1:
                dma_fence_put(f1)
                f1 = None
            else:
                KUNIT_FAIL(test, "Unexpected fence!")

        if f1:
            KUNIT_FAIL(test, "Not all fences seen!")

        dma_fence_put(f2)
    dma_fence_put(f1)


def test_unwrap_merge_seqno(test: kunit) -> None:
    """Of two fences of one context the later is kept; the contexts are in order.

    drivers/dma-buf/st-dma-fence-unwrap.c:313-371, Linux 7.2.13
    """
    iter = dma_fence_unwrap()
    ctx = [0] * 2

    ctx[0] = dma_fence_context_alloc(1)
    ctx[1] = dma_fence_context_alloc(1)

    f1 = __mock_fence(ctx[1], 1)
    KUNIT_ASSERT_NOT_NULL(test, f1)

    dma_fence_enable_sw_signaling(f1)

    with labels("error_put_f3", "error_put_f2", "error_put_f1") as label:
        f2 = __mock_fence(ctx[1], 2)
        if not f2:
            KUNIT_FAIL(test, "Failed to create mock fence")
            raise goto("error_put_f1")

        dma_fence_enable_sw_signaling(f2)

        f3 = __mock_fence(ctx[0], 1)
        if not f3:
            KUNIT_FAIL(test, "Failed to create mock fence")
            raise goto("error_put_f2")

        dma_fence_enable_sw_signaling(f3)

        f4 = dma_fence_unwrap_merge(f1, f2, f3)
        if not f4:
            KUNIT_FAIL(test, "Failed to merge fences")
            raise goto("error_put_f3")

        for fence in dma_fence_unwrap_for_each(iter, f4):
            if fence is f3 and f2:
                dma_fence_put(f3)
                f3 = None
            elif fence is f2 and not f3:
                dma_fence_put(f2)
                f2 = None
            else:
                KUNIT_FAIL(test, "Unexpected fence!")

        if f2 or f3:
            KUNIT_FAIL(test, "Not all fences seen!")

        dma_fence_put(f4)
    if label("error_put_f3"):
        dma_fence_put(f3)
    if label("error_put_f2"):
        dma_fence_put(f2)
    if label("error_put_f1"):
        dma_fence_put(f1)


def test_unwrap_merge_order(test: kunit) -> None:
    """An array and a chain with the same fences in opposite order become one array in order.

    drivers/dma-buf/st-dma-fence-unwrap.c:373-435, Linux 7.2.13
    """
    iter = dma_fence_unwrap()

    f1 = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f1)

    dma_fence_enable_sw_signaling(f1)

    f2 = mock_fence()
    if not f2:
        KUNIT_FAIL(test, "Failed to create mock fence")
        dma_fence_put(f1)
        return

    dma_fence_enable_sw_signaling(f2)

    a1 = mock_array(2, f1, f2)
    KUNIT_ASSERT_NOT_NULL(test, a1)

    with labels("error_put_a1"):
        c1 = mock_chain(None, dma_fence_get(f1))
        if not c1:
            KUNIT_FAIL(test, "Failed to create chain")
            raise goto("error_put_a1")

        c2 = mock_chain(c1, dma_fence_get(f2))
        if not c2:
            KUNIT_FAIL(test, "Failed to create chain")
            raise goto("error_put_a1")

        a2 = dma_fence_unwrap_merge(a1, c2)

        for fence in dma_fence_unwrap_for_each(iter, a2):
            if fence is f1:
                f1 = None
                if not f2:
                    KUNIT_FAIL(test, "Unexpected order!")
            elif fence is f2:
                f2 = None
                if f1:
                    KUNIT_FAIL(test, "Unexpected order!")
            else:
                KUNIT_FAIL(test, "Unexpected fence!")

        if f1 or f2:
            KUNIT_FAIL(test, "Not all fences seen!")

        dma_fence_put(a2)
        dma_fence_put(c2)  # kport: leak
        dma_fence_put(a1)  # kport: leak
        return

    dma_fence_put(a1)


def test_unwrap_merge_complex(test: kunit) -> None:
    """Two arrays and a signalled fence become one array without what has signalled.

    drivers/dma-buf/st-dma-fence-unwrap.c:437-499, Linux 7.2.13
    """
    iter = dma_fence_unwrap()

    f1 = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f1)

    dma_fence_enable_sw_signaling(f1)

    with labels("error_put_f4", "error_put_f3", "error_put_f2", "error_put_f1") as label:
        f2 = mock_fence()
        if not f2:
            KUNIT_FAIL(test, "Failed to create mock fence")
            raise goto("error_put_f1")

        dma_fence_enable_sw_signaling(f2)

        f3 = dma_fence_unwrap_merge(f1, f2)
        if not f3:
            KUNIT_FAIL(test, "Failed to merge fences")
            raise goto("error_put_f2")

        f4 = mock_array(2, dma_fence_get(f2), dma_fence_get(f1))
        if not f4:
            KUNIT_FAIL(test, "Failed to create array")
            raise goto("error_put_f3")

        f5 = dma_fence_unwrap_merge(f3, f4, dma_fence_get_stub())
        if not f5:
            KUNIT_FAIL(test, "Failed to merge fences")
            raise goto("error_put_f4")

        for fence in dma_fence_unwrap_for_each(iter, f5):
            if fence is f1:
                dma_fence_put(f1)
                f1 = None
            elif fence is f2:
                dma_fence_put(f2)
                f2 = None
            else:
                KUNIT_FAIL(test, "Unexpected fence!")

        if f1 or f2:
            KUNIT_FAIL(test, "Not all fences seen!")

        dma_fence_put(f5)
    if label("error_put_f4"):
        dma_fence_put(f4)
    if label("error_put_f3"):
        dma_fence_put(f3)
    if label("error_put_f2"):
        dma_fence_put(f2)
    if label("error_put_f1"):
        dma_fence_put(f1)


def test_unwrap_merge_complex_seqno(test: kunit) -> None:
    """Of two arrays with two contexts the later fence of each is kept.

    drivers/dma-buf/st-dma-fence-unwrap.c:501-585, Linux 7.2.13
    """
    iter = dma_fence_unwrap()
    ctx = [0] * 2

    ctx[0] = dma_fence_context_alloc(1)
    ctx[1] = dma_fence_context_alloc(1)

    f1 = __mock_fence(ctx[0], 2)
    KUNIT_ASSERT_NOT_NULL(test, f1)

    dma_fence_enable_sw_signaling(f1)

    with labels(
        "error_put_f6",
        "error_put_f5",
        "error_put_f4",
        "error_put_f3",
        "error_put_f2",
        "error_put_f1",
    ) as label:
        f2 = __mock_fence(ctx[1], 1)
        if not f2:
            KUNIT_FAIL(test, "Failed to create mock fence")
            raise goto("error_put_f1")

        dma_fence_enable_sw_signaling(f2)

        f3 = __mock_fence(ctx[0], 1)
        if not f3:
            KUNIT_FAIL(test, "Failed to create mock fence")
            raise goto("error_put_f2")

        dma_fence_enable_sw_signaling(f3)

        f4 = __mock_fence(ctx[1], 2)
        if not f4:
            KUNIT_FAIL(test, "Failed to create mock fence")
            raise goto("error_put_f3")

        dma_fence_enable_sw_signaling(f4)

        f5 = mock_array(2, dma_fence_get(f1), dma_fence_get(f2))
        if not f5:
            KUNIT_FAIL(test, "Failed to create array")
            raise goto("error_put_f4")

        f6 = mock_array(2, dma_fence_get(f3), dma_fence_get(f4))
        if not f6:
            KUNIT_FAIL(test, "Failed to create array")
            raise goto("error_put_f5")

        f7 = dma_fence_unwrap_merge(f5, f6)
        if not f7:
            KUNIT_FAIL(test, "Failed to merge fences")
            raise goto("error_put_f6")

        for fence in dma_fence_unwrap_for_each(iter, f7):
            if fence is f1 and f4:
                dma_fence_put(f1)
                f1 = None
            elif fence is f4 and not f1:
                dma_fence_put(f4)
                f4 = None
            else:
                KUNIT_FAIL(test, "Unexpected fence!")

        if f1 or f4:
            KUNIT_FAIL(test, "Not all fences seen!")

        dma_fence_put(f7)
    if label("error_put_f6"):
        dma_fence_put(f6)
    if label("error_put_f5"):
        dma_fence_put(f5)
    if label("error_put_f4"):
        dma_fence_put(f4)
    if label("error_put_f3"):
        dma_fence_put(f3)
    if label("error_put_f2"):
        dma_fence_put(f2)
    if label("error_put_f1"):
        dma_fence_put(f1)


dma_fence_unwrap_cases = [
    KUNIT_CASE(test_sanitycheck),
    KUNIT_CASE(test_unwrap_array),
    KUNIT_CASE(test_unwrap_chain),
    KUNIT_CASE(test_unwrap_chain_array),
    KUNIT_CASE(test_unwrap_merge),
    KUNIT_CASE(test_unwrap_merge_duplicate),
    KUNIT_CASE(test_unwrap_merge_seqno),
    KUNIT_CASE(test_unwrap_merge_order),
    KUNIT_CASE(test_unwrap_merge_complex),
    KUNIT_CASE(test_unwrap_merge_complex_seqno),
]

dma_fence_unwrap_test_suite = kunit_suite(
    name="dma-buf-fence-unwrap",
    test_cases=dma_fence_unwrap_cases,
)

kunit_test_suite(dma_fence_unwrap_test_suite)
