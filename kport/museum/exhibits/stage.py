# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Stages: how the scheduler was where a bug could be, made of the one that stands today."""

from __future__ import annotations

from collections.abc import Sequence

from kport.arch.patch import Edit
from kport.museum.exhibit import port


def lockless_queue() -> Sequence[Edit]:
    """Push and pop outside of the entity's lock, as until 6.12; now that lock covers both."""
    entity = port("sched_entity")
    return (
        Edit(
            entity.drm_sched_entity_push_job,
            """
            spin_lock(entity.lock)
            first = spsc_queue_push(entity.job_queue, sched_job.queue_node)
            """,
            """
            first = spsc_queue_push(entity.job_queue, sched_job.queue_node)
            spin_lock(entity.lock)
            """,
        ),
        Edit(
            entity.drm_sched_entity_pop_job,
            """
            spin_lock(entity.lock)
            spsc_queue_pop(entity.job_queue)
            """,
            """
            spsc_queue_pop(entity.job_queue)
            spin_lock(entity.lock)
            """,
        ),
    )
