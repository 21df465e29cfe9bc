# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Bugs that need a processor which reorders: found with `memory="lkmm"` only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.arch.patch import Edit
from kport.dma_buf.dma_fence import dma_fence_is_signaled
from kport.museum.exhibit import Exhibit, port
from kport.museum.exhibits.stage import lockless_queue
from kport.museum.kit import Job, Rig, null


def move_behind_a_running_job(kernel: Any) -> None:
    """An entity of two rings: its job is taken to run just when the next one is armed."""
    rig = Rig(run=null)

    def elsewhere(job: Job) -> Any:
        if job.base.sched is not ring:
            over = dma_fence_is_signaled(first.finished)
            assert over, "an entity has moved while its job runs"
        return None

    entity = rig.entity(rig.ring("ring0", limit=1), rig.ring("ring1", limit=1))
    old = rig.submit(entity)
    rig.wait(old)
    rig.settle()
    first = rig.job(entity, run=rig.manual)
    ring = first.base.sched
    rig.push(first)
    second = rig.job(entity, run=elsewhere)
    rig.task("hardware", lambda: rig.wait_scheduled(first), lambda: rig.end(first))
    rig.push(second)
    rig.close()


def _no_barriers() -> Sequence[Edit]:
    entity = port("sched_entity")
    return (
        Edit(entity.drm_sched_entity_select_rq, "smp_rmb()"),
        Edit(entity.drm_sched_entity_pop_job, "smp_wmb()"),
    )


EXHIBITS = (
    Exhibit(
        id="R24",
        slug="last-scheduled-barrier",
        title="a job that has been taken is not seen as the last one scheduled",
        fix="b0a5303d4e14",
        subject="drm/sched: Barriers are needed for entity->last_scheduled",
        affected="until 5.16",
        sched="v7_2",
        scenario=move_behind_a_running_job,
        finds=r"moved while its job runs|KASAN|object has no attribute",
        setting=lockless_queue,
        edits=_no_barriers,
        memory="lkmm",
        note="The reader sees the queue empty and, without its barrier, the fence of the job "
        "before the one that was taken: a signalled fence, so the entity moves to another ring "
        "while its job still runs.",
    ),
)
