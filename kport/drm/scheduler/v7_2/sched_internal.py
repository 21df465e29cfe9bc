# SPDX-FileCopyrightText: 2015 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2025 Valve Corporation
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/scheduler/sched_internal.h, Linux 7.2.13, on 2026-11-20.
"""What the files of the scheduler share among themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kport.arch.asm import READ_ONCE
from kport.drm.spsc_queue import spsc_queue_count, spsc_queue_peek, spsc_queue_pop
from kport.linux.average import ewma
from kport.linux.kref import kref, kref_get, kref_put
from kport.linux.ktime import ktime_t
from kport.linux.spinlock import spinlock_t
from kport.linux.struct import container_of, struct

if TYPE_CHECKING:
    from kport.drm.scheduler.v7_2.gpu_scheduler import drm_sched_entity


class drm_sched_entity_stats(struct):
    """GPU time of an entity, in ns; outlives it while a job holds it. `lock` guards the rest."""

    kref: kref
    lock: spinlock_t
    runtime: ktime_t
    prev_runtime: ktime_t
    vruntime: ktime_t
    avg_job_us: ewma


DRM_SCHED_POLICY_RR = 0
DRM_SCHED_POLICY_FIFO = 1
DRM_SCHED_POLICY_FAIR = 2


def drm_sched_entity_queue_pop(entity: drm_sched_entity) -> drm_sched_job | None:
    """Take the first job off the entity's queue, or NULL.

    drivers/gpu/drm/scheduler/sched_internal.h:80-90, Linux 7.2.13
    """
    node = spsc_queue_pop(entity.job_queue)
    if not node:
        return None

    return container_of(node, drm_sched_job, "queue_node")


def drm_sched_entity_queue_peek(entity: drm_sched_entity) -> drm_sched_job | None:
    """The first job of the entity's queue, or NULL.

    drivers/gpu/drm/scheduler/sched_internal.h:101-111, Linux 7.2.13
    """
    node = spsc_queue_peek(entity.job_queue)
    if not node:
        return None

    return container_of(node, drm_sched_job, "queue_node")


def drm_sched_entity_is_ready(entity: drm_sched_entity) -> bool:
    """True if there is a job and it waits for nothing.

    drivers/gpu/drm/scheduler/sched_internal.h:114-124, Linux 7.2.13
    """
    if not spsc_queue_count(entity.job_queue):
        return False

    if READ_ONCE(entity, "dependency"):
        return False

    return True


def drm_sched_entity_stats_get(stats: drm_sched_entity_stats) -> drm_sched_entity_stats:
    """Take a reference and return the stats.

    drivers/gpu/drm/scheduler/sched_internal.h:134-140, Linux 7.2.13
    """
    kref_get(stats.kref)

    return stats


def drm_sched_entity_stats_put(stats: drm_sched_entity_stats) -> None:
    """Drop a reference.

    drivers/gpu/drm/scheduler/sched_internal.h:146-150, Linux 7.2.13
    """
    kref_put(stats.kref, drm_sched_entity_stats_release)


# extern
from kport.drm.scheduler.v7_2.gpu_scheduler import drm_sched_job
from kport.drm.scheduler.v7_2.sched_entity import drm_sched_entity_stats_release
