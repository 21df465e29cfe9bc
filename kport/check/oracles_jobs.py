# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The life of a job as the facility `oracles` follows it: pushed, run, scheduled, done, freed.

Each function is a hook around the function of the scheduler, or around the callback of the driver,
that makes the step.
"""

from __future__ import annotations

from typing import Any

from kport.arch.api import HARDIRQ_MASK, SOFTIRQ_MASK
from kport.arch.asm import current_thread_info
from kport.check import oracles_era as era
from kport.check.oracles_known import known
from kport.check.oracles_model import Job, Now, Scheduler
from kport.check.oracles_report import report
from kport.dma_buf.dma_fence import DMA_FENCE_FLAG_USER_BITS as DRM_SCHED_FENCE_DONT_PIPELINE
from kport.linux.field import raw_get as raw


def number(fence: Any) -> str:
    """What a report calls a fence."""
    return f"{raw(fence, 'context')}:{raw(fence, 'seqno')}"


def _of(base: Any) -> Job | None:
    """The notes on a job, if these are still its."""
    return None if Now.model is None else Now.model.jobs.get(base)


def _by_worker(notes: Scheduler, worker: Any) -> bool:
    """True if the thread that runs now does the scheduler's own work, not the driver's."""
    ti = current_thread_info()
    if worker is ti:
        return True
    if notes.era != "v6_1":
        return False
    task = raw(notes.sched, "thread")
    return task is not None and raw(task, "thread") is ti


# -- pushed --------------------------------------------------------------------------------------


def pushes(base: Any) -> None:
    """drm_sched_entity_push_job() begins."""
    model = Now.model
    if model is None:
        return
    with model.lock:
        old = model.jobs.get(base)
        job = model.add(base)
        entity = job.entity
        last, entity.last_push = entity.last_push, job.seqno
        job.scheduler.live += 1
        job.scheduler.busy += 1
    if old is not None and old.s_fence is job.s_fence:
        report("once", str(job), "pushed once", "pushed again")
    if entity.ended:
        report("ended", str(entity), "ended by drm_sched_entity_fini()", "a job is pushed")
    if job.seqno <= last:
        text = f"{job.seqno} is pushed behind {last}: the driver must arm and push under one lock"
        report("order", str(entity), "its jobs are pushed in the order of their numbers", text)


def was_pushed(result: None, base: Any) -> None:
    """drm_sched_entity_push_job() ends; the job may have come to its end meanwhile."""
    job = _of(base)
    if job is not None and Now.model is not None:
        with Now.model.lock:
            job.scheduler.busy -= 1


def prepared(fence: Any, base: Any) -> None:
    """The driver's prepare_job() names one more fence to wait for."""
    job = _of(base)
    if fence and job is not None and Now.model is not None:
        with Now.model.lock:
            Now.model.wait(job, fence, "prepare")


# -- run -----------------------------------------------------------------------------------------


def runs(base: Any) -> None:
    """The driver's run_job() is called: by a worker of the scheduler, or once more by a driver."""
    job = _of(base)
    if job is None:
        return
    notes, entity = job.scheduler, job.entity
    if job.freed:
        report("ended", str(job), "freed", "run_job() is called for it")
    if not _by_worker(notes, notes.runner):
        return
    job.runs += 1
    if job.runs > 1:
        report("once", str(job), "run once", f"run {job.runs} times by the scheduler")
        return
    if notes.stopped or notes.held:
        argument = known("work-behind-stop", notes.era)
        report("stopped", str(notes), "stopped", f"it runs {job}", argument)
    if entity.killed:
        argument = known("tree-after-kill", notes.era) if entity.replanted else ""
        report("ended", str(job), "killed with its entity", "run_job() is called for it", argument)
    if job.place <= entity.last_run:
        text = f"{job} runs behind one that was pushed later"
        report("order", str(entity), "its jobs run in the order they were pushed in", text)
    entity.last_run = job.place
    for fence, kind in list(job.waits.items()):
        if kind != "kill" and not _is_ahead(job, fence):
            report("dependencies", str(job), "not run before what it depends on",
                f"{number(fence)} has not signalled")  # fmt: skip


def _is_ahead(job: Job, fence: Any) -> bool:
    """True if a job need not wait for a fence to run: it has signalled or comes before it.

    Whose fence it is must be known before one looks whether it has signalled: when it does, on
    another CPU, the note of that is thrown away.
    """
    other = Now.model.fences.get(fence) if Now.model is not None else None
    own = (job.entity.context, job.entity.context + 1)
    if era.signaled(fence) or raw(fence, "context") in own:
        return True
    if other is None or other.scheduler is not job.scheduler:
        return False
    if len(fence.flags.cells) > DRM_SCHED_FENCE_DONT_PIPELINE:
        if fence.flags.cells[DRM_SCHED_FENCE_DONT_PIPELINE]:
            return False
    return era.signaled(other.s_fence.scheduled)


def begins(base: Any) -> None:
    """drm_sched_job_begin(): the job goes to the hardware."""
    job = _of(base)
    if job is None or Now.model is None:
        return
    notes = job.scheduler
    new = notes.era == "v7_2"
    with Now.model.lock:
        job.credits = raw(base, "credits") if new else 1
        job.begun = True
        notes.running += 1
        notes.credits += job.credits
    limit = raw(notes.sched, "credit_limit" if new else "hw_submission_limit")
    if notes.credits > limit and not notes.partial:
        text = f"{notes.credits} of {limit} with {job}"
        report("credits", str(notes), "room for what is run", text)


def schedules(s_fence: Any, *_: Any) -> None:
    """drm_sched_fence_scheduled() begins."""
    model = Now.model
    if model is None or not era.signaled(s_fence.scheduled):
        return
    job = model.fences.get(s_fence.finished)
    if job is not None and not (job.killed and job.scheduler.era != "v7_2"):  # where kill does both
        report("once", str(job), "scheduled once", "its scheduled fence is signalled again")


# -- over ----------------------------------------------------------------------------------------


def is_done(base: Any, *_: Any) -> None:
    """drm_sched_job_done() begins: the job is off the hardware."""
    job = _of(base)
    if job is None or Now.model is None:
        return
    notes = job.scheduler
    with Now.model.lock:
        notes.busy += 1
        job.done += 1
        if job.done == 1:
            notes.live -= 1
            if job.begun:
                notes.running -= 1
                notes.credits -= job.credits
    if job.done > 1:
        report("once", str(job), "done once", f"done {job.done} times")
    if job.freed:
        report("ended", str(job), "freed", "drm_sched_job_done() is called for it")


def was_done(result: None, base: Any, *_: Any) -> None:
    """drm_sched_job_done() ends; if it was the last job, sums are due."""
    job = _of(base)
    if job is None or Now.model is None:
        return
    with Now.model.lock:
        job.scheduler.busy -= 1
        wrong = sums(job.scheduler)
    for oracle, expected, was in wrong:
        report(oracle, str(job.scheduler), expected, was)


def sums(notes: Scheduler) -> list[tuple[str, str, str]]:
    """What is wrong with the counts of a scheduler that has no job left; the lock is held."""
    if notes.busy or notes.live != notes.killed or notes.partial or notes.detached or notes.gone:
        return []
    found = []
    count = era.credit_count(notes.sched)
    if count:
        found.append(("credits", "0 without a job", str(count)))
    score = raw(notes.sched, "score")
    if score is notes.sched._score and score.counter != len(notes.listed) + notes.killed:
        also = f" and {notes.killed} killed jobs" if notes.killed else ""
        found.append(("score", f"{len(notes.listed)} for its entities{also}", str(score.counter)))
    return found


def finishes(fence: Any) -> None:
    """A finished fence is about to signal."""
    model = Now.model
    job = model.fences.get(fence) if model is not None else None
    if model is None or job is None:
        return
    job.finished = True
    notes = job.scheduler
    if not era.signaled(job.s_fence.scheduled):
        report("order", str(job), "scheduled before it finishes", "its scheduled fence has not "
            "signalled")  # fmt: skip
    if job.done:
        return
    if not job.killed:
        notes.partial = True  # the driver has ended it by itself, and counts by itself
        return
    with model.lock:
        notes.killed += 1
    for dependency, kind in list(job.waits.items()):
        if kind == ("prepare" if notes.era == "v7_2" else "kill"):
            continue  # as in the C: 7.2 asks prepare_job() no more, 6.1 takes scheduled for enough
        if era.signaled(dependency):
            continue
        lost = dependency in job.asked
        argument = known("kill-drops-dependency", notes.era) if lost else ""
        report("dependencies", str(job), "not finished by a kill before what it depends on",
            f"{number(dependency)} has not signalled", argument)  # fmt: skip


def wears_off(work: Any) -> None:
    """drm_sched_entity_kill_jobs_work(): a killed job comes to its end, or waits once more."""
    job = _of(work._container)
    if job is not None:
        job.killed = True


# -- freed ---------------------------------------------------------------------------------------


def frees(base: Any) -> None:
    """The driver's free_job() is called."""
    job = _of(base)
    model = Now.model
    if job is None or model is None:
        return
    notes = job.scheduler
    with model.lock:
        job.freed += 1
        if job.freed == 1:
            model.freed(job)
    if job.freed > 1:
        report("once", str(job), "freed once", f"freed {job.freed} times")
    elif not job.finished:
        report("once", str(job), "freed when it has finished", "it has not")
    if (notes.stopped or notes.held) and _by_worker(notes, notes.freer):
        argument = known("work-behind-stop", notes.era)
        report("stopped", str(notes), "stopped", f"it frees {job}", argument)
    ti = current_thread_info()
    lock = job.s_fence.lock
    if lock.owner is ti or ti.irqs_off or ti.preempt_count & (SOFTIRQ_MASK | HARDIRQ_MASK):
        where = f"{lock.name} is held" if lock.owner is ti else "in an interrupt, or with these off"
        report("locks", str(job), "freed where one may sleep", where)


def leaves(base: Any) -> None:
    """drm_sched_job_cleanup(): the driver has done with the job, whoever called it."""
    job = _of(base)
    if job is not None and job.s_fence is raw(base, "s_fence"):
        job.cleaned += 1


