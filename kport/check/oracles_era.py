# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What differs between the schedulers, for whoever looks at one from outside.

Everything here reads structures and calls no instruction, so that watching a run on `virt` changes
nothing in it; members are read past whoever watches accesses to them (`raw`). A scheduler is
known by the package its struct is from:

| | v7_2 | v6_1 | v3_2023 |
|---|---|---|---|
| runs and frees jobs | two work items | a thread | one work item |
| what is on the hardware costs | credits | 1 | 1 |
| an entity with jobs is in | list and tree | list | list |
| is ready by | the count of its queue | the first node of its queue | as v6_1 |
| first priority | 0 | 3 | 3 |
| a job without room | hides what is behind it | nothing is looked at | as v6_1 |
| stopped by | pause_submit | parking the thread | pause_submit |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kport.dma_buf.dma_fence import DMA_FENCE_FLAG_SIGNALED_BIT
from kport.linux.field import raw_get as raw
from kport.linux.field import raw_name
from kport.linux.kasan_poison import container_of_any, is_dead
from kport.linux.list import list_head
from kport.linux.sched import TASK_INTERRUPTIBLE, TASK_PARKED
from kport.linux.workqueue import WORK_STRUCT_PENDING_BIT, work_struct

PACKAGES = ("v7_2", "v6_1", "v3_2023")
KERNELS = {
    "v7_2": "Linux 7.2.13",
    "v6_1": "Linux 6.1.192",
    "v3_2023": "the scheduler proposed in 2023",
}
STEPS = 100_000  # members of one list or tree; more is a circle
_RING = "kport.drm.scheduler."


def era_of(sched: Any) -> str:
    """The package of a scheduler."""
    return type(sched).__module__.removeprefix(_RING).partition(".")[0]


def signaled(fence: Any) -> bool:
    """True if a fence has signalled; a fence that has been freed is nobody's concern any more."""
    if is_dead(fence):
        return True
    try:
        return bool(fence.flags.cells[DMA_FENCE_FLAG_SIGNALED_BIT])
    except AttributeError:
        return True


def members(head: Any, member: str) -> Iterator[Any]:
    """What stands in a list: the structs that embed its nodes.

    Nobody holds the lock of the list here: on `threads` it may change, and a node be freed.
    """
    try:
        node = _behind(head)
        for _ in range(STEPS):
            if node is head or node is None or is_dead(node):
                return
            yield container_of_any(node)
            node = _behind(node)
    except AttributeError:
        return


def _behind(node: list_head) -> list_head | None:
    """The next node; of one that has been freed meanwhile, too, which is no access to it."""
    slots = list_head.__dict__
    slot = slots.get(raw_name("next")) or slots["next"]
    after: list_head | None = slot.__get__(node)
    return after


def is_listed(node: Any) -> bool:
    """True if a list node is on a list."""
    after = raw(node, "next")
    return after is not node and after is not None


def tree(rq: Any) -> list[Any]:
    """The entities in the tree of a run queue of 7.2, the next one first."""
    found: list[Any] = []
    stack: list[Any] = []
    node = raw(rq.rb_tree_root.rb_root, "rb_node")
    while (stack or node is not None) and len(found) < STEPS:
        while node is not None:
            stack.append(node)
            node = raw(node, "rb_left")
        node = stack.pop()
        found.append(node._container)
        node = raw(node, "rb_right")
    return found


def run_queues(sched: Any) -> list[Any]:
    """The run queues, the one that is served first in front; none after fini."""
    rqs = [rq for rq in raw(sched, "sched_rq") or () if rq is not None]
    return rqs if era_of(sched) == "v7_2" else rqs[::-1]


def entities(sched: Any) -> Iterator[tuple[Any, Any]]:
    """(run queue, entity) for each entity on the lists of a scheduler."""
    for rq in run_queues(sched):
        for entity in members(rq.entities, "list"):
            yield rq, entity


def queued(entity: Any) -> int:
    """How many jobs an entity has in its queue."""
    count: int = entity.job_queue.job_count.counter
    return count


def first_job(entity: Any) -> Any:
    """The job at the head of an entity's queue, or None."""
    node = raw(entity.job_queue.head, "next")
    return None if node is None else node._container


def pending(sched: Any) -> list[Any]:
    """The jobs on the hardware, oldest first."""
    return list(members(sched.pending_list, "list"))


def credits_of(job: Any) -> int:
    """What a job costs while it is on the hardware."""
    return int(raw(job, "credits")) if hasattr(type(job), "credits") else 1


def credit_count(sched: Any) -> int:
    """The scheduler's own count of what is on the hardware."""
    counter = sched.credit_count if era_of(sched) == "v7_2" else sched.hw_rq_count
    return int(counter.counter)


def credit_limit(sched: Any) -> int:
    """How much may be on the hardware."""
    if era_of(sched) == "v7_2":
        return int(raw(sched, "credit_limit"))
    return int(raw(sched, "hw_submission_limit"))


def is_stopped(sched: Any) -> bool:
    """True while the scheduler hands out no jobs: paused, or its thread parked."""
    if era_of(sched) == "v6_1":
        task = raw(sched, "thread")
        return task is not None and bool(raw(task, "_state") & TASK_PARKED)
    return bool(raw(sched, "pause_submit"))


def is_idle(work: work_struct) -> bool:
    """True if a work item is neither queued nor running."""
    if work.data.cells[WORK_STRUCT_PENDING_BIT]:
        return False
    pwq = raw(work, "pwq")
    pool = raw(work, "pool") if pwq is None else raw(pwq, "pool")
    return pool is None or work not in raw(pool, "busy")


def runner_sleeps(sched: Any) -> bool:
    """True if what runs jobs has nothing to do: it must be told before it looks again."""
    era = era_of(sched)
    if era == "v6_1":
        task = raw(sched, "thread")
        return task is None or bool(raw(task, "_state") & TASK_INTERRUPTIBLE)
    return is_idle(sched.work_run_job if era == "v7_2" else sched.work_submit)


def freer_sleeps(sched: Any) -> bool:
    """The same of what frees jobs."""
    if era_of(sched) == "v7_2":
        return is_idle(sched.work_free_job)
    return runner_sleeps(sched)


def is_ready(entity: Any) -> bool:
    """True if the scheduler would take a job from the entity."""
    has_job = queued(entity) if _is_new(entity) else first_job(entity) is not None
    return bool(has_job) and not raw(entity, "dependency")


def _is_new(entity: Any) -> bool:
    return type(entity).__module__.startswith(_RING + "v7_2")


def is_pending(job: Any) -> bool:
    """True if a job is on the list of its scheduler, or its memory is gone."""
    if is_dead(job):
        return True
    try:
        return is_listed(job.list)
    except AttributeError:
        return True


def misplaced(entity: Any) -> str:
    """Why an entity must not be in the tree of its run queue; "" if it may."""
    if raw(entity, "stopped"):
        return "stopped"
    if not is_listed(entity.list):
        return "on no list"
    return "" if queued(entity) else "without jobs"


def name_of(sched: Any) -> str:
    """What a report calls a scheduler."""
    return str(raw(sched, "name") or "(unnamed)")
