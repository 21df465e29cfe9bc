# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Kernel threads: create, stop, park, unpark, exit; with their error codes."""

from __future__ import annotations

from typing import Any

import pytest

from kport.arch.asm import current
from kport.linux import kthread, sched, slab
from kport.linux.completion import (
    DECLARE_COMPLETION_ONSTACK,
    completion_done,
    wait_for_completion,
)
from kport.linux.err import (
    EBUSY,
    EINTR,
    ENOMEM,
    ENOSYS,
    ERESTARTSYS,
    ERR_PTR,
    IS_ERR,
    PTR_ERR,
)
from kport.linux.fork import do_exit
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.kthread import (
    get_kthread_comm,
    kthread_complete_and_exit,
    kthread_create,
    kthread_data,
    kthread_exit,
    kthread_func,
    kthread_park,
    kthread_parkme,
    kthread_run,
    kthread_should_park,
    kthread_should_stop,
    kthread_should_stop_or_park,
    kthread_stop,
    kthread_stop_put,
    kthread_unpark,
    to_kthread,
)
from kport.linux.sched import (
    PF_EXITING,
    PF_KTHREAD,
    SIGKILL,
    TASK_INTERRUPTIBLE,
    TASK_PARKED,
    TASK_UNINTERRUPTIBLE,
    get_task_struct,
    put_task_struct,
    schedule,
    schedule_timeout,
    send_sig,
    set_current_state,
    wake_up_process,
    wake_up_state,
)
from kport.linux.slab import fail_nth
from kport.linux.wait import init_waitqueue_head, wait_event_interruptible, wait_queue_head
from tests.support import Gate, Thread, eventually, never, sleep_ms, take_warnings

pytestmark = pytest.mark.usefixtures("kernel")


def until_stopped(result: int = 0):
    """A thread function that sleeps until it is stopped, and parks when asked."""

    def run(data: object) -> int:
        while not kthread_should_stop():
            if kthread_should_park():
                kthread_parkme()
                continue
            set_current_state(TASK_INTERRUPTIBLE)
            if not kthread_should_stop_or_park():
                schedule_timeout(msecs_to_jiffies(1000))
            set_current_state(0)
        return result

    return run


def running(threadfn, *args: object):
    """A new thread that is in its function: it can no longer park or stop unborn."""
    entered = []

    def run(data: object) -> int:
        entered.append(True)
        return threadfn(data)

    task = kthread_run(run, None, *args)
    eventually(lambda: entered)
    return task


# -- create and stop -------------------------------------------------------------------------------


def test_a_created_thread_does_not_run_before_it_is_woken():
    ran = []
    task = kthread_create(lambda data: ran.append(data) or 7, "data", "worker/%d:%s", 3, "x")
    assert task.comm == get_kthread_comm(task) == "worker/3:x"
    assert task._state == TASK_UNINTERRUPTIBLE
    never(lambda: ran)
    get_task_struct(task)
    assert wake_up_process(task) == 1
    eventually(lambda: ran)
    assert ran == ["data"]
    assert kthread_stop_put(task) == 7


def test_a_thread_knows_what_it_is():
    seen = []

    def run(data: object) -> int:
        me = current()
        seen.append((kthread_data(me), kthread_func(me) is run, me.flags & PF_KTHREAD))
        seen.append((kthread_should_stop(), kthread_should_park(), kthread_should_stop_or_park()))
        return until_stopped()(data)

    task = kthread_run(run, "data", "me")
    eventually(lambda: len(seen) == 2)
    assert seen == [("data", True, PF_KTHREAD), (0, 0, False)]
    assert kthread_stop(task) == 0


def test_stop_wakes_the_thread_and_returns_its_result():
    task = kthread_run(until_stopped(42), None, "t")
    eventually(lambda: task._state == TASK_INTERRUPTIBLE)
    assert kthread_stop(task) == 42


def test_stop_waits_for_the_end_of_the_thread():
    gate, started = Gate(), []

    def run(data: object) -> int:
        started.append(1)
        until_stopped()(data)
        gate.enter()
        return 3

    task = kthread_run(run, None, "t")
    eventually(lambda: started)  # or the function would not run at all
    stopping = Thread(kthread_stop, task)
    gate.arrived()
    never(lambda: stopping.done, msecs=10)
    gate.open()
    assert stopping.join() == 3


def test_stop_before_the_first_run_is_eintr_and_the_function_never_runs():
    ran = []
    task = kthread_create(lambda data: ran.append(1) or 0, None, "t")
    assert kthread_stop(task) == -EINTR
    assert ran == []


def test_stop_of_a_thread_that_has_ended_returns_its_result():
    task = get_task_struct(kthread_create(lambda data: 5, None, "t"))
    wake_up_process(task)
    eventually(lambda: task.pid not in sched.tasks)
    assert kthread_stop_put(task) == 5


@pytest.mark.parametrize(
    "leave",
    [lambda: do_exit(9), lambda: kthread_exit(9), lambda: kthread_complete_and_exit(None, 9)],
)
def test_a_thread_may_exit_anywhere(leave):
    after = []

    def run(data: object) -> int:
        leave()
        after.append(1)
        return 0

    task = get_task_struct(kthread_create(run, None, "t"))
    wake_up_process(task)
    eventually(lambda: task.flags & PF_EXITING)
    assert kthread_stop_put(task) == 9
    assert after == []


def test_complete_and_exit_completes():
    done = DECLARE_COMPLETION_ONSTACK()
    task = get_task_struct(
        kthread_create(lambda data: kthread_complete_and_exit(done, 3), None, "t")
    )
    wake_up_process(task)
    wait_for_completion(done)
    assert kthread_stop_put(task) == 3


def test_many_threads_stop_each_with_its_result():
    tasks = [running(until_stopped(n), "t/%d", n) for n in range(20)]
    assert [kthread_stop(task) for task in tasks] == list(range(20))


def test_stop_ends_an_interruptible_sleep_like_a_signal():
    entered = []

    def run(data: object) -> int:
        set_current_state(TASK_INTERRUPTIBLE)
        entered.append(1)
        schedule()
        return 1 if kthread_should_stop() else 2

    task = kthread_run(run, None, "t")
    eventually(lambda: entered and task._state == TASK_INTERRUPTIBLE)
    assert kthread_stop(task) == 1


def test_stop_ends_an_interruptible_wait_for_an_event():
    wq = wait_queue_head()
    init_waitqueue_head(wq)
    task = kthread_run(lambda data: wait_event_interruptible(wq, lambda: False), None, "t")
    eventually(lambda: task._state == TASK_INTERRUPTIBLE)
    assert Thread(kthread_stop, task).join(2000) == -ERESTARTSYS


def test_a_task_that_is_no_kthread():
    assert not kthread_should_stop_or_park()
    assert kthread_func(current()) is None


# -- creation that fails ---------------------------------------------------------------------------


def test_without_memory_there_is_no_thread():
    kept = running(until_stopped(), "t")
    fail_nth(1)
    task = kthread_create(until_stopped(), None, "t")
    assert IS_ERR(task)
    assert task is ERR_PTR(-ENOMEM)
    fail_nth(1)
    assert kthread_run(until_stopped(), None, "t") is ERR_PTR(-ENOMEM)
    assert kthread_stop(kept) == 0


def test_a_creator_that_is_killed_gets_eintr_and_nothing_leaks():
    ran = []

    def create() -> int:
        send_sig(SIGKILL, current())
        task = kthread_create(lambda data: ran.append(1) or 0, None, "orphan")
        if IS_ERR(task):
            return PTR_ERR(task)
        return kthread_stop(task)

    assert Thread(create).join() == -EINTR
    kthread_stop(kthread_create(lambda data: 0, None, "later"))  # kthreadd works in order
    eventually(lambda: not any(t.comm == "orphan" for t in list(sched.tasks.values())))
    assert ran == []


def test_a_creator_that_is_killed_does_not_wait_for_kthreadd(monkeypatch):
    """The creator gets its error at once, and the thread that is then made for nobody ends."""
    ran, go, made = [], Gate(), Gate()

    def create() -> Any:
        go.enter()
        return kthread_create(lambda data: ran.append(1) or 0, None, "orphan")

    def later(request: Any) -> None:
        made.enter()
        create_kthread(request)

    create_kthread = kthread.create_kthread
    creator = Thread(create)
    go.arrived()
    monkeypatch.setattr(kthread, "create_kthread", later)
    go.open()
    made.arrived()
    never(lambda: creator.done, msecs=5)
    send_sig(SIGKILL, creator.task)
    assert creator.join() is ERR_PTR(-EINTR)
    monkeypatch.undo()
    made.open()
    kthread_stop(kthread_create(lambda data: 0, None, "later"))
    eventually(lambda: not any(t.comm == "orphan" for t in list(sched.tasks.values())))
    assert ran == []


# -- park ------------------------------------------------------------------------------------------


def parker(log: list[str]):
    def run(data: object) -> int:
        while not kthread_should_stop():
            if kthread_should_park():
                log.append("parks")
                kthread_parkme()
                log.append("goes on")
            sleep_ms(0.2)
        return 0

    return run


def test_park_waits_until_the_thread_is_parked():
    log: list[str] = []
    task = running(parker(log), "t")
    assert kthread_park(task) == 0
    assert task._state == TASK_PARKED
    assert log == ["parks"]
    never(lambda: len(log) > 1)
    kthread_unpark(task)
    eventually(lambda: log == ["parks", "goes on"])
    assert kthread_stop(task) == 0


def test_park_and_unpark_many_times():
    log: list[str] = []
    task = running(parker(log), "t")
    for _ in range(30):
        assert kthread_park(task) == 0
        assert task._state == TASK_PARKED
        kthread_unpark(task)
    assert kthread_stop(task) == 0
    # Parked again before it ran on, a thread stays where it was; it never loses a park.
    assert 1 <= log.count("parks") == log.count("goes on") <= 30


def test_only_unpark_ends_a_park():
    task = running(parker([]), "t")
    kthread_park(task)
    assert wake_up_process(task) == 0
    send_sig(SIGKILL, task)
    never(lambda: task._state != TASK_PARKED)
    kthread_unpark(task)
    kthread_stop(task)


def test_a_parked_thread_that_is_woken_nevertheless_parks_again():
    log: list[str] = []
    task = running(parker(log), "t")
    kthread_park(task)
    assert wake_up_state(task, TASK_PARKED) == 1
    eventually(lambda: task._state == TASK_PARKED)
    never(lambda: len(log) > 1, msecs=5)
    kthread_unpark(task)
    kthread_stop(task)


def test_parking_a_thread_that_parks_already_is_ebusy_with_a_warning(kernel):
    task = running(parker([]), "t")
    assert kthread_park(task) == 0
    assert kthread_park(task) == -EBUSY
    assert len(take_warnings(kernel)) == 1
    kthread_unpark(task)
    kthread_stop(task)


def test_parking_a_thread_that_exits_is_enosys_with_a_warning(kernel):
    task = get_task_struct(kthread_create(lambda data: 0, None, "t"))
    wake_up_process(task)
    eventually(lambda: task.flags & PF_EXITING)
    assert kthread_park(task) == -ENOSYS
    assert len(take_warnings(kernel)) == 1
    assert kthread_stop_put(task) == 0


def test_unpark_of_a_thread_that_is_not_parked_does_nothing():
    log: list[str] = []
    task = running(parker(log), "t")
    kthread_unpark(task)
    never(lambda: log, msecs=5)
    kthread_stop(task)


@pytest.mark.parametrize("state", [TASK_INTERRUPTIBLE, TASK_UNINTERRUPTIBLE])
def test_unpark_of_a_sleeping_thread_does_not_wake_it(state):
    woken = []

    def run(data: object) -> int:
        set_current_state(state)
        schedule()
        woken.append(1)
        return 0

    task = get_task_struct(kthread_run(run, None, "t"))
    eventually(lambda: task._state == state)
    kthread_unpark(task)
    never(lambda: woken, msecs=5)
    wake_up_process(task)
    assert kthread_stop_put(task) == 0
    assert woken == [1]


def test_a_thread_that_parks_itself_does_not_wait_for_itself():
    log: list[object] = []

    def run(data: object) -> int:
        log.append(kthread_park(current()))
        log.append(bool(kthread_should_park()))
        kthread_parkme()
        log.append("unparked")
        return until_stopped()(data)

    task = kthread_run(run, None, "t")
    eventually(lambda: task._state == TASK_PARKED)
    assert log == [0, True]
    kthread_unpark(task)
    eventually(lambda: len(log) == 3)
    kthread_stop(task)


def test_stop_unparks():
    log: list[str] = []
    task = running(parker(log), "t")
    kthread_park(task)
    assert kthread_stop(task) == 0
    assert log == ["parks", "goes on"]


def test_a_thread_can_be_created_parked():
    """kthread_park() of a thread that was created and not yet run: it parks before its function."""
    ran = []
    task = kthread_create(lambda data: ran.append(1) or until_stopped()(data), None, "t")
    assert kthread_park(task) == 0
    assert ran == []
    assert task._state == TASK_PARKED
    kthread_unpark(task)
    eventually(lambda: ran)
    assert kthread_stop(task) == 0


def test_should_stop_or_park_sees_both():
    gate, seen = Gate(), []

    def run(data: object) -> int:
        gate.enter()
        seen.append(kthread_should_stop_or_park())
        kthread_parkme()
        return until_stopped()(data)

    task = kthread_run(run, None, "t")
    gate.arrived()
    parking = Thread(kthread_park, task)
    eventually(lambda: int(to_kthread(task).flags))
    gate.open()
    assert parking.join() == 0
    assert seen == [True]
    kthread_unpark(task)
    kthread_stop(task)


def test_should_stop_or_park_sees_a_stop_alone():
    gate = Gate()

    def run(data: object) -> int:
        gate.enter()
        return int(kthread_should_stop_or_park())

    task = kthread_run(run, None, "t")
    gate.arrived()
    stopping = Thread(kthread_stop, task)
    eventually(lambda: int(to_kthread(task).flags))
    gate.open()
    assert stopping.join() == 1


def test_exited_is_completed_once_when_nothing_of_the_thread_runs_any_more():
    task = get_task_struct(running(until_stopped(), "t"))
    exited = to_kthread(task).exited
    assert not completion_done(exited)
    wake_up_process(task)
    never(lambda: completion_done(exited), msecs=5)
    listed = []
    watcher = Thread(lambda: (kthread_stop(task), listed.append(task.pid in sched.tasks)))
    watcher.join()
    assert listed == [False]
    assert not completion_done(exited), "kthread_stop() has taken the one completion"
    put_task_struct(task)


def test_a_thread_that_kthreadd_has_no_memory_for_is_enomem():
    """The failure is injected into kthreadd, which allocates what the new task needs."""
    kthread_stop(running(until_stopped(), "t"))
    kthreadd = kthread.kthreadd_task
    slab._failing[kthreadd.thread] = 1
    assert kthread_create(until_stopped(), None, "t") is ERR_PTR(-ENOMEM)
    assert not any(t.comm == "t" for t in list(sched.tasks.values()))
    assert kthread_stop(running(until_stopped(), "t")) == 0
