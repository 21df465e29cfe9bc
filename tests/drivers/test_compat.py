# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""One driver on every scheduler: what the layer between them promises holds on each."""

from __future__ import annotations

import pytest

import kport
from kport.dma_buf.dma_fence import dma_fence, dma_fence_get, dma_fence_put, dma_fence_signal
from kport.drivers import compat
from kport.drivers.compat import (
    DRM_GPU_SCHED_STAT_ENODEV,
    DRM_GPU_SCHED_STAT_NO_HANG,
    DRM_GPU_SCHED_STAT_RESET,
    DRM_SCHED_PRIORITY_COUNT,
    DRM_SCHED_PRIORITY_HIGH,
    DRM_SCHED_PRIORITY_KERNEL,
    DRM_SCHED_PRIORITY_LOW,
    DRM_SCHED_PRIORITY_NORMAL,
    drm_gpu_scheduler,
    drm_sched_backend_ops,
    drm_sched_entity,
    drm_sched_entity_destroy,
    drm_sched_entity_error,
    drm_sched_entity_flush,
    drm_sched_entity_init,
    drm_sched_entity_kill,
    drm_sched_entity_push_job,
    drm_sched_entity_set_priority,
    drm_sched_fault,
    drm_sched_fini,
    drm_sched_init,
    drm_sched_init_args,
    drm_sched_job,
    drm_sched_job_arm,
    drm_sched_job_cleanup,
    drm_sched_job_init,
    drm_sched_wqueue_ready,
    drm_sched_wqueue_start,
    drm_sched_wqueue_stop,
    to_drm_sched_fence,
)
from kport.drivers.compat_trace import watching_jobs
from kport.linux.err import EIO, ERR_PTR, ESRCH
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.kref import kref_read
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj, live
from kport.linux.struct import container_of, struct
from kport.linux.workqueue import delayed_work_pending
from tests.dma_buf.fences import new
from tests.support import Gate, Thread, eventually, never, sleep_ms


class ring(struct):
    """A driver's ring, with a scheduler in it."""

    before: int
    sched: drm_gpu_scheduler
    after: int


class work(struct):
    """A driver's job: `hw` is what the hardware signals; `number` tells it from the others."""

    base: drm_sched_job
    hw: dma_fence | None
    number: int


class Driver:
    """A driver of one ring. `log`: what the scheduler asked for."""

    def __init__(self, timeout: int = MAX_SCHEDULE_TIMEOUT, limit: int = 1, **ops: object) -> None:
        self.log: list[tuple[str, int]] = []
        self.errors: dict[int, int] = {}
        self.kept: list[dma_fence] = []
        self.count = 0
        table = drm_sched_backend_ops(
            **{"run_job": self.run, "free_job": self.free, "prepare_job": self.prepare} | ops
        )
        self.ring = kzalloc_obj(ring)
        args = drm_sched_init_args(
            ops=table,
            num_rqs=DRM_SCHED_PRIORITY_COUNT,
            credit_limit=limit,
            timeout=timeout,
            name="ring0",
        )
        assert drm_sched_init(self.ring.sched, args) == 0
        self.entities: list[drm_sched_entity] = []

    def prepare(self, base: drm_sched_job, entity: drm_sched_entity) -> None:
        self.errors[container_of(base, work, "base").number] = drm_sched_entity_error(entity)

    def run(self, base: drm_sched_job) -> object:
        made = container_of(base, work, "base")
        self.log.append(("run", made.number))
        return made.hw

    def free(self, base: drm_sched_job) -> None:
        made = container_of(base, work, "base")
        self.log.append(("free", made.number))
        drm_sched_job_cleanup(base)
        kfree(made)

    def entity(self, priority: int = DRM_SCHED_PRIORITY_NORMAL) -> drm_sched_entity:
        entity = kzalloc_obj(drm_sched_entity)
        assert drm_sched_entity_init(entity, priority, [self.ring.sched], 1, None) == 0
        self.entities.append(entity)
        return entity

    def submit(self, entity: drm_sched_entity, hw: object = None) -> dma_fence:
        """Push a job that is over when `hw` is; returns its finished fence, which is kept."""
        made = kzalloc_obj(work)
        made.number, self.count = self.count, self.count + 1
        made.hw = hw
        assert drm_sched_job_init(made.base, entity, 1, self, 7) == 0
        drm_sched_job_arm(made.base)
        finished = dma_fence_get(made.base.s_fence.finished)
        self.kept.append(finished)
        drm_sched_entity_push_job(made.base)
        return finished

    def done(self, what: str) -> list[int]:
        return [number for happened, number in list(self.log) if happened == what]

    def close(self, wait: bool = True) -> None:
        """Take all down; first wait until every job is over, unless they shall be cancelled."""
        for entity in self.entities:
            drm_sched_entity_destroy(entity)
            kfree(entity)
        if wait:
            eventually(lambda: len(self.done("free")) == self.count)
        drm_sched_fini(self.ring.sched)
        for fence in self.kept:
            dma_fence_put(fence)
        kfree(self.ring)


@pytest.fixture
def driver(kernel):
    made = Driver()
    yield made
    if not kernel.machine.dead:
        made.close()


# -- choosing --------------------------------------------------------------------------------------


def test_the_structs_are_those_of_the_scheduler_that_was_booted(driver, scheduler):
    api = compat.package(scheduler).gpu_scheduler
    entity = driver.entity()
    assert type(driver.ring.sched) is api.drm_gpu_scheduler
    assert type(driver.ring.sched).__module__ == api.__name__
    assert type(entity) is api.drm_sched_entity
    assert container_of(driver.ring.sched, ring, "sched") is driver.ring
    finished = driver.submit(entity)
    assert type(to_drm_sched_fence(finished)) is api.drm_sched_fence
    assert to_drm_sched_fence(finished).finished is finished


def test_container_of_knows_the_class_that_is_meant(driver):
    entity = driver.entity()
    assert container_of(entity.list, drm_sched_entity, "list") is entity
    with pytest.raises(TypeError, match="is in"):
        container_of(entity.list, drm_sched_job, "list")


@pytest.mark.boot(debug=False)
def test_container_of_without_checks(driver):
    entity = driver.entity()
    assert container_of(entity.list, drm_sched_entity, "list") is entity
    with pytest.raises(AttributeError):
        container_of(entity.list, drm_sched_job, "list")


@pytest.mark.boot(check="")  # it looks at what it has freed
def test_freeing_what_a_scheduler_is_embedded_in_unties_it(kernel):
    made = Driver()
    pending = made.ring.sched.pending_list
    assert pending.next is pending
    made.close()
    with pytest.raises(AttributeError):
        pending.next  # noqa: B018


def test_an_unknown_scheduler_is_refused():
    with pytest.raises(ValueError, match="unknown scheduler 'v5_4'; there is: v7_2, v6_1, v3_2023"):
        with kport.boot(params={"scheduler": "v5_4"}):
            pass


def test_without_a_choice_it_is_that_of_7_2():
    with kport.boot():
        assert compat.scheduler == "v7_2"


# -- jobs ------------------------------------------------------------------------------------------


def test_jobs_run_and_are_freed_in_order(driver):
    entity = driver.entity()
    for _ in range(10):
        driver.submit(entity)
    eventually(lambda: len(driver.done("free")) == 10)
    assert driver.done("run") == driver.done("free") == list(range(10))


def test_priorities_are_those_of_7_2(driver):
    drm_sched_wqueue_stop(driver.ring.sched)
    order = (
        DRM_SCHED_PRIORITY_LOW,
        DRM_SCHED_PRIORITY_NORMAL,
        DRM_SCHED_PRIORITY_HIGH,
        DRM_SCHED_PRIORITY_KERNEL,
    )
    for priority in order:
        driver.submit(driver.entity(priority))
    drm_sched_wqueue_start(driver.ring.sched)
    eventually(lambda: len(driver.done("free")) == 4)
    assert driver.done("run") == [3, 2, 1, 0]


def test_a_priority_can_be_set(driver):
    entity = driver.entity()
    before = entity.priority
    drm_sched_entity_set_priority(entity, DRM_SCHED_PRIORITY_NORMAL)
    assert entity.priority == before
    drm_sched_entity_set_priority(entity, DRM_SCHED_PRIORITY_HIGH)
    assert entity.priority != before


def test_stopped_it_neither_runs_nor_frees(driver):
    sched = driver.ring.sched
    assert drm_sched_wqueue_ready(sched)
    drm_sched_wqueue_stop(sched)
    driver.submit(driver.entity())
    never(lambda: driver.log)
    drm_sched_wqueue_start(sched)
    eventually(lambda: driver.log == [("run", 0), ("free", 0)])


def test_the_reference_that_run_job_returns_is_the_schedulers(driver):
    hw, entity = new(), driver.entity()
    driver.submit(entity, dma_fence_get(hw))
    eventually(lambda: driver.log)
    dma_fence_signal(hw)
    eventually(lambda: len(driver.done("free")) == 1)
    driver.entities.remove(entity)
    drm_sched_entity_destroy(entity)
    kfree(entity)
    dma_fence_put(driver.kept.pop())
    assert eventually(lambda: kref_read(hw.refcount) == 1)
    dma_fence_put(hw)


def test_the_error_of_a_job_that_cannot_run_is_the_entitys(driver):
    entity = driver.entity()
    fence = driver.submit(entity, ERR_PTR(-EIO))
    driver.submit(entity)
    eventually(lambda: len(driver.done("free")) == 2)
    assert fence.error == -EIO
    assert driver.errors == {0: 0, 1: -EIO}


# -- timeouts --------------------------------------------------------------------------------------


def timing_out(answer: int, seen: list[int]):
    def timedout(base: drm_sched_job) -> int:
        made = container_of(base, work, "base")
        seen.append(made.number)
        if answer != DRM_GPU_SCHED_STAT_NO_HANG:
            dma_fence_signal(made.hw)
            base.sched.ops.free_job(base)
        return answer

    return timedout


def test_no_hang_puts_the_job_back(kernel):
    seen: list[int] = []
    driver = Driver(20, timedout_job=timing_out(DRM_GPU_SCHED_STAT_NO_HANG, seen))
    hw = new()
    driver.submit(driver.entity(), dma_fence_get(hw))
    eventually(lambda: len(seen) >= 2)
    assert driver.done("free") == []
    dma_fence_signal(hw)
    eventually(lambda: driver.done("free") == [0])
    dma_fence_put(hw)
    driver.close()


def test_a_job_that_is_over_when_it_is_put_back_is_freed(kernel):
    hw = new()

    def timedout(base: drm_sched_job) -> int:
        dma_fence_signal(hw)
        sleep_ms(2)
        return DRM_GPU_SCHED_STAT_NO_HANG

    driver = Driver(20, timedout_job=timedout)
    driver.submit(driver.entity(), dma_fence_get(hw))
    eventually(lambda: driver.done("free") == [0])
    dma_fence_put(hw)
    driver.close()


@pytest.mark.parametrize("answer", [DRM_GPU_SCHED_STAT_RESET, DRM_GPU_SCHED_STAT_ENODEV])
def test_after_a_reset_the_timer_runs_on_and_without_a_device_it_does_not(kernel, answer):
    seen: list[int] = []
    driver = Driver(20, limit=2, timedout_job=timing_out(answer, seen))
    entity, fences = driver.entity(), [new(), new()]
    for fence in fences:
        driver.submit(entity, dma_fence_get(fence))
    eventually(lambda: len(driver.done("run")) == 2)
    drm_sched_fault(driver.ring.sched)
    eventually(lambda: seen)
    sleep_ms(5)
    again = answer == DRM_GPU_SCHED_STAT_RESET
    assert bool(delayed_work_pending(driver.ring.sched.work_tdr)) == again
    for fence in fences:
        dma_fence_signal(fence)
    eventually(lambda: len(driver.done("free")) == 2)
    driver.close()
    for fence in fences:
        dma_fence_put(fence)


# -- the end ---------------------------------------------------------------------------------------


def test_jobs_of_a_killed_entity_end_with_esrch_when_it_goes(driver):
    entity = driver.entity()
    drm_sched_wqueue_stop(driver.ring.sched)
    fences = [driver.submit(entity) for _ in range(3)]
    drm_sched_entity_kill(entity)
    driver.entities.remove(entity)
    drm_sched_entity_destroy(entity)
    drm_sched_wqueue_start(driver.ring.sched)
    kfree(entity)
    eventually(lambda: len(driver.done("free")) == 3)
    assert [fence.error for fence in fences] == [-ESRCH] * 3
    assert driver.done("run") == []


def test_jobs_killed_behind_one_that_is_over_leak_nothing(driver):
    """In 6.1 alone each leaks a reference to the fence of that one."""
    entity = driver.entity()
    driver.submit(entity)
    eventually(lambda: driver.done("free") == [0])
    drm_sched_wqueue_stop(driver.ring.sched)
    fences = [driver.submit(entity) for _ in range(2)]
    drm_sched_entity_kill(entity)
    driver.entities.remove(entity)
    drm_sched_entity_destroy(entity)
    kfree(entity)
    drm_sched_wqueue_start(driver.ring.sched)
    eventually(lambda: len(driver.done("free")) == 3)
    assert [fence.error for fence in fences] == [-ESRCH] * 2


def test_an_entity_does_not_go_under_the_hands_of_the_scheduler(kernel):
    """In 6.1 alone it would, with nothing queued."""
    gate = Gate()
    driver = Driver(run_job=lambda base: gate.enter())
    entity = driver.entity()
    driver.submit(entity)
    gate.arrived()
    driver.entities.remove(entity)
    closer = Thread(drm_sched_entity_destroy, entity)
    never(lambda: closer.done)
    gate.open()
    closer.join()
    kfree(entity)
    driver.close()


def test_flush_waits_for_the_queue(driver):
    entity = driver.entity()
    hw = new()
    driver.submit(entity, dma_fence_get(hw))
    driver.submit(entity)
    flusher = Thread(drm_sched_entity_flush, entity, msecs_to_jiffies(1000))
    never(lambda: flusher.done)
    dma_fence_signal(hw)
    flusher.join()
    dma_fence_put(hw)


def test_a_driver_that_can_cancel_does_when_its_scheduler_goes(kernel):
    fences = [new() for _ in range(3)]
    cancelled = []

    def cancel(base: drm_sched_job) -> None:
        number = container_of(base, work, "base").number
        cancelled.append(number)
        dma_fence_signal(fences[number])

    driver = Driver(limit=3, cancel_job=cancel)
    entity = driver.entity()
    for fence in fences:
        driver.submit(entity, dma_fence_get(fence))
    eventually(lambda: len(driver.done("run")) == 3)
    sched = driver.ring.sched
    driver.close(wait=False)
    assert cancelled == driver.done("free") == [2, 1, 0]
    for fence in fences:
        dma_fence_put(fence)
    assert id(sched) not in live


# -- observation -----------------------------------------------------------------------------------


def test_the_three_events_of_a_job_are_the_same_everywhere(driver):
    seen: list[tuple[str, tuple[object, ...]]] = []
    probes = [
        lambda tp, ti, ts, values, name=name: seen.append((name, values))
        for name in ("queued", "run", "done")
    ]
    entity = driver.entity()
    with watching_jobs(*probes):
        context = driver.submit(entity).context
        eventually(lambda: len(driver.done("free")) == 1)
    driver.submit(entity)
    eventually(lambda: len(driver.done("free")) == 2)
    assert [name for name, _ in seen] == ["queued", "run", "done"]
    assert seen[0][1][:6] == ("(null)", context, 1, "ring0", 0, 0)
    assert seen[1][1][:6] == ("(null)", context, 1, "ring0", 0, 1)
    assert seen[2][1] == (context, 1)
