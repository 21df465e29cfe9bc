# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The script: one order for many performers, never early, and a way out."""

from __future__ import annotations

import time

import pytest

from kport.linux import sched
from kport.linux.ktime import ktime_get
from kport.linux.sched import current
from kport.workload.rec_script import PERFORMERS_MAX, Cue, Script
from tests.support import MS, eventually


def play(cues):
    script = Script(cues)
    script.start(MS)
    eventually(script.over)
    return script


@pytest.mark.parametrize("tasks", [1, 2, 7, PERFORMERS_MAX + 9])
def test_cues_a_microsecond_apart_stay_in_order(kernel, tasks):
    seen = []

    def cue(number):
        task = (f"t{number % tasks}", 1)
        return Cue(10**9 + number * 1000, (1, number), task, lambda: seen.append(number))

    play([cue(number) for number in reversed(range(500))])
    assert seen == list(range(500))


def test_cues_at_one_time_are_in_order_of_rank(kernel):
    seen = []
    cues = [
        Cue(5, rank, (f"t{number}", 1), lambda rank=rank: seen.append(rank))
        for number, rank in enumerate([(2, 0), (1, 3), (0, 9), (1, 1)])
    ]
    play(cues)
    assert seen == [(0, 9), (1, 1), (1, 3), (2, 0)]


def test_no_cue_comes_early(kernel):
    late = []

    def act(script_time):
        late.append(ktime_get() - (script.offset + script_time))

    times = [7 * MS, 9 * MS, 30 * MS, 30 * MS + 5000]
    script = Script([Cue(t, (1, t), (f"t{t}", 1), lambda t=t: act(t)) for t in times])
    before = ktime_get()
    script.start(2 * MS)
    eventually(script.over)
    assert script.offset + times[0] >= before + 2 * MS
    assert len(late) == 4
    assert all(ns >= 0 for ns in late)


def test_performers_are_tasks_called_like_those_of_the_recording(kernel):
    seen = []

    def act():
        task = current()
        seen.append((task.comm, task.pid, task.group_leader is task))

    play([Cue(1, (1, 0), ("gnome-shell", 77), act), Cue(2, (1, 1), ("Xorg", 9), act)])
    (one, two) = seen
    assert (one[0], two[0]) == ("gnome-shell", "Xorg")
    assert one[1] != two[1]
    assert one[2]
    assert two[2]


def test_a_script_without_cues_is_over(kernel):
    assert play([]).over()


def test_cancel_ends_sleeps_and_waits_for_a_turn(kernel):
    seen = []
    gate = []

    def slow():
        seen.append("slow")
        eventually(lambda: gate)

    script = Script(
        [
            Cue(0, (1, 0), ("a", 1), slow),
            Cue(1, (1, 1), ("waits for its turn", 1), lambda: seen.append("turn")),
            Cue(3600 * 10**9, (1, 2), ("sleeps", 1), lambda: seen.append("sleep")),
        ]
    )
    script.start(0)
    eventually(lambda: seen)
    script.cancel()
    eventually(lambda: len(script.ended) == 2)
    gate.append(True)
    eventually(script.over)
    assert seen == ["slow"]
    eventually(lambda: not [t for t in sched.tasks.values() if t.comm in ("a", "sleeps")])


def test_the_worst_delay_is_known(kernel):
    def slow():
        end = time.monotonic() + 0.03
        eventually(lambda: time.monotonic() > end)

    script = play([Cue(0, (1, 0), ("a", 1), slow), Cue(1000, (1, 1), ("b", 1), lambda: None)])
    assert script.late >= 29_000_000
