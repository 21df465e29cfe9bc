# SPDX-FileCopyrightText: 2012 Canonical Ltd
# SPDX-FileCopyrightText: 2012 Texas Instruments
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/dma-buf/dma-fence.c and include/linux/dma-fence.h,
# Linux 7.2.13, on 2026-11-20.
"""Fences: one-way signals between drivers.

A fence has a context and a number in it; fences of one context are ordered. Signalling happens
once, runs the callbacks under the fence's lock with interrupts off, and sets the timestamp. Members
that share memory in C (cb_list, timestamp, rcu; the inline and the external lock) are fields of
their own here. Config: LOCKDEP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.asm import cpu_relax, rcu_read_lock, rcu_read_unlock
from kport.linux.atomic import ATOMIC64_INIT, atomic64_fetch_add
from kport.linux.bitops import BIT, bitmap, set_bit, test_and_set_bit, test_bit
from kport.linux.bug import BUG_ON, WARN, WARN_ON
from kport.linux.cleanup import goto, labels
from kport.linux.err import EDEADLK, EINVAL, ENOENT, ENOMEM, ERESTARTSYS, MAX_ERRNO
from kport.linux.kref import kref, kref_get, kref_get_unless_zero, kref_init, kref_put
from kport.linux.ktime import ktime_get, ktime_t
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add,
    list_add_tail,
    list_del,
    list_del_init,
    list_empty,
    list_for_each_entry_safe,
    list_head,
    list_replace,
)
from kport.linux.lockdep import (
    _RET_IP_,
    _THIS_IP_,
    lock_acquire,
    lock_is_held_type,
    lock_map_acquire,
    lock_map_release,
    lock_release,
    lockdep_assert_held,
    lockdep_map,
)
from kport.linux.module import EXPORT_SYMBOL, boot_data, subsys_initcall
from kport.linux.preempt import in_atomic
from kport.linux.rcupdate import (
    RCU_INIT_POINTER,
    kfree_rcu,
    rcu_access_pointer,
    rcu_dereference,
    rcu_dereference_protected,
    rcu_head,
    rcu_pointer_handoff,
)
from kport.linux.sched import (
    MAX_SCHEDULE_TIMEOUT,
    TASK_INTERRUPTIBLE,
    TASK_NORMAL,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    __set_current_state,
    current,
    might_sleep,
    schedule_timeout,
    set_current_state,
    signal_pending,
    task_struct,
    wake_up_state,
)
from kport.linux.seq_file import seq_file, seq_printf
from kport.linux.slab import kfree, kzalloc_obj, kzalloc_objs
from kport.linux.spinlock import (
    spin_lock_init,
    spin_lock_irqsave,
    spin_unlock_irqrestore,
    spinlock_t,
)
from kport.linux.struct import container_of, struct
from kport.linux.types import lower_32_bits, s32, u64

# -- include/linux/dma-fence.h -----------------------------------------------------------------

DMA_FENCE_FLAG_INITIALIZED_BIT = 0
DMA_FENCE_FLAG_INLINE_LOCK_BIT = 1
DMA_FENCE_FLAG_SEQNO64_BIT = 2
DMA_FENCE_FLAG_SIGNALED_BIT = 3
DMA_FENCE_FLAG_TIMESTAMP_BIT = 4
DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT = 5
DMA_FENCE_FLAG_USER_BITS = 6


class dma_fence(struct):
    """A fence. `error` is 0 or negative, final once signalled; `timestamp` in ns since boot."""

    extern_lock: spinlock_t | None
    inline_lock: spinlock_t
    ops: dma_fence_ops | None
    cb_list: list_head
    timestamp: ktime_t
    rcu: rcu_head
    context: u64
    seqno: u64
    flags: bitmap
    refcount: kref
    error: int


dma_fence_func_t = Callable[[dma_fence, "dma_fence_cb"], None]


class dma_fence_cb(struct):
    """A callback on a fence; embedded in what the callback is for."""

    node: list_head
    func: dma_fence_func_t | None


class dma_fence_ops(struct, table=True):
    """What the issuer of a fence provides. The two names are mandatory."""

    get_driver_name: Callable[[dma_fence], str] | None
    get_timeline_name: Callable[[dma_fence], str] | None
    enable_signaling: Callable[[dma_fence], bool] | None
    signaled: Callable[[dma_fence], bool] | None
    wait: Callable[[dma_fence, bool, int], int] | None
    release: Callable[[dma_fence], None] | None
    set_deadline: Callable[[dma_fence, ktime_t], None] | None


def dma_fence_was_initialized(fence: dma_fence) -> int:
    """Non-zero for a fence that was ever initialised; its memory must have been zeroed.

    include/linux/dma-fence.h:299-302, Linux 7.2.13
    """
    return fence and test_bit(DMA_FENCE_FLAG_INITIALIZED_BIT, fence.flags)  # type: ignore[return-value]


def dma_fence_put(fence: dma_fence) -> None:
    """Drop a reference; NULL is fine.

    include/linux/dma-fence.h:308-312, Linux 7.2.13
    """
    if fence:
        kref_put(fence.refcount, dma_fence_release)


def dma_fence_get(fence: dma_fence) -> dma_fence:
    """Take a reference and return the fence; NULL is fine.

    include/linux/dma-fence.h:320-325, Linux 7.2.13
    """
    if fence:
        kref_get(fence.refcount)
    return fence


def dma_fence_get_rcu(fence: dma_fence) -> dma_fence | None:
    """Take a reference in a read-side section; NULL if the fence is on its way out.

    include/linux/dma-fence.h:334-340, Linux 7.2.13
    """
    if kref_get_unless_zero(fence.refcount):
        return fence
    else:
        return None


def dma_fence_get_rcu_safe(fencep: tuple[Any, str]) -> dma_fence | None:
    """Take a reference to what an RCU pointer points to; `fencep` is (object, member).

    include/linux/dma-fence.h:358-390, Linux 7.2.13
    """
    while True:
        fence = rcu_dereference(*fencep)  # kport: pointer-to-pointer
        if not fence:
            return None

        if not dma_fence_get_rcu(fence):
            continue

        if fence is rcu_access_pointer(*fencep):  # kport: pointer-to-pointer
            return rcu_pointer_handoff(fence)

        dma_fence_put(fence)


def dma_fence_spinlock(fence: dma_fence) -> spinlock_t:
    """The lock of the fence, its own or the external one.

    include/linux/dma-fence.h:398-402, Linux 7.2.13
    """
    return (
        fence.inline_lock
        if test_bit(DMA_FENCE_FLAG_INLINE_LOCK_BIT, fence.flags)
        else fence.extern_lock
    )


def dma_fence_lock_irqsave(fence: dma_fence) -> int:
    """Lock the fence, interrupts off; returns `flags`.

    include/linux/dma-fence.h:411-412, Linux 7.2.13
    """
    return spin_lock_irqsave(dma_fence_spinlock(fence))


def dma_fence_unlock_irqrestore(fence: dma_fence, flags: int) -> None:
    """Unlock the fence.

    include/linux/dma-fence.h:421-422, Linux 7.2.13
    """
    spin_unlock_irqrestore(dma_fence_spinlock(fence), flags)


def dma_fence_assert_held(fence: dma_fence) -> None:
    """Warn unless the fence is locked by this thread.

    include/linux/dma-fence.h:428-429, Linux 7.2.13
    """
    lockdep_assert_held(dma_fence_spinlock(fence))


def dma_fence_test_signaled_flag(fence: dma_fence) -> int:
    """1 if the fence has signalled; asks nobody.

    include/linux/dma-fence.h:496-500, Linux 7.2.13
    """
    return test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, fence.flags)


def dma_fence_is_signaled_locked(fence: dma_fence) -> bool:
    """True if the fence has signalled, or its issuer says so now; the fence is locked.

    include/linux/dma-fence.h:516-534, Linux 7.2.13
    """
    if dma_fence_test_signaled_flag(fence):
        return True

    rcu_read_lock()
    ops = rcu_dereference(fence, "ops")
    if ops and ops.signaled and ops.signaled(fence):
        rcu_read_unlock()
        dma_fence_signal_locked(fence)
        return True
    rcu_read_unlock()

    return False


def dma_fence_is_signaled(fence: dma_fence) -> bool:
    """True if the fence has signalled, or its issuer says so now.

    include/linux/dma-fence.h:552-570, Linux 7.2.13
    """
    if dma_fence_test_signaled_flag(fence):
        return True

    rcu_read_lock()
    ops = rcu_dereference(fence, "ops")
    if ops and ops.signaled and ops.signaled(fence):
        rcu_read_unlock()
        dma_fence_signal(fence)
        return True
    rcu_read_unlock()

    return False


def __dma_fence_is_later(fence: dma_fence, f1: int, f2: int) -> bool:
    """True if seqno f1 comes after f2 in the fence's context, 32 or 64 bits as it says.

    include/linux/dma-fence.h:581-591, Linux 7.2.13
    """
    if test_bit(DMA_FENCE_FLAG_SEQNO64_BIT, fence.flags):
        return f1 > f2

    return s32(lower_32_bits(f1) - lower_32_bits(f2)) > 0


def dma_fence_is_later(f1: dma_fence, f2: dma_fence) -> bool:
    """True if f1 comes after f2; both of one context.

    include/linux/dma-fence.h:601-608, Linux 7.2.13
    """
    if WARN_ON(f1.context != f2.context):
        return False

    return __dma_fence_is_later(f1, f1.seqno, f2.seqno)


def dma_fence_is_later_or_same(f1: dma_fence, f2: dma_fence) -> bool:
    """True if f1 comes after f2 or is f2; both of one context.

    include/linux/dma-fence.h:619-623, Linux 7.2.13
    """
    return f1 is f2 or dma_fence_is_later(f1, f2)


def dma_fence_later(f1: dma_fence, f2: dma_fence) -> dma_fence | None:
    """The later of two fences of one context, NULL if that one has signalled.

    include/linux/dma-fence.h:634-649, Linux 7.2.13
    """
    if WARN_ON(f1.context != f2.context):
        return None

    if dma_fence_is_later(f1, f2):
        return None if dma_fence_is_signaled(f1) else f1
    else:
        return None if dma_fence_is_signaled(f2) else f2


def dma_fence_get_status_locked(fence: dma_fence) -> int:
    """0 while unsignalled, then 1 or the negative error; the fence is locked.

    include/linux/dma-fence.h:665-671, Linux 7.2.13
    """
    if dma_fence_is_signaled_locked(fence):
        return fence.error or 1
    else:
        return 0


def dma_fence_set_error(fence: dma_fence, error: int) -> None:
    """Set the negative error a fence will signal with; only before it does.

    include/linux/dma-fence.h:692-699, Linux 7.2.13
    """
    WARN_ON(test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, fence.flags))
    WARN_ON(error >= 0 or error < -MAX_ERRNO)

    fence.error = error


def dma_fence_timestamp(fence: dma_fence) -> ktime_t:
    """When the fence signalled, in ns; waits the moment between the flag and the timestamp.

    include/linux/dma-fence.h:709-718, Linux 7.2.13
    """
    if WARN_ON(not test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, fence.flags)):
        return ktime_get()

    while not test_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, fence.flags):
        cpu_relax()

    return fence.timestamp


def dma_fence_wait(fence: dma_fence, intr: bool) -> int:
    """Sleep until the fence signals: 0, or -ERESTARTSYS if `intr` and a signal came.

    include/linux/dma-fence.h:742-753, Linux 7.2.13
    """
    ret = dma_fence_wait_timeout(fence, intr, MAX_SCHEDULE_TIMEOUT)

    return ret if ret < 0 else 0


def dma_fence_is_array(fence: dma_fence) -> bool:
    """True for a fence made by dma_fence_array.

    include/linux/dma-fence.h:770-773, Linux 7.2.13
    """
    return rcu_access_pointer(fence, "ops") is dma_fence_array.dma_fence_array_ops


def dma_fence_is_chain(fence: dma_fence) -> bool:
    """True for a fence made by dma_fence_chain.

    include/linux/dma-fence.h:781-784, Linux 7.2.13
    """
    return rcu_access_pointer(fence, "ops") is dma_fence_chain.dma_fence_chain_ops


def dma_fence_is_container(fence: dma_fence) -> bool:
    """True for a fence that holds other fences.

    include/linux/dma-fence.h:794-797, Linux 7.2.13
    """
    return dma_fence_is_array(fence) or dma_fence_is_chain(fence)


# -- drivers/dma-buf/dma-fence.c ---------------------------------------------------------------

dma_fence_stub = dma_fence()

dma_fence_context_counter = ATOMIC64_INIT(1)


@boot_data
def _reset_fences() -> None:
    dma_fence_context_counter.counter = 1
    dma_fence_stub._zero()


def dma_fence_stub_get_name(fence: dma_fence) -> str:
    """The stub's name, for both questions.

    drivers/dma-buf/dma-fence.c:113-116, Linux 7.2.13
    """
    return "stub"


dma_fence_stub_ops = dma_fence_ops(
    get_driver_name=dma_fence_stub_get_name,
    get_timeline_name=dma_fence_stub_get_name,
)


def dma_fence_init_stub() -> int:
    """Make the stub, signalled from the beginning.

    drivers/dma-buf/dma-fence.c:123-130, Linux 7.2.13
    """
    dma_fence_init(dma_fence_stub, dma_fence_stub_ops, None, 0, 0)
    set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, dma_fence_stub.flags)
    dma_fence_signal(dma_fence_stub)
    return 0


subsys_initcall(dma_fence_init_stub)


def dma_fence_get_stub() -> dma_fence:
    """A reference to the one signalled stub fence.

    drivers/dma-buf/dma-fence.c:139-142, Linux 7.2.13
    """
    return dma_fence_get(dma_fence_stub)


EXPORT_SYMBOL(dma_fence_get_stub)


def dma_fence_allocate_private_stub(timestamp: ktime_t) -> dma_fence | None:
    """A new fence that signalled at `timestamp`, or NULL.

    drivers/dma-buf/dma-fence.c:151-166, Linux 7.2.13
    """
    fence = kzalloc_obj(dma_fence)
    if fence is None:
        return None

    dma_fence_init(fence, dma_fence_stub_ops, None, 0, 0)
    set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, fence.flags)

    dma_fence_signal_timestamp(fence, timestamp)

    return fence


EXPORT_SYMBOL(dma_fence_allocate_private_stub)


def dma_fence_context_alloc(num: int) -> int:
    """The first of `num` fresh contexts.

    drivers/dma-buf/dma-fence.c:177-181, Linux 7.2.13
    """
    WARN_ON(not num)
    return atomic64_fetch_add(num, dma_fence_context_counter)


EXPORT_SYMBOL(dma_fence_context_alloc)

dma_fence_lockdep_map = lockdep_map(name="dma_fence_map")


def dma_fence_begin_signalling() -> bool:
    """Begin code that a fence needs in order to signal; returns the cookie for its end.

    drivers/dma-buf/dma-fence.c:292-306, Linux 7.2.13
    """
    if lock_is_held_type(dma_fence_lockdep_map, 1):
        return True

    if in_atomic():
        return True

    lock_acquire(dma_fence_lockdep_map, 0, 1, 1, 1, None, _RET_IP_)

    return False


EXPORT_SYMBOL(dma_fence_begin_signalling)


def dma_fence_end_signalling(cookie: bool) -> None:
    """End what dma_fence_begin_signalling() began.

    drivers/dma-buf/dma-fence.c:315-321, Linux 7.2.13
    """
    if cookie:
        return

    lock_release(dma_fence_lockdep_map, _RET_IP_)


EXPORT_SYMBOL(dma_fence_end_signalling)


def __dma_fence_might_wait() -> None:
    """Tell lockdep that a fence may be waited for here.

    drivers/dma-buf/dma-fence.c:324-335, Linux 7.2.13
    """
    tmp = lock_is_held_type(dma_fence_lockdep_map, 1)
    if tmp:
        lock_release(dma_fence_lockdep_map, _THIS_IP_)
    lock_map_acquire(dma_fence_lockdep_map)
    lock_map_release(dma_fence_lockdep_map)
    if tmp:
        lock_acquire(dma_fence_lockdep_map, 0, 1, 1, 1, None, _THIS_IP_)


def dma_fence_signal_timestamp_locked(fence: dma_fence, timestamp: ktime_t) -> None:
    """Signal with a given time; the fence is locked. Only the first signalling does anything.

    drivers/dma-buf/dma-fence.c:353-387, Linux 7.2.13
    """
    cb_list = list_head()

    dma_fence_assert_held(fence)

    if test_and_set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, fence.flags):
        return

    trace_dma_fence_signaled(fence)

    ops = rcu_dereference_protected(fence, "ops", True)
    if not ops.release and not ops.wait:
        RCU_INIT_POINTER(fence, "ops", None)

    list_replace(fence.cb_list, cb_list)

    fence.timestamp = timestamp
    set_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, fence.flags)

    for cur, tmp in list_for_each_entry_safe(cb_list, dma_fence_cb, "node"):
        INIT_LIST_HEAD(cur.node)
        cur.func(fence, cur)


EXPORT_SYMBOL(dma_fence_signal_timestamp_locked)


def dma_fence_signal_timestamp(fence: dma_fence, timestamp: ktime_t) -> None:
    """Signal with a given time.

    drivers/dma-buf/dma-fence.c:402-412, Linux 7.2.13
    """
    if WARN_ON(not fence):
        return

    flags = dma_fence_lock_irqsave(fence)
    dma_fence_signal_timestamp_locked(fence, timestamp)
    dma_fence_unlock_irqrestore(fence, flags)


EXPORT_SYMBOL(dma_fence_signal_timestamp)


def dma_fence_signal_locked(fence: dma_fence) -> None:
    """Signal now; the fence is locked.

    drivers/dma-buf/dma-fence.c:428-431, Linux 7.2.13
    """
    dma_fence_signal_timestamp_locked(fence, ktime_get())


EXPORT_SYMBOL(dma_fence_signal_locked)


def dma_fence_check_and_signal_locked(fence: dma_fence) -> int:
    """Signal now; non-zero if it had signalled before. The fence is locked.

    drivers/dma-buf/dma-fence.c:445-453, Linux 7.2.13
    """
    ret = dma_fence_test_signaled_flag(fence)
    dma_fence_signal_locked(fence)

    return ret


EXPORT_SYMBOL(dma_fence_check_and_signal_locked)


def dma_fence_check_and_signal(fence: dma_fence) -> int:
    """Signal now; non-zero if it had signalled before.

    drivers/dma-buf/dma-fence.c:465-475, Linux 7.2.13
    """
    flags = dma_fence_lock_irqsave(fence)
    ret = dma_fence_check_and_signal_locked(fence)
    dma_fence_unlock_irqrestore(fence, flags)

    return ret


EXPORT_SYMBOL(dma_fence_check_and_signal)


def dma_fence_signal(fence: dma_fence) -> None:
    """Signal now: wake the waiters, run the callbacks.

    drivers/dma-buf/dma-fence.c:488-503, Linux 7.2.13
    """
    if WARN_ON(not fence):
        return

    tmp = dma_fence_begin_signalling()

    flags = dma_fence_lock_irqsave(fence)
    dma_fence_signal_timestamp_locked(fence, ktime_get())
    dma_fence_unlock_irqrestore(fence, flags)

    dma_fence_end_signalling(tmp)


EXPORT_SYMBOL(dma_fence_signal)


def dma_fence_wait_timeout(fence: dma_fence, intr: bool, timeout: int) -> int:
    """Sleep until the fence signals, at most `timeout` ticks.

    Returns the ticks left (at least 1), 0 if the time ran out, -ERESTARTSYS if `intr` and a signal
    came, -EINVAL for a negative timeout.

    drivers/dma-buf/dma-fence.c:524-561, Linux 7.2.13
    """
    if WARN_ON(timeout < 0):
        return -EINVAL

    might_sleep()

    __dma_fence_might_wait()

    dma_fence_enable_sw_signaling(fence)

    rcu_read_lock()
    ops = rcu_dereference(fence, "ops")
    trace_dma_fence_wait_start(fence)
    if ops and ops.wait:
        rcu_read_unlock()
        ret = ops.wait(fence, intr, timeout)
    else:
        rcu_read_unlock()
        ret = dma_fence_default_wait(fence, intr, timeout)
    if trace_dma_fence_wait_end_enabled():
        rcu_read_lock()
        trace_dma_fence_wait_end(fence)
        rcu_read_unlock()
    return ret


EXPORT_SYMBOL(dma_fence_wait_timeout)


def dma_fence_release(kref: kref) -> None:
    """The last reference is gone. Callbacks that still wait are a bug: they get -EDEADLK.

    drivers/dma-buf/dma-fence.c:571-613, Linux 7.2.13
    """
    fence = container_of(kref, dma_fence, "refcount")

    rcu_read_lock()
    trace_dma_fence_destroy(fence)

    if not list_empty(fence.cb_list) and not dma_fence_test_signaled_flag(fence):
        driver = dma_fence_driver_name(fence)
        timeline = dma_fence_timeline_name(fence)

        WARN(
            1,
            "Fence %s:%s:%llx:%llx released with pending signals!\n",
            driver,  # kport: rcu-value
            timeline,
            fence.context,
            fence.seqno,
        )

        flags = dma_fence_lock_irqsave(fence)
        fence.error = -EDEADLK
        dma_fence_signal_locked(fence)
        dma_fence_unlock_irqrestore(fence, flags)

    ops = rcu_dereference(fence, "ops")
    if ops and ops.release:
        ops.release(fence)
    else:
        dma_fence_free(fence)
    rcu_read_unlock()


EXPORT_SYMBOL(dma_fence_release)


def dma_fence_free(fence: dma_fence) -> None:
    """Free the memory that begins with the fence, after a grace period.

    drivers/dma-buf/dma-fence.c:623-626, Linux 7.2.13
    """
    kfree_rcu(fence, "rcu")


EXPORT_SYMBOL(dma_fence_free)


def __dma_fence_enable_signaling(fence: dma_fence) -> bool:
    """Ask the issuer, once, to signal in software; False if it has signalled. Locked.

    drivers/dma-buf/dma-fence.c:629-656, Linux 7.2.13
    """
    dma_fence_assert_held(fence)

    was_set = test_and_set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, fence.flags)

    if dma_fence_test_signaled_flag(fence):
        return False

    rcu_read_lock()
    ops = rcu_dereference(fence, "ops")
    if not was_set and ops and ops.enable_signaling:
        trace_dma_fence_enable_signal(fence)

        if not ops.enable_signaling(fence):
            rcu_read_unlock()
            dma_fence_signal_locked(fence)
            return False
    rcu_read_unlock()

    return True


def dma_fence_enable_sw_signaling(fence: dma_fence) -> None:
    """Make sure that the fence will signal without being asked.

    drivers/dma-buf/dma-fence.c:666-673, Linux 7.2.13
    """
    flags = dma_fence_lock_irqsave(fence)
    __dma_fence_enable_signaling(fence)
    dma_fence_unlock_irqrestore(fence, flags)


EXPORT_SYMBOL(dma_fence_enable_sw_signaling)


def dma_fence_add_callback(fence: dma_fence, cb: dma_fence_cb, func: dma_fence_func_t) -> int:
    """Call `func(fence, cb)` when the fence signals: 0, -ENOENT if it has, -EINVAL for NULLs.

    The callback runs under the fence's lock with interrupts off.

    drivers/dma-buf/dma-fence.c:698-723, Linux 7.2.13
    """
    ret = 0

    if WARN_ON(not fence or not func):
        return -EINVAL

    if dma_fence_test_signaled_flag(fence):
        INIT_LIST_HEAD(cb.node)
        return -ENOENT

    flags = dma_fence_lock_irqsave(fence)
    if __dma_fence_enable_signaling(fence):
        cb.func = func
        list_add_tail(cb.node, fence.cb_list)
    else:
        INIT_LIST_HEAD(cb.node)
        ret = -ENOENT
    dma_fence_unlock_irqrestore(fence, flags)

    return ret


EXPORT_SYMBOL(dma_fence_add_callback)


def dma_fence_get_status(fence: dma_fence) -> int:
    """0 while unsignalled, then 1 or the negative error.

    drivers/dma-buf/dma-fence.c:738-748, Linux 7.2.13
    """
    flags = dma_fence_lock_irqsave(fence)
    status = dma_fence_get_status_locked(fence)
    dma_fence_unlock_irqrestore(fence, flags)

    return status


EXPORT_SYMBOL(dma_fence_get_status)


def dma_fence_remove_callback(fence: dma_fence, cb: dma_fence_cb) -> bool:
    """Take a callback back; False if it has been called or is being called.

    drivers/dma-buf/dma-fence.c:769-782, Linux 7.2.13
    """
    flags = dma_fence_lock_irqsave(fence)
    ret = not list_empty(cb.node)
    if ret:
        list_del_init(cb.node)
    dma_fence_unlock_irqrestore(fence, flags)

    return ret


EXPORT_SYMBOL(dma_fence_remove_callback)


class default_wait_cb(struct):
    """The callback of a sleeping task."""

    base: dma_fence_cb
    task: task_struct | None


def dma_fence_default_wait_cb(fence: dma_fence, cb: dma_fence_cb) -> None:
    """Wake the task.

    drivers/dma-buf/dma-fence.c:790-797, Linux 7.2.13
    """
    wait = container_of(cb, default_wait_cb, "base")

    wake_up_state(wait.task, TASK_NORMAL)


def dma_fence_default_wait(fence: dma_fence, intr: bool, timeout: int) -> int:
    """The wait of fences that have none of their own; returns as dma_fence_wait_timeout().

    drivers/dma-buf/dma-fence.c:811-858, Linux 7.2.13
    """
    cb = default_wait_cb()
    ret = timeout if timeout else 1

    flags = dma_fence_lock_irqsave(fence)

    with labels("out"):
        if dma_fence_test_signaled_flag(fence):
            raise goto("out")

        if intr and signal_pending(current()):
            ret = -ERESTARTSYS
            raise goto("out")

        if not timeout:
            ret = 0
            raise goto("out")

        cb.base.func = dma_fence_default_wait_cb
        cb.task = current()
        list_add(cb.base.node, fence.cb_list)

        while not dma_fence_test_signaled_flag(fence) and ret > 0:
            if intr:
                __set_current_state(TASK_INTERRUPTIBLE)
            else:
                __set_current_state(TASK_UNINTERRUPTIBLE)
            dma_fence_unlock_irqrestore(fence, flags)

            ret = schedule_timeout(ret)

            flags = dma_fence_lock_irqsave(fence)
            if ret > 0 and intr and signal_pending(current()):
                ret = -ERESTARTSYS

        if not list_empty(cb.base.node):
            list_del(cb.base.node)
        __set_current_state(TASK_RUNNING)

    dma_fence_unlock_irqrestore(fence, flags)
    return ret


EXPORT_SYMBOL(dma_fence_default_wait)


def dma_fence_test_signaled_any(fences: list[dma_fence], count: int) -> tuple[bool, int | None]:
    """Whether any of the fences has signalled, and the index of the first that has.

    drivers/dma-buf/dma-fence.c:861-876, Linux 7.2.13
    """
    for i in range(0, count):
        fence = fences[i]
        if dma_fence_test_signaled_flag(fence):
            idx = i  # kport: out-param
            return True, idx  # kport: out-param
    return False, None  # kport: out-param


def dma_fence_wait_any_timeout(
    fences: list[dma_fence], count: int, intr: bool, timeout: int
) -> tuple[int, int | None]:
    """Sleep until any of the fences signals, at most `timeout` ticks.

    Returns (ticks left, index of a signalled fence), (0, None) if the time ran out, and
    -ERESTARTSYS, -EINVAL or -ENOMEM with None.

    drivers/dma-buf/dma-fence.c:898-964, Linux 7.2.13
    """
    ret = timeout
    idx = None  # kport: out-param

    if WARN_ON(not fences or not count or timeout < 0):
        return -EINVAL, None  # kport: out-param

    if timeout == 0:
        for i in range(0, count):
            if dma_fence_is_signaled(fences[i]):
                idx = i  # kport: out-param
                return 1, idx  # kport: out-param

        return 0, None  # kport: out-param

    with labels("fence_rm_cb", "err_free_cb") as label:
        cb = kzalloc_objs(default_wait_cb, count)
        if cb is None:
            ret = -ENOMEM
            raise goto("err_free_cb")

        i = 0
        while i < count:
            fence = fences[i]

            cb[i].task = current()
            if dma_fence_add_callback(fence, cb[i].base, dma_fence_default_wait_cb):
                idx = i  # kport: out-param
                raise goto("fence_rm_cb")
            i += 1

        while ret > 0:
            if intr:
                set_current_state(TASK_INTERRUPTIBLE)
            else:
                set_current_state(TASK_UNINTERRUPTIBLE)

            any, idx = dma_fence_test_signaled_any(fences, count)  # kport: out-param
            if any:
                break

            ret = schedule_timeout(ret)

            if ret > 0 and intr and signal_pending(current()):
                ret = -ERESTARTSYS

        __set_current_state(TASK_RUNNING)

    if label("fence_rm_cb"):
        while i > 0:
            i -= 1  # kport: side-effect
            dma_fence_remove_callback(fences[i], cb[i].base)

    if label("err_free_cb"):
        kfree(cb)

    return ret, idx  # kport: out-param


EXPORT_SYMBOL(dma_fence_wait_any_timeout)


def dma_fence_set_deadline(fence: dma_fence, deadline: ktime_t) -> None:
    """Tell the issuer when the fence is wanted, in ns; a hint.

    drivers/dma-buf/dma-fence.c:1020-1029, Linux 7.2.13
    """
    rcu_read_lock()
    ops = rcu_dereference(fence, "ops")
    if ops and ops.set_deadline and not dma_fence_is_signaled(fence):
        ops.set_deadline(fence, deadline)
    rcu_read_unlock()


EXPORT_SYMBOL(dma_fence_set_deadline)


def dma_fence_describe(fence: dma_fence, seq: seq_file) -> None:
    """Print a line about the fence.

    drivers/dma-buf/dma-fence.c:1039-1058, Linux 7.2.13
    """
    timeline = ""
    driver = ""
    signaled = ""

    rcu_read_lock()

    if not dma_fence_is_signaled(fence):
        timeline = dma_fence_timeline_name(fence)
        driver = dma_fence_driver_name(fence)
        signaled = "un"

    seq_printf(
        seq,
        "%llu:%llu %s %s %ssignalled\n",
        fence.context,
        fence.seqno,
        timeline,
        driver,
        signaled,
    )

    rcu_read_unlock()


EXPORT_SYMBOL(dma_fence_describe)


def __dma_fence_init(
    fence: dma_fence,
    ops: dma_fence_ops,
    lock: spinlock_t | None,
    context: int,
    seqno: int,
    flags: int,
) -> None:
    """Initialise a fence with one reference; without an external lock it uses its own.

    drivers/dma-buf/dma-fence.c:1061-1088, Linux 7.2.13
    """
    BUG_ON(not ops or not ops.get_driver_name or not ops.get_timeline_name)

    kref_init(fence.refcount)
    RCU_INIT_POINTER(fence, "ops", ops)
    INIT_LIST_HEAD(fence.cb_list)
    fence.context = context
    fence.seqno = seqno
    fence.flags.assign(flags | BIT(DMA_FENCE_FLAG_INITIALIZED_BIT))  # kport: addressed
    if lock:
        fence.extern_lock = lock
    else:
        spin_lock_init(fence.inline_lock)
        fence.flags |= BIT(DMA_FENCE_FLAG_INLINE_LOCK_BIT)
    fence.error = 0

    trace_dma_fence_init(fence)


def dma_fence_init(
    fence: dma_fence, ops: dma_fence_ops, lock: spinlock_t | None, context: int, seqno: int
) -> None:
    """Initialise a fence whose seqnos compare as 32 bits.

    drivers/dma-buf/dma-fence.c:1109-1114, Linux 7.2.13
    """
    __dma_fence_init(fence, ops, lock, context, seqno, 0)


EXPORT_SYMBOL(dma_fence_init)


def dma_fence_init64(
    fence: dma_fence, ops: dma_fence_ops, lock: spinlock_t | None, context: int, seqno: int
) -> None:
    """Initialise a fence whose seqnos compare as 64 bits.

    drivers/dma-buf/dma-fence.c:1136-1142, Linux 7.2.13
    """
    __dma_fence_init(fence, ops, lock, context, seqno, BIT(DMA_FENCE_FLAG_SEQNO64_BIT))


EXPORT_SYMBOL(dma_fence_init64)


def dma_fence_driver_name(fence: dma_fence) -> str:
    """The issuer's name, in a read-side section; "detached-driver" once signalled.

    drivers/dma-buf/dma-fence.c:1165-1180, Linux 7.2.13
    """
    ops = rcu_dereference(fence, "ops")

    if not dma_fence_test_signaled_flag(fence) and ops:
        return ops.get_driver_name(fence)
    else:
        return "detached-driver"


EXPORT_SYMBOL(dma_fence_driver_name)


def dma_fence_timeline_name(fence: dma_fence) -> str:
    """The context's name, in a read-side section; "signaled-timeline" once signalled.

    drivers/dma-buf/dma-fence.c:1203-1218, Linux 7.2.13
    """
    ops = rcu_dereference(fence, "ops")

    if not dma_fence_test_signaled_flag(fence) and ops:
        return ops.get_timeline_name(fence)
    else:
        return "signaled-timeline"


EXPORT_SYMBOL(dma_fence_timeline_name)

# extern
from kport.dma_buf import dma_fence_array, dma_fence_chain
from kport.dma_buf.dma_fence_trace import (
    trace_dma_fence_destroy,
    trace_dma_fence_enable_signal,
    trace_dma_fence_init,
    trace_dma_fence_signaled,
    trace_dma_fence_wait_end,
    trace_dma_fence_wait_end_enabled,
    trace_dma_fence_wait_start,
)
