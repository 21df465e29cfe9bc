# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Faults planted into the port, and what the check `lockdep` says of each.

A plant changes a statement or two of the port (`kport.arch.patch`) and plays a scene that is right
(`tests.check.lockdep_scenes`), or plays a scene that is a fault. Some end in an oops, as they would
in the kernel; the report comes before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import kport
from kport.arch.api import KernelBug
from kport.arch.patch import Edit, applied
from kport.dma_buf import dma_fence, dma_fence_array, dma_fence_chain, dma_resv, sw_sync
from kport.drm import drm_exec, drm_syncobj
from kport.drm.scheduler.v7_2 import sched_entity, sched_main, sched_rq
from kport.linux import hrtimer, timer, workqueue
from tests.check import lockdep_scenes as scenes

CIRCULAR = "WARNING: possible circular locking dependency detected"
RECURSIVE = "WARNING: possible recursive locking detected"
INCONSISTENT = "WARNING: inconsistent lock state"
INVERSION = "WARNING: possible irq lock inversion dependency detected"
BALANCE = "WARNING: bad unlock balance detected!"
FREED = "WARNING: held lock freed!"
CONTEXT = "[ BUG: Invalid wait context ]"
NESTED = "WARNING: Nested lock was not taken"
RCU = "WARNING: suspicious RCU usage"
NOT_INIT = "INFO: trying to register non-static key."

Scene = Callable[[Any], None]


class Plant(NamedTuple):
    """A fault: the scene, the headline, a pattern of another line, and the changes."""

    scene: Scene
    headline: str
    says: str
    edits: tuple[Edit, ...] = ()


def edit(function: Any, before: str, after: str = "", **how: Any) -> Edit:
    """One change."""
    return Edit(function, before, after, **how)


LOCK, UNLOCK = "spin_lock(entity.lock)", "spin_unlock(entity.lock)"
set_priority = sched_entity.drm_sched_entity_set_priority

PLANTS: dict[str, Plant] = {
    # -- the scheduler
    "the run queue is locked around the entity": Plant(
        scenes.knobs,
        CIRCULAR,
        r"-> #1 \(&rq->lock\)",
        (
            edit(set_priority, LOCK, f"spin_lock(entity.rq.lock)\n{LOCK}"),
            edit(set_priority, UNLOCK, f"{UNLOCK}\nspin_unlock(entity.rq.lock)"),
        ),
    ),
    "the job list is locked around the entity, and inside it": Plant(
        scenes.knobs,
        CIRCULAR,
        r"&sched->job_list_lock",
        (
            edit(
                set_priority,
                LOCK,
                f"spin_lock(entity.rq.sched.job_list_lock)\n{LOCK}",
            ),
            edit(set_priority, UNLOCK, f"{UNLOCK}\nspin_unlock(entity.rq.sched.job_list_lock)"),
            edit(
                sched_entity.drm_sched_entity_modify_sched,
                LOCK,
                f"{LOCK}\nspin_lock(sched_list[0].job_list_lock)\n"
                "spin_unlock(sched_list[0].job_list_lock)",
            ),
        ),
    ),
    "a lost unlock of an entity": Plant(
        scenes.knobs, RECURSIVE, r"lock\(&entity->lock\);", (edit(set_priority, UNLOCK),)
    ),
    "a lost lock of an entity": Plant(
        scenes.knobs, BALANCE, r"trying to release lock \(&entity->lock\) at:",
        (edit(set_priority, LOCK),),
    ),
    "an entity is unlocked twice": Plant(
        scenes.knobs,
        BALANCE,
        r"no locks held by ",
        (
            edit(
                sched_entity.drm_sched_entity_modify_sched, UNLOCK, f"{UNLOCK}\n{UNLOCK}"
            ),
        ),
    ),
    "the wrong lock is released": Plant(
        scenes.knobs,
        BALANCE,
        r"sched_rq.py:\d+ \(drivers/gpu/drm/scheduler/sched_rq.c:\d+\)|&entity->lock",
        (
            edit(
                sched_rq.drm_sched_rq_pop_entity,
                "spin_unlock(rq.lock)",
                "spin_unlock(entity.lock)",
            ),
        ),
    ),
    "a held lock is initialised": Plant(
        scenes.knobs,
        FREED,
        r"is freeing memory",
        (
            edit(
                set_priority,
                LOCK,
                f'{LOCK}\nspin_lock_init(entity.lock, "&entity->lock")',
            ),
        ),
    ),
    "a lock is not initialised": Plant(
        scenes.knobs,
        NOT_INIT,
        r"didn't initialize this object before use",
        (edit(sched_rq.drm_sched_rq_init, "spin_lock_init(rq.lock)"),),
    ),
    "the run queue is changed without its lock": Plant(
        scenes.knobs,
        "WARNING: kport/drm/scheduler/v7_2/sched_rq.py",
        r"sched_rq.c:\d+\) at drm_sched_rq_\w+",
        (
            edit(sched_rq.drm_sched_rq_add_entity, "spin_lock(rq.lock)"),
            edit(sched_rq.drm_sched_rq_add_entity, "spin_unlock(rq.lock)"),
        ),
    ),
    "an entity's error is read outside RCU": Plant(
        scenes.knobs,
        RCU,
        r"sched_entity.c:\d+\) suspicious rcu_dereference_check\(\) usage!",
        (
            edit(sched_entity.drm_sched_entity_error, "rcu_read_lock()"),
            edit(sched_entity.drm_sched_entity_error, "rcu_read_unlock()"),
        ),
    ),
    "the job list is locked in an interrupt": Plant(
        scenes.interrupts,
        INCONSISTENT,
        r"inconsistent \{HARDIRQ-ON-W\} -> \{IN-HARDIRQ-W\} usage.",
        (
            edit(
                sched_main.drm_sched_job_done,
                "drm_sched_run_free_queue(sched)",
                "spin_lock(sched.job_list_lock)\ndrm_sched_run_free_queue(sched)\n"
                "spin_unlock(sched.job_list_lock)",
            ),
        ),
    ),
    # -- fences
    "a fence is locked with interrupts on": Plant(
        scenes.interrupts,
        INCONSISTENT,
        r"IN-HARDIRQ-W",
        (
            edit(
                dma_fence.dma_fence_lock_irqsave,
                "return spin_lock_irqsave(dma_fence_spinlock(fence))",
                "from kport.linux.spinlock import spin_lock\n"
                "spin_lock(dma_fence_spinlock(fence))\nreturn 0",
            ),
            edit(
                dma_fence.dma_fence_unlock_irqrestore,
                "spin_unlock_irqrestore(dma_fence_spinlock(fence), flags)",
                "from kport.linux.spinlock import spin_unlock\n"
                "spin_unlock(dma_fence_spinlock(fence))",
            ),
        ),
    ),
    "an array has the class of its fences": Plant(
        scenes.arrays,
        RECURSIVE,
        r"&fence->inline_lock",
        (
            edit(
                dma_fence_array.dma_fence_array_init,
                "lockdep_set_class(array.base.inline_lock, dma_fence_array_lock_key)",
            ),
        ),
    ),
    "a chain has the class of its fences": Plant(
        scenes.chains,
        RECURSIVE,
        r"&fence->inline_lock",
        (
            edit(
                dma_fence_chain.dma_fence_chain_init,
                "lockdep_set_class(chain.base.inline_lock, dma_fence_chain_lock_key)",
            ),
        ),
    ),
    "a fence is signalled and stays locked": Plant(
        scenes.arrays,
        RECURSIVE,
        r"inline_lock|lock_key",
        (
            edit(
                dma_fence.dma_fence_enable_sw_signaling,
                "dma_fence_unlock_irqrestore(fence, flags)",
            ),
        ),
    ),
    "a reservation stays locked by a thread that ends": Plant(
        scenes.locked_by_a_thread,
        r"WARNING: test/\d+ still has locks held!",
        r" #0: .*\(reservation_ww_class_mutex\)",
        (edit(dma_resv.dma_resv_unlock, "ww_mutex_unlock(obj.lock)"),),
    ),
    "a context ends before its locks": Plant(
        scenes.round_of_three,
        NESTED,
        r"reservation_ww_class_acquire",
        (edit(drm_exec.drm_exec_unlock_all, "dma_resv_unlock(obj.resv)"),),
    ),
    "a context ends twice": Plant(
        scenes.round_of_three,
        BALANCE,
        r"reservation_ww_class_\w+\) at:",
        (
            edit(
                drm_exec.drm_exec_fini,
                "ww_acquire_fini(exec.ticket)",
                "ww_acquire_fini(exec.ticket)\nww_acquire_fini(exec.ticket)",
            ),
        ),
    ),
    "a context is not begun": Plant(
        scenes.round_of_three,
        NESTED,
        r"\n\(null\)\n",
        (
            edit(
                drm_exec.drm_exec_cleanup,
                "ww_acquire_init(exec.ticket, reservation_ww_class)",
            ),
        ),
    ),
    "an mm is freed with its lock held, at boot": Plant(
        scenes.locked_by_a_thread,
        FREED,
        r"\(&mm->mmap_lock\)",
        (edit(dma_resv.dma_resv_lockdep, "mmap_read_unlock(mm)"),),
    ),
    "a syncobj is freed with its lock held": Plant(
        scenes.syncobjs,
        FREED,
        r"\(&syncobj->lock\)",
        (
            edit(
                drm_syncobj.drm_syncobj_free,
                "kfree(syncobj)",
                "spin_lock(syncobj.lock)\nkfree(syncobj)",
            ),
        ),
    ),
    # -- timers and work
    "a timer runs under the lock of all timers": Plant(
        scenes.timers,
        CONTEXT,
        r"scene_lock",
        (
            edit(
                hrtimer.hrtimer_interrupt,
                "spin_unlock_irqrestore(base.lock, flags)\nrestart = function(timer)\n"
                "flags = spin_lock_irqsave(base.lock)",
                "restart = function(timer)",
            ),
        ),
    ),
    "a wheel timer runs under the lock of the wheel": Plant(
        scenes.timers,
        CONTEXT,
        r"&base->lock",
        (
            edit(
                timer.run_timer_softirq,
                "spin_unlock_irqrestore(base.lock, flags)\nif function is not None:\n"
                "    call_timer_fn(timer, function)\nflags = spin_lock_irqsave(base.lock)",
                "if function is not None:\n    call_timer_fn(timer, function)",
            ),
        ),
    ),
    "a queue is destroyed with its mutex unlocked twice": Plant(
        scenes.queue_comes_and_goes,
        BALANCE,
        r"&wq->mutex",
        (
            edit(
                workqueue.destroy_workqueue,
                "mutex_unlock(wq.mutex)",
                "mutex_unlock(wq.mutex)\nmutex_unlock(wq.mutex)",
            ),
        ),
    ),
    "a queue's mutex is locked around the list of queues": Plant(
        scenes.queue_comes_and_goes,
        CIRCULAR,
        r"wq_pool_mutex",
        (
            edit(
                workqueue.destroy_workqueue,
                "wq.flags |= __WQ_DESTROYING",
                "wq.flags |= __WQ_DESTROYING\nmutex_lock(wq_pool_mutex)\n"
                "mutex_unlock(wq_pool_mutex)",
            ),
        ),
    ),
    "a work item runs under the lock of its pool": Plant(
        scenes.queue_comes_and_goes,
        CONTEXT,
        r"\(wq_completion\)scene|&pool->lock",
        (
            edit(
                workqueue.worker_thread,
                "spin_lock_irq(pool.lock)",
                "spin_lock_irq(pool.lock)\nmutex_lock(wq_pool_mutex)\n"
                "mutex_unlock(wq_pool_mutex)",
            ),
        ),
    ),
    "an ioctl returns with a lock held": Plant(
        scenes.timeline,
        "WARNING: lock held when returning to user space!",
        r"is leaving the kernel with locks still held!\n1 lock held by",
        (edit(sw_sync.sync_timeline_signal, "spin_unlock_irq(obj.lock)"),),
    ),
    # -- what drivers do
    "two tasks, two orders": Plant(scenes.two_tasks_two_orders, CIRCULAR, r"lock\(&made->b\);"),
    "mutexes in two orders": Plant(scenes.mutexes_in_two_orders, CIRCULAR, r"lock\(&made->n\);"),
    "a reader and a writer in two orders": Plant(
        scenes.reader_and_writer_in_two_orders, CIRCULAR, r"lock\(&made->rw\);"
    ),
    "two locks of a class": Plant(
        scenes.two_of_a_class, RECURSIVE, r"May be due to missing lock nesting notation"
    ),
    "two reservations without a context": Plant(
        scenes.two_reservations, RECURSIVE, r"reservation_ww_class_mutex"
    ),
    "the mmap lock under a reservation": Plant(
        scenes.mmap_lock_under_a_reservation, CIRCULAR, r"dma_resv_lockdep\+"
    ),
    "a reservation in a signalling section": Plant(
        scenes.reservation_in_a_signalling_section, CIRCULAR, r"dma_fence_map"
    ),
    "a mutex around a wait and in a signalling section": Plant(
        scenes.wait_in_a_signalling_section, CIRCULAR, r"dma_fence_map"
    ),
    "an allocation in a signalling section": Plant(
        scenes.allocation_in_a_signalling_section, CIRCULAR, r"fs_reclaim"
    ),
    "a flush under a mutex of the work": Plant(
        scenes.flush_under_the_lock_of_the_work, CIRCULAR, r"\(wq_completion\)scene"
    ),
    "a timer deleted under its lock": Plant(
        scenes.timer_deleted_under_its_lock, f"{CIRCULAR}|{INVERSION}", r"\(timer\)|&made->a"
    ),
    "a timer takes a lock that is held with softirqs on": Plant(
        scenes.timer_takes_an_unsafe_lock,
        INCONSISTENT,
        r"inconsistent \{SOFTIRQ-ON-W\} -> \{IN-SOFTIRQ-W\} usage.",
    ),
    "interrupts on under a lock of interrupts": Plant(
        scenes.interrupts_on_under_a_lock_of_interrupts,
        INCONSISTENT,
        r"inconsistent \{IN-HARDIRQ-W\} -> \{HARDIRQ-ON-W\} usage.",
    ),
    "an unsafe lock under a lock of interrupts": Plant(
        scenes.unsafe_lock_under_a_lock_of_interrupts,
        "WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected",
        r"local_irq_disable\(\);",
    ),
    "a mutex in a reader": Plant(scenes.mutex_in_a_reader, CONTEXT, r"\(rcu_read_lock\)"),
    "an object freed with its lock": Plant(scenes.freed_with_its_lock, FREED, r"&made->a"),
    "a callback signals another fence": Plant(
        scenes.callback_signals_another, RECURSIVE, r"&fence->inline_lock"
    ),
}


def play(boot: Any, scene: Scene) -> list[Any]:
    """What a scene has to report; an oops is an end like another."""
    kernel = None
    try:
        with boot(check="lockdep", debug=False) as kernel:
            scene(kernel)
    except (kport.KernelOops, KernelBug, AssertionError, AttributeError):
        pass
    assert kernel is not None
    return list(kernel.reports())


def check(fault: Plant, said: list[Any]) -> None:
    """The first report is the one that the fault must have."""
    assert said, "nothing was reported"
    first = said[0]
    assert first.facility == "lockdep"
    if fault.headline.startswith("WARNING: test/"):
        assert re.fullmatch(fault.headline, first.headline), first.text
    else:
        wanted = fault.headline.split("|")
        assert any(first.headline.startswith(w) for w in wanted), first.text
    assert re.search(fault.says, first.text), first.text


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_reported(boot, name):
    fault = PLANTS[name]
    with applied(*fault.edits):
        said = play(boot, fault.scene)
    check(fault, said)


RIGHT = sorted({p.scene for p in PLANTS.values() if p.edits}, key=lambda scene: scene.__name__)


@pytest.mark.parametrize("scene", RIGHT)
def test_without_the_fault_there_is_nothing_to_report(boot, scene):
    with boot(check="lockdep") as kernel:
        scene(kernel)
    assert [r.text for r in kernel.reports()] == []
    assert not kernel.leaks, kernel.leaks.lines()
