# SPDX-FileCopyrightText: 2019 Intel Corporation
# SPDX-FileCopyrightText: 2021 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/dma-buf/st-dma-resv.c, Linux 7.2.13, on 2026-11-21.
"""Reservation objects: a fence in one, found by each way of looking, for each usage."""

from __future__ import annotations

from operator import attrgetter

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_enable_sw_signaling,
    dma_fence_init,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_signal,
)
from kport.dma_buf.dma_resv import (
    DMA_RESV_USAGE_BOOKKEEP,
    DMA_RESV_USAGE_KERNEL,
    DMA_RESV_USAGE_READ,
    DMA_RESV_USAGE_WRITE,
    dma_resv,
    dma_resv_add_fence,
    dma_resv_fini,
    dma_resv_for_each_fence,
    dma_resv_for_each_fence_unlocked,
    dma_resv_get_fences,
    dma_resv_init,
    dma_resv_iter,
    dma_resv_iter_begin,
    dma_resv_iter_end,
    dma_resv_iter_is_restarted,
    dma_resv_iter_usage,
    dma_resv_lock,
    dma_resv_reserve_fences,
    dma_resv_test_signaled,
    dma_resv_unlock,
    dma_resv_usage,
)
from kport.kunit.test import (
    KUNIT_ARRAY_PARAM,
    KUNIT_CASE,
    KUNIT_CASE_PARAM,
    kunit_suite,
    kunit_test_suite,
)
from kport.linux.cleanup import goto, labels
from kport.linux.err import EINVAL, ENOENT, ERR_PTR
from kport.linux.kunit import KUNIT_ASSERT_NOT_NULL, KUNIT_EXPECT_EQ, KUNIT_FAIL, kunit
from kport.linux.module import boot_data
from kport.linux.slab import kfree, kmalloc_obj
from kport.linux.spinlock import DEFINE_SPINLOCK, spin_lock_init
from kport.linux.struct import struct

fence_lock = DEFINE_SPINLOCK()


@boot_data
def _reset_fence_lock() -> None:
    spin_lock_init(fence_lock, "fence_lock")


class dma_resv_usage_param(struct, table=True):
    """A usage and its name."""

    usage: dma_resv_usage
    desc: str


def fence_name(f: dma_fence) -> str:
    """The name of all fences, for both questions.

    drivers/dma-buf/st-dma-resv.c:20-23, Linux 7.2.13
    """
    return "selftest"


fence_ops = dma_fence_ops(
    get_driver_name=fence_name,
    get_timeline_name=fence_name,
)


def alloc_fence() -> dma_fence | None:
    """A fence, or NULL.

    drivers/dma-buf/st-dma-resv.c:30-40, Linux 7.2.13
    """
    f = kmalloc_obj(dma_fence)
    if not f:
        return None

    dma_fence_init(f, fence_ops, fence_lock, 0, 0)
    return f


def test_sanitycheck(test: kunit) -> None:
    """An object can be made, locked, unlocked and dropped.

    drivers/dma-buf/st-dma-resv.c:42-63, Linux 7.2.13
    """
    resv = dma_resv()

    f = alloc_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    dma_fence_signal(f)
    dma_fence_put(f)

    dma_resv_init(resv)
    r = dma_resv_lock(resv, None)
    if r:
        KUNIT_FAIL(test, "Resv locking failed\n")
    else:
        dma_resv_unlock(resv)
    dma_resv_fini(resv)


def test_signaling(test: kunit) -> None:
    """An object has signalled when its fence has.

    drivers/dma-buf/st-dma-resv.c:65-106, Linux 7.2.13
    """
    param = test.param_value
    usage = param.usage
    resv = dma_resv()

    f = alloc_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    dma_resv_init(resv)
    with labels("err_unlock", "err_free") as label:
        r = dma_resv_lock(resv, None)
        if r:
            KUNIT_FAIL(test, "Resv locking failed")
            raise goto("err_free")

        r = dma_resv_reserve_fences(resv, 1)
        if r:
            KUNIT_FAIL(test, "Resv shared slot allocation failed")
            raise goto("err_unlock")

        dma_resv_add_fence(resv, f, usage)
        if dma_resv_test_signaled(resv, usage):
            KUNIT_FAIL(test, "Resv unexpectedly signaled")
            raise goto("err_unlock")
        dma_fence_signal(f)
        if not dma_resv_test_signaled(resv, usage):
            KUNIT_FAIL(test, "Resv not reporting signaled")
            raise goto("err_unlock")
    if label("err_unlock"):
        dma_resv_unlock(resv)
    if label("err_free"):
        dma_resv_fini(resv)
        dma_fence_put(f)


def test_for_each(test: kunit) -> None:
    """The fence is found once, under the lock.

    drivers/dma-buf/st-dma-resv.c:108-165, Linux 7.2.13
    """
    param = test.param_value
    usage = param.usage
    cursor = dma_resv_iter()
    resv = dma_resv()

    f = alloc_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    dma_resv_init(resv)
    with labels("err_unlock", "err_free") as label:
        r = dma_resv_lock(resv, None)
        if r:
            KUNIT_FAIL(test, "Resv locking failed")
            raise goto("err_free")

        r = dma_resv_reserve_fences(resv, 1)
        if r:
            KUNIT_FAIL(test, "Resv shared slot allocation failed")
            raise goto("err_unlock")

        dma_resv_add_fence(resv, f, usage)

        r = -ENOENT
        for fence in dma_resv_for_each_fence(cursor, resv, usage):
            if not r:
                KUNIT_FAIL(test, "More than one fence found")
                raise goto("err_unlock")
            if f is not fence:
                KUNIT_FAIL(test, "Unexpected fence")
                r = -EINVAL
                raise goto("err_unlock")
            if dma_resv_iter_usage(cursor) != usage:
                KUNIT_FAIL(test, "Unexpected fence usage")
                r = -EINVAL
                raise goto("err_unlock")
            r = 0
        if r:
            KUNIT_FAIL(test, "No fence found")
            raise goto("err_unlock")
        dma_fence_signal(f)
    if label("err_unlock"):
        dma_resv_unlock(resv)
    if label("err_free"):
        dma_resv_fini(resv)
        dma_fence_put(f)


def test_for_each_unlocked(test: kunit) -> None:
    """The fence is found without the lock, and again if the list changes on the way.

    drivers/dma-buf/st-dma-resv.c:167-236, Linux 7.2.13
    """
    param = test.param_value
    usage = param.usage
    cursor = dma_resv_iter()
    resv = dma_resv()

    f = alloc_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    dma_resv_init(resv)
    with labels("err_iter_end", "err_free") as label:
        r = dma_resv_lock(resv, None)
        if r:
            KUNIT_FAIL(test, "Resv locking failed")
            raise goto("err_free")

        r = dma_resv_reserve_fences(resv, 1)
        if r:
            KUNIT_FAIL(test, "Resv shared slot allocation failed")
            dma_resv_unlock(resv)
            raise goto("err_free")

        dma_resv_add_fence(resv, f, usage)
        dma_resv_unlock(resv)

        r = -ENOENT
        dma_resv_iter_begin(cursor, resv, usage)
        for fence in dma_resv_for_each_fence_unlocked(cursor):
            if not r:
                KUNIT_FAIL(test, "More than one fence found")
                raise goto("err_iter_end")
            if not dma_resv_iter_is_restarted(cursor):
                KUNIT_FAIL(test, "No restart flag")
                raise goto("err_iter_end")
            if f is not fence:
                KUNIT_FAIL(test, "Unexpected fence")
                r = -EINVAL
                raise goto("err_iter_end")
            if dma_resv_iter_usage(cursor) != usage:
                KUNIT_FAIL(test, "Unexpected fence usage")
                r = -EINVAL
                raise goto("err_iter_end")

            if r == -ENOENT:
                r = -EINVAL
                cursor.fences = ERR_PTR(-1)  # kport: model
            elif r == -EINVAL:
                r = 0
        KUNIT_EXPECT_EQ(test, r, 0)
    if label("err_iter_end"):
        dma_resv_iter_end(cursor)
        dma_fence_signal(f)
    if label("err_free"):
        dma_resv_fini(resv)
        dma_fence_put(f)


def test_get_fences(test: kunit) -> None:
    """The fence is the only one of the array.

    drivers/dma-buf/st-dma-resv.c:238-287, Linux 7.2.13
    """
    param = test.param_value
    usage = param.usage
    fences = None
    resv = dma_resv()

    f = alloc_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    dma_resv_init(resv)
    with labels("err_free", "err_resv") as label:
        r = dma_resv_lock(resv, None)
        if r:
            KUNIT_FAIL(test, "Resv locking failed")
            raise goto("err_resv")

        r = dma_resv_reserve_fences(resv, 1)
        if r:
            KUNIT_FAIL(test, "Resv shared slot allocation failed")
            dma_resv_unlock(resv)
            raise goto("err_resv")

        dma_resv_add_fence(resv, f, usage)
        dma_resv_unlock(resv)

        r, i, fences = dma_resv_get_fences(resv, usage)  # kport: out-param
        if r:
            KUNIT_FAIL(test, "get_fences failed")
            raise goto("err_free")

        if i != 1 or fences[0] is not f:
            KUNIT_FAIL(test, "get_fences returned unexpected fence")
            raise goto("err_free")

        dma_fence_signal(f)
    if label("err_free"):
        while i:
            i -= 1  # kport: side-effect
            dma_fence_put(fences[i])
        kfree(fences)
    if label("err_resv"):
        dma_resv_fini(resv)
        dma_fence_put(f)


dma_resv_usage_params = (  # kport: initialiser
    dma_resv_usage_param(usage=DMA_RESV_USAGE_KERNEL, desc="kernel"),
    dma_resv_usage_param(usage=DMA_RESV_USAGE_WRITE, desc="write"),
    dma_resv_usage_param(usage=DMA_RESV_USAGE_READ, desc="read"),
    dma_resv_usage_param(usage=DMA_RESV_USAGE_BOOKKEEP, desc="bookkeep"),
)

dma_resv_usage_gen_params = KUNIT_ARRAY_PARAM(dma_resv_usage_params, attrgetter("desc"))

dma_resv_cases = [
    KUNIT_CASE(test_sanitycheck),
    KUNIT_CASE_PARAM(test_signaling, dma_resv_usage_gen_params),
    KUNIT_CASE_PARAM(test_for_each, dma_resv_usage_gen_params),
    KUNIT_CASE_PARAM(test_for_each_unlocked, dma_resv_usage_gen_params),
    KUNIT_CASE_PARAM(test_get_fences, dma_resv_usage_gen_params),
]

dma_resv_test_suite = kunit_suite(
    name="dma-buf-resv",
    test_cases=dma_resv_cases,
)

kunit_test_suite(dma_resv_test_suite)
