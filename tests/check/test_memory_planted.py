# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Faults planted into the port, and what the check `memory` says of each.

A plant changes a statement or two of the port (`kport.arch.patch`) and plays a scene that is right
(`tests.check.memory_scenes`). Without the plant the scene has nothing to report.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import kport
from kport.arch.patch import Edit, applied
from kport.dma_buf import dma_fence, dma_fence_array, dma_fence_chain, dma_resv
from kport.drm import drm_syncobj
from kport.drm.scheduler.v7_2 import (
    sched_entity,
    sched_fence,
    sched_main,
    sched_rq,
)
from tests.check import memory_scenes as scenes

LEAK = r"kmemleak: \d+ new suspected memory leaks"
UAF = r"BUG: KASAN: slab-use-after-free in "
GONE = rf"{UAF}|refcount_t: (underflow|addition on 0); use-after-free"


Scene = Callable[[Any], None]


class Plant(NamedTuple):
    """A fault: where it is planted, in which scene it shows, and what must be reported."""

    scene: Scene
    expected: str
    edits: tuple[Edit, ...]


def plant(
    scene: Scene, expected: str, function: Any, before: str, after: str = "", **how: Any
) -> Plant:
    """A fault of one edit."""
    return Plant(scene, expected, (Edit(function, before, after, **how),))


def also(first: Plant, function: Any, before: str, after: str = "", **how: Any) -> Plant:
    """A fault with one more edit."""
    return first._replace(edits=(*first.edits, Edit(function, before, after, **how)))


PUT_FENCE = "dma_fence_put(fence)"
LAST = 'dma_fence_put(rcu_dereference_check(entity, "last_scheduled", True))'

PLANTS: dict[str, Plant] = {
    # -- the scheduler: life of objects
    "the timer outlives the scheduler": plant(
        scenes.cancelled,
        r"ODEBUG: free active .* timer_list hint: drm_sched_job_timedout",
        sched_main.drm_sched_fini,
        "cancel_delayed_work_sync(sched.work_tdr)",
    ),
    "the job outlives its entity": also(
        plant(
            scenes.entity_first,
            UAF + "drm_sched_get_finished_job",
            sched_entity.drm_sched_entity_pop_job,
            "sched_job.entity = None",
        ),
        sched_main.drm_sched_get_finished_job,
        "list_del_init(job.list)",
        "list_del_init(job.list)\njob.entity.fence_seq",
    ),
    "the bad job stays on the list": plant(
        scenes.timed_out,
        UAF,
        sched_main.drm_sched_job_timedout,
        "list_del_init(job.list)",
    ),
    "the name of a scheduler that is gone": plant(
        scenes.named,
        UAF,
        dma_fence.dma_fence_timeline_name,
        "ops = rcu_dereference(fence, 'ops')",
        "return fence.ops.get_timeline_name(fence)",
    ),
    "a finished job stays on the list": plant(
        scenes.jobs,
        UAF,
        sched_main.drm_sched_get_finished_job,
        "list_del_init(job.list)",
    ),
    "a dead entity stays on the run queue": plant(
        scenes.killed,
        UAF,
        sched_rq.drm_sched_rq_remove_entity,
        "list_del_init(entity.list)",
    ),
    "a job is freed twice": plant(
        scenes.jobs,
        r"BUG: KASAN: |refcount_t",
        sched_main.drm_sched_free_job_work,
        "sched.ops.free_job(job)",
        "sched.ops.free_job(job)\ndrm_sched_job_cleanup(job)",
    ),
    "run queues are not freed": plant(
        scenes.jobs, LEAK, sched_main.drm_sched_fini, "kfree(sched.sched_rq[i])", "i"
    ),
    "the array of run queues is not freed": plant(
        scenes.jobs, LEAK, sched_main.drm_sched_fini, "kfree(sched.sched_rq)"
    ),
    "the array of run queues is freed twice": plant(
        scenes.jobs,
        "BUG: KASAN: double-free in kfree",
        sched_main.drm_sched_fini,
        "kfree(sched.sched_rq)",
        "kfree(sched.sched_rq)\nkfree(sched.sched_rq)",
    ),
    "a run queue is used after it is freed": plant(
        scenes.jobs,
        UAF + "drm_sched_fini",
        sched_main.drm_sched_fini,
        "sched.ready = False",
        "sched.ready = False\nsched.sched_rq[0].sched",
    ),
    "the unroll forgets the array": plant(
        scenes.no_memory, LEAK, sched_main.drm_sched_init, "kfree(sched.sched_rq)"
    ),
    "the unroll forgets the run queues": plant(
        scenes.no_memory, LEAK, sched_main.drm_sched_init, "kfree(sched.sched_rq[i])"
    ),
    # -- the scheduler: references
    "the hardware fence is not put": plant(
        scenes.jobs, LEAK, sched_main.drm_sched_run_job_work, PUT_FENCE
    ),
    "the hardware fence is put twice": plant(
        scenes.jobs,
        GONE,
        sched_main.drm_sched_run_job_work,
        PUT_FENCE,
        f"{PUT_FENCE}\n{PUT_FENCE}",
    ),
    "the parent has no reference": plant(
        scenes.jobs,
        GONE,
        sched_fence.drm_sched_fence_set_parent,
        'smp_store_release(s_fence, "parent", dma_fence_get(fence))',
        'smp_store_release(s_fence, "parent", fence)',
    ),
    "the parent is not put": plant(
        scenes.jobs,
        LEAK,
        sched_fence.drm_sched_fence_release_scheduled,
        "dma_fence_put(fence.parent)",
    ),
    "the scheduled fence is not put": plant(
        scenes.jobs,
        LEAK,
        sched_fence.drm_sched_fence_release_finished,
        "dma_fence_put(fence.scheduled)",
    ),
    "the fence of a job does not wait for readers": plant(
        scenes.last_look_at_a_job,
        UAF,
        sched_fence.drm_sched_fence_release_scheduled,
        "call_rcu(fence.finished.rcu, drm_sched_fence_free_rcu)",
        "drm_sched_fence_free_rcu(fence.finished.rcu)",
    ),
    "the last job's fence is not put": plant(
        scenes.jobs, LEAK, sched_entity.drm_sched_entity_fini, LAST
    ),
    "the last job's fence is put twice": plant(
        scenes.jobs, GONE, sched_entity.drm_sched_entity_fini, LAST, f"{LAST}\n{LAST}"
    ),
    "the fence before the last is not put": plant(
        scenes.jobs, LEAK, sched_entity.drm_sched_entity_pop_job, LAST
    ),
    "the last job's fence has no reference": plant(
        scenes.jobs,
        GONE,
        sched_entity.drm_sched_entity_pop_job,
        'rcu_assign_pointer(entity, "last_scheduled", dma_fence_get(sched_job.s_fence.finished))',
        'rcu_assign_pointer(entity, "last_scheduled", sched_job.s_fence.finished)',
    ),
    "the previous fence is not put when it is over": plant(
        scenes.killed,
        LEAK,
        sched_entity.drm_sched_entity_kill,
        "dma_fence_put(prev)\ndrm_sched_entity_kill_jobs_cb(None, job.finish_cb)",
        "drm_sched_entity_kill_jobs_cb(None, job.finish_cb)",
    ),
    "a killed job's fence has no reference": plant(
        scenes.killed,
        GONE,
        sched_entity.drm_sched_entity_kill,
        "dma_fence_get(s_fence.finished)",
    ),
    "a killed job's dependency is not put": plant(
        scenes.killed, LEAK, sched_entity.drm_sched_entity_kill_jobs_cb, "dma_fence_put(f)"
    ),
    "a dependency is not put when it signals": plant(
        scenes.jobs, LEAK, sched_entity.drm_sched_entity_wakeup, "dma_fence_put(f)"
    ),
    "a dependency that is replaced is not put": plant(
        scenes.jobs, LEAK, sched_main.drm_sched_job_add_dependency, "dma_fence_put(entry)"
    ),
    "a dependency that is dropped is not put": plant(
        scenes.jobs, LEAK, sched_main.drm_sched_job_add_dependency, PUT_FENCE, which=0
    ),
    "dependencies of a job are not put": plant(
        scenes.discarded, LEAK, sched_main.drm_sched_job_cleanup, PUT_FENCE, "index"
    ),
    "the fence of a job is not put": plant(
        scenes.jobs,
        LEAK,
        sched_main.drm_sched_job_cleanup,
        "dma_fence_put(job.s_fence.finished)",
    ),
    "the fence of a job that never ran is not freed": plant(
        scenes.discarded,
        LEAK,
        sched_main.drm_sched_job_cleanup,
        "drm_sched_fence_free(job.s_fence)",
    ),
    "the statistics of a job are not put": plant(
        scenes.jobs,
        LEAK,
        sched_main.drm_sched_job_cleanup,
        "drm_sched_entity_stats_put(job.entity_stats)",
    ),
    "the statistics of an entity are not put": plant(
        scenes.jobs,
        LEAK,
        sched_entity.drm_sched_entity_fini,
        "drm_sched_entity_stats_put(entity.stats)",
    ),
    # -- fences
    "a fence does not wait for readers": plant(
        scenes.last_look,
        UAF,
        dma_fence.dma_fence_free,
        'kfree_rcu(fence, "rcu")',
        "kfree(fence)",
    ),
    "a fence is freed twice": plant(
        scenes.last_look,
        "BUG: KASAN: double-free in kfree",
        dma_fence.dma_fence_free,
        'kfree_rcu(fence, "rcu")',
        'kfree_rcu(fence, "rcu")\nkfree_rcu(fence, "rcu")',
    ),
    "a callback behind the signal": also(
        plant(
            scenes.signalled,
            "BUG: dma_fence: read of cb_list while the union holds timestamp in dma_fence_add_call",
            dma_fence.dma_fence_add_callback,
            "if dma_fence_test_signaled_flag(fence):\n INIT_LIST_HEAD(cb.node)\n return -ENOENT",
        ),
        dma_fence.__dict__["__dma_fence_enable_signaling"],
        "if dma_fence_test_signaled_flag(fence):\n return False",
    ),
    "an array forgets its fences": plant(
        scenes.arrays,
        LEAK,
        dma_fence_array.dma_fence_array_release,
        "dma_fence_put(array.fences[i])",
        "i",
    ),
    "an array forgets its array": plant(
        scenes.arrays,
        LEAK,
        dma_fence_array.dma_fence_array_release,
        "kfree(array.fences)",
    ),
    "an array has no reference for its callbacks": plant(
        scenes.arrays,
        GONE,
        dma_fence_array.dma_fence_array_enable_signaling,
        "dma_fence_get(array.base)",
        "i",
    ),
    "an array's callback keeps its reference": plant(
        scenes.arrays,
        LEAK,
        dma_fence_array.dma_fence_array_cb_func,
        "dma_fence_put(array.base)",
    ),
    "a chain forgets its fence": plant(
        scenes.chains,
        LEAK,
        dma_fence_chain.dma_fence_chain_release,
        "dma_fence_put(chain.fence)",
    ),
    "a chain's callback keeps its reference": plant(
        scenes.chains,
        LEAK,
        dma_fence_chain.dma_fence_chain_irq_work,
        "dma_fence_put(chain.base)",
    ),
    "a chain has no reference for its callback": plant(
        scenes.chains,
        GONE,
        dma_fence_chain.dma_fence_chain_enable_signaling,
        "dma_fence_get(head.base)",
    ),
    "a reservation's fence has no reference": plant(
        scenes.reservations, GONE, dma_resv.dma_resv_add_fence, "dma_fence_get(fence)"
    ),
    "a reservation forgets its fences": plant(
        scenes.reservations, LEAK, dma_resv.dma_resv_list_free, PUT_FENCE, "i"
    ),
    "a reservation that grows forgets its list": plant(
        scenes.reservations,
        LEAK,
        dma_resv.dma_resv_reserve_fences,
        'kfree_rcu(old, "rcu")',
    ),
    "a reservation that grows does not wait for readers": plant(
        scenes.last_look_at_a_list,
        UAF,
        dma_resv.dma_resv_reserve_fences,
        'kfree_rcu(old, "rcu")',
        "kfree(old)",
        names={"kfree": dma_fence.kfree},
    ),
    "a syncobj's fence has no reference": plant(
        scenes.syncobjs, GONE, drm_syncobj.drm_syncobj_replace_fence, "dma_fence_get(fence)"
    ),
    "a syncobj forgets the fence it had": plant(
        scenes.syncobjs, LEAK, drm_syncobj.drm_syncobj_replace_fence, "dma_fence_put(old_fence)"
    ),
    "a syncobj is not freed": plant(
        scenes.syncobjs, LEAK, drm_syncobj.drm_syncobj_free, "kfree(syncobj)"
    ),
}


def reports(boot: Any, scene: Scene) -> list[str]:
    """The headlines and lines of what a scene has to report; an oops is an end like another."""
    text: list[str] = []
    kernel = None
    try:
        with boot(check=("memory",)) as kernel:
            scene(kernel)
    except (kport.KernelOops, AssertionError):
        pass
    assert kernel is not None
    for report in kernel.reports():
        text += [report.headline, *report.lines]
    return text


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_reported(boot, name):
    fault = PLANTS[name]
    with applied(*fault.edits):
        said = reports(boot, fault.scene)
    assert any(re.search(fault.expected, line) for line in said), "\n".join(said) or "nothing"


SCENES = sorted({p.scene for p in PLANTS.values()}, key=lambda scene: scene.__name__)


@pytest.mark.parametrize("scene", SCENES)
def test_without_the_fault_there_is_nothing_to_report(boot, scene):
    with boot(check=("memory",)) as kernel:
        scene(kernel)
    assert [r.text for r in kernel.reports()] == []
    assert not kernel.leaks, kernel.leaks.lines()


def test_the_work_that_fini_leaves_behind_is_a_known_fault(boot):
    """Planted harder than it is: drm_sched_wqueue_stop() cancels nothing at all."""
    fini = Edit(sched_main.drm_sched_fini, "drm_sched_wqueue_stop(sched)")
    run = Edit(
        sched_main.drm_sched_run_job_work,
        "entity = drm_sched_select_entity(sched)",
        "late(sched)\nentity = drm_sched_select_entity(sched)",
        names={"late": scenes.late},
    )
    with applied(fini, run):
        said = reports(boot, scenes.behind_fini)
    assert any(line.startswith(" known: work-behind-fini: sched_main.c:1016") for line in said)
    assert any(re.match(UAF, line) for line in said)
