# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Tasks: states, sleeping, waking, signals, and timeouts that are never early."""

from __future__ import annotations

import pytest

from kport.arch.asm import cpu_relax, current
from kport.linux import sched
from kport.linux.jiffies import jiffies
from kport.linux.ktime import ktime_get
from kport.linux.sched import (
    MAX_SCHEDULE_TIMEOUT,
    PF_KTHREAD,
    SCHED_FIFO,
    SIGKILL,
    TASK_IDLE,
    TASK_INTERRUPTIBLE,
    TASK_KILLABLE,
    TASK_NORMAL,
    TASK_PARKED,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    __set_current_state,
    fatal_signal_pending,
    get_task_struct,
    put_task_struct,
    sched_set_fifo_low,
    schedule,
    schedule_hrtimeout,
    schedule_timeout,
    send_sig,
    set_current_state,
    signal_pending,
    signal_pending_state,
    wake_up_process,
    wake_up_state,
)
from tests.support import MS, Thread, eventually, messages, never, together


def sleep_in(state: int) -> None:
    set_current_state(state)
    schedule()


def test_the_main_thread_is_a_task_of_its_own(kernel):
    me = current()
    assert me.comm == "MainThread"
    assert me.pid == me.tgid == 1
    assert me.group_leader is me
    assert not me.flags & PF_KTHREAD
    assert me._state == TASK_RUNNING


def test_each_thread_has_its_task(kernel):
    tasks = together(*[lambda: current()] * 5)
    assert len({id(t) for t in tasks}) == 5
    assert len({t.pid for t in tasks}) == 5
    assert all(t.flags & PF_KTHREAD for t in tasks)


def test_a_task_is_listed_until_it_has_ended(kernel):
    thread = Thread(sleep_in, TASK_UNINTERRUPTIBLE)
    eventually(lambda: thread.task._state == TASK_UNINTERRUPTIBLE)
    assert sched.tasks[thread.task.pid] is thread.task
    wake_up_process(thread.task)
    pid = thread.task.pid
    thread.join()
    assert pid not in sched.tasks


def test_a_running_task_does_not_sleep(kernel):
    schedule()
    set_current_state(TASK_RUNNING)
    schedule()


def test_a_wake_up_between_the_state_and_the_sleep_is_not_lost(kernel):
    set_current_state(TASK_UNINTERRUPTIBLE)
    assert wake_up_process(current()) == 1
    schedule()
    assert current()._state == TASK_RUNNING


def test_waking_says_whether_the_task_slept(kernel):
    thread = Thread(sleep_in, TASK_UNINTERRUPTIBLE)
    eventually(lambda: thread.task._state == TASK_UNINTERRUPTIBLE)
    assert wake_up_process(thread.task) == 1
    thread.join()
    assert wake_up_process(current()) == 0


@pytest.mark.parametrize(
    ("state", "woken_by"),
    [
        (TASK_INTERRUPTIBLE, {TASK_INTERRUPTIBLE, TASK_NORMAL}),
        (TASK_UNINTERRUPTIBLE, {TASK_UNINTERRUPTIBLE, TASK_NORMAL, TASK_KILLABLE, TASK_IDLE}),
        (TASK_KILLABLE, {TASK_UNINTERRUPTIBLE, TASK_NORMAL, TASK_KILLABLE, TASK_IDLE}),
        (TASK_IDLE, {TASK_UNINTERRUPTIBLE, TASK_NORMAL, TASK_KILLABLE, TASK_IDLE}),
        (TASK_PARKED, {TASK_PARKED}),
    ],
)
def test_which_wake_ups_reach_which_sleep(kernel, state, woken_by):
    masks = {
        TASK_INTERRUPTIBLE,
        TASK_UNINTERRUPTIBLE,
        TASK_NORMAL,
        TASK_KILLABLE,
        TASK_IDLE,
        TASK_PARKED,
    }
    for mask in masks:
        thread = Thread(sleep_in, state)
        eventually(lambda thread=thread: thread.task._state == state)
        assert wake_up_state(thread.task, mask) == (mask in woken_by)
        if mask not in woken_by:
            assert thread.task._state == state
            wake_up_state(thread.task, state)
        thread.join()


def test_many_wakers_and_one_sleeper(kernel):
    woken = []

    def sleeper() -> None:
        for _ in range(200):
            set_current_state(TASK_UNINTERRUPTIBLE)
            asleep.append(1)
            schedule()
            woken.append(1)

    asleep: list[int] = []
    thread = Thread(sleeper)

    def waker() -> int:
        count = 0
        while not thread.done:
            count += wake_up_process(thread.task)
            cpu_relax()
        return count

    counts = together(waker, waker, waker)
    thread.join()
    assert len(woken) == 200
    assert sum(counts) <= len(asleep) + 1


# -- timeouts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ticks", [0, 1, 2, 5])
def test_a_timeout_is_never_early(kernel, ticks):
    for _ in range(5):
        began = jiffies()
        set_current_state(TASK_UNINTERRUPTIBLE)
        assert schedule_timeout(ticks) == 0
        assert jiffies() - began >= ticks
        assert current()._state == TASK_RUNNING


def test_a_woken_sleeper_gets_what_is_left(kernel):
    def sleeper() -> int:
        set_current_state(TASK_UNINTERRUPTIBLE)
        return schedule_timeout(10_000)

    thread = Thread(sleeper)
    eventually(lambda: thread.task._state == TASK_UNINTERRUPTIBLE)
    wake_up_process(thread.task)
    assert 9_000 < thread.join() <= 10_000


def test_the_longest_timeout_never_runs_out(kernel):
    def sleeper(timeout: int) -> int:
        set_current_state(TASK_UNINTERRUPTIBLE)
        return schedule_timeout(timeout)

    threads = [
        Thread(sleeper, MAX_SCHEDULE_TIMEOUT),
        Thread(sleeper, MAX_SCHEDULE_TIMEOUT - 1),
    ]
    eventually(lambda: all(t.task._state == TASK_UNINTERRUPTIBLE for t in threads))
    never(lambda: any(t.done for t in threads))
    for thread in threads:
        wake_up_process(thread.task)
    assert threads[0].join() == MAX_SCHEDULE_TIMEOUT
    assert threads[1].join() > MAX_SCHEDULE_TIMEOUT - 10_000


def test_a_negative_timeout_is_an_error(kernel):
    set_current_state(TASK_UNINTERRUPTIBLE)
    assert schedule_timeout(-5) == 0
    assert current()._state == TASK_RUNNING
    assert messages(kernel) == ["schedule_timeout: wrong timeout value fffffffffffffffb"]


def test_an_hrtimeout_is_exact_to_far_less_than_a_tick(kernel):
    best = 10**12
    for _ in range(20):
        deadline = ktime_get() + MS // 2
        set_current_state(TASK_UNINTERRUPTIBLE)
        assert schedule_hrtimeout(deadline) == 0
        late = ktime_get() - deadline
        assert late >= 0
        best = min(best, late)
    assert best < 2 * MS


def test_an_hrtimeout_that_is_cut_short_says_eintr(kernel):
    def sleeper() -> int:
        set_current_state(TASK_UNINTERRUPTIBLE)
        return schedule_hrtimeout(ktime_get() + 100_000 * MS)

    thread = Thread(sleeper)
    eventually(lambda: thread.task._state == TASK_UNINTERRUPTIBLE)
    wake_up_process(thread.task)
    assert thread.join() == -4


# -- signals ---------------------------------------------------------------------------------------


def test_pending_signals(kernel):
    def run() -> None:
        me = current()
        assert not signal_pending(me)
        send_sig(15, me)
        assert signal_pending(me)
        assert not fatal_signal_pending(me)
        assert signal_pending_state(TASK_INTERRUPTIBLE, me)
        assert not signal_pending_state(TASK_KILLABLE, me)
        assert not signal_pending_state(TASK_UNINTERRUPTIBLE, me)
        assert me.exit_code == 0
        send_sig(SIGKILL, me)
        assert fatal_signal_pending(me)
        assert signal_pending_state(TASK_KILLABLE, me)
        assert not signal_pending_state(TASK_UNINTERRUPTIBLE, me)
        assert me.exit_code == SIGKILL

    Thread(run).join()


@pytest.mark.parametrize("state", [TASK_INTERRUPTIBLE, TASK_KILLABLE])
def test_with_a_fatal_signal_pending_an_interruptible_sleep_does_not_begin(kernel, state):
    def run() -> None:
        send_sig(SIGKILL, current())
        sleep_in(state)
        assert current()._state == TASK_RUNNING
        set_current_state(state)
        assert schedule_timeout(10_000) > 9_000

    Thread(run).join()


def test_a_signal_wakes_an_interruptible_sleeper_only(kernel):
    light = Thread(sleep_in, TASK_INTERRUPTIBLE)
    killable = Thread(sleep_in, TASK_KILLABLE)
    deep = Thread(sleep_in, TASK_UNINTERRUPTIBLE)
    eventually(lambda: all(t.task._state for t in (light, killable, deep)))
    for thread in (light, killable, deep):
        send_sig(15, thread.task)
    light.join()
    never(lambda: killable.done or deep.done)
    send_sig(SIGKILL, killable.task)
    send_sig(SIGKILL, deep.task)
    killable.join()
    never(lambda: deep.done)
    wake_up_process(deep.task)
    deep.join()


# -- the rest --------------------------------------------------------------------------------------


def test_references_keep_the_kthread_of_an_ended_task(kernel):
    thread = Thread(lambda: None)
    task = get_task_struct(thread.task)
    thread.join()
    assert task.worker_private is not None
    put_task_struct(task)
    eventually(lambda: task.worker_private is None)  # the thread drops a reference on its way out


def test_fifo_low_is_recorded(kernel):
    def run() -> tuple[int, int]:
        sched_set_fifo_low(current())
        return current().policy, current().rt_priority

    assert Thread(run).join() == (SCHED_FIFO, 1)


def test_the_state_without_a_barrier(kernel):
    __set_current_state(TASK_INTERRUPTIBLE)
    assert current()._state == TASK_INTERRUPTIBLE
    __set_current_state(TASK_RUNNING)
