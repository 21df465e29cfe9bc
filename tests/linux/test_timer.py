# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Timers: once, never early, and what add, modify and delete say and wait for."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest

import kport
from kport.linux import tick
from kport.linux.jiffies import INITIAL_JIFFIES, jiffies, jiffies_to_ktime
from kport.linux.ktime import ktime_get
from kport.linux.preempt import in_hardirq, in_serving_softirq, irqs_disabled
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.timer import (
    add_timer,
    del_timer,
    destroy_timer_on_stack,
    mod_timer,
    timer_delete,
    timer_delete_sync,
    timer_list,
    timer_pending,
    timer_setup,
    timer_shutdown_sync,
    try_to_del_timer_sync,
)
from kport.linux.timerqueue import TimerQueue
from tests.support import Thread, eventually, never, sleep_ms, spin_until, take_warnings, together

LATER = 100_000  # ticks


@pytest.fixture
def fired(kernel):
    return []


@pytest.fixture
def timer(fired):
    made = timer_list()
    timer_setup(made, lambda t: fired.append(jiffies()), 0)
    yield made
    timer_delete_sync(made)


def test_a_timer_fires_once_and_not_early(timer, fired):
    for delay in (0, 1, 2, 5):
        fired.clear()
        expires = jiffies() + delay
        timer.expires = expires
        add_timer(timer)
        eventually(lambda: fired)
        assert fired[0] >= expires
        never(lambda: len(fired) > 1, msecs=8)
        assert not timer_pending(timer)


def test_the_tick_of_one_timer_fires_no_other(timer, fired):
    early = []
    other = timer_list()
    timer_setup(other, lambda t: early.append(1), 0)
    mod_timer(timer, jiffies() + LATER)
    mod_timer(other, jiffies() + 1)
    eventually(lambda: early)
    never(lambda: fired, msecs=5)
    assert timer_pending(timer)


def test_it_is_due_at_the_beginning_of_its_tick(timer):
    mod_timer(timer, jiffies() + LATER)
    assert tick._next[tick.WHEEL] == jiffies_to_ktime(timer.expires)


def test_a_timer_fires_in_softirq_context(kernel):
    seen = []
    timer = timer_list()
    timer_setup(
        timer,
        lambda t: seen.append((bool(in_serving_softirq()), bool(in_hardirq()), irqs_disabled())),
        0,
    )
    mod_timer(timer, jiffies())
    eventually(lambda: seen)
    assert seen == [(True, False, 0)]


def test_it_is_pending_until_it_fires_and_not_in_its_callback(kernel):
    seen = []
    timer = timer_list()
    timer_setup(timer, lambda t: seen.append(timer_pending(t)), 0)
    assert not timer_pending(timer)
    assert mod_timer(timer, jiffies() + 1) == 0
    assert timer_pending(timer)
    eventually(lambda: seen)
    assert seen == [False]


def test_mod_says_whether_it_was_pending_and_moves_it(timer, fired):
    assert mod_timer(timer, jiffies() + LATER) == 0
    assert mod_timer(timer, jiffies() + LATER) == 1
    soon = jiffies() + 2
    assert mod_timer(timer, soon) == 1
    assert timer.expires == soon
    eventually(lambda: fired)
    assert fired[0] >= soon
    assert mod_timer(timer, jiffies() + LATER) == 0


def test_a_timer_moved_to_later_does_not_fire_at_the_earlier_time(timer, fired):
    late = jiffies() + 8
    mod_timer(timer, jiffies() + 2)
    mod_timer(timer, late)
    assert timer.expires == late
    eventually(lambda: fired)
    assert fired[0] >= late
    never(lambda: len(fired) > 1, msecs=4)


def test_delete_says_whether_it_was_pending(timer, fired):
    for delete in (timer_delete, del_timer, timer_delete_sync, try_to_del_timer_sync):
        assert delete(timer) == 0
        mod_timer(timer, jiffies() + 2)
        assert delete(timer) == 1
        assert not timer_pending(timer)
    never(lambda: fired, msecs=16)


def test_a_deleted_timer_that_had_been_moved_later_stays_deleted(timer, fired):
    mod_timer(timer, jiffies() + 1)
    mod_timer(timer, jiffies() + 3)
    timer_delete(timer)
    never(lambda: fired, msecs=20)


def test_delete_sync_waits_for_a_running_callback(kernel):
    entered, leave, left = [], [], []

    def callback(t: timer_list) -> None:
        entered.append(1)
        spin_until(lambda: leave)
        left.append(1)

    timer = timer_list()
    timer_setup(timer, callback, 0)
    mod_timer(timer, jiffies())
    eventually(lambda: entered)
    assert try_to_del_timer_sync(timer) == -1
    assert timer_delete(timer) == 0, "without sync it does not wait"
    deleter = Thread(lambda: (timer_delete_sync(timer), len(left)))
    never(lambda: deleter.done, msecs=10)
    leave.append(1)
    assert deleter.join() == (0, 1)


def test_a_callback_may_start_its_timer_again(kernel):
    times = []

    def callback(t: timer_list) -> None:
        times.append(jiffies())
        if len(times) < 4:
            assert mod_timer(t, jiffies() + 1) == 0

    timer = timer_list()
    timer_setup(timer, callback, 0)
    mod_timer(timer, jiffies() + 1)
    eventually(lambda: len(times) == 4)
    assert all(b > a for a, b in pairwise(times))


def test_a_timer_that_starts_itself_for_now_fires_once_a_tick(kernel):
    ticks = []
    timer = timer_list()
    timer_setup(timer, lambda t: (ticks.append(jiffies()), mod_timer(t, jiffies())), 0)
    mod_timer(timer, jiffies())
    eventually(lambda: len(ticks) > 10)
    timer_shutdown_sync(timer)
    assert len(set(ticks)) == len(ticks)


def test_shutdown_is_for_good_even_for_a_timer_that_starts_itself_again(kernel):
    entered, leave = [], []

    def callback(t: timer_list) -> None:
        entered.append(1)
        spin_until(lambda: leave)
        assert mod_timer(t, jiffies()) == 0
        leave.append(timer_pending(t))

    timer = timer_list()
    timer_setup(timer, callback, 0)
    mod_timer(timer, jiffies())
    eventually(lambda: entered)
    shutter = Thread(timer_shutdown_sync, timer)
    eventually(lambda: timer.function is None)
    leave.append(1)
    assert shutter.join() == 0
    assert leave == [1, False]
    never(lambda: len(entered) > 1, msecs=10)


def test_a_callback_may_free_its_timer(boot):
    with boot() as kernel:
        freed = []
        timer = kzalloc_obj(timer_list)
        timer_setup(timer, lambda t: (kfree(t), freed.append(1)), 0)
        mod_timer(timer, jiffies() + 1)
        eventually(lambda: freed)
        sleep_ms(10)
    assert not kernel.leaks


def test_timers_of_one_tick_fire_in_order_of_insertion_and_ticks_in_order(kernel):
    order = []
    rng = random.Random(5)
    base = jiffies() + 3
    timers = []
    for number in range(60):
        timer = timer_list()
        timer_setup(timer, lambda t, n=number: order.append(n), 0)
        timer.expires = base + rng.randrange(4)
        timers.append(timer)
        add_timer(timer)
    eventually(lambda: len(order) == 60)
    assert order == sorted(range(60), key=lambda n: (timers[n].expires, n))


def test_callbacks_do_not_run_under_the_base_lock(kernel):
    other, result = timer_list(), []
    timer_setup(other, lambda t: result.append("other"), 0)
    timer = timer_list()
    timer_setup(timer, lambda t: result.append(mod_timer(other, jiffies())), 0)
    mod_timer(timer, jiffies())
    eventually(lambda: len(result) == 2)
    assert result == [0, "other"]


def test_adding_a_pending_timer_is_a_warning_and_changes_nothing(kernel, timer):
    mod_timer(timer, jiffies() + LATER)
    before = timer.expires
    add_timer(timer)
    assert len(take_warnings(kernel)) == 1
    assert timer.expires == before
    assert timer_pending(timer)


def test_a_timer_that_was_shut_down_can_never_be_started_again(kernel, timer, fired):
    mod_timer(timer, jiffies() + LATER)
    assert timer_shutdown_sync(timer) == 1
    assert mod_timer(timer, jiffies()) == 0
    assert not timer_pending(timer)
    timer.expires = jiffies()
    add_timer(timer)
    assert not timer_pending(timer)
    never(lambda: fired, msecs=10)
    assert kernel.warnings() == []


@pytest.mark.boot(check="")  # wrong on purpose
def test_destroying_a_pending_timer_is_a_warning(kernel, timer):
    destroy_timer_on_stack(timer)
    assert kernel.warnings() == []
    mod_timer(timer, jiffies() + LATER)
    destroy_timer_on_stack(timer)
    assert len(take_warnings(kernel)) == 1


def test_a_timer_as_far_away_as_can_be_is_readable_and_costs_nothing(kernel, timer, fired):
    sleep_ms(10)
    mod_timer(timer, jiffies() + MAX_SCHEDULE_TIMEOUT)
    assert timer.expires > jiffies() + MAX_SCHEDULE_TIMEOUT // 2
    used = time.process_time()
    time.sleep(0.1)
    assert time.process_time() - used < 0.05
    assert fired == []
    near = jiffies() + 1
    assert mod_timer(timer, near) == 1
    eventually(lambda: fired)


def test_an_expiry_in_the_past_fires_at_once(timer, fired):
    began = ktime_get()
    mod_timer(timer, INITIAL_JIFFIES - 5)
    eventually(lambda: fired)
    assert ktime_get() - began < 1_000_000_000


def test_many_threads_and_one_timer(kernel):
    fired = []
    timer = timer_list()
    timer_setup(timer, lambda t: fired.append(1), 0)
    armed = []

    def mess(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(150):
            if rng.random() < 0.6:
                was = mod_timer(timer, jiffies() + rng.randrange(2))
                armed.append(1 - was)
            else:
                armed.append(-timer_delete_sync(timer))

    together(*[lambda s=s: mess(s) for s in range(4)])
    armed.append(-timer_delete_sync(timer))
    sleep_ms(10)
    assert sum(armed) == len(fired), "armed, less deleted, is fired"


def test_an_oops_in_a_callback_does_not_lose_the_kernel(boot):
    with pytest.raises(kport.KernelOops, match="division"), boot():
        timer = timer_list()
        timer_setup(timer, lambda t: 1 // 0, 0)
        mod_timer(timer, jiffies())
        eventually(lambda: False)


# -- the queue underneath --------------------------------------------------------------------------


def test_the_queue_against_a_sorted_list():
    rng = random.Random(11)
    queue, model, number = TimerQueue(), [], 0
    for _ in range(4000):
        choice = rng.random()
        if choice < 0.5 or not model:
            number += 1
            expires = rng.randrange(50)
            model.append((expires, number, queue.add(expires, number)))
            model.sort(key=lambda e: e[:2])
        elif choice < 0.9:
            at = rng.randrange(len(model))
            queue.remove(model.pop(at)[2])
        else:
            assert queue.first()[:2] == list(model[0][:2])
            assert queue.pop() == model.pop(0)[1]
        first = queue.first()
        assert (first[:2] if first else None) == (list(model[0][:2]) if model else None)
        assert len(queue._heap) <= 2 * len(model) + 66, "dead entries are swept"
