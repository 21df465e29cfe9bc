# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Ctrl-C inside one process."""

from __future__ import annotations

import os
import signal
import threading

from kport.cli.interrupt import StopOnInterrupt
from kport.cli.timing import SWITCH_INTERVAL, brisk


def test_the_first_interrupt_sets_the_event_and_raises_nothing():
    before = signal.getsignal(signal.SIGINT)
    with StopOnInterrupt() as interrupts:
        assert not interrupts.stop.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.stop.wait(10)
    assert signal.getsignal(signal.SIGINT) is before
    assert all(thread.name != "interrupts" for thread in threading.enumerate())


def test_a_process_that_is_leaving_is_not_interrupted():
    before = signal.getsignal(signal.SIGINT)
    try:
        with StopOnInterrupt() as interrupts:
            interrupts.leaving = True
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_signals_do_not_count():
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with StopOnInterrupt() as interrupts:
            os.kill(os.getpid(), signal.SIGUSR1)
            assert not interrupts.stop.wait(0.1)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_an_interrupt_that_nobody_caught_leaves_the_pipe_closed():
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with StopOnInterrupt():
            pass
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_in_another_thread_it_does_nothing():
    seen = []

    def body() -> None:
        with StopOnInterrupt() as interrupts:
            seen.append(interrupts.stop.is_set())

    thread = threading.Thread(target=body)
    thread.start()
    thread.join(10)
    assert seen == [False]


def test_settings_of_the_process_are_put_back():
    import sys

    before = sys.getswitchinterval()
    with brisk():
        assert abs(sys.getswitchinterval() - SWITCH_INTERVAL) < 1e-9
    assert sys.getswitchinterval() == before
