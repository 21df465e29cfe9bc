# SPDX-FileCopyrightText: 2002 Ingo Molnar
# SPDX-FileCopyrightText: 2010 SUSE Linux Products GmbH
# SPDX-FileCopyrightText: 2010 Tejun Heo <tj@kernel.org>
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/workqueue.c (wq_watchdog_timer_fn, show_all_workqueues), Linux 7.2.13, on 2026-11-20.
"""CONFIG_WQ_WATCHDOG: a pool that has work and starts none for `watchdog_thresh` seconds.

When a pool made progress is noted by hooks: when an item is queued on an empty list, and when one
begins. Who looks is told in hung_task: a service thread on `threads` (a timer in the kernel), on
`virt` whatever happens after the time is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kport.arch.asm import ktime_get
from kport.arch.hook import Hook
from kport.linux import facility, fork, sched, tick, workqueue
from kport.linux.field import raw_get
from kport.linux.hung_task import sched_show_task
from kport.linux.kconfig import HZ
from kport.linux.ktime import NSEC_PER_SEC
from kport.linux.list import list_empty, list_for_each_entry
from kport.linux.module import boot_data, late_initcall, module_param_named
from kport.linux.mutex import mutex_trylock, mutex_unlock
from kport.linux.spinlock import spin_lock_irqsave, spin_unlock_irqrestore
from kport.linux.struct import container_of

if TYPE_CHECKING:
    from kport.arch.api import Machine

NAME = "wq_watchdog"

wq_watchdog_thresh = 30
module_param_named("workqueue.watchdog_thresh", "wq_watchdog_thresh", int, 0o644)

_progress: dict[workqueue.worker_pool, int] = {}  # ns since boot
_pool_of: dict[workqueue.workqueue_struct, workqueue.worker_pool] = {}
_started: dict[workqueue.worker, int] = {}
_enabled = False
_next_check = 0


@boot_data
def wq_watchdog_reset() -> None:
    """Nothing has been seen yet."""
    global _next_check
    _progress.clear()
    _pool_of.clear()
    _started.clear()
    _next_check = wq_watchdog_thresh * NSEC_PER_SEC


@contextmanager
def _held(pool: workqueue.worker_pool) -> Iterator[None]:
    """Hold the lock of a pool. On virt one looks from a hook: nobody else runs meanwhile."""
    if not _beside():
        yield
        return
    flags = spin_lock_irqsave(pool.lock)
    try:
        yield
    finally:
        spin_unlock_irqrestore(pool.lock, flags)


def _beside() -> bool:
    """True if who looks is a task, beside those that are looked at."""
    return sched.machine.name == "threads"


def pools() -> list[workqueue.worker_pool]:
    """Every pool; its number is its place."""
    return [*workqueue._bound, *workqueue._unbound]


def pool_info(pool: workqueue.worker_pool) -> str:
    """The CPUs, the flags and the priority of a pool."""
    last = sched.machine.cpus - 1
    cpus = f"0-{last}" if last else "0"
    nice = -20 if pool.name.endswith("H") else 0
    return f" cpus={cpus} flags=0x{pool.flags:x} nice={nice}"


def _worker_id(worker: workqueue.worker) -> str:
    rescuer = "(RESCUER)" if worker.rescue_wq is not None else ""
    return f"{worker.task.pid if worker.task is not None else 0}{rescuer}"


def _works(works: Iterable[workqueue.work_struct]) -> str:
    """Items as the kernel lists them: a run of one function counted, a barrier by who waits."""
    names: list[list[Any]] = []
    for work in works:
        if work.func is workqueue.wq_barrier_func:
            barr = container_of(work, workqueue.wq_barrier, "work")
            names.append([f"BAR({barr.task.pid})", 1])
        else:
            name = work.func.__name__
            if names and names[-1][0] == name:
                names[-1][1] += 1
            else:
                names.append([name, 1])
    return ", ".join(name if count == 1 else f"{count}*{name}" for name, count in names)


def show_pwq(pwq: workqueue.pool_workqueue) -> list[str]:
    """What a workqueue has in flight, waiting and held back. Its pool is locked."""
    pool = pwq.pool
    mayday = "" if list_empty(pwq.mayday_node) else " MAYDAY"
    refcnt = 1 + sum(pwq.nr_in_flight.values())
    lines = [
        (
            f"  pwq {2 * pools().index(pool)}:{pool_info(pool)} "
            f"active={pwq.nr_active} refcnt={refcnt}{mayday}"
        )
    ]
    now = ktime_get()
    flying = []
    for worker in pool.busy.values():
        if worker.current_pwq is pwq:
            ran = (now - _started.get(worker, now)) // NSEC_PER_SEC
            behind = _works(worker.scheduled)
            flying.append(
                f" {_worker_id(worker)}:{worker.current_func.__name__} for {ran}s"
                + (f" {behind}" if behind else "")
            )
    if flying:
        lines.append("    in-flight:" + " ,".join(flying))
    pending = _works(work for work in pool.worklist if work.pwq is pwq)
    if pending:
        lines.append(f"    pending: {pending}")
    inactive = _works(pwq.inactive_works)
    if inactive:
        lines.append(f"    inactive: {inactive}")
    return lines


def show_one_workqueue(wq: workqueue.workqueue_struct) -> list[str]:
    """One workqueue, if there is anything on it."""
    pwq = wq.pwq
    with _held(pwq.pool):
        if not (pwq.nr_active or pwq.inactive_works):
            return []
        return [f"workqueue {wq.name}: flags=0x{wq.flags:x}", *show_pwq(pwq)]


def show_one_worker_pool(number: int, pool: workqueue.worker_pool) -> list[str]:
    """One pool, if any worker of it works."""
    with _held(pool):
        return _show_one_worker_pool(number, pool)


def _show_one_worker_pool(number: int, pool: workqueue.worker_pool) -> list[str]:
    if pool.nr_workers == pool.nr_idle:
        return []
    hung = 0
    if pool.worklist:
        now = ktime_get()
        hung = (now - _progress.get(pool, now)) // NSEC_PER_SEC
    text = f"pool {2 * number}:{pool_info(pool)} hung={hung}s workers={pool.nr_workers}"
    if pool.manager is not None:
        text += f" manager: {pool.manager.task.pid}"
    idle = [
        _worker_id(w)
        for w in list_for_each_entry(pool.idle_list, workqueue.worker_t, "entry")
    ]
    if idle:
        text += " idle: " + " ".join(idle)
    return [text]


def show_all_workqueues() -> list[str]:
    """The lines of sysrq-t about workqueues: the busy ones and the pools with busy workers.

    In C they are freed after a grace period; here it is the mutex that keeps them. Who has it may
    be what is stuck: then there are only the pools.
    """
    lines = ["Showing busy workqueues and worker pools:"]
    if not _beside() or mutex_trylock(workqueue.wq_pool_mutex):
        for wq in list(workqueue.workqueues.values()):
            lines += show_one_workqueue(wq)
        if _beside():
            mutex_unlock(workqueue.wq_pool_mutex)
    for number, pool in enumerate(pools()):
        lines += show_one_worker_pool(number, pool)
    return lines


def show_cpu_pools_busy_workers(stalled: list[workqueue.worker_pool]) -> list[str]:
    """The stacks of those who run in stalled pools of CPUs, or the state of such a pool."""
    lines = ["Showing backtraces of busy workers in stalled worker pools:"]
    for number, pool in enumerate(pools()):
        if pool not in stalled:
            continue
        lines.append(f"pool {2 * number}:")
        with _held(pool):
            for worker in pool.busy.values():
                lines += sched_show_task(worker.task)
    return lines


def wq_watchdog_timer_fn() -> None:
    """Look at every pool once."""
    now = ktime_get()
    thresh = wq_watchdog_thresh * NSEC_PER_SEC
    if not thresh:
        return
    lines: list[str] = []
    stalled = []
    for pool in pools():
        if not pool.worklist:
            continue
        stall = now - _progress.get(pool, now)
        if stall <= thresh:
            continue
        lines.append(
            f"BUG: workqueue lockup - pool{pool_info(pool)} stuck for {stall // NSEC_PER_SEC}s!"
        )
        if pool.limit:
            stalled.append(pool)
    if not lines:
        return
    lines += show_all_workqueues()
    if stalled:
        lines += show_cpu_pools_busy_workers(stalled)
    facility.splat(NAME, lines[0], lines)


def watchdog() -> None:
    """Look, sleep."""
    while True:
        sched.set_current_state(sched.TASK_IDLE)
        sched.schedule_timeout(max(wq_watchdog_thresh, 1) * HZ)
        wq_watchdog_timer_fn()


def wq_watchdog_init() -> int:
    """Start the one who looks, where that does no harm."""
    if _enabled and _beside():
        fork.kernel_task(watchdog, "wq_watchdog")
    return 0


late_initcall(wq_watchdog_init)


# -- the facility ------------------------------------------------------------------------------


def _hooks() -> dict[Any, Hook]:
    return {
        workqueue.__queue_work: Hook(_before_queue),
        workqueue.process_one_work: Hook(_before_process, _after_process),
        tick.tick_handle: Hook(_before_tick),
        sched.schedule: Hook(_before_tick),
        sched._schedule_until: Hook(_before_sleep),
    }


def _before_queue(cpu: int, wq: Any, work: Any) -> None:
    pool = _pool_of.get(wq)
    if pool is None:
        pool = _pool_of[wq] = raw_get(raw_get(wq, "pwq"), "pool")
    if not raw_get(pool, "worklist"):
        _progress[pool] = ktime_get()


def _before_process(worker: Any, work: Any) -> None:
    _started[worker] = _progress[raw_get(worker, "pool")] = ktime_get()


def _after_process(_: None, worker: Any, work: Any) -> None:
    _started.pop(worker, None)


def _before_tick() -> None:
    global _next_check
    now = ktime_get()
    if now >= _next_check:
        _next_check = now + wq_watchdog_thresh * NSEC_PER_SEC
        if not _beside():
            wq_watchdog_timer_fn()


def _before_sleep(deadline: int) -> None:
    _before_tick()


class wq_watchdog(facility.Facility):
    """Workqueues that do not get on."""

    name = NAME

    def hooks(self, machine: Machine) -> facility.Hooks:
        return _hooks()

    def start(self, machine: Machine) -> None:
        global _enabled
        _enabled = True

    def begin(self) -> None:
        wq_watchdog_reset()

    def stop(self) -> None:
        global _enabled
        _enabled = False
        wq_watchdog_reset()
