# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""References that nobody drops."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from kport.arch.patch import Edit
from kport.dma_buf.dma_fence import dma_fence_context_alloc, dma_fence_put, dma_fence_signal
from kport.museum.exhibit import Exhibit, port
from kport.museum.kit import Rig

LEAK = r"leak|still has objects"


def kill_behind_a_running_job(kernel: Any) -> None:
    """One job runs, one is queued; the entity is killed while the first ends."""
    rig = Rig()
    entity = rig.entity(rig.ring(limit=1))
    running = rig.submit(entity, run=rig.manual)
    rig.submit(entity)
    rig.wait_scheduled(running)
    rig.task("hardware", lambda: rig.end(running))
    rig.kill(entity)
    rig.close()


def _put_forgotten() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_entity").drm_sched_entity_kill,
            """
            dma_fence_put(prev)
            drm_sched_entity_kill_jobs_cb(None, job.finish_cb)
            """,
            "drm_sched_entity_kill_jobs_cb(None, job.finish_cb)",
        ),
    )


def kill_with_dependencies(kernel: Any) -> None:
    """A queued job depends on two fences that signal while its entity is killed."""
    rig = Rig()
    entity = rig.entity(rig.ring())
    held = [rig.fence(dma_fence_context_alloc(1)) for _ in range(2)]
    rig.submit(entity, after=held)
    rig.task("other", *(partial(dma_fence_signal, fence) for fence in held))
    rig.kill(entity)
    rig.close()
    for fence in held:
        dma_fence_put(fence)


def _dependency_kept() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_entity", "v6_1").drm_sched_entity_kill_jobs,
            """
            dma_fence_wait(f, False)
            dma_fence_put(f)
            """,
            "dma_fence_wait(f, False)",
        ),
    )


EXHIBITS = (
    Exhibit(
        id="R19",
        slug="kill-prev-ref-leak",
        title="a kill keeps the fence of a job that is already over",
        fix="a9160865eab8",
        subject="drm/sched: Fix fence reference count leak",
        affected="6.2 to 6.14-rc",
        sched="v7_2",
        scenario=kill_behind_a_running_job,
        finds=LEAK,
        edits=_put_forgotten,
    ),
    Exhibit(
        id="R20",
        slug="kill-dep-leak",
        title="a kill keeps what the killed jobs depended on",
        fix="b3af84383e7a",
        subject="drm/scheduler: fix fence ref counting",
        affected="5.14 to 6.1",
        sched="v6_1",
        scenario=kill_with_dependencies,
        finds=LEAK,
        edits=_dependency_kept,
        note="The first of the two leaks that the commit closes.",
    ),
)
