# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Schedulers, entities and jobs as an observer sees them: read while they change, without a lock.

A lock that the observer held while it waits for the interpreter would hold up the scheduler for
milliseconds, so it takes none. Numbers are read one by one. Lists and trees are walked as they are,
for a bounded number of steps; a walk that meets a freed member, runs in a circle or finds a run
queue out of order has met a change and is tried again, and what the last try saw is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kport.drivers import compat
from kport.drivers.compat import struct_of
from kport.linux.device import dev_name
from kport.linux.jiffies import TICK_NSEC, jiffies_to_ktime
from kport.linux.list import list_head
from kport.linux.rbtree import rb_node
from kport.linux.sched import TASK_PARKED
from kport.linux.struct import container_of
from kport.linux.workqueue import delayed_work
from kport.trace.registry import Hardware, driver_of
from kport.trace.snapshot import Entity, Fence, Job, Ring, RingKey

STEPS = 4096  # members of one list or tree
TRIES = 3
TORN = (AttributeError, TypeError, LookupError)  # what reading a changing structure may end with
POLICIES = ("rr", "fifo", "fair")
PRIORITIES = ("kernel", "high", "normal", "low")
MASK = 0xFFFFFFFF


class Changed(LookupError):
    """A walk met a change."""


def steadily(otherwise: Any, read: Callable[..., Any], *args: Any) -> Any:
    """`read(*args)`, tried again while it meets changes; `otherwise` if it meets them always."""
    for _ in range(TRIES):
        try:
            return read(*args)
        except TORN:
            continue
    return otherwise


def members(head: list_head, kind: type[Any], member: str) -> Iterator[Any]:
    """The entries of a list. Raises Changed."""
    node = head.next
    for _ in range(STEPS):
        if node is head or node is None:
            return
        yield container_of(node, kind, member)
        node = node.next
    raise Changed


def in_order(node: rb_node | None) -> Iterator[rb_node]:
    """The nodes of a tree from the left. Raises Changed."""
    stack: list[rb_node] = []
    steps = 0
    while stack or node is not None:
        while node is not None:
            steps += 1
            if steps > STEPS:
                raise Changed
            stack.append(node)
            node = node.rb_left
        node = stack.pop()
        yield node
        node = node.rb_right


def key_of(sched: Any) -> RingKey:
    """Device and ring of a scheduler, as its trace events name them."""
    return RingKey(dev_name(sched.dev), sched.name)


def policy_of(sched: Any) -> str:
    """The policy the schedulers run; 6.1 and what was made of it have rr only."""
    module = compat.package(compat.scheduler).sched_main
    return POLICIES[getattr(module, "drm_sched_policy", 0)]


# -- rings -----------------------------------------------------------------------------------------


def ring_of(sched: Any, now: int) -> Ring:
    """A scheduler and its hardware, at `now` ns. Raises what TORN has."""
    driver = driver_of(sched._container)
    hardware = driver.hardware(sched._container) if driver is not None else Hardware()
    credit_count = getattr(sched, "credit_count", None) or sched.hw_rq_count
    limit = getattr(sched, "credit_limit", None)
    timeout = sched.timeout * TICK_NSEC if sched.timeout < 1 << 40 else None
    return Ring(
        key=key_of(sched),
        state=_state(sched, hardware),
        credits=credit_count.counter,
        credit_limit=limit if limit is not None else sched.hw_submission_limit,
        timeout_ns=timeout,
        tdr_left_ns=left_of(sched.work_tdr, now),
        policy=policy_of(sched),
        score=sched.score.counter,
        hang_limit=sched.hang_limit,
        rptr=hardware.rptr,
        wptr=hardware.wptr,
        hardware=hardware.text,
    )


def _state(sched: Any, hardware: Hardware) -> Any:
    if not sched.ready:
        return "gone"
    if hardware.resetting:
        return "resetting"
    if not is_stopped(sched):
        return "running"
    return "parked" if hasattr(sched, "thread") else "stopped"


def is_stopped(sched: Any) -> bool:
    """True while the scheduler hands out no jobs: paused, or its thread parked."""
    task = getattr(sched, "thread", None)
    if task is not None:
        return bool(task._state & TASK_PARKED)
    return bool(getattr(sched, "pause_submit", False))


def left_of(work: delayed_work, now: int) -> int | None:
    """How long the timer of a delayed work item still runs, in ns; None if it does not."""
    timer = work.timer
    if timer.entry is None:
        return None
    return max(0, jiffies_to_ktime(timer.expires) - now)


# -- run queues ------------------------------------------------------------------------------------


def run_queues(sched: Any) -> list[Any]:
    """The run queues, the one that is served first in front."""
    rqs = [rq for rq in sched.sched_rq if rq is not None]
    return rqs if compat.scheduler == "v7_2" else rqs[::-1]


def places(sched: Any) -> dict[Any, int]:
    """The entities that have something to run, with their place in the run queues."""
    found: dict[Any, int] = steadily({}, _places, sched)
    return found


def _places(sched: Any) -> dict[Any, int]:
    kind = struct_of("drm_sched_entity")
    out: dict[Any, int] = {}
    for rq in run_queues(sched):
        if hasattr(rq, "rb_tree_root"):
            found = [
                container_of(node, kind, "rb_tree_node")
                for node in in_order(rq.rb_tree_root.rb_root.rb_node)
            ]
            keys = [entity.oldest_job_waiting for entity in found]
            if keys != sorted(keys):
                raise Changed
        else:
            found = list(members(rq.entities, kind, "list"))
            if rq.current_entity in found:  # whose turn comes last
                behind = found.index(rq.current_entity) + 1
                found = found[behind:] + found[:behind]
        for entity in found:
            if entity.job_queue.job_count.counter:
                out.setdefault(entity, len(out))
    return out


def attached(sched: Any) -> list[Any]:
    """The entities on the lists of the run queues."""
    kind = struct_of("drm_sched_entity")

    def walk() -> list[Any]:
        return [e for rq in run_queues(sched) for e in members(rq.entities, kind, "list")]

    found: list[Any] = steadily([], walk)
    return found


def entity_of(entity: Any, sched: Any, place: int | None) -> Entity:
    """An entity of a scheduler. Raises what TORN has, if it is freed meanwhile."""
    ring, policy = key_of(sched), policy_of(sched)
    priority = entity.priority
    names = PRIORITIES if compat.scheduler == "v7_2" else ("min", "normal", "high", "kernel")
    head = entity.job_queue.head.next
    job = container_of(head, struct_of("drm_sched_job"), "queue_node") if head else None
    stats = getattr(entity, "stats", None)
    key = getattr(entity, "oldest_job_waiting", None)
    kind = {"fair": "vruntime", "fifo": "submit"}.get(policy, "rr")
    if place is None:
        key = stats.vruntime if stats is not None and policy == "fair" else None
    dependency = entity.dependency
    return Entity(
        context=entity.fence_context + 1,
        ring=ring,
        client=0,
        waiting=entity.job_queue.job_count.counter,
        priority=names[priority] if 0 <= priority < len(names) else str(priority),
        place=place,
        key=key,
        key_kind=kind if key is not None else "",
        wants=getattr(job, "credits", 1) if job is not None else None,
        guilty=bool(entity.guilty.counter) if entity.guilty else None,
        stopped=bool(entity.stopped),
        blocked_on=(
            (dependency.context & MASK, dependency.seqno & MASK) if dependency else None
        ),
    )


# -- jobs and fences -------------------------------------------------------------------------------


def pending(sched: Any) -> list[Any]:
    """The jobs on the hardware, oldest first."""
    kind = struct_of("drm_sched_job")
    found: list[Any] = steadily([], lambda: list(members(sched.pending_list, kind, "list")))
    return found


def job_of(job: Any, ring: RingKey) -> Job:
    """What no event tells of a job. Raises what TORN has."""
    finished = job.s_fence.finished
    return Job(
        key=(finished.context, finished.seqno),
        ring=ring,
        client=getattr(job.s_fence, "drm_client_id", 0),
        state="running",
        queued=0,
        credits=getattr(job, "credits", 1),
        karma=job.karma.counter,
    )


def fence_of(fence: Any) -> Fence:
    """What no event tells of a fence. Raises what TORN has."""
    return Fence(
        key=(fence.context & MASK, fence.seqno & MASK),
        refcount=fence.refcount.counter,
        callbacks=_callbacks(fence),
        error=fence.error,
    )


def _callbacks(fence: Any) -> int:
    head = fence.cb_list
    node, count = head.next, 0
    while node is not head and node is not None and count < STEPS:
        node, count = node.next, count + 1
    return count


def fences_of(job: Any) -> list[Fence]:
    """The fences of a job on the hardware. Raises what TORN has."""
    s_fence = job.s_fence
    out = [fence_of(s_fence.scheduled), fence_of(s_fence.finished)]
    parent = s_fence.parent
    if parent:
        out.append(fence_of(parent))
    return out
