# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The pace of a thread that works beside the port."""

from __future__ import annotations

import pytest

from kport.trace import registry
from kport.trace.registry import PAUSE, STRETCH, Pace


@pytest.fixture
def slept(monkeypatch):
    """The sleeps of a pace, whose clock stands still but for them and for `slept.work()`."""

    class Clock(list):
        now = 0.0

        def work(self, seconds):
            self.now += seconds

        def sleep(self, seconds):
            self.append(seconds)
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(registry, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(registry, "sleep", clock.sleep)
    return clock


def test_short_work_goes_on(slept):
    pace = Pace()
    for _ in range(3):
        slept.work(STRETCH / 4)
        pace.step()
    assert slept == []


def test_a_stretch_ends_with_a_sleep(slept):
    pace = Pace()
    for _ in range(8):
        slept.work(STRETCH / 1.9)
        pace.step()
    assert slept == [PAUSE] * 4, "the time asleep is no part of the next stretch"


def test_it_really_sleeps():
    """A sleep of nothing gives the interpreter to nobody."""
    assert PAUSE > 0
