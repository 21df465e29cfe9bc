# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What exploring the unmodified baselines has found: races that the kernels have as they stand.

A finding is an exhibit without edits: its scenario breaks on the port as it is, which equals the C
statement by statement. `mend` are edits after which it does not, as a proposal and as a proof that
the cause is understood; `note` is the argument from the C source. A search for more goes on with
the mends of what is known (`mends()`), or it would find these again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from kport.arch.asm import READ_ONCE, smp_mb
from kport.arch.patch import Edit
from kport.dma_buf.dma_fence import (
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_context_alloc,
    dma_fence_get_rcu,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_test_signaled_flag,
    dma_fence_wait,
)
from kport.linux.completion import (
    DECLARE_COMPLETION_ONSTACK,
    complete,
    wait_for_completion,
    wait_for_completion_timeout,
)
from kport.linux.kconfig import HZ
from kport.linux.rcupdate import rcu_read_lock, rcu_read_unlock
from kport.linux.workqueue import flush_workqueue, queue_delayed_work, queue_work
from kport.museum.barriers import parent_told
from kport.museum.exhibit import Exhibit, port
from kport.museum.kit import Job, Rig, null
from kport.museum.mock import cancel_before_the_put, freed_while_its_timer_runs

SCHEDULERS = "kport.drm.scheduler."
FREED = r"KASAN|object has no attribute|ODEBUG|refcount_t"


# -- 7.2: work queued behind a stop ----------------------------------------------------------------


def stop_while_a_job_ends(kernel: Any) -> None:
    """A ring is stopped and started just when its job ends."""
    rig = Rig()
    ring = rig.ring()
    entity = rig.entity(ring)
    job, after = rig.submit(entity, run=rig.manual), rig.submit(entity, run=rig.manual)
    rig.wait_scheduled(job, after)
    rig.task("hardware", lambda: rig.end(job), lambda: rig.end(after))
    rig.main.drm_sched_stop(ring, None)
    rig.main.drm_sched_start(ring, 0)
    rig.close()


def _look_again() -> Sequence[Edit]:
    main = port("sched_main")
    look = "\nif drm_sched_is_stopped(sched):\n    return"
    run = 'sched = container_of(w, drm_gpu_scheduler, "work_run_job")'
    free = 'sched = container_of(w, drm_gpu_scheduler, "work_free_job")'
    return (
        Edit(main.drm_sched_run_job_work, run, run + look),
        Edit(main.drm_sched_free_job_work, free, free + look),
    )


# -- 7.2: a killed entity goes back into the tree --------------------------------------------------


def kill_while_a_job_is_popped(kernel: Any) -> None:
    """An entity is killed and freed while its ring takes the first of its two jobs."""
    rig = Rig(run=null)
    ring = rig.ring()
    entity, other = rig.entity(ring), rig.entity(ring)
    a, b = rig.job(entity), rig.job(entity)
    rig.push(a, b)
    rig.kill(entity)
    rig.wait(a, b)
    rig.free(entity)
    rig.submit(other)
    rig.close()


def _not_the_killed() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_rq").drm_sched_rq_pop_entity,
            "next_job = drm_sched_entity_queue_peek(entity)",
            "next_job = None if entity.stopped else drm_sched_entity_queue_peek(entity)",
        ),
    )


# -- 7.2: an entity ends while its dependency signals ----------------------------------------------


def end_while_the_dependency_signals(kernel: Any) -> None:
    """An entity is ended and freed just when what its job waits for signals."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())
    held = rig.fence()
    job = rig.submit(entity, after=[held])
    rig.task("other", lambda: dma_fence_signal(held))
    rig.kill(entity)
    rig.free(entity)
    rig.wait(job)
    rig.close()
    dma_fence_put(held)


_HAS_DEPENDENCY = """
if entity.dependency:
    dma_fence_remove_callback(entity.dependency, entity.cb)
    dma_fence_put(entity.dependency)
    entity.dependency = None
"""
_TAKE_DEPENDENCY = """
rcu_read_lock()
dependency = READ_ONCE(entity, "dependency")
dependency = dependency and dma_fence_get_rcu(dependency)
rcu_read_unlock()
if dependency:
    if dma_fence_remove_callback(dependency, entity.cb):
        dma_fence_put(dependency)
    %s
    dma_fence_put(dependency)
    entity.dependency = None
"""
_RCU = {
    "READ_ONCE": READ_ONCE,
    "rcu_read_lock": rcu_read_lock,
    "rcu_read_unlock": rcu_read_unlock,
    "dma_fence_get_rcu": dma_fence_get_rcu,
}


def _callback_and_end() -> Sequence[Edit]:
    entity = port("sched_entity")
    return (
        Edit(
            entity.drm_sched_entity_wakeup,
            """
            entity.dependency = None
            dma_fence_put(f)
            drm_sched_wakeup(entity.rq.sched)
            """,
            """
            sched = entity.rq.sched
            WRITE_ONCE(entity, "dependency", None)
            dma_fence_put(f)
            drm_sched_wakeup(sched)
            """,
        ),
        Edit(
            entity.drm_sched_entity_fini,
            _HAS_DEPENDENCY,
            _TAKE_DEPENDENCY.replace("    %s\n", ""),
            names=_RCU,
        ),
    )


# -- 6.1 -------------------------------------------------------------------------------------------


def free_behind_the_last_job(kernel: Any) -> None:
    """An entity is destroyed and freed as soon as its only job has been taken."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())
    rig.submit(entity)
    rig.destroy(entity)
    rig.free(entity)
    rig.close()


def _wait_always() -> Sequence[Edit]:
    fini = port("sched_entity", "v6_1").drm_sched_entity_fini
    return (
        Edit(
            fini,
            "drm_sched_rq_remove_entity(entity.rq, entity)",
            """
            drm_sched_rq_remove_entity(entity.rq, entity)
            wait_for_completion(entity.entity_idle)
            """,
            names={"wait_for_completion": wait_for_completion},
        ),
        Edit(fini, "if sched:\n    wait_for_completion(entity.entity_idle)"),
    )


def end_before_the_dependency(kernel: Any) -> None:
    """An entity ends whose job has been looked at and waits for somebody else's work."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())
    held = rig.fence()
    job = rig.submit(entity, after=[held])
    early: list[Any] = []

    def finished(fence: Any, cb: Any) -> None:
        if not dma_fence_test_signaled_flag(held):
            early.append(fence)

    cb = dma_fence_cb()
    assert dma_fence_add_callback(job.finished, cb, finished) == 0
    other = rig.task("other", lambda: rig.wait(*rig.jobs[1:]), lambda: dma_fence_signal(held))
    rig.kill(entity)
    wait_for_completion(other)
    rig.close()
    dma_fence_put(held)
    assert not early, "a job finished before what it depends on"


def _wait_for_it() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_entity", "v6_1").drm_sched_entity_fini,
            _HAS_DEPENDENCY,
            _TAKE_DEPENDENCY % "dma_fence_wait(dependency, False)",
            names=_RCU | {"dma_fence_wait": dma_fence_wait},
        ),
    )


def kill_behind_a_job_that_is_over(kernel: Any) -> None:
    """An entity is killed with a queued job when the job before it has ended."""
    rig = Rig(run=null)
    entity = rig.entity(rig.ring())
    first = rig.submit(entity)
    rig.wait(first)
    held = rig.fence(dma_fence_context_alloc(1))
    rig.submit(entity, after=[held])
    dma_fence_signal(held)
    rig.kill(entity)
    rig.close()
    dma_fence_put(held)


def _put_the_last() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_entity", "v6_1").drm_sched_entity_kill_jobs,
            """
            if r == -ENOENT:
                drm_sched_entity_kill_jobs_cb(None, job.finish_cb)
            elif r:
                DRM_ERROR("fence add callback failed (%d)\\n", r)
            """,
            """
            if r == -ENOENT:
                drm_sched_entity_kill_jobs_cb(entity.last_scheduled, job.finish_cb)
            elif r:
                DRM_ERROR("fence add callback failed (%d)\\n", r)
            """,
        ),
    )


# -- 7.2: a deadline that nobody passes on ---------------------------------------------------------


def _order_the_deadline() -> Sequence[Edit]:
    fence = port("sched_fence")
    names = {"smp_mb": smp_mb}
    store = 'smp_store_release(s_fence, "parent", dma_fence_get(fence))'
    load = 'parent = smp_load_acquire(fence, "parent")'
    return (
        Edit(fence.drm_sched_fence_set_parent, store, f"{store}\nsmp_mb()", names=names),
        Edit(fence.drm_sched_fence_set_deadline_finished, load, f"smp_mb()\n{load}", names=names),
    )


# -- the item of 2023 ------------------------------------------------------------------------------


def a_job_behind_another_entity(kernel: Any) -> None:
    """The job that a ring chooses first waits for one of another entity of the same ring."""
    rig = Rig(run=null)
    ring = rig.ring()
    one, other = rig.entity(ring), rig.entity(ring)
    first = rig.job(other)
    rig.push(rig.job(one, after=[first.finished]), first)
    rig.close()


def _queue_it_again() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_main", "v3_2023").drm_sched_main,
            """
            if not cleanup_job:
                return
            raise goto("again")
            """,
            'raise goto("again")',
        ),
    )


# -- 7.2: the work of a killed job outlives the scheduler ------------------------------------------


def end_behind_a_kill(kernel: Any) -> None:
    """An entity is killed; when the fences of its jobs have signalled the ring is taken down."""
    rig = Rig()
    rig.cancel = True
    ring = rig.ring()
    entity = rig.entity(ring)
    runs, queued = rig.submit(entity, run=rig.manual), rig.submit(entity)
    rig.wait_scheduled(runs)
    rig.kill(entity)
    rig.end(runs)
    rig.wait(runs, queued)
    rig.stop(ring)
    rig.close()


def _flush_the_killed() -> Sequence[Edit]:
    stop = "drm_sched_wqueue_stop(sched)"
    return (
        Edit(
            port("sched_entity").drm_sched_entity_kill_jobs_cb,
            "schedule_work(job.work)",
            "queue_work(job.sched.submit_wq, job.work)",
            names={"queue_work": queue_work},
        ),
        Edit(
            port("sched_main").drm_sched_fini,
            stop,
            f"{stop}\nflush_workqueue(sched.submit_wq)",
            names={"flush_workqueue": flush_workqueue},
        ),
    )


# -- 7.2: a fault is forgotten ---------------------------------------------------------------------


def fault_while_a_job_begins(kernel: Any) -> None:
    """The driver reports a fault of the ring just when its next job begins."""
    rig = Rig()
    handled = DECLARE_COMPLETION_ONSTACK()

    def handle(job: Job) -> int:
        complete(handled)
        return rig.not_hung(job)

    rig.timeout = handle
    ring = rig.ring(limit=2, timeout=1000 * HZ)
    entity = rig.entity(ring)
    hangs = rig.submit(entity, run=rig.manual)
    rig.wait_scheduled(hangs)
    rig.task("driver", partial(rig.main.drm_sched_fault, ring))
    rig.submit(entity)
    rig.join()
    patience = 20  # more than the explorer lets a clock be early
    while patience and not wait_for_completion_timeout(handled, HZ):
        patience -= 1
    assert patience, "a fault waits out the whole timeout"
    rig.end(hangs)
    rig.close()


def _leave_it_alone() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_main").drm_sched_start_timeout,
            "mod_delayed_work(sched.timeout_wq, sched.work_tdr, sched.timeout)",
            "queue_delayed_work(sched.timeout_wq, sched.work_tdr, sched.timeout)",
            names={"queue_delayed_work": queue_delayed_work},
        ),
    )


FINDINGS: dict[str, Exhibit] = {
    finding.id: finding
    for finding in (
        Exhibit(
            id="F01",
            slug="work-behind-stop",
            title="work is queued behind drm_sched_wqueue_stop()",
            fix="",
            subject="",
            affected="7.2 as it stands",
            sched="v7_2",
            scenario=stop_while_a_job_ends,
            finds=FREED + r"|list_|s_fence",
            mend=_look_again,
            note="drm_sched_run_free_queue() tests pause_submit and then queues (sched_main.c:150-"
            "154). drm_sched_wqueue_stop() can set the flag and cancel both items between the two "
            "(1309-1314): the item then runs while drm_sched_stop() walks the pending list without "
            "its lock (sched_main.c:421 ff.), and frees jobs under it. Until 6.12 the items "
            "themselves looked at pause_submit; so they do in the mend.",
        ),
        Exhibit(
            id="F02",
            slug="killed-entity-in-tree",
            title="a killed entity goes back into the tree",
            fix="",
            subject="",
            affected="7.2 as it stands",
            sched="v7_2",
            scenario=kill_while_a_job_is_popped,
            finds=FREED + r"|WARNING|deadlock",
            mend=_not_the_killed,
            note="drm_sched_entity_kill() takes the entity off the run queue and waits for "
            "entity_idle (sched_entity.c:314-320). The worker that has selected the entity before "
            "pops its job meanwhile, and drm_sched_rq_pop_entity() puts the entity back for the "
            "next one without a look at entity->stopped (sched_rq.c:341-378). It stays in the tree "
            "when it is freed.",
        ),
        Exhibit(
            id="F03",
            slug="wakeup-against-fini",
            title="an entity is freed under the callback of its dependency",
            fix="",
            subject="",
            affected="7.2 as it stands",
            sched="v7_2",
            scenario=end_while_the_dependency_signals,
            finds=FREED + r"|WARNING",
            mend=_callback_and_end,
            note="drm_sched_entity_wakeup() clears entity->dependency and then reads entity->rq->"
            "sched (sched_entity.c:443-452). drm_sched_entity_fini() takes a NULL there for \"no "
            "callback\" (413-417) and lets the caller free the entity. If it sees the fence, it "
            "reads the pointer three times, and drops a reference that the callback drops as well.",
        ),
        Exhibit(
            id="F04",
            slug="idle-of-a-freed-entity",
            title="the scheduler completes an entity that is gone",
            fix="2fdb8a8f07c2",
            subject="drm/scheduler: rework entity flush, kill and fini",
            affected="6.1 as it stands",
            sched="v6_1",
            scenario=free_behind_the_last_job,
            finds=FREED,
            mend=_wait_always,
            note="drm_sched_entity_fini() waits for entity_idle only if jobs are queued "
            "(sched_entity.c:293-301). The thread that has just taken the last one calls "
            "complete() on it after run_job() (sched_main.c:966). 6.2 waits always.",
        ),
        Exhibit(
            id="F05",
            slug="kill-drops-dependency",
            title="a killed job does not wait for the dependency at its head",
            fix="",
            subject="",
            affected="6.1 as it stands",
            sched="v6_1",
            scenario=end_before_the_dependency,
            finds=r"finished before what it depends on",
            mend=_wait_for_it,
            note="A dependency that the thread waits for has left job->dependencies "
            "(sched_entity.c:223). drm_sched_entity_fini() removes the callback and drops it "
            "(302-307); drm_sched_entity_kill_jobs() waits for the others only. 7.2 keeps it in "
            "the array until the job runs.",
        ),
        Exhibit(
            id="F06",
            slug="kill-keeps-last-scheduled",
            title="a kill keeps a reference to the job before",
            fix="",
            subject="",
            affected="6.1 as it stands",
            sched="v6_1",
            scenario=kill_behind_a_job_that_is_over,
            finds=r"leak|still has objects",
            mend=_put_the_last,
            note="drm_sched_entity_kill_jobs() takes a reference on last_scheduled for the "
            "callback (sched_entity.c:259); if the fence has signalled it calls the callback with "
            "NULL (263-264), and nobody drops it.",
        ),
        Exhibit(
            id="F07",
            slug="deadline-lost",
            title="a deadline is passed on by nobody",
            fix="",
            subject="",
            affected="7.2 as it stands",
            sched="v7_2",
            scenario=parent_told,
            finds=r"never reached its hardware fence",
            memory="tso",
            mend=_order_the_deadline,
            note="drm_sched_fence_set_parent() stores the parent and then tests whether there is a "
            "deadline (sched_fence.c:51-63); drm_sched_fence_set_deadline_finished() notes the "
            "deadline and then loads the parent (152-181). A release and an acquire do not order a "
            "store before a later load, on x86 neither: both can miss the other. The next job's "
            "deadline is not affected; this one's is only a hint to the clock of the GPU.",
        ),
        Exhibit(
            id="F08",
            slug="timer-cancels-itself",
            title="the mock GPU's timer waits for itself (KUnit)",
            fix="",
            subject="",
            affected="7.2 as it stands",
            sched="v7_2",
            scenario=freed_while_its_timer_runs,
            finds=r"soft lockup(?s:.*)drm_mock_sched_hw_fence_release",
            mend=cancel_before_the_put,
            note="drm_mock_sched_hw_fence_release() cancels the job's timer and waits for its "
            "handler (tests/mock_scheduler.c:150-158), and it can be called by that handler, which "
            "signals the fence (93-94). drm_sched_job_done() there holds a reference to the "
            "finished fence around its signal (sched_main.c:173-175). When it has signalled, "
            "drm_sched_free_job_work(), still at the job before, frees this one, too (1006-1013): "
            "it drops the job's references to the hardware fence (mock_scheduler.c:248) and to the "
            "finished one (drm_sched_job_cleanup()), and last_scheduled has moved on "
            "(sched_entity.c:558). The handler's is the last, the finished fence takes its parent "
            "along (sched_fence.c:130-150), and hrtimer_cancel() spins in the interrupt for ever "
            "(kernel/time/hrtimer.c:1752-1763). It can hang drm_sched_basic_modify_sched_tests on "
            "two CPUs. The mend cancels the timer in the callbacks that free the job, where one "
            "may wait.",
        ),
        Exhibit(
            id="F09",
            slug="killed-job-behind-fini",
            title="a killed job is freed through a scheduler that is gone",
            fix="",
            subject="",
            affected="7.2 as it stands",
            sched="v7_2",
            scenario=end_behind_a_kill,
            finds=FREED,
            points="plain",
            mend=_flush_the_killed,
            note="A killed job ends in a work item of the system's queue (sched_entity.c:293-294). "
            "It signals the finished fence and then loads job->sched->ops to free the job (278-"
            "281). Nothing waits for it: drm_sched_entity_fini() does not, and drm_sched_fini() "
            "stops the scheduler's own two items and the timeout (sched_main.c:1220-1229). A "
            "driver that has seen all fences signal and takes the scheduler down frees it under "
            "the item; one that waits for its free_job() calls, as nouveau does, is safe. 6.1 "
            "reads the same (sched_entity.c:195-215). The mend queues the item on the scheduler's "
            "own queue and flushes that in drm_sched_fini().",
        ),
        Exhibit(
            id="F10",
            slug="blocked-job-ends-the-item",
            title="a job that has to wait keeps all others from the ring",
            fix="",
            subject="",
            affected="the conversion to a work item, as proposed in 2023",
            sched="v3_2023",
            scenario=a_job_behind_another_entity,
            finds=r"^BUG: deadlock",
            mend=_queue_it_again,
            note="When the job that was chosen has to wait, drm_sched_main() returns unless it has "
            "freed one, and leaves the jobs of other entities where they are: a push queues the "
            "item only with the first job of an entity, and that is lost in an item that is queued "
            "already. If what the chosen job waits for is among them, the ring stands still for "
            "ever. The thread of 6.1 goes on to the next entity (sched_main.c:952-957), 7.2 queues "
            "the item again (1044-1049); so does the mend.",
        ),
        Exhibit(
            id="F11",
            slug="fault-forgotten",
            title="a fault is forgotten when a job begins",
            fix="",
            subject="",
            affected="7.2 as it stands",
            sched="v7_2",
            scenario=fault_while_a_job_begins,
            finds=r"waits out the whole timeout",
            mend=_leave_it_alone,
            note="drm_sched_fault() queues the timeout's work with no delay (sched_main.c:237-"
            "241). A job that begins before the item runs calls drm_sched_start_timeout(), which "
            "calls mod_delayed_work() with the whole timeout (198-205, 302): that takes back an "
            "item that is queued already. The window is long where timeout_wq is ordered and busy "
            "with another ring. 6.1 calls queue_delayed_work() there (233-238), which leaves the "
            "item alone; so does the mend.",
        ),
    )
}


BUILT_ON = {"v3_2023": "v6_1"}  # the proposal has copies of the functions of 6.1


def mends(sched: str) -> list[list[Edit]]:
    """What mends all that is known of a scheduler, edits for each, to search for what is not."""
    found = []
    for finding in FINDINGS.values():
        if finding.sched in (sched, BUILT_ON.get(sched)):
            edits = [_on(sched, edit) for edit in finding.mend()]
            found.append([e for e in edits if e.function.__module__.startswith(SCHEDULERS)])
    return found


def _on(sched: str, edit: Edit) -> Edit:
    """The edit, on the copy of its function that a scheduler has."""
    package, _, module = edit.function.__module__.rpartition(".")
    if package != SCHEDULERS + BUILT_ON.get(sched, sched):
        return edit
    return replace(edit, function=getattr(port(module, sched), edit.name, edit.function))
