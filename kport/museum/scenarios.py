# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The library of scenarios: what a scheduler goes through in its life, as small as it can be.

Each is a function of the booted kernel and runs on every scheduler.
Most races of the past need no more than one of these (`kport.museum.exhibits`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from kport.dma_buf.dma_fence import (
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_wait,
)
from kport.dma_buf.dma_fence_array import dma_fence_array_create
from kport.dma_buf.dma_fence_chain import dma_fence_chain_alloc, dma_fence_chain_init
from kport.linux.atomic import atomic_read
from kport.linux.delay import msleep
from kport.linux.slab import kzalloc_objs, pointer
from kport.museum.exhibits.freed import entity_freed_before_its_job, late_job
from kport.museum.exhibits.leaks import kill_behind_a_running_job
from kport.museum.exhibits.order import kill_before_its_dependency, native_dependency
from kport.museum.exhibits.wakeups import cross_dependency, killed_process, two_jobs
from kport.museum.kit import Rig, null


def two_entities_four_jobs(kernel: Any) -> None:
    """Two entities with two jobs each on one ring; one job depends on one of the other entity."""
    rig = Rig(run=null)
    ring = rig.ring(limit=2)
    one, other = rig.entity(ring), rig.entity(ring)
    a = rig.job(one)
    b = rig.job(other, after=[a.finished])
    c, d = rig.job(one), rig.job(other)
    rig.task("submit", lambda: rig.push(a, c))
    rig.push(b, d)
    rig.close()


def two_submitters(kernel: Any) -> None:
    """Two tasks push to two entities of one ring that has room for one job."""
    rig = Rig()
    ring = rig.ring(limit=1)
    one, other = rig.entity(ring), rig.entity(ring)
    a, b = rig.job(one), rig.job(other)
    rig.task("submit", lambda: rig.push(a))
    rig.push(b)
    rig.close()


def no_room(kernel: Any) -> None:
    """A ring has room for one job, which ends while the next is pushed and waits for the room."""
    rig = Rig()
    rig.run = rig.manual
    entity = rig.entity(rig.ring(limit=1))
    first, second = rig.job(entity), rig.job(entity)
    rig.push(first)
    rig.wait_scheduled(first)
    rig.task("hardware", lambda: rig.end(first))
    rig.push(second)
    rig.wait_scheduled(second)
    rig.end(second)
    rig.close()


def kill_with_a_foreign_dependency(kernel: Any) -> None:
    """An entity is killed whose job depends on a job of another ring that ends meanwhile."""
    rig = Rig()
    one, other = rig.entity(rig.ring("ring0")), rig.entity(rig.ring("ring1"))
    foreign = rig.submit(other, run=rig.manual)
    rig.submit(one, after=[foreign.finished])
    rig.wait_scheduled(foreign)
    rig.task("hardware", lambda: rig.end(foreign))
    rig.kill(one)
    rig.close()


def timeout_against_completion(kernel: Any) -> None:
    """A job ends when its time is over; the driver resets the ring if it comes first."""
    rig = Rig()
    rig.timeout = rig.reset
    entity = rig.entity(rig.ring(timeout=2))
    job = rig.submit(entity, run=rig.manual)
    rig.wait_scheduled(job)
    msleep(8)
    rig.end(job)
    rig.close()


def reset_of_the_other_ring(kernel: Any) -> None:
    """A reset of one ring stops the other as well, which is at work."""
    rig = Rig()
    first, second = rig.ring("ring0"), rig.ring("ring1")
    one, other = rig.entity(first), rig.entity(second)
    job = rig.submit(one, run=rig.manual)
    rig.wait_scheduled(job)

    def reset() -> None:
        for ring in (first, second):
            rig.main.drm_sched_stop(ring, None)
        rig.restart(first, second)

    rig.task("reset", reset)
    rig.task("hardware", lambda: rig.end(job))
    rig.submit(other)
    rig.close()


def another_ring(kernel: Any) -> None:
    """An entity of two rings is given them in another order between two jobs."""
    rig = Rig(run=null)
    first, second = rig.ring("ring0"), rig.ring("ring1")
    entity = rig.entity(first, second)
    rig.submit(entity)
    modify = rig.entities.drm_sched_entity_modify_sched
    modify(entity, [second, first], 2)
    rig.submit(entity)
    rig.wait(*rig.jobs)
    rig.settle()
    scores = [atomic_read(ring.score) for ring in (first, second)]
    assert sum(scores) <= 1, f"scores {scores} of two rings with one entity and no job"
    rig.close()


def array_with_pollers(kernel: Any) -> None:
    """A job depends on an array of two fences, at which somebody else looks as well."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())
    members = [rig.fence(dma_fence_context_alloc(1)) for _ in range(2)]
    fences = kzalloc_objs(pointer, 2)
    assert fences
    fences[:] = [dma_fence_get(f) for f in members]
    array = dma_fence_array_create(2, fences, dma_fence_context_alloc(1), 1)
    assert array
    rig.submit(entity, after=[array.base])
    rig.task("first", partial(dma_fence_signal, members[0]))
    rig.task("second", partial(dma_fence_signal, members[1]))
    if dma_fence_is_signaled(array.base):
        assert all(dma_fence_is_signaled(f) for f in members), "an array before its members"
    rig.close()
    for fence in (array.base, *members):
        dma_fence_put(fence)


def chain_with_waiters(kernel: Any) -> None:
    """Two links of a timeline, the later of which signals first; somebody waits for the end."""
    rig = Rig(run=null)
    links = [rig.fence(dma_fence_context_alloc(1)) for _ in range(2)]
    last: Any = None
    for number, fence in enumerate(links, 1):
        chain: Any = dma_fence_chain_alloc()
        dma_fence_chain_init(chain, last, dma_fence_get(fence), number)
        last = chain.base
    entity = rig.entity(rig.ring())
    rig.submit(entity, after=[last])
    rig.task("later", partial(dma_fence_signal, links[1]))
    rig.task("earlier", partial(dma_fence_signal, links[0]))
    dma_fence_wait(last, False)
    assert all(dma_fence_is_signaled(f) for f in links), "a chain before its links"
    rig.close()
    for fence in (last, *links):
        dma_fence_put(fence)


def teardown_at_once(kernel: Any) -> None:
    """Two entities of one ring are destroyed by two tasks while their jobs run."""
    rig = Rig()
    ring = rig.ring(limit=1)
    one, other = rig.entity(ring), rig.entity(ring)
    rig.submit(one)
    rig.submit(other)
    rig.task("close", lambda: rig.destroy(one))
    rig.destroy(other)
    rig.close()


SCENARIOS: dict[str, Callable[[Any], None]] = {
    "two-jobs": two_jobs,
    "cross-dependency": cross_dependency,
    "two-entities-four-jobs": two_entities_four_jobs,
    "no-room": no_room,
    "two-submitters": two_submitters,
    "native-dependency": native_dependency,
    "kill-queued": kill_behind_a_running_job,
    "kill-foreign": kill_with_a_foreign_dependency,
    "kill-dependency": kill_before_its_dependency,
    "killed-process": killed_process,
    "entity-first": entity_freed_before_its_job,
    "timeout-late": late_job,
    "timeout-reset": timeout_against_completion,
    "reset-other": reset_of_the_other_ring,
    "modify-sched": another_ring,
    "array-pollers": array_with_pollers,
    "chain-waiters": chain_with_waiters,
    "teardown": teardown_at_once,
}
