# SPDX-FileCopyrightText: 2012 Google, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/dma-buf/sw_sync.c, Linux 7.2.13, on 2026-11-21.
"""Fences that a program signals: timelines behind file descriptors, for tests.

Opening /sys/kernel/debug/sync/sw_sync makes a timeline at 0. Its ioctls make a fence (a sync file)
for a number, and move the timeline on, which signals the fences up to there. Closing it signals
what is left with -ENOENT. A u32 that a program passes by address is a list of one number.
"""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import (
    DMA_FENCE_FLAG_USER_BITS,
    __dma_fence_is_later,
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_free,
    dma_fence_get,
    dma_fence_get_rcu,
    dma_fence_init,
    dma_fence_is_signaled_locked,
    dma_fence_lock_irqsave,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal_locked,
    dma_fence_unlock_irqrestore,
)
from kport.dma_buf.sync_file import sync_file_create, sync_file_get_fence
from kport.dma_buf.sync_trace import trace_sync_timeline
from kport.linux.bitops import __set_bit, test_bit
from kport.linux.cleanup import goto, labels
from kport.linux.err import EFAULT, EINVAL, ENOENT, ENOMEM, ENOTTY
from kport.linux.file import fd_install, get_unused_fd_flags, put_unused_fd
from kport.linux.fs import O_CLOEXEC, compat_ptr_ioctl, file, file_operations, fput, inode
from kport.linux.ioctl import _IOW, _IOWR
from kport.linux.kref import kref, kref_get, kref_init, kref_put
from kport.linux.ktime import ktime_before, ktime_t, ktime_to_ns
from kport.linux.list import (
    INIT_LIST_HEAD,
    LIST_HEAD,
    list_add_tail,
    list_del,
    list_del_init,
    list_empty,
    list_for_each_entry_safe,
    list_move_tail,
)
from kport.linux.panic import LOCKDEP_STILL_OK, TAINT_SOFTLOCKUP, add_taint
from kport.linux.rbtree import rb_entry, rb_erase, rb_insert_color, rb_link_node, rb_next
from kport.linux.sched import current, get_task_comm
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock_init, spin_lock_irq, spin_unlock_irq
from kport.linux.struct import container_of, sizeof, struct
from kport.linux.types import INT_MAX, s32
from kport.linux.uaccess import copy_from_user, copy_to_user

_NAME = 32  # the size of the names in bytes


class sw_sync_create_fence_data(struct):
    """Make a fence for `value`; `fence` returns the descriptor of its sync file."""

    value: int
    name: str
    fence: int


class sw_sync_get_deadline(struct):
    """Ask for the earliest deadline of the fence `fence_fd`, in ns since boot."""

    deadline_ns: int
    pad: int
    fence_fd: int


SW_SYNC_IOC_MAGIC = "W"


class sw_sync_ioc:
    """The ioctls; a class, because a case needs a dotted name."""

    SW_SYNC_IOC_CREATE_FENCE = _IOWR(SW_SYNC_IOC_MAGIC, 0, 40)
    SW_SYNC_IOC_INC = _IOW(SW_SYNC_IOC_MAGIC, 1, 4)
    SW_SYNC_GET_DEADLINE = _IOWR(SW_SYNC_IOC_MAGIC, 2, 16)


SW_SYNC_IOC_CREATE_FENCE = sw_sync_ioc.SW_SYNC_IOC_CREATE_FENCE
SW_SYNC_IOC_INC = sw_sync_ioc.SW_SYNC_IOC_INC
SW_SYNC_GET_DEADLINE = sw_sync_ioc.SW_SYNC_GET_DEADLINE

SW_SYNC_HAS_DEADLINE_BIT = DMA_FENCE_FLAG_USER_BITS


def dma_fence_to_sync_pt(fence: dma_fence) -> sync_pt | None:
    """The fence of sw_sync that a fence is, or NULL.

    drivers/dma-buf/sw_sync.c:86-91, Linux 7.2.13
    """
    if fence.ops is not timeline_fence_ops:
        return None
    return container_of(fence, sync_pt, "base")


def sync_timeline_create(name: str) -> sync_timeline | None:
    """A new timeline at 0, or NULL.

    drivers/dma-buf/sw_sync.c:100-119, Linux 7.2.13
    """
    obj = kzalloc_obj(sync_timeline)
    if not obj:
        return None

    kref_init(obj.kref)
    obj.context = dma_fence_context_alloc(1)
    obj.name = name[: _NAME - 1]  # kport: string

    obj.pt_tree.rb_node = None  # kport: initialiser
    INIT_LIST_HEAD(obj.pt_list)
    spin_lock_init(obj.lock)

    sync_timeline_debug_add(obj)

    return obj


def sync_timeline_free(kref: kref) -> None:
    """The last reference is gone.

    drivers/dma-buf/sw_sync.c:121-129, Linux 7.2.13
    """
    obj = container_of(kref, sync_timeline, "kref")

    sync_timeline_debug_remove(obj)

    kfree(obj)


def sync_timeline_get(obj: sync_timeline) -> None:
    """Take a reference.

    drivers/dma-buf/sw_sync.c:131-134, Linux 7.2.13
    """
    kref_get(obj.kref)


def sync_timeline_put(obj: sync_timeline) -> None:
    """Drop a reference.

    drivers/dma-buf/sw_sync.c:136-139, Linux 7.2.13
    """
    kref_put(obj.kref, sync_timeline_free)


def timeline_fence_get_driver_name(fence: dma_fence) -> str:
    """The driver's name.

    drivers/dma-buf/sw_sync.c:141-144, Linux 7.2.13
    """
    return "sw_sync"


def timeline_fence_get_timeline_name(fence: dma_fence) -> str:
    """The timeline's name: the task that opened it.

    drivers/dma-buf/sw_sync.c:146-151, Linux 7.2.13
    """
    parent = dma_fence_parent(fence)

    return parent.name


def timeline_fence_release(fence: dma_fence) -> None:
    """The last reference is gone, of a fence that may never have signalled.

    drivers/dma-buf/sw_sync.c:153-168, Linux 7.2.13
    """
    pt = dma_fence_to_sync_pt(fence)
    parent = dma_fence_parent(fence)

    flags = dma_fence_lock_irqsave(fence)
    if not list_empty(pt.link):
        list_del(pt.link)
        rb_erase(pt.node, parent.pt_tree)
    dma_fence_unlock_irqrestore(fence, flags)

    sync_timeline_put(parent)
    dma_fence_free(fence)


def timeline_fence_signaled(fence: dma_fence) -> bool:
    """True if the timeline has reached the fence.

    drivers/dma-buf/sw_sync.c:170-175, Linux 7.2.13
    """
    parent = dma_fence_parent(fence)

    return not __dma_fence_is_later(fence, fence.seqno, parent.value)


def timeline_fence_set_deadline(fence: dma_fence, deadline: ktime_t) -> None:
    """Keep the earliest deadline.

    drivers/dma-buf/sw_sync.c:177-191, Linux 7.2.13
    """
    pt = dma_fence_to_sync_pt(fence)

    flags = dma_fence_lock_irqsave(fence)
    if test_bit(SW_SYNC_HAS_DEADLINE_BIT, fence.flags):
        if ktime_before(deadline, pt.deadline):
            pt.deadline = deadline
    else:
        pt.deadline = deadline
        __set_bit(SW_SYNC_HAS_DEADLINE_BIT, fence.flags)
    dma_fence_unlock_irqrestore(fence, flags)


timeline_fence_ops = dma_fence_ops(
    get_driver_name=timeline_fence_get_driver_name,
    get_timeline_name=timeline_fence_get_timeline_name,
    signaled=timeline_fence_signaled,
    release=timeline_fence_release,
    set_deadline=timeline_fence_set_deadline,
)


def sync_timeline_signal(obj: sync_timeline, inc: int) -> None:
    """Move the timeline on by `inc` and signal the fences it has reached.

    drivers/dma-buf/sw_sync.c:209-238, Linux 7.2.13
    """
    signalled = LIST_HEAD()

    trace_sync_timeline(obj)

    spin_lock_irq(obj.lock)

    obj.value = s32(obj.value + inc)  # kport: wrap

    for pt, next in list_for_each_entry_safe(obj.pt_list, sync_pt, "link"):
        if not timeline_fence_signaled(pt.base):
            break

        dma_fence_get(pt.base)

        list_move_tail(pt.link, signalled)
        rb_erase(pt.node, obj.pt_tree)

        dma_fence_signal_locked(pt.base)

    spin_unlock_irq(obj.lock)

    for pt, next in list_for_each_entry_safe(signalled, sync_pt, "link"):
        list_del_init(pt.link)
        dma_fence_put(pt.base)


def sync_pt_create(obj: sync_timeline, value: int) -> sync_pt | None:
    """A fence for `value`: a new one, or the one that is waiting for it already; or NULL.

    drivers/dma-buf/sw_sync.c:250-301, Linux 7.2.13
    """
    pt = kzalloc_obj(sync_pt)
    if not pt:
        return None

    sync_timeline_get(obj)
    dma_fence_init(pt.base, timeline_fence_ops, obj.lock, obj.context, value)
    INIT_LIST_HEAD(pt.link)

    with labels("unlock"):
        spin_lock_irq(obj.lock)
        if not dma_fence_is_signaled_locked(pt.base):
            p: tuple[Any, str] = (obj.pt_tree, "rb_node")  # kport: pointer-to-pointer
            parent = None

            while getattr(*p):  # kport: pointer-to-pointer
                parent = getattr(*p)  # kport: pointer-to-pointer
                other = rb_entry(parent, sync_pt, "node")
                cmp = s32(value - other.base.seqno)  # kport: implicit-cast
                if cmp > 0:
                    p = (parent, "rb_right")  # kport: pointer-to-pointer
                elif cmp < 0:
                    p = (parent, "rb_left")  # kport: pointer-to-pointer
                else:
                    if dma_fence_get_rcu(other.base):
                        sync_timeline_put(obj)
                        kfree(pt)
                        pt = other
                        raise goto("unlock")
                    p = (parent, "rb_left")  # kport: pointer-to-pointer
            rb_link_node(pt.node, parent, p)
            rb_insert_color(pt.node, obj.pt_tree)

            parent = rb_next(pt.node)
            list_add_tail(
                pt.link, rb_entry(parent, sync_pt, "node").link if parent else obj.pt_list
            )
    spin_unlock_irq(obj.lock)

    return pt


def sw_sync_debugfs_open(inode: inode, file: file) -> int:
    """A new timeline, with the name of the task: 0 or -ENOMEM.

    drivers/dma-buf/sw_sync.c:310-324, Linux 7.2.13
    """
    task_comm = get_task_comm(current())  # kport: string

    obj = sync_timeline_create(task_comm)
    if not obj:
        return -ENOMEM

    file.private_data = obj

    return 0


def sw_sync_debugfs_release(inode: inode | None, file: file) -> int:
    """The timeline will not move any more: signal its fences with -ENOENT.

    drivers/dma-buf/sw_sync.c:326-342, Linux 7.2.13
    """
    obj = file.private_data

    spin_lock_irq(obj.lock)

    for pt, next in list_for_each_entry_safe(obj.pt_list, sync_pt, "link"):
        dma_fence_set_error(pt.base, -ENOENT)
        dma_fence_signal_locked(pt.base)

    spin_unlock_irq(obj.lock)

    sync_timeline_put(obj)
    return 0


def sw_sync_ioctl_create_fence(obj: sync_timeline, arg: Any) -> int:
    """Make a fence and its sync file: 0, -EMFILE, -EFAULT or -ENOMEM.

    drivers/dma-buf/sw_sync.c:344-391, Linux 7.2.13
    """
    fd = get_unused_fd_flags(O_CLOEXEC)
    data = sw_sync_create_fence_data()

    add_taint(TAINT_SOFTLOCKUP, LOCKDEP_STILL_OK)

    if fd < 0:
        return fd

    with labels("err"):
        if copy_from_user(data, arg, sizeof(data)):
            err = -EFAULT
            raise goto("err")

        pt = sync_pt_create(obj, data.value)
        if not pt:
            err = -ENOMEM
            raise goto("err")

        sync_file = sync_file_create(pt.base)
        dma_fence_put(pt.base)
        if not sync_file:
            err = -ENOMEM
            raise goto("err")

        data.fence = fd
        if copy_to_user(arg, data, sizeof(data)):
            fput(sync_file.file)
            err = -EFAULT
            raise goto("err")

        fd_install(fd, sync_file.file)

        return 0

    put_unused_fd(fd)
    return err


def sw_sync_ioctl_inc(obj: sync_timeline, arg: Any) -> int:
    """Move the timeline on: 0 or -EFAULT.

    drivers/dma-buf/sw_sync.c:393-408, Linux 7.2.13
    """
    cell = [0]  # kport: addressed

    if copy_from_user(cell, arg, 4):  # kport: addressed
        return -EFAULT

    value = cell[0]  # kport: addressed
    while value > INT_MAX:
        sync_timeline_signal(obj, INT_MAX)
        value -= INT_MAX

    sync_timeline_signal(obj, value)

    return 0


def sw_sync_ioctl_get_deadline(obj: sync_timeline, arg: Any) -> int:
    """The deadline of a fence: 0, -EFAULT, -EINVAL, or -ENOENT if it has none.

    drivers/dma-buf/sw_sync.c:410-458, Linux 7.2.13
    """
    data = sw_sync_get_deadline()
    ret = 0

    if copy_from_user(data, arg, sizeof(data)):
        return -EFAULT

    if data.deadline_ns or data.pad:
        return -EINVAL

    fence = sync_file_get_fence(data.fence_fd)
    if not fence:
        return -EINVAL

    with labels("unlock", "put_fence") as label:
        pt = dma_fence_to_sync_pt(fence)
        if not pt:
            ret = -EINVAL
            raise goto("put_fence")

        flags = dma_fence_lock_irqsave(fence)
        if not test_bit(SW_SYNC_HAS_DEADLINE_BIT, fence.flags):
            ret = -ENOENT
            raise goto("unlock")
        data.deadline_ns = ktime_to_ns(pt.deadline)
        dma_fence_unlock_irqrestore(fence, flags)

        dma_fence_put(fence)

        if ret:
            return ret

        if copy_to_user(arg, data, sizeof(data)):
            return -EFAULT

        return 0

    if label("unlock"):
        dma_fence_unlock_irqrestore(fence, flags)
    if label("put_fence"):
        dma_fence_put(fence)

    return ret


def sw_sync_ioctl(file: file, cmd: int, arg: Any) -> int:
    """The ioctls of a timeline; -ENOTTY for any other.

    drivers/dma-buf/sw_sync.c:460-478, Linux 7.2.13
    """
    obj = file.private_data

    match cmd:
        case sw_sync_ioc.SW_SYNC_IOC_CREATE_FENCE:
            return sw_sync_ioctl_create_fence(obj, arg)

        case sw_sync_ioc.SW_SYNC_IOC_INC:
            return sw_sync_ioctl_inc(obj, arg)

        case sw_sync_ioc.SW_SYNC_GET_DEADLINE:
            return sw_sync_ioctl_get_deadline(obj, arg)

        case _:
            return -ENOTTY


sw_sync_debugfs_fops = file_operations(
    open=sw_sync_debugfs_open,
    release=sw_sync_debugfs_release,
    unlocked_ioctl=sw_sync_ioctl,
    compat_ioctl=compat_ptr_ioctl,
)

# extern
from kport.dma_buf.sync_debug import (
    dma_fence_parent,
    sync_pt,
    sync_timeline,
    sync_timeline_debug_add,
    sync_timeline_debug_remove,
)
