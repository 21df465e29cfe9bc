# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Completions: how many pass, who passes, and what the waits return."""

from __future__ import annotations

import pytest

from kport.linux.completion import (
    COMPLETION_INITIALIZER_ONSTACK,
    complete,
    complete_all,
    completion_done,
    reinit_completion,
    try_wait_for_completion,
    wait_for_completion,
    wait_for_completion_interruptible,
    wait_for_completion_interruptible_timeout,
    wait_for_completion_killable,
    wait_for_completion_killable_timeout,
    wait_for_completion_state,
    wait_for_completion_timeout,
)
from kport.linux.err import ERESTARTSYS
from kport.linux.jiffies import jiffies, msecs_to_jiffies
from kport.linux.sched import (
    MAX_SCHEDULE_TIMEOUT,
    SIGKILL,
    TASK_IDLE,
    TASK_INTERRUPTIBLE,
    TASK_KILLABLE,
    TASK_UNINTERRUPTIBLE,
    send_sig,
)
from kport.linux.types import UINT_MAX
from tests.support import Gate, Thread, eventually, never, sleep_ms, together

pytestmark = pytest.mark.usefixtures("kernel")


def sleeping(thread: Thread, state: int) -> bool:
    return thread.task._state == state


def test_each_complete_lets_one_waiter_pass():
    x = COMPLETION_INITIALIZER_ONSTACK()
    threads = [Thread(wait_for_completion, x) for _ in range(2)]
    eventually(lambda: all(sleeping(t, TASK_UNINTERRUPTIBLE) for t in threads))
    complete(x)
    eventually(lambda: any(t.done for t in threads))
    never(lambda: all(t.done for t in threads))
    assert x.done == 0
    complete(x)
    for thread in threads:
        thread.join()


def test_complete_all_lets_everybody_pass_and_is_never_used_up():
    x = COMPLETION_INITIALIZER_ONSTACK()
    threads = [Thread(wait_for_completion, x) for _ in range(4)]
    eventually(lambda: all(sleeping(t, TASK_UNINTERRUPTIBLE) for t in threads))
    complete_all(x)
    for thread in threads:
        thread.join()
    assert x.done == UINT_MAX
    wait_for_completion(x)
    complete(x)
    assert x.done == UINT_MAX


def test_waiters_pass_in_the_order_they_came():
    x = COMPLETION_INITIALIZER_ONSTACK()
    order = []
    threads = []
    for number in range(5):
        threads.append(Thread(lambda n=number: (wait_for_completion(x), order.append(n))))
        eventually(lambda: sleeping(threads[-1], TASK_UNINTERRUPTIBLE))
    for number in range(5):
        complete(x)
        threads[number].join()
    assert order == [0, 1, 2, 3, 4]


def test_a_completion_before_the_wait_is_counted():
    x = COMPLETION_INITIALIZER_ONSTACK()
    complete(x)
    complete(x)
    assert x.done == 2
    assert wait_for_completion_timeout(x, 10) == 10
    wait_for_completion(x)
    assert x.done == 0
    assert wait_for_completion_timeout(x, 1) == 0


def test_reinit_closes_it_again():
    x = COMPLETION_INITIALIZER_ONSTACK()
    complete_all(x)
    reinit_completion(x)
    assert not completion_done(x)
    assert not try_wait_for_completion(x)


def test_try_wait_takes_one_and_completion_done_takes_none():
    x = COMPLETION_INITIALIZER_ONSTACK()
    assert not completion_done(x)
    assert not try_wait_for_completion(x)
    complete(x)
    assert completion_done(x)
    assert completion_done(x)
    assert try_wait_for_completion(x)
    assert not completion_done(x)
    complete_all(x)
    assert try_wait_for_completion(x)
    assert x.done == UINT_MAX


def test_a_timeout_that_runs_out_returns_0_and_is_not_early():
    x = COMPLETION_INITIALIZER_ONSTACK()
    began = jiffies()
    assert wait_for_completion_timeout(x, 5) == 0
    assert jiffies() - began >= 5


def test_a_timeout_returns_what_is_left_of_it():
    x = COMPLETION_INITIALIZER_ONSTACK()
    thread = Thread(wait_for_completion_timeout, x, msecs_to_jiffies(10_000))
    eventually(lambda: sleeping(thread, TASK_UNINTERRUPTIBLE))
    sleep_ms(20)
    complete(x)
    left = thread.join()
    assert 1 < left <= msecs_to_jiffies(10_000) - msecs_to_jiffies(20)


def test_done_beats_a_timeout_of_0():
    x = COMPLETION_INITIALIZER_ONSTACK()
    assert wait_for_completion_timeout(x, 0) == 0
    complete(x)
    assert wait_for_completion_timeout(x, 0) == 1


def test_without_limit_is_without_limit():
    x = COMPLETION_INITIALIZER_ONSTACK()
    complete(x)
    assert wait_for_completion_timeout(x, MAX_SCHEDULE_TIMEOUT) == MAX_SCHEDULE_TIMEOUT


@pytest.mark.parametrize(
    ("wait", "state"),
    [
        (wait_for_completion_interruptible, TASK_INTERRUPTIBLE),
        (lambda x: wait_for_completion_interruptible_timeout(x, 2500), TASK_INTERRUPTIBLE),
        (lambda x: wait_for_completion_state(x, TASK_INTERRUPTIBLE), TASK_INTERRUPTIBLE),
        (wait_for_completion_killable, TASK_KILLABLE),
        (lambda x: wait_for_completion_killable_timeout(x, 2500), TASK_KILLABLE),
        (lambda x: wait_for_completion_state(x, TASK_KILLABLE), TASK_KILLABLE),
    ],
)
def test_a_fatal_signal_ends_interruptible_and_killable_waits(wait, state):
    x = COMPLETION_INITIALIZER_ONSTACK()
    thread = Thread(wait, x)
    eventually(lambda: sleeping(thread, state))
    send_sig(SIGKILL, thread.task)
    assert thread.join() == -ERESTARTSYS
    complete(x)
    assert x.done == 1, "the one that gave up must not be counted as a waiter"


def test_an_ordinary_signal_does_not_end_a_killable_wait():
    x = COMPLETION_INITIALIZER_ONSTACK()
    thread = Thread(wait_for_completion_killable, x)
    eventually(lambda: sleeping(thread, TASK_KILLABLE))
    send_sig(15, thread.task)
    never(lambda: thread.done)
    complete(x)
    assert thread.join() == 0


def test_no_signal_ends_an_uninterruptible_wait():
    x = COMPLETION_INITIALIZER_ONSTACK()
    thread = Thread(wait_for_completion, x)
    eventually(lambda: sleeping(thread, TASK_UNINTERRUPTIBLE))
    send_sig(SIGKILL, thread.task)
    never(lambda: thread.done)
    complete(x)
    thread.join()


def test_a_wait_succeeds_although_a_signal_is_pending_when_it_is_done_already():
    x = COMPLETION_INITIALIZER_ONSTACK()
    complete(x)
    gate = Gate()

    def waiter() -> int:
        gate.enter()
        return wait_for_completion_interruptible(x)

    thread = Thread(waiter)
    gate.arrived()
    send_sig(15, thread.task)
    gate.open()
    assert thread.join() == 0


def test_an_idle_sleep_is_a_wait_too():
    x = COMPLETION_INITIALIZER_ONSTACK()
    thread = Thread(wait_for_completion_state, x, TASK_IDLE)
    eventually(lambda: sleeping(thread, TASK_IDLE))
    complete(x)
    assert thread.join() == 0


def test_no_completion_is_lost_or_counted_twice():
    x = COMPLETION_INITIALIZER_ONSTACK()
    rounds = 500

    def produce() -> None:
        for _ in range(rounds):
            complete(x)

    def consume() -> None:
        for _ in range(rounds):
            assert wait_for_completion_timeout(x, msecs_to_jiffies(5000))

    together(produce, produce, produce, consume, consume, consume)
    assert x.done == 0
