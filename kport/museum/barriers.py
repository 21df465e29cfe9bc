# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The barriers of the scheduler: what happens without each of them.

A site is one barrier of the ported code, the statement with which it is gone, and a program of two
tasks over the real functions whose end it decides. `matters` is what the memory model says, `why`
the argument; the search has to agree. Where a barrier does not matter the code around it orders the
same: full atomics, a lock, a dependency. `setting` are edits that stay, to show the code as older
kernels have it.

Programs run without a kernel: no task sleeps, and an execution costs a tenth of a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from kport.arch.api import KernelBug
from kport.arch.asm import (
    READ_ONCE,
    WRITE_ONCE,
    set_bit,
    spin_lock_init,
    test_bit,
)
from kport.arch.patch import Edit, applied
from kport.arch.virt import FOREVER, Bare, Virt
from kport.arch.virt_asm import CPU
from kport.dma_buf.dma_fence import (
    DMA_FENCE_FLAG_SIGNALED_BIT,
    dma_fence,
    dma_fence_get,
    dma_fence_init,
    dma_fence_ops,
    dma_fence_set_deadline,
)
from kport.drm.scheduler.v7_2 import sched_entity, sched_fence
from kport.drm.scheduler.v7_2.gpu_scheduler import (
    drm_gpu_scheduler,
    drm_sched_backend_ops,
    drm_sched_entity,
    drm_sched_fence,
    drm_sched_job,
    drm_sched_rq,
)
from kport.drm.scheduler.v7_2.sched_rq import drm_sched_rq_init
from kport.drm.spsc_queue import (
    spsc_node,
    spsc_queue,
    spsc_queue_init,
    spsc_queue_peek,
    spsc_queue_pop,
    spsc_queue_push,
)
from kport.explore import Program, Result, explore
from kport.explore.litmus.search import Exhaust
from kport.linux.atomic import atomic_read, atomic_set, atomic_t
from kport.linux.list import INIT_LIST_HEAD
from kport.linux.rbtree import RB_CLEAR_NODE
from kport.linux.rcupdate import rcu_dereference
from kport.linux.struct import struct
from kport.linux.xarray import XA_FLAGS_ALLOC, xa_init_flags

FLAG = 9  # a bit of dma_fence.flags that nobody uses


@contextmanager
def quiet() -> Iterator[None]:
    """Kernel code between two executions: nobody is asked who runs."""
    left, mark = CPU.left, CPU.mark
    CPU.left = CPU.mark = FOREVER
    try:
        yield
    finally:
        CPU.left, CPU.mark = left, mark


class flag(struct):
    """Something one task tells another."""

    value: int


# -- the queue -------------------------------------------------------------------------------------


def queue_told() -> Program:
    """Push, then say so; who has been told finds the node."""
    with quiet():
        queue, node, told = spsc_queue(), spsc_node(), flag()
        spsc_queue_init(queue)
    popped: list[Any] = []

    def producer() -> None:
        spsc_queue_push(queue, node)
        WRITE_ONCE(told, "value", 1)

    def consumer() -> None:
        if READ_ONCE(told, "value"):
            popped.append(spsc_queue_pop(queue))

    def check() -> None:
        assert popped in ([], [node]), "a node that was announced is not in the queue"

    return Program([producer, consumer], check)


def queue_counted() -> Program:
    """A node that has been popped was counted before it could be seen.

    As in the scheduler, who pops has peeked.
    """
    with quiet():
        queue, node = spsc_queue(), spsc_node()
        spsc_queue_init(queue)
    counts: list[int] = []

    def producer() -> None:
        spsc_queue_push(queue, node)

    def consumer() -> None:
        if spsc_queue_peek(queue) is not None and spsc_queue_pop(queue) is not None:
            counts.append(atomic_read(queue.job_count))

    def check() -> None:
        assert counts in ([], [0]), f"the count is {counts} after the only node was popped"

    return Program([producer, consumer], check)


class item(struct):
    """A node with something in it."""

    node: spsc_node
    content: atomic_t


def queue_behind() -> Program:
    """The second node arrives while the first is popped: it comes out whole."""
    with quiet():
        queue, first, second = spsc_queue(), item(), item()
        spsc_queue_init(queue)
        spsc_queue_push(queue, first.node)
    seen: list[Any] = []

    def producer() -> None:
        atomic_set(second.content, 1)
        spsc_queue_push(queue, second.node)

    def consumer() -> None:
        spsc_queue_pop(queue)
        node = READ_ONCE(queue.head, "next")
        if node is not None:
            seen.append(atomic_read(node._container.content))

    def check() -> None:
        assert seen in ([], [1]), "the content of a node came after the node"

    return Program([producer, consumer], check)


# -- the entity ------------------------------------------------------------------------------------


class stage(struct):
    """An entity that may move between two schedulers; its first job is over, one is queued."""

    entity: drm_sched_entity
    old: drm_sched_fence
    new: drm_sched_fence
    job: drm_sched_job
    lock: Any


def _scheduler(load: int) -> drm_gpu_scheduler:
    sched = drm_gpu_scheduler()
    sched.name, sched.ready, sched.score = "ring", True, sched._score
    atomic_set(sched._score, load)
    rqs = [drm_sched_rq() for _ in range(4)]
    for rq in rqs:
        drm_sched_rq_init(sched, rq)
    sched.sched_rq = rqs
    return sched


def _fence(fence: drm_sched_fence, entity: drm_sched_entity) -> None:
    spin_lock_init(fence.lock)
    sched_fence.drm_sched_fence_init(fence, entity)


def _staged() -> stage:
    """The busier scheduler has the entity; the other would be chosen if it may move."""
    it = stage()
    entity = it.entity
    spin_lock_init(entity.lock)
    INIT_LIST_HEAD(entity.list)
    RB_CLEAR_NODE(entity.rb_tree_node)
    spsc_queue_init(entity.job_queue)
    busy, idle = _scheduler(5), _scheduler(0)
    entity.sched_list = [busy, idle]
    entity.num_sched_list = 2
    entity.fence_context = 1
    entity.rq = (busy.sched_rq or [])[0]
    for fence in (it.old, it.new):
        _fence(fence, entity)
    set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, it.old.finished.flags)
    entity.last_scheduled = dma_fence_get(it.old.finished)  # one more: it is not freed here
    job = it.job
    busy.ops = drm_sched_backend_ops()
    job.s_fence, job.entity, job.sched = it.new, entity, busy
    xa_init_flags(job.dependencies, XA_FLAGS_ALLOC)
    spsc_queue_push(entity.job_queue, job.queue_node)
    return it


def entity_moves() -> Program:
    """The last job was taken just now and runs: the entity must stay where it is."""
    with quiet():
        it = _staged()
    entity = it.entity
    rq = entity.rq

    def worker() -> None:
        sched_entity.drm_sched_entity_pop_job(entity)

    def submitter() -> None:
        sched_entity.drm_sched_entity_select_rq(entity)

    def check() -> None:
        assert entity.rq is rq, "an entity has moved whose last job still runs"

    return Program([worker, submitter], check)


def entity_published() -> Program:
    """Who sees the fence of the last job sees what was done to it before."""
    with quiet():
        it = _staged()
    entity, fence = it.entity, it.new.finished
    seen: list[int] = []

    def worker() -> None:
        set_bit(FLAG, fence.flags)
        sched_entity.drm_sched_entity_pop_job(entity)

    def reader() -> None:
        last = rcu_dereference(entity, "last_scheduled")
        if last is fence:
            seen.append(test_bit(FLAG, last.flags))

    def check() -> None:
        assert seen in ([], [1]), "a fence was published before it was complete"

    return Program([worker, reader], check)


# -- the parent of a fence -------------------------------------------------------------------------


class hw_fence(struct):
    """A hardware fence that takes deadlines once its driver has made it `ready`."""

    base: dma_fence
    lock: Any
    ready: atomic_t
    deadlines: list[tuple[int, int]]


def _name(fence: dma_fence) -> str:
    return "hw"


def _deadline(fence: dma_fence, deadline: int) -> None:
    hw: Any = fence._container
    hw.deadlines.append((deadline, atomic_read(hw.ready)))


HW_OPS = dma_fence_ops(
    get_driver_name=_name, get_timeline_name=_name, set_deadline=_deadline
)


def _parented() -> tuple[drm_sched_fence, hw_fence]:
    from kport.arch.types import spinlock_t

    it = _staged()
    hw = hw_fence()
    hw.deadlines = []
    hw.lock = spinlock_t()
    spin_lock_init(hw.lock)
    dma_fence_init(hw.base, HW_OPS, hw.lock, 7, 1)
    return it.new, hw


def parent_complete() -> Program:
    """Whoever finds the hardware fence finds it complete."""
    with quiet():
        s_fence, hw = _parented()

    def worker() -> None:
        atomic_set(hw.ready, 1)
        sched_fence.drm_sched_fence_set_parent(s_fence, hw.base)

    def client() -> None:
        dma_fence_set_deadline(s_fence.finished, 100)

    def check() -> None:
        late = [ready for _, ready in hw.deadlines if not ready]
        assert not late, "a deadline reached a fence whose driver had not finished it"

    return Program([worker, client], check)


def parent_told() -> Program:
    """A deadline is passed on by whoever comes second: the client, or who sets the parent."""
    with quiet():
        s_fence, hw = _parented()
        atomic_set(hw.ready, 1)

    def worker() -> None:
        sched_fence.drm_sched_fence_set_parent(s_fence, hw.base)

    def client() -> None:
        dma_fence_set_deadline(s_fence.finished, 100)

    def check() -> None:
        assert hw.deadlines, "the deadline of a fence never reached its hardware fence"

    return Program([worker, client], check)


# -- the sites -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """A barrier; `edits` take it away."""

    name: str
    where: str
    program: Callable[[], Program]
    edits: Sequence[Edit]
    matters: bool
    why: str
    setting: Sequence[Edit] = ()


# In C the peek is a plain load that smp_rmb() orders; plain loads are always up to date here.
_PEEK = Edit(
    spsc_queue_peek,
    "return queue.head.next",
    'return READ_ONCE(queue.head, "next")',
)
_POP = sched_entity.drm_sched_entity_pop_job
_SELECT = sched_entity.drm_sched_entity_select_rq
_ASSIGN = (
    'rcu_assign_pointer(entity, "last_scheduled", dma_fence_get(sched_job.s_fence.finished))'
)
_RELEASE = 'smp_store_release(s_fence, "parent", dma_fence_get(fence))'
_DEADLINE = sched_fence.drm_sched_fence_set_deadline_finished
_ACQUIRE = 'parent = smp_load_acquire(fence, "parent")'


def _weaker(function: Callable[..., Any], statement: str, strong: str, kind: str) -> Edit:
    """The statement with a marked access that orders nothing."""
    names = {"READ_ONCE": READ_ONCE, "WRITE_ONCE": WRITE_ONCE}
    return Edit(function, statement, statement.replace(strong, f"{kind}_ONCE"), names=names)


SITES = (
    Site(
        "push-mb",
        "include/drm/spsc_queue.h: smp_mb__after_atomic() in spsc_queue_push()",
        queue_counted,
        [Edit(spsc_queue_push, "smp_mb__after_atomic()")],
        False,
        "atomic_long_xchg() behind it returns a value, so it is fully ordered: the count is before "
        "the exchange, and so before the store that publishes the node",
        [_PEEK],
    ),
    Site(
        "pop-rmb-peek",
        "include/drm/spsc_queue.h: first smp_rmb() in spsc_queue_pop(), behind a peek",
        queue_counted,
        [Edit(spsc_queue_pop, "smp_rmb()", which=0)],
        True,
        "a cmpxchg() that fails orders nothing: it may see the tail as it was before the node "
        "came, and then pop waits for a second node that nobody pushes",
        [_PEEK],
    ),
    Site(
        "push-wmb",
        "include/drm/spsc_queue.h: smp_wmb() in spsc_queue_push()",
        queue_told,
        [Edit(spsc_queue_push, "smp_wmb()")],
        True,
        "nothing else orders the store of the node before what the caller stores next. In 7.2 the "
        "caller holds entity->lock, and its release does; the queue alone needs it",
    ),
    Site(
        "pop-rmb",
        "include/drm/spsc_queue.h: first smp_rmb() in spsc_queue_pop()",
        queue_told,
        [Edit(spsc_queue_pop, "smp_rmb()", which=0)],
        True,
        "the load that told the consumer and the load of the head are of different locations and "
        "do not depend on each other",
    ),
    Site(
        "pop-loop-rmb",
        "include/drm/spsc_queue.h: second smp_rmb() in spsc_queue_pop(), in the loop",
        queue_behind,
        [Edit(spsc_queue_pop, "smp_rmb()", which=1)],
        False,
        "the loads of node->next are of one location, which coherence keeps in order, and what is "
        "behind the pointer is ordered by the address dependency",
    ),
    Site(
        "entity-wmb",
        "sched_entity.c: smp_wmb() in drm_sched_entity_pop_job()",
        entity_moves,
        [Edit(_POP, "smp_wmb()")],
        False,
        "the count reaches 0 only behind atomic_long_cmpxchg() in spsc_queue_pop(), which is fully "
        "ordered when it empties the queue; the count is all that the reader looks at first",
    ),
    Site(
        "entity-rmb",
        "sched_entity.c: smp_rmb() in drm_sched_entity_select_rq()",
        entity_moves,
        [Edit(_SELECT, "smp_rmb()")],
        True,
        "the count and last_scheduled are loaded before the lock is taken; nothing else orders "
        "them, so the fence of the job before last is seen, which has signalled or is freed",
    ),
    Site(
        "parent-release",
        "sched_fence.c: smp_store_release() in drm_sched_fence_set_parent()",
        parent_complete,
        [_weaker(sched_fence.drm_sched_fence_set_parent, _RELEASE, "smp_store_release", "WRITE")],
        True,
        "it is what orders the driver's making of the fence before its publication",
    ),
    Site(
        "parent-acquire",
        "sched_fence.c: smp_load_acquire() in drm_sched_fence_set_deadline_finished()",
        parent_complete,
        [_weaker(_DEADLINE, _ACQUIRE, "smp_load_acquire", "READ")],
        False,
        "all that follows is reached through the pointer: the address dependency orders it",
    ),
    Site(
        "last-scheduled-assign",
        "sched_entity.c: rcu_assign_pointer() in drm_sched_entity_pop_job()",
        entity_published,
        [_weaker(_POP, _ASSIGN, "rcu_assign_pointer", "WRITE")],
        True,
        "a reader without the lock (drm_sched_entity_error()) gets the fence by this store alone",
    ),
)


def _linked(edits: Sequence[Edit]) -> list[Edit]:
    """The edits with the instructions that are linked now, which this module has, too."""
    return [replace(edit, names={name: globals()[name] for name in edit.names}) for edit in edits]


def look(
    program: Callable[[], Program],
    edits: Sequence[Edit] = (),
    *,
    memory: str = "lkmm",
    schedules: int = 2000,
    seed: int = 0,
) -> Result:
    """Search a program with these edits in force, at random."""
    with applied(*_linked(edits)):
        return explore(program, strategy="random:1", memory=memory, schedules=schedules, seed=seed)


def exhaust(
    program: Callable[[], Program], edits: Sequence[Edit] = (), limit: int = 100_000
) -> tuple[int, int, bool]:
    """All executions of a program under lkmm: how many, how many went wrong, and whether all."""
    strategy = Exhaust()
    machine = Virt(strategy, memory="lkmm", step_ns=0, bound=2_000)
    executions = wrong = 0
    with applied(*_linked(edits)):
        machine.power_on(Bare())
        try:
            while True:
                made = program()
                try:
                    machine.run(*made.functions)
                    if made.check is not None:
                        made.check()
                except (AssertionError, KernelBug):
                    wrong += 1
                executions += 1
                if not strategy.advance():
                    return executions, wrong, True
                if executions >= limit:
                    return executions, wrong, False
        finally:
            machine.power_off(1.0)
