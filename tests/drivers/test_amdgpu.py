# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The driver shaped like amdgpu: emit, interrupt, process, fallback, wraps, device up and down."""

from __future__ import annotations

import pytest

from kport.dma_buf.dma_fence import (
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_get_status,
    dma_fence_put,
    dma_fence_wait,
    dma_fence_wait_timeout,
)
from kport.drivers.amdgpu.amdgpu import (
    AMDGPU_FENCE_JIFFIES_TIMEOUT,
    to_amdgpu_fence,
    to_amdgpu_job,
    to_amdgpu_ring,
)
from kport.drivers.amdgpu.amdgpu_device import amdgpu_device_fini, amdgpu_device_init
from kport.drivers.amdgpu.amdgpu_fence import (
    amdgpu_fence_driver_force_completion,
    amdgpu_fence_process,
    amdgpu_fence_wait_empty,
)
from kport.drivers.amdgpu.amdgpu_ib import amdgpu_ib_schedule
from kport.drivers.amdgpu.amdgpu_job import (
    amdgpu_job_alloc,
    amdgpu_job_free,
)
from kport.drivers.amdgpu.amdgpu_ring import (
    amdgpu_ring_alloc,
    amdgpu_ring_commit,
    amdgpu_ring_undo,
    amdgpu_ring_write,
)
from kport.linux.atomic import atomic_read, atomic_set
from kport.linux.err import ECANCELED, EINVAL, ENODATA, ENOENT, ENOMEM
from kport.linux.jiffies import jiffies, msecs_to_jiffies
from kport.linux.slab import fail_nth, kfree, live
from kport.linux.timer import timer_pending
from kport.linux.types import s32
from tests.drivers.gpu import Gpu, slots
from tests.support import MS, eventually, messages, never, sleep_ms, take_warnings


@pytest.fixture
def gpu(kernel):
    made = Gpu("gfx_0.0.0", "sdma0")
    yield made
    made.close()


def test_a_job_runs_on_the_hardware_and_is_freed(gpu):
    fence = gpu.submit(gpu.entity(), MS)
    assert dma_fence_wait(fence, False) == 0
    assert dma_fence_get_status(fence) == 1
    eventually(lambda: gpu.done == [(0, 0)])
    (batch,) = gpu.batches
    assert batch.ended - batch.began == MS
    dma_fence_put(fence)


def test_all_batches_of_a_job_run_before_its_one_fence(gpu):
    fence = gpu.submit(gpu.entity(), MS, MS, MS)
    dma_fence_wait(fence, False)
    assert gpu.rings[0].hw.executed == 3
    assert gpu.rings[0].fence_drv.sync_seq == 1
    dma_fence_put(fence)


def test_hardware_fences_count_per_ring(gpu):
    fences = [gpu.submit(gpu.entity(n), 0) for n in (0, 0, 1)]
    for fence in fences:
        dma_fence_wait(fence, False)
        dma_fence_put(fence)
    assert [ring.fence_drv.sync_seq for ring in gpu.rings] == [2, 1]
    assert [atomic_read(ring.fence_drv.last_seq) for ring in gpu.rings] == [2, 1]


def test_jobs_of_an_entity_finish_in_order(gpu):
    entity = gpu.entity()
    fences = [gpu.submit(entity, 100_000) for _ in range(40)]
    dma_fence_wait(fences[-1], False)
    eventually(lambda: len(gpu.done) == 40)
    assert gpu.done == [(n, 0) for n in range(40)]
    for fence in fences:
        dma_fence_put(fence)


def test_rings_work_beside_each_other(gpu):
    fences = [gpu.submit(gpu.entity(n), None) for n in (0, 1)]
    a, b = gpu.batches
    eventually(lambda: [ring.hw.running for ring in gpu.rings] == [a, b])
    for batch, fence in zip((b, a), reversed(fences), strict=True):
        batch.end(gpu.adev.gpu.machine)
        assert dma_fence_wait(fence, False) == 0
        dma_fence_put(fence)
    assert max(a.began, b.began) < b.ended < a.ended


def test_names_and_containers(gpu):
    ring = gpu.rings[1]
    assert to_amdgpu_ring(ring.sched) is ring
    ret, job = amdgpu_job_alloc(gpu.entity(1), None, 1, 1, 0)
    assert ret == 0
    assert to_amdgpu_job(job.base) is job
    amdgpu_job_free(job)
    fence = gpu.submit(gpu.entity(1), None)
    eventually(lambda: slots(ring)[1])
    hw = slots(ring)[1]
    assert to_amdgpu_fence(hw).ring is ring
    assert hw.ops.get_driver_name(hw) == "amdgpu"
    assert hw.ops.get_timeline_name(hw) == "sdma0"
    gpu.batches[-1].end(gpu.adev.gpu.machine)
    dma_fence_wait(fence, False)
    dma_fence_put(fence)


def test_several_fences_are_signalled_by_one_interrupt(kernel):
    gpu = Gpu("gfx", credit_limit=8)
    ring = gpu.rings[0]
    line, ring.hw.line = ring.hw.line, None
    entity = gpu.entity()
    fences = [gpu.submit(entity, 0) for _ in range(5)]
    eventually(lambda: gpu.adev.gpu.memory[0] == 5)
    assert not any(dma_fence_get_status(f) for f in fences)
    assert amdgpu_fence_process(ring) is True
    assert amdgpu_fence_process(ring) is False
    assert all(dma_fence_get_status(f) == 1 for f in fences)
    ring.hw.line = line
    for fence in fences:
        dma_fence_put(fence)
    gpu.close()


def test_slots_are_used_again_and_again(kernel):
    """Four fences of two jobs at once; hundreds of numbers pass through them."""
    gpu = Gpu("gfx", credit_limit=2)
    assert gpu.rings[0].fence_drv.num_fences_mask == 3
    entity = gpu.entity()
    for _ in range(200):
        dma_fence_put(gpu.submit(entity, 0))
    eventually(lambda: len(gpu.done) == 200)
    assert slots(gpu.rings[0]) == [None] * 4
    gpu.close()


def test_the_ring_buffer_wraps(kernel):
    gpu = Gpu("gfx", credit_limit=2)
    ring = gpu.rings[0]
    entity = gpu.entity()
    jobs = ring.hw.words // 6 + 50
    for n in range(jobs):
        dma_fence_put(gpu.submit(entity, 0))
        if n % 100 == 99:
            eventually(lambda n=n: len(gpu.done) == n + 1)
    eventually(lambda: len(gpu.done) == jobs)
    assert ring.wptr > ring.hw.words
    gpu.close()


def test_sequence_numbers_wrap_at_32_bits(kernel):
    gpu = Gpu("gfx", credit_limit=2)
    ring = gpu.rings[0]
    begin = 0xFFFFFFFC
    ring.fence_drv.sync_seq = begin
    atomic_set(ring.fence_drv.last_seq, s32(begin))
    gpu.adev.gpu.memory[0] = begin
    entity = gpu.entity()
    fences = [gpu.submit(entity, 10_000) for _ in range(12)]
    for fence in fences:
        assert dma_fence_wait_timeout(fence, False, msecs_to_jiffies(3000)) > 0
        dma_fence_put(fence)
    assert ring.fence_drv.sync_seq == (begin + 12) & 0xFFFFFFFF == 8
    assert atomic_read(ring.fence_drv.last_seq) == 8
    gpu.close()


# -- lost interrupts -------------------------------------------------------------------------------


@pytest.mark.boot(scale=0.1)
def test_a_lost_interrupt_is_found_by_the_fallback_timer(kernel):
    gpu = Gpu("gfx")
    ring = gpu.rings[0]
    line, ring.hw.line = ring.hw.line, None
    began = jiffies()
    fence = gpu.submit(gpu.entity(), 0)
    eventually(lambda: timer_pending(ring.fence_drv.fallback_timer))
    assert dma_fence_wait(fence, False) == 0
    assert jiffies() - began >= AMDGPU_FENCE_JIFFIES_TIMEOUT == msecs_to_jiffies(500)
    said = ["amdgpu 0000:03:00.0: Fence fallback timer expired on ring gfx"]
    eventually(lambda: messages(kernel) == said)
    ring.hw.line = line
    dma_fence_put(fence)
    gpu.close()


def test_an_interrupt_that_comes_stops_the_timer(gpu):
    fence = gpu.submit(gpu.entity(), MS)
    dma_fence_wait(fence, False)
    eventually(lambda: gpu.done)
    assert not timer_pending(gpu.rings[0].fence_drv.fallback_timer)
    dma_fence_put(fence)


def test_with_more_outstanding_the_timer_goes_on(kernel):
    gpu = Gpu("gfx", credit_limit=2)
    entity = gpu.entity()
    first, second = gpu.submit(entity, None), gpu.submit(entity, None)
    eventually(lambda: slots(gpu.rings[0])[2])
    gpu.batches[0].end(gpu.adev.gpu.machine)
    dma_fence_wait(first, False)
    assert timer_pending(gpu.rings[0].fence_drv.fallback_timer)
    gpu.batches[1].end(gpu.adev.gpu.machine)
    dma_fence_wait(second, False)
    dma_fence_put(first)
    dma_fence_put(second)
    gpu.close()


# -- hangs -----------------------------------------------------------------------------------------


@pytest.fixture
def passes_on(scheduler) -> bool:
    """True if the scheduler passes the error of a hardware fence on to the finished fence."""
    return scheduler == "v7_2"


@pytest.mark.boot(scale=3)
def test_a_hung_job_is_killed_and_the_next_one_runs(kernel, passes_on):
    gpu = Gpu("gfx", timeout=msecs_to_jiffies(20))
    entity, other = gpu.entity(), gpu.entity()
    hung, good = gpu.submit(entity, None), gpu.submit(other, MS)
    assert dma_fence_wait(hung, False) == 0
    assert dma_fence_get_status(hung) == (-ENODATA if passes_on else 1)
    dma_fence_wait(good, False)
    assert dma_fence_get_status(good) == 1
    eventually(lambda: gpu.done == [(0, -ENODATA if passes_on else 0), (1, 0)])
    assert any("ring gfx timeout, but soft recovered" in m for m in messages(kernel))
    dma_fence_put(hung)
    dma_fence_put(good)
    gpu.close()


def test_an_error_spreads_to_the_entitys_next_jobs(kernel, passes_on):
    """amdgpu's prepare_job(): after a failed job the rest of the entity's jobs fail unrun."""
    gpu = Gpu("gfx", timeout=msecs_to_jiffies(20), credit_limit=1)
    entity = gpu.entity()
    fences = [gpu.submit(entity, None), gpu.submit(entity, MS), gpu.submit(entity, MS)]
    for fence in fences:
        dma_fence_wait(fence, False)
    assert [dma_fence_get_status(f) for f in fences] == [-ENODATA if passes_on else 1] * 3
    assert gpu.rings[0].hw.executed == (1 if passes_on else 3)
    for fence in fences:
        dma_fence_put(fence)
    gpu.close()


def test_forced_completion_cancels_what_is_outstanding(gpu, passes_on):
    fence = gpu.submit(gpu.entity(), None)
    ring = gpu.rings[0]
    eventually(lambda: ring.hw.running)
    called = []
    dma_fence_add_callback(fence, dma_fence_cb(), lambda f, cb: called.append(f.error))
    amdgpu_fence_driver_force_completion(ring, None)
    eventually(lambda: called)
    assert called == [-ECANCELED if passes_on else 0]
    assert amdgpu_fence_wait_empty(ring) == 0
    dma_fence_put(fence)


# -- bad use ---------------------------------------------------------------------------------------


def test_jobs_without_batches_are_refused(gpu):
    assert amdgpu_job_alloc(gpu.entity(), None, 0, 1, 0) == (-EINVAL, None)
    ret, job = amdgpu_job_alloc(gpu.entity(), None, 1, 1, 0)
    assert ret == 0
    assert amdgpu_ib_schedule(gpu.rings[0], 0, [], job) == (-EINVAL, None)
    amdgpu_job_free(job)


def test_a_ring_that_is_not_ready_takes_nothing(gpu, kernel):
    ret, job = amdgpu_job_alloc(gpu.entity(), None, 1, 1, 0)
    assert ret == 0
    gpu.rings[0].sched.ready = False
    assert amdgpu_ib_schedule(gpu.rings[0], 1, job.ibs, job) == (-EINVAL, None)
    gpu.rings[0].sched.ready = True
    assert messages(kernel) == ["amdgpu 0000:03:00.0: couldn't schedule ib on ring <gfx_0.0.0>"]
    amdgpu_job_free(job)


def test_too_large_a_submission_is_refused(gpu, kernel):
    ring = gpu.rings[0]
    assert amdgpu_ring_alloc(ring, ring.max_dw + 1) == -ENOMEM
    assert len(take_warnings(kernel)) == 1


def test_writing_more_than_was_asked_for_is_noted_and_undo_goes_back(gpu, kernel):
    ring = gpu.rings[0]
    assert amdgpu_ring_alloc(ring, 1) == 0
    before = ring.wptr
    amdgpu_ring_write(ring, 0)
    assert messages(kernel) == []
    amdgpu_ring_write(ring, 0)
    assert messages(kernel) == ["amdgpu: writing more dwords to the ring than expected!"]
    amdgpu_ring_undo(ring)
    assert ring.wptr == before
    amdgpu_ring_alloc(ring, 0)
    amdgpu_ring_commit(ring)


def test_job_allocation_without_memory(gpu):
    entity = gpu.entity()
    for nth in range(1, 10):
        before = set(live)
        fail_nth(nth)
        ret, job = amdgpu_job_alloc(entity, None, 2, 1, 0)
        fail_nth(0)
        if ret == 0:
            break
        assert (ret, job) == (-ENOMEM, None)
        assert set(live) == before
    assert nth == 4, "job, hardware fence, scheduler fence"
    amdgpu_job_free(job)


def test_a_job_of_an_entity_without_run_queue(gpu, scheduler):
    entity = gpu.entity()
    rq, entity.rq = entity.rq, None
    if scheduler != "v7_2":
        assert amdgpu_job_alloc(entity, None, 1, 1, 0) == (-ENOENT, None)
        entity.rq = rq
        return
    with pytest.raises(AttributeError):
        # As in the kernel the message looks at a scheduler that nobody has set yet.
        assert amdgpu_job_alloc(entity, None, 1, 1, 0)[0] == -ENOENT
    entity.rq = rq
    for job in [o for o in live.values() if type(o).__name__ in ("amdgpu_job", "amdgpu_fence")]:
        kfree(job)


# -- the device ------------------------------------------------------------------------------------


def test_a_device_without_memory_leaves_nothing_behind(kernel, scheduler):
    for nth in range(1, 60):
        before = set(live)
        fail_nth(nth)
        ret, adev = amdgpu_device_init("gpu", ["gfx", "sdma"], 1000)
        fail_nth(0)
        if ret == 0:
            break
        assert (ret, adev) == (-ENOMEM, None)
        left = [live[key] for key in set(live) - before]
        assert not [obj for obj in left if type(obj).__name__ != "struct_kthread"], nth
    assert nth > (15 if scheduler == "v7_2" else 6)
    amdgpu_device_fini(adev)


def test_fini_waits_until_every_job_has_been_freed(kernel):
    gpu = Gpu("gfx")
    entity = gpu.entity()
    for _ in range(10):
        dma_fence_put(gpu.submit(entity, MS))
    gpu.close()
    assert len(gpu.done) == 10


def test_a_device_without_rings(kernel):
    ret, adev = amdgpu_device_init("gpu", [], 1000)
    assert (ret, adev.num_rings) == (0, 0)
    amdgpu_device_fini(adev)


def test_many_devices_come_and_go(kernel):
    for n in range(15):
        gpu = Gpu("gfx", "comp")
        dma_fence_put(gpu.submit(gpu.entity(n % 2), 0))
        gpu.close()


def test_a_ring_with_more_credits_than_the_kernels_two(kernel):
    gpu = Gpu("gfx", credit_limit=100)
    assert gpu.rings[0].num_hw_submission == 128
    entity = gpu.entity()
    fences = [gpu.submit(entity, None) for _ in range(50)]
    eventually(lambda: gpu.rings[0].fence_drv.sync_seq == 50)
    never(lambda: gpu.done, msecs=5)
    for batch in gpu.batches:
        batch.end(gpu.adev.gpu.machine)
    for fence in fences:
        dma_fence_wait(fence, False)
        dma_fence_put(fence)
    sleep_ms(1)
    gpu.close()
