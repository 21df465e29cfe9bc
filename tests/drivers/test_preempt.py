# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Mid-command-buffer preemption through the debugfs file: its order, its errors, its jobs."""

from __future__ import annotations

import pytest

from kport.drivers.amdgpu import amdgpu_debugfs
from kport.drivers.amdgpu.amdgpu import AMDGPU_IB_PREEMPTED, to_amdgpu_job
from kport.drivers.amdgpu.amdgpu_debugfs import amdgpu_debugfs_ib_preempt
from kport.drivers.compat import struct_of
from kport.hw.faults import Cure, Fault, Kind
from kport.linux.atomic import atomic_read
from kport.linux.err import EBUSY, EINTR, EINVAL, ENOMEM
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.list import list_first_entry
from kport.linux.rwsem import down_write, up_write
from kport.linux.sched import SIGKILL, send_sig
from kport.linux.slab import fail_nth
from tests.drivers.gpu import Gpu
from tests.support import MS, Thread, eventually, messages, never, sleep_ms

LONG = msecs_to_jiffies(60_000)
STEPS = (
    "amdgpu_ring_sched_stop",
    "amdgpu_ring_preempt_ib",
    "amdgpu_fence_process",
    "amdgpu_ib_preempt_mark_partial_job",
    "amdgpu_ib_preempt_fences_swap",
    "amdgpu_fence_driver_force_completion",
    "amdgpu_ib_preempt_job_recovery",
    "amdgpu_fence_wait_empty",
    "amdgpu_ib_preempt_signal_fences",
    "amdgpu_ring_sched_start",
)


@pytest.fixture
def gpu(kernel):
    made = Gpu("gfx", "sdma", timeout=LONG, credit_limit=4)
    yield made
    made.close()


def preempt(gpu: Gpu, ring: int = 0) -> int:
    return amdgpu_debugfs_ib_preempt(gpu.adev, ring)


def test_a_long_batch_is_preempted_and_goes_on_where_it_was(gpu, kernel):
    long = gpu.job(gpu.entity(), 50 * MS)
    behind = [gpu.job(gpu.entity(), MS) for _ in range(2)]
    eventually(lambda: gpu.rings[0].hw.running is long.batches[0])
    eventually(lambda: gpu.rings[0].fence_drv.sync_seq == 3)
    sleep_ms(10)
    assert preempt(gpu) == 0
    spent = long.batches[0].spent
    assert 10 * MS <= spent < 50 * MS
    assert [long.wait(), *(job.wait() for job in behind)] == [1, 1, 1]
    assert long.batches[0].ended - long.batches[0].began == 50 * MS - spent
    assert gpu.rings[0].hw.busy == 52 * MS
    assert len(long.freed) == 1
    assert gpu.rings[0].fence_drv.sync_seq == 6, "each was emitted twice"
    assert "ring 0 was preempted" in messages(kernel)[0]


def test_the_preempted_job_is_marked_and_the_others_are_not(gpu, monkeypatch):
    marks = []
    recovery = amdgpu_debugfs.amdgpu_ib_preempt_job_recovery

    def look(sched):
        entry = list_first_entry(sched.pending_list, struct_of("drm_sched_job"), "list")
        following = list_first_entry(entry.list, struct_of("drm_sched_job"), "list")
        marks.extend(to_amdgpu_job(job).preemption_status for job in (entry, following))
        recovery(sched)

    monkeypatch.setattr(amdgpu_debugfs, "amdgpu_ib_preempt_job_recovery", look)
    jobs = [gpu.job(gpu.entity(), 20 * MS), gpu.job(gpu.entity(), MS)]
    eventually(lambda: gpu.rings[0].hw.running and gpu.rings[0].fence_drv.sync_seq == 2)
    assert preempt(gpu) == 0
    assert [job.wait() for job in jobs] == [1, 1]
    assert marks == [AMDGPU_IB_PREEMPTED, 0]


def test_the_steps_come_in_the_order_of_the_kernel(gpu, monkeypatch):
    taken = []

    def noting(name, step):
        def noted(*args):
            taken.append(name)
            return step(*args)

        return noted

    for name in STEPS:
        monkeypatch.setattr(amdgpu_debugfs, name, noting(name, getattr(amdgpu_debugfs, name)))
    job = gpu.job(gpu.entity(), 20 * MS)
    eventually(lambda: gpu.rings[0].hw.running)
    assert preempt(gpu) == 0
    assert tuple(taken) == STEPS
    assert job.wait() == 1


def test_no_job_runs_or_is_freed_while_the_scheduler_is_stopped(gpu, monkeypatch):
    during = []

    def wait_and_look(ring):
        later = gpu.job(gpu.entity(), MS)
        never(lambda: later.batches[0].began, msecs=10)
        during.append(later)
        return 0

    monkeypatch.setattr(amdgpu_debugfs, "amdgpu_ring_preempt_ib", wait_and_look)
    assert preempt(gpu) == 0
    assert during[0].wait() == 1


def test_an_idle_ring_is_not_disturbed(gpu, kernel):
    for _ in range(3):
        assert preempt(gpu) == 0
    assert gpu.rings[0].trail_seq == 3
    assert gpu.rings[0].fence_drv.sync_seq == 0
    assert gpu.job(gpu.entity(), MS).wait() == 1
    assert messages(kernel) == []


def test_again_and_again(gpu):
    jobs = [gpu.job(gpu.entity(), 10 * MS) for _ in range(3)]
    for _ in range(12):
        sleep_ms(2)
        assert preempt(gpu) == 0
    assert [job.wait() for job in jobs] == [1, 1, 1]
    assert all(len(job.freed) == 1 for job in jobs)
    assert gpu.rings[0].hw.busy == 30 * MS
    ring = gpu.rings[0]
    assert atomic_read(ring.fence_drv.last_seq) == ring.fence_drv.sync_seq


def test_an_endless_batch_stays_one(gpu):
    job = gpu.job(gpu.entity(), None)
    eventually(lambda: gpu.rings[0].hw.running)
    writer = Thread(preempt, gpu)
    eventually(lambda: gpu.rings[0].fence_drv.sync_seq == 2)
    never(lambda: job.status, msecs=10)
    assert not writer.done, "it waits for the ring's fences"
    job.batches[0].end(gpu.adev.gpu.machine)
    assert writer.join() == 0
    assert job.wait() == 1


# -- errors ----------------------------------------------------------------------------------------


def test_rings_that_are_none_or_cannot(gpu):
    assert preempt(gpu, 2) == -EINVAL
    assert preempt(gpu, 1) == -EINVAL, "sdma"
    gpu.rings[0].sched.ready = False
    assert preempt(gpu) == -EINVAL
    gpu.rings[0].sched.ready = True


def test_an_engine_that_does_not_answer_and_the_next_attempt(kernel):
    faults = [Fault(Kind.HANG, at=1, cure=Cure.RING)]
    gpu = Gpu("gfx", timeout=msecs_to_jiffies(400), faults=faults)
    job = gpu.job(gpu.entity(), MS)
    eventually(lambda: gpu.rings[0].hw.hung)
    assert preempt(gpu) == -EINVAL
    assert messages(kernel) == [
        "*ERROR* ring 0 failed to preempt ib",
        "amdgpu 0000:03:00.0: failed to preempt ring 0",
    ]
    assert preempt(gpu) == -EBUSY
    eventually(lambda: job.over)
    assert gpu.stats.ring == 1, "the timeout handler was not kept from its work"
    gpu.close()


def test_without_memory(gpu):
    fail_nth(1)
    assert preempt(gpu) == -ENOMEM
    fail_nth(0)
    assert gpu.job(gpu.entity(), MS).wait() == 1


def test_a_writer_that_is_killed_while_a_reset_is_under_way(gpu):
    down_write(gpu.adev.reset_domain.sem)
    writer = Thread(preempt, gpu)
    never(lambda: writer.done, msecs=10)
    send_sig(SIGKILL, writer.task)
    assert writer.join() == -EINTR
    up_write(gpu.adev.reset_domain.sem)
    assert preempt(gpu) == 0
