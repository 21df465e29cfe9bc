# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/drm_exec.c and include/drm/drm_exec.h,
# Linux 7.2.13, on 2026-11-20.
"""Locking several buffers in any order: begin again, with the contended one first, until all are.

    drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0)
    for _ in drm_exec_until_all_locked(exec):
        ret = drm_exec_prepare_obj(exec, a, 1)
        if drm_exec_retry_on_contention(exec):
            continue
        ...
    drm_exec_fini(exec)

The loop macro is a generator. The macro that jumps back to its head cannot jump here: it says that
the loop must go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kport.dma_buf.dma_resv import (
    dma_resv_lock,
    dma_resv_lock_interruptible,
    dma_resv_lock_slow,
    dma_resv_lock_slow_interruptible,
    dma_resv_reserve_fences,
    dma_resv_unlock,
    reservation_ww_class,
)
from kport.drm.drm_gem import drm_gem_object, drm_gem_object_get, drm_gem_object_put
from kport.linux.cleanup import goto, labels
from kport.linux.err import EALREADY, EDEADLK, ENOMEM
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.page import PAGE_SIZE
from kport.linux.slab import GFP_KERNEL, kvfree, kvmalloc_array, kvrealloc, pointer
from kport.linux.struct import sizeof, struct
from kport.linux.types import BIT, u32, unsigned_long
from kport.linux.ww_mutex import ww_acquire_ctx, ww_acquire_done, ww_acquire_fini, ww_acquire_init

DRM_EXEC_INTERRUPTIBLE_WAIT = BIT(0)
DRM_EXEC_IGNORE_DUPLICATES = BIT(1)

# A pointer that no object has: the loop has not begun yet.
DRM_EXEC_DUMMY: Any = object()


class drm_exec(struct):
    """Buffers that are locked together.

    `contended` is the one that made the round fail, `prelocked` is locked and not yet asked for;
    both hold a reference.
    """

    flags: u32
    ticket: ww_acquire_ctx
    num_objects: int
    max_objects: int
    objects: list[drm_gem_object]
    contended: drm_gem_object | None
    prelocked: drm_gem_object | None


def drm_exec_obj(exec: drm_exec, index: int) -> drm_gem_object | None:
    """The locked buffer of an index, or NULL.

    include/drm/drm_exec.h:68-72, Linux 7.2.13
    """
    return exec.objects[index] if index < exec.num_objects else None


def drm_exec_for_each_locked_object(exec: drm_exec) -> Iterator[drm_gem_object]:
    """Each locked buffer, in the order of locking.

    include/drm/drm_exec.h:86-87, Linux 7.2.13
    """
    index = 0  # kport: generator
    while obj := drm_exec_obj(exec, index):  # kport: generator
        yield obj  # kport: generator
        index += 1  # kport: generator


def drm_exec_for_each_locked_object_reverse(exec: drm_exec) -> Iterator[drm_gem_object]:
    """Each locked buffer, the last one first; the index wraps at the end.

    include/drm/drm_exec.h:103-105, Linux 7.2.13
    """
    index = unsigned_long(exec.num_objects - 1)  # kport: generator
    while obj := drm_exec_obj(exec, index):  # kport: generator
        yield obj  # kport: generator
        index = unsigned_long(index - 1)  # kport: generator


def drm_exec_until_all_locked(exec: drm_exec) -> Iterator[None]:
    """One round after the other until none has met a contention.

    include/drm/drm_exec.h:119-125, Linux 7.2.13
    """
    # kport: annotation
    while drm_exec_cleanup(exec):
        yield  # kport: generator


def drm_exec_retry_on_contention(exec: drm_exec) -> bool:
    """True if the round must begin again: `if drm_exec_retry_on_contention(exec): continue`.

    include/drm/drm_exec.h:136-140, Linux 7.2.13
    """
    return drm_exec_is_contended(exec)  # kport: generator


def drm_exec_is_contended(exec: drm_exec) -> bool:
    """True after a contention.

    include/drm/drm_exec.h:149-152, Linux 7.2.13
    """
    return bool(exec.contended)


def drm_exec_ticket(exec: drm_exec) -> ww_acquire_ctx:
    """The context that the locks are taken with.

    include/drm/drm_exec.h:175-178, Linux 7.2.13
    """
    return exec.ticket


def drm_exec_drop_prelocked(exec: drm_exec) -> None:
    """Unlock the buffer that was locked ahead, and forget it.

    drivers/gpu/drm/drm_exec.c:52-59, Linux 7.2.13
    """
    if exec.prelocked:
        dma_resv_unlock(exec.prelocked.resv)
        drm_gem_object_put(exec.prelocked)
        exec.prelocked = None


def drm_exec_unlock_all(exec: drm_exec) -> None:
    """Unlock all buffers, the last one first, and drop their references.

    drivers/gpu/drm/drm_exec.c:62-72, Linux 7.2.13
    """
    for obj in drm_exec_for_each_locked_object_reverse(exec):
        dma_resv_unlock(obj.resv)
        drm_gem_object_put(obj)

    drm_exec_drop_prelocked(exec)


def drm_exec_init(exec: drm_exec, flags: int, nr: int) -> None:
    """Prepare to lock about `nr` buffers (0: as many as fit in a page), with DRM_EXEC_* flags.

    drivers/gpu/drm/drm_exec.c:85-98, Linux 7.2.13
    """
    if not nr:
        nr = PAGE_SIZE // sizeof(pointer)

    exec.flags = flags
    exec.objects = kvmalloc_array(nr, sizeof(pointer), GFP_KERNEL)

    exec.max_objects = nr if exec.objects else 0
    exec.num_objects = 0
    exec.contended = DRM_EXEC_DUMMY
    exec.prelocked = None


EXPORT_SYMBOL(drm_exec_init)


def drm_exec_fini(exec: drm_exec) -> None:
    """Unlock everything and drop all references.

    drivers/gpu/drm/drm_exec.c:108-116, Linux 7.2.13
    """
    drm_exec_unlock_all(exec)
    kvfree(exec.objects)
    if exec.contended is not DRM_EXEC_DUMMY:
        drm_gem_object_put(exec.contended)
        ww_acquire_fini(exec.ticket)


EXPORT_SYMBOL(drm_exec_fini)


def drm_exec_cleanup(exec: drm_exec) -> bool:
    """Begin a round, after a contention with nothing locked; False if none is needed.

    drivers/gpu/drm/drm_exec.c:127-151, Linux 7.2.13
    """
    if not exec.contended:
        drm_exec_drop_prelocked(exec)
        ww_acquire_done(exec.ticket)
        return False

    if exec.contended is DRM_EXEC_DUMMY:
        exec.contended = None
        ww_acquire_init(exec.ticket, reservation_ww_class)
        return True

    drm_exec_unlock_all(exec)
    exec.num_objects = 0
    return True


EXPORT_SYMBOL(drm_exec_cleanup)


def drm_exec_obj_locked(exec: drm_exec, obj: drm_gem_object) -> int:
    """Take a reference and remember the buffer: 0 or -ENOMEM.

    drivers/gpu/drm/drm_exec.c:155-173, Linux 7.2.13
    """
    if exec.num_objects == exec.max_objects:
        size = exec.max_objects * sizeof(pointer)

        tmp = kvrealloc(exec.objects, size + PAGE_SIZE, GFP_KERNEL)
        if not tmp:
            return -ENOMEM

        exec.objects = tmp
        exec.max_objects += PAGE_SIZE // sizeof(pointer)
    drm_gem_object_get(obj)
    exec.objects[exec.num_objects] = obj
    exec.num_objects += 1  # kport: side-effect

    return 0


def drm_exec_lock_contended(exec: drm_exec) -> int:
    """Lock first, and sleep for, the buffer that was contended: 0 or -EINTR.

    drivers/gpu/drm/drm_exec.c:176-208, Linux 7.2.13
    """
    obj = exec.contended

    if not obj:
        return 0

    with labels("error_dropref"):
        exec.contended = None
        if exec.flags & DRM_EXEC_INTERRUPTIBLE_WAIT:
            ret = dma_resv_lock_slow_interruptible(obj.resv, exec.ticket)
            if ret:
                raise goto("error_dropref")
        else:
            dma_resv_lock_slow(obj.resv, exec.ticket)

        drm_exec_drop_prelocked(exec)

        exec.prelocked = obj
        return 0

    drm_gem_object_put(obj)
    return ret


def drm_exec_lock_obj(exec: drm_exec, obj: drm_gem_object) -> int:
    """Lock a buffer and take a reference: 0 or an error.

    -EDEADLK after a contention, which drm_exec_retry_on_contention() handles; -EALREADY for one
    that is locked already, unless DRM_EXEC_IGNORE_DUPLICATES; -ENOMEM; -EINTR if interruptible.

    drivers/gpu/drm/drm_exec.c:221-258, Linux 7.2.13
    """
    ret = drm_exec_lock_contended(exec)
    if ret:
        return ret

    if exec.prelocked is obj:
        drm_gem_object_put(exec.prelocked)
        exec.prelocked = None
    else:
        if exec.flags & DRM_EXEC_INTERRUPTIBLE_WAIT:
            ret = dma_resv_lock_interruptible(obj.resv, exec.ticket)
        else:
            ret = dma_resv_lock(obj.resv, exec.ticket)

        if ret == -EDEADLK:
            drm_gem_object_get(obj)
            exec.contended = obj
            return -EDEADLK

        if ret == -EALREADY and exec.flags & DRM_EXEC_IGNORE_DUPLICATES:
            return 0

        if ret:
            return ret

    ret = drm_exec_obj_locked(exec, obj)
    if ret:
        dma_resv_unlock(obj.resv)

    return ret


EXPORT_SYMBOL(drm_exec_lock_obj)


def drm_exec_unlock_obj(exec: drm_exec, obj: drm_gem_object) -> None:
    """Unlock a buffer and forget it; quick for those that were locked last.

    drivers/gpu/drm/drm_exec.c:270-285, Linux 7.2.13
    """
    i = exec.num_objects
    while i:
        i -= 1  # kport: side-effect
        if exec.objects[i] is obj:
            dma_resv_unlock(obj.resv)
            i += 1
            while i < exec.num_objects:
                exec.objects[i - 1] = exec.objects[i]
                i += 1
            exec.num_objects -= 1
            drm_gem_object_put(obj)
            return


EXPORT_SYMBOL(drm_exec_unlock_obj)


def drm_exec_prepare_obj(exec: drm_exec, obj: drm_gem_object, num_fences: int) -> int:
    """Lock a buffer and reserve slots for fences: 0 or as drm_exec_lock_obj().

    drivers/gpu/drm/drm_exec.c:299-315, Linux 7.2.13
    """
    ret = drm_exec_lock_obj(exec, obj)
    if ret:
        return ret

    ret = dma_resv_reserve_fences(obj.resv, num_fences)
    if ret:
        drm_exec_unlock_obj(exec, obj)
        return ret

    return 0


EXPORT_SYMBOL(drm_exec_prepare_obj)


def drm_exec_prepare_array(
    exec: drm_exec, objects: Sequence[drm_gem_object], num_objects: int, num_fences: int
) -> int:
    """As drm_exec_prepare_obj() for several buffers; stops at the first error.

    drivers/gpu/drm/drm_exec.c:331-358, Linux 7.2.13
    """
    if not num_objects:
        return drm_exec_lock_contended(exec)

    for i in range(0, num_objects):
        ret = drm_exec_prepare_obj(exec, objects[i], num_fences)
        if ret:
            return ret

    return 0


EXPORT_SYMBOL(drm_exec_prepare_array)
