# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Probes of order and room: which job is next, and how many fit on the hardware."""

from __future__ import annotations

from kport.dma_buf.dma_fence import dma_fence_put, dma_fence_signal
from kport.drivers.compat import (
    DRM_SCHED_PRIORITY_HIGH,
    DRM_SCHED_PRIORITY_LOW,
    DRM_SCHED_PRIORITY_NORMAL,
    drm_sched_entity_set_priority,
    drm_sched_wqueue_start,
    drm_sched_wqueue_stop,
)
from kport.workload.eras.place import At
from kport.workload.eras.probe import Facts, Probe, Reason
from kport.workload.eras.ring import Ring, new_fence, now_ms, rest

# -- whose turn it is ----------------------------------------------------------------------------


def _turns() -> Facts:
    ring = Ring(limit=1)
    ring.submit(ring.entity(), "first")
    rest()
    for client, jobs in (("A", 3), ("B", 2), ("C", 1)):
        entity = ring.entity()
        for number in range(jobs):
            ring.submit(entity, f"{client}{number + 1}")
            rest()
    ring.drain()
    facts = {"order": ring.did("run")[1:]}
    ring.close()
    return facts


_SELECT_6_1 = At("sched_main", "drm_sched_rq_select_entity", "list_for_each_entry_continue(")

TURNS = Probe(
    "turns",
    "A submits three jobs, then B two, then C one, while the ring is full.",
    _turns,
    lambda f: "ran " + " ".join(f["order"]),
    {
        "v6_1": Reason("goes on behind the entity it served last: round robin", _SELECT_6_1),
        "v7_2": Reason(
            "sorts entities by when their first job was submitted: FIFO, the default",
            At("sched_rq", "drm_sched_rq_pop_entity", "submit_ts"),
        ),
    },
)

# -- whose share it is ---------------------------------------------------------------------------


def _share() -> Facts:
    ring = Ring(limit=1)
    lasts = {"long": 8, "short": 2}
    entities = {name: ring.entity() for name in lasts}
    used = dict.fromkeys(lasts, 0)
    for name, entity in entities.items():
        for _ in range(3):
            ring.submit(entity, name)
    end = now_ms() + 400
    served = 0
    while now_ms() < end:
        rest(0.2)
        job = next(j for j in ring.jobs if not j.over and j.name == ring.did("run")[served])
        served += 1
        rest(lasts[job.name])
        used[job.name] += lasts[job.name]
        ring.submit(entities[job.name], job.name)
        job.complete()
    facts = {"long_pct": 5 * round(20 * used["long"] / sum(used.values()))}
    ring.close()
    return facts


SHARE = Probe(
    "share",
    "One client has jobs of 8 ms, one of 2 ms, both always three; 7.2 with FAIR.",
    _share,
    lambda f: f"the long jobs had about {f['long_pct']} % of the GPU",
    {
        "v6_1": Reason("takes turns by jobs, however long they are", _SELECT_6_1),
        "v7_2": Reason(
            "takes the entity that had the least GPU time, by its weight",
            At("sched_rq", "drm_sched_rq_pop_entity", "drm_sched_entity_get_job_ts("),
        ),
    },
    policy=2,
)

# -- a new priority ------------------------------------------------------------------------------


def _priority() -> Facts:
    ring, other = Ring(limit=1), Ring(limit=1, name="ring1")
    normal = ring.entity(DRM_SCHED_PRIORITY_NORMAL)
    changed = ring.entity(DRM_SCHED_PRIORITY_LOW, others=[other])
    holder = other.entity()
    for _ in range(4):
        other.submit(holder, "busy")  # so that the other ring is never the less loaded one
    ring.submit(normal, "first")
    rest()
    drm_sched_entity_set_priority(changed, DRM_SCHED_PRIORITY_HIGH)
    ring.submit(normal, "normal")
    rest()
    ring.submit(changed, "changed")
    ring.drain()
    facts = {"order": ring.did("run")[1:]}
    ring.close()
    other.close()
    return facts


PRIORITY = Probe(
    "set-priority",
    "An entity of two rings goes from LOW to HIGH, then submits behind a NORMAL job.",
    _priority,
    lambda f: "ran " + ", ".join(f["order"]),
    {
        "v6_1": Reason(
            "takes the run queue of the new priority when the entity chooses its ring",
            At("sched_entity", "drm_sched_entity_select_rq", "sched_rq[entity.priority]"),
        ),
        "v7_2": Reason(
            "takes that of the priority the entity was made with",
            At("sched_entity", "drm_sched_entity_select_rq", "sched_rq[entity.rq_priority]"),
        ),
    },
)

# -- room ----------------------------------------------------------------------------------------


def _credits() -> Facts:
    ring = Ring(limit=4)
    entity = ring.entity()
    for number in range(6):
        ring.submit(entity, f"J{number}", cost=3)
    rest()
    facts = {"limit": 4, "credits": 3, "on_hardware": len(ring.did("run"))}
    ring.close()
    return facts


CREDITS = Probe(
    "room",
    "Six jobs of 3 credits each for a ring with a limit of 4.",
    _credits,
    lambda f: f"{f['on_hardware']} on the hardware at once",
    {
        "v6_1": Reason(
            "counts jobs, whatever they need of the ring",
            At("sched_main", "drm_sched_ready", "hw_submission_limit"),
        ),
        "v7_2": Reason(
            "counts the credits of each job",
            At("sched_main", "drm_sched_can_queue", "drm_sched_available_credits("),
        ),
    },
)


def _blocked() -> Facts:
    ring = Ring(limit=4)
    low = ring.entity(DRM_SCHED_PRIORITY_LOW)
    ring.submit(low, "first")
    rest()
    ring.submit(ring.entity(DRM_SCHED_PRIORITY_HIGH), "large", cost=4)
    ring.submit(low, "small")
    rest()
    facts = {"ran": ring.did("run")[1:]}
    ring.close()
    return facts


BLOCKED = Probe(
    "behind-a-large-job",
    "3 of 4 credits are free; a HIGH job needs 4, a LOW one behind it needs 1.",
    _blocked,
    lambda f: "ran " + ", ".join(f["ran"]) + " at once" if f["ran"] else "both wait",
    {
        "v6_1": Reason(
            "asks for room once, before it chooses a job",
            At("sched_main", "drm_sched_select_entity", "drm_sched_ready("),
        ),
        "v7_2": Reason(
            "looks no further when the job it has chosen does not fit, at no priority",
            At("sched_rq", "drm_sched_rq_select_entity", "ERR_PTR(-ENOSPC)"),
        ),
    },
)

# -- behind a job that waits ---------------------------------------------------------------------


def _hidden() -> Facts:
    ring = Ring()
    fence = new_fence()
    drm_sched_wqueue_stop(ring.sched)
    ring.submit(ring.entity(), "waiting", needs=[fence])
    ring.submit(ring.entity(), "ready")
    drm_sched_wqueue_start(ring.sched)
    rest()
    facts = {"ran": ring.did("run")}
    dma_fence_signal(fence)
    ring.close()
    dma_fence_put(fence)
    return facts


HIDDEN = Probe(
    "hidden-job",
    "A job waits for a fence; another entity has one that is ready.",
    _hidden,
    lambda f: "the other ran" if f["ran"] else "neither ran",
    {
        "v6_1": Reason(
            "looks again after a job that has to wait",
            At("sched_main", "drm_sched_main", "continue"),
        ),
        "v3_2023": Reason(
            "ends its work item at a job that has to wait, and nobody queues it",
            At("sched_main", "drm_sched_main", "if not cleanup_job"),
        ),
        "v7_2": Reason(
            "queues its work item again after a job that has to wait",
            At("sched_main", "drm_sched_run_job_work", "drm_sched_run_job_queue("),
        ),
    },
)

PROBES = [TURNS, SHARE, PRIORITY, CREDITS, BLOCKED, HIDDEN]
