# SPDX-FileCopyrightText: 2012 Google, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/dma-buf/sync_file.c, include/linux/sync_file.h and
# include/uapi/linux/sync_file.h, Linux 7.2.13, on 2026-11-21.
"""Sync files: a fence as a file descriptor, for programs to wait for, merge and ask about.

A name of 32 characters is a str of at most 31. The array of sync_fence_info that a program gives is
a list. Config: DEBUG_FS.
"""

from __future__ import annotations

from typing import Any

from kport.arch.asm import rcu_read_lock, rcu_read_unlock
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_driver_name,
    dma_fence_get,
    dma_fence_get_status,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_remove_callback,
    dma_fence_set_deadline,
    dma_fence_timeline_name,
    dma_fence_timestamp,
)
from kport.dma_buf.dma_fence_unwrap import (
    dma_fence_unwrap,
    dma_fence_unwrap_for_each,
    dma_fence_unwrap_merge,
)
from kport.linux.bitops import bitmap, test_and_set_bit, test_bit
from kport.linux.cleanup import goto, labels
from kport.linux.err import EFAULT, EINVAL, ENOENT, ENOMEM, ENOTTY, IS_ERR
from kport.linux.file import fd_install, fget, get_unused_fd_flags, put_unused_fd
from kport.linux.fs import (
    O_CLOEXEC,
    anon_inode_getfile,
    compat_ptr_ioctl,
    file,
    file_operations,
    fput,
    inode,
)
from kport.linux.ioctl import _IOW, _IOWR
from kport.linux.ktime import ktime_set, ktime_to_ns, ns_to_ktime
from kport.linux.list import INIT_LIST_HEAD, list_empty, list_head
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.poll import EPOLLIN, poll_table, poll_wait
from kport.linux.slab import kfree, kzalloc_obj, kzalloc_objs
from kport.linux.struct import container_of, sizeof, struct
from kport.linux.uaccess import copy_from_user, copy_to_user, u64_to_user_ptr
from kport.linux.vsprintf import sprintf
from kport.linux.wait import init_waitqueue_head, wait_queue_head_t, wake_up_all

# -- include/uapi/linux/sync_file.h ------------------------------------------------------------


class sync_merge_data(struct):
    """Merge with the sync file `fd2`; `fence` returns the descriptor of the new one."""

    name: str
    fd2: int
    fence: int
    flags: int
    pad: int


class sync_fence_info(struct):
    """A fence: `status` 0 active, 1 signalled, negative an error; when that came, in ns."""

    obj_name: str
    driver_name: str
    status: int
    flags: int
    timestamp_ns: int


class struct_sync_file_info(struct):
    """A sync file; `sync_fence_info` is the program's array of `num_fences`, or both are 0.

    In C it is struct sync_file_info; the selftest has a function that is called so.
    """

    name: str
    status: int
    flags: int
    num_fences: int
    pad: int
    sync_fence_info: Any


class sync_set_deadline(struct):
    """When the fence is wanted, in ns since boot; a hint."""

    deadline_ns: int
    pad: int


SYNC_IOC_MAGIC = ">"



class sync_ioc:
    """The ioctls; a class, because a case needs a dotted name."""

    SYNC_IOC_MERGE = _IOWR(SYNC_IOC_MAGIC, 3, 48)
    SYNC_IOC_FILE_INFO = _IOWR(SYNC_IOC_MAGIC, 4, 56)
    SYNC_IOC_SET_DEADLINE = _IOW(SYNC_IOC_MAGIC, 5, 16)


SYNC_IOC_MERGE = sync_ioc.SYNC_IOC_MERGE
SYNC_IOC_FILE_INFO = sync_ioc.SYNC_IOC_FILE_INFO
SYNC_IOC_SET_DEADLINE = sync_ioc.SYNC_IOC_SET_DEADLINE

# -- include/linux/sync_file.h -----------------------------------------------------------------

_NAME = 32  # the size of the names in bytes


class sync_file(struct):
    """A fence with a file; `user_name` is empty unless it was made by a merge."""

    file: file | None
    user_name: str
    sync_file_list: list_head
    wq: wait_queue_head_t
    flags: bitmap
    fence: dma_fence | None
    cb: dma_fence_cb


POLL_ENABLED = 0

# -- drivers/dma-buf/sync_file.c ---------------------------------------------------------------


def sync_file_alloc() -> sync_file | None:
    """A sync file without a fence, or NULL.

    drivers/dma-buf/sync_file.c:23-45, Linux 7.2.13
    """
    sync_file = kzalloc_obj(_sync_file)  # kport: model
    if not sync_file:
        return None

    with labels("err"):
        sync_file.file = anon_inode_getfile("sync_file", sync_file_fops, sync_file, 0)
        if IS_ERR(sync_file.file):
            raise goto("err")

        init_waitqueue_head(sync_file.wq)

        INIT_LIST_HEAD(sync_file.cb.node)

        return sync_file

    kfree(sync_file)
    return None


def fence_check_cb_func(f: dma_fence, cb: dma_fence_cb) -> None:
    """The fence has signalled: wake who polls.

    drivers/dma-buf/sync_file.c:47-54, Linux 7.2.13
    """
    sync_file = container_of(cb, _sync_file, "cb")  # kport: model

    wake_up_all(sync_file.wq)


def sync_file_create(fence: dma_fence) -> sync_file | None:
    """A new sync file with a reference to the fence, or NULL; fput(sync_file.file) ends it.

    drivers/dma-buf/sync_file.c:65-76, Linux 7.2.13
    """
    sync_file = sync_file_alloc()
    if not sync_file:
        return None

    sync_file.fence = dma_fence_get(fence)

    return sync_file


EXPORT_SYMBOL(sync_file_create)


def sync_file_fdget(fd: int) -> sync_file | None:
    """The sync file of a descriptor with a reference to its file, or NULL if it is none.

    drivers/dma-buf/sync_file.c:79-94, Linux 7.2.13
    """
    file = fget(fd)

    if not file:
        return None

    with labels("err"):
        if file.f_op is not sync_file_fops:
            raise goto("err")

        return file.private_data

    fput(file)
    return None


def sync_file_get_fence(fd: int) -> dma_fence | None:
    """A reference to the fence of a descriptor, or NULL if that is no sync file.

    drivers/dma-buf/sync_file.c:103-116, Linux 7.2.13
    """
    sync_file = sync_file_fdget(fd)
    if not sync_file:
        return None

    fence = dma_fence_get(sync_file.fence)
    fput(sync_file.file)

    return fence


EXPORT_SYMBOL(sync_file_get_fence)


def sync_file_get_name(sync_file: sync_file, buf: str, len: int) -> str:
    """The name: what the merge said, or made from the fence; at most `len` - 1 characters.

    drivers/dma-buf/sync_file.c:132-153, Linux 7.2.13
    """
    if sync_file.user_name:  # kport: string
        buf = sync_file.user_name[: len - 1]  # kport: string
    else:
        fence = sync_file.fence

        rcu_read_lock()
        driver = dma_fence_driver_name(fence)
        timeline = dma_fence_timeline_name(fence)
        buf = sprintf(  # kport: string
            "%s-%s%llu-%lld",
            driver,
            timeline,
            fence.context,
            fence.seqno,
        )[: len - 1]
        rcu_read_unlock()

    return buf


def sync_file_merge(name: str, a: sync_file, b: sync_file) -> sync_file | None:
    """A new sync file called `name` that signals when both have, or NULL.

    drivers/dma-buf/sync_file.c:165-183, Linux 7.2.13
    """
    sync_file = sync_file_alloc()
    if not sync_file:
        return None

    fence = dma_fence_unwrap_merge(a.fence, b.fence)
    if not fence:
        fput(sync_file.file)
        return None
    sync_file.fence = fence
    sync_file.user_name = name[: _NAME - 1]  # kport: string
    return sync_file


def sync_file_release(inode: inode | None, file: file) -> int:
    """The last reference to the file is gone.

    drivers/dma-buf/sync_file.c:185-195, Linux 7.2.13
    """
    sync_file = file.private_data

    if test_bit(POLL_ENABLED, sync_file.flags):
        dma_fence_remove_callback(sync_file.fence, sync_file.cb)
    dma_fence_put(sync_file.fence)
    kfree(sync_file)

    return 0


def sync_file_poll(file: file, wait: poll_table) -> int:
    """EPOLLIN once the fence has signalled.

    drivers/dma-buf/sync_file.c:197-211, Linux 7.2.13
    """
    sync_file = file.private_data

    poll_wait(file, sync_file.wq, wait)

    if list_empty(sync_file.cb.node) and not test_and_set_bit(POLL_ENABLED, sync_file.flags):
        if dma_fence_add_callback(sync_file.fence, sync_file.cb, fence_check_cb_func) < 0:
            wake_up_all(sync_file.wq)

    return EPOLLIN if dma_fence_is_signaled(sync_file.fence) else 0


def sync_file_ioctl_merge(sync_file: sync_file, arg: Any) -> int:
    """Merge with another sync file into a new one.

    Returns 0, -EMFILE, -EFAULT, -EINVAL for flags, -ENOENT if `fd2` is no sync file, or -ENOMEM.

    drivers/dma-buf/sync_file.c:213-266, Linux 7.2.13
    """
    fd = get_unused_fd_flags(O_CLOEXEC)
    data = sync_merge_data()

    if fd < 0:
        return fd

    with labels("err_put_fence3", "err_put_fence2", "err_put_fd") as label:
        if copy_from_user(data, arg, sizeof(data)):
            err = -EFAULT
            raise goto("err_put_fd")

        if data.flags or data.pad:
            err = -EINVAL
            raise goto("err_put_fd")

        fence2 = sync_file_fdget(data.fd2)
        if not fence2:
            err = -ENOENT
            raise goto("err_put_fd")

        data.name = data.name[: _NAME - 1]  # kport: string
        fence3 = sync_file_merge(data.name, sync_file, fence2)
        if not fence3:
            err = -ENOMEM
            raise goto("err_put_fence2")

        data.fence = fd
        if copy_to_user(arg, data, sizeof(data)):
            err = -EFAULT
            raise goto("err_put_fence3")

        fd_install(fd, fence3.file)
        fput(fence2.file)
        return 0

    if label("err_put_fence3"):
        fput(fence3.file)

    if label("err_put_fence2"):
        fput(fence2.file)

    if label("err_put_fd"):
        put_unused_fd(fd)
    return err


def sync_fill_fence_info(fence: dma_fence, info: sync_fence_info) -> int:
    """Describe a fence; returns its status.

    drivers/dma-buf/sync_file.c:268-293, Linux 7.2.13
    """
    rcu_read_lock()

    driver = dma_fence_driver_name(fence)
    timeline = dma_fence_timeline_name(fence)

    info.obj_name = timeline[: _NAME - 1]  # kport: string
    info.driver_name = driver[: _NAME - 1]  # kport: string

    info.status = dma_fence_get_status(fence)
    info.timestamp_ns = (
        ktime_to_ns(dma_fence_timestamp(fence))
        if dma_fence_is_signaled(fence)
        else ktime_set(0, 0)
    )

    rcu_read_unlock()

    return info.status


def sync_file_ioctl_fence_info(sync_file: sync_file, arg: Any) -> int:
    """Describe the sync file, and each fence if the program has room for them; else their number.

    Returns 0, -EFAULT, -EINVAL for flags and for too little room, or -ENOMEM.

    drivers/dma-buf/sync_file.c:295-364, Linux 7.2.13
    """
    fence_info = None
    iter = dma_fence_unwrap()
    info = struct_sync_file_info()

    if copy_from_user(info, arg, sizeof(info)):
        return -EFAULT

    if info.flags or info.pad:
        return -EINVAL

    num_fences = 0
    for fence in dma_fence_unwrap_for_each(iter, sync_file.fence):
        num_fences += 1

    with labels("no_fences", "out") as label:
        if not info.num_fences:
            info.status = dma_fence_get_status(sync_file.fence)
            raise goto("no_fences")
        else:
            info.status = 1

        if info.num_fences < num_fences:
            return -EINVAL

        size = num_fences * sizeof(sync_fence_info)  # kport: model
        fence_info = kzalloc_objs(sync_fence_info, num_fences)  # kport: model
        if not fence_info:
            return -ENOMEM

        num_fences = 0
        for fence in dma_fence_unwrap_for_each(iter, sync_file.fence):
            status = sync_fill_fence_info(fence, fence_info[num_fences])
            num_fences += 1  # kport: side-effect
            info.status = info.status if info.status <= 0 else status

        if copy_to_user(u64_to_user_ptr(info.sync_fence_info), fence_info, size):
            ret = -EFAULT
            raise goto("out")

    if label("no_fences"):
        info.name = sync_file_get_name(sync_file, info.name, _NAME)  # kport: string
        info.num_fences = num_fences

        if copy_to_user(arg, info, sizeof(info)):
            ret = -EFAULT
        else:
            ret = 0

    if label("out"):
        kfree(fence_info)

    return ret


def sync_file_ioctl_set_deadline(sync_file: sync_file, arg: Any) -> int:
    """Tell the issuer when the fence is wanted: 0, -EFAULT, or -EINVAL.

    drivers/dma-buf/sync_file.c:366-380, Linux 7.2.13
    """
    ts = sync_set_deadline()

    if copy_from_user(ts, arg, sizeof(ts)):
        return -EFAULT

    if ts.pad:
        return -EINVAL

    dma_fence_set_deadline(sync_file.fence, ns_to_ktime(ts.deadline_ns))

    return 0


def sync_file_ioctl(file: file, cmd: int, arg: Any) -> int:
    """The ioctls of a sync file; -ENOTTY for any other.

    drivers/dma-buf/sync_file.c:382-400, Linux 7.2.13
    """
    sync_file = file.private_data

    match cmd:
        case sync_ioc.SYNC_IOC_MERGE:
            return sync_file_ioctl_merge(sync_file, arg)

        case sync_ioc.SYNC_IOC_FILE_INFO:
            return sync_file_ioctl_fence_info(sync_file, arg)

        case sync_ioc.SYNC_IOC_SET_DEADLINE:
            return sync_file_ioctl_set_deadline(sync_file, arg)

        case _:
            return -ENOTTY


sync_file_fops = file_operations(
    release=sync_file_release,
    poll=sync_file_poll,
    unlocked_ioctl=sync_file_ioctl,
    compat_ioctl=compat_ptr_ioctl,
)

_sync_file = sync_file  # inside the functions the name is a local's, as in C
