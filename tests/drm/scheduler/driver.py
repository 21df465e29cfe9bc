# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A tiny driver: jobs that end when the test says so, at once, or never had anything to do.

`Driver.log` is what the scheduler did: ("prepare" | "run" | "free" | "timeout" | "cancel", number
of the job). Who reads an entry sees all that was done before it was written; writers see nothing of
each other by it. A `Job` is the test's handle; the scheduler's half is gone once it was freed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_context_alloc,
    dma_fence_get,
    dma_fence_init,
    dma_fence_is_signaled,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal,
    dma_fence_test_signaled_flag,
)
from kport.linux.atomic import atomic_fetch_sub_release, atomic_read_acquire, atomic_t
from kport.linux.device import device
from kport.linux.hrtimer import (
    CLOCK_MONOTONIC,
    HRTIMER_MODE_REL,
    HRTIMER_NORESTART,
    hrtimer,
    hrtimer_setup,
    hrtimer_start,
)
from kport.linux.rcupdate import kfree_rcu
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj
from tests.support import eventually

hw_ops = dma_fence_ops(
    get_driver_name=lambda f: "test",
    get_timeline_name=lambda f: "hw",
    release=lambda f: kfree_rcu(f, "rcu"),
)


class Job:
    """A job: its fences (with references of the test's) and how it runs.

    `run(job)` returns what run_job() shall return, by default a hardware fence that `end()`
    signals; `cost` is in credits.
    """

    def __init__(self, driver: Driver, number: int, cost: int) -> None:
        self.driver = driver
        self.number = number
        self.cost = cost
        self.run: Callable[[Job], Any] = driver.run
        self.base: Any = None
        self._hw: dma_fence | None = None
        self._hands_over = atomic_t()
        self.finished: dma_fence | None = None
        self.scheduled: dma_fence | None = None
        self.timer: hrtimer | None = None
        self.freed = 0

    @property
    def hw(self) -> dma_fence | None:
        """The hardware fence: who finds it sees it initialised."""
        hw = self._hw
        atomic_read_acquire(self._hands_over)
        return hw

    @hw.setter
    def hw(self, hw: dma_fence | None) -> None:
        atomic_fetch_sub_release(1, self._hands_over)
        self._hw = hw

    def hardware_fence(self) -> dma_fence:
        """A new hardware fence, with the reference that run_job() has to return."""
        hw = kzalloc_obj(dma_fence)
        dma_fence_init(hw, hw_ops, None, self.driver.context, self.number)
        dma_fence_get(hw)
        self.hw = hw  # from here on `end()` may come
        return hw

    def end(self, error: int = 0) -> None:
        """The hardware is done with the job."""
        eventually(lambda: self.hw is not None)
        if error:
            dma_fence_set_error(self.hw, error)
        dma_fence_signal(self.hw)

    @property
    def running(self) -> bool:
        """True from run_job() until the finished fence signals."""
        return ("run", self.number) in self.driver.log and not self.done

    @property
    def done(self) -> bool:
        """True once the finished fence has signalled."""
        return self.finished is not None and bool(dma_fence_test_signaled_flag(self.finished))

    @property
    def error(self) -> int:
        """The error of the finished fence."""
        return self.finished.error

    def wait(self) -> int:
        """Wait until it is over and freed; returns its error."""
        eventually(lambda: self.done and self.freed)
        return self.error


def manual(job: Job) -> Any:
    """Runs until `job.end()`."""
    return job.hardware_fence()


def instant(job: Job) -> Any:
    """Is over when run_job() returns."""
    fence = job.hardware_fence()
    dma_fence_signal(job.hw)
    return fence


def lasting(ns: int) -> Callable[[Job], Any]:
    """Runs for so long on an engine of its own; ends with an interrupt."""

    def run(job: Job) -> Any:
        def expired(timer: hrtimer) -> int:
            dma_fence_signal(job.hw)
            return HRTIMER_NORESTART

        fence = job.hardware_fence()
        job.timer = hrtimer()
        hrtimer_setup(job.timer, expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
        hrtimer_start(job.timer, ns, HRTIMER_MODE_REL)
        return fence

    return run


def nothing(job: Job) -> Any:
    """Has nothing for the hardware."""
    return None


def kill(entity: Any, schedulers: Sequence[Any], baseline: ModuleType) -> None:
    """Take an entity down with its jobs while its schedulers stand still.

    When a scheduler pops a job meanwhile, that breaks in the kernel: see
    `test_an_entity_killed_while_a_job_is_popped_stays_in_the_tree`. Twice, because of
    `test_free_job_work_queues_run_job_work_behind_fini`.
    """
    for sched in [*schedulers, *schedulers]:
        baseline.sched_main.drm_sched_wqueue_stop(sched)
    baseline.sched_entity.drm_sched_entity_fini(entity)
    for sched in schedulers:
        baseline.sched_main.drm_sched_wqueue_start(sched)


class Driver:
    """Schedulers, entities and jobs of one test. `run` is how jobs run unless told otherwise."""

    def __init__(self, baseline: ModuleType) -> None:
        self.baseline = baseline
        self.api = baseline.gpu_scheduler
        self.main = baseline.sched_main
        self._log: list[tuple[str, int]] = []
        self._written = atomic_t()
        self.jobs: list[Job] = []
        self.run = manual
        self.prepare: Callable[[Job], Any] | None = None
        self.on_timeout: Callable[[Job], int] = self.end_it
        self.on_cancel: Callable[[Job], None] | None = None
        self.context = dma_fence_context_alloc(1)
        self.dev = device()
        self.dev.driver, self.dev.name = "test", "card0"
        self._schedulers: list[Any] = []
        self._entities: list[Any] = []
        self._by_base: dict[int, Job] = {}
        self._lock = threading.Lock()

    @property
    def log(self) -> list[tuple[str, int]]:
        """What the scheduler did so far."""
        log = self._log.copy()
        atomic_read_acquire(self._written)
        return log

    def _note(self, what: str, job: Job) -> None:
        atomic_fetch_sub_release(1, self._written)
        self._log.append((what, job.number))

    # -- callbacks -------------------------------------------------------------------------------

    def job_of(self, base: Any) -> Job:
        """The test's handle of a scheduler job."""
        return self._by_base[id(base)]

    def _prepare_job(self, base: Any, entity: Any) -> Any:
        job = self.job_of(base)
        self._note("prepare", job)
        return self.prepare(job) if self.prepare else None

    def _run_job(self, base: Any) -> Any:
        job = self.job_of(base)
        hw = job.run(job)
        # Now: who sees that the job has run may end it.
        self._note("run", job)
        return hw

    def _timedout_job(self, base: Any) -> int:
        job = self.job_of(base)
        self._note("timeout", job)
        return self.on_timeout(job)

    def end_it(self, job: Job) -> int:
        """A timeout: end the job and put it back, so that it is freed like any other."""
        dma_fence_signal(job.hw)
        return int(self.api.DRM_GPU_SCHED_STAT_NO_HANG)

    def _cancel_job(self, base: Any) -> None:
        job = self.job_of(base)
        self._note("cancel", job)
        self.on_cancel(job)

    def _free_job(self, base: Any) -> None:
        job = self._by_base.pop(id(base))
        self._note("free", job)
        job.freed += 1
        self.main.drm_sched_job_cleanup(base)
        if job.hw is not None:
            dma_fence_put(job.hw)
        kfree(base)

    def ops(self) -> Any:
        """The callbacks as they are now."""
        return self.api.drm_sched_backend_ops(
            prepare_job=self._prepare_job if self.prepare else None,
            run_job=self._run_job,
            timedout_job=self._timedout_job,
            free_job=self._free_job,
            cancel_job=self._cancel_job if self.on_cancel else None,
        )

    # -- making ----------------------------------------------------------------------------------

    def scheduler(self, name: str = "ring0", **args: Any) -> Any:
        """A running scheduler: one credit and no timeout unless told otherwise."""
        sched = kzalloc_obj(self.api.drm_gpu_scheduler)
        defaults = {
            "ops": self.ops(),
            "num_rqs": self.api.DRM_SCHED_PRIORITY_COUNT,
            "credit_limit": 1,
            "timeout": MAX_SCHEDULE_TIMEOUT,
            "name": name,
            "dev": self.dev,
        }
        ret = self.main.drm_sched_init(sched, self.api.drm_sched_init_args(**defaults | args))
        assert ret == 0
        self._schedulers.append(sched)
        return sched

    def entity(self, *schedulers: Any, priority: int | None = None, guilty: Any = None) -> Any:
        """An entity that may run on these schedulers."""
        entity = kzalloc_obj(self.api.drm_sched_entity)
        if priority is None:
            priority = self.api.DRM_SCHED_PRIORITY_NORMAL
        ret = self.baseline.sched_entity.drm_sched_entity_init(
            entity, priority, list(schedulers), len(schedulers), guilty
        )
        assert ret == 0
        self._entities.append(entity)
        return entity

    def job(
        self,
        entity: Any,
        cost: int = 1,
        after: Sequence[dma_fence] = (),
        run: Callable[[Job], Any] | None = None,
    ) -> Job:
        """A job that is not armed yet and depends on the fences `after`."""
        with self._lock:
            job = Job(self, len(self.jobs), cost)
            self.jobs.append(job)
        if run is not None:
            job.run = run
        base = kzalloc_obj(self.api.drm_sched_job)
        assert self.main.drm_sched_job_init(base, entity, cost, self, 7) == 0
        job.base = base
        self._by_base[id(base)] = job
        for fence in after:
            assert self.main.drm_sched_job_add_dependency(base, dma_fence_get(fence)) == 0
        return job

    def push(self, job: Job) -> Job:
        """Arm the job and hand it to its entity."""
        self.main.drm_sched_job_arm(job.base)
        job.finished = dma_fence_get(job.base.s_fence.finished)
        job.scheduled = dma_fence_get(job.base.s_fence.scheduled)
        self.baseline.sched_entity.drm_sched_entity_push_job(job.base)
        return job

    def submit(self, entity: Any, **how: Any) -> Job:
        """A job, armed and pushed."""
        return self.push(self.job(entity, **how))

    def discard(self, job: Job) -> None:
        """Free a job that was never armed."""
        self._free_job(job.base)

    def kill(self, entity: Any) -> None:
        """`kill()` for an entity of any of the schedulers; the test frees it."""
        kill(entity, self._schedulers, self.baseline)

    # -- looking ---------------------------------------------------------------------------------

    @property
    def runs(self) -> list[int]:
        """The jobs in the order in which run_job() was called."""
        return [number for what, number in self.log if what == "run"]

    @property
    def frees(self) -> list[int]:
        """The jobs in the order in which free_job() was called."""
        return [number for what, number in self.log if what == "free"]

    def ran(self, *jobs: Job) -> bool:
        """True if run_job() has been called for each of the jobs."""
        runs = self.runs
        return all(job.number in runs for job in jobs)

    # -- the end ---------------------------------------------------------------------------------

    def drain(self) -> None:
        """End every job that was pushed and wait until all are freed."""
        self.run = instant
        for job in self.jobs:
            if job.run is manual:
                job.run = instant

        def over() -> bool:
            for job in self.jobs:
                if job.finished is not None and job.hw is not None and not job.freed:
                    dma_fence_signal(job.hw)
            return all(job.freed for job in self.jobs if job.finished is not None)

        eventually(over)

    def close(self) -> None:
        """End all jobs, take entities and schedulers down, drop the test's references."""
        self.drain()
        for entity in self._entities:
            self.baseline.sched_entity.drm_sched_entity_destroy(entity)
            kfree(entity)
        for sched in self._schedulers:
            if hasattr(self.main, "drm_sched_wqueue_stop"):  # 6.1 has a thread
                # Twice, see test_findings: work that frees a job may queue more behind the first.
                self.main.drm_sched_wqueue_stop(sched)
            self.main.drm_sched_fini(sched)
            kfree(sched)
        self.release()

    def release(self) -> None:
        """Drop the references to the fences of all jobs."""
        for job in self.jobs:
            assert job.freed <= 1
            assert job.finished is None or dma_fence_is_signaled(job.finished) or not job.freed
            for fence in (job.finished, job.scheduled):
                dma_fence_put(fence)

    def forget(self, *things: Any) -> None:
        """Leave entities or schedulers that the test has taken down itself out of `close()`."""
        self._entities = [e for e in self._entities if e not in things]
        self._schedulers = [s for s in self._schedulers if s not in things]
