# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Things in the wrong order, and sums that are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.arch.patch import Edit
from kport.dma_buf.dma_fence import (
    dma_fence_put,
    dma_fence_signal,
)
from kport.linux.atomic import atomic_read
from kport.linux.delay import msleep
from kport.linux.kthread import kthread_park, kthread_unpark
from kport.museum.exhibit import Exhibit, port
from kport.museum.kit import Job, Rig, null

# -- R15 -------------------------------------------------------------------------------------------


def reset_while_an_entity_ends(kernel: Any) -> None:
    """A job hangs and its ring is reset, while another entity of the ring is taken down."""
    rig = Rig()
    resetting: list[Job] = []

    def run(job: Job) -> Any:
        assert not resetting, "run_job() while the scheduler is stopped"
        return rig.manual(job) if job is hung and not job.hw else rig.signalled(job)

    def timeout(job: Job) -> int:
        sched = job.base.sched
        rig.main.drm_sched_stop(sched, job.base)
        resetting.append(job)
        msleep(1)
        rig.end(job)
        resetting.clear()
        rig.main.drm_sched_start(sched, True)
        return int(rig.api.DRM_GPU_SCHED_STAT_NOMINAL)

    rig.run, rig.timeout = run, timeout
    ring = rig.ring(timeout=1, limit=2)
    first, second = rig.entity(ring), rig.entity(ring)
    hung = rig.job(first)
    rig.push(hung)
    rig.wait_scheduled(hung)
    held = rig.fence()
    killed = rig.submit(second, after=[held])
    third = rig.job(first)
    rig.task("hardware", lambda: msleep(4), lambda: dma_fence_signal(held))
    rig.task("submit", lambda: msleep(4), lambda: rig.push(third))
    msleep(4)
    rig.kill(second)
    rig.wait(killed)
    rig.close()
    dma_fence_put(held)


def _unpark() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_entity", "v6_1").drm_sched_entity_fini,
            "wait_for_completion(entity.entity_idle)",
            "kthread_park(sched.thread)\nkthread_unpark(sched.thread)",
            names={"kthread_park": kthread_park, "kthread_unpark": kthread_unpark},
        ),
    )


# -- R16 -------------------------------------------------------------------------------------------


def native_dependency(kernel: Any) -> None:
    """A job waits until one of another ring is scheduled, and then takes its hardware fence."""
    rig = Rig()

    def waits_on_hardware(job: Job) -> Any:
        s_fence = rig.fences.to_drm_sched_fence(a.scheduled)
        assert s_fence.parent is not None, "a scheduled job has no parent fence"
        return rig.signalled(job)

    one, other = rig.ring("ring0"), rig.ring("ring1")
    first, second = rig.entity(one), rig.entity(other)
    a = rig.job(first)
    b = rig.job(second, after=[a.scheduled], run=waits_on_hardware)
    rig.push(b, a)
    rig.close()


# -- R22 -------------------------------------------------------------------------------------------


def kill_before_its_dependency(kernel: Any) -> None:
    """A job is killed that depends on somebody's work, which then ends."""
    rig = Rig()
    entity = rig.entity(rig.ring())
    held = rig.fence()
    job = rig.submit(entity, after=[held])
    early = rig.note_early_end(job, held)
    rig.task("other", lambda: msleep(1), lambda: dma_fence_signal(held))
    rig.kill(entity)
    rig.close()
    dma_fence_put(held)
    assert not early, "a job finished before what it depends on"


def _no_dependencies() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_entity").drm_sched_entity_kill_jobs_work,
            """
            for index, f in xa_for_each(job.dependencies):
                s_fence = to_drm_sched_fence(f)
                if s_fence and f is s_fence.scheduled:
                    f = dma_fence_get_rcu(s_fence.finished)
                    dma_fence_put(s_fence.scheduled)
                xa_erase(job.dependencies, index)
                if f and not dma_fence_add_callback(
                    f, job.finish_cb, drm_sched_entity_kill_jobs_cb
                ):
                    return
                dma_fence_put(f)
            """,
        ),
    )


# -- R30 -------------------------------------------------------------------------------------------


def score_at_rest(kernel: Any) -> None:
    """Two jobs of one entity; when all is quiet the ring's score is that of the entity."""
    rig = Rig(run=null)
    ring = rig.ring()
    entity = rig.entity(ring)
    first, second = rig.job(entity), rig.job(entity)
    rig.push(first, second)
    rig.wait(first, second)
    rig.settle()
    score = atomic_read(ring.score)
    assert score == 1, f"score {score} of a ring with one entity and no job, not 1"
    rig.close()


def _only_the_first() -> Sequence[Edit]:
    push = port("sched_entity").drm_sched_entity_push_job
    return (
        Edit(push, "atomic_inc(entity.rq.sched.score)"),
        Edit(
            push,
            """
            if first:
                sched = drm_sched_rq_add_entity(entity, submit_ts)
                if sched:
                    drm_sched_wakeup(sched)
            """,
            """
            if first:
                atomic_inc(entity.rq.sched.score)
                sched = drm_sched_rq_add_entity(entity, submit_ts)
                if sched:
                    drm_sched_wakeup(sched)
            """,
        ),
    )


EXHIBITS = (
    Exhibit(
        id="R15",
        slug="fini-unparks-parked",
        title="the end of an entity restarts a scheduler that is stopped for a reset",
        fix="83a7772ba223",
        subject="drm/scheduler: Use completion to wait for sched->thread idle v2.",
        affected="until 5.6",
        sched="v6_1",
        scenario=reset_while_an_entity_ends,
        finds=r"while the scheduler is stopped|object has no attribute|list_",
        edits=_unpark,
    ),
    Exhibit(
        id="R16",
        slug="parent-after-scheduled",
        title="a job is scheduled before it has a hardware fence",
        fix="db8b4968a8d0",
        subject="drm/sched: Call drm_sched_fence_set_parent() from drm_sched_fence_scheduled()",
        affected="until 6.5; 6.1 as it stands",
        sched="v6_1",
        scenario=native_dependency,
        finds=r"no parent fence",
        mended="v7_2",
    ),
    Exhibit(
        id="R22",
        slug="kill-no-dep-wait",
        title="a killed job finishes before what it depends on",
        fix="0b10ab80695d",
        subject="drm/sched: Avoid data corruptions",
        cve="CVE-2021-47354",
        affected="until 5.14",
        sched="v7_2",
        scenario=kill_before_its_dependency,
        finds=r"finished before what it depends on",
        edits=_no_dependencies,
        note="Whoever finds only this fence in a reservation object takes the buffer for idle.",
    ),
    Exhibit(
        id="R30",
        slug="score-first-only",
        title="a mend that counted only the first job of a queue",
        fix="abf201f6ce14",
        subject='Revert "drm/sched: Always increment correct scheduler score"',
        affected="6.12-rc1",
        sched="v7_2",
        scenario=score_at_rest,
        finds=r"score",
        edits=_only_the_first,
    ),
)
