# SPDX-FileCopyrightText: 2017 Red Hat
# SPDX-FileCopyrightText: 2016 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/drm_syncobj.c and include/drm/drm_syncobj.h,
# Linux 7.2.13, on 2026-11-20.
"""Sync objects: containers of a fence that user space names by handle.

The half of the file that kernel code calls. Left out: the ioctls, and file descriptors (sync_file
and eventfd).
"""

from __future__ import annotations

from kport.arch.asm import rcu_read_lock, rcu_read_unlock
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_allocate_private_stub,
    dma_fence_cb,
    dma_fence_get,
    dma_fence_get_rcu_safe,
    dma_fence_get_stub,
    dma_fence_put,
)
from kport.dma_buf.dma_fence_chain import (
    dma_fence_chain,
    dma_fence_chain_find_seqno,
    dma_fence_chain_for_each,
    dma_fence_chain_init,
)
from kport.drm.drm_print import DRM_DEBUG
from kport.linux.cleanup import goto, labels
from kport.linux.err import EINVAL, ENOENT, ENOMEM, ERESTARTSYS, ETIME
from kport.linux.jiffies import nsecs_to_jiffies64
from kport.linux.kref import kref, kref_get, kref_init, kref_put
from kport.linux.ktime import ktime_get
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add_tail,
    list_del_init,
    list_for_each_entry_safe,
    list_head,
)
from kport.linux.lockdep import lockdep_assert_none_held_once, lockdep_is_held
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.rcupdate import rcu_assign_pointer, rcu_dereference_protected
from kport.linux.sched import (
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    __set_current_state,
    current,
    might_sleep,
    schedule_timeout,
    set_current_state,
    signal_pending,
    task_struct,
    wake_up_process,
)
from kport.linux.slab import GFP_KERNEL, kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock, spinlock_t
from kport.linux.struct import container_of, memset, sizeof, struct
from kport.linux.types import u64
from kport.linux.xarray import (
    XA_FLAGS_ALLOC1,
    xa_alloc,
    xa_destroy,
    xa_erase,
    xa_for_each,
    xa_init_flags,
    xa_limit_32b,
    xa_load,
    xa_lock,
    xa_unlock,
    xarray,
)

DRM_SYNCOBJ_CREATE_SIGNALED = 1 << 0
DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT = 1 << 1


class drm_file(struct):
    """An open file of a device, as far as it is here: its client id and its sync objects."""

    client_id: u64
    syncobj_xa: xarray


class drm_syncobj(struct):  # kport: left-out
    """A sync object."""

    refcount: kref
    fence: dma_fence | None
    cb_list: list_head
    lock: spinlock_t


class syncobj_wait_entry(struct):
    """A task that waits for a point to get a fence."""

    node: list_head
    task: task_struct | None
    fence: dma_fence | None
    fence_cb: dma_fence_cb
    point: u64


def drm_syncobj_get(obj: drm_syncobj) -> None:
    """Take a reference.

    include/drm/drm_syncobj.h:79-83, Linux 7.2.13
    """
    kref_get(obj.refcount)


def drm_syncobj_put(obj: drm_syncobj) -> None:
    """Drop a reference.

    include/drm/drm_syncobj.h:89-93, Linux 7.2.13
    """
    kref_put(obj.refcount, drm_syncobj_free)


def drm_syncobj_fence_get(syncobj: drm_syncobj) -> dma_fence | None:
    """A reference to the fence now in the object, or NULL.

    include/drm/drm_syncobj.h:106-116, Linux 7.2.13
    """
    rcu_read_lock()
    fence = dma_fence_get_rcu_safe((syncobj, "fence"))  # kport: pointer-to-pointer
    rcu_read_unlock()

    return fence


def drm_syncobj_find(file_private: drm_file, handle: int) -> drm_syncobj | None:
    """A reference to the object of a handle, or NULL.

    drivers/gpu/drm/drm_syncobj.c:248-263, Linux 7.2.13
    """
    xa_lock(file_private.syncobj_xa)

    syncobj = xa_load(file_private.syncobj_xa, handle)
    if syncobj:
        drm_syncobj_get(syncobj)

    xa_unlock(file_private.syncobj_xa)

    return syncobj


EXPORT_SYMBOL(drm_syncobj_find)


def drm_syncobj_fence_add_wait(syncobj: drm_syncobj, wait: syncobj_wait_entry) -> None:
    """Queue a waiter, or give it its fence at once.

    drivers/gpu/drm/drm_syncobj.c:266-289, Linux 7.2.13
    """
    if wait.fence:
        return

    spin_lock(syncobj.lock)
    fence = dma_fence_get(rcu_dereference_protected(syncobj, "fence", 1))
    ret = -EINVAL  # kport: out-param
    if fence:  # kport: out-param
        ret, fence = dma_fence_chain_find_seqno(fence, wait.point)  # kport: out-param
    if ret:  # kport: out-param
        dma_fence_put(fence)
        list_add_tail(wait.node, syncobj.cb_list)
    elif not fence:
        wait.fence = dma_fence_get_stub()
    else:
        wait.fence = fence
    spin_unlock(syncobj.lock)


def drm_syncobj_remove_wait(syncobj: drm_syncobj, wait: syncobj_wait_entry) -> None:
    """Take a waiter out.

    drivers/gpu/drm/drm_syncobj.c:291-300, Linux 7.2.13
    """
    if not wait.node.next:
        return

    spin_lock(syncobj.lock)
    list_del_init(wait.node)
    spin_unlock(syncobj.lock)


def drm_syncobj_add_point(
    syncobj: drm_syncobj, chain: dma_fence_chain, fence: dma_fence, point: int
) -> None:
    """Append `fence` at `point` of the timeline; `chain` is memory for the link.

    drivers/gpu/drm/drm_syncobj.c:333-362, Linux 7.2.13
    """
    dma_fence_get(fence)

    spin_lock(syncobj.lock)

    prev = drm_syncobj_fence_get(syncobj)
    if prev and prev.seqno >= point:
        DRM_DEBUG("You are adding an unorder point to timeline!\n")
    dma_fence_chain_init(chain, prev, fence, point)
    rcu_assign_pointer(syncobj, "fence", chain.base)

    for wait_cur, wait_tmp in list_for_each_entry_safe(
        syncobj.cb_list, syncobj_wait_entry, "node"
    ):
        syncobj_wait_syncobj_func(syncobj, wait_cur)
    # kport: left-out
    spin_unlock(syncobj.lock)

    for fence in dma_fence_chain_for_each(prev):
        continue
    dma_fence_put(prev)


EXPORT_SYMBOL(drm_syncobj_add_point)


def drm_syncobj_replace_fence(syncobj: drm_syncobj, fence: dma_fence | None) -> None:
    """Put a fence, or none, into the object.

    drivers/gpu/drm/drm_syncobj.c:372-398, Linux 7.2.13
    """
    if fence:
        dma_fence_get(fence)

    spin_lock(syncobj.lock)

    old_fence = rcu_dereference_protected(syncobj, "fence", lockdep_is_held(syncobj.lock))
    rcu_assign_pointer(syncobj, "fence", fence)

    if fence is not old_fence:
        for wait_cur, wait_tmp in list_for_each_entry_safe(
            syncobj.cb_list, syncobj_wait_entry, "node"
        ):
            syncobj_wait_syncobj_func(syncobj, wait_cur)
        # kport: left-out

    spin_unlock(syncobj.lock)

    dma_fence_put(old_fence)


EXPORT_SYMBOL(drm_syncobj_replace_fence)


def drm_syncobj_assign_null_handle(syncobj: drm_syncobj) -> int:
    """Put a signalled fence into the object: 0 or -ENOMEM.

    drivers/gpu/drm/drm_syncobj.c:407-417, Linux 7.2.13
    """
    fence = dma_fence_allocate_private_stub(ktime_get())

    if not fence:
        return -ENOMEM

    drm_syncobj_replace_fence(syncobj, fence)
    dma_fence_put(fence)
    return 0


DRM_SYNCOBJ_WAIT_FOR_SUBMIT_TIMEOUT = 5000000000


def drm_syncobj_find_fence(
    file_private: drm_file, handle: int, point: int, flags: int
) -> tuple[int, dma_fence | None]:
    """A reference to the fence of a handle at a point: (0, fence), or an error and NULL.

    -ENOENT: no such handle. -EINVAL: no such point yet, or unknown flags. With
    DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT it waits 5 s for the point: -ETIME, -ERESTARTSYS.

    drivers/gpu/drm/drm_syncobj.c:436-519, Linux 7.2.13
    """
    syncobj = drm_syncobj_find(file_private, handle)
    wait = syncobj_wait_entry()
    timeout = nsecs_to_jiffies64(DRM_SYNCOBJ_WAIT_FOR_SUBMIT_TIMEOUT)
    fence = None  # kport: out-param

    if not syncobj:
        return -ENOENT, None  # kport: out-param

    with labels("out"):
        if flags & ~DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT:
            ret = -EINVAL
            raise goto("out")

        if flags & DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT:
            might_sleep()
            lockdep_assert_none_held_once()

        fence = drm_syncobj_fence_get(syncobj)

        if fence:
            ret, fence = dma_fence_chain_find_seqno(fence, point)  # kport: out-param
            if not ret:
                if not fence:
                    fence = dma_fence_get_stub()

                raise goto("out")
            dma_fence_put(fence)
        else:
            ret = -EINVAL

        if not (flags & DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT):
            raise goto("out")

        memset(wait, 0, sizeof(wait))
        wait.task = current()
        wait.point = point
        drm_syncobj_fence_add_wait(syncobj, wait)

        while True:
            set_current_state(TASK_INTERRUPTIBLE)
            if wait.fence:
                ret = 0
                break
            if timeout == 0:
                ret = -ETIME
                break

            if signal_pending(current()):
                ret = -ERESTARTSYS
                break

            timeout = schedule_timeout(timeout)

        __set_current_state(TASK_RUNNING)
        fence = wait.fence

        if wait.node.next:
            drm_syncobj_remove_wait(syncobj, wait)

    drm_syncobj_put(syncobj)

    return ret, fence  # kport: out-param


EXPORT_SYMBOL(drm_syncobj_find_fence)


def drm_syncobj_free(kref: kref) -> None:
    """The last reference is gone.

    drivers/gpu/drm/drm_syncobj.c:528-541, Linux 7.2.13
    """
    syncobj = container_of(kref, drm_syncobj, "refcount")

    drm_syncobj_replace_fence(syncobj, None)

    # kport: left-out
    kfree(syncobj)


EXPORT_SYMBOL(drm_syncobj_free)


def drm_syncobj_create(flags: int, fence: dma_fence | None) -> tuple[int, drm_syncobj | None]:
    """A new object with `fence` in it, or a signalled one: (0, object) or (-ENOMEM, None).

    drivers/gpu/drm/drm_syncobj.c:556-584, Linux 7.2.13
    """
    syncobj = kzalloc_obj(drm_syncobj)
    if not syncobj:
        return -ENOMEM, None  # kport: out-param

    kref_init(syncobj.refcount)
    INIT_LIST_HEAD(syncobj.cb_list)
    # kport: left-out
    spin_lock_init(syncobj.lock)

    if flags & DRM_SYNCOBJ_CREATE_SIGNALED:
        ret = drm_syncobj_assign_null_handle(syncobj)
        if ret < 0:
            drm_syncobj_put(syncobj)
            return ret, None  # kport: out-param

    if fence:
        drm_syncobj_replace_fence(syncobj, fence)

    out_syncobj = syncobj
    return 0, out_syncobj  # kport: out-param


EXPORT_SYMBOL(drm_syncobj_create)


def drm_syncobj_get_handle(file_private: drm_file, syncobj: drm_syncobj) -> tuple[int, int]:
    """A handle for the object, which gets a reference: (0, handle), or an error and 0.

    drivers/gpu/drm/drm_syncobj.c:598-612, Linux 7.2.13
    """
    drm_syncobj_get(syncobj)

    ret, handle = xa_alloc(  # kport: out-param
        file_private.syncobj_xa, syncobj, xa_limit_32b, GFP_KERNEL
    )
    if ret:
        drm_syncobj_put(syncobj)

    return ret, handle  # kport: out-param


EXPORT_SYMBOL(drm_syncobj_get_handle)


def drm_syncobj_create_as_handle(file_private: drm_file, flags: int) -> tuple[int, int]:
    """A new object known only by its handle: (0, handle), or an error and 0.

    drivers/gpu/drm/drm_syncobj.c:615-628, Linux 7.2.13
    """
    ret, syncobj = drm_syncobj_create(flags, None)  # kport: out-param
    if ret:
        return ret, 0  # kport: out-param

    ret, handle = drm_syncobj_get_handle(file_private, syncobj)  # kport: out-param
    drm_syncobj_put(syncobj)
    return ret, handle  # kport: out-param


def drm_syncobj_destroy(file_private: drm_file, handle: int) -> int:
    """Give a handle back: 0, or -EINVAL if there is none.

    drivers/gpu/drm/drm_syncobj.c:630-641, Linux 7.2.13
    """
    syncobj = xa_erase(file_private.syncobj_xa, handle)
    if not syncobj:
        return -EINVAL

    drm_syncobj_put(syncobj)
    return 0


def drm_syncobj_open(file_private: drm_file) -> None:
    """A file is opened.

    drivers/gpu/drm/drm_syncobj.c:798-802, Linux 7.2.13
    """
    xa_init_flags(file_private.syncobj_xa, XA_FLAGS_ALLOC1)


def drm_syncobj_release(file_private: drm_file) -> None:
    """A file is closed: its handles go.

    drivers/gpu/drm/drm_syncobj.c:812-821, Linux 7.2.13
    """
    for handle, syncobj in xa_for_each(file_private.syncobj_xa):
        drm_syncobj_put(syncobj)
    xa_destroy(file_private.syncobj_xa)


def syncobj_wait_fence_func(fence: dma_fence, cb: dma_fence_cb) -> None:
    """The fence a task waits for has signalled.

    drivers/gpu/drm/drm_syncobj.c:1004-1011, Linux 7.2.13
    """
    wait = container_of(cb, syncobj_wait_entry, "fence_cb")

    wake_up_process(wait.task)


def syncobj_wait_syncobj_func(syncobj: drm_syncobj, wait: syncobj_wait_entry) -> None:
    """The object has a new fence: give it to a waiter whose point it reaches. Locked.

    drivers/gpu/drm/drm_syncobj.c:1013-1033, Linux 7.2.13
    """
    fence = rcu_dereference_protected(syncobj, "fence", lockdep_is_held(syncobj.lock))
    dma_fence_get(fence)
    ret = -EINVAL  # kport: out-param
    if fence:  # kport: out-param
        ret, fence = dma_fence_chain_find_seqno(fence, wait.point)  # kport: out-param
    if ret:  # kport: out-param
        dma_fence_put(fence)
        return
    elif not fence:
        wait.fence = dma_fence_get_stub()
    else:
        wait.fence = fence

    wake_up_process(wait.task)
    list_del_init(wait.node)
