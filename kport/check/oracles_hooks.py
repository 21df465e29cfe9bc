# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The hooks of the facility `oracles`, and which function of which scheduler gets which.

They are functions of this module: a kernel that boots with them a second time is linked at once.
What they note and what they find is told in `oracles_watch`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.asm import current_thread_info
from kport.arch.hook import HOOK, Hook
from kport.check import oracles
from kport.check import oracles_era as era
from kport.check.oracles_jobs import (
    begins,
    finishes,
    frees,
    is_done,
    leaves,
    number,
    prepared,
    pushes,
    runs,
    schedules,
    was_done,
    was_pushed,
    wears_off,
)
from kport.check.oracles_known import known
from kport.check.oracles_model import Entity, Now, Scheduler
from kport.check.oracles_report import report
from kport.dma_buf import dma_fence as fences
from kport.dma_buf import dma_fence_array, dma_fence_chain
from kport.linux import kthread
from kport.linux.field import raw_get as raw
from kport.linux.field import raw_set

# -- the driver's callbacks ----------------------------------------------------------------------

_CALLBACKS = """
def run_job(ops, before):
    def run_job(job):
        before(job)
        return ops.run_job(job)
    return run_job

def free_job(ops, before):
    def free_job(job):
        before(job)
        return ops.free_job(job)
    return free_job

def prepare_job(ops, after):
    def prepare_job(job, entity):
        fence = ops.prepare_job(job, entity)
        after(fence, job)
        return fence
    return prepare_job

def dependency(ops, after):
    def dependency(job, entity):
        fence = ops.dependency(job, entity)
        after(fence, job)
        return fence
    return dependency
"""
_callbacks: dict[str, Any] = {}
exec(compile(_CALLBACKS, HOOK, "exec"), _callbacks)
_SEEN = {"run_job": runs, "free_job": frees, "prepare_job": prepared, "dependency": prepared}


def watched(ops: Any) -> Any:
    """A table of callbacks that calls those of `ops`, as they are then, and takes notes."""
    made = type(ops)()
    for name in type(ops)._fields:
        given = getattr(ops, name)
        if given is not None and name in _SEEN:
            given = _callbacks[name](ops, _SEEN[name])
        setattr(made, name, given)
    return made


# -- schedulers ----------------------------------------------------------------------------------


def _init(ret: int, sched: Any, args: Any) -> None:
    model = Now.model
    if ret or model is None:
        return
    notes = model.schedulers.get(sched)
    if notes is None or notes.gone or notes.partial:
        model.schedulers[sched] = Scheduler(sched, partial=False)
    if raw(sched, "ops") is not None:
        raw_set(sched, "ops", watched(raw(sched, "ops")))


def _notes(sched: Any) -> Scheduler | None:
    return None if Now.model is None else Now.model.scheduler(sched)


def _fini(result: None, sched: Any) -> None:
    if (notes := _notes(sched)) is not None:
        notes.gone = True
        notes.stopped = notes.held = False


def _fini_begins(sched: Any) -> None:
    """From here on it is stopped; what is on the hardware is cancelled or leaks."""
    _stopping(sched)
    if (notes := _notes(sched)) is not None:
        notes.detached = True


def _stopping(sched: Any) -> None:
    """What has finished by now is freed or is about to be, if nothing is half done.

    While the lock is held no job can end. The thread of 6.1 looks asleep when it is about to
    sleep, so nothing is said of that.
    """
    notes = _notes(sched)
    if notes is None or notes.era == "v6_1" or Now.model is None:
        return
    with Now.model.lock:
        quiet = not (notes.busy or notes.stopped or notes.gone)
        found = oracles.unfreed(sched) if quiet else []
    for violation in found:
        report(*violation)


def _times_out(work: Any) -> None:
    sched = work._container._container
    _busy(sched, 1)
    first = next(iter(era.pending(sched)), None)
    if first is not None and Now.model is not None and (job := Now.model.jobs.get(first)):
        job.timed_out = True


def _timed_out(result: None, work: Any) -> None:
    _busy(work._container._container, -1)


def _busy(sched: Any, more: int) -> Scheduler | None:
    """One operation more, or less, is half done."""
    notes = _notes(sched)
    if notes is not None and Now.model is not None:
        with Now.model.lock:
            notes.busy += more
    return notes


def _stopped(result: None, sched: Any) -> None:
    if (notes := _notes(sched)) is not None:
        notes.stopped = True


def _started(sched: Any) -> None:
    if (notes := _notes(sched)) is not None:
        notes.stopped = False


def _of_thread(task: Any) -> Scheduler | None:
    for notes in list(Now.model.schedulers.values()) if Now.model is not None else ():
        if not notes.gone and notes.era == "v6_1" and raw(notes.sched, "thread") is task:
            return notes
    return None


def _parked(result: int, task: Any) -> None:
    if (notes := _of_thread(task)) is not None and not result:
        notes.stopped = True


def _unparked(task: Any) -> None:
    if (notes := _of_thread(task)) is not None:
        notes.stopped = False


def _detach(sched: Any, *_: Any) -> None:
    if (notes := _notes(sched)) is not None:
        notes.detached = True


def _detached(result: None, sched: Any, *_: Any) -> None:
    if (notes := _notes(sched)) is not None:
        notes.held = True


def _attaches(sched: Any, *_: Any) -> None:
    if (notes := _notes(sched)) is not None:
        notes.held = False


def _attach(result: None, sched: Any, *_: Any) -> None:
    if (notes := _notes(sched)) is not None:
        notes.detached = False


def _works(sched: Any, what: str) -> Scheduler | None:
    notes = _notes(sched)
    if notes is not None and notes.gone:
        argument = known("work-behind-fini", notes.era) if what == "work_run_job" else ""
        report("ended", str(notes), "taken down", f"its {what} runs", argument)
    return notes


def _run_work(work: Any) -> None:
    if (notes := _works(work._container, "work_run_job")) is not None:
        notes.runner = current_thread_info()


def _run_work_over(result: None, work: Any) -> None:
    if (notes := _notes(work._container)) is not None:
        notes.runner = None


def _free_work(work: Any) -> None:
    if (notes := _works(work._container, "work_free_job")) is not None:
        notes.freer = current_thread_info()


def _free_work_over(result: None, work: Any) -> None:
    if (notes := _notes(work._container)) is not None:
        notes.freer = None


def _submit_work(work: Any) -> None:
    if (notes := _works(work._container, "work_submit")) is not None:
        notes.runner = notes.freer = current_thread_info()


def _submit_work_over(result: None, work: Any) -> None:
    if (notes := _notes(work._container)) is not None:
        notes.runner = notes.freer = None


# -- entities ------------------------------------------------------------------------------------


def _entity_init(ret: int, entity: Any, *_: Any) -> None:
    if not ret and Now.model is not None:
        Now.model.entities[entity] = Entity(entity)


def _entity_fini(result: None, entity: Any) -> None:
    model = Now.model
    if model is not None and (notes := model.entities.get(entity)) is not None:
        with model.lock:
            notes.ended = notes.killed = True
            model.ended(notes)


def _entity_killed(result: None, entity: Any) -> None:
    model = Now.model
    if model is not None and (notes := model.entities.get(entity)) is not None:
        notes.killed = bool(raw(entity, "stopped"))


def _entity_kills(entity: Any) -> None:
    """Before 7.2: what its jobs depended on and is not in their lists any more was asked for."""
    model = Now.model
    if model is None or (notes := model.entities.get(entity)) is None:
        return
    notes.killed = True
    node = raw(entity.job_queue.head, "next")
    while node is not None:
        if (job := model.jobs.get(node._container)) is not None:
            left = list(raw(job.job.dependencies, "entries").values())
            job.asked = [fence for fence in list(job.waits) if fence not in left]
        node = raw(node, "next")


def _used(entity: Any, how: str) -> None:
    model = Now.model
    if model is None or (notes := model.entities.get(entity)) is None or not notes.ended:
        return
    scheduler = type(entity).__module__.split(".")[3]
    argument = known("tree-after-kill", scheduler) if notes.replanted else ""
    report("ended", str(notes), "ended by drm_sched_entity_fini()", how, argument)


def _pops(entity: Any) -> None:
    _used(entity, "a job is taken from it")


def _wakes(fence: Any, cb: Any) -> None:
    _used(cb._container, "its dependency's callback is called")


def _listing(rq: Any, *_: Any) -> None:
    _busy(raw(rq, "sched"), 1)


def _listed(result: Any, rq: Any, entity: Any) -> None:
    notes, model = _notes(raw(rq, "sched")), Now.model
    if notes is None or model is None:
        return
    with model.lock:  # who counts meanwhile sees both, or neither
        if era.is_listed(entity.list):
            notes.listed[entity] = None
        else:
            notes.listed.pop(entity, None)
        notes.busy -= 1


def _listing_7_2(entity: Any, ts: int) -> None:
    _listing(raw(entity, "rq"))


def _listed_7_2(result: Any, entity: Any, ts: int) -> None:
    _listed(result, raw(entity, "rq"), entity)


def _put_in_tree(result: None, entity: Any, *_: Any) -> None:
    wrong = era.misplaced(entity)
    if wrong and Now.model is not None:
        notes = Now.model.entity(entity)
        after_kill = wrong in ("stopped", "on no list") and bool(raw(entity, "stopped"))
        notes.replanted = notes.replanted or after_kill
        argument = known("tree-after-kill", "v7_2") if after_kill else ""
        report("tree", str(notes), "not put in the tree", wrong, argument)


# -- fences --------------------------------------------------------------------------------------


def _signals(fence: Any, timestamp: int) -> None:
    """A fence is about to signal, unless it has; its lock is held."""
    model = Now.model
    if model is None or fence.flags.cells[fences.DMA_FENCE_FLAG_SIGNALED_BIT]:
        return
    ops = raw(fence, "ops")
    if ops is dma_fence_array.dma_fence_array_ops:
        _array_signals(fence._container)
    elif ops is dma_fence_chain.dma_fence_chain_ops:
        _chain_signals(fence._container)
    if fence in model.fences:
        finishes(fence)


def _signaled(result: None, fence: Any, timestamp: int) -> None:
    """A fence has signalled. Who pushed a job behind it meanwhile may have seen it unsignalled."""
    model = Now.model
    if model is not None and (fence in model.waiting or fence in model.fences):
        with model.lock:
            model.signal(fence)


def _array_signals(array: Any) -> None:
    """All members have signalled, or one where one is enough; the error is one of theirs."""
    members = [fence for fence in raw(array, "fences") or () if fence is not None]
    over = [fence for fence in members if era.signaled(fence)]
    if array.num_pending.counter > 0 and array.num_pending.counter > len(over):
        report("containers", f"array {number(array.base)}", "all its fences signalled",
            f"{len(over)} of {len(members)}")  # fmt: skip
    errors = {raw(fence, "error") for fence in over} - {0}
    error = raw(array.base, "error")
    if error and error not in errors:
        text = f"{error}, and theirs are {sorted(errors)}"
        report("containers", f"array {number(array.base)}", "the error of one of its fences", text)


def _chain_signals(chain: Any) -> None:
    """The fence in the link has signalled, and all before it."""
    link = chain
    for _ in range(era.STEPS):
        fence = raw(link, "fence")
        if fence is not None and not era.signaled(fence):
            report("containers", f"chain {number(chain.base)}", "every fence of it signalled",
                f"{number(fence)} has not signalled")  # fmt: skip
            return
        prev = raw(link, "prev")
        if prev is None or era.signaled(prev):
            return
        if raw(prev, "ops") is not dma_fence_chain.dma_fence_chain_ops:
            report("containers", f"chain {number(chain.base)}", "every fence of it signalled",
                f"{number(prev)} has not signalled")  # fmt: skip
            return
        link = prev._container


# -- at rest -------------------------------------------------------------------------------------


def report_at_rest(violation: oracles.Violation) -> None:
    """Report what an oracle for schedulers at rest has found."""
    argument = ""
    if violation.oracle == "quiescence" and Now.model is not None:
        eras = {notes.era for notes in list(Now.model.schedulers.values())}
        if eras == {"v3_2023"}:
            argument = known("blocked-job-ends-the-item", "v3_2023")
    elif violation.oracle == "leftover":
        argument = _lost_by_a_timeout(violation)
    report(*violation, known=argument)


def _lost_by_a_timeout(violation: oracles.Violation) -> str:
    """Why a job before 7.2 is forgotten: it timed out, and nobody put it back."""
    for job in list(Now.model.jobs.values()) if Now.model is not None else ():
        if str(job) == violation.thing and job.timed_out:
            return known("false-timeout", job.scheduler.era)
    return ""


# -- which function gets which -------------------------------------------------------------------

FENCES: dict[str | Callable[..., Any], Hook] = {
    fences.dma_fence_signal_timestamp_locked: Hook(_signals, _signaled),
    kthread.kthread_park: Hook(None, _parked),
    kthread.kthread_unpark: Hook(_unparked),
}
_ENTITY: dict[str, Hook] = {
    "drm_sched_entity_init": Hook(None, _entity_init),
    "drm_sched_entity_fini": Hook(None, _entity_fini),
    "drm_sched_entity_push_job": Hook(pushes, was_pushed),
    "drm_sched_entity_pop_job": Hook(_pops),
    "drm_sched_entity_wakeup": Hook(_wakes),
    "drm_sched_entity_kill_jobs_work": Hook(wears_off),
}
_MAIN: dict[str, Hook] = {
    "drm_sched_init": Hook(None, _init),
    "drm_sched_fini": Hook(_fini_begins, _fini),
    "drm_sched_job_begin": Hook(begins),
    "drm_sched_job_cleanup": Hook(leaves),
    "drm_sched_stop": Hook(_detach, _detached),
    "drm_sched_start": Hook(_attaches, _attach),
    "drm_sched_job_timedout": Hook(_times_out, _timed_out),
}
_OLD_ENTITY = _ENTITY | {"drm_sched_entity_kill_jobs": Hook(_entity_kills)}
_OLD_MAIN = _MAIN | {
    "drm_sched_job_done": Hook(is_done, was_done),
    "drm_sched_rq_add_entity": Hook(_listing, _listed),
    "drm_sched_rq_remove_entity": Hook(_listing, _listed),
}
_FENCE = {"drm_sched_fence_scheduled": Hook(schedules)}
PARTS: dict[str, dict[str, dict[str, Hook]]] = {
    "v7_2": {
        "sched_entity": _ENTITY | {"drm_sched_entity_kill": Hook(None, _entity_killed)},
        "sched_fence": _FENCE,
        "sched_main": _MAIN
        | {
            "drm_sched_job_done": Hook(is_done, was_done),
            "drm_sched_wqueue_stop": Hook(_stopping, _stopped),
            "drm_sched_wqueue_start": Hook(_started),
            "drm_sched_run_job_work": Hook(_run_work, _run_work_over),
            "drm_sched_free_job_work": Hook(_free_work, _free_work_over),
        },
        "sched_rq": {
            "drm_sched_rq_add_entity": Hook(_listing_7_2, _listed_7_2),
            "drm_sched_rq_remove_entity": Hook(_listing, _listed),
            "drm_sched_rq_update_fifo_locked": Hook(None, _put_in_tree),
        },
    },
    "v6_1": {"sched_entity": _OLD_ENTITY, "sched_fence": _FENCE, "sched_main": _OLD_MAIN},
    "v3_2023": {
        "sched_entity": _OLD_ENTITY,
        "sched_main": _OLD_MAIN
        | {
            "drm_sched_submit_stop": Hook(_stopping, _stopped),
            "drm_sched_submit_start": Hook(_started),
            "drm_sched_main": Hook(_submit_work, _submit_work_over),
        },
    },
}
