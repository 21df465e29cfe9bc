# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""6.1: the end of an entity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.arch.asm import WRITE_ONCE
from kport.arch.patch import Edit
from kport.dma_buf.dma_fence import (
    dma_fence_context_alloc,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_wait,
)
from kport.linux.completion import (
    wait_for_completion,
)
from kport.museum.exhibit import Exhibit, port
from kport.museum.findings.shared import (
    CLEARS_FIRST,
    FREED,
    HAS_DEPENDENCY,
    RCU,
    READS_FIRST,
    TAKE_DEPENDENCY,
)
from kport.museum.kit import Rig, null

# -- 6.1 -------------------------------------------------------------------------------------------


def free_behind_the_last_job(kernel: Any) -> None:
    """An entity is destroyed and freed as soon as its only job has been taken."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())
    rig.submit(entity)
    rig.destroy(entity)
    rig.free(entity)
    rig.close()


def _wait_always() -> Sequence[Edit]:
    fini = port("sched_entity", "v6_1").drm_sched_entity_fini
    return (
        Edit(
            fini,
            "drm_sched_rq_remove_entity(entity.rq, entity)",
            """
            drm_sched_rq_remove_entity(entity.rq, entity)
            wait_for_completion(entity.entity_idle)
            """,
            names={"wait_for_completion": wait_for_completion},
        ),
        Edit(fini, "if sched:\n    wait_for_completion(entity.entity_idle)"),
    )


def end_before_the_dependency(kernel: Any) -> None:
    """An entity ends whose job has been looked at and waits for somebody else's work."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())
    held = rig.fence()
    job = rig.submit(entity, after=[held])
    early = rig.note_early_end(job, held)
    other = rig.task("other", lambda: rig.wait(*rig.jobs[1:]), lambda: dma_fence_signal(held))
    rig.kill(entity)
    wait_for_completion(other)
    rig.close()
    dma_fence_put(held)
    assert not early, "a job finished before what it depends on"


def _wait_for_it() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_entity", "v6_1").drm_sched_entity_fini,
            HAS_DEPENDENCY,
            TAKE_DEPENDENCY % "dma_fence_wait(dependency, False)",
            names=RCU | {"dma_fence_wait": dma_fence_wait},
        ),
        Edit(  # F03, which is the same here
            port("sched_entity", "v6_1").drm_sched_entity_wakeup,
            CLEARS_FIRST,
            READS_FIRST,
            names={"WRITE_ONCE": WRITE_ONCE},
        ),
    )


def kill_behind_a_job_that_is_over(kernel: Any) -> None:
    """An entity is killed with a queued job when the job before it has ended."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())
    first = rig.submit(entity)
    rig.wait(first)
    held = rig.fence(dma_fence_context_alloc(1))
    rig.submit(entity, after=[held])
    dma_fence_signal(held)
    rig.kill(entity)
    rig.close()
    dma_fence_put(held)


def _put_the_last() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_entity", "v6_1").drm_sched_entity_kill_jobs,
            """
            if r == -ENOENT:
                drm_sched_entity_kill_jobs_cb(None, job.finish_cb)
            elif r:
                DRM_ERROR("fence add callback failed (%d)\\n", r)
            """,
            """
            if r == -ENOENT:
                drm_sched_entity_kill_jobs_cb(entity.last_scheduled, job.finish_cb)
            elif r:
                DRM_ERROR("fence add callback failed (%d)\\n", r)
            """,
        ),
    )


FOUND = (
    Exhibit(
        id="F04",
        slug="idle-of-a-freed-entity",
        title="the scheduler completes an entity that is gone",
        fix="2fdb8a8f07c2",
        subject="drm/scheduler: rework entity flush, kill and fini",
        affected="6.1 as it stands",
        sched="v6_1",
        scenario=free_behind_the_last_job,
        finds=FREED,
        mend=_wait_always,
        note="drm_sched_entity_fini() waits for entity_idle only if jobs are queued "
        "(sched_entity.c:293-301). The thread that has just taken the last one calls "
        "complete() on it after run_job() (sched_main.c:966). 6.2 waits always.",
    ),
    Exhibit(
        id="F05",
        slug="kill-drops-dependency",
        title="a killed job does not wait for the dependency at its head",
        fix="",
        subject="",
        affected="6.1 as it stands",
        sched="v6_1",
        scenario=end_before_the_dependency,
        finds=r"finished before what it depends on",
        mend=_wait_for_it,
        note="A dependency that the thread waits for has left job->dependencies "
        "(sched_entity.c:223). drm_sched_entity_fini() removes the callback and drops it "
        "(302-307); drm_sched_entity_kill_jobs() waits for the others only. 7.2 keeps it in "
        "the array until the job runs.",
    ),
    Exhibit(
        id="F06",
        slug="kill-keeps-last-scheduled",
        title="a kill keeps a reference to the job before",
        fix="",
        subject="",
        affected="6.1 as it stands",
        sched="v6_1",
        scenario=kill_behind_a_job_that_is_over,
        finds=r"leak|still has objects",
        mend=_put_the_last,
        note="drm_sched_entity_kill_jobs() takes a reference on last_scheduled for the "
        "callback (sched_entity.c:259); if the fence has signalled it calls the callback with "
        "NULL (263-264), and nobody drops it.",
    ),
)
