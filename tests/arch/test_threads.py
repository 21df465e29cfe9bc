# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The clock event of the machine `threads`: awake before it is due, never early, idle otherwise."""

from __future__ import annotations

import time

import pytest

import kport
from kport.linux.delay import msleep
from kport.linux.hrtimer import (
    CLOCK_MONOTONIC,
    HRTIMER_MODE_ABS,
    HRTIMER_NORESTART,
    hrtimer,
    hrtimer_setup,
    hrtimer_start,
)
from kport.linux.ktime import NSEC_PER_MSEC, NSEC_PER_SEC, ktime_get


@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
def test_a_timer_is_never_early(scale):
    late = []

    def fires(timer):
        late.append(ktime_get() - timer.expires)
        return HRTIMER_NORESTART

    with kport.boot("threads", scale=scale, debug=True):
        timers = [hrtimer() for _ in range(40)]
        begin = ktime_get() + NSEC_PER_MSEC
        for number, timer in enumerate(timers):
            hrtimer_setup(timer, fires, CLOCK_MONOTONIC, HRTIMER_MODE_ABS)
            hrtimer_start(timer, begin + number * 313_000, HRTIMER_MODE_ABS)
        end = ktime_get() + 10 * NSEC_PER_SEC
        while len(late) < len(timers) and ktime_get() < end:
            msleep(2)
    assert len(late) == len(timers)
    assert min(late) >= 0


def test_nothing_is_computed_while_a_timer_is_far_away():
    def never(timer):
        raise AssertionError("this timer is not due")

    with kport.boot("threads"):
        timer = hrtimer()
        hrtimer_setup(timer, never, CLOCK_MONOTONIC, HRTIMER_MODE_ABS)
        hrtimer_start(timer, ktime_get() + 100 * NSEC_PER_SEC, HRTIMER_MODE_ABS)
        time.sleep(0.05)
        before = time.process_time()
        time.sleep(0.5)
        assert time.process_time() - before < 0.1


def test_a_kernel_may_end_while_its_clock_event_is_awake():
    for _ in range(20):
        with kport.boot("threads"):
            timer = hrtimer()
            hrtimer_setup(
                timer, lambda timer: HRTIMER_NORESTART, CLOCK_MONOTONIC, HRTIMER_MODE_ABS
            )
            hrtimer_start(timer, ktime_get() + 15_000, HRTIMER_MODE_ABS)
