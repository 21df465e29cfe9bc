# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Locks in the wrong order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.arch.patch import Edit
from kport.dma_buf import dma_fence_array
from kport.dma_buf.dma_fence import (
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_put,
    dma_fence_signal,
)
from kport.linux.slab import kzalloc_objs, pointer
from kport.linux.spinlock import spin_lock_init, spinlock_t
from kport.museum.exhibit import Exhibit, port
from kport.museum.kit import Rig

# -- R28 -------------------------------------------------------------------------------------------


def fences_with_one_lock(kernel: Any) -> None:
    """A killed job depends on two fences of a driver that has one lock for all its fences."""
    lock = spinlock_t()
    spin_lock_init(lock, "&driver->fence_lock")
    rig = Rig(lock=lock)
    entity = rig.entity(rig.ring())
    first = rig.fence(dma_fence_context_alloc(1))
    second = rig.fence(dma_fence_context_alloc(1))
    job = rig.submit(entity, after=[first, second])
    rig.kill(entity)
    dma_fence_signal(first)
    dma_fence_signal(second)
    rig.wait(job)
    rig.close()
    dma_fence_put(first)
    dma_fence_put(second)


_BLOCK = """
for index, f in xa_for_each(job.dependencies):
    s_fence = to_drm_sched_fence(f)
    if s_fence and f is s_fence.scheduled:
        f = dma_fence_get_rcu(s_fence.finished)
        dma_fence_put(s_fence.scheduled)
    xa_erase(job.dependencies, index)
    if f and not dma_fence_add_callback(f, job.finish_cb, drm_sched_entity_kill_jobs_cb):
        return
    dma_fence_put(f)
"""


def _in_the_callback() -> Sequence[Edit]:
    entity = port("sched_entity")
    start = "INIT_WORK(job.work, drm_sched_entity_kill_jobs_work)"
    return (
        Edit(entity.drm_sched_entity_kill_jobs_work, _BLOCK),
        Edit(entity.drm_sched_entity_kill_jobs_cb, start, _BLOCK + start),
    )


# -- R29 -------------------------------------------------------------------------------------------


def array_of_two(kernel: Any) -> None:
    """A job depends on an array of fences, one of which signals meanwhile."""
    rig = Rig()
    entity = rig.entity(rig.ring())
    members = [rig.fence(dma_fence_context_alloc(1)) for _ in range(2)]
    fences = kzalloc_objs(pointer, 2)
    assert fences
    fences[:] = [dma_fence_get(f) for f in members]
    array = dma_fence_array.dma_fence_array_create(2, fences, dma_fence_context_alloc(1), 1)
    assert array
    dma_fence_signal(members[0])
    job = rig.job(entity, after=[array.base])
    rig.task("hardware", lambda: dma_fence_signal(members[1]))
    rig.push(job)
    rig.close()
    dma_fence_put(array.base)
    for fence in members:
        dma_fence_put(fence)


def _at_once() -> Sequence[Edit]:
    return (
        Edit(
            dma_fence_array.dma_fence_array_cb_func,
            """
            if atomic_dec_and_test(array.num_pending):
                irq_work_queue(array.work)
            else:
                dma_fence_put(array.base)
            """,
            """
            if atomic_dec_and_test(array.num_pending):
                dma_fence_array_clear_pending_error(array)
                dma_fence_signal(array.base)
            dma_fence_put(array.base)
            """,
        ),
    )


EXHIBITS = (
    Exhibit(
        id="R28",
        slug="killcb-lock-recursion",
        title="a callback takes the lock under which it is called",
        fix="487df8b69834",
        subject="drm/sched: Fix deadlock in drm_sched_entity_kill_jobs_cb",
        cve="CVE-2025-40329",
        affected="6.2 to 6.18-rc",
        sched="v7_2",
        scenario=fences_with_one_lock,
        finds=r"recursi",
        edits=_in_the_callback,
    ),
    Exhibit(
        id="R29",
        slug="array-direct-signal-abba",
        title="an array is signalled from the callback of its member",
        fix="",
        subject="dma-fence-array: signal from an irq_work",
        affected="before 4.10",
        sched="v7_2",
        scenario=array_of_two,
        finds=r"deadlock|recursi|circular|inconsistent",
        edits=_at_once,
        check=("lockdep",),
        note="The history is from memory: the commit is not known for sure. An array of today has "
        "no second lock to take once its last member can signal, so no order of events deadlocks; "
        "what is left is the circle of lock classes.",
    ),
)
