# SPDX-FileCopyrightText: 2019 Intel Corporation
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/dma-buf/st-dma-fence-chain.c, Linux 7.2.13, on 2026-11-21.
"""Chains: finding the link of a number, signalling forward and backward, waiting for all.

Two quantities of the C are smaller here, by one factor, because they would take minutes: a chain
of 4096 that is signalled backward calls eight million callbacks, and the race runs for 5 seconds,
which the machine `virt` would have to live through step by step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.asm import atomic_dec_and_test, atomic_inc, atomic_read, atomic_set
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_enable_sw_signaling,
    dma_fence_get,
    dma_fence_init,
    dma_fence_is_signaled,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_wait,
)
from kport.dma_buf.dma_fence_chain import (
    dma_fence_chain,
    dma_fence_chain_alloc,
    dma_fence_chain_find_seqno,
    dma_fence_chain_init,
)
from kport.kunit.test import KUNIT_CASE, kunit_suite, kunit_test_suite
from kport.linux.atomic import atomic_t
from kport.linux.cleanup import goto, labels
from kport.linux.err import EIO, ENOMEM, IS_ERR
from kport.linux.irq_work import irq_work_drain
from kport.linux.kconfig import HZ
from kport.linux.kthread import kthread_run, kthread_should_stop, kthread_stop_put
from kport.linux.kunit import (
    KUNIT_ASSERT_EQ_MSG,
    KUNIT_ASSERT_NOT_NULL,
    KUNIT_EXPECT_EQ,
    KUNIT_FAIL,
    kunit,
)
from kport.linux.printk import pr_err, pr_info
from kport.linux.random import get_random_u32_below, get_random_u32_inclusive
from kport.linux.sched import cond_resched, get_task_struct, num_online_cpus, yield_to
from kport.linux.slab import (
    GFP_KERNEL,
    KMEM_CACHE,
    SLAB_HWCACHE_ALIGN,
    SLAB_TYPESAFE_BY_RCU,
    kfree,
    kmalloc_objs,
    kmem_cache,
    kmem_cache_alloc,
    kmem_cache_destroy,
    kmem_cache_free,
    kvfree,
    kvmalloc_objs,
    pointer,
)
from kport.linux.spinlock import spin_lock_init, spinlock_t
from kport.linux.struct import container_of, sizeof, struct
from kport.linux.wait_bit import wait_var_event_timeout, wake_up_var

SCALE = 32  # by how much less than in C: the length of the long chains, the time of the race

CHAIN_SZ = 4 << 10

slab_fences: kmem_cache | None = None


class struct_mock_fence(struct):
    """A fence with its lock."""

    base: dma_fence
    lock: spinlock_t


def to_mock_fence(f: dma_fence) -> struct_mock_fence:
    """The whole of a fence.

    drivers/dma-buf/st-dma-fence-chain.c:23-28, Linux 7.2.13
    """
    return container_of(f, struct_mock_fence, "base")


def mock_name(f: dma_fence) -> str:
    """The name of all fences, for both questions.

    drivers/dma-buf/st-dma-fence-chain.c:30-33, Linux 7.2.13
    """
    return "mock"


def mock_fence_release(f: dma_fence) -> None:
    """The last reference is gone.

    drivers/dma-buf/st-dma-fence-chain.c:35-38, Linux 7.2.13
    """
    kmem_cache_free(slab_fences, to_mock_fence(f))


mock_ops = dma_fence_ops(
    get_driver_name=mock_name,
    get_timeline_name=mock_name,
    release=mock_fence_release,
)


def mock_fence() -> dma_fence | None:
    """A fence, or NULL.

    drivers/dma-buf/st-dma-fence-chain.c:46-58, Linux 7.2.13
    """
    f = kmem_cache_alloc(slab_fences, GFP_KERNEL)
    if not f:
        return None

    spin_lock_init(f.lock)
    dma_fence_init(f.base, mock_ops, f.lock, 0, 0)

    return f.base


def mock_chain(prev: dma_fence | None, fence: dma_fence | None, seqno: int) -> dma_fence | None:
    """A link behind `prev` that contains `fence`, with references of its own; or NULL.

    drivers/dma-buf/st-dma-fence-chain.c:60-74, Linux 7.2.13
    """
    f = dma_fence_chain_alloc()
    if not f:
        return None

    dma_fence_chain_init(f, dma_fence_get(prev), dma_fence_get(fence), seqno)

    return f.base


def test_sanitycheck(test: kunit) -> None:
    """A link can be made, its fence signalled, and both dropped.

    drivers/dma-buf/st-dma-fence-chain.c:76-93, Linux 7.2.13
    """
    f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    chain = mock_chain(None, f, 1)
    if chain:
        dma_fence_enable_sw_signaling(chain)
    else:
        KUNIT_FAIL(test, "Failed to create chain")

    dma_fence_signal(f)
    dma_fence_put(f)

    dma_fence_put(chain)


class fence_chains(struct):
    """A chain: the fences, the links that contain them, and the last link."""

    chain_length: int
    fences: list[dma_fence] | None
    chains: list[dma_fence] | None
    tail: dma_fence | None


def seqno_inc(i: int) -> int:
    """1, 2, 3 ...

    drivers/dma-buf/st-dma-fence-chain.c:103-106, Linux 7.2.13
    """
    return i + 1


def fence_chains_init(
    fc: fence_chains, count: int, seqno_fn: Callable[[int], int]
) -> int:
    """Make a chain of `count` links: 0 or -ENOMEM.

    drivers/dma-buf/st-dma-fence-chain.c:108-157, Linux 7.2.13
    """
    err = 0

    fc.chains = kvmalloc_objs(pointer, count)
    if not fc.chains:
        return -ENOMEM

    with labels("unwind", "err_chains") as label:
        fc.fences = kvmalloc_objs(pointer, count)
        if not fc.fences:
            err = -ENOMEM
            raise goto("err_chains")

        fc.tail = None
        i = 0
        while i < count:
            fc.fences[i] = mock_fence()
            if not fc.fences[i]:
                err = -ENOMEM
                raise goto("unwind")

            fc.chains[i] = mock_chain(fc.tail, fc.fences[i], seqno_fn(i))
            if not fc.chains[i]:
                err = -ENOMEM
                raise goto("unwind")

            fc.tail = fc.chains[i]

            dma_fence_enable_sw_signaling(fc.chains[i])
            i += 1

        fc.chain_length = i
        return 0

    if label("unwind"):
        for i in range(0, count):
            dma_fence_put(fc.fences[i])
            dma_fence_put(fc.chains[i])
        kvfree(fc.fences)
    if label("err_chains"):
        kvfree(fc.chains)
    return err


def fence_chains_fini(fc: fence_chains) -> None:
    """Signal and drop everything.

    drivers/dma-buf/st-dma-fence-chain.c:159-172, Linux 7.2.13
    """
    for i in range(0, fc.chain_length):
        dma_fence_signal(fc.fences[i])
        dma_fence_put(fc.fences[i])
    kvfree(fc.fences)

    for i in range(0, fc.chain_length):
        dma_fence_put(fc.chains[i])
    kvfree(fc.chains)


def test_find_seqno(test: kunit) -> None:
    """Each number has its link; one that is not there yet is an error.

    drivers/dma-buf/st-dma-fence-chain.c:174-244, Linux 7.2.13
    """
    fc = fence_chains()

    err = fence_chains_init(fc, 64, seqno_inc)
    KUNIT_ASSERT_EQ_MSG(test, err, 0, "Failed to init fence chains")

    with labels("err"):
        fence = dma_fence_get(fc.tail)
        err, fence = dma_fence_chain_find_seqno(fence, 0)  # kport: out-param
        dma_fence_put(fence)
        if err:
            KUNIT_FAIL(test, "Reported %d for find_seqno(0)!", err)
            raise goto("err")

        for i in range(0, fc.chain_length):
            fence = dma_fence_get(fc.tail)
            err, fence = dma_fence_chain_find_seqno(fence, i + 1)  # kport: out-param
            dma_fence_put(fence)
            if err:
                KUNIT_FAIL(
                    test,
                    "Reported %d for find_seqno(%d:%d)!",
                    err,
                    fc.chain_length + 1,
                    i + 1,
                )
                raise goto("err")
            if fence is not fc.chains[i]:
                KUNIT_FAIL(
                    test,
                    "Incorrect fence reported by find_seqno(%d:%d)",
                    fc.chain_length + 1,
                    i + 1,
                )
                raise goto("err")

            dma_fence_get(fence)
            err, fence = dma_fence_chain_find_seqno(fence, i + 1)  # kport: out-param
            dma_fence_put(fence)
            if err:
                KUNIT_FAIL(test, "Error reported for finding self")
                raise goto("err")
            if fence is not fc.chains[i]:
                KUNIT_FAIL(test, "Incorrect fence reported by find self")
                raise goto("err")

            dma_fence_get(fence)
            err, fence = dma_fence_chain_find_seqno(fence, i + 2)  # kport: out-param
            dma_fence_put(fence)
            if not err:
                KUNIT_FAIL(
                    test,
                    "Error not reported for future fence: find_seqno(%d:%d)!",
                    i + 1,
                    i + 2,
                )
                raise goto("err")

            dma_fence_get(fence)
            err, fence = dma_fence_chain_find_seqno(fence, i)  # kport: out-param
            dma_fence_put(fence)
            if err:
                KUNIT_FAIL(test, "Error reported for previous fence!")
                raise goto("err")
            if i > 0 and fence is not fc.chains[i - 1]:
                KUNIT_FAIL(
                    test,
                    "Incorrect fence reported by find_seqno(%d:%d)",
                    i + 1,
                    i,
                )
                raise goto("err")

    fence_chains_fini(fc)


def test_find_signaled(test: kunit) -> None:
    """A number that has passed has no link any more, or still its own.

    drivers/dma-buf/st-dma-fence-chain.c:246-278, Linux 7.2.13
    """
    fc = fence_chains()

    err = fence_chains_init(fc, 2, seqno_inc)
    KUNIT_ASSERT_EQ_MSG(test, err, 0, "Failed to init fence chains")

    dma_fence_signal(fc.fences[0])

    with labels("err"):
        fence = dma_fence_get(fc.tail)
        err, fence = dma_fence_chain_find_seqno(fence, 1)  # kport: out-param
        dma_fence_put(fence)
        if err:
            KUNIT_FAIL(test, "Reported %d for find_seqno()!", err)
            raise goto("err")

        if fence and fence is not fc.chains[0]:
            KUNIT_FAIL(
                test,
                "Incorrect chain-fence.seqno:%lld reported for completed seqno:1",
                fence.seqno,
            )

            dma_fence_get(fence)
            err, fence = dma_fence_chain_find_seqno(fence, 1)  # kport: out-param
            dma_fence_put(fence)
            if err:
                KUNIT_FAIL(test, "Reported %d for finding self!", err)

    fence_chains_fini(fc)


def test_find_out_of_order(test: kunit) -> None:
    """A link in the middle that has signalled is skipped: what is before it is still waited for.

    drivers/dma-buf/st-dma-fence-chain.c:280-312, Linux 7.2.13
    """
    fc = fence_chains()

    err = fence_chains_init(fc, 3, seqno_inc)
    KUNIT_ASSERT_EQ_MSG(test, err, 0, "Failed to init fence chains")

    dma_fence_signal(fc.fences[1])

    with labels("err"):
        fence = dma_fence_get(fc.tail)
        err, fence = dma_fence_chain_find_seqno(fence, 2)  # kport: out-param
        dma_fence_put(fence)
        if err:
            KUNIT_FAIL(test, "Reported %d for find_seqno()!", err)
            raise goto("err")

        if fence is not fc.chains[0]:
            KUNIT_FAIL(
                test,
                "Incorrect chain-fence.seqno:%lld reported for completed seqno:2",
                fence.seqno if fence else 0,
            )

    fence_chains_fini(fc)


def seqno_inc2(i: int) -> int:
    """2, 4, 6 ...

    drivers/dma-buf/st-dma-fence-chain.c:314-317, Linux 7.2.13
    """
    return 2 * i + 2


def test_find_gap(test: kunit) -> None:
    """A number between two links has the later one.

    drivers/dma-buf/st-dma-fence-chain.c:319-361, Linux 7.2.13
    """
    fc = fence_chains()

    err = fence_chains_init(fc, 64, seqno_inc2)
    KUNIT_ASSERT_EQ_MSG(test, err, 0, "Failed to init fence chains")

    with labels("err"):
        for i in range(0, fc.chain_length):
            fence = dma_fence_get(fc.tail)
            err, fence = dma_fence_chain_find_seqno(fence, 2 * i + 1)  # kport: out-param
            dma_fence_put(fence)
            if err:
                KUNIT_FAIL(
                    test,
                    "Reported %d for find_seqno(%d:%d)!",
                    err,
                    fc.chain_length + 1,
                    2 * i + 1,
                )
                raise goto("err")
            if fence is not fc.chains[i]:
                KUNIT_FAIL(
                    test,
                    "Incorrect fence.seqno:%lld reported by find_seqno(%d:%d)",
                    fence.seqno,
                    fc.chain_length + 1,
                    2 * i + 1,
                )
                raise goto("err")

            dma_fence_get(fence)
            err, fence = dma_fence_chain_find_seqno(fence, 2 * i + 2)  # kport: out-param
            dma_fence_put(fence)
            if err:
                KUNIT_FAIL(test, "Error reported for finding self")
                raise goto("err")
            if fence is not fc.chains[i]:
                KUNIT_FAIL(test, "Incorrect fence reported by find self")
                raise goto("err")

    fence_chains_fini(fc)


class find_race(struct):
    """A chain, and how many threads look for links in it."""

    fc: fence_chains
    children: atomic_t


def __find_race(arg: Any) -> int:
    """Look for numbers and signal fences, both at random.

    drivers/dma-buf/st-dma-fence-chain.c:368-414, Linux 7.2.13
    """
    data = arg
    err = 0

    while not kthread_should_stop():
        fence = dma_fence_get(data.fc.tail)

        with labels("signal"):
            seqno = get_random_u32_inclusive(1, data.fc.chain_length)

            err, fence = dma_fence_chain_find_seqno(fence, seqno)  # kport: out-param
            if err:
                pr_err("Failed to find fence seqno:%d\n", seqno)
                dma_fence_put(fence)
                break
            if not fence:
                raise goto("signal")

            if fence.seqno == seqno:
                err, fence = dma_fence_chain_find_seqno(fence, seqno)  # kport: out-param
                if err:
                    pr_err("Reported an invalid fence for find-self:%d\n", seqno)
                    dma_fence_put(fence)
                    break

            dma_fence_put(fence)

        seqno = get_random_u32_below(data.fc.chain_length - 1)
        dma_fence_signal(data.fc.fences[seqno])
        cond_resched()

    if atomic_dec_and_test(data.children):
        wake_up_var(data.children)
    return err


def test_find_race(test: kunit) -> None:
    """Links are found while others signal and collect what has signalled.

    drivers/dma-buf/st-dma-fence-chain.c:416-468, Linux 7.2.13
    """
    data = find_race()
    ncpus = num_online_cpus()

    err = fence_chains_init(data.fc, CHAIN_SZ // SCALE, seqno_inc)  # kport: model
    KUNIT_ASSERT_EQ_MSG(test, err, 0, "Failed to init fence chains")

    with labels("err"):
        threads = kmalloc_objs(pointer, ncpus)
        if not threads:
            KUNIT_FAIL(test, "Failed to allocate threads array")
            raise goto("err")

        atomic_set(data.children, 0)
        for i in range(0, ncpus):
            threads[i] = kthread_run(__find_race, data, "dmabuf/%d", i)
            if IS_ERR(threads[i]):
                ncpus = i
                break
            atomic_inc(data.children)
            get_task_struct(threads[i])

        wait_var_event_timeout(  # kport: model
            data.children, lambda: not atomic_read(data.children), 5 * HZ // SCALE
        )

        for i in range(0, ncpus):
            ret = kthread_stop_put(threads[i])
            if ret and not err:
                err = ret
        kfree(threads)

        count = 0
        for i in range(0, data.fc.chain_length):
            if dma_fence_is_signaled(data.fc.fences[i]):
                count += 1
        pr_info("Completed %lu cycles\n", count)

        KUNIT_EXPECT_EQ(test, err, 0)

    fence_chains_fini(data.fc)


def test_signal_forward(test: kunit) -> None:
    """Signalled from the first on, each link signals with its fence.

    drivers/dma-buf/st-dma-fence-chain.c:470-496, Linux 7.2.13
    """
    fc = fence_chains()

    err = fence_chains_init(fc, 64, seqno_inc)
    KUNIT_ASSERT_EQ_MSG(test, err, 0, "Failed to init fence chains")

    with labels("err"):
        for i in range(0, fc.chain_length):
            dma_fence_signal(fc.fences[i])

            if not dma_fence_is_signaled(fc.chains[i]):
                KUNIT_FAIL(test, "chain[%d] not signaled!", i)
                raise goto("err")

            if i + 1 < fc.chain_length and dma_fence_is_signaled(fc.chains[i + 1]):
                KUNIT_FAIL(test, "chain[%d] is signaled!", i)
                raise goto("err")

    fence_chains_fini(fc)


def test_signal_backward(test: kunit) -> None:
    """Signalled from the last on, no link signals before the first fence.

    drivers/dma-buf/st-dma-fence-chain.c:498-525, Linux 7.2.13
    """
    fc = fence_chains()

    err = fence_chains_init(fc, 64, seqno_inc)
    KUNIT_ASSERT_EQ_MSG(test, err, 0, "Failed to init fence chains")

    with labels("err"):
        i = fc.chain_length
        while i:
            i -= 1  # kport: side-effect
            dma_fence_signal(fc.fences[i])

            if i > 0 and dma_fence_is_signaled(fc.chains[i]):
                KUNIT_FAIL(test, "chain[%d] is signaled!", i)
                raise goto("err")

        for i in range(0, fc.chain_length):
            if not dma_fence_is_signaled(fc.chains[i]):
                KUNIT_FAIL(test, "chain[%d] was not signaled!", i)
                raise goto("err")

    fence_chains_fini(fc)


def __wait_fence_chains(arg: Any) -> int:
    """Wait for the whole chain: 0 or -EIO.

    drivers/dma-buf/st-dma-fence-chain.c:527-535, Linux 7.2.13
    """
    fc = arg

    if dma_fence_wait(fc.tail, False):
        return -EIO

    return 0


def test_wait_forward(test: kunit) -> None:
    """A task waits while the fences signal from the first on.

    drivers/dma-buf/st-dma-fence-chain.c:537-563, Linux 7.2.13
    """
    fc = fence_chains()

    err = fence_chains_init(fc, CHAIN_SZ // SCALE, seqno_inc)  # kport: model
    KUNIT_ASSERT_EQ_MSG(test, err, 0, "Failed to init fence chains")

    with labels("err"):
        tsk = kthread_run(__wait_fence_chains, fc, "dmabuf/wait")
        if IS_ERR(tsk):
            KUNIT_FAIL(test, "Failed to create kthread")
            raise goto("err")
        get_task_struct(tsk)
        yield_to(tsk, True)

        for i in range(0, fc.chain_length):
            dma_fence_signal(fc.fences[i])

        err = kthread_stop_put(tsk)
        KUNIT_EXPECT_EQ(test, err, 0)

    fence_chains_fini(fc)


def test_wait_backward(test: kunit) -> None:
    """A task waits while the fences signal from the last on.

    drivers/dma-buf/st-dma-fence-chain.c:565-591, Linux 7.2.13
    """
    fc = fence_chains()

    err = fence_chains_init(fc, CHAIN_SZ // SCALE, seqno_inc)  # kport: model
    KUNIT_ASSERT_EQ_MSG(test, err, 0, "Failed to init fence chains")

    with labels("err"):
        tsk = kthread_run(__wait_fence_chains, fc, "dmabuf/wait")
        if IS_ERR(tsk):
            KUNIT_FAIL(test, "Failed to create kthread")
            raise goto("err")
        get_task_struct(tsk)
        yield_to(tsk, True)

        i = fc.chain_length
        while i:
            i -= 1  # kport: side-effect
            dma_fence_signal(fc.fences[i])

        err = kthread_stop_put(tsk)
        KUNIT_EXPECT_EQ(test, err, 0)

    fence_chains_fini(fc)


def randomise_fences(fc: fence_chains) -> None:
    """Shuffle the fences.

    drivers/dma-buf/st-dma-fence-chain.c:593-607, Linux 7.2.13
    """
    count = fc.chain_length

    while True:
        count -= 1  # kport: side-effect
        if not count:
            break
        swp = get_random_u32_below(count + 1)
        if swp == count:
            continue

        fc.fences[count], fc.fences[swp] = fc.fences[swp], fc.fences[count]  # kport: model


def test_wait_random(test: kunit) -> None:
    """A task waits while the fences signal in any order.

    drivers/dma-buf/st-dma-fence-chain.c:609-637, Linux 7.2.13
    """
    fc = fence_chains()

    err = fence_chains_init(fc, CHAIN_SZ // SCALE, seqno_inc)  # kport: model
    KUNIT_ASSERT_EQ_MSG(test, err, 0, "Failed to init fence chains")

    randomise_fences(fc)

    with labels("err"):
        tsk = kthread_run(__wait_fence_chains, fc, "dmabuf/wait")
        if IS_ERR(tsk):
            KUNIT_FAIL(test, "Failed to create kthread")
            raise goto("err")
        get_task_struct(tsk)
        yield_to(tsk, True)

        for i in range(0, fc.chain_length):
            dma_fence_signal(fc.fences[i])

        err = kthread_stop_put(tsk)
        KUNIT_EXPECT_EQ(test, err, 0)

    fence_chains_fini(fc)


def dma_fence_chain_suite_init(suite: kunit_suite) -> int:
    """Make the cache of fences: 0 or -ENOMEM.

    drivers/dma-buf/st-dma-fence-chain.c:639-650, Linux 7.2.13
    """
    global slab_fences
    pr_info("sizeof(dma_fence_chain)=%zu\n", sizeof(dma_fence_chain))

    slab_fences = KMEM_CACHE(struct_mock_fence, SLAB_TYPESAFE_BY_RCU | SLAB_HWCACHE_ALIGN)
    if not slab_fences:
        return -ENOMEM
    return 0


def dma_fence_chain_suite_exit(suite: kunit_suite) -> None:
    """Drop the cache.

    drivers/dma-buf/st-dma-fence-chain.c:652-655, Linux 7.2.13
    """
    irq_work_drain()  # kport: model
    kmem_cache_destroy(slab_fences)


dma_fence_chain_cases = [
    KUNIT_CASE(test_sanitycheck),
    KUNIT_CASE(test_find_seqno),
    KUNIT_CASE(test_find_signaled),
    KUNIT_CASE(test_find_out_of_order),
    KUNIT_CASE(test_find_gap),
    KUNIT_CASE(test_find_race),
    KUNIT_CASE(test_signal_forward),
    KUNIT_CASE(test_signal_backward),
    KUNIT_CASE(test_wait_forward),
    KUNIT_CASE(test_wait_backward),
    KUNIT_CASE(test_wait_random),
]

dma_fence_chain_test_suite = kunit_suite(
    name="dma-buf-fence-chain",
    suite_init=dma_fence_chain_suite_init,
    suite_exit=dma_fence_chain_suite_exit,
    test_cases=dma_fence_chain_cases,
)

kunit_test_suite(dma_fence_chain_test_suite)
