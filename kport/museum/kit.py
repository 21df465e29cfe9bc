# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a scenario is written with: the smallest driver that a scheduler can have.

    def scenario(kernel):
        rig = Rig()
        ring = rig.ring()
        first, second = rig.entity(ring), rig.entity(ring)
        a = rig.job(first)
        b = rig.job(second, after=[a.finished])      # armed at once: its fences exist
        rig.task("submit", lambda: rig.push(a, b))
        rig.close()                                  # waits for all, takes everything down

The same text runs on every scheduler (module parameter `scheduler`). What a job does on the
hardware is a function of the job: `null` has nothing for it, `signalled` is over when run_job()
returns, and `manual` runs until `rig.end(job)`. There is no thread and no lock here that the
scenario does not ask for, so that an execution has few points.

Entities are freed last, when their rings are gone: freed at once, as drivers do, some of them
would show what a baseline gets wrong there besides. A scenario that wants that calls `free()`.

`close()` waits for the finished fence of each job that was pushed: whoever loses a wake-up is found
as a deadlock of the machine, with the report that says who waits for what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kport.arch.asm import smp_store_release, xchg
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_init,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_test_signaled_flag,
    dma_fence_wait,
)
from kport.drivers import compat
from kport.linux.completion import (
    DECLARE_COMPLETION_ONSTACK,
    complete_all,
    completion,
    wait_for_completion,
)
from kport.linux.delay import msleep
from kport.linux.device import device
from kport.linux.kthread import kthread_run
from kport.linux.list import list_add, list_for_each_entry
from kport.linux.rcupdate import kfree_rcu
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock, spin_unlock, spinlock_t
from kport.linux.struct import struct
from kport.linux.wait import wake_up_interruptible

hw_ops = dma_fence_ops(
    get_driver_name=lambda f: "museum",
    get_timeline_name=lambda f: "hw",
    release=lambda f: kfree_rcu(f, "rcu"),
)


class engine(struct):
    """What the hardware has of a job: a reference to its fence, until it is done."""

    fence: Any


class Job:
    """A job of a scenario, with references of its own to the two fences of the scheduler.

    `hw` is the driver's reference to the hardware fence, `engine` has the hardware's.
    """

    def __init__(self, rig: Rig, base: Any, run: Callable[[Job], Any], number: int) -> None:
        self.rig = rig
        self.base = base
        self.run = run
        self.number = number
        self.hw: Any = None
        self.engine = engine()
        self.finished: Any = None
        self.scheduled: Any = None
        self.pushed = False
        self.frees = 0

    def __repr__(self) -> str:
        return f"<job {self.number}>"


def null(job: Job) -> Any:
    """Nothing for the hardware to do: run_job() returns NULL."""
    return None


class Rig:
    """Rings, entities, jobs and tasks of one scenario; `run` is what jobs do unless told otherwise.

    `lock` is what all hardware fences share, None for a lock of their own. Before a ring is made
    `prepare` may give the driver something to wait for, and `cancel` a cancel_job() (7.2 only).
    """

    def __init__(
        self, run: Callable[[Job], Any] | None = None, lock: spinlock_t | None = None
    ) -> None:
        scheduler = compat.package(compat.scheduler)
        self.name = compat.scheduler
        self.new = hasattr(scheduler, "sched_rq")
        self.main: Any = scheduler.sched_main
        self.entities: Any = scheduler.sched_entity
        self.fences: Any = scheduler.sched_fence
        self.api: Any = scheduler.gpu_scheduler
        self.run = run or self.signalled
        self.lock = lock
        self.context = dma_fence_context_alloc(1)
        self.dev = device()
        self.dev.driver, self.dev.name = "museum", "card0"
        self.jobs: list[Job] = []
        self.timeout: Callable[[Job], int] = self.not_hung
        self.prepare: Callable[[Job], Any] | None = None
        self.cancel = False
        self._seqno = 0
        self._rings: list[Any] = []
        self._made: list[Any] = []
        self._ended: list[Any] = []
        self._tasks: list[completion] = []
        self._by_base: dict[int, Job] = {}

    # -- the hardware ------------------------------------------------------------------------------

    def fence(self, context: int | None = None) -> dma_fence:
        """A fence of the hardware, with one reference; of its own `context` if one is given."""
        made: Any = kzalloc_obj(dma_fence)
        self._seqno += 1
        dma_fence_init(made, hw_ops, self.lock, context or self.context, self._seqno)
        fence: dma_fence = made
        return fence

    def manual(self, job: Job) -> Any:
        """Runs until `end()`."""
        job.hw = self.fence()
        smp_store_release(job.engine, "fence", dma_fence_get(job.hw))
        return dma_fence_get(job.hw)

    def signalled(self, job: Job) -> Any:
        """Is over when run_job() returns."""
        job.hw = self.fence()
        dma_fence_signal(job.hw)
        return dma_fence_get(job.hw)

    def end(self, *jobs: Job) -> None:
        """The hardware is done with jobs that run; once for each."""
        for job in jobs:
            fence = xchg(job.engine, "fence", None)
            if fence is not None:
                dma_fence_signal(fence)
                dma_fence_put(fence)

    # -- callbacks ---------------------------------------------------------------------------------

    def _job(self, base: Any) -> Job:
        job = self._by_base.get(id(base))
        if job is None:  # do not say id(base): reports are the same in each process
            raise RuntimeError("the driver is called for a job that it has freed")
        return job

    def _run_job(self, base: Any) -> Any:
        job = self._job(base)
        return job.run(job)

    def _timedout_job(self, base: Any) -> int:
        return self.timeout(self._job(base))

    def not_hung(self, job: Job) -> int:
        """The answer to a timeout: it only took long, put it back."""
        if self.new:
            return int(self.api.DRM_GPU_SCHED_STAT_NO_HANG)
        sched = job.base.sched
        spin_lock(sched.job_list_lock)
        list_add(job.base.list, sched.pending_list)
        spin_unlock(sched.job_list_lock)
        if hasattr(sched, "wake_up_worker"):
            wake_up_interruptible(sched.wake_up_worker)
        else:
            self.main.drm_sched_submit_queue(sched)
        return int(self.api.DRM_GPU_SCHED_STAT_NOMINAL)

    def restart(self, *rings: Any) -> None:
        """Start rings that drm_sched_stop() has stopped."""
        for sched in rings:
            self.main.drm_sched_start(sched, 0 if self.new else True)

    def reset(self, job: Job) -> int:
        """The answer to a timeout that resets the ring, which ends the job."""
        sched = job.base.sched
        self.main.drm_sched_stop(sched, job.base)
        self.end(job)
        self.restart(sched)
        api = self.api
        name = "DRM_GPU_SCHED_STAT_RESET" if self.new else "DRM_GPU_SCHED_STAT_NOMINAL"
        return int(getattr(api, name))

    def _prepare_job(self, base: Any, entity: Any) -> Any:
        assert self.prepare is not None
        return self.prepare(self._job(base))

    def free_job(self, base: Any) -> None:
        """The job is over: free it."""
        job = self._job(base)
        del self._by_base[id(base)]
        self.main.drm_sched_job_cleanup(base)
        if job.hw is not None:
            dma_fence_put(job.hw)
        kfree(base)
        job.frees += 1  # last: settle() waits for it

    def _ops(self) -> Any:
        more: dict[str, Any] = {}
        if self.prepare:
            more["prepare_job" if self.new else "dependency"] = self._prepare_job
        if self.cancel:
            more["cancel_job"] = self._cancel_job
        return self.api.drm_sched_backend_ops(
            run_job=self._run_job,
            timedout_job=self._timedout_job,
            free_job=self.free_job,
            **more,
        )

    def _cancel_job(self, base: Any) -> None:
        self.end(self._job(base))

    # -- making ------------------------------------------------------------------------------------

    def ring(self, name: str = "ring0", limit: int = 2, timeout: int | None = None) -> Any:
        """A running scheduler with `limit` credits; `timeout` in ticks, none by default."""
        sched = kzalloc_obj(self.api.drm_gpu_scheduler)
        args = {"num_rqs": self.api.DRM_SCHED_PRIORITY_COUNT} if self.new else {}
        init = self.api.drm_sched_init_args(
            ops=self._ops(),
            credit_limit=limit,
            timeout=MAX_SCHEDULE_TIMEOUT if timeout is None else timeout,
            name=name,
            dev=self.dev,
            **args,
        )
        assert self.main.drm_sched_init(sched, init) == 0
        self._rings.append(sched)
        return sched

    def entity(self, *rings: Any) -> Any:
        """An entity that may run on these rings."""
        entity = kzalloc_obj(self.api.drm_sched_entity)
        priority = self.api.DRM_SCHED_PRIORITY_NORMAL
        init = self.entities.drm_sched_entity_init
        assert init(entity, priority, list(rings), len(rings), None) == 0
        self._made.append(entity)
        return entity

    def job(
        self,
        entity: Any,
        after: Sequence[Any] = (),
        run: Callable[[Job], Any] | None = None,
        arm: bool = True,
    ) -> Job:
        """A job that depends on the fences `after`; armed unless told otherwise."""
        base = kzalloc_obj(self.api.drm_sched_job)
        args = (1, self, 0) if self.new else (self,)
        assert self.main.drm_sched_job_init(base, entity, *args) == 0
        job = Job(self, base, run or self.run, len(self.jobs))
        self.jobs.append(job)
        self._by_base[id(base)] = job
        for fence in after:
            assert self.main.drm_sched_job_add_dependency(base, dma_fence_get(fence)) == 0
        if arm:
            self.arm(job)
        return job

    def arm(self, job: Job) -> None:
        """Give the job its fences and its place in the order."""
        self.main.drm_sched_job_arm(job.base)
        job.finished = dma_fence_get(job.base.s_fence.finished)
        job.scheduled = dma_fence_get(job.base.s_fence.scheduled)

    def push(self, *jobs: Job) -> None:
        """Hand armed jobs to their entities."""
        for job in jobs:
            job.pushed = True
            self.entities.drm_sched_entity_push_job(job.base)

    def submit(self, entity: Any, **how: Any) -> Job:
        """A job, armed and pushed."""
        job = self.job(entity, **how)
        self.push(job)
        return job

    def task(self, name: str, *functions: Callable[[], Any]) -> completion:
        """A thread that runs the functions in turn; `close()` waits for it, if nobody else has."""
        over = DECLARE_COMPLETION_ONSTACK()

        def body(_: Any) -> int:
            for function in functions:
                function()
            complete_all(over)
            return 0

        kthread_run(body, None, name)
        self._tasks.append(over)
        return over

    # -- the end -----------------------------------------------------------------------------------

    def pending(self, sched: Any) -> list[Job]:
        """The jobs on the hardware, oldest first."""
        jobs = list_for_each_entry(sched.pending_list, self.api.drm_sched_job, "list")
        return [self._job(base) for base in jobs]

    def wait(self, *jobs: Job) -> None:
        """Until the finished fences of the jobs have signalled."""
        for job in jobs:
            dma_fence_wait(job.finished, False)

    def wait_scheduled(self, *jobs: Job) -> None:
        """Until the jobs have been handed to the hardware."""
        for job in jobs:
            dma_fence_wait(job.scheduled, False)

    def join(self) -> None:
        """Until the tasks that were started are over."""
        for over in self._tasks:
            wait_for_completion(over)
        self._tasks.clear()

    def kill(self, entity: Any) -> None:
        """End an entity with what it has queued; it is freed when the rings are gone."""
        self.entities.drm_sched_entity_fini(entity)
        self._made.remove(entity)
        self._ended.append(entity)

    def destroy(self, entity: Any) -> None:
        """Flush an entity and end it; it is freed when the rings are gone."""
        self.entities.drm_sched_entity_flush(entity, MAX_SCHEDULE_TIMEOUT)
        self.kill(entity)

    def free(self, entity: Any) -> None:
        """Free an entity that has been ended, now."""
        self._ended.remove(entity)
        kfree(entity)

    def forget(self, sched: Any) -> None:
        """Free a ring that the scenario has taken down itself."""
        self._rings.remove(sched)
        kfree(sched)

    def stop(self, sched: Any) -> None:
        """End a ring whose entities are gone, and free it."""
        if self.new:
            # The work that frees a job may queue work behind the first stop.
            self.main.drm_sched_wqueue_stop(sched)
        self.main.drm_sched_fini(sched)
        self.forget(sched)

    def close(self) -> None:
        """Wait for tasks and jobs, take entities and rings down, drop the references."""
        self.join()
        self.wait(*(job for job in self.jobs if job.pushed))
        for entity in list(self._made):
            self.destroy(entity)
        for sched in list(self._rings):
            self.settle()
            self.stop(sched)
        for entity in list(self._ended):
            self.free(entity)
        for job in list(self.jobs):
            self.drop(job)

    def note_early_end(self, job: Job, fence: dma_fence) -> list[dma_fence]:
        """A list that is empty unless the job finishes before `fence` has signalled."""
        early: list[dma_fence] = []

        def finished(f: dma_fence, cb: dma_fence_cb) -> None:
            if not dma_fence_test_signaled_flag(fence):
                early.append(f)

        assert dma_fence_add_callback(job.finished, dma_fence_cb(), finished) == 0
        return early

    def drop(self, job: Job) -> None:
        """The scenario's references to a job that has ended; `close()` knows no more of it."""
        self.jobs.remove(job)
        for fence in (job.engine.fence, job.finished, job.scheduled):
            dma_fence_put(fence)

    def settle(self) -> None:
        """Until what has finished is freed: a scheduler that ends before that leaks it."""
        for _ in range(100):
            if all(job.frees or not job.pushed for job in self.jobs):
                return
            msleep(1)
