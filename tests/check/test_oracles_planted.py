# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Faults planted into the schedulers, each caught by the oracle that is there for it.

A fault is one statement of the port that is missing, doubled, or at the wrong place; among them the
reverts of mends that the kernel has seen. The scenes are played on `virt`, on the seeds that it
takes until somebody says something.
"""

from __future__ import annotations

import importlib
from typing import NamedTuple

import pytest

import kport
from kport.arch.patch import Edit, applied
from kport.arch.strategy import RoundRobin
from kport.drivers.compat import SCHEDULERS, package
from tests.check import oracle_scenes as scenes

SEEDS = 25
DRM = "kport.drm.scheduler."
ARRAY, CHAIN = "kport.dma_buf.dma_fence_array", "kport.dma_buf.dma_fence_chain"


class Fault(NamedTuple):
    """What is changed in which function, and who says so in which scene."""

    name: str
    oracle: str
    scene: str
    module: str
    function: str
    before: str
    after: str = ""
    which: int | None = None
    scheduler: str = "v7_2"

    def __str__(self) -> str:
        return f"{self.scheduler}-{self.name}"


MAIN, ENTITY = f"{DRM}v7_2.sched_main", f"{DRM}v7_2.sched_entity"
OLD_MAIN, OLD_ENTITY = f"{DRM}v6_1.sched_main", f"{DRM}v6_1.sched_entity"
ITEM_MAIN, ITEM_ENTITY = f"{DRM}v3_2023.sched_main", f"{DRM}v3_2023.sched_entity"
RQ = f"{DRM}v7_2.sched_rq"
RUN, FREE = "sched.ops.run_job(sched_job)", "sched.ops.free_job(job)"
POP = "spsc_queue_pop(entity.job_queue)"
NULL_JOB = "complete_all(entity.entity_idle)\ndrm_sched_run_job_queue(sched)\nreturn"
WAIT_KILLED = "drm_sched_fence_scheduled(job.s_fence, None)"
TAKE = "spsc_queue_pop(entity.job_queue)\ndrm_sched_rq_pop_entity(entity)"

FAULTS = [
    # -- once ----------------------------------------------------------------------------------
    Fault("free-twice", "once", "burst", MAIN, "drm_sched_free_job_work", FREE, f"{FREE}\n{FREE}"),
    Fault("done-twice", "once", "burst", MAIN, "drm_sched_job_done_cb",
          "drm_sched_job_done(s_job, f.error)",
          "drm_sched_job_done(s_job, f.error)\ndrm_sched_job_done(s_job, f.error)"),
    Fault("run-twice", "once", "chain", MAIN, "drm_sched_run_job_work",
          f"fence = {RUN}", f"fence = {RUN}\nfence = {RUN}"),
    Fault("freed-while-it-runs", "once", "burst", MAIN, "drm_sched_get_finished_job",
          "if job and dma_fence_is_signaled(job.s_fence.finished):\n"
          "    list_del_init(job.list)\n"
          "    cancel_delayed_work(sched.work_tdr)\n"
          "    next = list_first_entry_or_null(sched.pending_list, drm_sched_job, 'list')\n"
          "    if next:\n"
          "        if test_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, next.s_fence.scheduled.flags):\n"
          "            next.s_fence.scheduled.timestamp = dma_fence_timestamp("
          "job.s_fence.finished)\n"
          "        drm_sched_start_timeout(sched)\n"
          "else:\n"
          "    job = None",
          "if job:\n    list_del_init(job.list)"),
    Fault("pop-leaves-the-job", "once", "burst", ENTITY, "drm_sched_entity_pop_job", POP),
    Fault("scheduled-twice", "once", "burst", MAIN, "drm_sched_run_job_work",
          "drm_sched_fence_scheduled(s_fence, fence)",
          "drm_sched_fence_scheduled(s_fence, fence)\ndrm_sched_fence_scheduled(s_fence, None)"),
    Fault("pushed-twice", "once", "nothing", ENTITY, "drm_sched_entity_push_job",
          "spin_unlock(entity.lock)",
          "spin_unlock(entity.lock)\n"
          "if sched_job.entity and not sched_job.karma.counter:\n"
          "    sched_job.karma.counter = 1\n"
          "    drm_sched_entity_push_job(sched_job)"),
    Fault("free-twice", "once", "burst", OLD_MAIN, "drm_sched_main",
          "sched.ops.free_job(cleanup_job)",
          "sched.ops.free_job(cleanup_job)\nsched.ops.free_job(cleanup_job)", None, "v6_1"),
    # -- order ---------------------------------------------------------------------------------
    Fault("never-scheduled", "order", "chain", MAIN, "drm_sched_run_job_work",
          "drm_sched_fence_scheduled(s_fence, fence)",
          "s_fence.parent = dma_fence_get(fence)"),
    Fault("killed-and-never-scheduled", "order", "kill", ENTITY,
          "drm_sched_entity_kill_jobs_work", WAIT_KILLED),
    Fault("finished-before-it-is-scheduled", "order", "nothing", MAIN, "drm_sched_run_job_work",
          "drm_sched_fence_scheduled(s_fence, fence)",
          "drm_sched_fence_finished(s_fence, 0)\ndrm_sched_fence_scheduled(s_fence, fence)"),
    # -- dependencies ----------------------------------------------------------------------------
    Fault("runs-too-early", "dependencies", "two_rings", ENTITY,
          "drm_sched_entity_add_dependency_cb",
          "if not dma_fence_add_callback(entity.dependency, entity.cb, drm_sched_entity_wakeup):\n"
          "    return True"),
    Fault("only-scheduled-on-another-ring", "dependencies", "two_rings", ENTITY,
          "drm_sched_entity_add_dependency_cb", "s_fence = to_drm_sched_fence(fence)",
          "s_fence = to_drm_sched_fence(fence)\nsched = s_fence.sched if s_fence else sched"),
    Fault("killed-too-early", "dependencies", "kill", ENTITY, "drm_sched_entity_kill_jobs_work",
          "if f and not dma_fence_add_callback("
          "f, job.finish_cb, drm_sched_entity_kill_jobs_cb):\n    return"),
    Fault("killed-too-early", "dependencies", "kill", OLD_ENTITY,
          "drm_sched_entity_kill_jobs", "dma_fence_wait(f, False)", "", None, "v6_1"),
    Fault("runs-too-early", "dependencies", "two_rings", ITEM_ENTITY,
          "drm_sched_job_dependency", "if not xa_empty(job.dependencies):\n"
          "    job.last_dependency += 1\n"
          "    return xa_erase(job.dependencies, job.last_dependency - 1)", "", None, "v3_2023"),
    # -- stopped -------------------------------------------------------------------------------
    Fault("stop-forgets-to-pause", "stopped", "pause", MAIN, "drm_sched_wqueue_stop",
          "WRITE_ONCE(sched, 'pause_submit', True)"),
    Fault("wakeup-while-stopped", "stopped", "pause", MAIN, "drm_sched_run_job_queue",
          "if not drm_sched_is_stopped(sched):\n"
          "    queue_work(sched.submit_wq, sched.work_run_job)",
          "queue_work(sched.submit_wq, sched.work_run_job)"),
    Fault("free-while-stopped", "stopped", "pause", MAIN, "drm_sched_run_free_queue",
          "if not drm_sched_is_stopped(sched):\n"
          "    queue_work(sched.submit_wq, sched.work_free_job)",
          "queue_work(sched.submit_wq, sched.work_free_job)"),
    Fault("nobody-looks", "stopped", "pause", ITEM_MAIN, "drm_sched_submit_stop",
          "WRITE_ONCE(sched, 'pause_submit', True)", "", None, "v3_2023"),
    Fault("fini-unparks", "stopped", "reset_and_kill", OLD_ENTITY, "drm_sched_entity_fini",
          "wait_for_completion(entity.entity_idle)",
          "from kport.linux.kthread import kthread_park, kthread_unpark\n"
          "kthread_park(sched.thread)\n"
          "kthread_unpark(sched.thread)", None, "v6_1"),
    # -- sums ----------------------------------------------------------------------------------
    Fault("credits-are-kept", "credits", "nothing", MAIN, "drm_sched_job_done",
          "atomic_sub(s_job.credits, sched.credit_count)"),
    Fault("credits-come-twice", "credits", "reset", MAIN, "drm_sched_stop",
          "atomic_sub(s_job.credits, sched.credit_count)"),
    Fault("too-many-on-the-hardware", "credits", "burst", MAIN, "drm_sched_can_queue",
          "return drm_sched_available_credits(sched) >= s_job.credits", "return True"),
    Fault("hw_rq_count-is-kept", "credits", "nothing", OLD_MAIN, "drm_sched_job_done",
          "atomic_dec(sched.hw_rq_count)", "", None, "v6_1"),
    Fault("score-is-kept", "score", "burst", MAIN, "drm_sched_job_done",
          "atomic_dec(sched.score)"),
    Fault("score-of-the-first-only", "score", "burst", ENTITY, "drm_sched_entity_push_job",
          "atomic_inc(entity.rq.sched.score)",
          "if not entity.job_queue.job_count.counter:\n"
          "    atomic_inc(entity.rq.sched.score)"),
    Fault("score-of-an-entity-is-kept", "score", "burst", OLD_MAIN,
          "drm_sched_rq_add_entity", "atomic_inc(rq.sched.score)",
          "atomic_inc(rq.sched.score)\natomic_inc(rq.sched.score)", None, "v6_1"),
    # -- tree ----------------------------------------------------------------------------------
    Fault("stays-without-jobs", "tree", "chain", RQ, "drm_sched_rq_pop_entity",
          "drm_sched_rq_remove_fifo_locked(entity, rq)",
          "drm_sched_rq_update_fifo_locked(entity, rq, 0)"),
    Fault("not-put-back", "tree", "burst", RQ, "drm_sched_rq_pop_entity",
          "drm_sched_rq_update_fifo_locked(entity, rq, ts)",
          "drm_sched_rq_remove_fifo_locked(entity, rq)"),
    # -- lost wake-ups ---------------------------------------------------------------------------
    Fault("blocked-head-ends-the-item", "quiescence", "blocked_head", MAIN,
          "drm_sched_run_job_work", NULL_JOB, "complete_all(entity.entity_idle)\nreturn"),
    Fault("nobody-is-woken-by-a-fence", "quiescence", "two_rings", ENTITY,
          "drm_sched_entity_wakeup", "drm_sched_wakeup(entity.rq.sched)"),
    Fault("nobody-frees", "quiescence", "chain", MAIN, "drm_sched_job_done",
          "drm_sched_run_free_queue(sched)"),
    Fault("dependency-stays", "quiescence", "two_rings", ENTITY,
          "drm_sched_entity_wakeup", "entity.dependency = None"),
    Fault("nobody-is-woken-by-a-fence", "quiescence", "two_rings", OLD_ENTITY,
          "drm_sched_entity_wakeup", "drm_sched_wakeup(entity.rq.sched)", "", None, "v6_1"),
    # -- forgotten -----------------------------------------------------------------------------
    Fault("off-the-list-and-forgotten", "leftover", "late", MAIN, "drm_sched_job_timedout",
          "drm_sched_job_reinsert_on_false_timeout(sched, job)"),
    # -- ended ---------------------------------------------------------------------------------
    Fault("callback-survives-its-entity", "ended", "kill_waiting", ENTITY,
          "drm_sched_entity_fini", "dma_fence_remove_callback(entity.dependency, entity.cb)"),
    # -- containers ----------------------------------------------------------------------------
    Fault("first-is-enough", "containers", "array", ARRAY, "dma_fence_array_cb_func",
          "if atomic_dec_and_test(array.num_pending):\n    irq_work_queue(array.work)\n"
          "else:\n    dma_fence_put(array.base)", "irq_work_queue(array.work)"),
    Fault("error-from-nowhere", "containers", "array", ARRAY,
          "dma_fence_array_set_pending_error",
          "cmpxchg(array.base, 'error', PENDING_ERROR, error)",
          "cmpxchg(array.base, 'error', PENDING_ERROR, error - 1)"),
    Fault("chain-does-not-go-on", "containers", "links", CHAIN, "dma_fence_chain_irq_work",
          "if not dma_fence_chain_enable_signaling(chain.base):\n"
          "    dma_fence_signal(chain.base)", "dma_fence_signal(chain.base)"),
    # -- locks ---------------------------------------------------------------------------------
    Fault("freed-in-the-callback", "locks", "burst", MAIN, "drm_sched_job_done",
          "drm_sched_fence_finished(s_fence, result)",
          "drm_sched_fence_finished(s_fence, result)\n"
          "spin_lock(s_fence.lock)\n"
          "spin_lock(sched.job_list_lock)\n"
          "list_del_init(s_job.list)\n"
          "spin_unlock(sched.job_list_lock)\n"
          "sched.ops.free_job(s_job)\n"
          "spin_unlock(s_fence.lock)"),
]  # fmt: skip


def play(scene: str, scheduler: str, seed: int) -> list[str]:
    """Play a scene; returns the headlines, or what it is ended by if no oracle said anything."""
    strategy = RoundRobin(seed, 12)
    params = {"scheduler": scheduler}
    kernel = None
    try:
        with kport.boot("virt", strategy=strategy, check="oracles", params=params) as kernel:
            getattr(scenes, scene)()
    except (kport.KernelOops, AssertionError, LookupError) as error:
        failed = [str(error).splitlines()[0]]
    else:
        failed = []
    assert kernel is not None
    return [report.headline for report in kernel.reports()] + failed


@pytest.fixture(autouse=True)
def loaded():
    """The schedulers are there before a kernel is told which one."""
    for name in SCHEDULERS:
        package(name)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_planted_fault_is_caught(fault):
    function = getattr(importlib.import_module(fault.module), fault.function)
    edit = Edit(function, fault.before, fault.after, fault.which)
    seen: list[str] = []
    with applied(edit):
        for seed in range(SEEDS):
            seen = play(fault.scene, fault.scheduler, seed)
            if any(line.startswith(f"BUG: oracle {fault.oracle}:") for line in seen):
                return
    pytest.fail(f"oracle {fault.oracle} says nothing of {edit.diff()}: {seen}")


CLEAN = [
    *((scheduler, scene.__name__) for scheduler in SCHEDULERS for scene in scenes.SCENES),
    *((scheduler, "pause") for scheduler in ("v7_2", "v3_2023")),
    *((scheduler, "late") for scheduler in ("v7_2", "v6_1")),
    ("v7_2", "kill_waiting"),
    ("v6_1", "reset_and_kill"),
]
# The one of 2023 hangs there as it is: see test_what_the_scheduler_of_2023_does_wrong.
CLEAN.remove(("v3_2023", "blocked_head"))


@pytest.mark.parametrize(("scheduler", "scene"), CLEAN)
def test_a_clean_scene_has_no_report(scheduler, scene):
    for seed in range(5):
        assert play(scene, scheduler, seed) == []


def test_what_the_scheduler_of_2023_does_wrong_is_known():
    params = {"scheduler": "v3_2023"}
    with pytest.raises(kport.KernelOops, match="deadlock"):
        with kport.boot("virt", check="oracles", params=params) as kernel:
            scenes.blocked_head()
    (report,) = kernel.reports()
    assert report.headline == "BUG: oracle quiescence: a wake-up was lost"
    assert " known:    blocked-job-ends-the-item: " in report.text


def test_a_job_of_6_1_that_is_killed_does_not_wait_for_what_it_waited_for_before():
    """sched_entity.c:281-314 (6.1.192): the dependency that was asked for is dropped, not kept."""
    params = {"scheduler": "v6_1"}
    with kport.boot("virt", check="oracles", params=params) as kernel:
        scenes.kill_waiting()
    (report,) = kernel.reports()
    assert report.headline == "BUG: oracle dependencies: a job did not wait for what it depends on"
    assert " was:      77:1 has not signalled" in report.text
    assert " known:    kill-drops-dependency: " in report.text
