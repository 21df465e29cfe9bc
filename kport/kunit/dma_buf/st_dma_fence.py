# SPDX-FileCopyrightText: 2019 Intel Corporation
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/dma-buf/st-dma-fence.c, Linux 7.2.13, on 2026-11-21.
"""Fences: signalling, callbacks, status, waiting, and two threads that race with both.

The race has two pointers to fences that each thread sets for the other to find; here each is a
member of a struct of its own.
"""

from __future__ import annotations

from typing import Any

from kport.arch.asm import READ_ONCE, rcu_read_lock, rcu_read_unlock, smp_wmb
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_check_and_signal,
    dma_fence_enable_sw_signaling,
    dma_fence_get_rcu_safe,
    dma_fence_get_status,
    dma_fence_get_stub,
    dma_fence_init,
    dma_fence_is_signaled,
    dma_fence_lock_irqsave,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_remove_callback,
    dma_fence_set_error,
    dma_fence_signal,
    dma_fence_test_signaled_flag,
    dma_fence_unlock_irqrestore,
    dma_fence_wait,
    dma_fence_wait_timeout,
)
from kport.kunit.test import KUNIT_CASE, kunit_suite, kunit_test_suite
from kport.linux.barrier import smp_store_mb
from kport.linux.cleanup import goto, labels
from kport.linux.delay import msleep
from kport.linux.err import EINVAL, EIO, ENOMEM, IS_ERR
from kport.linux.jiffies import jiffies
from kport.linux.kconfig import HZ
from kport.linux.kthread import kthread_run, kthread_should_stop, kthread_stop_put
from kport.linux.kunit import (
    KUNIT_ASSERT_NOT_NULL,
    KUNIT_EXPECT_EQ,
    KUNIT_FAIL,
    kunit,
    kunit_mark_skipped,
    kunit_skip,
)
from kport.linux.printk import pr_err, pr_info
from kport.linux.rcupdate import rcu_assign_pointer, rcu_dereference_protected
from kport.linux.sched import get_task_struct, num_online_cpus, task_struct
from kport.linux.slab import kmalloc_obj, pointer
from kport.linux.struct import container_of, sizeof, struct
from kport.linux.timer import (
    mod_timer,
    timer_container_of,
    timer_delete_sync,
    timer_destroy_on_stack,
    timer_list,
    timer_pending,
    timer_setup_on_stack,
)
from kport.linux.types import ARRAY_SIZE


def mock_name(f: dma_fence) -> str:
    """The name of all fences, for both questions.

    drivers/dma-buf/st-dma-fence.c:16-19, Linux 7.2.13
    """
    return "mock"


mock_ops = dma_fence_ops(
    get_driver_name=mock_name,
    get_timeline_name=mock_name,
)


def mock_fence() -> dma_fence | None:
    """A fence, or NULL.

    drivers/dma-buf/st-dma-fence.c:26-36, Linux 7.2.13
    """
    f = kmalloc_obj(dma_fence)  # kport: model
    if not f:
        return None

    dma_fence_init(f, mock_ops, None, 0, 0)
    return f


def test_sanitycheck(test: kunit) -> None:
    """A fence can be made, signalled and dropped.

    drivers/dma-buf/st-dma-fence.c:38-49, Linux 7.2.13
    """
    f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    dma_fence_signal(f)
    dma_fence_put(f)


def test_signaling(test: kunit) -> None:
    """A fence signals once, and everybody who asks is told.

    drivers/dma-buf/st-dma-fence.c:51-87, Linux 7.2.13
    """
    f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    with labels("err_free"):
        if dma_fence_is_signaled(f):
            KUNIT_FAIL(test, "Fence unexpectedly signaled on creation")
            raise goto("err_free")

        if dma_fence_check_and_signal(f):
            KUNIT_FAIL(test, "Fence reported being already signaled")
            raise goto("err_free")

        if not dma_fence_is_signaled(f):
            KUNIT_FAIL(test, "Fence not reporting signaled")
            raise goto("err_free")

        if not dma_fence_test_signaled_flag(f):
            KUNIT_FAIL(test, "Fence reported not being already signaled")
            raise goto("err_free")

        if rcu_dereference_protected(f, "ops", True):
            KUNIT_FAIL(test, "Fence ops not cleared on signal")
            raise goto("err_free")

    dma_fence_put(f)


class simple_cb(struct):
    """A callback that notes that it was called."""

    cb: dma_fence_cb
    seen: bool


def simple_callback(f: dma_fence, cb: dma_fence_cb) -> None:
    """Note it.

    drivers/dma-buf/st-dma-fence.c:94-97, Linux 7.2.13
    """
    smp_store_mb(container_of(cb, simple_cb, "cb"), "seen", True)


def test_add_callback(test: kunit) -> None:
    """A callback is called when the fence signals.

    drivers/dma-buf/st-dma-fence.c:99-120, Linux 7.2.13
    """
    cb = simple_cb()

    f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    with labels("err_free"):
        if dma_fence_add_callback(f, cb.cb, simple_callback):
            KUNIT_FAIL(test, "Failed to add callback, fence already signaled!")
            raise goto("err_free")

        dma_fence_signal(f)
        if not cb.seen:
            KUNIT_FAIL(test, "Callback failed!")
            raise goto("err_free")

    dma_fence_put(f)


def test_late_add_callback(test: kunit) -> None:
    """A signalled fence takes no callback.

    drivers/dma-buf/st-dma-fence.c:122-147, Linux 7.2.13
    """
    cb = simple_cb()

    f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    dma_fence_signal(f)

    with labels("err_free"):
        if not dma_fence_add_callback(f, cb.cb, simple_callback):
            KUNIT_FAIL(test, "Added callback, but fence was already signaled!")
            raise goto("err_free")

        dma_fence_signal(f)
        if cb.seen:
            KUNIT_FAIL(test, "Callback called after failed attachment!")
            raise goto("err_free")

    dma_fence_put(f)


def test_rm_callback(test: kunit) -> None:
    """A callback that was taken back is not called.

    drivers/dma-buf/st-dma-fence.c:149-175, Linux 7.2.13
    """
    cb = simple_cb()

    f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    with labels("err_free"):
        if dma_fence_add_callback(f, cb.cb, simple_callback):
            KUNIT_FAIL(test, "Failed to add callback, fence already signaled!")
            raise goto("err_free")

        if not dma_fence_remove_callback(f, cb.cb):
            KUNIT_FAIL(test, "Failed to remove callback!")
            raise goto("err_free")

        dma_fence_signal(f)
        if cb.seen:
            KUNIT_FAIL(test, "Callback still signaled after removal!")
            raise goto("err_free")

    dma_fence_put(f)


def test_late_rm_callback(test: kunit) -> None:
    """A callback that was called cannot be taken back.

    drivers/dma-buf/st-dma-fence.c:177-203, Linux 7.2.13
    """
    cb = simple_cb()

    f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    with labels("err_free"):
        if dma_fence_add_callback(f, cb.cb, simple_callback):
            KUNIT_FAIL(test, "Failed to add callback, fence already signaled!")
            raise goto("err_free")

        dma_fence_signal(f)
        if not cb.seen:
            KUNIT_FAIL(test, "Callback failed!")
            raise goto("err_free")

        if dma_fence_remove_callback(f, cb.cb):
            KUNIT_FAIL(test, "Callback removal succeeded after being executed!")
            raise goto("err_free")

    dma_fence_put(f)


def test_status(test: kunit) -> None:
    """The status is 0 until the fence signals.

    drivers/dma-buf/st-dma-fence.c:205-227, Linux 7.2.13
    """
    f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    with labels("err_free"):
        if dma_fence_get_status(f):
            KUNIT_FAIL(test, "Fence unexpectedly has signaled status on creation")
            raise goto("err_free")

        dma_fence_signal(f)
        if not dma_fence_get_status(f):
            KUNIT_FAIL(test, "Fence not reporting signaled status")
            raise goto("err_free")

    dma_fence_put(f)


def test_error(test: kunit) -> None:
    """An error is the status from the signal on.

    drivers/dma-buf/st-dma-fence.c:229-254, Linux 7.2.13
    """
    f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    dma_fence_set_error(f, -EIO)

    with labels("err_free"):
        if dma_fence_get_status(f):
            KUNIT_FAIL(test, "Fence unexpectedly has error status before signal")
            raise goto("err_free")

        dma_fence_signal(f)
        if dma_fence_get_status(f) != -EIO:
            KUNIT_FAIL(
                test,
                "Fence not reporting error status, got %d",
                dma_fence_get_status(f),
            )
            raise goto("err_free")

    dma_fence_put(f)


def test_wait(test: kunit) -> None:
    """A wait without time says whether the fence has signalled.

    drivers/dma-buf/st-dma-fence.c:256-280, Linux 7.2.13
    """
    f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, f)

    dma_fence_enable_sw_signaling(f)

    with labels("err_free"):
        if dma_fence_wait_timeout(f, False, 0) != 0:
            KUNIT_FAIL(test, "Wait reported complete before being signaled")
            raise goto("err_free")

        dma_fence_signal(f)

        if dma_fence_wait_timeout(f, False, 0) != 1:
            KUNIT_FAIL(test, "Wait reported incomplete after being signaled")
            raise goto("err_free")

    dma_fence_signal(f)
    dma_fence_put(f)


class struct_wait_timer(struct):
    """A timer that signals a fence."""

    timer: timer_list
    f: dma_fence | None


def wait_timer(timer: timer_list) -> None:
    """The timer has run out.

    drivers/dma-buf/st-dma-fence.c:287-292, Linux 7.2.13
    """
    wt = timer_container_of(timer, struct_wait_timer, "timer")

    dma_fence_signal(wt.f)


def test_wait_timeout(test: kunit) -> None:
    """A wait ends when its time is over, or when the fence signals.

    drivers/dma-buf/st-dma-fence.c:294-328, Linux 7.2.13
    """
    wt = struct_wait_timer()

    timer_setup_on_stack(wt.timer, wait_timer, 0)

    wt.f = mock_fence()
    KUNIT_ASSERT_NOT_NULL(test, wt.f)

    dma_fence_enable_sw_signaling(wt.f)

    with labels("err_free"):
        if dma_fence_wait_timeout(wt.f, False, 1) != 0:
            KUNIT_FAIL(test, "Wait reported complete before being signaled")
            raise goto("err_free")

        mod_timer(wt.timer, jiffies() + 1)

        if dma_fence_wait_timeout(wt.f, False, HZ) == 0:
            if timer_pending(wt.timer):
                kunit_mark_skipped(test, "Timer did not fire within on HZ!\n")
            else:
                KUNIT_FAIL(test, "Wait reported incomplete after timeout")
            raise goto("err_free")

    timer_delete_sync(wt.timer)
    timer_destroy_on_stack(wt.timer)
    dma_fence_signal(wt.f)
    dma_fence_put(wt.f)


def test_stub(test: kunit) -> None:
    """The stub is signalled, whoever gets it.

    drivers/dma-buf/st-dma-fence.c:330-346, Linux 7.2.13
    """
    f = [pointer] * 64

    with labels("err"):
        i = 0
        while i < ARRAY_SIZE(f):
            f[i] = dma_fence_get_stub()
            if not dma_fence_is_signaled(f[i]):
                KUNIT_FAIL(test, "Obtained unsignaled stub fence!")
                raise goto("err")
            i += 1

    while i:
        i -= 1  # kport: side-effect
        dma_fence_put(f[i])


class race_fence(struct):
    """A pointer that one thread sets and the other reads; in C an element of an array."""

    fence: dma_fence | None


class race_thread(struct):
    """One of the two threads; `before`: it signals its fence before it adds a callback."""

    fences: list[race_fence] | None
    task: task_struct | None
    before: int
    id: int


def __wait_for_callbacks(f: dma_fence) -> None:
    """Return when nobody is calling the callbacks of the fence.

    drivers/dma-buf/st-dma-fence.c:357-363, Linux 7.2.13
    """
    flags = dma_fence_lock_irqsave(f)
    dma_fence_unlock_irqrestore(f, flags)


def thread_signal_callback(arg: Any) -> int:
    """Signal a fence while the other thread adds a callback to it, and the other way round.

    drivers/dma-buf/st-dma-fence.c:365-432, Linux 7.2.13
    """
    t = arg
    pass_ = 0
    miss = 0
    err = 0

    while not err and not kthread_should_stop():
        cb = simple_cb()

        f1 = mock_fence()
        if not f1:
            err = -ENOMEM
            break

        dma_fence_enable_sw_signaling(f1)

        rcu_assign_pointer(t.fences[t.id], "fence", f1)  # kport: pointer-to-pointer
        smp_wmb()

        rcu_read_lock()
        while True:
            f2 = dma_fence_get_rcu_safe(  # kport: pointer-to-pointer
                (t.fences[not t.id], "fence")
            )
            if not (not f2 and not kthread_should_stop()):
                break
        rcu_read_unlock()

        if t.before:
            dma_fence_signal(f1)

        smp_store_mb(cb, "seen", False)
        if not f2 or dma_fence_add_callback(f2, cb.cb, simple_callback):
            miss += 1
            cb.seen = True

        if not t.before:
            dma_fence_signal(f1)

        if not cb.seen:
            dma_fence_wait(f2, False)
            __wait_for_callbacks(f2)

        if not READ_ONCE(cb, "seen"):
            pr_err(
                "Callback not seen on thread %d, pass %lu (%lu misses), "
                "signaling %s add_callback; fence signaled? %s\n",
                t.id,
                pass_,
                miss,
                "before" if t.before else "after",
                "yes" if dma_fence_is_signaled(f2) else "no",
            )
            err = -EINVAL

        dma_fence_put(f2)

        rcu_assign_pointer(t.fences[t.id], "fence", None)  # kport: pointer-to-pointer
        smp_wmb()

        dma_fence_put(f1)

        pass_ += 1

    pr_info(
        "%s[%d] completed %lu passes, %lu misses\n",
        "thread_signal_callback",
        t.id,
        pass_,
        miss,
    )
    return err


def test_race_signal_callback(test: kunit) -> None:
    """No callback is lost, whichever of signal and add_callback comes first.

    drivers/dma-buf/st-dma-fence.c:434-478, Linux 7.2.13
    """
    f = [race_fence() for _ in range(2)]  # kport: pointer-to-pointer
    ret = 0

    if num_online_cpus() < 2:
        kunit_skip(test, "requires at least 2 CPUs")

    pass_ = 0
    while not ret and pass_ <= 1:
        t = [race_thread() for _ in range(2)]

        i = 0
        while i < ARRAY_SIZE(t):
            t[i].fences = f
            t[i].id = i
            t[i].before = pass_
            t[i].task = kthread_run(thread_signal_callback, t[i], "dma-fence:%d", i)
            if IS_ERR(t[i].task):
                KUNIT_FAIL(test, "Failed to create kthread")
                while True:
                    i -= 1  # kport: side-effect
                    if not i >= 0:
                        break
                    kthread_stop_put(t[i].task)
                return
            get_task_struct(t[i].task)
            i += 1

        msleep(50)

        for i in range(0, ARRAY_SIZE(t)):
            err = kthread_stop_put(t[i].task)
            if err and not ret:
                ret = err
        pass_ += 1

    KUNIT_EXPECT_EQ(test, ret, 0)


def dma_fence_suite_init(suite: kunit_suite) -> int:
    """Say how large a fence is.

    drivers/dma-buf/st-dma-fence.c:480-484, Linux 7.2.13
    """
    pr_info("sizeof(dma_fence)=%zu\n", sizeof(dma_fence))
    return 0


dma_fence_cases = [
    KUNIT_CASE(test_sanitycheck),
    KUNIT_CASE(test_signaling),
    KUNIT_CASE(test_add_callback),
    KUNIT_CASE(test_late_add_callback),
    KUNIT_CASE(test_rm_callback),
    KUNIT_CASE(test_late_rm_callback),
    KUNIT_CASE(test_status),
    KUNIT_CASE(test_error),
    KUNIT_CASE(test_wait),
    KUNIT_CASE(test_wait_timeout),
    KUNIT_CASE(test_stub),
    KUNIT_CASE(test_race_signal_callback),
]

dma_fence_test_suite = kunit_suite(
    name="dma-buf-fence",
    suite_init=dma_fence_suite_init,
    test_cases=dma_fence_cases,
)

kunit_test_suite(dma_fence_test_suite)
