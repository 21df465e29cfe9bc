# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the planted faults of the check `lockdep` are planted into, and scenes that are faults.

The scenes in the first half are right as they stand and end with nothing to report. Those in the
second half break a rule of locks themselves; no other task is in the way, so nothing blocks.
"""

from __future__ import annotations

from typing import Any

from kport.arch.asm import spin_lock, spin_lock_init, spin_lock_irqsave, spin_unlock
from kport.arch.types import spinlock_t
from kport.dma_buf.dma_fence import (
    dma_fence_add_callback,
    dma_fence_begin_signalling,
    dma_fence_cb,
    dma_fence_end_signalling,
    dma_fence_get_status,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_wait_timeout,
)
from kport.dma_buf.dma_resv import (
    dma_resv,
    dma_resv_fini,
    dma_resv_init,
    dma_resv_lock,
    dma_resv_unlock,
)
from kport.dma_buf.sw_sync import SW_SYNC_IOC_INC
from kport.drm.drm_exec import (
    drm_exec,
    drm_exec_cleanup,
    drm_exec_fini,
    drm_exec_init,
    drm_exec_lock_obj,
)
from kport.drm.scheduler import v7_2
from kport.linux.fs import O_RDWR
from kport.linux.hrtimer import (
    CLOCK_MONOTONIC,
    HRTIMER_MODE_REL,
    HRTIMER_NORESTART,
    hrtimer,
    hrtimer_setup,
    hrtimer_start,
)
from kport.linux.jiffies import jiffies
from kport.linux.mm import might_alloc, mm_alloc, mmap_read_lock, mmap_read_unlock, mmput
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock
from kport.linux.rcupdate import rcu_read_lock, rcu_read_unlock
from kport.linux.rwlock import (
    read_lock,
    read_unlock,
    rwlock_init,
    rwlock_t,
    write_lock,
    write_unlock,
)
from kport.linux.slab import GFP_KERNEL, kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock_irq, spin_unlock_irq, spin_unlock_irqrestore
from kport.linux.struct import struct
from kport.linux.syscalls import sys_close, sys_ioctl, sys_open
from kport.linux.timer import mod_timer, timer_delete_sync, timer_list, timer_setup
from kport.linux.workqueue import (
    INIT_WORK,
    alloc_workqueue,
    destroy_workqueue,
    flush_work,
    flush_workqueue,
    queue_work,
    work_struct,
)
from tests.check.memory_scenes import arrays, chains, jobs, killed, syncobjs
from tests.dma_buf.fences import new
from tests.dma_buf.sync_files import SW_SYNC
from tests.drm.scheduler.driver import Driver, instant, lasting
from tests.drm.test_drm_exec import buffers, put
from tests.support import Thread, sleep_ms

__all__ = ["arrays", "chains", "jobs", "killed", "syncobjs"]


# -- right -----------------------------------------------------------------------------------------


def knobs(kernel: Any) -> None:
    """An entity runs a job, changes its priority twice, its schedulers, and says its error."""
    driver = Driver(v7_2)
    sched = driver.scheduler()
    entity = driver.entity(sched)
    other = driver.entity(sched)
    driver.submit(entity, run=instant).wait()
    v7_2.sched_entity.drm_sched_entity_set_priority(entity, 1)
    v7_2.sched_entity.drm_sched_entity_set_priority(entity, 2)
    v7_2.sched_entity.drm_sched_entity_modify_sched(entity, [sched], 1)
    assert v7_2.sched_entity.drm_sched_entity_error(entity) == 0
    driver.submit(entity, run=instant).wait()
    driver.submit(other, run=instant).wait()
    driver.close()


def interrupts(kernel: Any) -> None:
    """Jobs that end in interrupts."""
    driver = Driver(v7_2)
    entity = driver.entity(driver.scheduler())
    for _ in range(3):
        driver.submit(entity, run=lasting(100_000)).wait()
    fence = new()
    assert dma_fence_get_status(fence) == 0
    dma_fence_signal(fence)
    dma_fence_put(fence)
    driver.close()


def locked_by_a_thread(kernel: Any) -> None:
    """A thread locks and unlocks a reservation."""
    obj = dma_resv()
    dma_resv_init(obj)

    def run() -> None:
        assert dma_resv_lock(obj, None) == 0
        dma_resv_unlock(obj)

    Thread(run).join()
    sleep_ms(1)


def round_of_three(kernel: Any) -> None:
    """Three buffers are locked in one context."""
    objects = buffers(3)
    ex = drm_exec()
    drm_exec_init(ex, 0, 0)
    while drm_exec_cleanup(ex):
        for obj in objects:
            assert drm_exec_lock_obj(ex, obj) == 0
    drm_exec_fini(ex)
    put(*objects)


def queue_comes_and_goes(kernel: Any) -> None:
    """A workqueue is made, used and destroyed."""
    wq = alloc_workqueue("scene", 0, 0)
    work = work_struct()
    INIT_WORK(work, lambda w: None)
    queue_work(wq, work)
    flush_workqueue(wq)
    destroy_workqueue(wq)


def timeline(kernel: Any) -> None:
    """A program makes a timeline, moves it on, and closes it."""
    fd = sys_open(SW_SYNC, O_RDWR)
    assert sys_ioctl(fd, SW_SYNC_IOC_INC, [1]) == 0
    sys_close(fd)


def timers(kernel: Any) -> None:
    """A timer and a high resolution timer take a lock in their callbacks."""
    lock = spinlock_t()
    spin_lock_init(lock, "scene_lock")
    done = []

    def expired(timer: Any) -> int:
        flags = spin_lock_irqsave(lock)
        done.append(1)
        spin_unlock_irqrestore(lock, flags)
        return HRTIMER_NORESTART

    timer, fine = timer_list(), hrtimer()
    timer_setup(timer, expired, 0)
    mod_timer(timer, jiffies() + 1)
    hrtimer_setup(fine, expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
    hrtimer_start(fine, 100_000, HRTIMER_MODE_REL)
    for _ in range(200):
        if len(done) == 2:
            break
        sleep_ms(5)
    assert len(done) == 2
    timer_delete_sync(timer)


# -- wrong -----------------------------------------------------------------------------------------


class pair(struct):
    """Two locks of two classes."""

    a: spinlock_t
    b: spinlock_t
    m: mutex
    n: mutex
    rw: rwlock_t


def _pair() -> Any:
    made = kzalloc_obj(pair)
    spin_lock_init(made.a)
    spin_lock_init(made.b)
    mutex_init(made.m)
    mutex_init(made.n)
    rwlock_init(made.rw)
    return made


def _nest(outer: Any, inner: Any) -> None:
    spin_lock(outer)
    spin_lock(inner)
    spin_unlock(inner)
    spin_unlock(outer)


def two_tasks_two_orders(kernel: Any) -> None:
    """Two tasks take two locks in different orders, one after the other."""
    p = _pair()
    Thread(_nest, p.a, p.b).join()
    Thread(_nest, p.b, p.a).join()
    kfree(p)


def mutexes_in_two_orders(kernel: Any) -> None:
    """The same with mutexes, in one task."""
    p = _pair()
    for outer, inner in ((p.m, p.n), (p.n, p.m)):
        mutex_lock(outer)
        mutex_lock(inner)
        mutex_unlock(inner)
        mutex_unlock(outer)
    kfree(p)


def reader_and_writer_in_two_orders(kernel: Any) -> None:
    """A lock under a reader, and a writer under the lock."""
    p = _pair()
    read_lock(p.rw)
    spin_lock(p.a)
    spin_unlock(p.a)
    read_unlock(p.rw)
    spin_lock(p.a)
    write_lock(p.rw)
    write_unlock(p.rw)
    spin_unlock(p.a)
    kfree(p)


def two_of_a_class(kernel: Any) -> None:
    """Two locks that were initialised at one place."""
    made = [_pair(), _pair()]
    _nest(made[0].a, made[1].a)
    for p in made:
        kfree(p)


def two_reservations(kernel: Any) -> None:
    """Two reservations without a context."""
    made = [dma_resv(), dma_resv()]
    for obj in made:
        dma_resv_init(obj)
        assert dma_resv_lock(obj, None) == 0
    for obj in made:
        dma_resv_unlock(obj)
        dma_resv_fini(obj)


def mmap_lock_under_a_reservation(kernel: Any) -> None:
    """dma_resv_lockdep() has said at boot that it is the other way round."""
    obj, mm = dma_resv(), mm_alloc()
    dma_resv_init(obj)
    assert dma_resv_lock(obj, None) == 0
    mmap_read_lock(mm)
    mmap_read_unlock(mm)
    dma_resv_unlock(obj)
    dma_resv_fini(obj)
    mmput(mm)


def reservation_in_a_signalling_section(kernel: Any) -> None:
    """What holds a reservation may wait for a fence; here the fence waits for a reservation."""
    obj = dma_resv()
    dma_resv_init(obj)
    cookie = dma_fence_begin_signalling()
    assert dma_resv_lock(obj, None) == 0
    dma_resv_unlock(obj)
    dma_fence_end_signalling(cookie)
    dma_resv_fini(obj)


def wait_in_a_signalling_section(kernel: Any) -> None:
    """A fence that another one waits for."""
    fence, p = new(), _pair()
    dma_fence_signal(fence)
    mutex_lock(p.m)
    dma_fence_wait_timeout(fence, False, 10)
    mutex_unlock(p.m)
    cookie = dma_fence_begin_signalling()
    mutex_lock(p.m)
    mutex_unlock(p.m)
    dma_fence_end_signalling(cookie)
    dma_fence_put(fence)
    kfree(p)


def allocation_in_a_signalling_section(kernel: Any) -> None:
    """Reclaim waits for fences."""
    cookie = dma_fence_begin_signalling()
    might_alloc(GFP_KERNEL)
    dma_fence_end_signalling(cookie)


def flush_under_the_lock_of_the_work(kernel: Any) -> None:
    """A work item takes a mutex under which it is flushed."""
    p = _pair()
    wq = alloc_workqueue("scene", 0, 0)
    work = work_struct()

    def run(work: work_struct) -> None:
        mutex_lock(p.m)
        mutex_unlock(p.m)

    INIT_WORK(work, run)
    queue_work(wq, work)
    flush_work(work)
    mutex_lock(p.m)
    flush_workqueue(wq)
    mutex_unlock(p.m)
    destroy_workqueue(wq)
    kfree(p)


def timer_deleted_under_its_lock(kernel: Any) -> None:
    """A timer takes a lock under which it is deleted."""
    p = _pair()
    timer = timer_list()

    def expired(timer: timer_list) -> None:
        flags = spin_lock_irqsave(p.a)
        spin_unlock_irqrestore(p.a, flags)

    timer_setup(timer, expired, 0)
    mod_timer(timer, jiffies() + 1)
    sleep_ms(30)
    flags = spin_lock_irqsave(p.a)
    timer_delete_sync(timer)
    spin_unlock_irqrestore(p.a, flags)
    kfree(p)


def timer_takes_an_unsafe_lock(kernel: Any) -> None:
    """A lock of a softirq is held with softirqs on."""
    p = _pair()
    timer = timer_list()

    def expired(timer: timer_list) -> None:
        spin_lock(p.a)
        spin_unlock(p.a)

    spin_lock(p.a)
    spin_unlock(p.a)
    timer_setup(timer, expired, 0)
    mod_timer(timer, jiffies() + 1)
    sleep_ms(30)
    timer_delete_sync(timer)
    kfree(p)


def interrupts_on_under_a_lock_of_interrupts(kernel: Any) -> None:
    """An inner lock lets interrupts come while the outer one is held that they take."""
    p = _pair()
    timer = hrtimer()

    def expired(timer: hrtimer) -> int:
        spin_lock(p.a)
        spin_unlock(p.a)
        return HRTIMER_NORESTART

    hrtimer_setup(timer, expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
    hrtimer_start(timer, 1000, HRTIMER_MODE_REL)
    sleep_ms(5)
    flags = spin_lock_irqsave(p.a)
    spin_lock_irq(p.b)
    spin_unlock_irq(p.b)
    spin_unlock_irqrestore(p.a, flags)
    kfree(p)


def unsafe_lock_under_a_lock_of_interrupts(kernel: Any) -> None:
    """A lock that interrupts take comes to wait for one that is held with interrupts on."""
    p = _pair()
    timer = hrtimer()

    def expired(timer: hrtimer) -> int:
        spin_lock(p.a)
        spin_unlock(p.a)
        return HRTIMER_NORESTART

    spin_lock(p.b)
    spin_unlock(p.b)
    hrtimer_setup(timer, expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
    hrtimer_start(timer, 1000, HRTIMER_MODE_REL)
    sleep_ms(5)
    flags = spin_lock_irqsave(p.a)
    spin_lock(p.b)
    spin_unlock(p.b)
    spin_unlock_irqrestore(p.a, flags)
    kfree(p)


def mutex_in_a_reader(kernel: Any) -> None:
    """A mutex in a read-side section of RCU."""
    p = _pair()
    rcu_read_lock()
    mutex_lock(p.m)
    mutex_unlock(p.m)
    rcu_read_unlock()
    kfree(p)


def freed_with_its_lock(kernel: Any) -> None:
    """An object is freed with a lock in it held."""
    p = _pair()
    spin_lock(p.a)
    kfree(p)


def callback_signals_another(kernel: Any) -> None:
    """A callback signals a fence whose lock is of the same class as the one it runs under."""
    first, second = new(), new()
    cb = dma_fence_cb()
    dma_fence_add_callback(first, cb, lambda f, c: dma_fence_signal(second))
    dma_fence_signal(first)
    dma_fence_put(first)
    dma_fence_put(second)
