# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The state of a scenario as the record has it, read from the structs of the port."""

from __future__ import annotations

from typing import Any

from kport.drm.scheduler.v7_2.gpu_scheduler import (
    drm_sched_entity,
    drm_sched_job,
    ewma_drm_sched_avgtime_read,
)
from kport.drm.scheduler.v7_2.sched_entity import drm_sched_entity_error
from kport.drm.scheduler.v7_2.sched_main import drm_sched_is_stopped
from kport.drm.spsc_queue import spsc_queue_count
from kport.kunit.conform.things import Entity, Job, Scheduler, World
from kport.linux.atomic import atomic_read
from kport.linux.list import list_for_each_entry
from kport.linux.rbtree import rb_entry, rb_first_cached, rb_next
from kport.linux.workqueue import delayed_work_pending

State = dict[str, dict[str, Any]]


def read_state(world: World) -> State:
    """What there is now: schedulers, entities, jobs."""
    state: State = {}
    for sched in world.schedulers.values():
        state[sched.name] = _scheduler(world, sched)
    for entity in world.entities.values():
        state[entity.name] = _entity(world, entity)
    for job in world.jobs.values():
        state[job.name] = _job(job)
    return state


def _scheduler(world: World, scheduler: Scheduler) -> dict[str, Any]:
    sched = scheduler.mock.base
    state = {
        "score": atomic_read(sched.score),
        "credits": atomic_read(sched.credit_count),
        "limit": sched.credit_limit,
        "tdr": int(delayed_work_pending(sched.work_tdr)),
        "stopped": int(drm_sched_is_stopped(sched)),
        "ready": int(sched.ready),
        "avg": ewma_drm_sched_avgtime_read(sched.avg_job_us),
        "pending": [
            world.owner(job).name
            for job in list_for_each_entry(sched.pending_list, drm_sched_job, "list")
        ],
    }
    run_queues = {}
    for index in range(sched.num_rqs):
        rq: Any = sched.sched_rq[index]
        order = _tree_order(world, rq)
        if order:
            run_queues[str(index)] = {"head": rq.head_prio, "order": order}
    if run_queues:
        state["rqs"] = run_queues
    return state


def _tree_order(world: World, rq: Any) -> list[str]:
    """The entities in the tree of a run queue, first to last."""
    order = []
    rb = rb_first_cached(rq.rb_tree_root)
    while rb:
        entity = rb_entry(rb, drm_sched_entity, "rb_tree_node")
        order.append(world.owner(entity).name)
        rb = rb_next(rb)
    return order


def _entity(world: World, entity: Entity) -> dict[str, Any]:
    base: Any = entity.base
    dependency = base.dependency
    return {
        "prio": base.priority,
        "rqprio": base.rq_priority,
        "sched": world.owner(base.rq.sched).name if base.rq else None,
        "queue": spsc_queue_count(base.job_queue),
        "dep": world.fence_name(dependency.context, dependency.seqno) if dependency else None,
        "stopped": int(base.stopped),
        "guilty": atomic_read(entity.guilty),
        "error": drm_sched_entity_error(base),
        "vruntime": base.stats.vruntime,
        "runtime": base.stats.runtime,
        "avg": ewma_drm_sched_avgtime_read(base.stats.avg_job_us),
        "nlist": base.num_sched_list if base.sched_list else 0,
    }


def _job(job: Job) -> dict[str, Any]:
    job.look()
    return {
        "pushed": job.pushed,
        "scheduled": job.is_scheduled,
        "finished": job.is_finished,
        "error": job.error,
        "freed": job.freed,
        "ran": job.ran,
        "flags": job.mock.flags,
        "credits": job.mock.base.credits,
        "karma": atomic_read(job.mock.base.karma),
        "status": (job.error or 1) if job.is_finished else 0,
    }
