# SPDX-FileCopyrightText: 2012-2014 Canonical Ltd (Maarten Lankhorst)
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/dma-buf/dma-resv.c and include/linux/dma-resv.h,
# Linux 7.2.13, on 2026-11-20.
"""Reservation objects: the fences of a buffer, each with how it uses it.

Writers hold the ww_mutex, readers need only RCU. In C a table entry is a fence pointer with the
usage in its low bits; here it is the pair (fence, usage). Config: LOCKDEP, DEBUG_MUTEXES, not
MMU_NOTIFIER.
"""

from __future__ import annotations

from builtins import max as _max
from collections.abc import Iterator
from typing import Any

from kport.arch.asm import READ_ONCE, rcu_read_lock, rcu_read_unlock, smp_wmb
from kport.dma_buf.dma_fence import (
    __dma_fence_might_wait,
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_describe,
    dma_fence_get,
    dma_fence_get_rcu,
    dma_fence_is_container,
    dma_fence_is_later_or_same,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_set_deadline,
    dma_fence_wait_timeout,
)
from kport.dma_buf.dma_fence_array import dma_fence_array_create
from kport.linux.bug import BUG_ON, WARN_ON
from kport.linux.err import EDEADLK, EINVAL, ENOMEM
from kport.linux.ktime import ktime_t
from kport.linux.lockdep import lockdep_assert_held, lockdep_is_held
from kport.linux.mm import (
    address_space,
    address_space_init_once,
    fs_reclaim_acquire,
    fs_reclaim_release,
    i_mmap_lock_write,
    i_mmap_unlock_write,
    mm_alloc,
    mmap_read_lock,
    mmap_read_unlock,
    mmput,
)
from kport.linux.module import EXPORT_SYMBOL, EXPORT_SYMBOL_GPL, subsys_initcall
from kport.linux.overflow import kmalloc_size_roundup
from kport.linux.rcupdate import (
    RCU_INIT_POINTER,
    kfree_rcu,
    rcu_assign_pointer,
    rcu_dereference_check,
    rcu_dereference_protected,
    rcu_head,
    rcu_replace_pointer,
)
from kport.linux.seq_file import seq_file, seq_printf
from kport.linux.slab import GFP_KERNEL, kfree, kmalloc_obj, krealloc_array
from kport.linux.struct import struct
from kport.linux.types import roundup_pow_of_two
from kport.linux.ww_mutex import (
    DEFINE_WD_CLASS,
    ww_acquire_ctx,
    ww_acquire_fini,
    ww_acquire_init,
    ww_mutex,
    ww_mutex_destroy,
    ww_mutex_init,
    ww_mutex_is_locked,
    ww_mutex_lock,
    ww_mutex_lock_interruptible,
    ww_mutex_lock_slow,
    ww_mutex_lock_slow_interruptible,
    ww_mutex_trylock,
    ww_mutex_unlock,
)

# -- include/linux/dma-resv.h ------------------------------------------------------------------

DMA_RESV_USAGE_KERNEL = 0
DMA_RESV_USAGE_WRITE = 1
DMA_RESV_USAGE_READ = 2
DMA_RESV_USAGE_BOOKKEEP = 3

dma_resv_usage = int


def dma_resv_usage_rw(write: bool) -> dma_resv_usage:
    """What a new access must wait for: a write for reads and writes, a read for writes.

    include/linux/dma-resv.h:126-136, Linux 7.2.13
    """
    return DMA_RESV_USAGE_READ if write else DMA_RESV_USAGE_WRITE


class dma_resv(struct):
    """The reservation object of a buffer."""

    lock: ww_mutex
    fences: dma_resv_list | None


class dma_resv_iter(struct):
    """Where an iteration stands; only the functions below touch it."""

    obj: dma_resv | None
    usage: dma_resv_usage
    fence: dma_fence | None
    fence_usage: dma_resv_usage
    index: int
    fences: dma_resv_list | None
    num_fences: int
    is_restarted: bool


def dma_resv_iter_begin(cursor: dma_resv_iter, obj: dma_resv, usage: dma_resv_usage) -> None:
    """Begin an iteration over fences of `usage` and more important ones.

    include/linux/dma-resv.h:230-237, Linux 7.2.13
    """
    cursor.obj = obj
    cursor.usage = usage
    cursor.fence = None


def dma_resv_iter_end(cursor: dma_resv_iter) -> None:
    """End an iteration: drop the reference it holds.

    include/linux/dma-resv.h:246-249, Linux 7.2.13
    """
    dma_fence_put(cursor.fence)


def dma_resv_iter_usage(cursor: dma_resv_iter) -> dma_resv_usage:
    """The usage of the current fence.

    include/linux/dma-resv.h:257-261, Linux 7.2.13
    """
    return cursor.fence_usage


def dma_resv_iter_is_restarted(cursor: dma_resv_iter) -> bool:
    """True for the first fence after a (re)start: forget what was gathered before.

    include/linux/dma-resv.h:269-272, Linux 7.2.13
    """
    return cursor.is_restarted


def dma_resv_for_each_fence_unlocked(cursor: dma_resv_iter) -> Iterator[dma_fence]:
    """Each unsignalled fence, under RCU; the iteration may restart.

    include/linux/dma-resv.h:289-291, Linux 7.2.13
    """
    fence = dma_resv_iter_first_unlocked(cursor)
    while fence:
        yield fence
        fence = dma_resv_iter_next_unlocked(cursor)


def dma_resv_for_each_fence(
    cursor: dma_resv_iter, obj: dma_resv, usage: dma_resv_usage
) -> Iterator[dma_fence]:
    """Each fence of `usage` and more important ones; the object is locked.

    include/linux/dma-resv.h:306-309, Linux 7.2.13
    """
    dma_resv_iter_begin(cursor, obj, usage)
    fence = dma_resv_iter_first(cursor)
    while fence:
        yield fence
        fence = dma_resv_iter_next(cursor)


def dma_resv_held(obj: dma_resv) -> bool:
    """True if the running task holds the lock.

    include/linux/dma-resv.h:311, Linux 7.2.13
    """
    return lockdep_is_held(obj.lock.base)


def dma_resv_assert_held(obj: dma_resv) -> None:
    """Warn unless the running task holds the lock.

    include/linux/dma-resv.h:312, Linux 7.2.13
    """
    lockdep_assert_held(obj.lock.base)


def dma_resv_lock(obj: dma_resv, ctx: ww_acquire_ctx | None) -> int:
    """Lock: 0, -EALREADY if the context has it, -EDEADLK if it must back off.

    include/linux/dma-resv.h:342-346, Linux 7.2.13
    """
    return ww_mutex_lock(obj.lock, ctx)


def dma_resv_lock_interruptible(obj: dma_resv, ctx: ww_acquire_ctx | None) -> int:
    """dma_resv_lock(), or -EINTR if a signal comes first.

    include/linux/dma-resv.h:369-373, Linux 7.2.13
    """
    return ww_mutex_lock_interruptible(obj.lock, ctx)


def dma_resv_lock_slow(obj: dma_resv, ctx: ww_acquire_ctx) -> None:
    """Lock after -EDEADLK, with every other lock of the context released.

    include/linux/dma-resv.h:386-390, Linux 7.2.13
    """
    ww_mutex_lock_slow(obj.lock, ctx)


def dma_resv_lock_slow_interruptible(obj: dma_resv, ctx: ww_acquire_ctx) -> int:
    """dma_resv_lock_slow(), or -EINTR if a signal comes first.

    include/linux/dma-resv.h:402-406, Linux 7.2.13
    """
    return ww_mutex_lock_slow_interruptible(obj.lock, ctx)


def dma_resv_trylock(obj: dma_resv) -> int:
    """Lock without a context if it is free; non-zero if locked.

    include/linux/dma-resv.h:422-425, Linux 7.2.13
    """
    return ww_mutex_trylock(obj.lock, None)


def dma_resv_is_locked(obj: dma_resv) -> bool:
    """True while anybody holds the lock.

    include/linux/dma-resv.h:433-436, Linux 7.2.13
    """
    return ww_mutex_is_locked(obj.lock)


def dma_resv_locking_ctx(obj: dma_resv) -> ww_acquire_ctx | None:
    """The context that holds the lock, or NULL.

    include/linux/dma-resv.h:450-453, Linux 7.2.13
    """
    return READ_ONCE(obj.lock, "ctx")


def dma_resv_unlock(obj: dma_resv) -> None:
    """Unlock; slots that were reserved and not used are gone.

    include/linux/dma-resv.h:461-465, Linux 7.2.13
    """
    dma_resv_reset_max_fences(obj)
    ww_mutex_unlock(obj.lock)


# -- drivers/dma-buf/dma-resv.c ----------------------------------------------------------------

reservation_ww_class = DEFINE_WD_CLASS("reservation_ww_class")

_TABLE_OFFSET = 24  # offsetof(struct dma_resv_list, table) on 64 bits
_POINTER = 8


class dma_resv_list(struct):
    """The fences: `num_fences` of `max_fences` slots are in use."""

    rcu: rcu_head
    num_fences: int
    max_fences: int
    table: list[Any] | None


def dma_resv_list_entry(
    list: dma_resv_list, index: int, resv: dma_resv | None
) -> tuple[dma_fence, dma_resv_usage]:
    """Fence and usage of a slot.

    drivers/dma-buf/dma-resv.c:70-81, Linux 7.2.13
    """
    tmp = rcu_dereference_check(list.table, index, dma_resv_held(resv) if resv else True)
    return tmp  # kport: packed


def dma_resv_list_set(
    list: dma_resv_list, index: int, fence: dma_fence, usage: dma_resv_usage
) -> None:
    """Set fence and usage of a slot.

    drivers/dma-buf/dma-resv.c:84-92, Linux 7.2.13
    """
    tmp = (fence, usage)  # kport: packed

    list.table[index] = tmp  # kport: packed


def dma_resv_list_alloc(max_fences: int) -> dma_resv_list | None:
    """A list with room for at least `max_fences`, as many as the allocation rounds up to.

    drivers/dma-buf/dma-resv.c:98-115, Linux 7.2.13
    """
    size = kmalloc_size_roundup(  # kport: flexible-array
        _TABLE_OFFSET + max_fences * _POINTER
    )

    list = kmalloc_obj(dma_resv_list)  # kport: flexible-array
    if not list:
        return None

    list.max_fences = (size - _TABLE_OFFSET) // _POINTER  # kport: flexible-array
    list.table = [None] * list.max_fences  # kport: flexible-array

    return list


def dma_resv_list_free(list: dma_resv_list | None) -> None:
    """Drop all references and free the list after a grace period.

    drivers/dma-buf/dma-resv.c:118-132, Linux 7.2.13
    """
    if not list:
        return

    for i in range(0, list.num_fences):
        fence, _ = dma_resv_list_entry(list, i, None)  # kport: out-param
        dma_fence_put(fence)
    kfree_rcu(list, "rcu")


def dma_resv_init(obj: dma_resv) -> None:
    """Make the object empty and unlocked.

    drivers/dma-buf/dma-resv.c:138-143, Linux 7.2.13
    """
    ww_mutex_init(obj.lock, reservation_ww_class)

    RCU_INIT_POINTER(obj, "fences", None)


EXPORT_SYMBOL(dma_resv_init)


def dma_resv_fini(obj: dma_resv) -> None:
    """Drop everything; nobody uses the object any more.

    drivers/dma-buf/dma-resv.c:150-158, Linux 7.2.13
    """
    dma_resv_list_free(rcu_dereference_protected(obj, "fences", True))
    ww_mutex_destroy(obj.lock)


EXPORT_SYMBOL(dma_resv_fini)


def dma_resv_fences_list(obj: dma_resv) -> dma_resv_list | None:
    """The list, under the lock or RCU.

    drivers/dma-buf/dma-resv.c:162-165, Linux 7.2.13
    """
    return rcu_dereference_check(obj, "fences", dma_resv_held(obj))


def dma_resv_reserve_fences(obj: dma_resv, num_fences: int) -> int:
    """Make room for `num_fences` more: 0, -ENOMEM, or -EINVAL for none. Locked.

    drivers/dma-buf/dma-resv.c:182-251, Linux 7.2.13
    """
    dma_resv_assert_held(obj)

    if WARN_ON(not num_fences):
        return -EINVAL

    old = dma_resv_fences_list(obj)
    if old and old.max_fences:
        if (old.num_fences + num_fences) <= old.max_fences:
            return 0
        max = _max(old.num_fences + num_fences, old.max_fences * 2)
    else:
        max = _max(4, roundup_pow_of_two(num_fences))

    new = dma_resv_list_alloc(max)
    if not new:
        return -ENOMEM

    j = 0
    k = max
    for i in range(0, old.num_fences if old else 0):
        fence, usage = dma_resv_list_entry(old, i, obj)  # kport: out-param
        if dma_fence_is_signaled(fence):
            k -= 1  # kport: side-effect
            new.table[k] = (fence, 0)  # kport: packed
        else:
            dma_resv_list_set(new, j, fence, usage)
            j += 1  # kport: side-effect
    new.num_fences = j

    rcu_assign_pointer(obj, "fences", new)

    if not old:
        return 0

    for i in range(k, max):
        fence = new.table[i][0]  # kport: packed
        dma_fence_put(fence)
    kfree_rcu(old, "rcu")

    return 0


EXPORT_SYMBOL(dma_resv_reserve_fences)


def dma_resv_reset_max_fences(obj: dma_resv) -> None:
    """Take back slots that were reserved and not used, so that a missing reservation shows.

    drivers/dma-buf/dma-resv.c:263-272, Linux 7.2.13
    """
    fences = dma_resv_fences_list(obj)

    dma_resv_assert_held(obj)

    if fences:
        fences.max_fences = fences.num_fences


EXPORT_SYMBOL(dma_resv_reset_max_fences)


def dma_resv_add_fence(obj: dma_resv, fence: dma_fence, usage: dma_resv_usage) -> None:
    """Add a fence in a reserved slot, or in place of an older one of its context. Locked.

    drivers/dma-buf/dma-resv.c:287-326, Linux 7.2.13
    """
    dma_fence_get(fence)

    dma_resv_assert_held(obj)

    WARN_ON(dma_fence_is_container(fence))

    fobj = dma_resv_fences_list(obj)
    count = fobj.num_fences

    i = 0
    while i < count:
        old, old_usage = dma_resv_list_entry(fobj, i, obj)  # kport: out-param
        if (
            old.context == fence.context
            and old_usage >= usage
            and dma_fence_is_later_or_same(fence, old)
        ) or dma_fence_is_signaled(old):
            dma_resv_list_set(fobj, i, fence, usage)
            dma_fence_put(old)
            return
        i += 1

    BUG_ON(fobj.num_fences >= fobj.max_fences)
    count += 1

    dma_resv_list_set(fobj, i, fence, usage)
    smp_wmb()
    fobj.num_fences = count


EXPORT_SYMBOL(dma_resv_add_fence)


def dma_resv_replace_fences(
    obj: dma_resv, context: int, replacement: dma_fence, usage: dma_resv_usage
) -> None:
    """Put `replacement` in place of every fence of a context. Locked.

    drivers/dma-buf/dma-resv.c:343-363, Linux 7.2.13
    """
    dma_resv_assert_held(obj)

    list = dma_resv_fences_list(obj)
    i = 0
    while list and i < list.num_fences:
        old, _ = dma_resv_list_entry(list, i, obj)  # kport: out-param
        if old.context != context:
            i += 1
            continue

        dma_resv_list_set(list, i, dma_fence_get(replacement), usage)
        dma_fence_put(old)
        i += 1


EXPORT_SYMBOL(dma_resv_replace_fences)


def dma_resv_iter_restart_unlocked(cursor: dma_resv_iter) -> None:
    """Begin again with the list as it is now.

    drivers/dma-buf/dma-resv.c:367-375, Linux 7.2.13
    """
    cursor.index = 0
    cursor.num_fences = 0
    cursor.fences = dma_resv_fences_list(cursor.obj)
    if cursor.fences:
        cursor.num_fences = cursor.fences.num_fences
    cursor.is_restarted = True


def dma_resv_iter_walk_unlocked(cursor: dma_resv_iter) -> None:
    """Go to the next unsignalled fence that fits and take a reference to it.

    drivers/dma-buf/dma-resv.c:378-406, Linux 7.2.13
    """
    if not cursor.fences:
        return

    while True:
        dma_fence_put(cursor.fence)

        if cursor.index >= cursor.num_fences:
            cursor.fence = None
            break

        cursor.fence, cursor.fence_usage = dma_resv_list_entry(  # kport: out-param
            cursor.fences, cursor.index, cursor.obj
        )
        cursor.index += 1  # kport: side-effect
        cursor.fence = dma_fence_get_rcu(cursor.fence)
        if not cursor.fence:
            dma_resv_iter_restart_unlocked(cursor)
            continue

        if not dma_fence_is_signaled(cursor.fence) and cursor.usage >= cursor.fence_usage:
            break


def dma_resv_iter_first_unlocked(cursor: dma_resv_iter) -> dma_fence | None:
    """The first fence of an unlocked iteration, or NULL.

    drivers/dma-buf/dma-resv.c:420-430, Linux 7.2.13
    """
    rcu_read_lock()
    while True:
        dma_resv_iter_restart_unlocked(cursor)
        dma_resv_iter_walk_unlocked(cursor)
        if not (dma_resv_fences_list(cursor.obj) is not cursor.fences):
            break
    rcu_read_unlock()

    return cursor.fence


EXPORT_SYMBOL(dma_resv_iter_first_unlocked)


def dma_resv_iter_next_unlocked(cursor: dma_resv_iter) -> dma_fence | None:
    """The next fence of an unlocked iteration, or NULL; may have restarted.

    drivers/dma-buf/dma-resv.c:443-459, Linux 7.2.13
    """
    rcu_read_lock()
    cursor.is_restarted = False
    restart = dma_resv_fences_list(cursor.obj) is not cursor.fences
    while True:
        if restart:
            dma_resv_iter_restart_unlocked(cursor)
        dma_resv_iter_walk_unlocked(cursor)
        restart = True
        if not (dma_resv_fences_list(cursor.obj) is not cursor.fences):
            break
    rcu_read_unlock()

    return cursor.fence


EXPORT_SYMBOL(dma_resv_iter_next_unlocked)


def dma_resv_iter_first(cursor: dma_resv_iter) -> dma_fence | None:
    """The first fence of a locked iteration, or NULL; no reference is taken.

    drivers/dma-buf/dma-resv.c:471-483, Linux 7.2.13
    """
    dma_resv_assert_held(cursor.obj)

    cursor.index = 0
    cursor.fences = dma_resv_fences_list(cursor.obj)

    fence = dma_resv_iter_next(cursor)
    cursor.is_restarted = True
    return fence


EXPORT_SYMBOL_GPL(dma_resv_iter_first)


def dma_resv_iter_next(cursor: dma_resv_iter) -> dma_fence | None:
    """The next fence of a locked iteration, or NULL.

    drivers/dma-buf/dma-resv.c:493-511, Linux 7.2.13
    """
    dma_resv_assert_held(cursor.obj)

    cursor.is_restarted = False

    while True:
        if not cursor.fences or cursor.index >= cursor.fences.num_fences:
            return None

        fence, cursor.fence_usage = dma_resv_list_entry(  # kport: out-param
            cursor.fences, cursor.index, cursor.obj
        )
        cursor.index += 1  # kport: side-effect
        if not (cursor.fence_usage > cursor.usage):
            break

    return fence


EXPORT_SYMBOL_GPL(dma_resv_iter_next)


def dma_resv_copy_fences(dst: dma_resv, src: dma_resv) -> int:
    """Make the fences of `dst`, which is locked, those of `src`: 0 or -ENOMEM.

    drivers/dma-buf/dma-resv.c:521-554, Linux 7.2.13
    """
    cursor = dma_resv_iter()

    dma_resv_assert_held(dst)

    list = None

    dma_resv_iter_begin(cursor, src, DMA_RESV_USAGE_BOOKKEEP)
    for f in dma_resv_for_each_fence_unlocked(cursor):
        if dma_resv_iter_is_restarted(cursor):
            dma_resv_list_free(list)

            list = dma_resv_list_alloc(cursor.num_fences)
            if not list:
                dma_resv_iter_end(cursor)
                return -ENOMEM
            list.num_fences = 0

        dma_fence_get(f)
        dma_resv_list_set(list, list.num_fences, f, dma_resv_iter_usage(cursor))
        list.num_fences += 1  # kport: side-effect
    dma_resv_iter_end(cursor)

    list = rcu_replace_pointer(dst, "fences", list, dma_resv_held(dst))
    dma_resv_list_free(list)
    return 0


EXPORT_SYMBOL(dma_resv_copy_fences)


def dma_resv_get_fences(
    obj: dma_resv, usage: dma_resv_usage
) -> tuple[int, int, list[dma_fence] | None]:
    """References to all fences that fit: (0, number, array to kfree()) or (-ENOMEM, 0, None).

    drivers/dma-buf/dma-resv.c:569-609, Linux 7.2.13
    """
    cursor = dma_resv_iter()

    num_fences = 0
    fences: list[dma_fence] = None

    dma_resv_iter_begin(cursor, obj, usage)
    for fence in dma_resv_for_each_fence_unlocked(cursor):
        if dma_resv_iter_is_restarted(cursor):
            while num_fences:
                num_fences -= 1  # kport: side-effect
                dma_fence_put(fences[num_fences])

            count = cursor.num_fences + 1

            new_fences = krealloc_array(fences, count)
            if count and not new_fences:
                kfree(fences)
                fences = None
                num_fences = 0
                dma_resv_iter_end(cursor)
                return -ENOMEM, num_fences, fences  # kport: out-param
            fences = new_fences

        fences[num_fences] = dma_fence_get(fence)
        num_fences += 1  # kport: side-effect
    dma_resv_iter_end(cursor)

    return 0, num_fences, fences  # kport: out-param


EXPORT_SYMBOL_GPL(dma_resv_get_fences)


def dma_resv_get_singleton(
    obj: dma_resv, usage: dma_resv_usage
) -> tuple[int, dma_fence | None]:
    """One fence for all that fit: (0, fence or NULL for none) or (-ENOMEM, None).

    drivers/dma-buf/dma-resv.c:627-661, Linux 7.2.13
    """
    r, count, fences = dma_resv_get_fences(obj, usage)  # kport: out-param
    if r:
        return r, None  # kport: out-param

    if count == 0:
        fence = None
        return 0, fence  # kport: out-param

    if count == 1:
        fence = fences[0]
        kfree(fences)
        return 0, fence  # kport: out-param

    array = dma_fence_array_create(count, fences, dma_fence_context_alloc(1), 1)
    if not array:
        while count:
            count -= 1  # kport: side-effect
            dma_fence_put(fences[count])
        kfree(fences)
        return -ENOMEM, None  # kport: out-param

    fence = array.base
    return 0, fence  # kport: out-param


EXPORT_SYMBOL_GPL(dma_resv_get_singleton)


def dma_resv_wait_timeout(
    obj: dma_resv, usage: dma_resv_usage, intr: bool, timeout: int
) -> int:
    """Wait for all fences that fit, at most `timeout` ticks; as dma_fence_wait_timeout().

    drivers/dma-buf/dma-resv.c:677-698, Linux 7.2.13
    """
    ret = timeout if timeout else 1
    cursor = dma_resv_iter()

    dma_resv_iter_begin(cursor, obj, usage)
    for fence in dma_resv_for_each_fence_unlocked(cursor):
        ret = dma_fence_wait_timeout(fence, intr, timeout)
        if ret <= 0:
            break

        if timeout:
            timeout = ret
    dma_resv_iter_end(cursor)

    return ret


EXPORT_SYMBOL_GPL(dma_resv_wait_timeout)


def dma_resv_set_deadline(
    obj: dma_resv, usage: dma_resv_usage, deadline: ktime_t
) -> None:
    """Tell the issuers of all fences that fit when they are wanted, in ns.

    drivers/dma-buf/dma-resv.c:710-721, Linux 7.2.13
    """
    cursor = dma_resv_iter()

    dma_resv_iter_begin(cursor, obj, usage)
    for fence in dma_resv_for_each_fence_unlocked(cursor):
        dma_fence_set_deadline(fence, deadline)
    dma_resv_iter_end(cursor)


EXPORT_SYMBOL_GPL(dma_resv_set_deadline)


def dma_resv_test_signaled(obj: dma_resv, usage: dma_resv_usage) -> bool:
    """True if all fences that fit have signalled.

    drivers/dma-buf/dma-resv.c:737-749, Linux 7.2.13
    """
    cursor = dma_resv_iter()

    dma_resv_iter_begin(cursor, obj, usage)
    for fence in dma_resv_for_each_fence_unlocked(cursor):
        dma_resv_iter_end(cursor)
        return False
    dma_resv_iter_end(cursor)
    return True


EXPORT_SYMBOL_GPL(dma_resv_test_signaled)


def dma_resv_describe(obj: dma_resv, seq: seq_file) -> None:
    """Print a line for each fence. Locked.

    drivers/dma-buf/dma-resv.c:760-771, Linux 7.2.13
    """
    usage = ("kernel", "write", "read", "bookkeep")
    cursor = dma_resv_iter()

    for fence in dma_resv_for_each_fence(cursor, obj, DMA_RESV_USAGE_READ):
        seq_printf(seq, "\t%s fence:", usage[dma_resv_iter_usage(cursor)])
        dma_fence_describe(fence, seq)


EXPORT_SYMBOL_GPL(dma_resv_describe)


def dma_resv_lockdep() -> int:
    """Prime the validator at boot with the order of locks around a reservation.

    drivers/dma-buf/dma-resv.c:775-816, Linux 7.2.13
    """
    mm = mm_alloc()
    ctx = ww_acquire_ctx()
    obj = dma_resv()
    mapping = address_space()

    if not mm:
        return -ENOMEM

    dma_resv_init(obj)
    address_space_init_once(mapping)

    mmap_read_lock(mm)
    ww_acquire_init(ctx, reservation_ww_class)
    ret = dma_resv_lock(obj, ctx)
    if ret:
        WARN_ON(ret != -EDEADLK)
        dma_resv_lock_slow(obj, ctx)
    fs_reclaim_acquire(GFP_KERNEL)
    i_mmap_lock_write(mapping)
    i_mmap_unlock_write(mapping)
    __dma_fence_might_wait()
    fs_reclaim_release(GFP_KERNEL)
    ww_mutex_unlock(obj.lock)
    ww_acquire_fini(ctx)
    mmap_read_unlock(mm)

    mmput(mm)

    return 0


subsys_initcall(dma_resv_lockdep)
