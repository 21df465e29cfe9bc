# SPDX-FileCopyrightText: 2012 Google, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/dma-buf/sync_debug.c and drivers/dma-buf/sync_debug.h,
# Linux 7.2.13, on 2026-11-21.
"""The timelines of sw_sync, and the two files in debugfs: `sync/sw_sync` and `sync/info`.

A fence finds its timeline by the lock it borrows from it, so the lock of a timeline knows what it
is embedded in, which other spin locks do not.
"""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import (
    DMA_FENCE_FLAG_TIMESTAMP_BIT,
    dma_fence,
    dma_fence_get_status_locked,
)
from kport.linux.bitops import test_bit
from kport.linux.debugfs import (
    DEFINE_SHOW_ATTRIBUTE,
    debugfs_create_dir,
    debugfs_create_file_unsafe,
    dentry,
)
from kport.linux.kref import kref
from kport.linux.ktime import ktime_t, ktime_to_timespec64
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add_tail,
    list_del,
    list_for_each,
    list_head,
)
from kport.linux.module import boot_data, late_initcall
from kport.linux.rbtree import rb_node, rb_root
from kport.linux.seq_file import seq_file, seq_printf, seq_putc, seq_puts
from kport.linux.spinlock import (
    spin_lock,
    spin_lock_init,
    spin_lock_irq,
    spin_lock_irqsave,
    spin_unlock,
    spin_unlock_irq,
    spin_unlock_irqrestore,
    spinlock_t,
)
from kport.linux.struct import container_of, struct
from kport.linux.types import u64

# -- drivers/dma-buf/sync_debug.h --------------------------------------------------------------


class embedded_spinlock(spinlock_t):
    """A spin lock that container_of() can start from."""

    __slots__ = ("_container", "_member")

    def __init__(self, _container: Any = None, _member: str | None = None) -> None:
        super().__init__()
        self._container = _container
        self._member = _member


class sync_timeline(struct):
    """A counter, and the fences that wait for it to reach their number."""

    kref: kref
    name: str
    context: u64
    value: int
    pt_tree: rb_root
    pt_list: list_head
    lock: embedded_spinlock
    sync_timeline_list: list_head


def dma_fence_parent(fence: dma_fence) -> sync_timeline:
    """The timeline of a fence of sw_sync.

    drivers/dma-buf/sync_debug.h:48-51, Linux 7.2.13
    """
    return container_of(fence.extern_lock, sync_timeline, "lock")


class sync_pt(struct):
    """A fence of a timeline; on its list and in its tree until it signals."""

    base: dma_fence
    link: list_head
    node: rb_node
    deadline: ktime_t


# -- drivers/dma-buf/sync_debug.c --------------------------------------------------------------

dbgfs: dentry | None = None

sync_timeline_list_head = list_head()
sync_timeline_list_lock = spinlock_t()


@boot_data
def _reset_timelines() -> None:
    INIT_LIST_HEAD(sync_timeline_list_head)
    spin_lock_init(sync_timeline_list_lock)


def sync_timeline_debug_add(obj: sync_timeline) -> None:
    """Show a timeline.

    drivers/dma-buf/sync_debug.c:16-23, Linux 7.2.13
    """
    flags = spin_lock_irqsave(sync_timeline_list_lock)
    list_add_tail(obj.sync_timeline_list, sync_timeline_list_head)
    spin_unlock_irqrestore(sync_timeline_list_lock, flags)


def sync_timeline_debug_remove(obj: sync_timeline) -> None:
    """Show a timeline no longer.

    drivers/dma-buf/sync_debug.c:25-32, Linux 7.2.13
    """
    flags = spin_lock_irqsave(sync_timeline_list_lock)
    list_del(obj.sync_timeline_list)
    spin_unlock_irqrestore(sync_timeline_list_lock, flags)


def sync_status_str(status: int) -> str:
    """The word for a fence's status.

    drivers/dma-buf/sync_debug.c:34-43, Linux 7.2.13
    """
    if status < 0:
        return "error"

    if status > 0:
        return "signaled"

    return "active"


def sync_print_fence(s: seq_file, fence: dma_fence, show: bool) -> None:
    """A line about a fence; the timeline is locked.

    drivers/dma-buf/sync_debug.c:45-68, Linux 7.2.13
    """
    parent = dma_fence_parent(fence)

    status = dma_fence_get_status_locked(fence)

    seq_printf(
        s,
        "  %s%sfence %s",
        parent.name if show else "",
        "_" if show else "",
        sync_status_str(status),
    )

    if test_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, fence.flags):
        ts64 = ktime_to_timespec64(fence.timestamp)

        seq_printf(s, "@%lld.%09ld", ts64.tv_sec, ts64.tv_nsec)  # kport: string

    seq_printf(s, ": %lld", fence.seqno)
    seq_printf(s, " / %d", parent.value)
    seq_putc(s, "\n")


def sync_print_obj(s: seq_file, obj: sync_timeline) -> None:
    """A timeline and its fences; interrupts are off.

    drivers/dma-buf/sync_debug.c:70-82, Linux 7.2.13
    """
    seq_printf(s, "%s: %d\n", obj.name, obj.value)

    spin_lock(obj.lock)
    for pos in list_for_each(obj.pt_list):
        pt = container_of(pos, sync_pt, "link")
        sync_print_fence(s, pt.base, False)
    spin_unlock(obj.lock)


def sync_info_debugfs_show(s: seq_file, unused: Any) -> int:
    """The content of `sync/info`.

    drivers/dma-buf/sync_debug.c:84-104, Linux 7.2.13
    """
    seq_puts(s, "objs:\n--------------\n")

    spin_lock_irq(sync_timeline_list_lock)
    for pos in list_for_each(sync_timeline_list_head):
        obj = container_of(pos, sync_timeline, "sync_timeline_list")

        sync_print_obj(s, obj)
        seq_putc(s, "\n")
    spin_unlock_irq(sync_timeline_list_lock)

    seq_puts(s, "fences:\n--------------\n")

    return 0


sync_info_debugfs_fops = DEFINE_SHOW_ATTRIBUTE(sync_info_debugfs_show)


def sync_debugfs_init() -> int:
    """Make the files.

    drivers/dma-buf/sync_debug.c:108-123, Linux 7.2.13
    """
    global dbgfs
    dbgfs = debugfs_create_dir("sync", None)

    debugfs_create_file_unsafe("info", 0o444, dbgfs, None, sync_info_debugfs_fops)
    debugfs_create_file_unsafe("sw_sync", 0o644, dbgfs, None, sw_sync_debugfs_fops)

    return 0


late_initcall(sync_debugfs_init)

# extern
from kport.dma_buf.sw_sync import sw_sync_debugfs_fops
