# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Wait queues: who stands where, whom a wake-up wakes, and what the waits return."""

from __future__ import annotations

import pytest

from kport.arch.asm import current
from kport.linux.err import EBUSY, ERESTARTSYS
from kport.linux.jiffies import jiffies, msecs_to_jiffies
from kport.linux.list import INIT_LIST_HEAD, list_del_init, list_empty, list_for_each_entry
from kport.linux.sched import (
    MAX_SCHEDULE_TIMEOUT,
    SIGKILL,
    TASK_INTERRUPTIBLE,
    TASK_KILLABLE,
    TASK_NORMAL,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    schedule,
    send_sig,
    wake_up_process,
)
from kport.linux.spinlock import (
    spin_lock,
    spin_lock_irq,
    spin_lock_irqsave,
    spin_unlock,
    spin_unlock_irq,
    spin_unlock_irqrestore,
)
from kport.linux.wait import (
    WQ_FLAG_EXCLUSIVE,
    WQ_FLAG_WOKEN,
    __wake_up,
    __wake_up_locked,
    __wake_up_locked_key,
    __wake_up_on_current_cpu,
    __wake_up_sync,
    __wake_up_sync_key,
    add_wait_queue,
    add_wait_queue_exclusive,
    add_wait_queue_priority,
    add_wait_queue_priority_exclusive,
    do_wait_intr,
    do_wait_intr_irq,
    finish_wait,
    init_wait_entry,
    init_waitqueue_head,
    prepare_to_wait,
    prepare_to_wait_event,
    prepare_to_wait_exclusive,
    remove_wait_queue,
    wait_event,
    wait_event_interruptible,
    wait_event_interruptible_exclusive,
    wait_event_interruptible_timeout,
    wait_event_killable,
    wait_event_timeout,
    wait_queue_entry,
    wait_queue_head,
    wait_woken,
    waitqueue_active,
    wake_up,
    wake_up_all,
    wake_up_interruptible,
    wake_up_interruptible_all,
    wake_up_nr,
    woken_wake_function,
)
from tests.support import Thread, eventually, never, sleep_ms, together

LONG = 10_000  # ticks; nothing here takes so long


@pytest.fixture
def wq(kernel):
    made = wait_queue_head()
    init_waitqueue_head(made)
    return made


class Recorder:
    """Entries without a task: a wake-up writes their name down and gets `answer`."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.keys: list[object] = []

    def entry(self, name: str, answer: int = 1) -> wait_queue_entry:
        def woken(entry: wait_queue_entry, mode: int, flags: int, key: object) -> int:
            self.called.append(name)
            self.keys.append(key)
            return answer

        made = wait_queue_entry()
        INIT_LIST_HEAD(made.entry)
        made.func = woken
        return made


def queued(wq: wait_queue_head) -> int:
    return sum(1 for _ in list_for_each_entry(wq.head, wait_queue_entry, "entry"))


def asleep(thread: Thread, state: int) -> bool:
    return thread.task._state == state


# -- the order of the queue ------------------------------------------------------------------------


def test_a_new_queue_is_empty(wq):
    assert not waitqueue_active(wq)
    assert wake_up(wq) == wake_up_all(wq) == 0


def test_ordinary_waiters_stand_at_the_head_exclusive_ones_at_the_tail(wq):
    rec = Recorder()
    add_wait_queue(wq, rec.entry("n1"))
    add_wait_queue_exclusive(wq, rec.entry("x1"))
    add_wait_queue(wq, rec.entry("n2"))
    add_wait_queue_exclusive(wq, rec.entry("x2"))
    assert waitqueue_active(wq)
    wake_up_all(wq)
    assert rec.called == ["n2", "n1", "x1", "x2"]


def test_priority_waiters_stand_before_all(wq):
    rec = Recorder()
    add_wait_queue(wq, rec.entry("n1"))
    add_wait_queue_priority(wq, rec.entry("p1"))
    add_wait_queue(wq, rec.entry("n2"))
    add_wait_queue_priority(wq, rec.entry("p2"))
    wake_up_all(wq)
    assert rec.called == ["p1", "p2", "n2", "n1"]


def test_there_is_one_exclusive_priority_waiter(wq):
    rec = Recorder()
    add_wait_queue(wq, rec.entry("n"))
    assert add_wait_queue_priority_exclusive(wq, rec.entry("p")) == 0
    assert add_wait_queue_priority_exclusive(wq, rec.entry("q")) == -EBUSY
    wake_up(wq)
    assert rec.called == ["p"], "it takes the event alone"


def test_an_entry_leaves_the_queue(wq):
    rec = Recorder()
    first, second = rec.entry("1"), rec.entry("2")
    add_wait_queue(wq, first)
    add_wait_queue(wq, second)
    remove_wait_queue(wq, first)
    wake_up_all(wq)
    assert rec.called == ["2"]
    remove_wait_queue(wq, second)
    assert not waitqueue_active(wq)


def test_add_wait_queue_decides_whether_an_entry_is_exclusive(wq):
    rec = Recorder()
    entry = rec.entry("e")
    add_wait_queue_exclusive(wq, entry)
    assert entry.flags & WQ_FLAG_EXCLUSIVE
    remove_wait_queue(wq, entry)
    add_wait_queue(wq, entry)
    assert not entry.flags & WQ_FLAG_EXCLUSIVE
    remove_wait_queue(wq, entry)


# -- whom a wake-up wakes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wake", "woken"),
    [
        (wake_up, ["n2", "n1", "x1"]),
        (lambda wq: wake_up_nr(wq, 2), ["n2", "n1", "x1", "x2"]),
        (wake_up_all, ["n2", "n1", "x1", "x2", "x3"]),
        (wake_up_interruptible, ["n2", "n1", "x1"]),
        (wake_up_interruptible_all, ["n2", "n1", "x1", "x2", "x3"]),
        (lambda wq: __wake_up_on_current_cpu(wq, TASK_NORMAL, None), ["n2", "n1", "x1"]),
        (lambda wq: __wake_up_sync(wq, TASK_NORMAL), ["n2", "n1", "x1"]),
        (lambda wq: __wake_up_sync_key(wq, TASK_NORMAL, None), ["n2", "n1", "x1"]),
    ],
)
def test_all_ordinary_waiters_are_woken_and_so_many_exclusive_ones(wq, wake, woken):
    rec = Recorder()
    for name in ("n1", "n2"):
        add_wait_queue(wq, rec.entry(name))
    for name in ("x1", "x2", "x3"):
        add_wait_queue_exclusive(wq, rec.entry(name))
    wake(wq)
    assert rec.called == woken


def test_a_wake_up_returns_how_many_exclusive_waiters_it_woke(wq):
    rec = Recorder()
    add_wait_queue(wq, rec.entry("n"))
    assert wake_up(wq) == 0
    for name in ("x1", "x2"):
        add_wait_queue_exclusive(wq, rec.entry(name))
    assert wake_up(wq) == 1
    assert wake_up_nr(wq, 5) == 2


def test_an_exclusive_waiter_that_was_not_asleep_does_not_use_the_wake_up_up(wq):
    rec = Recorder()
    add_wait_queue_exclusive(wq, rec.entry("awake", answer=0))
    add_wait_queue_exclusive(wq, rec.entry("asleep"))
    add_wait_queue_exclusive(wq, rec.entry("later"))
    wake_up(wq)
    assert rec.called == ["awake", "asleep"]


def test_a_negative_answer_ends_the_wake_up(wq):
    rec = Recorder()
    add_wait_queue(wq, rec.entry("behind"))
    add_wait_queue(wq, rec.entry("stop", answer=-1))
    wake_up_all(wq)
    assert rec.called == ["stop"]


def test_the_key_reaches_the_waiters(wq):
    rec = Recorder()
    add_wait_queue(wq, rec.entry("n"))
    __wake_up(wq, TASK_NORMAL, 1, "the key")
    flags = spin_lock_irqsave(wq.lock)
    __wake_up_locked_key(wq, TASK_NORMAL, "another")
    __wake_up_locked(wq, TASK_NORMAL, 1)
    spin_unlock_irqrestore(wq.lock, flags)
    __wake_up_sync_key(wq, TASK_NORMAL, "third")
    assert rec.keys == ["the key", "another", None, "third"]


def test_waiters_may_leave_while_they_are_woken(wq):
    rec = Recorder()
    names = ["a", "b", "c"]
    entries = {}

    def leave(entry: wait_queue_entry, mode: int, flags: int, key: object) -> int:
        rec.called.append(next(n for n in names if entries[n] is entry))
        list_del_init(entry.entry)
        return 1

    for name in names:
        entries[name] = rec.entry(name)
        entries[name].func = leave
        add_wait_queue(wq, entries[name])
    wake_up_all(wq)
    assert rec.called == ["c", "b", "a"]
    assert not waitqueue_active(wq)


@pytest.mark.parametrize("wake", [wake_up_interruptible, wake_up_interruptible_all])
def test_sleeping_tasks_wake_as_their_state_allows(wq, wake):
    ready = []
    deep = Thread(wait_event, wq, lambda: ready)
    light = Thread(wait_event_interruptible, wq, lambda: ready)
    eventually(lambda: asleep(deep, TASK_UNINTERRUPTIBLE) and asleep(light, TASK_INTERRUPTIBLE))
    ready.append(1)
    wake(wq)
    assert light.join() == 0
    never(lambda: deep.done)
    wake_up(wq)
    deep.join()


def test_of_exclusive_sleepers_each_wake_up_wakes_the_first(wq):
    tokens, order = [], []

    def consumer(number: int) -> None:
        assert wait_event_interruptible_exclusive(wq, lambda: tokens and tokens.pop()) == 0
        order.append(number)

    threads = []
    for number in range(4):
        threads.append(Thread(consumer, number))
        eventually(lambda number=number: queued(wq) == number + 1)
    for number in range(4):
        tokens.append(1)
        wake_up(wq)
        threads[number].join()
        assert order == list(range(number + 1))
    assert not waitqueue_active(wq)


# -- no lost wake-up -------------------------------------------------------------------------------


def test_a_condition_that_holds_is_not_waited_for(wq):
    calls = []
    wait_event(wq, lambda: calls.append(waitqueue_active(wq)) or True)
    assert calls == [False]
    assert not waitqueue_active(wq)


def test_the_condition_is_tested_after_queueing(wq):
    """A wake-up between the first test and the queueing would be lost otherwise."""
    calls = []

    def condition() -> bool:
        calls.append(queued(wq))
        if len(calls) == 2:
            wake_up(wq)
        return len(calls) == 3

    wait_event(wq, condition)
    assert calls[:2] == [0, 1]


def test_a_wake_up_before_the_sleep_is_not_lost(wq):
    entry = wait_queue_entry()
    init_wait_entry(entry, 0)
    prepare_to_wait(wq, entry, TASK_UNINTERRUPTIBLE)
    assert current()._state == TASK_UNINTERRUPTIBLE
    wake_up(wq)
    assert current()._state == TASK_RUNNING
    schedule()
    finish_wait(wq, entry)
    assert list_empty(entry.entry)


def test_spurious_wake_ups_do_not_end_a_wait(wq):
    ready = []
    thread = Thread(wait_event, wq, lambda: ready)
    for _ in range(20):
        eventually(lambda: asleep(thread, TASK_UNINTERRUPTIBLE))
        wake_up_all(wq)
    assert not thread.done
    ready.append(1)
    wake_up(wq)
    thread.join()


def test_ping_pong_loses_nothing(wq):
    turn = [0]
    rounds = 400

    def player(me: int) -> None:
        for _ in range(rounds):
            wait_event(wq, lambda: turn[0] % 2 == me)
            turn[0] += 1
            wake_up_all(wq)

    together(lambda: player(0), lambda: player(1))
    assert turn == [2 * rounds]


# -- return values ---------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [wait_event_timeout, wait_event_interruptible_timeout])
def test_a_timeout_returns_what_is_left_or_0(wq, wait):
    assert wait(wq, lambda: True, 7) == 7
    assert wait(wq, lambda: True, 0) == 1
    assert wait(wq, lambda: False, 0) == 0
    began = jiffies()
    assert wait(wq, lambda: False, 3) == 0
    assert jiffies() - began >= 3
    assert wait(wq, lambda: True, MAX_SCHEDULE_TIMEOUT) == MAX_SCHEDULE_TIMEOUT
    assert not waitqueue_active(wq)


def test_a_condition_that_comes_true_with_the_last_tick_counts(wq):
    looks = []  # before it is queued, before it sleeps, and when its time is up
    assert wait_event_timeout(wq, lambda: looks.append(1) or len(looks) > 2, 2) == 1


def test_what_is_left_shrinks_over_several_sleeps(wq):
    ready = []
    thread = Thread(wait_event_timeout, wq, lambda: ready, msecs_to_jiffies(20_000))
    for _ in range(3):
        eventually(lambda: asleep(thread, TASK_UNINTERRUPTIBLE))
        sleep_ms(12)
        wake_up(wq)
    ready.append(1)
    wake_up(wq)
    left = thread.join()
    assert 0 < left <= msecs_to_jiffies(20_000) - msecs_to_jiffies(36) + 1


@pytest.mark.parametrize(
    ("wait", "state", "ends"),
    [
        (wait_event_interruptible, TASK_INTERRUPTIBLE, True),
        (wait_event_interruptible_exclusive, TASK_INTERRUPTIBLE, True),
        (lambda wq, c: wait_event_interruptible_timeout(wq, c, LONG), TASK_INTERRUPTIBLE, True),
        (wait_event_killable, TASK_KILLABLE, False),
        (wait_event, TASK_UNINTERRUPTIBLE, False),
    ],
)
def test_which_signals_end_which_waits(wq, wait, state, ends):
    ready = []
    thread = Thread(wait, wq, lambda: ready)
    eventually(lambda: asleep(thread, state))
    send_sig(15, thread.task)
    if ends:
        assert thread.join() == -ERESTARTSYS
    else:
        never(lambda: thread.done)
        send_sig(SIGKILL, thread.task)
        if state == TASK_KILLABLE:
            assert thread.join() == -ERESTARTSYS
        else:
            never(lambda: thread.done)
            wake_up_process(thread.task)
            eventually(lambda: asleep(thread, state) and waitqueue_active(wq))
            ready.append(1)
            wake_up(wq)
            assert thread.join() is None
    assert not waitqueue_active(wq)


def test_the_condition_beats_a_pending_signal(wq):
    def signalled() -> int:
        send_sig(15, current())
        return wait_event_interruptible(wq, iter([False, True]).__next__)

    assert Thread(signalled).join() == 0


def test_a_signal_takes_the_entry_out_before_it_returns(wq):
    """An exclusive waiter that is signalled must not swallow a wake-up meant for the next."""

    def signalled() -> tuple[int, bool]:
        entry = wait_queue_entry()
        init_wait_entry(entry, WQ_FLAG_EXCLUSIVE)
        assert prepare_to_wait_event(wq, entry, TASK_INTERRUPTIBLE) == 0
        queued_before = not list_empty(entry.entry)
        send_sig(15, current())
        ret = prepare_to_wait_event(wq, entry, TASK_INTERRUPTIBLE)
        out = list_empty(entry.entry)
        finish_wait(wq, entry)
        return ret, queued_before and out

    assert Thread(signalled).join() == (-ERESTARTSYS, True)


# -- the pieces ------------------------------------------------------------------------------------


def test_prepare_to_wait_queues_once_and_sets_the_state(wq):
    entry = wait_queue_entry()
    init_wait_entry(entry, 0)
    prepare_to_wait(wq, entry, TASK_INTERRUPTIBLE)
    prepare_to_wait(wq, entry, TASK_INTERRUPTIBLE)
    assert queued(wq) == 1
    assert current()._state == TASK_INTERRUPTIBLE
    finish_wait(wq, entry)
    assert current()._state == TASK_RUNNING
    assert queued(wq) == 0


def test_prepare_to_wait_exclusive_tells_whether_it_is_the_first(wq):
    rec = Recorder()
    first, second = rec.entry("1"), rec.entry("2")
    assert prepare_to_wait_exclusive(wq, first, TASK_RUNNING) is True
    assert prepare_to_wait_exclusive(wq, second, TASK_RUNNING) is False
    assert prepare_to_wait_exclusive(wq, second, TASK_RUNNING) is False
    assert queued(wq) == 2
    wake_up(wq)
    assert rec.called == ["1"]


def test_an_auto_removed_entry_stays_if_its_task_was_awake(wq):
    entry = wait_queue_entry()
    init_wait_entry(entry, 0)
    add_wait_queue(wq, entry)
    wake_up(wq)
    assert queued(wq) == 1, "the task was not asleep"
    prepare_to_wait(wq, entry, TASK_UNINTERRUPTIBLE)
    wake_up(wq)
    assert queued(wq) == 0
    assert current()._state == TASK_RUNNING


def test_wait_woken_remembers_a_wake_up_that_came_before(wq):
    entry = wait_queue_entry()
    init_wait_entry(entry, 0)
    entry.func = woken_wake_function
    add_wait_queue(wq, entry)
    wake_up(wq)
    assert entry.flags & WQ_FLAG_WOKEN
    assert wait_woken(entry, TASK_INTERRUPTIBLE, LONG) == LONG
    assert not entry.flags & WQ_FLAG_WOKEN
    assert wait_woken(entry, TASK_INTERRUPTIBLE, 2) == 0
    assert current()._state == TASK_RUNNING
    remove_wait_queue(wq, entry)


def test_wait_woken_wakes(wq):
    entry = wait_queue_entry()

    def sleeper() -> int:
        init_wait_entry(entry, 0)
        entry.func = woken_wake_function
        add_wait_queue(wq, entry)
        left = wait_woken(entry, TASK_INTERRUPTIBLE, LONG)
        remove_wait_queue(wq, entry)
        return left

    thread = Thread(sleeper)
    eventually(lambda: asleep(thread, TASK_INTERRUPTIBLE))
    wake_up(wq)
    assert 0 < thread.join() <= LONG


@pytest.mark.parametrize("irq", [False, True])
def test_do_wait_intr_sleeps_with_the_queue_unlocked(wq, irq):
    wait, take, drop = (
        (do_wait_intr_irq, lambda: spin_lock_irq(wq.lock), lambda: spin_unlock_irq(wq.lock))
        if irq
        else (do_wait_intr, lambda: spin_lock(wq.lock), lambda: spin_unlock(wq.lock))
    )

    def sleeper() -> int:
        entry = wait_queue_entry()
        init_wait_entry(entry, 0)
        take()
        ret = wait(wq, entry)
        drop()
        finish_wait(wq, entry)
        return ret

    thread = Thread(sleeper)
    eventually(lambda: asleep(thread, TASK_INTERRUPTIBLE) and not wq.lock.owner)
    wake_up(wq)
    assert thread.join() == 0
    thread = Thread(lambda: send_sig(15, current()) or sleeper())
    assert thread.join() == -ERESTARTSYS
