# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Uses of what has been freed, and of memory that is something else by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from kport.arch.patch import Edit
from kport.dma_buf import dma_fence
from kport.linux.completion import wait_for_completion
from kport.linux.delay import msleep
from kport.linux.rcupdate import rcu_read_lock, rcu_read_unlock
from kport.museum.exhibit import Exhibit, port
from kport.museum.exhibits.stage import lockless_queue
from kport.museum.kit import Job, Rig, null

FREED = r"KASAN: slab-use-after-free|object has no attribute|ODEBUG: free active"


# -- R09 -------------------------------------------------------------------------------------------


def push_to_a_busy_ring(kernel: Any) -> None:
    """One entity, two jobs that are over at once."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())
    first, second = rig.job(entity), rig.job(entity)
    rig.push(first, second)
    rig.close()


def _late_timestamp() -> Sequence[Edit]:
    push = port("sched_entity").drm_sched_entity_push_job
    return (
        Edit(push, "sched_job.submit_ts = submit_ts = ktime_get()", "submit_ts = ktime_get()"),
        Edit(
            push,
            "first = spsc_queue_push(entity.job_queue, sched_job.queue_node)",
            """
            first = spsc_queue_push(entity.job_queue, sched_job.queue_node)
            sched_job.submit_ts = submit_ts
            """,
        ),
    )


# -- R11 -------------------------------------------------------------------------------------------


def entity_freed_before_its_job(kernel: Any) -> None:
    """The entity of a running job is destroyed; then the job ends."""
    rig = Rig()
    ring = rig.ring()
    entity = rig.entity(ring)
    job = rig.submit(entity, run=rig.manual)
    rig.wait_scheduled(job)
    rig.task("hardware", lambda: rig.end(job))
    rig.destroy(entity)
    rig.free(entity)
    rig.close()


def _elapsed() -> Sequence[Edit]:
    count = "list_del_init(job.list)"
    return (
        Edit(port("sched_entity").drm_sched_entity_pop_job, "sched_job.entity = None"),
        Edit(
            port("sched_main").drm_sched_get_finished_job,
            count,
            count
            + """
elapsed_ns[job.entity.fence_context] += (
    dma_fence_timestamp(job.s_fence.finished) - job.s_fence.scheduled.timestamp
)""",
            names={"elapsed_ns": Counter()},
        ),
    )


# -- R12 -------------------------------------------------------------------------------------------


def late_job(kernel: Any) -> None:
    """A job ends just when its time is over; the driver looks at it."""
    rig = Rig()

    def timeout(job: Job) -> int:
        msleep(1)
        assert job.base.s_fence is not None
        return rig.not_hung(job)

    rig.timeout = timeout
    entity = rig.entity(rig.ring(timeout=1))
    job = rig.submit(entity, run=rig.manual)
    rig.wait_scheduled(job)
    msleep(4)
    rig.end(job)
    rig.close()


def _only_peek() -> Sequence[Edit]:
    timedout = port("sched_main").drm_sched_job_timedout
    return (
        Edit(timedout, "list_del_init(job.list)"),
        Edit(
            timedout,
            """
            if status == DRM_GPU_SCHED_STAT_NO_HANG:
                drm_sched_job_reinsert_on_false_timeout(sched, job)
            """,
        ),
    )


# -- R13 -------------------------------------------------------------------------------------------


def ring_ends_with_a_job(kernel: Any) -> None:
    """A ring is taken down and freed while a job of it runs; then the job's time is over."""
    rig = Rig()
    rig.cancel = True

    def timeout(job: Job) -> int:
        """Give the job up: the driver frees it itself, so nobody puts it back."""
        rig.main.drm_sched_wqueue_stop(job.base.sched)
        rig.end(job)
        rig.free_job(job.base)
        return int(rig.api.DRM_GPU_SCHED_STAT_RESET)

    rig.timeout = timeout
    ring = rig.ring(timeout=2)
    entity = rig.entity(ring)
    job = rig.submit(entity, run=rig.manual)
    rig.wait_scheduled(job)
    rig.destroy(entity)
    rig.free(entity)
    rig.stop(ring)
    msleep(20)
    rig.close()


def _timer_lives_on() -> Sequence[Edit]:
    return (Edit(port("sched_main").drm_sched_fini, "cancel_delayed_work_sync(sched.work_tdr)"),)


# -- R18 -------------------------------------------------------------------------------------------


def name_of_a_fence(kernel: Any) -> None:
    """Somebody holds the fence of a job and asks for its name when the ring is gone."""
    rig = Rig(run=null)
    ring = rig.ring()
    entity = rig.entity(ring)
    job = rig.submit(entity)
    rig.wait(job)
    rig.settle()
    gone = rig.task("teardown", lambda: rig.kill(entity), lambda: rig.stop(ring))
    wait_for_completion(gone)
    rcu_read_lock()
    name = dma_fence.dma_fence_timeline_name(job.finished)
    rcu_read_unlock()
    assert name
    rig.close()


def _name_of_the_driver() -> Sequence[Edit]:
    return (
        Edit(
            dma_fence.dma_fence_timeline_name,
            """
            if not dma_fence_test_signaled_flag(fence) and ops:
                return ops.get_timeline_name(fence)
            else:
                return "signaled-timeline"
            """,
            "return ops.get_timeline_name(fence)",
        ),
    )


# -- R25 -------------------------------------------------------------------------------------------


def timestamp_of_the_last(kernel: Any) -> None:
    """Two jobs on the hardware; the first ends while somebody looks for finished jobs."""
    rig = Rig()
    entity = rig.entity(rig.ring())
    first = rig.submit(entity, run=rig.manual)
    second = rig.submit(entity, run=rig.manual)
    rig.wait_scheduled(first, second)
    rig.task("hardware", lambda: rig.end(first))
    rig.end(second)
    rig.close()


def _plain_timestamp() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_main").drm_sched_get_finished_job,
            "next.s_fence.scheduled.timestamp = dma_fence_timestamp(job.s_fence.finished)",
            "next.s_fence.scheduled.timestamp = job.s_fence.finished.timestamp",
        ),
    )


EXHIBITS = (
    Exhibit(
        id="R09",
        slug="push-ts-uaf",
        title="the time of submission is written into a job that may be gone",
        fix="1e1d3574e69f",
        subject="drm/scheduler: Fix UAF race in drm_sched_entity_push_job()",
        affected="6.2 to 6.3-rc7",
        sched="v7_2",
        scenario=push_to_a_busy_ring,
        finds=FREED,
        setting=lockless_queue,
        edits=_late_timestamp,
        check=("memory",),
    ),
    Exhibit(
        id="R11",
        slug="entity-elapsed-uaf",
        title="a job outlives its entity and writes into it",
        fix="96c7c2f4d5bd",
        subject="drm/scheduler: set entity to NULL in drm_sched_entity_pop_job()",
        affected="6.3-rc",
        sched="v7_2",
        scenario=entity_freed_before_its_job,
        finds=FREED,
        edits=_elapsed,
        check=("memory",),
        note="The GPU time of an entity was added up when a job was freed; entity.elapsed_ns is a "
        "table here.",
    ),
    Exhibit(
        id="R12",
        slug="tdr-free-race",
        title="the timeout handler looks at a job that is being freed",
        fix="135517d3565b",
        subject="drm/scheduler: Avoid accessing freed bad job.",
        affected="5.2 to 5.6",
        sched="v7_2",
        scenario=late_job,
        finds=FREED,
        edits=_only_peek,
        check=("memory",),
    ),
    Exhibit(
        id="R13",
        slug="fini-pending-tdr-uaf",
        title="the timeout of a scheduler that is gone",
        fix="e582951baabb",
        subject="drm/sched: Cancel and flush all outstanding jobs before finish.",
        affected="until 5.14",
        sched="v7_2",
        scenario=ring_ends_with_a_job,
        finds=FREED,
        edits=_timer_lives_on,
        check=("memory",),
    ),
    Exhibit(
        id="R18",
        slug="timeline-name-uaf",
        title="a fence is asked for the name of a scheduler that is gone",
        fix="506aa8b02a8d",
        subject="dma-fence: Add safe access helpers and document the rules",
        affected="until 6.17",
        sched="v7_2",
        scenario=name_of_a_fence,
        finds=FREED,
        edits=_name_of_the_driver,
        check=("memory",),
    ),
    Exhibit(
        id="R25",
        slug="timestamp-union-read",
        title="a timestamp is read where a list still stands",
        fix="0da611a87021",
        subject="dma-buf: add dma_fence_timestamp helper",
        affected="5.14 to 6.6",
        sched="v7_2",
        scenario=timestamp_of_the_last,
        finds=r"timestamp",
        edits=_plain_timestamp,
        check=("memory",),
        points="plain",
        note="The list of callbacks and the timestamp share memory; between the flag that says "
        "signalled and the one that says stamped it is still the list.",
    ),
)
