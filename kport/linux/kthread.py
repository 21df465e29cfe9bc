# SPDX-FileCopyrightText: 2009 Red Hat, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from kernel/kthread.c and include/linux/kthread.h,
# Linux 7.2.13, on 2026-11-20.
"""Kernel threads: create, stop, park, unpark; and kthread_worker, a thread with a queue of work.

Left out: CPU affinity and NUMA, the freezer, cgroups, the mm of a borrowed address space.
`kthreadd` starts with the first thread somebody asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from kport.arch.asm import preempt_disable, preempt_enable, xchg
from kport.linux import sched
from kport.linux.bitops import BIT, bitmap, clear_bit, set_bit, test_bit
from kport.linux.bug import WARN_ON, WARN_ON_ONCE
from kport.linux.cleanup import goto, labels
from kport.linux.completion import (
    DECLARE_COMPLETION_ONSTACK,
    complete,
    completion,
    init_completion,
    wait_for_completion,
    wait_for_completion_killable,
)
from kport.linux.err import EBUSY, EINTR, ENOMEM, ENOSYS, ERR_CAST, ERR_PTR, IS_ERR
from kport.linux.jiffies import jiffies
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add,
    list_add_tail,
    list_del_init,
    list_empty,
    list_entry,
    list_first_entry,
    list_head,
)
from kport.linux.lockdep import lockdep_assert_held
from kport.linux.module import EXPORT_SYMBOL, EXPORT_SYMBOL_GPL, boot_data
from kport.linux.sched import (
    PF_EXITING,
    PF_KTHREAD,
    SCHED_NORMAL,
    TASK_INTERRUPTIBLE,
    TASK_PARKED,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    TIF_NOTIFY_SIGNAL,
    __set_current_state,
    cond_resched,
    current,
    get_task_struct,
    put_task_struct,
    sched_setscheduler_nocheck,
    schedule,
    schedule_preempt_disabled,
    set_current_state,
    set_special_state,
    set_tsk_thread_flag,
    task_struct,
    wait_task_inactive,
    wake_up_process,
    wake_up_state,
)
from kport.linux.slab import kfree, kmalloc_obj, kzalloc_obj
from kport.linux.spinlock import (
    DEFINE_SPINLOCK,
    raw_spin_lock_init,
    raw_spin_lock_irq,
    raw_spin_lock_irqsave,
    raw_spin_unlock_irq,
    raw_spin_unlock_irqrestore,
    raw_spinlock_t,
    spin_lock,
    spin_lock_init,
    spin_unlock,
)
from kport.linux.struct import container_of, memset, sizeof, struct
from kport.linux.timer import (
    add_timer,
    timer_container_of,
    timer_delete_sync,
    timer_list,
    timer_setup,
)
from kport.linux.vsprintf import sprintf

NUMA_NO_NODE = -1

kthread_create_lock = DEFINE_SPINLOCK()
kthread_create_list = list_head()
kthreadd_task: task_struct = None


@boot_data
def _reset_kthreads() -> None:
    global kthreadd_task
    spin_lock_init(kthread_create_lock, "kthread_create_lock")
    INIT_LIST_HEAD(kthread_create_list)
    kthreadd_task = None
    sched.free_task = free_kthread_struct


class kthread_create_info(struct):
    """One request to kthreadd."""

    full_name: str
    threadfn: Callable[[Any], int] | None
    data: Any
    node: int
    result: Any
    done: completion | None
    list: list_head


class struct_kthread(struct):  # kport: numa
    """What a task that is a kernel thread has besides its task_struct."""

    flags: bitmap
    cpu: int
    node: int
    started: int
    result: int
    threadfn: Callable[[Any], int] | None
    data: Any
    parked: completion
    exited: completion
    full_name: str
    task: task_struct | None


KTHREAD_IS_PER_CPU = 0
KTHREAD_SHOULD_STOP = 1
KTHREAD_SHOULD_PARK = 2


def to_kthread(k: task_struct) -> struct_kthread:
    """The kthread of a kernel thread's task.

    kernel/kthread.c:82-86, Linux 7.2.13
    """
    WARN_ON(not (k.flags & PF_KTHREAD))
    return k.worker_private


def tsk_is_kthread(p: task_struct) -> struct_kthread | None:
    """The kthread of a task, or NULL for one that is not a kernel thread.

    include/linux/kthread.h:21-26, Linux 7.2.13
    """
    if p.flags & PF_KTHREAD:
        return p.worker_private
    return None


def get_kthread_comm(tsk: task_struct) -> str:  # kport: string
    """The whole name of a kernel thread.

    kernel/kthread.c:88-98, Linux 7.2.13
    """
    kthread = to_kthread(tsk)

    if not kthread or not kthread.full_name:
        return tsk.comm  # kport: string

    return kthread.full_name  # kport: string


def set_kthread_struct(p: task_struct) -> bool:
    """Make a task a kernel thread; False if there is no memory or it is one already.

    kernel/kthread.c:100-120, Linux 7.2.13
    """
    if WARN_ON_ONCE(to_kthread(p)):
        return False

    kthread = kzalloc_obj(struct_kthread)
    if not kthread:
        return False

    init_completion(kthread.exited)
    init_completion(kthread.parked)
    # kport: numa
    p.vfork_done = kthread.exited

    kthread.task = p
    kthread.node = tsk_fork_get_node(current())
    p.worker_private = kthread
    return True


def free_kthread_struct(k: task_struct) -> None:
    """Free what set_kthread_struct() made.

    kernel/kthread.c:122-139, Linux 7.2.13
    """
    kthread = to_kthread(k)
    if not kthread:
        return

    k.worker_private = None
    # kport: string
    kfree(kthread)


def kthread_should_stop() -> int:
    """Non-zero once kthread_stop() was called for the running thread.

    kernel/kthread.c:148-151, Linux 7.2.13
    """
    return test_bit(KTHREAD_SHOULD_STOP, to_kthread(current()).flags)


EXPORT_SYMBOL(kthread_should_stop)


def __kthread_should_park(k: task_struct) -> int:
    """Non-zero once kthread_park() was called for the thread.

    kernel/kthread.c:154-157, Linux 7.2.13
    """
    return test_bit(KTHREAD_SHOULD_PARK, to_kthread(k).flags)


def kthread_should_park() -> int:
    """Non-zero once kthread_park() was called for the running thread.

    kernel/kthread.c:170-173, Linux 7.2.13
    """
    return __kthread_should_park(current())


EXPORT_SYMBOL_GPL(kthread_should_park)


def kthread_should_stop_or_park() -> bool:
    """True if the running thread is a kernel thread that shall stop or park.

    kernel/kthread.c:176-184, Linux 7.2.13
    """
    kthread = tsk_is_kthread(current())

    if not kthread:
        return False

    return bool(kthread.flags & (BIT(KTHREAD_SHOULD_STOP) | BIT(KTHREAD_SHOULD_PARK)))


def kthread_func(task: task_struct) -> Callable[[Any], int] | None:
    """The function a kernel thread was made with.

    kernel/kthread.c:217-223, Linux 7.2.13
    """
    kthread = tsk_is_kthread(task)
    if kthread:
        return kthread.threadfn
    return None


EXPORT_SYMBOL_GPL(kthread_func)


def kthread_data(task: task_struct) -> Any:
    """The argument a kernel thread was made with.

    kernel/kthread.c:234-237, Linux 7.2.13
    """
    return to_kthread(task).data


EXPORT_SYMBOL_GPL(kthread_data)


def __kthread_parkme(self: struct_kthread) -> None:
    """Stay parked while the thread shall park.

    kernel/kthread.c:259-286, Linux 7.2.13
    """
    while True:
        set_special_state(TASK_PARKED)
        if not test_bit(KTHREAD_SHOULD_PARK, self.flags):
            break

        preempt_disable()
        complete(self.parked)
        schedule_preempt_disabled()
        preempt_enable()
    __set_current_state(TASK_RUNNING)


def kthread_parkme() -> None:
    """Park the running thread until it is unparked or stopped.

    kernel/kthread.c:288-291, Linux 7.2.13
    """
    __kthread_parkme(to_kthread(current()))


EXPORT_SYMBOL_GPL(kthread_parkme)


def kthread_do_exit(kthread: struct_kthread, result: int) -> None:
    """Note the result of a kernel thread that exits.

    kernel/kthread.c:294-307, Linux 7.2.13
    """
    kthread.result = result
    # kport: numa


def kthread_create(threadfn: Callable[[Any], int], data: Any, namefmt: str, *args: Any) -> Any:
    """A new, sleeping thread; wake_up_process() starts it.

    include/linux/kthread.h:45-46, Linux 7.2.13
    """
    return kthread_create_on_node(threadfn, data, NUMA_NO_NODE, namefmt, *args)


def kthread_complete_and_exit(comp: completion | None, code: int) -> NoReturn:
    """Complete `comp`, if given, and end the running kernel thread.

    kernel/kthread.c:321-327, Linux 7.2.13
    """
    if comp:
        complete(comp)

    kthread_exit(code)


EXPORT_SYMBOL(kthread_complete_and_exit)


def kthread(_create: Any) -> NoReturn:
    """The first function of every thread that kthreadd makes.

    kernel/kthread.c:380-439, Linux 7.2.13
    """
    create: kthread_create_info = _create
    threadfn = create.threadfn
    data = create.data

    self = to_kthread(current())

    done = xchg(create, "done", None)
    if not done:
        # kport: string
        kfree(create)
        kthread_exit(-EINTR)

    self.full_name = create.full_name
    self.threadfn = threadfn
    self.data = data

    sched_setscheduler_nocheck(current(), SCHED_NORMAL, 0)  # kport: model

    __set_current_state(TASK_UNINTERRUPTIBLE)
    create.result = current()
    preempt_disable()
    complete(done)
    schedule_preempt_disabled()
    preempt_enable()

    self.started = 1

    # kport: numa
    ret = -EINTR
    if not test_bit(KTHREAD_SHOULD_STOP, self.flags):
        # kport: cgroup
        __kthread_parkme(self)
        ret = threadfn(data)
    kthread_exit(ret)


def tsk_fork_get_node(tsk: task_struct) -> int:
    """The NUMA node for a new thread: none, there is no NUMA here.

    kernel/kthread.c:442-449, Linux 7.2.13
    """
    return NUMA_NO_NODE


def create_kthread(create: kthread_create_info) -> None:
    """Make the thread of one request; runs in kthreadd.

    kernel/kthread.c:451-473, Linux 7.2.13
    """
    pid = kernel_thread(kthread, create, create.full_name)  # kport: model
    if IS_ERR(pid):  # kport: model
        done = xchg(create, "done", None)

        # kport: string
        if not done:
            kfree(create)
            return
        create.result = pid  # kport: model
        complete(done)


def __kthread_create_on_node(
    threadfn: Callable[[Any], int], data: Any, node: int, namefmt: str, args: tuple[Any, ...]
) -> Any:
    """Ask kthreadd for a thread and wait for it; the task, or ERR_PTR(-ENOMEM / -EINTR).

    kernel/kthread.c:475-525, Linux 7.2.13
    """
    done = DECLARE_COMPLETION_ONSTACK()
    create = kmalloc_obj(kthread_create_info)

    if not create:
        return ERR_PTR(-ENOMEM)
    create.threadfn = threadfn
    create.data = data
    create.node = node
    create.done = done
    create.full_name = sprintf(namefmt, *args)  # kport: string

    _need_kthreadd()  # kport: boot
    spin_lock(kthread_create_lock)
    list_add_tail(create.list, kthread_create_list)
    spin_unlock(kthread_create_lock)

    wake_up_process(kthreadd_task)
    if wait_for_completion_killable(done):
        if xchg(create, "done", None):
            return ERR_PTR(-EINTR)
        wait_for_completion(done)
    task = create.result
    # kport: string
    kfree(create)
    return task


def kthread_create_on_node(
    threadfn: Callable[[Any], int], data: Any, node: int, namefmt: str, *args: Any
) -> Any:
    """A new, sleeping thread named by the format; ERR_PTR(-ENOMEM / -EINTR) if there is none.

    kernel/kthread.c:550-563, Linux 7.2.13
    """
    task = __kthread_create_on_node(threadfn, data, node, namefmt, args)

    return task


EXPORT_SYMBOL(kthread_create_on_node)


def kthread_run(threadfn: Callable[[Any], int], data: Any, namefmt: str, *args: Any) -> Any:
    """A new, running thread.

    include/linux/kthread.h:69-76, Linux 7.2.13
    """
    __k = kthread_create(threadfn, data, namefmt, *args)
    if not IS_ERR(__k):
        wake_up_process(__k)
    return __k


def kthread_exit(result: int) -> NoReturn:
    """End the running kernel thread; kthread_stop() returns `result`.

    include/linux/kthread.h:119, Linux 7.2.13
    """
    do_exit(result)


def kthread_unpark(k: task_struct) -> None:
    """Let a parked thread go on; nothing if it is not parked.

    kernel/kthread.c:670-688, Linux 7.2.13
    """
    kthread = to_kthread(k)

    if not test_bit(KTHREAD_SHOULD_PARK, kthread.flags):
        return

    # kport: numa
    clear_bit(KTHREAD_SHOULD_PARK, kthread.flags)
    wake_up_state(k, TASK_PARKED)


EXPORT_SYMBOL_GPL(kthread_unpark)


def kthread_park(k: task_struct) -> int:
    """Park a thread and wait until it is; -ENOSYS if it is exiting, -EBUSY if it parks already.

    kernel/kthread.c:703-729, Linux 7.2.13
    """
    kthread = to_kthread(k)

    if WARN_ON(k.flags & PF_EXITING):
        return -ENOSYS

    if WARN_ON_ONCE(test_bit(KTHREAD_SHOULD_PARK, kthread.flags)):
        return -EBUSY

    set_bit(KTHREAD_SHOULD_PARK, kthread.flags)
    if k is not current():
        wake_up_process(k)
        wait_for_completion(kthread.parked)
        WARN_ON_ONCE(not wait_task_inactive(k, TASK_PARKED))

    return 0


EXPORT_SYMBOL_GPL(kthread_park)


def kthread_stop(k: task_struct) -> int:
    """Tell a thread to stop, wait for its end; returns its result, -EINTR if it never ran.

    kernel/kthread.c:747-766, Linux 7.2.13
    """
    # kport: tracing
    get_task_struct(k)
    kthread = to_kthread(k)
    set_bit(KTHREAD_SHOULD_STOP, kthread.flags)
    kthread_unpark(k)
    set_tsk_thread_flag(k, TIF_NOTIFY_SIGNAL)
    wake_up_process(k)
    wait_for_completion(kthread.exited)
    ret = kthread.result
    put_task_struct(k)

    # kport: tracing
    return ret


EXPORT_SYMBOL(kthread_stop)


def kthread_stop_put(k: task_struct) -> int:
    """kthread_stop(), and drop the caller's reference.

    kernel/kthread.c:777-784, Linux 7.2.13
    """
    ret = kthread_stop(k)
    put_task_struct(k)
    return ret


EXPORT_SYMBOL(kthread_stop_put)


def kthreadd(unused: Any) -> int:
    """The thread that makes all others.

    kernel/kthread.c:787-825, Linux 7.2.13
    """
    # kport: model, numa
    while True:
        set_current_state(TASK_INTERRUPTIBLE)
        if list_empty(kthread_create_list):
            schedule()
        __set_current_state(TASK_RUNNING)

        spin_lock(kthread_create_lock)
        while not list_empty(kthread_create_list):
            create = list_entry(kthread_create_list.next, kthread_create_info, "list")
            list_del_init(create.list)
            spin_unlock(kthread_create_lock)

            create_kthread(create)

            spin_lock(kthread_create_lock)
        spin_unlock(kthread_create_lock)


def _need_kthreadd() -> None:
    """Start kthreadd with the first request; in C rest_init() does it at boot."""
    global kthreadd_task
    spin_lock(kthread_create_lock)
    if kthreadd_task is None:
        kthreadd_task = kernel_thread(kthreadd, None, "kthreadd", PF_SERVICE)
    spin_unlock(kthread_create_lock)


# -- kthread_worker ----------------------------------------------------------------------------


class kthread_work(struct):
    """One piece of work: its place in a queue, its function, the worker it was queued on last."""

    node: list_head
    func: Callable[[kthread_work], None] | None
    worker: kthread_worker | None
    canceling: int


class kthread_worker(struct):
    """A thread with a queue."""

    flags: int
    lock: raw_spinlock_t
    work_list: list_head
    delayed_work_list: list_head
    task: task_struct | None
    current_work: kthread_work | None


class kthread_delayed_work(struct):
    """Work that a timer queues."""

    work: kthread_work
    timer: timer_list


kthread_work_func_t = Callable[[kthread_work], None]


def kthread_init_worker(worker: kthread_worker) -> None:
    """Prepare a worker without a thread.

    include/linux/kthread.h:187-191, Linux 7.2.13
    """
    __kthread_init_worker(worker, "(worker)->lock")  # kport: model


def kthread_init_work(work: kthread_work, fn: kthread_work_func_t) -> None:
    """Prepare a piece of work.

    include/linux/kthread.h:193-198, Linux 7.2.13
    """
    memset(work, 0, sizeof(kthread_work))
    INIT_LIST_HEAD(work.node)
    work.func = fn


def kthread_init_delayed_work(dwork: kthread_delayed_work, fn: kthread_work_func_t) -> None:
    """Prepare a piece of delayed work.

    include/linux/kthread.h:200-206, Linux 7.2.13
    """
    kthread_init_work(dwork.work, fn)
    timer_setup(dwork.timer, kthread_delayed_work_timer_fn, 0)  # kport: model


def __kthread_init_worker(worker: kthread_worker, name: str) -> None:  # kport: model
    """Prepare a worker; `name` is its lock's in reports.

    kernel/kthread.c:958-967, Linux 7.2.13
    """
    memset(worker, 0, sizeof(kthread_worker))
    raw_spin_lock_init(worker.lock, name)  # kport: model
    INIT_LIST_HEAD(worker.work_list)
    INIT_LIST_HEAD(worker.delayed_work_list)


EXPORT_SYMBOL_GPL(__kthread_init_worker)


def kthread_worker_fn(worker_ptr: Any) -> int:
    """The thread of a worker: run the queue in order, one at a time, until stopped.

    kernel/kthread.c:985-1045, Linux 7.2.13
    """
    worker: kthread_worker = worker_ptr

    WARN_ON(worker.task and worker.task is not current())
    worker.task = current()

    # kport: freezer
    while True:
        set_current_state(TASK_INTERRUPTIBLE)

        if kthread_should_stop():
            __set_current_state(TASK_RUNNING)
            raw_spin_lock_irq(worker.lock)
            worker.task = None
            raw_spin_unlock_irq(worker.lock)
            return 0

        work = None
        raw_spin_lock_irq(worker.lock)
        if not list_empty(worker.work_list):
            work = list_first_entry(worker.work_list, kthread_work, "node")
            list_del_init(work.node)
        worker.current_work = work
        raw_spin_unlock_irq(worker.lock)

        if work:
            # kport: tracing
            __set_current_state(TASK_RUNNING)
            # kport: tracing
            work.func(work)
        else:  # kport: freezer, tracing
            schedule()
        # kport: freezer
        cond_resched()


EXPORT_SYMBOL_GPL(kthread_worker_fn)


def __kthread_create_worker_on_node(
    flags: int, node: int, namefmt: str, args: tuple[Any, ...]
) -> Any:
    """A worker with a sleeping thread; ERR_PTR(-ENOMEM / -EINTR) if there is none.

    kernel/kthread.c:1048-1074, Linux 7.2.13
    """
    worker = kzalloc_obj(kthread_worker)
    if not worker:
        return ERR_PTR(-ENOMEM)

    kthread_init_worker(worker)

    with labels("fail_task") as label:
        task = __kthread_create_on_node(kthread_worker_fn, worker, node, namefmt, args)
        if IS_ERR(task):
            raise goto("fail_task")

        worker.flags = flags
        worker.task = task

        return worker

    if label("fail_task"):
        kfree(worker)
        return ERR_CAST(task)


def kthread_create_worker_on_node(flags: int, node: int, namefmt: str, *args: Any) -> Any:
    """A worker with a sleeping thread named by the format.

    kernel/kthread.c:1086-1097, Linux 7.2.13
    """
    worker = __kthread_create_worker_on_node(flags, node, namefmt, args)

    return worker


EXPORT_SYMBOL(kthread_create_worker_on_node)


def kthread_create_worker(flags: int, namefmt: str, *args: Any) -> Any:
    """A worker with a sleeping thread on any node.

    include/linux/kthread.h:215-216, Linux 7.2.13
    """
    return kthread_create_worker_on_node(flags, NUMA_NO_NODE, namefmt, *args)


def kthread_run_worker(flags: int, namefmt: str, *args: Any) -> Any:
    """A worker with a running thread.

    include/linux/kthread.h:226-233, Linux 7.2.13
    """
    __kw = kthread_create_worker(flags, namefmt, *args)
    if not IS_ERR(__kw):
        wake_up_process(__kw.task)
    return __kw


def queuing_blocked(worker: kthread_worker, work: kthread_work) -> bool:
    """True if the work is queued or being cancelled.

    kernel/kthread.c:1155-1161, Linux 7.2.13
    """
    lockdep_assert_held(worker.lock)

    return bool(not list_empty(work.node) or work.canceling)


def kthread_insert_work_sanity_check(worker: kthread_worker, work: kthread_work) -> None:
    """Warn about work that is queued, or was queued on another worker.

    kernel/kthread.c:1163-1170, Linux 7.2.13
    """
    lockdep_assert_held(worker.lock)
    WARN_ON_ONCE(not list_empty(work.node))
    WARN_ON_ONCE(work.worker and work.worker is not worker)


def kthread_insert_work(worker: kthread_worker, work: kthread_work, pos: list_head) -> None:
    """Insert the work before `pos` and wake the worker if it is idle.

    kernel/kthread.c:1173-1185, Linux 7.2.13
    """
    kthread_insert_work_sanity_check(worker, work)

    # kport: tracing
    list_add_tail(work.node, pos)
    work.worker = worker
    if not worker.current_work and worker.task:
        wake_up_process(worker.task)


def kthread_queue_work(worker: kthread_worker, work: kthread_work) -> bool:
    """Queue the work; False if it is queued already or being cancelled.

    kernel/kthread.c:1199-1212, Linux 7.2.13
    """
    ret = False

    flags = raw_spin_lock_irqsave(worker.lock)
    if not queuing_blocked(worker, work):
        kthread_insert_work(worker, work, worker.work_list)
        ret = True
    raw_spin_unlock_irqrestore(worker.lock, flags)
    return ret


EXPORT_SYMBOL_GPL(kthread_queue_work)


def kthread_delayed_work_timer_fn(t: timer_list) -> None:
    """The timer of delayed work: queue it.

    kernel/kthread.c:1223-1249, Linux 7.2.13
    """
    dwork = timer_container_of(t, kthread_delayed_work, "timer")
    work = dwork.work
    worker = work.worker

    if WARN_ON_ONCE(not worker):
        return

    flags = raw_spin_lock_irqsave(worker.lock)
    WARN_ON_ONCE(work.worker is not worker)

    WARN_ON_ONCE(list_empty(work.node))
    list_del_init(work.node)
    if not work.canceling:
        kthread_insert_work(worker, work, worker.work_list)

    raw_spin_unlock_irqrestore(worker.lock, flags)


EXPORT_SYMBOL(kthread_delayed_work_timer_fn)


def __kthread_queue_delayed_work(
    worker: kthread_worker, dwork: kthread_delayed_work, delay: int
) -> None:
    """Start the timer, or queue at once if `delay` is 0 ticks.

    kernel/kthread.c:1252-1279, Linux 7.2.13
    """
    timer = dwork.timer
    work = dwork.work

    WARN_ON_ONCE(timer.function is not kthread_delayed_work_timer_fn)

    if not delay:
        kthread_insert_work(worker, work, worker.work_list)
        return

    kthread_insert_work_sanity_check(worker, work)

    list_add(work.node, worker.delayed_work_list)
    work.worker = worker
    timer.expires = jiffies() + delay
    add_timer(timer)


def kthread_queue_delayed_work(
    worker: kthread_worker, dwork: kthread_delayed_work, delay: int
) -> bool:
    """Queue the work in `delay` ticks; False if it is queued already or being cancelled.

    kernel/kthread.c:1296-1313, Linux 7.2.13
    """
    work = dwork.work
    ret = False

    flags = raw_spin_lock_irqsave(worker.lock)

    if not queuing_blocked(worker, work):
        __kthread_queue_delayed_work(worker, dwork, delay)
        ret = True

    raw_spin_unlock_irqrestore(worker.lock, flags)
    return ret


EXPORT_SYMBOL_GPL(kthread_queue_delayed_work)


class struct_kthread_flush_work(struct):
    """The marker a flush queues behind the work."""

    work: kthread_work
    done: completion


def _flush_marker() -> struct_kthread_flush_work:
    fwork = struct_kthread_flush_work()
    kthread_init_work(fwork.work, kthread_flush_work_fn)
    init_completion(fwork.done)
    return fwork


def kthread_flush_work_fn(work: kthread_work) -> None:
    """The marker has been reached.

    kernel/kthread.c:1321-1326, Linux 7.2.13
    """
    fwork = container_of(work, struct_kthread_flush_work, "work")
    complete(fwork.done)


def kthread_flush_work(work: kthread_work) -> None:
    """Wait until the work, as it is queued or running now, has run.

    kernel/kthread.c:1334-1363, Linux 7.2.13
    """
    fwork = _flush_marker()  # kport: initialiser
    noop = False

    worker = work.worker
    if not worker:
        return

    raw_spin_lock_irq(worker.lock)
    WARN_ON_ONCE(work.worker is not worker)

    if not list_empty(work.node):
        kthread_insert_work(worker, fwork.work, work.node.next)
    elif worker.current_work is work:
        kthread_insert_work(worker, fwork.work, worker.work_list.next)
    else:
        noop = True

    raw_spin_unlock_irq(worker.lock)

    if not noop:
        wait_for_completion(fwork.done)


EXPORT_SYMBOL_GPL(kthread_flush_work)


def kthread_cancel_delayed_work_timer(work: kthread_work, flags: int) -> int:
    """Stop the timer with the worker's lock opened meanwhile; returns the new `flags`.

    kernel/kthread.c:1373-1391, Linux 7.2.13
    """
    dwork = container_of(work, kthread_delayed_work, "work")
    worker = work.worker

    work.canceling += 1
    raw_spin_unlock_irqrestore(worker.lock, flags)
    timer_delete_sync(dwork.timer)
    flags = raw_spin_lock_irqsave(worker.lock)
    work.canceling -= 1
    return flags  # kport: out-param


def __kthread_cancel_work(work: kthread_work) -> bool:
    """Take the work off its list; True if it was on one.

    kernel/kthread.c:1406-1418, Linux 7.2.13
    """
    if not list_empty(work.node):
        list_del_init(work.node)
        return True

    return False


def kthread_mod_delayed_work(
    worker: kthread_worker, dwork: kthread_delayed_work, delay: int
) -> bool:
    """Queue the work in `delay` ticks, whatever it was doing; True if it was pending.

    kernel/kthread.c:1443-1487, Linux 7.2.13
    """
    work = dwork.work

    flags = raw_spin_lock_irqsave(worker.lock)

    with labels("fast_queue", "out") as label:
        if not work.worker:
            ret = False
            raise goto("fast_queue")

        WARN_ON_ONCE(work.worker is not worker)

        flags = kthread_cancel_delayed_work_timer(work, flags)  # kport: out-param
        if work.canceling:
            ret = True
            raise goto("out")
        ret = __kthread_cancel_work(work)

    if label("fast_queue"):
        __kthread_queue_delayed_work(worker, dwork, delay)
    if label("out"):
        raw_spin_unlock_irqrestore(worker.lock, flags)
    return ret


EXPORT_SYMBOL_GPL(kthread_mod_delayed_work)


def __kthread_cancel_work_sync(work: kthread_work, is_dwork: bool) -> bool:
    """Cancel and wait; True if the work was pending.

    kernel/kthread.c:1490-1525, Linux 7.2.13
    """
    worker = work.worker
    ret = False

    with labels("out_fast", "out") as label:
        if not worker:
            raise goto("out")

        flags = raw_spin_lock_irqsave(worker.lock)
        WARN_ON_ONCE(work.worker is not worker)

        if is_dwork:
            flags = kthread_cancel_delayed_work_timer(work, flags)  # kport: out-param

        ret = __kthread_cancel_work(work)

        if worker.current_work is not work:
            raise goto("out_fast")

        work.canceling += 1
        raw_spin_unlock_irqrestore(worker.lock, flags)
        kthread_flush_work(work)
        flags = raw_spin_lock_irqsave(worker.lock)
        work.canceling -= 1

    if label("out_fast"):
        raw_spin_unlock_irqrestore(worker.lock, flags)
    return ret


def kthread_cancel_work_sync(work: kthread_work) -> bool:
    """Cancel the work and wait for a running instance; True if it was pending.

    kernel/kthread.c:1543-1546, Linux 7.2.13
    """
    return __kthread_cancel_work_sync(work, False)


EXPORT_SYMBOL_GPL(kthread_cancel_work_sync)


def kthread_cancel_delayed_work_sync(dwork: kthread_delayed_work) -> bool:
    """Cancel timer and work and wait for a running instance; True if it was pending.

    kernel/kthread.c:1558-1561, Linux 7.2.13
    """
    return __kthread_cancel_work_sync(dwork.work, True)


EXPORT_SYMBOL_GPL(kthread_cancel_delayed_work_sync)


def kthread_flush_worker(worker: kthread_worker) -> None:
    """Wait until everything queued before has run.

    kernel/kthread.c:1571-1580, Linux 7.2.13
    """
    fwork = _flush_marker()  # kport: initialiser

    kthread_queue_work(worker, fwork.work)
    wait_for_completion(fwork.done)


EXPORT_SYMBOL_GPL(kthread_flush_worker)


def kthread_destroy_worker(worker: kthread_worker) -> None:
    """Flush, stop the thread, free the worker.

    kernel/kthread.c:1595-1608, Linux 7.2.13
    """
    task = worker.task
    if WARN_ON(not task):
        return

    kthread_flush_worker(worker)
    kthread_stop(task)
    WARN_ON(not list_empty(worker.delayed_work_list))
    WARN_ON(not list_empty(worker.work_list))
    kfree(worker)


EXPORT_SYMBOL(kthread_destroy_worker)

# extern
from kport.linux.fork import PF_SERVICE, do_exit, kernel_thread
