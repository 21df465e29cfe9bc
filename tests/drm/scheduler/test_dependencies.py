# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Dependencies: what a job waits for, what it need not wait for, and for how long."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence_get,
    dma_fence_get_stub,
    dma_fence_put,
    dma_fence_set_error,
    dma_fence_signal,
    dma_fence_test_signaled_flag,
)
from kport.dma_buf.dma_resv import (
    DMA_RESV_USAGE_BOOKKEEP,
    DMA_RESV_USAGE_READ,
    DMA_RESV_USAGE_WRITE,
    dma_resv_add_fence,
    dma_resv_lock,
    dma_resv_reserve_fences,
    dma_resv_unlock,
)
from kport.drm.drm_gem import (
    drm_gem_object,
    drm_gem_object_put,
    drm_gem_private_object_init,
)
from kport.drm.drm_syncobj import (
    drm_file,
    drm_syncobj_create,
    drm_syncobj_get_handle,
    drm_syncobj_open,
    drm_syncobj_put,
    drm_syncobj_release,
)
from kport.linux.bitops import set_bit
from kport.linux.err import EIO, ENOENT, ENOMEM
from kport.linux.list import list_empty
from kport.linux.slab import fail_nth, kzalloc_obj
from kport.linux.xarray import xa_for_each
from tests.dma_buf.fences import drop, new, references
from tests.drm.scheduler.driver import instant
from tests.support import eventually, never, take_warnings


def dependencies(job) -> list:
    return [fence for _, fence in xa_for_each(job.base.dependencies)]


# -- waiting ---------------------------------------------------------------------------------------


def test_a_job_waits_for_its_dependencies(driver):
    entity = driver.entity(driver.scheduler())
    a, b = new(), new()
    job = driver.submit(entity, after=[a, b], run=instant)
    never(lambda: driver.ran(job), msecs=5)
    dma_fence_signal(b)
    never(lambda: driver.ran(job), msecs=5)
    dma_fence_signal(a)
    assert job.wait() == 0
    dma_fence_put(a)
    dma_fence_put(b)


def test_a_signalled_dependency_is_not_waited_for(driver):
    entity = driver.entity(driver.scheduler())
    stub = dma_fence_get_stub()
    assert driver.submit(entity, after=[stub], run=instant).wait() == 0
    dma_fence_put(stub)


def test_an_entity_that_waits_holds_up_its_own_jobs_only(driver):
    sched = driver.scheduler()
    waiting, other = driver.entity(sched), driver.entity(sched)
    fence = new()
    first = driver.submit(waiting, after=[fence], run=instant)
    behind = driver.submit(waiting, run=instant)
    free = driver.submit(other, run=instant)
    assert free.wait() == 0
    assert not driver.ran(first)
    assert not driver.ran(behind)
    drop(fence)
    behind.wait()
    assert driver.runs == [free.number, first.number, behind.number]


def test_an_error_of_a_dependency_is_not_the_jobs(driver):
    entity = driver.entity(driver.scheduler())
    fence = new()
    job = driver.submit(entity, after=[fence], run=instant)
    dma_fence_set_error(fence, -EIO)
    drop(fence)
    assert job.wait() == 0


def test_a_dependency_is_held_until_the_job_is_over(driver):
    entity = driver.entity(driver.scheduler())
    fence = new()
    job = driver.submit(entity, after=[fence])
    assert references(fence) >= 2
    dma_fence_signal(fence)
    eventually(lambda: driver.ran(job))
    assert references(fence) == 2
    job.end()
    job.wait()
    assert references(fence) == 1
    dma_fence_put(fence)


# -- pipelining ------------------------------------------------------------------------------------


def test_on_one_scheduler_it_is_enough_that_the_other_job_is_scheduled(driver):
    sched = driver.scheduler(credit_limit=4)
    a, b = driver.entity(sched), driver.entity(sched)
    first = driver.submit(a)
    second = driver.submit(b, after=[first.finished])
    eventually(lambda: driver.ran(second))
    assert not first.done, "the hardware keeps the order on its ring"
    first.end()
    second.end()
    second.wait()


def test_across_schedulers_it_must_have_finished(driver):
    a = driver.entity(driver.scheduler("ring0"))
    b = driver.entity(driver.scheduler("ring1"))
    first = driver.submit(a)
    second = driver.submit(b, after=[first.finished], run=instant)
    eventually(lambda: driver.ran(first))
    never(lambda: driver.ran(second))
    first.end()
    assert second.wait() == 0


def test_a_scheduled_fence_is_enough_across_schedulers_if_that_is_what_was_asked_for(driver):
    a = driver.entity(driver.scheduler("ring0"))
    b = driver.entity(driver.scheduler("ring1"))
    first = driver.submit(a)
    second = driver.submit(b, after=[first.scheduled], run=instant)
    assert second.wait() == 0
    assert not first.done
    first.end()


def test_a_fence_can_say_that_it_must_not_be_pipelined(driver):
    sched = driver.scheduler(credit_limit=4)
    a, b = driver.entity(sched), driver.entity(sched)
    first = driver.submit(a)
    set_bit(driver.api.DRM_SCHED_FENCE_DONT_PIPELINE, first.finished.flags)
    second = driver.submit(b, after=[first.finished], run=instant)
    eventually(lambda: driver.ran(first))
    never(lambda: driver.ran(second))
    first.end()
    second.wait()


def test_after_an_error_there_is_no_pipelining(driver):
    sched = driver.scheduler(credit_limit=4)
    a, b = driver.entity(sched), driver.entity(sched)
    first = driver.submit(a)
    dma_fence_set_error(first.finished, -EIO)
    second = driver.submit(b, after=[first.finished], run=instant)
    eventually(lambda: driver.ran(first))
    never(lambda: driver.ran(second))
    first.end()
    second.wait()
    assert first.error == -EIO


def test_fences_of_the_entity_itself_are_ignored(driver):
    entity = driver.entity(driver.scheduler(credit_limit=4))
    first = driver.submit(entity)
    second = driver.submit(entity, after=[first.finished])
    third = driver.submit(entity, after=[second.scheduled])
    eventually(lambda: driver.ran(third))
    assert not first.done
    assert not entity.dependency
    for job in (first, second, third):
        job.end()


def test_a_chain_over_entities_runs_in_order(driver):
    sched = driver.scheduler(credit_limit=2)
    entities = [driver.entity(sched) for _ in range(5)]
    driver.run = instant
    last = None
    for n in range(50):
        last = driver.submit(entities[n % 5], after=[last.finished] if last else ())
    last.wait()
    assert driver.runs == list(range(50))


# -- what is in the list ---------------------------------------------------------------------------


def test_of_one_context_only_the_later_fence_is_kept(driver):
    entity = driver.entity(driver.scheduler())
    first, second, third, other = new(50, 1), new(50, 2), new(50, 3), new(51, 1)
    job = driver.job(entity, after=[second, other, first, third])
    assert dependencies(job) == [third, other]
    assert [references(f) for f in (first, second, third, other)] == [1, 1, 2, 2]
    driver.discard(job)
    assert [references(f) for f in (third, other)] == [1, 1]
    drop(first, second, third, other)


def test_no_fence_is_no_dependency(driver):
    job = driver.job(driver.entity(driver.scheduler()))
    assert driver.main.drm_sched_job_add_dependency(job.base, None) == 0
    assert dependencies(job) == []
    driver.discard(job)


def test_without_memory_the_reference_is_dropped(driver):
    job = driver.job(driver.entity(driver.scheduler()))
    fence = new()
    fail_nth(1)
    ret = driver.main.drm_sched_job_add_dependency(job.base, dma_fence_get(fence))
    assert ret == -ENOMEM
    assert references(fence) == 1
    driver.discard(job)
    drop(fence)


def test_has_dependency_knows_the_very_fence(driver):
    entity = driver.entity(driver.scheduler())
    first, second = new(60, 1), new(60, 2)
    job = driver.job(entity, after=[first])
    has = driver.main.drm_sched_job_has_dependency
    assert has(job.base, first)
    assert not has(job.base, second)
    driver.main.drm_sched_job_add_dependency(job.base, dma_fence_get(second))
    assert not has(job.base, first)
    assert has(job.base, second)
    driver.discard(job)
    drop(first, second)


# -- from reservations, buffers and sync objects ---------------------------------------------------


@pytest.fixture
def buffer(kernel):
    obj = kzalloc_obj(drm_gem_object)
    drm_gem_private_object_init(obj, 4096)
    dma_resv_lock(obj.resv, None)
    yield obj
    dma_resv_unlock(obj.resv)
    drm_gem_object_put(obj)


def use(buffer, fence, usage: int) -> None:
    assert dma_resv_reserve_fences(buffer.resv, 1) == 0
    dma_resv_add_fence(buffer.resv, fence, usage)


def test_a_reader_waits_for_writers_and_a_writer_for_all_but_bookkeeping(driver, buffer):
    entity = driver.entity(driver.scheduler())
    writer, reader, other = new(), new(), new()
    use(buffer, writer, DMA_RESV_USAGE_WRITE)
    use(buffer, reader, DMA_RESV_USAGE_READ)
    use(buffer, other, DMA_RESV_USAGE_BOOKKEEP)
    reads, writes, every = (driver.job(entity) for _ in range(3))
    add = driver.main.drm_sched_job_add_implicit_dependencies
    assert add(reads.base, buffer, False) == 0
    assert add(writes.base, buffer, True) == 0
    resv = driver.main.drm_sched_job_add_resv_dependencies
    assert resv(every.base, buffer.resv, DMA_RESV_USAGE_BOOKKEEP) == 0
    assert dependencies(reads) == [writer]
    assert dependencies(writes) == [writer, reader]
    assert dependencies(every) == [writer, reader, other]
    for job in (reads, writes, every):
        driver.discard(job)
    drop(writer, reader, other)


def test_reservation_dependencies_without_memory_or_lock(driver, buffer, kernel):
    entity = driver.entity(driver.scheduler())
    fence = new()
    use(buffer, fence, DMA_RESV_USAGE_WRITE)
    job = driver.job(entity)
    add = driver.main.drm_sched_job_add_implicit_dependencies
    fail_nth(1)
    assert add(job.base, buffer, True) == -ENOMEM
    assert references(fence) == 2
    assert kernel.warnings() == []
    dma_resv_unlock(buffer.resv)
    assert add(job.base, buffer, True) == 0
    assert all("lock is not held" in text for text in take_warnings(kernel))
    dma_resv_lock(buffer.resv, None)
    driver.discard(job)
    drop(fence)


def test_the_fence_of_a_sync_object(driver):
    entity = driver.entity(driver.scheduler())
    file, fence = drm_file(), new()
    drm_syncobj_open(file)
    _, obj = drm_syncobj_create(0, fence)
    _, handle = drm_syncobj_get_handle(file, obj)
    drm_syncobj_put(obj)
    job = driver.job(entity)
    add = driver.main.drm_sched_job_add_syncobj_dependency
    assert add(job.base, file, handle, 0) == 0
    assert add(job.base, file, 99, 0) == -ENOENT
    assert dependencies(job) == [fence]
    driver.discard(job)
    drm_syncobj_release(file)
    drop(fence)


# -- when the fence and the entity's end race ------------------------------------------------------


def test_a_dependency_that_signals_while_it_is_looked_at(driver):
    sched = driver.scheduler(credit_limit=4)
    entity = driver.entity(sched)
    driver.run = instant
    for _ in range(60):
        fence = new()
        job = driver.submit(entity, after=[fence])
        dma_fence_signal(fence)
        assert job.wait() == 0
        dma_fence_put(fence)
    assert dma_fence_test_signaled_flag(job.finished)
    assert not list_empty(entity.list)
