# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the planted faults of the check `memory` are planted into: small uses of the port.

Each scene is right as it stands: it ends with everything freed and nothing to report.
"""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_enable_sw_signaling,
    dma_fence_get,
    dma_fence_is_signaled,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_timeline_name,
)
from kport.dma_buf.dma_fence_array import dma_fence_array_create
from kport.dma_buf.dma_fence_chain import dma_fence_chain_alloc, dma_fence_chain_init
from kport.dma_buf.dma_resv import (
    DMA_RESV_USAGE_WRITE,
    dma_resv,
    dma_resv_add_fence,
    dma_resv_fini,
    dma_resv_init,
    dma_resv_lock,
    dma_resv_reserve_fences,
    dma_resv_unlock,
)
from kport.drm.drm_syncobj import (
    drm_syncobj_create,
    drm_syncobj_put,
    drm_syncobj_replace_fence,
)
from kport.drm.scheduler import v7_2
from kport.linux.jiffies import HZ
from kport.linux.list import list_empty
from kport.linux.rcupdate import rcu_barrier, rcu_read_lock, rcu_read_unlock
from kport.linux.slab import fail_nth, is_freed, kfree, kzalloc_objs, pointer
from tests.dma_buf.fences import new
from tests.drm.scheduler.driver import Driver, instant
from tests.support import eventually, sleep_ms

# -- the scheduler ---------------------------------------------------------------------------------


def jobs(kernel: Any) -> None:
    """Two entities: a job of one waits for a job of the other and for somebody else's fence."""
    driver = Driver(v7_2)
    sched = driver.scheduler(timeout=10 * HZ, credit_limit=4)
    one, two = driver.entity(sched), driver.entity(sched)
    first = driver.submit(one)
    other = new()
    later = new(other.context, 2)
    waiting = driver.job(two, after=[first.finished, other, later, other], run=instant)
    driver.push(waiting)
    eventually(lambda: first.running)
    eventually(lambda: not list_empty(later.cb_list))  # the scheduler waits for it
    first.end()
    dma_fence_signal(other)
    dma_fence_signal(later)
    waiting.wait()
    for fence in (other, later):
        dma_fence_put(fence)
    driver.submit(one, run=instant).wait()
    driver.close()


def discarded(kernel: Any) -> None:
    """A job with a dependency that is never armed."""
    driver = Driver(v7_2)
    other = new()
    driver.discard(driver.job(driver.entity(driver.scheduler()), after=[other]))
    dma_fence_signal(other)
    dma_fence_put(other)
    driver.close()


def killed(kernel: Any) -> None:
    """An entity is killed with a job that still waits; the job before it is over."""
    driver = Driver(v7_2)
    sched = driver.scheduler()
    entity = driver.entity(sched)
    driver.submit(entity, run=instant).wait()
    others = [new(), new()]
    waiting = driver.submit(entity, after=others)
    eventually(lambda: not list_empty(others[0].cb_list))
    driver.kill(entity)
    eventually(lambda: not list_empty(others[0].cb_list))
    for other in others:
        dma_fence_signal(other)
    waiting.wait()
    for other in others:
        dma_fence_put(other)
    driver.forget(entity)
    kfree(entity)
    driver.submit(driver.entity(sched), run=instant).wait()
    driver.close()


def entity_first(kernel: Any) -> None:
    """The entity of a running job is destroyed and freed, then the job ends."""
    driver = Driver(v7_2)
    sched = driver.scheduler()
    entity = driver.entity(sched)
    job = driver.submit(entity)
    eventually(lambda: job.running)
    driver.baseline.sched_entity.drm_sched_entity_destroy(entity)
    driver.forget(entity)
    kfree(entity)
    job.end()
    job.wait()
    driver.close()


def timed_out(kernel: Any) -> None:
    """A job times out; it ends while the driver looks at it, who puts it back."""
    driver = Driver(v7_2)

    def look(job: Any) -> int:
        dma_fence_signal(job.hw)
        sleep_ms(5)
        return int(driver.api.DRM_GPU_SCHED_STAT_NO_HANG)

    driver.on_timeout = look
    sched = driver.scheduler(timeout=2)
    driver.submit(driver.entity(sched)).wait()
    driver.close()


def cancelled(kernel: Any) -> None:
    """The scheduler is taken down while a job runs whose timeout is armed."""
    driver = Driver(v7_2)
    driver.on_cancel = lambda job: dma_fence_signal(job.hw)
    sched = driver.scheduler(timeout=10 * HZ)
    entity = driver.entity(sched)
    job = driver.submit(entity)
    eventually(lambda: job.running)
    driver.baseline.sched_entity.drm_sched_entity_destroy(entity)
    driver.baseline.sched_main.drm_sched_fini(sched)
    driver.forget(entity, sched)
    kfree(entity)
    kfree(sched)
    driver.close()


_late: list[Any] = []


def late(sched: Any) -> None:
    """Called before the scheduler looks for an entity: wait until its run queues are freed."""
    if sched in _late:
        eventually(lambda: sched.sched_rq is None or is_freed(sched.sched_rq[0]))


def behind_fini(kernel: Any) -> None:
    """The work item that runs jobs comes late: the scheduler is being taken down."""
    driver = Driver(v7_2)
    sched = driver.scheduler()
    driver.forget(sched)
    _late.append(sched)
    v7_2.sched_main.drm_sched_run_job_queue(sched)
    sleep_ms(2)
    v7_2.sched_main.drm_sched_fini(sched)
    sleep_ms(2)
    _late.clear()
    kfree(sched)


def named(kernel: Any) -> None:
    """Somebody asks for the name of a fence whose scheduler is gone."""
    driver = Driver(v7_2)
    job = driver.submit(driver.entity(driver.scheduler()), run=instant)
    job.wait()
    fence = dma_fence_get(job.finished)
    driver.close()
    rcu_read_lock()
    assert dma_fence_timeline_name(fence) == "signaled-timeline"
    rcu_read_unlock()
    dma_fence_put(fence)


def no_memory(kernel: Any) -> None:
    """drm_sched_init() fails at its third allocation."""
    driver = Driver(v7_2)
    sched = v7_2.gpu_scheduler.drm_gpu_scheduler()
    args = v7_2.gpu_scheduler.drm_sched_init_args(
        ops=driver.ops(), num_rqs=4, credit_limit=1, timeout=HZ, name="x", dev=driver.dev
    )
    args.submit_wq = driver.scheduler().submit_wq
    fail_nth(3)
    assert v7_2.sched_main.drm_sched_init(sched, args) < 0
    fail_nth(0)
    driver.close()


# -- fences ----------------------------------------------------------------------------------------


def last_look(kernel: Any) -> None:
    """A reader has a fence in a read-side section while the last reference goes."""
    fence = new()
    dma_fence_signal(fence)
    rcu_read_lock()
    dma_fence_put(fence)
    assert fence.seqno == 1
    rcu_read_unlock()


def last_look_at_a_job(kernel: Any) -> None:
    """The same with the fence of a job."""
    driver = Driver(v7_2)
    job = driver.submit(driver.entity(driver.scheduler()), run=instant)
    job.wait()
    fence = dma_fence_get(job.finished)
    driver.close()
    rcu_read_lock()
    dma_fence_put(fence)
    assert dma_fence_is_signaled(fence)
    rcu_read_unlock()


def last_look_at_a_list(kernel: Any) -> None:
    """A reader has the list of a reservation while it grows."""
    obj = dma_resv()
    dma_resv_init(obj)
    assert dma_resv_lock(obj, None) == 0
    assert dma_resv_reserve_fences(obj, 1) == 0
    rcu_read_lock()
    seen = obj.fences
    assert dma_resv_reserve_fences(obj, 32) == 0
    assert seen is not obj.fences
    assert seen.num_fences == 0
    rcu_read_unlock()
    dma_resv_unlock(obj)
    dma_resv_fini(obj)


def signalled(kernel: Any) -> None:
    """A callback for a fence that has signalled is refused."""
    fence, cb = new(), dma_fence_cb()
    dma_fence_signal(fence)
    assert dma_fence_add_callback(fence, cb, lambda f, c: None) != 0
    dma_fence_put(fence)


def arrays(kernel: Any) -> None:
    """An array of two fences, waited for, then both signal."""
    fences = kzalloc_objs(pointer, 2)
    parts = [new(), new()]
    for i, part in enumerate(parts):
        fences[i] = dma_fence_get(part)
    array = dma_fence_array_create(2, fences, 1, 1)
    dma_fence_enable_sw_signaling(array.base)
    for part in parts:
        dma_fence_signal(part)
    eventually(lambda: dma_fence_is_signaled(array.base))
    for part in parts:
        dma_fence_put(part)
    dma_fence_put(array.base)


def chains(kernel: Any) -> None:
    """A chain of two points, waited for, then both signal."""
    parts = [new(), new()]
    prev: dma_fence | None = None
    for number, part in enumerate(parts):
        chain = dma_fence_chain_alloc()
        dma_fence_chain_init(chain, prev, dma_fence_get(part), number + 1)
        prev = chain.base
    dma_fence_enable_sw_signaling(prev)
    for part in parts:
        dma_fence_signal(part)
        dma_fence_put(part)
    eventually(lambda: dma_fence_is_signaled(prev))
    dma_fence_put(prev)


def reservations(kernel: Any) -> None:
    """A reservation with five fences that grows on the way."""
    obj = dma_resv()
    dma_resv_init(obj)
    assert dma_resv_lock(obj, None) == 0
    parts = [new() for _ in range(6)]
    for part in parts:
        assert dma_resv_reserve_fences(obj, 1) == 0
        dma_resv_add_fence(obj, part, DMA_RESV_USAGE_WRITE)
    for part in parts:
        dma_fence_signal(part)
        dma_fence_put(part)
    dma_resv_unlock(obj)
    dma_resv_fini(obj)


def syncobjs(kernel: Any) -> None:
    """A syncobj whose fence is replaced."""
    ret, obj = drm_syncobj_create(0, None)
    assert ret == 0
    for _ in range(2):
        fence = new()
        drm_syncobj_replace_fence(obj, fence)
        dma_fence_signal(fence)
        dma_fence_put(fence)
    drm_syncobj_put(obj)
    rcu_barrier()
