# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A gate lets through what it was told to, and nothing else."""

from __future__ import annotations

import threading
from time import monotonic, sleep

import pytest

from tui.gate import Gate


@pytest.fixture
def machine():
    """A gate, and the events that a thread brings to it: one per ms of its time."""
    gate, passed = Gate(), []

    def run():
        for number in range(100_000):
            gate.event(number * 1_000_000)
            passed.append(number)
            if gate._closed:
                return

    thread = threading.Thread(target=run, name="machine", daemon=True)
    thread.start()
    yield gate, passed
    gate.close()
    thread.join(10)
    assert not thread.is_alive()


def until(holds):
    end = monotonic() + 10
    while not holds():
        assert monotonic() < end
        sleep(0.001)


def test_nothing_passes_at_first(machine):
    gate, passed = machine
    until(lambda: gate.events == 1)
    sleep(0.02)
    assert gate.held
    assert passed == []


def test_as_many_pass_as_it_is_told(machine):
    gate, passed = machine
    total = 0
    for count in (1, 1, 5, 100):
        gate.step(count)
        total += count
        until(lambda total=total: len(passed) == total)
        sleep(0.005)
        assert len(passed) == total


def test_it_runs_no_faster_than_the_wall(machine):
    gate, passed = machine
    start = monotonic()
    gate.run()
    assert not gate.held
    until(lambda: len(passed) > 100)
    assert monotonic() - start >= 0.099
    gate.hold()
    sleep(0.02)
    count = len(passed)
    sleep(0.02)
    assert len(passed) == count
    gate.step(1)
    until(lambda: len(passed) == count + 1)


def test_a_step_ends_a_run(machine):
    gate, passed = machine
    gate.run()
    until(lambda: len(passed) > 3)
    gate.step(2)
    assert gate.held
    sleep(0.02)
    count = len(passed)
    sleep(0.02)
    assert len(passed) == count
