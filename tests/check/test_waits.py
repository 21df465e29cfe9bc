# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Deadlocks through waits: planted ones are predicted from runs that pass, clean code is clean.

The threads of a case run one after the other, so that nobody waits; that is the run that passes.
They take turns by a plain variable, of which the kernel knows nothing: what orders them is luck.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from kport.arch.patch import Edit, applied
from kport.dma_buf.dma_fence import (
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_context_alloc,
    dma_fence_init,
    dma_fence_ops,
    dma_fence_remove_callback,
    dma_fence_signal,
    dma_fence_wait,
    dma_fence_wait_timeout,
)
from kport.dma_buf.dma_resv import (
    dma_resv,
    dma_resv_fini,
    dma_resv_init,
    dma_resv_lock,
    dma_resv_unlock,
)
from kport.drivers.compat import package
from kport.drm.scheduler.v7_2 import sched_entity, sched_main
from kport.linux.completion import (
    complete,
    complete_all,
    completion,
    init_completion,
    reinit_completion,
    wait_for_completion,
    wait_for_completion_timeout,
)
from kport.linux.kthread import (
    kthread_create,
    kthread_park,
    kthread_parkme,
    kthread_run,
    kthread_should_park,
    kthread_should_stop,
    kthread_stop,
    kthread_unpark,
)
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_trylock, mutex_unlock
from kport.linux.rcupdate import synchronize_rcu
from kport.linux.rwsem import (
    down_read,
    down_write,
    init_rwsem,
    rw_semaphore,
    up_read,
    up_write,
)
from kport.linux.sched import get_task_struct, put_task_struct, wake_up_process
from kport.linux.wait import (
    init_waitqueue_head,
    wait_event,
    wait_event_interruptible,
    wait_queue_head,
    wake_up,
)
from kport.linux.wait_bit import wait_var_event, wake_up_var
from kport.linux.workqueue import (
    INIT_DELAYED_WORK,
    INIT_WORK,
    alloc_ordered_workqueue,
    alloc_workqueue,
    cancel_delayed_work_sync,
    cancel_work_sync,
    delayed_work,
    destroy_workqueue,
    flush_work,
    flush_workqueue,
    queue_delayed_work,
    queue_work,
    schedule_work,
    work_struct,
)
from tests.drm.scheduler.driver import Driver, instant
from tests.support import Thread, eventually, sleep_ms

ops = dma_fence_ops(get_driver_name=lambda f: "test", get_timeline_name=lambda f: "soft")

Case = Callable[[Any], Any]


def lock(name: str) -> mutex:
    m = mutex()
    mutex_init(m, name)
    return m


def things() -> SimpleNamespace:
    """What the cases use."""
    t = SimpleNamespace(m=lock("m"), n=lock("n"), x=completion(), y=completion())
    init_completion(t.x)
    init_completion(t.y)
    t.q = wait_queue_head()
    init_waitqueue_head(t.q)
    t.sem = rw_semaphore()
    init_rwsem(t.sem)
    t.fence = dma_fence()
    dma_fence_init(t.fence, ops, None, dma_fence_context_alloc(1), 1)
    t.flag = False
    t.work, t.other = work_struct(), work_struct()
    t.delayed = delayed_work()
    t.wq = None
    return t


def in_turn(*functions: Callable[[], Any]) -> None:
    """Run each in a thread of its own, one after the other; nothing tells the kernel so."""
    turn = 0

    def run(number: int, function: Callable[[], Any]) -> None:
        nonlocal turn
        eventually(lambda: turn == number)
        function()
        turn += 1

    threads = [Thread(run, n, f, name=f"turn/{n}") for n, f in enumerate(functions)]
    for thread in threads:
        thread.join()


class held:
    """A mutex for a block."""

    def __init__(self, m: mutex) -> None:
        self.m = m

    def __enter__(self) -> None:
        mutex_lock(self.m)

    def __exit__(self, *error: object) -> None:
        mutex_unlock(self.m)


def under(m: mutex, function: Callable[..., Any], *args: Any) -> Callable[[], None]:
    """The function with the mutex held."""

    def run() -> None:
        with held(m):
            function(*args)

    return run


def behind(m: mutex, function: Callable[..., Any], *args: Any) -> Callable[[], None]:
    """The function after the mutex was held for a moment."""

    def run() -> None:
        with held(m):
            pass
        function(*args)

    return run


# -- planted: each case passes as it runs, and would not in another order ------------------------


def completion_under_the_lock_of_the_completer(t):
    in_turn(behind(t.m, complete, t.x), under(t.m, wait_for_completion, t.x))


def complete_all_behind_the_lock_of_the_waiter(t):
    in_turn(behind(t.m, complete_all, t.x), under(t.m, wait_for_completion, t.x))


def wait_event_under_the_lock_of_the_waker(t):
    def waker():
        with held(t.m):
            pass
        t.flag = True
        wake_up(t.q)

    in_turn(waker, under(t.m, wait_event, t.q, lambda: t.flag))


def wait_var_under_the_lock_of_the_waker(t):
    def waker():
        with held(t.m):
            pass
        t.flag = True
        wake_up_var(t.x)

    in_turn(waker, under(t.m, wait_var_event, t.x, lambda: t.flag))


def fence_under_the_lock_of_the_signaller(t):
    in_turn(behind(t.m, dma_fence_signal, t.fence), under(t.m, dma_fence_wait, t.fence, False))


def read_semaphore_against_a_writer_who_waits(t):
    def signaller():
        down_read(t.sem)
        up_read(t.sem)
        dma_fence_signal(t.fence)

    def waiter():
        down_write(t.sem)
        dma_fence_wait(t.fence, True)
        up_write(t.sem)

    in_turn(signaller, waiter)


def a_lock_taken_with_trylock_is_held_too(t):
    def waiter():
        assert mutex_trylock(t.m)
        wait_for_completion(t.x)
        mutex_unlock(t.m)

    in_turn(behind(t.m, complete, t.x), waiter)


def fence_under_a_reservation_its_signaller_takes(t):
    resv = dma_resv()
    dma_resv_init(resv)

    def signaller():
        dma_resv_lock(resv, None)
        dma_resv_unlock(resv)
        dma_fence_signal(t.fence)

    def waiter():
        dma_resv_lock(resv, None)
        dma_fence_wait(t.fence, False)
        dma_resv_unlock(resv)

    in_turn(signaller, waiter)
    dma_resv_fini(resv)


def ran(work: work_struct, t: Any) -> Callable[[], Any]:
    """Queue the work and wait until it has run, by a plain variable."""

    def run() -> None:
        t.flag = False
        schedule_work(work)
        eventually(lambda: t.flag)
        sleep_ms(1)

    return run


def takes(t: Any, m: mutex) -> Callable[[work_struct], None]:
    """A work item's function that takes the mutex."""

    def function(work: work_struct) -> None:
        with held(m):
            pass
        t.flag = True

    return function


def flush_under_a_lock_the_item_takes(t):
    INIT_WORK(t.work, takes(t, t.m))
    in_turn(ran(t.work, t), under(t.m, flush_work, t.work))


def cancel_under_a_lock_the_item_takes(t):
    INIT_WORK(t.work, takes(t, t.m))
    in_turn(ran(t.work, t), under(t.m, cancel_work_sync, t.work))


def cancel_of_delayed_work_under_a_lock_it_takes(t):
    INIT_DELAYED_WORK(t.delayed, takes(t, t.m))
    t.wq = alloc_workqueue("delayed", 0, 0)

    def queue():
        queue_delayed_work(t.wq, t.delayed, 1)
        eventually(lambda: t.flag)
        sleep_ms(1)

    in_turn(queue, under(t.m, cancel_delayed_work_sync, t.delayed))


def flush_of_a_queue_under_a_lock_of_its_items(t):
    t.wq = alloc_workqueue("flushed", 0, 0)
    INIT_WORK(t.work, takes(t, t.m))

    def queue():
        queue_work(t.wq, t.work)
        eventually(lambda: t.flag)
        sleep_ms(1)

    in_turn(queue, under(t.m, flush_workqueue, t.wq))


def the_lock_is_taken_before_the_work_is_queued_that_completes(t):
    """What the waiter holds is not needed by the item, but by the one who queues it."""
    INIT_WORK(t.work, lambda work: complete(t.x))

    def queue():
        with held(t.m):
            pass
        schedule_work(t.work)
        sleep_ms(2)

    in_turn(queue, under(t.m, wait_for_completion, t.x))


def the_completer_waits_for_one_who_takes_the_lock(t):
    """A chain: m -> x -> y -> m."""

    def second():
        wait_for_completion(t.y)
        complete(t.x)

    in_turn(behind(t.m, complete, t.y), second, under(t.m, wait_for_completion, t.x))


def two_locks_and_a_wait(t):
    """m is held for x, x needs n, and somebody takes m under n: lockdep sees one edge only."""
    in_turn(
        behind(t.n, complete, t.x),
        under(t.n, behind(t.m, lambda: None)),
        under(t.m, wait_for_completion, t.x),
    )


def items_of_an_ordered_queue_that_wait_for_each_other(t):
    """It went well because the item that completes was queued first, by luck."""
    t.wq = alloc_ordered_workqueue("ordered", 0)

    def waits(work):
        wait_for_completion(t.x)
        t.flag = True

    def completes(work):
        complete(t.x)

    INIT_WORK(t.work, completes)
    INIT_WORK(t.other, waits)

    def second():
        queue_work(t.wq, t.other)
        eventually(lambda: t.flag)

    in_turn(lambda: (queue_work(t.wq, t.work), sleep_ms(2)), second)


def thread_stopped_under_a_lock_it_takes(t):
    def work(data):
        while not kthread_should_stop():
            sleep_ms(0.2)
        with held(t.m):
            pass
        t.flag = True
        return 0

    thread = get_task_struct(kthread_create(work, None, "stopped"))
    wake_up_process(thread)
    # It is told to stop by the first and awaited by the second, who comes to a thread that ended.
    thread_flags = thread.worker_private.flags
    in_turn(
        lambda: (sleep_ms(1), set_stop(thread_flags), eventually(lambda: t.flag), sleep_ms(1)),
        under(t.m, kthread_stop, thread),
    )
    put_task_struct(thread)


def set_stop(flags: Any) -> None:
    flags.cells[1] = 1  # KTHREAD_SHOULD_STOP


def thread_parked_under_a_lock_it_takes(t):
    def work(data):
        while not kthread_should_stop():
            if kthread_should_park():
                kthread_parkme()
            if not t.flag:
                with held(t.m):
                    pass
                t.flag = True
            sleep_ms(0.2)
        return 0

    thread = kthread_run(work, None, "parked")
    in_turn(lambda: eventually(lambda: t.flag), under(t.m, kthread_park, thread))
    kthread_unpark(thread)
    kthread_stop(thread)


def edited(*edits: Edit) -> AbstractContextManager[Any]:
    return applied(*edits)


def the_port_signals_fences_under_a_lock_that_waits_for_fences(t):
    names = {"planted": t.m, "mutex_lock": mutex_lock, "mutex_unlock": mutex_unlock}
    wait = "ret = dma_fence_default_wait(fence, intr, timeout)"
    signal = "tmp = dma_fence_begin_signalling()"
    took = "mutex_lock(planted)\n{}\nmutex_unlock(planted)"
    with edited(
        Edit(dma_fence_wait_timeout, wait, took.format(wait), names=names),
        Edit(dma_fence_signal, signal, took.format("pass") + "\n" + signal, names=names),
    ):
        in_turn(lambda: dma_fence_signal(t.fence), lambda: dma_fence_wait(t.fence, False))


def the_port_stops_a_scheduler_under_a_lock_of_run_job(t):
    names = {"planted": t.m, "mutex_lock": mutex_lock, "mutex_unlock": mutex_unlock}
    stop = "cancel_work_sync(sched.work_run_job)"
    after = f"mutex_lock(planted)\n{stop}\nmutex_unlock(planted)"

    def run(job):
        with held(t.m):
            pass
        return instant(job)

    with edited(Edit(sched_main.drm_sched_wqueue_stop, stop, after, names=names)):
        driver = Driver(package("v7_2"))
        sched = driver.scheduler()
        job = driver.submit(driver.entity(sched), run=run)
        job.wait()
        sleep_ms(1)
        sched_main.drm_sched_wqueue_stop(sched)
        sched_main.drm_sched_wqueue_start(sched)
        driver.close()


def the_port_flushes_an_entity_under_a_lock_of_run_job(t):
    driver = Driver(package("v7_2"))
    entity = driver.entity(driver.scheduler())

    def run(job):
        with held(t.m):
            pass
        return instant(job)

    names = {"planted": t.m, "mutex_lock": mutex_lock, "mutex_unlock": mutex_unlock}
    before = """
        wait_event_killable(
            sched.job_scheduled,
            lambda: drm_sched_entity_is_idle(entity),
        )
    """
    with edited(
        Edit(
            sched_entity.drm_sched_entity_flush,
            before,
            f"mutex_lock(planted)\n{before.strip()}\nmutex_unlock(planted)",
            names=names,
        )
    ):
        driver.submit(entity, run=run).wait()
        sleep_ms(1)
        sched_entity.drm_sched_entity_flush(entity, 0)
        driver.close()


PLANTED = [
    completion_under_the_lock_of_the_completer,
    complete_all_behind_the_lock_of_the_waiter,
    wait_event_under_the_lock_of_the_waker,
    wait_var_under_the_lock_of_the_waker,
    fence_under_the_lock_of_the_signaller,
    read_semaphore_against_a_writer_who_waits,
    a_lock_taken_with_trylock_is_held_too,
    fence_under_a_reservation_its_signaller_takes,
    flush_under_a_lock_the_item_takes,
    cancel_under_a_lock_the_item_takes,
    cancel_of_delayed_work_under_a_lock_it_takes,
    flush_of_a_queue_under_a_lock_of_its_items,
    the_lock_is_taken_before_the_work_is_queued_that_completes,
    the_completer_waits_for_one_who_takes_the_lock,
    two_locks_and_a_wait,
    items_of_an_ordered_queue_that_wait_for_each_other,
    thread_stopped_under_a_lock_it_takes,
    thread_parked_under_a_lock_it_takes,
    the_port_signals_fences_under_a_lock_that_waits_for_fences,
    the_port_stops_a_scheduler_under_a_lock_of_run_job,
    the_port_flushes_an_entity_under_a_lock_of_run_job,
]


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_deadlock_is_predicted_from_a_run_that_passes(boot, case):
    with boot(check="waits") as kernel:
        t = things()
        case(t)
        if t.wq is not None:
            destroy_workqueue(t.wq)
    reports = [report for report in kernel.reports() if report.facility == "waits"]
    assert len(reports) == 1, [report.text for report in reports]
    (report,) = reports
    assert report.headline == "WARNING: possible circular dependency through a wait detected"
    assert " *** DEADLOCK ***" in report.lines


# -- clean: none of these can deadlock, and none is reported -------------------------------------


def ping_pong(t):
    """Two threads hand a completion to and fro."""

    def ping():
        for _ in range(5):
            complete(t.x)
            wait_for_completion(t.y)

    def pong():
        for _ in range(5):
            wait_for_completion(t.x)
            complete(t.y)

    first, second = Thread(ping), Thread(pong)
    first.join()
    second.join()


def the_waiter_takes_the_lock_only_after_the_event(t):
    def waiter():
        wait_for_completion(t.x)
        with held(t.m):
            pass

    in_turn(behind(t.m, complete, t.x), waiter)


def the_lock_was_taken_before_the_waiter_was_told_to_begin(t):
    """y says that the lock has been taken and released."""

    def completer():
        with held(t.m):
            pass
        complete(t.y)
        complete(t.x)

    def waiter():
        wait_for_completion(t.y)
        with held(t.m):
            wait_for_completion(t.x)

    in_turn(completer, waiter)


def the_lock_was_taken_before_the_event_was_owed(t):
    """The completer takes the lock, and only then makes the completion that it owes."""

    def completer():
        with held(t.m):
            pass
        reinit_completion(t.x)
        complete(t.x)

    in_turn(completer, under(t.m, wait_for_completion, t.x))


def the_wait_ends_by_itself(t):
    in_turn(behind(t.m, complete, t.x), under(t.m, wait_for_completion_timeout, t.x, 100))


def the_waiter_made_the_completer(t):
    """Who holds the lock starts the thread that took it before, in another life."""

    def waiter():
        with held(t.m):
            pass
        made = Thread(lambda: complete(t.x))
        with held(t.m):
            wait_for_completion(t.x)
        made.join()

    in_turn(waiter)


def a_server_waits_for_requests_and_answers(t):
    """The server's idle wait is nobody's obstacle, though its wake-ups come under the lock."""
    t.requests = 0

    def serve(data):
        while not kthread_should_stop():
            ready = lambda: t.requests or kthread_should_stop()  # noqa: E731
            wait_event_interruptible(t.q, ready)
            if t.requests:
                t.requests -= 1
                complete(t.x)
        return 0

    server = kthread_run(serve, None, "server")

    def client():
        for _ in range(3):
            with held(t.m):
                t.requests += 1
                wake_up(t.q)
                wait_for_completion(t.x)

    in_turn(client, client)
    kthread_stop(server)


def jobs_wait_for_each_other_in_order(t):
    """A chain of fences of one class, some of them waited for under a reservation."""
    resv = dma_resv()
    dma_resv_init(resv)
    driver = Driver(package("v7_2"))
    entity = driver.entity(driver.scheduler())
    for _ in range(4):
        dma_resv_lock(resv, None)
        job = driver.submit(entity, run=instant)
        dma_fence_wait(job.finished, False)
        dma_resv_unlock(resv)
        job.wait()
    driver.close()
    dma_resv_fini(resv)


def items_of_an_ordered_queue_in_the_order_they_need(t):
    """One thread queues first who completes and then who waits: the queue keeps that order."""
    t.wq = alloc_ordered_workqueue("ordered", 0)

    def waits(work):
        wait_for_completion(t.x)
        t.flag = True

    INIT_WORK(t.work, lambda work: complete(t.x))
    INIT_WORK(t.other, waits)
    queue_work(t.wq, t.work)
    queue_work(t.wq, t.other)
    eventually(lambda: t.flag)
    destroy_workqueue(t.wq)


def a_shared_work_item_that_the_waiter_would_queue_itself(t):
    """Another queued it first, behind the lock; the waiter's own queue_work() came too late."""
    t.wq = alloc_workqueue("shared", 0, 0)
    INIT_WORK(t.work, lambda work: (sleep_ms(2), complete(t.x)))

    def waiter():
        with held(t.m):
            queue_work(t.wq, t.work)
            wait_for_completion(t.x)

    in_turn(behind(t.m, queue_work, t.wq, t.work), lambda: (wait_for_completion(t.x)), waiter)
    destroy_workqueue(t.wq)


def a_server_that_another_woke_first(t):
    """It was woken behind the lock, for somebody else, and answers to all."""
    t.requests = 0

    def serve(data):
        while not kthread_should_stop():
            ready = lambda: t.requests or kthread_should_stop()  # noqa: E731
            wait_event_interruptible(t.q, ready)
            while t.requests:
                t.requests -= 1
                sleep_ms(2)
                complete(t.x)
        return 0

    server = kthread_run(serve, None, "server")

    def request():
        t.requests += 1
        wake_up(t.q)

    in_turn(behind(t.m, request), under(t.m, lambda: (request(), wait_for_completion(t.x))))
    kthread_stop(server)


def a_wait_that_only_begins_when_the_signaller_is_on_its_way(t):
    """drm_sched_stop(): whoever finds a callback gone knows that the fence has signalled."""
    t.wq = alloc_ordered_workqueue("resets", 0)
    hardware, cb = dma_fence(), dma_fence_cb()
    dma_fence_init(hardware, ops, None, dma_fence_context_alloc(1), 1)
    dma_fence_add_callback(hardware, cb, lambda fence, cb: dma_fence_signal(t.fence))

    def waits(work):
        if not dma_fence_remove_callback(hardware, cb):
            dma_fence_wait(t.fence, False)
        t.flag = True

    INIT_WORK(t.work, lambda work: dma_fence_signal(hardware))
    INIT_WORK(t.other, waits)
    in_turn(
        lambda: (queue_work(t.wq, t.work), sleep_ms(2)),
        lambda: (queue_work(t.wq, t.other), eventually(lambda: t.flag)),
    )
    destroy_workqueue(t.wq)


def a_grace_period_under_a_lock(t):
    in_turn(under(t.m, synchronize_rcu), under(t.m, synchronize_rcu))


def locks_alone_are_left_to_lockdep(t):
    in_turn(
        under(t.m, behind(t.n, lambda: None)),
        under(t.n, behind(t.m, lambda: None)),
    )


CLEAN = [
    a_shared_work_item_that_the_waiter_would_queue_itself,
    a_server_that_another_woke_first,
    a_wait_that_only_begins_when_the_signaller_is_on_its_way,
    ping_pong,
    items_of_an_ordered_queue_in_the_order_they_need,
    the_waiter_takes_the_lock_only_after_the_event,
    the_lock_was_taken_before_the_waiter_was_told_to_begin,
    the_lock_was_taken_before_the_event_was_owed,
    the_wait_ends_by_itself,
    the_waiter_made_the_completer,
    a_server_waits_for_requests_and_answers,
    jobs_wait_for_each_other_in_order,
    a_grace_period_under_a_lock,
    locks_alone_are_left_to_lockdep,
]


@pytest.mark.parametrize("case", CLEAN)
def test_what_cannot_deadlock_is_not_reported(boot, case):
    with boot(check="waits") as kernel:
        case(things())
    assert [report.text for report in kernel.reports()] == []


# -- the report ----------------------------------------------------------------------------------


def report_of(boot: Any, case: Case) -> list[str]:
    with boot(check="waits") as kernel:
        case(things())
    (report,) = kernel.reports()
    return list(report.lines)


def test_the_report_names_the_circle_and_both_stacks(boot):
    lines = report_of(boot, fence_under_the_lock_of_the_signaller)
    text = "\n".join(lines)
    assert "    [S] lock(m)" in lines
    assert "    [E] unlock(m)" in lines
    assert "    [W] lock(m)" in lines
    assert "  B's lock(m) is ended by A's unlock(m)" in lines
    assert "context A's detail (turn/1/" in text
    assert "context B's detail (turn/0/" in text
    assert " dma_fence_wait+kport/dma_buf/dma_fence.py:" in text
    assert "(drivers/dma-buf/dma-fence.c:" in text or "include/linux/dma-fence.h" in text
    scenario = lines[lines.index("Possible unsafe scenario:") :]
    assert scenario[2].split() == ["context", "A", "context", "B"]


def test_a_chain_has_a_context_for_each_link(boot):
    lines = report_of(boot, the_completer_waits_for_one_who_takes_the_lock)
    contexts = [line for line in lines if line.startswith("context ") and "detail" not in line]
    assert [line[:9] for line in contexts] == ["context A", "context B", "context C"]


@pytest.mark.virt_only("the same run twice")
def test_the_same_run_has_the_same_report(boot):
    runs = [report_of(boot, two_locks_and_a_wait) for _ in range(2)]
    assert runs[0] == runs[1]


def test_without_the_facility_nothing_is_noted(boot):
    with boot(check="") as kernel, nullcontext():
        completion_under_the_lock_of_the_completer(things())
    assert kernel.reports() == []
