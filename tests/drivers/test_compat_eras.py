# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What was written for an older kernel finds its names, and the constructor of its time."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence_add_callback,
    dma_fence_get,
    dma_fence_put,
    dma_fence_remove_callback,
    dma_fence_signal,
)
from kport.drivers import compat, compat_eras
from kport.drivers.compat import (
    DRM_SCHED_PRIORITY_NORMAL,
    drm_gpu_scheduler,
    drm_sched_backend_ops,
    drm_sched_entity,
    drm_sched_entity_destroy,
    drm_sched_entity_init,
    drm_sched_entity_push_job,
    drm_sched_fini,
    drm_sched_init_args,
    drm_sched_job,
    drm_sched_job_arm,
    drm_sched_job_cleanup,
    drm_sched_job_init,
)
from kport.drm.scheduler.v6_1.gpu_scheduler import drm_sched_backend_ops as old_ops
from kport.linux.atomic import ATOMIC_INIT, atomic_read
from kport.linux.device import device
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.workqueue import (
    alloc_ordered_workqueue,
    destroy_workqueue,
    flush_workqueue,
    system_percpu_wq,
)
from tests.dma_buf.fences import new
from tests.support import Thread, eventually


class Driver:
    """Counts what its callbacks are asked for."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def depend(self, job: object, entity: object) -> None:
        self.log.append("depend")

    def run(self, job: object) -> None:
        self.log.append("run")

    def free(self, job: object) -> None:
        self.log.append("free")
        drm_sched_job_cleanup(job)
        kfree(job)


@pytest.fixture
def driver(kernel) -> Driver:
    return Driver()


def one_job(driver, sched) -> None:
    """A job goes through the scheduler, which then goes."""
    entity = kzalloc_obj(drm_sched_entity)
    assert drm_sched_entity_init(entity, DRM_SCHED_PRIORITY_NORMAL, [sched], 1, None) == 0
    job = kzalloc_obj(drm_sched_job)
    assert drm_sched_job_init(job, entity, 1, None, 0) == 0
    drm_sched_job_arm(job)
    drm_sched_entity_push_job(job)
    eventually(lambda: driver.log == ["depend", "run", "free"])
    drm_sched_entity_destroy(entity)
    drm_sched_fini(sched)
    kfree(entity)
    kfree(sched)


ERAS = ["5.12", "5.13", "5.15", "5.18", "6.7", "2023", "6.8", "6.15"]


@pytest.mark.parametrize("era", ERAS)
def test_every_constructor_makes_a_scheduler(driver, scheduler, era):
    ops = old_ops(dependency=driver.depend, run_job=driver.run, free_job=driver.free)
    score, dev = ATOMIC_INIT(0), device()
    submit = alloc_ordered_workqueue("submit", 0)
    timeout = alloc_ordered_workqueue("timeout", 0)
    new_args = drm_sched_init_args(
        ops=drm_sched_backend_ops(
            prepare_job=driver.depend, run_job=driver.run, free_job=driver.free
        ),
        num_rqs=4,
        credit_limit=3,
        hang_limit=2,
        timeout=1000,
        name="ring",
        timeout_wq=timeout,
        score=score,
        dev=dev,
    )
    arguments = {
        "5.12": (ops, 3, 2, 1000, "ring"),
        "5.13": (ops, 3, 2, 1000, score, "ring"),
        "5.15": (ops, 3, 2, 1000, timeout, score, "ring"),
        "5.18": (ops, 3, 2, 1000, timeout, score, "ring", dev),
        "6.7": (ops, 4, 3, 2, 1000, timeout, score, "ring", dev),
        "2023": (ops, submit, 3, 2, 1000, timeout, score, "ring", dev),
        "6.8": (ops, submit, 4, 3, 2, 1000, timeout, score, "ring", dev),
        "6.15": (new_args,),
    }[era]
    counts = dict(zip(ERAS, (6, 7, 8, 9, 10, 10, 11, 2), strict=True))
    assert 1 + len(arguments) == counts[era]
    sched = kzalloc_obj(drm_gpu_scheduler)
    assert compat_eras.drm_sched_init(sched, *arguments) == 0
    assert (sched.name, sched.hang_limit, sched.timeout, sched.ready) == ("ring", 2, 1000, True)
    assert sched.hw_submission_limit == 3
    late = ERAS.index(era)
    assert sched.timeout_wq is (timeout if late >= 2 else system_percpu_wq)
    assert (sched.score is score) == (late >= 1)
    assert sched.dev is (dev if late >= 3 else None)
    if era in ("2023", "6.8") and scheduler != "v6_1":
        assert sched.submit_wq is submit
    one_job(driver, sched)
    for wq in (submit, timeout):
        flush_workqueue(wq)
        destroy_workqueue(wq)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 12])
def test_a_number_of_arguments_that_it_never_had(kernel, count):
    sched = kzalloc_obj(drm_gpu_scheduler)
    with pytest.raises(TypeError):
        compat_eras.drm_sched_init(sched, *[None] * (count - 1))
    kfree(sched)


def test_a_timeout_that_answers_nothing_was_a_reset():
    made = compat_eras.new_ops(old_ops(timedout_job=lambda job: None))
    assert made.timedout_job(None) == compat.DRM_GPU_SCHED_STAT_RESET
    assert compat_eras.new_ops(old_ops()).timedout_job is None


def test_fields_have_their_old_names_too(driver):
    sched = kzalloc_obj(drm_gpu_scheduler)
    ops = old_ops(dependency=driver.depend, run_job=driver.run, free_job=driver.free)
    assert compat_eras.drm_sched_init(sched, ops, 3, 0, 1000, "ring") == 0
    assert sched.ring_mirror_list is sched.pending_list
    assert sched.num_jobs is sched.score
    assert atomic_read(sched.hw_rq_count) == 0
    sched.hw_submission_limit = 5
    assert sched.credit_limit == 5
    job = kzalloc_obj(drm_sched_job)
    assert job.node is job.list
    kfree(job)
    one_job(driver, sched)


def test_process_job_is_what_a_hardware_fence_calls(driver):
    hw, jobs = new(), []

    def run(job):
        jobs.append(job)
        driver.run(job)
        return dma_fence_get(hw)

    ops = old_ops(dependency=driver.depend, run_job=run, free_job=driver.free)
    sched = kzalloc_obj(drm_gpu_scheduler)
    assert compat_eras.drm_sched_init(sched, ops, 1, 0, 1000, "ring") == 0

    def hardware() -> None:
        eventually(lambda: jobs and jobs[0].s_fence.parent and jobs[0].cb.func)
        assert dma_fence_remove_callback(hw, jobs[0].cb)
        called = compat_eras.drm_sched_process_job
        assert dma_fence_add_callback(hw, jobs[0].cb, called) == 0
        dma_fence_signal(hw)

    thread = Thread(hardware)
    one_job(driver, sched)
    thread.join()
    dma_fence_put(hw)


def test_submission_was_stopped_and_started_under_another_name(driver):
    ops = old_ops(dependency=driver.depend, run_job=driver.run, free_job=driver.free)
    sched = kzalloc_obj(drm_gpu_scheduler)
    assert compat_eras.drm_sched_init(sched, ops, 1, 0, 1000, "ring") == 0
    compat_eras.drm_sched_submit_stop(sched)
    assert compat_eras.drm_sched_submit_ready(sched)
    compat_eras.drm_sched_submit_start(sched)
    one_job(driver, sched)
