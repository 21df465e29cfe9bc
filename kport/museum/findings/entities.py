# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""7.2: the end of an entity."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from kport.arch.asm import WRITE_ONCE
from kport.arch.patch import Edit
from kport.dma_buf.dma_fence import (
    dma_fence_put,
    dma_fence_signal,
)
from kport.linux.workqueue import flush_workqueue, queue_work
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

# -- 7.2: a killed entity goes back into the tree --------------------------------------------------


def kill_while_a_job_is_popped(kernel: Any) -> None:
    """An entity is killed and freed while its ring takes the first of its two jobs."""
    rig = Rig(run=null)
    ring = rig.ring()
    entity, other = rig.entity(ring), rig.entity(ring)
    a, b = rig.job(entity), rig.job(entity)
    rig.push(a, b)
    rig.kill(entity)
    rig.wait(a, b)
    rig.free(entity)
    rig.submit(other)
    rig.close()


def _not_the_killed() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_rq").drm_sched_rq_pop_entity,
            "next_job = drm_sched_entity_queue_peek(entity)",
            "next_job = None if entity.stopped else drm_sched_entity_queue_peek(entity)",
        ),
    )


# -- 7.2: an entity ends while its dependency signals ----------------------------------------------


def end_while_the_dependency_signals(kernel: Any) -> None:
    """An entity is ended and freed just when what its job waits for signals."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())
    held = rig.fence()
    job = rig.submit(entity, after=[held])
    rig.task("other", lambda: dma_fence_signal(held))
    rig.kill(entity)
    rig.free(entity)
    rig.wait(job)
    rig.close()
    dma_fence_put(held)


def _callback_and_end() -> Sequence[Edit]:
    entity = port("sched_entity")
    return (
        Edit(
            entity.drm_sched_entity_wakeup,
            CLEARS_FIRST,
            READS_FIRST,
            names={"WRITE_ONCE": WRITE_ONCE},
        ),
        Edit(
            entity.drm_sched_entity_fini,
            HAS_DEPENDENCY,
            TAKE_DEPENDENCY.replace("    %s\n", ""),
            names=RCU,
        ),
    )


# -- 7.2: the work of a killed job outlives the scheduler ------------------------------------------


def end_behind_a_kill(kernel: Any) -> None:
    """An entity is killed; when the fences of its jobs have signalled the ring is taken down."""
    rig = Rig()
    rig.cancel = True
    ring = rig.ring()
    entity = rig.entity(ring)
    runs, queued = rig.submit(entity, run=rig.manual), rig.submit(entity)
    rig.wait_scheduled(runs)
    rig.kill(entity)
    rig.end(runs)
    rig.wait(runs, queued)
    rig.stop(ring)
    rig.close()


def _flush_the_killed() -> Sequence[Edit]:
    stop = "drm_sched_wqueue_stop(sched)"
    return (
        Edit(
            port("sched_entity").drm_sched_entity_kill_jobs_cb,
            "schedule_work(job.work)",
            "queue_work(job.sched.submit_wq, job.work)",
            names={"queue_work": queue_work},
        ),
        Edit(
            port("sched_main").drm_sched_fini,
            stop,
            f"{stop}\nflush_workqueue(sched.submit_wq)",
            names={"flush_workqueue": flush_workqueue},
        ),
    )


# -- 7.2: a fence is dropped before it is replaced -------------------------------------------------


def error_while_a_job_is_popped(kernel: Any) -> None:
    """The driver asks an entity for its error while the next job is taken."""
    rig = Rig()
    entity = rig.entity(rig.ring())

    def submit() -> None:
        job = rig.submit(entity)
        rig.wait(job)
        rig.settle()
        rig.drop(job)
        rig.submit(entity)

    ask = partial(rig.entities.drm_sched_entity_error, entity)
    rig.task("submit", submit)
    rig.task("error", ask, ask)
    rig.close()


def _replace_then_drop() -> Sequence[Edit]:
    last = 'rcu_dereference_check(entity, "last_scheduled", True)'
    assign = (
        'rcu_assign_pointer(entity, "last_scheduled", '
        "dma_fence_get(sched_job.s_fence.finished))"
    )
    return (
        Edit(
            port("sched_entity").drm_sched_entity_pop_job,
            f"dma_fence_put({last})\n{assign}",
            f"last = {last}\n{assign}\ndma_fence_put(last)",
        ),
    )


FOUND = (
    Exhibit(
        id="F02",
        slug="killed-entity-in-tree",
        title="a killed entity goes back into the tree",
        fix="",
        subject="",
        affected="7.2 as it stands",
        sched="v7_2",
        scenario=kill_while_a_job_is_popped,
        finds=FREED + r"|WARNING|deadlock",
        mend=_not_the_killed,
        note="drm_sched_entity_kill() takes the entity off the run queue and waits for "
        "entity_idle (sched_entity.c:314-320). The worker that has selected the entity before "
        "pops its job meanwhile, and drm_sched_rq_pop_entity() puts the entity back for the "
        "next one without a look at entity->stopped (sched_rq.c:341-378). It stays in the tree "
        "when it is freed.",
    ),
    Exhibit(
        id="F03",
        slug="wakeup-against-fini",
        title="an entity is freed under the callback of its dependency",
        fix="",
        subject="",
        affected="7.2 as it stands; 6.1 as well",
        sched="v7_2",
        scenario=end_while_the_dependency_signals,
        finds=FREED + r"|WARNING",
        mend=_callback_and_end,
        note="drm_sched_entity_wakeup() clears entity->dependency and then reads entity->rq->"
        "sched (sched_entity.c:443-452). drm_sched_entity_fini() takes a NULL there for \"no "
        "callback\" (413-417) and lets the caller free the entity. If it sees the fence, it "
        "reads the pointer three times, and drops a reference that the callback drops as well.",
    ),
    Exhibit(
        id="F09",
        slug="killed-job-behind-fini",
        title="a killed job is freed through a scheduler that is gone",
        fix="",
        subject="",
        affected="7.2 as it stands",
        sched="v7_2",
        scenario=end_behind_a_kill,
        finds=FREED,
        points="plain",
        mend=_flush_the_killed,
        note="A killed job ends in a work item of the system's queue (sched_entity.c:293-294). "
        "It signals the finished fence and then loads job->sched->ops to free the job (278-"
        "281). Nothing waits for it: drm_sched_entity_fini() does not, and drm_sched_fini() "
        "stops the scheduler's own two items and the timeout (sched_main.c:1220-1229). A "
        "driver that has seen all fences signal and takes the scheduler down frees it under "
        "the item; one that waits for its free_job() calls, as nouveau does, is safe. 6.1 "
        "reads the same (sched_entity.c:195-215). The mend queues the item on the scheduler's "
        "own queue and flushes that in drm_sched_fini().",
    ),
    Exhibit(
        id="F12",
        slug="dropped-before-replaced",
        title="the error of an entity is read from a fence that is freed",
        fix="",
        subject="",
        affected="7.2 as it stands",
        sched="v7_2",
        scenario=error_while_a_job_is_popped,
        finds=FREED,
        check=("memory",),
        mend=_replace_then_drop,
        note="drm_sched_entity_pop_job() puts entity->last_scheduled and then assigns the next "
        "(sched_entity.c:558-560). If the put is the last, the fence is given to call_rcu(), but "
        "still to be found: drm_sched_entity_error(), which enters RCU after that, loads it (232-"
        "237), and the grace period does not wait for a reader that began behind it. The window is "
        "a grace period between two statements, so the worker has to be preempted there. The mend "
        "assigns first, as readers under RCU need it.",
    ),
)
