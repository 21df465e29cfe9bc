# SPDX-FileCopyrightText: 2002 Ingo Molnar
# SPDX-FileCopyrightText: 2010 SUSE Linux Products GmbH
# SPDX-FileCopyrightText: 2010 Tejun Heo <tj@kernel.org>
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/workqueue.c and include/linux/workqueue.h, Linux 7.2.13, on 2026-11-20.
"""Workqueues, modelled after the kernel's functions of the same names.

Shape: a workqueue has one pool_workqueue (pwq), which counts its active items and holds back those
above max_active; a pool has a worklist and workers. Two pools are bound (system_percpu_wq and its
like, normal and high priority) and two unbound. A bound pool stands for all CPUs: it runs as many
items at once as the machine has CPUs, more only while workers sleep, as concurrency management
does per CPU.

Exact: PENDING is cleared just before the function runs; an item never runs twice at once; ordered
queues run one item at a time in queueing order; queue_delayed_work() leaves a running timer alone,
mod_delayed_work() never does; cancel_*_sync() refuses to be requeued while it waits; flush waits
for what was queued before it; drain takes only chained work; a WQ_MEM_RECLAIM queue makes progress
through its rescuer when no worker can be made.

Different: the word `work->data` is spelled out in fields; the lists of items are deques;
flush colours are numbers that never wrap; idle workers are not culled; a
pool makes its first worker with its first item, not at boot.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Any

from kport.arch.asm import (
    clear_bit,
    cpu_relax,
    current,
    local_irq_restore,
    local_irq_save,
    spin_lock,
    spin_lock_irq,
    spin_lock_irqsave,
    spin_unlock,
    spin_unlock_irq,
    spin_unlock_irqrestore,
    test_and_set_bit,
    test_bit,
)
from kport.arch.types import bitmap, spinlock_t, thread_info
from kport.linux import atomic_sleep, sched
from kport.linux.bug import WARN_ON, WARN_ON_ONCE, WARN_ONCE, KernelBug
from kport.linux.completion import (
    complete,
    completion,
    init_completion,
    wait_for_completion,
)
from kport.linux.err import EAGAIN
from kport.linux.fork import PF_SERVICE, kernel_thread
from kport.linux.jiffies import jiffies
from kport.linux.kconfig import HZ
from kport.linux.kthread import kthread_should_stop, kthread_stop, to_kthread
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add,
    list_add_tail,
    list_del_init,
    list_empty,
    list_first_entry,
    list_first_entry_or_null,
    list_head,
)
from kport.linux.lockdep import (
    lock_class_key,
    lock_map_acquire,
    lock_map_release,
    lockdep_init_map,
    lockdep_map,
    lockdep_register_key,
    lockdep_unregister_key,
)
from kport.linux.module import EXPORT_SYMBOL, EXPORT_SYMBOL_GPL, boot_data
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock
from kport.linux.printk import pr_err, pr_warn, pr_warn_once
from kport.linux.sched import (
    PF_MEMALLOC,
    PF_WQ_WORKER,
    TASK_IDLE,
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    __set_current_state,
    might_sleep,
    schedule,
    schedule_timeout,
    set_current_state,
    task_struct,
    wake_up_state,
)
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import raw_spin_lock_init
from kport.linux.struct import container_of, struct
from kport.linux.timer import (
    add_timer,
    mod_timer,
    timer_container_of,
    timer_delete,
    timer_delete_sync,
    timer_list,
    timer_pending,
    timer_setup,
)
from kport.linux.vsprintf import sprintf

WORK_STRUCT_PENDING_BIT = 0

WQ_UNBOUND = 1 << 1
WQ_FREEZABLE = 1 << 2
WQ_MEM_RECLAIM = 1 << 3
WQ_HIGHPRI = 1 << 4
WQ_PERCPU = 1 << 8
__WQ_DESTROYING = 1 << 15
__WQ_DRAINING = 1 << 16
__WQ_ORDERED = 1 << 17
__WQ_LEGACY = 1 << 18
__WQ_DEPRECATED = 1 << 20

WQ_MAX_ACTIVE = 2048
WQ_DFL_ACTIVE = WQ_MAX_ACTIVE // 2

WORK_CPU_UNBOUND = 64
WORK_BUSY_PENDING = 1 << 0
WORK_BUSY_RUNNING = 1 << 1
WORK_CANCEL_DELAYED = 1 << 0
WORK_CANCEL_DISABLE = 1 << 1

WORKER_IDLE = 1 << 2
WORKER_PREP = 1 << 3
WORKER_UNBOUND = 1 << 7
WORKER_NOT_RUNNING = WORKER_PREP | WORKER_UNBOUND
POOL_MANAGER_ACTIVE = 1 << 0

MAYDAY_INITIAL_TIMEOUT = HZ // 100 if HZ >= 200 else 2
MAYDAY_INTERVAL = HZ // 10
CREATE_COOLDOWN = HZ
RESCUER_BATCH = 16

work_func_t = Callable[["work_struct"], None]


class work_struct(struct):
    """A work item.

    `data` has the PENDING bit. `queued`: on a list. `pwq` is where it is queued, else None and
    `pool` the pool it was on last. `inactive`: held back by max_active. `linked`: the next item in
    the list must follow it.
    """

    data: bitmap
    queued: bool
    func: work_func_t | None
    pwq: pool_workqueue | None
    pool: worker_pool | None
    color: int
    inactive: bool
    linked: bool
    lockdep_map: Any
    disable: int


class delayed_work(struct):
    """A work item that a timer queues; `timer.expires` is when, in ticks."""

    work: work_struct
    timer: timer_list
    wq: workqueue_struct | None
    cpu: int


class worker_pool(struct):
    """Workers and what they have to do. `limit`: items that may run at once, 0 for unbound."""

    lock: spinlock_t
    name: str
    flags: int
    limit: int
    nr_running: int
    worklist: deque[work_struct] | None
    nr_workers: int
    nr_idle: int
    idle_list: list_head
    busy: dict[work_struct, worker]
    mayday_timer: timer_list
    manager: worker | None
    next_id: int


class worker(struct):
    """A thread of a pool, or the rescuer of a workqueue."""

    entry: list_head
    current_work: work_struct | None
    current_func: work_func_t | None
    current_pwq: pool_workqueue | None
    current_color: int
    scheduled: deque[work_struct] | None
    task: task_struct | None
    pool: worker_pool | None
    flags: int
    sleeping: int
    id: int
    rescue_wq: workqueue_struct | None


worker_t = worker  # for functions with a local of that name


class pool_workqueue(struct):
    """A workqueue's half of a pool: active items, those held back, items in flight by colour."""

    pool: worker_pool | None
    wq: workqueue_struct | None
    work_color: int
    nr_in_flight: dict[int, int]
    nr_active: int
    inactive_works: deque[work_struct] | None
    mayday_node: list_head
    flushers: list[tuple[int, completion]]


class workqueue_struct(struct):
    """A workqueue. `max_active` is 0 while it is frozen, else `saved_max_active`."""

    name: str
    flags: int
    max_active: int
    saved_max_active: int
    nr_drainers: int
    mutex: mutex
    pwq: pool_workqueue | None
    maydays: list_head
    rescuer: worker | None
    lockdep_map: lockdep_map | None
    key: lock_class_key
    _lockdep_map: lockdep_map  # type: ignore[valid-type]  # the member above has its name
    started: int


class wq_barrier(struct):
    """The item a flush puts behind the one it waits for."""

    work: work_struct
    done: completion
    task: task_struct | None


system_percpu_wq = workqueue_struct()
system_highpri_wq = workqueue_struct()
system_dfl_wq = workqueue_struct()
system_wq = workqueue_struct()
system_unbound_wq = workqueue_struct()

_bound = [worker_pool(), worker_pool()]
_unbound = [worker_pool(), worker_pool()]
wq_mayday_lock = spinlock_t()
wq_pool_mutex = mutex()
workqueues: dict[int, workqueue_struct] = {}
workqueue_freezing = False

# Tests set this to make that many coming attempts to create a worker fail.
creation_failures = 0


@boot_data
def workqueue_init() -> None:
    """Make the pools and the system workqueues; they have no workers yet."""
    global creation_failures, workqueue_freezing
    creation_failures = 0
    workqueue_freezing = False
    workqueues.clear()
    raw_spin_lock_init(wq_mayday_lock, "wq_mayday_lock")
    mutex_init(wq_pool_mutex, "wq_pool_mutex")
    for pri, suffix in enumerate(("", "H")):
        _init_worker_pool(_bound[pri], f"0:%d{suffix}", sched.machine.cpus)
        _init_worker_pool(_unbound[pri], f"u{sched.machine.cpus}:%d{suffix}", 0)
    for wq, name, flags in (
        (system_percpu_wq, "events", WQ_PERCPU),
        (system_wq, "events", WQ_PERCPU | __WQ_DEPRECATED),
        (system_highpri_wq, "events_highpri", WQ_PERCPU | WQ_HIGHPRI),
        (system_dfl_wq, "events_unbound", WQ_UNBOUND),
        (system_unbound_wq, "events_unbound", WQ_UNBOUND | __WQ_DEPRECATED),
    ):
        wq._zero()
        _setup_wq(wq, name, flags, WQ_DFL_ACTIVE)
        wq.lockdep_map = wq._lockdep_map
        lockdep_init_map(wq._lockdep_map, f"(wq_completion){name}", wq.key, 0)
        workqueues[id(wq)] = wq
    sched.wq_worker_sleeping = wq_worker_sleeping
    sched.wq_worker_running = wq_worker_running


def _init_worker_pool(pool: worker_pool, name: str, limit: int) -> None:
    pool._zero()
    pool.name = name
    pool.limit = limit
    pool.busy = {}
    raw_spin_lock_init(pool.lock, "&pool->lock")
    pool.worklist = deque()
    INIT_LIST_HEAD(pool.idle_list)
    timer_setup(pool.mayday_timer, pool_mayday_timeout, 0)


# -- the words of a work item ------------------------------------------------------------------


def INIT_WORK(_work: work_struct, _func: work_func_t) -> None:
    """Prepare a work item that is not queued."""
    _work._zero()
    _work.func = _func


def INIT_DELAYED_WORK(_work: delayed_work, _func: work_func_t) -> None:
    """Prepare a delayed work item that is not queued."""
    INIT_WORK(_work.work, _func)
    timer_setup(_work.timer, delayed_work_timer_fn, 0)


INIT_WORK_ONSTACK = INIT_WORK
INIT_DELAYED_WORK_ONSTACK = INIT_DELAYED_WORK


def to_delayed_work(work: work_struct) -> delayed_work:
    """The delayed work item around a work item."""
    return container_of(work, delayed_work, "work")


def work_data_bits(work: work_struct) -> bitmap:
    """The word with the PENDING bit."""
    return work.data


def work_pending(work: work_struct) -> int:
    """1 from queueing until just before the function runs."""
    return test_bit(WORK_STRUCT_PENDING_BIT, work.data)


def delayed_work_pending(w: delayed_work) -> int:
    """1 while the timer runs or the item is queued."""
    return work_pending(w.work)


def get_work_pool(work: work_struct) -> worker_pool | None:
    """The pool the item is on, or was on last."""
    pwq = work.pwq
    return pwq.pool if pwq is not None else work.pool


def set_work_pool_and_clear_pending(work: work_struct, pool: worker_pool | None) -> None:
    """The item is off its queue; PENDING goes last, it is what others wait for."""
    work.pool = pool
    work.pwq = None
    work.queued = work.inactive = work.linked = False
    clear_bit(WORK_STRUCT_PENDING_BIT, work.data)


def clear_pending_if_disabled(work: work_struct) -> bool:
    """Give PENDING back if the item is disabled; True if it is."""
    if work.pwq is not None or not work.disable:
        return False

    set_work_pool_and_clear_pending(work, work.pool)
    return True


def find_worker_executing_work(pool: worker_pool, work: work_struct) -> worker | None:
    """The worker that runs the item now; the pool is locked."""
    return pool.busy.get(work)


def current_wq_worker() -> worker | None:
    """The worker of the running task, if it is one."""
    p = current()
    if p.flags & PF_WQ_WORKER:
        return p.worker_private.data
    return None


def current_work() -> work_struct | None:
    """The item that the running worker executes, or NULL."""
    worker = current_wq_worker()
    return worker.current_work if worker else None


EXPORT_SYMBOL(current_work)


# -- pools and workers -------------------------------------------------------------------------


def need_more_worker(pool: worker_pool) -> bool:
    """True if there is work and a worker more may run."""
    return bool(pool.worklist) and (not pool.limit or pool.nr_running < pool.limit)


def need_to_create_worker(pool: worker_pool) -> bool:
    """True if there is work and nobody idle to do it."""
    return need_more_worker(pool) and not pool.nr_idle


def first_idle_worker(pool: worker_pool) -> worker | None:
    """The worker that went idle last, or NULL."""
    return list_first_entry_or_null(pool.idle_list, worker_t, "entry")


def kick_pool(pool: worker_pool) -> bool:
    """Wake an idle worker if one is needed; True if one was woken. The pool is locked."""
    if not pool.worklist or (pool.limit and pool.nr_running >= pool.limit):
        return False
    idle = first_idle_worker(pool)
    if not idle:
        if not pool.nr_workers and not pool.flags & POOL_MANAGER_ACTIVE:
            _first_worker(pool)
        return False

    wake_up_state(idle.task, TASK_IDLE)
    return True


def _first_worker(pool: worker_pool) -> None:
    """Make the pool's first worker; if that fails, call for the rescuers. The pool is locked."""
    if not _create_worker(pool):
        mod_timer(pool.mayday_timer, jiffies() + MAYDAY_INITIAL_TIMEOUT)


def _create_worker(pool: worker_pool) -> worker | None:
    """A new idle worker with a running thread, or NULL. The pool is locked."""
    global creation_failures
    if creation_failures:
        creation_failures -= 1
        return None
    new = worker_t()
    INIT_LIST_HEAD(new.entry)
    new.scheduled = deque()
    new.pool = pool
    new.id = pool.next_id
    new.flags = WORKER_PREP | (0 if pool.limit else WORKER_UNBOUND)
    pool.next_id += 1
    pool.nr_workers += 1
    worker_enter_idle(new)
    name = "kworker/" + pool.name % new.id
    new.task = kernel_thread(worker_thread, new, name, PF_SERVICE | PF_WQ_WORKER)
    return new


def create_worker(pool: worker_pool) -> worker | None:
    """A new idle worker with a running thread, or NULL."""
    spin_lock_irq(pool.lock)
    new = _create_worker(pool)
    spin_unlock_irq(pool.lock)
    if new is None:
        pr_err("workqueue: Failed to create a worker thread\n")
    return new


def worker_enter_idle(worker: worker) -> None:
    """The worker has nothing to do; the pool is locked."""
    pool = worker.pool
    if WARN_ON_ONCE(worker.flags & WORKER_IDLE):
        return
    worker.flags |= WORKER_IDLE
    pool.nr_idle += 1
    list_add(worker.entry, pool.idle_list)


def worker_leave_idle(worker: worker) -> None:
    """The worker has been woken; the pool is locked."""
    worker.flags &= ~WORKER_IDLE
    worker.pool.nr_idle -= 1
    list_del_init(worker.entry)


def worker_set_flags(worker: worker, flags: int) -> None:
    """Set flags; a worker that stops counting as running is taken off the count."""
    if flags & WORKER_NOT_RUNNING and not worker.flags & WORKER_NOT_RUNNING:
        worker.pool.nr_running -= 1
    worker.flags |= flags


def worker_clr_flags(worker: worker, flags: int) -> None:
    """Clear flags; a worker that begins to count as running is put on the count."""
    before = worker.flags
    worker.flags &= ~flags
    if flags & WORKER_NOT_RUNNING and before & WORKER_NOT_RUNNING:
        if not worker.flags & WORKER_NOT_RUNNING:
            worker.pool.nr_running += 1


def wq_worker_sleeping(task: task_struct) -> None:
    """A worker is about to sleep: let another run in its place."""
    worker = task.worker_private.data
    if worker.flags & WORKER_NOT_RUNNING or worker.sleeping:
        return
    pool = worker.pool
    worker.sleeping = 1
    flags = spin_lock_irqsave(pool.lock)
    pool.nr_running -= 1
    kick_pool(pool)
    spin_unlock_irqrestore(pool.lock, flags)


def wq_worker_running(task: task_struct) -> None:
    """A worker has slept."""
    worker = task.worker_private.data
    if not worker.sleeping:
        return
    pool = worker.pool
    flags = spin_lock_irqsave(pool.lock)
    if not worker.flags & WORKER_NOT_RUNNING:
        pool.nr_running += 1
    spin_unlock_irqrestore(pool.lock, flags)
    worker.sleeping = 0


def maybe_create_worker(pool: worker_pool) -> None:
    """Create a worker, calling for the rescuers while that fails. The pool is locked."""
    while True:
        spin_unlock_irq(pool.lock)

        mod_timer(pool.mayday_timer, jiffies() + MAYDAY_INITIAL_TIMEOUT)

        while True:
            if create_worker(pool) or not need_to_create_worker(pool):
                break

            __set_current_state(TASK_INTERRUPTIBLE)
            schedule_timeout(CREATE_COOLDOWN)

            if not need_to_create_worker(pool):
                break

        timer_delete_sync(pool.mayday_timer)
        spin_lock_irq(pool.lock)
        if not need_to_create_worker(pool):
            return


def manage_workers(worker: worker) -> bool:
    """Make sure somebody is idle; False if another worker is at it. The pool is locked."""
    pool = worker.pool

    if pool.flags & POOL_MANAGER_ACTIVE:
        return False

    pool.flags |= POOL_MANAGER_ACTIVE
    pool.manager = worker

    maybe_create_worker(pool)

    pool.manager = None
    pool.flags &= ~POOL_MANAGER_ACTIVE
    return True


def worker_thread(__worker: Any) -> int:
    """The thread of a worker: idle until woken, then work until there is nothing left."""
    me: worker = __worker
    pool = me.pool

    to_kthread(current()).data = me
    me.task = current()

    while True:
        spin_lock_irq(pool.lock)
        worker_leave_idle(me)

        while need_more_worker(pool):
            if not pool.nr_idle and manage_workers(me):
                continue

            WARN_ON_ONCE(me.scheduled)
            worker_clr_flags(me, WORKER_PREP)

            while True:
                if assign_work(pool.worklist, me):
                    process_scheduled_works(me)
                if not pool.worklist or pool.nr_running > pool.limit:
                    break

            worker_set_flags(me, WORKER_PREP)
            break

        worker_enter_idle(me)
        __set_current_state(TASK_IDLE)
        spin_unlock_irq(pool.lock)
        schedule()


def assign_work(works: deque[work_struct], worker: worker) -> bool:
    """Give the first item of a list to a worker, or to the one that runs it already (False)."""
    work = works[0]
    collision = worker.pool.busy.get(work)
    if collision:
        move_linked_works(works, 0, collision.scheduled)
        return False

    if work.linked:
        move_linked_works(works, 0, worker.scheduled)
    else:
        worker.scheduled.append(works.popleft())
    return True


def move_linked_works(works: deque[work_struct], at: int, to: deque[work_struct]) -> None:
    """Move the item at an index, and those that must follow it, to the end of another list."""
    while True:
        work = works[at]
        del works[at]
        to.append(work)
        if not work.linked:
            return


def process_scheduled_works(worker: worker) -> None:
    """Run what is assigned to the worker. The pool is locked, and opened meanwhile."""
    scheduled = worker.scheduled
    while scheduled:
        process_one_work(worker, scheduled.popleft())


def call_work(wq: workqueue_struct, work: work_struct, func: work_func_t) -> None:
    """Run the function of an item, which may free it; the validator's maps are held around it."""
    func(work)


def process_one_work(worker: worker, work: work_struct) -> None:
    """Run one item. The pool is locked, and opened while the function runs."""
    pwq = work.pwq
    pool = worker.pool

    pool.busy[work] = worker
    worker.current_work = work
    worker.current_pwq = pwq
    func = worker.current_func = work.func
    color = worker.current_color = work.color
    inactive = work.inactive

    if pool.worklist:
        kick_pool(pool)

    set_work_pool_and_clear_pending(work, pool)

    spin_unlock_irq(pool.lock)

    call_work(pwq.wq, work, func)

    ti = worker.task.thread
    held = (atomic_sleep.enabled or ti.held is not None) and atomic_sleep.lock_depth(ti)
    if ti.preempt_count or ti.rcu_nesting or held:
        workqueue_leaked(ti, func)

    spin_lock_irq(pool.lock)

    del pool.busy[work]
    worker.current_work = None
    worker.current_func = None
    worker.current_pwq = None

    pwq_dec_nr_in_flight(pwq, color, inactive)


def workqueue_leaked(ti: thread_info, func: work_func_t) -> None:
    """Report that `func` returned with preemption off, a lock held or in an RCU reader.

    The kernel goes on. Here a worker that nobody can preempt, or a grace period without end, would
    stop everything else without a word: those two are an oops.
    """
    headline = f"BUG: workqueue leaked atomic, lock or RCU: {ti.name}[{ti.task.pid}]"
    lines = [
        headline,
        (
            f"     preempt=0x{ti.preempt_count:08x} lock=0->{atomic_sleep.lock_depth(ti)} "
            f"RCU=0->{ti.rcu_nesting} workfn={func.__name__}"
        ),
        *atomic_sleep.debug_show_held_locks(ti),
        *atomic_sleep.dump_stack(sys._getframe(1)),
    ]
    atomic_sleep.complain("workqueue", headline, lines, sys._getframe(1))
    if ti.preempt_count or ti.rcu_nesting:
        raise KernelBug("workqueue leaked atomic, lock or RCU")


# -- active and inactive items -----------------------------------------------------------------


def pwq_tryinc_nr_active(pwq: pool_workqueue) -> bool:
    """Count one more active item, unless max_active are active. The pool is locked."""
    if pwq.nr_active < pwq.wq.max_active:
        pwq.nr_active += 1
        return True
    return False


def pwq_activate_first_inactive(pwq: pool_workqueue) -> bool:
    """The first item that was held back may go, if max_active allows. The pool is locked."""
    if pwq.inactive_works and pwq_tryinc_nr_active(pwq):
        pwq.inactive_works[0].inactive = False
        move_linked_works(pwq.inactive_works, 0, pwq.pool.worklist)
        return True
    return False


def pwq_dec_nr_in_flight(pwq: pool_workqueue, color: int, inactive: bool) -> None:
    """An item has run or was taken back. The pool is locked."""
    if not inactive:
        pwq.nr_active -= 1
        if pwq.inactive_works:
            pwq_activate_first_inactive(pwq)

    in_flight = pwq.nr_in_flight
    in_flight[color] -= 1
    if pwq.flushers and not in_flight[color]:
        _complete_flushers(pwq)


def _colors_in_flight(pwq: pool_workqueue) -> dict[int, int]:
    """The colours of items in flight, those that have gone forgotten. The pool is locked."""
    pwq.nr_in_flight = {color: left for color, left in pwq.nr_in_flight.items() if left}
    return pwq.nr_in_flight


def _complete_flushers(pwq: pool_workqueue) -> None:
    oldest = min(_colors_in_flight(pwq), default=pwq.work_color)
    while pwq.flushers and pwq.flushers[0][0] < oldest:
        complete(pwq.flushers.pop(0)[1])


# -- queueing ----------------------------------------------------------------------------------


def is_chained_work(wq: workqueue_struct) -> bool:
    """True if the running task is a worker executing an item of `wq`."""
    worker = current_wq_worker()
    return bool(worker and worker.current_pwq and worker.current_pwq.wq is wq)


def __queue_work(cpu: int, wq: workqueue_struct, work: work_struct) -> None:
    """Queue an item whose PENDING bit the caller owns; interrupts are off."""
    if wq.flags & __WQ_DEPRECATED:
        pr_warn_once(
            "workqueue: work func %ps enqueued on deprecated workqueue. "
            "Use system_{percpu|dfl}_wq instead.\n",
            work.func.__name__,
        )

    if wq.flags & (__WQ_DESTROYING | __WQ_DRAINING) and WARN_ONCE(
        not is_chained_work(wq),
        "workqueue: cannot queue %ps on wq %s\n",
        work.func.__name__,
        wq.name,
    ):
        set_work_pool_and_clear_pending(work, work.pool)
        return

    pwq = wq.pwq
    pool = pwq.pool

    last_pool = work.pool
    if last_pool and last_pool is not pool and not (wq.flags & __WQ_ORDERED):
        spin_lock(last_pool.lock)

        worker = find_worker_executing_work(last_pool, work)

        if worker and worker.current_pwq.wq is wq:
            pwq = worker.current_pwq
            pool = pwq.pool
        else:
            spin_unlock(last_pool.lock)
            spin_lock(pool.lock)
    else:
        spin_lock(pool.lock)

    if WARN_ON(work.queued):
        spin_unlock(pool.lock)
        return

    color = work.color = pwq.work_color
    in_flight = pwq.nr_in_flight
    in_flight[color] = in_flight.get(color, 0) + 1

    work.queued = True
    work.pwq = pwq
    if not pwq.inactive_works and pwq_tryinc_nr_active(pwq):
        pool.worklist.append(work)
        if not pool.limit or pool.nr_running < pool.limit:
            kick_pool(pool)
    else:
        work.inactive = True
        pwq.inactive_works.append(work)

    spin_unlock(pool.lock)


def queue_work_on(cpu: int, wq: workqueue_struct, work: work_struct) -> bool:
    """Queue an item; False if it is pending already or disabled."""
    ret = False

    irq_flags = local_irq_save()

    if not test_and_set_bit(
        WORK_STRUCT_PENDING_BIT, work.data
    ) and not clear_pending_if_disabled(work):
        __queue_work(cpu, wq, work)
        ret = True

    local_irq_restore(irq_flags)
    return ret


EXPORT_SYMBOL(queue_work_on)


def queue_work(wq: workqueue_struct, work: work_struct) -> bool:
    """Queue an item; False if it is pending already or disabled."""
    return queue_work_on(WORK_CPU_UNBOUND, wq, work)


def schedule_work(work: work_struct) -> bool:
    """Queue an item on system_percpu_wq."""
    return queue_work(system_percpu_wq, work)


def delayed_work_timer_fn(t: timer_list) -> None:
    """The timer of a delayed item: queue it."""
    dwork = timer_container_of(t, delayed_work, "timer")
    flags = local_irq_save()
    __queue_work(dwork.cpu, dwork.wq, dwork.work)
    local_irq_restore(flags)


EXPORT_SYMBOL(delayed_work_timer_fn)


def __queue_delayed_work(
    cpu: int, wq: workqueue_struct, dwork: delayed_work, delay: int
) -> None:
    """Start the timer, or queue at once if `delay` is 0 ticks. The caller owns PENDING."""
    timer = dwork.timer
    work = dwork.work

    WARN_ON_ONCE(timer.function is not delayed_work_timer_fn)
    WARN_ON_ONCE(timer_pending(timer))
    WARN_ON_ONCE(work.queued)

    if not delay:
        __queue_work(cpu, wq, dwork.work)
        return

    dwork.wq = wq
    dwork.cpu = cpu
    timer.expires = jiffies() + delay

    add_timer(timer)


def queue_delayed_work_on(
    cpu: int, wq: workqueue_struct, dwork: delayed_work, delay: int
) -> bool:
    """Queue an item in `delay` ticks; False, and no change, if it is pending or disabled."""
    work = dwork.work
    ret = False

    irq_flags = local_irq_save()

    if not test_and_set_bit(
        WORK_STRUCT_PENDING_BIT, work.data
    ) and not clear_pending_if_disabled(work):
        __queue_delayed_work(cpu, wq, dwork, delay)
        ret = True

    local_irq_restore(irq_flags)
    return ret


EXPORT_SYMBOL(queue_delayed_work_on)


def queue_delayed_work(wq: workqueue_struct, dwork: delayed_work, delay: int) -> bool:
    """Queue an item in `delay` ticks; False, and no change, if it is pending or disabled."""
    return queue_delayed_work_on(WORK_CPU_UNBOUND, wq, dwork, delay)


def schedule_delayed_work(dwork: delayed_work, delay: int) -> bool:
    """queue_delayed_work() on system_percpu_wq."""
    return queue_delayed_work(system_percpu_wq, dwork, delay)


def mod_delayed_work_on(
    cpu: int, wq: workqueue_struct, dwork: delayed_work, delay: int
) -> bool:
    """Queue an item in `delay` ticks whatever it was doing; True if it was pending."""
    ret, irq_flags = work_grab_pending(dwork.work, WORK_CANCEL_DELAYED)

    if not clear_pending_if_disabled(dwork.work):
        __queue_delayed_work(cpu, wq, dwork, delay)

    local_irq_restore(irq_flags)
    return ret


EXPORT_SYMBOL_GPL(mod_delayed_work_on)


def mod_delayed_work(wq: workqueue_struct, dwork: delayed_work, delay: int) -> bool:
    """Queue an item in `delay` ticks whatever it was doing; True if it was pending."""
    return mod_delayed_work_on(WORK_CPU_UNBOUND, wq, dwork, delay)


# -- taking back -------------------------------------------------------------------------------


def try_to_grab_pending(work: work_struct, cflags: int) -> tuple[int, int]:
    """Own the PENDING bit: (1 if it was pending, else 0; `flags`), or (-EAGAIN, 0)."""
    irq_flags = local_irq_save()

    if cflags & WORK_CANCEL_DELAYED:
        dwork = to_delayed_work(work)

        if timer_delete(dwork.timer):
            return 1, irq_flags

    if not test_and_set_bit(WORK_STRUCT_PENDING_BIT, work.data):
        return 0, irq_flags

    pool = get_work_pool(work)
    if pool:
        spin_lock(pool.lock)
        pwq = work.pwq
        if pwq and pwq.pool is pool:
            inactive = work.inactive
            works = _list_of(pwq, work)
            at = works.index(work)
            if inactive and work.linked:
                # Barriers behind an item that is held back must still run.
                move_linked_works(works, at, pool.worklist)
                works = pool.worklist
                at = works.index(work)
                kick_pool(pool)
            del works[at]
            work.queued = work.inactive = work.linked = False
            work.pool = pool
            work.pwq = None
            pwq_dec_nr_in_flight(pwq, work.color, inactive)

            spin_unlock(pool.lock)
            return 1, irq_flags
        spin_unlock(pool.lock)

    local_irq_restore(irq_flags)
    return -EAGAIN, 0


def _list_of(pwq: pool_workqueue, work: work_struct) -> deque[work_struct]:
    """The list a queued item is on: held back, waiting, or assigned to a worker."""
    if work.inactive:
        return pwq.inactive_works
    if work in pwq.pool.worklist:
        return pwq.pool.worklist
    for busy in pwq.pool.busy.values():
        if work in busy.scheduled:
            return busy.scheduled
    raise KernelBug("workqueue: a queued item is on no list")


def work_grab_pending(work: work_struct, cflags: int) -> tuple[bool, int]:
    """Own the PENDING bit, waiting for whoever has it: (was it pending, `flags`); irqs off."""
    while True:
        ret, irq_flags = try_to_grab_pending(work, cflags)
        if ret >= 0:
            return bool(ret), irq_flags
        cpu_relax()


def __cancel_work(work: work_struct, cflags: int) -> bool:
    """Take an item back, and disable it if the flags say so; True if it was pending."""
    ret, irq_flags = work_grab_pending(work, cflags)

    if cflags & WORK_CANCEL_DISABLE:
        work.disable += 1

    set_work_pool_and_clear_pending(work, work.pool)
    local_irq_restore(irq_flags)
    return ret


def __cancel_work_sync(work: work_struct, cflags: int) -> bool:
    """Take an item back and wait for a running instance; it cannot be queued meanwhile."""
    ret = __cancel_work(work, cflags | WORK_CANCEL_DISABLE)

    might_sleep()

    __flush_work(work, True)

    if not (cflags & WORK_CANCEL_DISABLE):
        enable_work(work)

    return ret


def cancel_work(work: work_struct) -> bool:
    """Take an item back; a running instance goes on. True if it was pending."""
    return __cancel_work(work, 0)


EXPORT_SYMBOL(cancel_work)


def cancel_work_sync(work: work_struct) -> bool:
    """Take an item back and wait for a running instance. True if it was pending."""
    return __cancel_work_sync(work, 0)


EXPORT_SYMBOL_GPL(cancel_work_sync)


def cancel_delayed_work(dwork: delayed_work) -> bool:
    """Stop the timer and take the item back; a running instance goes on."""
    return __cancel_work(dwork.work, WORK_CANCEL_DELAYED)


EXPORT_SYMBOL(cancel_delayed_work)


def cancel_delayed_work_sync(dwork: delayed_work) -> bool:
    """Stop the timer, take the item back, wait for a running instance."""
    return __cancel_work_sync(dwork.work, WORK_CANCEL_DELAYED)


EXPORT_SYMBOL(cancel_delayed_work_sync)


def disable_work(work: work_struct) -> bool:
    """Take an item back and refuse it from now on; nests. True if it was pending."""
    return __cancel_work(work, WORK_CANCEL_DISABLE)


EXPORT_SYMBOL_GPL(disable_work)


def disable_work_sync(work: work_struct) -> bool:
    """disable_work(), and wait for a running instance."""
    return __cancel_work_sync(work, WORK_CANCEL_DISABLE)


EXPORT_SYMBOL_GPL(disable_work_sync)


def enable_work(work: work_struct) -> bool:
    """Undo one disable_work(); True if the item can be queued again."""
    ret, irq_flags = work_grab_pending(work, 0)

    if work.disable > 0:
        work.disable -= 1
    else:
        WARN_ONCE(True, "workqueue: work disable count underflowed\n")
    set_work_pool_and_clear_pending(work, work.pool)
    enabled = not work.disable
    local_irq_restore(irq_flags)

    return enabled


EXPORT_SYMBOL_GPL(enable_work)


def disable_delayed_work(dwork: delayed_work) -> bool:
    """disable_work() for a delayed item."""
    return __cancel_work(dwork.work, WORK_CANCEL_DELAYED | WORK_CANCEL_DISABLE)


def disable_delayed_work_sync(dwork: delayed_work) -> bool:
    """disable_work_sync() for a delayed item."""
    return __cancel_work_sync(dwork.work, WORK_CANCEL_DELAYED | WORK_CANCEL_DISABLE)


def enable_delayed_work(dwork: delayed_work) -> bool:
    """enable_work() for a delayed item."""
    return enable_work(dwork.work)


# -- flushing ----------------------------------------------------------------------------------


def wq_barrier_func(work: work_struct) -> None:
    """The item before the barrier has run."""
    barr = container_of(work, wq_barrier, "work")
    complete(barr.done)


def insert_wq_barrier(
    pwq: pool_workqueue, barr: wq_barrier, target: work_struct, worker: worker | None
) -> None:
    """Put a barrier behind `target`, or behind what `worker` runs now. The pool is locked."""
    INIT_WORK_ONSTACK(barr.work, wq_barrier_func)
    test_and_set_bit(WORK_STRUCT_PENDING_BIT, barr.work.data)
    init_completion(barr.done)
    barr.task = current()
    barr.work.inactive = True

    if worker:
        works, at = worker.scheduled, 0
        color = worker.current_color
    else:
        works = _list_of(pwq, target)
        at = works.index(target) + 1
        barr.work.linked = target.linked
        color = target.color
        target.linked = True

    barr.work.color = color
    pwq.nr_in_flight[color] = pwq.nr_in_flight.get(color, 0) + 1
    barr.work.queued = True
    barr.work.pwq = pwq
    works.insert(at, barr.work)


def check_flush_dependency(
    target_wq: workqueue_struct, target_work: work_struct | None, from_cancel: bool
) -> None:
    """Warn if a queue that must make progress waits for one that need not."""
    if from_cancel or target_wq.flags & WQ_MEM_RECLAIM:
        return
    worker = current_wq_worker()
    target = target_work.func.__name__ if target_work else "(null)"
    WARN_ONCE(
        current().flags & PF_MEMALLOC,
        "workqueue: PF_MEMALLOC task %d(%s) is flushing !WQ_MEM_RECLAIM %s:%ps",
        current().pid,
        current().comm,
        target_wq.name,
        target,
    )
    if worker and worker.current_pwq:
        WARN_ONCE(
            worker.current_pwq.wq.flags & (WQ_MEM_RECLAIM | __WQ_LEGACY) == WQ_MEM_RECLAIM,
            "workqueue: WQ_MEM_RECLAIM %s:%ps is flushing !WQ_MEM_RECLAIM %s:%ps",
            worker.current_pwq.wq.name,
            worker.current_func.__name__,
            target_wq.name,
            target,
        )


def start_flush_work(work: work_struct, barr: wq_barrier, from_cancel: bool) -> bool:
    """Put a barrier behind the item; False if it is neither queued nor running."""
    executing = None

    pool = get_work_pool(work)
    if not pool:
        return False

    spin_lock_irq(pool.lock)
    pwq = work.pwq
    if pwq:
        if pwq.pool is not pool:
            spin_unlock_irq(pool.lock)
            return False
    else:
        executing = find_worker_executing_work(pool, work)
        if not executing:
            spin_unlock_irq(pool.lock)
            return False
        if executing.task is current():
            spin_unlock_irq(pool.lock)
            raise KernelBug(f"BUG: deadlock: {work.func.__name__} waits for itself")
        pwq = executing.current_pwq

    check_flush_dependency(pwq.wq, work, from_cancel)

    wq = pwq.wq
    insert_wq_barrier(pwq, barr, work, executing)
    spin_unlock_irq(pool.lock)

    touch_work_lockdep_map(work, wq)
    if not from_cancel and (wq.saved_max_active == 1 or wq.rescuer):
        touch_wq_lockdep_map(wq)
    return True


def __flush_work(work: work_struct, from_cancel: bool) -> bool:
    """Wait for the item as it is queued or running now; False if it is neither."""
    if WARN_ON(not work.func):
        return False

    barr = wq_barrier()
    if not start_flush_work(work, barr, from_cancel):
        return False

    wait_for_completion(barr.done)
    return True


def flush_work(work: work_struct) -> bool:
    """Wait for the instance queued last; False if the item was idle."""
    might_sleep()
    return __flush_work(work, False)


EXPORT_SYMBOL_GPL(flush_work)


def flush_delayed_work(dwork: delayed_work) -> bool:
    """Queue a waiting item now and wait for it; False if it was idle."""
    flags = local_irq_save()
    if timer_delete_sync(dwork.timer):
        __queue_work(dwork.cpu, dwork.wq, dwork.work)
    local_irq_restore(flags)
    return flush_work(dwork.work)


EXPORT_SYMBOL(flush_delayed_work)


def work_busy(work: work_struct) -> int:
    """WORK_BUSY_PENDING and WORK_BUSY_RUNNING; a hint."""
    ret = 0

    if work_pending(work):
        ret |= WORK_BUSY_PENDING

    pool = get_work_pool(work)
    if pool:
        irq_flags = spin_lock_irqsave(pool.lock)
        if find_worker_executing_work(pool, work):
            ret |= WORK_BUSY_RUNNING
        spin_unlock_irqrestore(pool.lock, irq_flags)

    return ret


EXPORT_SYMBOL_GPL(work_busy)


def touch_wq_lockdep_map(wq: workqueue_struct) -> None:
    """Tell the validator that the items of the queue are waited for."""
    if wq.lockdep_map is None:
        return
    lock_map_acquire(wq.lockdep_map)
    lock_map_release(wq.lockdep_map)


def touch_work_lockdep_map(work: work_struct, wq: workqueue_struct) -> None:
    """Tell the validator that the item is waited for."""
    lock_map_acquire(work.lockdep_map)
    lock_map_release(work.lockdep_map)


def flush_workqueue(wq: workqueue_struct) -> None:
    """Wait until everything queued before the call has run."""
    pwq = wq.pwq
    pool = pwq.pool
    might_sleep()
    touch_wq_lockdep_map(wq)
    worker = current_wq_worker()
    if worker and worker.current_pwq is pwq:
        raise KernelBug(f"BUG: deadlock: {worker.current_func.__name__} flushes its own queue")
    done = completion()
    init_completion(done)
    spin_lock_irq(pool.lock)
    check_flush_dependency(wq, None, False)
    color = pwq.work_color
    pwq.work_color += 1
    if not _colors_in_flight(pwq):
        spin_unlock_irq(pool.lock)
        return
    pwq.flushers.append((color, done))
    spin_unlock_irq(pool.lock)
    wait_for_completion(done)


EXPORT_SYMBOL(flush_workqueue)


def drain_workqueue(wq: workqueue_struct) -> None:
    """Flush until the queue is empty; meanwhile only its own items may queue on it."""
    flush_cnt = 0
    pool = wq.pwq.pool

    mutex_lock(wq.mutex)
    wq.nr_drainers += 1
    wq.flags |= __WQ_DRAINING
    mutex_unlock(wq.mutex)

    while True:
        flush_workqueue(wq)

        spin_lock_irq(pool.lock)
        drained = not wq.pwq.nr_active and not wq.pwq.inactive_works
        spin_unlock_irq(pool.lock)

        if drained:
            break

        flush_cnt += 1
        if flush_cnt == 10 or (flush_cnt % 100 == 0 and flush_cnt <= 1000):
            pr_warn(
                "workqueue %s: %s() isn't complete after %u tries\n",
                wq.name,
                "drain_workqueue",
                flush_cnt,
            )

    mutex_lock(wq.mutex)
    wq.nr_drainers -= 1
    if not wq.nr_drainers:
        wq.flags &= ~__WQ_DRAINING
    mutex_unlock(wq.mutex)


EXPORT_SYMBOL_GPL(drain_workqueue)


# -- rescuers ----------------------------------------------------------------------------------


def send_mayday(pwq: pool_workqueue) -> None:
    """Call the rescuer of a queue; wq_mayday_lock is held."""
    wq = pwq.wq

    if not wq.rescuer:
        return

    if list_empty(pwq.mayday_node):
        list_add_tail(pwq.mayday_node, wq.maydays)
        wake_up_state(wq.rescuer.task, TASK_IDLE)


def pool_mayday_timeout(t: timer_list) -> None:
    """No worker could be made for a while: call the rescuers of everything on the list."""
    pool = timer_container_of(t, worker_pool, "mayday_timer")

    flags = spin_lock_irqsave(pool.lock)
    spin_lock(wq_mayday_lock)

    stuck = need_to_create_worker(pool)
    if stuck:
        for work in pool.worklist:
            send_mayday(work.pwq)
        if not pool.nr_workers:
            _create_worker(pool)

    spin_unlock(wq_mayday_lock)
    spin_unlock_irqrestore(pool.lock, flags)

    if stuck:
        mod_timer(pool.mayday_timer, jiffies() + MAYDAY_INTERVAL)


def rescuer_thread(__rescuer: Any) -> int:
    """The thread of a rescuer: when called, run the queue's items on the pool that is stuck."""
    me: worker = __rescuer
    wq = me.rescue_wq

    to_kthread(current()).data = me
    me.task = current()

    while True:
        set_current_state(TASK_IDLE)
        should_stop = kthread_should_stop()

        spin_lock_irq(wq_mayday_lock)
        while not list_empty(wq.maydays):
            pwq = list_first_entry(wq.maydays, pool_workqueue, "mayday_node")
            pool = pwq.pool
            __set_current_state(TASK_RUNNING)
            list_del_init(pwq.mayday_node)
            spin_unlock_irq(wq_mayday_lock)

            me.pool = pool
            spin_lock_irq(pool.lock)
            while assign_rescuer_work(pwq, me):
                process_scheduled_works(me)
            kick_pool(pool)
            spin_unlock_irq(pool.lock)

            spin_lock_irq(wq_mayday_lock)
        spin_unlock_irq(wq_mayday_lock)

        if should_stop:
            __set_current_state(TASK_RUNNING)
            return 0

        schedule()


def assign_rescuer_work(pwq: pool_workqueue, rescuer: worker) -> bool:
    """Give the rescuer the next item of its queue; False if there is none or no need."""
    if not need_to_create_worker(pwq.pool):
        return False
    works = pwq.pool.worklist
    at = next((i for i, work in enumerate(works) if work.pwq is pwq), None)
    if at is None:
        return False
    collision = pwq.pool.busy.get(works[at])
    move_linked_works(works, at, (collision or rescuer).scheduled)
    return collision is None


def init_rescuer(wq: workqueue_struct) -> bool:
    """Make the rescuer of a WQ_MEM_RECLAIM queue; False if there is no memory."""
    if not wq.flags & WQ_MEM_RECLAIM:
        return True
    rescuer = kzalloc_obj(worker_t)
    if not rescuer:
        return False
    INIT_LIST_HEAD(rescuer.entry)
    rescuer.scheduled = deque()
    rescuer.rescue_wq = wq
    rescuer.flags = WORKER_PREP | WORKER_UNBOUND
    wq.rescuer = rescuer
    rescuer.task = kernel_thread(
        rescuer_thread, rescuer, f"kworker/R-{wq.name}", PF_SERVICE | PF_WQ_WORKER
    )
    return True


# -- freezing ----------------------------------------------------------------------------------


def wq_adjust_max_active(wq: workqueue_struct) -> None:
    """Set max_active for a frozen or a thawed queue; `wq.mutex` is held."""
    new_max = 0 if wq.flags & WQ_FREEZABLE and workqueue_freezing else wq.saved_max_active

    if wq.max_active == new_max:
        return

    pwq = wq.pwq
    flags = spin_lock_irqsave(pwq.pool.lock)
    wq.max_active = new_max
    while pwq_activate_first_inactive(pwq):
        kick_pool(pwq.pool)
    spin_unlock_irqrestore(pwq.pool.lock, flags)


def freeze_workqueues_begin() -> None:
    """From now on no item of a WQ_FREEZABLE queue begins; they wait in their order."""
    global workqueue_freezing
    mutex_lock(wq_pool_mutex)

    WARN_ON_ONCE(workqueue_freezing)
    workqueue_freezing = True

    _adjust_all()
    mutex_unlock(wq_pool_mutex)


def thaw_workqueues() -> None:
    """Items of WQ_FREEZABLE queues may begin again, each queue's as far as max_active allows."""
    global workqueue_freezing
    mutex_lock(wq_pool_mutex)

    if workqueue_freezing:
        workqueue_freezing = False

        _adjust_all()
    mutex_unlock(wq_pool_mutex)


def _adjust_all() -> None:
    for wq in list(workqueues.values()):
        mutex_lock(wq.mutex)
        wq_adjust_max_active(wq)
        mutex_unlock(wq.mutex)


# -- making and destroying ---------------------------------------------------------------------


def _setup_wq(wq: workqueue_struct, name: str, flags: int, max_active: int) -> None:
    wq.name = name
    wq.flags = flags
    wq.max_active = wq.saved_max_active = max_active
    mutex_init(wq.mutex, "&wq->mutex")
    INIT_LIST_HEAD(wq.maydays)
    pwq = wq.pwq = pool_workqueue()
    pwq.wq = wq
    pools = _unbound if flags & WQ_UNBOUND else _bound
    pwq.pool = pools[1 if flags & WQ_HIGHPRI else 0]
    pwq.nr_in_flight = {}
    pwq.flushers = []
    pwq.inactive_works = deque()
    INIT_LIST_HEAD(pwq.mayday_node)


def wq_init_lockdep(wq: workqueue_struct) -> None:
    """Make the map of a queue, with a class of its own."""
    lockdep_register_key(wq.key)
    wq.lockdep_map = wq._lockdep_map
    lockdep_init_map(wq._lockdep_map, f"(wq_completion){wq.name}", wq.key, 0)


def wq_unregister_lockdep(wq: workqueue_struct) -> None:
    """The class of a queue goes, if the map is not the caller's."""
    if wq.lockdep_map is wq._lockdep_map:
        lockdep_unregister_key(wq.key)


def alloc_workqueue(fmt: str, flags: int, max_active: int, *args: Any) -> workqueue_struct | None:
    """A new workqueue named by the format, or NULL. `max_active` 0 means 1024."""
    wq = _alloc_workqueue(fmt, flags, max_active, *args)
    if wq:
        wq_init_lockdep(wq)
    return wq


EXPORT_SYMBOL_GPL(alloc_workqueue)


def _alloc_workqueue(
    fmt: str, flags: int, max_active: int, *args: Any
) -> workqueue_struct | None:
    wq = kzalloc_obj(workqueue_struct)
    if not wq:
        return None
    limit = max(1, min(max_active or WQ_DFL_ACTIVE, WQ_MAX_ACTIVE))
    _setup_wq(wq, sprintf(fmt, *args), flags, limit)
    if not init_rescuer(wq):
        kfree(wq)
        return None

    mutex_lock(wq_pool_mutex)
    mutex_lock(wq.mutex)
    wq_adjust_max_active(wq)
    mutex_unlock(wq.mutex)
    workqueues[id(wq)] = wq
    mutex_unlock(wq_pool_mutex)
    return wq


def alloc_ordered_workqueue(fmt: str, flags: int, *args: Any) -> workqueue_struct | None:
    """A new workqueue that runs one item at a time in queueing order, or NULL."""
    return alloc_workqueue(fmt, WQ_UNBOUND | __WQ_ORDERED | flags, 1, *args)


def alloc_ordered_workqueue_lockdep_map(
    fmt: str, flags: int, lockdep_map: lockdep_map, *args: Any
) -> workqueue_struct | None:
    """alloc_ordered_workqueue() with the caller's lockdep map."""
    wq = _alloc_workqueue(fmt, WQ_UNBOUND | __WQ_ORDERED | flags, 1, *args)
    if wq:
        wq.lockdep_map = lockdep_map
    return wq


def destroy_workqueue(wq: workqueue_struct) -> None:
    """Drain the queue, stop its rescuer, free it."""
    mutex_lock(wq.mutex)
    wq.flags |= __WQ_DESTROYING
    mutex_unlock(wq.mutex)

    drain_workqueue(wq)

    if wq.rescuer:
        kthread_stop(wq.rescuer.task)
        kfree(wq.rescuer)
        wq.rescuer = None

    wq_unregister_lockdep(wq)
    mutex_lock(wq_pool_mutex)
    workqueues.pop(id(wq), None)
    mutex_unlock(wq_pool_mutex)
    kfree(wq)


EXPORT_SYMBOL_GPL(destroy_workqueue)


def pending_works() -> list[work_struct]:
    """Every item that is queued or running now; what a kernel leaves behind."""
    found: list[work_struct] = []
    for pool in (*_bound, *_unbound):
        flags = spin_lock_irqsave(pool.lock)
        found += pool.worklist
        found += pool.busy
        spin_unlock_irqrestore(pool.lock, flags)
    for wq in list(workqueues.values()):
        flags = spin_lock_irqsave(wq.pwq.pool.lock)
        found += wq.pwq.inactive_works
        spin_unlock_irqrestore(wq.pwq.pool.lock, flags)
    return found
