# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Lost wake-ups and waits that never end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.arch.patch import Edit
from kport.dma_buf.dma_fence import dma_fence_put, dma_fence_signal
from kport.drm import spsc_queue
from kport.linux.completion import complete, wait_for_completion
from kport.linux.sched import PF_EXITING, SIGKILL, current
from kport.museum.exhibit import Exhibit, port
from kport.museum.exhibits.stage import lockless_queue
from kport.museum.kit import Job, Rig, null

DEADLOCK = r"^BUG: deadlock"


# -- R01 -------------------------------------------------------------------------------------------


def two_jobs(kernel: Any) -> None:
    """One entity, two jobs that are over at once; the second is pushed while the first runs."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())
    first, second = rig.job(entity), rig.job(entity)
    rig.push(first, second)
    rig.close()


def _count_late() -> Sequence[Edit]:
    return (
        Edit(
            spsc_queue.spsc_queue_push,
            """
            atomic_inc(queue.job_count)
            smp_mb__after_atomic()
            tail = atomic_long_xchg(queue.tail, node)
            WRITE_ONCE(tail, "next", node)
            """,
            """
            tail = atomic_long_xchg(queue.tail, node)
            WRITE_ONCE(tail, "next", node)
            atomic_inc(queue.job_count)
            """,
        ),
    )


# -- R02 -------------------------------------------------------------------------------------------


def cross_dependency(kernel: Any) -> None:
    """Two entities of one ring; the job of one depends on that of the other."""
    rig = Rig(run=null)
    ring = rig.ring()
    one, other = rig.entity(ring), rig.entity(ring)
    b = rig.job(other)
    a = rig.job(one, after=[b.finished])
    rig.push(a, b)
    rig.close()


def _no_requeue() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_main").drm_sched_run_job_work,
            "drm_sched_run_job_queue(sched)\nreturn",
            "return",
        ),
    )


# -- R04 -------------------------------------------------------------------------------------------


def killed_behind_a_driver(kernel: Any) -> None:
    """A job that its driver holds back is killed; another entity's job depends on it."""
    rig = Rig(run=null)
    held = rig.fence()
    asked: list[Job] = []

    def prepare(job: Job) -> Any:
        if job is a and not asked:
            asked.append(job)
            return held
        return None

    rig.prepare = prepare
    ring = rig.ring()
    one, other = rig.entity(ring), rig.entity(ring)
    a = rig.job(one)
    b = rig.job(other, after=[a.finished])
    rig.push(a, b)
    rig.kill(one)
    rig.close()
    if not asked:
        dma_fence_put(held)


def _no_scheduled() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_entity").drm_sched_entity_kill_jobs_work,
            "drm_sched_fence_scheduled(job.s_fence, None)",
        ),
    )


# -- R05 -------------------------------------------------------------------------------------------


def killed_process(kernel: Any) -> None:
    """A process is killed: its descriptor is flushed, then closed."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())

    def process() -> None:
        rig.submit(entity)
        current().flags |= PF_EXITING
        current().exit_code = SIGKILL
        rig.entities.drm_sched_entity_flush(entity, 10)
        rig.kill(entity)

    rig.task("process", process)
    rig.close()


def _complete_once() -> Sequence[Edit]:
    functions = (
        port("sched_entity").drm_sched_entity_init,
        port("sched_main").drm_sched_run_job_work,
    )
    return [
        Edit(
            function,
            "complete_all(entity.entity_idle)",
            "complete(entity.entity_idle)",
            every=True,
            names={"complete": complete},
        )
        for function in functions
    ]


# -- R06 -------------------------------------------------------------------------------------------


def flush_while_the_ring_ends(kernel: Any) -> None:
    """Somebody waits until an entity is idle; its ring is taken down meanwhile."""
    rig = Rig(run=null)
    ring = rig.ring()
    entity = rig.entity(ring)
    held = rig.fence()
    job = rig.submit(entity, after=[held])
    flushed = rig.task("close", lambda: rig.entities.drm_sched_entity_flush(entity, 0))
    rig.main.drm_sched_fini(ring)
    wait_for_completion(flushed)
    dma_fence_signal(held)
    rig.kill(entity)
    rig.wait(job)
    rig.forget(ring)
    rig.close()
    dma_fence_put(held)


def _no_stop_at_fini() -> Sequence[Edit]:
    main, entity = port("sched_main", "v6_1"), port("sched_entity", "v6_1")
    return (
        Edit(main.drm_sched_fini, "s_entity.stopped = True"),
        Edit(main.drm_sched_fini, "wake_up_all(sched.job_scheduled)"),
        Edit(
            entity.drm_sched_entity_is_idle,
            """
            if (
                list_empty(entity.list)
                or spsc_queue_count(entity.job_queue) == 0
                or entity.stopped
            ):
                return True
            """,
            """
            if list_empty(entity.list) or spsc_queue_count(entity.job_queue) == 0:
                return True
            """,
        ),
    )


# -- R07 -------------------------------------------------------------------------------------------


def exit_with_a_dependency(kernel: Any) -> None:
    """A killed process has two entities; a job of one depends on a job of the other ring."""
    rig = Rig(run=rig_manual)
    one, other = rig.ring("ring0", limit=1), rig.ring("ring1", limit=1)
    foreign, first, second = rig.entity(other), rig.entity(one), rig.entity(other)
    busy = rig.submit(foreign)
    b = rig.job(second, run=null)
    a = rig.job(first, run=null, after=[b.finished])

    def process() -> None:
        rig.push(a, b)
        current().flags |= PF_EXITING
        current().exit_code = SIGKILL
        for entity in (first, second):
            rig.entities.drm_sched_entity_flush(entity, 0)
        for entity in (first, second):
            rig.kill(entity)

    over = rig.task("process", process)
    wait_for_completion(over)
    rig.wait_scheduled(busy)
    rig.end(busy)
    rig.close()


def rig_manual(job: Job) -> Any:
    """Runs until the scenario ends it."""
    return job.rig.manual(job)


EXHIBITS = (
    Exhibit(
        id="R01",
        slug="spsc-count-late",
        title="the queue counts a job after it can be taken",
        fix="8af39ec5cf2b",
        subject="drm/sched: Increment job count before swapping tail spsc queue",
        cve="CVE-2025-38515",
        affected="until 6.16",
        sched="v7_2",
        scenario=two_jobs,
        finds=DEADLOCK,
        setting=lockless_queue,
        edits=_count_late,
        note="The consumer takes the new job's predecessor, sees a count of 0 and goes to sleep; "
        "the producer has not seen an empty queue and wakes nobody.",
    ),
    Exhibit(
        id="R02",
        slug="runjob-no-requeue",
        title="the worker stops behind a blocked entity",
        fix="66dbd9004a55",
        subject="drm/sched: Drain all entities in DRM sched run job worker",
        affected="6.8-rc",
        sched="v7_2",
        scenario=cross_dependency,
        finds=DEADLOCK,
        edits=_no_requeue,
        note="Two pushes make one work item. It finds that the first entity waits, and leaves the "
        "second, for which the first waits.",
    ),
    Exhibit(
        id="R04",
        slug="kill-no-scheduled-signal",
        title="a killed job never tells that it was scheduled",
        fix="471db2c2d4f8",
        subject="drm/scheduler: signal scheduled fence when kill job",
        cve="CVE-2025-38436",
        affected="6.2 to 6.16",
        sched="v7_2",
        scenario=killed_behind_a_driver,
        finds=DEADLOCK,
        edits=_no_scheduled,
        note="A job of the same ring waits for the scheduled fence only; when the job is killed "
        "nothing signals it.",
    ),
    Exhibit(
        id="R05",
        slug="idle-completion-consumed",
        title="the second kill waits for what the first has taken",
        fix="9f1ecfc5dcb4",
        subject="drm/scheduler: Fix lockup in drm_sched_entity_kill()",
        affected="6.2-rc1",
        sched="v7_2",
        scenario=killed_process,
        finds=DEADLOCK,
        edits=_complete_once,
        note="complete() lets one waiter through; flush and fini of a killed process both wait.",
    ),
    Exhibit(
        id="R06",
        slug="fini-flush-hang",
        title="a flush sleeps on when the scheduler ends",
        fix="c61cdbdbffc1",
        subject="drm/scheduler: Fix hang when sched_entity released",
        affected="until 5.14",
        sched="v6_1",
        scenario=flush_while_the_ring_ends,
        finds=DEADLOCK,
        edits=_no_stop_at_fini,
    ),
    Exhibit(
        id="R07",
        slug="kill-sync-dep-deadlock",
        title="an exiting process waits for a job that only itself would kill",
        fix="2fdb8a8f07c2",
        subject="drm/scheduler: rework entity flush, kill and fini",
        affected="5.14 to 6.2; 6.1 as it stands",
        sched="v6_1",
        scenario=exit_with_a_dependency,
        finds=DEADLOCK,
        mended="v7_2",
        signature=r"BUG: deadlock(?s:.*)drm_sched_entity_kill_jobs\+",
        note="6.1 waits for the dependencies of a killed job in the exiting task; 7.2 goes on in "
        "callbacks.",
    ),
)
