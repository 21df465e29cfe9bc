# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""High resolution timers: hard interrupts to the nanosecond asked for, never before it."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from kport.linux.hrtimer import (
    CLOCK_MONOTONIC,
    HRTIMER_MODE_ABS,
    HRTIMER_MODE_REL,
    HRTIMER_NORESTART,
    HRTIMER_RESTART,
    hrtimer,
    hrtimer_active,
    hrtimer_callback_running,
    hrtimer_cancel,
    hrtimer_forward,
    hrtimer_forward_now,
    hrtimer_get_expires,
    hrtimer_get_remaining,
    hrtimer_is_queued,
    hrtimer_setup,
    hrtimer_start,
    hrtimer_try_to_cancel,
)
from kport.linux.ktime import ktime_get
from kport.linux.preempt import in_hardirq, in_serving_softirq, irqs_disabled
from tests.support import (
    MS,
    US,
    Thread,
    eventually,
    never,
    sleep_ms,
    spin_until,
    take_warnings,
    together,
)


def make(function) -> hrtimer:
    timer = hrtimer()
    hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
    return timer


@pytest.fixture
def fired(kernel):
    return []


@pytest.fixture
def timer(fired):
    def fire(t: hrtimer) -> int:
        fired.append(ktime_get())
        return HRTIMER_NORESTART

    made = make(fire)
    yield made
    hrtimer_cancel(made)


@pytest.mark.parametrize("delay", [0, 1, 50 * US, MS, 3 * MS])
def test_it_fires_once_and_never_early(timer, fired, delay):
    began = ktime_get()
    hrtimer_start(timer, delay, HRTIMER_MODE_REL)
    assert hrtimer_get_expires(timer) >= began + delay
    eventually(lambda: fired)
    assert fired[0] >= timer.expires >= began + delay
    never(lambda: len(fired) > 1, msecs=5)
    assert not hrtimer_active(timer)


def test_it_fires_as_a_hard_interrupt(kernel):
    seen = []

    def callback(t: hrtimer) -> int:
        seen.append((bool(in_hardirq()), bool(in_serving_softirq()), irqs_disabled()))
        return HRTIMER_NORESTART

    hrtimer_start(make(callback), 0, HRTIMER_MODE_REL)
    eventually(lambda: seen)
    assert seen == [(True, False, 1)]


def test_the_interrupt_of_one_timer_fires_no_other(timer, fired):
    early = []
    other = make(lambda t: early.append(1) or HRTIMER_NORESTART)
    hrtimer_start(timer, 100_000 * MS, HRTIMER_MODE_REL)
    hrtimer_start(other, MS, HRTIMER_MODE_REL)
    eventually(lambda: early)
    never(lambda: fired, msecs=5)
    assert hrtimer_is_queued(timer)


def test_absolute_times(timer, fired):
    at = ktime_get() + 2 * MS
    hrtimer_start(timer, at, HRTIMER_MODE_ABS)
    assert timer.expires == at
    eventually(lambda: fired)
    assert fired[0] >= at
    assert hrtimer_get_remaining(timer) < 0
    hrtimer_start(timer, 1, HRTIMER_MODE_ABS)
    eventually(lambda: len(fired) == 2)
    hrtimer_start(timer, ktime_get() + 100_000 * MS, HRTIMER_MODE_ABS)
    assert 0 < hrtimer_get_remaining(timer) <= 100_000 * MS


def test_its_resolution_is_far_below_a_tick(timer, fired):
    late = []
    for _ in range(20):
        fired.clear()
        hrtimer_start(timer, MS, HRTIMER_MODE_REL)
        eventually(lambda: fired)
        late.append(fired[0] - timer.expires)
    assert min(late) < MS


def test_starting_a_queued_timer_moves_it(timer, fired):
    hrtimer_start(timer, 100_000 * MS, HRTIMER_MODE_REL)
    hrtimer_start(timer, MS, HRTIMER_MODE_REL)
    eventually(lambda: fired)
    fired.clear()
    hrtimer_start(timer, MS, HRTIMER_MODE_REL)
    hrtimer_start(timer, 8 * MS, HRTIMER_MODE_REL)
    eventually(lambda: fired)
    assert fired[0] >= timer.expires
    never(lambda: len(fired) > 1, msecs=5)


def test_cancel_says_whether_it_was_queued(timer, fired):
    assert hrtimer_cancel(timer) == 0
    hrtimer_start(timer, 2 * MS, HRTIMER_MODE_REL)
    assert hrtimer_is_queued(timer)
    assert hrtimer_active(timer)
    assert hrtimer_try_to_cancel(timer) == 1
    assert not hrtimer_is_queued(timer)
    assert hrtimer_try_to_cancel(timer) == 0
    hrtimer_start(timer, 2 * MS, HRTIMER_MODE_REL)
    assert hrtimer_cancel(timer) == 1
    never(lambda: fired, msecs=8)


def test_cancel_waits_for_a_running_callback(kernel):
    entered, leave = [], []

    def callback(t: hrtimer) -> int:
        entered.append((hrtimer_callback_running(t), hrtimer_active(t), hrtimer_is_queued(t)))
        spin_until(lambda: leave)
        leave.append(2)
        return HRTIMER_NORESTART

    timer = make(callback)
    hrtimer_start(timer, 0, HRTIMER_MODE_REL)
    eventually(lambda: entered)
    assert hrtimer_try_to_cancel(timer) == -1
    canceller = Thread(lambda: (hrtimer_cancel(timer), list(leave)))
    never(lambda: canceller.done, msecs=10)
    leave.append(1)
    assert canceller.join() == (0, [1, 2])
    assert entered == [(True, True, False)]
    assert not hrtimer_callback_running(timer)


def test_cancel_stops_a_timer_that_restarts(kernel):
    count = []

    def callback(t: hrtimer) -> int:
        count.append(1)
        hrtimer_forward_now(t, 200 * US)
        return HRTIMER_RESTART

    timer = make(callback)
    hrtimer_start(timer, 0, HRTIMER_MODE_REL)
    eventually(lambda: len(count) > 10)
    hrtimer_cancel(timer)
    settled = len(count)
    never(lambda: len(count) > settled, msecs=10)


def test_cancel_takes_out_what_the_callback_it_waited_for_has_restarted(kernel):
    entered, leave = [], []

    def callback(t: hrtimer) -> int:
        entered.append(1)
        spin_until(lambda: leave)
        hrtimer_forward_now(t, 100_000 * MS)
        return HRTIMER_RESTART

    timer = make(callback)
    hrtimer_start(timer, 0, HRTIMER_MODE_REL)
    eventually(lambda: entered)
    canceller = Thread(hrtimer_cancel, timer)
    never(lambda: canceller.done, msecs=5)
    leave.append(1)
    assert canceller.join() == 1
    assert not hrtimer_active(timer)


def test_a_restart_happens_at_the_time_the_callback_set(kernel):
    times = []

    def callback(t: hrtimer) -> int:
        times.append((ktime_get(), hrtimer_get_expires(t)))
        if len(times) == 5:
            return HRTIMER_NORESTART
        assert hrtimer_forward(t, t.expires, 2 * MS) == 1
        return HRTIMER_RESTART

    timer = make(callback)
    hrtimer_start(timer, MS, HRTIMER_MODE_REL)
    eventually(lambda: len(times) == 5)
    assert [b[1] - a[1] for a, b in pairwise(times)] == [2 * MS] * 4
    assert all(now >= expires for now, expires in times)


def test_a_callback_that_starts_its_timer_and_says_norestart_is_started(kernel):
    count = []

    def callback(t: hrtimer) -> int:
        count.append(1)
        if len(count) < 3:
            hrtimer_start(t, 100 * US, HRTIMER_MODE_REL)
        return HRTIMER_NORESTART

    timer = make(callback)
    hrtimer_start(timer, 0, HRTIMER_MODE_REL)
    eventually(lambda: len(count) == 3)
    assert not hrtimer_active(timer)


@pytest.mark.parametrize(
    ("expires", "now", "interval", "overrun", "after"),
    [
        (100, 99, 10, 0, 100),
        (100, 100, 10, 1, 110),
        (100, 109, 10, 1, 110),
        (100, 110, 10, 2, 120),
        (100, 1234, 10, 114, 1240),
        (100, 105, 0, 6, 106),  # an interval below the resolution of 1 ns counts as 1 ns
    ],
)
def test_forward_moves_past_now_by_whole_intervals(kernel, expires, now, interval, overrun, after):
    timer = make(lambda t: HRTIMER_NORESTART)
    timer.expires = expires
    assert hrtimer_forward(timer, now, interval) == overrun
    assert timer.expires == after


def test_forwarding_a_queued_timer_is_a_warning(kernel, timer):
    hrtimer_start(timer, 100_000 * MS, HRTIMER_MODE_REL)
    expires = timer.expires
    assert hrtimer_forward(timer, expires + 5, 10) == 0
    assert timer.expires == expires
    assert len(take_warnings(kernel)) == 1


def test_another_clock_is_refused(kernel):
    timer = hrtimer()
    hrtimer_setup(timer, lambda t: HRTIMER_NORESTART, 0, HRTIMER_MODE_REL)
    assert len(take_warnings(kernel)) == 1


def test_timers_fire_in_order_of_time(kernel):
    order = []
    rng = random.Random(3)
    delays = [rng.randrange(4 * MS) for _ in range(40)]
    timers = [make(lambda t, n=n: order.append(n) or HRTIMER_NORESTART) for n in range(40)]
    for lead in (2 * MS, 20 * MS, 200 * MS, 2000 * MS):
        order.clear()
        start = ktime_get() + lead
        for timer, delay in zip(timers, delays, strict=True):
            hrtimer_start(timer, start + delay, HRTIMER_MODE_ABS)
        in_time = ktime_get() < start  # else some were due before others were started
        eventually(lambda: len(order) == 40)
        if in_time:
            break
    assert in_time
    assert [delays[n] for n in order] == sorted(delays)


def test_many_threads_and_many_timers(kernel):
    fired: list[int] = []
    timers = [make(lambda t, n=n: fired.append(n) or HRTIMER_NORESTART) for n in range(6)]
    started = [0] * 6
    cancelled = [0] * 6

    def mess(number: int) -> None:
        rng = random.Random(number)
        for _ in range(100):
            hrtimer_start(timers[number], rng.randrange(200 * US), HRTIMER_MODE_REL)
            started[number] += 1
            if rng.random() < 0.5:
                cancelled[number] += hrtimer_cancel(timers[number])
            else:
                eventually(lambda: not hrtimer_active(timers[number]))

    together(*[lambda n=n: mess(n) for n in range(6)])
    sleep_ms(2)
    for number in range(6):
        assert fired.count(number) == started[number] - cancelled[number]
