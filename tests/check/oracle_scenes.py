# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Short scenes for the oracles: what a scheduler does for a handful of jobs.

Each plays on the kernel that is booted, on any of the three schedulers unless it says otherwise. On
a scheduler as it is no oracle has anything to say of them.
"""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import (
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_get,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal,
    dma_fence_wait,
)
from kport.dma_buf.dma_fence_array import dma_fence_array_create
from kport.dma_buf.dma_fence_chain import dma_fence_chain_alloc, dma_fence_chain_init
from kport.linux.delay import msleep
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.slab import kzalloc_objs, pointer
from kport.museum.kit import Rig, null


def chain() -> None:
    """Nine jobs on three entities, each behind the two before it."""
    rig = Rig()
    ring = rig.ring()
    entities = [rig.entity(ring) for _ in range(3)]
    for n in range(9):
        rig.submit(entities[n % 3], after=[job.finished for job in rig.jobs[-2:]])
    rig.close()


def burst() -> None:
    """Six jobs of one entity on hardware with room for two, ended one by one."""
    rig = Rig()
    entity = rig.entity(rig.ring())
    jobs = [rig.submit(entity, run=rig.manual) for _ in range(6)]
    for job in jobs:
        rig.wait_scheduled(job)
        rig.end(job)
    rig.close()


def nothing() -> None:
    """Two jobs without anything for the hardware, one after the other."""
    rig = Rig()
    entity = rig.entity(rig.ring())
    for _ in range(2):
        rig.wait(rig.submit(entity, run=null))
    rig.close()


def two_rings() -> None:
    """A job of one ring behind one of another, which takes its time."""
    rig = Rig()
    a, b = (rig.entity(rig.ring(name)) for name in "ab")
    first = rig.submit(a, run=rig.manual)
    rig.submit(b, after=[first.finished])
    rig.wait_scheduled(first)
    msleep(1)
    rig.end(first)
    rig.close()


def blocked_head() -> None:
    """The job that is chosen first depends on one of another entity, pushed at the same moment."""
    rig = Rig()
    ring = rig.ring()
    one, two = rig.entity(ring), rig.entity(ring)
    first = rig.job(two)
    second = rig.job(one, after=[first.finished])
    rig.push(second, first)
    rig.close()


def kill() -> None:
    """An entity with two queued jobs goes while its ring is full; both depend on a fence."""
    rig = Rig()
    ring = rig.ring(limit=1)
    busy, entity = rig.entity(ring), rig.entity(ring)
    running = rig.submit(busy, run=rig.manual)
    rig.wait_scheduled(running)
    gate = rig.fence(77)
    jobs = [rig.submit(entity, after=[gate]) for _ in range(2)]
    rig.task("kill", lambda: rig.kill(entity))
    msleep(1)
    dma_fence_signal(gate)
    rig.join()
    rig.wait(*jobs)
    dma_fence_put(gate)
    rig.end(running)
    rig.close()


def kill_waiting() -> None:
    """An entity whose first job waits for a fence goes; the fence signals later, others before."""
    rig = Rig()
    entity = rig.entity(rig.ring())
    gate, other = rig.fence(77), rig.fence(78)
    job = rig.submit(entity, after=[gate, other])
    msleep(1)
    rig.task("kill", lambda: rig.kill(entity))
    msleep(1)
    dma_fence_signal(other)
    msleep(1)
    dma_fence_signal(gate)
    rig.wait(job)
    _put(gate, other)
    rig.close()


def reset() -> None:
    """Stopped for a reset with a job on the hardware and one in the queue, and started again."""
    rig = Rig()
    ring = rig.ring(limit=1)
    entity = rig.entity(ring)
    running = rig.submit(entity, run=rig.manual)
    rig.submit(entity)
    rig.wait_scheduled(running)
    rig.main.drm_sched_stop(ring, None)
    msleep(1)
    rig.main.drm_sched_start(ring, 0 if rig.new else True)
    rig.close()


def reset_and_kill() -> None:
    """While a ring is stopped for a reset an entity with a queued job goes (6.1)."""
    rig = Rig()
    ring = rig.ring(limit=1)
    entity, other = rig.entity(ring), rig.entity(ring)
    running, ready = rig.submit(entity, run=rig.manual), rig.submit(entity)
    rig.wait_scheduled(running)
    rig.submit(other)
    rig.main.drm_sched_stop(ring, None)
    rig.kill(other)
    msleep(1)
    rig.main.drm_sched_start(ring, True)
    rig.wait(ready)
    rig.close()


def pause() -> None:
    """Jobs are pushed, and one ends, while the work items are stopped (not 6.1)."""
    rig = Rig()
    ring = rig.ring()
    entity = rig.entity(ring)
    stop = "drm_sched_wqueue_" if rig.new else "drm_sched_submit_"
    first = rig.submit(entity, run=rig.manual)
    rig.wait_scheduled(first)
    getattr(rig.main, f"{stop}stop")(ring)
    rig.submit(entity)
    rig.end(first)
    msleep(2)
    getattr(rig.main, f"{stop}start")(ring)
    rig.close()


def late() -> None:
    """A job takes too long, turns out not to hang, and ends (not the one of 2023)."""
    rig = Rig()
    entity = rig.entity(rig.ring(timeout=msecs_to_jiffies(5)))
    job = rig.submit(entity, run=rig.manual)
    msleep(12)
    rig.end(job)
    rig.close()


def array() -> None:
    """An array of three fences that signal one after the other, the second with an error."""
    rig = Rig()
    members = [rig.fence(50 + n) for n in range(3)]
    held = kzalloc_objs(pointer, 3)
    held[:] = [dma_fence_get(member) for member in members]
    made = dma_fence_array_create(3, held, 99, 1)
    dma_fence_add_callback(made.base, dma_fence_cb(), lambda f, cb: None)
    dma_fence_set_error(members[1], -5)
    for member in members:
        dma_fence_signal(member)
        msleep(1)
    dma_fence_wait(made.base, False)
    _put(made.base, *members)


def links() -> None:
    """A chain of three links whose fences signal in another order."""
    rig = Rig()
    members = [rig.fence(50 + n) for n in range(3)]
    last: Any = None
    for number, member in enumerate(members, 1):
        link = dma_fence_chain_alloc()
        dma_fence_chain_init(link, last, dma_fence_get(member), number)
        last = link.base
    dma_fence_add_callback(last, dma_fence_cb(), lambda f, cb: None)
    for member in (members[2], members[0], members[1]):
        dma_fence_signal(member)
        msleep(1)
    dma_fence_wait(last, False)
    _put(last, *members)


def _put(*fences: Any) -> None:
    for fence in fences:
        dma_fence_put(fence)


SCENES = (chain, burst, nothing, two_rings, blocked_head, kill, reset, array, links)
