# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2025 Valve Corporation
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/scheduler/sched_rq.c, Linux 7.2.13, on 2026-11-20.
"""Run queues: which entity is next.

A tree of entities by a key: the submit time of the job at the head (FIFO), a counter of turns (RR),
or GPU time weighted by priority (FAIR).
"""

from __future__ import annotations

from typing import Any

from kport.arch.asm import READ_ONCE
from kport.drm.drm_print import DRM_ERROR
from kport.linux.atomic import atomic_dec, atomic_inc
from kport.linux.bug import BUILD_BUG_ON
from kport.linux.completion import reinit_completion
from kport.linux.err import ENOSPC, ERR_PTR
from kport.linux.ktime import (
    ktime_add,
    ktime_add_ns,
    ktime_before,
    ktime_sub,
    ktime_t,
    ktime_to_ns,
    ns_to_ktime,
    us_to_ktime,
)
from kport.linux.list import INIT_LIST_HEAD, list_add_tail, list_del_init, list_empty
from kport.linux.lockdep import lockdep_assert_held
from kport.linux.rbtree import (
    RB_CLEAR_NODE,
    RB_EMPTY_NODE,
    RB_ROOT_CACHED,
    rb_add_cached,
    rb_entry,
    rb_erase_cached,
    rb_first_cached,
    rb_next,
    rb_node,
)
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock
from kport.linux.types import unsigned_long


def drm_sched_entity_compare_before(a: rb_node, b: rb_node) -> bool:
    """True if the entity of `a` comes before that of `b`.

    drivers/gpu/drm/scheduler/sched_rq.c:12-21, Linux 7.2.13
    """
    ea = rb_entry(a, drm_sched_entity, "rb_tree_node")
    eb = rb_entry(b, drm_sched_entity, "rb_tree_node")

    return ktime_before(ea.oldest_job_waiting, eb.oldest_job_waiting)


def drm_sched_rq_update_prio(rq: drm_sched_rq) -> None:
    """Note the priority of the entity at the head. The run queue is locked.

    drivers/gpu/drm/scheduler/sched_rq.c:23-50, Linux 7.2.13
    """
    prio = DRM_SCHED_PRIORITY_INVALID

    lockdep_assert_held(rq.lock)

    rb = rb_first_cached(rq.rb_tree_root)
    if rb:
        entity = rb_entry(rb, drm_sched_entity, "rb_tree_node")

        prio = READ_ONCE(entity, "priority")

    rq.head_prio = prio


def drm_sched_rq_remove_fifo_locked(entity: drm_sched_entity, rq: drm_sched_rq) -> None:
    """Take the entity out of the tree. Entity and run queue are locked.

    drivers/gpu/drm/scheduler/sched_rq.c:52-63, Linux 7.2.13
    """
    lockdep_assert_held(entity.lock)
    lockdep_assert_held(rq.lock)

    if not RB_EMPTY_NODE(entity.rb_tree_node):
        rb_erase_cached(entity.rb_tree_node, rq.rb_tree_root)
        RB_CLEAR_NODE(entity.rb_tree_node)
        drm_sched_rq_update_prio(rq)


def drm_sched_rq_update_fifo_locked(
    entity: drm_sched_entity, rq: drm_sched_rq, ts: ktime_t
) -> None:
    """Put the entity into the tree under the key `ts`. Entity and run queue are locked.

    drivers/gpu/drm/scheduler/sched_rq.c:65-84, Linux 7.2.13
    """
    lockdep_assert_held(entity.lock)
    lockdep_assert_held(rq.lock)

    drm_sched_rq_remove_fifo_locked(entity, rq)

    entity.oldest_job_waiting = ts

    rb_add_cached(entity.rb_tree_node, rq.rb_tree_root, drm_sched_entity_compare_before)
    drm_sched_rq_update_prio(rq)


def drm_sched_rq_init(sched: drm_gpu_scheduler, rq: drm_sched_rq) -> None:
    """Make the run queue empty.

    drivers/gpu/drm/scheduler/sched_rq.c:93-101, Linux 7.2.13
    """
    spin_lock_init(rq.lock)
    INIT_LIST_HEAD(rq.entities)
    RB_ROOT_CACHED(rq.rb_tree_root)  # kport: struct-copy
    rq.sched = sched
    rq.head_prio = DRM_SCHED_PRIORITY_INVALID


# GPU time becomes virtual time by a shift. Shares: kernel 2x high, high 4x normal, normal 8x low.
vruntime_shift = (1, 2, 4, 7)


def drm_sched_rq_get_min_vruntime(rq: drm_sched_rq) -> ktime_t:
    """The virtual time of the entity at the head, 0 if there is none. Locked.

    drivers/gpu/drm/scheduler/sched_rq.c:123-143, Linux 7.2.13
    """
    vruntime = 0

    lockdep_assert_held(rq.lock)

    rb = rb_first_cached(rq.rb_tree_root)
    if rb:
        entity = rb_entry(rb, drm_sched_entity, "rb_tree_node")
        stats = entity.stats

        spin_lock(stats.lock)
        vruntime = stats.vruntime
        spin_unlock(stats.lock)

    return vruntime


def drm_sched_entity_save_vruntime(entity: drm_sched_entity, min_vruntime: ktime_t) -> None:
    """The entity leaves the queue: keep how far behind the head it was.

    drivers/gpu/drm/scheduler/sched_rq.c:145-160, Linux 7.2.13
    """
    stats = entity.stats

    spin_lock(stats.lock)
    vruntime = stats.vruntime
    if min_vruntime and vruntime > min_vruntime:
        vruntime = ktime_sub(vruntime, min_vruntime)
    else:
        vruntime = 0
    stats.vruntime = vruntime
    spin_unlock(stats.lock)


def drm_sched_entity_restore_vruntime(
    entity: drm_sched_entity, min_vruntime: ktime_t, rq_prio: drm_sched_priority
) -> ktime_t:
    """The entity comes back: its virtual time, relative to the head it finds.

    drivers/gpu/drm/scheduler/sched_rq.c:162-222, Linux 7.2.13
    """
    stats = entity.stats
    sched = entity.rq.sched
    prio = entity.priority

    BUILD_BUG_ON(DRM_SCHED_PRIORITY_NORMAL < DRM_SCHED_PRIORITY_HIGH)

    spin_lock(stats.lock)
    vruntime = stats.vruntime
    avg_us = ewma_drm_sched_avgtime_read(stats.avg_job_us)
    sched_avg_us = ewma_drm_sched_avgtime_read(sched.avg_job_us)

    if not vruntime and rq_prio != DRM_SCHED_PRIORITY_INVALID:
        if prio > rq_prio:
            vruntime = us_to_ktime(
                unsigned_long((1 + avg_us + sched_avg_us) << vruntime_shift[prio])
            )  # kport: wrap
        elif prio < rq_prio:
            vruntime = -ns_to_ktime(rq_prio - prio)
        else:
            if avg_us <= sched_avg_us:
                vruntime = -ns_to_ktime(1)
            else:
                vruntime = ns_to_ktime(1)

    vruntime = ktime_add(min_vruntime, vruntime)

    stats.vruntime = vruntime
    spin_unlock(stats.lock)

    return vruntime


def drm_sched_entity_update_vruntime(entity: drm_sched_entity) -> ktime_t:
    """Add the GPU time since the last call to the entity's virtual time; returns it.

    drivers/gpu/drm/scheduler/sched_rq.c:224-240, Linux 7.2.13
    """
    stats = entity.stats

    spin_lock(stats.lock)
    prev = stats.prev_runtime
    runtime = stats.runtime
    stats.prev_runtime = runtime
    runtime = ktime_add_ns(
        stats.vruntime,
        ktime_to_ns(ktime_sub(runtime, prev)) << vruntime_shift[entity.priority],
    )
    stats.vruntime = runtime
    spin_unlock(stats.lock)

    return runtime


def drm_sched_entity_get_job_ts(entity: drm_sched_entity) -> ktime_t:
    """The entity's key under FAIR.

    drivers/gpu/drm/scheduler/sched_rq.c:242-245, Linux 7.2.13
    """
    return drm_sched_entity_update_vruntime(entity)


def drm_sched_rq_add_entity(entity: drm_sched_entity, ts: ktime_t) -> drm_gpu_scheduler | None:
    """Queue the entity, whose first job was submitted at `ts`. Locked.

    Returns the scheduler to wake, or NULL for an entity that has been killed.

    drivers/gpu/drm/scheduler/sched_rq.c:257-292, Linux 7.2.13
    """
    rq = entity.rq

    lockdep_assert_held(entity.lock)

    if entity.stopped:
        DRM_ERROR("Trying to push to a killed entity\n")
        return None

    spin_lock(rq.lock)
    sched = rq.sched

    if list_empty(entity.list):
        atomic_inc(sched.score)
        list_add_tail(entity.list, rq.entities)

    if sched_main.drm_sched_policy == DRM_SCHED_POLICY_FAIR:
        ts = drm_sched_rq_get_min_vruntime(rq)
        ts = drm_sched_entity_restore_vruntime(entity, ts, rq.head_prio)
    elif sched_main.drm_sched_policy == DRM_SCHED_POLICY_RR:
        ts = entity.rr_ts

    drm_sched_rq_update_fifo_locked(entity, rq, ts)

    spin_unlock(rq.lock)

    return sched


def drm_sched_rq_remove_entity(rq: drm_sched_rq, entity: drm_sched_entity) -> None:
    """Take the entity off the run queue. The entity is locked.

    drivers/gpu/drm/scheduler/sched_rq.c:301-317, Linux 7.2.13
    """
    lockdep_assert_held(entity.lock)

    if list_empty(entity.list):
        return

    spin_lock(rq.lock)

    atomic_dec(rq.sched.score)
    list_del_init(entity.list)

    drm_sched_rq_remove_fifo_locked(entity, rq)

    spin_unlock(rq.lock)


def drm_sched_rq_next_rr_ts(rq: drm_sched_rq, entity: drm_sched_entity) -> ktime_t:
    """The next turn, given to the entity. Entity and run queue are locked.

    drivers/gpu/drm/scheduler/sched_rq.c:319-333, Linux 7.2.13
    """
    lockdep_assert_held(entity.lock)
    lockdep_assert_held(rq.lock)

    ts = ktime_add_ns(rq.rr_ts, 1)
    entity.rr_ts = ts
    rq.rr_ts = ts

    return ts


def drm_sched_rq_pop_entity(entity: drm_sched_entity) -> None:
    """A job was taken from the entity: move it in the tree, or out of it. The entity is locked.

    drivers/gpu/drm/scheduler/sched_rq.c:341-378, Linux 7.2.13
    """
    rq = entity.rq

    lockdep_assert_held(entity.lock)

    spin_lock(rq.lock)

    next_job = drm_sched_entity_queue_peek(entity)
    if next_job:
        if sched_main.drm_sched_policy == DRM_SCHED_POLICY_FAIR:
            ts = drm_sched_entity_get_job_ts(entity)
        elif sched_main.drm_sched_policy == DRM_SCHED_POLICY_FIFO:
            ts = next_job.submit_ts
        else:
            ts = drm_sched_rq_next_rr_ts(rq, entity)

        drm_sched_rq_update_fifo_locked(entity, rq, ts)
    else:
        drm_sched_rq_remove_fifo_locked(entity, rq)

        if sched_main.drm_sched_policy == DRM_SCHED_POLICY_FAIR:
            min_vruntime = drm_sched_rq_get_min_vruntime(rq)
            drm_sched_entity_save_vruntime(entity, min_vruntime)

    spin_unlock(rq.lock)


def drm_sched_rq_select_entity(sched: drm_gpu_scheduler, rq: drm_sched_rq) -> Any:
    """The first ready entity, NULL if none is, ERR_PTR(-ENOSPC) if its job has no room.

    drivers/gpu/drm/scheduler/sched_rq.c:391-418, Linux 7.2.13
    """
    spin_lock(rq.lock)
    rb = rb_first_cached(rq.rb_tree_root)
    while rb:
        entity = rb_entry(rb, drm_sched_entity, "rb_tree_node")
        if drm_sched_entity_is_ready(entity):
            if not drm_sched_can_queue(sched, entity):
                spin_unlock(rq.lock)
                return ERR_PTR(-ENOSPC)

            reinit_completion(entity.entity_idle)
            break
        rb = rb_next(rb)
    spin_unlock(rq.lock)

    return rb_entry(rb, drm_sched_entity, "rb_tree_node") if rb else None


# extern
from kport.drm.scheduler.v7_2 import sched_main
from kport.drm.scheduler.v7_2.gpu_scheduler import (
    DRM_SCHED_PRIORITY_HIGH,
    DRM_SCHED_PRIORITY_INVALID,
    DRM_SCHED_PRIORITY_NORMAL,
    drm_gpu_scheduler,
    drm_sched_entity,
    drm_sched_priority,
    drm_sched_rq,
    ewma_drm_sched_avgtime_read,
)
from kport.drm.scheduler.v7_2.sched_internal import (
    DRM_SCHED_POLICY_FAIR,
    DRM_SCHED_POLICY_FIFO,
    DRM_SCHED_POLICY_RR,
    drm_sched_entity_is_ready,
    drm_sched_entity_queue_peek,
)
from kport.drm.scheduler.v7_2.sched_main import drm_sched_can_queue
